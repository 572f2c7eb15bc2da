//! The service that simulated replicas replicate: a few registers.
//!
//! Upon PUT: the register takes the value; the result is the value before it.
//! Upon GET: the result is the value.
//! Upon CAS: if the register holds what was expected it takes the value; the result says whether, and what it held.
//! Upon APPEND: the value is added at the end, unless it would be longer than [`VALUE_BYTES_MAX`]; the result is the
//!   length after.
//! Upon INCREMENT: the register counts one further, from 0 if it held no number; the result is the number.
//! Upon REPLACE: another machine takes the seat of a node, if the edition is the next; the result is the edition then.
//! Upon anything else: nothing changes; the result says [`NONSENSE`].
//!
//! Every result depends on the order in which everything before was executed, so an order that differs shows at a
//! client. The number of writes is part of the state, so that a write executed twice shows in the digest even when it
//! leaves the register as it was.
//!
//! The digest is kept up to date with every write (a sum over the registers), because checkers ask for it after each
//! batch.

use crate::keys::keyed;
use crate::random::scramble;
use agree::Service;
use agree::roster::{Edition, Seats};
use agree::service::RestoreError;
use bytes::Bytes;
use wire::{Decode, DecodeError, Digest, Encode, NodeId, Reader, Sequence, codec_struct};

/// Registers that there are.
pub const REGISTERS: usize = 8;

/// Bytes of a register at most.
pub const VALUE_BYTES_MAX: usize = 48;

/// What an operation that makes no sense gets.
pub const NONSENSE: &[u8] = b"nonsense";

/// What an append that would be too long gets.
pub const FULL: &[u8] = b"full";

/// What a client can ask for. The register is `key` modulo [`REGISTERS`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Operation {
    /// Set it.
    Put {
        /// Which register.
        key: u8,
        /// To what.
        value: Bytes,
    },
    /// Read it.
    Get {
        /// Which register.
        key: u8,
    },
    /// Set it if it holds what is expected.
    Cas {
        /// Which register.
        key: u8,
        /// What it should hold.
        expected: Bytes,
        /// What it shall hold.
        value: Bytes,
    },
    /// Add to its end.
    Append {
        /// Which register.
        key: u8,
        /// What to add.
        value: Bytes,
    },
    /// Count.
    Increment {
        /// Which register.
        key: u8,
    },
    /// Another machine takes the seat of a node.
    Replace {
        /// Which node.
        node: u8,
        /// The edition of the roster that this makes.
        edition: u64,
    },
}

impl Encode for Operation {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Operation::Put { key, value } => {
                to.extend_from_slice(&[0, *key]);
                value.encode(to);
            }
            Operation::Get { key } => to.extend_from_slice(&[1, *key]),
            Operation::Cas { key, expected, value } => {
                to.extend_from_slice(&[2, *key]);
                expected.encode(to);
                value.encode(to);
            }
            Operation::Append { key, value } => {
                to.extend_from_slice(&[3, *key]);
                value.encode(to);
            }
            Operation::Increment { key } => to.extend_from_slice(&[4, *key]),
            Operation::Replace { node, edition } => {
                to.extend_from_slice(&[5, *node]);
                edition.encode(to);
            }
        }
    }
}

impl Decode for Operation {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        let tag = u8::decode(from)?;
        let key = u8::decode(from)?;
        let value = |from: &mut Reader| from.byte_string("value", VALUE_BYTES_MAX);
        match tag {
            0 => Ok(Operation::Put { key, value: value(from)? }),
            1 => Ok(Operation::Get { key }),
            2 => Ok(Operation::Cas { key, expected: value(from)?, value: value(from)? }),
            3 => Ok(Operation::Append { key, value: value(from)? }),
            4 => Ok(Operation::Increment { key }),
            5 => Ok(Operation::Replace { node: key, edition: u64::decode(from)? }),
            tag => Err(DecodeError::UnknownTag { of: "Operation", tag }),
        }
    }
}

