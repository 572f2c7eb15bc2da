//! What travels between clients and replicas, and what replicas put in order.

use bytes::Bytes;
use core::fmt;
use std::sync::Arc;
use wire::encode::encode_length;
use wire::{
    ClientId, Decode, DecodeError, Digest, Encode, NodeId, Reader, Sequence, Signature, Timestamp, View,
    codec_struct,
};

/// Bytes of an operation at most.
pub const OPERATION_BYTES_MAX: usize = 64 << 10;

/// Bytes of a result at most.
pub const RESULT_BYTES_MAX: usize = 64 << 10;

/// Requests in one batch at most.
pub const BATCH_REQUESTS_MAX: usize = 1024;

/// Bytes of the operations of one batch at most; a single request always fits.
pub const BATCH_BYTES_MAX: usize = 512 << 10;

/// REQUEST(o, T, c): client `c` asks for operation `o`, its `T`-th.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Request {
    /// The paper's `c`.
    pub client: ClientId,
    /// The paper's `T`: every new request of a client has a greater one.
    pub timestamp: Timestamp,
    /// The paper's `o`: a command of the service.
    pub operation: Bytes,
    /// Whose reply is wanted in full; the others only assent to it ([`crate::assent`]). Nobody: all reply in full. It is part of
    /// what is ordered, so that all replicas go by the same.
    pub speaker: Option<NodeId>,
    /// The client's signature over the rest, in protocols whose replicas must convince each other that the client
    /// asked (PBFT). Elsewhere the MAC on the frame is enough, and a replica cannot be split by a client that makes
    /// it valid for some and not for others (Aardvark's "big MAC" attack). In a box, since most requests have none and each is moved
    /// from queue to batch to message: a request is no longer than a line of a cache.
    pub signature: Option<Box<Signature>>,
}

impl Request {
    /// The bytes that [`Request::signature`] is over.
    #[must_use]
    pub fn signed_bytes(&self) -> Bytes {
        const LABEL: &[u8] = b"varangian REQUEST";
        let mut to = Vec::with_capacity(LABEL.len() + self.operation.len() + 23);
        to.extend_from_slice(LABEL);
        self.client.encode(&mut to);
        self.timestamp.encode(&mut to);
        self.operation.encode(&mut to);
        self.speaker.encode(&mut to);
        Bytes::from(to)
    }
}

const _: () = assert!(size_of::<Request>() <= 64, "a request is a line of a cache");

codec_struct!(Request |from| {
    client,
    timestamp,
    operation = from.byte_string("operation", OPERATION_BYTES_MAX),
    speaker,
    signature,
});

/// The requests that share one place in the order. A batch without requests is the paper's NULL request.
///
/// Invariant: `digest` is that of the encoding of the requests. It is computed where a batch is made or
/// decoded and cannot be set, so a batch never carries a digest that is not its own.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Batch {
    /// Shared: a batch is in a log, in a record, in a message and on its way at the same time.
    requests: Arc<Vec<Request>>,
    digest: Digest,
}

impl Batch {
    /// The batch of these requests, in this order.
    #[must_use]
    pub fn new(requests: Vec<Request>) -> Batch {
        debug_assert!(requests.len() <= BATCH_REQUESTS_MAX);
        let digest = Digest::of(&requests);
        Batch { requests: Arc::new(requests), digest }
    }

    /// The NULL request.
    #[must_use]
    pub fn null() -> Batch {
        Batch::new(Vec::new())
    }

    /// The requests, in order.
    #[must_use]
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// The fingerprint of the batch.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[", self.digest)?;
        for (index, request) in self.requests.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{}{}", request.client, request.timestamp)?;
        }
        write!(f, "]")
    }
}

impl Encode for Batch {
    fn encode(&self, to: &mut Vec<u8>) {
        encode_length(self.requests.len(), to);
        for request in self.requests.iter() {
            request.encode(to);
        }
    }
}

impl Decode for Batch {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        let start = from.position();
        let requests: Vec<Request> = from.list("batch", BATCH_REQUESTS_MAX)?;
        let bytes: usize = requests.iter().map(|request| request.operation.len()).sum();
        if requests.len() > 1 && bytes > BATCH_BYTES_MAX {
            return Err(DecodeError::OverLimit {
                field: "bytes of a batch",
                found: bytes as u64,
                limit: BATCH_BYTES_MAX as u64,
            });
        }
        let digest = Digest::of_bytes(from.since(start));
        Ok(Batch { requests: Arc::new(requests), digest })
    }
}

/// REPLY(c, r, T): what a replica answers a client.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reply {
    /// The view or configuration the replica is in. Where replicas execute before others are known to have the
    /// batch (ByzID), a client counts only replies of the same `v` together.
    pub view: View,
    /// Who leads it, so that a client knows whom to ask next.
    pub primary: NodeId,
    /// The place in the order at which the request was executed.
    pub sequence: Sequence,
    /// Whose request.
    pub client: ClientId,
    /// Which of its requests.
    pub timestamp: Timestamp,
    /// The paper's `r`.
    pub result: Bytes,
}

codec_struct!(Reply |from| {
    view,
    primary,
    sequence,
    client,
    timestamp,
    result = from.byte_string("result", RESULT_BYTES_MAX),
});

/// Says that a request was refused before it was ordered: the replica's queue is full. Try again later; only the
/// primary says so, and it binds nobody.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Busy {
    /// Whose request.
    pub client: ClientId,
    /// Which of its requests.
    pub timestamp: Timestamp,
}

codec_struct!(Busy |from| { client, timestamp });

#[cfg(test)]
mod tests {
    use super::*;

    fn request(client: u64, operation: &'static [u8]) -> Request {
        Request {
            client: ClientId(client),
            timestamp: Timestamp(5),
            operation: Bytes::from_static(operation),
            speaker: None,
            signature: None,
        }
    }

    #[test]
    fn a_decoded_batch_has_the_digest_of_the_one_encoded() {
        let batch = Batch::new(vec![request(1, b"put"), request(2, b"get")]);
        let decoded = Batch::from_bytes(batch.to_bytes()).expect("it was just encoded");
        assert_eq!(decoded, batch);
        assert_eq!(decoded.digest(), Digest::of_bytes(&batch.to_bytes()));
    }

    #[test]
    fn the_order_of_the_requests_is_part_of_the_digest() {
        let one = Batch::new(vec![request(1, b"a"), request(2, b"b")]);
        let other = Batch::new(vec![request(2, b"b"), request(1, b"a")]);
        assert_ne!(one.digest(), other.digest());
    }

    #[test]
    fn an_oversized_operation_is_refused() {
        let long = Request { operation: Bytes::from(vec![0; OPERATION_BYTES_MAX + 1]), ..request(1, b"") };
        assert!(matches!(
            Request::from_bytes(long.to_bytes()),
            Err(DecodeError::OverLimit { field: "operation", .. })
        ));
    }
}
