//! A disk without time: what was written waits until the model says that it is durable, or that the power failed.
//!
//! Upon *settle*: the first write that waits is durable, and the replica is told.
//! Upon a crash: of the writes that wait, the first `keep` survive (the system had written them out on its own), the rest is
//!   lost. Every `keep` is an action of its own.

use crate::disk::Settled;
use agree::replica::{Position, Recovered, Write};
use std::collections::VecDeque;

/// The disk of one node.
#[derive(Clone, Hash, Debug, Default)]
pub struct Disk {
    settled: Settled,
    waiting: VecDeque<Write>,
}

impl Disk {
    /// Takes a write.
    pub fn write(&mut self, write: Write) {
        self.waiting.push_back(write);
    }

    /// How many writes are not durable.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Makes the first write that waits durable. The position up to which all is, or nothing if none waited.
    pub fn settle(&mut self) -> Option<Position> {
        let write = self.waiting.pop_front()?;
        self.settled.take(write);
        Some(self.settled.last)
    }

    /// The node goes down; of the writes that wait, `keep` survive.
    pub fn crash(&mut self, keep: usize) {
        for _ in 0..keep {
            self.settle();
        }
        self.waiting.clear();
    }

    /// What a replica finds when it is built again.
    #[must_use]
    pub fn recovered(&self) -> Recovered {
        debug_assert!(self.waiting.is_empty(), "only a node that went down recovers");
        self.settled.recovered()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn a_crash_keeps_a_prefix() {
        let record = |byte| Write::Record(Bytes::from(vec![byte]));
        let mut disk = Disk::default();
        (1..=3).for_each(|byte| disk.write(record(byte)));
        assert_eq!(disk.settle(), Some(Position(1)));
        disk.crash(1);
        let recovered = disk.recovered();
        assert_eq!((recovered.records.len(), recovered.last), (2, Position(2)));
        disk.write(record(9));
        assert_eq!(disk.settle(), Some(Position(3)), "positions go on where what survived ends");
    }
}
