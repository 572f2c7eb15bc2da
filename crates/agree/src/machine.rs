//! The state that replicas agree on: a service, and what it last answered each client.
//!
//! Upon a batch at N, which must be the one after the last:
//!   - for each request, in order: if the client's session has this timestamp or a later one, nothing happens;
//!     else the service applies the operation and the session keeps the reply;
//!   - the sequence moves to N.
//!
//! The session table is part of the state: it is in the snapshot, so a request that was executed before a restart, a
//! state transfer or a reconfiguration is not executed again after it. At `CLIENTS_MAX` sessions a request of yet
//! another client is answered with [`TOO_MANY_CLIENTS`] and not executed: forgetting a session instead would let
//! its last request run twice.

use crate::request::{Batch, RESULT_BYTES_MAX, Reply, Request};
use crate::service::{RestoreError, Service};
use bytes::Bytes;
use std::collections::BTreeMap;
use wire::{ClientId, Decode, Digest, Encode, NodeId, Sequence, Timestamp, View, codec_struct};

/// Clients with a session at most.
pub const CLIENTS_MAX: usize = 65_536;

/// The result that a client gets when the session table is full.
pub const TOO_MANY_CLIENTS: &[u8] = b"refused: the session table is full";

/// Bytes of a service's snapshot at most.
pub const SERVICE_BYTES_MAX: usize = 1 << 30;

/// What the state machine last answered a client.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Session {
    client: ClientId,
    timestamp: Timestamp,
    sequence: Sequence,
    result: Bytes,
}

codec_struct!(Session |from| {
    client,
    timestamp,
    sequence,
    result = from.byte_string("result", RESULT_BYTES_MAX),
});

/// Where a request stands with respect to what was executed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Not executed, and no later request of the client either.
    New,
    /// The last one executed of its client: this was the answer.
    Answered {
        /// Where it was executed.
        sequence: Sequence,
        /// What came out.
        result: Bytes,
    },
    /// The client has since had a later request executed.
    Outdated,
}

/// A service and its session table, after the batch at [`Machine::sequence`].
#[derive(Clone, Hash, Debug)]
pub struct Machine<S> {
    service: S,
    sessions: BTreeMap<ClientId, Session>,
    sequence: Sequence,
}

impl<S: Service> Machine<S> {
    /// The machine before any batch.
    pub fn new(service: S) -> Self {
        Machine { service, sessions: BTreeMap::new(), sequence: Sequence::ZERO }
    }

    /// The place of the last batch executed.
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// The service as it is.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// How many sessions are remembered.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Executes `batch` at `sequence` and returns the requests that were executed with their results.
    ///
    /// # Panics
    /// If `sequence` is not the one after the last: a protocol that skips is wrong, and must not go on.
    pub fn execute(&mut self, sequence: Sequence, batch: &Batch) -> Vec<(ClientId, Timestamp, Bytes)> {
        assert_eq!(sequence, self.sequence.next(), "batches are executed in order, without gaps");
        self.sequence = sequence;
        let mut executed = Vec::with_capacity(batch.requests().len());
        for request in batch.requests() {
            if let Some(result) = self.execute_request(request) {
                executed.push((request.client, request.timestamp, result));
            }
        }
        executed
    }

    fn execute_request(&mut self, request: &Request) -> Option<Bytes> {
        match self.standing(request.client, request.timestamp) {
            Standing::Answered { .. } if defect!(SessionsIgnored) => {}
            Standing::Answered { .. } | Standing::Outdated => return None,
            Standing::New => {}
        }
        if self.sessions.len() >= CLIENTS_MAX && !self.sessions.contains_key(&request.client) {
            return Some(Bytes::from_static(TOO_MANY_CLIENTS));
        }
        let result = self.service.apply(&request.operation);
        assert!(result.len() <= RESULT_BYTES_MAX, "a service keeps its replies within the limit");
        let session = Session {
            client: request.client,
            timestamp: request.timestamp,
            sequence: self.sequence,
            result: result.clone(),
        };
        self.sessions.insert(request.client, session);
        Some(result)
    }

    /// Where the request `timestamp` of `client` stands.
    pub fn standing(&self, client: ClientId, timestamp: Timestamp) -> Standing {
        match self.sessions.get(&client) {
            None => Standing::New,
            Some(session) if session.timestamp < timestamp => Standing::New,
            Some(session) if session.timestamp == timestamp => {
                Standing::Answered { sequence: session.sequence, result: session.result.clone() }
            }
            Some(_) => Standing::Outdated,
        }
    }

