//! Batches on their way to several workers, each of whom does all of them in their order.
//!
//! Upon a worker that wants the next one: if fewer than [`READY_BATCHES`] lie ready for it or are being fetched, it fetches another first, at the same time as others do. So whoever
//! is ahead reads, there is no thread beside the workers that wants a processor, and of what one reads its own share is near. From a pipe, which may say nothing for long, one
//! fetches who has nothing else to do.
//! Upon a batch that was fetched: it waits for those before it; then who comes by finds its frames, and it lies ready.
//! Upon a worker that is [`BATCHES_AHEAD_MAX`] ahead of the slowest: it waits.

use super::source::{Batch, Fetcher, Source};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Batches that lie ready for a worker before it goes on working: while one reads, the others have something to do.
const READY_BATCHES: u64 = 4;
/// Batches that one worker may be ahead of another. More of them are even more work at a time, and memory that is in no near cache.
const BATCHES_AHEAD_MAX: u64 = 16;

/// What a worker is to do next.
pub(super) enum Next {
    Work(Arc<Batch>),
    /// Nothing follows; so many frames there were.
    End(u64),
}

/// The batches that somebody has still to take.
pub(super) struct Belt {
    fetcher: Arc<Fetcher>,
    state: Mutex<State>,
    /// Something came, or was taken.
    changed: Condvar,
}

struct State {
    /// Away while somebody finds the frames in a batch.
    source: Option<Source>,
    /// Those that somebody fetches or has fetched, in their order, from the first whose frames nobody has found; nothing in place of one that has not come.
    coming: VecDeque<Option<Batch>>,
    /// The number of the first of these.
    next: u64,
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
    /// Whether this worker is to fetch another batch before it goes on.
    fn wants_more(&self, worker: usize, at_once: bool) -> bool {
        let coming = self.coming.len() as u64;
        let has_room = self.lying.len() as u64 + coming < BATCHES_AHEAD_MAX;
        let enough = if at_once { READY_BATCHES } else { 1 };
        has_room && self.ready(worker) + coming < enough && !self.has_ended
    }

    /// The batch whose frames are to be found, and who finds them, if both are here.
    fn take_to_find(&mut self) -> Option<(Source, Batch)> {
        // Behind the end there are no frames, and whoever is told of the end asks the source how many there were.
        if self.has_ended {
            return None;
        }
        self.coming.front()?.as_ref()?;
        let source = self.source.take()?;
        // It stays counted while its frames are found.
        let batch = self.coming.front_mut().and_then(Option::take)?;
        Some((source, batch))
    }

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
        let fetcher = source.fetcher();
        let state = State {
            source: Some(source),
            coming: VecDeque::new(),
            next: 0,
            lying: VecDeque::new(),
            gone: 0,
            taken: vec![0; workers],
            spare: Vec::new(),
            has_ended: false,
            waiting: 0,
        };
        Belt { fetcher, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// What this worker does next.
    pub(super) fn next(&self, worker: usize) -> Next {
        let mut state = self.lock();
        loop {
            if let Some((source, batch)) = state.take_to_find() {
                drop(state);
                state = self.find(source, batch);
            } else if state.wants_more(worker, self.at_once()) {
                let number = state.next + state.coming.len() as u64;
                state.coming.push_back(None);
                let done = state.spare.pop();
                drop(state);
                let batch = self.fetcher.fetch(number, done);
                state = self.lock();
                // Those before it stay until they have come, so it is still expected.
                if let Some(place) =
                    number.checked_sub(state.next).and_then(|place| state.coming.get_mut(place as usize))
                {
                    *place = Some(batch);
                }
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

    /// Finds the frames in the first batch that comes.
    fn find(&self, mut source: Source, mut batch: Batch) -> MutexGuard<'_, State> {
        source.take(&mut batch);
        let mut state = self.lock();
        state.coming.pop_front();
        state.next += 1;
        debug_assert_eq!(state.next, source.taken());
        if batch.chunk.is_empty() {
            state.spare.push(batch);
        } else {
            state.lying.push_back(Arc::new(batch));
        }
        state.has_ended |= source.has_ended();
        state.source = Some(source);
        self.call(&state);
        state
    }

    /// The memory of a batch that is done.
    pub(super) fn give_back(&self, batch: Batch) {
        self.lock().spare.push(batch);
    }

    /// Nothing more is read.
    fn stop(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        self.call(&state);
    }

    /// Stops it when what is returned goes, also by a panic: others would wait for ever for who does not come any more.
    pub(super) fn stops(&self) -> Stops<'_> {
        Stops(self)
    }

    /// Whether what is read is a file, not a pipe.
    pub(super) fn at_once(&self) -> bool {
        self.fetcher.at_once()
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

/// See [`Belt::stops`].
pub(super) struct Stops<'a>(&'a Belt);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capture::{Frame, Link, Resolution, Writer};
    use std::thread;

    #[test]
    fn all_workers_have_every_batch_in_order_and_hear_of_the_same_end() {
        let folder = tempfile::tempdir().expect("a folder");
        for frames in [1, 3, 2_000] {
            let path = folder.path().join(format!("{frames}.pcap"));
            let mut writer = Writer::create(&path, Link(1), Resolution::Nanoseconds).expect("a file");
            for time_ns in 0..frames {
                let frame = Frame { time_ns, link: Link(1), wire_len: 1400, bytes: &[7; 1400] };
                writer.frame(frame).expect("a frame");
            }
            writer.finish().expect("it is written");
            for workers in [2, 8].into_iter().cycle().take(200) {
                let belt = Belt::new(Source::open(&path, false).expect("it is there"), workers);
                let belt = &belt;
                let all = |worker| {
                    let mut times = Vec::new();
                    loop {
                        match belt.next(worker) {
                            Next::Work(batch) => {
                                assert_eq!(batch.first, times.len() as u64 + 1);
                                times.extend(batch.chunk.frames().map(|frame| frame.time_ns));
                            }
                            Next::End(counted) => return (counted, times),
                        }
                    }
                };
                thread::scope(|scope| {
                    let hands: Vec<_> = (0..workers).map(|worker| scope.spawn(move || all(worker))).collect();
                    for hand in hands {
                        let (counted, times) = hand.join().expect("no panic");
                        assert!(counted == frames && times.iter().copied().eq(0..frames));
                    }
                });
            }
        }
    }
}
