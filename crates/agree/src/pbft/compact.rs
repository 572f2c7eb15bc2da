//! The log on disk stays within a bound even if view follows view and no checkpoint becomes stable.
//!
//! Between two stable checkpoints there are a few records per place, but each view adds some: its VIEW-CHANGE and
//! NEW-VIEW, and what is accepted in it.
//!
//! Upon learning a NEW-VIEW while more than [`RECORDS_PER_PLACE_MAX`] records per place were written since the first
//! one that is needed: what the slots hold is written anew, and a snapshot drops everything before.

use super::Replica;
use super::message::{FoundBatch, PrePrepare, Prepare};
use super::record::{Executed, Record};
use crate::Service;
use crate::replica::Outbox;
use wire::Keys;

/// Records per place of the log before they are written anew. Three suffice where no view changes.
const RECORDS_PER_PLACE_MAX: u64 = 8;

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// Writes what is needed anew if the log on disk has grown too long.
    pub(super) fn compact(&mut self, out: &mut Outbox) {
        let written = self.journal.next().0 - self.kept_from.0;
        if written <= RECORDS_PER_PLACE_MAX * self.settings.log_batches_max() {
            return;
        }
        for (sequence, slot) in self.log.iter_mut() {
            slot.first_record = None;
            let mut records = Vec::new();
            for batch in slot.batches.values().cloned() {
                records.push(Record::Got(FoundBatch { sequence, batch }));
            }
            if let Some(accepted) = slot.accepted {
                let (view, digest) = (accepted.view, accepted.digest);
                let batch = slot.batch(digest).expect("what is accepted is held");
                records.push(Record::Accepted(PrePrepare { view, sequence, batch }));
                if let Some(view) = slot.prepared {
                    records.push(Record::Prepared(Prepare { view, sequence, digest }));
                }
            }
            if sequence <= self.machine.sequence()
                && let Some(digest) = slot.committed
            {
                records.push(Record::Executed(Executed { sequence, digest }));
            }
            for record in records {
                slot.recorded(self.journal.record(record.encoded(), out));
            }
        }
        self.write_snapshot(out);
    }
}
