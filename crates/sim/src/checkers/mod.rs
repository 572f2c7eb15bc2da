//! What must hold, whatever happens: one promise per file.
//!
//! Checkers see what a correct replica observes of itself, what clients invoke and accept, and nothing of a protocol; all but
//! [`vouched`], which knows ByzID and sees what passes the monitors.
//! They share two records, which they do not judge: the [`ledger`] (what was executed at which place, by whom) and the
//! [`history`] (what clients asked for and were told).
//!
//! | file | promise |
//! | --- | --- |
//! | [`order`] | a replica executes place after place, none twice, none left out |
//! | [`agreement`] | correct replicas execute the same batch at the same place |
//! | [`state`] | and are in the same state after it, and fingerprint it alike |
//! | [`exactly_once`] | a request is applied at most once |
//! | [`authentic`] | nothing is applied that a client did not ask for |
//! | [`fifo`] | requests are ordered as they came to the primary (where a monitor enforces it) |
//! | [`linearizable`] | results are those of one copy of the service, in an order that respects real time |
//! | [`durable`] | what a client was told stays |
//! | [`bounded`] | queues, logs and outboxes stay within their limits |
//! | [`vouched`] | what a monitor lets out is what a correct replica could have said |
//! | `innocent` | no monitor proves a correct replica guilty (its guard's alarm says so, there is nothing to look up) |
//! | [`live`] | once all faults are over, everybody is served and replicas converge |
//!
//! **Who is correct** is known here as it is in no real system: traitors' observations are not listened to.
//!
//! Everything up to `bounded` costs a few dozen nanoseconds per event; the replay of the whole history, for
//! `linearizable` and `durable`, happens once, at the end.

pub mod agreement;
pub mod authentic;
pub mod bounded;
pub mod durable;
pub mod exactly_once;
pub mod fifo;
pub mod history;
pub mod innocent;
pub mod ledger;
pub mod linearizable;
pub mod live;
pub mod order;
pub mod state;
pub mod vouched;

use crate::crew::Crew;
use agree::client::Accepted;
use agree::guard::{Alarm, GuardEffect};
use agree::sessions::FORGOTTEN;
use agree::{Observation, Protocol, Settings};
use bytes::Bytes;
use core::fmt;
use history::History;
use ledger::{Entry, Ledger};
use std::rc::Rc;
use wire::{ClientId, Digest, Sequence, Time, Timestamp, View};

/// Which promise was broken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Checker {
    /// [`order`].
    Order,
    /// [`agreement`].
    Agreement,
    /// [`state`].
    State,
    /// [`exactly_once`].
    ExactlyOnce,
    /// [`authentic`].
    Authentic,
    /// [`fifo`].
    Fifo,
    /// [`linearizable`].
    Linearizable,
    /// [`durable`].
    Durable,
    /// [`bounded`].
    Bounded,
    /// [`vouched`].
    Vouched,
    /// [`innocent`].
    Innocent,
    /// [`live`].
    Live,
    /// The code stopped itself: an assertion of a correct replica or of the world did not hold.
    Assertion,
}

impl Checker {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Checker::Order => "order",
            Checker::Agreement => "agreement",
            Checker::State => "state",
            Checker::ExactlyOnce => "exactly-once",
            Checker::Authentic => "authentic",
            Checker::Fifo => "fifo",
            Checker::Linearizable => "linearizable",
            Checker::Durable => "durable",
            Checker::Bounded => "bounded",
            Checker::Vouched => "vouched",
            Checker::Innocent => "innocent",
            Checker::Live => "live",
            Checker::Assertion => "assertion",
        }
    }
}

/// A promise that was broken.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Violation {
    /// Which one.
    pub checker: Checker,
    /// When it showed.
    pub at: Time,
    /// How.
    pub explanation: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.at.0 / 1000;
        write!(
            f,
            "{} at {}.{:06} s: {}",
            self.checker.name(),
            micros / 1_000_000,
            micros % 1_000_000,
            self.explanation
        )
    }
}

/// When what a replica executed is final.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Finality {
    /// At once: a batch is executed only when it is agreed on.
    Executed,
    /// When a client accepted its result or a stable checkpoint covers it; before, a replica may take it back.
    Accepted,
}

impl Finality {
    /// That of `protocol`.
    #[must_use]
    pub fn of(protocol: Protocol) -> Finality {
        match protocol {
            Protocol::Paxos | Protocol::Pbft => Finality::Executed,
            Protocol::ByzId | Protocol::ByzIdW => Finality::Accepted,
        }
    }
}

/// All checkers of one run.
#[derive(Clone, Debug)]
pub struct Checkers {
    finality: Finality,
    correct: Vec<bool>,
    /// In which view each node is, as far as it showed.
    views: Vec<View>,
    ledger: Ledger,
    history: History,
    exactly_once: exactly_once::ExactlyOnce,
    checkpoints: state::Checkpoints,
    fifo: Option<fifo::Fifo>,
    vouched: Option<vouched::Vouched>,
    bounded: bounded::Bounded,
    violations: Vec<Violation>,
}

