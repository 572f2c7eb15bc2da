//! What passes between a guard and its replica when they are two processes: words, each with one canonical encoding.
//!
//! Towards the replica ([`ToReplica`]): messages that the guard lets in, and notices. Towards the guard ([`ToGuard`]): messages
//!   that the replica wants sent, changes of the roster that it executed, now and then how it stands, and at the end, if it
//!   cannot go on, why.
//! Upon a word that does not decode: it is refused by name. No correct replica writes one, so whoever reads it may take the
//!   replica for faulty; it can do no more than that.
//! Upon a message that decodes: it is what any peer could have sent, and the guard judges it as it would within one process.
//!
//! **Bounded.** A word has [`WORD_BYTES_MAX`]; a message of a replica's has [`SENT_BYTES_MAX`], so that it still fits a frame when
//! the guard has put its seals into it.
//!
//! Not here: timers and the disk. Each half has its own clock, and the disk is the replica's alone.

use crate::Message;
use crate::replica::{Destination, Event, Status};
use crate::roster::Signed;
use crate::roster::chain::CHANGES_MAX;
use monitor::Notice;
use wire::frame::{BODY_BYTES_MAX, FRAME_BYTES_MAX};
use wire::{Decode, DecodeError, Digest, Encode, Peer, Reader, Text, codec_struct};

/// Bytes of a word beside its message, at most.
const BESIDE_BYTES: usize = 16;

/// Bytes of a word at most.
pub const WORD_BYTES_MAX: usize = BODY_BYTES_MAX + BESIDE_BYTES;

/// Bytes of a reason at most.
pub const WHY_BYTES_MAX: usize = 1 << 10;

/// Room for the seals that a guard puts into a message.
const SEALS_BYTES: usize = 256;

/// Bytes of a message that a replica wants sent, at most.
pub const SENT_BYTES_MAX: usize = BODY_BYTES_MAX - SEALS_BYTES;

const _: () = assert!(WORD_BYTES_MAX <= FRAME_BYTES_MAX, "a word travels as frames do");

/// A word of the guard's.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ToReplica {
    /// A message came that the guard let in.
    Message {
        /// Who sent it, which the guard has checked.
        from: Peer,
        /// What it says.
        message: Message,
    },
    /// The monitor has a word for the replica.
    Notice(Notice),
}

/// A word of the replica's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ToGuard {
    /// It wants this sent.
    Send {
        /// To whom.
        to: Destination,
        /// What.
        message: Message,
    },
    /// How it stands, for people.
    Standing(Standing),
    /// It executed these changes of the roster, in this order. Each carries the word of an operator; the guard checks it.
    Changes(Vec<Signed>),
    /// It cannot go on, and why: its last word.
    Ends(Text<WHY_BYTES_MAX>),
}

/// What a replica did, in numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Tally {
    /// Batches executed.
    pub batches: u64,
    /// Requests applied.
    pub requests: u64,
    /// Checkpoints that became stable.
    pub checkpoints: u64,
    /// States taken over from elsewhere.
    pub restores: u64,
    /// Messages not acted upon.
    pub refused: u64,
}

/// How a replica's log stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct LogStanding {
    /// Writes that it has taken since it was made.
    pub writes: u64,
    /// Those of them that may not survive a loss of power yet.
    pub unsynced: u64,
    /// Files that are needed.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// How a replica stands, by its own word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Where it is.
    pub status: Status,
    /// What it did.
    pub tally: Tally,
    /// Its log.
    pub log: LogStanding,
}

impl ToReplica {
    /// The word for an event that a guard delivers; nothing for one that it does not.
    #[must_use]
    pub fn from_event(event: Event) -> Option<ToReplica> {
        match event {
            Event::Message { from, message } => Some(ToReplica::Message { from, message }),
            Event::Notice(notice) => Some(ToReplica::Notice(notice)),
            Event::Started | Event::Timer(_) | Event::Durable(_) => None,
        }
    }
}

impl From<ToReplica> for Event {
    fn from(word: ToReplica) -> Event {
        match word {
            ToReplica::Message { from, message } => Event::Message { from, message },
            ToReplica::Notice(notice) => Event::Notice(notice),
        }
    }
}

impl Encode for ToReplica {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            ToReplica::Message { from, message } => {
                to.push(0);
                from.encode(to);
                message.encode(to);
            }
            ToReplica::Notice(notice) => {
                to.push(1);
                encode_notice(notice, to);
            }
        }
    }
}

