//! A capture through the engine.
//!
//! With parameters of behaviour, what sources do is watched too; without, nothing of that costs anything.
//!
//! Upon each chunk of the capture: every worker is told of all its frames and does those of its shards; what they found is put in the order of
//! frames and decided. Alerts come out in that order, so the number of workers does not show.

use capture::{Chunk, Reader};
use detect::Time;
use detect::behaviour::Parameters;
use detect::engine::{Alert, Counters, Found, Judge, SHARDS, Worker};
use detect::rule::RuleSet;
use std::path::Path;
use std::sync::Arc;
use std::thread;

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
}

/// Sends the capture through the engine.
pub(crate) fn replay(
    path: &Path,
    set: &Arc<RuleSet>,
    workers: u16,
    profile: bool,
    behaviour: Option<&Parameters>,
    progress: &mut dyn FnMut(u64, Option<u64>),
    tell: &mut dyn FnMut(&Alert<'_>),
) -> Result<Replayed, String> {
    let mut reader = Reader::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut chunk = Chunk::new();
    let mut judge = Judge::new(Arc::clone(set));
    let mut crew: Vec<Worker> =
        (0..workers).map(|mine| Worker::new(Arc::clone(set), move |shard| shard % workers == mine)).collect();
    if let Some(parameters) = behaviour {
        crew.iter_mut().for_each(|worker| worker.watch(parameters));
        judge.watch(parameters.clone());
    }
    if profile {
        crew.iter_mut().for_each(Worker::profile);
    }
    let (mut frames, mut bytes, mut trouble) = (0u64, 0u64, None);
    loop {
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
        let before = frames;
        each(&mut crew, |worker| {
            for (number, frame) in (before + 1..).zip(chunk.frames()) {
                worker.frame(number, Time(frame.time_ns), frame.link.0, frame.bytes);
            }
        });
        frames += chunk.len() as u64;
        bytes += chunk.bytes();
        judge.decide(&in_order(&mut crew), tell);
        progress(reader.bytes_read(), reader.bytes_total());
        if trouble.is_some() {
            break;
        }
    }
    each(&mut crew, |worker| worker.finish(frames + 1));
    judge.decide(&in_order(&mut crew), tell);
    judge.finish(frames + 1, tell);
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
        watched: judge.watched_so_far(),
        trouble,
        profile: profiled,
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
