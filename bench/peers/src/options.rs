//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures one peer of Varangian's agreement: starts 2f+1 members on loopback, loads them, prints a JSON line per
/// repetition.
#[derive(Debug, Parser)]
#[command(name = "varangian-peers", version)]
pub(crate) struct Options {
    /// Which systems can run here, in which version, and why one cannot: a JSON line for each, and nothing is run.
    #[arg(long)]
    pub(crate) list: bool,
    /// The system to measure.
    #[arg(long, required_unless_present = "list")]
    pub(crate) system: Option<System>,
    /// How many clients ask at once, each waiting for its reply before it asks again.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=CLIENTS_MAX as i64))]
    pub(crate) clients: u32,
    /// How many members may crash; 2f+1 are started.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=F_MAX as i64))]
    pub(crate) f: u32,
    /// Bytes of a request.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=OPERATION_BYTES_MAX as i64))]
    pub(crate) request_bytes: u32,
    /// Bytes of a reply.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(0..=OPERATION_BYTES_MAX as i64))]
    pub(crate) reply_bytes: u32,
    /// What an acknowledged operation has survived.
    #[arg(long, default_value = "fsync")]
    pub(crate) durability: Durability,
    /// Seconds that are measured, in each repetition.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) seconds: u32,
    /// Seconds of load before the first repetition.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub(crate) warmup: u32,
    /// How often it is measured, one after the other on the same members.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repetitions: u32,
    /// Connections of the load, 0 for one per 100 clients and at most 10.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=CONNECTIONS_MAX as i64))]
    pub(crate) connections: u32,
    /// Where requests go. The Rust peers know only the leader.
    #[arg(long, default_value = "leader")]
    pub(crate) endpoints: Endpoints,
    /// Who joins requests (Rust peers only; etcd does as it does).
    #[arg(long, default_value = "library")]
    pub(crate) batching: Batching,
    /// A directory for the members' data and logs; what is made in it is removed at the end. Durability `memory` does
    /// not use it.
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
}

/// More clients than this say nothing that fewer did not.
pub(crate) const CLIENTS_MAX: u32 = 100_000;
/// 2f+1 = 11 processes on one machine.
pub(crate) const F_MAX: u32 = 5;
/// Below the 1.5 MiB at which etcd refuses a request.
pub(crate) const OPERATION_BYTES_MAX: u32 = 1024 * 1024;
/// Enough to try whether more connections help.
pub(crate) const CONNECTIONS_MAX: u32 = 1_000;

/// A peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum System {
    /// etcd of the machine, from its package.
    Etcd,
    /// TiKV's `raft` with its `raft-engine`.
    RaftRs,
    /// `omnipaxos`, on `raft-engine` as well.
    Omnipaxos,
}

impl System {
    /// The name on the command line and in rows.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::RaftRs => "raft-rs",
            Self::Omnipaxos => "omnipaxos",
        }
    }
}

/// What an acknowledged operation has survived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Durability {
    /// The loss of power at every member: synced at a majority before the acknowledgement.
    Fsync,
    /// The death of every process: written, and left to the kernel.
    Async,
    /// Nothing beyond f processes: no file is written, or only to a file system in memory.
    Memory,
}

impl Durability {
    /// The name on the command line and in rows.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fsync => "fsync",
            Self::Async => "async",
            Self::Memory => "memory",
        }
    }
}

/// Which members the load is spread over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Endpoints {
    /// The leader alone.
    Leader,
    /// All members, connection by connection; a follower forwards (etcd only).
    All,
}

/// Who joins requests that arrive together. In either case there is one write, one sync and one message per turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Batching {
    /// The library: each request is an entry of its log, as its documentation has it.
    Library,
    /// The application: all requests that arrived together are one entry, as TiKV has it above raft-rs. What is measured
    /// then is hardly the library any more.
    Application,
}

impl Batching {
    /// The name on the command line and in rows.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Application => "application",
        }
    }
}

impl Options {
    /// How many members run.
    pub(crate) fn members(&self) -> u32 {
        2 * self.f + 1
    }

    /// How many connections the load opens: one for each 100 clients, at most ten: more made etcd slower.
    pub(crate) fn connections(&self) -> u32 {
        let wished = if self.connections > 0 { self.connections } else { self.clients.div_ceil(100).min(10) };
        wished.min(self.clients)
    }
}
