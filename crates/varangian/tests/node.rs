//! `varangian node` in two processes, through the real binary: who falls with whom, who comes back, and what each may do.

use agree::between::ToGuard;
use agree::roster::{Change, Edition, Holder, Signed, What};
use link::SecretIdentity;
use node::config::Config;
use node::separate::line::{Line, ToMonitor, ToSupervisor};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use wire::{Encode, NodeId, Signature};

/// How long anything may take before it counts as not happening.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster of three on this machine, with ports of its own, gone when the test is over.
struct Cluster {
    folder: PathBuf,
    port: u16,
    nodes: Vec<Option<Child>>,
}

impl Cluster {
    fn start(port: u16) -> Cluster {
        let folder = std::env::temp_dir().join(format!("varangian-node-{}-{port}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("there is room for a folder");
        let made = Command::new(env!("CARGO_BIN_EXE_varangian"))
            .args(["init", "c", "--nodes", "3", "--protocol", "byzid"])
            .current_dir(&folder)
            .output()
            .expect("the binary runs");
        assert!(made.status.success(), "{made:?}");
        let mut cluster = Cluster { folder, port, nodes: Vec::new() };
        for node in 0..3 {
            let path = cluster.file(node, "node.toml");
            let mut text = fs::read_to_string(&path).expect("init made it");
            for other in 0..3 {
                text = text
                    .replace(&format!("127.0.0.1:{}", 7400 + other), &format!("127.0.0.1:{}", port + other));
                let (old, new) = (7500 + other, port + 10 + other);
                text = text.replace(&format!("127.0.0.1:{old}"), &format!("127.0.0.1:{new}"));
            }
            if is_root() {
                let users = "monitor_user = \"daemon\"\nreplica_user = \"nobody\"\n";
                text = text.replace("[node]\n", &format!("[node]\n{users}"));
            }
            fs::write(path, text).expect("it can be written");
            let child = cluster.run(node);
            cluster.nodes.push(Some(child));
        }
        for node in 0..3 {
            cluster.until(node, "it takes part", |status| status["healthy"] == true);
        }
        cluster
    }

    fn file(&self, node: u16, name: &str) -> PathBuf {
        self.folder.join(format!("c/node-{node}/{name}"))
    }

    fn run(&self, node: u16) -> Child {
        let said = fs::File::create(self.file(node, "said")).expect("it can be made");
        Command::new(env!("CARGO_BIN_EXE_varangian"))
            .arg("node")
            .arg(self.file(node, "node.toml"))
            .stdin(Stdio::null())
            .stderr(said)
            .spawn()
            .expect("the binary runs")
    }

    fn said(&self, node: u16) -> String {
        fs::read_to_string(self.file(node, "said")).expect("it is there")
    }

    fn status(&self, node: u16) -> Option<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port + 10 + node)).ok()?;
        stream.write_all(b"GET /status HTTP/1.1\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split("\r\n\r\n").nth(1)?).ok()
    }

    /// Waits until the status of a node is as it should be.
    fn until(&self, node: u16, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.status(node) {
                Some(status) if is_so(&status) => return status,
                status => assert!(Instant::now() < end, "never: {what}: {status:?}\n{}", self.said(node)),
            }
            sleep(Duration::from_millis(20));
        }
    }

    fn pid(&self, node: u16) -> u32 {
        self.nodes[usize::from(node)].as_ref().expect("it runs").id()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.nodes.iter_mut().flatten() {
            signal("TERM", u64::from(child.id()));
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn is_root() -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("Uid:\t0\t0"))
}

fn signal(name: &str, pid: u64) {
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
    assert!(sent.expect("there is such a program").success(), "{name} to {pid}");
}

fn exists(pid: u64) -> bool {
    // One that nobody has waited for yet is gone all the same.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn until_gone(pid: u64) {
    let end = Instant::now() + PATIENCE;
    while exists(pid) {
        assert!(Instant::now() < end, "{pid} is still there");
        sleep(Duration::from_millis(5));
    }
}

fn number(status: &Value, name: &str) -> u64 {
    status[name].as_u64().unwrap_or_else(|| panic!("{name} is a number: {status}"))
}

