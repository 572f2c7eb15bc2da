//! A capture: what passed between some nodes and their links, one passage after the other, for somebody who audits it.
//!
//! ```text
//! "varangian capture\n" | version u8 | length u32 | settings | { length u32 | passage }
//! ```
//!
//! What is heard in it was authenticated when it was captured, by somebody who had the node's keys: a frame that the node's
//! door refused was not heard. So an audit needs no keys.
//!
//! A capture begins where the cluster began. The moments of one node are those of one clock and never go back; two nodes'
//! clocks have nothing to do with each other. The passages of one node stand in the order in which it saw them, since
//! that is what fairness is about.
//!
//! What ends in the middle of a passage was cut off: what stands before it is whole. Reading and writing is an edge's
//! business; here are the bytes.

use crate::settings::Settings;
use bytes::Bytes;
use wire::encode::encode_length;
use wire::frame::FRAME_BYTES_MAX;
use wire::{Decode, DecodeError, Encode, NodeId, Peer, Reader, Time, codec_struct};

/// What every capture begins with.
pub const MAGIC: [u8; 18] = *b"varangian capture\n";

/// The version of the format.
pub const VERSION: u8 = 1;

/// Bytes of a piece (the settings, a passage) at most.
pub const PIECE_BYTES_MAX: usize = FRAME_BYTES_MAX + 64;

/// What passed at a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// Nothing: whoever captured was there. At the beginning, at the end, and now and then, so that silence can be told
    /// from the end of the capture.
    Nothing,
    /// A frame reached the node.
    Heard {
        /// From the other end of the link.
        from: Peer,
        /// The frame, which passed the node's door.
        frame: Bytes,
    },
    /// The node put a frame on a link.
    Said {
        /// To the other end of the link.
        to: Peer,
        /// The frame.
        frame: Bytes,
    },
}

/// Something passed at a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passage {
    /// When, by the node's clock.
    pub at: Time,
    /// At which node.
    pub node: NodeId,
    /// What.
    pub what: What,
}
codec_struct!(Passage |from| { at, node, what });

impl Encode for What {
    fn encode(&self, to: &mut Vec<u8>) {
        let (tag, peer, frame) = match self {
            What::Nothing => return to.push(0),
            What::Heard { from, frame } => (1, from, frame),
            What::Said { to, frame } => (2, to, frame),
        };
        to.push(tag);
        peer.encode(to);
        frame.encode(to);
    }
}

impl Decode for What {
    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        let tag = u8::decode(reader)?;
        if tag == 0 {
            return Ok(What::Nothing);
        }
        let peer = Peer::decode(reader)?;
        let frame = reader.byte_string("frame", FRAME_BYTES_MAX)?;
        match tag {
            1 => Ok(What::Heard { from: peer, frame }),
            2 => Ok(What::Said { to: peer, frame }),
            tag => Err(DecodeError::UnknownTag { of: "passage", tag }),
        }
    }
}

/// The beginning of a capture of a cluster that is set like this.
#[must_use]
pub fn beginning(settings: &Settings) -> Vec<u8> {
    let mut to = MAGIC.to_vec();
    to.push(VERSION);
    piece(settings, &mut to);
    to
}

/// Appends a piece: its length, and it.
pub fn piece(value: &impl Encode, to: &mut Vec<u8>) {
    let bytes = value.to_bytes();
    debug_assert!(bytes.len() <= PIECE_BYTES_MAX);
    encode_length(bytes.len(), to);
    to.extend_from_slice(&bytes);
}

/// What the length before a piece says, if that can be.
pub fn piece_length(prefix: [u8; 4]) -> Result<usize, DecodeError> {
    let found = u32::from_le_bytes(prefix);
    match usize::try_from(found) {
        Ok(length) if length <= PIECE_BYTES_MAX => Ok(length),
        _ => Err(DecodeError::OverLimit {
            field: "length of a piece",
            found: u64::from(found),
            limit: PIECE_BYTES_MAX as u64,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Protocol;
    use wire::ClientId;

    const FRAME: Bytes = Bytes::from_static(b"a frame");

    fn passage(what: What) -> Passage {
        Passage { at: Time(7), node: NodeId(2), what }
    }

    #[test]
    fn what_is_captured_is_read_back() {
        let settings = Settings::new(Protocol::ByzId, 1);
        let passages = [
            passage(What::Nothing),
            passage(What::Heard { from: Peer::Client(ClientId(3)), frame: FRAME }),
            passage(What::Said { to: Peer::Node(NodeId(1)), frame: FRAME }),
        ];
        let mut capture = beginning(&settings);
        for passage in &passages {
            piece(passage, &mut capture);
        }
        let mut reader = Reader::new(Bytes::from(capture));
        assert_eq!(reader.array(), Ok(MAGIC));
        assert_eq!(u8::decode(&mut reader), Ok(VERSION));
        let mut next = || {
            let length = piece_length(reader.array().expect("a length")).expect("it is within the limit");
            reader.take(length).expect("a whole piece")
        };
        assert_eq!(Settings::from_bytes(next()), Ok(settings));
        for passage in passages {
            assert_eq!(Passage::from_bytes(next()), Ok(passage));
        }
        assert_eq!(reader.left(), 0);
    }

    /// Captures are kept: when this fails, raise [`VERSION`].
    #[test]
    fn the_bytes_of_a_passage_do_not_change_unnoticed() {
        let mut bytes = Vec::new();
        piece(&passage(What::Said { to: Peer::Node(NodeId(1)), frame: FRAME }), &mut bytes);
        let mut expected = vec![25, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 1, 0, 7, 0, 0, 0];
        expected.extend_from_slice(b"a frame");
        assert_eq!(bytes, expected);
    }

    #[test]
    fn the_largest_frame_fits_a_piece_and_a_larger_piece_is_refused_by_its_length() {
        let frame = Bytes::from(vec![0; FRAME_BYTES_MAX]);
        let largest = passage(What::Heard { from: Peer::Client(ClientId(u64::MAX)), frame });
        let bytes = largest.to_bytes();
        assert!(bytes.len() <= PIECE_BYTES_MAX);
        assert_eq!(Passage::from_bytes(bytes), Ok(largest));
        assert!(piece_length((PIECE_BYTES_MAX as u32 + 1).to_le_bytes()).is_err());
    }
}
