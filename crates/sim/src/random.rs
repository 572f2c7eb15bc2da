//! Chance, from one seed.
//!
//! A [`Random`] is SplitMix64: eight bytes of state, a few instructions a draw, good enough to choose faults with and
//! useless as a secret. It is written out here because its output *is* the meaning of a seed: a newer version of a
//! library must never turn yesterday's failing seed into a passing one.
//!
//! **Streams.** Everything that is left to chance draws from a stream of its own: each link of the network, each disk,
//! each client, each fault of the plan. A stream is named, not numbered in the order of use, so taking one fault out of
//! a plan, or one client out of a run, does not change what the others draw. Without that, shrinking is a lottery.

use core::time::Duration;

/// What a stream of randomness is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u64)]
pub enum Stream {
    /// The settings of the cluster and of the load.
    Tuning = 1,
    /// Which faults happen, and when.
    Plan = 2,
    /// Latency, loss, duplication and corruption.
    Network = 3,
    /// How long a flush takes and what a crash leaves.
    Disks = 4,
    /// What clients ask and how long they think.
    Clients = 5,
    /// Clock skew and drift.
    Clocks = 6,
    /// The whims of traitors.
    Traitors = 7,
    /// What an outsider throws at the nodes.
    Outsider = 8,
    /// The keys of everybody.
    Keys = 9,
    /// When exactly a node crashes that is to crash mid-write.
    Crashes = 10,
}

/// A stream of randomness.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Random {
    state: u64,
}

/// One step of SplitMix64's output function: a bijection that leaves no pattern of its input visible.
#[inline]
#[must_use]
pub fn scramble(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl Random {
    /// The stream of `seed` that is for `stream`.
    #[must_use]
    pub fn new(seed: u64, stream: Stream) -> Self {
        Random { state: scramble(scramble(seed ^ 0x5eed) ^ stream as u64) }
    }

    /// A stream of its own for the part `index` of what this one is for. Does not draw from this one.
    #[must_use]
    pub fn part(&self, index: u64) -> Random {
        Random { state: scramble(self.state ^ scramble(index.wrapping_add(0x9e37_79b9_7f4a_7c15))) }
    }

    /// The next 64 bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.state)
    }

    /// A number below `end`, which is not 0. (The bias of the multiplication is below 2⁻³² for all `end` used here.)
    #[inline]
    pub fn below(&mut self, end: u64) -> u64 {
        debug_assert!(end > 0, "there is no number below 0");
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }

    /// A number from `first` to `last`, both included.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }

    /// An index below `length`, which is not 0.
    pub fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// True `permille` times in a thousand.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// One of `items`, which are not empty.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.index(items.len())]
    }

    /// A duration from `first` to `last`, to the nanosecond.
    pub fn duration(&mut self, first: Duration, last: Duration) -> Duration {
        Duration::from_nanos(self.between(nanos(first), nanos(last)))
    }
}

/// The nanoseconds of `duration`; a simulated run is shorter than the 584 years that fit.
#[must_use]
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The meaning of every seed hangs on these numbers (reference output of SplitMix64 from state 1234567).
    #[test]
    fn the_generator_is_splitmix64() {
        let mut random = Random { state: 1_234_567 };
        assert_eq!(random.bits(), 6_457_827_717_110_365_317);
        assert_eq!(random.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn streams_and_their_parts_do_not_depend_on_each_other() {
        let network = Random::new(7, Stream::Network);
        let mut first = network.part(1);
        let mut again = network.part(1);
        let mut other = network.part(2);
        let drawn = first.bits();
        assert_eq!(drawn, again.bits());
        assert_ne!(drawn, other.bits());
        assert_ne!(Random::new(7, Stream::Disks).bits(), Random::new(7, Stream::Network).bits());
    }

    #[test]
    fn numbers_stay_in_their_range_and_reach_its_ends() {
        let mut random = Random::new(1, Stream::Plan);
        let drawn: Vec<u64> = (0..1000).map(|_| random.between(3, 6)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&6)));
        let hits = (0..10_000).filter(|_| random.chance(250)).count();
        assert!((2_200..2_800).contains(&hits), "{hits}");
    }
}
