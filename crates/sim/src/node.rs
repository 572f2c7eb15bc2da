//! One node: guard, replica, disk, clock and timers, wired as in production.
//!
//! A frame goes to the guard; what the guard delivers goes to the replica; what the replica wants sent goes back through
//! the guard. All effects of one event are performed, in order, before the next event is handed over: a replica never
//! sees an event in the middle of its own effects.
//!
//! What can happen to it:
//!   - **crash**: the replica's process dies; writes that were not durable are lost in part. It is built again from disk.
//!     Without a monitor, guard and replica are one process and die together.
//!   - **monitor crash**: fail closed: nothing comes in or goes out until a new monitor, without memory and with a
//!     higher incarnation, is started. Fail open: the replica uses its links itself, through a plain guard.
//!   - **pause**: nothing happens at all; frames, timers and flushes wait and come when it goes on.
//!
//! A traitor's replica is the honest one in the hands of a [`Traitor`], which sees and changes what goes in and out.

use crate::agenda::{Agenda, Happening, Owner};
use crate::byzantine::{Act, Traitor};
use crate::checkers::{Checker, Checkers};
use crate::clock::Clock;
use crate::disk::{Crash, Disk};
use crate::engine::{AnyGuard, AnyReplica, Engine};
use crate::keys::{KeyRing, Tally, keyed};
use crate::network::Network;
use crate::stats::Stats;
use crate::timers::{Came, Timers};
use crate::trace::{Trace, Traced};
use agree::byzid::guard::Fail;
use agree::guard::{Guard, GuardEffect};
use agree::replica::{Destination, Refusal};
use agree::{Effect, Event, Message, Outbox, Replica, Settings};
use bytes::Bytes;
use core::time::Duration;
use std::collections::VecDeque;
use std::rc::Rc;
use wire::{NodeId, Peer, Time};

/// What happens to a node that stands still is kept for later, up to so many things; the rest is lost, as frames are
/// when a socket's buffer is full.
const STASH_MAX: usize = 4_096;

/// Everything around a node or client that it can act upon.
pub struct Surroundings {
    /// The world's time.
    pub now: Time,
    /// What will happen.
    pub agenda: Agenda,
    /// The links.
    pub network: Network,
    /// The judges.
    pub checkers: Checkers,
    /// The numbers.
    pub stats: Stats,
    /// The story, if anybody wants to hear it.
    pub trace: Option<Trace>,
    /// A hash of everything that happened so far.
    pub fingerprint: u64,
    /// Who hands out keys.
    pub ring: KeyRing,
    /// How the cluster is set.
    pub settings: Rc<Settings>,
    /// Which implementation replicas are of.
    pub engine: Engine,
    spare: Vec<Vec<GuardEffect>>,
}

impl Surroundings {
    /// The surroundings of a run at its beginning.
    #[must_use]
    pub fn new(
        network: Network,
        checkers: Checkers,
        ring: KeyRing,
        settings: Rc<Settings>,
        engine: Engine,
        trace: Option<Trace>,
    ) -> Self {
        Surroundings {
            now: Time::ZERO,
            agenda: Agenda::default(),
            network,
            checkers,
            stats: Stats::default(),
            trace,
            fingerprint: 0,
            ring,
            settings,
            engine,
            spare: Vec::new(),
        }
    }

