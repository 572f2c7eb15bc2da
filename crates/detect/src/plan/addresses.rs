//! Rules on addresses alone, found by address: there can be thousands of them, each with thousands of networks.
//!
//! All IPv4 ranges that rules name part the address space into stretches; each stretch knows the rules that are found there. IPv6 ranges are few and asked one by one.

use crate::rule::compiled::Rule;
use core::net::IpAddr;
use std::collections::BTreeMap;

/// Stretches of IPv4 addresses with the rules that are found there.
#[derive(Clone, Default, Debug)]
struct Stretches {
    /// Where each begins, ascending, the first at 0.
    begins: Vec<u32>,
    /// The rules of stretch `n` are `rules[starts[n]..starts[n + 1]]`.
    starts: Vec<u32>,
    rules: Vec<u32>,
}

impl Stretches {
    fn new(ranges: &[(u32, u32, u32)]) -> Self {
        let mut changes: BTreeMap<u32, (Vec<u32>, Vec<u32>)> = BTreeMap::new();
        changes.entry(0).or_default();
        for (low, high, rule) in ranges {
            changes.entry(*low).or_default().0.push(*rule);
            if let Some(after) = high.checked_add(1) {
                changes.entry(after).or_default().1.push(*rule);
            }
        }
        let mut stretches = Stretches { begins: Vec::new(), starts: vec![0], rules: Vec::new() };
        let mut open: BTreeMap<u32, u32> = BTreeMap::new();
        for (begin, (opened, closed)) in changes {
            for rule in closed {
                if let Some(count) = open.get_mut(&rule) {
                    *count -= 1;
                    if *count == 0 {
                        open.remove(&rule);
                    }
                }
            }
            for rule in opened {
                *open.entry(rule).or_default() += 1;
            }
            stretches.begins.push(begin);
            stretches.rules.extend(open.keys());
            stretches.starts.push(stretches.rules.len() as u32);
        }
        stretches
    }

    fn find(&self, address: u32, found: &mut Vec<u32>) {
        let Some(at) = self.begins.partition_point(|begin| *begin <= address).checked_sub(1) else { return };
        let (from, until) = (self.starts[at] as usize, self.starts[at + 1] as usize);
        found.extend_from_slice(&self.rules[from..until]);
    }
}

/// Rules on addresses alone.
#[derive(Clone, Default, Debug)]
pub(crate) struct Addresses {
    sources: Stretches,
    destinations: Stretches,
    /// Asked of each IPv6 address.
    v6: Vec<u32>,
    /// Asked of all.
    always: Vec<u32>,
}

impl Addresses {
    pub(crate) fn new(rules: &[Rule], numbers: &[u32]) -> Self {
        let (mut sources, mut destinations) = (Vec::new(), Vec::new());
        let mut addresses = Addresses::default();
        for number in numbers {
            let Some(rule) = rules.get(*number as usize) else { continue };
            let (from, to) = (&rule.head.from, &rule.head.to);
            if rule.head.either || (from.is_any() && to.is_any()) {
                addresses.always.push(*number);
            } else if from.is_any() {
                destinations.extend(to.v4().iter().map(|range| (range.0, range.1, *number)));
                addresses.v6.push(*number);
            } else {
                sources.extend(from.v4().iter().map(|range| (range.0, range.1, *number)));
                addresses.v6.push(*number);
            }
        }
        addresses.sources = Stretches::new(&sources);
        addresses.destinations = Stretches::new(&destinations);
        addresses
    }

    pub(crate) fn is_empty(&self) -> bool {
        // Whatever is not asked of all is asked of IPv6.
        self.always.is_empty() && self.v6.is_empty()
    }

    /// Adds the rules that may hold between these two.
    pub(crate) fn find(&self, source: IpAddr, destination: IpAddr, found: &mut Vec<u32>) {
        found.extend_from_slice(&self.always);
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                self.sources.find(source.into(), found);
                self.destinations.find(destination.into(), found);
            }
            _ => found.extend_from_slice(&self.v6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Stretches;

    #[test]
    fn a_stretch_knows_all_rules_that_cover_it() {
        let stretches = Stretches::new(&[(10, 20, 1), (15, 30, 2), (15, 15, 1), (40, u32::MAX, 3)]);
        let find = |address| {
            let mut found = Vec::new();
            stretches.find(address, &mut found);
            found
        };
        assert_eq!(find(9), [0; 0]);
        assert_eq!(find(10), [1]);
        assert_eq!(find(15), [1, 2]);
        assert_eq!(find(20), [1, 2]);
        assert_eq!(find(21), [2]);
        assert_eq!(find(31), [0; 0]);
        assert_eq!(find(u32::MAX), [3]);
    }
}
