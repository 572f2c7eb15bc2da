//! The paper's promises and attacks by name: each a scenario that is real, that can fail, and that says what happened.
//!
//! A scenario is a promise, a world in which it is hard to keep, and figures. What must hold is demanded; what is lost is
//! demanded too, with a seed that shows it: a loss that is said but cannot be shown would be a fairy tale, and a check that
//! nothing could fail no check.
//!
//! | scenario | in the paper |
//! | --- | --- |
//! | `monitors-gone-safe`, `monitors-gone-live` | VII.C, the two properties |
//! | `unfair-primary` | VII.B, fairness attacks |
//! | `flooding-replica`, `flooding-client` | VII.B, flooding attacks |
//! | `slow-primary` | VII.B, timing attacks |
//! | `too-many` | VII.B, too-many-server compromises |
//! | `audit-honest`, `audit-guilty` | III, passive use of the monitor |

mod audit;
mod fairness;
mod flooding;
mod monitors_gone;
mod slow;
pub(crate) mod stage;
mod too_many;

use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// A scenario.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// Where in the ByzID paper it comes from.
    pub section: &'static str,
    /// What is promised, in one sentence.
    pub promise: &'static str,
    /// How many seeds it takes to be convincing.
    pub seeds: u64,
    run: fn(&Seeds) -> Report,
}

impl Scenario {
    /// All of them.
    pub const ALL: &[Scenario] = &[
        Scenario {
            name: "monitors-gone-safe",
            section: "VII.C (1)",
            promise: "all monitors have crashed, the primary is correct, up to f backups lie: nothing believed is lost",
            seeds: 200,
            run: monitors_gone::safe,
        },
        Scenario {
            name: "monitors-gone-live",
            section: "VII.C (2)",
            promise: "all monitors have crashed, all replicas are correct: nothing is lost and everybody is served",
            seeds: 200,
            run: monitors_gone::live,
        },
        Scenario {
            name: "unfair-primary",
            section: "VII.B",
            promise: "a primary that prefers a client, reorders or invents requests is put out before anyone executes it",
            seeds: 20,
            run: fairness::unfair_primary,
        },
        Scenario {
            name: "flooding-replica",
            section: "VII.B",
            promise: "a replica that floods replicas or clients is put out, and clients hardly notice",
            seeds: 5,
            run: flooding::replica,
        },
        Scenario {
            name: "flooding-client",
            section: "VII.B",
            promise: "a client that floods the primary takes nothing from the others",
            seeds: 5,
            run: flooding::client,
        },
        Scenario {
            name: "slow-primary",
            section: "VII.B",
            promise: "a primary just under its timer costs what the timer says, and a slow drift does not train the timer",
            seeds: 3,
            run: slow::slow_primary,
        },
        Scenario {
            name: "too-many",
            section: "VII.B",
            promise: "with more than f compromised it is known what is lost, and what still holds",
            seeds: 20,
            run: too_many::too_many,
        },
        Scenario {
            name: "audit-honest",
            section: "III",
            promise: "a monitor beside the wire accuses no honest replica of what no correct one does",
            seeds: 200,
            run: audit::honest,
        },
        Scenario {
            name: "audit-guilty",
            section: "III",
            promise: "a monitor beside the wire names a primary that breaks the rules while no monitor stands in its way",
            seeds: 100,
            run: audit::guilty,
        },
    ];

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Scenario> {
        Scenario::ALL.iter().find(|scenario| scenario.name == name)
    }

    /// Runs it.
    #[must_use]
    pub fn run(&self, seeds: &Seeds) -> Report {
        (self.run)(seeds)
    }
}

/// Which seeds a scenario runs, on how many threads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seeds {
    /// The seeds.
    pub range: Range<u64>,
    /// Runs at the same time.
    pub workers: usize,
}

/// What came of a scenario.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// What happened, in plain words with figures.
    pub told: Vec<String>,
    /// What did not hold, and the seed that shows it.
    pub broken: Vec<String>,
}

impl Report {
    fn say(&mut self, text: String) {
        self.told.push(text);
    }

    fn demand(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(otherwise());
        }
    }

    fn break_by(&mut self, seed: u64, text: String) {
        self.broken.push(format!("seed {seed}: {text}"));
    }

    /// Whether everything that was promised held.
    #[must_use]
    pub fn kept(&self) -> bool {
        self.broken.is_empty()
    }
}

/// Runs `one` for each seed, several at a time; the results in the order of the seeds.
pub(crate) fn fold<T: Send>(seeds: &Seeds, one: impl Fn(u64) -> T + Sync) -> Vec<(u64, T)> {
    let next = AtomicU64::new(seeds.range.start);
    let work = || {
        let mut results = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.range.end {
                return results;
            }
            results.push((seed, one(seed)));
        }
    };
    let mut results: Vec<(u64, T)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..seeds.workers.max(1)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a run catches its own panics")).collect()
    });
    results.sort_by_key(|(seed, _)| *seed);
    results
}
