//! A message on a link.
//!
//! ```text
//! version u8 | sender | vouched u8 | body length u32 | body | authenticator
//! ```
//!
//! `vouched` says that a monitor let the message out. The process that owns the link writes it, never the replica.
//! What is inside the body is the protocol's business.
//!
//! **What is proven.** A MAC or a signature covers everything before it: the version, the sender, `vouched` and the body
//! ([`Head`]). Whoever is on the path can change none of them. Two things are not covered:
//!   - a frame without an authenticator, which is for links that name their sender (ByzID's tree): there all of this,
//!     `vouched` included, is the link's business, and is worth what the link is worth;
//!   - in a vector, the MACs for the *other* receivers, which only they can check.

use crate::auth::{Authenticator, NODES_MAX};
use crate::digest::Digest;
use crate::encode::{Decode, DecodeError, Encode, Reader, encode_length};
use crate::ids::Peer;
use bytes::Bytes;

/// The version of everything in this crate. A peer of another version is refused by name, not misread.
pub const VERSION: u8 = 2;

/// What an *aside* begins with in the place of a version: what the two ends of a link say to each other that is no protocol's
/// business, such as how a node is. No replica hears one, and none can say one.
pub const ASIDE: u8 = b'?';

const _: () = assert!(ASIDE != VERSION, "an aside is never taken for a frame");

/// Bytes of a body at most. A frame that announces more is refused before it is read.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// Bytes of a frame at most: its version, a client's number, `vouched`, the largest body, the longest vector of MACs.
pub const FRAME_BYTES_MAX: usize = 1 + 9 + 1 + 4 + BODY_BYTES_MAX + 1 + 4 + NODES_MAX * (2 + 16);

/// A message on a link: who says it, what, and the proof.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Who claims to have sent it. Worth nothing before the authenticator, or the link, has confirmed it.
    pub from: Peer,
    /// Whether a monitor let it out.
    pub vouched: bool,
    /// The encoded message.
    pub body: Bytes,
    /// The proof of origin of all the rest.
    pub authenticator: Authenticator,
}

/// What stands before the body in everything that a frame's authenticator is over.
///
/// ```text
/// label | version u8 | kind of sender u8 | its number u64 | vouched u8 | what follows u8
/// ```
///
/// Always as long, so that it cannot be mistaken where it ends. What follows is the body (0) or its digest (1), so that one is never
/// taken for the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head([u8; HEAD_BYTES]);

/// Says that it is a frame that is proven.
const LABEL: &[u8; 15] = b"varangian frame";

const HEAD_BYTES: usize = LABEL.len() + 12;

/// A MAC is over the body itself up to so many bytes, and over its digest beyond: a long body is hashed once, for however many receivers.
const WHOLE_BYTES_MAX: usize = 1024;

/// The bytes that a signature on a frame is over: a [`Head`] and the digest of the body.
pub const SIGNED_BYTES: usize = HEAD_BYTES + 32;

impl Head {
    /// The head of what `from` says.
    #[must_use]
    pub fn new(from: Peer, vouched: bool) -> Head {
        let (kind, number) = match from {
            Peer::Node(node) => (0, u64::from(node.0)),
            Peer::Client(client) => (1, client.0),
        };
        let mut head = [0; HEAD_BYTES];
        let (label, rest) = head.split_at_mut(LABEL.len());
        label.copy_from_slice(LABEL);
        rest[0] = VERSION;
        rest[1] = kind;
        rest[2..10].copy_from_slice(&number.to_le_bytes());
        rest[10] = u8::from(vouched);
        Head(head)
    }

    /// What a MAC on a frame with this head and `body` is over.
    #[must_use]
    pub fn covering(mut self, body: &[u8]) -> Covered<'_> {
        if body.len() <= WHOLE_BYTES_MAX {
            return Covered { head: self, body: Stood::Whole(body) };
        }
        self.before_digest();
        Covered { head: self, body: Stood::For(Digest::of_bytes(body)) }
    }

    fn before_digest(&mut self) {
        self.0[HEAD_BYTES - 1] = 1;
    }

    /// What a signature on a frame with this head and `body` is over. It is short, whatever the size of the body, since
    /// most signatures need all that they are over in one piece, and read it twice.
    #[must_use]
    pub fn signed_bytes(mut self, body: &[u8]) -> [u8; SIGNED_BYTES] {
        self.before_digest();
        let mut signed = [0; SIGNED_BYTES];
        signed[..HEAD_BYTES].copy_from_slice(&self.0);
        signed[HEAD_BYTES..].copy_from_slice(&Digest::of_bytes(body).0);
        signed
    }
}

