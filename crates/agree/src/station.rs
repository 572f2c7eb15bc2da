//! A client's process: its sessions, each a [`Client`] with one request at a time, behind one link to each node.
//!
//! Upon an operation of a session: its REQUEST is put with the others for the same node.
//! Upon a frame from a node: it must pass the door; each REPLY and BUSY in it goes to its session. What has a result by that is
//!   done.
//! Upon a link that stands: requests whose primary is at its other end are sent again, since they may have been sent into nothing.
//! Upon a retry timer: that session alone sends again, to every node.
//! Upon a result: how long it took is learned. The first retry of later requests waits [`PATIENCE_TIMES`] as long as results have
//!   taken of late: where a thousand sessions keep the nodes busy for longer than a retry timer, sending all again would keep them
//!   busy for good.
//! Upon a flush: what was gathered leaves, one frame for each node ([`Gathering`]).
//!
//! A session's timestamps begin after the one that its opener names. Microseconds of the calendar will do: a process that is
//! started again and takes the same number goes on where the one before cannot have been. A session that was closed is opened
//! again before a new one is, since nodes remember for ever each one that has asked for something.
//!
//! Bounded: at most [`SESSIONS_MAX`] sessions, one request and one timer for each.
//!
//! Not here: who waits for a result, and how long; links.

use crate::Message;
use crate::bundle::Gathering;
use crate::client::{Accepted, Client, ClientEffect, RETRY_AFTER_MAX};
use crate::door::Door;
use crate::replica::Refusal;
use crate::settings::Settings;
use bytes::Bytes;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use wire::{ClientId, Encode, Keys, NodeId, Peer, Time, Timestamp};

/// Sessions of one station at most. The number 0 is the station's own.
pub const SESSIONS_MAX: u16 = u16::MAX;

/// How many times as long as results take the first retry waits.
pub const PATIENCE_TIMES: u32 = 4;

/// A result counts this part of what is known of how long results take.
const LEARNED_PART: u32 = 16;

/// A session of a station: from 1 to [`SESSIONS_MAX`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionNumber(u16);

impl SessionNumber {
    fn place(self) -> usize {
        usize::from(self.0) - 1
    }

    /// The number itself.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }
}

/// A session's operation has a result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Done {
    /// Whose.
    pub session: SessionNumber,
    /// Which.
    pub accepted: Accepted,
}

/// What was asked more than once, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Times that a node had no room for a request, and said BUSY.
    pub busy: u64,
    /// Times that a request was sent again because its retry timer ran out.
    pub retried: u64,
}

#[derive(Clone, Debug)]
struct Session {
    client: Client,
    /// The greatest timestamp that it ever used.
    newest: Timestamp,
    retry: Option<Time>,
    /// When its last operation began.
    began: Time,
    is_open: bool,
}

/// The sessions of one process.
#[derive(Clone)]
pub struct Station<K> {
    station: ClientId,
    settings: Settings,
    door: Door<K>,
    sessions: Vec<Session>,
    closed: Vec<SessionNumber>,
    retries: BTreeSet<(Time, SessionNumber)>,
    /// Who leads, as the session that got a result last has it.
    primary: NodeId,
    /// How long results have taken of late.
    takes: Duration,
    tally: Tally,
    gathered: BTreeMap<NodeId, Gathering>,
    out: Vec<(NodeId, Bytes)>,
    effects: Vec<ClientEffect>,
}