    /// Adds `word` to the fingerprint.
    #[inline]
    pub fn note(&mut self, word: u64) {
        self.fingerprint = (self.fingerprint.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    /// Tells the trace, if there is one.
    #[inline]
    pub fn traced(&mut self, what: impl FnOnce() -> Traced) {
        if let Some(trace) = &mut self.trace {
            trace.add(self.now, what());
        }
    }

    /// Puts a frame on the link from the peer with index `from`.
    pub fn transmit(&mut self, from: usize, to: Peer, frame: Bytes) {
        let Some(to) = self.network.directory().index(to) else {
            self.stats.frames_to_nobody += 1;
            return;
        };
        self.stats.frame(&frame);
        self.note(keyed((from << 8 | to) as u64, &frame));
        if self.trace.is_some() {
            let copy = frame.clone();
            self.traced(|| Traced::Sent { from: from as u8, to: to as u8, frame: copy });
        }
        self.network.send(self.now, from, to, frame, &mut self.agenda, &mut self.stats);
    }

    /// Counts a message that a node or client did not act upon.
    pub fn refused(&mut self, at: usize, from: Option<Peer>, refusal: Refusal) {
        self.stats.refused(from, refusal);
        self.traced(|| Traced::Refused { at: at as u8, from, refusal });
    }
}

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
            replica_down: 0,
            monitor_down: 0,
            paused: 0,
            stash: Vec::new(),
            inbox: VecDeque::new(),
            busy: false,
            outbox: Outbox::new(),
        }
    }

    /// Its replica, if that is up.
    #[must_use]
    pub fn replica(&self) -> Option<&AnyReplica> {
        self.replica.as_ref()
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

    // ── Life and death ──────────────────────────────────────────────────────────────────────────────────────────

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
            AnyGuard::new(self.id, &world.settings, &world.ring, &self.tally, self.fail, self.starts, now);
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
                let status = replica.status();
                world.checkers.started(world.now, self.slot, status.executed, status.state);
                self.replica = Some(replica);
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
        self.tell_guard(false, world);
        self.stash.clear();
    }

    /// A crash is over.
    pub fn revive(&mut self, world: &mut Surroundings) {
        self.replica_down -= 1;
        self.start(world);
    }

    /// The monitor dies, until [`Node::revive_monitor`].
    pub fn crash_monitor(&mut self, world: &mut Surroundings) {
        self.monitor_down += 1;
        if self.monitor_down > 1 || !world.settings.protocol.monitored() {
            return;
        }
        self.guard_timers.clear_all();
        let guard = self.guard.take();
        self.guard = match self.fail {
            Fail::Closed => None,
            Fail::Open => guard.map(AnyGuard::without_monitor),
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
    fn unless_paused(&mut self, happening: Happening) -> Option<Happening> {
        if self.paused == 0 {
            return Some(happening);
        }
        if self.stash.len() < STASH_MAX {
            self.stash.push(happening);
        }
        None
    }

    // ── What happens to it ──────────────────────────────────────────────────────────────────────────────────────

    /// A frame arrived over the link to `link`.
    pub fn receive(&mut self, link: Peer, frame: Bytes, world: &mut Surroundings) {
        if self.paused > 0 {
            self.unless_paused(Happening::Frame { to: self.slot as u8, link, frame });
            return;
        }
        let Some(guard) = &mut self.guard else { return };
        let mut effects = world.spare.pop().unwrap_or_default();
        guard.receive(self.clock.show(world.now), link, frame, &mut effects);
        self.guarded(effects, world);
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

    // ── Between guard and replica ───────────────────────────────────────────────────────────────────────────────

    /// Does what the guard wants done.
    fn guarded(&mut self, mut effects: Vec<GuardEffect>, world: &mut Surroundings) {
        for effect in effects.drain(..) {
            match effect {
                GuardEffect::Deliver(event) => {
                    if let Event::Message { message: Message::Request(request), .. } = &event {
                        world.checkers.received(self.slot, request.client, request.timestamp);
                    }
                    self.inbox.push_back(event);
                }
                GuardEffect::Transmit { to, frame } => world.transmit(self.slot, to, frame),
                GuardEffect::SetTimer(timer, after) => {
                    let at = self.clock.after(world.now, after);
                    if let Some(at) = self.guard_timers.set(timer.0, at) {
                        let node = self.slot as u8;
                        world
                            .agenda
                            .enter(at, Happening::Timer { node, owner: Owner::Guard, timer: timer.0 });
                    }
                }
                GuardEffect::ClearTimer(timer) => self.guard_timers.clear(timer.0),
                GuardEffect::Refuse { from, refusal } => world.refused(self.slot, Some(from), refusal),
                GuardEffect::Alarm(alarm) => {
                    world.stats.alarms += 1;
                    if alarm.proof && self.traitor.is_none() && !self.disk.lies() {
                        let text = format!("p{} is correct and was proven guilty: {}", self.slot, alarm.rule);
                        world.checkers.report(Checker::Innocent, world.now, text);
                    }
                    world.traced(|| Traced::Alarm { node: self.slot as u8, rule: alarm.rule });
                }
            }
        }
        world.spare.push(effects);
        self.drain(world);
    }

    fn deliver(&mut self, event: Event, world: &mut Surroundings) {
        self.inbox.push_back(event);
        self.drain(world);
    }

    /// Hands the replica what waits for it, one event after the other.
    fn drain(&mut self, world: &mut Surroundings) {
        if self.busy {
            return;
        }
        self.busy = true;
        while let Some(event) = self.inbox.pop_front() {
            match &self.traitor {
                None => self.step(event, world),
                Some(_) => self.step_traitor(event, world),
            }
        }
        self.busy = false;
    }

    fn step(&mut self, event: Event, world: &mut Surroundings) {
        let Some(replica) = &mut self.replica else { return };
        let mut outbox = core::mem::take(&mut self.outbox);
        replica.step(self.clock.show(world.now), event, &mut outbox);
        let mut count = 0;
        for effect in outbox.drain() {
            count += 1;
            self.perform(effect, Owner::Replica, world);
        }
        self.outbox = outbox;
        world.checkers.stepped(world.now, self.slot, count, self.disk.records_kept());
    }

    fn step_traitor(&mut self, event: Event, world: &mut Surroundings) {
        let Some(traitor) = &mut self.traitor else { return };
        let now = self.clock.show(world.now);
        let Some(replica) = &mut self.replica else { return };
        let acts = traitor.step(replica, now, event);
        self.perform_acts(acts, world);
    }

    fn step_twin(&mut self, event: Event, world: &mut Surroundings) {
        let now = self.clock.show(world.now);
        let Some(traitor) = &mut self.traitor else { return };
        let acts = traitor.step_twin(now, event);
        self.perform_acts(acts, world);
        self.drain(world);
    }

    fn perform_acts(&mut self, acts: Vec<Act>, world: &mut Surroundings) {
        for act in acts {
            match act {
                Act::Effect(effect) => self.perform(effect, Owner::Replica, world),
                Act::OfTwin(effect) => self.perform(effect, Owner::Twin, world),
                Act::Feed(event) => self.inbox.push_back(event),
                Act::ClaimDurable => {
                    let position = self.disk.last();
                    self.inbox.push_back(Event::Durable(position));
                }
                Act::Raw { to, frame } => {
                    // A monitor owns the link: past it there is no way.
                    if self.guard.as_ref().is_some_and(AnyGuard::is_plain) {
                        world.transmit(self.slot, to, frame);
                    }
                }
                Act::Later(after, act) => {
                    if let Some(index) = self.traitor.as_mut().and_then(|traitor| traitor.put_off(*act)) {
                        self.schedule_treason(after, index, world);
                    }
                }
            }
        }
    }

    fn perform(&mut self, effect: Effect, owner: Owner, world: &mut Surroundings) {
        match effect {
            Effect::Send { to, message } => self.send(to, message, world),
            Effect::SetTimer(timer, after) => {
                let at = self.clock.after(world.now, after);
                let timers =
                    if owner == Owner::Twin { &mut self.twin_timers } else { &mut self.replica_timers };
                if let Some(at) = timers.set(timer.0, at) {
                    world.agenda.enter(at, Happening::Timer { node: self.slot as u8, owner, timer: timer.0 });
                }
            }
            Effect::ClearTimer(timer) => {
                let timers =
                    if owner == Owner::Twin { &mut self.twin_timers } else { &mut self.replica_timers };
                timers.clear(timer.0);
            }
            Effect::Write(write) => {
                if let Some(at) = self.disk.write(world.now, write) {
                    world.agenda.enter(at, Happening::Flushed { node: self.slot as u8, life: self.life });
                }
                if let Some(position) = self.disk.promised() {
                    self.inbox.push_back(Event::Durable(position));
                }
            }
            Effect::Observe(observation) => {
                if self.traitor.is_none() {
                    world.observed(self.slot, &observation);
                }
            }
            Effect::Refuse { from, refusal } => world.refused(self.slot, from, refusal),
        }
    }

    fn send(&mut self, to: Destination, message: Message, world: &mut Surroundings) {
        let Some(guard) = &mut self.guard else { return };
        let mut effects = world.spare.pop().unwrap_or_default();
        guard.send(self.clock.show(world.now), to, message, &mut effects);
        // This may bring events for the replica (a monitor talks to its own side): they wait their turn in the inbox.
        let busy = core::mem::replace(&mut self.busy, true);
        self.guarded(effects, world);
        self.busy = busy;
    }
}

impl Surroundings {
    /// A correct replica observed something of itself.
    fn observed(&mut self, node: usize, observation: &agree::Observation) {
        use agree::Observation;
        match observation {
            Observation::Executed { .. } => self.stats.batches_executed += 1,
            Observation::RolledBack { .. } => self.stats.rollbacks += 1,
            Observation::Restored { .. } => self.stats.restores += 1,
            Observation::Stable { .. } => self.stats.checkpoints += 1,
            Observation::Entered { view, .. } => {
                self.stats.views_entered += 1;
                self.stats.reconfigurations = self.stats.reconfigurations.max(view.0);
            }
            Observation::Replied { .. } => {}
        }
        self.checkers.observe(self.now, node, observation);
        if self.trace.is_some() {
            let observation = observation.clone();
            self.traced(|| Traced::Observed { node: node as u8, observation });
        }
    }
}