/// What a MAC on a frame is over.
#[derive(Clone, Copy, Debug)]
pub struct Covered<'a> {
    head: Head,
    body: Stood<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Stood<'a> {
    Whole(&'a [u8]),
    For(Digest),
}

impl Covered<'_> {
    /// The same in two parts, one after the other.
    #[must_use]
    pub fn parts(&self) -> [&[u8]; 2] {
        match &self.body {
            Stood::Whole(body) => [&self.head.0, body],
            Stood::For(digest) => [&self.head.0, &digest.0],
        }
    }
}

impl Frame {
    /// The part of it that its authenticator covers beside the body.
    #[must_use]
    pub fn head(&self) -> Head {
        Head::new(self.from, self.vouched)
    }
}

impl Encode for Frame {
    fn encode(&self, to: &mut Vec<u8>) {
        debug_assert!(self.body.len() <= BODY_BYTES_MAX);
        to.push(VERSION);
        self.from.encode(to);
        self.vouched.encode(to);
        encode_length(self.body.len(), to);
        to.extend_from_slice(&self.body);
        self.authenticator.encode(to);
    }
}

impl Decode for Frame {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        match u8::decode(from)? {
            VERSION => {}
            tag => return Err(DecodeError::UnknownTag { of: "frame version", tag }),
        }
        Ok(Frame {
            from: Peer::decode(from)?,
            vouched: bool::decode(from)?,
            body: from.byte_string("body", BODY_BYTES_MAX)?,
            authenticator: Authenticator::decode(from)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Tag;
    use crate::ids::{ClientId, NodeId};

    fn frame() -> Frame {
        Frame {
            from: Peer::Node(NodeId(3)),
            vouched: true,
            body: Bytes::from_static(b"hello"),
            authenticator: Authenticator::Vector(vec![(NodeId(1), Tag([7; 16]))]),
        }
    }

    #[test]
    fn a_frame_survives_the_trip() {
        assert_eq!(Frame::from_bytes(frame().to_bytes()), Ok(frame()));
    }

    /// Bytes on the wire are a promise to nodes of other builds: when this fails, raise [`VERSION`].
    #[test]
    fn the_bytes_of_a_frame_do_not_change_unnoticed() {
        let mut expected = vec![2, 0, 3, 0, 1, 5, 0, 0, 0];
        expected.extend_from_slice(b"hello");
        expected.extend_from_slice(&[2, 1, 0, 0, 0, 1, 0]);
        expected.extend_from_slice(&[7; 16]);
        assert_eq!(frame().to_bytes(), expected);
    }

    /// The same for what proofs are over: all that they must depend on, each in its place.
    #[test]
    fn what_is_proven_does_not_change_unnoticed() {
        let mut expected = b"varangian frame".to_vec();
        expected.extend_from_slice(&[2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
        let head = frame().head();
        for body in [&b"hello"[..], &[7; WHOLE_BYTES_MAX]] {
            assert_eq!(head.covering(body).parts(), [&expected[..], body]);
        }
        *expected.last_mut().expect("a byte") = 1;
        let long = [7; WHOLE_BYTES_MAX + 1];
        assert_eq!(head.covering(&long).parts(), [&expected[..], &Digest::of_bytes(&long).0]);
        expected.extend_from_slice(&Digest::of_bytes(b"hello").0);
        assert_eq!(head.signed_bytes(b"hello")[..], expected);
        let client = Frame { from: Peer::Client(ClientId(3)), ..frame() };
        assert_ne!(client.head(), head);
    }

    #[test]
    fn no_frame_is_larger_than_a_frame_can_be() {
        let tags = (0..NODES_MAX as u16).map(|node| (NodeId(node), Tag([7; 16]))).collect();
        let largest = Frame {
            from: Peer::Client(ClientId(u64::MAX)),
            vouched: true,
            body: Bytes::from(vec![0; BODY_BYTES_MAX]),
            authenticator: Authenticator::Vector(tags),
        };
        assert_eq!(largest.to_bytes().len(), FRAME_BYTES_MAX);
    }

    #[test]
    fn another_version_is_refused_by_name() {
        let mut bytes = frame().to_bytes().to_vec();
        bytes[0] = 9;
        assert_eq!(
            Frame::from_bytes(Bytes::from(bytes)),
            Err(DecodeError::UnknownTag { of: "frame version", tag: 9 })
        );
    }
}
