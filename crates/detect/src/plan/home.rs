//! The addresses that most rules tell apart from all others, as `$HOME_NET` mostly is.
//!
//! Nearly every rule is about somebody at home and somebody outside, so few can hold between two at home, or two outside. Each of the four
//! cases has a [`Plan`] of its own, with the rules that may hold in it.

use super::Plan;
use crate::inspect::transform::Transform;
use crate::rule::AddressSet;
use crate::rule::compiled::{BufferKey, Rule};
use core::net::IpAddr;
use std::collections::BTreeMap;

/// A plan for each case: whether the source is at home, whether the destination is.
#[derive(Clone, Debug)]
pub(crate) struct Plans {
    home: AddressSet,
    plans: [[Plan; 2]; 2],
}

impl Plans {
    pub(crate) fn new(rules: &[Rule], buffers: &[(BufferKey, Vec<Transform>)]) -> Self {
        let home = home(rules);
        // For each rule whether its source may be outside and may be at home, and the same for its destination.
        let may_be: Vec<[[bool; 2]; 2]> = rules
            .iter()
            .map(|rule| [&rule.head.from, &rule.head.to].map(|set| [!set.is_within(&home), set.meets(&home)]))
            .collect();
        let plans = [0, 1].map(|source: usize| {
            [0, 1].map(|destination: usize| {
                Plan::new(rules, buffers, |number| {
                    let ([from, to], either) = (may_be[number], rules[number].head.either);
                    (from[source] && to[destination]) || (either && from[destination] && to[source])
                })
            })
        });
        Plans { home, plans }
    }

    /// The plan for what goes from `source` to `destination`. All that goes one way in a flow has the same.
    pub(crate) fn between(&self, source: IpAddr, destination: IpAddr) -> &Plan {
        let [source, destination] = [source, destination].map(|end| usize::from(self.home.contains(end)));
        &self.plans[source][destination]
    }
}

/// The set that most rules name as one of their ends, without those that were written as what they are not; all addresses if there is none.
fn home(rules: &[Rule]) -> AddressSet {
    let mut named: BTreeMap<&AddressSet, usize> = BTreeMap::new();
    for set in rules.iter().flat_map(|rule| [&*rule.head.from, &*rule.head.to]) {
        if !set.is_any() && !set.has_negation() {
            *named.entry(set).or_default() += 1;
        }
    }
    let most = named.into_iter().max_by_key(|(set, count)| (*count, std::cmp::Reverse(*set)));
    most.map_or_else(AddressSet::any, |most| most.0.clone())
}
