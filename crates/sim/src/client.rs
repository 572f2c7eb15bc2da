//! A simulated client: asks, waits for a result it can believe, thinks, asks again.
//!
//! One that lies makes its authenticators wrong for some replicas, leaves some of them out, tells others that it should
//! not tell, asks again for what it was long told, and asks for two different things under one number, of some for this
//! and of others for that. (Clement et al., "Making Byzantine Fault Tolerant Systems Tolerate Byzantine Faults", 2009, call
//! the first the "big MAC" attack.)
//!
//! The client itself is [`agree::Client`], as in production; here is what is around it: its door, its timer, its next
//! operation.

use crate::agenda::Happening;
use crate::keys::SimKeys;
use crate::load;
use crate::random::Random;
use crate::service::Operation;
use crate::surroundings::Surroundings;
use crate::timers::{Came, Timers};
use crate::trace::Traced;
use agree::client::{Accepted, ClientEffect, RETRY};
use agree::door::Door;
use agree::{Client, Message, Request, Settings};
use bytes::Bytes;
use core::time::Duration;
use wire::{ClientId, Encode, Keys, NodeId, Peer, Timestamp};

/// Requests that a client makes after all faults are over, if it would otherwise make none: they show that the cluster
/// makes progress, not only that it settled what was open.
const REQUESTS_AFTER_HEAL: u64 = 2;

/// One client.
pub struct SimClient {
    index: u8,
    client: Client,
    door: Door<SimKeys>,
    random: Random,
    timers: Timers,
    think: Duration,
    /// How many requests it may still make.
    left: u64,
    thinking: bool,
    lying: bool,
    whims: Random,
    /// A request that it made some time ago, as it was sent.
    remembered: Option<Bytes>,
    /// The other thing that it asks for under the number of its last request.
    other: Option<Request>,
    /// What it asks for next, whatever else it would, and the result with which it is content.
    wish: Option<(Operation, Bytes)>,
    /// The request by which it last asked for that.
    wished: Timestamp,
}

impl SimClient {
    /// Client `index` of `peers`, which makes `operations` requests.
    #[must_use]
    pub fn new(
        index: usize,
        id: ClientId,
        settings: &Settings,
        keys: SimKeys,
        random: Random,
        think: Duration,
        operations: u64,
    ) -> Self {
        let mut nodes = settings.members.clone();
        nodes.extend(&settings.spares);
        SimClient {
            index: index as u8,
            client: Client::new(id, settings, Timestamp(0)),
            door: Door::new(Peer::Client(id), settings.protocol, nodes, keys),
            whims: random.part(1),
            lying: false,
            remembered: None,
            other: None,
            random,
            timers: Timers::default(),
            think,
            left: operations,
            thinking: false,
            wish: None,
            wished: Timestamp(0),
        }
    }

    /// It begins or ceases to lie.
    pub fn set_lying(&mut self, lying: bool) {
        self.lying = lying;
    }

    /// Whether it waits for nothing and wants nothing.
    #[must_use]
    pub fn is_done(&self) -> bool {
        !self.client.is_waiting() && !self.thinking && self.left == 0 && self.wish.is_none()
    }

    /// It begins to think about its first request.
    pub fn start(&mut self, world: &mut Surroundings) {
        if self.left > 0 {
            self.think(world);
        }
    }

    fn think(&mut self, world: &mut Surroundings) {
        self.thinking = true;
        let at = world.now.after(load::think(&mut self.random, self.think));
        world.agenda.enter(at, Happening::Thought { client: self.client_number() });
    }

    fn client_number(&self) -> u8 {
        (self.client.id().0 - 1) as u8
    }

    /// All faults are over: it makes at least a few more requests.
    pub fn healed(&mut self, world: &mut Surroundings) {
        if self.left < REQUESTS_AFTER_HEAL {
            self.left = REQUESTS_AFTER_HEAL;
            if !self.client.is_waiting() && !self.thinking {
                self.think(world);
            }
        }
    }

    /// It asks for `operation` until the result is `content`.
    pub fn wish(&mut self, operation: Operation, content: Bytes, world: &mut Surroundings) {
        self.wish = Some((operation, content));
        if !self.client.is_waiting() && !self.thinking {
            self.think(world);
        }
    }

    /// Whether it has what it wished for.
    #[must_use]
    pub fn is_content(&self) -> bool {
        self.wish.is_none()
    }

    /// It stops after what it has outstanding.
    pub fn stop(&mut self) {
        self.left = 0;
    }

    /// It has thought long enough.
    pub fn thought(&mut self, world: &mut Surroundings) {
        self.thinking = false;
        if self.client.is_waiting() {
            return;
        }
        let operation = match &self.wish {
            Some((operation, _)) => operation.to_bytes(),
            None if self.left == 0 => return,
            None => {
                self.left -= 1;
                load::operation(&mut self.random).to_bytes()
            }
        };
        let mut effects = Vec::new();
        let timestamp = self.client.submit(operation.clone(), self.door.keys(), &mut effects);
        if self.wish.is_some() {
            self.wished = timestamp;
        }
        let id = self.client.id();
        world.traced(|| Traced::Invoked { client: id, timestamp, operation: operation.clone() });
        world.checkers.invoked(world.now, id, timestamp, operation);
        self.perform(effects, world);
    }

