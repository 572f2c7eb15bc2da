//! The requests that a backup knows of and waits to see executed, first come first.
//!
//! Upon a request that was not executed: it goes to the end, unless the client has this one or a later one here
//! already; an earlier one of the client makes way. At `capacity` it is not taken: the client will send it again.
//! Upon its execution, or that of a later one of the client: it leaves.
//!
//! The view timer runs for the first of them and not for any: a primary that serves others and starves one client
//! is voted out all the same.

use crate::request::Request;
use std::collections::{BTreeMap, VecDeque};
use wire::{ClientId, Timestamp};

/// A bounded list of requests, one per client.
#[derive(Clone, Hash, Debug)]
pub(super) struct Watch {
    requests: VecDeque<Request>,
    newest: BTreeMap<ClientId, Timestamp>,
    capacity: usize,
}

impl Watch {
    /// An empty list for `capacity` requests.
    pub(super) fn new(capacity: usize) -> Self {
        Watch { requests: VecDeque::new(), newest: BTreeMap::new(), capacity }
    }

    /// Whether this request, or a later one of the client, is here.
    pub(super) fn covers(&self, client: ClientId, timestamp: Timestamp) -> bool {
        self.newest.get(&client).is_some_and(|newest| *newest >= timestamp)
    }

    /// Adds a request at the end; `false` if there is no room.
    pub(super) fn add(&mut self, request: Request) -> bool {
        if self.covers(request.client, request.timestamp) {
            return true;
        }
        self.remove(request.client, request.timestamp);
        if self.requests.len() >= self.capacity {
            return false;
        }
        self.newest.insert(request.client, request.timestamp);
        self.requests.push_back(request);
        true
    }

    /// Removes the client's request if it is this one or an earlier one.
    pub(super) fn remove(&mut self, client: ClientId, timestamp: Timestamp) {
        if self.newest.get(&client).is_some_and(|newest| *newest <= timestamp) {
            self.newest.remove(&client);
            if let Some(index) = self.requests.iter().position(|request| request.client == client) {
                self.requests.remove(index);
            }
        }
    }

    /// Keeps only the requests for which `wanted` says so.
    pub(super) fn retain(&mut self, wanted: impl Fn(ClientId, Timestamp) -> bool) {
        self.requests.retain(|request| wanted(request.client, request.timestamp));
        self.newest.retain(|client, timestamp| wanted(*client, *timestamp));
    }

    /// The one that has waited longest.
    pub(super) fn first(&self) -> Option<(ClientId, Timestamp)> {
        self.longest().map(|request| (request.client, request.timestamp))
    }

    /// The request that has waited longest.
    pub(super) fn longest(&self) -> Option<&Request> {
        self.requests.front()
    }

    /// Takes them all out, first come first.
    pub(super) fn take(&mut self) -> VecDeque<Request> {
        self.newest.clear();
        core::mem::take(&mut self.requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn request(client: u64, timestamp: u64) -> Request {
        Request {
            client: ClientId(client),
            timestamp: Timestamp(timestamp),
            operation: Bytes::new(),
            speaker: None,
            signature: None,
        }
    }

    #[test]
    fn the_first_stays_first_until_it_is_executed() {
        let mut watch = Watch::new(4);
        assert!(watch.add(request(1, 1)) && watch.add(request(2, 1)) && watch.add(request(1, 1)));
        assert_eq!(watch.first(), Some((ClientId(1), Timestamp(1))));
        watch.remove(ClientId(2), Timestamp(1));
        assert_eq!(watch.first(), Some((ClientId(1), Timestamp(1))));
        watch.remove(ClientId(1), Timestamp(3));
        assert_eq!(watch.first(), None);
    }

    #[test]
    fn a_full_list_takes_no_more_but_a_newer_request_replaces_the_clients_own() {
        let mut watch = Watch::new(1);
        assert!(watch.add(request(1, 1)));
        assert!(!watch.add(request(2, 1)));
        assert!(watch.add(request(1, 2)));
        assert_eq!(watch.first(), Some((ClientId(1), Timestamp(2))));
    }
}
