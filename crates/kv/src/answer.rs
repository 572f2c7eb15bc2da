//! What the store answers.
//!
//! Every answer carries the revision of the store after the command. For a mutation that is its own revision, which no
//! other mutation ever has; for everything else it is the state that the answer speaks of. So the answers alone put
//! everything that clients did into order, which is what a checker of histories lives on.
//!
//! An answer is never longer than a result may be: a list or a watch is cut and says where to go on.

use crate::command::{KEY, KEY_BYTES_MAX, Revision, VALUE, VALUE_BYTES_MAX, Version, key, value};
use agree::request::RESULT_BYTES_MAX;
use bytes::Bytes;
use core::fmt;
use wire::{Decode, DecodeError, Encode, Reader, codec_enum, codec_struct};

/// Entries in one listing, and changes in one answer to a watch, at most.
pub const ITEMS_MAX: usize = 1024;

/// Bytes of the entries or changes of one answer at most: what a result has room for beside a revision, two tags, a length
/// and where to go on.
pub const ITEMS_BYTES_MAX: usize = RESULT_BYTES_MAX - (8 + 1 + 4 + 1 + 4 + KEY_BYTES_MAX);

/// Bytes of a change beside its key and its value, at most: a tag, two lengths, a revision and a version.
pub(crate) const CHANGE_BYTES: usize = 1 + 4 + 4 + 8 + 8;

// Whatever is in the store can be listed and watched.
const _: () = assert!(CHANGE_BYTES + KEY_BYTES_MAX + VALUE_BYTES_MAX <= ITEMS_BYTES_MAX);

/// What came of a command.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Answer {
    /// The store's revision after the command.
    pub revision: Revision,
    /// What came of it.
    pub outcome: Outcome,
}

codec_struct!(Answer |from| { revision, outcome });

/// What came of a command.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// Of put and cas: the key holds the value, this is its version now.
    Written(Version),
    /// Of delete: the version that was deleted; nothing if there was no such key, and then nothing was changed.
    Deleted(Option<Version>),
    /// Of get: what the key holds, if there is one.
    Found(Option<Item>),
    /// Of list.
    Listing(Listing),
    /// Of watch.
    Changes(Changes),
    /// Of any: nothing was changed, for this reason.
    Refused(Refusal),
}

codec_enum!(Outcome { 1 => Written, 2 => Deleted, 3 => Found, 4 => Listing, 5 => Changes, 6 => Refused });

/// What a key holds.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Item {
    /// The value.
    pub value: Bytes,
    /// When it was put there.
    pub revision: Revision,
    /// How often the key was put since it came into being.
    pub version: Version,
}

codec_struct!(Item |from| { value = value(from), revision, version });

/// A key and what it holds.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    /// The key.
    pub key: Bytes,
    /// What it holds.
    pub item: Item,
}

codec_struct!(Entry |from| { key = key(from), item });

/// One mutation, as watchers hear of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Change {
    /// A key was put.
    Put(Entry),
    /// A key was deleted.
    Deleted(Gone),
}

codec_enum!(Change { 1 => Put, 2 => Deleted });

/// A key that was deleted, and when.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Gone {
    /// The key.
    pub key: Bytes,
    /// When it was deleted.
    pub revision: Revision,
}

codec_struct!(Gone |from| { key = key(from), revision });

impl Change {
    /// Whose change.
    #[must_use]
    pub fn key(&self) -> &Bytes {
        match self {
            Change::Put(entry) => &entry.key,
            Change::Deleted(gone) => &gone.key,
        }
    }

    /// When.
    #[must_use]
    pub fn revision(&self) -> Revision {
        match self {
            Change::Put(entry) => entry.item.revision,
            Change::Deleted(gone) => gone.revision,
        }
    }

    /// What it counts against a limit in bytes: not less than its encoding has.
    pub(crate) fn bytes(&self) -> usize {
        CHANGE_BYTES
            + match self {
                Change::Put(entry) => entry.key.len() + entry.item.value.len(),
                Change::Deleted(gone) => gone.key.len(),
            }
    }
}

/// Keys with a prefix, in order.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Listing {
    /// The keys and what they hold.
    pub entries: Vec<Entry>,
    /// The first key that did not fit: list again from there. The pages of one list may be of different revisions; who
    /// wants one state watches what changed since the revision of the first page.
    pub next: Option<Bytes>,
}

codec_struct!(Listing |from| {
    entries = from.list("entries", ITEMS_MAX),
    next = next(from),
});

fn next(from: &mut Reader) -> Result<Option<Bytes>, DecodeError> {
    if bool::decode(from)? { key(from).map(Some) } else { Ok(None) }
}

/// What changed under a prefix, oldest first.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Changes {
    /// The changes.
    pub changes: Vec<Change>,
    /// They are all up to this revision: watch again since it. Less than the answer's revision if the answer was cut.
    pub until: Revision,
}

codec_struct!(Changes |from| { changes = from.list("changes", ITEMS_MAX), until });

