//! What links have to say: what came, how connections ended and why, and how often.

use bytes::Bytes;
use core::fmt;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use wire::Peer;

/// What came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// A frame, over the link to this peer.
    Frame(Peer, Bytes),
    /// An aside ([`wire::frame::ASIDE`]), over the link to this node or station.
    Aside(Peer, Bytes),
    /// The link to this peer stands.
    Up(Peer),
    /// The link to this peer is gone.
    Down(Peer),
    /// A source of somebody else's has news.
    Foreign(usize),
}

/// Why a connection was closed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Closing {
    /// The other end closed it.
    Closed,
    /// The socket failed.
    Failed,
    /// TLS did not come about: not TLS at all, or a key that is not taken.
    Tls,
    /// It took too long to say who it is.
    Slow,
    /// What it said first was no hello of our version.
    NotOurs,
    /// It is of another cluster.
    OtherCluster,
    /// It is not whom it was meant to be, or nobody that may connect.
    WrongPeer,
    /// It announced a frame that cannot be.
    BadFrame,
    /// It spoke for somebody else.
    Impostor,
    /// There were too many.
    TooMany,
    /// It was the oldest of those that had not said who they are, and others came.
    CrowdedOut,
    /// The same peer connected anew.
    Replaced,
}

impl Closing {
    /// Its name, for counters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Closing::Closed => "closed",
            Closing::Failed => "failed",
            Closing::Tls => "tls",
            Closing::Slow => "slow",
            Closing::NotOurs => "not-ours",
            Closing::OtherCluster => "other-cluster",
            Closing::WrongPeer => "wrong-peer",
            Closing::BadFrame => "bad-frame",
            Closing::Impostor => "impostor",
            Closing::TooMany => "too-many",
            Closing::CrowdedOut => "crowded-out",
            Closing::Replaced => "replaced",
        }
    }

    /// Whether that ends a connection for what is at its other end, rather than for the way to it.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        match self {
            Closing::Closed | Closing::Failed | Closing::Replaced => false,
            Closing::Tls
            | Closing::Slow
            | Closing::NotOurs
            | Closing::OtherCluster
            | Closing::WrongPeer
            | Closing::BadFrame
            | Closing::Impostor
            | Closing::TooMany
            | Closing::CrowdedOut => true,
        }
    }
}

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why there is no link to somebody whom we dial, as of the last try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The system could not reach it, or the connection broke.
    Socket(ErrorKind),
    /// TLS did not come about; the name of the refusal.
    Tls(&'static str),
    /// It was reached, and then the link was closed.
    Closed(Closing),
}

/// What happened so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Connections that came in.
    pub accepted: u64,
    /// Turns that took in as many connections as one may, and left what else there was for the next.
    pub accepts_put_off: u64,
    /// Connections that were tried.
    pub dialled: u64,
    /// Connections that ended, by why.
    pub closed: BTreeMap<Closing, u64>,
    /// Those of them that came in and ended for what was at their other end.
    pub turned_away: u64,
    /// Those of them that ended over TLS, by the name of the refusal.
    pub refused: BTreeMap<&'static str, u64>,
    /// Frames that came in.
    pub frames_in: u64,
    /// Frames that went out.
    pub frames_out: u64,
    /// Frames to somebody to whom no link stands.
    pub frames_to_nobody: u64,
    /// Frames for which there was no room.
    pub frames_dropped: u64,
}
