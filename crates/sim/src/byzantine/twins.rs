//! Runs two replicas under one name, each for half of the world.
//!
//! Both are honest and hold the same keys; each hears and speaks to one half of the nodes and clients. Everything a split
//! mind can do comes out of that, equivocation in every message included, without a line about any protocol. (Bano et
//! al., "Twins: BFT Systems Made Robust", 2021.)
//!
//! The first is the replica that the node has anyway; here is the second. Its disk is imaginary: what it writes is
//! durable at once, and gone when the node goes down.

use crate::engine::{AnyReplica, Engine};
use crate::keys::SimKeys;
use crate::random::Random;
use agree::replica::{Destination, Position, Recovered};
use agree::{Effect, Event, Message, Outbox, Settings};
use std::rc::Rc;
use wire::{NodeId, Peer, Time};

/// The second replica.
pub struct Twin {
    replica: AnyReplica,
    /// Which peers are the second one's: nodes from bit 0, clients from bit 32.
    half: u64,
    written: Position,
    dead: bool,
}

impl Twin {
    /// A second replica beside the one that recovered from `from`.
    pub fn start(
        engine: Engine,
        me: NodeId,
        settings: &Rc<Settings>,
        keys: SimKeys,
        from: Recovered,
        random: &mut Random,
    ) -> Option<Twin> {
        let written = from.last;
        let replica = AnyReplica::recover(engine, me, settings, keys, from).ok()?;
        Some(Twin { replica, half: random.bits(), written, dead: false })
    }

    fn has(&self, peer: Peer) -> bool {
        let bit = match peer {
            Peer::Node(node) => u64::from(node.0) % 32,
            Peer::Client(client) => 32 + client.0 % 32,
        };
        self.half >> bit & 1 == 1
    }

    /// Whether the second one hears of `event`.
    #[must_use]
    pub fn takes(&self, event: &Event) -> bool {
        match event {
            Event::Message { from, .. } => self.has(*from),
            Event::Started => true,
            Event::Timer(_) | Event::Durable(_) | Event::Notice(_) => false,
        }
    }

    /// Of what the first one sends, what goes to its half of the world.
    #[must_use]
    pub fn of_first(
        &self,
        settings: &Settings,
        me: NodeId,
        to: Destination,
        message: Message,
    ) -> Vec<(Peer, Message)> {
        split(settings, me, to, message, |peer| !self.has(peer))
    }

    /// Something happens to the second one: what it wants done, its writes excepted.
    pub fn step(&mut self, now: Time, event: Event, settings: &Settings, me: NodeId) -> Vec<Effect> {
        let mut wanted = Vec::new();
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let mut outbox = Outbox::new();
            super::run(&mut self.dead, &mut self.replica, now, event, &mut outbox);
            for effect in outbox.drain() {
                match effect {
                    Effect::Write(_) => {
                        self.written = Position(self.written.0 + 1);
                        events.push(Event::Durable(self.written));
                    }
                    Effect::Send { to, message } => {
                        let sends = split(settings, me, to, message, |peer| self.has(peer));
                        wanted.extend(
                            sends
                                .into_iter()
                                .map(|(peer, message)| Effect::Send { to: Destination::Peer(peer), message }),
                        );
                    }
                    effect => wanted.push(effect),
                }
            }
        }
        wanted
    }
}

fn split(
    settings: &Settings,
    me: NodeId,
    to: Destination,
    message: Message,
    has: impl Fn(Peer) -> bool,
) -> Vec<(Peer, Message)> {
    let peers: Vec<Peer> = match to {
        Destination::Peer(peer) => vec![peer],
        Destination::Members => {
            settings.members.iter().filter(|node| **node != me).map(|node| Peer::Node(*node)).collect()
        }
    };
    peers.into_iter().filter(|peer| has(*peer)).map(|peer| (peer, message.clone())).collect()
}
