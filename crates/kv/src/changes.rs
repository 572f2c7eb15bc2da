//! The recent past of a store: its last mutations, for those who watch.
//!
//! Upon a mutation: it is added at the end; while there are more changes or bytes than allowed, the oldest goes.
//! Upon a watch since a revision that is not forgotten: the changes after it under the prefix, oldest first, until the answer
//!   is full.
//!
//! Every mutation of the store is one change, so the revisions here have no gaps and the last is the store's own: where a
//! revision stands is arithmetic.

use crate::answer::{Change, Changes, ITEMS_BYTES_MAX, ITEMS_MAX, Refusal};
use crate::command::{Revision, Watch};
use crate::fingerprint::Fingerprint;
use std::collections::VecDeque;
use wire::Digest;

/// The last mutations of a store, oldest first.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Past {
    changes: VecDeque<(Change, Digest)>,
    bytes: usize,
    sum: Fingerprint,
}

impl Past {
    /// Adds a change, which has this print, and forgets the oldest until there are at most so many, of at most so many bytes.
    pub fn push(&mut self, change: Change, print: Digest, changes_max: usize, bytes_max: usize) {
        self.bytes += change.bytes();
        self.sum.add(&print);
        self.changes.push_back((change, print));
        while self.changes.len() > changes_max || self.bytes > bytes_max {
            let Some((oldest, print)) = self.changes.pop_front() else { break };
            self.bytes -= oldest.bytes();
            self.sum.take(&print);
        }
    }

    /// What changed after `watch.since` in a store that is at `now`.
    pub fn watch(&self, watch: &Watch, now: Revision) -> Result<Changes, Refusal> {
        if watch.since > now {
            return Err(Refusal::NotReached);
        }
        let earliest = self.earliest(now);
        if watch.since < earliest {
            return Err(Refusal::Compacted { earliest });
        }
        let known = usize::try_from(watch.since.0 - earliest.0).unwrap_or(usize::MAX);
        let limit = usize::try_from(watch.limit).unwrap_or(ITEMS_MAX).min(ITEMS_MAX);
        let (mut changes, mut until, mut bytes) = (Vec::new(), watch.since, 0);
        for (change, _) in self.changes.iter().skip(known) {
            if change.key().starts_with(&watch.prefix) {
                bytes += change.bytes();
                if changes.len() == limit || bytes > ITEMS_BYTES_MAX {
                    return Ok(Changes { changes, until });
                }
                changes.push(change.clone());
            }
            until = change.revision();
        }
        Ok(Changes { changes, until })
    }

    /// The earliest revision since which every change is here, in a store that is at `now`.
    #[must_use]
    pub fn earliest(&self, now: Revision) -> Revision {
        Revision(now.0 - self.changes.len() as u64)
    }

    /// The changes, oldest first.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = &Change> {
        self.changes.iter().map(|(change, _)| change)
    }

    /// What they count against their limit in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The fingerprint of all changes here. Their order is in their revisions.
    #[must_use]
    pub fn sum(&self) -> Fingerprint {
        self.sum
    }
}
