//! Many strings looked for at once, each with the rules that it finds.
//!
//! Only the beginning is looked into for strings that must stand near it. Where a rule wants one of those and another that may stand anywhere, the other is
//! looked for only where the first is: the first is its *gate*.

use crate::rule::compiled::{Fast, Gate, NEAR_BYTES_MAX};
use std::collections::BTreeMap;

/// Strings that wait to be compiled: for each the rules that it finds.
type Found = BTreeMap<(Vec<u8>, bool), Vec<u32>>;

/// Strings that wait to be compiled.
#[derive(Clone, Default, Debug)]
pub(crate) struct Draft {
    near: BTreeMap<(Vec<u8>, bool), Near>,
    far: Found,
    gated: Found,
}

/// What becomes of a string near the beginning.
#[derive(Clone, Default, Debug)]
struct Near {
    /// Where it ends at the latest.
    reach: usize,
    rules: Vec<u32>,
    is_gate: bool,
}

impl Draft {
    /// Rule `number` is found by this string.
    pub(crate) fn add(&mut self, fast: &Fast, number: u32) {
        let key = (fast.bytes.clone(), fast.nocase);
        match (fast.reach, &fast.gate) {
            (Some(reach), _) if reach <= NEAR_BYTES_MAX => self.near(key, reach).rules.push(number),
            (_, Some(Gate { bytes, nocase, reach })) => {
                self.near((bytes.clone(), *nocase), *reach).is_gate = true;
                self.gated.entry(key).or_default().push(number);
            }
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
            let near = self.near(key.clone(), others.reach);
            near.rules.extend_from_slice(&others.rules);
            near.is_gate |= others.is_gate;
        }
        for (strings, others) in [(&mut self.far, &other.far), (&mut self.gated, &other.gated)] {
            for (key, rules) in others {
                strings.entry(key.clone()).or_default().extend_from_slice(rules);
            }
        }
    }
}

/// Strings and the rules that each of them finds.
#[derive(Clone, Default, Debug)]
pub(crate) struct Strings {
    near: Option<Box<Beginning>>,
    far: Option<Box<Group>>,
    gated: Option<Box<Group>>,
}

/// Strings that must stand near the beginning.
#[derive(Clone, Debug)]
struct Beginning {
    group: Group,
    /// Where each ends at the latest, and whether it is a gate.
    reaches: Vec<(usize, bool)>,
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
            let reaches: Vec<_> = draft.near.values().map(|near| (near.reach, near.is_gate)).collect();
            let bytes = reaches.iter().map(|reach| reach.0).max().unwrap_or(0);
            let group = Group::new(draft.near.into_iter().map(|(key, near)| (key, near.rules)));
            Box::new(Beginning { group, reaches, bytes })
        });
        let group = |found: Found| (!found.is_empty()).then(|| Box::new(Group::new(found.into_iter())));
        Strings { near, far: group(draft.far), gated: group(draft.gated) }
    }

    fn is_empty(&self) -> bool {
        self.near.is_none() && self.far.is_none() && self.gated.is_none()
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
    let mut opened = [false; 3];
    together(
        &near.map(|near| Some(&near?.group)),
        &text[..near_bytes.min(text.len())],
        scratch,
        |place, string, end| {
            let (reach, is_gate) = near[place]?.reaches[string];
            if end > reach {
                return None;
            }
            opened[place] |= is_gate;
            near[place].map(|near| &near.group)
        },
        found,
    );
    let far = all.map(|strings| strings?.far.as_deref());
    let gated = [0, 1, 2].map(|place: usize| all[place].filter(|_| opened[place])?.gated.as_deref());
    let groups = [far[0], far[1], far[2], gated[0], gated[1], gated[2]];
    together(&groups, text, scratch, |place, _, _| groups[place], found);
}

/// Looks for the strings of several groups at once. `accept(place of the group, string, where it ended)` tells the group again if what was found counts.
fn together<'a, const COUNT: usize>(
    groups: &[Option<&'a Group>; COUNT],
    text: &[u8],
    scratch: &mut pattern::Scratch,
    mut accept: impl FnMut(usize, usize, usize) -> Option<&'a Group>,
    found: &mut Vec<u32>,
) {
    let Some(any) = groups.iter().flatten().next() else { return };
    // What is there comes first; the rest is filled up and left out.
    let (mut sets, mut places, mut count) = ([&any.set; COUNT], [0; COUNT], 0);
    for (place, group) in groups.iter().enumerate() {
        if let Some(group) = group {
            (sets[count], places[count]) = (&group.set, place);
            count += 1;
        }
    }
    let mut last = (usize::MAX, u32::MAX);
    pattern::scan_together(&sets[..count], text, scratch, &mut |set, string, end| {
        // The same string again and again is one finding.
        if (set, string) == last {
            return;
        }
        if let Some(group) = accept(places[set], string as usize, end) {
            last = (set, string);
            let (from, until) =
                (group.starts[string as usize] as usize, group.starts[string as usize + 1] as usize);
            found.extend_from_slice(&group.rules[from..until]);
        }
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
