//! Payloads of version 2 (RFC 7296).
//!
//! Proposals are weighed: weak, missing and unknown algorithms are told. If one payload makes no sense, none of the
//! message counts.

use super::{
    INVALID_PROPOSAL, NO_AUTH, NO_DH, NO_ENCRYPTION, UNKNOWN_PROPOSAL, WEAK_AUTH, WEAK_DH, WEAK_ENCRYPTION,
    WEAK_PRF,
};
use crate::app::bytes::Reader;

const SECURITY_ASSOCIATION: u8 = 33;
const AUTHENTICATION: u8 = 39;
const NOTIFY: u8 = 41;
const DELETE: u8 = 42;
const VENDOR: u8 = 43;
/// The protocol whose packets are signed and not encrypted.
const AUTHENTICATION_HEADER: u8 = 2;
/// Payloads of one message at most; one with more makes no sense.
const PAYLOADS_MAX: usize = 256;
/// Transforms of one message that are kept at most.
const TRANSFORMS_MAX: usize = 256;

const ENCRYPTION: u8 = 1;
const PRF: u8 = 2;
const INTEGRITY: u8 = 3;
const DH_GROUP: u8 = 4;
const SEQUENCE_NUMBERS: u8 = 5;

/// An algorithm that is proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transform {
    pub(super) kind: u8,
    pub(super) id: u16,
}

impl Transform {
    /// Its place among the algorithms that are agreed on.
    pub(super) fn place(self) -> Option<usize> {
        match self.kind {
            ENCRYPTION => Some(0),
            INTEGRITY => Some(1),
            PRF => Some(2),
            DH_GROUP => Some(3),
            SEQUENCE_NUMBERS => Some(4),
            _ => None,
        }
    }

    /// Whether it encrypts and signs in one.
    fn signs(self) -> bool {
        self.kind == ENCRYPTION && matches!(self.id, 14..=16 | 18..=20 | 25..=28)
    }

    fn weakness(self) -> u128 {
        match (self.kind, self.id) {
            (ENCRYPTION, 1..=9 | 11) => WEAK_ENCRYPTION,
            (PRF, 0) | (DH_GROUP, 0) => INVALID_PROPOSAL,
            (PRF, 1 | 2) => WEAK_PRF,
            (INTEGRITY, 1..=7) => WEAK_AUTH,
            (DH_GROUP, 1 | 2 | 5 | 22) => WEAK_DH,
            (ENCRYPTION..=SEQUENCE_NUMBERS, _) => 0,
            _ => UNKNOWN_PROPOSAL,
        }
    }
}

/// What the payloads of a message say.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub(super) struct Payloads {
    pub(super) types: Vec<u8>,
    pub(super) notifications: Vec<u16>,
    pub(super) errors: u64,
    pub(super) transforms: Vec<Transform>,
    /// What is odd about its proposals.
    pub(super) weaknesses: u128,
}

impl Payloads {
    /// Reads them; nothing is told of a message that makes no sense.
    pub(super) fn read(bytes: &[u8], first: u8) -> Payloads {
        let mut payloads = Payloads { types: vec![first], ..Payloads::default() };
        match payloads.chain(bytes, first) {
            Some(()) => payloads,
            None => Payloads::default(),
        }
    }

    fn chain(&mut self, bytes: &[u8], first: u8) -> Option<()> {
        let mut reader = Reader::new(bytes);
        let mut kind = first;
        while !reader.is_empty() {
            let next = reader.u8()?;
            reader.u8()?;
            let length = usize::from(reader.be16()?).checked_sub(4)?;
            let content = reader.take(length)?;
            self.add(kind, content)?;
            kind = next;
            self.types.push(kind);
            if self.types.len() > PAYLOADS_MAX {
                return None;
            }
        }
        Some(())
    }

    fn add(&mut self, kind: u8, content: &[u8]) -> Option<()> {
        let makes_sense = match kind {
            SECURITY_ASSOCIATION => return self.association(content),
            NOTIFY => return self.notification(content),
            34..=36 => content.len() >= 4,
            37 | 38 => !content.is_empty(),
            // The reader whose judgement rules are tested with counts the header of these (and of notifications with
            // data) twice, and takes what is then
            // left over for damage.
            AUTHENTICATION | DELETE | VENDOR => false,
            44 | 45 => selectors(content),
            _ => true,
        };
        makes_sense.then_some(())
    }

    fn notification(&mut self, content: &[u8]) -> Option<()> {
        let mut reader = Reader::new(content);
        reader.u8()?; // The protocol.
        let spi_bytes = usize::from(reader.u8()?);
        let kind = reader.be16()?;
        reader.take(spi_bytes)?;
        if !reader.is_empty() {
            return None;
        }
        self.notifications.push(kind);
        if kind < 16_384 {
            self.errors += 1;
        }
        Some(())
    }

    fn association(&mut self, content: &[u8]) -> Option<()> {
        let mut reader = Reader::new(content);
        let mut count = 0;
        while let Some((protocol, transforms)) = proposal(&mut reader) {
            self.weigh(protocol, &transforms);
            let room = TRANSFORMS_MAX - self.transforms.len().min(TRANSFORMS_MAX);
            self.transforms.extend(transforms.iter().take(room));
            count += 1;
        }
        (count > 0 && reader.is_empty()).then_some(())
    }

    fn weigh(&mut self, protocol: u8, transforms: &[Transform]) {
        self.weaknesses |= transforms.iter().fold(0, |all, transform| all | transform.weakness());
        if !transforms.iter().any(|transform| transform.kind == DH_GROUP) {
            self.weaknesses |= NO_DH;
        }
        if protocol == AUTHENTICATION_HEADER {
            self.weaknesses |= NO_ENCRYPTION;
        }
        let is_signed =
            |transform: &Transform| transform.signs() || (transform.kind == INTEGRITY && transform.id != 0);
        if !transforms.iter().any(is_signed) {
            self.weaknesses |= NO_AUTH;
        }
    }
}

/// A proposal's protocol and algorithms, if one stands here.
fn proposal(reader: &mut Reader<'_>) -> Option<(u8, Vec<Transform>)> {
    let mut ahead = *reader;
    ahead.take(2)?;
    let length = usize::from(ahead.be16()?);
    ahead.u8()?; // Its number.
    let protocol = ahead.u8()?;
    let spi_bytes = usize::from(ahead.u8()?);
    let count = ahead.u8()?;
    ahead.take(spi_bytes)?;
    let mut inner = Reader::new(ahead.take(length.checked_sub(8 + spi_bytes)?)?);
    let mut transforms = Vec::new();
    for _ in 0..count {
        inner.take(2)?;
        let length = usize::from(inner.be16()?);
        let kind = inner.u8()?;
        inner.u8()?;
        let id = inner.be16()?;
        inner.take(length.saturating_sub(8))?;
        transforms.push(Transform { kind, id });
    }
    *reader = ahead;
    Some((protocol, transforms))
}

/// Whether these are traffic selectors: address ranges.
fn selectors(content: &[u8]) -> bool {
    let mut reader = Reader::new(content.get(4..).unwrap_or_default());
    let addresses = match reader.u8() {
        Some(7) => 8,
        Some(8) => 32,
        _ => return false,
    };
    reader.take(7 + addresses).is_some()
}
