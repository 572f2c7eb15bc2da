//! What can be said to `varangian bench agreement`, and the wish that it comes to.

use super::failure::Failure;
use agree::Protocol;
use agree::protocol::F_MAX;
use agree::request::OPERATION_BYTES_MAX;
use clap::{Args, ValueEnum};
use core::str::FromStr;
use core::time::Duration;
use std::path::PathBuf;

/// Clients at most: those of two stations would do.
const CLIENTS_MAX: usize = 100_000;

/// Seconds of one repetition at most.
const SECONDS_MAX: f64 = 3600.0;

/// Measure protocols side by side on this machine: real clusters, a real log, and load from this process.
#[derive(Args)]
#[command(after_help = "\
For each f, payload and number of clients, every repetition runs each system in turn, each time on a fresh cluster of child
processes on loopback, so that whatever else this machine does hits all alike. Compare ratios, not absolute numbers: nodes
and load share the same processors. All that was started is ended, and its files are removed, upon Ctrl-C too.

Examples:
  varangian bench agreement --quick
  varangian bench agreement --f 1,2,3 --clients 1,64,1000 --payload 0/0,0/4,4/0,4/4 --json > results.json
  varangian bench agreement --from results.json --markdown --plot figures
  varangian bench agreement --peers etcd,raft-rs,omnipaxos --clients 64,1000
  varangian bench agreement --failure backup@1.5 --clients 64 --plot figures
  varangian bench agreement --clients 1000 --offered 50000,100000,200000
  varangian bench agreement --clients 10000 --waiting-max 4096          past what a cluster lets wait

--json prints a list. Each object has system, f, clients, request_bytes, reply_bytes, durability, operations_per_second,
p50_us, p99_us, cpu_us_per_operation (nodes and load) and repetition; then load_cpu_us_per_operation, seconds and, where there
is such a thing, links, processes, p90_us, p999_us, max_us, refused (BUSY), retried, errors, view_changes, offered_per_second,
not_begun, requests_per_batch, version, batching. With --failure: system, f, clients, request_bytes, reply_bytes, durability, failure, at_seconds,
pause_ms, pause_at_seconds, half_back_ms, before_per_second, after_per_second, repetition, view_changes, step_ms, over_time_per_second.

Exit codes: 0 measured, 1 something could not be measured, or a view changed without a fault, 2 the wish is wrong or it was stopped.")]
pub(crate) struct Arguments {
    /// The protocols, with commas: byzid, byzid-w, paxos, pbft.
    #[arg(long, value_name = "P", value_delimiter = ',', default_value = "byzid,paxos,pbft")]
    protocols: Vec<Protocol>,

    /// How many nodes may be faulty, with commas.
    #[arg(long, value_name = "F", value_delimiter = ',', default_value = "1", value_parser = f)]
    f: Vec<usize>,

    /// How many clients ask at once, with commas [default: 1,64,1000; of a failure: 64].
    #[arg(long, value_name = "C", value_delimiter = ',', value_parser = clients)]
    clients: Vec<usize>,

    /// Kilobytes of request and reply, with commas.
    #[arg(long, value_name = "X/Y", value_delimiter = ',', default_value = "0/0")]
    payload: Vec<Payload>,

    /// What an operation that is done has survived: fsync; async, written and left to the system; memory, as async, with
    /// the log on /dev/shm.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Durability::Fsync)]
    durability: Durability,

    /// What links are made of.
    #[arg(long, value_name = "LINKS", value_enum, default_value_t = Links::Plain)]
    links: Links,

    /// Whether monitor and replica are apart (byzid, byzid-w).
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Processes::One)]
    processes: Processes,

    /// Seconds of load before it is measured [default: 1; of a failure and with --quick: 0.5].
    #[arg(long, value_name = "S", value_parser = seconds)]
    warmup: Option<f64>,

    /// Seconds that are measured [default: 5; of a failure: 3; with --quick: 1].
    #[arg(long, value_name = "S", value_parser = seconds)]
    seconds: Option<f64>,

    /// How often each is measured [default: 5; with --quick: 3].
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..=1000))]
    repetitions: Option<u32>,

    /// Who begins: another number, another order of the systems in the first repetition.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// A first look: one client and 64, three short repetitions, less than a minute.
    #[arg(long)]
    quick: bool,

    /// Connections of the load, which the clients share [default: one for 512 clients, at most 4].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    stations: Option<u16>,

    /// An open loop: so many operations a second are due, with commas, whether or not those before are done.
    #[arg(long, value_name = "RATE", value_delimiter = ',', value_parser = rate, conflicts_with_all = ["failure", "peers"])]
    offered: Vec<f64>,

    /// Requests that wait at each node at most, before it says BUSY [default: the product's].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    waiting_max: Option<u32>,

    /// Kill a node with SIGKILL at that second of the run, and show the throughput over time: backup@1.5, primary@1.5.
    #[arg(long, value_name = "WHO@SECOND", conflicts_with = "peers")]
    failure: Option<Failure>,

    /// Other systems to measure in turn with ours, with commas, by `varangian-peers` (bench/peers).
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_enum)]
    peers: Vec<Peer>,

    /// Where `varangian-peers` is [default: beside this program, in bench/peers/target/release, or on PATH].
    #[arg(long, value_name = "FILE", requires = "peers")]
    peers_binary: Option<PathBuf>,

    /// Who joins the requests of raft-rs and omnipaxos: the library, as its documentation has it, or the application above it.
    #[arg(long, value_name = "WHO", value_enum, default_value_t = Batching::Library)]
    peers_batching: Batching,

    /// Where folders for the clusters are made [default: the temporary directory; /dev/shm for memory].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Measure nothing: tables and figures of what --json printed before; may be said more than once.
    #[arg(long, value_name = "FILE")]
    from: Vec<PathBuf>,

    /// Print a JSON list.
    #[arg(long)]
    json: bool,

    /// Print the tables as Markdown.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,

    /// Draw figures into this folder, as SVG.
    #[arg(long, value_name = "DIR")]
    plot: Option<PathBuf>,
}

