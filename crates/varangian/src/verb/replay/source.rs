//! The capture, in batches of frames that follow each other.

use super::stages::Watch;
use capture::{Chunk, Pieces, Records};
use detect::engine::shard_of;
use std::path::Path;
use std::sync::Arc;

/// Batches between two looks at what is held.
const HELD_EVERY_BATCHES: u64 = 64;

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
    /// How long reading it took, if that is wanted.
    fetching_ns: u64,
}

/// Where batches are fetched from, by whoever has time.
pub(super) struct Fetcher {
    pieces: Pieces,
    measures: bool,
}

impl Fetcher {
    /// Whether several batches may be fetched at once. Otherwise each is fetched when the one before it was.
    pub(super) fn at_once(&self) -> bool {
        self.pieces.at_once()
    }

    /// Reads the batch of a number, from 0, in the memory of one that is done. Its frames are found in its turn ([`Source::take`]).
    pub(super) fn fetch(&self, number: u64, done: Option<Batch>) -> Batch {
        let mut batch = done.unwrap_or_default();
        let mut watch = Watch::new(self.measures);
        watch.starts();
        self.pieces.fetch(number, &mut batch.chunk);
        batch.fetching_ns = watch.stops();
        batch
    }
}

/// What is known of a capture from the batches so far.
pub(crate) struct Source {
    name: String,
    fetcher: Arc<Fetcher>,
    records: Records,
    batches: u64,
    frames: u64,
    bytes: u64,
    trouble: Option<String>,
    reading_ns: u64,
}

impl Source {
    /// `measures`: whether it is wanted how long reading took, and what is held.
    pub(crate) fn open(path: &Path, measures: bool) -> Result<Self, String> {
        let name = path.display().to_string();
        let (pieces, records) = Pieces::open(path).map_err(|error| format!("{name}: {error}"))?;
        Ok(Source {
            name,
            fetcher: Arc::new(Fetcher { pieces, measures }),
            records,
            batches: 0,
            frames: 0,
            bytes: 0,
            trouble: None,
            reading_ns: 0,
        })
    }

    pub(super) fn fetcher(&self) -> Arc<Fetcher> {
        Arc::clone(&self.fetcher)
    }

    /// The next batch, fetched and taken, in the memory of one that is done; nothing if there is none any more.
    pub(super) fn next(&mut self, mut done: Option<Batch>) -> Option<Batch> {
        while !self.has_ended() {
            let mut batch = self.fetcher.fetch(self.batches, done.take());
            self.take(&mut batch);
            if !batch.chunk.is_empty() {
                return Some(batch);
            }
            done = Some(batch);
        }
        None
    }

    /// Finds the frames in a batch that was fetched; all are taken in the order of their numbers. There may be none in it.
    pub(super) fn take(&mut self, batch: &mut Batch) {
        let wanted_more = self.records.want_more();
        self.records.index(&mut batch.chunk);
        if wanted_more && !self.records.want_more() {
            self.trouble = self.records.end_of_capture().err().map(|error| format!("{}: {error}", self.name));
        }
        batch.first = self.frames + 1;
        batch.shards.clear();
        batch.shards.extend(batch.chunk.frames().map(|frame| shard_of(frame.link.0, frame.bytes)));
        batch.asks_held = self.fetcher.measures && self.batches.is_multiple_of(HELD_EVERY_BATCHES);
        batch.bytes_read = self.records.bytes_read();
        self.batches += 1;
        self.frames += batch.chunk.len() as u64;
        self.bytes += batch.chunk.bytes();
        self.reading_ns += batch.fetching_ns;
    }

    /// Whether no batch that follows has frames.
    pub(super) fn has_ended(&self) -> bool {
        !self.records.want_more()
    }

    /// How many batches were taken.
    pub(super) fn batches(&self) -> u64 {
        self.batches
    }

    /// Bytes of the capture, if that is known.
    pub(super) fn bytes_total(&self) -> Option<u64> {
        self.fetcher.pieces.bytes_total()
    }

    /// Frames so far, and their bytes.
    pub(super) fn counted(&self) -> (u64, u64) {
        (self.frames, self.bytes)
    }

    /// The capture ended in the middle of a frame, or worse.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// How long reading took, by all who fetched.
    pub(super) fn reading_ns(&self) -> u64 {
        self.reading_ns
    }
}
