//! Sets of addresses: `10.0.0.1`, `10.0.0.0/8`, `10.0.0.1-10.0.0.9`, IPv6 the same, lists, negations, variables.

use super::Variables;
use crate::Complaint;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Lists within lists at most.
const NESTING_MAX: usize = 64;

/// A set of addresses of both kinds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AddressSet {
    /// Disjoint and ascending, both ends included.
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
    has_negation: bool,
}

impl AddressSet {
    /// All addresses.
    #[must_use]
    pub fn any() -> Self {
        AddressSet { v4: vec![(0, u32::MAX)], v6: vec![(0, u128::MAX)], has_negation: false }
    }

    /// Whether all addresses are in it.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.v4 == [(0, u32::MAX)] && self.v6 == [(0, u128::MAX)]
    }

    /// Whether it was written with a negation.
    #[must_use]
    pub fn has_negation(&self) -> bool {
        self.has_negation
    }

    /// Whether `address` is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => within(&self.v4, u32::from(address)),
            IpAddr::V6(address) => within(&self.v6, u128::from(address)),
        }
    }

    /// Whether an address is in both.
    #[must_use]
    pub fn meets(&self, other: &AddressSet) -> bool {
        meet(&self.v4, &other.v4) || meet(&self.v6, &other.v6)
    }

    /// Whether each of its addresses is in `other`.
    #[must_use]
    pub fn is_within(&self, other: &AddressSet) -> bool {
        subtract(self.v4.clone(), &other.v4).is_empty() && subtract(self.v6.clone(), &other.v6).is_empty()
    }

    /// The IPv4 ranges.
    #[must_use]
    pub fn v4(&self) -> &[(u32, u32)] {
        &self.v4
    }

    /// The IPv6 ranges.
    #[must_use]
    pub fn v6(&self) -> &[(u128, u128)] {
        &self.v6
    }

    /// Reads a set.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn parse(text: &str, variables: &Variables) -> Result<AddressSet, Complaint> {
        let (yes, no) = list(text, variables, NESTING_MAX)?;
        let has_negation = !no.v4.is_empty() || !no.v6.is_empty();
        let yes = if yes.v4.is_empty() && yes.v6.is_empty() { Both::all() } else { yes };
        let set = AddressSet {
            v4: subtract(merged(yes.v4), &merged(no.v4)),
            v6: subtract(merged(yes.v6), &merged(no.v6)),
            has_negation,
        };
        if set.v4.is_empty() && set.v6.is_empty() {
            return Err(Complaint::new(format!("no address is left in '{text}'")));
        }
        Ok(set)
    }
}

fn within<T: Copy + Ord>(ranges: &[(T, T)], value: T) -> bool {
    let after = ranges.partition_point(|range| range.0 <= value);
    after > 0 && ranges[after - 1].1 >= value
}

fn meet<T: Copy + Ord>(ones: &[(T, T)], others: &[(T, T)]) -> bool {
    ones.iter().any(|one| {
        let after = others.partition_point(|other| other.0 <= one.1);
        after > 0 && others[after - 1].1 >= one.0
    })
}

/// Ranges of both kinds, in any order.
#[derive(Default)]
struct Both {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl Both {
    fn all() -> Self {
        Both { v4: vec![(0, u32::MAX)], v6: vec![(0, u128::MAX)] }
    }

