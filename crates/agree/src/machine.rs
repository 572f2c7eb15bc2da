//! The state that replicas agree on: a service, and what it last answered each client.
//!
//! Upon a batch at N, which must be the one after the last:
//!   - for each request, in order: if the client's session has this timestamp or a later one, nothing happens;
//!     else the service applies the operation and the session keeps the reply;
//!   - the sequence moves to N.
//!
//! The [`sessions`] are part of the state: they are in the snapshot, so a request that was executed before a
//! restart, a state transfer or a reconfiguration is not executed again after it.

use crate::checkpoint::{CHUNK_BYTES_MAX, CHUNKS_MAX};
use crate::request::RESULT_BYTES_MAX;
use crate::request::{Batch, Reply, Request};
use crate::service::{RestoreError, Service};
use crate::sessions::{
    self, FORGOTTEN, IDENTITIES_MAX, SESSIONS_BYTES_PEAK, Sessions, Standing, TOO_MANY_CLIENTS,
};
use bytes::Bytes;
use wire::{ClientId, Decode, Digest, Encode, NodeId, Sequence, Timestamp, View, codec_struct};

/// Bytes of a service's snapshot at most.
pub const SERVICE_BYTES_MAX: usize = 1 << 30;

/// Bytes of a machine's snapshot at most: the service, its sessions, a floor for each identity, and the rest.
pub const MACHINE_BYTES_MAX: usize = SERVICE_BYTES_MAX + SESSIONS_BYTES_PEAK + IDENTITIES_MAX * 12 + 1024;

const _: () = assert!(MACHINE_BYTES_MAX <= CHUNKS_MAX * CHUNK_BYTES_MAX, "every snapshot makes a checkpoint");

/// A service and its session table, after the batch at [`Machine::sequence`].
#[derive(Clone, Hash, Debug)]
pub struct Machine<S> {
    service: S,
    sessions: Sessions,
    sequence: Sequence,
}

impl<S: Service> Machine<S> {
    /// The machine before any batch, with room for so many bytes of sessions.
    pub fn new(service: S, sessions_bytes_max: usize) -> Self {
        Machine { service, sessions: Sessions::new(sessions_bytes_max), sequence: Sequence::ZERO }
    }

    /// The place of the last batch executed.
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// The service as it is.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// Executes `batch` at `sequence` and returns the requests that were executed with their results.
    ///
    /// # Panics
    /// If `sequence` is not the one after the last: a protocol that skips is wrong, and must not go on.
    pub fn execute(&mut self, sequence: Sequence, batch: &Batch) -> Vec<(ClientId, Timestamp, Bytes)> {
        assert_eq!(sequence, self.sequence.next(), "batches are executed in order, without gaps");
        self.sequence = sequence;
        // Before the batch and not after it, so that what it is answered is there when replies are made.
        self.sessions.make_room();
        self.service.begin(sequence);
        let mut executed = Vec::with_capacity(batch.requests().len());
        for request in batch.requests() {
            if let Some(result) = self.execute_request(request) {
                executed.push((request.client, request.timestamp, result));
            }
        }
        executed
    }

    fn execute_request(&mut self, request: &Request) -> Option<Bytes> {
        let Machine { service, sessions, sequence } = self;
        sessions.answer(request.client, request.timestamp, *sequence, || {
            let result = service.apply(&request.operation);
            assert!(result.len() <= RESULT_BYTES_MAX, "a service keeps its replies within the limit");
            result
        })
    }

    /// Where the request `timestamp` of `client` stands.
    pub fn standing(&self, client: ClientId, timestamp: Timestamp) -> Standing {
        self.sessions.standing(client, timestamp)
    }

    /// How many sessions are remembered.
    pub fn sessions(&self) -> usize {
        self.sessions.count()
    }

