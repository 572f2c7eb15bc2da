//! Lists of values that rules ask about: `dataset` and `datarep`.
//!
//! A list is read once, from text that the caller hands in, and may be changed by rules (`dataset:set`). One that no rule changes is asked on the spot; one that
//! rules change is asked later, in the order of frames (`late`), so that the answer does not depend on how work was shared out.

use crate::{Complaint, NumberTest};
use core::net::IpAddr;
use std::collections::BTreeMap;

/// Lists at most.
const LISTS_MAX: usize = 65_536;
/// Values of one list at most; later ones are not added, and counted.
const VALUES_MAX: usize = 4 << 20;
/// Bytes of one value at most.
const VALUE_BYTES_MAX: usize = 64 << 10;

/// What values are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Any bytes; base64 in files.
    Text,
    /// 16 bytes; hexadecimal in files.
    Md5,
    /// 32 bytes; hexadecimal in files.
    Sha256,
    /// An IPv4 address.
    Ipv4,
    /// An address of either kind.
    Ip,
}

impl Kind {
    /// The kind of this name.
    pub(crate) fn named(name: &str) -> Option<Kind> {
        match name {
            "string" => Some(Kind::Text),
            "md5" => Some(Kind::Md5),
            "sha256" => Some(Kind::Sha256),
            "ipv4" => Some(Kind::Ipv4),
            "ipv6" | "ip" => Some(Kind::Ip),
            _ => None,
        }
    }

    /// Reads a value as it stands in a file.
    fn read(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Kind::Text => crate::inspect::base64::strictly(text.as_bytes()),
            Kind::Md5 => hex(text, 16),
            Kind::Sha256 => hex(text, 32),
            Kind::Ipv4 => match text.parse().ok()? {
                IpAddr::V4(address) => Some(address.octets().to_vec()),
                IpAddr::V6(_) => None,
            },
            Kind::Ip => match text.parse().ok()? {
                IpAddr::V4(address) => Some(address.to_ipv6_mapped().octets().to_vec()),
                IpAddr::V6(address) => Some(address.octets().to_vec()),
            },
        }
    }

    /// A buffer's bytes as a value, if they can be one.
    fn value(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let fits = match self {
            Kind::Text => !bytes.is_empty() && bytes.len() <= VALUE_BYTES_MAX,
            Kind::Md5 => bytes.len() == 16,
            Kind::Sha256 => bytes.len() == 32,
            Kind::Ipv4 => bytes.len() == 4,
            Kind::Ip => {
                return match bytes.len() {
                    4 => {
                        let octets: [u8; 4] = bytes.try_into().ok()?;
                        Some(IpAddr::from(octets)).and_then(|address| match address {
                            IpAddr::V4(address) => Some(address.to_ipv6_mapped().octets().to_vec()),
                            IpAddr::V6(_) => None,
                        })
                    }
                    16 => Some(bytes.to_vec()),
                    _ => None,
                };
            }
        };
        fits.then(|| bytes.to_vec())
    }
}

fn hex(text: &str, length: usize) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() == 2 * length)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// What a rule asks of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ask {
    /// The value is in it.
    IsSet,
    /// It is not.
    IsNotSet,
    /// Put it in; true if it was not.
    Set,
    /// Take it out; true if it was in.
    Unset,
    /// It is in, with such a reputation.
    Reputation(NumberTest),
}

impl Ask {
    fn changes(self) -> bool {
        matches!(self, Ask::Set | Ask::Unset)
    }
}

/// One list.
#[derive(Clone, Debug)]
struct List {
    name: String,
    kind: Kind,
    values: BTreeMap<Vec<u8>, u16>,
    is_changed: bool,
}

/// What a list holds at first, as it is written in a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text<'a> {
    /// One value a line.
    Lines(&'a str),
    /// The same, with a number behind a comma.
    Reputations(&'a str),
    /// JSON: a list of objects (or one object a line), each with its value under `value_key`; keys within keys are parted by dots. The list may stand under `array_key`.
    Json { text: &'a str, by_line: bool, array_key: &'a str, value_key: &'a str },
}

impl Kind {
    /// Reads a value as JSON has it: text is itself.
    fn read_json(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Kind::Text => Some(text.as_bytes().to_vec()),
            kind => kind.read(text),
        }
    }
}

/// What stands under a key in a JSON value; keys within keys are parted by dots.
fn under<'a>(value: &'a serde_json::Value, key: &str) -> Option<&'a serde_json::Value> {
    key.split('.').filter(|part| !part.is_empty()).try_fold(value, |value, part| value.get(part))
}

