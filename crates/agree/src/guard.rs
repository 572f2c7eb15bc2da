//! What stands between a replica and its network, and owns the node's links and keys.
//!
//! A replica has no network of its own: what it sends goes to its guard, what comes in comes through its guard. In
//! Paxos and PBFT the guard is [`Plain`]: it encodes, authenticates and checks, and lets everything genuine through.
//! In ByzID it is [`crate::byzid::guard`], which holds the trusted monitor as well.
//!
//! Like a replica, a guard is a value: inputs in, [`GuardEffect`]s out.

use crate::Message;
use crate::bundle::Parcels;
use crate::door::Door;
use crate::replica::{Destination, Event, Refusal, Timer};
use bytes::Bytes;
use core::time::Duration;
use std::hash::{Hash, Hasher};
use wire::{Encode, Keys, NodeId, Peer, Time, View};

/// Something a guard wants done.
#[derive(Clone, Debug)]
pub enum GuardEffect {
    /// Hand this to the replica.
    Deliver(Event),
    /// Put this frame on the link to `to`.
    Transmit {
        /// The other end of the link.
        to: Peer,
        /// The encoded frame.
        frame: Bytes,
    },
    /// Wake me after this long.
    SetTimer(Timer, Duration),
    /// Never mind.
    ClearTimer(Timer),
    /// Count a message that was not let through.
    Refuse {
        /// Who sent it, as far as known.
        from: Peer,
        /// Why.
        refusal: Refusal,
    },
    /// Tell the operator: the replica beside this guard broke a rule.
    Alarm(Alarm),
}

/// A rule was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alarm {
    /// The node whose replica broke it.
    pub node: NodeId,
    /// In which configuration.
    pub view: View,
    /// The name of the rule.
    pub rule: &'static str,
    /// Whether no correct replica would have done it, so that the node is quarantined.
    pub proof: bool,
}

/// What stands between a replica and its network.
pub trait Guard {
    /// The node was started.
    fn start(&mut self, now: Time, out: &mut Vec<GuardEffect>);

    /// A frame came over the link to `link`.
    fn receive(&mut self, now: Time, link: Peer, frame: Bytes, out: &mut Vec<GuardEffect>);

    /// The replica wants to send `message`.
    fn send(&mut self, now: Time, to: Destination, message: Message, out: &mut Vec<GuardEffect>);

    /// Nothing more comes for now: what was gathered for clients leaves ([`crate::bundle`]). Until then it may wait.
    fn flush(&mut self, out: &mut Vec<GuardEffect>);

    /// A timer of the guard ran out.
    fn timeout(&mut self, now: Time, timer: Timer, out: &mut Vec<GuardEffect>);
}

/// The guard of a protocol without a monitor.
#[derive(Clone)]
pub struct Plain<K> {
    door: Door<K>,
    others: Vec<Peer>,
    parcels: Parcels,
}

/// The state of a guard is all but its keys, which never change.
impl<K> Hash for Plain<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.door, &self.others, &self.parcels).hash(state);
    }
}

impl<K: Keys> Plain<K> {
    /// The guard of a node whose cluster has these `members`.
    pub fn new(door: Door<K>, members: &[NodeId]) -> Self {
        let others = members.iter().map(|node| Peer::Node(*node)).filter(|peer| *peer != door.me()).collect();
        Plain { door, others, parcels: Parcels::default() }
    }
}

impl<K: Keys> Guard for Plain<K> {
    fn start(&mut self, _: Time, _: &mut Vec<GuardEffect>) {}

    fn receive(&mut self, _: Time, link: Peer, frame: Bytes, out: &mut Vec<GuardEffect>) {
        match self.door.open(link, frame) {
            Ok(opened) => {
                out.push(GuardEffect::Deliver(Event::Message { from: opened.from, message: opened.message }));
            }
            Err(refusal) => out.push(GuardEffect::Refuse { from: link, refusal }),
        }
    }

    fn send(&mut self, _: Time, to: Destination, message: Message, out: &mut Vec<GuardEffect>) {
        let one;
        let to: &[Peer] = match to {
            Destination::Peer(Peer::Client(client)) => {
                return self.parcels.add(client, message, &self.door, out);
            }
            Destination::Peer(peer) => {
                one = [peer];
                &one
            }
            Destination::Members => &self.others,
        };
        let frame = self.door.seal_for(to, &message).to_bytes();
        for peer in to {
            out.push(GuardEffect::Transmit { to: *peer, frame: frame.clone() });
        }
    }

    fn flush(&mut self, out: &mut Vec<GuardEffect>) {
        self.parcels.flush(&self.door, out);
    }

    fn timeout(&mut self, _: Time, _: Timer, _: &mut Vec<GuardEffect>) {}
}
