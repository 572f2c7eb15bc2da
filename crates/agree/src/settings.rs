//! The numbers by which a cluster is set, and which of them go together.
//!
//! Upon settings that come from outside (a file, a capture): [`Settings::check`], before anything is built from them. What it
//! lets pass makes no replica, guard or monitor stop.

use crate::checkpoint::CHUNK_BYTES_MAX;
use crate::pbft;
use crate::protocol::{F_MAX, Protocol};
use crate::request::{BATCH_BYTES_MAX, BATCH_REQUESTS_MAX};
use crate::sessions::SESSIONS_BYTES_MAX;
use core::fmt;
use core::ops::RangeInclusive;
use core::time::Duration;
use std::collections::BTreeSet;
use wire::auth::NODES_MAX;
use wire::{Decode, DecodeError, Encode, NodeId, Reader};

/// Batches in a replica's log at most: what a claim, a NEWCONFIG or a VIEW-CHANGE can tell.
pub const LOG_BATCHES_MAX: u64 = 4096;

/// The fewest bytes of sessions that a cluster can be set to remember.
pub const SESSIONS_BYTES_MIN: usize = 1 << 10;

/// Requests that wait at one replica at most.
pub const REQUESTS_WAITING_MAX: usize = 1 << 20;

/// The longest time that can be set.
pub const TIME_MAX: Duration = Duration::from_secs(3600);

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
    /// Bytes of sessions and their last results that are remembered; those that have asked for nothing for longest are
    /// forgotten first. Part of what is agreed on: it never changes in the life of a cluster.
    pub sessions_bytes_max: usize,
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
            sessions_bytes_max: 64 << 20,
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
    /// Whether a cluster can be set like this; if not, what is wrong and what would be right.
    pub fn check(&self) -> Result<(), BadSettings> {
        self.check_nodes()?;
        let count = |what, found: usize, range| within(what, found as u64, range);
        within("checkpoint_interval", self.checkpoint_interval, 1..=LOG_BATCHES_MAX)?;
        within("window", self.window, 1..=LOG_BATCHES_MAX)?;
        within(
            "batches in the log (2 × checkpoint_interval + window)",
            self.log_batches_max(),
            3..=LOG_BATCHES_MAX,
        )?;
        count("batch_requests_max", self.batch_requests_max, 1..=BATCH_REQUESTS_MAX as u64)?;
        count("batch_bytes_max", self.batch_bytes_max, 1..=BATCH_BYTES_MAX as u64)?;
        count("chunk_bytes", self.chunk_bytes, 1..=CHUNK_BYTES_MAX as u64)?;
        count(
            "sessions_bytes_max",
            self.sessions_bytes_max,
            SESSIONS_BYTES_MIN as u64..=SESSIONS_BYTES_MAX as u64,
        )?;
        count("requests_waiting_max", self.requests_waiting_max, 1..=REQUESTS_WAITING_MAX as u64)?;
        lasts("retransmit_after", self.retransmit_after, Duration::from_nanos(1)..=self.view_timeout)?;
        // Longer than the view timeout makes sense where only requests are to tell that a primary is gone.
        lasts("heartbeat_every", self.heartbeat_every, Duration::from_nanos(1)..=TIME_MAX)?;
        lasts("view_timeout", self.view_timeout, Duration::from_nanos(1)..=self.view_timeout_max)?;
        lasts("view_timeout_max", self.view_timeout_max, self.view_timeout..=TIME_MAX)?;
        match self.protocol {
            Protocol::Pbft => pbft::fits(self),
            Protocol::ByzId | Protocol::ByzIdW | Protocol::Paxos => Ok(()),
        }
    }

    fn check_nodes(&self) -> Result<(), BadSettings> {
        within("f", self.f as u64, 1..=F_MAX as u64)?;
        let (protocol, f, n) = (self.protocol, self.f, self.n());
        let wanted = protocol.replicas(f);
        if n != wanted {
            return Err(BadSettings(format!("{n} members; {protocol} for f = {f} has {wanted}")));
        }
        let nodes: BTreeSet<NodeId> = self.members.iter().chain(&self.spares).copied().collect();
        if nodes.len() != n + self.spares.len() {
            return Err(BadSettings("a node is named twice; each is a member or a spare, once".to_string()));
        }
        if !protocol.monitored() && !self.spares.is_empty() {
            return Err(BadSettings(format!("spares; {protocol} has none")));
        }
        within("nodes", nodes.len() as u64, 1..=NODES_MAX as u64)
    }
}

/// Settings that make no cluster: what is wrong, and what would be right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadSettings(pub String);

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for BadSettings {}

fn within(what: &str, found: u64, range: RangeInclusive<u64>) -> Result<(), BadSettings> {
    if range.contains(&found) {
        return Ok(());
    }
    Err(BadSettings(format!("{what} is {found}; it is from {} to {}", range.start(), range.end())))
}

fn lasts(what: &str, found: Duration, range: RangeInclusive<Duration>) -> Result<(), BadSettings> {
    if range.contains(&found) {
        return Ok(());
    }
    Err(BadSettings(format!("{what} is {found:?}; it is from {:?} to {:?}", range.start(), range.end())))
}

