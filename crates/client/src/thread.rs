//! The thread of a connection: it alone touches links and station.
//!
//! Upon the start: nothing is asked before all links stand, or [`SETTLING`] has passed and one does: a first request that finds half
//!   of the nodes has to be sent again, which takes longer.
//! Upon each turn: frames go to the station, retry timers run out, what callers want now is asked ([`crate::slot`]), what is done
//!   is told to whoever waits, and everything that is to leave leaves, a bundle for each node.
//! Upon a change of the roster: it hears of it ([`crate::follow`]), and links and keys go by it.
//! Upon BUSY from the primary: the call is marked, so that its error says so if it has no result in time.
//! Upon a call while no link stands: it waits for one; until then it can be taken back as never asked.
//! Upon a key that is refused by so many nodes that those left cannot answer: every call that was not asked yet ends with that.
//! Upon a close: it ends when no call is left. Upon the end, or links that fail for good: every call that is left ends with CLOSED.

use crate::error::CallError;
use crate::follow::Follower;
use crate::slot::{Desk, Outcome, Slot, Stage};
use agree::client::Accepted;
use agree::sessions::{FORGOTTEN, TOO_MANY_CLIENTS};
use agree::station::{Done, SESSIONS_MAX, SessionNumber};
use agree::{Settings, Station};
use core::mem::replace;
use core::time::Duration;
use link::{Arrival, Keyring, Links, Pins};
use node::assemble::wall_time;
use node::clock::Clock;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};
use wire::{NodeId, Peer, Time, Timestamp};

/// How long after the start the links of all nodes are waited for.
const SETTLING: Duration = Duration::from_millis(50);

/// The longest that a turn waits.
const TURN_MAX: Duration = Duration::from_millis(200);

/// How often the calendar is looked at.
const CALENDAR_EVERY: Duration = Duration::from_secs(1);

/// What the thread has.
pub(crate) struct Post {
    station: Station<Keyring>,
    nodes: Vec<NodeId>,
    replies_needed: usize,
    links: Links,
    pins: Arc<Pins>,
    follower: Follower,
    desk: Arc<Desk>,
    clock: Clock,
    /// The slot of each session that the station has open, by its number; 0 is nobody's.
    slots: Vec<Option<Arc<Slot>>>,
    /// What callers changed and was not looked at yet.
    listed: Vec<Arc<Slot>>,
    settled: bool,
    looked: Time,
}

impl Post {
    pub(crate) fn new(
        station: Station<Keyring>,
        settings: &Settings,
        links: Links,
        pins: Arc<Pins>,
        follower: Follower,
        desk: Arc<Desk>,
    ) -> Post {
        let nodes = settings.members.iter().chain(&settings.spares).copied().collect();
        Post {
            station,
            nodes,
            replies_needed: settings.protocol.replies_needed(settings.f),
            links,
            pins,
            follower,
            desk,
            clock: Clock::default(),
            slots: Vec::new(),
            listed: Vec::new(),
            settled: false,
            looked: Time::ZERO,
        }
    }

    pub(crate) fn run(mut self) {
        let (mut arrived, mut done, mut frames) = (Vec::new(), Vec::new(), Vec::new());
        while !self.is_to_end() {
            let wait = if self.desk.may_wait() { self.wait() } else { Duration::ZERO };
            if self.links.turn(Some(wait), &mut arrived).is_err() {
                break;
            }
            self.desk.goes_on();
            let now = self.clock.now();
            for arrival in arrived.drain(..) {
                self.hear(now, arrival, &mut done);
            }
            self.station.passed(now);
            self.deliver(&mut done, &mut arrived);
            self.mark_put_off();
            self.ask(now);
            self.station.flush(&mut frames);
            for (node, frame) in frames.drain(..) {
                self.links.send(Peer::Node(node), &frame);
            }
            self.links.flush(&mut arrived);
            self.desk.counted(self.station.tally());
            if now.since(self.looked) >= CALENDAR_EVERY {
                self.looked = now;
                self.pins.set_now(wall_time());
            }
        }
    }

    fn is_to_end(&self) -> bool {
        let is_idle = || self.station.waiting() == 0 && self.listed.is_empty() && self.desk.is_clear();
        self.desk.has_ended() || self.desk.is_closing() && is_idle()
    }

    fn wait(&self) -> Duration {
        let now = self.clock.now();
        let longest = if self.settled { TURN_MAX } else { Time::ZERO.after(SETTLING).since(now) };
        // What waits for a link is looked at when one stands; before all have settled, soon after.
        let longest = longest.max(Duration::from_millis(1));
        self.station.deadline().map_or(longest, |due| due.since(now).min(longest))
    }

    fn hear(&mut self, now: Time, arrival: Arrival, done: &mut Vec<Done>) {
        match arrival {
            Arrival::Frame(Peer::Node(node), frame) => {
                // What is refused is not acted upon; there is nobody here to tell.
                let _ = self.station.received(now, node, frame, done);
            }
            Arrival::Up(Peer::Node(node)) => self.station.reached(now, node),
            Arrival::Down(Peer::Node(node)) => self.station.lost(now, node),
            Arrival::Frame(Peer::Client(_), _)
            | Arrival::Up(Peer::Client(_))
            | Arrival::Down(Peer::Client(_))
            | Arrival::Aside(..)
            | Arrival::Foreign(_) => {}
        }
    }

