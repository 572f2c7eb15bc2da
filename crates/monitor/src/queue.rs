//! The requests that the primary's replica was handed and has not ordered yet, in the order in which they came: the
//! queue Q of Algorithm 1.

use alloc::collections::btree_map::Entry;
use alloc::collections::{BTreeMap, VecDeque};

/// A request as the monitor sees it. Two are the same request only if they are equal in every byte.
pub trait Request: Eq {
    /// Whose.
    fn client(&self) -> u64;
    /// Which of its.
    fn timestamp(&self) -> u64;
    /// How long it is.
    fn bytes(&self) -> usize;
}

/// What becomes of a request that arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// It is at the end of the queue; hand it to the replica.
    Queued,
    /// It, or a later one of the same client, waits already.
    Duplicate,
    /// No room: the client hears BUSY.
    Full,
    /// This replica does not lead. Its monitor throws away what clients send.
    NotPrimary,
}

/// The queue Q. At most one request per client waits, so no client can crowd out the others.
#[derive(Clone, Hash, Debug)]
pub struct Queue<R> {
    waiting: VecDeque<R>,
    newest: BTreeMap<u64, u64>,
    bytes: usize,
    requests_max: usize,
    bytes_max: usize,
}

impl<R: Request> Queue<R> {
    /// An empty queue for so many requests and bytes.
    pub fn new(requests_max: usize, bytes_max: usize) -> Self {
        Queue { waiting: VecDeque::new(), newest: BTreeMap::new(), bytes: 0, requests_max, bytes_max }
    }

    /// How many requests wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether no request waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The requests that wait, first come first.
    pub fn iter(&self) -> impl Iterator<Item = &R> {
        self.waiting.iter()
    }

    /// Adds a request at the end.
    pub fn add(&mut self, request: R) -> Admission {
        match self.newest.entry(request.client()) {
            Entry::Occupied(newest) if *newest.get() >= request.timestamp() => return Admission::Duplicate,
            // A client has one request outstanding; a second one waits until the first is ordered.
            Entry::Occupied(_) => return Admission::Full,
            Entry::Vacant(place) => {
                let room =
                    self.waiting.len() < self.requests_max && self.bytes + request.bytes() <= self.bytes_max;
                if !room {
                    return Admission::Full;
                }
                place.insert(request.timestamp());
            }
        }
        self.bytes += request.bytes();
        self.waiting.push_back(request);
        Admission::Queued
    }

    /// Whether `requests` are the first of the queue, in its order.
    pub fn starts_with(&self, requests: &[R]) -> bool {
        requests.len() <= self.waiting.len() && requests.iter().eq(self.waiting.iter().take(requests.len()))
    }

    /// Takes the first `count` requests off the queue.
    pub fn remove(&mut self, count: usize) {
        for request in self.waiting.drain(..count) {
            self.bytes -= request.bytes();
            self.newest.remove(&request.client());
        }
    }

    /// Forgets every request.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.newest.clear();
        self.bytes = 0;
    }
}
