//! Which protocol, and how many nodes it needs.

use core::fmt;
use core::str::FromStr;
use wire::{Decode, DecodeError, Encode, Reader};

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

    /// Whether a station may name a speaker, to whose replies the others assent. In Paxos only the leader replies. In PBFT
    /// what a request costs is its signature, and replicas of different views answer alike, which a digest would not show.
    #[must_use]
    pub fn has_speakers(self) -> bool {
        match self {
            Protocol::ByzId | Protocol::ByzIdW => true,
            Protocol::Paxos | Protocol::Pbft => false,
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

impl Encode for Protocol {
    fn encode(&self, to: &mut Vec<u8>) {
        to.push(match self {
            Protocol::ByzId => 0,
            Protocol::ByzIdW => 1,
            Protocol::Paxos => 2,
            Protocol::Pbft => 3,
        });
    }
}

impl Decode for Protocol {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        let tag = u8::decode(from)?;
        Protocol::ALL.get(usize::from(tag)).copied().ok_or(DecodeError::UnknownTag { of: "protocol", tag })
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