    fn extend(&mut self, other: Both) {
        self.v4.extend(other.v4);
        self.v6.extend(other.v6);
    }
}

/// The parts of a list, at commas that are in no inner list.
pub(super) fn split(inner: &str) -> Result<Vec<&str>, Complaint> {
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0usize, 0);
    for (at, letter) in inner.char_indices() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.checked_sub(1).ok_or_else(|| Complaint::new("']' without '['"))?,
            ',' if depth == 0 => {
                parts.push(&inner[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err(Complaint::new("a list is not closed: expected ']'"));
    }
    parts.push(&inner[begin..]);
    Ok(parts)
}

fn list(text: &str, variables: &Variables, depth: usize) -> Result<(Both, Both), Complaint> {
    let depth = depth.checked_sub(1).ok_or_else(|| Complaint::lacking("lists are nested too deeply"))?;
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('!') {
        let (yes, no) = list(rest, variables, depth)?;
        return Ok((no, if yes.v4.is_empty() && yes.v6.is_empty() { Both::all() } else { yes }));
    }
    if let Some(name) = text.strip_prefix('$') {
        return list(variables.addresses(name)?, variables, depth);
    }
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner
            .strip_suffix(']')
            .ok_or_else(|| Complaint::new(format!("'{text}': expected ']' at the end")))?;
        let (mut yes, mut no) = (Both::default(), Both::default());
        for part in split(inner)? {
            let (in_part, out_part) = list(part, variables, depth)?;
            yes.extend(in_part);
            no.extend(out_part);
        }
        return Ok((yes, no));
    }
    Ok((range(text)?, Both::default()))
}

fn range(text: &str) -> Result<Both, Complaint> {
    let wrong = || {
        Complaint::new(format!(
            "'{text}' is no address: expected one like 10.0.0.1, 10.0.0.0/8 or 10.0.0.1-10.0.0.9"
        ))
    };
    if text.eq_ignore_ascii_case("any") {
        return Ok(Both::all());
    }
    if let Some((address, bits)) = text.split_once('/') {
        return match address.trim().parse().map_err(|_| wrong())? {
            IpAddr::V4(address) => {
                Ok(Both { v4: vec![network4(address, bits).ok_or_else(wrong)?], v6: Vec::new() })
            }
            IpAddr::V6(address) => {
                Ok(Both { v4: Vec::new(), v6: vec![network6(address, bits).ok_or_else(wrong)?] })
            }
        };
    }
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    match (low.trim().parse().map_err(|_| wrong())?, high.trim().parse().map_err(|_| wrong())?) {
        (IpAddr::V4(low), IpAddr::V4(high)) if low <= high => {
            Ok(Both { v4: vec![(low.into(), high.into())], v6: Vec::new() })
        }
        (IpAddr::V6(low), IpAddr::V6(high)) if low <= high => {
            Ok(Both { v4: Vec::new(), v6: vec![(low.into(), high.into())] })
        }
        _ => Err(wrong()),
    }
}

fn network4(address: Ipv4Addr, bits: &str) -> Option<(u32, u32)> {
    let mask = match bits.trim().parse::<Ipv4Addr>() {
        Ok(mask) => u32::from(mask),
        Err(_) => match bits.trim().parse::<u32>().ok()? {
            0 => 0,
            bits @ 1..=32 => u32::MAX << (32 - bits),
            _ => return None,
        },
    };
    let low = u32::from(address) & mask;
    Some((low, low | !mask))
}

fn network6(address: Ipv6Addr, bits: &str) -> Option<(u128, u128)> {
    let mask = match bits.trim().parse::<u32>().ok()? {
        0 => 0,
        bits @ 1..=128 => u128::MAX << (128 - bits),
        _ => return None,
    };
    let low = u128::from(address) & mask;
    Some((low, low | !mask))
}

/// What the two kinds of address have in common: numbers with neighbours.
trait Step: Copy + Ord {
    fn next(self) -> Option<Self>;
    fn previous(self) -> Option<Self>;
}

impl Step for u32 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn previous(self) -> Option<Self> {
        self.checked_sub(1)
    }
}

impl Step for u128 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn previous(self) -> Option<Self> {
        self.checked_sub(1)
    }
}

fn merged<T: Step>(mut ranges: Vec<(T, T)>) -> Vec<(T, T)> {
    ranges.sort_unstable();
    let mut merged: Vec<(T, T)> = Vec::new();
    for (low, high) in ranges {
        match merged.last_mut() {
            Some(last) if last.1.next().is_none_or(|next| low <= next) => last.1 = last.1.max(high),
            _ => merged.push((low, high)),
        }
    }
    merged
}

