//! One node: guard, replica, disk, clock and timers, wired as in production.
//!
//! A frame goes to the guard; what the guard delivers goes to the replica; what the replica wants sent goes back through
//! the guard. All effects of one event are performed, in order, before the next event is handed over: a replica never
//! sees an event in the middle of its own effects. When nothing more comes of what happened, the guard lets leave what it has
//! gathered for clients: a bundle for each station.
//!
//! What can happen to it:
//!   - **crash**: the replica's process dies; writes that were not durable are lost in part. It is built again from disk.
//!     Without a monitor, guard and replica are one process and die together.
//!   - **monitor crash**: fail closed: nothing comes in or goes out until a new monitor, without memory and with a
//!     higher incarnation, is started. Fail open: the replica uses its links itself, through a plain guard.
//!   - **pause**: nothing happens at all; frames, timers and flushes wait and come when it goes on.
//!
//! A traitor's replica is the honest one in the hands of a [`Traitor`], which sees and changes what goes in and out.
//!
//! `life` is how it starts and dies, `perform` what goes on between its guard and its replica.

mod life;
mod perform;

use crate::agenda::{Happening, Owner};
use crate::byzantine::Traitor;
use crate::clock::Clock;
use crate::disk::Disk;
use crate::engine::{AnyGuard, AnyReplica};
use crate::keys::Tally;
use crate::surroundings::Surroundings;
use crate::timers::{Came, Timers};
use agree::byzid::guard::Fail;
use agree::capture::What;
use agree::door::Door;
use agree::guard::Guard;
use agree::roster::{Edition, Seats};
use agree::{Event, Outbox, Replica};
use bytes::Bytes;
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::Rc;
use wire::{NodeId, Peer, Time};

/// What happens to a node that stands still is kept for later, up to so many things; the rest is lost, as frames are
/// when a socket's buffer is full.
const STASH_MAX: usize = 4_096;
/// One node.
pub struct Node {
    slot: usize,
    id: NodeId,
    guard: Option<AnyGuard>,
    replica: Option<AnyReplica>,
    traitor: Option<Traitor>,
    disk: Disk,
    clock: Clock,
    tally: Rc<Tally>,
    fail: Fail,
    guard_timers: Timers,
    replica_timers: Timers,
    twin_timers: Timers,
    life: u32,
    /// How often its monitor was started.
    starts: u64,
    /// The edition of the roster that put this machine here.
    seat: Edition,
    /// Who sits where, by its files.
    filed: Seats,
    /// Who sits where, by what its replica last knew: whose links it takes.
    seats: Seats,
    /// How many faults at present want the replica down, the monitor down, the process to stand still.
    replica_down: u32,
    monitor_down: u32,
    paused: u32,
    stash: Vec<Happening>,
    inbox: VecDeque<Event>,
    busy: bool,
    outbox: Outbox,
}

impl Node {
    /// A node that was not started yet.
    #[must_use]
    pub fn new(slot: usize, disk: Disk, clock: Clock, traitor: Option<Traitor>, fail: Fail) -> Self {
        Node {
            slot,
            id: NodeId(slot as u16),
            guard: None,
            replica: None,
            traitor,
            disk,
            clock,
            tally: Rc::new(Tally::default()),
            fail,
            guard_timers: Timers::default(),
            replica_timers: Timers::default(),
            twin_timers: Timers::default(),
            life: 0,
            starts: 0,
            seat: Edition(0),
            filed: Seats::default(),
            seats: Seats::default(),
            replica_down: 0,
            monitor_down: 0,
            paused: 0,
            stash: Vec::new(),
            inbox: VecDeque::new(),
            busy: false,
            outbox: Outbox::new(),
        }
    }

    /// Its replica is in the hands of `traitor` from its start.
    pub fn hand_over(&mut self, traitor: Traitor) {
        self.traitor = Some(traitor);
    }

    /// The edition of the roster that put this machine here.
    #[must_use]
    pub fn seat(&self) -> Edition {
        self.seat
    }

    /// Whether it takes the machine of `seat` for that of the node `node`.
    #[must_use]
    pub fn knows(&self, node: NodeId, seat: Edition) -> bool {
        self.seats.of(node) == seat
    }

    /// Whoever was at the other end of its link to `node` is gone.
    pub fn lose_frames_of(&mut self, node: NodeId) {
        let peer = Peer::Node(node);
        self.stash.retain(|happening| !matches!(happening, Happening::Frame { link, .. } if *link == peer));
    }

    /// Its replica, if that is up.
    #[must_use]
    pub fn replica(&self) -> Option<&AnyReplica> {
        self.replica.as_ref()
    }

