//! Many runs, on many threads, with one result.
//!
//! Seeds are dealt to whoever is free; what is kept of a run is added up, and the failing seeds are sorted. So the
//! [`Summary`] is the same for any number of workers, but for the time it took.

use crate::checkers::Violation;
use crate::mix::Mix;
use crate::random::scramble;
use crate::run::{RunSettings, run};
use crate::stats::Stats;
use agree::Protocol;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::thread;
use std::time::Instant;

/// Failing seeds that are kept at most.
pub const FAILING_MAX: usize = 64;

/// What came out of many runs.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Which protocol.
    pub protocol: Protocol,
    /// How many faulty replicas it masks.
    pub f: usize,
    /// Which kinds of fault occurred.
    pub mix: Mix,
    /// How many seeds were run.
    pub seeds: u64,
    /// How many of them broke a promise.
    pub violations: u64,
    /// The smallest failing seeds, each with the first promise that it broke.
    pub failing: Vec<(u64, Violation)>,
    /// The numbers of all runs together.
    pub stats: Stats,
    /// Simulated time of all runs together.
    pub simulated: Duration,
    /// Time that workers spent, all of them together.
    pub busy: Duration,
    /// A hash over the fingerprints of all runs.
    pub fingerprint: u64,
}

impl Summary {
    fn new(settings: &RunSettings) -> Self {
        Summary {
            protocol: settings.protocol,
            f: settings.f,
            mix: settings.mix,
            seeds: 0,
            violations: 0,
            failing: Vec::new(),
            stats: Stats::default(),
            simulated: Duration::ZERO,
            busy: Duration::ZERO,
            fingerprint: 0,
        }
    }

    /// Protocol messages simulated.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.stats.frames
    }

    /// Protocol messages simulated in a second of one core.
    #[must_use]
    pub fn messages_per_second_per_core(&self) -> u64 {
        (self.stats.frames as f64 / self.busy.as_secs_f64().max(1e-9)) as u64
    }

    /// Configurations or views that clusters went through after their first.
    #[must_use]
    pub fn reconfigurations(&self) -> u64 {
        self.stats.reconfigurations
    }

    /// Operations whose accepted result was checked.
    #[must_use]
    pub fn operations_checked(&self) -> u64 {
        self.stats.operations_checked
    }

    /// The smallest failing seed.
    #[must_use]
    pub fn first_failing(&self) -> Option<u64> {
        self.failing.first().map(|(seed, _)| *seed)
    }

    fn run(&mut self, settings: &RunSettings, seed: u64) -> bool {
        let outcome = run(settings, seed);
        self.seeds += 1;
        self.stats.add(&outcome.stats);
        self.simulated += outcome.simulated;
        self.fingerprint = self.fingerprint.wrapping_add(scramble(outcome.fingerprint ^ scramble(seed)));
        let failed = outcome.violations.into_iter().next();
        if let Some(violation) = failed {
            self.violations += 1;
            self.failing.push((seed, violation));
            self.failing.truncate(FAILING_MAX);
            return true;
        }
        false
    }

    fn add(&mut self, other: Summary) {
        self.seeds += other.seeds;
        self.violations += other.violations;
        self.failing.extend(other.failing);
        self.failing.sort_by_key(|(seed, _)| *seed);
        self.failing.truncate(FAILING_MAX);
        self.stats.add(&other.stats);
        self.simulated += other.simulated;
        self.busy += other.busy;
        self.fingerprint = self.fingerprint.wrapping_add(other.fingerprint);
    }
}

/// How far a campaign is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Runs that are over.
    pub done: u64,
    /// Runs that there will be.
    pub of: u64,
    /// Runs so far that broke a promise.
    pub violations: u64,
}

/// Runs all `seeds` on `workers` threads and tells `progress` after each.
pub fn run_many(
    settings: &RunSettings,
    seeds: Range<u64>,
    workers: usize,
    progress: impl Fn(Progress) + Sync,
) -> Summary {
    let next = AtomicU64::new(seeds.start);
    let (done, violations) = (AtomicU64::new(0), AtomicU64::new(0));
    let of = seeds.end.saturating_sub(seeds.start);
    let work = || {
        let mut summary = Summary::new(settings);
        // The only clock in this crate: how long it took is said, never acted upon.
        #[allow(clippy::disallowed_methods, reason = "how long it took is said, never acted upon")]
        let began = Instant::now();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            let failed = summary.run(settings, seed);
            let violations = violations.fetch_add(u64::from(failed), Ordering::Relaxed) + u64::from(failed);
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(Progress { done, of, violations });
        }
        summary.busy = began.elapsed();
        summary
    };
    let mut total = Summary::new(settings);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers.max(1)).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            total.add(worker.join().expect("a run's panics are caught in the run"));
        }
    });
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{self, Defect};

    #[test]
    fn the_result_does_not_depend_on_the_number_of_workers() {
        let settings = fake::settings(Defect::NoSync);
        let summary = |workers| {
            let mut summary = run_many(&settings, 10..40, workers, |_| {});
            summary.busy = Duration::ZERO;
            format!("{summary:?}")
        };
        let one = summary(1);
        assert_eq!(one, summary(3));
        assert!(one.contains("seeds: 30"));
    }

    #[test]
    fn progress_is_told_after_each_run() {
        let told = AtomicU64::new(0);
        let settings = fake::settings(Defect::None);
        run_many(&settings, 0..5, 2, |progress| {
            assert_eq!(progress.of, 5);
            told.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(told.into_inner(), 5);
    }
}