/// When what is done is where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Durability {
    Fsync,
    Async,
    Memory,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Links {
    Plain,
    Tls,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Processes {
    One,
    Separate,
}

/// Somebody else's system.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Peer {
    Etcd,
    RaftRs,
    Omnipaxos,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Batching {
    Library,
    Application,
    Both,
}

/// Bytes of request and reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Payload {
    pub(super) request_bytes: usize,
    pub(super) reply_bytes: usize,
}

/// A system to measure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum System {
    Ours(Protocol),
    Theirs { peer: Peer, is_batched: bool },
}

/// What is to be measured.
pub(super) struct Wish {
    pub(super) systems: Vec<System>,
    pub(super) f: Vec<usize>,
    pub(super) clients: Vec<usize>,
    pub(super) payloads: Vec<Payload>,
    /// Operations a second that are due, or nothing for a closed loop.
    pub(super) offered: Vec<Option<f64>>,
    pub(super) durability: Durability,
    pub(super) plain: bool,
    pub(super) separate: bool,
    pub(super) warmup: Duration,
    pub(super) length: Duration,
    pub(super) repetitions: usize,
    pub(super) seed: u64,
    pub(super) stations: Option<usize>,
    pub(super) requests_waiting_max: Option<usize>,
    pub(super) failure: Option<Failure>,
    pub(super) peers_binary: Option<PathBuf>,
    pub(super) parent: PathBuf,
    pub(super) from: Vec<PathBuf>,
    pub(super) json: bool,
    pub(super) markdown: bool,
    pub(super) plot: Option<PathBuf>,
}

impl Arguments {
    /// What is to be measured, or why that cannot be.
    pub(super) fn wish(&self) -> Result<Wish, String> {
        let (warmup, length, repetitions): (f64, f64, u32) = match (self.failure, self.quick) {
            (Some(_), true) => (0.5, 3.0, 1),
            (Some(_), false) => (0.5, 3.0, 5),
            (None, true) => (0.5, 1.0, 3),
            (None, false) => (1.0, 5.0, 5),
        };
        let usual: &[usize] = match (self.failure, self.quick) {
            (Some(_), _) => &[64],
            (None, true) => &[1, 64],
            (None, false) => &[1, 64, 1000],
        };
        let length = Duration::from_secs_f64(self.seconds.unwrap_or(length));
        if let Some(failure) = self.failure.filter(|failure| failure.at >= length) {
            return Err(format!(
                "the failure at {} s comes after the end of the run; right would be --seconds {}",
                failure.at.as_secs_f64(),
                2.0 * failure.at.as_secs_f64()
            ));
        }
        let memory = self.durability == Durability::Memory;
        let usual_parent = if memory { PathBuf::from("/dev/shm") } else { std::env::temp_dir() };
        let parent = self.dir.clone().unwrap_or(usual_parent);
        if self.from.is_empty() && !parent.is_dir() {
            return Err(format!("there is no folder {}; right would be --dir with one", parent.display()));
        }
        Ok(Wish {
            systems: self.systems(),
            f: self.f.clone(),
            clients: if self.clients.is_empty() { usual.to_vec() } else { self.clients.clone() },
            payloads: self.payload.clone(),
            offered: match &self.offered[..] {
                [] => vec![None],
                rates => rates.iter().copied().map(Some).collect(),
            },
            durability: self.durability,
            plain: self.links == Links::Plain,
            separate: self.processes == Processes::Separate,
            warmup: Duration::from_secs_f64(self.warmup.unwrap_or(warmup)),
            length,
            repetitions: self.repetitions.unwrap_or(repetitions) as usize,
            seed: self.seed,
            stations: self.stations.map(usize::from),
            requests_waiting_max: self.waiting_max.map(|requests| requests as usize),
            failure: self.failure,
            peers_binary: self.peers_binary.clone(),
            parent,
            from: self.from.clone(),
            json: self.json,
            markdown: self.markdown,
            plot: self.plot.clone(),
        })
    }

