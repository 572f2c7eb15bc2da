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

/// Requests of one client that wait at most: the one it asks for, and behind the last one, which it asked for again before it had
/// the result. A client that finds no room for want of patience would be told BUSY, and wait for many times as long.
pub const OF_A_CLIENT_MAX: u8 = 2;

/// The queue Q. At most [`OF_A_CLIENT_MAX`] requests per client wait, so no client (one session, to others) can crowd out
/// the rest.
#[derive(Clone, Hash, Debug)]
pub struct Queue<R> {
    waiting: VecDeque<R>,
    clients: BTreeMap<u64, Waiting>,
    bytes: usize,
    requests_max: usize,
    bytes_max: usize,
}

/// What waits of one client.
#[derive(Clone, Copy, Hash, Debug)]
struct Waiting {
    /// The greatest timestamp.
    newest: u64,
    /// How many, from 1 to [`OF_A_CLIENT_MAX`].
    count: u8,
}

impl<R: Request> Queue<R> {
    /// An empty queue for so many requests and bytes.
    pub fn new(requests_max: usize, bytes_max: usize) -> Self {
        Queue { waiting: VecDeque::new(), clients: BTreeMap::new(), bytes: 0, requests_max, bytes_max }
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
        let has_room =
            self.waiting.len() < self.requests_max && self.bytes + request.bytes() <= self.bytes_max;
        match self.clients.entry(request.client()) {
            Entry::Occupied(of) if of.get().newest >= request.timestamp() => return Admission::Duplicate,
            Entry::Occupied(of) if of.get().count == OF_A_CLIENT_MAX => return Admission::Full,
            _ if !has_room => return Admission::Full,
            Entry::Occupied(mut of) => {
                let of = of.get_mut();
                (of.newest, of.count) = (request.timestamp(), of.count + 1);
            }
            Entry::Vacant(place) => _ = place.insert(Waiting { newest: request.timestamp(), count: 1 }),
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
            if let Entry::Occupied(mut of) = self.clients.entry(request.client()) {
                of.get_mut().count -= 1;
                if of.get().count == 0 {
                    of.remove();
                }
            }
        }
    }

    /// Forgets every request.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.clients.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, PartialEq, Eq, Debug)]
    struct Ask(u64, u64);

    impl Request for Ask {
        fn client(&self) -> u64 {
            self.0
        }
        fn timestamp(&self) -> u64 {
            self.1
        }
        fn bytes(&self) -> usize {
            1
        }
    }

    #[test]
    fn what_was_asked_again_leaves_room_for_what_is_asked_next_and_for_nothing_more() {
        let mut queue = Queue::new(8, 8);
        assert_eq!(queue.add(Ask(1, 1)), Admission::Queued);
        assert_eq!(queue.add(Ask(1, 1)), Admission::Duplicate);
        assert_eq!(queue.add(Ask(1, 2)), Admission::Queued);
        assert_eq!(queue.add(Ask(1, 2)), Admission::Duplicate);
        assert_eq!(queue.add(Ask(1, 1)), Admission::Duplicate, "a later one waits");
        assert_eq!(queue.add(Ask(1, 3)), Admission::Full);
        queue.remove(1);
        assert_eq!(queue.add(Ask(1, 2)), Admission::Duplicate, "it waits still");
        assert_eq!(queue.add(Ask(1, 3)), Admission::Queued);
        queue.remove(2);
        assert!(queue.is_empty() && queue.clients.is_empty() && queue.bytes == 0);
        assert_eq!(queue.add(Ask(1, 1)), Admission::Queued, "what was ordered may be asked for again");
    }

    #[test]
    fn a_second_request_of_a_client_takes_room_like_a_first() {
        let mut queue = Queue::new(2, 8);
        assert_eq!([queue.add(Ask(1, 1)), queue.add(Ask(2, 1))], [Admission::Queued; 2]);
        assert_eq!(queue.add(Ask(1, 2)), Admission::Full);
        let mut queue = Queue::new(8, 1);
        assert_eq!(queue.add(Ask(1, 1)), Admission::Queued);
        assert_eq!(queue.add(Ask(1, 2)), Admission::Full);
    }
}
