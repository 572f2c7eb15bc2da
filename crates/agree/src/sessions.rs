//! What the state machine last answered each session, as much of it as there is room for.
//!
//! Upon a request: [`Standing`] says whether it is new, was answered, or is older than what was answered; and of one that
//!   nobody remembers, whether it can have been answered.
//! Upon an answer: the session keeps it, in the place of the one before.
//! Upon a batch: if there are more bytes than there is room for, sessions are forgotten until an eighth of the room is free. Each
//!   identity keeps as much as every other may; of one that has more, those go that have asked for nothing for longest. Its
//!   **floor**, the greatest timestamp that was forgotten, stays.
//!
//! A request of a session that is not here, at or under its identity's floor, may be one that was executed and forgotten. It is not
//! executed (again): its answer is [`FORGOTTEN`]. One above the floor is new for certain. So a client whose timestamps go with the
//! calendar begins sessions as often as it likes, and one that begins very many, or uses the greatest timestamp there is, harms nobody but
//! itself.
//!
//! All of this is part of the state that is agreed on: who is forgotten, and when, follows from the order of requests alone.

use crate::request::{BATCH_REQUESTS_MAX, RESULT_BYTES_MAX};
use bytes::Bytes;
use core::cmp::Reverse;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use wire::{ClientId, Decode, DecodeError, Encode, Reader, Sequence, Timestamp, codec_struct};

/// The result of a request that may have been executed and forgotten: nobody knows any more.
pub const FORGOTTEN: &[u8] = b"refused: this session was forgotten";

/// The result that the first request of one identity too many gets.
pub const TOO_MANY_CLIENTS: &[u8] = b"refused: there are too many clients";

/// Identities that ever asked for something, at most. A roster names far fewer.
pub const IDENTITIES_MAX: usize = 65_536;

/// What a session counts beside the bytes of its result: about what it costs in memory.
pub const SESSION_BYTES: usize = 128;

/// The most bytes of sessions that a cluster can be set to remember.
pub const SESSIONS_BYTES_MAX: usize = 256 << 20;

/// Sessions are forgotten before a batch, so there may be as many bytes more as one batch brings.
pub const SESSIONS_BYTES_PEAK: usize =
    SESSIONS_BYTES_MAX + BATCH_REQUESTS_MAX * (SESSION_BYTES + RESULT_BYTES_MAX);

/// Where a request stands with respect to what was executed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Not executed, and no later request of the session either.
    New,
    /// The last one executed of its session: this was the answer.
    Answered {
        /// Where it was executed.
        sequence: Sequence,
        /// What came out.
        result: Bytes,
    },
    /// The session has since had a later request executed.
    Outdated,
    /// It will not be executed, since it may have been.
    Forgotten,
    /// It will not be executed: nobody of its identity ever asked for anything, and [`IDENTITIES_MAX`] others did.
    TooMany,
}

/// What was last answered to a session.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Session {
    pub(crate) client: ClientId,
    pub(crate) timestamp: Timestamp,
    pub(crate) sequence: Sequence,
    pub(crate) result: Bytes,
}

codec_struct!(Session |from| {
    client,
    timestamp,
    sequence,
    result = from.byte_string("result", RESULT_BYTES_MAX),
});

impl Session {
    fn bytes(&self) -> usize {
        SESSION_BYTES + self.result.len()
    }
}

/// The sessions of one identity.
#[derive(Clone, Hash, Debug, Default)]
struct Identity {
    /// Every request up to this timestamp may have been executed and forgotten.
    floor: Timestamp,
    sessions: BTreeMap<ClientId, Session>,
    bytes: usize,
}

/// The sessions of all.
///
/// Invariant: `bytes` is the sum over all identities, and each of theirs is the sum over their sessions.
#[derive(Clone, Hash, Debug)]
pub(crate) struct Sessions {
    identities: BTreeMap<u32, Identity>,
    bytes: usize,
    bytes_max: usize,
}

impl Sessions {
    /// None yet, and room for `bytes_max` bytes.
    pub(crate) fn new(bytes_max: usize) -> Self {
        assert!(bytes_max <= SESSIONS_BYTES_MAX, "settings keep within the limit");
        Sessions { identities: BTreeMap::new(), bytes: 0, bytes_max }
    }

    /// Where the request `timestamp` of `client` stands.
    pub(crate) fn standing(&self, client: ClientId, timestamp: Timestamp) -> Standing {
        let Some(identity) = self.identities.get(&client.identity()) else {
            return if self.identities.len() < IDENTITIES_MAX { Standing::New } else { Standing::TooMany };
        };
        match identity.sessions.get(&client) {
            None if timestamp <= identity.floor => Standing::Forgotten,
            None => Standing::New,
            Some(session) if session.timestamp < timestamp => Standing::New,
            Some(session) if session.timestamp == timestamp => {
                Standing::Answered { sequence: session.sequence, result: session.result.clone() }
            }
            Some(_) => Standing::Outdated,
        }
    }

