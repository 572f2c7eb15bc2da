//! What is ordered: a request with where its reply goes, or all requests that arrived together.
//!
//! A batch is `member u32`, then for each request `connection u32 · tag u32 · length u32 · bytes`. Every member executes
//! every request; the one that proposed the batch replies. [`Batching`] says how many requests are in one: whatever that
//! is, all batches of a turn are handed to the protocol together, to join as it does.

use bytes::{BufMut, Bytes, BytesMut};

use crate::options::Batching;

/// When a batch holds so much, the next one begins. What raft-rs' own example takes as the most for a message.
pub(crate) const BATCH_BYTES_MAX: usize = 1024 * 1024;
const HEAD_BYTES: usize = 4;
const REQUEST_HEAD_BYTES: usize = 12;

/// Collects requests.
#[derive(Debug)]
pub(crate) struct Batcher {
    member: u32,
    bytes_max: usize,
    open: BytesMut,
    full: Vec<Bytes>,
}

/// Where a reply goes: a connection of the member that proposed, and the client's tag on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) connection: u32,
    pub(crate) tag: u32,
}

impl Batcher {
    pub(crate) fn new(member: u32, batching: Batching) -> Self {
        let bytes_max = match batching {
            Batching::Library => 0,
            Batching::Application => BATCH_BYTES_MAX,
        };
        Self { member, bytes_max, open: BytesMut::new(), full: Vec::new() }
    }

    /// One more request.
    pub(crate) fn add(&mut self, origin: Origin, request: &[u8]) {
        if self.open.len() + request.len() > self.bytes_max {
            self.close();
        }
        if self.open.is_empty() {
            self.open.put_u32_le(self.member);
        }
        let length = u32::try_from(request.len()).expect("FRAME_BYTES_MAX is less");
        for number in [origin.connection, origin.tag, length] {
            self.open.put_u32_le(number);
        }
        self.open.extend_from_slice(request);
    }

    /// The batches of all that was added.
    pub(crate) fn take(&mut self) -> Vec<Bytes> {
        self.close();
        std::mem::take(&mut self.full)
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.full.push(self.open.split().freeze());
        }
    }
}

/// Who proposed `batch`, and its requests.
pub(crate) fn requests(batch: &[u8]) -> Option<(u32, impl Iterator<Item = (Origin, &[u8])>)> {
    let (member, mut rest) = batch.split_first_chunk::<HEAD_BYTES>()?;
    let next = std::iter::from_fn(move || {
        let (head, behind) = rest.split_first_chunk::<REQUEST_HEAD_BYTES>()?;
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (request, behind) = behind.split_at_checked(number(8) as usize)?;
        rest = behind;
        Some((Origin { connection: number(0), tag: number(4) }, request))
    });
    Some((u32::from_le_bytes(*member), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_come_out_in_their_order_with_where_their_replies_go() {
        let mut batcher = Batcher::new(3, Batching::Application);
        batcher.add(Origin { connection: 1, tag: 2 }, b"ab");
        batcher.add(Origin { connection: 4, tag: 5 }, b"");
        let batches = batcher.take();
        assert_eq!(batches.len(), 1);
        let (member, found) = requests(&batches[0]).expect("a batch");
        assert_eq!(member, 3);
        let found: Vec<_> = found.collect();
        assert_eq!(found[0], (Origin { connection: 1, tag: 2 }, &b"ab"[..]));
        assert_eq!(found[1], (Origin { connection: 4, tag: 5 }, &b""[..]));
        assert!(batcher.take().is_empty());
    }

    #[test]
    fn no_batch_of_small_requests_is_larger_than_the_limit_by_much() {
        let mut batcher = Batcher::new(1, Batching::Application);
        for tag in 0..600 {
            batcher.add(Origin { connection: 0, tag }, &[7; 4096]);
        }
        let batches = batcher.take();
        assert!(batches.len() > 1);
        assert!(batches.iter().all(|batch| batch.len() <= BATCH_BYTES_MAX + REQUEST_HEAD_BYTES));
        let count: usize = batches.iter().map(|batch| requests(batch).expect("a batch").1.count()).sum();
        assert_eq!(count, 600);
    }

    #[test]
    fn where_the_library_batches_each_request_is_alone() {
        let mut batcher = Batcher::new(1, Batching::Library);
        for tag in 0..3 {
            batcher.add(Origin { connection: 0, tag }, b"x");
        }
        let batches = batcher.take();
        assert_eq!(batches.len(), 3);
        assert!(batches.iter().all(|batch| requests(batch).expect("a batch").1.count() == 1));
    }

    #[test]
    fn a_torn_batch_ends_early_instead_of_reading_beyond() {
        let mut batcher = Batcher::new(1, Batching::Application);
        batcher.add(Origin { connection: 0, tag: 0 }, b"abcdef");
        let batch = batcher.take().remove(0);
        assert_eq!(requests(&batch[..batch.len() - 1]).expect("a head").1.count(), 0);
        assert!(requests(&batch[..3]).is_none());
    }
}
