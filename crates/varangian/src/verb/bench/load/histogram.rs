//! How long operations took, counted in buckets whose width is a 64th of what is in them, or less.
//!
//! Upon a time: its bucket counts one more; what is longer than [`NANOSECONDS_MAX`] is counted as that. The greatest is kept as it is.
//! Upon a quantile: the middle of the bucket in which it falls.

use core::time::Duration;

/// Buckets for each power of two.
const PARTS: u64 = 64;

/// What is longer is counted as this: some 137 s.
const NANOSECONDS_MAX: u64 = (1 << 37) - 1;

const BUCKETS: usize = 32 * PARTS as usize;

/// Times, in buckets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    greatest: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { buckets: vec![0; BUCKETS], count: 0, greatest: 0 }
    }
}

impl Histogram {
    /// Counts an operation that took so long.
    pub(super) fn add(&mut self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).min(NANOSECONDS_MAX);
        self.buckets[bucket_of(nanoseconds)] += 1;
        self.count += 1;
        self.greatest = self.greatest.max(nanoseconds);
    }

    /// Adds everything that `other` has counted.
    pub(super) fn merge(&mut self, other: &Histogram) {
        for (to, from) in self.buckets.iter_mut().zip(&other.buckets) {
            *to += from;
        }
        self.count += other.count;
        self.greatest = self.greatest.max(other.greatest);
    }

    /// How many were counted.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The time within which `share` of them were done, in microseconds; 0 if there are none.
    pub(crate) fn quantile_us(&self, share: f64) -> f64 {
        let wanted = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return middle_of(bucket).min(self.greatest as f64) / 1e3;
            }
        }
        0.0
    }

    /// The longest, in microseconds.
    pub(crate) fn greatest_us(&self) -> f64 {
        self.greatest as f64 / 1e3
    }
}

fn bucket_of(nanoseconds: u64) -> usize {
    let Some(shift) = nanoseconds.checked_ilog2().and_then(|power| power.checked_sub(PARTS.ilog2())) else {
        return nanoseconds as usize;
    };
    (u64::from(shift) * PARTS + (nanoseconds >> shift)) as usize
}

fn middle_of(bucket: usize) -> f64 {
    let bucket = bucket as u64;
    if bucket < PARTS {
        return bucket as f64;
    }
    let shift = bucket / PARTS - 1;
    let least = (bucket - shift * PARTS) << shift;
    least as f64 + ((1_u64 << shift) - 1) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_off_by_a_64th_at_most() {
        let mut histogram = Histogram::default();
        for microseconds in 1..=10_000 {
            histogram.add(Duration::from_micros(microseconds));
        }
        assert_eq!(histogram.count(), 10_000);
        for (share, right) in [(0.0, 1.0), (0.5, 5_000.0), (0.99, 9_900.0), (0.999, 9_990.0), (1.0, 10_000.0)]
        {
            let found = histogram.quantile_us(share);
            assert!((found - right).abs() <= right / 64.0, "{share}: {found} is not {right}");
        }
        assert_eq!(histogram.greatest_us(), 10_000.0);
    }

    #[test]
    fn every_time_has_a_bucket_and_buckets_are_in_order() {
        let mut last = 0;
        for power in 2..64 {
            for offset in [0, 1, 3] {
                let nanoseconds = ((1_u64 << power) + offset).min(NANOSECONDS_MAX);
                let bucket = bucket_of(nanoseconds);
                assert!(bucket >= last && bucket < BUCKETS, "{nanoseconds} in {bucket}");
                last = bucket.max(last);
            }
        }
        let mut histogram = Histogram::default();
        histogram.add(Duration::MAX);
        assert_eq!(
            histogram.greatest_us(),
            NANOSECONDS_MAX as f64 / 1e3,
            "what is longer is counted as that"
        );
    }

    #[test]
    fn two_together_are_as_one() {
        let (mut one, mut other, mut both) =
            (Histogram::default(), Histogram::default(), Histogram::default());
        for step in 0..1000 {
            let took = Duration::from_nanos(step * step * 17);
            if step % 3 == 0 { &mut one } else { &mut other }.add(took);
            both.add(took);
        }
        one.merge(&other);
        assert_eq!(one, both);
    }

    #[test]
    fn of_nothing_there_is_no_quantile() {
        assert_eq!(Histogram::default().quantile_us(0.99), 0.0);
    }
}
