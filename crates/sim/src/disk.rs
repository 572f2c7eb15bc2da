//! A node's disk, as the contract in [`agree::replica`] has it.
//!
//! Upon a write: it waits its turn. If no flush runs, one begins for everything that waits (group commit).
//! Upon the end of a flush: what it covered is durable; if more waits, the next flush begins.
//! Upon a crash: what is durable stays; of the rest a prefix of random length survives, since the system may have
//!   written it out on its own; the write that was being written when it happened is torn, and a record whose checksum
//!   fails is as good as none.
//! Upon recovery: the last durable snapshot, the records not before its `keep_from`, and the last position.
//!
//! With [`Durability::Async`] the replica is told `Durable` at once. A crash of the process then loses nothing (the
//! system has the writes), a loss of power loses what the last flush did not cover: exactly what the operator signed.
//!
//! Never: losing what was called durable under [`Durability::Fsync`]. `flush` and `crash` assert it.

use crate::random::Random;
use agree::replica::{Position, Recovered, Write};
use bytes::Bytes;
use core::time::Duration;
use std::collections::VecDeque;
use wire::Time;

/// When a write is called durable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Durability {
    /// When a flush covered it.
    #[default]
    Fsync,
    /// At once; a loss of power may take it back.
    Async,
}

/// How fast a disk is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Speed {
    /// The fastest flush.
    pub least: Duration,
    /// How much longer a slow one takes at most.
    pub spread: Duration,
}

/// How a node went down.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Crash {
    /// Its process died; the system lives.
    Process,
    /// Its power failed.
    Power,
}

/// The disk of one node.
#[derive(Clone, Debug)]
pub struct Disk {
    durability: Durability,
    speed: Speed,
    /// How many times slower it is at present.
    slowness: u64,
    random: Random,
    /// What survives a loss of power.
    settled: Settled,
    /// The last write that the replica was told of.
    told: Position,
    /// Writes after `settled`, in order.
    waiting: VecDeque<Write>,
    /// How many of those the flush that runs covers.
    flushing: Option<usize>,
    lost: u64,
}

/// What is durable: the last snapshot, the records not before its `keep_from`, and the position of the last write.
#[derive(Clone, Hash, Debug, Default)]
pub(crate) struct Settled {
    snapshot: Option<Bytes>,
    records: VecDeque<(Position, Bytes)>,
    pub(crate) last: Position,
}

impl Settled {
    /// One more write is durable.
    pub(crate) fn take(&mut self, write: Write) {
        self.last = Position(self.last.0 + 1);
        match write {
            Write::Record(record) => self.records.push_back((self.last, record)),
            Write::Snapshot { image, keep_from } => {
                self.snapshot = Some(image);
                while self.records.front().is_some_and(|(position, _)| *position < keep_from) {
                    self.records.pop_front();
                }
            }
        }
    }

    /// What a replica finds when it is built again.
    pub(crate) fn recovered(&self) -> Recovered {
        Recovered {
            snapshot: self.snapshot.clone(),
            records: self.records.iter().cloned().collect(),
            last: self.last,
        }
    }
}

/// Under [`Durability::Async`] the system flushes on its own, this much slower than when it is told to.
const ASYNC_SLOWNESS: u64 = 100;

impl Disk {
    /// An empty disk.
    #[must_use]
    pub fn new(durability: Durability, speed: Speed, random: Random) -> Self {
        Disk {
            durability,
            speed,
            slowness: 1,
            random,
            settled: Settled::default(),
            told: Position(0),
            waiting: VecDeque::new(),
            flushing: None,
            lost: 0,
        }
    }

    /// From now on a flush takes `slowness` times as long.
    pub fn set_slowness(&mut self, slowness: u64) {
        self.slowness = slowness.max(1);
    }

    /// Whether it calls durable what is not: then a replica may forget what it said, and no monitor can tell why.
    #[must_use]
    pub fn lies(&self) -> bool {
        self.durability == Durability::Async
    }

