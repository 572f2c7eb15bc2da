//! What a replica has asked its disk to keep, and what must wait until the disk has.
//!
//! A replica writes a record and goes on; what may only be said once the record survives a loss of power (an ACK, a
//! promise, a reply) is *held* behind it. Upon `Durable(p)` everything held behind writes up to `p` is released, in
//! the order in which it was held. So one flush of the disk serves all records written while the one before it ran
//! (group commit), and nobody waits for a timer.

use crate::replica::{Effect, Outbox, Position, Write};
use bytes::Bytes;
use std::collections::VecDeque;

/// The writes of one replica.
#[derive(Clone, Hash, Debug, Default)]
pub struct Journal {
    last: Position,
    durable: Position,
    held: VecDeque<(Position, Effect)>,
}

impl Journal {
    /// The journal of a replica whose last write so far, all of them durable, was `last`.
    #[must_use]
    pub fn new(last: Position) -> Self {
        Journal { last, durable: last, held: VecDeque::new() }
    }

    /// Writes one record at the end of the log and returns its position.
    pub fn record(&mut self, record: Bytes, out: &mut Outbox) -> Position {
        self.write(Write::Record(record), out)
    }

    /// Writes a snapshot that replaces the one before it and every record before `keep_from`.
    pub fn snapshot(&mut self, image: Bytes, keep_from: Position, out: &mut Outbox) -> Position {
        self.write(Write::Snapshot { image, keep_from }, out)
    }

    fn write(&mut self, write: Write, out: &mut Outbox) -> Position {
        self.last = Position(self.last.0 + 1);
        out.push(Effect::Write(write));
        self.last
    }

    /// The position that the next write will get.
    #[must_use]
    pub fn next(&self) -> Position {
        Position(self.last.0 + 1)
    }

    /// The position up to which everything is durable.
    #[must_use]
    pub fn durable_up_to(&self) -> Position {
        self.durable
    }

    /// How many writes are not known to be durable.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.last.0 - self.durable.0
    }

    /// Lets `effect` happen once everything written so far is durable; at once if it is already.
    pub fn hold(&mut self, effect: Effect, out: &mut Outbox) {
        if self.durable == self.last {
            out.push(effect);
        } else {
            self.held.push_back((self.last, effect));
        }
    }

    /// The disk says that everything up to `position` is durable.
    ///
    /// # Panics
    /// If it speaks of a write that was never asked for: then nothing it says can be relied on.
    pub fn durable(&mut self, position: Position, out: &mut Outbox) {
        assert!(position <= self.last, "the disk cannot have kept what was not written");
        self.durable = self.durable.max(position);
        while self.held.front().is_some_and(|(behind, _)| *behind <= self.durable) {
            let (_, effect) = self.held.pop_front().expect("it has a front");
            out.push(effect);
        }
    }

    /// Drops what is held: the view in which it was to be said is over.
    pub fn drop_held(&mut self) {
        self.held.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::Timer;

    #[test]
    fn what_is_held_behind_a_write_waits_for_it() {
        let mut journal = Journal::default();
        let mut out = Outbox::new();
        let first = journal.record(Bytes::new(), &mut out);
        journal.hold(Effect::ClearTimer(Timer(1)), &mut out);
        let second = journal.record(Bytes::new(), &mut out);
        journal.hold(Effect::ClearTimer(Timer(2)), &mut out);
        assert_eq!(out.drain().count(), 2, "the two writes, and nothing else");
        journal.durable(first, &mut out);
        assert_eq!(out.drain().collect::<Vec<_>>(), [Effect::ClearTimer(Timer(1))]);
        journal.durable(second, &mut out);
        assert_eq!(out.drain().collect::<Vec<_>>(), [Effect::ClearTimer(Timer(2))]);
        journal.hold(Effect::ClearTimer(Timer(3)), &mut out);
        assert_eq!(out.drain().count(), 1, "nothing is under way, so nothing waits");
    }
}
