//! The messages of Paxos.
//!
//! No message exceeds a frame: ACCEPT carries one batch, which has its own limits; PROMISE and DECIDED are pages of
//! at most [`PAGE_BATCHES_MAX`] batches and [`PAGE_BYTES_MAX`] bytes, or of a single batch.

use crate::request::{BATCH_BYTES_MAX, BATCH_REQUESTS_MAX, Batch};
use wire::frame::BODY_BYTES_MAX;
use wire::{Digest, Sequence, View, codec_enum, codec_struct};

/// Batches in one page at most.
pub const PAGE_BATCHES_MAX: usize = 256;

/// Bytes of the batches in one page at most, unless it holds a single one.
pub const PAGE_BYTES_MAX: usize = 256 << 10;

/// Bytes that a request takes in a page beside its operation, at most: client, timestamp, length, speaker, signature.
pub const REQUEST_BYTES_BESIDE: usize = 8 + 8 + 4 + 3 + 1 + 64;

/// Bytes that a batch takes in a page beside its requests, at most: sequence, view, length.
pub const BATCH_BYTES_BESIDE: usize = 8 + 8 + 4;

/// Bytes of a message beside the batches in it, at most.
const MESSAGE_BYTES_BESIDE: usize = 64;

const _: () = assert!(
    MESSAGE_BYTES_BESIDE + BATCH_BYTES_BESIDE + BATCH_BYTES_MAX + BATCH_REQUESTS_MAX * REQUEST_BYTES_BESIDE
        <= BODY_BYTES_MAX,
    "the largest batch alone fits a frame"
);
const _: () = assert!(MESSAGE_BYTES_BESIDE + PAGE_BYTES_MAX <= BODY_BYTES_MAX, "a page fits a frame");

/// Who would follow me in `view`? Binds nobody.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Canvass {
    /// The ballot that the sender would begin.
    pub view: View,
    /// The last batch that the sender executed.
    pub executed: Sequence,
}
codec_struct!(Canvass |from| { view, executed });

/// I would: I do not hear the present leader either.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Support {
    /// The ballot asked about.
    pub view: View,
}
codec_struct!(Support | from | { view });

/// Phase 1a: promise to accept nothing below `view`, and tell what you accepted after `after`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Prepare {
    /// The ballot.
    pub view: View,
    /// The sender knows everything up to here; after a page, it has that page up to here.
    pub after: Sequence,
}
codec_struct!(Prepare |from| { view, after });

/// What an acceptor accepted at one place.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Proposal {
    /// The place.
    pub sequence: Sequence,
    /// The ballot in which it was accepted.
    pub view: View,
    /// What was accepted.
    pub batch: Batch,
}
codec_struct!(Proposal |from| { sequence, view, batch });

/// Phase 1b: a promise, and one page of what was accepted.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Promise {
    /// The ballot.
    pub view: View,
    /// As in the PREPARE that is answered.
    pub after: Sequence,
    /// The last batch that the sender executed: what it accepted up to here is chosen.
    pub executed: Sequence,
    /// What it accepted after `after`, in order of the places.
    pub accepted: Vec<Proposal>,
    /// Whether it accepted nothing after these.
    pub complete: bool,
}
codec_struct!(Promise |from| {
    view,
    after,
    executed,
    accepted = from.list("proposals of a page", PAGE_BATCHES_MAX),
    complete,
});

/// Phase 2a: accept this batch at this place.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Accept {
    /// The ballot.
    pub view: View,
    /// The place.
    pub sequence: Sequence,
    /// Every place up to here is chosen.
    pub chosen: Sequence,
    /// The batch.
    pub batch: Batch,
}
codec_struct!(Accept |from| { view, sequence, chosen, batch });

/// Phase 2b: accepted, and durably so.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Accepted {
    /// The ballot.
    pub view: View,
    /// The place.
    pub sequence: Sequence,
}
codec_struct!(Accepted |from| { view, sequence });

/// The leader is there.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Heartbeat {
    /// The leader's ballot.
    pub view: View,
    /// Every place up to here is chosen.
    pub chosen: Sequence,
}
codec_struct!(Heartbeat |from| { view, chosen });

/// Your ballot is over: I promised a higher one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Superseded {
    /// The ballot promised.
    pub view: View,
}
codec_struct!(Superseded | from | { view });

/// Tell me what was chosen after `after`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CatchUp {
    /// The last batch that the sender executed.
    pub after: Sequence,
}
codec_struct!(CatchUp | from | { after });

/// One page of what was chosen.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Decided {
    /// As in the CATCH-UP that is answered.
    pub after: Sequence,
    /// The batches at the places after it, in order and without gaps.
    pub batches: Vec<Batch>,
}
codec_struct!(Decided |from| { after, batches = from.list("batches of a page", PAGE_BATCHES_MAX) });

/// I no longer have the batches you ask for. Fetch this checkpoint, which they led to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Truncated {
    /// The place of the sender's last stable checkpoint.
    pub sequence: Sequence,
    /// Its digest.
    pub digest: Digest,
}
codec_struct!(Truncated |from| { sequence, digest });

/// A message between replicas of Paxos.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Message {
    /// Who would follow me?
    Canvass(Canvass),
    /// I would.
    Support(Support),
    /// Phase 1a.
    Prepare(Prepare),
    /// Phase 1b.
    Promise(Promise),
    /// Phase 2a.
    Accept(Accept),
    /// Phase 2b.
    Accepted(Accepted),
    /// The leader lives.
    Heartbeat(Heartbeat),
    /// Your ballot is over.
    Superseded(Superseded),
    /// What did I miss?
    CatchUp(CatchUp),
    /// This.
    Decided(Decided),
    /// More than I still have.
    Truncated(Truncated),
}
codec_enum!(Message {
    0 => Canvass,
    1 => Support,
    2 => Prepare,
    3 => Promise,
    4 => Accept,
    5 => Accepted,
    6 => Heartbeat,
    7 => Superseded,
    8 => CatchUp,
    9 => Decided,
    10 => Truncated,
});

