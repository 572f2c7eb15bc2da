//! How much a replica may send of what the protocol does not count out by itself.
//!
//! ORDERs are limited by the requests that wait; ACKs, REPLYs and CHECKPOINTs by the ORDERs that came. What is left (a CHECKPOINT
//! or JOINED said again, questions of a state transfer, a RECONFIGURE) draws on a bucket of [`BURST`] messages that fills at
//! [`PER_SECOND`]. On an empty bucket messages are blocked. What is blocked draws on a second one, of [`BLOCKED_MAX`], that fills
//! as fast: whoever empties that as well, and so says twice as much for long, is no correct replica.
//!
//! A correct replica may be blocked for long: the next question of a state transfer comes with the answer to the last, however fast
//! that is, and a checkpoint that becomes stable before the last one was fetched begins it anew. But what is blocked gets no
//! answer. So no more are blocked than it asks at once, whenever a timer runs out and whenever a later checkpoint becomes
//! stable; and for those the second bucket gets [`BLOCKED_PER_CHECKPOINT`] back.
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

/// Messages that may be blocked for every checkpoint that becomes stable: more than the questions of a state transfer that a
/// correct replica asks before it has an answer.
pub const BLOCKED_PER_CHECKPOINT: u64 = 8;

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

    /// A checkpoint became stable, and a transfer may begin anew.
    pub fn stable(&mut self) {
        let gained = BLOCKED_PER_CHECKPOINT * NANOS_PER_MESSAGE;
        self.blocked_until = self.blocked_until.saturating_sub(gained);
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

    /// How often one is a flooder in a minute of so many messages a second, and one checkpoint for every `per_checkpoint`.
    fn floods(per_second: u64, per_checkpoint: u64) -> usize {
        let mut bucket = Bucket::full();
        let floods = (0..60 * per_second).filter(|message| {
            if message % per_checkpoint == 0 {
                bucket.stable();
            }
            bucket.take(Time(message * 1_000_000_000 / per_second)) == Flow::Flood
        });
        floods.count()
    }

    #[test]
    fn who_says_twice_as_much_for_long_is_a_flooder() {
        assert_eq!(floods(2 * PER_SECOND - 100, u64::MAX), 0);
        assert!(floods(2 * PER_SECOND + 100, u64::MAX) > 0);
    }

    #[test]
    fn who_asks_for_each_checkpoint_and_then_waits_is_none_however_fast_they_come() {
        assert_eq!(floods(20 * PER_SECOND, BLOCKED_PER_CHECKPOINT), 0);
        assert!(floods(20 * PER_SECOND, 2 * BLOCKED_PER_CHECKPOINT) > 0);
    }
}