    /// A frame arrived over the link to `link`.
    pub fn receive(&mut self, link: Peer, frame: Bytes, world: &mut Surroundings) {
        match self.door.open(link, frame) {
            Ok(opened) => {
                let Peer::Node(node) = opened.from else { return };
                let mut effects = Vec::new();
                self.client.receive(node, opened.message, &mut effects);
                self.perform(effects, world);
            }
            Err(refusal) => world.refused(usize::from(self.index), Some(link), refusal),
        }
    }

    /// Its retry timer may have run out.
    pub fn retry(&mut self, world: &mut Surroundings) {
        let number = self.client_number();
        match self.timers.came(RETRY.0, world.now) {
            Came::Stale => {}
            Came::Later(at) => world.agenda.enter(at, Happening::Retry { client: number }),
            Came::Due => {
                let mut effects = Vec::new();
                self.client.timeout(&mut effects);
                self.perform(effects, world);
            }
        }
    }

    fn perform(&mut self, effects: Vec<ClientEffect>, world: &mut Surroundings) {
        for effect in effects {
            match effect {
                ClientEffect::Send(node, message) => {
                    let to = Peer::Node(node);
                    let frame = self.door.seal_for(&[to], &message).to_bytes();
                    if self.lying {
                        self.lie(to, &message, frame, world);
                    } else {
                        world.transmit(usize::from(self.index), to, frame);
                    }
                }
                ClientEffect::SetTimer(after) => {
                    if let Some(at) = self.timers.set(RETRY.0, world.now.after(after)) {
                        world.agenda.enter(at, Happening::Retry { client: self.client_number() });
                    }
                }
                ClientEffect::ClearTimer => self.timers.clear(RETRY.0),
                ClientEffect::Done(accepted) => self.done(&accepted, world),
            }
        }
    }

    fn lie(&mut self, to: Peer, message: &Message, frame: Bytes, world: &mut Surroundings) {
        let index = usize::from(self.index);
        let anybody = Peer::Node(NodeId(self.whims.index(world.network.directory().nodes) as u16));
        match self.whims.below(8) {
            0 => {}
            1 => {
                // The last bytes are the authenticator's.
                let mut bytes = frame.to_vec();
                if let Some(byte) = bytes.last_mut() {
                    *byte ^= 1;
                }
                world.transmit(index, to, Bytes::from(bytes));
            }
            2 => world.transmit(index, anybody, frame.clone()),
            3 => {
                if let Some(old) = &self.remembered {
                    world.transmit(index, anybody, old.clone());
                }
                world.transmit(index, to, frame.clone());
            }
            4 => {
                let other = self.other_than(message, world);
                world.transmit(index, to, self.door.seal_for(&[to], &other).to_bytes());
            }
            5 => {
                let other = self.other_than(message, world);
                world.transmit(index, anybody, self.door.seal_for(&[anybody], &other).to_bytes());
                world.transmit(index, to, frame.clone());
            }
            _ => world.transmit(index, to, frame.clone()),
        }
        if self.whims.chance(100) {
            self.remembered = Some(frame);
        }
    }

    /// A genuine request for something else under the same number; always the same for one number.
    fn other_than(&mut self, message: &Message, world: &mut Surroundings) -> Message {
        let Message::Request(request) = message else { return message.clone() };
        if let Some(other) = self.other.as_ref().filter(|other| other.timestamp == request.timestamp) {
            return Message::Request(other.clone());
        }
        let operation = load::operation(&mut self.whims).to_bytes();
        let mut other = Request { operation: operation.clone(), ..request.clone() };
        if other.signature.is_some() {
            other.signature = Some(self.door.keys().sign(&other.signed_bytes()));
        }
        let (client, timestamp) = (request.client, request.timestamp);
        world.stats.second_thoughts += 1;
        world.traced(|| Traced::Note(format!("{client} asks for something else as its {timestamp}")));
        world.checkers.invoked_also(client, timestamp, operation);
        self.other = Some(other.clone());
        Message::Request(other)
    }

    fn done(&mut self, accepted: &Accepted, world: &mut Surroundings) {
        let id = self.client.id();
        world.traced(|| Traced::Accepted { client: id, accepted: accepted.clone() });
        world.checkers.accepted(world.now, id, accepted);
        let is_answered = accepted.timestamp == self.wished;
        if is_answered && self.wish.as_ref().is_some_and(|(_, content)| accepted.result == *content) {
            self.wish = None;
        }
        if self.left > 0 || self.wish.is_some() {
            self.think(world);
        }
    }
}