    /// Answers the request `timestamp` of `client` by `apply`, at `sequence`, and keeps what comes out; nothing if it is not new.
    pub(crate) fn answer(
        &mut self,
        client: ClientId,
        timestamp: Timestamp,
        sequence: Sequence,
        apply: impl FnOnce() -> Bytes,
    ) -> Option<Bytes> {
        let identities = self.identities.len();
        let identity = match self.identities.entry(client.identity()) {
            Entry::Vacant(_) if identities >= IDENTITIES_MAX => return None,
            entry => entry.or_default(),
        };
        let floor = identity.floor;
        let (bytes, before, result) = match identity.sessions.entry(client) {
            Entry::Vacant(_) if timestamp <= floor => return None,
            Entry::Vacant(none) => {
                let result = apply();
                let session = Session { client, timestamp, sequence, result: result.clone() };
                (none.insert(session).bytes(), 0, result)
            }
            Entry::Occupied(session) => {
                let session = session.into_mut();
                let again = session.timestamp == timestamp && defect!(SessionsIgnored);
                if session.timestamp >= timestamp && !again {
                    return None;
                }
                let before = session.bytes();
                let result = apply();
                (session.timestamp, session.sequence, session.result) = (timestamp, sequence, result.clone());
                (session.bytes(), before, result)
            }
        };
        identity.bytes = identity.bytes + bytes - before;
        self.bytes = self.bytes + bytes - before;
        Some(result)
    }

    /// Keeps a session that was read back.
    fn keep(&mut self, session: Session) {
        let (client, timestamp, sequence) = (session.client, session.timestamp, session.sequence);
        self.answer(client, timestamp, sequence, || session.result);
    }

    /// Forgets as many sessions as it takes to have room, if there is none.
    pub(crate) fn make_room(&mut self) {
        if self.bytes <= self.bytes_max {
            return;
        }
        let share = self.share(self.bytes_max - self.bytes_max / 8);
        for identity in self.identities.values_mut() {
            self.bytes -= identity.forget_down_to(share);
        }
        debug_assert!(self.bytes <= self.bytes_max);
    }

    /// The most bytes that each identity can keep if all together are to keep no more than `room`.
    fn share(&self, room: usize) -> usize {
        let mut each: Vec<usize> = self.identities.values().map(|identity| identity.bytes).collect();
        each.sort_unstable();
        let (mut left, mut others) = (room, each.len());
        for bytes in each {
            if bytes * others > left {
                return left / others;
            }
            left -= bytes;
            others -= 1;
        }
        room
    }

    fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.identities.values().flat_map(|identity| identity.sessions.values())
    }

    /// How many sessions are remembered.
    pub(crate) fn count(&self) -> usize {
        self.identities.values().map(|identity| identity.sessions.len()).sum()
    }

    /// The same with nothing remembered.
    pub(crate) fn emptied(&self) -> Sessions {
        Sessions::new(self.bytes_max)
    }

    /// As bytes.
    pub(crate) fn to_image(&self) -> Image {
        Image {
            floors: self
                .identities
                .iter()
                .map(|(number, identity)| Floor { number: *number, floor: identity.floor })
                .collect(),
            sessions: self.sessions().cloned().collect(),
        }
    }

    /// From bytes, with room for as much as these have.
    pub(crate) fn of_image(&self, image: Image) -> Sessions {
        let mut sessions = self.emptied();
        // Floors come last: what is remembered may lie under them.
        image.sessions.into_iter().for_each(|session| sessions.keep(session));
        for Floor { number, floor } in image.floors {
            sessions.identities.entry(number).or_default().floor = floor;
        }
        sessions
    }
}

impl Identity {
    /// Forgets those that have asked for nothing for longest until no more than `share` bytes are left; how many bytes went.
    fn forget_down_to(&mut self, share: usize) -> usize {
        let before = self.bytes;
        if before <= share {
            return 0;
        }
        let mut by_age: Vec<(Reverse<Sequence>, ClientId)> =
            self.sessions.values().map(|session| (Reverse(session.sequence), session.client)).collect();
        by_age.sort_unstable();
        while self.bytes > share
            && let Some((_, client)) = by_age.pop()
            && let Some(session) = self.sessions.remove(&client)
        {
            self.bytes -= session.bytes();
            if !defect!(SessionsFloorless) {
                self.floor = self.floor.max(session.timestamp);
            }
        }
        before - self.bytes
    }
}

