//! What a worker tells of one flow: small facts, about one or two for each flow, none for an ordinary packet.
//!
//! Promises that an observation is a function of its flow alone, so that it is the same on any number of workers. What many of them mean
//! together is decided elsewhere (`watcher`).

use crate::Time;
use core::net::IpAddr;

/// How a source tries to reach something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) enum Technique {
    /// In no way that is watched.
    #[default]
    Other,
    /// A SYN.
    Syn,
    /// FIN alone.
    Fin,
    /// No flag.
    Null,
    /// FIN with PSH or URG, without ACK.
    Xmas,
    /// ACK alone, of no conversation.
    Ack,
    /// FIN and ACK, of no conversation.
    Maimon,
    /// A datagram.
    Udp,
    /// An ICMP request.
    Ping,
    /// Another IP protocol.
    Protocol,
}

/// What came of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// It was answered, and used.
    Answered,
    /// The connection is there, and the client has said nothing on it so far, or until it ended.
    Unused,
    /// No answer.
    Silent,
    /// The answer is that there is nothing: a reset, or an ICMP error.
    Refused,
    /// It was answered, and the client did not go on.
    HalfOpen,
    /// It was answered, and the client broke it off before it was complete.
    BrokenOff,
}

impl Outcome {
    /// Whether it speaks for a scan. A connection that is complete and not used says neither.
    pub(crate) fn has_failed(self) -> bool {
        match self {
            Outcome::Silent | Outcome::Refused | Outcome::HalfOpen | Outcome::BrokenOff => true,
            Outcome::Answered | Outcome::Unused => false,
        }
    }
}

/// What was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Seen {
    /// An attempt, and what came of it.
    Tried {
        technique: Technique,
        outcome: Outcome,
        /// The SYN has none of the options that every system's own connections have.
        is_bare: bool,
    },
    /// So many packets more to the server, and so many answers.
    Volume { technique: Technique, packets: u32, answers: u32 },
    /// The server refused a login.
    LoginRefused { service: &'static str },
    /// A connection that looks like a login that was refused.
    LoginShort { service: &'static str },
}

/// What a worker tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Observation {
    /// When it was known.
    pub(crate) time: Time,
    pub(crate) source: (IpAddr, u16),
    pub(crate) target: (IpAddr, u16),
    /// The IP protocol.
    pub(crate) protocol: u8,
    pub(crate) seen: Seen,
}
