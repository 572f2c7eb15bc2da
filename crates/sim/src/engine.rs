//! Replicas and guards of any protocol, as values.
//!
//! Enums, not trait objects: what is a value can be copied and compared, which the model checker needs.

#[cfg(test)]
use crate::fault::{Fault, FaultKind};
use crate::keys::{KeyRing, SimKeys, Tally};
use crate::plan::Plan;
use crate::service::Registers;
use agree::byzid::guard::Fail;
use agree::door::Door;
use agree::replica::{Recovered, Status};
use agree::roster::Edition;
use agree::{Event, Outbox, Protocol, Replica, Service, Settings, byzid, paxos, pbft};
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

/// The guard of any protocol, with simulated keys.
pub type AnyGuard = agree::any_guard::AnyGuard<SimKeys>;

/// The guard of node `me`, started at `now`; with a monitor if the protocol has one. `starts` counts how often the
/// node's monitor was started before.
#[must_use]
pub fn guard_of(
    me: NodeId,
    settings: &Settings,
    ring: &KeyRing,
    tally: &Rc<Tally>,
    fail: Fail,
    starts: u64,
    now: Time,
) -> AnyGuard {
    let peer = Peer::Node(me);
    let nodes = settings.members.iter().chain(&settings.spares).copied().collect();
    let keys =
        if settings.protocol.monitored() { ring.of_monitor(peer, tally) } else { ring.of(peer, tally) };
    AnyGuard::new(Door::new(peer, settings.protocol, nodes, keys), settings, fail, starts, now)
}

/// When its monitor next has something to do, if it has one. A timer set earlier than that only sets itself anew.
#[must_use]
pub fn deadline_of(guard: &AnyGuard) -> Option<Time> {
    guard.monitor().map(|monitor| Time(monitor.deadline().0))
}
