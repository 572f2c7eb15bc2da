//! A client's process: its sessions, each a [`Client`] with one request at a time, behind one link to each node.
//!
//! Upon an operation of a session: its REQUEST is put with the others for the same node.
//! Upon a frame from a node: it must pass the door; each REPLY and BUSY in it goes to its session. What has a result by that is
//!   done.
//! Upon BUSY: whoever waits for the session is told so ([`Station::take_put_off`]); it tries again by itself.
//! Upon an operation, in ByzID: its REQUEST names a *speaker*, the node that leads as far as is known, and nobody of the last `f`
//!   that were passed over. REPLIES and ASSENTs are put together (`crate::hearing`); each result in what enough nodes stand behind
//!   goes to its session. (One who asks alone gets REPLYs: [`crate::assent`].)
//! Upon a link that stands: requests whose primary is at its other end are sent again, since they may have been sent into nothing.
//! Upon a link that is gone: whoever waits for the node at its other end, because it leads or shall speak, asks everybody at once. It is not
//!   to speak for later requests.
//! Upon a retry timer: that session alone sends again, to every node, and everybody shall reply. A speaker that by then owes what
//!   f+1 nodes assent to is passed over, until another node leads: a silent speaker, or one that lies, costs one wait of those
//!   that have asked by then, once for each change of primary.
//! Upon results: how long they took is learned, once for all that a frame brings: what held up a thousand sessions once was one
//!   event. The first retry of later requests waits [`PATIENCE_TIMES`] as long as results have
//!   taken of late: where a thousand sessions keep the nodes busy for longer than a retry timer, sending all again would keep them
//!   busy for good.
//! Upon a result that names another primary: all sessions follow it, and show it what they wait for, so that one retry timer finds
//!   the new primary for all of them.
//! Upon a flush: what was gathered leaves, one frame for each node ([`Gathering`]).
//!
//! A session's timestamps begin after the one that its opener names, and go on with time, one a microsecond. So microseconds of the
//! calendar will do: a process that is started again and takes the same number goes on where the one before cannot have been, and
//! what a session asks now comes after what nodes have forgotten of others ([`sessions`](crate::sessions)). A session that was
//! closed is opened again before a new one is, since nodes remember each one that has asked for something.
//!
//! Bounded: at most [`SESSIONS_MAX`] sessions, one request and one timer for each; what is heard of each node.
//!
//! Not here: who waits for a result, and how long; links.

use crate::Message;
use crate::assent::Replies;
use crate::bundle::Gathering;
use crate::client::{Accepted, Client, ClientEffect, RETRY_AFTER, RETRY_AFTER_MAX};
use crate::door::Door;
use crate::hearing::Hearing;
use crate::replica::Refusal;
use crate::settings::Settings;
use bytes::Bytes;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wire::{ClientId, Encode, Keys, NodeId, Peer, Time, Timestamp};

/// Sessions of one station at most. The number 0 is the station's own.
pub const SESSIONS_MAX: u16 = u16::MAX;

/// No timestamp goes with time beyond this one, so that counting on from it cannot overflow.
const TIMESTAMP_MAX: Timestamp = Timestamp(u64::MAX / 2);

/// How many times as long as results take the first retry waits.
pub const PATIENCE_TIMES: u32 = 4;

/// The results that a frame brings count this part of what is known of how long results take.
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
    /// Times that a request was sent again because its retry timer ran out, or the link of whoever was asked was lost.
    pub retried: u64,
}

#[derive(Clone, Debug)]
struct Session {
    client: Client,
    /// The greatest timestamp that it ever used.
    newest: Timestamp,
    /// Since when its timestamps go with time, and from which one.
    opened: (Time, Timestamp),
    retry: Option<Time>,
    /// When its last operation began.
    began: Time,
    is_open: bool,
}

