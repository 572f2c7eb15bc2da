//! What clients asked for and were told. A record, not a judge.

use crate::crew::Crew;
use agree::client::Accepted;
use agree::sessions::FORGOTTEN;
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

impl Asked {
    /// The result, if the client was told one. That nobody knows any more is none: it may have been executed or not.
    #[must_use]
    pub fn result(&self) -> Option<&Told> {
        self.told.as_ref().filter(|told| told.result != FORGOTTEN)
    }
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

/// What all clients asked for, in their order. Invariant: the timestamps of a client grow.
#[derive(Clone, Debug)]
pub struct History {
    crew: Crew,
    clients: Vec<Vec<(Timestamp, Asked)>>,
}

impl History {
    /// Of these clients.
    #[must_use]
    pub fn new(crew: Crew) -> Self {
        History { crew, clients: vec![Vec::new(); crew.clients] }
    }

    fn of_mut(&mut self, client: ClientId) -> &mut Vec<(Timestamp, Asked)> {
        &mut self.clients[self.crew.index(client).expect("there is such a client")]
    }

    fn asked_mut(&mut self, client: ClientId, timestamp: Timestamp) -> &mut Asked {
        let all = self.of_mut(client);
        let place = all.binary_search_by_key(&timestamp, |(asked, _)| *asked);
        &mut all[place.expect("it was asked for")].1
    }

    /// Request `timestamp` of `client`, if it was ever made.
    #[must_use]
    pub fn asked(&self, client: ClientId, timestamp: Timestamp) -> Option<&Asked> {
        let all = self.clients.get(self.crew.index(client)?)?;
        let place = all.binary_search_by_key(&timestamp, |(asked, _)| *asked).ok()?;
        Some(&all[place].1)
    }

    /// A client asks.
    pub fn invoked(&mut self, now: Time, client: ClientId, timestamp: Timestamp, operation: Bytes) {
        let asked = self.of_mut(client);
        assert!(asked.last().is_none_or(|(before, _)| *before < timestamp), "timestamps grow");
        asked.push((timestamp, Asked { invoked: now, operation, other: None, told: None }));
    }

    /// A client that lies asks for something else under the number of a request that it made before. Once for each.
    pub fn invoked_also(&mut self, client: ClientId, timestamp: Timestamp, other: Bytes) {
        let asked = self.asked_mut(client, timestamp);
        assert!(asked.other.is_none(), "a client has two minds at most");
        asked.other = Some(other);
    }

    /// A client was told.
    pub fn accepted(&mut self, now: Time, client: ClientId, accepted: &Accepted) {
        let asked = self.asked_mut(client, accepted.timestamp);
        asked.told = Some(Told {
            at: now,
            result: accepted.result.clone(),
            sequence: accepted.sequence,
            view: accepted.view,
        });
    }

    /// Every request, client by client.
    pub fn iter(&self) -> impl Iterator<Item = (ClientId, Timestamp, &Asked)> {
        let crew = self.crew;
        self.clients.iter().enumerate().flat_map(move |(client, asked)| {
            asked.iter().map(move |(timestamp, asked)| (crew.client(client), *timestamp, asked))
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
