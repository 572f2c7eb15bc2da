//! Whose key it is.
//!
//! A node holds its own. A client's key belongs to its **number**, and all its stations and their sessions speak by it: the
//! uppermost bits of a [`ClientId`] are the number ([`ClientId::identity`]).

use core::fmt;
use wire::{ClientId, NodeId, Peer};

/// A client as a configuration names it: one identity, for any number of sessions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientNumber(pub u32);

impl ClientNumber {
    /// Whose session `client` is.
    #[must_use]
    pub fn of(client: ClientId) -> ClientNumber {
        ClientNumber(client.identity())
    }

    /// The name of one of its sessions.
    #[must_use]
    pub fn session(self, station: u32, session: u16) -> ClientId {
        ClientId::new(self.0, station, session)
    }
}

impl fmt::Display for ClientNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}", self.0)
    }
}

impl fmt::Debug for ClientNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whoever can hold an identity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// A node.
    Node(NodeId),
    /// A client, in all its sessions.
    Client(ClientNumber),
}

impl Holder {
    /// Whose key `peer` speaks by.
    #[must_use]
    pub fn of(peer: Peer) -> Holder {
        match peer {
            Peer::Node(node) => Holder::Node(node),
            Peer::Client(client) => Holder::Client(ClientNumber::of(client)),
        }
    }

    /// Whether it may speak in the name of `peer`.
    #[must_use]
    pub fn speaks_for(self, peer: Peer) -> bool {
        Holder::of(peer) == self
    }

    /// What only this holder has, for the derivation of keys.
    pub(crate) fn code(self) -> [u8; 5] {
        let (kind, number) = match self {
            Holder::Node(node) => (0, u32::from(node.0)),
            Holder::Client(client) => (1, client.0),
        };
        let [a, b, c, d] = number.to_le_bytes();
        [kind, a, b, c, d]
    }
}

impl From<NodeId> for Holder {
    fn from(node: NodeId) -> Self {
        Holder::Node(node)
    }
}

impl From<ClientNumber> for Holder {
    fn from(client: ClientNumber) -> Self {
        Holder::Client(client)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Node(node) => write!(f, "node {}", node.0),
            Holder::Client(client) => client.fmt(f),
        }
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sessions_of_a_client_speak_by_one_key() {
        let client = ClientNumber(7);
        for (station, session) in [(0, 0), (1, 0), (0, 1), (ClientId::STATION_MAX, u16::MAX)] {
            assert!(Holder::Client(client).speaks_for(client.session(station, session).into()));
        }
        assert!(!Holder::Client(client).speaks_for(ClientNumber(8).session(0, 0).into()));
        assert!(!Holder::Client(client).speaks_for(NodeId(7).into()));
        assert_eq!(client.session(2, 3), ClientId(7 << 40 | 2 << 16 | 3));
    }
}
