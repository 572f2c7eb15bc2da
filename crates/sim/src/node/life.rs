//! How a node starts, dies, stands still, and comes back.

use super::{Node, STASH_MAX};
use crate::agenda::{Happening, Owner};
use crate::byzantine::Traitor;
use crate::checkers::Checker;
use crate::disk::Crash;
use crate::engine::{AnyReplica, guard_of};
use crate::surroundings::Surroundings;
use crate::trace::Traced;
use agree::byzid::guard::Fail;
use agree::guard::Guard;
use agree::roster::Seats;
use agree::{Event, Replica};
use core::time::Duration;
use wire::Peer;

/// More often than this no monitor of a machine is started.
const STARTS_OF_A_MACHINE_MAX: u64 = 1 << 32;

impl Node {
    /// Starts whatever of the node should run and does not.
    pub fn start(&mut self, world: &mut Surroundings) {
        self.start_guard(world);
        self.start_replica(world);
    }

    fn start_guard(&mut self, world: &mut Surroundings) {
        if self.guard.is_some() || self.monitor_down > 0 {
            return;
        }
        let now = self.clock.show(world.now);
        let mut guard =
            guard_of(self.id, &world.settings, &world.ring, &self.tally, self.fail, self.starts, now);
        let (slot, incarnation) = (self.slot, self.starts);
        world.checkers.watch_monitors(|vouched| vouched.monitor_started(slot, incarnation));
        self.starts += 1;
        let mut effects = world.spare.pop().unwrap_or_default();
        guard.start(now, &mut effects);
        self.guard = Some(guard);
        self.guarded(effects, world);
    }

    fn start_replica(&mut self, world: &mut Surroundings) {
        if self.replica.is_some() || self.replica_down > 0 {
            return;
        }
        let keys = world.ring.of(Peer::Node(self.id), &self.tally);
        let recovered = self.disk.recovered();
        match AnyReplica::recover(world.engine, self.id, &world.settings, keys.clone(), recovered.clone()) {
            Ok(replica) => {
                let replica = replica.seated(self.seat);
                let status = replica.status();
                world.checkers.started(world.now, self.slot, status.executed, status.state);
                self.replica = Some(replica);
                self.seats = self.filed.clone();
                self.look_at_seats();
            }
            Err(reason) => {
                if self.traitor.is_none() {
                    let text = format!("p{} cannot recover from its own disk: {reason}", self.slot);
                    world.checkers.report(Checker::Assertion, world.now, text);
                }
                return;
            }
        }
        if let Some(traitor) = &mut self.traitor {
            traitor.started(world.engine, self.id, &world.settings, keys, recovered);
            self.schedule_treason(Duration::ZERO, Traitor::TICK, world);
        }
        world.traced(|| Traced::Up { node: self.slot as u8 });
        self.tell_guard(true, world);
        self.deliver(Event::Started, world);
    }

    /// The supervisor tells the guard whether the replica beside it runs.
    fn tell_guard(&mut self, up: bool, world: &mut Surroundings) {
        let slot = self.slot;
        world.checkers.watch_monitors(|vouched| vouched.replica_is_up(slot, up));
        let Some(guard) = &mut self.guard else { return };
        let mut effects = world.spare.pop().unwrap_or_default();
        guard.replica_is_up(self.clock.show(world.now), up, &mut effects);
        self.guarded(effects, world);
    }

    /// The replica's process dies, until [`Node::revive`].
    pub fn crash(&mut self, crash: Crash, world: &mut Surroundings) {
        self.replica_down += 1;
        if self.replica_down > 1 {
            return;
        }
        self.replica = None;
        self.life += 1;
        self.replica_timers.clear_all();
        self.twin_timers.clear_all();
        self.inbox.clear();
        let lost = self.disk.crash(crash);
        world.stats.writes_lost += lost as u64;
        world.traced(|| Traced::Down { node: self.slot as u8, lost });
        if !world.settings.protocol.monitored() {
            self.guard = None;
            self.guard_timers.clear_all();
        }
        // Where the power failed nobody is left to be told.
        if crash == Crash::Process {
            self.tell_guard(false, world);
        }
        self.stash.clear();
    }

    /// A crash is over.
    pub fn revive(&mut self, world: &mut Surroundings) {
        self.replica_down -= 1;
        self.start(world);
    }

    /// Another machine takes its seat by the change that made `seats`: it has an empty disk, the files of that edition, and a monitor
    /// whose starts are later than any before. It must be down.
    pub fn replace(&mut self, seats: Seats) {
        assert!(self.replica.is_none(), "the old machine is out");
        self.disk.wipe();
        self.stash.clear();
        self.seat = seats.era;
        self.starts += STARTS_OF_A_MACHINE_MAX;
        (self.filed, self.seats) = (seats.clone(), seats);
    }

    /// The monitor dies, until [`Node::revive_monitor`].
    pub fn crash_monitor(&mut self, world: &mut Surroundings) {
        self.monitor_down += 1;
        if self.monitor_down > 1 || !world.settings.protocol.monitored() {
            return;
        }
        self.guard_timers.clear_all();
        let slot = self.slot;
        world.checkers.watch_monitors(|vouched| vouched.monitor_crashed(slot));
        let guard = self.guard.take();
        self.guard = match self.fail {
            Fail::Closed => None,
            Fail::Open => {
                let mut effects = world.spare.pop().unwrap_or_default();
                let guard = guard.map(|guard| guard.without_monitor(&mut effects));
                self.guard = guard;
                return self.guarded(effects, world);
            }
        };
    }

    /// A monitor's crash is over: a new one, without memory.
    pub fn revive_monitor(&mut self, world: &mut Surroundings) {
        self.monitor_down -= 1;
        if self.monitor_down == 0 {
            if world.settings.protocol.monitored() {
                self.guard = None;
            }
            self.start(world);
        }
    }

    /// It stands still, until [`Node::resume`].
    pub fn pause(&mut self) {
        self.paused += 1;
    }

    /// It goes on, with all that came meanwhile.
    pub fn resume(&mut self, world: &mut Surroundings) {
        self.paused -= 1;
        if self.paused > 0 {
            return;
        }
        let (slot, now) = (self.slot, world.now);
        world.checkers.watch_monitors(|vouched| vouched.resumed(now, slot));
        let node = self.slot as u8;
        for happening in self.stash.drain(..) {
            world.agenda.enter(world.now, happening);
        }
        let owners = [
            (Owner::Guard, &mut self.guard_timers),
            (Owner::Replica, &mut self.replica_timers),
            (Owner::Twin, &mut self.twin_timers),
        ];
        for (owner, timers) in owners {
            for (timer, at) in timers.resume(world.now) {
                world.agenda.enter(at, Happening::Timer { node, owner, timer });
            }
        }
    }

    /// Keeps `happening` for later if the node stands still; gives it back if it does not.
    pub(super) fn unless_paused(&mut self, happening: Happening) -> Option<Happening> {
        if self.paused == 0 {
            return Some(happening);
        }
        if self.stash.len() < STASH_MAX {
            self.stash.push(happening);
        }
        None
    }
}