/// The values of a list that is written as JSON.
fn json_values(
    kind: Kind,
    text: &str,
    by_line: bool,
    array_key: &str,
    value_key: &str,
) -> Result<Vec<Vec<u8>>, String> {
    let parse = |text: &str| {
        serde_json::from_str::<serde_json::Value>(text).map_err(|error| format!("no JSON: {error}"))
    };
    let entries: Vec<serde_json::Value> = if by_line {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(parse).collect::<Result<_, _>>()?
    } else {
        match under(&parse(text)?, array_key) {
            Some(serde_json::Value::Array(entries)) => entries.clone(),
            _ => return Err(format!("no list of objects under '{array_key}'")),
        }
    };
    entries
        .iter()
        .map(|entry| {
            let value = under(entry, value_key).and_then(serde_json::Value::as_str);
            value
                .and_then(|value| kind.read_json(value))
                .ok_or_else(|| format!("no value of its type under '{value_key}'"))
        })
        .collect()
}

/// All lists of a rule set.
#[derive(Clone, Default, Debug)]
pub(crate) struct Lists {
    lists: Vec<List>,
    refused: u64,
}

impl Lists {
    /// The number of the list called `name`, made if there is none; `text` is what it holds at first, one value a line.
    ///
    /// # Errors
    ///
    /// The list exists with another kind, or its text is wrong.
    pub(crate) fn open(&mut self, name: &str, kind: Kind, text: Option<Text<'_>>) -> Result<u32, Complaint> {
        let place = self.lists.iter().position(|list| list.name == name);
        let place = match place {
            Some(place) if self.lists[place].kind == kind => place,
            Some(_) => {
                return Err(Complaint::new(format!("the list '{name}' exists with values of another type")));
            }
            None => {
                if self.lists.len() >= LISTS_MAX {
                    return Err(Complaint::lacking(format!("there are more than {LISTS_MAX} lists")));
                }
                self.lists.push(List {
                    name: name.to_owned(),
                    kind,
                    values: BTreeMap::new(),
                    is_changed: false,
                });
                self.lists.len() - 1
            }
        };
        let whole = text;
        let list = &mut self.lists[place];
        if let Some(Text::Json { text, by_line, array_key, value_key }) = text {
            let values = json_values(kind, text, by_line, array_key, value_key)
                .map_err(|words| Complaint::lacking(format!("list '{name}': {words}")))?;
            list.values.extend(values.into_iter().map(|value| (value, 0)));
        }
        if let Some(Text::Lines(text) | Text::Reputations(text)) = text {
            let has_reputation = matches!(whole, Some(Text::Reputations(_)));
            for (index, line) in text.lines().enumerate() {
                let line = line.trim();
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let wrong = || {
                    Complaint::lacking(format!(
                        "list '{name}', line {}: '{line}' is no value of its type",
                        index + 1
                    ))
                };
                let (value, reputation) = match line.rsplit_once(',') {
                    Some((value, number)) if has_reputation => {
                        (value, number.trim().parse().map_err(|_| wrong())?)
                    }
                    _ if has_reputation => return Err(wrong()),
                    Some((value, _)) => (value, 0),
                    None => (line, 0),
                };
                list.values.insert(kind.read(value.trim()).ok_or_else(wrong)?, reputation);
                if list.values.len() > VALUES_MAX {
                    return Err(Complaint::lacking(format!(
                        "list '{name}' has more than {VALUES_MAX} values"
                    )));
                }
            }
        }
        u32::try_from(place).map_err(|_| Complaint::lacking("too many lists"))
    }