/// The replicated registers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Registers {
    values: [Bytes; REGISTERS],
    writes: u64,
    /// Sum over the registers of the fingerprint of each; follows from `values`.
    sum: u64,
    /// Who sits where.
    seats: Seats,
    /// The place of the batch that is being executed.
    place: Sequence,
}

/// The fingerprint of a register; 0 for an empty one, so that no state is special.
fn print(key: usize, value: &[u8]) -> u64 {
    if value.is_empty() { 0 } else { keyed(key as u64 + 1, value) }
}

/// What a REPLACE gets when `edition` is the one there is then; like nothing else that anybody gets.
#[must_use]
pub fn edition_is(edition: u64) -> Bytes {
    Bytes::from(format!("edition {edition}"))
}

/// The digest of a state with this sum of fingerprints and this number of writes.
#[must_use]
pub fn digest_of(sum: u64, writes: u64) -> Digest {
    let mut digest = [0; 32];
    for (lane, eight) in digest.chunks_exact_mut(8).enumerate() {
        let word = scramble(scramble(sum ^ lane as u64) ^ writes);
        eight.copy_from_slice(&word.to_le_bytes());
    }
    Digest(digest)
}

/// The fingerprint that register `key` adds to the sum; for models that want to compare digests.
#[must_use]
pub fn fingerprint_of(key: usize, value: &[u8]) -> u64 {
    print(key, value)
}

impl Registers {
    fn set(&mut self, key: u8, value: Bytes) -> Bytes {
        let index = usize::from(key) % REGISTERS;
        let before = core::mem::replace(&mut self.values[index], value);
        self.sum =
            self.sum.wrapping_sub(print(index, &before)).wrapping_add(print(index, &self.values[index]));
        self.writes += 1;
        before
    }

    fn get(&self, key: u8) -> &Bytes {
        &self.values[usize::from(key) % REGISTERS]
    }

    fn cas(&mut self, key: u8, expected: &Bytes, value: Bytes) -> Bytes {
        let held = self.get(key).clone();
        let same = held == *expected;
        if same {
            self.set(key, value);
        }
        let mut result = vec![u8::from(same)];
        result.extend_from_slice(&held);
        Bytes::from(result)
    }

    fn append(&mut self, key: u8, value: &Bytes) -> Bytes {
        let held = self.get(key);
        let length = held.len() + value.len();
        if length > VALUE_BYTES_MAX {
            return Bytes::from_static(FULL);
        }
        let mut longer = Vec::with_capacity(length);
        longer.extend_from_slice(held);
        longer.extend_from_slice(value);
        self.set(key, Bytes::from(longer));
        Bytes::from(vec![length as u8])
    }

    fn replace(&mut self, node: u8, edition: Edition) -> Bytes {
        if edition == self.seats.era.next() {
            self.seats.take(NodeId(u16::from(node)), edition, self.place);
            self.writes += 1;
        }
        edition_is(self.seats.era.0)
    }

    fn increment(&mut self, key: u8) -> Bytes {
        let number = <[u8; 8]>::try_from(&self.get(key)[..]).map_or(0, u64::from_le_bytes);
        let next = Bytes::copy_from_slice(&number.wrapping_add(1).to_le_bytes());
        self.set(key, next.clone());
        next
    }
}

impl Service for Registers {
    fn begin(&mut self, place: Sequence) {
        self.place = place;
    }

    fn seats(&self) -> &Seats {
        &self.seats
    }

    fn apply(&mut self, command: &Bytes) -> Bytes {
        match Operation::from_bytes(command.clone()) {
            Ok(Operation::Put { key, value }) => self.set(key, value),
            Ok(Operation::Get { key }) => self.get(key).clone(),
            Ok(Operation::Cas { key, expected, value }) => self.cas(key, &expected, value),
            Ok(Operation::Append { key, value }) => self.append(key, &value),
            Ok(Operation::Increment { key }) => self.increment(key),
            Ok(Operation::Replace { node, edition }) => self.replace(node, Edition(edition)),
            Err(_) => Bytes::from_static(NONSENSE),
        }
    }

