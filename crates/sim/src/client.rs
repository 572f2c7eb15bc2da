//! A simulated client: asks, waits for a result it can believe, thinks, asks again.
//!
//! The client itself is [`agree::Client`], as in production; here is what is around it: its door, its timer, its next
//! operation.

use crate::agenda::Happening;
use crate::keys::SimKeys;
use crate::load;
use crate::random::Random;
use crate::surroundings::Surroundings;
use crate::timers::{Came, Timers};
use crate::trace::Traced;
use agree::client::{Accepted, ClientEffect, RETRY};
use agree::door::Door;
use agree::{Client, Settings};
use bytes::Bytes;
use core::time::Duration;
use wire::{ClientId, Encode, Peer, Timestamp};

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
            random,
            timers: Timers::default(),
            think,
            left: operations,
            thinking: false,
        }
    }

    /// Whether it waits for nothing and wants nothing.
    #[must_use]
    pub fn is_done(&self) -> bool {
        !self.client.is_waiting() && !self.thinking && self.left == 0
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

    /// It stops after what it has outstanding.
    pub fn stop(&mut self) {
        self.left = 0;
    }

    /// It has thought long enough.
    pub fn thought(&mut self, world: &mut Surroundings) {
        self.thinking = false;
        if self.left == 0 || self.client.is_waiting() {
            return;
        }
        self.left -= 1;
        let operation = load::operation(&mut self.random).to_bytes();
        let mut effects = Vec::new();
        let timestamp = self.client.submit(operation.clone(), self.door.keys(), &mut effects);
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
                    world.transmit(usize::from(self.index), to, frame);
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

    fn done(&mut self, accepted: &Accepted, world: &mut Surroundings) {
        let id = self.client.id();
        world.traced(|| Traced::Accepted { client: id, accepted: accepted.clone() });
        world.checkers.accepted(world.now, id, accepted);
        if self.left > 0 {
            self.think(world);
        }
    }
}
