//! Many strings looked for at once, each with the rules that it finds.
//!
//! Strings that must stand near the beginning are kept apart: only the beginning is looked into for them.

use crate::rule::compiled::Fast;
use std::collections::BTreeMap;

/// A string that ends within so many bytes, if it is where its rule wants it, is looked for only there.
const NEAR_BYTES_MAX: usize = 256;

/// Strings that wait to be compiled: for each the rules that it finds.
#[derive(Clone, Default, Debug)]
pub(crate) struct Draft {
    near: BTreeMap<(Vec<u8>, bool), Vec<u32>>,
    near_bytes: usize,
    far: BTreeMap<(Vec<u8>, bool), Vec<u32>>,
}

impl Draft {
    /// Rule `number` is found by this string.
    pub(crate) fn add(&mut self, fast: &Fast, number: u32) {
        let strings = match fast.reach {
            Some(reach) if reach <= NEAR_BYTES_MAX => {
                self.near_bytes = self.near_bytes.max(reach);
                &mut self.near
            }
            _ => &mut self.far,
        };
        strings.entry((fast.bytes.clone(), fast.nocase)).or_default().push(number);
    }

    /// What is in the other draft is in this one, too.
    pub(crate) fn include(&mut self, other: &Draft) {
        for (strings, others) in [(&mut self.near, &other.near), (&mut self.far, &other.far)] {
            for (key, rules) in others {
                strings.entry(key.clone()).or_default().extend_from_slice(rules);
            }
        }
        self.near_bytes = self.near_bytes.max(other.near_bytes);
    }
}

/// Strings and the rules that each of them finds.
#[derive(Clone, Default, Debug)]
pub(crate) struct Strings {
    near: Option<Box<Group>>,
    far: Option<Box<Group>>,
    /// How far the near ones reach.
    near_bytes: usize,
}

/// Strings that are looked for in the same bytes.
#[derive(Clone, Debug)]
struct Group {
    set: pattern::Set,
    /// The rules of string `n` are `rules[starts[n]..starts[n + 1]]`.
    starts: Vec<u32>,
    rules: Vec<u32>,
}

impl Strings {
    pub(crate) fn new(draft: Draft) -> Self {
        Strings { near: Group::new(draft.near), far: Group::new(draft.far), near_bytes: draft.near_bytes }
    }

    /// Adds the rules whose strings are in `text`, perhaps several times each.
    pub(crate) fn find(&self, text: &[u8], scratch: &mut pattern::Scratch, found: &mut Vec<u32>) {
        find_all([Some(self)], text, scratch, found);
    }
}

/// Adds the rules whose strings, of any of these, are in `text`, perhaps several times each.
pub(crate) fn find_all<const COUNT: usize>(
    all: [Option<&Strings>; COUNT],
    text: &[u8],
    scratch: &mut pattern::Scratch,
    found: &mut Vec<u32>,
) {
    let near_bytes = all.iter().flatten().map(|strings| strings.near_bytes).max().unwrap_or(0);
    let beginning = &text[..near_bytes.min(text.len())];
    find_groups(all.map(|strings| strings?.near.as_deref()), beginning, scratch, found);
    find_groups(all.map(|strings| strings?.far.as_deref()), text, scratch, found);
}

fn find_groups<const COUNT: usize>(
    groups: [Option<&Group>; COUNT],
    text: &[u8],
    scratch: &mut pattern::Scratch,
    found: &mut Vec<u32>,
) {
    let Some(any) = groups.iter().flatten().next() else { return };
    // What is there comes first; the rest is filled up and left out.
    let (mut there, mut count) = ([*any; COUNT], 0);
    for group in groups.into_iter().flatten() {
        there[count] = group;
        count += 1;
    }
    let sets = there.map(|group| &group.set);
    let mut last = (usize::MAX, u32::MAX);
    pattern::scan_together(&sets[..count], text, scratch, &mut |place, string, _| {
        // The same string again and again is one finding.
        if (place, string) == last {
            return;
        }
        last = (place, string);
        let group = there[place];
        let (from, until) =
            (group.starts[string as usize] as usize, group.starts[string as usize + 1] as usize);
        found.extend_from_slice(&group.rules[from..until]);
    });
}

impl Group {
    fn new(strings: BTreeMap<(Vec<u8>, bool), Vec<u32>>) -> Option<Box<Self>> {
        if strings.is_empty() {
            return None;
        }
        let mut patterns = Vec::with_capacity(strings.len());
        let (mut starts, mut rules) = (vec![0], Vec::new());
        for ((bytes, nocase), found) in strings {
            patterns.push(pattern::Pattern { bytes, nocase });
            rules.extend(found);
            starts.push(rules.len() as u32);
        }
        Some(Box::new(Group { set: pattern::Set::new(&patterns), starts, rules }))
    }
}
