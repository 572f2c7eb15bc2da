//! What clients asked for and were told. A record, not a judge.

use agree::client::Accepted;
use bytes::Bytes;
use wire::{ClientId, Sequence, Time, Timestamp, View};

/// One operation of a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// When it was first sent.
    pub invoked: Time,
    /// What was asked for.
    pub operation: Bytes,
    /// What was asked for under the same number, by a client that lies: that, or `operation`, is executed, but not both.
    pub other: Option<Bytes>,
    /// What the client was told, once it was.
    pub told: Option<Told>,
}

/// What a client was told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// When it had heard enough.
    pub at: Time,
    /// The result.
    pub result: Bytes,
    /// At which place.
    pub sequence: Sequence,
    /// In which view.
    pub view: View,
}

/// What all clients asked for, in their order. Client `c` has its requests at index `c-1`, request `T` at `T-1`.
#[derive(Clone, Debug)]
pub struct History {
    clients: Vec<Vec<Asked>>,
}

impl History {
    /// Of so many clients.
    #[must_use]
    pub fn new(clients: usize) -> Self {
        History { clients: vec![Vec::new(); clients] }
    }

    fn of(&self, client: ClientId) -> Option<&Vec<Asked>> {
        self.clients.get(usize::try_from(client.0.checked_sub(1)?).ok()?)
    }

    /// Request `timestamp` of `client`, if it was ever made.
    #[must_use]
    pub fn asked(&self, client: ClientId, timestamp: Timestamp) -> Option<&Asked> {
        self.of(client)?.get(usize::try_from(timestamp.0.checked_sub(1)?).ok()?)
    }

    /// A client asks.
    pub fn invoked(&mut self, now: Time, client: ClientId, timestamp: Timestamp, operation: Bytes) {
        let asked = &mut self.clients[client.0 as usize - 1];
        assert_eq!(asked.len() as u64 + 1, timestamp.0, "a client counts its requests");
        asked.push(Asked { invoked: now, operation, other: None, told: None });
    }

    /// A client that lies asks for something else under the number of a request that it made before. Once for each.
    pub fn invoked_also(&mut self, client: ClientId, timestamp: Timestamp, other: Bytes) {
        let asked = &mut self.clients[client.0 as usize - 1][timestamp.0 as usize - 1];
        assert!(asked.other.is_none(), "a client has two minds at most");
        asked.other = Some(other);
    }

    /// A client was told.
    pub fn accepted(&mut self, now: Time, client: ClientId, accepted: &Accepted) {
        let asked = &mut self.clients[client.0 as usize - 1][accepted.timestamp.0 as usize - 1];
        asked.told = Some(Told {
            at: now,
            result: accepted.result.clone(),
            sequence: accepted.sequence,
            view: accepted.view,
        });
    }

    /// Every request, client by client.
    pub fn iter(&self) -> impl Iterator<Item = (ClientId, Timestamp, &Asked)> {
        self.clients.iter().enumerate().flat_map(|(client, asked)| {
            asked
                .iter()
                .enumerate()
                .map(move |(index, asked)| (ClientId(client as u64 + 1), Timestamp(index as u64 + 1), asked))
        })
    }

    /// How many results clients were told.
    #[must_use]
    pub fn told(&self) -> u64 {
        self.iter().filter(|(_, _, asked)| asked.told.is_some()).count() as u64
    }

    /// Requests that have no result.
    pub fn unanswered(&self) -> impl Iterator<Item = (ClientId, Timestamp, &Asked)> {
        self.iter().filter(|(_, _, asked)| asked.told.is_none())
    }
}
