//! How much a replica may send of what the protocol does not count out by itself.
//!
//! ORDERs are limited by the requests that wait, ACKs and REPLYs by the ORDERs that came. What is left (a CHECKPOINT or
//! JOINED said again, questions of a state transfer, a RECONFIGURE) draws on a bucket of [`BURST`] messages that fills at
//! [`PER_SECOND`]. On an empty bucket messages are blocked. What is blocked draws on a second one, of [`BLOCKED_MAX`], that fills
//! as fast: whoever empties that as well, and so says twice as much for long, is no correct replica.
//!
//! A correct replica may be blocked for long: the next question of a state transfer comes with the answer to the last, however fast
//! that is, and a checkpoint that is stable before the last one was fetched begins it anew. But it asks for a few pieces at a
//! time and then waits for answers, which what is blocked does not get. So few are blocked for each checkpoint and each timer.
//!
//! Answers (a piece of a snapshot, a batch, an ORDER or an ACK said again, the stable checkpoint for one who lacks it)
//! draw on a bucket of their own, and are only blocked: how many of them a correct replica sends is up to those who ask.

use crate::ids::Time;

/// Messages that may be sent at once.
pub const BURST: u64 = 512;

/// Messages a second that may be sent for long.
pub const PER_SECOND: u64 = 4096;

/// Messages that may be blocked at once before it is a violation.
pub const BLOCKED_MAX: u64 = 4 * BURST;

const NANOS_PER_MESSAGE: u64 = 1_000_000_000 / PER_SECOND;

/// What the bucket says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// Let it pass.
    Pass,
    /// Too many: block it.
    Block,
    /// Far too many.
    Flood,
}

/// What a replica may say, and how much more it may try to.
///
/// Of each, the moment up to which it is paid for, put off by one full bucket so that a clock may begin at zero; at least the
/// present when one is taken out.
#[derive(Clone, Hash, Debug)]
pub struct Bucket {
    passed_until: u64,
    blocked_until: u64,
}

impl Bucket {
    /// A full bucket.
    pub fn full() -> Self {
        Bucket { passed_until: 0, blocked_until: 0 }
    }

    /// Takes one message out.
    pub fn take(&mut self, now: Time) -> Flow {
        if pay(&mut self.passed_until, now, BURST) {
            Flow::Pass
        } else if pay(&mut self.blocked_until, now, BLOCKED_MAX) {
            Flow::Block
        } else {
            Flow::Flood
        }
    }
}

/// Takes one message out of what holds `burst` of them, if there is one.
fn pay(until: &mut u64, now: Time, burst: u64) -> bool {
    let after = (*until).max(now.0).saturating_add(NANOS_PER_MESSAGE);
    let is_there = after <= now.0.saturating_add(burst * NANOS_PER_MESSAGE);
    if is_there {
        *until = after;
    }
    is_there
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_only_the_rate() {
        let mut bucket = Bucket::full();
        for start in [0, 10_000_000_000] {
            let passed = (0..2 * BURST).filter(|_| bucket.take(Time(start)) == Flow::Pass).count() as u64;
            assert_eq!(passed, BURST, "the clock shows {start}");
            assert_eq!(bucket.take(Time(start + NANOS_PER_MESSAGE)), Flow::Pass);
            assert_eq!(bucket.take(Time(start + NANOS_PER_MESSAGE)), Flow::Block);
        }
    }

    #[test]
    fn who_does_not_stop_is_a_flooder() {
        let mut bucket = Bucket::full();
        let floods =
            (0..BURST + BLOCKED_MAX + 1).filter(|_| bucket.take(Time(1 << 40)) == Flow::Flood).count();
        assert_eq!(floods, 1);
    }

    /// A state transfer that is begun anew again and again asks faster than may be for as long as that lasts.
    #[test]
    fn who_is_blocked_for_long_and_then_waits_for_answers_is_no_flooder() {
        let second = 1_000_000_000;
        let floods = |per_second: u64| {
            let mut bucket = Bucket::full();
            let times = (0..60 * per_second).map(|message| Time(message * second / per_second));
            times.filter(|now| bucket.take(*now) == Flow::Flood).count()
        };
        assert_eq!(floods(2 * PER_SECOND - 100), 0);
        assert!(floods(2 * PER_SECOND + 100) > 0);
    }
}
