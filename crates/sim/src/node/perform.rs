//! What goes on between a node's guard and its replica: events in, effects out, one event after the other.

use super::Node;
use crate::agenda::{Happening, Owner};
use crate::byzantine::{Act, requests_in};
use crate::engine::{AnyGuard, AnyReplica};
use crate::surroundings::Surroundings;
use crate::trace::Traced;
use agree::capture::What;
use agree::guard::{Guard, GuardEffect};
use agree::replica::Destination;
use agree::{Effect, Event, Message, Replica, Service};
use bytes::Bytes;
use wire::{Decode, Encode, Frame, Peer};

/// What becomes of a frame on a link whose monitor is down: the link says so, whatever the replica has written there.
fn unvouched(frame: Bytes) -> Bytes {
    match Frame::from_bytes(frame.clone()) {
        Ok(frame) => Frame { vouched: false, ..frame }.to_bytes(),
        Err(_) => frame,
    }
}

impl Node {
    /// Does what the guard wants done.
    pub(super) fn guarded(&mut self, effects: Vec<GuardEffect>, world: &mut Surroundings) {
        self.perform_guarded(effects, world);
        self.drain(world);
    }

    fn perform_guarded(&mut self, mut effects: Vec<GuardEffect>, world: &mut Surroundings) {
        world.checkers.passed(world.now, self.slot, self.paused > 0, &effects);
        for effect in effects.drain(..) {
            match effect {
                GuardEffect::Deliver(event) => {
                    for request in requests_in(&event) {
                        world.checkers.received(self.slot, request.client, request.timestamp);
                    }
                    self.inbox.push_back(event);
                }
                GuardEffect::Transmit { to, frame } => self.transmit(to, frame, world),
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
                    *world.stats.alarms_by_rule.entry(alarm.rule).or_default() += 1;
                    if !self.disk.lies() {
                        world.checkers.alarmed(world.now, self.slot, &alarm);
                    }
                    world.traced(|| Traced::Alarm { node: self.slot as u8, rule: alarm.rule });
                }
            }
        }
        world.spare.push(effects);
    }

    /// Nothing more comes for now: what the guard has gathered leaves.
    fn flush(&mut self, world: &mut Surroundings) {
        let Some(guard) = &mut self.guard else { return };
        let mut effects = world.spare.pop().unwrap_or_default();
        guard.flush(&mut effects);
        if effects.is_empty() {
            return world.spare.push(effects);
        }
        self.perform_guarded(effects, world);
    }

    /// Puts a frame on the link to `to`.
    fn transmit(&self, to: Peer, frame: Bytes, world: &mut Surroundings) {
        let now = self.clock.show(world.now);
        world.capture(now, self.id, || What::Said { to, frame: frame.clone() });
        world.transmit(self.slot, to, frame);
    }

    pub(super) fn deliver(&mut self, event: Event, world: &mut Surroundings) {
        self.inbox.push_back(event);
        self.drain(world);
    }

    /// Hands the replica what waits for it, one event after the other.
    pub(super) fn drain(&mut self, world: &mut Surroundings) {
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
        self.flush(world);
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
        self.look_at_seats();
        world.checkers.stepped(world.now, self.slot, count, self.disk.records_kept());
    }

    /// What the replica knows of who sits where counts for the links.
    pub(super) fn look_at_seats(&mut self) {
        let Some(service) = self.replica.as_ref().and_then(AnyReplica::service) else { return };
        if service.seats().era > self.seats.era {
            self.seats = service.seats().clone();
        }
    }

    fn step_traitor(&mut self, event: Event, world: &mut Surroundings) {
        let Some(traitor) = &mut self.traitor else { return };
        let now = self.clock.show(world.now);
        let Some(replica) = &mut self.replica else { return };
        let acts = traitor.step(replica, now, event);
        self.perform_acts(acts, world);
        self.look_at_seats();
    }

    pub(super) fn step_twin(&mut self, event: Event, world: &mut Surroundings) {
        let now = self.clock.show(world.now);
        let Some(traitor) = &mut self.traitor else { return };
        let acts = traitor.step_twin(now, event);
        self.perform_acts(acts, world);
        self.drain(world);
    }

    pub(super) fn perform_acts(&mut self, acts: Vec<Act>, world: &mut Surroundings) {
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
                    match &self.guard {
                        Some(AnyGuard::Plain(_)) => self.transmit(to, frame, world),
                        Some(AnyGuard::ByzId(guard)) if guard.monitor().is_none() => {
                            self.transmit(to, unvouched(frame), world);
                        }
                        Some(AnyGuard::ByzId(_)) | None => {}
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
