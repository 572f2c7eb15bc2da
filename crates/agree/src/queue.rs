//! The requests that wait for a place in the order, first come, first served.
//!
//! Upon a request: if the same client already waits with this timestamp or a later one, it is a duplicate; if the
//! queue holds `capacity` requests, or `of_a_client_max` of the client's, it is refused, and the client is told so (BUSY); else it
//! goes to the end. So no client, which is one session, can crowd out the others.
//! Upon a free place in the window: the longest prefix of the queue that fits a batch.
//!
//! A batch never waits for a timer. While the window is full, requests pile up and the next batch is larger: the
//! load itself sets the size.

use crate::request::{Batch, Request};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use wire::{ClientId, Timestamp};

/// Requests of one client that wait at most, as ByzID's monitor has it: what was given up or asked again, and what is asked next.
pub const OF_A_CLIENT_MAX: u8 = monitor::queue::OF_A_CLIENT_MAX;

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
    clients: BTreeMap<ClientId, Waiting>,
    capacity: usize,
    of_a_client_max: u8,
}

/// What waits of one client.
#[derive(Clone, Copy, Hash, Debug)]
struct Waiting {
    newest: Timestamp,
    /// How many: at least one.
    count: u8,
}

impl Queue {
    /// An empty queue for `capacity` requests, and `of_a_client_max` of each client.
    #[must_use]
    pub fn new(capacity: usize, of_a_client_max: u8) -> Self {
        Queue { waiting: VecDeque::new(), clients: BTreeMap::new(), capacity, of_a_client_max }
    }

    /// Adds a request at the end.
    pub fn add(&mut self, request: Request) -> Added {
        let is_full = self.waiting.len() >= self.capacity;
        match self.clients.entry(request.client) {
            Entry::Occupied(of) if of.get().newest >= request.timestamp => return Added::Duplicate,
            Entry::Occupied(of) if of.get().count >= self.of_a_client_max => return Added::Full,
            _ if is_full => return Added::Full,
            Entry::Occupied(mut of) => {
                let of = of.get_mut();
                (of.newest, of.count) = (request.timestamp, of.count + 1);
            }
            Entry::Vacant(none) => _ = none.insert(Waiting { newest: request.timestamp, count: 1 }),
        }
        self.waiting.push_back(request);
        Added::Queued
    }

    /// Whether this request, or a later one of the client, waits.
    #[must_use]
    pub fn covers(&self, client: ClientId, timestamp: Timestamp) -> bool {
        self.clients.get(&client).is_some_and(|of| of.newest >= timestamp)
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
            if let Entry::Occupied(mut of) = self.clients.entry(request.client) {
                of.get_mut().count -= 1;
                if of.get().count == 0 {
                    of.remove();
                }
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
        self.clients.clear();
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
        let mut queue = Queue::new(10, 2);
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
        let mut queue = Queue::new(10, 2);
        queue.add(request(1, 1, 100));
        assert_eq!(queue.take_batch(8, 25).map(|batch| batch.requests().len()), Some(1));
        assert_eq!(queue.take_batch(8, 25), None);
    }

    #[test]
    fn a_retransmission_keeps_its_first_place() {
        let mut queue = Queue::new(10, 2);
        queue.add(request(1, 1, 1));
        queue.add(request(2, 1, 1));
        assert_eq!(queue.add(request(1, 1, 1)), Added::Duplicate);
        assert_eq!(queue.len(), 2);
    }

    #[test]
    fn no_client_crowds_out_the_others() {
        let mut queue = Queue::new(10, 2);
        let floods = (1..=20).filter(|timestamp| queue.add(request(1, *timestamp, 1)) == Added::Queued);
        assert_eq!(floods.count(), 2);
        assert_eq!(queue.add(request(2, 1, 1)), Added::Queued);
        assert!(queue.covers(ClientId(1), Timestamp(2)) && !queue.covers(ClientId(1), Timestamp(3)));
        queue.take_batch(1, 1);
        assert_eq!(queue.add(request(1, 2, 1)), Added::Duplicate, "it waits still");
        assert_eq!(queue.add(request(1, 3, 1)), Added::Queued);
        queue.take_batch(3, 100);
        assert!(queue.is_empty() && queue.clients.is_empty());
    }

    #[test]
    fn a_full_queue_refuses() {
        let mut queue = Queue::new(1, 2);
        queue.add(request(1, 1, 1));
        assert_eq!(queue.add(request(2, 1, 1)), Added::Full);
    }
}