/// Why nothing was changed and nothing is told.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// The bytes are no command.
    Nonsense,
    /// A key, prefix or start over [`KEY_BYTES_MAX`].
    KeyTooLong {
        /// How long it is.
        bytes: u32,
    },
    /// A value over [`VALUE_BYTES_MAX`].
    ValueTooLong {
        /// How long it is.
        bytes: u32,
    },
    /// There are as many keys as there may be.
    TooManyKeys {
        /// How many.
        limit: u64,
    },
    /// The entry does not fit beside the others.
    StoreFull {
        /// How many bytes all of them may have.
        limit: u64,
    },
    /// The key was last changed at another revision than expected.
    WrongRevision {
        /// When it was; [`Revision::ZERO`] if there is no such key.
        found: Revision,
    },
    /// The changes asked for are forgotten: list the prefix, then watch since the revision of that listing.
    Compacted {
        /// The earliest revision since which a watch could be answered.
        earliest: Revision,
    },
    /// A watch since a revision that the store has not reached.
    NotReached,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Nonsense => write!(f, "this is no command"),
            Refusal::KeyTooLong { bytes } => {
                write!(f, "the key has {bytes} bytes, at most {KEY_BYTES_MAX} are allowed")
            }
            Refusal::ValueTooLong { bytes } => {
                write!(f, "the value has {bytes} bytes, at most {VALUE_BYTES_MAX} are allowed")
            }
            Refusal::TooManyKeys { limit } => write!(f, "there are {limit} keys already: delete some"),
            Refusal::StoreFull { limit } => {
                write!(f, "it would not fit into the {limit} bytes of the store: delete something")
            }
            Refusal::WrongRevision { found: Revision::ZERO } => write!(f, "there is no such key"),
            Refusal::WrongRevision { found } => write!(f, "the key was last changed at {found}"),
            Refusal::Compacted { earliest } => {
                write!(f, "changes up to {earliest} are forgotten: list, then watch since that listing")
            }
            Refusal::NotReached => write!(f, "the store has not come that far"),
        }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::OverLimit { field: KEY, found, .. } => Refusal::KeyTooLong { bytes: found as u32 },
            DecodeError::OverLimit { field: VALUE, found, .. } => {
                Refusal::ValueTooLong { bytes: found as u32 }
            }
            DecodeError::OverLimit { .. }
            | DecodeError::Truncated { .. }
            | DecodeError::TrailingBytes { .. }
            | DecodeError::UnknownTag { .. }
            | DecodeError::Inconsistent { .. } => Refusal::Nonsense,
        }
    }
}

impl Encode for Refusal {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Refusal::Nonsense => to.push(1),
            Refusal::KeyTooLong { bytes } => tagged(2, bytes, to),
            Refusal::ValueTooLong { bytes } => tagged(3, bytes, to),
            Refusal::TooManyKeys { limit } => tagged(4, limit, to),
            Refusal::StoreFull { limit } => tagged(5, limit, to),
            Refusal::WrongRevision { found } => tagged(6, found, to),
            Refusal::Compacted { earliest } => tagged(7, earliest, to),
            Refusal::NotReached => to.push(8),
        }
    }
}

fn tagged(tag: u8, value: &impl Encode, to: &mut Vec<u8>) {
    to.push(tag);
    value.encode(to);
}

impl Decode for Refusal {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        match u8::decode(from)? {
            1 => Ok(Refusal::Nonsense),
            2 => Ok(Refusal::KeyTooLong { bytes: Decode::decode(from)? }),
            3 => Ok(Refusal::ValueTooLong { bytes: Decode::decode(from)? }),
            4 => Ok(Refusal::TooManyKeys { limit: Decode::decode(from)? }),
            5 => Ok(Refusal::StoreFull { limit: Decode::decode(from)? }),
            6 => Ok(Refusal::WrongRevision { found: Decode::decode(from)? }),
            7 => Ok(Refusal::Compacted { earliest: Decode::decode(from)? }),
            8 => Ok(Refusal::NotReached),
            tag => Err(DecodeError::UnknownTag { of: "Refusal", tag }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_of_each() -> Vec<Outcome> {
        let item = Item { value: "v".into(), revision: Revision(3), version: Version(2) };
        let entry = Entry { key: "k".into(), item: item.clone() };
        let gone = Gone { key: "k".into(), revision: Revision(4) };
        let mut outcomes = vec![
            Outcome::Written(Version(1)),
            Outcome::Deleted(Some(Version(1))),
            Outcome::Deleted(None),
            Outcome::Found(Some(item)),
            Outcome::Found(None),
            Outcome::Listing(Listing { entries: vec![entry.clone()], next: Some("l".into()) }),
            Outcome::Listing(Listing { entries: Vec::new(), next: None }),
            Outcome::Changes(Changes {
                changes: vec![Change::Put(entry), Change::Deleted(gone)],
                until: Revision(4),
            }),
        ];
        let refusals = [
            Refusal::Nonsense,
            Refusal::KeyTooLong { bytes: 2000 },
            Refusal::ValueTooLong { bytes: 70_000 },
            Refusal::TooManyKeys { limit: 1 },
            Refusal::StoreFull { limit: 2 },
            Refusal::WrongRevision { found: Revision(3) },
            Refusal::Compacted { earliest: Revision(3) },
            Refusal::NotReached,
        ];
        outcomes.extend(refusals.map(Outcome::Refused));
        outcomes
    }

    #[test]
    fn an_answer_decodes_to_itself() {
        for outcome in one_of_each() {
            let answer = Answer { revision: Revision(9), outcome };
            assert_eq!(Answer::from_bytes(answer.to_bytes()), Ok(answer));
        }
    }

    #[test]
    fn a_change_counts_at_least_what_its_bytes_are() {
        let item = Item { value: "value".into(), revision: Revision(3), version: Version(2) };
        for change in [
            Change::Put(Entry { key: "k".into(), item }),
            Change::Deleted(Gone { key: "key".into(), revision: Revision(4) }),
        ] {
            assert!(change.bytes() >= change.to_bytes().len());
        }
    }
}
