//! The workers: one that works where it is asked, or several on threads of their own.
//!
//! Upon a batch of frames: every worker is told of all of them and does those of its shards. What they found comes back batch by batch, each in the order of its
//! frames, so the number of workers does not show.
//! Threads work on batches that follow while slower ones are still at those before, up to [`BATCHES_AHEAD_MAX`]: what is much work for one at a time is
//! little for it at another.

use capture::Chunk;
use detect::Time;
use detect::engine::{Found, Held, Worker};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

/// Batches that a thread may be behind the reader.
const BATCHES_AHEAD_MAX: usize = 8;

/// Frames that follow each other.
pub(super) struct Batch {
    /// The number of the first.
    pub(super) first: u64,
    pub(super) chunk: Chunk,
    /// The shard of each frame, found by who read it, while it is near.
    pub(super) shards: Vec<u16>,
    /// Whether it is to be told what is held after it.
    pub(super) asks_held: bool,
}

/// What came of a batch.
#[derive(Default)]
pub(super) struct Report {
    pub(super) found: Vec<Found>,
    pub(super) held: Option<Held>,
}

/// Who works.
pub(super) trait Crew {
    /// Gives the next batch, or waits until there is room for it.
    fn give(&mut self, batch: &Arc<Batch>);

    /// What came of the batch whose turn it is, once all have done it. With `wait`, waits until they have.
    fn take(&mut self, wait: bool) -> Option<Report>;

    /// No frame follows: all flows end. `number`: one more than the last frame's. Everything that was given was taken back.
    fn finish(self, number: u64) -> (Report, Vec<Worker>);
}

fn work(worker: &mut Worker, batch: &Batch) -> Report {
    for ((number, frame), shard) in (batch.first..).zip(batch.chunk.frames()).zip(&batch.shards) {
        worker.frame_of(*shard, number, Time(frame.time_ns), frame.link.0, frame.bytes);
    }
    Report { found: worker.take(), held: batch.asks_held.then(|| worker.held()) }
}

/// One worker.
pub(super) struct Alone {
    worker: Worker,
    report: Option<Report>,
}

impl Alone {
    pub(super) fn new(worker: Worker) -> Self {
        Alone { worker, report: None }
    }
}

impl Crew for Alone {
    fn give(&mut self, batch: &Arc<Batch>) {
        debug_assert!(self.report.is_none());
        self.report = Some(work(&mut self.worker, batch));
    }

    fn take(&mut self, _wait: bool) -> Option<Report> {
        self.report.take()
    }

    fn finish(mut self, number: u64) -> (Report, Vec<Worker>) {
        self.worker.finish(number);
        (Report { found: self.worker.take(), held: None }, vec![self.worker])
    }
}

enum Task {
    Work(Arc<Batch>),
    Finish(u64),
}

/// A worker on a thread.
struct Hand<'scope> {
    tasks: SyncSender<Task>,
    reports: Receiver<Report>,
    /// What came back and is not everybody's turn yet.
    done: VecDeque<Report>,
    thread: ScopedJoinHandle<'scope, Worker>,
}

/// Several workers.
pub(super) struct Threads<'scope> {
    hands: Vec<Hand<'scope>>,
}

impl<'scope> Threads<'scope> {
    pub(super) fn new(scope: &'scope Scope<'scope, '_>, workers: Vec<Worker>) -> Self {
        let hands = workers.into_iter().map(|mut worker| {
            let (tasks, to_do) = sync_channel(BATCHES_AHEAD_MAX);
            // There is room for whatever it can have been given, so it never waits to tell.
            let (tell, reports) = sync_channel(BATCHES_AHEAD_MAX + 2);
            let thread = scope.spawn(move || {
                for task in to_do {
                    let report = match task {
                        Task::Work(batch) => work(&mut worker, &batch),
                        Task::Finish(number) => {
                            worker.finish(number);
                            Report { found: worker.take(), held: None }
                        }
                    };
                    // Nobody listens once something else went wrong.
                    if tell.send(report).is_err() {
                        break;
                    }
                }
                worker
            });
            Hand { tasks, reports, done: VecDeque::new(), thread }
        });
        Threads { hands: hands.collect() }
    }

    fn tell(&self, task: impl Fn() -> Task) {
        for hand in &self.hands {
            // A thread that panicked is told of when it is joined.
            let _gone = hand.tasks.send(task());
        }
    }
}

impl Crew for Threads<'_> {
    fn give(&mut self, batch: &Arc<Batch>) {
        self.tell(|| Task::Work(Arc::clone(batch)));
    }

    fn take(&mut self, wait: bool) -> Option<Report> {
        for hand in &mut self.hands {
            if wait && hand.done.is_empty() {
                hand.done.extend(hand.reports.recv());
            }
            hand.done.extend(hand.reports.try_iter());
        }
        if self.hands.iter().any(|hand| hand.done.is_empty()) {
            return None;
        }
        let mut all = Report::default();
        for report in self.hands.iter_mut().filter_map(|hand| hand.done.pop_front()) {
            all.found.extend(report.found);
            all.held = match (all.held, report.held) {
                (Some(one), Some(other)) => Some(one.plus(other)),
                (one, other) => one.or(other),
            };
        }
        // Each worker's are in order already.
        all.found.sort_by_key(Found::place);
        Some(all)
    }

    fn finish(mut self, number: u64) -> (Report, Vec<Worker>) {
        self.tell(|| Task::Finish(number));
        let report = self.take(true).unwrap_or_default();
        let workers = self.hands.into_iter().map(|hand| {
            drop(hand.tasks);
            hand.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        (report, workers.collect())
    }
}