/// Violations kept at most: the first says it all.
const VIOLATIONS_MAX: usize = 8;

impl Checkers {
    /// Checkers of a run with so many nodes and clients, of which `traitors` are not listened to.
    #[must_use]
    pub fn new(
        finality: Finality,
        nodes: usize,
        crew: Crew,
        traitors: &[usize],
        limits: bounded::Limits,
    ) -> Self {
        Checkers {
            finality,
            correct: (0..nodes).map(|node| !traitors.contains(&node)).collect(),
            views: vec![View(0); nodes],
            ledger: Ledger::new(nodes),
            history: History::new(crew),
            exactly_once: exactly_once::ExactlyOnce::new(nodes, crew),
            checkpoints: state::Checkpoints::default(),
            fifo: None,
            vouched: None,
            bounded: bounded::Bounded::new(limits),
            violations: Vec::new(),
        }
    }

    /// Also watches the order at the primary's guard.
    #[must_use]
    pub fn with_fifo(self) -> Self {
        Checkers { fifo: Some(fifo::Fifo::new(self.correct.len())), ..self }
    }

    /// Also watches what passes the monitors.
    #[must_use]
    pub fn with_vouched(self, settings: Rc<Settings>) -> Self {
        let nodes = self.correct.len();
        let traitors: Vec<usize> = (0..nodes).filter(|node| !self.correct[*node]).collect();
        Checkers { vouched: Some(vouched::Vouched::new(settings, nodes, &traitors)), ..self }
    }

    /// Tells the one that watches the monitors, if there is one.
    #[inline]
    pub fn watch_monitors(&mut self, tell: impl FnOnce(&mut vouched::Vouched)) {
        if let Some(vouched) = &mut self.vouched {
            tell(vouched);
        }
    }

    /// All that one event made the guard of `node` let in and out, and whether the node stands still otherwise.
    #[inline]
    pub fn passed(&mut self, now: Time, node: usize, stands_still: bool, effects: &[GuardEffect]) {
        if let Some(vouched) = &mut self.vouched {
            let verdict = vouched.passed(now, node, stands_still, effects);
            self.check(Checker::Vouched, now, verdict);
        }
    }

    /// Whether `node` is correct.
    #[must_use]
    pub fn is_correct(&self, node: usize) -> bool {
        self.correct[node]
    }

    /// `node` is in the hands of a traitor: nothing that it observes counts any more.
    pub fn distrust(&mut self, node: usize) {
        self.correct[node] = false;
    }

