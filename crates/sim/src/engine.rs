//! Replicas and guards of any protocol, as values.
//!
//! Enums, not trait objects: what is a value can be copied and compared, which the model checker needs.

use crate::keys::{KeyRing, SimKeys, Tally};
use crate::service::Registers;
use agree::door::Door;
use agree::guard::{Guard, GuardEffect, Plain};
use agree::replica::{Destination, Recovered, Status};
use agree::{Event, Message, Outbox, Protocol, Replica, Settings, Timer, paxos};
use bytes::Bytes;
use std::rc::Rc;
use wire::{NodeId, Peer, Time};

/// Which implementation replicas are of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Engine {
    /// That of the protocol that the settings name.
    #[default]
    Real,
    /// The tests' own, with this defect.
    #[cfg(test)]
    Fake(crate::fake::Defect),
}

/// A replica of any protocol.
#[derive(Clone, Hash)]
pub enum AnyReplica {
    /// Paxos.
    Paxos(Box<paxos::Replica<Registers>>),
    /// The tests' own.
    #[cfg(test)]
    Fake(crate::fake::Replica),
}

impl AnyReplica {
    /// The replica of node `me`, from what its disk kept; in words why that is impossible.
    pub fn recover(
        engine: Engine,
        me: NodeId,
        settings: &Rc<Settings>,
        keys: SimKeys,
        recovered: Recovered,
    ) -> Result<AnyReplica, String> {
        match engine {
            Engine::Real => {}
            #[cfg(test)]
            Engine::Fake(defect) => {
                return Ok(AnyReplica::Fake(crate::fake::Replica::recover(me, settings, defect, recovered)));
            }
        }
        let settings = Settings::clone(settings);
        let _ = keys;
        match settings.protocol {
            Protocol::Paxos => paxos::Replica::recover(me, settings, Registers::default(), recovered)
                .map(|replica| AnyReplica::Paxos(Box::new(replica)))
                .map_err(|error| error.to_string()),
            Protocol::Pbft => Err("PBFT is not there yet".to_string()),
            // Place for ByzID: build `byzid::Replica` here.
            Protocol::ByzId | Protocol::ByzIdW => Err("ByzID is not there yet".to_string()),
        }
    }
}

impl Replica for AnyReplica {
    fn step(&mut self, now: Time, event: Event, out: &mut Outbox) {
        match self {
            AnyReplica::Paxos(replica) => replica.step(now, event, out),
            #[cfg(test)]
            AnyReplica::Fake(replica) => replica.step(now, event, out),
        }
    }

    fn status(&self) -> Status {
        match self {
            AnyReplica::Paxos(replica) => replica.status(),
            #[cfg(test)]
            AnyReplica::Fake(replica) => replica.status(),
        }
    }
}

/// A guard of any protocol.
pub enum AnyGuard {
    /// Checks and lets through.
    Plain(Plain<SimKeys>),
    // Place for ByzID: `ByzId(agree::byzid::guard::Guard<SimKeys>)`.
}

impl AnyGuard {
    /// The guard of node `me`: with a monitor if the protocol has one and it is up (`monitored`). `incarnation` counts
    /// the starts of the node's monitor.
    #[must_use]
    pub fn new(
        me: NodeId,
        settings: &Settings,
        ring: &KeyRing,
        tally: &Rc<Tally>,
        incarnation: u64,
        monitored: bool,
    ) -> AnyGuard {
        // Place for ByzID: `if settings.protocol.monitored() && monitored { … ring.of_monitor(me, tally) … }`.
        let _ = (incarnation, monitored);
        let keys = ring.of(Peer::Node(me), tally);
        let mut nodes = settings.members.clone();
        nodes.extend(&settings.spares);
        AnyGuard::Plain(Plain::new(
            Door::new(Peer::Node(me), settings.protocol, nodes, keys),
            &settings.members,
        ))
    }

    /// Whether no monitor is in it, so that whoever has the node has its links.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        match self {
            AnyGuard::Plain(_) => true,
        }
    }
}

impl Guard for AnyGuard {
    fn start(&mut self, now: Time, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(guard) => guard.start(now, out),
        }
    }

    fn receive(&mut self, now: Time, link: Peer, frame: Bytes, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(guard) => guard.receive(now, link, frame, out),
        }
    }

    fn send(&mut self, now: Time, to: Destination, message: Message, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(guard) => guard.send(now, to, message, out),
        }
    }

    fn timeout(&mut self, now: Time, timer: Timer, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(guard) => guard.timeout(now, timer, out),
        }
    }
}