impl Session {
    /// The timestamp that goes with `now`.
    fn timestamp_at(&self, now: Time) -> Timestamp {
        let (since, from) = self.opened;
        let micros = u64::try_from(now.since(since).as_micros()).unwrap_or(u64::MAX);
        Timestamp(from.0.saturating_add(micros).min(TIMESTAMP_MAX.0))
    }
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
    /// Whom all sessions follow: the same, once they were told; and when they may be told of another one.
    followed: (NodeId, Time),
    hearing: Hearing,
    /// The last that owed REPLIES while this primary led, at most `f`: the others are right.
    passed_over: VecDeque<NodeId>,
    /// How long results have taken of late.
    takes: Duration,
    /// Sessions whose request was met with BUSY, and nobody was told so: once for each attempt.
    put_off: Vec<SessionNumber>,
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
            followed: (settings.members[0], Time::ZERO),
            hearing: Hearing::new(settings.protocol.replies_needed(settings.f)),
            passed_over: VecDeque::new(),
            takes: Duration::ZERO,
            put_off: Vec::new(),
            tally: Tally::default(),
            gathered: BTreeMap::new(),
            out: Vec::new(),
            effects: Vec::new(),
        }
    }

    /// Opens a session whose timestamps come after `newest`; nothing if there are as many as there may be.
    pub fn open(&mut self, now: Time, newest: Timestamp) -> Option<SessionNumber> {
        if let Some(number) = self.closed.pop() {
            let session = &mut self.sessions[number.place()];
            session.newest = session.newest.max(newest);
            session.client = client_of(self.station, number, &self.settings, session.newest, self.primary);
            session.opened = (now, newest);
            session.is_open = true;
            return Some(number);
        }
        let number = u16::try_from(self.sessions.len() + 1).ok().map(SessionNumber)?;
        let client = client_of(self.station, number, &self.settings, newest, self.primary);
        let opened = (now, newest);
        self.sessions.push(Session { client, newest, opened, retry: None, began: Time::ZERO, is_open: true });
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
        let speaker = self.speaker();
        let session = &mut self.sessions[number.place()];
        assert!(session.is_open, "a session that is closed asks for nothing");
        session.began = now;
        session.client.not_before(session.timestamp_at(now));
        session.client.let_speak(speaker);
        session.client.be_patient(self.takes * PATIENCE_TIMES);
        let timestamp = session.client.submit(operation, self.door.keys(), &mut self.effects);
        session.newest = timestamp;
        self.perform(now, number, &mut Vec::new());
        timestamp
    }

    /// Who shall speak: whoever leads, or the next one that was not passed over.
    fn speaker(&self) -> Option<NodeId> {
        let nodes = [self.primary].into_iter().chain(self.door.nodes().iter().copied());
        let mut heard = nodes.filter(|node| !self.passed_over.contains(node));
        if self.settings.protocol.has_speakers() { heard.next() } else { None }
    }

    /// Passes over `nodes`, which owe REPLIES or cannot say them.
    fn pass_over(&mut self, nodes: impl IntoIterator<Item = NodeId>) {
        for node in nodes {
            if !self.passed_over.contains(&node) {
                self.passed_over.push_back(node);
            }
        }
        while self.passed_over.len() > self.settings.f {
            self.passed_over.pop_front();
        }
    }

    /// How much that nodes said was forgotten to make room before enough of them had said the same.
    #[must_use]
    pub fn pushed_out(&self) -> u64 {
        self.hearing.pushed_out()
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
        self.each(now, |client, out| client.reached(node, out));
    }

    /// The link to `node` is gone.
    pub fn lost(&mut self, now: Time, node: NodeId) {
        if self.speaker() == Some(node) {
            self.pass_over([node]);
        }
        self.tally.retried += self.each(now, |client, out| client.lost(node, out));
    }

    /// Each client is told something, and does what follows; how many had something to do.
    fn each(&mut self, now: Time, tell: impl Fn(&mut Client, &mut Vec<ClientEffect>)) -> u64 {
        let mut moved = 0;
        for place in 0..self.sessions.len() {
            tell(&mut self.sessions[place].client, &mut self.effects);
            moved += u64::from(!self.effects.is_empty());
            self.perform(now, SessionNumber(place as u16 + 1), &mut Vec::new());
        }
        moved
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
        let known = done.len();
        let messages = match opened.message {
            Message::Bundle(bundle) => bundle.into_messages(),
            message => vec![message],
        };
        let heard = self.hear(now, from, messages, done);
        // Also if something in it was not to be there: what is done is done.
        self.learn(now, &done[known..]);
        self.follow_primary(now);
        heard
    }

    fn hear(
        &mut self,
        now: Time,
        from: NodeId,
        messages: Vec<Message>,
        done: &mut Vec<Done>,
    ) -> Result<(), Refusal> {
        for message in messages {
            let client = match message {
                Message::Reply(ref reply) => reply.client,
                Message::Busy(ref busy) => {
                    self.tally.busy += 1;
                    busy.client
                }
                Message::Replies(replies) if replies.station == self.station => {
                    let believed = self.hearing.replies(from, replies);
                    self.told(now, believed, done);
                    continue;
                }
                Message::Assent(assent) if assent.station == self.station => {
                    let believed = self.hearing.assent(from, assent);
                    self.told(now, believed, done);
                    continue;
                }
                _ => return Err(Refusal::NotAllowed),
            };
            if let Some(number) = self.session_of(client) {
                let client = &mut self.sessions[number.place()].client;
                let was_put_off = client.is_put_off();
                client.receive(from, message, &mut self.effects);
                if client.is_put_off() && !was_put_off {
                    self.put_off.push(number);
                }
                self.perform(now, number, done);
            }
        }
        Ok(())
    }

    /// A frame brought these results.
    fn learn(&mut self, now: Time, done: &[Done]) {
        let took = |one: &Done| now.since(self.sessions[one.session.place()].began).min(RETRY_AFTER_MAX);
        let count = u32::try_from(done.len()).expect("a frame has fewer results than bytes");
        if count > 0 {
            let mean = done.iter().map(took).sum::<Duration>() / count;
            self.takes = (self.takes * (LEARNED_PART - 1) + mean) / LEARNED_PART;
        }
    }

    fn follow_primary(&mut self, now: Time) {
        let (followed, since) = self.followed;
        // Results of two views may come side by side; once in a while is enough.
        if followed == self.primary || now < since {
            return;
        }
        self.followed = (self.primary, now.after(RETRY_AFTER));
        let primary = self.primary;
        self.each(now, |client, out| client.follow(primary, out));
    }

    /// The sessions whose request the primary had no room for since this was asked last.
    pub fn take_put_off(&mut self) -> Vec<SessionNumber> {
        core::mem::take(&mut self.put_off)
    }

    /// Each session gets its own of what enough nodes stand behind.
    fn told(&mut self, now: Time, believed: Option<Replies>, done: &mut Vec<Done>) {
        for reply in believed.iter().flat_map(Replies::replies) {
            if let Some(number) = self.session_of(reply.client) {
                self.sessions[number.place()].client.told(reply, &mut self.effects);
                self.perform(now, number, done);
            }
        }
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
        if self.deadline().is_some_and(|at| at <= now) {
            let owing = self.hearing.owing();
            self.pass_over(owing);
        }
        while let Some((_, number)) = self.retries.first().copied().filter(|(at, _)| *at <= now) {
            self.tally.retried += 1;
            self.sessions[number.place()].client.timeout(&mut self.effects);
            self.perform(now, number, &mut Vec::new());
        }
    }

    /// Whether there is something to flush.
    #[must_use]
    pub fn has_to_say(&self) -> bool {
        !self.out.is_empty() || self.gathered.values().any(|gathering| !gathering.is_empty())
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
                    if core::mem::replace(&mut self.primary, session.client.primary()) != self.primary {
                        self.passed_over.clear();
                    }
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
