//! How many operations were done when: one count for each millisecond from a moment on.
//!
//! What comes after the end is not counted. Bounded: [`MILLISECONDS_MAX`].

use core::time::Duration;
use std::time::Instant;

/// Milliseconds of a timeline at most.
const MILLISECONDS_MAX: usize = 3_600_000;

/// Counts of a millisecond each.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    begin: Instant,
    counts: Vec<u32>,
}

impl Timeline {
    /// Nothing was done yet in the time of `length` from `begin` on.
    pub(crate) fn new(begin: Instant, length: Duration) -> Self {
        let steps = usize::try_from(length.as_millis()).unwrap_or(MILLISECONDS_MAX).min(MILLISECONDS_MAX);
        Timeline { begin, counts: vec![0; steps] }
    }

    /// Something was done at `at`.
    pub(crate) fn add(&mut self, at: Instant) {
        let Some(since) = at.checked_duration_since(self.begin) else { return };
        let step = usize::try_from(since.as_millis()).unwrap_or(usize::MAX);
        if let Some(count) = self.counts.get_mut(step) {
            *count = count.saturating_add(1);
        }
    }

    /// Adds what another one of the same time has counted.
    pub(super) fn merge(&mut self, other: &Timeline) {
        for (to, from) in self.counts.iter_mut().zip(&other.counts) {
            *to = to.saturating_add(*from);
        }
    }

    /// Operations a second, for each `width` milliseconds that are whole.
    pub(crate) fn rates(&self, width: usize) -> Vec<f64> {
        self.counts.chunks_exact(width).map(rate).collect()
    }

    /// Operations a second from one millisecond to another.
    pub(crate) fn rate_between(&self, from: usize, to: usize) -> f64 {
        let to = to.min(self.counts.len());
        self.counts.get(from..to).map_or(0.0, rate)
    }

    /// The longest time without an operation that reaches past the millisecond `after`: where it began, and how long it was.
    pub(crate) fn pause(&self, after: usize) -> (usize, usize) {
        let mut longest = (after, 0);
        let mut began = 0;
        for (step, count) in self.counts.iter().enumerate() {
            if *count > 0 {
                began = step + 1;
            } else if step >= after && step + 1 - began > longest.1 {
                longest = (began, step + 1 - began);
            }
        }
        longest
    }
}

fn rate(steps: &[u32]) -> f64 {
    let sum: f64 = steps.iter().map(|count| f64::from(*count)).sum();
    if steps.is_empty() { 0.0 } else { sum * 1000.0 / steps.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy_but(quiet: core::ops::Range<u64>) -> Timeline {
        let begin = Instant::now();
        let mut timeline = Timeline::new(begin, Duration::from_millis(1000));
        for millisecond in (0..1000).filter(|millisecond| !quiet.contains(millisecond)) {
            timeline.add(begin + Duration::from_millis(millisecond));
            timeline.add(begin + Duration::from_millis(millisecond) + Duration::from_micros(999));
        }
        timeline.add(begin + Duration::from_millis(1000));
        timeline
    }

    #[test]
    fn the_pause_is_the_longest_after_the_failure() {
        assert_eq!(busy_but(400..700).pause(500), (400, 300), "it may have begun just before");
        assert_eq!(busy_but(100..400).pause(500), (500, 0), "what was over before is no matter");
        assert_eq!(busy_but(600..1000).pause(500), (600, 400), "it may not have ended");
    }

    #[test]
    fn rates_are_by_the_second() {
        let timeline = busy_but(500..1000);
        assert_eq!(timeline.rates(250), [2000.0, 2000.0, 0.0, 0.0]);
        assert_eq!(timeline.rate_between(250, 750), 1000.0);
        assert_eq!(timeline.rate_between(900, 5000), 0.0);
        assert_eq!(timeline.rate_between(2000, 5000), 0.0);
    }
}