impl Decode for ToReplica {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        match u8::decode(from)? {
            0 => Ok(ToReplica::Message { from: Peer::decode(from)?, message: Message::decode(from)? }),
            1 => decode_notice(from).map(ToReplica::Notice),
            tag => Err(DecodeError::UnknownTag { of: "word to a replica", tag }),
        }
    }
}

impl Encode for ToGuard {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            ToGuard::Send { to: whom, message } => {
                to.push(0);
                whom.encode(to);
                message.encode(to);
            }
            ToGuard::Standing(standing) => {
                to.push(1);
                standing.encode(to);
            }
            ToGuard::Changes(changes) => {
                to.push(2);
                changes.encode(to);
            }
            ToGuard::Ends(why) => {
                to.push(3);
                why.encode(to);
            }
        }
    }
}

impl Decode for ToGuard {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        match u8::decode(from)? {
            0 => {
                let to = Destination::decode(from)?;
                let start = from.position();
                let message = Message::decode(from)?;
                let bytes = from.position() - start;
                if bytes > SENT_BYTES_MAX {
                    let (found, limit) = (bytes as u64, SENT_BYTES_MAX as u64);
                    return Err(DecodeError::OverLimit { field: "message to send", found, limit });
                }
                Ok(ToGuard::Send { to, message })
            }
            1 => Standing::decode(from).map(ToGuard::Standing),
            2 => from.list("changes", CHANGES_MAX).map(ToGuard::Changes),
            3 => Text::decode(from).map(ToGuard::Ends),
            tag => Err(DecodeError::UnknownTag { of: "word to a guard", tag }),
        }
    }
}

codec_struct!(Standing |from| { status, tally, log });
codec_struct!(LogStanding |from| { writes, unsynced, segments, bytes });
codec_struct!(Tally |from| { batches, requests, checkpoints, restores, refused });
codec_struct!(Status |from| { view, primary, normal, executed, stable, state = Digest::decode(from), sessions });

impl Encode for Destination {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Destination::Peer(peer) => {
                to.push(0);
                peer.encode(to);
            }
            Destination::Members => to.push(1),
        }
    }
}

impl Decode for Destination {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        match u8::decode(from)? {
            0 => Peer::decode(from).map(Destination::Peer),
            1 => Ok(Destination::Members),
            tag => Err(DecodeError::UnknownTag { of: "destination", tag }),
        }
    }
}

/// The monitor knows nothing of encodings.
fn encode_notice(notice: &Notice, to: &mut Vec<u8>) {
    match notice {
        Notice::Unmonitored => to.push(0),
        Notice::Reconfigure { target, candidate, prove } => {
            to.push(1);
            target.0.encode(to);
            candidate.encode(to);
            prove.encode(to);
        }
    }
}

