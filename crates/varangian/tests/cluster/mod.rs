//! A cluster of real processes on loopback, for tests of the binary.
//!
//! Upon a start: `varangian init` makes it on ports that are free, then each node is a child process. Upon the end of the test, also
//! one that failed: every child is killed, by its own handle, and the folder goes.

#![allow(dead_code, reason = "each file of tests uses its own part of it")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before the test says that it does not come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How far the port for metrics is from that of a node.
const HTTP_PORTS_AFTER: u16 = 100;

/// How a cluster is made.
pub(crate) struct Wish {
    /// The protocol.
    pub(crate) protocol: &'static str,
    /// How many nodes.
    pub(crate) nodes: u16,
    /// Whether what is said is on disk before.
    pub(crate) fsync: bool,
}

/// A cluster.
pub(crate) struct Cluster {
    folder: tempfile::TempDir,
    port: u16,
    nodes: Vec<Option<Child>>,
}

impl Cluster {
    /// Makes a cluster; no node runs yet.
    pub(crate) fn make(wish: &Wish) -> Cluster {
        Cluster::make_with(wish, "")
    }

    /// The same, with more for `varangian init`.
    pub(crate) fn make_with(wish: &Wish, more: &str) -> Cluster {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let port = free_ports(wish.nodes);
        let line =
            format!("init made --nodes {} --protocol {} --port {port} {more}", wish.nodes, wish.protocol);
        let made = binary().args(line.split_whitespace()).current_dir(folder.path()).output();
        let made = made.expect("the binary runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let cluster = Cluster { folder, port, nodes: (0..wish.nodes).map(|_| None).collect() };
        for node in 0..wish.nodes {
            cluster.edit(&cluster.config_of_node(node), |text| configured(text, wish.fsync));
        }
        cluster
    }

    /// Makes a cluster and starts all its nodes.
    pub(crate) fn start(wish: &Wish) -> Cluster {
        let mut cluster = Cluster::make(wish);
        for node in 0..wish.nodes {
            cluster.start_node(node);
        }
        cluster
    }

    /// Has each node run its monitor and its replica in processes of their own.
    pub(crate) fn set_apart(&self) {
        for node in 0..self.nodes.len() as u16 {
            self.edit(&self.config_of_node(node), |text| text.replace("\"one\"", "\"separate\""));
        }
    }

    /// Starts all nodes and waits until each says that it takes part.
    pub(crate) fn start_all(&mut self) {
        for node in 0..self.nodes.len() as u16 {
            self.start_node(node);
        }
        self.wait_until("all take part", || (0..self.nodes.len() as u16).all(|node| self.is_healthy(node)));
    }

    /// Whether a node says that it takes part.
    pub(crate) fn is_healthy(&self, node: u16) -> bool {
        self.status_of_node(node).is_some_and(|status| status["healthy"] == true)
    }

    /// A number in what a node says of itself.
    pub(crate) fn number(&self, node: u16, field: &str) -> u64 {
        let status = self.status_of_node(node);
        let number = status.as_ref().and_then(|status| status[field].as_u64());
        number.unwrap_or_else(|| panic!("no {field} in {status:?}"))
    }

    /// Sends a node's own process a signal.
    pub(crate) fn signal_node(&self, node: u16, name: &str) {
        let child = self.nodes[usize::from(node)].as_ref().expect("it runs");
        signal(name, u64::from(child.id()));
    }

    /// `varangian status`, by the configuration of the client.
    pub(crate) fn survey(&self, arguments: &[&str]) -> Output {
        let mut command = binary();
        command.arg("status").arg("--config").arg(self.config_of_client()).args(arguments);
        command.output().expect("the binary runs")
    }

    /// The same as JSON.
    pub(crate) fn survey_json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.survey(&[arguments, &["--json"]].concat());
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The folder of the cluster.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("made")
    }

    /// The port to which a node's links come.
    pub(crate) fn port_of_node(&self, node: u16) -> u16 {
        self.port + node
    }

    /// The configuration of a node.
    pub(crate) fn config_of_node(&self, node: u16) -> PathBuf {
        self.folder().join(format!("node-{node}/node.toml"))
    }

    /// The configuration of the client.
    pub(crate) fn config_of_client(&self) -> PathBuf {
        self.folder().join("client-1/client.toml")
    }

