//! A member of a Rust peer: one thread that takes what has arrived, lets the protocol think once, and sends.
//!
//! Upon requests, as many as have arrived: they become batches (`batch`), the protocol is asked to order those.
//! Upon messages of other members: the protocol is given each.
//! Upon `TICK`: the protocol is told.
//! After all of that, once: the protocol sends, persists and executes ([`Protocol::advance`]); one sync covers all that
//! arrived since the last. So batches grow with the load and one client waits for nobody.
//!
//! The service is an echo: it takes any request, and replies with so many bytes. Not here: sessions, recovery,
//! reconnection. A member that ends ends the run.

mod batch;
mod links;
mod log;
mod omnipaxos;
mod raft_rs;
mod storage;

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Parser;

use crate::failure::Failure;
use crate::family::{Family, free_addresses};
use crate::frame;
use crate::options::{Batching, Durability, Options, System};
use batch::{Batcher, Origin};
use links::{Incoming, Links};

/// The first argument by which this binary is started as a member.
pub(crate) const MEMBER: &str = "member";
/// The protocols count their timeouts in these.
const TICK: Duration = Duration::from_millis(50);

/// What a member is told.
#[derive(Debug, Parser)]
#[command(name = "member")]
struct Arguments {
    #[arg(long)]
    system: System,
    /// From 1.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    id: u32,
    /// Of all members, in the order of their ids.
    #[arg(long, value_delimiter = ',')]
    addresses: Vec<SocketAddr>,
    #[arg(long)]
    dir: PathBuf,
    #[arg(long)]
    durability: Durability,
    #[arg(long)]
    batching: Batching,
    #[arg(long)]
    reply_bytes: u32,
}

/// A protocol that orders batches.
trait Protocol {
    /// Orders these; those that it cannot are given back.
    fn propose(&mut self, batches: Vec<Bytes>) -> Vec<Bytes>;
    /// A message of another member.
    fn receive(&mut self, message: &Bytes) -> io::Result<()>;
    /// `TICK` has passed.
    fn tick(&mut self);
    /// Sends, persists and executes all that is due.
    fn advance(&mut self, links: &mut Links, service: &mut Service) -> io::Result<()>;
    /// Whether this member leads.
    fn leads(&self) -> bool;
}

/// The replicated service of the paper's micro-benchmarks.
#[derive(Debug)]
struct Service {
    member: u32,
    reply: Box<[u8]>,
}

impl Service {
    /// Executes a batch that has been ordered; replies if it was this member's.
    fn execute(&self, batch: &[u8], links: &mut Links) {
        self.answer(batch, frame::DONE, &self.reply, links);
    }

    fn refuse(&self, batch: &[u8], links: &mut Links) {
        self.answer(batch, frame::REFUSED, &[], links);
    }

    fn answer(&self, batch: &[u8], kind: u8, reply: &[u8], links: &mut Links) {
        let Some((member, requests)) = batch::requests(batch) else { return };
        if member != self.member {
            return;
        }
        for (origin, _) in requests {
            if let Some(out) = links.out(origin.connection as usize) {
                frame::put_client(out, origin.tag, kind, reply);
            }
        }
    }
}

/// Runs a member until it fails.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> Failure {
    let arguments = Arguments::parse_from([OsString::from(MEMBER)].into_iter().chain(arguments));
    let outcome = Links::open(arguments.id, &arguments.addresses).and_then(|links| {
        let members = arguments.addresses.len() as u64;
        let log = log::Log::open(&arguments.dir, arguments.durability)?;
        match arguments.system {
            System::RaftRs => {
                serve(&arguments, links, raft_rs::Raft::new(arguments.id.into(), members, log)?)
            }
            System::Omnipaxos => {
                serve(&arguments, links, omnipaxos::Paxos::new(arguments.id.into(), members, log)?)
            }
            System::Etcd => Err(io::Error::other("etcd is a program of its own")),
        }
    });
    let why = outcome.err().map_or_else(|| "it ended".to_owned(), |error| error.to_string());
    Failure::Io { what: MEMBER, why }
}

fn serve(arguments: &Arguments, mut links: Links, mut protocol: impl Protocol) -> io::Result<()> {
    let reply = vec![0; arguments.reply_bytes as usize].into();
    let mut service = Service { member: arguments.id, reply };
    let mut batcher = Batcher::new(arguments.id, arguments.batching);
    let mut probes: Vec<Origin> = Vec::new();
    let mut next_tick = Instant::now() + TICK;
    loop {
        let mut outcome = Ok(());
        links.wait(next_tick.saturating_duration_since(Instant::now()), &mut |incoming| match incoming {
            Incoming::Member { frame } => {
                if let Err(error) = protocol.receive(&frame) {
                    outcome = Err(error);
                }
            }
            Incoming::Client { connection, frame } => match frame::client_parts(&frame) {
                Some((tag, frame::ASK, request)) => batcher.add(Origin { connection, tag }, &request),
                Some((tag, frame::PROBE, _)) => probes.push(Origin { connection, tag }),
                // Nobody but our own load speaks to us.
                _ => {}
            },
        })?;
        outcome?;
        if Instant::now() >= next_tick {
            protocol.tick();
            next_tick = Instant::now() + TICK;
        }
        let batches = batcher.take();
        if !batches.is_empty() {
            for refused in protocol.propose(batches) {
                service.refuse(&refused, &mut links);
            }
        }
        let role = if protocol.leads() { frame::LEADS } else { frame::FOLLOWS };
        for origin in probes.drain(..) {
            if let Some(out) = links.out(origin.connection as usize) {
                frame::put_client(out, origin.tag, role, &[]);
            }
        }
        protocol.advance(&mut links, &mut service)?;
        links.flush()?;
    }
}

/// Starts the members of a cluster; where each listens.
pub(crate) fn start(
    options: &Options,
    system: System,
    dir: &Path,
    family: &mut Family,
) -> Result<Vec<SocketAddr>, Failure> {
    let addresses = free_addresses(options.members() as usize).map_err(Failure::io("free ports"))?;
    let list = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let program = std::env::current_exe().map_err(Failure::io("this program's own file"))?;
    for id in 1..=options.members() {
        let data = dir.join(format!("m{id}"));
        std::fs::create_dir_all(&data).map_err(Failure::io("a member's directory"))?;
        let mut words: Vec<OsString> = [
            MEMBER,
            "--system",
            system.name(),
            "--id",
            &id.to_string(),
            "--addresses",
            &list,
            "--durability",
            options.durability.name(),
            "--batching",
            options.batching.name(),
            "--reply-bytes",
            &options.reply_bytes.to_string(),
        ]
        .into_iter()
        .map(OsString::from)
        .collect();
        words.extend(["--dir".into(), data.into_os_string()]);
        family.start(program.as_os_str(), &words, dir.join(format!("m{id}.log")))?;
    }
    Ok(addresses)
}
