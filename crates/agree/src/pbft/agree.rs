//! The three phases in which replicas agree on the batch at a place, in one view.
//!
//! Upon PRE-PREPARE(v, n, m) from the primary of v, at a backup in v, n between the watermarks and after all that
//! NEW-VIEW(v) decided: if it has accepted no batch at n in v and every request of m is signed by its client (one that it
//! watches was looked at before), it accepts m: the record, and behind it PREPARE(v, n, d) to all.
//! Upon PREPARE(v, n, d) from a backup: one per (v, n, sender) counts.
//! Upon `2f+1` that accepted d at n in v, this replica and the primary (which PRE-PREPARE speaks for) among them: d is
//!   prepared: the record, and behind it COMMIT(v, n, d) to all.
//! Upon COMMIT(v, n, d): one per (v, n, sender) counts; its own, once the record behind it is durable.
//! Upon `2f+1` COMMITs for d at n in v: d is committed at n. [`super::execute`] takes over.
//!
//! Refused: another view (STALE, TOO-FAR-AHEAD), outside the watermarks (likewise), PRE-PREPARE from a backup or PREPARE
//! from the primary (NOT-ALLOWED), a second batch at (v, n) or a second vote for another one (CONTRADICTION).

use super::Replica;
use super::log::Slot;
use super::message::{Commit, Message, PrePrepare, Prepare};
use super::record::Record;
use crate::Service;
use crate::replica::{Outbox, Refusal};
use std::collections::BTreeMap;
use wire::{Digest, Keys, NodeId, Sequence, View};

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// The primary gives a batch its place.
    pub(super) fn pre_prepare(
        &mut self,
        from: NodeId,
        message: PrePrepare,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let PrePrepare { view, sequence, batch } = message;
        self.check_view(view)?;
        self.log.check(sequence)?;
        if from != self.primary_of(view) || sequence <= self.decided_up_to() || batch.requests().is_empty() {
            return Err(Refusal::NotAllowed);
        }
        let digest = batch.digest();
        if let Some(slot) = self.log.get(sequence) {
            let accepted = slot.accepted_in(self.views.view);
            if accepted == Some(digest) {
                return Ok(());
            }
            let contradicts = accepted.is_some() && !defect!(PbftTwoPrePrepares);
            if contradicts || slot.committed.is_some_and(|committed| committed != digest) {
                return Err(Refusal::Contradiction);
            }
        }
        if !batch.requests().iter().all(|request| self.order.watch.holds(request) || self.is_signed(request))
        {
            return Err(Refusal::WrongAuthenticator);
        }
        self.accept(sequence, batch, out);
        self.vote(sequence, digest, out);
        Ok(())
    }

    /// Says that this replica accepted `digest` at `sequence` in the present view.
    pub(super) fn vote(&mut self, sequence: Sequence, digest: Digest, out: &mut Outbox) {
        if !self.leads() {
            self.log.slot(sequence).prepares.insert(self.me, digest);
            let view = self.views.view;
            self.send_durably(Message::Prepare(Prepare { view, sequence, digest }), out);
        }
        self.count_prepares(sequence, out);
    }

    /// A backup accepted a batch.
    pub(super) fn prepare(
        &mut self,
        from: NodeId,
        message: &Prepare,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Prepare { view, sequence, digest } = *message;
        self.check_view(view)?;
        self.log.check(sequence)?;
        if from == self.primary_of(view) {
            return Err(Refusal::NotAllowed);
        }
        if keep_vote(&mut self.log.slot(sequence).prepares, from, digest)? {
            self.views.in_turn.voted(from);
        }
        self.count_prepares(sequence, out);
        Ok(())
    }

    /// Sends COMMIT if the batch accepted at `sequence` is prepared now.
    fn count_prepares(&mut self, sequence: Sequence, out: &mut Outbox) {
        let view = self.views.view;
        let enough = self.quorum.prepare();
        let slot = self.log.slot(sequence);
        let Some(digest) = slot.accepted_in(view) else { return };
        // One more than the backups that said so: the primary.
        let accepted = 1 + slot.prepares.values().filter(|vote| **vote == digest).count();
        if slot.prepared_in(view) || accepted < enough {
            return;
        }
        let record = Record::Prepared(Prepare { view, sequence, digest });
        let position = self.journal.record(record.encoded(), out);
        slot.recorded(position);
        slot.prepared = Some(view);
        slot.commit_behind = Some(position);
        self.send_durably(Message::Commit(Commit { view, sequence, digest }), out);
        self.count_commits(sequence);
    }

    /// A replica knows that a batch prepared.
    pub(super) fn commit(&mut self, from: NodeId, message: &Commit) -> Result<(), Refusal> {
        let Commit { view, sequence, digest } = *message;
        self.check_view(view)?;
        self.log.check(sequence)?;
        if keep_vote(&mut self.log.slot(sequence).commits, from, digest)? {
            self.views.in_turn.voted(from);
        }
        self.count_commits(sequence);
        Ok(())
    }

    /// Notes that the batch at `sequence` is committed if enough replicas said COMMIT.
    fn count_commits(&mut self, sequence: Sequence) {
        let (view, enough) = (self.views.view, self.quorum.commit());
        let durable = self.journal.durable_up_to();
        let slot = self.log.slot(sequence);
        if slot.committed.is_some() {
            return;
        }
        // Its own COMMIT counts when it would survive a loss of power: only then was it really said.
        let own = slot.commit_behind.filter(|behind| *behind <= durable).and_then(|_| slot.accepted_in(view));
        slot.committed = Slot::tally(slot.commits.values().copied().chain(own), enough);
    }

    /// More records are durable: COMMITs of this replica may count now.
    pub(super) fn count_own_commits(&mut self) {
        let waiting: Vec<Sequence> = self
            .log
            .after(self.machine.sequence())
            .filter(|(_, slot)| slot.committed.is_none() && slot.commit_behind.is_some())
            .map(|(sequence, _)| sequence)
            .collect();
        for sequence in waiting {
            self.count_commits(sequence);
        }
    }

    /// Whether a message of `view` is one of the view that this replica is in.
    fn check_view(&self, view: View) -> Result<(), Refusal> {
        if view < self.views.view {
            return if defect!(PbftOldViewAccepted) { Ok(()) } else { Err(Refusal::Stale) };
        }
        if view > self.views.view || !self.views.active {
            return Err(Refusal::TooFarAhead);
        }
        Ok(())
    }
}

/// Keeps the first vote of `from`; whether this is the first.
fn keep_vote(votes: &mut BTreeMap<NodeId, Digest>, from: NodeId, digest: Digest) -> Result<bool, Refusal> {
    if defect!(PbftTwoPrePrepares) {
        votes.insert(from, digest);
    }
    let is_first = !votes.contains_key(&from);
    if *votes.entry(from).or_insert(digest) == digest { Ok(is_first) } else { Err(Refusal::Contradiction) }
}
