//! The roster, and what becomes of it by a change.
//!
//! Upon a change: the holder must be there (or must not, if it is to be admitted); no key may have two holders; a holder has one
//!   or two keys, and one of two is retired before there is a third; somebody must be left who may change it again. Else it is
//!   refused by name, and the roster stays as it was.

use super::Notary;
use super::change::{Change, Edition, Holder, IDENTITY_BYTES_MAX, What};
use bytes::Bytes;
use core::fmt;
use std::collections::BTreeMap;
use wire::{ClientId, Decode, DecodeError, Digest, Encode, Reader};

/// Clients that a roster names at most.
pub const CLIENTS_MAX: usize = 4096;

/// Keys of one holder at most: one, and another while it changes.
pub const KEYS_MAX: usize = 2;

/// What is known of a holder.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    /// Its identities, the oldest first.
    pub identities: Vec<Bytes>,
    /// Where it is reached, if it is a node.
    pub address: Bytes,
    /// What people call it, if it is a client.
    pub name: Bytes,
    /// Whether it may change the roster.
    pub operator: bool,
}

/// For the fingerprint; no entry travels.
impl Encode for Entry {
    fn encode(&self, to: &mut Vec<u8>) {
        self.identities.encode(to);
        self.address.encode(to);
        self.name.encode(to);
        self.operator.encode(to);
    }
}

/// Who is there.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Roster {
    entries: BTreeMap<Holder, Entry>,
}

/// Why a change is refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// Somebody else changed it: this is the edition now.
    EditionIs(Edition),
    /// It is about another cluster.
    OtherCluster,
    /// Whoever signed it may not change the roster.
    NoOperator,
    /// The signature is not that of the operator.
    WrongSignature,
    /// There is no such node or client.
    NoSuchHolder,
    /// There is such a client already.
    IsThere,
    /// What it says cannot be said of a node, or of a client.
    NotForThisHolder,
    /// This is no identity that can be used.
    NoIdentity,
    /// Somebody has this key already.
    KeyTaken,
    /// The holder has no such key.
    NoSuchKey,
    /// It is the only key that the holder has.
    LastKey,
    /// The holder has as many keys as it may.
    TooManyKeys,
    /// There are as many clients as there may be.
    TooManyClients,
    /// Nobody would be left who may change it.
    LastOperator,
    /// It has changed as often as it can.
    Full,
    /// It is no change at all.
    Nonsense,
}

impl Roster {
    /// The roster of these holders. Whoever makes one has checked it: each key has one holder.
    #[must_use]
    pub fn new(entries: impl IntoIterator<Item = (Holder, Entry)>) -> Roster {
        Roster { entries: entries.into_iter().collect() }
    }

    /// What is known of `holder`.
    #[must_use]
    pub fn get(&self, holder: Holder) -> Option<&Entry> {
        self.entries.get(&holder)
    }

    /// Everybody, nodes first.
    pub fn iter(&self) -> impl Iterator<Item = (Holder, &Entry)> {
        self.entries.iter().map(|(holder, entry)| (*holder, entry))
    }

