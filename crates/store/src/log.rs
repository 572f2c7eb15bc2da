//! The handle of a log, and how it is set.
//!
//! Upon [`Log::append`]: the writes join what waits, in order, and get the next positions; the writer is woken if it sleeps.
//!   Nothing is copied. If [`PENDING_BYTES_MAX`] wait, the caller waits too, until there is room; that is counted.
//! Upon [`Log::write`]: the same, unless that is quicker done than handed over; then the caller's own thread flushes them
//!   before it returns. It is if nothing waits and the writer sleeps, they are records of [`HERE_BYTES_MAX`] at most that
//!   fit into the segment, and the flush before took no longer than [`HERE_TIME_MAX`].
//! Upon drop: what waits is written, marked, and the thread joined.
//!
//! While a flush runs, everything appended waits for the next one (`writer`), and the first append after a pause begins one
//! at once. So an event loop hands over all that one turn of it brings with one call.
//!
//! **Why on the caller's thread?** Handing over costs two wake-ups for each flush, as much as half of a quick disk's sync. Where a
//! flush takes long, or there is much to write, the caller had better go on meanwhile: then the writer has it.
//!
//! **Durability.** Under [`Durability::Fsync`] durable means synced. Under [`Durability::Async`] it means that the system has
//! it: a killed process loses nothing, a loss of power what no sync covered; what is left is a prefix all the same. Opening,
//! roll-overs, snapshots, idle marks and closing sync under both.

use crate::entry::RECORD_BYTES_MAX;
use crate::error::{DiskError, Failure, OpenError};
use crate::recover::{self, Opened};
use crate::writer::{Gone, Shared};
use agree::{Position, Recovered, Write};
use core::time::Duration;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Bytes that may wait for the writer. As many again may be with it.
pub const PENDING_BYTES_MAX: usize = 64 << 20;

/// The most that a flush on the caller's thread writes.
pub const HERE_BYTES_MAX: usize = 16 << 10;

/// A disk whose last flush took longer is the writer's to wait for.
pub const HERE_TIME_MAX: Duration = Duration::from_millis(1);

/// Of a log that is idle, so long after the last flush it is written down that the flush was whole.
pub const MARK_AFTER: Duration = Duration::from_secs(1);

/// The largest snapshot that stands in the log itself, if not said. A file costs two syncs more, one of them of names, for which
/// all files of a disk may wait; so many bytes more in a flush cost less than one.
pub const INLINE_BYTES_MAX: usize = 64 << 10;

/// The smallest segment.
pub const SEGMENT_BYTES_MIN: u64 = 8 << 10;

/// The largest.
pub const SEGMENT_BYTES_MAX: u64 = 1 << 30;

/// When a write is called durable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Durability {
    /// When a sync covered it.
    #[default]
    Fsync,
    /// When the system has it; a loss of power may take it back.
    Async,
}

/// How a log is set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// When a write is called durable.
    pub durability: Durability,
    /// How long a new segment is, from [`SEGMENT_BYTES_MIN`] to [`SEGMENT_BYTES_MAX`].
    pub segment_bytes: u64,
    /// Snapshots of so many bytes at most stand in the log itself; a larger one is a file.
    pub inline_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        let inline_bytes_max = INLINE_BYTES_MAX;
        Options { durability: Durability::Fsync, segment_bytes: 16 << 20, inline_bytes_max }
    }
}

/// A flush at the end of the log that a crash cut short. Nothing in it was called durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Torn {
    /// In which file.
    pub file: PathBuf,
    /// From where on.
    pub offset: u64,
    /// How many bytes of it are there.
    pub bytes: u64,
    /// The last write that is left.
    pub after: Position,
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: a flush of which {} bytes are there was cut short at byte {} and is gone; the last write is {}",
            self.file.display(),
            self.bytes,
            self.offset,
            self.after.0
        )
    }
}

/// What opening found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// What a replica is built from.
    pub recovered: Recovered,
    /// What was cut.
    pub torn: Option<Torn>,
    /// How many segments had to be read.
    pub segments_read: usize,
    /// How many bytes of segments.
    pub bytes_read: u64,
}

