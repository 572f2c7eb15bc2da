//! What the primary must do, and when: Algorithm 1 with the window, the checkpoints and the retransmission.
//!
//! Upon REQUEST: it joins Q; if the primary may act now, Δ starts ([`Ordering::watch`]).
//! Upon ORDER(N, batch) from the replica: `N` is one more than the last (*no gap*), the batch is the front of Q
//!   (*fairness*), at most τ are outstanding (*window*); it goes to all (*consistency*); Δ stops, and starts again if
//!   more requests wait.
//! Upon ACK(N) from a backup: it has everything up to N. An ORDER is *complete* when every backup that is not suspended
//!   has it, and at least f have.
//! Upon the retransmission timer: what a backup has not ACKed in time is sent to it again, the same frame. A backup that
//!   does not answer [`TRIES_MAX`] times is *suspended*: nobody waits for it until it has caught up.
//! Upon CHECKPOINT(N, d) from f backups alike: the primary may declare it stable; from f+1, it must, in time.

use crate::Specification;
use crate::baseline::Baseline;
use crate::ids::{Digest, Sequence, Time};
use crate::queue::{Queue, Request};
use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec;
use alloc::vec::Vec;

/// How often an ORDER is sent again to a backup before it is suspended.
pub const TRIES_MAX: u32 = 10;

/// ORDERs sent again to one backup at a time at most.
pub const RESEND_ORDERS_MAX: u64 = 8;

/// Checkpoints that f backups agree on and that are not stable yet at most. Monitored backups vouch for one digest at a place;
/// f traitors without monitors could go on for ever.
pub const PROVEN_MAX: usize = 1024;

/// What the primary's monitor knows of one backup.
#[derive(Clone, Hash, Debug)]
pub struct Backup {
    /// It entered the configuration.
    pub joined: bool,
    /// It has every ORDER up to here.
    pub acked: Sequence,
    /// Nobody waits for it.
    pub suspended: bool,
    /// Its last CHECKPOINT.
    pub checkpoint: Option<(Sequence, Digest)>,
    tries: u32,
}

impl Backup {
    /// A backup of which nothing is known but whether it is in the configuration.
    pub fn new(joined: bool, acked: Sequence) -> Self {
        Backup { joined, acked, suspended: false, checkpoint: None, tries: 0 }
    }
}

/// What to send again, to the backup in a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// The NEWCONFIG.
    NewConfig,
    /// The ORDERs from the first up to the last.
    Orders(Sequence, Sequence),
}

/// The specification of the primary.
#[derive(Clone, Hash, Debug)]
pub struct Ordering<R> {
    /// The queue Q.
    pub queue: Queue<R>,
    /// The sequence number of the last ORDER, the paper's `N`.
    pub last: Sequence,
    /// The other members, by slot. The primary's own slot is there too, and not used.
    pub backups: Vec<Backup>,
    /// When Δ started, if it runs.
    pub acting_since: Option<Time>,
    /// What is late for Δ.
    pub act: Baseline,
    /// When a stable checkpoint fell due, if one is.
    pub stable_due_since: Option<Time>,
    /// When the ORDERs after the last complete one were sent.
    sent_at: VecDeque<Time>,
    complete: Sequence,
    held_by_f: Sequence,
    /// The checkpoints that f backups agree on. Two for one place, if f of them lie: neither takes the other's room.
    proven: BTreeSet<(Sequence, Digest)>,
    slot: usize,
}

impl<R: Request> Ordering<R> {
    /// The specification of the primary in `slot` of `n`, which goes on after `last`.
    pub fn new(spec: &Specification, slot: usize, n: usize, last: Sequence, joined: bool) -> Self {
        Ordering {
            queue: Queue::new(spec.requests_waiting_max, spec.requests_waiting_bytes_max),
            last,
            backups: vec![Backup::new(joined, if joined { last } else { Sequence(0) }); n],
            acting_since: None,
            act: Baseline::new(spec.act_floor, spec.act_ceiling),
            stable_due_since: None,
            sent_at: VecDeque::new(),
            complete: last,
            held_by_f: last,
            proven: BTreeSet::new(),
            slot,
        }
    }

    fn others(&self) -> impl Iterator<Item = (usize, &Backup)> {
        self.backups.iter().enumerate().filter(|(slot, _)| *slot != self.slot)
    }

    /// The last ORDER that every backup which is not suspended has, and at least `f` of all.
    pub fn complete(&self) -> Sequence {
        self.complete
    }

    /// Recomputes what is complete after an ACK or a suspension.
    pub fn update_complete(&mut self, f: usize) {
        let mut acked: Vec<Sequence> = self.others().map(|(_, backup)| backup.acked).collect();
        acked.sort_unstable_by(|one, other| other.cmp(one));
        let by_f = acked.get(f.saturating_sub(1)).copied().unwrap_or(Sequence(0));
        let by_all =
            self.others().filter(|(_, backup)| !backup.suspended).map(|(_, backup)| backup.acked).min();
        self.held_by_f = self.held_by_f.max(by_f);
        let complete = by_all.map_or(by_f, |by_all| by_all.min(by_f));
        while self.complete < complete {
            self.complete = self.complete.next();
            self.sent_at.pop_front();
        }
    }

    /// Whether the replica has room for one more ORDER: it owes none while it waits for a backup's ACK.
    pub fn has_room(&self, spec: &Specification, log_end: Sequence) -> bool {
        self.last < self.complete.plus(spec.window) && self.last < log_end
    }