    /// Its fingerprint.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let entries: Vec<(Holder, Entry)> =
            self.entries.iter().map(|(holder, entry)| (*holder, entry.clone())).collect();
        Digest::of_bytes(&entries.to_bytes())
    }

    /// The roster after `change`, whose edition and signature are somebody else's business.
    pub fn changed(&self, change: &Change, notary: &impl Notary) -> Result<Roster, Refusal> {
        let mut next = self.clone();
        match (&change.what, change.holder) {
            (What::Admitted { identity, name, operator }, Holder::Client(number)) => {
                if number > ClientId::IDENTITY_MAX {
                    return Err(Refusal::NotForThisHolder);
                }
                if self.entries.contains_key(&change.holder) {
                    return Err(Refusal::IsThere);
                }
                let clients = self.entries.keys().filter(|holder| matches!(holder, Holder::Client(_)));
                if clients.count() >= CLIENTS_MAX {
                    return Err(Refusal::TooManyClients);
                }
                self.check_is_free(identity, notary)?;
                let identities = vec![identity.clone()];
                let entry =
                    Entry { identities, address: Bytes::new(), name: name.clone(), operator: *operator };
                next.entries.insert(change.holder, entry);
            }
            (What::Removed, Holder::Client(_)) => {
                next.entries.remove(&change.holder).ok_or(Refusal::NoSuchHolder)?;
            }
            (What::Replaced { identity, address }, Holder::Node(_)) => {
                self.check_is_free(identity, notary)?;
                let entry = next.entries.get_mut(&change.holder).ok_or(Refusal::NoSuchHolder)?;
                entry.identities = vec![identity.clone()];
                entry.address = address.clone();
            }
            (What::KeyAdded { identity }, _) => {
                let entry = next.entries.get_mut(&change.holder).ok_or(Refusal::NoSuchHolder)?;
                if entry.identities.len() >= KEYS_MAX {
                    return Err(Refusal::TooManyKeys);
                }
                self.check_is_free(identity, notary)?;
                entry.identities.push(identity.clone());
            }
            (What::KeyRetired { identity }, _) => {
                let entry = next.entries.get_mut(&change.holder).ok_or(Refusal::NoSuchHolder)?;
                let place = entry.identities.iter().position(|one| one == identity);
                let place = place.ok_or(Refusal::NoSuchKey)?;
                if entry.identities.len() == 1 {
                    return Err(Refusal::LastKey);
                }
                entry.identities.remove(place);
            }
            (What::Admitted { .. } | What::Removed, Holder::Node(_))
            | (What::Replaced { .. }, Holder::Client(_)) => return Err(Refusal::NotForThisHolder),
        }
        if !next.entries.values().any(|entry| entry.operator) {
            return Err(Refusal::LastOperator);
        }
        Ok(next)
    }

    /// Whether `identity` is one, with keys that nobody has.
    fn check_is_free(&self, identity: &Bytes, notary: &impl Notary) -> Result<(), Refusal> {
        if identity.len() > IDENTITY_BYTES_MAX {
            return Err(Refusal::NoIdentity);
        }
        let (signing, agreement) = notary.keys(identity).ok_or(Refusal::NoIdentity)?;
        let taken = self
            .entries
            .values()
            .flat_map(|entry| &entry.identities)
            .any(|other| notary.keys(other).is_none_or(|keys| keys.0 == signing || keys.1 == agreement));
        if taken { Err(Refusal::KeyTaken) } else { Ok(()) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Refusal::EditionIs(edition) => {
                return write!(f, "somebody else changed the roster: its edition is {edition}; look again");
            }
            Refusal::OtherCluster => "it is about another cluster, or one whose first roster was another",
            Refusal::NoOperator => {
                "whoever signed it is no operator; right would be a client with operator = true"
            }
            Refusal::WrongSignature => "the signature is not the operator's",
            Refusal::NoSuchHolder => "there is no such node or client",
            Refusal::IsThere => "there is such a client already; right would be a number that nobody has",
            Refusal::NotForThisHolder => "nodes are replaced, clients are admitted and removed",
            Refusal::NoIdentity => "this is no identity",
            Refusal::KeyTaken => "somebody has this key already",
            Refusal::NoSuchKey => "the holder has no such key",
            Refusal::LastKey => "it is the only key that the holder has; right would be to add one first",
            Refusal::TooManyKeys => "the holder has two keys already; right would be to retire one first",
            Refusal::TooManyClients => "there are as many clients as there may be",
            Refusal::LastOperator => "nobody would be left who may change the roster",
            Refusal::Full => {
                "the roster has changed as often as a cluster remembers; right would be a new cluster"
            }
            Refusal::Nonsense => "it is no change of the roster",
        };
        f.write_str(text)
    }
}

impl core::error::Error for Refusal {}

impl Encode for Refusal {
    fn encode(&self, to: &mut Vec<u8>) {
        let tag = match self {
            Refusal::EditionIs(edition) => {
                to.push(0);
                return edition.encode(to);
            }
            Refusal::OtherCluster => 1,
            Refusal::NoOperator => 2,
            Refusal::WrongSignature => 3,
            Refusal::NoSuchHolder => 4,
            Refusal::IsThere => 5,
            Refusal::NotForThisHolder => 6,
            Refusal::NoIdentity => 7,
            Refusal::KeyTaken => 8,
            Refusal::NoSuchKey => 9,
            Refusal::LastKey => 10,
            Refusal::TooManyKeys => 11,
            Refusal::TooManyClients => 12,
            Refusal::LastOperator => 13,
            Refusal::Full => 14,
            Refusal::Nonsense => 15,
        };
        to.push(tag);
    }
}

