//! The workers: one that works where it is asked, or several on threads of their own.
//!
//! Every worker is told of all frames and does those of its shards. What they found comes back batch by batch, each in the order of its frames, so the number of
//! workers does not show.
//! Threads work on batches that follow while slower ones are still at those before ([`Belt`]): what is much work for one at a time is little for it at another.

use super::belt::{Belt, Next};
use super::source::{Batch, Source};
use detect::Time;
use detect::engine::{Found, Held, Worker};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

/// Reports of a worker that nobody has asked for; then it waits.
const REPORTS_MAX: usize = 4;
/// Batches of which a worker that is one of several makes one report: who listens has no processor of its own, and takes that of a worker whenever it is woken.
const BATCHES_OF_A_REPORT: u64 = 32;

/// What came of a batch or several, or of the end.
#[derive(Default)]
pub(super) struct Report {
    pub(super) found: Vec<Found>,
    pub(super) held: Option<Held>,
    /// Bytes of the capture that were read with it and before.
    pub(super) bytes_read: u64,
}

impl Report {
    /// This, and what came after it.
    fn and(mut self, mut later: Report) -> Report {
        self.found.append(&mut later.found);
        let held = match (self.held, later.held) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        Report { held, bytes_read: self.bytes_read.max(later.bytes_read), ..self }
    }
}

/// Sends all that there is through the workers, and tells what came of the batches in their order, and of the end. Upon a `tell` that wants no more: it ends there.
pub(super) fn work_through(
    mut source: Source,
    mut workers: Vec<Worker>,
    tell: &mut dyn FnMut(&Report) -> ControlFlow<()>,
) -> Result<(Option<Source>, Vec<Worker>), String> {
    let [only] = workers.as_mut_slice() else { return share(source, workers, tell) };
    let mut done = None;
    while let Some(batch) = source.next(done.take()) {
        if tell(&work(only, &batch)).is_break() {
            return Ok((Some(source), workers));
        }
        done = Some(batch);
    }
    // Nothing follows that anybody could want to stop.
    let _ = tell(&finish(only, source.counted().0));
    Ok((Some(source), workers))
}

fn work(worker: &mut Worker, batch: &Batch) -> Report {
    for ((number, frame), shard) in (batch.first..).zip(batch.chunk.frames()).zip(&batch.shards) {
        worker.frame_of(*shard, number, Time(frame.time_ns), frame.link.0, frame.bytes);
    }
    let held = batch.asks_held.then(|| worker.held());
    Report { found: worker.take(), held, bytes_read: batch.bytes_read }
}

/// No frame follows: all flows end.
fn finish(worker: &mut Worker, frames: u64) -> Report {
    worker.finish(frames + 1);
    Report { found: worker.take(), ..Report::default() }
}

/// A worker on a thread.
struct Hand<'scope> {
    reports: Receiver<Report>,
    thread: ScopedJoinHandle<'scope, Worker>,
}

