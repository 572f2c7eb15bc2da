//! A node in one process: both halves on one thread.
//!
//! Upon each turn: what came is heard, what the guard delivers the replica takes, what the replica wants sent the guard
//!   lets out or not, until nothing is left; then everything that is to leave leaves at once, what is to be kept goes to the log,
//!   and what is durable by then is told to the replica in the same way.
//! Upon a change of the roster that the replica executed: links and keys go by it before anything is sent that follows from it, and
//!   what still waits of a machine that is replaced is dropped.

use crate::clock::Clock;
use crate::core::{Core, Keeping};
use crate::gate::Gate;
use crate::inquiries::Inquiries;
use agree::account::Account;
use agree::guard::Guard;
use agree::roster::{Holder, What};
use agree::{Destination, Event, Message, Replica};
use core::time::Duration;
use link::Arrival;
use wire::{Peer, Time};

/// A node in one process.
pub struct Single<G, R, L> {
    gate: Gate<G>,
    core: Core<R, L>,
    inquiries: Inquiries,
    clock: Clock,
    arrived: Vec<Arrival>,
    events: Vec<Event>,
    sends: Vec<(Destination, Message)>,
}

impl<G: Guard, R: Replica, L: Keeping> Single<G, R, L> {
    /// Puts the halves together.
    pub fn new(gate: Gate<G>, core: Core<R, L>, inquiries: Inquiries, clock: Clock) -> Self {
        let (arrived, events, sends) = (Vec::new(), Vec::new(), Vec::new());
        Single { gate, core, inquiries, clock, arrived, events, sends }
    }

    /// The guard's half.
    pub fn gate(&mut self) -> &mut Gate<G> {
        &mut self.gate
    }

    /// The replica's half.
    pub fn core(&self) -> &Core<R, L> {
        &self.core
    }

    /// Who asked how the node is.
    pub fn inquiries(&self) -> &Inquiries {
        &self.inquiries
    }

    /// Closes links to those whose keys have ended.
    pub fn check_keys(&mut self) {
        self.gate.links().check_keys(&mut self.arrived);
    }

    /// Tells those who asked how it is.
    pub fn tell(&mut self, account: &Account) {
        self.inquiries.answer(account, self.gate.links());
    }

    /// Starts guard and replica.
    pub fn start(&mut self) -> Result<(), String> {
        let now = self.clock.now();
        self.look_at_the_roster();
        self.gate.start(now, &mut self.events);
        self.events.push(Event::Started);
        self.settle(now)
    }

    /// One turn, which waits at most for `longest`.
    pub fn turn(&mut self, longest: Duration) -> Result<(), String> {
        let now = self.clock.now();
        let due = [self.gate.deadline(), self.core.deadline()].into_iter().flatten().min();
        let wait = match self.core.has_writes() {
            true => Duration::ZERO,
            false => due.map_or(longest, |due| due.since(now).min(longest)),
        };
        let links = self.gate.links();
        links.turn(Some(wait), &mut self.arrived).map_err(|error| format!("links: {error}"))?;
        let now = self.clock.now();
        for arrival in self.arrived.drain(..) {
            match arrival {
                Arrival::Frame(link, frame) => self.gate.heard(now, link, frame, &mut self.events),
                Arrival::Aside(link, bytes) => self.inquiries.hear(now, link, bytes),
                Arrival::Up(_) | Arrival::Down(_) | Arrival::Foreign(_) => {}
            }
        }
        self.gate.passed(now, &mut self.events);
        self.settle(now)?;
        self.gate.flush(now, &mut self.arrived);
        if self.core.write()? {
            let now = self.clock.now();
            self.settle(now)?;
            self.gate.flush(now, &mut self.arrived);
        }
        Ok(())
    }

    /// Takes over what the replica executed of changes of the roster. Whose machine is out with that.
    fn look_at_the_roster(&mut self) -> Vec<Peer> {
        let Some(news) = self.core.news() else { return Vec::new() };
        let replaced = news.iter().filter_map(|signed| match (&signed.change.what, signed.change.holder) {
            (What::Replaced { .. }, Holder::Node(node)) => Some(Peer::Node(node)),
            _ => None,
        });
        let replaced = replaced.collect();
        // What is refused is counted; within one process nobody else could have invented it.
        let _ = self.gate.show(&news, &mut self.arrived);
        replaced
    }

    /// Lets the halves talk until they have nothing more to say.
    fn settle(&mut self, now: Time) -> Result<(), String> {
        let (mut events, mut sends) = (Vec::new(), Vec::new());
        loop {
            self.core.passed(now, &mut self.sends)?;
            let out = self.look_at_the_roster();
            self.events.retain(|event| !is_of(event, &out));
            if self.events.is_empty() && self.sends.is_empty() {
                return Ok(());
            }
            std::mem::swap(&mut events, &mut self.events);
            let mut out = Vec::new();
            for event in events.drain(..) {
                if is_of(&event, &out) {
                    continue;
                }
                self.core.step(now, event, &mut self.sends);
                out.append(&mut self.look_at_the_roster());
            }
            self.events.retain(|event| !is_of(event, &out));
            std::mem::swap(&mut sends, &mut self.sends);
            for (to, message) in sends.drain(..) {
                self.gate.send(now, to, message, &mut self.events);
            }
        }
    }
}

/// Whether `event` is a message of one of `peers`.
fn is_of(event: &Event, peers: &[Peer]) -> bool {
    matches!(event, Event::Message { from, .. } if peers.contains(from))
}
