//! The capture, in batches of frames that follow each other.

use super::stages::Watch;
use capture::{Chunk, Reader};
use detect::engine::shard_of;
use std::fs::File;
use std::path::Path;

/// Batches between two looks at what is held.
const HELD_EVERY_BATCHES: u64 = 16;

/// Bytes of a batch that one worker reads for itself. A twentieth of the time less than with whole chunks; among several, larger ones are handed on less often.
const OWN_BATCH_BYTES: usize = 256 << 10;

/// Frames that follow each other.
#[derive(Default)]
pub(super) struct Batch {
    /// The number of the first.
    pub(super) first: u64,
    pub(super) chunk: Chunk,
    /// The shard of each frame, found while it is near.
    pub(super) shards: Vec<u16>,
    /// Whether it is to be told what is held after it.
    pub(super) asks_held: bool,
    /// Bytes of the capture that were read with it and before.
    pub(super) bytes_read: u64,
}

/// Where batches come from.
pub(crate) struct Source {
    name: String,
    reader: Reader<File>,
    batches: u64,
    frames: u64,
    bytes: u64,
    trouble: Option<String>,
    watch: Watch,
    reading_ns: u64,
    asks_held: bool,
}

impl Source {
    /// `measures`: whether it is wanted how long reading took, and what is held. `workers`: how many will share it.
    pub(crate) fn open(path: &Path, measures: bool, workers: u16) -> Result<Self, String> {
        let name = path.display().to_string();
        let mut reader = Reader::open(path).map_err(|error| format!("{name}: {error}"))?;
        if workers == 1 {
            reader.fill_to(OWN_BATCH_BYTES);
        }
        Ok(Source {
            name,
            reader,
            batches: 0,
            frames: 0,
            bytes: 0,
            trouble: None,
            watch: Watch::new(measures),
            reading_ns: 0,
            asks_held: measures,
        })
    }

    /// The next batch, in the memory of one that is done; nothing if there is none any more.
    pub(super) fn next(&mut self, done: Option<Batch>) -> Option<Batch> {
        if self.trouble.is_some() {
            return None;
        }
        let mut batch = done.unwrap_or_default();
        self.watch.starts();
        let read = self.reader.next_chunk(&mut batch.chunk);
        self.reading_ns += self.watch.stops();
        match read {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                self.trouble = Some(format!("{}: {error}", self.name));
                // What was read before the trouble counts.
                if batch.chunk.is_empty() {
                    return None;
                }
            }
        }
        batch.first = self.frames + 1;
        batch.shards.clear();
        batch.shards.extend(batch.chunk.frames().map(|frame| shard_of(frame.link.0, frame.bytes)));
        batch.asks_held = self.asks_held && self.batches.is_multiple_of(HELD_EVERY_BATCHES);
        batch.bytes_read = self.reader.bytes_read();
        self.batches += 1;
        self.frames += batch.chunk.len() as u64;
        self.bytes += batch.chunk.bytes();
        Some(batch)
    }

    /// Bytes of the capture, if that is known.
    pub(super) fn bytes_total(&self) -> Option<u64> {
        self.reader.bytes_total()
    }

    /// Frames so far, and their bytes.
    pub(super) fn counted(&self) -> (u64, u64) {
        (self.frames, self.bytes)
    }

    /// The capture ended in the middle of a frame, or worse.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// How long reading took.
    pub(super) fn reading_ns(&self) -> u64 {
        self.reading_ns
    }
}
