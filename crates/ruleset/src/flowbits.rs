//! Which disabled rules have to be enabled so that flowbits which enabled rules ask about can ever be set.
//!
//! An enabled rule that asks about a bit (`isset`, `isnotset`) needs every rule that changes it (`set`, `setx`, `unset`,
//! `toggle`). Those are enabled, and may ask in their turn; so it goes on until nothing is left to enable. A rule that
//! was enabled for this alone never alerts: it gets the option `noalert`, since whoever disabled it did not want to hear
//! of it.

use crate::report::Needed;
use crate::rule::{BitUse, Rule, RuleId};
use std::collections::{BTreeMap, BTreeSet};

/// Enables what is needed, and tells it in the order in which it was found: by rounds, in each in the order of the
/// rules. `disabled_by` says which line disabled the rule at a place.
pub(crate) fn enable_needed(rules: &mut [Rule], disabled_by: &BTreeMap<usize, usize>) -> Vec<Needed> {
    let mut setters: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| !rule.is_enabled) {
        for bit in bits(rule, BitUse::Sets) {
            setters.entry(bit.clone()).or_default().push(index);
        }
    }
    let mut asked = BTreeSet::new();
    let mut needed = Vec::new();
    let mut askers: Vec<usize> = (0..rules.len()).filter(|index| is_enabled(rules, *index)).collect();
    while !askers.is_empty() {
        // Which rules this round enables, for which bit and whom. The first who asks is told.
        let mut round: BTreeMap<usize, (String, RuleId)> = BTreeMap::new();
        for rule in askers.iter().filter_map(|index| rules.get(*index)) {
            for bit in bits(rule, BitUse::Asks) {
                if !asked.insert(bit.clone()) {
                    continue;
                }
                for setter in setters.get(bit).into_iter().flatten() {
                    round.entry(*setter).or_insert_with(|| (bit.clone(), rule.id));
                }
            }
        }
        askers.clear();
        for (index, (bit, by)) in round {
            let Some(rule) = rules.get_mut(index).filter(|rule| !rule.is_enabled) else { continue };
            rule.is_enabled = true;
            rule.silence();
            needed.push(Needed { id: rule.id, bit, by, disabled_by: disabled_by.get(&index).copied() });
            askers.push(index);
        }
    }
    needed
}

fn is_enabled(rules: &[Rule], index: usize) -> bool {
    rules.get(index).is_some_and(|rule| rule.is_enabled)
}

fn bits(rule: &Rule, how: BitUse) -> impl Iterator<Item = &String> {
    rule.bits.iter().filter(move |(found, _)| *found == how).map(|(_, bit)| bit)
}