    /// Writes a configuration anew.
    pub(crate) fn edit(&self, file: &Path, edit: impl FnOnce(String) -> String) {
        let text = fs::read_to_string(file).expect("it was made");
        fs::write(file, edit(text)).expect("it can be written");
    }

    /// Starts a node. What it says is in `node-N.log` beside its folder.
    pub(crate) fn start_node(&mut self, node: u16) {
        self.start_node_of(node, &self.config_of_node(node));
    }

    /// The same by another configuration.
    pub(crate) fn start_node_of(&mut self, node: u16, config: &Path) {
        let log = fs::File::options().create(true).append(true).open(self.log_of_node(node)).expect("a file");
        let child = binary()
            .arg("node")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the binary runs");
        self.nodes[usize::from(node)] = Some(child);
    }

    fn log_of_node(&self, node: u16) -> PathBuf {
        self.folder.path().join(format!("node-{node}.log"))
    }

    /// What a node has said.
    pub(crate) fn said_by_node(&self, node: u16) -> String {
        fs::read_to_string(self.log_of_node(node)).unwrap_or_default()
    }

    /// Kills a node with SIGKILL.
    pub(crate) fn kill_node(&mut self, node: u16) {
        if let Some(mut child) = self.nodes[usize::from(node)].take() {
            child.kill().expect("it runs");
            child.wait().expect("it was killed");
        }
    }

    /// What a node says of itself; nothing while it does not answer.
    pub(crate) fn status_of_node(&self, node: u16) -> Option<serde_json::Value> {
        serde_json::from_str(&self.ask(node, "/status")?.1).ok()
    }

    /// The code and the words of a node's health.
    pub(crate) fn health_of_node(&self, node: u16) -> (u16, String) {
        self.ask(node, "/health").expect("it answers")
    }

    /// The code and the body of what a node answers over HTTP.
    pub(crate) fn ask(&self, node: u16, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port + HTTP_PORTS_AFTER + node)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        let question = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(question.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_string()))
    }

    /// `varangian kv` of the client.
    pub(crate) fn kv(&self, arguments: &[&str]) -> Output {
        self.kv_command(arguments).output().expect("the binary runs")
    }

    /// `varangian kv` of the client, not started yet.
    pub(crate) fn kv_command(&self, arguments: &[&str]) -> Command {
        let mut command = binary();
        command.arg("kv").arg("--config").arg(self.config_of_client());
        if !arguments.contains(&"--timeout") {
            command.args(["--timeout", "60"]);
        }
        command.args(arguments);
        command
    }

    /// The same, which must end with 0; what it printed.
    pub(crate) fn kv_done(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.kv(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kv {arguments:?}: {said}\n{}", self.said());
        output.stdout
    }

    /// What all nodes have said and say of themselves.
    pub(crate) fn said(&self) -> String {
        let of =
            |node: u16| format!("node {node}: {}{:?}\n", self.said_by_node(node), self.status_of_node(node));
        (0..self.nodes.len() as u16).map(of).collect()
    }

    /// Waits until `is_so`.
    pub(crate) fn wait_until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < end, "it does not come that {what}\n{}", self.said());
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.nodes.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Sends a process a signal.
pub(crate) fn signal(name: &str, pid: u64) {
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(sent.expect("there is such a program").success(), "{name} to {pid}");
}

/// The binary under test.
pub(crate) fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_varangian"))
}

/// A node's configuration for a test: one process, and as durable as wished.
fn configured(text: String, fsync: bool) -> String {
    let durability = if fsync { "fsync" } else { "async" };
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| !line.starts_with("processes") && !line.starts_with("durability"))
        .map(ToString::to_string)
        .collect();
    let at = lines.iter().position(|line| line == "[node]").expect("it is a node's");
    lines.insert(at + 1, format!("processes = \"one\"\ndurability = \"{durability}\""));
    lines.join("\n")
}

/// The first of ports in a row that nobody uses, as many again for metrics. Tests of other processes begin elsewhere.
fn free_ports(count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let first = (std::process::id() % 80) as u16;
    for _ in 0..1000 {
        // Below the ports that the system gives to whoever does not mind.
        let block = (first * 11 + NEXT.fetch_add(1, Ordering::Relaxed)) % 90;
        let port = 10_000 + block * 220;
        if (port..port + count).all(is_free)
            && (port..port + count).all(|port| is_free(port + HTTP_PORTS_AFTER))
        {
            return port;
        }
    }
    panic!("no ports are free");
}
