//! How a view begins, and what that teaches.
//!
//! Upon VIEW-CHANGEs for v from which something follows ([`super::decide`]), at the primary of v that waits for v: NEW-VIEW
//!   with all of them and what follows, signed: the record, and behind it to all.
//! Upon NEW-VIEW(v, V, O) from anybody, later than the last one known: it must be signed by the primary of v, V must be
//!   valid VIEW-CHANGEs for v of `2f+1` members or more, and O must be what follows from them. Then:
//!   - the record;
//!   - **learning**: what was accepted after its start and is not what it decided was not committed in a view before v
//!     (see "Why it is safe" in [`super`]), and is forgotten; what it decided is accepted in v, once the batch is here;
//!   - unless the replica has turned to a later view, it **enters** v: for every batch so accepted it votes; what the
//!     primary may give places to comes after O.
//!
//! Upon another NEW-VIEW for the last view known, from a primary that gave it two beginnings, while changing view: it is
//! checked likewise; what prepared *before* v and is not what this one decided was not committed either.
//!
//! Why a replica that has turned to a later view learns as well: else it could report for ever as prepared a batch
//! that the others have seen decided against, and neither A nor B of [`super::decide`] would ever hold.
//! Why two beginnings matter: replicas that follow different ones would report different batches as prepared before v.

use super::Replica;
use super::decide::{Decision, decide};
use super::message::{Message, NewView, ViewChange};
use super::record::Record;
use crate::Service;
use crate::replica::{Observation, Outbox, Refusal};
use wire::{Digest, Keys, Peer, Sequence, Signature};

