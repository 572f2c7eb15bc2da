//! Checkpoints: when the state is fingerprinted, and when the log before it may go.
//!
//! Upon executing n, a multiple of K or the end of an era (`fingerprint`): the checkpoint is taken and kept, and CHECKPOINT(n, d) goes to all
//!   once everything executed up to there is durable.
//! Upon CHECKPOINT(n, d), or a VIEW-CHANGE in NEW-VIEW that names (n, d): one per (n, sender) counts, the
//!   `CHECKPOINTS_MAX` highest n of each sender.
//! Upon `2f+1` for (n, d), the replica's own among them (`settle`): n is stable. A snapshot replaces the records of
//!   places up to n; the log is cut; of the checkpoints before n the last one is still handed out, so that a transfer
//!   under way can end.
//!
//! A replica that has not come as far as n has nothing to cut. How it comes there is [`super::catch_up`]'s business and
//! [`super::transfer`]'s.

use super::Replica;
use super::log::Slot;
use super::message::{self, CHECKPOINTS_MAX, Message};
use super::record::Image;
use crate::Service;
use crate::checkpoint::Checkpoint;
use crate::replica::{Observation, Outbox, Refusal};
use std::collections::{BTreeMap, BTreeSet};
use wire::{Digest, Encode, Keys, NodeId, Sequence};

/// The checkpoints of a replica, and what others said of theirs.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Checkpoints {
    /// The states that are handed out: the last stable one, the one before it, and all after it.
    held: BTreeMap<Sequence, Checkpoint>,
    /// TOCS'02's C: what this replica knows its state to have been, from the last stable checkpoint on.
    pub(super) own: BTreeMap<Sequence, Digest>,
    /// What the others say of theirs, above the last stable one.
    votes: BTreeMap<NodeId, BTreeMap<Sequence, Digest>>,
    /// The last checkpoint that came from another replica; the records before it are not here.
    pub(super) transferred: Sequence,
}

impl Checkpoints {
    /// Keeps a checkpoint that this replica has reached.
    pub(super) fn keep(&mut self, checkpoint: Checkpoint) {
        self.own.insert(checkpoint.sequence(), checkpoint.digest());
        self.held.insert(checkpoint.sequence(), checkpoint);
    }

    /// The checkpoints that can be handed out.
    pub(super) fn held(&self) -> impl Iterator<Item = &Checkpoint> {
        self.held.values()
    }

