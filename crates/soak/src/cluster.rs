//! A cluster of real processes, and a hand on each of them.
//!
//! Upon a start: `varangian init` makes it; each node is `varangian node` in the namespace of its own, or on loopback. A traitor's
//!   node is the same supervisor and the same monitor, run by this program, beside a replica that lies.
//! Upon the end, whatever it is: every process is killed by its own handle, and the folder goes. If the runner dies, they die.

use crate::disk::Disk;
use crate::ground::Ground;
use crate::network;
use crate::parts::{Part, part_of};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a node may take to end when it is told to.
const END_MAX: Duration = Duration::from_secs(20);

/// How long a node may take to answer for itself.
const ANSWER_MAX: Duration = Duration::from_millis(600);

/// How often something is looked at that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The port of a node that has an address of its own; the one for metrics is [`HTTP_PORTS_AFTER`] later.
const PORT: u16 = 7400;
const HTTP_PORTS_AFTER: u16 = 100;

/// Clients: who loads the cluster, whose key is used by somebody else, whose key has ended.
const CLIENTS: u16 = 3;

/// Characters of what a node said that are shown when something went wrong.
const TAIL_CHARACTERS: usize = 3_000;

/// How a cluster is made.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// The product's binary.
    pub(crate) varangian: PathBuf,
    /// Where it happens.
    pub(crate) ground: Ground,
    /// The protocol.
    pub(crate) protocol: agree::Protocol,
    /// How many nodes may be faulty.
    pub(crate) f: usize,
    /// The last node has a small disk of its own, if the ground allows.
    pub(crate) small_disk: bool,
    /// Set upon Ctrl-C.
    pub(crate) stop: Arc<AtomicBool>,
}

impl Wish {
    /// How many nodes there are.
    pub(crate) fn nodes(&self) -> u16 {
        self.protocol.replicas(self.f) as u16
    }
}

/// How a node lies.
#[derive(Clone, Debug)]
pub(crate) struct Treason {
    /// By this strategy.
    pub(crate) behaviour: String,
    /// With whims from this seed.
    pub(crate) seed: u64,
}

struct Node {
    address: SocketAddr,
    http: SocketAddr,
    child: Option<Child>,
    treason: Option<Treason>,
}

/// The supervisors' processes as they are now, for whoever watches them.
pub(crate) type Pids = Arc<Mutex<Vec<Option<u32>>>>;

/// A cluster.
pub(crate) struct Cluster {
    wish: Wish,
    nodes: Vec<Node>,
    pids: Pids,
    disk: Option<Disk>,
    // The last to go: the disk is in it.
    folder: TempDir,
}