    /// What was broken so far.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// What clients asked for and were told.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What was executed.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Notes a violation.
    pub fn report(&mut self, checker: Checker, at: Time, explanation: String) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation { checker, at, explanation });
        }
    }

    fn check(&mut self, checker: Checker, at: Time, verdict: Result<(), String>) {
        if let Err(explanation) = verdict {
            self.report(checker, at, explanation);
        }
    }

    /// The monitor of `node` raised an alarm.
    pub fn alarmed(&mut self, now: Time, node: usize, alarm: &Alarm) {
        let verdict = innocent::alarmed(self.is_correct(node), alarm);
        self.check(Checker::Innocent, now, verdict);
    }

    /// A client asks for `operation`.
    pub fn invoked(&mut self, now: Time, client: ClientId, timestamp: Timestamp, operation: Bytes) {
        self.history.invoked(now, client, timestamp, operation);
    }

    /// A client that lies asks for `other` under the number of a request that it made before.
    pub fn invoked_also(&mut self, client: ClientId, timestamp: Timestamp, other: Bytes) {
        self.history.invoked_also(client, timestamp, other);
    }

    /// A client was told enough to believe a result.
    pub fn accepted(&mut self, now: Time, client: ClientId, accepted: &Accepted) {
        self.history.accepted(now, client, accepted);
        if accepted.result == FORGOTTEN {
            // It has no place: nobody knows whether it ever had one.
            return;
        }
        let verdict = agreement::accepted(&mut self.ledger, self.finality, &self.views, client, accepted);
        self.check(Checker::Agreement, now, verdict);
    }

    /// A request came to the guard of `node`.
    pub fn received(&mut self, node: usize, client: ClientId, timestamp: Timestamp) {
        if let Some(fifo) = &mut self.fifo {
            fifo.received(node, client, timestamp);
        }
    }

    /// The replica of `node` was built (again) and says that it stands at `executed` with `state`.
    pub fn started(&mut self, now: Time, node: usize, executed: Sequence, state: Digest) {
        self.restored(now, node, executed, state);
    }

    /// One event of `node` left so many effects, and its disk holds so many records.
    #[inline]
    pub fn stepped(&mut self, now: Time, node: usize, effects: usize, records: usize) {
        if !self.correct[node] {
            return;
        }
        let verdict = self.bounded.stepped(node, effects, records);
        self.check(Checker::Bounded, now, verdict);
    }

    /// A link held so many frames.
    pub fn link_filled(&mut self, now: Time, frames: u64) {
        let verdict = self.bounded.link_filled(frames);
        self.check(Checker::Bounded, now, verdict);
    }

    /// The replica of `node` observed something of itself.
    pub fn observe(&mut self, now: Time, node: usize, observation: &Observation) {
        if !self.correct[node] {
            return;
        }
        match observation {
            Observation::Executed { view, sequence, batch, state, applied } => {
                self.views[node] = *view;
                let entry = Entry {
                    before: self.ledger.last_variant(node),
                    view: *view,
                    batch: *batch,
                    state: *state,
                    by: node as u8,
                    at: now,
                    ..Entry::default()
                };
                self.executed(now, node, *sequence, entry, applied);
            }
            Observation::RolledBack { to } => self.rolled_back(now, node, *to),
            Observation::Restored { sequence, state } => self.restored(now, node, *sequence, *state),
            Observation::Stable { sequence, digest } => {
                let verdict = self.checkpoints.stable(node, *sequence, *digest);
                self.check(Checker::State, now, verdict);
                if self.finality == Finality::Accepted {
                    if self.ledger.took_another_way(node, *sequence) {
                        self.exactly_once.rebuild(node, &self.ledger);
                    }
                    let verdict = agreement::stable(&mut self.ledger, node, self.views[node], *sequence);
                    self.check(Checker::Agreement, now, verdict);
                }
            }
            Observation::Entered { view, primary } => {
                self.views[node] = *view;
                if let Some(fifo) = &mut self.fifo {
                    fifo.entered(*view, usize::from(primary.0));
                }
            }
        }
    }

    fn executed(
        &mut self,
        now: Time,
        node: usize,
        sequence: Sequence,
        entry: Entry,
        applied: &[(ClientId, Timestamp)],
    ) {
        let verdict = order::executed(&self.ledger, node, sequence);
        if verdict.is_err() {
            // Nothing that follows would mean anything.
            self.check(Checker::Order, now, verdict);
            return;
        }
        let view = entry.view;
        let (variant, fresh) = self.ledger.enter(sequence, entry, applied);
        let verdict = agreement::executed(&self.ledger, self.finality, node, view, sequence, variant);
        self.check(Checker::Agreement, now, verdict);
        if !fresh {
            let verdict = state::executed(&self.ledger, node, sequence, variant, &entry, applied);
            self.check(Checker::State, now, verdict);
        } else {
            // What the first to execute it applied, all others must have applied too: `state` sees to that.
            let verdict = authentic::applied(&self.history, node, applied);
            self.check(Checker::Authentic, now, verdict);
            if let Some(fifo) = &mut self.fifo {
                let verdict = fifo.executed(view, sequence, applied);
                self.check(Checker::Fifo, now, verdict);
            }
        }
        let verdict = self.exactly_once.applied(node, applied);
        self.check(Checker::ExactlyOnce, now, verdict);
        self.ledger.advance(node, variant);
    }

    fn rolled_back(&mut self, now: Time, node: usize, to: Sequence) {
        let verdict = order::rolled_back(&self.ledger, self.finality, node, to);
        self.check(Checker::Order, now, verdict);
        self.ledger.cut(node, to);
        self.exactly_once.rebuild(node, &self.ledger);
    }

    fn restored(&mut self, now: Time, node: usize, sequence: Sequence, state: Digest) {
        if !self.correct[node] {
            return;
        }
        let verdict = state::restored(&self.ledger, node, sequence, state);
        self.check(Checker::State, now, verdict);
        self.ledger.jump(node, sequence, state);
        self.exactly_once.rebuild(node, &self.ledger);
    }

    /// The run is over. `converged` says that all correct replicas stand at the same place; then the whole of what
    /// clients were told must be in it.
    pub fn finish(&mut self, now: Time, converged: bool) {
        if !self.violations.is_empty() {
            return;
        }
        let path = self.ledger.longest_path(&self.correct);
        if self.finality == Finality::Executed || converged {
            let verdict = durable::check(&self.ledger, &self.history, &path, converged);
            self.check(Checker::Durable, now, verdict);
        }
        match linearizable::check(&self.ledger, &self.history, &path) {
            Ok(()) => {}
            Err((at, explanation)) => self.report(Checker::Linearizable, at.unwrap_or(now), explanation),
        }
    }

    /// The most effects of one event and the most records on a disk.
    #[must_use]
    pub fn most(&self) -> (usize, usize) {
        self.bounded.most()
    }

    /// The highest view that was executed in.
    #[must_use]
    pub fn newest_view(&self) -> View {
        self.ledger.newest_view()
    }
}
