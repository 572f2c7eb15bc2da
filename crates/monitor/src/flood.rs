//! How much a replica may send of what the protocol does not count out by itself.
//!
//! ORDERs are limited by the requests that wait, ACKs and REPLYs by the ORDERs that came. What is left (a CHECKPOINT or
//! JOINED said again, questions of a state transfer, a RECONFIGURE) draws on a bucket of [`BURST`] messages that fills at
//! [`PER_SECOND`]. On an empty bucket messages are blocked; a replica that goes on for [`BLOCKED_MAX`] more is no
//! correct one.
//!
//! Answers (a piece of a snapshot, a batch, an ORDER or an ACK said again, the stable checkpoint for one who lacks it)
//! draw on a bucket of their own, and are only blocked: how many of them a correct replica sends is up to those who ask.

use crate::ids::Time;

/// Messages that may be sent at once.
pub const BURST: u64 = 512;

/// Messages a second that may be sent for long.
pub const PER_SECOND: u64 = 4096;

/// Messages blocked, since the bucket was last full, before it is a violation.
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

/// A bucket of messages.
#[derive(Clone, Hash, Debug)]
pub struct Bucket {
    /// The moment up to which messages are paid for, put off by one full bucket so that a clock may begin at zero; at least the
    /// present.
    paid_until: u64,
    blocked: u64,
}

impl Bucket {
    /// A full bucket.
    pub fn full() -> Self {
        Bucket { paid_until: 0, blocked: 0 }
    }

    /// Takes one message out.
    pub fn take(&mut self, now: Time) -> Flow {
        if self.paid_until <= now.0 {
            self.paid_until = now.0;
            self.blocked = 0;
        }
        let after = self.paid_until.saturating_add(NANOS_PER_MESSAGE);
        if after <= now.0.saturating_add(BURST * NANOS_PER_MESSAGE) {
            self.paid_until = after;
            return Flow::Pass;
        }
        self.blocked += 1;
        if self.blocked > BLOCKED_MAX { Flow::Flood } else { Flow::Block }
    }
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
}