    /// Takes a write; the moment when the flush that begins with it ends, if one does.
    pub fn write(&mut self, now: Time, write: Write) -> Option<Time> {
        self.waiting.push_back(write);
        match self.flushing {
            Some(_) => None,
            None => Some(self.begin(now)),
        }
    }

    fn begin(&mut self, now: Time) -> Time {
        self.flushing = Some(self.waiting.len());
        let slowness = match self.durability {
            Durability::Fsync => self.slowness,
            Durability::Async => self.slowness * ASYNC_SLOWNESS,
        };
        let nanos = self.random.duration(self.speed.least, self.speed.least + self.speed.spread);
        now.after(nanos * u32::try_from(slowness).unwrap_or(u32::MAX))
    }

    /// What the replica may be told is durable before any flush has ended; only if durability is a mere promise.
    pub fn promised(&mut self) -> Option<Position> {
        let last = self.last();
        if self.durability == Durability::Fsync || self.told == last {
            return None;
        }
        self.told = last;
        Some(last)
    }

    /// The flush has ended. What to tell the replica, if that is news, and when the next flush ends, if one begins.
    pub fn flushed(&mut self, now: Time) -> (Option<Position>, Option<Time>) {
        let covered = self.flushing.take().expect("a flush ends that had begun");
        for _ in 0..covered {
            let write = self.waiting.pop_front().expect("a flush covers what waited when it began");
            self.settled.take(write);
        }
        let news = self.told < self.settled.last;
        self.told = self.told.max(self.settled.last);
        let next = if self.waiting.is_empty() { None } else { Some(self.begin(now)) };
        (news.then_some(self.settled.last), next)
    }

    /// The node went down. How many writes were lost.
    pub fn crash(&mut self, crash: Crash) -> usize {
        let survive = match (self.durability, crash) {
            // The write at the end of the prefix is the torn one: it is dropped with the rest.
            (Durability::Fsync, _) | (Durability::Async, Crash::Power) => {
                self.random.index(self.waiting.len() + 1)
            }
            (Durability::Async, Crash::Process) => self.waiting.len(),
        };
        for _ in 0..survive {
            let write = self.waiting.pop_front().expect("no more survive than wait");
            self.settled.take(write);
        }
        let lost = self.waiting.len();
        self.lost += lost as u64;
        self.waiting.clear();
        self.flushing = None;
        match self.durability {
            Durability::Fsync => assert!(self.settled.last >= self.told, "what was called durable is there"),
            Durability::Async => {}
        }
        self.told = self.settled.last;
        lost
    }

    /// What a replica finds when it is built again.
    #[must_use]
    pub fn recovered(&self) -> Recovered {
        debug_assert!(self.waiting.is_empty(), "only a node that went down recovers");
        self.settled.recovered()
    }

    /// Everything is gone: a new disk was put in.
    pub fn wipe(&mut self) {
        *self = Disk::new(self.durability, self.speed, self.random.clone());
    }

    /// The position of the last write asked for.
    #[must_use]
    pub fn last(&self) -> Position {
        Position(self.settled.last.0 + self.waiting.len() as u64)
    }

    /// Whether something was written that is not durable yet.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Records that are kept, those that wait included; but where nobody waits for the disk, what waits is the system's
    /// affair.
    #[must_use]
    pub fn records_kept(&self) -> usize {
        match self.durability {
            Durability::Fsync => self.settled.records.len() + self.waiting.len(),
            Durability::Async => self.settled.records.len(),
        }
    }

    /// Writes lost in crashes so far.
    #[must_use]
    pub fn writes_lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    const SPEED: Speed = Speed { least: Duration::from_micros(10), spread: Duration::from_micros(90) };

    fn disk(durability: Durability, seed: u64) -> Disk {
        Disk::new(durability, SPEED, Random::new(seed, Stream::Disks))
    }

    fn record(byte: u8) -> Write {
        Write::Record(Bytes::from(vec![byte]))
    }

    fn positions(disk: &Disk) -> Vec<u64> {
        disk.recovered().records.iter().map(|(position, _)| position.0).collect()
    }

