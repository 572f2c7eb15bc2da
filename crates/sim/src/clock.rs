//! A node's own idea of the time: off by some, and running a little fast or slow.
//!
//! Logic is handed this clock's time, never the world's. A timer that a node sets for a duration runs out when that
//! much has passed on *its* clock.

use core::time::Duration;
use wire::Time;

/// Clocks run at most this much fast or slow, in parts per thousand. Real crystals are a thousand times better; a
/// virtual machine that is being migrated is not.
pub const DRIFT_PERMILLE_MAX: i64 = 50;

/// A clock that drifts.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Clock {
    /// The world's time when the rate last changed, in nanoseconds.
    world: u64,
    /// What this clock showed then, in nanoseconds.
    shown: u64,
    /// Parts per thousand by which it runs fast (or slow, if negative).
    drift_permille: i64,
}

impl Clock {
    /// A clock that shows `ahead` at the start of the world and runs `drift_permille` fast.
    #[must_use]
    pub fn new(ahead: Duration, drift_permille: i64) -> Self {
        let mut clock = Clock { world: 0, shown: crate::random::nanos(ahead), drift_permille: 0 };
        clock.set_drift(Time::ZERO, drift_permille);
        clock
    }

    /// What it shows at `world`.
    #[must_use]
    pub fn show(&self, world: Time) -> Time {
        let passed = world.0 - self.world;
        let rate = 1000_u64.saturating_add_signed(self.drift_permille);
        // In thousandths first: a rounded share of what passed, taken off, would let a slow clock step back.
        Time(self.shown.saturating_add(passed.saturating_mul(rate) / 1000))
    }

    /// The moment in the world when `duration` has passed on this clock after `world`.
    #[must_use]
    pub fn after(&self, world: Time, duration: Duration) -> Time {
        let nanos = crate::random::nanos(duration).min(i64::MAX as u64 / 1000);
        Time(world.0.saturating_add(nanos * 1000 / (1000 + self.drift_permille) as u64))
    }

    /// From `world` on it runs at another rate. It never jumps.
    pub fn set_drift(&mut self, world: Time, drift_permille: i64) {
        self.shown = self.show(world).0;
        self.world = world.0;
        self.drift_permille = drift_permille.clamp(-DRIFT_PERMILLE_MAX, DRIFT_PERMILLE_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_fast_clock_shows_more_and_its_timers_run_out_early() {
        let clock = Clock::new(SECOND, 20);
        assert_eq!(clock.show(Time::ZERO.after(10 * SECOND)), Time(11_200_000_000));
        assert_eq!(clock.after(Time::ZERO, 1020 * SECOND), Time::ZERO.after(1000 * SECOND));
    }

    #[test]
    fn no_clock_ever_goes_back() {
        for drift in [-DRIFT_PERMILLE_MAX, -1, 0, 1, DRIFT_PERMILLE_MAX] {
            let clock = Clock::new(SECOND, drift);
            let shown: Vec<Time> = (0..5_000).map(|nanos| clock.show(Time(nanos))).collect();
            assert!(shown.is_sorted(), "{drift}");
        }
    }

    #[test]
    fn a_clock_never_jumps_when_its_rate_changes() {
        let mut clock = Clock::new(Duration::ZERO, -30);
        let now = Time(5_000_000_123);
        let shown = clock.show(now);
        clock.set_drift(now, 40);
        assert_eq!(clock.show(now), shown);
        assert!(clock.show(Time(now.0 + 1_000_000)) > shown);
    }
}