impl Cluster {
    /// Makes a cluster; no node runs yet.
    pub(crate) fn make(wish: &Wish) -> Result<Cluster, String> {
        let folder = TempDir::with_prefix("soak-").map_err(|error| error.to_string())?;
        let nodes = wish.nodes();
        let (host, port) = match wish.ground {
            Ground::Own => (network::address(0), PORT),
            Ground::Loopback(_) => (Ipv4Addr::LOCALHOST.into(), free_ports(nodes)?),
        };
        let made = Command::new(&wish.varangian)
            .args(["init", "made", "--protocol", wish.protocol.name()])
            .args(["--nodes", &nodes.to_string(), "--clients", &CLIENTS.to_string()])
            .args(["--host", &host.to_string(), "--port", &port.to_string()])
            .current_dir(folder.path())
            .output()
            .map_err(|error| format!("{}: {error}", wish.varangian.display()))?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).into_owned());
        }
        let address = |node: u16| match wish.ground {
            Ground::Own => (network::address(node), PORT),
            Ground::Loopback(_) => (host, port + node),
        };
        let mut cluster = Cluster {
            wish: wish.clone(),
            nodes: Vec::new(),
            pids: Arc::new(Mutex::new(vec![None; usize::from(nodes)])),
            disk: None,
            folder,
        };
        for node in 0..nodes {
            let (host, port) = address(node);
            let http = SocketAddr::new(host, port + HTTP_PORTS_AFTER);
            cluster.nodes.push(Node { address: (host, port).into(), http, child: None, treason: None });
        }
        cluster.edit_all(host, port)?;
        if wish.small_disk && wish.ground == Ground::Own {
            let last = nodes - 1;
            let image = cluster.folder.path().join("disk.ext4");
            cluster.disk = Some(Disk::make(&image, &cluster.home_of_node(last).join("data"))?);
        }
        Ok(cluster)
    }

    /// Puts the nodes' own addresses in the place of those that `init` gave them, and lets the key of the last client end.
    fn edit_all(&self, host: IpAddr, port: u16) -> Result<(), String> {
        let client = self.config_of_client(CLIENTS);
        let expiring = identity_of(&client, "client", CLIENTS)?;
        let mut expired = expiring.rsplit_once(':').ok_or("an identity has no end")?.0.to_string();
        expired.push_str(":2020-01-01");
        let configs = (0..self.count()).map(|node| (self.config_of_node(node), true));
        for (file, is_node) in
            configs.chain((1..=CLIENTS).map(|client| (self.config_of_client(client), false)))
        {
            let mut text =
                fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            for (index, node) in self.nodes.iter().enumerate() {
                let given = SocketAddr::new(host, port + index as u16);
                text = text.replace(&format!("\"{given}\""), &format!("\"{}\"", node.address));
                let given =
                    SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port + HTTP_PORTS_AFTER + index as u16);
                text = text.replace(&format!("\"{given}\""), &format!("\"{}\"", node.http));
            }
            if is_node {
                text = text.replace(&expiring, &expired);
                // With times, so that what a node said can be laid beside what was done to it.
                text = text.replace("log_form = \"text\"", "log_form = \"json\"");
            }
            fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        Ok(())
    }

    /// How many nodes there are.
    pub(crate) fn count(&self) -> u16 {
        self.nodes.len() as u16
    }

    /// How it was made.
    pub(crate) fn wish(&self) -> &Wish {
        &self.wish
    }

    /// Where a node listens.
    pub(crate) fn address(&self, node: u16) -> SocketAddr {
        self.nodes[usize::from(node)].address
    }

    /// The folder that goes with the cluster.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn home_of_node(&self, node: u16) -> PathBuf {
        self.folder.path().join(format!("made/node-{node}"))
    }

    fn config_of_node(&self, node: u16) -> PathBuf {
        self.home_of_node(node).join("node.toml")
    }

    /// The configuration of a client.
    pub(crate) fn config_of_client(&self, client: u16) -> PathBuf {
        self.folder.path().join(format!("made/client-{client}/client.toml"))
    }

    /// The disk of the last node, if it has one of its own.
    pub(crate) fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    /// The supervisors, for whoever watches them.
    pub(crate) fn pids(&self) -> Pids {
        Arc::clone(&self.pids)
    }

    /// From its next start on the node lies, once [`Cluster::let_lie`] says so.
    pub(crate) fn corrupt(&mut self, node: u16, treason: Treason) {
        self.nodes[usize::from(node)].treason = Some(treason);
    }

    fn mark(&self) -> PathBuf {
        self.folder.path().join("lie-now")
    }

    /// Traitors lie from now on.
    pub(crate) fn let_lie(&self) -> Result<(), String> {
        fs::write(self.mark(), "").map_err(|error| error.to_string())
    }

    /// Starts a node. What it says is in `node-N.log`.
    pub(crate) fn start_node(&mut self, node: u16) -> Result<(), String> {
        let log = fs::File::options().create(true).append(true).open(self.log_of_node(node));
        let log = log.map_err(|error| error.to_string())?;
        let program = match &self.nodes[usize::from(node)].treason {
            None => vec![self.wish.varangian.clone().into_os_string(), "node".into()],
            Some(treason) => {
                let me = std::env::current_exe().map_err(|error| error.to_string())?;
                vec![
                    me.into_os_string(),
                    "node".into(),
                    "--behaviour".into(),
                    treason.behaviour.clone().into(),
                    "--seed".into(),
                    treason.seed.to_string().into(),
                    "--mark".into(),
                    self.mark().into_os_string(),
                ]
            }
        };
        let mut command = match self.wish.ground {
            Ground::Own => {
                let mut command = Command::new("nsenter");
                command.arg(format!("--net={}", network::name_of(node)));
                // Who starts it is the thread that ends last; when it is gone the node goes.
                command.args(["--", "setpriv", "--pdeathsig", "KILL", "--"]).args(program);
                command
            }
            Ground::Loopback(_) => {
                let mut command = Command::new(&program[0]);
                command.args(&program[1..]);
                command
            }
        };
        let child = command
            .arg(self.config_of_node(node))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(|error| format!("cannot start node {node}: {error}"))?;
        self.set_pid(node, Some(child.id()));
        self.nodes[usize::from(node)].child = Some(child);
        Ok(())
    }

    fn set_pid(&self, node: u16, pid: Option<u32>) {
        self.pids.lock().unwrap_or_else(PoisonError::into_inner)[usize::from(node)] = pid;
    }

    /// Starts all nodes.
    pub(crate) fn start(&mut self) -> Result<(), String> {
        (0..self.count()).try_for_each(|node| self.start_node(node))
    }

    fn log_of_node(&self, node: u16) -> PathBuf {
        self.folder.path().join(format!("node-{node}.log"))
    }

    /// The end of what a node has said.
    pub(crate) fn said_by_node(&self, node: u16) -> String {
        let text = fs::read_to_string(self.log_of_node(node)).unwrap_or_default();
        let from = text.len().saturating_sub(TAIL_CHARACTERS);
        text.get(from..).unwrap_or(&text).to_string()
    }

    /// How often a node has complained of something.
    pub(crate) fn complaints_of_node(&self, node: u16, what: &str) -> usize {
        fs::read_to_string(self.log_of_node(node)).unwrap_or_default().matches(what).count()
    }

    /// The process of a node's supervisor.
    pub(crate) fn pid(&self, node: u16) -> Result<Pid, String> {
        let child = self.nodes[usize::from(node)].child.as_ref();
        child.map(Pid::from_child).ok_or_else(|| format!("node {node} does not run"))
    }

    /// The process of a part of a node, for which it waits a little if it is being started.
    pub(crate) fn part(&self, node: u16, part: Part) -> Result<Pid, String> {
        let supervisor = self.pid(node)?;
        let end = Instant::now() + ANSWER_MAX;
        loop {
            if let Some(pid) = part_of(supervisor, part) {
                return Ok(pid);
            }
            if Instant::now() >= end {
                return Err(format!("node {node} has no {}", part.name()));
            }
            sleep(LOOK_EVERY);
        }
    }

    /// Kills a node whole, as `kill -9` of its supervisor does.
    pub(crate) fn kill_node(&mut self, node: u16) {
        if let Some(mut child) = self.nodes[usize::from(node)].child.take() {
            let _ = child.kill();
            let _ = child.wait();
            self.set_pid(node, None);
        }
    }

    /// Whether a node that was started has ended by itself.
    pub(crate) fn has_ended(&mut self, node: u16) -> bool {
        let child = self.nodes[usize::from(node)].child.as_mut();
        child.is_some_and(|child| child.try_wait().is_ok_and(|status| status.is_some()))
    }

    /// Tells a node to stop and waits until it has, in order.
    pub(crate) fn stop_node(&mut self, node: u16) -> Result<(), String> {
        signal(self.pid(node)?, Signal::TERM)?;
        let end = Instant::now() + END_MAX;
        let Some(child) = &mut self.nodes[usize::from(node)].child else { return Ok(()) };
        let status = loop {
            match child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => break status,
                None if Instant::now() >= end => return Err(format!("node {node} does not stop")),
                None => sleep(LOOK_EVERY),
            }
        };
        self.nodes[usize::from(node)].child = None;
        self.set_pid(node, None);
        match status.success() {
            true => Ok(()),
            false => Err(format!("node {node} was told to stop and ended with {status}")),
        }
    }

    fn ask(&self, node: u16, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect_timeout(&self.nodes[usize::from(node)].http, ANSWER_MAX).ok()?;
        stream.set_read_timeout(Some(ANSWER_MAX)).ok()?;
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n").as_bytes())
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer.split_once("\r\n\r\n")?.1.to_string())
    }

    /// What a node says of itself; nothing while it does not answer.
    pub(crate) fn status_of_node(&self, node: u16) -> Option<Value> {
        serde_json::from_str(&self.ask(node, "/status")?).ok()
    }

    /// A node's metrics, each with its labels.
    pub(crate) fn metrics_of_node(&self, node: u16) -> Vec<(String, f64)> {
        let text = self.ask(node, "/metrics").unwrap_or_default();
        let metric = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_string(), value.parse().ok()?))
        };
        text.lines().filter(|line| !line.starts_with('#')).filter_map(metric).collect()
    }

    /// Who leads, by the word of the node that is furthest.
    pub(crate) fn primary(&self) -> Option<u16> {
        let statuses = (0..self.count()).filter_map(|node| self.status_of_node(node));
        let healthy = statuses.filter(|status| status["healthy"] == true);
        let furthest = healthy.max_by_key(|status| status["configuration"].as_u64())?;
        furthest["primary"].as_u64().map(|primary| primary as u16)
    }

    /// Waits until all of `nodes` take part and have executed what any node had when it began; how long that took.
    pub(crate) fn wait_whole(&self, nodes: &[u16], patience: Duration) -> Result<Duration, String> {
        let begin = Instant::now();
        let executed = |status: &Value| status["executed"].as_u64().unwrap_or(0);
        let statuses = self.all().into_iter().filter_map(|node| self.status_of_node(node));
        let goal = statuses.map(|status| executed(&status)).max();
        let goal = goal.unwrap_or(0);
        let is_whole = |node: &u16| {
            let status = self.status_of_node(*node);
            status.is_some_and(|status| status["healthy"] == true && executed(&status) >= goal)
        };
        loop {
            let missing: Vec<u16> = nodes.iter().copied().filter(|node| !is_whole(node)).collect();
            if missing.is_empty() {
                return Ok(begin.elapsed());
            }
            if self.is_stopped() {
                return Err("it was told to stop".to_string());
            }
            if begin.elapsed() >= patience {
                let of = |node: &u16| {
                    format!("node {node}: {:?}", self.status_of_node(*node).map(|status| status.to_string()))
                };
                let all: Vec<String> = nodes.iter().map(of).collect();
                return Err(format!(
                    "nodes {missing:?} do not take part after {} s, or are behind #{goal}\n{}",
                    patience.as_secs(),
                    all.join("\n")
                ));
            }
            sleep(LOOK_EVERY);
        }
    }

    /// All nodes.
    pub(crate) fn all(&self) -> Vec<u16> {
        (0..self.count()).collect()
    }

    /// Waits, unless it is to stop.
    pub(crate) fn pause(&self, how_long: Duration) {
        let end = Instant::now() + how_long;
        while !self.is_stopped() {
            match end.saturating_duration_since(Instant::now()) {
                Duration::ZERO => return,
                left => sleep(left.min(LOOK_EVERY)),
            }
        }
    }

    /// Whether somebody pressed Ctrl-C.
    pub(crate) fn is_stopped(&self) -> bool {
        self.wish.stop.load(Ordering::Relaxed)
    }

    /// Keeps the folder after the end, and says where it is.
    pub(crate) fn keep(&mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_path_buf()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in 0..self.count() {
            self.kill_node(node);
        }
        // Parts die when their supervisor does, which takes a moment; they hold the disk.
        if self.disk.is_some() {
            sleep(LOOK_EVERY * 5);
            self.disk = None;
        }
    }
}

/// Sends a signal.
pub(crate) fn signal(pid: Pid, signal: Signal) -> Result<(), String> {
    kill_process(pid, signal).map_err(|error| format!("signal to {}: {error}", pid.as_raw_nonzero()))
}

/// The identity that the file pins for somebody.
pub(crate) fn identity_of(file: &Path, kind: &str, number: u16) -> Result<String, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut lines = text.lines().skip_while(|line| *line != format!("{kind} = {number}"));
    let line = lines.find_map(|line| line.strip_prefix("identity = \"")?.strip_suffix('"'));
    line.map(ToString::to_string).ok_or_else(|| format!("{} pins no {kind} {number}", file.display()))
}

/// The first of ports in a row on loopback that nobody uses, as many again for metrics.
fn free_ports(count: u16) -> Result<u16, String> {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let first = (std::process::id() % 40) as u16;
    (0..40)
        .map(|block| 20_000 + (first + block) % 40 * 250)
        .find(|port| (*port..port + count).all(|port| is_free(port) && is_free(port + HTTP_PORTS_AFTER)))
        .ok_or_else(|| "no ports are free".to_string())
}
