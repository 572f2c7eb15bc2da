//! A capture through the engine.
//!
//! Upon each batch of frames: the workers work on it, and what came of it is decided. Alerts and records come out in the order of frames.
//! With parameters of behaviour, what sources do is watched too; without, nothing of that costs anything.

use super::crew::work_through;
use super::source::Source;
use super::stages::{Ticks, Watch};
use detect::behaviour::Parameters;
use detect::engine::{Counters, Held, Judge, SHARDS, Secret, Spent, Told, Worker};
use detect::rule::RuleSet;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::ControlFlow;
use std::sync::Arc;

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
    /// Gid and sid, how often asked, how often it held.
    pub(crate) profile: Vec<((u32, u32), u64, u64)>,
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
    /// Reading the capture, by all workers together.
    pub(crate) reading_ns: u64,
    /// Of all workers together.
    pub(crate) workers: Spent,
    /// Deciding what flows share, and writing.
    pub(crate) judging_ns: u64,
    /// The most that was held of each.
    pub(crate) held: Held,
}

/// Sends the capture through the engine, with so many workers. Upon a `tell` that fails: it ends there, with that error.
///
/// `source` measures if stages are wanted.
pub(crate) fn replay(
    source: Source,
    set: &Arc<RuleSet>,
    count: u16,
    wanted: Wanted,
    behaviour: Option<&Parameters>,
    progress: &mut dyn FnMut(u64, Option<u64>),
    tell: &mut dyn FnMut(&Told<'_>) -> Result<(), String>,
) -> Result<Replayed, String> {
    debug_assert!((1..=SHARDS).contains(&count));
    let mut workers: Vec<Worker> =
        (0..count).map(|mine| Worker::new(Arc::clone(set), move |shard| shard % count == mine)).collect();
    workers.iter_mut().for_each(|worker| worker.keep_secret(secret()));
    let mut judge = Judge::new(Arc::clone(set));
    if let Some(parameters) = behaviour {
        workers.iter_mut().for_each(|worker| worker.watch(parameters));
        judge.watch(parameters.clone());
    }
    if wanted.profile {
        workers.iter_mut().for_each(Worker::profile);
    }
    if wanted.stages {
        workers.iter_mut().for_each(|worker| worker.measure(Box::new(Ticks::new())));
    }
    let total = source.bytes_total();
    let (mut stages, mut watch) = (Stages::default(), Watch::new(wanted.stages));
    let failed: OnceCell<String> = OnceCell::new();
    let mut tell = |told: &Told<'_>| {
        if failed.get().is_none()
            && let Err(error) = tell(told)
        {
            let _ = failed.set(error);
        }
    };
    let (source, workers) = work_through(source, workers, &mut |report| {
        watch.starts();
        judge.decide_all(&report.found, &mut tell);
        stages.judging_ns += watch.stops();
        stages.held = report.held.map_or(stages.held, |held| stages.held.max(held));
        if report.bytes_read > 0 {
            progress(report.bytes_read, total);
        }
        if failed.get().is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let source = source.ok_or("nobody gave the capture back")?;
    let (frames, bytes) = source.counted();
    judge.finish(frames + 1, &mut |alert| tell(&Told::Alert(alert)));
    if let Some(error) = failed.into_inner() {
        return Err(error);
    }
    stages.reading_ns = source.reading_ns();
    for spent in workers.iter().map(Worker::spent) {
        stages.workers.decode_ns += spent.decode_ns;
        stages.workers.reassembly_ns += spent.reassembly_ns;
        stages.workers.layers_ns += spent.layers_ns;
        stages.workers.matching_ns += spent.matching_ns;
    }
    Ok(Replayed {
        frames,
        bytes,
        counters: workers.iter().map(Worker::counters).collect(),
        surplus: judge.surplus(),
        evicted: judge.evicted(),
        watched: judge.watched_so_far(),
        trouble: source.trouble().map(str::to_owned),
        profile: profile(&workers),
        stages: wanted.stages.then_some(stages),
    })
}

/// Another one each time.
fn secret() -> Secret {
    let state = RandomState::new();
    Secret([0, 1].map(|word| state.hash_one(word)))
}

/// How often each rule was asked and held, by all workers together.
fn profile(workers: &[Worker]) -> Vec<((u32, u32), u64, u64)> {
    let mut counts: BTreeMap<(u32, u32), (u64, u64)> = BTreeMap::new();
    for (rule, asked, held) in workers.iter().flat_map(Worker::profiled) {
        let count = counts.entry(rule).or_default();
        *count = (count.0 + asked, count.1 + held);
    }
    counts.into_iter().map(|(rule, (asked, held))| (rule, asked, held)).collect()
}
