//! The requests that a backup knows of and waits to see executed, first come first.
//!
//! Upon a request that was not executed: it goes to the end, unless the client has this one or a later one here
//! already; an earlier one of the client makes way. At `capacity` it is not taken: the client will send it again.
//! Upon its execution, or that of a later one of the client: it leaves.
//!
//! The view timer runs for the first of them and not for any: a primary that serves others and starves one client
//! is voted out all the same ([`super::in_turn`]).

use crate::request::Request;
use std::collections::BTreeMap;
use wire::{ClientId, Timestamp};

/// A bounded list of requests, one per client, each with a valid signature.
#[derive(Clone, Hash, Debug)]
pub(super) struct Watch {
    /// By when they came.
    requests: BTreeMap<u64, Request>,
    places: BTreeMap<ClientId, u64>,
    next: u64,
    capacity: usize,
}

impl Watch {
    /// An empty list for `capacity` requests.
    pub(super) fn new(capacity: usize) -> Self {
        Watch { requests: BTreeMap::new(), places: BTreeMap::new(), next: 0, capacity }
    }

    fn of(&self, client: ClientId) -> Option<&Request> {
        self.requests.get(self.places.get(&client)?)
    }

    /// Whether this request, or a later one of the client, is here.
    pub(super) fn covers(&self, client: ClientId, timestamp: Timestamp) -> bool {
        self.of(client).is_some_and(|newest| newest.timestamp >= timestamp)
    }

    /// Whether this very request is here, signature and all.
    pub(super) fn holds(&self, request: &Request) -> bool {
        self.of(request.client) == Some(request)
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
        self.places.insert(request.client, self.next);
        self.requests.insert(self.next, request);
        self.next += 1;
        true
    }

    /// Removes the client's request if it is this one or an earlier one.
    pub(super) fn remove(&mut self, client: ClientId, timestamp: Timestamp) {
        if self.of(client).is_some_and(|newest| newest.timestamp <= timestamp)
            && let Some(place) = self.places.remove(&client)
        {
            self.requests.remove(&place);
        }
    }

    /// Keeps only the requests for which `wanted` says so.
    pub(super) fn retain(&mut self, wanted: impl Fn(ClientId, Timestamp) -> bool) {
        self.requests.retain(|_, request| wanted(request.client, request.timestamp));
        let requests = &self.requests;
        self.places.retain(|_, place| requests.contains_key(place));
    }

    /// The one that has waited longest.
    pub(super) fn first(&self) -> Option<(ClientId, Timestamp)> {
        self.longest().map(|request| (request.client, request.timestamp))
    }

    /// The request that has waited longest.
    pub(super) fn longest(&self) -> Option<&Request> {
        self.requests.first_key_value().map(|(_, request)| request)
    }

    /// Takes them all out, first come first.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Request> + use<> {
        self.places.clear();
        core::mem::take(&mut self.requests).into_values()
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