#[test]
fn a_replica_that_dies_comes_back_and_its_monitor_has_not_forgotten() {
    let cluster = Cluster::start(21_000);
    for node in [0, 1] {
        let before = cluster.until(node, "it takes part", |status| status["healthy"] == true);
        signal("KILL", number(&before, "replica_pid"));
        let after = cluster.until(node, "a second replica takes part", |status| {
            status["replica_starts"] == 2 && status["healthy"] == true
        });
        assert_eq!(after["monitor_pid"], before["monitor_pid"]);
        assert_eq!(after["incarnation"], before["incarnation"]);
    }
}

#[test]
fn a_monitor_that_dies_comes_back_with_its_next_incarnation() {
    let cluster = Cluster::start(21_100);
    let before = cluster.until(0, "it takes part", |status| status["healthy"] == true);
    signal("KILL", number(&before, "monitor_pid"));
    // The replica says where it stands now and then, so the monitor may be in a configuration before its report is.
    let configuration = number(&before, "configuration");
    let after = cluster.until(0, "a second monitor takes part, in a later configuration", |status| {
        status["monitor_starts"] == 2
            && status["healthy"] == true
            && status["configuration"].as_u64().is_some_and(|now| now > configuration)
    });
    assert_eq!(number(&after, "incarnation"), number(&before, "incarnation") + 1);
    assert_ne!(after["replica_pid"], before["replica_pid"], "what was on its way between the two is lost");
}

#[test]
fn a_replica_that_its_sandbox_kills_is_reported_and_started_again() {
    let cluster = Cluster::start(21_200);
    let before = cluster.until(1, "it takes part", |status| status["healthy"] == true);
    // How a forbidden call ends it; that it does is tested where the list is.
    signal("SYS", number(&before, "replica_pid"));
    cluster.until(1, "the call is counted", |status| {
        status["forbidden_calls"] == 1 && status["replica_starts"] == 2 && status["healthy"] == true
    });
    assert!(cluster.said(1).contains("its sandbox killed it"), "{}", cluster.said(1));
}

#[test]
fn each_part_has_its_own_rights_and_no_more() {
    let cluster = Cluster::start(21_300);
    let status = cluster.until(2, "it takes part", |status| status["healthy"] == true);
    for (part, user) in [("monitor_pid", "1"), ("replica_pid", "65534")] {
        let path = format!("/proc/{}", number(&status, part));
        let rights = fs::read_to_string(format!("{path}/status")).expect("it runs");
        assert!(rights.contains("NoNewPrivs:\t1") && rights.contains("Seccomp:\t2"), "{part}: {rights}");
        if is_root() {
            assert!(rights.contains(&format!("Uid:\t{user}\t{user}\t{user}\t{user}")), "{part}: {rights}");
            assert!(rights.contains("CapEff:\t0000000000000000"), "{part}: {rights}");
        }
        let environment = fs::read(format!("{path}/environ")).unwrap_or_default();
        assert!(environment.is_empty(), "{part}: it knows nothing of its surroundings");
    }
}

#[test]
fn a_node_that_is_told_to_stop_stops_both_parts_and_says_that_it_was_told() {
    let mut cluster = Cluster::start(21_400);
    let status = cluster.until(0, "it takes part", |status| status["healthy"] == true);
    let mut child = cluster.nodes[0].take().expect("it runs");
    signal("TERM", u64::from(child.id()));
    assert!(child.wait().expect("it ends").success());
    until_gone(number(&status, "monitor_pid"));
    until_gone(number(&status, "replica_pid"));
    assert!(cluster.said(0).contains("node 0: it stops"));
    cluster.nodes[0] = Some(cluster.run(0));
    cluster.until(0, "it takes part again", |status| status["healthy"] == true);
}

#[test]
fn no_part_outlives_its_supervisor() {
    let mut cluster = Cluster::start(21_500);
    let status = cluster.until(0, "it takes part", |status| status["healthy"] == true);
    let mut child = cluster.nodes[0].take().expect("it runs");
    signal("KILL", u64::from(child.id()));
    child.wait().expect("it ends");
    until_gone(number(&status, "monitor_pid"));
    until_gone(number(&status, "replica_pid"));
}