impl<K: Keys> Station<K> {
    /// The station `station` of the cluster that `settings` describe.
    ///
    /// # Panics
    /// If `station` is the name of a session.
    pub fn new(station: ClientId, settings: &Settings, keys: K) -> Self {
        assert_eq!(station, station.station(), "a station has the number of no session");
        let nodes = settings.members.iter().chain(&settings.spares).copied().collect();
        Station {
            station,
            settings: settings.clone(),
            door: Door::new(Peer::Client(station), settings.protocol, nodes, keys),
            sessions: Vec::new(),
            closed: Vec::new(),
            retries: BTreeSet::new(),
            primary: settings.members[0],
            takes: Duration::ZERO,
            tally: Tally::default(),
            gathered: BTreeMap::new(),
            out: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Opens a session whose timestamps come after `newest`; nothing if there are as many as there may be.
    pub fn open(&mut self, newest: Timestamp) -> Option<SessionNumber> {
        if let Some(number) = self.closed.pop() {
            let session = &mut self.sessions[number.place()];
            session.newest = session.newest.max(newest);
            session.client = client_of(self.station, number, &self.settings, session.newest, self.primary);
            session.is_open = true;
            return Some(number);
        }
        let number = u16::try_from(self.sessions.len() + 1).ok().map(SessionNumber)?;
        let client = client_of(self.station, number, &self.settings, newest, self.primary);
        self.sessions.push(Session { client, newest, retry: None, began: Time::ZERO, is_open: true });
        Some(number)
    }

    /// Closes a session. What it has outstanding is given up.
    pub fn close(&mut self, number: SessionNumber) {
        self.give_up(number);
        let session = &mut self.sessions[number.place()];
        if core::mem::take(&mut session.is_open) {
            self.closed.push(number);
        }
    }

    /// What was asked more than once so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Begins an operation of a session.
    ///
    /// # Panics
    /// If the session is closed, or has one outstanding already.
    pub fn submit(&mut self, now: Time, number: SessionNumber, operation: Bytes) -> Timestamp {
        let session = &mut self.sessions[number.place()];
        assert!(session.is_open, "a session that is closed asks for nothing");
        session.began = now;
        session.client.be_patient(self.takes * PATIENCE_TIMES);
        let timestamp = session.client.submit(operation, self.door.keys(), &mut self.effects);
        session.newest = timestamp;
        self.perform(now, number, &mut Vec::new());
        timestamp
    }

    /// Gives up what a session has outstanding, if anything. Whether it is executed, nobody knows.
    pub fn give_up(&mut self, number: SessionNumber) {
        self.sessions[number.place()].client.give_up(&mut self.effects);
        self.perform(Time::ZERO, number, &mut Vec::new());
    }

    /// How many sessions wait for a result.
    #[must_use]
    pub fn waiting(&self) -> usize {
        // Whoever waits has a timer, and nobody else.
        self.retries.len()
    }

    /// The link to `node` stands.
    pub fn reached(&mut self, now: Time, node: NodeId) {
        for place in 0..self.sessions.len() {
            self.sessions[place].client.reached(node, &mut self.effects);
            self.perform(now, SessionNumber(place as u16 + 1), &mut Vec::new());
        }
    }

    /// A frame came over the link to `from`. What is done by that is added to `done`.
    pub fn received(
        &mut self,
        now: Time,
        from: NodeId,
        frame: Bytes,
        done: &mut Vec<Done>,
    ) -> Result<(), Refusal> {
        let opened = self.door.open(Peer::Node(from), frame)?;
        // The door lets a station's own name pass for that of a client; no client answers.
        let from = opened.from.node().ok_or(Refusal::NotAllowed)?;
        let messages = match opened.message {
            Message::Bundle(bundle) => bundle.into_messages(),
            message => vec![message],
        };
        for message in messages {
            let client = match &message {
                Message::Reply(reply) => reply.client,
                Message::Busy(busy) => {
                    self.tally.busy += 1;
                    busy.client
                }
                _ => return Err(Refusal::NotAllowed),
            };
            if let Some(number) = self.session_of(client) {
                self.sessions[number.place()].client.receive(from, message, &mut self.effects);
                self.perform(now, number, done);
            }
        }
        Ok(())
    }

    fn session_of(&self, client: ClientId) -> Option<SessionNumber> {
        let number = u16::try_from(client.0.checked_sub(self.station.0)?).ok()?;
        (1..=self.sessions.len()).contains(&usize::from(number)).then_some(SessionNumber(number))
    }

    /// When [`Station::passed`] is due next.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        self.retries.first().map(|(at, _)| *at)
    }

    /// It is `now`: sessions whose time to try again has come do so.
    pub fn passed(&mut self, now: Time) {
        while let Some((_, number)) = self.retries.first().copied().filter(|(at, _)| *at <= now) {
            self.tally.retried += 1;
            self.sessions[number.place()].client.timeout(&mut self.effects);
            self.perform(now, number, &mut Vec::new());
        }
    }

    /// Adds to `frames` everything that is to leave.
    pub fn flush(&mut self, frames: &mut Vec<(NodeId, Bytes)>) {
        for (node, gathering) in &mut self.gathered {
            if let Some(message) = gathering.take() {
                self.out.push((*node, sealed(&self.door, *node, &message)));
            }
        }
        frames.append(&mut self.out);
    }

    fn perform(&mut self, now: Time, number: SessionNumber, done: &mut Vec<Done>) {
        let mut effects = core::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            match effect {
                ClientEffect::Send(node, message) => {
                    if let Some(full) = self.gathered.entry(node).or_default().add(message) {
                        self.out.push((node, sealed(&self.door, node, &full)));
                    }
                }
                ClientEffect::SetTimer(after) => self.set_retry(number, Some(now.after(after))),
                ClientEffect::ClearTimer => self.set_retry(number, None),
                ClientEffect::Done(accepted) => {
                    let session = &self.sessions[number.place()];
                    self.primary = session.client.primary();
                    let took = now.since(session.began).min(RETRY_AFTER_MAX);
                    self.takes = (self.takes * (LEARNED_PART - 1) + took) / LEARNED_PART;
                    done.push(Done { session: number, accepted });
                }
            }
        }
        self.effects = effects;
    }

    fn set_retry(&mut self, number: SessionNumber, retry: Option<Time>) {
        let session = &mut self.sessions[number.place()];
        if let Some(at) = core::mem::replace(&mut session.retry, retry) {
            self.retries.remove(&(at, number));
        }
        if let Some(at) = retry {
            self.retries.insert((at, number));
        }
    }
}

fn client_of(
    station: ClientId,
    number: SessionNumber,
    settings: &Settings,
    newest: Timestamp,
    primary: NodeId,
) -> Client {
    let mut client = Client::new(ClientId(station.0 + u64::from(number.0)), settings, newest);
    client.suppose(primary);
    client
}

/// One message alone is from its session, as if there were no stations.
fn sealed<K: Keys>(door: &Door<K>, node: NodeId, message: &Message) -> Bytes {
    let me = match message {
        Message::Request(request) => Peer::Client(request.client),
        _ => door.me(),
    };
    door.seal_as(me, &[Peer::Node(node)], message).to_bytes()
}

#[cfg(test)]
mod tests;
