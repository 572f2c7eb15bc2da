//! `varangian node` in two processes, through the real binary: who falls with whom, who comes back, and what each may do.

use agree::between::ToGuard;
use agree::roster::{Change, Edition, Holder, Signed, What};
use link::SecretIdentity;
use node::config::Config;
use node::separate::line::{Line, ToMonitor, ToSupervisor};
use node::separate::remarks::{LINE_BYTES_MAX, LINES_MAX};
use node::separate::supervisor::{Arguments, Supervisor};
use node::telling::Level;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
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

    /// Waits until a node has said this.
    fn wait_for_words(&self, node: u16, words: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.said(node).contains(words) {
            assert!(Instant::now() < end, "it never said '{words}': {}", self.said(node));
            sleep(Duration::from_millis(20));
        }
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
    let heard = |words: &str| cluster.wait_for_words(0, words);
    heard("the roster was read anew");
    let path = cluster.file(0, "node.toml");
    let text = fs::read_to_string(&path).expect("it is there");
    fs::write(&path, text.replace("durability = \"fsync\"", "durability = \"async\""))
        .expect("it can be written");
    signal("HUP", u64::from(cluster.pid(0)));
    heard("more than identities has changed");
    cluster.until(0, "it takes part all the same", |status| status["healthy"] == true);
}

/// What a forger would have its monitor say.
const FORGED: &str = "node 0: monitor: error: all is lost";

/// Not a test but a monitor that keeps what it is handed and says nothing; alone it does nothing.
#[test]
fn as_an_idle_monitor() {
    if is_called("as_an_idle_monitor") {
        let line = Line::of(std::io::stdin().as_fd().try_clone_to_owned().expect("it is a line"));
        let mut kept = Vec::new();
        while let Ok(handed) = line.handed() {
            kept.extend(handed);
            sleep(Duration::from_millis(5));
        }
    }
}

/// Not a test but a replica that forges, and panics; alone it does nothing.
#[test]
fn as_a_replica_that_forges() {
    if is_called("as_a_replica_that_forges") {
        let fooled = format!("i it is fine\r\n{FORGED}\ni \x1b[2K\r{FORGED}\n");
        std::io::stderr().write_all(fooled.as_bytes()).expect("the supervisor is there");
        // Whoever had the log itself could cut it short.
        assert!(nix::unistd::ftruncate(std::io::stderr(), 0).is_err(), "its standard error is no file");
        panic!("its last words");
    }
}

/// Not a test but a replica that writes without end, also when there is no room; alone it does nothing.
#[test]
fn as_a_replica_that_babbles() {
    if is_called("as_a_replica_that_babbles") {
        let line = [b'x'; 3 * LINE_BYTES_MAX];
        while !matches!(std::io::stdin().read(&mut [0]), Ok(0)) {
            let _ = std::io::stderr().write(&line);
            let _ = std::io::stderr().write(b"\nnoise\n");
        }
    }
}

fn is_called(name: &str) -> bool {
    std::env::args().any(|argument| argument == name)
}

/// What a supervisor tells of parts that this program plays, until `is_enough`.
fn told(
    replica: &str,
    is_enough: impl Fn(&[(Option<&str>, Level, String)]) -> bool,
) -> Vec<(Option<&'static str>, Level, String)> {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let made = Command::new(env!("CARGO_BIN_EXE_varangian"))
        .args(["init", "c", "--nodes", "3", "--protocol", "byzid"])
        .current_dir(folder.path())
        .output()
        .expect("the binary runs");
    assert!(made.status.success(), "{made:?}");
    let path = folder.path().join("c/node-0/node.toml");
    let text = fs::read_to_string(&path).expect("init made it");
    let text: String =
        text.lines().filter(|line| !line.starts_with("http")).map(|line| format!("{line}\n")).collect();
    fs::write(&path, text).expect("it can be written");
    let config = Config::load(&path).expect("it is right");
    let words = |name: &str| ["--exact", "--nocapture", name].map(Into::into).to_vec();
    let parts = Arguments { monitor: words("as_an_idle_monitor"), replica: words(replica) };
    let (stop, reload, end) = (AtomicBool::new(false), AtomicBool::new(false), Instant::now() + PATIENCE);
    let mut told = Vec::new();
    let tell = &mut |part: Option<&'static str>, level: Level, words: &str| {
        told.push((part, level, words.to_string()));
        stop.fetch_or(is_enough(&told) || Instant::now() > end, Ordering::Relaxed);
    };
    Supervisor::new(&config, &path, &parts).run(&stop, &reload, tell).expect("it was told to stop");
    told
}