    /// What the values of the list called `name` are, if there is one.
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        self.lists.iter().find(|list| list.name == name).map(|list| list.kind)
    }

    /// A rule will ask this.
    pub(crate) fn expect(&mut self, list: u32, ask: Ask) {
        if let Some(list) = self.lists.get_mut(list as usize) {
            list.is_changed |= ask.changes();
        }
    }

    /// Whether rules change it.
    pub(crate) fn is_changed(&self, list: u32) -> bool {
        self.lists.get(list as usize).is_some_and(|list| list.is_changed)
    }

    /// The answer, or nothing if rules change the list: then it is asked later.
    pub(crate) fn ask(&self, list: u32, ask: &Ask, bytes: &[u8]) -> Option<bool> {
        let list = self.lists.get(list as usize)?;
        if list.is_changed {
            return None;
        }
        Some(list.answer(*ask, bytes))
    }

    /// The answer, and the change that was asked for. In the order of frames.
    pub(crate) fn ask_late(&mut self, list: u32, ask: &Ask, bytes: &[u8]) -> bool {
        let Some(list) = self.lists.get_mut(list as usize) else { return false };
        let Some(value) = list.kind.value(bytes) else { return false };
        match ask {
            Ask::Set if list.values.len() >= VALUES_MAX && !list.values.contains_key(&value) => {
                self.refused += 1;
                false
            }
            Ask::Set => list.values.insert(value, 0).is_none(),
            Ask::Unset => list.values.remove(&value).is_some(),
            ask => list.answer(*ask, bytes),
        }
    }

    /// Values that were not added since the list was full.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }
}

impl List {
    fn answer(&self, ask: Ask, bytes: &[u8]) -> bool {
        let Some(value) = self.kind.value(bytes) else { return false };
        let found = self.values.get(&value);
        match ask {
            Ask::IsSet => found.is_some(),
            Ask::IsNotSet => found.is_none(),
            Ask::Reputation(test) => found.is_some_and(|reputation| test.holds(u64::from(*reputation))),
            Ask::Set | Ask::Unset => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_no_rule_changes_is_asked_on_the_spot() {
        let mut lists = Lists::default();
        let list = lists
            .open("a", Kind::Text, Some(Text::Lines("YWJj\n\nZGVm\n")))
            .unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(lists.ask(list, &Ask::IsSet, b"abc"), Some(true));
        assert_eq!(lists.ask(list, &Ask::IsNotSet, b"def"), Some(false));
        assert_eq!(lists.ask(list, &Ask::IsSet, b"x"), Some(false));
    }

    #[test]
    fn a_list_that_rules_change_is_asked_in_the_order_of_frames() {
        let mut lists = Lists::default();
        let list = lists.open("a", Kind::Ipv4, None).unwrap_or_else(|error| panic!("{error:?}"));
        lists.expect(list, Ask::Set);
        assert_eq!(lists.ask(list, &Ask::IsSet, &[1, 2, 3, 4]), None);
        assert!(lists.ask_late(list, &Ask::Set, &[1, 2, 3, 4]));
        assert!(!lists.ask_late(list, &Ask::Set, &[1, 2, 3, 4]));
        assert!(lists.ask_late(list, &Ask::IsSet, &[1, 2, 3, 4]));
        assert!(lists.ask_late(list, &Ask::Unset, &[1, 2, 3, 4]));
        assert!(!lists.ask_late(list, &Ask::IsSet, &[1, 2, 3, 4]));
    }

    #[test]
    fn a_value_of_another_type_is_told_with_its_line() {
        let mut lists = Lists::default();
        let error =
            lists.open("a", Kind::Md5, Some(Text::Lines("00112233445566778899aabbccddeeff\nxyz"))).err();
        assert!(error.is_some_and(|error| error.0.contains("line 2")));
    }

    #[test]
    fn a_reputation_is_compared() {
        let mut lists = Lists::default();
        let list = lists
            .open("a", Kind::Text, Some(Text::Reputations("YWJj,7")))
            .unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(lists.ask(list, &Ask::Reputation(NumberTest::More(6)), b"abc"), Some(true));
        assert_eq!(lists.ask(list, &Ask::Reputation(NumberTest::More(7)), b"abc"), Some(false));
    }
}
