//! Committed batches are executed in order, and the clients answered.
//!
//! Upon the batch after the last one executed being committed and here: the machine executes it; each client whose
//!   request was executed gets REPLY; a record says that it was executed; at a multiple of K the state is fingerprinted
//!   ([`super::stable`]).
//!
//! A REPLY waits for no record here: a batch is committed when `2f+1` replicas have it on disk that the batch prepared,
//! since COMMIT leaves only then and a replica's own counts only then. That is what makes it last. The record of the
//! execution only saves a replica that restarts from asking whether it was.
//!
//! A committed batch that is not here is asked for by digest ([`super::batches`]); those after it wait.

use super::Replica;
use super::record::{Executed, Record};
use crate::Service;
use crate::replica::{Observation, Outbox};
use crate::request::{Batch, Reply};
use wire::{Digest, Keys, Sequence};

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// Executes whatever can be.
    pub(super) fn execute_committed(&mut self, out: &mut Outbox) {
        while let Some((sequence, batch)) = self.executable() {
            self.execute(sequence, &batch, out);
            let record = Record::Executed(Executed { sequence, digest: batch.digest() });
            let position = self.journal.record(record.encoded(), out);
            self.log.slot(sequence).recorded(position);
            self.fingerprint(sequence, out);
        }
    }

    /// The next batch, if it is committed and here.
    fn executable(&self) -> Option<(Sequence, Batch)> {
        if self.is_closing() && !defect!(PbftEraRunsOn) {
            return None;
        }
        let sequence = self.machine.sequence().next();
        let slot = self.log.get(sequence)?;
        Some((sequence, slot.batch(slot.committed?)?))
    }

    fn execute(&mut self, sequence: Sequence, batch: &Batch, out: &mut Outbox) {
        let view = self.views.view;
        let executed = self.machine.execute(sequence, batch);
        self.order.executed(batch);
        if self.views.active {
            self.views.progressed(batch);
        }
        let applied = executed.iter().map(|(client, timestamp, _)| (*client, *timestamp)).collect();
        let state: Digest = self.machine.digest();
        out.observe(Observation::Executed { view, sequence, batch: batch.digest(), state, applied });
        let primary = self.primary_of(view);
        for (client, timestamp, result) in executed {
            out.send(
                client,
                crate::Message::Reply(Reply { view, primary, sequence, client, timestamp, result }),
            );
        }
    }
}
