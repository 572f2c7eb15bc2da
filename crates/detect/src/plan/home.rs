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
        // Thousands of rules name the same few sets.
        let mut named: BTreeMap<&AddressSet, usize> = BTreeMap::new();
        for set in rules.iter().flat_map(|rule| [&*rule.head.from, &*rule.head.to]) {
            *named.entry(set).or_default() += 1;
        }
        let home = home(&named);
        // For each set whether it has addresses outside, and at home.
        let has: BTreeMap<&AddressSet, [bool; 2]> =
            named.keys().map(|set| (*set, [!set.is_within(&home), set.meets(&home)])).collect();
        let may_be: Vec<[[bool; 2]; 2]> =
            rules.iter().map(|rule| [has[&*rule.head.from], has[&*rule.head.to]]).collect();
        let mut plans = [0, 1].map(|source: usize| {
            [0, 1].map(|destination: usize| {
                Plan::new(rules, buffers, |number| {
                    let ([from, to], either) = (may_be[number], rules[number].head.either);
                    (from[source] && to[destination]) || (either && from[destination] && to[source])
                })
            })
        });
        let mut numbers = 0..;
        plans.iter_mut().flatten().for_each(|plan| plan.number(&mut numbers));
        Plans { home, plans }
    }

    /// Whether these two are at home.
    pub(crate) fn at_home(&self, source: IpAddr, destination: IpAddr) -> [bool; 2] {
        [self.home.contains(source), self.home.contains(destination)]
    }

    /// The plan for what goes from a source to a destination that are at home or not. All that goes one way in a flow has the same.
    pub(crate) fn between(&self, [source, destination]: [bool; 2]) -> &Plan {
        &self.plans[usize::from(source)][usize::from(destination)]
    }
}

/// The set that most rules name as one of their ends, without those that were written as what they are not; all addresses if there is none.
fn home(named: &BTreeMap<&AddressSet, usize>) -> AddressSet {
    let plain = named.iter().filter(|(set, _)| !set.is_any() && !set.has_negation());
    let most = plain.max_by_key(|(set, count)| (**count, std::cmp::Reverse(**set)));
    most.map_or_else(AddressSet::any, |most| (*most.0).clone())
}
