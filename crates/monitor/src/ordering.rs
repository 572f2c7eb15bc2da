//! What the primary must do, and when: Algorithm 1 with the window, the checkpoints and the retransmission.
//!
//! Upon REQUEST: it joins Q; if the primary may act now, Δ starts ([`Ordering::watch`]).
//! Upon ORDER(N, batch) from the replica: `N` is one more than the last (*no gap*), the batch is the front of Q
//!   (*fairness*), at most τ are outstanding (*window*); it goes to all (*consistency*); Δ stops, and starts again if
//!   more requests wait.
//! Upon ACK(N) from a backup: it has everything up to N. An ORDER is *complete* when f backups have it: with the primary
//!   they are f+1, and one of any f+1 is in every quorum of claims. Nobody waits for the others.
//! Upon the retransmission timer: a backup that has not got further since the last one, and has not ACKed in time, is sent
//!   again what it lacks, the same frame: the NEWCONFIG, else the stable checkpoint that it is behind, else ORDERs. One that
//!   was tried [`TRIES_MAX`] times in vain is *silent*: it is tried more rarely, and with one frame, until it speaks.
//! Upon CHECKPOINT(N, d) from f backups alike: the primary may declare it stable; from f+1, it must, in time.

use crate::Specification;
use crate::ids::{Digest, Sequence, Time};
use crate::patience::Patience;
use crate::queue::{Queue, Request};
use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec;
use alloc::vec::Vec;

/// How often a backup is tried in vain before it is silent. From then on it is tried once where it was tried so often.
pub const TRIES_MAX: u32 = 10;

/// ORDERs sent again to one backup at a time at most; to one that is silent: one.
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
    /// Its last CHECKPOINT.
    pub checkpoint: Option<(Sequence, Digest)>,
    /// It got further since the retransmission timer last ran out.
    moved: bool,
    /// How often it was tried since it last got further.
    tries: u32,
}

impl Backup {
    /// A backup of which nothing is known but whether it is in the configuration.
    pub fn new(joined: bool, acked: Sequence) -> Self {
        Backup { joined, acked, checkpoint: None, moved: false, tries: 0 }
    }
}

