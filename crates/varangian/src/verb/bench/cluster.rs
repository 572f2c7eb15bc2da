//! A cluster of real processes on this machine.
//!
//! Upon a start: the files are made as `varangian init` makes them, in a folder of their own, on ports that nobody uses; each node is
//!   this same program as a child process; all must say that they take part within [`UP_MAX`].
//! Upon the death of a node that was wished for: it and its parts are killed at once.
//! Upon the end, also after an error: every node is asked to end, killed if it has not within [`END_MAX`], and the folder goes.
//! Upon our own death, however it comes: nodes hear it from the kernel, and end.

use super::folder::Folder;
use super::stop::Stop;
use super::trouble::Trouble;
use super::{ask, processes};
use crate::verb::init::files::{Failed, HTTP_PORTS_AFTER, Plan};
use crate::verb::init::shape::Shape;
use agree::Protocol;
use core::time::Duration;
use link::WallTime;
use node::config::ClientConfig;
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Instant, SystemTime};

/// How long the nodes may take until all take part.
const UP_MAX: Duration = Duration::from_secs(20);

/// How often it is looked whether they do.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How long a node that was asked to end may take.
const END_MAX: Duration = Duration::from_secs(5);

/// The program that runs: the same file even if another one has taken its name since.
const PROGRAM: &str = "/proc/self/exe";

/// Ports are taken from here on, in blocks, below those that the system gives to whoever does not mind. A row of blocks for links is
/// followed by as many ports for metrics.
const PORT_MIN: u16 = 30_000;
const BLOCK_PORTS: u16 = 33;
const BLOCKS_IN_A_ROW: u16 = HTTP_PORTS_AFTER / BLOCK_PORTS;
const ROWS: u16 = 13;

/// Characters of what a node said that are told on.
const SAID_CHARACTERS_MAX: usize = 400;

/// What cluster there is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish<'a> {
    pub(super) protocol: Protocol,
    pub(super) f: usize,
    /// Links prove nothing and hide nothing.
    pub(super) plain: bool,
    /// Monitor and replica are apart.
    pub(super) separate: bool,
    /// Whether what is said is on disk before.
    pub(super) fsync: bool,
    /// Requests that wait at most, if not as many as usual.
    pub(super) requests_waiting_max: Option<usize>,
    /// Where its folder is made.
    pub(super) parent: &'a Path,
}

/// A cluster that runs.
pub(super) struct Cluster {
    nodes: Vec<Node>,
    client: PathBuf,
    // Last, so that they go when nobody uses them any more.
    ports: Ports,
    _folder: Folder,
}

struct Node {
    child: Child,
    http: SocketAddr,
    log: PathBuf,
    is_over: bool,
}

impl Cluster {
    /// Makes and starts one.
    pub(super) fn start(wish: &Wish<'_>, stop: &Stop) -> Result<Cluster, Trouble> {
        let folder = Folder::new(wish.parent)?;
        let members = wish.protocol.replicas(wish.f);
        let ports = Ports::claim(members)?;
        let shape = Shape { protocol: wish.protocol, f: wish.f, members, spares: 0, clients: 1 };
        let plan = Plan {
            name: "bench".to_string(),
            shape,
            host: Ipv4Addr::LOCALHOST.into(),
            port: ports.first,
            plain: wish.plain,
            service: "null",
            separate: wish.separate,
            durability: if wish.fsync { "fsync" } else { "async" },
            expires: WallTime::from(SystemTime::now()).day_after(1),
        };
        let home = folder.path().join("cluster");
        let made = plan.make(&home).map_err(|failed| match failed {
            Failed::Taken(path) => Trouble::Init(format!("{} has something in it", path.display())),
            Failed::File(path, error) => Trouble::File(path, error),
            Failed::Secret(error) => Trouble::Init(error.to_string()),
            Failed::Log(error) => Trouble::Init(error),
        })?;
        let client = made.clients.first().map(|client| client.file.clone()).unwrap_or_default();
        let mut cluster = Cluster { nodes: Vec::new(), client, ports, _folder: folder };
        for node in &made.nodes {
            if let Some(requests) = wish.requests_waiting_max {
                let settings = format!("\n[settings]\nrequests_waiting_max = {requests}\n");
                let file = OpenOptions::new().append(true).open(&node.file);
                let written = file.and_then(|mut file| file.write_all(settings.as_bytes()));
                written.map_err(|error| Trouble::File(node.file.clone(), error))?;
            }
            let http = cluster.ports.first + HTTP_PORTS_AFTER + node.number as u16;
            cluster.nodes.push(start_node(&node.file, (Ipv4Addr::LOCALHOST, http).into())?);
        }
        cluster.wait_until_up(stop)?;
        Ok(cluster)
    }

