//! The handle of a log, the queue behind it, and the thread that writes.
//!
//! Upon [`Log::append`]: the writes join what waits, in order, and get the next positions; the writer is woken if it sleeps.
//!   Nothing is copied. If [`PENDING_BYTES_MAX`] wait, the caller waits too, until there is room; that is counted.
//! The writer: takes *all* that waits, has the [`chain`](crate::chain) put it down with one flush, says up to where
//!   everything is durable, wakes the caller; then the next. While a flush runs, everything appended waits for the next one:
//!   that is group commit, without a timer. So it is best to append all that one turn of an event loop brings at once.
//! With nothing to write: it does away with what nothing needs any more, and [`MARK_AFTER`] after the last flush it says
//!   on disk that it was whole.
//! Upon an error: the log is broken for good. What waits is dropped; [`Log::durable`] and [`Log::append`] say why from then
//!   on. Nothing is tried again.
//! Upon drop: what waits is written, marked, and the thread joined.
//!
//! **Durability.** Under [`Durability::Fsync`] durable means synced. Under [`Durability::Async`] it means that the system has
//! it: a killed process loses nothing, a loss of power what no sync covered; what is left is a prefix all the same. Opening,
//! roll-overs, snapshots, idle marks and closing sync under both.

use crate::chain::Chain;
use crate::entry::{HEAD_BYTES, RECORD_BYTES_MAX};
use crate::error::{DiskError, Failure, OpenError};
use crate::recover::{self, Opened};
use agree::{Position, Recovered, Write};
use core::time::Duration;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// Bytes that may wait for the writer. As many again may be with it.
pub const PENDING_BYTES_MAX: usize = 64 << 20;

/// Of a log that is idle, so long after the last flush it is written down that the flush was whole.
pub const MARK_AFTER: Duration = Duration::from_secs(1);

/// The smallest segment.
pub const SEGMENT_BYTES_MIN: u64 = 4 << 10;

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
}

