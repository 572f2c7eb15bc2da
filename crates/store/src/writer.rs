//! The queue between the caller and the disk, and the thread that writes.
//!
//! The disk ([`Chain`]) is the writer's, but while it sleeps: then the caller may flush something small itself.
//!
//! The writer takes *all* that waits, has the [`chain`](crate::chain) put it down with one flush, says up to where everything
//!   is durable, and wakes the caller; then the next. While a flush runs, everything appended waits for the next one: that is
//!   group commit, without a timer.
//! With nothing to write: it does away with what nothing needs any more, and when for [`MARK_AFTER`] there was no flush it
//!   says on disk that the last one was whole.
//! Upon an error: the log is broken for good. What waits is dropped; whoever asks is told why from then on. Nothing is tried
//!   again.
//! Upon closing: what waits is written, and marked.

use crate::chain::Chain;
use crate::entry::{BLOCK_BYTES, HEAD_BYTES, MARK_BYTES};
use crate::error::{DiskError, Failure};
use crate::folder::Open;
use crate::log::{Counts, HERE_BYTES_MAX, HERE_TIME_MAX, MARK_AFTER, PENDING_BYTES_MAX};
use agree::{Position, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

/// What the caller and the writer share. Who has both locks took that of the disk first.
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    /// Of the writer, but while it sleeps. So nobody ever waits for it.
    chain: Mutex<Chain>,
    /// Keeps the directory ours; it goes after the chain.
    _lock: Open,
    /// The writer waits here for something to do.
    work: Condvar,
    /// The caller waits here for room.
    room: Condvar,
}

/// What waits for the writer, and what it has said.
pub(crate) struct Queue {
    waiting: Vec<Write>,
    waiting_bytes: usize,
    /// The writer waits for work, and does not have the disk.
    writer_sleeps: bool,
    /// The caller has the disk.
    caller_flushes: bool,
    /// What the segment takes without a roll-over.
    room_bytes: u64,
    /// The last flush took no longer than [`HERE_TIME_MAX`].
    is_quick: bool,
    /// No mark says yet that the last flush was whole.
    is_unmarked: bool,
    caller_waits: bool,
    closing: bool,
    pub(crate) durable: Position,
    pub(crate) failure: Option<Failure>,
    pub(crate) counts: Counts,
}

