//! Batches that a replica knows only by their digest: because NEW-VIEW decided them, or others committed them.
//!
//! Upon learning of one, and upon every tick: it is asked for, [`BATCHES_ASKED_MAX`] at a time, at a different member
//!   each tick. Some correct replica has it: it accepted it, executed it, or named it in its VIEW-CHANGE.
//! Upon an ask for a batch that is held: the batch.
//! Upon a batch that is wanted: the record; then it may be accepted, or executed. Any other is NOT-ALLOWED. That its
//!   requests are signed by their clients is not checked: correct replicas did before they accepted it.

use super::Replica;
use super::message::{AskBatch, FoundBatch, Message};
use super::record::Record;
use crate::Service;
use crate::replica::{Outbox, Refusal};
use crate::request::Batch;
use wire::{Digest, Keys, NodeId, Sequence};

/// Batches asked for and not yet received at most.
const BATCHES_ASKED_MAX: usize = 8;

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// Asks for batches that are wanted, as many as may be under way.
    pub(super) fn ask_for_batches(&mut self, out: &mut Outbox) {
        let room = BATCHES_ASKED_MAX.saturating_sub(self.catch_up.asked.len());
        let ask: Vec<(Sequence, Digest)> =
            self.wanted().filter(|one| !self.catch_up.asked.contains(one)).take(room).collect();
        for (sequence, digest) in ask {
            self.catch_up.asked.insert((sequence, digest));
            let ask = Message::AskBatch(AskBatch { sequence, digest });
            out.send(self.whose_turn(), crate::Message::Pbft(ask));
        }
    }

    /// The member that is asked until the next tick.
    fn whose_turn(&self) -> NodeId {
        let members = &self.settings.members;
        let mine = members.iter().position(|node| *node == self.me).unwrap_or_default();
        members[(mine + self.catch_up.turn) % members.len()]
    }

    /// The batches known only by their digest that this replica needs.
    fn wanted(&self) -> impl Iterator<Item = (Sequence, Digest)> {
        let committed = self
            .log
            .after(self.machine.sequence())
            .filter_map(|(sequence, slot)| slot.committed.map(|digest| (sequence, digest)));
        committed
            .chain(self.decided())
            .filter(|(sequence, digest)| self.log.contains(*sequence) && !self.holds(*sequence, *digest))
    }

    /// Whether the batch `digest` at `sequence` is here.
    fn holds(&self, sequence: Sequence, digest: Digest) -> bool {
        match self.log.get(sequence) {
            Some(slot) => slot.batch(digest).is_some(),
            None => digest == Batch::null().digest(),
        }
    }

    /// A replica lacks a batch.
    pub(super) fn ask_batch(
        &mut self,
        from: NodeId,
        message: &AskBatch,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let AskBatch { sequence, digest } = *message;
        self.log.check(sequence)?;
        let batch = self.log.get(sequence).and_then(|slot| slot.batch(digest)).ok_or(Refusal::Stale)?;
        self.catch_up.may_answer(from, 1)?;
        out.send(from, crate::Message::Pbft(Message::FoundBatch(FoundBatch { sequence, batch })));
        Ok(())
    }

    /// A batch came.
    pub(super) fn found_batch(&mut self, message: FoundBatch, out: &mut Outbox) -> Result<(), Refusal> {
        let (sequence, digest) = (message.sequence, message.batch.digest());
        self.log.check(sequence)?;
        let wanted = self.wanted().any(|one| one == (sequence, digest));
        if !wanted {
            return Err(Refusal::NotAllowed);
        }
        let batch = message.batch.clone();
        let position = self.journal.record(Record::Got(message).encoded(), out);
        let slot = self.log.slot(sequence);
        slot.recorded(position);
        slot.batches.insert(digest, batch);
        self.catch_up.asked.remove(&(sequence, digest));
        self.adopt_decided(out);
        self.execute_committed(out);
        self.ask_for_batches(out);
        Ok(())
    }
}
