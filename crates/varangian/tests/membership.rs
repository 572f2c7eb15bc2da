//! Who is a node or a client changes while real processes run and clients work: nothing acknowledged is lost, and whoever is out is out.

mod cluster;

use client::Connection;
use cluster::{Cluster, Wish, binary};
use kv::command::{Get, Put};
use kv::history::{Operation, Verdict, check};
use kv::{Answer, Command, Store};
use node::config::ClientConfig;
use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use wire::{ClientId, Decode, Encode, Time};

/// How long a call of the load may take.
const CALL_MAX: Duration = Duration::from_secs(30);

/// The pause between two calls of a session: there is other work on this machine.
const PAUSE: Duration = Duration::from_millis(3);

fn wish(protocol: &'static str) -> Wish {
    Wish { protocol, nodes: if protocol == "pbft" { 4 } else { 3 }, fsync: false }
}

/// A few sessions that write and read, until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    sessions: Vec<JoinHandle<Vec<Operation>>>,
}

impl Load {
    fn start(config: &Path) -> Load {
        let config = ClientConfig::load(config).expect("it was made");
        let stop = Arc::new(AtomicBool::new(false));
        let epoch = Instant::now();
        let session = |number: u64| {
            let (config, stop) = (config.clone(), Arc::clone(&stop));
            thread::spawn(move || work(&config, number, epoch, &stop))
        };
        Load { sessions: (1..=2).map(session).collect(), stop }
    }

    /// Ends it. Everything that a client was told must be what one store would have told it.
    fn end(self, at_least: usize) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.sessions.into_iter().flat_map(|session| session.join().expect("it does not panic"));
        let history: Vec<Operation> = ended.collect();
        let told = history.iter().filter(|operation| operation.told.is_some()).count();
        assert_eq!(told, history.len(), "every call has its answer");
        assert!(told >= at_least, "only {told} calls");
        assert_eq!(check(Store::default(), &history), Verdict::Linearizable);
    }
}

fn work(config: &ClientConfig, number: u64, epoch: Instant, stop: &AtomicBool) -> Vec<Operation> {
    let connection = Connection::open(config).expect("it can be opened");
    let mut session = connection.session().expect("there is room");
    let now = || Time(u64::try_from(epoch.elapsed().as_nanos()).expect("not that long"));
    let mut history = Vec::new();
    let mut round = 0_u64;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        let key = wire::Bytes::from(format!("key-{}", round % 3));
        let command = match round % 2 {
            0 => Command::Get(Get { key }),
            _ => Command::Put(Put { key, value: format!("{number}/{round}").into() }),
        };
        let invoked = now();
        let result = session.call(command.to_bytes(), Instant::now() + CALL_MAX);
        let told = result.ok().map(|result| (now(), Answer::from_bytes(result).expect("it is an answer")));
        history.push(Operation { client: ClientId(number), command, invoked, told });
        thread::sleep(PAUSE);
    }
    history
}