impl NewView {
    /// The places that it decided, with their batches.
    pub(super) fn decided(&self) -> impl Iterator<Item = (Sequence, Digest)> + '_ {
        self.order.iter().enumerate().map(|(index, digest)| (self.start.plus(index as u64 + 1), *digest))
    }

    /// The last place that it decided.
    pub(super) fn decided_up_to(&self) -> Sequence {
        self.start.plus(self.order.len() as u64)
    }

    /// What it decided at `sequence`, which is after its start; nothing if that is free.
    pub(super) fn decided_at(&self, sequence: Sequence) -> Option<Digest> {
        let index = sequence.0.checked_sub(self.start.0)?.checked_sub(1)?;
        self.order.get(usize::try_from(index).ok()?).copied()
    }
}

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// The places that the last NEW-VIEW known decided.
    pub(super) fn decided(&self) -> impl Iterator<Item = (Sequence, Digest)> + '_ {
        self.views.known.iter().flat_map(NewView::decided)
    }

    /// The last place that the last NEW-VIEW known decided, or its start.
    pub(super) fn decided_up_to(&self) -> Sequence {
        self.views.known.as_ref().map_or(Sequence::ZERO, NewView::decided_up_to)
    }

    /// Begins the view that this replica leads and waits for, if enough others do.
    pub(super) fn try_new_view(&mut self, out: &mut Outbox) {
        let view = self.views.view;
        if self.views.active || !self.leads() {
            return;
        }
        let changes: Vec<&ViewChange> =
            self.views.latest.values().filter(|change| change.view == view).collect();
        if changes.len() < self.quorum.view_change() {
            return;
        }
        let length = self.settings.log_batches_max();
        let Some(Decision { start, order }) = decide(&changes, self.quorum, length) else { return };
        let proofs = changes.into_iter().cloned().collect();
        let mut known = NewView { view, start, order, proofs, signature: Signature([0; 64]) };
        known.signature = self.keys.sign(&known.signed_bytes());
        self.learn(known, out);
    }

    /// A view begins.
    pub(super) fn new_view(&mut self, message: NewView, out: &mut Outbox) -> Result<(), Refusal> {
        let known = self.views.known.as_ref();
        let is_later = message.view > self.views.known_view();
        let is_other = !self.views.active
            && known
                .is_some_and(|known| known.view == message.view && known.decision() != message.decision());
        if !is_later && !is_other {
            return Err(Refusal::Stale);
        }
        self.check_new_view(&message)?;
        if is_later {
            self.learn(message, out);
        } else {
            self.unlearn(&message);
        }
        Ok(())
    }

    fn check_new_view(&self, message: &NewView) -> Result<(), Refusal> {
        let NewView { view, start, order, proofs, signature } = message;
        let signer = Peer::Node(self.primary_of(*view));
        if !self.keys.signature_is_valid(signer, &message.signed_bytes(), signature) {
            return Err(Refusal::WrongAuthenticator);
        }
        let different = proofs.windows(2).all(|pair| pair[0].node < pair[1].node);
        let same_view = proofs.iter().all(|change| change.view == *view);
        if !different || !same_view || proofs.len() < self.quorum.view_change() {
            return Err(Refusal::Contradiction);
        }
        proofs.iter().try_for_each(|change| self.check_view_change(change))?;
        let proofs: Vec<&ViewChange> = proofs.iter().collect();
        let follows = decide(&proofs, self.quorum, self.settings.log_batches_max());
        let right = follows.is_some_and(|decision| decision.start == *start && decision.order == *order);
        if right || defect!(PbftOrderUnverified) { Ok(()) } else { Err(Refusal::Contradiction) }
    }

    /// Takes `known`, which is valid and later than the last, for the last NEW-VIEW known.
    fn learn(&mut self, known: NewView, out: &mut Outbox) {
        assert!(known.view > self.views.known_view(), "only a later view teaches anything new");
        self.journal.record(Record::NewView(known.clone()).encoded(), out);
        if known.view == self.views.view && self.leads() {
            self.send_durably(Message::NewView(known.clone()), out);
        }
        let me = self.me;
        for change in known.proofs.iter().filter(|change| change.node != me) {
            for (sequence, digest) in &change.checkpoints {
                // Most are stale, and a liar's may contradict what it said before: nothing depends on them.
                let _ = self.take_checkpoint_vote(change.node, *sequence, *digest);
            }
        }
        self.forget_undecided(&known);
        let enters = known.view >= self.views.view;
        self.views.known = Some(known);
        if enters {
            self.enter(out);
        }
        self.adopt_decided(out);
        self.ask_for_batches(out);
        self.settle(out);
        self.compact(out);
    }

    /// Forgets what was accepted in earlier views and is not what `known` decided, and batches of no use any more.
    fn forget_undecided(&mut self, known: &NewView) {
        let vouched: Vec<Option<Digest>> =
            self.log.iter().map(|(sequence, _)| self.vouched_for(sequence)).collect();
        for ((sequence, slot), vouched) in self.log.iter_mut().zip(vouched) {
            if sequence <= known.start {
                continue;
            }
            let decided = known.decided_at(sequence);
            if slot.accepted.is_some_and(|accepted| decided != Some(accepted.digest)) {
                slot.forget_accepted();
            }
            let needed = [decided, vouched, slot.committed];
            slot.batches.retain(|digest, _| needed.contains(&Some(*digest)));
        }
    }

    /// Another beginning of the last view known: what prepared before it and is not what it decided was not committed.
    fn unlearn(&mut self, other: &NewView) {
        for (sequence, slot) in self.log.iter_mut().filter(|(sequence, _)| *sequence > other.start) {
            let before = slot.prepared.is_some_and(|view| view < other.view);
            if before && slot.accepted.map(|accepted| accepted.digest) != other.decided_at(sequence) {
                slot.prepared = None;
            }
        }
    }

    /// Enters the view of the last NEW-VIEW known.
    fn enter(&mut self, out: &mut Outbox) {
        self.views.view = self.views.known_view();
        self.views.active = true;
        self.views.concern = None;
        self.views.suspicions.begin_anew();
        self.log.forget_votes();
        self.watch_the_queue();
        if self.leads() {
            self.queue_the_watched();
        }
        self.order.next = self.decided_up_to().max(self.machine.sequence()).max(self.log.stable()).next();
        out.observe(Observation::Entered { view: self.views.view, primary: self.primary() });
    }

    /// Accepts what the last NEW-VIEW known decided, as far as it is between the watermarks and here.
    pub(super) fn adopt_decided(&mut self, out: &mut Outbox) {
        let decided: Vec<(Sequence, Digest)> =
            self.decided().filter(|(sequence, _)| self.log.contains(*sequence)).collect();
        for (sequence, digest) in decided {
            self.adopt(sequence, digest, out);
        }
    }

    fn adopt(&mut self, sequence: Sequence, digest: Digest, out: &mut Outbox) {
        let view = self.views.known_view();
        let slot = self.log.slot(sequence);
        if slot.accepted_in(view).is_some() {
            return;
        }
        let Some(batch) = slot.batch(digest) else { return };
        slot.accept(view, digest);
        if self.views.active && self.views.view == view {
            if self.leads() {
                self.order.place(&batch);
            }
            self.vote(sequence, digest, out);
        }
    }
}
