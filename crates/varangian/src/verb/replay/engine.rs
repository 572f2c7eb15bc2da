//! A capture through the engine.
//!
//! Upon each chunk of the capture: the [`Crew`] works on it, and what came of those before is decided. Alerts and records come out in the order of frames.
//! With parameters of behaviour, what sources do is watched too; without, nothing of that costs anything.

use super::crew::{Alone, Batch, Crew, Report, Threads};
use super::stages::{Ticks, Watch};
use capture::{Chunk, Reader};
use detect::behaviour::Parameters;
use detect::engine::{Counters, Held, Judge, SHARDS, Spent, Told, Worker, shard_of};
use detect::rule::RuleSet;
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// Batches between two looks at what is held.
const HELD_EVERY_BATCHES: u64 = 16;

/// What came of a capture.
pub(crate) struct Replayed {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) counters: Vec<Counters>,
    pub(crate) surplus: u64,
    pub(crate) evicted: u64,
    /// Of behaviour: observations, those of exempt senders among them, and groups that went for want of room.
    pub(crate) watched: (u64, u64, u64),
    /// The capture ended in the middle of a frame, or worse.
    pub(crate) trouble: Option<String>,
    /// Sid, how often asked, how often it held.
    pub(crate) profile: Vec<(u32, u64, u64)>,
    /// Where time and memory went, if that was wanted.
    pub(crate) stages: Option<Stages>,
}

/// What is counted beside what is found.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wanted {
    /// How often each rule is asked.
    pub(crate) profile: bool,
    /// Where time and memory go.
    pub(crate) stages: bool,
}

/// Where time and memory went.
#[derive(Default)]
pub(crate) struct Stages {
    /// Waiting for the capture.
    pub(crate) reading_ns: u64,
    /// Of all workers together.
    pub(crate) workers: Spent,
    /// Deciding what flows share, and writing.
    pub(crate) judging_ns: u64,
    /// The most that was held of each.
    pub(crate) held: Held,
}

/// Sends the capture through the engine.
pub(crate) fn replay(
    path: &Path,
    set: &Arc<RuleSet>,
    workers: u16,
    wanted: Wanted,
    behaviour: Option<&Parameters>,
    progress: &mut dyn FnMut(u64, Option<u64>),
    tell: &mut dyn FnMut(&Told<'_>),
) -> Result<Replayed, String> {
    debug_assert!((1..=SHARDS).contains(&workers));
    let reader = Reader::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut crew: Vec<Worker> =
        (0..workers).map(|mine| Worker::new(Arc::clone(set), move |shard| shard % workers == mine)).collect();
    let mut judge = Judge::new(Arc::clone(set));
    if let Some(parameters) = behaviour {
        crew.iter_mut().for_each(|worker| worker.watch(parameters));
        judge.watch(parameters.clone());
    }
    if wanted.profile {
        crew.iter_mut().for_each(Worker::profile);
    }
    if wanted.stages {
        crew.iter_mut().for_each(|worker| worker.measure(Box::new(Ticks::new())));
    }
    let run = Run { path, reader, judge, wanted, progress, tell };
    Ok(match crew.pop() {
        Some(only) if crew.is_empty() => run.with(Alone::new(only)),
        last => thread::scope(|scope| run.with(Threads::new(scope, crew.into_iter().chain(last).collect()))),
    })
}

/// A capture on its way through the engine.
struct Run<'a> {
    path: &'a Path,
    reader: Reader<File>,
    judge: Judge,
    wanted: Wanted,
    /// Told how many bytes were read, and of how many.
    progress: &'a mut dyn FnMut(u64, Option<u64>),
    tell: &'a mut dyn FnMut(&Told<'_>),
}

impl Run<'_> {
    fn with(mut self, mut crew: impl Crew) -> Replayed {
        let (mut frames, mut bytes, mut trouble) = (0u64, 0u64, None);
        let (mut stages, mut watch) = (Stages::default(), Watch::new(self.wanted.stages));
        // Batches that were given and not taken back, and chunks that can be filled again.
        let (mut given, mut spare): (VecDeque<Arc<Batch>>, Vec<(Chunk, Vec<u16>)>) = Default::default();
        for count in 0u64.. {
            let (mut chunk, mut shards) = spare.pop().unwrap_or_default();
            watch.starts();
            match self.reader.next_chunk(&mut chunk) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    trouble = Some(format!("{}: {error}", self.path.display()));
                    // What was read before the trouble counts.
                    if chunk.is_empty() {
                        break;
                    }
                }
            }
            stages.reading_ns += watch.stops();
            let first = frames + 1;
            frames += chunk.len() as u64;
            bytes += chunk.bytes();
            let asks_held = self.wanted.stages && count.is_multiple_of(HELD_EVERY_BATCHES);
            shards.clear();
            shards.extend(chunk.frames().map(|frame| shard_of(frame.link.0, frame.bytes)));
            let batch = Arc::new(Batch { first, chunk, shards, asks_held });
            crew.give(&batch);
            given.push_back(batch);
            while let Some(report) = crew.take(false) {
                self.decide(&report, &mut stages, &mut watch);
                let done = given.pop_front().and_then(Arc::into_inner);
                spare.extend(done.map(|batch| (batch.chunk, batch.shards)));
            }
            (self.progress)(self.reader.bytes_read(), self.reader.bytes_total());
            if trouble.is_some() {
                break;
            }
        }
        while given.pop_front().is_some() {
            if let Some(report) = crew.take(true) {
                self.decide(&report, &mut stages, &mut watch);
            }
        }
        let (report, workers) = crew.finish(frames + 1);
        self.decide(&report, &mut stages, &mut watch);
        self.judge.finish(frames + 1, &mut |alert| (self.tell)(&Told::Alert(alert)));
        for spent in workers.iter().map(Worker::spent) {
            stages.workers.decode_ns += spent.decode_ns;
            stages.workers.reassembly_ns += spent.reassembly_ns;
            stages.workers.layers_ns += spent.layers_ns;
            stages.workers.matching_ns += spent.matching_ns;
        }
        Replayed {
            frames,
            bytes,
            counters: workers.iter().map(Worker::counters).collect(),
            surplus: self.judge.surplus(),
            evicted: self.judge.evicted(),
            watched: self.judge.watched_so_far(),
            trouble,
            profile: profile(&workers),
            stages: self.wanted.stages.then_some(stages),
        }
    }

    fn decide(&mut self, report: &Report, stages: &mut Stages, watch: &mut Watch) {
        watch.starts();
        self.judge.decide_all(&report.found, self.tell);
        stages.judging_ns += watch.stops();
        if let Some(held) = report.held {
            stages.held = stages.held.max(held);
        }
    }
}

/// How often each rule was asked and held, by all workers together.
fn profile(workers: &[Worker]) -> Vec<(u32, u64, u64)> {
    let mut counts: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for (sid, asked, held) in workers.iter().flat_map(Worker::profiled) {
        let count = counts.entry(sid).or_default();
        *count = (count.0 + asked, count.1 + held);
    }
    counts.into_iter().map(|(sid, (asked, held))| (sid, asked, held)).collect()
}