/// A verb of an operator, which is client 1 unless `config` is another's.
fn verb(cluster: &Cluster, name: &str, config: &Path, arguments: &[&str]) -> Output {
    let mut command = binary();
    command.arg(name).arg("--config").arg(config).args(arguments).current_dir(cluster.folder());
    command.output().expect("the binary runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn done(cluster: &Cluster, name: &str, arguments: &[&str]) {
    let output = verb(cluster, name, &cluster.config_of_client(), arguments);
    assert!(output.status.success(), "{name} {arguments:?}: {}\n{}", said(&output), cluster.said());
}

fn edition(cluster: &Cluster, node: u16) -> Option<u64> {
    cluster.status_of_node(node)?["edition"].as_u64()
}

fn kv(config: &Path, arguments: &[&str]) -> Output {
    let mut command = binary();
    command.arg("kv").arg("--config").arg(config).args(["--timeout", "30"]).args(arguments);
    command.output().expect("the binary runs")
}

fn executed(cluster: &Cluster, node: u16) -> Option<u64> {
    cluster.status_of_node(node)?["executed"].as_u64()
}

fn is_healthy(cluster: &Cluster, node: u16) -> bool {
    cluster.status_of_node(node).is_some_and(|status| status["healthy"] == true)
}

fn every_node_changes_its_key(protocol: &'static str, separate: bool) {
    let mut cluster = Cluster::make(&wish(protocol));
    let nodes = wish(protocol).nodes;
    for node in 0..nodes {
        if separate {
            let processes = |text: String| text.replace("processes = \"one\"", "processes = \"separate\"");
            cluster.edit(&cluster.config_of_node(node), processes);
        }
        cluster.start_node(node);
    }
    let load = Load::start(&cluster.config_of_client());
    let file =
        |cluster: &Cluster, node: u16, name: &str| cluster.folder().join(format!("node-{node}/{name}"));
    for node in 0..nodes {
        let secret = |cluster: &Cluster| {
            fs::read_to_string(file(cluster, node, "identity.secret")).expect("it is there")
        };
        let before = secret(&cluster);
        let config = cluster.config_of_node(node).display().to_string();
        done(&cluster, "rotate-keys", &["--node-config", &config, "--grace", "4", "--timeout", "60"]);
        assert_ne!(secret(&cluster), before);
        assert!(!file(&cluster, node, "identity.secret.old").exists());
    }
    let last = 2 * u64::from(nodes);
    for node in 0..nodes {
        cluster.wait_until("all nodes go by the last edition", || edition(&cluster, node) == Some(last));
    }
    // Whoever is started anew goes by what its files and its log say, and is understood.
    cluster.kill_node(1);
    cluster.start_node(1);
    cluster.wait_until("it takes part again", || is_healthy(&cluster, 1));
    load.end(200);
    for node in 0..nodes {
        let status = cluster.status_of_node(node).expect("it answers");
        assert_eq!(status["changes_refused"], 0, "{status}");
    }
}

#[test]
fn every_node_of_two_processes_changes_its_key_and_clients_notice_nothing() {
    every_node_changes_its_key("byzid", true);
}

#[test]
fn every_node_that_signs_changes_its_key_and_clients_notice_nothing() {
    every_node_changes_its_key("pbft", false);
}

/// With f = 1, if the new machine does not take part, the service ends with the next one that goes.
fn a_machine_is_replaced(protocol: &'static str) {
    let mut cluster = Cluster::start(&wish(protocol));
    let last = wish(protocol).nodes - 1;
    let load = Load::start(&cluster.config_of_client());
    thread::sleep(Duration::from_secs(1));
    let old = cluster.config_of_node(last);
    let http = fs::read_to_string(&old).expect("it was made");
    let http = http.lines().find_map(|line| line.strip_prefix("http = \"")?.split('"').next());
    let out = cluster.folder().join("new");
    let arguments = ["--node", &last.to_string(), "--like", "node-0/node.toml", "--out", "new"];
    let http = http.expect("it answers for its health").to_string();
    done(&cluster, "replace", &[&arguments[..], &["--http", &http]].concat());
    // The old machine runs still. Nobody takes it for the node any more.
    for node in 0..last {
        cluster.wait_until("the others know", || edition(&cluster, node) == Some(1));
    }
    cluster.kill_node(last);
    cluster.start_node_of(last, &out.join("node.toml"));
    let before = executed(&cluster, 0).expect("it answers");
    cluster.wait_until("the new machine takes part", || {
        is_healthy(&cluster, last) && executed(&cluster, last).is_some_and(|executed| executed >= before)
    });
    let again = verb(&cluster, "replace", &cluster.config_of_client(), &arguments);
    assert!(again.status.success(), "what was done is done: {}", said(&again));
    assert_eq!(edition(&cluster, 0), Some(1));
    cluster.kill_node(0);
    let before = executed(&cluster, last).expect("it answers");
    cluster.wait_until("the service goes on with the new machine", || {
        executed(&cluster, last).is_some_and(|executed| executed > before + 20)
    });
    cluster.start_node(0);
    cluster.wait_until("the first node is back", || is_healthy(&cluster, 0));
    load.end(200);
}

#[test]
fn a_paxos_machine_is_replaced_and_the_new_one_is_relied_on() {
    a_machine_is_replaced("paxos");
}

#[test]
fn a_pbft_machine_is_replaced_and_the_new_one_is_relied_on() {
    a_machine_is_replaced("pbft");
}

#[test]
fn a_byzid_machine_is_replaced_and_the_new_one_is_relied_on() {
    a_machine_is_replaced("byzid");
}

#[test]
fn what_would_cost_the_quorum_is_refused_unless_it_is_forced() {
    let mut cluster = Cluster::start(&wish("paxos"));
    cluster.kv_done(&["put", "a", "b"]);
    cluster.kill_node(1);
    let config = cluster.config_of_client();
    let arguments = ["--node", "2", "--like", "node-0/node.toml", "--out", "new"];
    let refused = verb(&cluster, "replace", &config, &arguments);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    let right = "node 1 unreachable; with node 2 replaced only 1 of 3 would be left, 2 are needed; --force";
    assert!(said(&refused).contains(right), "{}", said(&refused));
    assert_eq!(edition(&cluster, 0), Some(0), "nothing has changed");
}

#[test]
fn a_client_is_admitted_and_works_and_is_removed_and_refused() {
    let cluster = Cluster::start(&wish("byzid"));
    cluster.kv_done(&["put", "colour", "red"]);
    done(&cluster, "admit", &["--client", "7", "--name", "sensor-g", "--out", "client-7"]);
    let new = cluster.folder().join("client-7/client.toml");
    let got = kv(&new, &["get", "colour"]);
    assert_eq!((got.status.code(), &got.stdout[..]), (Some(0), &b"red"[..]), "{}", said(&got));
    // It is no operator: what it signs changes nothing, whatever it wants.
    let out = ["--client", "8", "--out", "client-8"];
    let forged = verb(&cluster, "admit", &new, &out);
    assert_eq!(forged.status.code(), Some(1), "{}", said(&forged));
    assert!(said(&forged).contains("no operator"), "{}", said(&forged));
    done(&cluster, "remove", &["--client", "7"]);
    for node in 0..3 {
        cluster.wait_until("all nodes know", || edition(&cluster, node) == Some(2));
    }
    let refused = kv(&new, &["get", "colour"]);
    assert_eq!(refused.status.code(), Some(2), "its key is refused: {}", said(&refused));
    assert_eq!(cluster.kv_done(&["get", "colour"]), b"red");
}

#[test]
fn a_client_changes_its_own_key() {
    let cluster = Cluster::start(&wish("byzid"));
    cluster.kv_done(&["put", "colour", "red"]);
    let file = cluster.folder().join("client-1/identity.secret");
    let before = fs::read_to_string(&file).expect("it was made");
    let old = cluster.folder().join("old");
    fs::create_dir(&old).expect("there is room");
    for name in ["client.toml", "identity.secret"] {
        fs::copy(cluster.folder().join("client-1").join(name), old.join(name)).expect("it can be copied");
    }
    done(&cluster, "rotate-keys", &["--client", "--grace", "0"]);
    assert_ne!(fs::read_to_string(&file).expect("it is there"), before);
    assert_eq!(cluster.kv_done(&["get", "colour"]), b"red");
    for node in 0..3 {
        cluster.wait_until("all nodes know", || edition(&cluster, node) == Some(2));
    }
    let refused = kv(&old.join("client.toml"), &["get", "colour"]);
    assert_eq!(refused.status.code(), Some(2), "the old key is out: {}", said(&refused));
}
