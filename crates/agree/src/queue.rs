//! The requests that wait for a place in the order, first come, first served.
//!
//! Upon a request: if the same client already waits with this timestamp or a later one, it is a duplicate; if the
//! queue holds `capacity` requests it is refused, and the client is told so (BUSY); else it goes to the end.
//! Upon a free place in the window: the longest prefix of the queue that fits a batch.
//!
//! A batch never waits for a timer. While the window is full, requests pile up and the next batch is larger: the
//! load itself sets the size.

use crate::request::{Batch, Request};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use wire::{ClientId, Timestamp};

/// What became of a request handed to the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Added {
    /// It waits at the end.
    Queued,
    /// It, or a later one of the client, waits already.
    Duplicate,
    /// No room.
    Full,
}

/// A bounded FIFO queue of requests.
#[derive(Clone, Hash, Debug)]
pub struct Queue {
    waiting: VecDeque<Request>,
    newest: BTreeMap<ClientId, Timestamp>,
    capacity: usize,
}

impl Queue {
    /// An empty queue for `capacity` requests.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Queue { waiting: VecDeque::new(), newest: BTreeMap::new(), capacity }
    }

    /// Adds a request at the end.
    pub fn add(&mut self, request: Request) -> Added {
        let is_full = self.waiting.len() >= self.capacity;
        match self.newest.entry(request.client) {
            Entry::Occupied(newest) if *newest.get() >= request.timestamp => return Added::Duplicate,
            _ if is_full => return Added::Full,
            Entry::Occupied(mut newest) => *newest.get_mut() = request.timestamp,
            Entry::Vacant(none) => _ = none.insert(request.timestamp),
        }
        self.waiting.push_back(request);
        Added::Queued
    }

    /// Whether this request, or a later one of the client, waits.
    #[must_use]
    pub fn covers(&self, client: ClientId, timestamp: Timestamp) -> bool {
        self.newest.get(&client).is_some_and(|newest| *newest >= timestamp)
    }

    /// Whether any request of the client waits.
    #[must_use]
    pub fn holds(&self, client: ClientId) -> bool {
        self.newest.contains_key(&client)
    }

    /// Takes the longest prefix of at most `requests_max` requests and `bytes_max` bytes; at least one if any waits.
    pub fn take_batch(&mut self, requests_max: usize, bytes_max: usize) -> Option<Batch> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some(request) = self.waiting.front() {
            bytes += request.operation.len();
            if taken.len() == requests_max || (!taken.is_empty() && bytes > bytes_max) {
                break;
            }
            let request = self.waiting.pop_front().expect("it has a front");
            if let Entry::Occupied(newest) = self.newest.entry(request.client)
                && *newest.get() == request.timestamp
            {
                newest.remove();
            }
            taken.push(request);
        }
        (!taken.is_empty()).then(|| Batch::new(taken))
    }

    /// How many requests wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The requests that wait, first come first.
    pub fn iter(&self) -> impl Iterator<Item = &Request> {
        self.waiting.iter()
    }

    /// Forgets every request that waits.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.newest.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn request(client: u64, timestamp: u64, bytes: usize) -> Request {
        Request {
            client: ClientId(client),
            timestamp: Timestamp(timestamp),
            operation: Bytes::from(vec![0; bytes]),
            speaker: None,
            signature: None,
        }
    }

    #[test]
    fn a_batch_is_the_longest_prefix_that_fits() {
        let mut queue = Queue::new(10);
        for client in 1..=4 {
            assert_eq!(queue.add(request(client, 1, 10)), Added::Queued);
        }
        let batch = queue.take_batch(8, 25).expect("requests wait");
        assert_eq!(batch.requests().iter().map(|request| request.client.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(queue.take_batch(1, 1000).map(|batch| batch.requests().len()), Some(1));
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn a_request_too_large_to_share_a_batch_gets_its_own() {
        let mut queue = Queue::new(10);
        queue.add(request(1, 1, 100));
        assert_eq!(queue.take_batch(8, 25).map(|batch| batch.requests().len()), Some(1));
        assert_eq!(queue.take_batch(8, 25), None);
    }

    #[test]
    fn a_retransmission_keeps_its_first_place() {
        let mut queue = Queue::new(10);
        queue.add(request(1, 1, 1));
        queue.add(request(2, 1, 1));
        assert_eq!(queue.add(request(1, 1, 1)), Added::Duplicate);
        assert_eq!(queue.len(), 2);
    }

    #[test]
    fn a_full_queue_refuses() {
        let mut queue = Queue::new(1);
        queue.add(request(1, 1, 1));
        assert_eq!(queue.add(request(2, 1, 1)), Added::Full);
    }
}
