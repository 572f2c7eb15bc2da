//! How many replicas answer a station at the cost of one: the *speaker* says what came out, the others that they would have said so too.
//!
//! A station's REQUESTs name a speaker. Upon a batch executed at N of `v`, each replica groups the results of the requests that were
//! new, by station and speaker, in the order of the batch (`Answers`):
//!   - where nobody was named, and for a group that is one small result: REPLY, from everybody. So a session that asks alone waits for
//!     one kind of message only, and has its result as early as ever;
//!   - at the speaker: REPLIES(v, N, station, results);
//!   - at everybody else: ASSENT(v, N, station, speaker, count, digest), the digest of those REPLIES.
//!
//! A group that is too large for one REPLIES becomes several, cut by everybody at the same places.
//! A request that was executed before is no part of a group: everybody repeats its REPLY. So a station whose speaker is silent only has
//! to ask again.
//!
//! How a station hears all that is [`crate::station`]'s business.

use crate::Message;
use crate::bundle::BUNDLE_BYTES_MAX;
use crate::request::{BATCH_REQUESTS_MAX, Reply, Request};
use bytes::Bytes;
use std::collections::BTreeMap;
use wire::{
    ClientId, Decode, DecodeError, Digest, Encode, NodeId, Reader, Sequence, Timestamp, View, codec_struct,
};

/// Bytes after which REPLIES is full; one more result may be over it.
pub const REPLIES_BYTES_MAX: usize = BUNDLE_BYTES_MAX / 4;

/// Bytes of a result alone in its group from which on it is assented to, rather than repeated by everybody.
pub const RESULT_BYTES_ASSENTED: usize = 256;

/// Bytes of a result in REPLIES beside the result itself.
const BESIDE_BYTES: usize = 2 + 8 + 4;

/// What came out for one session.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SessionResult {
    /// The session's number at its station.
    pub session: u16,
    /// Which of its requests.
    pub timestamp: Timestamp,
    /// The paper's `r`.
    pub result: Bytes,
}

codec_struct!(SessionResult |from| {
    session,
    timestamp,
    result = from.byte_string("result", crate::request::RESULT_BYTES_MAX),
});

/// REPLIES(v, N, station, results): what many REPLYs of one place would say to the sessions of a station.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Replies {
    /// The configuration that the replica is in.
    pub view: View,
    /// Who leads it.
    pub primary: NodeId,
    /// The place at which the requests were executed.
    pub sequence: Sequence,
    /// Whose sessions.
    pub station: ClientId,
    /// In the order of the batch: at least one.
    pub results: Vec<SessionResult>,
}

impl Replies {
    /// Bytes of the results, with what is written beside each.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.results.iter().map(|told| told.result.len() + BESIDE_BYTES).sum()
    }

    /// One of the results as a REPLY of its own.
    fn reply(&self, told: &SessionResult) -> Reply {
        Reply {
            view: self.view,
            primary: self.primary,
            sequence: self.sequence,
            client: ClientId(self.station.0 + u64::from(told.session)),
            timestamp: told.timestamp,
            result: told.result.clone(),
        }
    }

    /// The same as many REPLYs.
    pub fn replies(&self) -> impl Iterator<Item = Reply> + '_ {
        self.results.iter().map(|told| self.reply(told))
    }

    /// What a replica that would say this says to it, if `speaker` says it.
    #[must_use]
    pub fn assent(&self, speaker: NodeId) -> Assent {
        Assent {
            view: self.view,
            sequence: self.sequence,
            station: self.station,
            speaker,
            count: self.results.len() as u32,
            digest: Digest::of(self),
        }
    }
}

impl Encode for Replies {
    fn encode(&self, to: &mut Vec<u8>) {
        to.reserve(32 + self.bytes());
        self.view.encode(to);
        self.primary.encode(to);
        self.sequence.encode(to);
        self.station.encode(to);
        self.results.encode(to);
    }
}

impl Decode for Replies {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        let (view, primary) = (View::decode(from)?, NodeId::decode(from)?);
        let (sequence, station) = (Sequence::decode(from)?, ClientId::decode(from)?);
        if station != station.station() {
            return Err(DecodeError::Inconsistent { what: "a station with the number of a session" });
        }
        let results: Vec<SessionResult> = from.list("results", BATCH_REQUESTS_MAX)?;
        if results.is_empty() {
            return Err(DecodeError::Inconsistent { what: "REPLIES without a result" });
        }
        Ok(Replies { view, primary, sequence, station, results })
    }
}

