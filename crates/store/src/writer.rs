//! The queue between the caller and the disk, and the thread that writes.
//!
//! The writer takes *all* that waits, has the [`chain`](crate::chain) put it down with one flush, says up to where everything
//!   is durable, and wakes the caller; then the next. While a flush runs, everything appended waits for the next one: that is
//!   group commit, without a timer.
//! With nothing to write: it does away with what nothing needs any more, and [`MARK_AFTER`] after the last flush it says
//!   on disk that it was whole.
//! Upon an error: the log is broken for good. What waits is dropped; whoever asks is told why from then on. Nothing is tried
//!   again.
//! Upon closing: what waits is written, and marked.

use crate::chain::Chain;
use crate::entry::HEAD_BYTES;
use crate::error::{DiskError, Failure};
use crate::log::{Counts, MARK_AFTER, PENDING_BYTES_MAX};
use agree::{Position, Write};
use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What the caller and the writer share.
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    /// The writer waits here for something to do.
    work: Condvar,
    /// The caller waits here for room.
    room: Condvar,
}

/// What waits for the writer, and what it has said.
pub(crate) struct Queue {
    waiting: Vec<Write>,
    waiting_bytes: usize,
    writer_sleeps: bool,
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

/// How long the writer may wait for work.
#[derive(Clone, Copy)]
enum Patience {
    None,
    Some(Duration),
    Endless,
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
    pub(crate) fn new(durable: Position) -> Self {
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
    pub(crate) fn write_all(&self, mut chain: Chain, wake: &impl Fn()) {
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
        queue.counts.bytes = chain.bytes();
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
pub(crate) struct Gone<'a>(pub(crate) &'a Shared);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(Failure::WriterGone);
        }
    }
}
