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
    /// Batches that were taken, and those of them that had frames.
    taken: u64,
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
            taken: 0,
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
            let mut batch = self.fetcher.fetch(self.taken, done.take());
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
        self.records.index(&mut batch.chunk);
        // It is told once.
        if self.has_ended()
            && let Err(error) = self.records.end_of_capture()
        {
            self.trouble = Some(format!("{}: {error}", self.name));
        }
        batch.first = self.frames + 1;
        batch.shards.clear();
        batch.shards.extend(batch.chunk.frames().map(|frame| shard_of(frame.link.0, frame.bytes)));
        let has_frames = !batch.chunk.is_empty();
        batch.asks_held =
            self.fetcher.measures && has_frames && self.batches.is_multiple_of(HELD_EVERY_BATCHES);
        batch.bytes_read = self.records.bytes_read();
        self.taken += 1;
        self.batches += u64::from(has_frames);
        self.frames += batch.chunk.len() as u64;
        self.bytes += batch.chunk.bytes();
        self.reading_ns += batch.fetching_ns;
    }

    /// Whether no batch that follows has frames.
    pub(super) fn has_ended(&self) -> bool {
        !self.records.want_more()
    }

    /// How many batches were taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken
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

    /// How long reading took, by all who fetched together.
    pub(super) fn reading_ns(&self) -> u64 {
        self.reading_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_what_is_held_also_if_the_first_piece_has_no_frame() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.pcapng");
        let block = |kind: u32, body: &[u8]| {
            let bytes = (body.len() as u32 + 12).to_le_bytes();
            [&kind.to_le_bytes()[..], &bytes, body, &bytes].concat()
        };
        let section =
            block(0x0a0d_0d0a, &[&0x1a2b_3c4du32.to_le_bytes()[..], &[1, 0, 0, 0], &[255; 8]].concat());
        let interface = block(1, &[1, 0, 0, 0, 0, 0, 0, 0]);
        let secrets = block(10, &vec![7; 300 << 10]);
        let lengths = [64u32.to_le_bytes(); 2].concat();
        let frame = block(6, &[&[0; 12][..], &lengths, &[1; 64]].concat());
        std::fs::write(&path, [section, interface, secrets, frame].concat()).expect("it is written");
        let mut source = Source::open(&path, true).expect("a capture");
        let batch = source.next(None).expect("a frame");
        assert!(batch.chunk.len() == 1 && batch.asks_held);
        assert!(source.next(Some(batch)).is_none() && source.trouble().is_none());
    }
}