/// `ranges` without `holes`; both merged, so that one pass over both does.
fn subtract<T: Step>(ranges: Vec<(T, T)>, mut holes: &[(T, T)]) -> Vec<(T, T)> {
    let mut left = Vec::new();
    for (low, high) in ranges {
        // What ends before this range ends before all that follow.
        while let [hole, later @ ..] = holes
            && hole.1 < low
        {
            holes = later;
        }
        let mut rest = Some(low);
        for hole in holes.iter().take_while(|hole| hole.0 <= high) {
            let Some(begin) = rest else { break };
            if let Some(before) = hole.0.previous().filter(|before| *before >= begin && hole.0 > begin) {
                left.push((begin, before));
            }
            rest = hole.1.next();
        }
        if let Some(begin) = rest.filter(|begin| *begin <= high) {
            left.push((begin, high));
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> AddressSet {
        AddressSet::parse(text, &Variables::default()).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    fn has(text: &str, address: &str) -> bool {
        set(text).contains(address.parse().unwrap_or_else(|_| panic!("{address}")))
    }

    #[test]
    fn networks_ranges_lists_and_negations_are_read() {
        assert!(set("any").is_any());
        assert!(has("10.0.0.0/8", "10.255.0.1") && !has("10.0.0.0/8", "11.0.0.1"));
        assert!(has("10.0.0.1-10.0.0.3", "10.0.0.3") && !has("10.0.0.1-10.0.0.3", "10.0.0.4"));
        assert!(has("[10.0.0.0/24, !10.0.0.5]", "10.0.0.6") && !has("[10.0.0.0/24, !10.0.0.5]", "10.0.0.5"));
        assert!(has("!10.0.0.5", "::1") && !has("!10.0.0.5", "10.0.0.5"));
        assert!(has("fe80::/10", "fe80::1") && !has("fe80::/10", "::1"));
        assert!(has("$HOME_NET", "192.168.3.4") && !has("$EXTERNAL_NET", "192.168.3.4"));
        assert!(has("![10.0.0.1,10.0.0.3]", "10.0.0.2"));
        assert!(has("0.0.0.0/0", "255.255.255.255") && !has("0.0.0.0/0", "::1"));
    }

    #[test]
    fn sets_meet_or_lie_within_each_other() {
        let home = set("$HOME_NET");
        assert!(set("10.1.0.0/16").is_within(&home) && home.is_within(&home) && home.meets(&home));
        assert!(!set("[10.0.0.1,11.0.0.1]").is_within(&home) && set("[10.0.0.1,11.0.0.1]").meets(&home));
        assert!(!set("$EXTERNAL_NET").meets(&home) && !home.meets(&set("$EXTERNAL_NET")));
        assert!(set("any").meets(&home) && !set("any").is_within(&home) && home.is_within(&set("any")));
        assert!(!set("[10.0.0.0/8,::1]").is_within(&home) && set("[11.0.0.0/8,::1]").meets(&set("any")));
        assert!(set("9.255.255.255-10.0.0.0").meets(&home) && !set("9.0.0.0-9.255.255.255").meets(&home));
    }

    #[test]
    fn many_scattered_addresses_without_as_many_others_are_what_is_left() {
        let count: u32 = 100_000;
        let address = |number: u32| Ipv4Addr::from(0x0b00_0000 + number * 3);
        let mut text = String::from("[");
        for number in 0..count {
            text.push_str(&format!("{},", address(number)));
            if number % 2 == 1 {
                text.push_str(&format!("!{},", address(number)));
            }
        }
        text.push_str("!10.0.0.0/8]");
        let set = set(&text);
        assert_eq!(set.v4().len(), count as usize / 2);
        assert!(set.contains(address(0).into()) && !set.contains(address(1).into()));
        assert!(set.contains(address(count - 2).into()) && !set.contains(address(count - 1).into()));
        assert!(set.is_within(&set) && set.v6().is_empty());
    }

    #[test]
    fn holes_are_cut_out_wherever_they_lie() {
        let ranges = vec![(0u32, 9), (20, 29), (40, u32::MAX)];
        let holes = [(3, 4), (8, 22), (25, 25), (29, 50), (u32::MAX, u32::MAX)];
        assert_eq!(
            subtract(ranges.clone(), &holes),
            [(0, 2), (5, 7), (23, 24), (26, 28), (51, u32::MAX - 1)]
        );
        assert_eq!(subtract(ranges.clone(), &[(0, u32::MAX)]), []);
        assert_eq!(subtract(ranges.clone(), &[(10, 19), (30, 39)]), ranges);
        assert_eq!(subtract(ranges.clone(), &[]), ranges);
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for text in
            ["", "10.0.0", "10.0.0.0/33", "10.0.0.9-10.0.0.1", "[10.0.0.1", "$NONE", "!any", "10.0.0.1]", "x"]
        {
            assert!(AddressSet::parse(text, &Variables::default()).is_err(), "{text}");
        }
    }
}