    /// The reply to a request that was executed already, as said in `view`; nothing if there is none to give.
    pub fn reply_again(
        &self,
        view: View,
        primary: NodeId,
        client: ClientId,
        timestamp: Timestamp,
    ) -> Option<Reply> {
        match self.standing(client, timestamp) {
            Standing::Answered { sequence, result } => {
                Some(Reply { view, primary, sequence, client, timestamp, result })
            }
            Standing::New | Standing::Outdated => None,
        }
    }

    /// The fingerprint of the service's state alone, for comparison between replicas at the same sequence.
    pub fn digest(&self) -> Digest {
        self.service.digest()
    }

    /// The whole state as bytes.
    pub fn snapshot(&self) -> Bytes {
        let sessions =
            if defect!(SessionsLost) { Vec::new() } else { self.sessions.values().cloned().collect() };
        let image = Image {
            sequence: self.sequence,
            service_digest: self.service.digest(),
            sessions,
            service: self.service.snapshot(),
        };
        image.to_bytes()
    }

    /// Becomes the state that `snapshot` was taken of, or says why not; then it must not be used any more.
    pub fn restore(&mut self, snapshot: &Bytes) -> Result<(), RestoreError> {
        let image = Image::from_bytes(snapshot.clone())?;
        self.service.restore(&image.service)?;
        // The pair of the digest written with the snapshot: what was read back is what was meant.
        if self.service.digest() != image.service_digest {
            return Err(RestoreError { reason: "the service restored has another digest".into() });
        }
        self.sessions = image.sessions.into_iter().map(|session| (session.client, session)).collect();
        self.sequence = image.sequence;
        Ok(())
    }
}

/// A [`Machine`] as bytes.
struct Image {
    sequence: Sequence,
    service_digest: Digest,
    sessions: Vec<Session>,
    service: Bytes,
}

codec_struct!(Image |from| {
    sequence,
    service_digest,
    sessions = from.list("sessions", CLIENTS_MAX),
    service = from.byte_string("service", SERVICE_BYTES_MAX),
});

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts how many operations it was given.
    #[derive(Clone, Default)]
    struct Counter(u64);

    impl Service for Counter {
        fn apply(&mut self, _: &Bytes) -> Bytes {
            self.0 += 1;
            self.0.to_bytes()
        }
        fn digest(&self) -> Digest {
            Digest::of(&self.0)
        }
        fn snapshot(&self) -> Bytes {
            self.0.to_bytes()
        }
        fn restore(&mut self, snapshot: &Bytes) -> Result<(), RestoreError> {
            self.0 = u64::from_bytes(snapshot.clone())?;
            Ok(())
        }
    }

    fn request(client: u64, timestamp: u64) -> Request {
        Request {
            client: ClientId(client),
            timestamp: Timestamp(timestamp),
            operation: Bytes::new(),
            signature: None,
        }
    }

    #[test]
    fn a_request_is_executed_once_however_often_it_is_ordered() {
        let mut machine = Machine::new(Counter::default());
        let batch = Batch::new(vec![request(1, 1), request(1, 1)]);
        assert_eq!(machine.execute(Sequence(1), &batch).len(), 1);
        assert_eq!(machine.execute(Sequence(2), &batch).len(), 0);
        assert_eq!(machine.service().0, 1);
    }

    #[test]
    fn a_session_survives_snapshot_and_restore() {
        let mut machine = Machine::new(Counter::default());
        machine.execute(Sequence(1), &Batch::new(vec![request(1, 1), request(2, 7)]));
        let mut restored = Machine::new(Counter::default());
        restored.restore(&machine.snapshot()).expect("it is a snapshot");
        assert_eq!(restored.sequence(), Sequence(1));
        assert_eq!(restored.standing(ClientId(2), Timestamp(6)), Standing::Outdated);
        assert!(matches!(restored.standing(ClientId(2), Timestamp(7)), Standing::Answered { .. }));
        assert_eq!(restored.execute(Sequence(2), &Batch::new(vec![request(2, 7)])).len(), 0);
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        let mut machine = Machine::new(Counter::default());
        machine.execute(Sequence(1), &Batch::new(vec![request(1, 1)]));
        assert!(machine.restore(&Bytes::from_static(b"nonsense")).is_err());
        assert_eq!(machine.sequence(), Sequence(1));
        assert_eq!(machine.service().0, 1);
    }
}
