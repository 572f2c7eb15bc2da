//! What happens to a batch once it is known to be chosen, whoever knows it and why.
//!
//! Upon the batch chosen at the place after the last executed: the machine executes it; the leader replies to the
//!   clients, nobody else does; at every K-th place the machine's snapshot is written.
//! Upon the snapshot being durable: the checkpoint is stable, and the log before the last but one is cut off.
//!
//! No place more than `log_batches_max` after the stable checkpoint is accepted or executed: a disk that does not
//! keep up stops its replica, not its memory.

use super::record::Image;
use super::{Chosen, Replica, Role};
use crate::checkpoint::Checkpoint;
use crate::replica::{Observation, Outbox, Position};
use crate::request::{Batch, Reply};
use crate::service::Service;
use bytes::Bytes;
use wire::{ClientId, Encode, Sequence, Timestamp};

impl<S: Service + Clone> Replica<S> {
    /// The last batch executed.
    pub(super) fn executed(&self) -> Sequence {
        self.machine.sequence()
    }

    /// The last place that there is room for.
    pub(super) fn limit(&self) -> Sequence {
        self.checkpoints.stable().plus(self.settings.log_batches_max())
    }

    /// Executes `batch`, which is chosen at the place after the last executed.
    pub(super) fn execute(&mut self, batch: &Batch, out: &mut Outbox) {
        let sequence = self.executed().next();
        assert!(sequence <= self.limit(), "there is room for what is executed");
        let era = self.era();
        let results = self.machine.execute(sequence, batch);
        if sequence > self.chosen.through {
            self.chosen = Chosen { through: sequence, by: self.promised };
        }
        self.timeout = self.settings.view_timeout;
        out.observe(Observation::Executed {
            view: self.promised,
            sequence,
            batch: batch.digest(),
            state: self.machine.digest(),
            applied: results.iter().map(|(client, timestamp, _)| (*client, *timestamp)).collect(),
        });
        if let Role::Leading(lead) = &mut self.role {
            lead.executed(batch);
            for result in results {
                self.reply(sequence, result, out);
            }
        }
        if self.era() > era {
            return self.begin_era(out);
        }
        if sequence.0.is_multiple_of(self.settings.checkpoint_interval) {
            self.take_checkpoint(out);
        }
    }

    fn reply(&self, sequence: Sequence, result: (ClientId, Timestamp, Bytes), out: &mut Outbox) {
        let (client, timestamp, result) = result;
        self.send_reply(
            Reply { view: self.promised, primary: self.me, sequence, client, timestamp, result },
            out,
        );
    }

    /// Sends a reply whose batch is chosen: f+1 disks have it, so nothing more needs to be waited for.
    pub(super) fn send_reply(&self, reply: Reply, out: &mut Outbox) {
        out.send(reply.client, reply);
    }

    pub(super) fn take_checkpoint(&mut self, out: &mut Outbox) {
        let checkpoint = Checkpoint::new(self.executed(), self.machine.snapshot(), self.settings.chunk_bytes);
        let position = self.write_snapshot(&checkpoint, out);
        self.checkpoints.written(position, checkpoint);
    }

    /// Becomes the state of `checkpoint`, which another replica had and which is ahead of this one. Says whether it
    /// did.
    pub(super) fn install(&mut self, checkpoint: Checkpoint, out: &mut Outbox) -> bool {
        assert!(checkpoint.sequence() > self.executed(), "a replica never goes back");
        assert!(!matches!(self.role, Role::Leading(_)), "a leader is never behind");
        let mut machine = self.machine.clone();
        if machine.restore(checkpoint.snapshot()).is_err() || machine.sequence() != checkpoint.sequence() {
            return false;
        }
        let era = self.era();
        self.machine = machine;
        self.timeout = self.settings.view_timeout;
        if self.era() > era {
            self.leave_era(out);
        }
        if self.executed() > self.chosen.through {
            self.chosen = Chosen { through: self.executed(), by: self.promised };
        }
        self.log.truncate(self.executed());
        let position = self.write_snapshot(&checkpoint, out);
        self.checkpoints.replaced(position, checkpoint);
        out.observe(Observation::Restored { sequence: self.executed(), state: self.machine.digest() });
        true
    }

    /// Records of places after the checkpoint are still needed; the promise is in the image.
    fn write_snapshot(&mut self, checkpoint: &Checkpoint, out: &mut Outbox) -> Position {
        let next = self.journal.next();
        let needed = self.log.first_record_after(checkpoint.sequence());
        let keep_from = if defect!(PaxosRecordsDropped) { next } else { needed.unwrap_or(next) };
        let image = Image { promised: self.promised, machine: checkpoint.snapshot().clone() };
        self.journal.snapshot(image.to_bytes(), keep_from, out)
    }

    /// Everything written up to `position` is durable.
    pub(super) fn durable(&mut self, position: Position, out: &mut Outbox) {
        self.journal.durable(position, out);
        let durable = self.journal.durable_up_to();
        while let Some(checkpoint) = self.checkpoints.next_stable(durable) {
            let (sequence, digest) = (checkpoint.sequence(), checkpoint.digest());
            out.observe(Observation::Stable { sequence, digest });
            self.log.truncate(self.checkpoints.low());
        }
        self.count_own(out);
    }
}
