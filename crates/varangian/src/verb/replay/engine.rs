//! A capture through the engine.
//!
//! Upon each chunk of the capture: every worker is told of all its frames and does those of its shards; what they found is put in the order of
//! frames and decided. Alerts and records come out in that order, so the number of workers does not show.

use super::stages::{Ticks, Watch};
use capture::{Chunk, Reader};
use detect::Time;
use detect::engine::{Counters, Found, Held, Judge, SHARDS, Spent, Told, Worker};
use detect::rule::RuleSet;
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// Chunks between two looks at what is held.
const HELD_EVERY_CHUNKS: u64 = 16;

/// What came of a capture.
pub(crate) struct Replayed {
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) counters: Vec<Counters>,
    pub(crate) surplus: u64,
    pub(crate) evicted: u64,
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
    progress: &mut dyn FnMut(u64, Option<u64>),
    tell: &mut dyn FnMut(&Told<'_>),
) -> Result<Replayed, String> {
    let mut reader = Reader::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut chunk = Chunk::new();
    let mut judge = Judge::new(Arc::clone(set));
    let mut crew: Vec<Worker> =
        (0..workers).map(|mine| Worker::new(Arc::clone(set), move |shard| shard % workers == mine)).collect();
    if wanted.profile {
        crew.iter_mut().for_each(Worker::profile);
    }
    let mut watch = Watch::new(wanted.stages);
    if wanted.stages {
        crew.iter_mut().for_each(|worker| worker.measure(Box::new(Ticks::new())));
    }
    let (mut frames, mut bytes, mut trouble) = (0u64, 0u64, None);
    let (mut stages, mut chunks) = (Stages::default(), 0u64);
    loop {
        watch.starts();
        match reader.next_chunk(&mut chunk) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                trouble = Some(format!("{}: {error}", path.display()));
                // What was read before the trouble counts.
                if chunk.is_empty() {
                    break;
                }
            }
        }
        stages.reading_ns += watch.stops();
        let before = frames;
        each(&mut crew, |worker| {
            for (number, frame) in (before + 1..).zip(chunk.frames()) {
                worker.frame(number, Time(frame.time_ns), frame.link.0, frame.bytes);
            }
        });
        frames += chunk.len() as u64;
        bytes += chunk.bytes();
        watch.starts();
        judge.decide_all(&in_order(&mut crew), tell);
        stages.judging_ns += watch.stops();
        if wanted.stages && chunks.is_multiple_of(HELD_EVERY_CHUNKS) {
            stages.held = stages.held.max(held(&crew));
        }
        chunks += 1;
        progress(reader.bytes_read(), reader.bytes_total());
        if trouble.is_some() {
            break;
        }
    }
    if wanted.stages {
        stages.held = stages.held.max(held(&crew));
    }
    each(&mut crew, |worker| worker.finish(frames + 1));
    watch.starts();
    judge.decide_all(&in_order(&mut crew), tell);
    stages.judging_ns += watch.stops();
    for spent in crew.iter().map(Worker::spent) {
        stages.workers.decode_ns += spent.decode_ns;
        stages.workers.reassembly_ns += spent.reassembly_ns;
        stages.workers.layers_ns += spent.layers_ns;
        stages.workers.matching_ns += spent.matching_ns;
    }
    debug_assert!(workers <= SHARDS);
    let mut profiled: Vec<(u32, u64, u64)> = Vec::new();
    for (sid, asked, held) in crew.iter().flat_map(Worker::profiled) {
        match profiled.iter_mut().find(|row| row.0 == sid) {
            Some(row) => (row.1, row.2) = (row.1 + asked, row.2 + held),
            None => profiled.push((sid, asked, held)),
        }
    }
    Ok(Replayed {
        frames,
        bytes,
        counters: crew.iter().map(Worker::counters).collect(),
        surplus: judge.surplus(),
        evicted: judge.evicted(),
        trouble,
        profile: profiled,
        stages: wanted.stages.then_some(stages),
    })
}

/// Lets all workers work, each on a thread of its own if there are several.
fn each(crew: &mut [Worker], work: impl Fn(&mut Worker) + Sync) {
    if let [only] = crew {
        work(only);
        return;
    }
    thread::scope(|scope| {
        for worker in crew {
            let work = &work;
            scope.spawn(move || work(worker));
        }
    });
}

/// What all workers hold.
fn held(crew: &[Worker]) -> Held {
    crew.iter().map(Worker::held).fold(Held::default(), Held::plus)
}

/// What all found, in order. Each worker's list is in order already.
fn in_order(crew: &mut [Worker]) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for worker in crew.iter_mut() {
        found.append(&mut worker.take());
    }
    if crew.len() > 1 {
        found.sort_by_key(Found::place);
    }
    found
}
