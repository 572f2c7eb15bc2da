//! The lines of all lists of one kind, so that few of them have to be tried on a rule.
//!
//! A list of thousands of sids is usual; so lines that name their rules are looked up by the name, and the others are
//! tried one by one. Which are tried comes in the order of the lists and lines, as if all had been.

use crate::list::{Kind, Line, List};
use crate::matcher::Matcher;
use crate::rule::RuleId;
use std::collections::BTreeMap;

/// A line, and its place among the lines of all lists.
#[derive(Clone, Copy)]
pub(crate) struct Planned<'a> {
    pub(crate) line: &'a Line,
    pub(crate) place: usize,
}

/// The lines of one kind.
pub(crate) struct Plan<'a> {
    lines: Vec<Planned<'a>>,
    by_id: BTreeMap<RuleId, Vec<usize>>,
    others: Vec<usize>,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(kind: Kind, lists: &'a [List]) -> Plan<'a> {
        let mut plan = Plan { lines: Vec::new(), by_id: BTreeMap::new(), others: Vec::new() };
        let all = lists.iter().flat_map(|list| list.lines.iter().map(move |line| (list.kind, line)));
        for (place, (_, line)) in all.enumerate().filter(|(_, (found, _))| *found == kind) {
            let index = plan.lines.len();
            plan.lines.push(Planned { line, place });
            match &line.matcher {
                Matcher::Ids(ids) => {
                    for (id, _) in ids {
                        let lines = plan.by_id.entry(*id).or_default();
                        // A line that names a rule twice means it once.
                        if lines.last() != Some(&index) {
                            lines.push(index);
                        }
                    }
                }
                _ => plan.others.push(index),
            }
        }
        plan
    }

    /// The lines that may mean a rule.
    pub(crate) fn candidates(&self, id: RuleId) -> impl Iterator<Item = Planned<'a>> {
        let mut indices = self.others.clone();
        indices.extend(self.by_id.get(&id).into_iter().flatten());
        indices.sort_unstable();
        indices.into_iter().filter_map(|index| self.lines.get(index).copied())
    }
}