fn decode_notice(from: &mut Reader) -> Result<Notice, DecodeError> {
    match u8::decode(from)? {
        0 => Ok(Notice::Unmonitored),
        1 => Ok(Notice::Reconfigure {
            target: monitor::View(u64::decode(from)?),
            candidate: u16::decode(from)?,
            prove: bool::decode(from)?,
        }),
        tag => Err(DecodeError::UnknownTag { of: "notice", tag }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Reply, Request};
    use bytes::Bytes;
    use wire::{ClientId, NodeId, Sequence, Timestamp, View};

    fn request() -> Message {
        let operation = Bytes::from_static(b"put");
        Message::Request(Request {
            client: ClientId(6),
            timestamp: Timestamp(5),
            operation,
            speaker: None,
            signature: None,
        })
    }

    fn reply() -> Message {
        Message::Reply(Reply {
            view: View(1),
            primary: NodeId(1),
            sequence: Sequence(9),
            client: ClientId(6),
            timestamp: Timestamp(5),
            result: Bytes::from_static(b"done"),
        })
    }

    fn to_replica() -> Vec<ToReplica> {
        vec![
            ToReplica::Message { from: Peer::Client(ClientId(6)), message: request() },
            ToReplica::Notice(Notice::Unmonitored),
            ToReplica::Notice(Notice::Reconfigure { target: monitor::View(3), candidate: 2, prove: true }),
        ]
    }

    fn change() -> Signed {
        let (cluster, edition) = (Digest([5; 32]), crate::roster::Edition(1));
        let holder = crate::roster::Holder::Node(NodeId(2));
        let what = crate::roster::What::KeyAdded { identity: Bytes::from_static(b"key") };
        let change = crate::roster::Change { cluster, edition, holder, what };
        Signed { change, operator: 1, signature: wire::Signature([6; 64]) }
    }

    fn to_guard() -> Vec<ToGuard> {
        let status = Status {
            view: View(2),
            primary: NodeId(1),
            normal: true,
            executed: Sequence(8),
            stable: Sequence(4),
            state: Digest([3; 32]),
            sessions: 6,
        };
        let tally = Tally { batches: 1, requests: 2, checkpoints: 3, restores: 4, refused: 5 };
        let log = LogStanding { writes: 9, unsynced: 1, segments: 2, bytes: 4096 };
        vec![
            ToGuard::Send { to: Destination::Peer(Peer::Client(ClientId(6))), message: reply() },
            ToGuard::Send { to: Destination::Members, message: request() },
            ToGuard::Changes(vec![change()]),
            ToGuard::Standing(Standing { status, tally, log }),
            ToGuard::Ends(Text::cut("the disk is full")),
        ]
    }

    #[test]
    fn what_one_half_says_the_other_hears() {
        for word in to_replica() {
            assert_eq!(ToReplica::from_bytes(word.to_bytes()), Ok(word));
        }
        for word in to_guard() {
            assert_eq!(ToGuard::from_bytes(word.to_bytes()), Ok(word));
        }
    }

    #[test]
    fn an_event_of_a_guards_is_a_word_and_back() {
        for word in to_replica() {
            assert_eq!(ToReplica::from_event(word.clone().into()), Some(word));
        }
        assert_eq!(ToReplica::from_event(Event::Started), None, "that is the replica's own");
    }

    #[test]
    fn whatever_a_hacked_replica_writes_is_one_word_or_refused_by_name() {
        let seeds: Vec<Bytes> = to_guard().iter().map(Encode::to_bytes).collect();
        let mut state = 7_u64;
        let mut chance = move |bound: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % bound
        };
        let (mut words, mut refusals) = (0, 0);
        for _ in 0..200_000 {
            let mut bytes = seeds[chance(seeds.len())].to_vec();
            for _ in 0..chance(4) {
                let at = chance(bytes.len().max(1));
                match chance(4) {
                    0 if at < bytes.len() => bytes[at] ^= 1 << chance(8),
                    1 => bytes.truncate(at),
                    2 => bytes.insert(at.min(bytes.len()), chance(256) as u8),
                    _ => bytes.push(chance(256) as u8),
                }
            }
            let bytes = Bytes::from(bytes);
            match ToGuard::from_bytes(bytes.clone()) {
                Ok(word) => {
                    assert_eq!(word.to_bytes(), bytes, "one word, one encoding");
                    words += 1;
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    refusals += 1;
                }
            }
        }
        assert!(
            words > 10_000 && refusals > 10_000,
            "{words} words and {refusals} refusals: too tame or too wild"
        );
    }

    #[test]
    fn the_longest_chain_of_changes_fits_a_word() {
        let identity = Bytes::from(vec![b'x'; crate::roster::change::IDENTITY_BYTES_MAX]);
        let address = Bytes::from(vec![b'x'; crate::roster::change::ADDRESS_BYTES_MAX]);
        let mut largest = change();
        largest.change.what = crate::roster::What::Replaced { identity, address };
        let word = ToGuard::Changes(vec![largest; CHANGES_MAX]);
        assert!(word.to_bytes().len() <= WORD_BYTES_MAX, "{}", word.to_bytes().len());
    }

    #[test]
    fn the_largest_that_a_client_may_send_still_fits() {
        let one = |timestamp| Request {
            client: ClientId(6),
            timestamp: Timestamp(timestamp),
            operation: Bytes::from(vec![0; 60 << 10]),
            speaker: None,
            signature: None,
        };
        let mut bundle = crate::bundle::Gathering::default();
        let mut full = None;
        for timestamp in 0..64 {
            full = full.or(bundle.add(Message::Request(one(timestamp))));
        }
        let message = full.expect("it is full before that");
        let word = ToReplica::Message { from: Peer::Client(ClientId(6)), message };
        assert!(word.to_bytes().len() <= WORD_BYTES_MAX);
        assert_eq!(ToReplica::from_bytes(word.to_bytes()), Ok(word));
    }
}
