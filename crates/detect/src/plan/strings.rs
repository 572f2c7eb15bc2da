//! Many strings looked for at once, each with the rules that it finds.
//!
//! Only the beginning is looked into for strings that must stand near it.

use crate::rule::compiled::Fast;
use std::collections::BTreeMap;

/// A string that ends within so many bytes, if it is where its rule wants it, is looked for only there.
const NEAR_BYTES_MAX: usize = 256;

/// Strings that wait to be compiled: for each the rules that it finds.
type Found = BTreeMap<(Vec<u8>, bool), Vec<u32>>;

/// Strings that wait to be compiled.
#[derive(Clone, Default, Debug)]
pub(crate) struct Draft {
    near: BTreeMap<(Vec<u8>, bool), Near>,
    far: Found,
}

/// What becomes of a string near the beginning.
#[derive(Clone, Default, Debug)]
struct Near {
    /// Where it ends at the latest.
    reach: usize,
    rules: Vec<u32>,
}

impl Draft {
    /// Rule `number` is found by this string.
    pub(crate) fn add(&mut self, fast: &Fast, number: u32) {
        let key = (fast.bytes.clone(), fast.nocase);
        match fast.reach {
            Some(reach) if reach <= NEAR_BYTES_MAX => self.near(key, reach).rules.push(number),
            _ => self.far.entry(key).or_default().push(number),
        }
    }

    fn near(&mut self, key: (Vec<u8>, bool), reach: usize) -> &mut Near {
        let near = self.near.entry(key).or_default();
        near.reach = near.reach.max(reach);
        near
    }

    /// What is in the other draft is in this one, too.
    pub(crate) fn include(&mut self, other: &Draft) {
        for (key, others) in &other.near {
            self.near(key.clone(), others.reach).rules.extend_from_slice(&others.rules);
        }
        for (key, rules) in &other.far {
            self.far.entry(key.clone()).or_default().extend_from_slice(rules);
        }
    }
}

/// Strings and the rules that each of them finds.
#[derive(Clone, Default, Debug)]
pub(crate) struct Strings {
    near: Option<Box<Beginning>>,
    far: Option<Box<Group>>,
}

/// Strings that must stand near the beginning.
#[derive(Clone, Debug)]
struct Beginning {
    group: Group,
    /// Where each ends at the latest.
    reaches: Vec<usize>,
    /// How far the furthest reaches.
    bytes: usize,
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
        let near = (!draft.near.is_empty()).then(|| {
            let reaches: Vec<_> = draft.near.values().map(|near| near.reach).collect();
            let bytes = reaches.iter().copied().max().unwrap_or(0);
            let group = Group::new(draft.near.into_iter().map(|(key, near)| (key, near.rules)));
            Box::new(Beginning { group, reaches, bytes })
        });
        let far = (!draft.far.is_empty()).then(|| Box::new(Group::new(draft.far.into_iter())));
        Strings { near, far }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.near.is_none() && self.far.is_none()
    }

    /// Adds the rules whose strings are in `text`, perhaps several times each.
    pub(crate) fn find(&self, text: &[u8], scratch: &mut pattern::Scratch, found: &mut Vec<u32>) {
        find_all([Some(self), None, None], text, scratch, found);
    }
}

/// Adds the rules whose strings, of any of these, are in `text`, perhaps several times each.
pub(crate) fn find_all(
    all: [Option<&Strings>; 3],
    text: &[u8],
    scratch: &mut pattern::Scratch,
    found: &mut Vec<u32>,
) {
    if all.iter().flatten().all(|strings| strings.is_empty()) {
        return;
    }
    let near = all.map(|strings| strings?.near.as_deref());
    let near_bytes = near.iter().flatten().map(|near| near.bytes).max().unwrap_or(0);
    let beginning = &text[..near_bytes.min(text.len())];
    let is_near =
        |place: usize, string: usize, end: usize| near[place].is_some_and(|near| end <= near.reaches[string]);
    together(near.map(|near| Some(&near?.group)), beginning, scratch, is_near, found);
    together(all.map(|strings| strings?.far.as_deref()), text, scratch, |_, _, _| true, found);
}

/// Looks for the strings of several groups at once. `counts(place of the group, string, where it ended)` tells whether what was found does.
fn together(
    groups: [Option<&Group>; 3],
    text: &[u8],
    scratch: &mut pattern::Scratch,
    counts: impl Fn(usize, usize, usize) -> bool,
    found: &mut Vec<u32>,
) {
    let Some(any) = groups.iter().flatten().next() else { return };
    // What is there comes first; the rest is filled up and left out.
    let (mut there, mut places, mut count) = ([*any; 3], [0; 3], 0);
    for (place, group) in groups.into_iter().enumerate() {
        if let Some(group) = group {
            (there[count], places[count]) = (group, place);
            count += 1;
        }
    }
    let sets = there.map(|group| &group.set);
    let mut last = (usize::MAX, u32::MAX);
    pattern::scan_together(&sets[..count], text, scratch, &mut |set, string, end| {
        // The same string again and again is one finding.
        if (set, string) == last || !counts(places[set], string as usize, end) {
            return;
        }
        last = (set, string);
        let group = there[set];
        let (from, until) =
            (group.starts[string as usize] as usize, group.starts[string as usize + 1] as usize);
        found.extend_from_slice(&group.rules[from..until]);
    });
}

impl Group {
    fn new(strings: impl Iterator<Item = ((Vec<u8>, bool), Vec<u32>)>) -> Self {
        let (mut patterns, mut starts, mut rules) = (Vec::new(), vec![0], Vec::new());
        for ((bytes, nocase), found) in strings {
            patterns.push(pattern::Pattern { bytes, nocase });
            rules.extend(found);
            starts.push(rules.len() as u32);
        }
        Group { set: pattern::Set::new(&patterns), starts, rules }
    }
}