    fn deliver(&mut self, done: &mut Vec<Done>, arrived: &mut Vec<Arrival>) {
        for Done { session, accepted } in done.drain(..) {
            if self.follower.is_its(session) {
                self.follower.hear(accepted.result, &mut self.links, arrived);
                continue;
            }
            let Some(slot) = self.slots.get(usize::from(session.number())).and_then(Option::as_ref) else {
                continue;
            };
            slot.finish(outcome_of(accepted));
        }
    }

    fn mark_put_off(&mut self) {
        for number in self.station.take_put_off() {
            if let Some(slot) = self.slots.get(usize::from(number.number())).and_then(Option::as_ref) {
                slot.put_off();
            }
        }
    }

    /// Looks at what callers want now.
    fn ask(&mut self, now: Time) {
        self.desk.take_listed(&mut self.listed);
        let up = self.nodes.iter().filter(|node| self.links.is_up(Peer::Node(**node))).count();
        self.settled |= up == self.nodes.len() || now >= Time::ZERO.after(SETTLING);
        let refused = self.refused();
        let mut waiting = Vec::new();
        for slot in core::mem::take(&mut self.listed) {
            if let Some(error) = &refused {
                slot.refuse(error.clone());
            }
            let can_ask = self.settled && up > 0;
            if !self.look(now, &slot, can_ask) {
                waiting.push(slot);
            }
        }
        self.listed = waiting;
        if self.desk.is_closing() {
            self.follower.stop(&mut self.station);
        } else if self.settled && up > 0 {
            let is_refused = |node: &NodeId| self.links.refusal(*node).is_some();
            let refused = self.nodes.iter().any(is_refused);
            self.follower.ask(now, refused, &mut self.station, calendar);
        }
    }

    /// Does what the caller wants by now; whether that is all.
    fn look(&mut self, now: Time, slot: &Arc<Slot>, can_ask: bool) -> bool {
        let mut state = slot.lock();
        match replace(&mut state.stage, Stage::Asked) {
            Stage::Wanted(operation) if !can_ask => {
                state.stage = Stage::Wanted(operation);
                return false;
            }
            Stage::Wanted(operation) => {
                state.listed = false;
                state.put_off = false;
                let number = match state.number {
                    Some(number) => {
                        self.station.give_up(number);
                        Some(number)
                    }
                    None => self.open(now, slot),
                };
                state.number = number;
                drop(state);
                match number {
                    Some(number) => _ = self.station.submit(now, number, operation),
                    None => slot.finish(Err(CallError::TooManySessions)),
                }
            }
            Stage::Gone => {
                state.listed = false;
                self.desk.sessions.fetch_sub(1, Ordering::Relaxed);
                if let Some(number) = state.number.take() {
                    self.station.close(number);
                    self.slots[usize::from(number.number())] = None;
                }
                state.stage = Stage::Gone;
            }
            other @ (Stage::Idle | Stage::Asked | Stage::Done(_)) => {
                state.listed = false;
                // Whatever was asked before is not waited for any more.
                if let Some(number) = state.number.filter(|_| !matches!(other, Stage::Asked)) {
                    self.station.give_up(number);
                }
                state.stage = other;
            }
        }
        true
    }

    fn open(&mut self, now: Time, slot: &Arc<Slot>) -> Option<SessionNumber> {
        let number = self.station.open(now, calendar())?;
        let place = usize::from(number.number());
        debug_assert!(place <= usize::from(SESSIONS_MAX));
        if self.slots.len() <= place {
            self.slots.resize(place + 1, None);
        }
        self.slots[place] = Some(Arc::clone(slot));
        Some(number)
    }

    /// Whether our key, or theirs, is refused by so many that the others cannot answer.
    fn refused(&self) -> Option<CallError> {
        let reasons = || self.nodes.iter().filter_map(|node| self.links.refusal(*node));
        let nodes = reasons().count();
        let reason = reasons().next()?;
        (self.nodes.len() - nodes < self.replies_needed).then_some(CallError::KeyRefused { nodes, reason })
    }
}

/// However the thread ends, nobody waits for it any more.
impl Drop for Post {
    fn drop(&mut self) {
        self.desk.end();
        for slot in self.listed.drain(..).chain(self.slots.drain(..).flatten()) {
            slot.close();
        }
    }
}

/// What a call comes to by a result that enough nodes vouch for.
fn outcome_of(accepted: Accepted) -> Outcome {
    match &accepted.result[..] {
        FORGOTTEN => Err(CallError::Forgotten),
        TOO_MANY_CLIENTS => Err(CallError::ServiceFull),
        _ => Ok(accepted),
    }
}

/// Where a session's timestamps begin: past all that the same number can have used in an earlier process.
fn calendar() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_micros()).unwrap_or(u64::MAX / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{Sequence, View};

    #[test]
    fn a_cluster_that_takes_no_session_is_not_taken_for_a_result() {
        let accepted = |result: &'static [u8]| Accepted {
            timestamp: Timestamp(1),
            view: View(1),
            sequence: Sequence(1),
            result: result.into(),
        };
        assert_eq!(outcome_of(accepted(FORGOTTEN)), Err(CallError::Forgotten));
        assert_eq!(outcome_of(accepted(TOO_MANY_CLIENTS)), Err(CallError::ServiceFull));
        assert_eq!(outcome_of(accepted(b"done")), Ok(accepted(b"done")));
    }

    #[test]
    fn timestamps_of_a_later_process_come_after_those_of_an_earlier_one() {
        // One a microsecond is more than any session can use, and fewer than overflow in a hundred thousand years.
        let first = calendar();
        assert!(first.0 > 1_700_000_000_000_000 && first.0 < u64::MAX / 4);
        assert!(calendar() >= first);
    }
}
