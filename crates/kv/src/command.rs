//! What a client can ask the store for.
//!
//! - **put** a value under a key; **delete** a key; **cas**: put, if the key was last changed at the revision that the
//!   client expects ([`Revision::ZERO`]: if there is no such key);
//! - **get** what a key holds;
//! - **list** the keys with a prefix, in order, from a given one on, some at a time;
//! - **watch** a prefix: what changed under it since a revision.
//!
//! Keys, prefixes and values are any bytes, empty ones included. Whatever is within the limits here fits an operation, so
//! a client never has to ask how large is too large.
//!
//! Not here: time. A watch answers at once with what there is; who wants to hear of more asks again.

use agree::request::OPERATION_BYTES_MAX;
use bytes::Bytes;
use core::fmt;
use wire::{Decode, DecodeError, Encode, Reader, codec_enum, codec_struct};

/// Bytes of a key or a prefix at most.
pub const KEY_BYTES_MAX: usize = 1 << 10;

/// Bytes of a value at most.
pub const VALUE_BYTES_MAX: usize = 60 << 10;

// The longest command is a cas: a tag, two lengths, a revision, a key and a value.
const _: () = assert!(1 + 4 + KEY_BYTES_MAX + 8 + 4 + VALUE_BYTES_MAX <= OPERATION_BYTES_MAX);

/// The fields that a refusal names, as `wire` reports them.
pub(crate) const KEY: &str = "key";
pub(crate) const VALUE: &str = "value";

/// How many mutations the store has seen, and so the name of each: the first is 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Revision(pub u64);

impl Revision {
    /// Before any mutation; of a key: that there is none.
    pub const ZERO: Revision = Revision(0);

    /// The one after.
    #[must_use]
    pub fn next(self) -> Revision {
        Revision(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "revision {}", self.0)
    }
}

/// How often a key was put since it came into being: 1 for a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Version(pub u64);

codec_struct!(Put |from| { key = key(from), value = value(from) });
codec_struct!(Get | from | { key = key(from) });
codec_struct!(Cas |from| { key = key(from), expected, value = value(from) });
codec_struct!(Delete | from | { key = key(from) });
codec_struct!(List |from| { prefix = key(from), start = key(from), limit });
codec_struct!(Watch |from| { prefix = key(from), since, limit });

pub(crate) fn key(from: &mut Reader) -> Result<Bytes, DecodeError> {
    from.byte_string(KEY, KEY_BYTES_MAX)
}

pub(crate) fn value(from: &mut Reader) -> Result<Bytes, DecodeError> {
    from.byte_string(VALUE, VALUE_BYTES_MAX)
}

/// What a client asks for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Command {
    /// Let the key hold the value.
    Put(Put),
    /// What does the key hold?
    Get(Get),
    /// Let the key hold the value if nobody changed it meanwhile.
    Cas(Cas),
    /// Let there be no such key.
    Delete(Delete),
    /// Which keys are there?
    List(List),
    /// What changed?
    Watch(Watch),
}

codec_enum!(Command { 1 => Put, 2 => Get, 3 => Cas, 4 => Delete, 5 => List, 6 => Watch });

/// Let the key hold the value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Put {
    /// Which key.
    pub key: Bytes,
    /// What it shall hold.
    pub value: Bytes,
}

/// What does the key hold?
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Get {
    /// Which key.
    pub key: Bytes,
}

/// Let the key hold the value if it was last changed at `expected`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Cas {
    /// Which key.
    pub key: Bytes,
    /// When it was last changed, as the client knows; [`Revision::ZERO`] if it must not exist.
    pub expected: Revision,
    /// What it shall hold.
    pub value: Bytes,
}

/// Let there be no such key.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Delete {
    /// Which key.
    pub key: Bytes,
}

/// Which keys begin with `prefix`, and what do they hold?
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct List {
    /// What they begin with; empty for all.
    pub prefix: Bytes,
    /// Only this key and those after it; empty to begin at the beginning. To go on, what the last answer said.
    pub start: Bytes,
    /// This many at most. The store may give fewer and say where to go on.
    pub limit: u32,
}

/// What changed under `prefix` after revision `since`?
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Watch {
    /// What the keys begin with; empty for all.
    pub prefix: Bytes,
    /// The revision up to which the client knows. To go on, what the last answer said.
    pub since: Revision,
    /// This many changes at most. The store may give fewer and say where to go on.
    pub limit: u32,
}

