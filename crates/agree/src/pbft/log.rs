//! The log: what a replica knows of each place between the watermarks, and what it has said about it.
//!
//! The watermarks are the last stable checkpoint h and h + L: a place outside has no slot. Inside, per place:
//!   - **accepted**: the batch accepted last, and the last view in which it was (TOCS'02's Q). A replica accepts a batch
//!     in a view because the primary pre-prepared it or because NEW-VIEW decided it, and only if it *has* it: who
//!     vouches for a digest can hand out the batch;
//!   - **prepared**: the last view in which that batch prepared (TOCS'02's P);
//!   - the batches themselves: the one accepted, one known to be committed, one named in the last VIEW-CHANGE;
//!   - the votes of the present view, one PREPARE and one COMMIT per replica, and one COMMITTED per replica.
//!
//! TOCS'02 keeps several accepted digests per place, which has no bound. One is enough here because of what NEW-VIEW(w)
//! teaches everybody who sees it, even one that has turned to a later view: that what it did *not* decide at n was
//! not committed in any view before w. See [`super::new_view`].

use super::message::Entry;
use crate::replica::{Position, Refusal};
use crate::request::Batch;
use std::collections::BTreeMap;
use wire::{Digest, NodeId, Sequence, View};

/// The batch accepted last at a place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Accepted {
    /// The last view in which it was.
    pub(super) view: View,
    /// Its digest.
    pub(super) digest: Digest,
}

/// One place in the order.
#[derive(Clone, Hash, Default, Debug)]
pub(super) struct Slot {
    /// Q.
    pub(super) accepted: Option<Accepted>,
    /// P: the batch is the one accepted. Invariant: not later than `accepted.view`, and nothing if that is nothing.
    pub(super) prepared: Option<View>,
    /// The batches held.
    pub(super) batches: BTreeMap<Digest, Batch>,
    /// PREPAREs of the present view.
    pub(super) prepares: BTreeMap<NodeId, Digest>,
    /// COMMITs of the present view, but for the replica's own.
    pub(super) commits: BTreeMap<NodeId, Digest>,
    /// The record behind which the replica's own COMMIT of the present view goes out.
    pub(super) commit_behind: Option<Position>,
    /// COMMITTEDs, whatever the view.
    pub(super) claims: BTreeMap<NodeId, Digest>,
    /// The batch known to be committed here.
    pub(super) committed: Option<Digest>,
    /// The first record on disk that is about this place.
    pub(super) first_record: Option<Position>,
}

impl Slot {
    /// The digest accepted in `view`, if one was.
    pub(super) fn accepted_in(&self, view: View) -> Option<Digest> {
        self.accepted.filter(|accepted| accepted.view == view).map(|accepted| accepted.digest)
    }

    /// Whether the accepted batch prepared in `view`.
    pub(super) fn prepared_in(&self, view: View) -> bool {
        self.prepared == Some(view)
    }

    /// The batch with this digest, if it is held. Everybody has the NULL batch.
    pub(super) fn batch(&self, digest: Digest) -> Option<Batch> {
        self.batches.get(&digest).cloned().or_else(|| {
            let null = Batch::null();
            (null.digest() == digest).then_some(null)
        })
    }

    /// Accepts the batch `digest` in `view`. What prepared before stays prepared only if it is the same batch.
    pub(super) fn accept(&mut self, view: View, digest: Digest) {
        if self.accepted.is_some_and(|accepted| accepted.digest != digest) {
            self.prepared = None;
        }
        self.accepted = Some(Accepted { view, digest });
    }

    /// Forgets what was accepted: NEW-VIEW showed that it was not committed.
    pub(super) fn forget_accepted(&mut self) {
        self.accepted = None;
        self.prepared = None;
    }

    /// Notes that a record about this place was written.
    pub(super) fn recorded(&mut self, position: Position) {
        self.first_record.get_or_insert(position);
    }

    /// The digest that at least `enough` of the votes are for.
    pub(super) fn tally(votes: impl Iterator<Item = Digest>, enough: usize) -> Option<Digest> {
        let mut counts: BTreeMap<Digest, usize> = BTreeMap::new();
        for digest in votes {
            *counts.entry(digest).or_default() += 1;
        }
        counts.into_iter().find(|(_, count)| *count >= enough).map(|(digest, _)| digest)
    }
}

/// The slots between the watermarks.
#[derive(Clone, Hash, Debug)]
pub(super) struct Log {
    slots: BTreeMap<Sequence, Slot>,
    stable: Sequence,
    length: u64,
}

