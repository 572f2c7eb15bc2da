//! The options of IPv4: which there are, and whether they are well formed.
//!
//! An option that is not counts as absent; the first of a kind counts. A length that lies makes the whole header
//! unreadable. Not here: what options say.

use super::super::decoder::Unread;
use super::super::{Event, Packet};

const END: u8 = 0;
const NOTHING: u8 = 1;
const RECORD_ROUTE: u8 = 0x07;
const QUICK_START: u8 = 0x19;
const TIMESTAMP: u8 = 0x44;
const SECURITY: u8 = 0x82;
const LOOSE_ROUTE: u8 = 0x83;
const EXTENDED_SECURITY: u8 = 0x85;
const COMMERCIAL_SECURITY: u8 = 0x86;
const STREAM_ID: u8 = 0x88;
const STRICT_ROUTE: u8 = 0x89;
const ROUTER_ALERT: u8 = 0x94;

/// Kinds of options, as a set of bits.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct OptionSet(u16);

impl OptionSet {
    /// Record route.
    pub const RECORD_ROUTE: OptionSet = OptionSet(1);
    /// Quick start.
    pub const QUICK_START: OptionSet = OptionSet(1 << 1);
    /// Time stamps.
    pub const TIMESTAMP: OptionSet = OptionSet(1 << 2);
    /// Security.
    pub const SECURITY: OptionSet = OptionSet(1 << 3);
    /// Loose source route.
    pub const LOOSE_ROUTE: OptionSet = OptionSet(1 << 4);
    /// Extended security.
    pub const EXTENDED_SECURITY: OptionSet = OptionSet(1 << 5);
    /// Commercial security.
    pub const COMMERCIAL_SECURITY: OptionSet = OptionSet(1 << 6);
    /// Stream identifier.
    pub const STREAM_ID: OptionSet = OptionSet(1 << 7);
    /// Strict source route.
    pub const STRICT_ROUTE: OptionSet = OptionSet(1 << 8);
    /// Router alert.
    pub const ROUTER_ALERT: OptionSet = OptionSet(1 << 9);
    /// End of the list.
    pub const END: OptionSet = OptionSet(1 << 10);
    /// No operation.
    pub const NOTHING: OptionSet = OptionSet(1 << 11);

    /// Whether all of `others` are in it.
    #[must_use]
    pub fn has(self, others: OptionSet) -> bool {
        self.0 & others.0 == others.0
    }

    fn add(&mut self, others: OptionSet) {
        self.0 |= others.0;
    }
}

/// Reads the options behind the fixed header.
pub(crate) fn read(packet: &mut Packet<'_>, options: &[u8]) -> Result<OptionSet, Unread> {
    let mut found = OptionSet::default();
    let mut rest = options;
    if !options.len().is_multiple_of(8) {
        packet.odd(Event::Ipv4OptionPadding);
    }
    while let Some((&kind, after)) = rest.split_first() {
        match kind {
            END => {
                found.add(OptionSet::END);
                break;
            }
            NOTHING => {
                found.add(OptionSet::NOTHING);
                rest = after;
            }
            _ => {
                let Some(&length) = after.first() else {
                    packet.odd(Event::Ipv4OptionEnd);
                    break;
                };
                let split = rest.split_at_checked(usize::from(length)).filter(|_| length >= 2);
                let Some((option, after)) = split else {
                    packet.wrong(Event::Ipv4OptionLength);
                    return Err(Unread);
                };
                read_one(packet, &mut found, kind, option);
                rest = after;
            }
        }
    }
    Ok(found)
}

fn read_one(packet: &mut Packet<'_>, found: &mut OptionSet, kind: u8, option: &[u8]) {
    let (bit, fault) = match kind {
        RECORD_ROUTE => (OptionSet::RECORD_ROUTE, route_fault(option)),
        LOOSE_ROUTE => (OptionSet::LOOSE_ROUTE, route_fault(option)),
        STRICT_ROUTE => (OptionSet::STRICT_ROUTE, route_fault(option)),
        TIMESTAMP => (OptionSet::TIMESTAMP, timestamp_fault(option)),
        COMMERCIAL_SECURITY => (OptionSet::COMMERCIAL_SECURITY, commercial_fault(option)),
        QUICK_START => (OptionSet::QUICK_START, length_fault(option.len() >= 8)),
        SECURITY => (OptionSet::SECURITY, length_fault(option.len() >= 3)),
        EXTENDED_SECURITY => (OptionSet::EXTENDED_SECURITY, length_fault(option.len() >= 3)),
        STREAM_ID => (OptionSet::STREAM_ID, length_fault(option.len() == 4)),
        ROUTER_ALERT => (OptionSet::ROUTER_ALERT, length_fault(option.len() == 4)),
        _ => {
            packet.odd(Event::Ipv4OptionInvalid);
            return;
        }
    };
    if found.has(bit) {
        packet.odd(Event::Ipv4OptionTwice);
    } else if let Some(fault) = fault {
        packet.wrong(fault);
    } else {
        found.add(bit);
    }
}

fn length_fault(is_right: bool) -> Option<Event> {
    (!is_right).then_some(Event::Ipv4OptionLength)
}

/// A pointer counts from 1 and stands on the first byte of an address, or just behind the last.
fn route_fault(option: &[u8]) -> Option<Event> {
    let Some(&pointer) = option.get(2) else {
        return Some(Event::Ipv4OptionLength);
    };
    let pointer = usize::from(pointer);
    let is_right = pointer >= 4 && pointer.is_multiple_of(4) && pointer <= option.len() + 1;
    (!is_right).then_some(Event::Ipv4OptionMalformed)
}

/// Records are 4 bytes, or 8 if addresses stand with the times (flags 1 and 3).
fn timestamp_fault(option: &[u8]) -> Option<Event> {
    let [_, _, pointer, flags, _, ..] = option else {
        return Some(Event::Ipv4OptionLength);
    };
    let record = if matches!(flags & 0x0f, 1 | 3) { 8 } else { 4 };
    let pointer = usize::from(*pointer);
    let is_right = pointer >= 5 && (pointer - 5).is_multiple_of(record) && pointer <= option.len() + 1;
    (!is_right).then_some(Event::Ipv4OptionMalformed)
}

/// A domain of 4 bytes, then tags: type, length, and a zero for all but type 7.
fn commercial_fault(option: &[u8]) -> Option<Event> {
    if option.len() < 10 {
        return Some(Event::Ipv4OptionLength);
    }
    let mut tags = option.get(6..).unwrap_or(&[]);
    while !tags.is_empty() {
        let tag = match tags {
            [kind @ (1 | 2 | 5 | 6 | 7), length, ..] if *length >= 4 => tags
                .split_at_checked(usize::from(*length))
                .filter(|(tag, _)| *kind == 7 || tag.get(2) == Some(&0)),
            _ => None,
        };
        match tag {
            Some((_, rest)) => tags = rest,
            None => return Some(Event::Ipv4OptionMalformed),
        }
    }
    None
}