/// What a log has done since it was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Writes taken.
    pub writes: u64,
    /// Flushes that wrote them.
    pub flushes: u64,
    /// Of those, flushes on the caller's thread.
    pub flushes_here: u64,
    /// Times that `append` had to wait for room.
    pub waits_for_room: u64,
    /// Segments that are needed at present, as of the last flush.
    pub segments: u64,
    /// Bytes of the disk that they take.
    pub bytes: u64,
}

/// A log. One thread appends.
pub struct Log {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
    last: Position,
}

fn too_large(write: &Write) -> Option<Failure> {
    match write {
        Write::Record(record) if record.len() > RECORD_BYTES_MAX => {
            Some(Failure::TooLarge { bytes: record.len(), most: RECORD_BYTES_MAX })
        }
        Write::Record(_) | Write::Snapshot { .. } => None,
    }
}

impl Log {
    /// Opens the log in `directory`, which [`crate::create()`] made, and says what is in it. `wake` is called by the writer
    /// whenever [`Log::durable`] has news.
    ///
    /// # Errors
    /// If there is no log, another process has it, what was durable does not read back, or the system refuses.
    pub fn open(
        directory: &Path,
        options: Options,
        wake: impl Fn() + Send + 'static,
    ) -> Result<(Log, Found), OpenError> {
        if !(SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&options.segment_bytes) {
            let (least, most) = (SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX);
            return Err(OpenError::SegmentBytes { asked: options.segment_bytes, least, most });
        }
        let Opened { chain, found, lock } = recover::open(directory, &options)?;
        let last = found.recovered.last;
        let shared = Arc::new(Shared::new(chain, lock));
        let of_writer = Arc::clone(&shared);
        let writer = thread::Builder::new().name("log-writer".into()).spawn(move || {
            // Whatever ends this thread, the caller hears of it.
            let gone = Gone(&of_writer);
            of_writer.write_all(&wake);
            drop(gone);
        });
        let writer = writer.map_err(|error| DiskError::new("start a thread for", directory, error))?;
        Ok((Log { shared, writer: Some(writer), last }, found))
    }

    /// Hands writes over, which get the next positions, and returns the last of them. Does not wait for the disk, but for
    /// room if [`PENDING_BYTES_MAX`] wait already.
    ///
    /// # Errors
    /// If the log is broken, or a record is too large; then it and what comes after it is not taken.
    pub fn append(&mut self, writes: impl IntoIterator<Item = Write>) -> Result<Position, Failure> {
        let mut queue = self.shared.queue();
        let mut refused = None;
        for write in writes {
            queue = self.shared.room_for(queue, &write);
            refused = queue.failure.clone().or_else(|| too_large(&write));
            if refused.is_some() {
                break;
            }
            queue.push(write);
            self.last = Position(self.last.0 + 1);
        }
        self.shared.wake_writer(&mut queue);
        refused.map_or(Ok(self.last), Err)
    }

    /// The same, but what is quick to flush is durable when this returns, and `wake` is not called for it.
    ///
    /// # Errors
    /// As for [`Log::append`]; or the log broke just now.
    pub fn write(&mut self, writes: impl IntoIterator<Item = Write>) -> Result<Position, Failure> {
        let writes: Vec<Write> = writes.into_iter().collect();
        if writes.is_empty() || !self.shared.may_flush_here(&writes) {
            return self.append(writes);
        }
        self.last = self.shared.flush_here(&writes)?;
        Ok(self.last)
    }

    /// Up to where everything is durable.
    ///
    /// # Errors
    /// If the log is broken: nothing more ever will be.
    pub fn durable(&self) -> Result<Position, Failure> {
        let queue = self.shared.queue();
        match &queue.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(queue.durable),
        }
    }

    /// The position of the last write that it took.
    #[must_use]
    pub fn last(&self) -> Position {
        self.last
    }

    /// What it has done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.queue().counts
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(writer) = self.writer.take() {
            // If it panicked, `Gone` has said so to whoever asked.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("last", &self.last)
            .field("durable", &self.durable())
            .finish_non_exhaustive()
    }
}