impl Decode for Refusal {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        Ok(match u8::decode(from)? {
            0 => Refusal::EditionIs(Edition::decode(from)?),
            1 => Refusal::OtherCluster,
            2 => Refusal::NoOperator,
            3 => Refusal::WrongSignature,
            4 => Refusal::NoSuchHolder,
            5 => Refusal::IsThere,
            6 => Refusal::NotForThisHolder,
            7 => Refusal::NoIdentity,
            8 => Refusal::KeyTaken,
            9 => Refusal::NoSuchKey,
            10 => Refusal::LastKey,
            11 => Refusal::TooManyKeys,
            12 => Refusal::TooManyClients,
            13 => Refusal::LastOperator,
            14 => Refusal::Full,
            15 => Refusal::Nonsense,
            tag => return Err(DecodeError::UnknownTag { of: "refusal of a change", tag }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TestNotary, identity, roster};
    use super::*;
    use wire::NodeId;

    const NODE: Holder = Holder::Node(NodeId(1));

    fn changed(roster: &Roster, holder: Holder, what: What) -> Result<Roster, Refusal> {
        let change = Change { cluster: Digest([0; 32]), edition: Edition(1), holder, what };
        roster.changed(&change, &TestNotary)
    }

    #[test]
    fn a_holder_has_a_key_and_for_a_while_two() {
        let added = What::KeyAdded { identity: identity(50) };
        let two = changed(&roster(), NODE, added).expect("it has one");
        assert_eq!(two.get(NODE).map(|entry| entry.identities.len()), Some(2));
        let third = changed(&two, NODE, What::KeyAdded { identity: identity(51) });
        assert_eq!(third.map(|_| ()), Err(Refusal::TooManyKeys));
        let one = changed(&two, NODE, What::KeyRetired { identity: identity(1) }).expect("it has two");
        assert_eq!(one.get(NODE).map(|entry| entry.identities.clone()), Some(vec![identity(50)]));
        let none = changed(&one, NODE, What::KeyRetired { identity: identity(50) });
        assert_eq!(none.map(|_| ()), Err(Refusal::LastKey));
    }

    #[test]
    fn what_makes_no_roster_is_refused_by_name() {
        let client = Holder::Client(1);
        let admitted = |identity| What::Admitted { identity, name: Bytes::new(), operator: false };
        let replaced = |identity| What::Replaced { identity, address: Bytes::new() };
        let cases = [
            (NODE, What::KeyAdded { identity: identity(2) }, Refusal::KeyTaken),
            (NODE, What::KeyAdded { identity: Bytes::from_static(b"x") }, Refusal::NoIdentity),
            (NODE, What::KeyRetired { identity: identity(2) }, Refusal::NoSuchKey),
            (NODE, replaced(identity(1)), Refusal::KeyTaken),
            (NODE, What::Removed, Refusal::NotForThisHolder),
            (NODE, admitted(identity(60)), Refusal::NotForThisHolder),
            (client, replaced(identity(60)), Refusal::NotForThisHolder),
            (client, admitted(identity(60)), Refusal::IsThere),
            (client, What::Removed, Refusal::LastOperator),
            (Holder::Client(9), What::Removed, Refusal::NoSuchHolder),
            (Holder::Node(NodeId(9)), replaced(identity(60)), Refusal::NoSuchHolder),
        ];
        for (holder, what, refusal) in cases {
            assert_eq!(changed(&roster(), holder, what.clone()).map(|_| ()), Err(refusal), "{what:?}");
            assert_eq!(Refusal::from_bytes(refusal.to_bytes()), Ok(refusal));
        }
    }

    #[test]
    fn a_node_that_is_replaced_has_nothing_of_what_it_had() {
        let two = changed(&roster(), NODE, What::KeyAdded { identity: identity(50) }).expect("it has one");
        let replaced = What::Replaced { identity: identity(60), address: Bytes::from_static(b"there") };
        let new = changed(&two, NODE, replaced).expect("it is there");
        let entry = new.get(NODE).expect("it is there");
        assert_eq!((&entry.identities[..], &entry.address[..]), (&[identity(60)][..], &b"there"[..]));
        let back = changed(&new, NODE, What::KeyAdded { identity: identity(1) });
        assert!(back.is_ok(), "a key that nobody has is free");
    }
}
