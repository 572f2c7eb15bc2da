//! A bound on a delay that adapts to the machine and cannot be trained by a slow drift.
//!
//! The baseline is a weighted mean in which the n-th sample weighs 1/n: recent samples weigh *less* than old ones. To
//! move it by as much as the first hundred samples fixed it takes not a hundred more, but several thousand; a traitor
//! who slows down a little at a time runs out of lifetime before the bound gives way. Samples over the bound are not
//! learned at all: they are what the bound is there to report.
//!
//! The bound is [`FACTOR`] times the baseline, never under the floor nor over the ceiling. Until [`SAMPLES_MIN`]
//! samples are in it is the ceiling: one cannot be late before anyone knows what is usual.

use crate::ids::Span;

/// How many times the usual delay is late.
pub const FACTOR: u64 = 8;

/// Samples before the baseline is believed.
pub const SAMPLES_MIN: u64 = 32;

/// The weight of the first sample.
const WEIGHT_FIRST: u64 = 1 << 32;

/// The bound on one kind of delay.
#[derive(Clone, Hash, Debug)]
pub struct Baseline {
    floor: Span,
    ceiling: Span,
    samples: u64,
    weight: u128,
    mean: u64,
}

impl Baseline {
    /// A bound that stays between `floor` and `ceiling`.
    #[must_use]
    pub fn new(floor: Span, ceiling: Span) -> Self {
        assert!(floor <= ceiling);
        Baseline { floor, ceiling, samples: 0, weight: 0, mean: 0 }
    }

    /// What is late now.
    #[must_use]
    pub fn bound(&self) -> Span {
        if self.samples < SAMPLES_MIN {
            return self.ceiling;
        }
        Span(self.mean.saturating_mul(FACTOR).clamp(self.floor.0, self.ceiling.0))
    }

    /// A delay that was seen.
    pub fn learn(&mut self, delay: Span) {
        if delay > self.bound() {
            return;
        }
        self.samples = self.samples.saturating_add(1);
        let weight = u128::from(WEIGHT_FIRST / self.samples);
        self.weight += weight;
        if self.weight == 0 {
            return;
        }
        let (mean, delay) = (u128::from(self.mean), u128::from(delay.0));
        let moved = (mean * (self.weight - weight) + delay * weight) / self.weight;
        self.mean = u64::try_from(moved).unwrap_or(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(samples: u64, delay: u64) -> Baseline {
        let mut baseline = Baseline::new(Span(1_000), Span(10_000_000));
        for _ in 0..samples {
            baseline.learn(Span(delay));
        }
        baseline
    }

    #[test]
    fn nobody_is_late_before_the_usual_is_known() {
        assert_eq!(learned(SAMPLES_MIN - 1, 5_000).bound(), Span(10_000_000));
        assert_eq!(learned(SAMPLES_MIN, 5_000).bound(), Span(5_000 * FACTOR));
    }

    #[test]
    fn the_bound_keeps_to_floor_and_ceiling() {
        assert_eq!(learned(100, 1).bound(), Span(1_000));
        assert_eq!(learned(100, 9_000_000).bound(), Span(10_000_000));
    }

    #[test]
    fn what_is_late_is_not_learned() {
        let mut baseline = learned(1_000, 5_000);
        let bound = baseline.bound();
        for _ in 0..1_000_000 {
            baseline.learn(Span(bound.0 + 1));
        }
        assert_eq!(baseline.bound(), bound);
    }

    /// A traitor that is always as slow as it may be, from the day after an hour's honest work at 100 batches a second.
    #[test]
    fn a_slow_drift_cannot_train_the_bound() {
        let mut baseline = learned(360_000, 5_000);
        let before = baseline.bound();
        for _ in 0..360_000 {
            let just_under = baseline.bound();
            baseline.learn(just_under);
        }
        assert!(baseline.bound().0 < 2 * before.0, "{:?} became {:?}", before, baseline.bound());
    }
}
