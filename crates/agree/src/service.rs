//! The replicated state machine that a protocol carries.

use crate::roster::{Chain, Seats};
use bytes::Bytes;
use core::fmt;
use wire::{Digest, Sequence};

/// A deterministic state machine. Replicas that apply the same commands in the same order are in the same state and
/// have given the same replies; time, chance and the outside world reach it only inside a command.
pub trait Service {
    /// The commands that come now stand at `place` in the order.
    fn begin(&mut self, _place: Sequence) {}

    /// Executes one command. Any bytes are a command: one that makes no sense gets a reply that says so.
    fn apply(&mut self, command: &Bytes) -> Bytes;

    /// The fingerprint of the state: equal states have equal digests. Cheap enough to be asked for often.
    fn digest(&self) -> Digest;

    /// The whole state as bytes. Equal states have equal snapshots.
    fn snapshot(&self) -> Bytes;

    /// Becomes the state that `snapshot` was taken of, or stays as it is and says why not.
    fn restore(&mut self, snapshot: &Bytes) -> Result<(), RestoreError>;

    /// Which change of the roster put each node into its seat. A service that carries no roster says: the first one.
    fn seats(&self) -> &Seats {
        Seats::first()
    }

    /// The roster's changes, if the service carries them.
    fn chain(&self) -> Option<&Chain> {
        None
    }
}

/// Why bytes are no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreError {
    /// What was wrong.
    pub reason: String,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a snapshot of this service: {}", self.reason)
    }
}

impl core::error::Error for RestoreError {}

impl From<wire::DecodeError> for RestoreError {
    fn from(error: wire::DecodeError) -> Self {
        RestoreError { reason: error.to_string() }
    }
}
