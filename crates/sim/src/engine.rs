//! Replicas and guards of any protocol, as values.
//!
//! Enums, not trait objects: what is a value can be copied and compared, which the model checker needs.

#[cfg(test)]
use crate::fault::{Fault, FaultKind};
use crate::keys::{KeyRing, SimKeys, Tally};
use crate::plan::Plan;
use crate::service::Registers;
use agree::byzid::guard::{Fail, Guard as ByzIdGuard};
use agree::door::Door;
use agree::guard::{Guard, GuardEffect, Plain};
use agree::replica::{Destination, Recovered, Status};
use agree::roster::Edition;
use agree::{Event, Message, Outbox, Protocol, Replica, Service, Settings, Timer, byzid, paxos, pbft};
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

impl Engine {
    /// What of `plan` its replicas are made for: the tests' own know nothing of seats that others take.
    #[must_use]
    pub fn bears(self, plan: Plan) -> Plan {
        match self {
            Engine::Real => plan,
            #[cfg(test)]
            Engine::Fake(_) => {
                let is_borne = |fault: &Fault| !matches!(fault.kind, FaultKind::Replaced { .. });
                Plan { faults: plan.faults.into_iter().filter(is_borne).collect(), ..plan }
            }
        }
    }
}

/// A replica of any protocol, with the service that it replicates.
#[derive(Clone, Hash)]
pub enum AnyReplica<S = Registers> {
    /// ByzID and ByzID-W.
    ByzId(Box<byzid::Replica<S>>),
    /// Paxos.
    Paxos(Box<paxos::Replica<S>>),
    /// PBFT.
    Pbft(Box<pbft::Replica<S, SimKeys>>),
    /// The tests' own.
    #[cfg(test)]
    Fake(Box<crate::fake::Replica>),
}

impl<S: Service + Clone + Default> AnyReplica<S> {
    /// The replica of node `me`, from what its disk kept; in words why that is impossible.
    pub fn recover(
        engine: Engine,
        me: NodeId,
        settings: &Rc<Settings>,
        keys: SimKeys,
        recovered: Recovered,
    ) -> Result<Self, String> {
        match engine {
            Engine::Real => {}
            #[cfg(test)]
            Engine::Fake(defect) => {
                let replica = crate::fake::Replica::recover(me, settings, defect, recovered);
                return Ok(AnyReplica::Fake(Box::new(replica)));
            }
        }
        let settings = Settings::clone(settings);
        match settings.protocol {
            Protocol::Paxos => paxos::Replica::recover(me, settings, S::default(), recovered)
                .map(|replica| AnyReplica::Paxos(Box::new(replica)))
                .map_err(|error| error.to_string()),
            Protocol::Pbft => pbft::Replica::recover(me, settings, S::default(), keys, recovered)
                .map(|replica| AnyReplica::Pbft(Box::new(replica)))
                .map_err(|error| error.to_string()),
            Protocol::ByzId | Protocol::ByzIdW => {
                byzid::Replica::recover(me, settings, S::default(), recovered)
                    .map(|replica| AnyReplica::ByzId(Box::new(replica)))
                    .map_err(|error| error.to_string())
            }
        }
    }

    /// The same replica on a machine that the change of this edition put into its seat.
    #[must_use]
    pub fn seated(self, seat: Edition) -> Self {
        match self {
            AnyReplica::ByzId(replica) => AnyReplica::ByzId(Box::new(replica.seated(seat))),
            AnyReplica::Paxos(replica) => AnyReplica::Paxos(Box::new(replica.seated(seat))),
            AnyReplica::Pbft(replica) => AnyReplica::Pbft(Box::new(replica.seated(seat))),
            #[cfg(test)]
            AnyReplica::Fake(replica) => AnyReplica::Fake(replica),
        }
    }

    /// The service as the replica has it now; the tests' own replica shows none.
    #[must_use]
    pub fn service(&self) -> Option<&S> {
        match self {
            AnyReplica::ByzId(replica) => Some(replica.service()),
            AnyReplica::Paxos(replica) => Some(replica.service()),
            AnyReplica::Pbft(replica) => Some(replica.service()),
            #[cfg(test)]
            AnyReplica::Fake(_) => None,
        }
    }
}

