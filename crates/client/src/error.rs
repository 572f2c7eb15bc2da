//! What can go wrong, and what is known then of the operation.

use agree::request::OPERATION_BYTES_MAX;
use core::fmt;
use link::secret::SecretError;
use node::config::ConfigError;
use std::io;

/// Why no connection was opened.
#[derive(Debug)]
pub enum OpenError {
    /// The secret that the configuration names is not there, or not the client's.
    Secret(ConfigError),
    /// The operating system gives no randomness.
    Randomness(SecretError),
    /// The operating system gives no means to wait for sockets, or no thread.
    System(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Secret(error) => error.fmt(f),
            OpenError::Randomness(error) => error.fmt(f),
            OpenError::System(error) => write!(f, "the links cannot be made: {error}"),
        }
    }
}

impl core::error::Error for OpenError {}

/// Why a call has no result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallError {
    /// The deadline passed while enough nodes had not answered. **Whether the operation was executed, or still will be, is
    /// unknown**; it is executed once at most.
    OutcomeUnknown,
    /// The deadline passed, and the primary had said that it has no room (BUSY): as many requests wait as may. **Whether the
    /// operation was executed is unknown** all the same, since a primary that lies may say so too.
    Busy,
    /// The deadline passed and no link to any node stood. Nothing was asked.
    Unreachable,
    /// So many nodes refuse our key, or have one that we do not know, that those left are too few. Nothing was asked.
    KeyRefused {
        /// How many.
        nodes: usize,
        /// What TLS had to say of one of them: `refused-by-peer` is their word, anything else ours.
        reason: &'static str,
    },
    /// The cluster has forgotten this session, since others asked for so much since it last did. **Whether the operation was
    /// executed is unknown** if it was sent more than once.
    Forgotten,
    /// The cluster has more clients than it can remember. The operation was not executed.
    ServiceFull,
    /// The connection has as many sessions as it can. Nothing was asked.
    TooManySessions,
    /// The operation has more bytes than one may have. Nothing was asked.
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// The connection was closed. If the operation had been asked for, the outcome is unknown.
    Closed,
}

impl CallError {
    /// Whether the operation may have been executed, or may still be.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        match self {
            CallError::OutcomeUnknown | CallError::Busy | CallError::Forgotten | CallError::Closed => true,
            CallError::Unreachable
            | CallError::KeyRefused { .. }
            | CallError::ServiceFull
            | CallError::TooManySessions
            | CallError::TooLong { .. } => false,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::OutcomeUnknown => {
                f.write_str("no answer in time; whether it was done is UNKNOWN: ask what is there now")
            }
            CallError::Busy => f.write_str(
                "the cluster is BUSY: as many requests wait there as may, and this one found no room in time; ask less at once, or \
                 wait longer. Whether it was done is UNKNOWN",
            ),
            CallError::Unreachable => {
                f.write_str("no node could be reached in time, and nothing was asked; do the nodes run?")
            }
            CallError::KeyRefused { nodes, reason } => write!(
                f,
                "the key is refused ({reason}, by {nodes} nodes) and nothing was asked; is this a client of this cluster, and \
                 are these its nodes?"
            ),
            CallError::Forgotten => f.write_str(
                "the cluster has forgotten this session, so whether it was done is UNKNOWN: ask what is there now; is this machine's \
                 clock behind? sessions_bytes_max says how many sessions are remembered",
            ),
            CallError::ServiceFull => {
                f.write_str("the cluster has more clients than it can remember, and takes no new one")
            }
            CallError::TooManySessions => {
                f.write_str("there are as many sessions as a connection can have; drop one, or open another connection")
            }
            CallError::TooLong { bytes } => {
                write!(f, "the operation has {bytes} bytes, at most {OPERATION_BYTES_MAX} are allowed")
            }
            CallError::Closed => f.write_str("the connection was closed; what was asked may have been done"),
        }
    }
}

impl core::error::Error for CallError {}
