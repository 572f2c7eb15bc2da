//! Who said it.
//!
//! Four strengths, each with its price:
//! - [`Authenticator::None`]: the link itself names the sender (ByzID's tree of monitored links in a LAN).
//! - [`Authenticator::Mac`]: one receiver can check it, nobody else can be convinced.
//! - [`Authenticator::Vector`]: one MAC for each of several receivers, so that a message is encoded once.
//! - [`Authenticator::Signature`]: everybody can check it, and it can be shown to others as evidence.
//!
//! A **seal** is a MAC under the key that only monitors hold: it says "a monitor let this out", and no replica can
//! make one.
//!
//! The keys themselves are an edge's business. Logic is handed a [`Keys`] and asks it to make or to check.

use crate::encode::{Decode, DecodeError, Encode, Reader};
use crate::ids::{NodeId, Peer};
use core::fmt;

/// Nodes in one cluster at most, spares included. Bounds every list of nodes and every vector of MACs.
pub const NODES_MAX: usize = 64;

/// A message authentication code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tag(pub [u8; 16]);

/// A digital signature of the size of Ed25519's.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// The proof of origin at the end of a frame.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Authenticator {
    /// Nothing: the link names the sender.
    None,
    /// A MAC for the one receiver.
    Mac(Tag),
    /// A MAC for each of the receivers named.
    Vector(Vec<(NodeId, Tag)>),
    /// A signature for everybody.
    Signature(Signature),
}

impl Authenticator {
    /// How many authenticators had to be made for it.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Authenticator::None => 0,
            Authenticator::Mac(_) | Authenticator::Signature(_) => 1,
            Authenticator::Vector(tags) => tags.len(),
        }
    }
}

/// The keys of one node or client. Every method is a pure function of its arguments and the keys held.
///
/// What a proof is over begins with a label that says what kind of thing it is (a frame, a REQUEST, a VIEW-CHANGE, …),
/// so that a proof of one is never a proof of another.
pub trait Keys {
    /// A MAC over `parts`, one after the other, that `to` can check. In parts, so that nobody has to copy a body in
    /// order to put something before it; where one ends and the next begins must follow from their contents.
    fn mac(&self, to: Peer, parts: &[&[u8]]) -> Tag;

    /// Whether `tag` is `from`'s MAC over `parts`, made for the holder of these keys.
    fn mac_is_valid(&self, from: Peer, parts: &[&[u8]], tag: &Tag) -> bool;

    /// A signature over `body`.
    fn sign(&self, body: &[u8]) -> Signature;

    /// Whether `signature` is `signer`'s over `body`.
    fn signature_is_valid(&self, signer: Peer, body: &[u8], signature: &Signature) -> bool;

    /// A seal over `body`. Only monitors are given keys that can.
    fn seal(&self, body: &[u8]) -> Tag;

    /// Whether `tag` is a seal over `body`, whichever monitor made it.
    fn seal_is_valid(&self, body: &[u8], tag: &Tag) -> bool;
}

impl Encode for Tag {
    fn encode(&self, to: &mut Vec<u8>) {
        self.0.encode(to);
    }
}

impl Decode for Tag {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        from.array().map(Tag)
    }
}

impl Encode for Signature {
    fn encode(&self, to: &mut Vec<u8>) {
        self.0.encode(to);
    }
}

impl Decode for Signature {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        from.array().map(Signature)
    }
}

impl Encode for Authenticator {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Authenticator::None => to.push(0),
            Authenticator::Mac(tag) => {
                to.push(1);
                tag.encode(to);
            }
            Authenticator::Vector(tags) => {
                to.push(2);
                tags.encode(to);
            }
            Authenticator::Signature(signature) => {
                to.push(3);
                signature.encode(to);
            }
        }
    }
}

impl Decode for Authenticator {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        match u8::decode(from)? {
            0 => Ok(Authenticator::None),
            1 => Tag::decode(from).map(Authenticator::Mac),
            2 => from.list("MAC vector", NODES_MAX).map(Authenticator::Vector),
            3 => Signature::decode(from).map(Authenticator::Signature),
            tag => Err(DecodeError::UnknownTag { of: "Authenticator", tag }),
        }
    }
}
