//! What a backup must do, and when; and what any replica may say that it has.
//!
//! Upon ORDER(N) from the primary, when none before it is missing: the replica owes an ACK; the timer starts.
//! Upon ACK(N, d) from the replica: all up to N were sent to it and `d` is the digest of the one at N (*true ACK*).
//! Upon REPLY(v, N) from the replica: it has ACKed N (at the primary: ordered it), and there are no more replies than
//!   requests in the ORDERs that came (*true REPLY*, *flooding*).
//! Upon CHECKPOINT(N, d): N is a multiple of K that was sent to it; one `d` per N (*true CHECKPOINT*). A STABLECHECKPOINT that no
//!   monitor let out (`open`) may name a state that a correct replica never had, and yet takes over, with all that follows from
//!   it: after one there may be another `d`.
//!
//! `said` is the invariant that everything rests on: the greatest N of which the replica ever told anyone that it has it.
//! No claim that leaves out an ORDER up to `said` passes the monitor.

use crate::Specification;
use crate::ids::{Digest, Sequence, Time};
use crate::patience::Patience;

/// The specification of a backup, and of what any replica may say.
#[derive(Clone, Hash, Debug)]
pub struct Following {
    /// The greatest N that the replica said it has.
    pub said: Sequence,
    /// The ACK timer, which runs while an ACK is owed.
    pub ack: Patience,
    /// Replies that may still be sent: one for each request in the ORDERs that came.
    pub replies_left: u64,
    /// The last CHECKPOINT sent.
    pub checkpoint: Option<(Sequence, Digest)>,
    /// The replica may have taken over a state of which no monitor knows whether it is that of correct replicas.
    pub misled: bool,
}

impl Following {
    /// A replica that enters a configuration in which it has everything up to `said`.
    pub fn new(spec: &Specification, said: Sequence) -> Self {
        Following {
            said,
            ack: Patience::new(spec.act_floor, spec.act_ceiling),
            replies_left: 0,
            checkpoint: None,
            misled: false,
        }
    }

    /// Starts or stops the ACK timer: it runs while the replica owes an ACK for an ORDER that it could take.
    pub fn watch(&mut self, now: Time, contiguous: Sequence, stable: Sequence) {
        // A replica behind the stable checkpoint fetches a snapshot first; it owes nothing until then.
        if self.said >= contiguous || self.said < stable {
            self.ack.forgive();
        } else {
            self.ack.begin(now);
        }
    }

    /// An ACK for `at` went out.
    pub fn acked(&mut self, now: Time, at: Sequence) {
        if at <= self.said {
            return;
        }
        self.said = at;
        self.ack.fulfil(now);
    }
}