/// ASSENT(v, N, station, speaker, count, digest): the sender would have said what the speaker says, if that has this digest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Assent {
    /// The configuration of the REPLIES.
    pub view: View,
    /// Their place. The sender's monitor knows whether it may speak of it.
    pub sequence: Sequence,
    /// Whose sessions.
    pub station: ClientId,
    /// Who says them.
    pub speaker: NodeId,
    /// How many results are in them: so many REPLYs this stands for.
    pub count: u32,
    /// The digest of the REPLIES.
    pub digest: Digest,
}

codec_struct!(Assent | from | { view, sequence, station, speaker, count, digest });

/// What a replica answers to the requests of one batch.
#[derive(Debug)]
pub(crate) struct Answers {
    me: NodeId,
    view: View,
    primary: NodeId,
    sequence: Sequence,
    groups: BTreeMap<(ClientId, NodeId), Vec<Part>>,
    messages: Vec<(ClientId, Message)>,
}

/// REPLIES in the making, and the bytes in it so far.
#[derive(Debug)]
struct Part {
    replies: Replies,
    bytes: usize,
}

impl Part {
    fn is_full(&self) -> bool {
        self.replies.results.len() == BATCH_REQUESTS_MAX || self.bytes >= REPLIES_BYTES_MAX
    }
}

impl Answers {
    /// The answers of `me` to what it executes at `sequence` in `view`, which `primary` leads.
    pub(crate) fn new(me: NodeId, view: View, primary: NodeId, sequence: Sequence) -> Self {
        Answers { me, view, primary, sequence, groups: BTreeMap::new(), messages: Vec::new() }
    }

    /// `result` came out of `request`, which is new.
    pub(crate) fn add(&mut self, request: &Request, result: Bytes) {
        let station = request.client.station();
        let session = (request.client.0 - station.0) as u16;
        let told = SessionResult { session, timestamp: request.timestamp, result };
        let (view, primary, sequence) = (self.view, self.primary, self.sequence);
        let empty = || Replies { view, primary, sequence, station, results: Vec::new() };
        let Some(speaker) = request.speaker else {
            return self.messages.push((request.client, Message::Reply(empty().reply(&told))));
        };
        let parts = self.groups.entry((station, speaker)).or_default();
        let bytes = told.result.len() + BESIDE_BYTES;
        match parts.last_mut().filter(|part| !part.is_full()) {
            Some(part) => {
                part.bytes += bytes;
                part.replies.results.push(told);
            }
            None => parts.push(Part { replies: Replies { results: vec![told], ..empty() }, bytes }),
        }
    }

