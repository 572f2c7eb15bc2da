//! Which protocol, how many nodes it needs, and the numbers by which it is set.

use crate::checkpoint::CHUNK_BYTES_MAX;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use wire::NodeId;

/// The protocols, each chosen by one word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Protocol {
    /// ByzID in a LAN: a rooted tree of monitored links, which name the sender without cryptography.
    ByzId,
    /// ByzID in a WAN: a complete graph of authenticated links, and every ORDER signed.
    ByzIdW,
    /// Multi-decree Paxos with a stable leader: crashes only.
    Paxos,
    /// PBFT: nobody trusted.
    Pbft,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Protocol; 4] = [Protocol::ByzId, Protocol::ByzIdW, Protocol::Paxos, Protocol::Pbft];

    /// The word that chooses it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Protocol::ByzId => "byzid",
            Protocol::ByzIdW => "byzid-w",
            Protocol::Paxos => "paxos",
            Protocol::Pbft => "pbft",
        }
    }

    /// Replicas needed to go on while `f` of them are faulty.
    #[must_use]
    pub fn replicas(self, f: usize) -> usize {
        match self {
            Protocol::ByzId | Protocol::ByzIdW | Protocol::Paxos => 2 * f + 1,
            Protocol::Pbft => 3 * f + 1,
        }
    }

    /// Whether a faulty replica may lie, rather than only stop.
    #[must_use]
    pub fn tolerates_lies(self) -> bool {
        match self {
            Protocol::ByzId | Protocol::ByzIdW | Protocol::Pbft => true,
            Protocol::Paxos => false,
        }
    }

    /// Whether a trusted monitor stands beside each replica.
    #[must_use]
    pub fn monitored(self) -> bool {
        match self {
            Protocol::ByzId | Protocol::ByzIdW => true,
            Protocol::Paxos | Protocol::Pbft => false,
        }
    }

    /// How many replicas must give a client the same reply before it believes it.
    #[must_use]
    pub fn replies_needed(self, f: usize) -> usize {
        match self {
            Protocol::ByzId | Protocol::ByzIdW | Protocol::Pbft => {
                if defect!(ClientQuorum) {
                    f.max(1)
                } else {
                    f + 1
                }
            }
            // The leader answers once f+1 acceptors have the batch; nobody lies, so one reply is enough.
            Protocol::Paxos => 1,
        }
    }

    /// Whether clients sign their requests, because replicas must convince each other that the client asked.
    #[must_use]
    pub fn requests_are_signed(self) -> bool {
        match self {
            Protocol::Pbft => true,
            Protocol::ByzId | Protocol::ByzIdW | Protocol::Paxos => false,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that names no protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProtocol(String);

impl fmt::Display for UnknownProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Protocol::ALL.iter().map(|protocol| protocol.name()).collect();
        write!(f, "there is no protocol '{}'; there are {}", self.0, names.join(", "))
    }
}

impl core::error::Error for UnknownProtocol {}

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Protocol::ALL
            .into_iter()
            .find(|protocol| protocol.name() == word)
            .ok_or_else(|| UnknownProtocol(word.to_string()))
    }
}

/// How many faulty replicas a cluster may be made for.
pub const F_MAX: usize = 10;

/// Everything by which a replica is set. The same at every node of a cluster.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Settings {
    /// Which protocol.
    pub protocol: Protocol,
    /// How many replicas may be faulty.
    pub f: usize,
    /// The members of the first configuration, in the order of their slots. View `v` is led by slot `v mod n`.
    pub members: Vec<NodeId>,
    /// Nodes that stand by to take the place of a member (ByzID).
    pub spares: Vec<NodeId>,
    /// The paper's `K`: a checkpoint every so many batches.
    pub checkpoint_interval: u64,
    /// The paper's `τ`: batches ordered and not yet completed at most.
    pub window: u64,
    /// Requests of one batch at most.
    pub batch_requests_max: usize,
    /// Bytes of one batch at most.
    pub batch_bytes_max: usize,
    /// Bytes of each chunk in which a snapshot is handed out, from 1 to [`CHUNK_BYTES_MAX`]. Checkpoints depend on it: it
    /// never changes in the life of a cluster.
    pub chunk_bytes: usize,
    /// Requests that wait for a place at most; then clients hear BUSY.
    pub requests_waiting_max: usize,
    /// How long before a message that got no answer is sent again.
    pub retransmit_after: Duration,
    /// How long a primary may be silent, or a request unordered, before the replica turns to the next view. Doubles with
    /// every view that brings no progress, up to `view_timeout_max`.
    pub view_timeout: Duration,
    /// The longest that `view_timeout` grows to.
    pub view_timeout_max: Duration,
    /// How often a primary that has nothing to say says that it is there.
    pub heartbeat_every: Duration,
}

impl Settings {
    /// The settings of a cluster of `protocol` that masks `f` faulty replicas, nodes 0, 1, 2, …, in a LAN.
    #[must_use]
    pub fn new(protocol: Protocol, f: usize) -> Self {
        assert!((1..=F_MAX).contains(&f), "f is from 1 to {F_MAX}");
        Settings {
            protocol,
            f,
            members: (0..protocol.replicas(f)).map(|slot| NodeId(slot as u16)).collect(),
            spares: Vec::new(),
            checkpoint_interval: 128,
            window: 8,
            batch_requests_max: 256,
            batch_bytes_max: 256 << 10,
            chunk_bytes: CHUNK_BYTES_MAX,
            requests_waiting_max: 16 << 10,
            retransmit_after: Duration::from_millis(50),
            view_timeout: Duration::from_millis(500),
            view_timeout_max: Duration::from_secs(10),
            heartbeat_every: Duration::from_millis(100),
        }
    }

    /// How many members there are.
    #[must_use]
    pub fn n(&self) -> usize {
        self.members.len()
    }

    /// Batches that may be kept past the last stable checkpoint: one being taken and one being agreed on, and what the
    /// window lets run ahead.
    #[must_use]
    pub fn log_batches_max(&self) -> u64 {
        2 * self.checkpoint_interval + self.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_is_chosen_by_its_word() {
        for protocol in Protocol::ALL {
            assert_eq!(protocol.name().parse(), Ok(protocol));
        }
        let error = "raft".parse::<Protocol>().expect_err("there is none");
        assert_eq!(error.to_string(), "there is no protocol 'raft'; there are byzid, byzid-w, paxos, pbft");
    }
}
