//! The guard's half of a node: links, guard and the guard's timers.
//!
//! Upon a frame: the guard says what becomes of it; what it delivers is left for the other half.
//! Upon changes of the roster that the replica shows: they count if an operator signed them ([`crate::membership`]).
//! Upon a message of the replica's: the guard says whether it leaves, and it leaves with the next flush.

use crate::assemble::AnyGuard;
use crate::ending::Ending;
use crate::membership::Membership;
use crate::timers::Timers;
use agree::guard::{Alarm, Guard, GuardEffect};
use agree::roster::{Refusal, Signed};
use agree::{Destination, Event, Message};
use bytes::Bytes;
use link::{Arrival, Holder, Links};
use wire::{Peer, Time};

/// What passed a guard, in numbers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Passed {
    /// Frames that came.
    pub heard: u64,
    /// Frames that went.
    pub said: u64,
    /// Messages that were not let through.
    pub refused: u64,
    /// Words of the replica's that were none, where it is another process.
    pub words_refused: u64,
    /// Words for the replica that came while it was down.
    pub words_lost: u64,
    /// Times that the replica showed a change of the roster that no operator signed.
    pub changes_refused: u64,
    /// The edition of the roster that counts.
    pub edition: u64,
    /// Rules that the replica broke, each once: there are only so many.
    pub alarms: Vec<Alarmed>,
}

/// A rule that the replica broke.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alarmed {
    /// The last time.
    pub alarm: Alarm,
    /// When that was.
    pub at: Time,
    /// How often.
    pub times: u64,
}

impl Passed {
    /// The latest stands last.
    pub(crate) fn alarmed(&mut self, at: Time, alarm: Alarm) {
        let before = self.alarms.iter().position(|alarmed| alarmed.alarm.rule == alarm.rule);
        let times = before.map_or(0, |place| self.alarms.remove(place).times);
        self.alarms.push(Alarmed { alarm, at, times: times + 1 });
    }
}

/// The guard and what it needs.
pub struct Gate<G> {
    guard: G,
    links: Links,
    membership: Option<Membership>,
    timers: Timers,
    effects: Vec<GuardEffect>,
    passed: Passed,
}

impl Gate<AnyGuard> {
    /// The replica stopped, or runs again.
    pub fn replica_is_up(&mut self, now: Time, up: bool, events: &mut Vec<Event>) {
        self.guard.replica_is_up(now, up, &mut self.effects);
        self.perform(now, events);
    }
}

impl<G: Guard> Gate<G> {
    /// A guard that has not been told yet that it was started.
    pub fn new(guard: G, links: Links) -> Self {
        Gate {
            guard,
            links,
            membership: None,
            timers: Timers::default(),
            effects: Vec::new(),
            passed: Passed::default(),
        }
    }

    /// Who is there is told by `membership` from now on.
    #[must_use]
    pub fn governed(mut self, membership: Membership) -> Self {
        self.passed.edition = membership.edition().0;
        self.membership = Some(membership);
        self
    }

    /// Somebody shows changes of the roster. Whether they change anything, or why they are refused.
    pub fn show(&mut self, changes: &[Signed], arrived: &mut Vec<Arrival>) -> Result<bool, Refusal> {
        let Some(membership) = &mut self.membership else { return Ok(false) };
        let shown = membership.show(changes, &mut self.links, arrived);
        self.passed.edition = membership.edition().0;
        self.passed.changes_refused = membership.refused();
        shown
    }

    /// When keys end, as `me` sees it; where nobody tells who is there, none does.
    #[must_use]
    pub fn ending(&self, me: Holder) -> Ending {
        self.membership.as_ref().map(|membership| membership.ending(me)).unwrap_or_default()
    }

    /// The links.
    pub fn links(&mut self) -> &mut Links {
        &mut self.links
    }

    /// The guard.
    pub fn guard(&self) -> &G {
        &self.guard
    }

    /// What passed.
    pub fn tally(&self) -> &Passed {
        &self.passed
    }

    /// A word of the replica's was none.
    pub fn refuse_word(&mut self) {
        self.passed.words_refused += 1;
    }

    /// There was no replica for a word.
    pub fn lose_word(&mut self) {
        self.passed.words_lost += 1;
    }

    /// When [`Gate::passed`] is due next.
    pub fn deadline(&self) -> Option<Time> {
        self.timers.next()
    }

    /// The node was started.
    pub fn start(&mut self, now: Time, events: &mut Vec<Event>) {
        self.guard.start(now, &mut self.effects);
        self.perform(now, events);
    }

    /// A frame came over the link to `link`.
    pub fn heard(&mut self, now: Time, link: Peer, frame: Bytes, events: &mut Vec<Event>) {
        self.passed.heard += 1;
        self.guard.receive(now, link, frame, &mut self.effects);
        self.perform(now, events);
    }

    /// The replica wants to send `message`.
    pub fn send(&mut self, now: Time, to: Destination, message: Message, events: &mut Vec<Event>) {
        self.guard.send(now, to, message, &mut self.effects);
        self.perform(now, events);
    }

    /// It is `now`: timers that ran out.
    pub fn passed(&mut self, now: Time, events: &mut Vec<Event>) {
        while let Some(timer) = self.timers.take_due(now) {
            self.guard.timeout(now, timer, &mut self.effects);
            self.perform(now, events);
        }
    }

    /// Lets everything leave that was said.
    pub fn flush(&mut self, now: Time, arrived: &mut Vec<Arrival>) {
        self.guard.flush(&mut self.effects);
        // What was gathered leaves; nothing of that is for the replica.
        self.perform(now, &mut Vec::new());
        self.links.flush(arrived);
    }

    fn perform(&mut self, now: Time, events: &mut Vec<Event>) {
        for effect in self.effects.drain(..) {
            match effect {
                GuardEffect::Deliver(event) => events.push(event),
                GuardEffect::Transmit { to, frame } => {
                    self.passed.said += 1;
                    self.links.send(to, &frame);
                }
                GuardEffect::SetTimer(timer, after) => self.timers.set(timer, now, after),
                GuardEffect::ClearTimer(timer) => self.timers.clear(timer),
                GuardEffect::Refuse { .. } => self.passed.refused += 1,
                GuardEffect::Alarm(alarm) => self.passed.alarmed(now, alarm),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{NodeId, View};

    #[test]
    fn a_rule_that_is_broken_for_ever_takes_one_place_and_the_latest_stands_last() {
        let mut passed = Passed::default();
        let alarm = |rule, view| Alarm { node: NodeId(0), view: View(view), rule, proof: false };
        for (at, rule) in ["timely action", "presence", "timely action"].into_iter().enumerate() {
            passed.alarmed(Time(at as u64), alarm(rule, at as u64));
        }
        let told: Vec<_> =
            passed.alarms.iter().map(|one| (one.alarm.rule, one.alarm.view.0, one.at.0, one.times)).collect();
        assert_eq!(told, [("presence", 1, 1, 1), ("timely action", 2, 2, 2)]);
    }
}