    /// What is said of the checkpoint at `sequence` by others.
    fn votes_at(&self, sequence: Sequence) -> impl Iterator<Item = (NodeId, Digest)> + '_ {
        self.votes.iter().filter_map(move |(node, votes)| Some((*node, *votes.get(&sequence)?)))
    }

    /// The highest checkpoint above `executed` that `enough` others have taken, and who they are.
    pub(super) fn ahead(&self, executed: Sequence, enough: usize) -> Option<(Sequence, Digest, Vec<NodeId>)> {
        let places: BTreeSet<Sequence> =
            self.votes.values().flat_map(|votes| votes.range(executed.next()..).map(|(n, _)| *n)).collect();
        places.into_iter().rev().find_map(|sequence| {
            let votes: Vec<(NodeId, Digest)> = self.votes_at(sequence).collect();
            let digest = Slot::tally(votes.iter().map(|(_, digest)| *digest), enough)?;
            let sources = votes.iter().filter(|(_, vote)| *vote == digest).map(|(node, _)| *node).collect();
            Some((sequence, digest, sources))
        })
    }

    /// The highest checkpoint above `stable` that this replica has reached and `enough` have taken.
    fn settled(&self, stable: Sequence, enough: usize) -> Option<(Sequence, Digest)> {
        let agreed = |(sequence, digest): &(&Sequence, &Digest)| {
            let others = self.votes_at(**sequence).filter(|(_, vote)| vote == *digest).count();
            others + 1 >= enough
        };
        self.own.range(stable.next()..).rev().find(agreed).map(|(sequence, digest)| (*sequence, *digest))
    }

    /// Keeps what `from` says of its checkpoint at `sequence`.
    fn vote(&mut self, from: NodeId, sequence: Sequence, digest: Digest) -> Result<(), Refusal> {
        let votes = self.votes.entry(from).or_default();
        if *votes.entry(sequence).or_insert(digest) != digest {
            return Err(Refusal::Contradiction);
        }
        if votes.len() > CHECKPOINTS_MAX {
            votes.pop_first();
        }
        Ok(())
    }

    /// Drops what is not needed once `stable` is.
    fn cut(&mut self, stable: Sequence) {
        self.own = self.own.split_off(&stable);
        let before = self.held.range(..stable).next_back().map_or(stable, |(sequence, _)| *sequence);
        self.held = self.held.split_off(&before);
        for votes in self.votes.values_mut() {
            *votes = votes.split_off(&stable.next());
        }
    }
}

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// Takes a checkpoint if it is time to.
    pub(super) fn fingerprint(&mut self, sequence: Sequence, out: &mut Outbox) {
        if !sequence.0.is_multiple_of(self.settings.checkpoint_interval) && !self.is_closing() {
            return;
        }
        let checkpoint = Checkpoint::new(sequence, self.machine.snapshot(), self.settings.chunk_bytes);
        let digest = checkpoint.digest();
        self.checkpoints.keep(checkpoint);
        if self.takes_part() {
            self.send_durably(Message::Checkpoint(message::Checkpoint { sequence, digest }), out);
        }
        self.settle(out);
    }

    /// A replica fingerprinted its state.
    pub(super) fn checkpoint(
        &mut self,
        from: NodeId,
        message: &message::Checkpoint,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.take_checkpoint_vote(from, message.sequence, message.digest)?;
        self.settle(out);
        Ok(())
    }

    /// Keeps what `from` says of its checkpoint at `sequence`.
    pub(super) fn take_checkpoint_vote(
        &mut self,
        from: NodeId,
        sequence: Sequence,
        digest: Digest,
    ) -> Result<(), Refusal> {
        if sequence <= self.log.stable() {
            return Err(Refusal::Stale);
        }
        // Where an era ends, only those know who are there. A vote for any other place hurts none but its sender's own.
        self.checkpoints.vote(from, sequence, digest)
    }

    /// Makes the highest checkpoint stable that can be.
    pub(super) fn settle(&mut self, out: &mut Outbox) {
        let enough = self.quorum.checkpoint();
        let Some((sequence, digest)) = self.checkpoints.settled(self.log.stable(), enough) else { return };
        assert!(sequence <= self.machine.sequence(), "a replica has executed what it took a checkpoint of");
        self.log.cut(sequence);
        self.checkpoints.cut(sequence);
        if !self.begin_era(out) {
            self.write_snapshot(out);
        }
        out.observe(Observation::Stable { sequence, digest });
        // The high watermark rose: what NEW-VIEW decided may be within reach now.
        self.adopt_decided(out);
    }

    /// Writes what replaces the records that are not needed any more.
    pub(super) fn write_snapshot(&mut self, out: &mut Outbox) {
        let base = self.log.stable().max(self.checkpoints.transferred);
        let checkpoint = self.checkpoints.held.get(&base).expect("what it has reached since, it holds");
        let image = Image {
            stable: self.log.stable(),
            checkpoints: self.checkpoints.own.iter().map(|(sequence, digest)| (*sequence, *digest)).collect(),
            change: self.views.own.clone(),
            known: self.views.known.clone(),
            era: self.era,
            snapshot: checkpoint.snapshot().clone(),
        };
        let keep_from = self.log.first_record().unwrap_or_else(|| self.journal.next());
        self.kept_from = keep_from;
        self.journal.snapshot(image.to_bytes(), keep_from, out);
    }
}