impl Log {
    /// An empty log of `length` places after `stable`.
    pub(super) fn new(stable: Sequence, length: u64) -> Self {
        Log { slots: BTreeMap::new(), stable, length }
    }

    /// The low watermark.
    pub(super) fn stable(&self) -> Sequence {
        self.stable
    }

    /// The high watermark.
    pub(super) fn last(&self) -> Sequence {
        self.stable.plus(self.length)
    }

    /// Whether `sequence` is between the watermarks, and if not, on which side.
    pub(super) fn check(&self, sequence: Sequence) -> Result<(), Refusal> {
        if sequence <= self.stable {
            return Err(Refusal::Stale);
        }
        if sequence > self.last() {
            return Err(Refusal::TooFarAhead);
        }
        Ok(())
    }

    /// Whether `sequence` is between the watermarks.
    pub(super) fn contains(&self, sequence: Sequence) -> bool {
        self.check(sequence).is_ok()
    }

    /// The slot of `sequence`, if anything is known about it.
    pub(super) fn get(&self, sequence: Sequence) -> Option<&Slot> {
        self.slots.get(&sequence)
    }

    /// The slot of `sequence`, which must be between the watermarks.
    pub(super) fn slot(&mut self, sequence: Sequence) -> &mut Slot {
        assert!(self.contains(sequence), "a place outside the watermarks has no slot");
        self.slots.entry(sequence).or_default()
    }

    /// Every slot there is, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Sequence, &Slot)> {
        self.slots.iter().map(|(sequence, slot)| (*sequence, slot))
    }

    /// Every slot there is, in order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (Sequence, &mut Slot)> {
        self.slots.iter_mut().map(|(sequence, slot)| (*sequence, slot))
    }

    /// Every slot after `sequence`, in order.
    pub(super) fn after(&self, sequence: Sequence) -> impl Iterator<Item = (Sequence, &Slot)> {
        self.slots.range(sequence.plus(1)..).map(|(sequence, slot)| (*sequence, slot))
    }

    /// Moves the low watermark to `stable`.
    pub(super) fn cut(&mut self, stable: Sequence) {
        assert!(stable >= self.stable, "the watermarks only rise");
        self.stable = stable;
        self.slots = self.slots.split_off(&stable.next());
    }

    /// Drops the votes of a view that is over.
    pub(super) fn forget_votes(&mut self) {
        for slot in self.slots.values_mut() {
            slot.prepares.clear();
            slot.commits.clear();
            slot.commit_behind = None;
        }
    }

    /// The first record on disk that is still needed; nothing if none is.
    pub(super) fn first_record(&self) -> Option<Position> {
        self.slots.values().filter_map(|slot| slot.first_record).min()
    }

    /// TOCS'02's P and Q.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let entry = |(sequence, slot): (Sequence, &Slot)| {
            let Accepted { view, digest } = slot.accepted?;
            let prepared = if defect!(PbftPreparedOmitted) { None } else { slot.prepared };
            Some(Entry { sequence, digest, accepted: view, prepared })
        };
        self.iter().filter_map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(byte: u8) -> Digest {
        Digest([byte; 32])
    }

    #[test]
    fn what_is_outside_the_watermarks_is_refused() {
        let log = Log::new(Sequence(8), 4);
        assert_eq!(log.check(Sequence(8)), Err(Refusal::Stale));
        assert_eq!(log.check(Sequence(9)), Ok(()));
        assert_eq!(log.check(Sequence(12)), Ok(()));
        assert_eq!(log.check(Sequence(13)), Err(Refusal::TooFarAhead));
    }

    #[test]
    fn accepting_another_batch_forgets_that_the_first_prepared() {
        let mut slot = Slot::default();
        slot.accept(View(1), digest(1));
        slot.prepared = Some(View(1));
        slot.accept(View(2), digest(1));
        assert_eq!(slot.prepared, Some(View(1)), "the same batch: it did prepare");
        slot.accept(View(3), digest(2));
        assert_eq!(slot.prepared, None);
    }

    #[test]
    fn cutting_drops_what_is_at_or_below_the_checkpoint() {
        let mut log = Log::new(Sequence::ZERO, 8);
        for n in 1..=4 {
            log.slot(Sequence(n)).recorded(Position(n * 10));
        }
        assert_eq!(log.first_record(), Some(Position(10)));
        log.cut(Sequence(2));
        assert_eq!(log.first_record(), Some(Position(30)));
        assert!(log.get(Sequence(2)).is_none());
    }
}
