//! Why a run came to nothing.

use std::fmt;

/// Why a run came to nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The system is not on this machine.
    Missing { system: &'static str, why: String },
    /// The system cannot do what was asked for.
    Unsupported { system: &'static str, wish: String, right: &'static str },
    /// A program could not be started.
    Start { program: String, why: String },
    /// Members ended by themselves; which ones, and their last words.
    MembersEnded(String),
    /// No leader within the time that was given.
    NoLeader { seconds: u64 },
    /// A connection of the load broke.
    Connection { to: String, why: String },
    /// A whole repetition without an answer.
    NoAnswer { seconds: f64, errors: u64 },
    /// By a signal.
    Stopped,
    /// Something in the scratch directory or in /proc.
    Io { what: &'static str, why: String },
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { system, why } => write!(out, "{system} is not available here: {why}"),
            Self::Unsupported { system, wish, right } => {
                write!(out, "{system} cannot do {wish}; right would be: {right}")
            }
            Self::Start { program, why } => write!(out, "{program} did not start: {why}"),
            Self::MembersEnded(what) => write!(out, "{what}"),
            Self::NoLeader { seconds } => write!(out, "no leader within {seconds} s"),
            Self::Connection { to, why } => write!(out, "connection to {to}: {why}"),
            Self::NoAnswer { seconds, errors } => {
                write!(out, "no operation succeeded in {seconds:.1} s, {errors} failed")
            }
            Self::Stopped => write!(out, "stopped by a signal"),
            Self::Io { what, why } => write!(out, "{what}: {why}"),
        }
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// For `map_err`, where a connection broke.
    pub(crate) fn connection<E: fmt::Display>(to: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |error| Self::Connection { to: to.to_string(), why: error.to_string() }
    }

    /// For `map_err`, where the machine refused something.
    pub(crate) fn io<E: fmt::Display>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::Io { what, why: error.to_string() }
    }
}