/// Shares the work among threads. It fails if one cannot be started.
fn share(
    source: Source,
    workers: Vec<Worker>,
    tell: &mut dyn FnMut(&Report) -> ControlFlow<()>,
) -> Result<(Option<Source>, Vec<Worker>), String> {
    let belt = Belt::new(source, workers.len());
    let workers = thread::scope(|scope| {
        let stops = belt.stops();
        let hands = workers.into_iter().enumerate().map(|(place, worker)| {
            let (say, reports) = sync_channel(REPORTS_MAX);
            let belt = &belt;
            let thread =
                thread::Builder::new().spawn_scoped(scope, move || labour(place, worker, belt, &say));
            let thread = thread.map_err(|error| {
                format!("cannot start a thread for worker {}: {error}; fewer --workers may do", place + 1)
            });
            Ok(Hand { reports, thread: thread? })
        });
        let hands: Vec<Hand<'_>> = hands.collect::<Result<_, String>>()?;
        while let Some(report) = gather(&hands) {
            if tell(&report).is_break() {
                break;
            }
        }
        drop(stops);
        // All are joined, and one that panicked is told of last: the others end since nobody listens.
        let threads: Vec<ScopedJoinHandle<'_, Worker>> = hands.into_iter().map(|hand| hand.thread).collect();
        let joined: Vec<_> = threads.into_iter().map(ScopedJoinHandle::join).collect();
        let workers: Vec<Worker> = joined
            .into_iter()
            .map(|joined| joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect();
        Ok::<_, String>(workers)
    })?;
    Ok((belt.into_source(), workers))
}

/// All that one worker does.
fn labour(place: usize, mut worker: Worker, belt: &Belt, say: &SyncSender<Report>) -> Worker {
    let _stops = belt.stops();
    // What comes through a pipe is told when it comes.
    let of_a_report = if belt.at_once() { BATCHES_OF_A_REPORT } else { 1 };
    let mut so_far = Report::default();
    for count in 1u64.. {
        let (report, is_last) = match belt.next(place) {
            Next::Work(batch) => {
                let report = work(&mut worker, &batch);
                // The last to have it gives its memory back.
                if let Some(done) = Arc::into_inner(batch) {
                    belt.give_back(done);
                }
                (report, false)
            }
            Next::End(frames) => (finish(&mut worker, frames), true),
        };
        so_far = so_far.and(report);
        if !is_last && !count.is_multiple_of(of_a_report) {
            continue;
        }
        // Nobody listens once something else went wrong.
        if say.send(std::mem::take(&mut so_far)).is_err() || is_last {
            break;
        }
    }
    worker
}

/// What came of the next batches from all; nothing once all have ended, or one of them panicked.
fn gather(hands: &[Hand<'_>]) -> Option<Report> {
    let mut all = Report::default();
    for hand in hands {
        let report = hand.reports.recv().ok()?;
        all.found.extend(report.found);
        all.held = match (all.held, report.held) {
            (Some(one), Some(other)) => Some(one.plus(other)),
            (one, other) => one.or(other),
        };
        all.bytes_read = report.bytes_read;
    }
    // Each worker's are in order already.
    all.found.sort_by_key(Found::place);
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use capture::{Frame, Link, Resolution, Writer};
    use detect::engine::SHARDS;
    use detect::rule::{RuleSet, Variables};
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    /// A capture of thirty thousand frames, and a set without rules.
    fn long(folder: &Path) -> (PathBuf, Arc<RuleSet>) {
        let path = folder.join("long.pcap");
        let ethernet = Link(1);
        let mut writer = Writer::create(&path, ethernet, Resolution::Nanoseconds).expect("a file");
        let mut bytes = [0u8; 1400];
        bytes[12..15].copy_from_slice(&[8, 0, 0x45]);
        for time_ns in 0..30_000u64 {
            bytes[26..34].copy_from_slice(&time_ns.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
            let frame = Frame { time_ns, link: ethernet, wire_len: 1400, bytes: &bytes };
            writer.frame(frame).expect("a frame");
        }
        writer.finish().expect("it is written");
        (path, Arc::new(RuleSet::load(&[], &Variables::default(), &|_| None)))
    }

    #[test]
    fn who_wants_no_more_is_told_no_more_and_nobody_waits_for_ever() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, set) = long(folder.path());
        for count in [1, 2, 8] {
            let source = Source::open(&path, false).expect("it is there");
            let of = |mine| Worker::new(Arc::clone(&set), move |shard| shard % count == mine);
            let mut told = 0;
            let (source, _) = work_through(source, (0..count).map(of).collect(), &mut |_| {
                told += 1;
                if told == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .expect("there are threads");
            let (frames, _) = source.expect("nobody panicked").counted();
            assert_eq!(told, 2, "{count} workers");
            // Several may have read on until they heard of it.
            assert!(count > 1 || frames < 30_000, "{frames} frames");
        }
    }

    /// A clock that breaks after a while, and slows who looks at it.
    struct Breaks(u32);

    impl detect::engine::Clock for Breaks {
        fn now_ns(&mut self) -> u64 {
            thread::sleep(Duration::from_micros(50));
            self.0 -= 1;
            assert!(self.0 > 0, "a worker breaks");
            0
        }
    }

    /// Whether work ends with a panic, and soon.
    fn panics_soon(work: impl FnOnce() + Send + 'static) -> bool {
        let (say, heard) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            let _ = say.send(ended.is_err());
        });
        heard.recv_timeout(Duration::from_secs(20)) == Ok(true)
    }

    #[test]
    fn a_worker_that_panics_or_who_listens_ends_all_and_nobody_waits_for_ever() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, set) = long(folder.path());
        for (slow, breaks_after) in [(0, 20), (1, 20), (2, 20), (1, 2_000), (1, u32::MAX)] {
            let (path, set) = (path.clone(), Arc::clone(&set));
            let ends = panics_soon(move || {
                let source = Source::open(&path, false).expect("it is there");
                let of = |mine| Worker::new(Arc::clone(&set), move |shard| shard % 3 == mine);
                let mut workers: Vec<Worker> = (0..3).map(of).collect();
                workers[slow].measure(Box::new(Breaks(breaks_after)));
                let _ = work_through(source, workers, &mut |_| {
                    assert!(breaks_after < u32::MAX, "nobody listens any more");
                    ControlFlow::Continue(())
                });
            });
            assert!(ends, "worker {slow} breaks after {breaks_after} looks at the clock");
        }
    }

    #[test]
    fn however_many_work_each_batch_is_told_once_and_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, set) = long(folder.path());
        let told = |count: u16| {
            let source = Source::open(&path, false).expect("it is there");
            let of = |mine| Worker::new(Arc::clone(&set), move |shard| shard % count == mine);
            let mut read = Vec::new();
            let (source, workers) = work_through(source, (0..count).map(of).collect(), &mut |report| {
                read.push(report.bytes_read);
                ControlFlow::Continue(())
            })
            .expect("there are threads");
            let frames: u64 = workers.iter().map(|worker| worker.counters().frames).sum();
            assert_eq!(source.expect("nobody panicked").counted().0, frames);
            (frames, read)
        };
        let (frames, read) = told(1);
        // More batches than any worker may be ahead of another, and the end.
        assert!(frames == 30_000 && read.len() > 30 && read.last() == Some(&0), "{frames} {read:?}");
        assert!(read[..read.len() - 1].is_sorted_by(|one, next| one < next));
        let together =
            read.chunks(BATCHES_OF_A_REPORT as usize).filter_map(|some| some.iter().max().copied());
        let together: Vec<u64> = together.collect();
        for count in [2, 3, SHARDS] {
            assert_eq!(told(count), (frames, together.clone()), "{count} workers");
        }
    }
}
