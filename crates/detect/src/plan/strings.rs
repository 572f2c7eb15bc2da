//! Many strings looked for at once, each with the rules that it finds.

use std::collections::BTreeMap;

/// Strings and the rules that each of them finds.
#[derive(Clone, Debug)]
pub(crate) struct Strings {
    set: pattern::Set,
    /// The rules of string `n` are `rules[starts[n]..starts[n + 1]]`.
    starts: Vec<u32>,
    rules: Vec<u32>,
}

impl Default for Strings {
    fn default() -> Self {
        Strings::new(BTreeMap::new())
    }
}

impl Strings {
    pub(crate) fn new(draft: BTreeMap<(Vec<u8>, bool), Vec<u32>>) -> Self {
        let mut patterns = Vec::with_capacity(draft.len());
        let (mut starts, mut rules) = (vec![0], Vec::new());
        for ((bytes, nocase), found) in draft {
            patterns.push(pattern::Pattern { bytes, nocase });
            rules.extend(found);
            starts.push(rules.len() as u32);
        }
        Strings { set: pattern::Set::new(&patterns), starts, rules }
    }

    /// Adds the rules whose strings are in `text`, perhaps several times each.
    pub(crate) fn find(&self, text: &[u8], found: &mut Vec<u32>) {
        if self.rules.is_empty() {
            return;
        }
        let mut last = u32::MAX;
        self.set.scan(text, &mut |string, _| {
            // The same string again and again is one finding.
            if string == last {
                return;
            }
            last = string;
            let (from, until) =
                (self.starts[string as usize] as usize, self.starts[string as usize + 1] as usize);
            found.extend_from_slice(&self.rules[from..until]);
        });
    }
}