    fn wait_until_up(&mut self, stop: &Stop) -> Result<(), Trouble> {
        let end = Instant::now() + UP_MAX;
        let all = self.nodes.len() as u64;
        for number in 0..self.nodes.len() {
            loop {
                let node = &mut self.nodes[number];
                if let Ok(Some(_)) = node.child.try_wait() {
                    node.is_over = true;
                    return Err(Trouble::Ended { node: number, said: node.said() });
                }
                let is_linked = |status: &Value| {
                    status["links_up"].as_array().is_some_and(|links| links.len() as u64 + 1 >= all)
                };
                if ask::status(node.http)
                    .is_some_and(|status| status["healthy"] == true && is_linked(&status))
                {
                    break;
                }
                if Instant::now() > end {
                    return Err(Trouble::NotUp { node: number, said: node.said() });
                }
                stop.wait_until(Instant::now() + LOOK_EVERY)?;
            }
        }
        Ok(())
    }

    /// What a client of it is told.
    pub(super) fn client(&self) -> Result<ClientConfig, Trouble> {
        ClientConfig::load(&self.client).map_err(|error| Trouble::Init(error.to_string()))
    }

    /// Processor time of all its processes so far, in microseconds.
    pub(super) fn spent_us(&self) -> f64 {
        let roots: Vec<u32> =
            self.nodes.iter().filter(|node| !node.is_over).map(|node| node.child.id()).collect();
        processes::with_descendants(&roots).into_iter().filter_map(processes::spent_us).sum()
    }

    /// The greatest view or configuration that a node is in.
    pub(super) fn configuration(&self) -> Option<u64> {
        self.asked("configuration").max()
    }

    /// Who leads.
    pub(super) fn primary(&self) -> Option<usize> {
        self.asked("primary").next().and_then(|primary| usize::try_from(primary).ok())
    }