/// [`Sessions`] as they travel.
pub(crate) struct Image {
    floors: Vec<Floor>,
    sessions: Vec<Session>,
}

struct Floor {
    number: u32,
    floor: Timestamp,
}

codec_struct!(Floor |from| { number, floor });

impl Encode for Image {
    fn encode(&self, to: &mut Vec<u8>) {
        self.floors.encode(to);
        self.sessions.encode(to);
    }
}

impl Decode for Image {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Image {
            floors: from.list("identities", IDENTITIES_MAX)?,
            sessions: from.list("sessions", SESSIONS_BYTES_PEAK / SESSION_BYTES)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = 8 * SESSION_BYTES;

    fn answered(identity: u32, session: u16, timestamp: u64, sequence: u64) -> Session {
        Session {
            client: ClientId::new(identity, 0, session),
            timestamp: Timestamp(timestamp),
            sequence: Sequence(sequence),
            result: Bytes::new(),
        }
    }

    fn standing(sessions: &Sessions, identity: u32, session: u16, timestamp: u64) -> Standing {
        sessions.standing(ClientId::new(identity, 0, session), Timestamp(timestamp))
    }

    #[test]
    fn those_that_asked_for_nothing_for_longest_are_forgotten_and_never_run_twice() {
        let mut sessions = Sessions::new(ROOM);
        for session in 1..=9 {
            sessions.keep(answered(1, session, 100 + u64::from(session), u64::from(session)));
        }
        assert_eq!(sessions.count(), 9);
        sessions.make_room();
        assert_eq!(sessions.count(), 7, "an eighth of the room is free");
        for session in 1..=2 {
            let timestamp = 100 + u64::from(session);
            assert_eq!(standing(&sessions, 1, session, timestamp), Standing::Forgotten);
            assert_eq!(standing(&sessions, 1, session, 103), Standing::New, "it cannot have been executed");
        }
        assert_eq!(
            standing(&sessions, 1, 10, 102),
            Standing::Forgotten,
            "nobody knows about this one either"
        );
        assert!(matches!(standing(&sessions, 1, 3, 103), Standing::Answered { .. }));
        assert_eq!(standing(&sessions, 1, 3, 102), Standing::Outdated);
    }

    #[test]
    fn who_has_many_sessions_or_odd_timestamps_harms_nobody_else() {
        let mut sessions = Sessions::new(ROOM);
        sessions.keep(answered(2, 1, 5, 1));
        for sequence in 2..1_000 {
            sessions.keep(answered(1, sequence as u16, u64::MAX, sequence));
            sessions.make_room();
            assert!(sessions.bytes <= ROOM);
        }
        assert!(matches!(standing(&sessions, 2, 1, 5), Standing::Answered { .. }), "older than all others");
        assert_eq!(standing(&sessions, 2, 2, 1), Standing::New);
        assert_eq!(standing(&sessions, 1, 2, 7), Standing::Forgotten);
    }

    #[test]
    fn a_result_counts_its_bytes() {
        let mut sessions = Sessions::new(ROOM);
        let large = Session { result: vec![0; ROOM].into(), ..answered(1, 1, 1, 1) };
        sessions.keep(large);
        sessions.keep(answered(2, 1, 1, 2));
        sessions.make_room();
        assert_eq!((sessions.count(), sessions.bytes), (1, SESSION_BYTES));
    }

    #[test]
    fn a_session_that_asks_again_counts_once() {
        let mut sessions = Sessions::new(ROOM);
        for timestamp in 1..100 {
            sessions.keep(answered(1, 1, timestamp, timestamp));
        }
        assert_eq!((sessions.count(), sessions.bytes), (1, SESSION_BYTES));
    }

    #[test]
    fn floors_and_sessions_survive_the_trip() {
        let mut sessions = Sessions::new(ROOM);
        for session in 1..=9 {
            sessions.keep(answered(1, session, 100, u64::from(session)));
        }
        sessions.make_room();
        let image = Image::from_bytes(sessions.to_image().to_bytes()).expect("it is one");
        let same = sessions.of_image(image);
        assert_eq!(same.bytes, sessions.bytes);
        assert_eq!(same.to_image().to_bytes(), sessions.to_image().to_bytes());
        assert_eq!(standing(&same, 1, 1, 100), Standing::Forgotten);
    }

    #[test]
    fn one_identity_too_many_is_told_so() {
        let mut sessions = Sessions::new(SESSIONS_BYTES_MAX);
        for identity in 0..IDENTITIES_MAX as u32 {
            sessions.keep(answered(identity, 1, 1, 1));
        }
        assert_eq!(standing(&sessions, IDENTITIES_MAX as u32, 1, 1), Standing::TooMany);
        assert_eq!(standing(&sessions, 1, 2, 1), Standing::New);
    }
}