    /// Whether its monitor runs.
    #[must_use]
    pub fn is_monitored(&self) -> bool {
        self.monitor_down == 0 && self.guard.as_ref().is_some_and(|guard| guard.monitor().is_some())
    }

    /// What its keys made and checked.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Its disk.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Its disk, to be slowed.
    pub fn disk_mut(&mut self) -> &mut Disk {
        &mut self.disk
    }

    /// Its clock runs at another rate from now on.
    pub fn set_drift(&mut self, now: Time, permille: i64) {
        self.clock.set_drift(now, permille);
    }

    /// A frame arrived over the link to `link`.
    pub fn receive(&mut self, link: Peer, frame: Bytes, world: &mut Surroundings) {
        if self.paused > 0 {
            self.unless_paused(Happening::Frame { to: self.slot as u8, link, frame });
            return;
        }
        if self.guard.is_some() && world.captured.is_some() {
            self.capture_heard(link, &frame, world);
        }
        let Some(guard) = &mut self.guard else { return };
        let mut effects = world.spare.pop().unwrap_or_default();
        guard.receive(self.clock.show(world.now), link, frame, &mut effects);
        self.guarded(effects, world);
    }

    /// Whoever captures what passes here was here.
    pub fn look(&self, world: &mut Surroundings) {
        world.capture(self.clock.show(world.now), self.id, || What::Nothing);
    }

    /// What is captured as heard is what the door lets in: whoever audits has no keys.
    fn capture_heard(&self, link: Peer, frame: &Bytes, world: &mut Surroundings) {
        let me = Peer::Node(self.id);
        let nodes = world.settings.members.iter().chain(&world.settings.spares).copied().collect();
        let uncounted = Rc::new(Tally::default());
        let keys = world.ring.of_monitor(me, &uncounted);
        if Door::new(me, world.settings.protocol, nodes, keys).open(link, frame.clone()).is_ok() {
            let now = self.clock.show(world.now);
            world.capture(now, self.id, || What::Heard { from: link, frame: frame.clone() });
        }
    }

    /// A timer may have run out.
    pub fn timer(&mut self, owner: Owner, timer: u8, world: &mut Surroundings) {
        let timers = match owner {
            Owner::Guard => &mut self.guard_timers,
            Owner::Replica => &mut self.replica_timers,
            Owner::Twin => &mut self.twin_timers,
        };
        if self.paused > 0 {
            timers.missed(timer, world.now);
            return;
        }
        match timers.came(timer, world.now) {
            Came::Stale => return,
            Came::Later(at) => {
                world.agenda.enter(at, Happening::Timer { node: self.slot as u8, owner, timer });
                return;
            }
            Came::Due => {}
        }
        let timer = agree::Timer(timer);
        match owner {
            Owner::Guard => {
                let Some(guard) = &mut self.guard else { return };
                let mut effects = world.spare.pop().unwrap_or_default();
                guard.timeout(self.clock.show(world.now), timer, &mut effects);
                self.guarded(effects, world);
            }
            Owner::Replica => self.deliver(Event::Timer(timer), world),
            Owner::Twin => self.step_twin(Event::Timer(timer), world),
        }
    }

    /// The disk finished a flush that was asked for in the life `life`.
    pub fn flushed(&mut self, life: u32, world: &mut Surroundings) {
        if life != self.life {
            return;
        }
        if let Some(Happening::Flushed { .. }) =
            self.unless_paused(Happening::Flushed { node: self.slot as u8, life })
        {
            let (durable, next) = self.disk.flushed(world.now);
            if let Some(at) = next {
                world.agenda.enter(at, Happening::Flushed { node: self.slot as u8, life });
            }
            if let Some(position) = durable {
                self.deliver(Event::Durable(position), world);
            }
        }
    }

    /// The traitor here does what it put off.
    pub fn treason(&mut self, index: u32, world: &mut Surroundings) {
        if self.paused > 0 || self.replica.is_none() {
            if index == Traitor::TICK && self.replica.is_some() {
                self.schedule_treason(Traitor::TICK_EVERY, index, world);
            }
            return;
        }
        let Some(traitor) = &mut self.traitor else { return };
        let now = self.clock.show(world.now);
        let acts = traitor.due(index, now, self.replica.as_ref().map(Replica::status));
        self.perform_acts(acts, world);
        if index == Traitor::TICK {
            self.schedule_treason(Traitor::TICK_EVERY, index, world);
        }
        self.drain(world);
    }

    fn schedule_treason(&mut self, after: Duration, index: u32, world: &mut Surroundings) {
        let at = world.now.after(after);
        world.agenda.enter(at, Happening::Treason { node: self.slot as u8, index });
    }
}
