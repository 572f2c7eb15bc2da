//! Batches on their way to several workers, each of whom does all of them in their order.
//!
//! Upon a worker that wants the next one: if fewer than [`READY_BATCHES`] lie ready for it and nobody reads, it reads another first. So whoever is ahead reads, there
//! is no thread beside the workers that wants a processor, and of what one reads its own share is near.
//! Upon one that is [`BATCHES_AHEAD_MAX`] ahead of the slowest: it waits.

use super::source::{Batch, Source};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Batches that lie ready for a worker before it goes on working: while one reads, the others have something to do.
const READY_BATCHES: u64 = 3;
/// Batches that one worker may be ahead of another.
const BATCHES_AHEAD_MAX: u64 = 16;

/// What a worker is to do next.
pub(super) enum Next {
    Work(Arc<Batch>),
    /// Nothing follows; so many frames there were.
    End(u64),
}

/// The batches that somebody has still to take.
pub(super) struct Belt {
    state: Mutex<State>,
    /// Something came, or was taken.
    changed: Condvar,
}

struct State {
    /// Away while somebody reads.
    source: Option<Source>,
    /// Batches that not everybody has taken, and how many there were before.
    lying: VecDeque<Arc<Batch>>,
    gone: u64,
    /// How many each worker has taken.
    taken: Vec<u64>,
    /// Memory of batches that are done.
    spare: Vec<Batch>,
    has_ended: bool,
    /// Workers that wait for something to do.
    waiting: usize,
}

impl State {
    fn ready(&self, worker: usize) -> u64 {
        let put = self.gone + self.lying.len() as u64;
        put - self.taken.get(worker).copied().unwrap_or(put)
    }

    /// The batch that is the worker's next, if it lies there.
    fn take(&mut self, worker: usize) -> Option<Arc<Batch>> {
        let taken = self.taken.get_mut(worker)?;
        let batch = self.lying.get(usize::try_from(*taken - self.gone).ok()?).cloned()?;
        *taken += 1;
        let by_all = self.taken.iter().copied().min().unwrap_or_default();
        while self.gone < by_all {
            self.lying.pop_front();
            self.gone += 1;
        }
        debug_assert!(self.lying.len() as u64 <= BATCHES_AHEAD_MAX);
        Some(batch)
    }
}

impl Belt {
    pub(super) fn new(source: Source, workers: usize) -> Self {
        let state = State {
            source: Some(source),
            lying: VecDeque::new(),
            gone: 0,
            taken: vec![0; workers],
            spare: Vec::new(),
            has_ended: false,
            waiting: 0,
        };
        Belt { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// What this worker does next.
    pub(super) fn next(&self, worker: usize) -> Next {
        let mut state = self.lock();
        loop {
            let has_room = (state.lying.len() as u64) < BATCHES_AHEAD_MAX;
            let wants_more = state.ready(worker) < READY_BATCHES && has_room && !state.has_ended;
            if wants_more && let Some(mut source) = state.source.take() {
                let done = state.spare.pop();
                drop(state);
                let read = source.next(done);
                state = self.lock();
                state.has_ended |= read.is_none();
                state.lying.extend(read.map(Arc::new));
                state.source = Some(source);
                self.call(&state);
            } else if let Some(batch) = state.take(worker) {
                self.call(&state);
                return Next::Work(batch);
            } else if state.has_ended {
                return Next::End(state.source.as_ref().map_or(0, |source| source.counted().0));
            } else {
                state.waiting += 1;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.waiting -= 1;
            }
        }
    }

    /// The memory of a batch that is done.
    pub(super) fn give_back(&self, batch: Batch) {
        self.lock().spare.push(batch);
    }

    /// Nothing more is read.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        self.call(&state);
    }

    /// Calls those that wait: a call of the system, so only if there are any.
    fn call(&self, state: &State) {
        if state.waiting > 0 {
            self.changed.notify_all();
        }
    }

    /// Where the batches came from, if nobody panicked who had it.
    pub(super) fn into_source(self) -> Option<Source> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).source
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