/// The test is the supervisor here, and the replica.
#[test]
fn what_a_hacked_replica_writes_costs_it_the_pipe_and_the_monitor_goes_on() {
    let mut cluster = Cluster::start(21_700);
    let mut child = cluster.nodes[0].take().expect("it runs");
    signal("TERM", u64::from(child.id()));
    child.wait().expect("it ends");
    let (line, far) = Line::new().expect("there is room for a line");
    let mut monitor = Command::new(env!("CARGO_BIN_EXE_varangian"))
        .args(["node", "--part", "monitor", "--incarnation", "9"])
        .arg(cluster.file(0, "node.toml"))
        .stdin(Stdio::from(far))
        .spawn()
        .expect("the binary runs");
    let until = |is_so: &dyn Fn(&ToSupervisor) -> bool| {
        let end = Instant::now() + PATIENCE;
        loop {
            match line.said().expect("the monitor goes on") {
                Some(said) if is_so(&said) => return said,
                Some(_) => {}
                None => sleep(Duration::from_millis(1)),
            }
            assert!(Instant::now() < end, "it never said so");
        }
    };
    let garbage: [(&[u8], &str); 4] = [
        (&[1, 0, 0, 0, 9], "9 is no tag of word to a guard"),
        (&[0, 0, 0, 0], "a frame of 0 bytes was announced"),
        (&[255; 64], "a frame of 4294967295 bytes was announced"),
        (&[3, 0, 0, 0, 0, 1, 4], "truncated"),
    ];
    for (start, (bytes, refusal)) in (1..).zip(garbage) {
        let (near, far) = UnixStream::pair().expect("there is room for a pipe");
        far.set_nonblocking(true).expect("it can be set");
        line.hand(&ToMonitor::Replica(start, far.into())).expect("the monitor is there");
        (&near).write_all(bytes).expect("the pipe is open");
        let lost = until(&|said| matches!(said, ToSupervisor::ReplicaLost(_, _)));
        let ToSupervisor::ReplicaLost(which, why) = lost else { unreachable!("it was looked at") };
        assert_eq!(which, start);
        assert!(why.contains(refusal), "{why}");
        let counted = format!("\"replica_words_refused\":{start}");
        until(&|said| matches!(said, ToSupervisor::Answers(answers) if answers.status.contains(&counted)));
    }
    // A change of the roster that no operator signed: it would bring in a key of the traitor's own.
    let config = Config::load(&cluster.file(0, "node.toml")).expect("it was made");
    let identity = SecretIdentity::from_bytes(&[7; 32], &[8; 32]).public(None).to_string().into();
    let change = Change {
        cluster: config.cluster.chain.cluster(),
        edition: Edition(1),
        holder: Holder::Node(NodeId(0)),
        what: What::KeyAdded { identity },
    };
    let forged = Signed { change, operator: 1, signature: Signature([9; 64]) };
    let word = ToGuard::Changes(vec![forged]).to_bytes();
    let bytes = [&(word.len() as u32).to_le_bytes(), &word[..]].concat();
    let (near, far) = UnixStream::pair().expect("there is room for a pipe");
    far.set_nonblocking(true).expect("it can be set");
    line.hand(&ToMonitor::Replica(5, far.into())).expect("the monitor is there");
    (&near).write_all(&bytes).expect("the pipe is open");
    let lost = until(&|said| matches!(said, ToSupervisor::ReplicaLost(5, _)));
    let ToSupervisor::ReplicaLost(_, why) = lost else { unreachable!("it was looked at") };
    assert!(why.contains("the signature is not the operator's"), "{why}");
    until(&|said| {
        matches!(said, ToSupervisor::Answers(answers)
            if answers.status.contains("\"changes_refused\":1") && answers.status.contains("\"edition\":0"))
    });
    drop(line);
    assert!(monitor.wait().expect("it ends with its line").success());
}

#[test]
fn a_roster_is_read_anew_and_any_other_change_is_refused_by_name() {
    let cluster = Cluster::start(21_600);
    signal("HUP", u64::from(cluster.pid(0)));
    let heard = |words: &str| {
        let end = Instant::now() + PATIENCE;
        while !cluster.said(0).contains(words) {
            assert!(Instant::now() < end, "it never said '{words}': {}", cluster.said(0));
            sleep(Duration::from_millis(20));
        }
    };
    heard("the roster was read anew");
    let path = cluster.file(0, "node.toml");
    let text = fs::read_to_string(&path).expect("it is there");
    fs::write(&path, text.replace("durability = \"fsync\"", "durability = \"async\""))
        .expect("it can be written");
    signal("HUP", u64::from(cluster.pid(0)));
    heard("more than identities has changed");
    cluster.until(0, "it takes part all the same", |status| status["healthy"] == true);
}
