//! What a change of the roster says, and what an operator signs.

use bytes::Bytes;
use core::fmt;
use wire::{ClientId, Decode, DecodeError, Digest, Encode, NodeId, Peer, Reader, Signature, codec_struct};

/// Bytes of an identity at most: one line of text.
pub const IDENTITY_BYTES_MAX: usize = 160;

/// Bytes of an address at most: numbers and a port, as text.
pub const ADDRESS_BYTES_MAX: usize = 64;

/// Bytes of a name at most.
pub const NAME_BYTES_MAX: usize = 64;

/// Stands before what an operator signs.
const LABEL: &[u8] = b"varangian change of the roster 1";

/// How often a roster has changed. The first one is edition 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Edition(pub u64);

/// Whoever can hold an identity: a node, or a client by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Holder {
    /// A node.
    Node(NodeId),
    /// A client, in all its sessions.
    Client(u32),
}

/// What changes about a holder.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum What {
    /// Everybody takes this key of its as well as the one before.
    KeyAdded {
        /// The new one.
        identity: Bytes,
    },
    /// Nobody takes this key of its any more.
    KeyRetired {
        /// Which one.
        identity: Bytes,
    },
    /// Another machine takes its seat: a new key, an empty log. Whatever the node had before is out.
    Replaced {
        /// Who it is from now on.
        identity: Bytes,
        /// Where it is reached.
        address: Bytes,
    },
    /// A client that was not there is.
    Admitted {
        /// Who it is.
        identity: Bytes,
        /// What people call it.
        name: Bytes,
        /// Whether it may change the roster.
        operator: bool,
    },
    /// A client is none any more.
    Removed,
}

/// One change of the roster.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Change {
    /// Of which cluster: the digest of its first roster.
    pub cluster: Digest,
    /// Which edition it makes: the one after the present.
    pub edition: Edition,
    /// Whom it is about.
    pub holder: Holder,
    /// What changes.
    pub what: What,
}

/// A change, and the word of an operator for it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Signed {
    /// What is to change.
    pub change: Change,
    /// Which client signed it.
    pub operator: u32,
    /// The signature over [`Change::signed_bytes`].
    pub signature: Signature,
}

impl Edition {
    /// The one after it.
    #[must_use]
    pub fn next(self) -> Edition {
        Edition(self.0 + 1)
    }
}

impl Change {
    /// What an operator signs.
    #[must_use]
    pub fn signed_bytes(&self) -> Bytes {
        let mut bytes = LABEL.to_vec();
        self.encode(&mut bytes);
        Bytes::from(bytes)
    }
}

impl Holder {
    /// Whose key `peer` speaks by.
    #[must_use]
    pub fn of(peer: Peer) -> Holder {
        match peer {
            Peer::Node(node) => Holder::Node(node),
            Peer::Client(client) => Holder::Client(ClientId::identity(client)),
        }
    }
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Node(node) => write!(f, "node {}", node.0),
            Holder::Client(client) => write!(f, "client {client}"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.what {
            What::KeyAdded { .. } => "has one more key",
            What::KeyRetired { .. } => "has one key less",
            What::Replaced { .. } => "is another machine",
            What::Admitted { .. } => "is admitted",
            What::Removed => "is removed",
        };
        write!(f, "edition {}: {} {what}", self.edition, self.holder)
    }
}

impl Encode for Edition {
    fn encode(&self, to: &mut Vec<u8>) {
        self.0.encode(to);
    }
}

impl Decode for Edition {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        u64::decode(from).map(Edition)
    }
}

impl Encode for Holder {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Holder::Node(node) => {
                to.push(0);
                node.encode(to);
            }
            Holder::Client(client) => {
                to.push(1);
                client.encode(to);
            }
        }
    }
}

impl Decode for Holder {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        match u8::decode(from)? {
            0 => NodeId::decode(from).map(Holder::Node),
            1 => u32::decode(from).map(Holder::Client),
            tag => Err(DecodeError::UnknownTag { of: "holder", tag }),
        }
    }
}

impl Encode for What {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            What::KeyAdded { identity } => {
                to.push(0);
                identity.encode(to);
            }
            What::KeyRetired { identity } => {
                to.push(1);
                identity.encode(to);
            }
            What::Replaced { identity, address } => {
                to.push(2);
                identity.encode(to);
                address.encode(to);
            }
            What::Admitted { identity, name, operator } => {
                to.push(3);
                identity.encode(to);
                name.encode(to);
                operator.encode(to);
            }
            What::Removed => to.push(4),
        }
    }
}

impl Decode for What {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        let identity = |from: &mut Reader| from.byte_string("identity", IDENTITY_BYTES_MAX);
        match u8::decode(from)? {
            0 => Ok(What::KeyAdded { identity: identity(from)? }),
            1 => Ok(What::KeyRetired { identity: identity(from)? }),
            2 => Ok(What::Replaced {
                identity: identity(from)?,
                address: from.byte_string("address", ADDRESS_BYTES_MAX)?,
            }),
            3 => Ok(What::Admitted {
                identity: identity(from)?,
                name: from.byte_string("name", NAME_BYTES_MAX)?,
                operator: bool::decode(from)?,
            }),
            4 => Ok(What::Removed),
            tag => Err(DecodeError::UnknownTag { of: "change", tag }),
        }
    }
}

codec_struct!(Change |from| { cluster = Digest::decode(from), edition, holder, what });
codec_struct!(Signed |from| { change, operator, signature = Signature::decode(from) });

#[cfg(test)]
mod tests {
    use super::*;

    /// What was signed once must verify for ever.
    #[test]
    fn the_bytes_of_a_change_do_not_change_unnoticed() {
        let change = Change {
            cluster: Digest([7; 32]),
            edition: Edition(3),
            holder: Holder::Node(NodeId(2)),
            what: What::Replaced { identity: Bytes::from_static(b"id"), address: Bytes::from_static(b"at") },
        };
        let bytes = change.signed_bytes();
        assert_eq!(&bytes[..LABEL.len()], LABEL);
        let mut expected = vec![7; 32];
        expected.extend_from_slice(&[3, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend_from_slice(&[0, 2, 0]);
        expected.extend_from_slice(&[2, 2, 0, 0, 0, b'i', b'd', 2, 0, 0, 0, b'a', b't']);
        assert_eq!(&bytes[LABEL.len()..], &expected[..]);
        assert_eq!(Change::from_bytes(bytes.slice(LABEL.len()..)), Ok(change));
    }
}