    fn digest(&self) -> Digest {
        digest_of(self.sum, self.writes)
    }

    fn snapshot(&self) -> Bytes {
        Image { writes: self.writes, values: self.values.to_vec(), seats: self.seats.clone() }.to_bytes()
    }

    fn restore(&mut self, snapshot: &Bytes) -> Result<(), RestoreError> {
        let image = Image::from_bytes(snapshot.clone())?;
        let values: [Bytes; REGISTERS] = image
            .values
            .try_into()
            .map_err(|_| RestoreError { reason: format!("there are {REGISTERS} registers") })?;
        let sum =
            values.iter().enumerate().fold(0u64, |sum, (index, value)| sum.wrapping_add(print(index, value)));
        *self = Registers { values, writes: image.writes, sum, seats: image.seats, place: self.place };
        Ok(())
    }
}

/// [`Registers`] as bytes.
struct Image {
    writes: u64,
    values: Vec<Bytes>,
    seats: Seats,
}

codec_struct!(Image |from| {
    writes,
    values = (0..u32::decode(from)?.min(REGISTERS as u32 + 1))
        .map(|_| from.byte_string("register", VALUE_BYTES_MAX))
        .collect::<Result<_, _>>(),
    seats,
});

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(registers: &mut Registers, operation: &Operation) -> Bytes {
        registers.apply(&operation.to_bytes())
    }

    #[test]
    fn results_tell_what_was_there() {
        let mut registers = Registers::default();
        let put = |value: &'static [u8]| Operation::Put { key: 1, value: Bytes::from_static(value) };
        assert_eq!(apply(&mut registers, &put(b"a")), b""[..]);
        assert_eq!(apply(&mut registers, &put(b"b")), b"a"[..]);
        assert_eq!(apply(&mut registers, &Operation::Get { key: 1 }), b"b"[..]);
        let cas = Operation::Cas { key: 1, expected: Bytes::from_static(b"b"), value: Bytes::new() };
        assert_eq!(apply(&mut registers, &cas), b"\x01b"[..]);
        assert_eq!(apply(&mut registers, &cas), b"\x00"[..]);
        let append = Operation::Append { key: 2, value: Bytes::from_static(b"0123456789") };
        let lengths: Vec<Bytes> = (0..5).map(|_| apply(&mut registers, &append)).collect();
        assert_eq!(lengths[3], [40][..]);
        assert_eq!(lengths[4], FULL);
        apply(&mut registers, &Operation::Increment { key: 3 });
        assert_eq!(apply(&mut registers, &Operation::Increment { key: 3 }), 2_u64.to_le_bytes()[..]);
        assert_eq!(registers.apply(&Bytes::from_static(b"?!")), NONSENSE);
    }

    #[test]
    fn the_digest_kept_is_the_digest_recomputed() {
        let mut registers = Registers::default();
        for key in 0..20 {
            apply(&mut registers, &Operation::Increment { key });
            apply(&mut registers, &Operation::Put { key: key / 2, value: Bytes::from(vec![key; 3]) });
        }
        let mut restored = Registers::default();
        restored.restore(&registers.snapshot()).expect("it is a snapshot");
        assert_eq!(restored, registers);
        assert_eq!(restored.digest(), registers.digest());
    }

    #[test]
    fn a_write_executed_twice_shows_in_the_digest() {
        let mut registers = Registers::default();
        let put = Operation::Put { key: 1, value: Bytes::from_static(b"a") };
        apply(&mut registers, &put);
        let once = registers.digest();
        apply(&mut registers, &put);
        assert_ne!(registers.digest(), once);
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        let mut registers = Registers::default();
        assert!(registers.restore(&Bytes::from_static(b"nonsense")).is_err());
        let few = Image { writes: 0, values: vec![Bytes::new(); REGISTERS - 1], seats: Seats::default() };
        assert!(registers.restore(&few.to_bytes()).is_err());
        assert_eq!(registers, Registers::default());
    }
}