    /// Whether one more ORDER is within the *window*. The bound counts only the ORDERs that f backups have: it grows before
    /// the replica can know, and never shrinks under its feet when a suspended backup comes back.
    pub fn may_order(&self, spec: &Specification, log_end: Sequence) -> bool {
        self.last < self.held_by_f.plus(spec.window) && self.last < log_end
    }

    /// Starts or stops Δ: it runs while a request waits that could be ordered.
    pub fn watch(&mut self, now: Time, has_room: bool) {
        if self.queue.is_empty() || !has_room {
            self.acting_since = None;
        } else if self.acting_since.is_none() {
            self.acting_since = Some(now);
        }
    }

    /// An ORDER with `requests` requests of Q went out.
    pub fn ordered(&mut self, now: Time, requests: usize) {
        self.last = self.last.next();
        self.sent_at.push_back(now);
        self.queue.remove(requests);
        if let Some(since) = self.acting_since.take() {
            self.act.learn(now.since(since));
        }
    }

    /// An ACK came from the backup in `slot`; whether it is waited for again.
    pub fn acked(&mut self, slot: usize, at: Sequence, window: u64, f: usize) -> bool {
        let backup = &mut self.backups[slot];
        if at > backup.acked {
            backup.acked = at;
            backup.tries = 0;
        }
        let back = backup.suspended && backup.acked.plus(window) >= self.last;
        if back {
            backup.suspended = false;
        }
        self.update_complete(f);
        back
    }

    /// A CHECKPOINT came from the backup in `slot`; how many backups sent one like it last.
    ///
    /// What f of them agreed on stays proven when they go on to the next: the primary may be slower to declare it.
    pub fn checkpointed(&mut self, slot: usize, at: Sequence, digest: Digest, needed: usize) -> usize {
        self.backups[slot].checkpoint = Some((at, digest));
        let votes = self.others().filter(|(_, backup)| backup.checkpoint == Some((at, digest))).count();
        if votes >= needed && self.proven.len() < PROVEN_MAX {
            self.proven.insert((at, digest));
        }
        votes
    }

    /// Whether f backups agreed on this checkpoint.
    pub fn is_proven(&self, at: Sequence, digest: &Digest) -> bool {
        self.proven.contains(&(at, *digest))
    }

    /// A checkpoint became stable: those up to it need no proof any more.
    pub fn stable(&mut self, at: Sequence) {
        self.stable_due_since = None;
        self.proven.retain(|(proven, _)| *proven > at);
    }

    /// What must be sent again now, and the backups that are given up for now.
    pub fn retransmit(&mut self, now: Time, spec: &Specification) -> (Vec<(usize, Again)>, Vec<usize>) {
        let (mut again, mut suspended) = (Vec::new(), Vec::new());
        let (last, complete, own) = (self.last, self.complete, self.slot);
        for (slot, backup) in self.backups.iter_mut().enumerate() {
            if slot == own || (backup.joined && backup.acked >= last) {
                continue;
            }
            backup.tries = backup.tries.saturating_add(1);
            if backup.suspended {
                // It fetches what it lacks by itself, once it hears of the last ORDER; and perhaps only its ACK was lost.
                if backup.tries.is_multiple_of(TRIES_MAX) {
                    again.push((
                        slot,
                        if backup.joined { Again::Orders(last, last) } else { Again::NewConfig },
                    ));
                }
                continue;
            }
            if backup.tries > TRIES_MAX {
                backup.suspended = true;
                suspended.push(slot);
            } else if !backup.joined {
                again.push((slot, Again::NewConfig));
            } else {
                let from = backup.acked.max(complete).next();
                // Saturating, since at the end of all numbers nothing comes after what is complete.
                let sent = self.sent_at.get(from.0.saturating_sub(complete.next().0) as usize);
                if sent.is_some_and(|sent| now.since(*sent) >= spec.retransmit_after) {
                    again.push((slot, Again::Orders(from, last.min(from.plus(RESEND_ORDERS_MAX - 1)))));
                } else {
                    backup.tries -= 1;
                }
            }
        }
        self.update_complete(spec.f);
        (again, suspended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Span;

    #[derive(Clone, PartialEq, Eq, Debug)]
    struct Ask;

    impl Request for Ask {
        fn client(&self) -> u64 {
            1
        }
        fn timestamp(&self) -> u64 {
            1
        }
        fn bytes(&self) -> usize {
            1
        }
    }

    fn spec() -> Specification {
        Specification {
            f: 1,
            checkpoint_interval: 4,
            window: 4,
            log_orders_max: 12,
            requests_waiting_max: 8,
            requests_waiting_bytes_max: 1 << 10,
            open: false,
            retransmit_after: Span(50),
            heartbeat_every: Span(100),
            view_timeout: Span(500),
            view_timeout_max: Span(5_000),
            act_floor: Span(50),
            act_ceiling: Span(500),
        }
    }

    /// A backup is suspended, the last ORDER of all is completed without it, and it comes back without that one.
    #[test]
    fn the_end_of_all_numbers_is_no_reason_to_panic() {
        let spec = spec();
        let mut ordering = Ordering::<Ask>::new(&spec, 0, 3, Sequence(u64::MAX - 1), true);
        ordering.backups[2].suspended = true;
        ordering.ordered(Time(0), 0);
        ordering.acked(1, Sequence(u64::MAX), spec.window, spec.f);
        assert_eq!(ordering.complete(), Sequence(u64::MAX));
        assert!(ordering.acked(2, Sequence(u64::MAX - 1), spec.window, spec.f), "it is waited for again");
        assert_eq!(ordering.retransmit(Time(1_000), &spec), (Vec::new(), Vec::new()));
    }
}
