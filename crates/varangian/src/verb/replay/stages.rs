//! The clocks that replay hands to whoever measures, and how what was measured is told.

use super::engine::Stages;
use crate::say::say;
use detect::engine::{Clock, Spent};
use serde_json::{Value, json};
use std::time::Instant;

/// The clock of one worker.
pub(super) struct Ticks(Instant);

impl Ticks {
    pub(super) fn new() -> Self {
        Ticks(Instant::now())
    }
}

impl Clock for Ticks {
    fn now_ns(&mut self) -> u64 {
        nanoseconds(self.0)
    }
}

/// A watch that can be started and stopped, or that nobody wanted.
pub(super) struct Watch {
    is_wanted: bool,
    since: Option<Instant>,
}

impl Watch {
    pub(super) fn new(is_wanted: bool) -> Self {
        Watch { is_wanted, since: None }
    }

    pub(super) fn starts(&mut self) {
        self.since = self.is_wanted.then(Instant::now);
    }

    /// Nanoseconds since it was started; 0 if it was not.
    pub(super) fn stops(&mut self) -> u64 {
        self.since.take().map_or(0, nanoseconds)
    }
}

fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Each stage's name and nanoseconds.
fn times(stages: &Stages) -> [(&'static str, u64); 6] {
    let Spent { decode_ns, reassembly_ns, layers_ns, matching_ns } = stages.workers;
    [
        ("reading", stages.reading_ns),
        ("decode_and_flows", decode_ns),
        ("reassembly", reassembly_ns),
        ("layers", layers_ns),
        ("matching", matching_ns),
        ("judging_and_writing", stages.judging_ns),
    ]
}

/// As JSON.
pub(super) fn as_json(stages: &Stages, rules_bytes: u64) -> Value {
    let seconds: serde_json::Map<String, Value> = times(stages)
        .into_iter()
        .map(|(name, nanoseconds)| (name.to_owned(), json!(nanoseconds as f64 / 1e9)))
        .collect();
    json!({
        "seconds": seconds,
        "bytes_max": {
            "rules": rules_bytes, "flows": stages.held.flows_bytes, "fragments": stages.held.fragments_bytes,
            "streams": stages.held.streams_bytes,
        },
        "exchanges_max": stages.held.exchanges,
    })
}

/// In words.
pub(super) fn tell(stages: &Stages, rules_bytes: u64) {
    let times = times(stages);
    let all: u64 = times.iter().map(|(_, nanoseconds)| nanoseconds).sum();
    say!("\nstage                     seconds   share   (of all workers together, by samples)");
    for (name, nanoseconds) in times {
        let share = 100.0 * nanoseconds as f64 / all.max(1) as f64;
        say!("{:<22} {:>10.3} {share:>5.1} %", name.replace('_', " "), nanoseconds as f64 / 1e9);
    }
    say!("\nmemory at most               MiB");
    let held = &stages.held;
    for (name, bytes) in [
        ("rules", rules_bytes),
        ("flows", held.flows_bytes),
        ("fragments", held.fragments_bytes),
        ("streams", held.streams_bytes),
    ] {
        say!("{name:<22} {:>10.1}", bytes as f64 / f64::from(1 << 20));
    }
    say!("{:<22} {:>10}   at once", "exchanges", held.exchanges);
}
