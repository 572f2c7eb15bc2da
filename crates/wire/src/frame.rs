//! A message on a link.
//!
//! ```text
//! version u8 | sender | vouched u8 | body length u32 | body | authenticator
//! ```
//!
//! `vouched` says that a monitor let the message out. The process that owns the link writes it, never the replica.
//! The authenticator covers the body; the sender it names is the one whose key it was made with. What is inside the
//! body is the protocol's business.

use crate::auth::Authenticator;
use crate::encode::{Decode, DecodeError, Encode, Reader, encode_length};
use crate::ids::Peer;
use bytes::Bytes;

/// The version of everything in this crate. A peer of another version is refused by name, not misread.
pub const VERSION: u8 = 1;

/// Bytes of a body at most. A frame that announces more is refused before it is read.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// A message on a link: who says it, what, and the proof.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Who claims to have sent it. Worth nothing before the authenticator, or the link, has confirmed it.
    pub from: Peer,
    /// Whether a monitor let it out.
    pub vouched: bool,
    /// The encoded message.
    pub body: Bytes,
    /// The proof of origin over the body.
    pub authenticator: Authenticator,
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
    use crate::ids::NodeId;

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
        let mut expected = vec![1, 0, 3, 0, 1, 5, 0, 0, 0];
        expected.extend_from_slice(b"hello");
        expected.extend_from_slice(&[2, 1, 0, 0, 0, 1, 0]);
        expected.extend_from_slice(&[7; 16]);
        assert_eq!(frame().to_bytes(), expected);
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