    #[test]
    fn one_flush_serves_all_that_waited_when_it_began() {
        let mut disk = disk(Durability::Fsync, 1);
        let end = disk.write(Time(0), record(1)).expect("a flush begins");
        assert!(disk.write(Time(1), record(2)).is_none());
        assert!(disk.write(Time(2), record(3)).is_none());
        let (durable, next) = disk.flushed(end);
        assert_eq!(durable, Some(Position(1)));
        let (durable, last) = disk.flushed(next.expect("two wait"));
        assert_eq!(durable, Some(Position(3)));
        assert_eq!(last, None);
    }

    #[test]
    fn a_crash_leaves_what_is_durable_and_any_prefix_of_the_rest() {
        let mut left = [0; 6];
        for seed in 0..500 {
            let mut disk = disk(Durability::Fsync, seed);
            let end = disk.write(Time(0), record(1)).expect("a flush begins");
            for byte in 2..=5 {
                disk.write(Time(1), record(byte));
            }
            disk.flushed(end);
            disk.crash(Crash::Process);
            let kept = positions(&disk);
            assert_eq!(kept, (1..=kept.len() as u64).collect::<Vec<_>>(), "a prefix");
            assert_eq!(disk.recovered().last.0, kept.len() as u64);
            left[kept.len()] += 1;
        }
        assert_eq!(left[0], 0, "the first was durable");
        assert!(left[1..].iter().all(|count| *count > 50), "every prefix occurs: {left:?}");
    }

    #[test]
    fn a_snapshot_replaces_the_records_before_it_once_it_is_durable() {
        let mut disk = disk(Durability::Fsync, 1);
        let end = disk.write(Time(0), record(1)).expect("a flush begins");
        disk.write(Time(0), record(2));
        let snapshot = Write::Snapshot { image: Bytes::from_static(b"image"), keep_from: Position(2) };
        disk.write(Time(0), snapshot);
        let (_, next) = disk.flushed(end);
        assert_eq!(disk.recovered_now(), (None, vec![1]));
        disk.flushed(next.expect("more waits"));
        assert_eq!(disk.recovered_now(), (Some(Bytes::from_static(b"image")), vec![2]));
        assert_eq!(disk.recovered().last, Position(3));
    }

    #[test]
    fn positions_go_on_after_a_crash_where_what_survived_ends() {
        let mut disk = disk(Durability::Fsync, 3);
        let end = disk.write(Time(0), record(1)).expect("a flush begins");
        disk.flushed(end);
        disk.write(Time(5), record(2));
        disk.crash(Crash::Power);
        let last = disk.recovered().last;
        let end = disk.write(Time(9), record(3)).expect("a flush begins");
        assert_eq!(disk.flushed(end).0, Some(Position(last.0 + 1)));
    }

    #[test]
    fn what_async_promised_survives_the_process_but_not_the_power() {
        let promised = |seed| {
            let mut disk = disk(Durability::Async, seed);
            disk.write(Time(0), record(1));
            disk.write(Time(0), record(2));
            assert_eq!(disk.promised(), Some(Position(2)));
            assert_eq!(disk.promised(), None, "once is enough");
            disk
        };
        let mut killed = promised(1);
        assert_eq!(killed.crash(Crash::Process), 0);
        assert_eq!(positions(&killed), [1, 2]);
        assert!((0..100).any(|seed| promised(seed).crash(Crash::Power) == 2));
    }

    #[test]
    fn a_slow_disk_is_slow() {
        let mut fast = disk(Durability::Fsync, 1);
        let mut slow = disk(Durability::Fsync, 1);
        slow.set_slowness(50);
        let fast = fast.write(Time(0), record(1)).expect("a flush begins");
        let slow = slow.write(Time(0), record(1)).expect("a flush begins");
        assert_eq!(slow.0, fast.0 * 50);
    }

    impl Disk {
        fn recovered_now(&self) -> (Option<Bytes>, Vec<u64>) {
            (
                self.settled.snapshot.clone(),
                self.settled.records.iter().map(|(position, _)| position.0).collect(),
            )
        }
    }
}