    /// What to say, and to whom: a client, or a station.
    pub(crate) fn messages(self) -> Vec<(ClientId, Message)> {
        let mut messages = self.messages;
        for ((station, speaker), parts) in self.groups {
            for Part { replies, .. } in parts {
                messages.push(match &replies.results[..] {
                    [told] if told.result.len() < RESULT_BYTES_ASSENTED => {
                        let reply = replies.reply(told);
                        (reply.client, Message::Reply(reply))
                    }
                    _ if speaker == self.me => (station, Message::Replies(replies)),
                    _ => (station, Message::Assent(replies.assent(speaker))),
                });
            }
        }
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::RESULT_BYTES_MAX;

    const STATION: ClientId = ClientId(7 << ClientId::SESSION_BITS);
    const P0: NodeId = NodeId(0);
    const P1: NodeId = NodeId(1);

    fn request(client: u64, speaker: Option<NodeId>) -> Request {
        let operation = Bytes::from_static(b"put");
        Request { client: ClientId(client), timestamp: Timestamp(5), operation, speaker, signature: None }
    }

    /// What `me` answers to these requests, each with a result of so many bytes.
    fn answers(me: NodeId, requests: &[(u64, Option<NodeId>, usize)]) -> Vec<(ClientId, Message)> {
        let mut answers = Answers::new(me, View(1), P0, Sequence(9));
        for (client, speaker, bytes) in requests {
            answers.add(&request(*client, *speaker), Bytes::from(vec![7; *bytes]));
        }
        answers.messages()
    }

    fn said(me: NodeId, requests: &[(u64, Option<NodeId>, usize)]) -> Vec<(ClientId, &'static str)> {
        answers(me, requests).into_iter().map(|(to, message)| (to, message.name())).collect()
    }

    #[test]
    fn the_speaker_says_what_the_others_assent_to() {
        let group = [(STATION.0 + 2, Some(P0), 4), (STATION.0 + 1, Some(P0), 4)];
        let [(to, Message::Replies(replies))] = &answers(P0, &group)[..] else { panic!("one REPLIES") };
        assert_eq!(*to, STATION);
        let told: Vec<u16> = replies.results.iter().map(|told| told.session).collect();
        assert_eq!(told, [2, 1], "in the order of the batch");
        assert_eq!(answers(P1, &group), [(STATION, Message::Assent(replies.assent(P0)))]);
    }

    #[test]
    fn one_small_result_alone_is_replied_by_everybody_and_so_is_one_for_which_nobody_speaks() {
        let own = ClientId(STATION.0 + 1);
        for me in [P0, P1] {
            assert_eq!(said(me, &[(own.0, Some(P0), 4)]), [(own, "REPLY")]);
            assert_eq!(said(me, &[(own.0, None, 4), (own.0 + 1, None, 4)]).len(), 2);
        }
        let large = [(own.0, Some(P0), RESULT_BYTES_ASSENTED)];
        assert_eq!(said(P0, &large), [(STATION, "REPLIES")]);
        assert_eq!(said(P1, &large), [(STATION, "ASSENT")]);
    }

    #[test]
    fn stations_and_speakers_are_kept_apart() {
        let other = 8 << ClientId::SESSION_BITS;
        let requests: Vec<(u64, Option<NodeId>, usize)> = (1..=2)
            .flat_map(|session| {
                [(STATION.0, P0), (STATION.0 + 2, P1), (other, P0)]
                    .map(|(of, speaker)| (of + session, Some(speaker), 4))
            })
            .collect();
        let station = |number: u64| ClientId(number << ClientId::SESSION_BITS);
        assert_eq!(
            said(P0, &requests),
            [(station(7), "REPLIES"), (station(7), "ASSENT"), (station(8), "REPLIES")]
        );
    }

    #[test]
    fn a_group_that_is_too_large_is_cut_by_everybody_alike() {
        let many: Vec<(u64, Option<NodeId>, usize)> =
            (1..=9).map(|session| (STATION.0 + session, Some(P0), RESULT_BYTES_MAX)).collect();
        let (said, assented) = (answers(P0, &many), answers(P1, &many));
        assert!(said.len() > 1);
        for ((_, said), (_, assented)) in said.iter().zip(&assented) {
            let Message::Replies(replies) = said else { panic!("{} is no REPLIES", said.name()) };
            assert!(replies.bytes() < REPLIES_BYTES_MAX + RESULT_BYTES_MAX + BESIDE_BYTES);
            assert_eq!(*assented, Message::Assent(replies.assent(P0)));
        }
        let results: usize = said.iter().map(|(_, message)| results_in(message)).sum();
        assert_eq!((results, said.len()), (9, assented.len()));
    }

    fn results_in(message: &Message) -> usize {
        match message {
            Message::Replies(replies) => replies.results.len(),
            _ => 0,
        }
    }

    #[test]
    fn replies_are_read_back_and_what_is_none_is_refused() {
        let group = [(STATION.0 + 2, Some(P0), 4), (STATION.0 + 1, Some(P0), 4)];
        let [(_, Message::Replies(replies))] = &answers(P0, &group)[..] else { panic!("one REPLIES") };
        for message in [Message::Replies(replies.clone()), Message::Assent(replies.assent(P0))] {
            assert_eq!(Message::from_bytes(message.to_bytes()), Ok(message));
        }
        let wrong = [
            Replies { station: ClientId(STATION.0 + 1), ..replies.clone() },
            Replies { results: Vec::new(), ..replies.clone() },
        ];
        assert!(wrong.iter().all(|wrong| Replies::from_bytes(wrong.to_bytes()).is_err()));
        let read: Vec<ClientId> = replies.replies().map(|reply| reply.client).collect();
        assert_eq!(read, [ClientId(STATION.0 + 2), ClientId(STATION.0 + 1)]);
    }
}