macro_rules! number {
    ($($name:ident),*) => {$(
        impl Encode for $name {
            fn encode(&self, to: &mut Vec<u8>) {
                self.0.encode(to);
            }
        }

        impl Decode for $name {
            fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
                u64::decode(from).map($name)
            }
        }
    )*};
}

number!(Revision, Version);

impl Command {
    /// The key that it is about, if it is one.
    #[must_use]
    pub fn one_key(&self) -> Option<&Bytes> {
        match self {
            Command::Put(put) => Some(&put.key),
            Command::Get(get) => Some(&get.key),
            Command::Cas(cas) => Some(&cas.key),
            Command::Delete(delete) => Some(&delete.key),
            Command::List(_) | Command::Watch(_) => None,
        }
    }

    /// The key that it may change.
    #[must_use]
    pub fn changed_key(&self) -> Option<&Bytes> {
        match self {
            Command::Put(_) | Command::Cas(_) | Command::Delete(_) => self.one_key(),
            Command::Get(_) | Command::List(_) | Command::Watch(_) => None,
        }
    }

    /// Puts `value` under `key`.
    pub fn put(key: impl Into<Bytes>, value: impl Into<Bytes>) -> Command {
        Command::Put(Put { key: key.into(), value: value.into() })
    }

    /// Asks what `key` holds.
    pub fn get(key: impl Into<Bytes>) -> Command {
        Command::Get(Get { key: key.into() })
    }

    /// Puts `value` under `key` if that was last changed at `expected`.
    pub fn cas(key: impl Into<Bytes>, expected: Revision, value: impl Into<Bytes>) -> Command {
        Command::Cas(Cas { key: key.into(), expected, value: value.into() })
    }

    /// Deletes `key`.
    pub fn delete(key: impl Into<Bytes>) -> Command {
        Command::Delete(Delete { key: key.into() })
    }

    /// Asks for up to `limit` keys with `prefix`, from `start` on.
    pub fn list(prefix: impl Into<Bytes>, start: impl Into<Bytes>, limit: u32) -> Command {
        Command::List(List { prefix: prefix.into(), start: start.into(), limit })
    }

    /// Asks for up to `limit` changes under `prefix` after `since`.
    pub fn watch(prefix: impl Into<Bytes>, since: Revision, limit: u32) -> Command {
        Command::Watch(Watch { prefix: prefix.into(), since, limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_of_each() -> [Command; 6] {
        [
            Command::put("k", "v"),
            Command::get("k"),
            Command::cas("k", Revision(7), "v"),
            Command::delete("k"),
            Command::list("p", "pq", 9),
            Command::watch("p", Revision(7), 9),
        ]
    }

    #[test]
    fn a_command_decodes_to_itself() {
        for command in one_of_each() {
            assert_eq!(Command::from_bytes(command.to_bytes()), Ok(command));
        }
    }

    /// Other replicas and older logs hold these bytes.
    #[test]
    fn the_bytes_of_a_command_do_not_change() {
        assert_eq!(&Command::put("k", "vw").to_bytes()[..], b"\x01\x01\0\0\0k\x02\0\0\0vw");
        assert_eq!(
            &Command::cas("k", Revision(7), "").to_bytes()[..],
            b"\x03\x01\0\0\0k\x07\0\0\0\0\0\0\0\0\0\0\0"
        );
        assert_eq!(one_of_each().map(|command| command.to_bytes()[0]), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn the_largest_command_fits_an_operation() {
        let largest = Command::cas(vec![0; KEY_BYTES_MAX], Revision(u64::MAX), vec![0; VALUE_BYTES_MAX]);
        assert!(largest.to_bytes().len() <= OPERATION_BYTES_MAX);
        assert_eq!(Command::from_bytes(largest.to_bytes()), Ok(largest));
    }

    #[test]
    fn what_is_too_long_is_refused_by_name() {
        let key = Command::get(vec![0; KEY_BYTES_MAX + 1]).to_bytes();
        assert!(matches!(Command::from_bytes(key), Err(DecodeError::OverLimit { field: KEY, .. })));
        let value = Command::put("k", vec![0; VALUE_BYTES_MAX + 1]).to_bytes();
        assert!(matches!(Command::from_bytes(value), Err(DecodeError::OverLimit { field: VALUE, .. })));
    }
}
