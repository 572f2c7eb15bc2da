//! How the links of somebody are made.

use crate::pins::Pins;
use crate::secret::SecretIdentity;
use std::net::SocketAddr;
use std::sync::Arc;
use wire::{Digest, NodeId, Peer};

/// What protects the links.
#[derive(Clone)]
pub enum Protection {
    /// Nothing: whoever is on the network can read, change and pretend. For isolated networks and measurements.
    Plain,
    /// Mutual TLS 1.3 between pinned keys.
    Tls {
        /// Our own keys.
        secret: Arc<SecretIdentity>,
        /// Whom we know.
        pins: Arc<Pins>,
    },
}

/// How the links of somebody are made.
#[derive(Clone)]
pub struct Making {
    /// Who it is.
    pub me: Peer,
    /// Of which cluster.
    pub cluster: Digest,
    /// Where to listen, if it is to.
    pub listen: Option<SocketAddr>,
    /// Whom to dial, and where.
    pub dial: Vec<(NodeId, SocketAddr)>,
    /// Which nodes may connect, and where they live: whoever connects from there is not crowded out by others.
    pub nodes: Vec<(NodeId, SocketAddr)>,
    /// What protects them.
    pub protection: Protection,
}
