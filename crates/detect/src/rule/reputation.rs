//! What is known of addresses: `iprep`, with the lists that Suricata reads.
//!
//! The list of categories has lines `number,short name,words`; the other lists have lines `address,category,value` or `network/bits,category,value`,
//! values from 0 to 127. A line that makes no sense is left out and told. Of an address the list says what it says itself; if nothing, what the smallest
//! network says that it lies in.

use crate::{Complaint, NumberTest};
use core::net::IpAddr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Numbers of categories end before this.
const CATEGORIES_MAX: u8 = 60;
/// The highest value.
const VALUE_MAX: u8 = 127;
/// Addresses and networks of all lists; later ones are left out and told.
const ENTRIES_MAX: usize = 1 << 22;

/// A network: its first address and its bits.
type Network = (IpAddr, u8);

/// All lists.
#[derive(Clone, Default, Debug)]
pub struct Reputation {
    categories: BTreeMap<String, u8>,
    /// By category and address: a host is a network of all its bits.
    values: BTreeMap<(u8, Network), u8>,
    /// How long the networks are that there are, the longest first; of IPv4 and of IPv6.
    lengths: [Vec<u8>; 2],
    /// What made no sense: the list's name and its line.
    wrong: Vec<(String, usize)>,
}

impl Reputation {
    /// Reads the list of categories and the others, each with its name.
    #[must_use]
    pub fn read(categories: &str, lists: &[(&str, &str)]) -> Self {
        let mut reputation = Reputation::default();
        for (number, line) in lines(categories) {
            let mut parts = line.splitn(3, ',').map(str::trim);
            let category = parts.next().and_then(|text| text.parse().ok()).filter(|it| *it < CATEGORIES_MAX);
            match (category, parts.next()) {
                (Some(category), Some(name)) if !name.is_empty() => {
                    reputation.categories.insert(name.to_owned(), category);
                }
                _ => reputation.wrong.push(("categories".to_owned(), number)),
            }
        }
        for (name, text) in lists {
            for (number, line) in lines(text) {
                if reputation.add(line).is_none() {
                    reputation.wrong.push(((*name).to_owned(), number));
                }
            }
        }
        reputation
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let mut parts = line.splitn(3, ',').map(str::trim);
        let (place, category, value) = (parts.next()?, parts.next()?, parts.next()?);
        if place == "ip" {
            // The head of a table.
            return Some(());
        }
        let category: u8 = category.parse().ok().filter(|it| *it < CATEGORIES_MAX)?;
        let value: u8 = value.parse().ok().filter(|it| *it <= VALUE_MAX)?;
        let (address, bits) =
            place.split_once('/').map_or((place, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let all = bits_of(address);
        let bits = match bits {
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= all)?,
            None => all,
        };
        if self.values.len() >= ENTRIES_MAX {
            return None;
        }
        self.values.insert((category, (cut(address, bits), bits)), value);
        let lengths = &mut self.lengths[usize::from(address.is_ipv6())];
        if let Err(at) = lengths.binary_search_by(|known| bits.cmp(known)) {
            lengths.insert(at, bits);
        }
        Some(())
    }

    /// Lines that made no sense: the list's name and the number of the line.
    #[must_use]
    pub fn wrong(&self) -> &[(String, usize)] {
        &self.wrong
    }

    fn value(&self, category: u8, address: IpAddr) -> Option<u8> {
        self.lengths[usize::from(address.is_ipv6())]
            .iter()
            .find_map(|bits| self.values.get(&(category, (cut(address, *bits), *bits))).copied())
    }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let counts = |line: &&str| !line.is_empty() && !line.starts_with(['#', ' ', '\t']);
    (1..).zip(text.lines().map(str::trim_end)).filter(move |(_, line)| counts(line))
}

fn bits_of(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The first address of the network of so many bits.
fn cut(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    }
}

/// Which end is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Any,
    Both,
    Source,
    Destination,
}

/// `iprep`.
#[derive(Clone, Debug)]
pub(crate) struct ReputationTest {
    lists: Arc<Reputation>,
    end: End,
    category: u8,
    /// None: there is no value.
    test: Option<NumberTest>,
}