impl Encode for Settings {
    fn encode(&self, to: &mut Vec<u8>) {
        self.protocol.encode(to);
        (self.f as u64).encode(to);
        self.members.encode(to);
        self.spares.encode(to);
        for count in [self.checkpoint_interval, self.window] {
            count.encode(to);
        }
        let limits = [
            self.batch_requests_max,
            self.batch_bytes_max,
            self.chunk_bytes,
            self.sessions_bytes_max,
            self.requests_waiting_max,
        ];
        for limit in limits {
            (limit as u64).encode(to);
        }
        for time in [self.retransmit_after, self.view_timeout, self.view_timeout_max, self.heartbeat_every] {
            u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).encode(to);
        }
    }
}

/// What decodes has passed [`Settings::check`].
impl Decode for Settings {
    fn decode(from: &mut Reader) -> Result<Self, DecodeError> {
        let settings = Settings {
            protocol: Protocol::decode(from)?,
            f: count(from)?,
            members: from.list("members", NODES_MAX)?,
            spares: from.list("spares", NODES_MAX)?,
            checkpoint_interval: u64::decode(from)?,
            window: u64::decode(from)?,
            batch_requests_max: count(from)?,
            batch_bytes_max: count(from)?,
            chunk_bytes: count(from)?,
            sessions_bytes_max: count(from)?,
            requests_waiting_max: count(from)?,
            retransmit_after: time(from)?,
            view_timeout: time(from)?,
            view_timeout_max: time(from)?,
            heartbeat_every: time(from)?,
        };
        match settings.check() {
            Ok(()) => Ok(settings),
            Err(_) => Err(DecodeError::Inconsistent { what: "these settings make no cluster" }),
        }
    }
}

fn count(from: &mut Reader) -> Result<usize, DecodeError> {
    let found = u64::decode(from)?;
    usize::try_from(found).map_err(|_| DecodeError::OverLimit {
        field: "count",
        found,
        limit: usize::MAX as u64,
    })
}

fn time(from: &mut Reader) -> Result<Duration, DecodeError> {
    u64::decode(from).map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> Settings {
        Settings::new(Protocol::ByzId, 1)
    }

    #[test]
    fn every_usual_setting_passes_and_survives_the_trip() {
        for protocol in Protocol::ALL {
            for f in 1..=F_MAX {
                let settings = Settings::new(protocol, f);
                assert_eq!(settings.check(), Ok(()), "{protocol} f = {f}");
                assert_eq!(Settings::from_bytes(settings.to_bytes()), Ok(settings));
            }
        }
        let spared = Settings { spares: vec![NodeId(7), NodeId(9)], ..usual() };
        assert_eq!(Settings::from_bytes(spared.to_bytes()), Ok(spared));
    }

    #[test]
    fn what_makes_no_cluster_is_refused_with_what_would_be_right() {
        let zero = Duration::ZERO;
        let hour = Duration::from_secs(3601);
        let mut short = usual();
        short.members.pop();
        let cases = [
            (Settings { f: 0, ..usual() }, "f is 0; it is from 1 to 10"),
            (short, "2 members; byzid for f = 1 has 3"),
            (Settings { spares: vec![NodeId(2)], ..usual() }, "a node is named twice"),
            (Settings { spares: vec![NodeId(9)], ..Settings::new(Protocol::Pbft, 1) }, "pbft has none"),
            (
                Settings { spares: (3..70).map(NodeId).collect(), ..usual() },
                "nodes is 70; it is from 1 to 64",
            ),
            (Settings { checkpoint_interval: 0, ..usual() }, "checkpoint_interval is 0"),
            (Settings { checkpoint_interval: u64::MAX, ..usual() }, "checkpoint_interval is"),
            (Settings { checkpoint_interval: 2048, ..usual() }, "batches in the log"),
            (Settings { window: 0, ..usual() }, "window is 0"),
            (Settings { batch_requests_max: 0, ..usual() }, "batch_requests_max is 0"),
            (Settings { batch_bytes_max: usize::MAX, ..usual() }, "batch_bytes_max is"),
            (Settings { chunk_bytes: 0, ..usual() }, "chunk_bytes is 0"),
            (Settings { sessions_bytes_max: 1, ..usual() }, "sessions_bytes_max is 1; it is from 1024"),
            (Settings { requests_waiting_max: 0, ..usual() }, "requests_waiting_max is 0"),
            (Settings { retransmit_after: zero, ..usual() }, "retransmit_after is 0ns"),
            (Settings { retransmit_after: hour, ..usual() }, "it is from 1ns to 500ms"),
            (Settings { heartbeat_every: hour, ..usual() }, "heartbeat_every is 3601s"),
            (Settings { view_timeout: hour, ..usual() }, "view_timeout is 3601s"),
            (Settings { view_timeout_max: hour, ..usual() }, "it is from 500ms to 3600s"),
        ];
        for (settings, wrong) in cases {
            let error = settings.check().expect_err(wrong).to_string();
            assert!(error.contains(wrong), "{error} does not say {wrong}");
            assert!(Settings::from_bytes(settings.to_bytes()).is_err(), "{wrong}");
        }
    }
}