#[test]
fn what_a_replica_forges_stands_in_the_log_as_its_own_word_and_its_last_words_before_its_end() {
    let is_gone = |words: &str| words.starts_with("the replica is gone");
    let told = told("as_a_replica_that_forges", |told| told.iter().any(|(_, _, words)| is_gone(words)));
    let at = |is_it: &dyn Fn(&str) -> bool| {
        let place = told.iter().position(|(_, _, words)| is_it(words));
        place.unwrap_or_else(|| panic!("it was not told: {told:?}"))
    };
    let fine = at(&|words| words.starts_with("it is fine"));
    assert_eq!(told[fine], (Some("replica"), Level::Info, "it is fine\\r".to_string()));
    assert_eq!(told[fine + 1], (Some("replica"), Level::Warning, FORGED.to_string()));
    let erased = format!("\\u{{1b}}[2K\\r{FORGED}");
    assert_eq!(told[fine + 2], (Some("replica"), Level::Info, erased));
    let last = at(&|words| words.contains("its last words"));
    assert_eq!(told[last].0, Some("replica"));
    assert!(fine < last && last < at(&is_gone), "{told:?}");
    assert!(told.iter().all(|(part, _, words)| *part == Some("replica") || !words.contains(FORGED)));
}

#[test]
fn a_replica_that_babbles_is_heard_now_and_then_and_the_rest_is_counted() {
    let begin = Instant::now();
    let is_counted = |words: &str| words.contains("were too many and are left out");
    let told = told("as_a_replica_that_babbles", |told| {
        told.iter().filter(|(_, _, words)| is_counted(words)).count() >= 2
    });
    let seconds = begin.elapsed().as_secs() as usize;
    let of_replica: Vec<_> = told.iter().filter(|(part, _, _)| *part == Some("replica")).collect();
    let counts = of_replica.iter().filter(|(_, _, words)| is_counted(words)).count();
    assert!(counts >= 2, "{told:?}");
    assert!(
        of_replica.len() - counts <= LINES_MAX as usize + seconds + 1,
        "{} in {seconds} s",
        of_replica.len()
    );
    assert!(
        of_replica.iter().all(|(_, level, words)| *level == Level::Warning && words.len() <= LINE_BYTES_MAX)
    );
}

#[test]
fn each_part_tells_through_its_supervisor_and_under_its_own_name() {
    let cluster = Cluster::start(21_800);
    let status = cluster.until(0, "it takes part", |status| status["healthy"] == true);
    let heard = |words: &str| cluster.wait_for_words(0, words);
    heard("\nnode 0: monitor: the link to node 1 stands\n");
    assert_eq!(status["lines_left_out"], 0);
    if !is_root() {
        eprintln!("not root: nobody else may write where the replica tells");
        return;
    }
    // In the replica's place: its sandbox forbids it what is tried here.
    let path = format!("/proc/{}/fd/2", number(&status, "replica_pid"));
    let mut replica = fs::File::options().write(true).open(path).expect("root may");
    replica.write_all(format!("e x\n{FORGED}\n").as_bytes()).expect("there is room");
    heard("\nnode 0: replica: error: x\n");
    heard(&format!("\nnode 0: replica: warning: {FORGED}\n"));
}