    /// Requests that all nodes together have executed so far, and in how many batches.
    pub(super) fn executed(&self) -> (u64, u64) {
        let nodes = self.nodes.iter().filter(|node| !node.is_over);
        let said = nodes.filter_map(|node| {
            let status = ask::status(node.http)?;
            Some((status["requests"].as_u64()?, status["batches"].as_u64()?))
        });
        said.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    fn asked<'a>(&'a self, what: &'a str) -> impl Iterator<Item = u64> + 'a {
        let nodes = self.nodes.iter().filter(|node| !node.is_over);
        nodes.filter_map(move |node| ask::status(node.http)?[what].as_u64())
    }

    /// How many nodes it has.
    pub(super) fn members(&self) -> usize {
        self.nodes.len()
    }

    /// A node that ended by itself.
    pub(super) fn check(&mut self) -> Result<(), Trouble> {
        for (number, node) in self.nodes.iter_mut().enumerate().filter(|(_, node)| !node.is_over) {
            if let Ok(Some(_)) = node.child.try_wait() {
                node.is_over = true;
                return Err(Trouble::Ended { node: number, said: node.said() });
            }
        }
        Ok(())
    }

    /// Kills a node and its parts.
    pub(super) fn kill(&mut self, number: usize) {
        if let Some(node) = self.nodes.get_mut(number) {
            node.kill();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in self.nodes.iter().filter(|node| !node.is_over) {
            processes::ask_to_end(node.child.id());
        }
        let end = Instant::now() + END_MAX;
        for node in &mut self.nodes {
            while !node.is_over && Instant::now() < end {
                match node.child.try_wait() {
                    Ok(None) => std::thread::sleep(LOOK_EVERY / 4),
                    Ok(Some(_)) | Err(_) => node.is_over = true,
                }
            }
            node.kill();
        }
    }
}

impl Node {
    fn kill(&mut self) {
        if core::mem::replace(&mut self.is_over, true) {
            return;
        }
        // Found before the parent goes, since nobody knows afterwards whose they were.
        let family = processes::with_descendants(&[self.child.id()]);
        // Nobody else has its number as long as it has not been waited for.
        let _ = self.child.kill();
        family.iter().filter(|id| **id != self.child.id()).for_each(|id| processes::end(*id));
        let _ = self.child.wait();
    }

    /// The last that it said.
    fn said(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let start = text.char_indices().rev().nth(SAID_CHARACTERS_MAX).map_or(0, |(at, _)| at);
        match text[start..].trim() {
            "" => "it said nothing".to_string(),
            said => said.to_string(),
        }
    }
}

fn start_node(config: &Path, http: SocketAddr) -> Result<Node, Trouble> {
    let log = config.with_file_name("said.log");
    let file = File::create(&log).map_err(|error| Trouble::File(log.clone(), error))?;
    let child = Command::new(PROGRAM)
        .arg0("varangian")
        .args(["node", "--parent", &std::process::id().to_string()])
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        // A terminal's Ctrl-C is for us; we tell them.
        .process_group(0)
        .spawn()
        .map_err(Trouble::NotStarted)?;
    Ok(Node { child, http, log, is_over: false })
}

/// Ports that no other measurement takes meanwhile: whoever holds the first port of a block has the block.
struct Ports {
    first: u16,
    _claim: TcpListener,
}

impl Ports {
    /// Claims as many ports in a row as there are nodes, for links, with as many for metrics.
    fn claim(nodes: usize) -> Result<Ports, Trouble> {
        let claimed = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok();
        let blocks = BLOCKS_IN_A_ROW * ROWS;
        // Several of us at once begin at different places, so that they rarely ask for the same one.
        let begin = (std::process::id() % u32::from(blocks)) as u16;
        for step in 0..blocks {
            let block = (begin + step) % blocks;
            let row = PORT_MIN + block / BLOCKS_IN_A_ROW * (2 * HTTP_PORTS_AFTER);
            let port = row + block % BLOCKS_IN_A_ROW * BLOCK_PORTS;
            let Some(claim) = claimed(port) else { continue };
            let first = port + 1;
            let mut ports = (first..first + nodes as u16).flat_map(|port| [port, port + HTTP_PORTS_AFTER]);
            if nodes < usize::from(BLOCK_PORTS) && ports.all(|port| claimed(port).is_some()) {
                return Ok(Ports { first, _claim: claim });
            }
        }
        Err(Trouble::NoPorts(nodes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agree::protocol::F_MAX;

    #[test]
    fn nobody_gets_ports_that_somebody_else_has() {
        let most = Protocol::Pbft.replicas(F_MAX);
        let (one, other) =
            (Ports::claim(most).expect("some are free"), Ports::claim(most).expect("and more"));
        assert!(one.first.abs_diff(other.first) >= BLOCK_PORTS, "{} and {}", one.first, other.first);
        let last = PORT_MIN + (2 * ROWS - 1) * HTTP_PORTS_AFTER + BLOCKS_IN_A_ROW * BLOCK_PORTS;
        assert!(last < 32_768, "what comes after is given to whoever does not mind");
        assert!(Ports::claim(usize::from(BLOCK_PORTS)).is_err());
    }
}
