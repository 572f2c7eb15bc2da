//! What an acceptor keeps of each place: the batch it accepted last, in which ballot, and where that is on disk.
//!
//! The log holds places after `low`. Up to the last batch executed it has no gap, and what it holds there is what was
//! executed; so it can be paged to one that missed it. After that there may be gaps, and what it holds was
//! accepted, not more: another ballot may still put something else there.

use super::message::{BATCH_BYTES_BESIDE, PAGE_BATCHES_MAX, PAGE_BYTES_MAX, Proposal, REQUEST_BYTES_BESIDE};
use crate::replica::Position;
use crate::request::Batch;
use std::collections::BTreeMap;
use wire::{Sequence, View};

/// What was accepted, or learned, at one place.
#[derive(Clone, Hash, Debug)]
pub(super) struct Entry {
    /// The ballot in which it was accepted.
    pub(super) view: View,
    /// The batch.
    pub(super) batch: Batch,
    /// The record that says that it was accepted; none if it was learned without ever being accepted here.
    pub(super) record: Option<Position>,
}

/// The places after `low`.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Log {
    low: Sequence,
    entries: BTreeMap<Sequence, Entry>,
}

impl Log {
    /// The last place that is not held any more.
    pub(super) fn low(&self) -> Sequence {
        self.low
    }

    /// What is held at `sequence`.
    pub(super) fn get(&self, sequence: Sequence) -> Option<&Entry> {
        self.entries.get(&sequence)
    }

    /// A batch was accepted in `view`; the record that says so is at `record`.
    pub(super) fn accept(&mut self, sequence: Sequence, view: View, batch: Batch, record: Position) {
        assert!(sequence > self.low, "what was cut off is never accepted again");
        let before = self.entries.insert(sequence, Entry { view, batch, record: Some(record) });
        let went_back = before.is_some_and(|before| before.view > view);
        assert!(!went_back || defect!(PaxosStaleBallot), "an acceptor never goes back to a lower ballot");
    }

    /// A batch was learned to be chosen. What was accepted at this place before keeps its record, which other
    /// replicas may still count on.
    pub(super) fn learn(&mut self, sequence: Sequence, view: View, batch: Batch) {
        assert!(sequence > self.low, "what was cut off is never learned again");
        let entry =
            self.entries.entry(sequence).or_insert(Entry { view, batch: batch.clone(), record: None });
        entry.batch = batch;
    }

    /// Forgets every place up to `low`.
    pub(super) fn truncate(&mut self, low: Sequence) {
        if low > self.low {
            self.low = low;
            self.entries = self.entries.split_off(&low.next());
        }
    }

    /// Forgets every place after `last`.
    pub(super) fn forget_after(&mut self, last: Sequence) {
        let _ = self.entries.split_off(&last.next());
    }

    /// Everything held after `after`.
    pub(super) fn after(&self, after: Sequence) -> impl Iterator<Item = (Sequence, &Entry)> {
        self.entries.range(after.plus(1)..).map(|(sequence, entry)| (*sequence, entry))
    }

    /// The first record about a place after `after`.
    pub(super) fn first_record_after(&self, after: Sequence) -> Option<Position> {
        self.after(after).filter_map(|(_, entry)| entry.record).min()
    }

    /// As much of what is held after `after` and up to `last` as one message takes, and whether that is all.
    pub(super) fn page(&self, after: Sequence, last: Sequence) -> (Vec<Proposal>, bool) {
        let mut page = Vec::new();
        let mut bytes = 0;
        for (sequence, entry) in self.after(after).take_while(|(sequence, _)| *sequence <= last) {
            bytes += bytes_in_page(&entry.batch);
            if !page.is_empty() && (bytes > PAGE_BYTES_MAX || page.len() == PAGE_BATCHES_MAX) {
                return (page, false);
            }
            page.push(Proposal { sequence, view: entry.view, batch: entry.batch.clone() });
        }
        (page, true)
    }
}

/// The room that a batch takes in a page, at most.
fn bytes_in_page(batch: &Batch) -> usize {
    let requests = batch.requests().iter();
    BATCH_BYTES_BESIDE + requests.map(|request| REQUEST_BYTES_BESIDE + request.operation.len()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;
    use bytes::Bytes;
    use wire::{ClientId, Timestamp};

    const LAST: Sequence = Sequence(u64::MAX);

    fn batch(bytes: usize) -> Batch {
        Batch::new(vec![Request {
            client: ClientId(1),
            timestamp: Timestamp(1),
            operation: Bytes::from(vec![0; bytes]),
            speaker: None,
            signature: None,
        }])
    }

    fn log(batches: u64, bytes: usize) -> Log {
        let mut log = Log::default();
        for place in 1..=batches {
            log.accept(Sequence(place), View(0), batch(bytes), Position(place));
        }
        log
    }

    #[test]
    fn pages_are_bounded_and_cover_everything() {
        let log = log(20, 60_000);
        let (mut after, mut seen, mut complete) = (Sequence::ZERO, Vec::new(), false);
        while !complete {
            let (page, last) = log.page(after, LAST);
            assert!(
                page.iter().map(|proposal| bytes_in_page(&proposal.batch)).sum::<usize>() <= PAGE_BYTES_MAX
            );
            after = page.last().expect("a page that is not the last holds something").sequence;
            seen.extend(page.iter().map(|proposal| proposal.sequence.0));
            complete = last;
        }
        assert_eq!(seen, (1..=20).collect::<Vec<u64>>());
    }

    #[test]
    fn a_batch_too_large_for_a_page_has_its_own() {
        let (page, complete) = log(2, PAGE_BYTES_MAX).page(Sequence::ZERO, LAST);
        assert_eq!((page.len(), complete), (1, false));
    }

    #[test]
    fn what_is_cut_off_is_gone_and_its_records_not_needed() {
        let mut log = log(5, 1);
        log.truncate(Sequence(3));
        assert!(log.get(Sequence(3)).is_none());
        assert_eq!(log.low(), Sequence(3));
        assert_eq!(log.first_record_after(Sequence(3)), Some(Position(4)));
        log.truncate(Sequence(1));
        assert_eq!(log.low(), Sequence(3), "what is gone does not come back");
    }

    #[test]
    fn what_is_learned_keeps_the_record_of_what_was_accepted() {
        let mut log = log(1, 1);
        log.learn(Sequence(1), View(7), batch(2));
        let entry = log.get(Sequence(1)).expect("it was learned");
        assert_eq!((entry.record, &entry.batch), (Some(Position(1)), &batch(2)));
    }
}