impl Default for Options {
    fn default() -> Self {
        Options { durability: Durability::Fsync, segment_bytes: 16 << 20 }
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
    /// Times that `append` had to wait for room.
    pub waits_for_room: u64,
    /// Segments that are needed at present.
    pub segments: u64,
}

/// A log. One thread appends.
pub struct Log {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
    last: Position,
}

struct Shared {
    queue: Mutex<Queue>,
    /// The writer waits here for something to do.
    work: Condvar,
    /// The caller waits here for room.
    room: Condvar,
}

struct Queue {
    waiting: Vec<Write>,
    waiting_bytes: usize,
    writer_sleeps: bool,
    caller_waits: bool,
    closing: bool,
    durable: Position,
    failure: Option<Failure>,
    counts: Counts,
}

/// What a write counts for in memory.
fn weight(write: &Write) -> usize {
    match write {
        Write::Record(record) => record.len() + HEAD_BYTES,
        Write::Snapshot { image, .. } => image.len() + HEAD_BYTES,
    }
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
        let shared = Arc::new(Shared::new(last));
        let of_writer = Arc::clone(&shared);
        let writer = thread::Builder::new().name("log-writer".into()).spawn(move || {
            // Whatever ends this thread, the caller hears of it; and the lock goes last.
            let _lock = lock;
            let gone = Gone(&of_writer);
            of_writer.write_all(chain, &wake);
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
            let bytes = weight(&write);
            if queue.waiting_bytes > 0 && queue.waiting_bytes + bytes > PENDING_BYTES_MAX {
                queue = self.shared.wait_for_room(queue, bytes);
            }
            refused = queue.failure.clone().or_else(|| too_large(&write));
            if refused.is_some() {
                break;
            }
            queue.waiting.push(write);
            queue.waiting_bytes += bytes;
            queue.counts.writes += 1;
            self.last = Position(self.last.0 + 1);
        }
        self.shared.wake_writer(&mut queue);
        refused.map_or(Ok(self.last), Err)
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

    /// What it has done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.queue().counts
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let mut queue = self.shared.queue();
        queue.closing = true;
        drop(queue);
        self.shared.work.notify_one();
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

/// What there is to do for the writer.
enum Work {
    Write(Vec<Write>),
    /// Nothing waits.
    Idle,
    /// Nothing waits, and has not for [`MARK_AFTER`].
    LongIdle,
    Close,
}

/// How long the writer may wait for work.
#[derive(Clone, Copy)]
enum Patience {
    None,
    Some(Duration),
    Endless,
}

impl Shared {
    fn new(durable: Position) -> Self {
        let queue = Queue {
            waiting: Vec::new(),
            waiting_bytes: 0,
            writer_sleeps: false,
            caller_waits: false,
            closing: false,
            durable,
            failure: None,
            counts: Counts::default(),
        };
        Shared { queue: Mutex::new(queue), work: Condvar::new(), room: Condvar::new() }
    }

    /// Nobody leaves the queue in pieces when it panics: every change of it is whole.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_writer(&self, queue: &mut Queue) {
        if queue.writer_sleeps && !queue.waiting.is_empty() {
            queue.writer_sleeps = false;
            self.work.notify_one();
        }
    }

    fn wait_for_room<'a>(&self, mut queue: MutexGuard<'a, Queue>, bytes: usize) -> MutexGuard<'a, Queue> {
        queue.counts.waits_for_room += 1;
        self.wake_writer(&mut queue);
        while queue.failure.is_none()
            && queue.waiting_bytes > 0
            && queue.waiting_bytes + bytes > PENDING_BYTES_MAX
        {
            queue.caller_waits = true;
            queue = self.room.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue
    }

    /// What to do next; waits for it no longer than `patience`.
    fn work(&self, emptied: Vec<Write>, patience: Patience) -> Work {
        let mut queue = self.queue();
        loop {
            if !queue.waiting.is_empty() {
                queue.waiting_bytes = 0;
                if queue.caller_waits {
                    queue.caller_waits = false;
                    self.room.notify_one();
                }
                return Work::Write(std::mem::replace(&mut queue.waiting, emptied));
            }
            if queue.closing {
                return Work::Close;
            }
            queue.writer_sleeps = !matches!(patience, Patience::None);
            match patience {
                Patience::None => return Work::Idle,
                Patience::Some(duration) => {
                    let (woken, timeout) =
                        self.work.wait_timeout(queue, duration).unwrap_or_else(PoisonError::into_inner);
                    queue = woken;
                    if timeout.timed_out() && queue.waiting.is_empty() {
                        queue.writer_sleeps = false;
                        return if queue.closing { Work::Close } else { Work::LongIdle };
                    }
                }
                Patience::Endless => {
                    queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
            }
            queue.writer_sleeps = false;
        }
    }

    /// The life of the writer.
    fn write_all(&self, mut chain: Chain, wake: &impl Fn()) {
        if let Err(error) = self.try_write_all(&mut chain, wake) {
            self.fail(Failure::Disk(error));
            wake();
        }
    }

    fn try_write_all(&self, chain: &mut Chain, wake: &impl Fn()) -> Result<(), DiskError> {
        let mut emptied = Vec::new();
        let mut is_tidy = false;
        loop {
            let patience = match (is_tidy, chain.is_marked()) {
                (false, _) => Patience::None,
                (true, false) => Patience::Some(MARK_AFTER),
                (true, true) => Patience::Endless,
            };
            match self.work(std::mem::take(&mut emptied), patience) {
                Work::Write(mut writes) => {
                    for write in writes.drain(..) {
                        chain.take(&write)?;
                    }
                    chain.flush()?;
                    self.tell(chain, wake);
                    is_tidy = !chain.tidy()?;
                    emptied = writes;
                }
                Work::Idle => is_tidy = !chain.tidy()?,
                Work::LongIdle => chain.mark()?,
                Work::Close if chain.is_marked() => return Ok(()),
                Work::Close => return chain.mark(),
            }
        }
    }

    fn tell(&self, chain: &Chain, wake: &impl Fn()) {
        let mut queue = self.queue();
        queue.durable = chain.last();
        queue.counts.flushes += 1;
        queue.counts.segments = chain.segments() as u64;
        drop(queue);
        #[cfg(test)]
        chain.told();
        wake();
    }

    fn fail(&self, failure: Failure) {
        let mut queue = self.queue();
        queue.failure.get_or_insert(failure);
        queue.waiting = Vec::new();
        queue.waiting_bytes = 0;
        self.room.notify_one();
    }
}

/// Says that the writer is gone if it was not meant to go.
struct Gone<'a>(&'a Shared);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(Failure::WriterGone);
        }
    }
}
