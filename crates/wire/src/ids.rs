//! The names of things. Each is a type of its own, so that a view cannot be taken for a sequence number.

use crate::encode::{Decode, DecodeError, Encode, Reader};
use core::fmt;
use core::time::Duration;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Encode for $name {
            fn encode(&self, to: &mut Vec<u8>) {
                self.0.encode(to);
            }
        }

        impl Decode for $name {
            fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
                <$inner>::decode(from).map($name)
            }
        }
    };
}

number!(
    /// A node: one machine with its replica, its keys and, in ByzID, its monitor. Never used again once retired.
    NodeId(u16), "p"
);
number!(
    /// A client of the replicated service.
    ClientId(u64), "c"
);
number!(
    /// The view (PBFT, Paxos: the ballot) or configuration (ByzID), the paper's `v`. It only grows.
    View(u64), "v"
);
number!(
    /// The place of a batch in the total order, the paper's `N`. The first batch is 1; 0 is "before any".
    Sequence(u64), "#"
);
number!(
    /// A client's own count of its requests, the paper's `T`. It grows with every new request.
    Timestamp(u64), "T"
);
number!(
    /// A moment, in nanoseconds since some start that only the caller knows. Logic compares moments, it never
    /// reads a clock.
    Time(u64), "t"
);

impl ClientId {
    /// Bits of a number that name the session; above them stand as many as [`ClientId::STATION_BITS`] that name the station of
    /// the client's identity, and above those the identity.
    pub const SESSION_BITS: u32 = 16;

    /// Bits of a number that name the station.
    pub const STATION_BITS: u32 = 24;

    /// The greatest number of a station.
    pub const STATION_MAX: u32 = (1 << Self::STATION_BITS) - 1;

    /// The greatest number of an identity.
    pub const IDENTITY_MAX: u32 = (1 << (64 - Self::SESSION_BITS - Self::STATION_BITS)) - 1;

    /// A session of a station of an identity.
    ///
    /// # Panics
    /// If a number is too great: numbers of identities and stations are checked where they come in.
    #[must_use]
    pub fn new(identity: u32, station: u32, session: u16) -> ClientId {
        assert!(identity <= Self::IDENTITY_MAX && station <= Self::STATION_MAX);
        let above = u64::from(identity) << Self::STATION_BITS | u64::from(station);
        ClientId(above << Self::SESSION_BITS | u64::from(session))
    }

    /// The station of this session: one process of a client, with one connection to each node.
    #[must_use]
    pub fn station(self) -> ClientId {
        ClientId(self.0 >> Self::SESSION_BITS << Self::SESSION_BITS)
    }

    /// The identity of this session, whose keys it uses.
    #[must_use]
    pub fn identity(self) -> u32 {
        (self.0 >> (Self::SESSION_BITS + Self::STATION_BITS)) as u32
    }
}

impl View {
    /// The view after this one.
    #[must_use]
    pub fn next(self) -> View {
        View(self.0 + 1)
    }
}

impl Sequence {
    /// Before any batch.
    pub const ZERO: Sequence = Sequence(0);

    /// The place after this one.
    #[must_use]
    pub fn next(self) -> Sequence {
        Sequence(self.0 + 1)
    }

    /// The place before this one; [`Sequence::ZERO`] stays where it is.
    #[must_use]
    pub fn previous(self) -> Sequence {
        Sequence(self.0.saturating_sub(1))
    }

    /// This place plus `count`, or the last place there is.
    #[must_use]
    pub fn plus(self, count: u64) -> Sequence {
        Sequence(self.0.saturating_add(count))
    }
}

impl Time {
    /// The start of time.
    pub const ZERO: Time = Time(0);

    /// This moment plus `duration`; the end of time if that is past it.
    #[must_use]
    pub fn after(self, duration: Duration) -> Time {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Time(self.0.saturating_add(nanos))
    }

    /// How long `earlier` is before this moment; zero if it is not.
    #[must_use]
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Whoever can be at the other end of a link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peer {
    /// A node of the cluster.
    Node(NodeId),
    /// A client of the cluster.
    Client(ClientId),
}

impl Peer {
    /// The node, if it is one.
    #[must_use]
    pub fn node(self) -> Option<NodeId> {
        match self {
            Peer::Node(node) => Some(node),
            Peer::Client(_) => None,
        }
    }

    /// The client, if it is one.
    #[must_use]
    pub fn client(self) -> Option<ClientId> {
        match self {
            Peer::Node(_) => None,
            Peer::Client(client) => Some(client),
        }
    }
}

impl From<NodeId> for Peer {
    fn from(node: NodeId) -> Self {
        Peer::Node(node)
    }
}

impl From<ClientId> for Peer {
    fn from(client: ClientId) -> Self {
        Peer::Client(client)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Node(node) => node.fmt(f),
            Peer::Client(client) => client.fmt(f),
        }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Encode for Peer {
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Peer::Node(node) => {
                to.push(0);
                node.encode(to);
            }
            Peer::Client(client) => {
                to.push(1);
                client.encode(to);
            }
        }
    }
}

impl Decode for Peer {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        match u8::decode(from)? {
            0 => NodeId::decode(from).map(Peer::Node),
            1 => ClientId::decode(from).map(Peer::Client),
            tag => Err(DecodeError::UnknownTag { of: "Peer", tag }),
        }
    }
}