    /// The reply to a request that was executed already, or never will be, as said in `view`; nothing if there is none to give.
    ///
    /// What is not executed has no place, so that all replicas say the same of it whenever they are asked.
    pub fn reply_again(
        &self,
        view: View,
        primary: NodeId,
        client: ClientId,
        timestamp: Timestamp,
    ) -> Option<Reply> {
        let (sequence, result) = match self.standing(client, timestamp) {
            Standing::Answered { sequence, result } => (sequence, result),
            Standing::Forgotten => (Sequence::ZERO, Bytes::from_static(FORGOTTEN)),
            Standing::TooMany => (Sequence::ZERO, Bytes::from_static(TOO_MANY_CLIENTS)),
            Standing::New | Standing::Outdated => return None,
        };
        Some(Reply { view, primary, sequence, client, timestamp, result })
    }

    /// The fingerprint of the service's state alone, for comparison between replicas at the same sequence.
    pub fn digest(&self) -> Digest {
        self.service.digest()
    }

    /// The whole state as bytes.
    pub fn snapshot(&self) -> Bytes {
        let sessions = if defect!(SessionsLost) { &self.sessions.emptied() } else { &self.sessions };
        let image = Image {
            sequence: self.sequence,
            service_digest: self.service.digest(),
            sessions: sessions.to_image(),
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
        self.sessions = self.sessions.of_image(image.sessions);
        self.sequence = image.sequence;
        Ok(())
    }
}

/// A [`Machine`] as bytes.
struct Image {
    sequence: Sequence,
    service_digest: Digest,
    sessions: sessions::Image,
    service: Bytes,
}

codec_struct!(Image |from| {
    sequence,
    service_digest,
    sessions,
    service = from.byte_string("service", SERVICE_BYTES_MAX),
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::SESSION_BYTES;

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
            speaker: None,
            signature: None,
        }
    }

    #[test]
    fn a_request_is_executed_once_however_often_it_is_ordered() {
        let mut machine = Machine::new(Counter::default(), 1 << 20);
        let batch = Batch::new(vec![request(1, 1), request(1, 1)]);
        assert_eq!(machine.execute(Sequence(1), &batch).len(), 1);
        assert_eq!(machine.execute(Sequence(2), &batch).len(), 0);
        assert_eq!(machine.service().0, 1);
    }

    #[test]
    fn a_session_survives_snapshot_and_restore() {
        let mut machine = Machine::new(Counter::default(), 1 << 20);
        machine.execute(Sequence(1), &Batch::new(vec![request(1, 1), request(2, 7)]));
        let mut restored = Machine::new(Counter::default(), 1 << 20);
        restored.restore(&machine.snapshot()).expect("it is a snapshot");
        assert_eq!(restored.sequence(), Sequence(1));
        assert_eq!(restored.standing(ClientId(2), Timestamp(6)), Standing::Outdated);
        assert!(matches!(restored.standing(ClientId(2), Timestamp(7)), Standing::Answered { .. }));
        assert_eq!(restored.execute(Sequence(2), &Batch::new(vec![request(2, 7)])).len(), 0);
    }

    #[test]
    fn who_was_forgotten_is_told_so_and_nothing_runs() {
        let mut machine = Machine::new(Counter::default(), 4 * SESSION_BYTES);
        for client in 1..=5 {
            machine.execute(Sequence(client), &Batch::new(vec![request(client, client)]));
        }
        let ran = machine.service().0;
        assert_eq!(machine.execute(Sequence(6), &Batch::new(vec![request(1, 1)])), []);
        assert_eq!(machine.service().0, ran);
        let reply = machine.reply_again(View(3), NodeId(0), ClientId(1), Timestamp(1)).expect("it is told");
        assert_eq!((reply.sequence, &reply.result[..]), (Sequence::ZERO, FORGOTTEN));
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        let mut machine = Machine::new(Counter::default(), 1 << 20);
        machine.execute(Sequence(1), &Batch::new(vec![request(1, 1)]));
        assert!(machine.restore(&Bytes::from_static(b"nonsense")).is_err());
        assert_eq!(machine.sequence(), Sequence(1));
        assert_eq!(machine.service().0, 1);
    }
}