impl<S: Service + Clone> Replica for AnyReplica<S> {
    fn step(&mut self, now: Time, event: Event, out: &mut Outbox) {
        match self {
            AnyReplica::ByzId(replica) => replica.step(now, event, out),
            AnyReplica::Paxos(replica) => replica.step(now, event, out),
            AnyReplica::Pbft(replica) => replica.step(now, event, out),
            #[cfg(test)]
            AnyReplica::Fake(replica) => replica.step(now, event, out),
        }
    }

    fn status(&self) -> Status {
        match self {
            AnyReplica::ByzId(replica) => replica.status(),
            AnyReplica::Paxos(replica) => replica.status(),
            AnyReplica::Pbft(replica) => replica.status(),
            #[cfg(test)]
            AnyReplica::Fake(replica) => replica.status(),
        }
    }
}

/// A guard of any protocol.
#[derive(Clone, Hash)]
pub enum AnyGuard {
    /// Checks and lets through.
    Plain(Plain<SimKeys>),
    /// Holds the monitor.
    ByzId(Box<ByzIdGuard<SimKeys>>),
}

impl AnyGuard {
    /// The guard of node `me`, started at `now`; with a monitor if the protocol has one. `starts` counts how often the
    /// node's monitor was started before.
    #[must_use]
    pub fn new(
        me: NodeId,
        settings: &Settings,
        ring: &KeyRing,
        tally: &Rc<Tally>,
        fail: Fail,
        starts: u64,
        now: Time,
    ) -> AnyGuard {
        let peer = Peer::Node(me);
        let mut nodes = settings.members.clone();
        nodes.extend(&settings.spares);
        if settings.protocol.monitored() {
            let door = Door::new(peer, settings.protocol, nodes, ring.of_monitor(peer, tally));
            return AnyGuard::ByzId(Box::new(ByzIdGuard::new(door, settings, fail, starts, now)));
        }
        let door = Door::new(peer, settings.protocol, nodes, ring.of(peer, tally));
        AnyGuard::Plain(Plain::new(door, &settings.members))
    }

    /// Whether no monitor is in it, so that whoever has the node has its links.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        match self {
            AnyGuard::Plain(_) => true,
            AnyGuard::ByzId(guard) => guard.monitor().is_none(),
        }
    }

    /// The rule of whose breach its monitor found the replica guilty, if it did.
    #[must_use]
    pub fn guilty(&self) -> Option<monitor::Rule> {
        match self {
            AnyGuard::Plain(_) => None,
            AnyGuard::ByzId(guard) => guard.monitor().and_then(|monitor| monitor.guilty()),
        }
    }

    /// When its monitor next has something to do, if it has one. A timer set earlier than that only sets itself anew.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        match self {
            AnyGuard::Plain(_) => None,
            AnyGuard::ByzId(guard) => guard.monitor().map(|monitor| Time(monitor.deadline().0)),
        }
    }

    /// What is left of it after its monitor crashed while set to fail open.
    #[must_use]
    pub fn without_monitor(self, out: &mut Vec<GuardEffect>) -> AnyGuard {
        match self {
            AnyGuard::Plain(guard) => AnyGuard::Plain(guard),
            AnyGuard::ByzId(guard) => AnyGuard::ByzId(Box::new(guard.without_monitor(out))),
        }
    }

    /// The replica beside it stopped, or runs again.
    pub fn replica_is_up(&mut self, now: Time, up: bool, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(_) => {}
            AnyGuard::ByzId(guard) => guard.replica_is_up(now, up, out),
        }
    }
}

impl Guard for AnyGuard {
    fn start(&mut self, now: Time, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(guard) => guard.start(now, out),
            AnyGuard::ByzId(guard) => guard.start(now, out),
        }
    }

    fn receive(&mut self, now: Time, link: Peer, frame: Bytes, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(guard) => guard.receive(now, link, frame, out),
            AnyGuard::ByzId(guard) => guard.receive(now, link, frame, out),
        }
    }

    fn send(&mut self, now: Time, to: Destination, message: Message, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(guard) => guard.send(now, to, message, out),
            AnyGuard::ByzId(guard) => guard.send(now, to, message, out),
        }
    }

    fn flush(&mut self, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(guard) => guard.flush(out),
            AnyGuard::ByzId(guard) => guard.flush(out),
        }
    }

    fn timeout(&mut self, now: Time, timer: Timer, out: &mut Vec<GuardEffect>) {
        match self {
            AnyGuard::Plain(guard) => guard.timeout(now, timer, out),
            AnyGuard::ByzId(guard) => guard.timeout(now, timer, out),
        }
    }
}
