//! What a disk may do to a log, and what must come of it.
//!
//! - [`tape`]: every system call written down, and from that every state in which a loss of power may leave the disk;
//! - [`contract`]: the same scenarios against the simulated disk and this one;
//! - [`lives`]: one life after the other, each ended by a crash at any step;
//! - [`damage`]: every byte flipped, every length;
//! - [`trouble`]: what an operator may run into.
//!
//! In `tests/`: real processes that are killed, and disks that are really full.

mod contract;
mod damage;
mod lives;
pub(crate) mod tape;
mod trouble;

use crate::{Found, Log, OpenError, Options};
use agree::{Position, Recovered, Write};
use bytes::Bytes;
use core::time::Duration;
use sim::disk::{Disk, Speed};
use sim::random::{Random, Stream};
use std::path::Path;
use wire::Time;

/// Small segments, so that a short test sees many.
const SEGMENT_BYTES: u64 = 16 << 10;

/// `"image"` stands in the log, `"the image"` in a file.
const INLINE_BYTES_MAX: usize = 8;

fn options() -> Options {
    Options { segment_bytes: SEGMENT_BYTES, inline_bytes_max: INLINE_BYTES_MAX, ..Options::default() }
}

fn open(directory: &Path) -> Result<(Log, Found), OpenError> {
    Log::open(directory, options(), || ())
}

/// A directory that goes when the test ends; in memory where that can be, since here the tape knows what is durable.
fn a_place() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    place.expect("a temporary directory")
}

/// An empty log in a place of its own.
fn made() -> tempfile::TempDir {
    let place = a_place();
    crate::create(place.path()).expect("an empty directory");
    place
}

fn record(text: impl Into<Vec<u8>>) -> Write {
    Write::Record(Bytes::from(text.into()))
}

fn snapshot(text: impl Into<Vec<u8>>, keep_from: u64) -> Write {
    Write::Snapshot { image: Bytes::from(text.into()), keep_from: Position(keep_from) }
}

/// Waits until everything is durable.
fn settle(log: &mut Log) {
    let last = log.append([]).expect("the log is sound");
    while log.durable().expect("the log is sound") < last {
        std::thread::yield_now();
    }
}

/// What a replica finds behind these writes, by the word of the simulated disk.
fn expected(writes: &[Write]) -> Recovered {
    let speed = Speed { least: Duration::ZERO, spread: Duration::ZERO };
    let mut disk = Disk::new(sim::Durability::Fsync, speed, Random::new(0, Stream::Disks));
    for write in writes {
        disk.write(Time(0), write.clone());
    }
    while disk.is_writing() {
        disk.flushed(Time(0));
    }
    disk.recovered()
}