/// What a write counts for in memory.
fn weight(write: &Write) -> usize {
    match write {
        Write::Record(record) => record.len() + HEAD_BYTES,
        Write::Snapshot { image, .. } => image.len() + HEAD_BYTES,
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

impl Queue {
    /// One write is taken whatever its size: nothing waits that it could wait for.
    fn has_room(&self, bytes: usize) -> bool {
        self.waiting_bytes == 0 || self.waiting_bytes + bytes <= PENDING_BYTES_MAX
    }

    pub(crate) fn push(&mut self, write: Write) {
        self.waiting_bytes += weight(&write);
        self.waiting.push(write);
        self.counts.writes += 1;
    }
}

impl Shared {
    /// Shares `chain`, everything in which is durable.
    pub(crate) fn new(chain: Chain, lock: Open) -> Self {
        let queue = Queue {
            waiting: Vec::new(),
            waiting_bytes: 0,
            writer_sleeps: false,
            caller_flushes: false,
            room_bytes: chain.room_bytes(),
            is_quick: true,
            is_unmarked: !chain.is_marked(),
            caller_waits: false,
            closing: false,
            durable: chain.last(),
            failure: None,
            counts: Counts::default(),
        };
        let (work, room) = (Condvar::new(), Condvar::new());
        Shared { queue: Mutex::new(queue), chain: Mutex::new(chain), _lock: lock, work, room }
    }

    /// Nobody leaves the queue in pieces when it panics: every change of it is whole.
    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room in the queue for `write`; waits until there is.
    pub(crate) fn room_for<'a>(&self, queue: MutexGuard<'a, Queue>, write: &Write) -> MutexGuard<'a, Queue> {
        let bytes = weight(write);
        if queue.has_room(bytes) { queue } else { self.wait_for_room(queue, bytes) }
    }

    /// The log is being closed.
    pub(crate) fn close(&self) {
        self.queue().closing = true;
        self.work.notify_one();
    }

    pub(crate) fn wake_writer(&self, queue: &mut Queue) {
        if queue.writer_sleeps && !queue.waiting.is_empty() {
            queue.writer_sleeps = false;
            self.work.notify_one();
        }
    }

    fn wait_for_room<'a>(&self, mut queue: MutexGuard<'a, Queue>, bytes: usize) -> MutexGuard<'a, Queue> {
        queue.counts.waits_for_room += 1;
        self.wake_writer(&mut queue);
        while queue.failure.is_none() && !queue.has_room(bytes) {
            queue.caller_waits = true;
            queue = self.room.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue
    }

    /// Takes the disk for the caller, if it may flush `writes` itself.
    pub(crate) fn may_flush_here(&self, writes: &[Write]) -> bool {
        let bytes: usize = writes.iter().map(weight).sum();
        if bytes > HERE_BYTES_MAX || writes.iter().any(|write| matches!(write, Write::Snapshot { .. })) {
            return false;
        }
        let mut queue = self.queue();
        let is_free = queue.writer_sleeps && queue.waiting.is_empty() && queue.failure.is_none();
        let fits = (bytes + MARK_BYTES + BLOCK_BYTES) as u64 <= queue.room_bytes;
        queue.caller_flushes = is_free && fits && queue.is_quick;
        queue.caller_flushes
    }

    /// Flushes `writes` on the caller's thread, which [`Shared::may_flush_here`] allowed; the position of the last.
    pub(crate) fn flush_here(&self, writes: &[Write]) -> Result<Position, Failure> {
        let gone = Gone(self);
        let mut chain = self.chain();
        let flushed = self.put_down(&mut chain, writes).map_err(Failure::Disk);
        if let Err(failure) = &flushed {
            // Before the writer may take the disk: it must not sync again what a sync has failed for.
            self.fail(failure.clone());
        }
        let mut queue = self.queue();
        queue.caller_flushes = false;
        queue.counts.writes += writes.len() as u64;
        queue.counts.flushes_here += 1;
        drop(queue);
        drop(gone);
        flushed.map(|()| chain.last())
    }

    /// Whoever panics with the disk leaves a failure in the queue, and nobody takes the disk after that.
    fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do next; waits for it, for ever if there is nothing to tidy and nothing to mark.
    fn work(&self, emptied: Vec<Write>, is_tidy: bool) -> Work {
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
            if queue.closing || queue.failure.is_some() {
                return Work::Close;
            }
            if !is_tidy {
                return Work::Idle;
            }
            queue.writer_sleeps = true;
            if queue.is_unmarked {
                let flushes = queue.counts.flushes;
                let (woken, timeout) =
                    self.work.wait_timeout(queue, MARK_AFTER).unwrap_or_else(PoisonError::into_inner);
                queue = woken;
                let is_idle = flushes == queue.counts.flushes && !queue.caller_flushes;
                let has_else_to_do = !queue.waiting.is_empty() || queue.closing || queue.failure.is_some();
                if timeout.timed_out() && is_idle && !has_else_to_do {
                    queue.writer_sleeps = false;
                    return Work::LongIdle;
                }
            } else {
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            queue.writer_sleeps = false;
        }
    }

    /// The life of the writer.
    pub(crate) fn write_all(&self, wake: &impl Fn()) {
        if let Err(error) = self.try_write_all(wake) {
            self.fail(Failure::Disk(error));
            wake();
        }
    }

    fn try_write_all(&self, wake: &impl Fn()) -> Result<(), DiskError> {
        let mut emptied = Vec::new();
        let mut is_tidy = false;
        loop {
            let work = self.work(std::mem::take(&mut emptied), is_tidy);
            let mut chain = self.chain();
            match work {
                Work::Write(mut writes) => {
                    self.put_down(&mut chain, &writes)?;
                    wake();
                    is_tidy = !chain.tidy()?;
                    writes.clear();
                    emptied = writes;
                }
                Work::Idle => is_tidy = !chain.tidy()?,
                Work::LongIdle => self.mark(&mut chain)?,
                Work::Close if self.queue().failure.is_some() => return Ok(()),
                Work::Close => return self.mark(&mut chain),
            }
        }
    }

    fn mark(&self, chain: &mut Chain) -> Result<(), DiskError> {
        if !chain.is_marked() {
            chain.mark()?;
        }
        let mut queue = self.queue();
        queue.is_unmarked = false;
        queue.room_bytes = chain.room_bytes();
        Ok(())
    }

    /// One flush, and what is to be said of it.
    fn put_down(&self, chain: &mut Chain, writes: &[Write]) -> Result<(), DiskError> {
        let begun = Instant::now();
        for write in writes {
            chain.take(write)?;
        }
        chain.flush()?;
        let is_quick = begun.elapsed() <= HERE_TIME_MAX;
        let mut queue = self.queue();
        queue.durable = chain.last();
        queue.is_quick = is_quick;
        queue.room_bytes = chain.room_bytes();
        queue.counts.flushes += 1;
        queue.counts.segments = chain.segments() as u64;
        queue.counts.bytes = chain.bytes();
        if !queue.is_unmarked {
            // Whoever sleeps for ever is to look again in a while.
            queue.is_unmarked = true;
            self.work.notify_one();
        }
        drop(queue);
        #[cfg(test)]
        chain.told();
        Ok(())
    }

    fn fail(&self, failure: Failure) {
        let mut queue = self.queue();
        queue.failure.get_or_insert(failure);
        queue.waiting = Vec::new();
        queue.waiting_bytes = 0;
        self.room.notify_one();
        self.work.notify_one();
    }
}

/// Says that whoever had the disk is gone if it was not meant to go.
pub(crate) struct Gone<'a>(pub(crate) &'a Shared);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(Failure::WriterGone);
        }
    }
}