    fn systems(&self) -> Vec<System> {
        let mut systems: Vec<System> = self.protocols.iter().copied().map(System::Ours).collect();
        for peer in &self.peers {
            let batched: &[bool] = match (peer, self.peers_batching) {
                (Peer::Etcd, _) | (_, Batching::Library) => &[false],
                (_, Batching::Application) => &[true],
                (_, Batching::Both) => &[false, true],
            };
            systems.extend(
                batched.iter().map(|is_batched| System::Theirs { peer: *peer, is_batched: *is_batched }),
            );
        }
        let mut once: Vec<System> = Vec::new();
        for system in systems {
            if !once.contains(&system) {
                once.push(system);
            }
        }
        once
    }
}

impl Durability {
    pub(super) fn name(self) -> &'static str {
        match self {
            Durability::Fsync => "fsync",
            Durability::Async => "async",
            Durability::Memory => "memory",
        }
    }
}

impl Peer {
    pub(super) fn name(self) -> &'static str {
        match self {
            Peer::Etcd => "etcd",
            Peer::RaftRs => "raft-rs",
            Peer::Omnipaxos => "omnipaxos",
        }
    }
}

impl System {
    /// What it is called in tables and figures.
    pub(super) fn label(self) -> String {
        match self {
            System::Ours(protocol) => protocol.name().to_string(),
            System::Theirs { peer, is_batched: false } => peer.name().to_string(),
            System::Theirs { peer, is_batched: true } => format!("{} (batched)", peer.name()),
        }
    }
}

impl FromStr for Payload {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let most = OPERATION_BYTES_MAX / 1024;
        let wrong =
            || format!("right would be kilobytes of request and reply, each from 0 to {most}, such as 4/0");
        let bytes = |text: &str| -> Option<usize> {
            let kilobytes: f64 = text.parse().ok()?;
            (0.0..=most as f64).contains(&kilobytes).then_some((kilobytes * 1024.0).round() as usize)
        };
        let (request, reply) = text.split_once('/').ok_or_else(wrong)?;
        match (bytes(request), bytes(reply)) {
            (Some(request_bytes), Some(reply_bytes)) => Ok(Payload { request_bytes, reply_bytes }),
            _ => Err(wrong()),
        }
    }
}

fn f(text: &str) -> Result<usize, String> {
    let found = text.parse().ok().filter(|f| (1..=F_MAX).contains(f));
    found.ok_or_else(|| format!("right would be a number from 1 to {F_MAX}"))
}

fn clients(text: &str) -> Result<usize, String> {
    let found = text.parse().ok().filter(|clients| (1..=CLIENTS_MAX).contains(clients));
    found.ok_or_else(|| format!("right would be a number from 1 to {CLIENTS_MAX}"))
}

fn seconds(text: &str) -> Result<f64, String> {
    let found = text.parse().ok().filter(|seconds| (0.05..=SECONDS_MAX).contains(seconds));
    found.ok_or_else(|| format!("right would be a number of seconds from 0.05 to {SECONDS_MAX}"))
}

fn rate(text: &str) -> Result<f64, String> {
    let found = text.parse().ok().filter(|rate| (1.0..=1e7).contains(rate));
    found.ok_or_else(|| "right would be operations a second, from 1 to 10000000".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn wish(line: &str) -> Result<Wish, String> {
        let words = core::iter::once("bench").chain(line.split_whitespace());
        Line::try_parse_from(words).map_err(|error| error.to_string())?.arguments.wish()
    }

    #[test]
    fn lists_are_had_with_commas() {
        let wish = wish("--f 1,3 --clients 1,9 --payload 0/0,4/0.5 --protocols pbft,byzid,pbft --peers etcd,raft-rs --peers-batching both")
            .expect("it can be had");
        assert_eq!((wish.f, wish.clients), (vec![1, 3], vec![1, 9]));
        assert_eq!(wish.payloads[1], Payload { request_bytes: 4096, reply_bytes: 512 });
        let labels: Vec<String> = wish.systems.iter().map(|system| system.label()).collect();
        assert_eq!(labels, ["pbft", "byzid", "etcd", "raft-rs", "raft-rs (batched)"]);
        assert_eq!(wish.offered, [None]);
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_would_be_right() {
        for (line, right) in [
            ("--f 0", "from 1 to 10"),
            ("--clients 0", "from 1 to 100000"),
            ("--payload 4", "such as 4/0"),
            ("--payload 4/65", "from 0 to 64"),
            ("--seconds 0", "from 0.05"),
            ("--failure backup@9", "--seconds 18"),
            ("--failure somebody@1", "backup@1.5"),
            ("--dir /nowhere/at/all", "--dir with one"),
            ("--offered 0", "from 1 to"),
            ("--peers zookeeper", "omnipaxos"),
        ] {
            let Err(refused) = wish(line) else { panic!("{line} was taken") };
            assert!(refused.contains(right), "{line}: {refused}");
        }
    }
}