impl ReputationTest {
    /// Reads `src,Category,>,30`, `any,Category,isset`, …
    pub(crate) fn parse(text: &str, lists: &Arc<Reputation>) -> Result<Self, Complaint> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let end = match parts.first().copied().unwrap_or_default() {
            "any" => End::Any,
            "both" => End::Both,
            "src" => End::Source,
            "dst" => End::Destination,
            other => return Err(Complaint::new(format!("'{other}': expected any, both, src or dst"))),
        };
        let name = parts.get(1).copied().unwrap_or_default();
        let category = match lists.categories.get(name) {
            Some(category) if *category > 0 => *category,
            _ => return Err(Complaint::lacking(format!("no list says that there is a category '{name}'"))),
        };
        let test = match parts.get(2..).unwrap_or_default() {
            ["isset"] => Some(NumberTest::AtLeast(0)),
            ["isnotset"] => None,
            [operator @ ("<" | ">" | "=" | "!=" | "<=" | ">="), value]
                if value.bytes().all(|it| it.is_ascii_digit()) =>
            {
                let operator = if *operator == "=" { "" } else { operator };
                Some(NumberTest::parse(&format!("{operator}{value}"), u64::from(u8::MAX), &[])?)
            }
            _ => return Err(Complaint::new("expected an operator and a value, 'isset' or 'isnotset'")),
        };
        Ok(ReputationTest { lists: Arc::clone(lists), end, category, test })
    }

    /// Whether it holds of what goes from `source` to `destination`.
    pub(crate) fn holds(&self, source: IpAddr, destination: IpAddr) -> bool {
        let of = |address| {
            let value = self.lists.value(self.category, address);
            match (&self.test, value) {
                (Some(test), Some(value)) => test.holds(u64::from(value)),
                (None, None) => true,
                _ => false,
            }
        };
        match self.end {
            End::Any => of(source) || of(destination),
            End::Both => of(source) && of(destination),
            End::Source => of(source),
            End::Destination => of(destination),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists() -> Arc<Reputation> {
        let list = "ip,category,value\n10.1.1.1,1,90\n10.1.0.0/16,1,20\n10.0.0.0/8,2,7\n2001:db8::/32,1,50\n# no\n\nx,1,2\n10.0.0.1,1,128\n";
        Arc::new(Reputation::read("1,Scanners,words, and more\n2,Guests,x\n99,Much,x\n", &[("a.list", list)]))
    }

    fn holds(text: &str, source: &str, destination: &str) -> bool {
        let test = ReputationTest::parse(text, &lists()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let address = |text: &str| text.parse().unwrap_or_else(|_| panic!("{text}"));
        test.holds(address(source), address(destination))
    }

    #[test]
    fn the_smallest_network_says_what_an_address_is() {
        assert!(holds("src,Scanners,>,80", "10.1.1.1", "1.1.1.1"));
        assert!(holds("src,Scanners,=,20", "10.1.1.2", "1.1.1.1"));
        assert!(!holds("src,Scanners,>,0", "10.2.1.2", "1.1.1.1"));
        assert!(holds("dst,Guests,<=,7", "1.1.1.1", "10.2.1.2"));
        assert!(holds("any,Scanners,=,50", "1.1.1.1", "2001:db8::7"));
    }

    #[test]
    fn both_and_any_and_what_is_not_set() {
        assert!(holds("both,Scanners,>=,20", "10.1.1.1", "10.1.9.9"));
        assert!(!holds("both,Scanners,>=,21", "10.1.1.1", "10.1.9.9"));
        assert!(holds("any,Scanners,isset", "1.1.1.1", "10.1.9.9"));
        assert!(holds("src,Scanners,isnotset", "1.1.1.1", "10.1.9.9"));
        assert!(!holds("both,Scanners,isnotset", "1.1.1.1", "10.1.9.9"));
    }

    #[test]
    fn lines_without_sense_are_left_out_and_told() {
        let lists = lists();
        assert_eq!(
            lists.wrong(),
            [("categories".to_owned(), 3), ("a.list".to_owned(), 8), ("a.list".to_owned(), 9)]
        );
    }

    #[test]
    fn a_category_that_no_list_has_refuses_the_rule() {
        for text in [
            "src,Nobody,>,1",
            "src,Scanners,>,x",
            "src,Scanners,>,256",
            "left,Scanners,>,1",
            "src,Scanners",
            "",
        ] {
            assert!(ReputationTest::parse(text, &lists()).is_err(), "{text}");
        }
    }
}