impl Message {
    /// A short name for diagrams and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Message::Canvass(_) => "CANVASS",
            Message::Support(_) => "SUPPORT",
            Message::Prepare(_) => "PREPARE",
            Message::Promise(_) => "PROMISE",
            Message::Accept(_) => "ACCEPT",
            Message::Accepted(_) => "ACCEPTED",
            Message::Heartbeat(_) => "HEARTBEAT",
            Message::Superseded(_) => "SUPERSEDED",
            Message::CatchUp(_) => "CATCH-UP",
            Message::Decided(_) => "DECIDED",
            Message::Truncated(_) => "TRUNCATED",
        }
    }

    /// The ballot that it is about, if it is about one.
    #[must_use]
    pub fn view(&self) -> Option<View> {
        match self {
            Message::Canvass(Canvass { view, .. })
            | Message::Support(Support { view })
            | Message::Prepare(Prepare { view, .. })
            | Message::Promise(Promise { view, .. })
            | Message::Accept(Accept { view, .. })
            | Message::Accepted(Accepted { view, .. })
            | Message::Heartbeat(Heartbeat { view, .. })
            | Message::Superseded(Superseded { view }) => Some(*view),
            Message::CatchUp(_) | Message::Decided(_) | Message::Truncated(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{OPERATION_BYTES_MAX, Request};
    use bytes::Bytes;
    use wire::{ClientId, Decode, DecodeError, Encode, Timestamp};

    fn batch() -> Batch {
        let request = Request {
            client: ClientId(9),
            timestamp: Timestamp(2),
            operation: Bytes::from_static(b"put"),
            speaker: None,
            signature: None,
        };
        Batch::new(vec![request])
    }

    fn every_message() -> Vec<Message> {
        let (view, sequence, executed, after) = (View(3), Sequence(7), Sequence(5), Sequence(4));
        let proposal = Proposal { sequence, view: View(1), batch: batch() };
        vec![
            Message::Canvass(Canvass { view, executed }),
            Message::Support(Support { view }),
            Message::Prepare(Prepare { view, after }),
            Message::Promise(Promise { view, after, executed, accepted: vec![proposal], complete: true }),
            Message::Accept(Accept { view, sequence, chosen: executed, batch: batch() }),
            Message::Accepted(Accepted { view, sequence }),
            Message::Heartbeat(Heartbeat { view, chosen: executed }),
            Message::Superseded(Superseded { view }),
            Message::CatchUp(CatchUp { after }),
            Message::Decided(Decided { after, batches: vec![batch(), Batch::null()] }),
            Message::Truncated(Truncated { sequence, digest: Digest([0xd1; 32]) }),
        ]
    }

    #[test]
    fn every_message_survives_the_trip() {
        for message in every_message() {
            assert_eq!(Message::from_bytes(message.to_bytes()), Ok(message));
        }
    }

    #[test]
    fn a_message_cut_short_is_refused_at_every_length() {
        for message in every_message() {
            let bytes = message.to_bytes();
            for length in 0..bytes.len() {
                assert!(
                    Message::from_bytes(bytes.slice(..length)).is_err(),
                    "{} at {length}",
                    message.name()
                );
            }
        }
    }

    /// Bytes on the wire are a promise to nodes of other builds: when this fails, raise `wire::frame::VERSION`.
    #[test]
    fn the_bytes_of_a_message_do_not_change_unnoticed() {
        let request = "01000000 0900000000000000 0200000000000000 03000000 707574 00 00";
        let expected = [
            "00 0300000000000000 0500000000000000".to_string(),
            "01 0300000000000000".to_string(),
            "02 0300000000000000 0400000000000000".to_string(),
            format!(
                "03 0300000000000000 0400000000000000 0500000000000000 \
                 01000000 0700000000000000 0100000000000000 {request} 01"
            ),
            format!("04 0300000000000000 0700000000000000 0500000000000000 {request}"),
            "05 0300000000000000 0700000000000000".to_string(),
            "06 0300000000000000 0500000000000000".to_string(),
            "07 0300000000000000".to_string(),
            "08 0400000000000000".to_string(),
            format!("09 0400000000000000 02000000 {request} 00000000"),
            format!("0a 0700000000000000 {}", "d1".repeat(32)),
        ];
        for (message, expected) in every_message().iter().zip(expected) {
            let found: String = message.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, expected.replace(' ', ""), "{}", message.name());
        }
    }

    #[test]
    fn a_page_over_its_limit_is_refused() {
        let page = Message::Decided(Decided {
            after: Sequence(0),
            batches: vec![Batch::null(); PAGE_BATCHES_MAX + 1],
        });
        assert!(matches!(Message::from_bytes(page.to_bytes()), Err(DecodeError::OverLimit { .. })));
    }

    #[test]
    fn what_is_said_to_lie_beside_a_request_is_enough() {
        let request = Request {
            client: ClientId(1),
            timestamp: Timestamp(1),
            operation: Bytes::from(vec![0; OPERATION_BYTES_MAX]),
            speaker: Some(wire::NodeId(0)),
            signature: Some(Box::new(wire::Signature([0; 64]))),
        };
        assert_eq!(request.to_bytes().len(), OPERATION_BYTES_MAX + REQUEST_BYTES_BESIDE);
    }
}
