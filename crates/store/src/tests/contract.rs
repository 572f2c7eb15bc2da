//! One contract, two disks: the same scenarios against the simulated disk and this one.

use super::tape::{Platter, Tape};
use super::{a_place, expected, options, record, snapshot};
use crate::{Durability, Log, Options};
use agree::{Position, Recovered, Write};
use core::time::Duration;
use sim::disk::{Crash, Disk, Speed};
use sim::random::{Random, Stream};
use tempfile::TempDir;
use wire::Time;

/// What the contract speaks of.
trait UnderTest {
    fn write(&mut self, write: Write);
    /// What the replica is told at last, when nothing more is written.
    fn settle(&mut self) -> Position;
    /// The node goes down, now, and is built again from this.
    fn crash(&mut self, crash: Crash) -> Recovered;
}

struct Simulated {
    disk: Disk,
    flush_ends: Option<Time>,
    told: Position,
}

impl Simulated {
    fn new(durability: Durability, seed: u64) -> Self {
        let durability = match durability {
            Durability::Fsync => sim::Durability::Fsync,
            Durability::Async => sim::Durability::Async,
        };
        let speed = Speed { least: Duration::from_micros(10), spread: Duration::from_micros(90) };
        let disk = Disk::new(durability, speed, Random::new(seed, Stream::Disks));
        Simulated { disk, flush_ends: None, told: Position(0) }
    }
}

impl UnderTest for Simulated {
    fn write(&mut self, write: Write) {
        self.flush_ends = self.disk.write(Time(0), write).or(self.flush_ends);
    }

    fn settle(&mut self) -> Position {
        if let Some(promised) = self.disk.promised() {
            self.told = promised;
        } else {
            while let Some(end) = self.flush_ends.take() {
                let (told, next) = self.disk.flushed(end);
                self.told = told.unwrap_or(self.told);
                self.flush_ends = next;
            }
        }
        self.told
    }

    fn crash(&mut self, crash: Crash) -> Recovered {
        self.disk.crash(crash);
        self.flush_ends = None;
        self.told = self.disk.last();
        self.disk.recovered()
    }
}

struct Real {
    durability: Durability,
    random: Random,
    platter: Platter,
    place: TempDir,
    tape: Tape,
    log: Option<Log>,
}

impl Real {
    fn new(durability: Durability, seed: u64) -> Self {
        let place = a_place();
        let tape = Tape::lay(place.path());
        crate::create(place.path()).expect("an empty directory");
        let (log, _) =
            Log::open(place.path(), Options { durability, ..options() }, || ()).expect("it was made");
        let random = Random::new(seed, Stream::Disks);
        Real { durability, random, platter: Platter::default(), place, tape, log: Some(log) }
    }

    fn log(&mut self) -> &mut Log {
        self.log.as_mut().expect("the node is up")
    }
}

impl UnderTest for Real {
    fn write(&mut self, write: Write) {
        let way = if self.random.chance(500) { Log::append } else { Log::write };
        way(self.log(), [write]).expect("the log is sound");
    }

    fn settle(&mut self) -> Position {
        super::settle(self.log());
        self.log().durable().expect("the log is sound")
    }

    fn crash(&mut self, crash: Crash) -> Recovered {
        // Wherever the writer is just now.
        let acts = self.tape.acts();
        drop(self.log.take());
        acts.iter().for_each(|act| self.platter.play(act));
        if crash == Crash::Power {
            self.platter = self.platter.lose_power(&mut self.random);
        }
        self.place = a_place();
        self.platter.lay_out(self.place.path());
        self.tape = Tape::lay(self.place.path());
        let options = Options { durability: self.durability, ..options() };
        let (log, found) =
            Log::open(self.place.path(), options, || ()).expect("what a crash leaves can be opened");
        self.log = Some(log);
        found.recovered
    }
}

/// Both disks, some seeds of each.
fn on_both(durability: Durability, scenario: impl Fn(&mut dyn UnderTest)) {
    for seed in 0..40 {
        scenario(&mut Simulated::new(durability, seed));
        scenario(&mut Real::new(durability, seed));
    }
}

/// One that stands in the log, and one that gets a file.
const IMAGES: [&str; 2] = ["image", "the image"];

fn numbered(number: u64) -> Write {
    record(format!("record {number}"))
}

#[test]
fn what_was_called_durable_survives_and_what_survives_is_a_prefix() {
    on_both(Durability::Fsync, |disk| {
        let writes: Vec<Write> = (1..=9).map(numbered).collect();
        writes[..5].iter().for_each(|write| disk.write(write.clone()));
        assert_eq!(disk.settle(), Position(5));
        writes[5..].iter().for_each(|write| disk.write(write.clone()));
        let recovered = disk.crash(Crash::Power);
        assert!(recovered.last >= Position(5));
        assert_eq!(recovered, expected(&writes[..recovered.last.0 as usize]));
    });
}

#[test]
fn positions_go_on_where_what_survived_ends() {
    on_both(Durability::Fsync, |disk| {
        (1..=4).for_each(|number| disk.write(numbered(number)));
        let last = disk.crash(Crash::Power).last;
        disk.write(record("after"));
        assert_eq!(disk.settle(), Position(last.0 + 1));
        let recovered = disk.crash(Crash::Power);
        assert_eq!(recovered.records.last().map(|(position, _)| *position), Some(Position(last.0 + 1)));
    });
}

fn snapshot_replaces_what_came_before(image: &str) {
    on_both(Durability::Fsync, |disk| {
        disk.write(numbered(1));
        disk.write(numbered(2));
        disk.settle();
        disk.write(snapshot(image, 2));
        let writes = [numbered(1), numbered(2), snapshot(image, 2)];
        let recovered = disk.crash(Crash::Power);
        assert_eq!(recovered, expected(&writes[..recovered.last.0 as usize]));
        if recovered.last == Position(2) {
            disk.write(snapshot(image, 2));
        }
        assert_eq!(disk.settle(), Position(3));
        assert_eq!(disk.crash(Crash::Power), expected(&writes));
    });
}

#[test]
fn a_snapshot_replaces_what_came_before_keep_from_only_once_it_is_durable() {
    for image in IMAGES {
        snapshot_replaces_what_came_before(image);
    }
}

#[test]
fn a_snapshot_that_keeps_nothing_keeps_nothing() {
    for image in IMAGES {
        snapshot_that_keeps_nothing(image);
    }
}

fn snapshot_that_keeps_nothing(image: &str) {
    on_both(Durability::Fsync, |disk| {
        (1..=3).for_each(|number| disk.write(numbered(number)));
        disk.write(snapshot(image, 4));
        disk.settle();
        let recovered = disk.crash(Crash::Power);
        assert_eq!((recovered.records.len(), recovered.last), (0, Position(4)));
        disk.write(numbered(5));
        disk.settle();
        assert_eq!(disk.crash(Crash::Process).records.len(), 1);
    });
}

#[test]
fn what_async_promised_survives_the_process_and_of_the_rest_a_prefix_the_power() {
    on_both(Durability::Async, |disk| {
        let writes: Vec<Write> = (1..=4).map(numbered).collect();
        writes.iter().for_each(|write| disk.write(write.clone()));
        assert_eq!(disk.settle(), Position(4));
        assert_eq!(disk.crash(Crash::Process), expected(&writes));
        disk.write(numbered(5));
        assert_eq!(disk.settle(), Position(5));
        let recovered = disk.crash(Crash::Power);
        let writes: Vec<Write> = (1..=recovered.last.0).map(numbered).collect();
        assert_eq!(recovered, expected(&writes));
    });
}