/// What to send again, to the backup in a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// The NEWCONFIG.
    NewConfig,
    /// The stable checkpoint: it lacks ORDERs that are no longer kept.
    Stable,
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
    /// Δ, which runs while a request waits that could be ordered.
    pub act: Patience,
    /// When a stable checkpoint fell due, if one is.
    pub stable_due_since: Option<Time>,
    /// When the ORDERs past the stable checkpoint were sent, up to the last. As many as the log has room for at most.
    sent_at: VecDeque<Time>,
    complete: Sequence,
    /// f backups have acknowledged something in this configuration.
    followed: bool,
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
            act: Patience::new(spec.act_floor, spec.act_ceiling),
            stable_due_since: None,
            sent_at: VecDeque::new(),
            complete: last,
            followed: false,
            proven: BTreeSet::new(),
            slot,
        }
    }

    fn others(&self) -> impl Iterator<Item = (usize, &Backup)> {
        self.backups.iter().enumerate().filter(|(slot, _)| *slot != self.slot)
    }

    /// The last ORDER that `f` backups have.
    pub fn complete(&self) -> Sequence {
        self.complete
    }

    /// Whether one more ORDER is within the *window* and the log: if so the replica may send it, and owes it if a request
    /// waits. The bound grows before the replica can know, and never shrinks.
    pub fn has_room(&self, spec: &Specification, log_end: Sequence) -> bool {
        self.last < self.complete.plus(spec.window) && self.last < log_end
    }

    /// Starts or stops Δ: it runs while a request waits that could be ordered.
    pub fn watch(&mut self, now: Time, has_room: bool) {
        if self.queue.is_empty() || !has_room {
            self.act.forgive();
        } else {
            self.act.begin(now);
        }
    }

    /// An ORDER with `requests` requests of Q went out.
    pub fn ordered(&mut self, now: Time, requests: usize) {
        self.last = self.last.next();
        self.sent_at.push_back(now);
        self.queue.remove(requests);
        self.act.fulfil(now);
    }

    /// An ACK came from the backup in `slot`.
    pub fn acked(&mut self, slot: usize, at: Sequence, f: usize) {
        let backup = &mut self.backups[slot];
        if at <= backup.acked {
            return;
        }
        (backup.acked, backup.moved, backup.tries) = (at, true, 0);
        let mut acked: Vec<Sequence> = self.others().map(|(_, backup)| backup.acked).collect();
        acked.sort_unstable_by(|one, other| other.cmp(one));
        let by_f = acked.get(f.saturating_sub(1)).copied().unwrap_or(Sequence(0));
        self.followed |= by_f > self.complete;
        self.complete = self.complete.max(by_f);
    }

    /// Since when f backups owe an ACK for an ORDER, if they do and did follow before. Who has not yet begun to follow fetches what
    /// it lacks, and is waited for.
    pub fn unanswered_since(&self) -> Option<Time> {
        (self.followed && self.complete < self.last).then(|| self.sent_at(self.complete.next())).flatten()
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

    /// A checkpoint became stable: those up to it need no proof any more, and its ORDERs are not sent again.
    pub fn stable(&mut self, at: Sequence) {
        self.stable_due_since = None;
        self.proven.retain(|(proven, _)| *proven > at);
        let left = usize::try_from(self.last.0.saturating_sub(at.0)).unwrap_or(usize::MAX);
        self.sent_at.drain(..self.sent_at.len().saturating_sub(left));
    }

    /// When the ORDER at a place was sent, if it was sent in this configuration and is past the stable checkpoint.
    fn sent_at(&self, at: Sequence) -> Option<Time> {
        let from_the_end = usize::try_from(self.last.0.checked_sub(at.0)?).ok()?;
        self.sent_at.iter().rev().nth(from_the_end).copied()
    }

    /// What must be sent again now. `stable` is the stable checkpoint.
    pub fn retransmit(&mut self, now: Time, spec: &Specification, stable: Sequence) -> Vec<(usize, Again)> {
        let mut again = Vec::new();
        for slot in (0..self.backups.len()).filter(|slot| *slot != self.slot) {
            let moved = core::mem::take(&mut self.backups[slot].moved);
            let Backup { joined, acked, tries, .. } = self.backups[slot];
            if moved || (joined && acked >= self.last) {
                continue;
            }
            let first = acked.next();
            let in_time = |sent: Time| now.since(sent) < spec.retransmit_after;
            if joined && acked >= stable && self.sent_at(first).is_some_and(in_time) {
                continue;
            }
            self.backups[slot].tries = tries.saturating_add(1);
            let silent = tries >= TRIES_MAX;
            if silent && !tries.is_multiple_of(TRIES_MAX) {
                continue;
            }
            let count = if silent { 1 } else { RESEND_ORDERS_MAX };
            let what = if !joined {
                Again::NewConfig
            } else if acked < stable {
                Again::Stable
            } else {
                Again::Orders(first, self.last.min(first.plus(count - 1)))
            };
            again.push((slot, what));
        }
        again
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

    fn primary() -> Ordering<Ask> {
        let mut ordering = Ordering::<Ask>::new(&spec(), 0, 3, Sequence(0), true);
        (0..4).for_each(|_| ordering.ordered(Time(0), 0));
        ordering
    }

    /// The last ORDER of all is completed without one of the backups.
    #[test]
    fn the_end_of_all_numbers_is_no_reason_to_panic() {
        let spec = spec();
        let mut ordering = Ordering::<Ask>::new(&spec, 0, 3, Sequence(u64::MAX - 1), true);
        ordering.ordered(Time(0), 0);
        ordering.acked(1, Sequence(u64::MAX), spec.f);
        assert_eq!(ordering.complete(), Sequence(u64::MAX));
        let last = Sequence(u64::MAX);
        assert_eq!(ordering.retransmit(Time(1_000), &spec, Sequence(0)), [(2, Again::Orders(last, last))]);
        ordering.acked(2, last, spec.f);
        assert_eq!(ordering.retransmit(Time(2_000), &spec, Sequence(0)), []);
    }

    #[test]
    fn nobody_waits_for_a_backup_that_is_gone() {
        let (spec, end) = (spec(), Sequence(100));
        let mut ordering = primary();
        assert!(!ordering.has_room(&spec, end), "the window is full");
        ordering.acked(1, Sequence(3), spec.f);
        assert_eq!(ordering.complete(), Sequence(3));
        assert!(ordering.has_room(&spec, end));
    }

    #[test]
    fn who_gets_further_is_sent_nothing_again_and_who_stands_still_is() {
        let spec = spec();
        let mut ordering = primary();
        ordering.acked(1, Sequence(4), spec.f);
        ordering.acked(2, Sequence(1), spec.f);
        assert_eq!(ordering.retransmit(Time(100), &spec, Sequence(0)), [], "it moves");
        let lacks = (2, Again::Orders(Sequence(2), Sequence(4)));
        assert_eq!(ordering.retransmit(Time(150), &spec, Sequence(0)), [lacks]);
        ordering.ordered(Time(160), 0);
        ordering.acked(1, Sequence(5), spec.f);
        ordering.stable(Sequence(4));
        let behind = ordering.retransmit(Time(200), &spec, Sequence(4));
        assert_eq!(behind, [(2, Again::Stable)], "what is stable is not sent again one by one");
        ordering.acked(2, Sequence(4), spec.f);
        assert_eq!(ordering.retransmit(Time(205), &spec, Sequence(4)), [], "it moved");
        assert_eq!(ordering.retransmit(Time(209), &spec, Sequence(4)), [], "what it lacks is not due");
        assert_eq!(ordering.retransmit(Time(210), &spec, Sequence(4)).len(), 1);
    }

    #[test]
    fn one_that_is_silent_is_tried_rarely_and_with_little() {
        let spec = spec();
        let mut ordering = primary();
        let mut sent = Vec::new();
        for tick in 2..2 + u64::from(4 * TRIES_MAX) {
            sent.extend(
                ordering.retransmit(Time(50 * tick), &spec, Sequence(0)).into_iter().map(|one| one.1),
            );
        }
        let first = Sequence(1);
        let all = sent.iter().filter(|again| **again == Again::Orders(first, Sequence(4))).count();
        let one = sent.iter().filter(|again| **again == Again::Orders(first, first)).count();
        assert_eq!((all, one), (2 * TRIES_MAX as usize, 2 * 3), "two backups");
        ordering.acked(1, Sequence(1), spec.f);
        ordering.retransmit(Time(100_000), &spec, Sequence(0));
        let spoke = ordering.retransmit(Time(100_050), &spec, Sequence(0));
        assert!(spoke.contains(&(1, Again::Orders(Sequence(2), Sequence(4)))), "{spoke:?}");
    }
}
