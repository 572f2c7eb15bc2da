//! `varangian init` and `varangian config check` through the real binary: what they make, refuse and say, and what they never say.

use link::{Keyring, Pins, WallTime};
use node::config::{ClientConfig, Config};
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use wire::{Keys, NodeId, Peer};

/// A folder of its own for a test, gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("varangian-init-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("there is room for a folder");
        Folder(folder)
    }

    /// Runs the binary in it.
    fn run(&self, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_varangian"))
            .args(line.split_whitespace())
            .current_dir(&self.0)
            .output()
            .expect("the binary runs")
    }

    /// Every file and folder below, in order.
    fn everything(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut next = vec![self.0.clone()];
        while let Some(folder) = next.pop() {
            for entry in fs::read_dir(folder).expect("it can be read") {
                let path = entry.expect("it can be read").path();
                if path.is_dir() {
                    next.push(path.clone());
                }
                found.push(path);
            }
        }
        found.sort();
        found
    }

    fn check(&self, folder: &str) -> Output {
        let files: Vec<String> = self
            .everything()
            .iter()
            .filter(|path| {
                path.starts_with(self.0.join(folder)) && path.extension().is_some_and(|is| is == "toml")
            })
            .map(|path| path.display().to_string())
            .collect();
        self.run(&format!("config check {}", files.join(" ")))
    }

    fn spoil(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.0.join(file)).expect("it is there");
        assert!(text.contains(from), "{from} is not in {file}");
        fs::write(self.0.join(file), text.replacen(from, to, 1)).expect("it is ours");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

/// Files that a node keeps: the lock and the first segment of its log, and the count of its monitor's starts.
const KEPT: usize = 3;

#[test]
fn what_is_made_is_right_for_every_protocol() {
    let folder = Folder::new("right");
    for (name, wish, files) in [
        ("byzid", "--nodes 4 --protocol byzid --f 1 --spares 1 --clients 2", 4 * (3 + KEPT) + 2 * 2),
        ("byzid-w", "--nodes 3 --protocol byzid-w --host ::1", 3 * (3 + KEPT) + 2),
        ("paxos", "--nodes 5 --protocol paxos --port 9000", 5 * (2 + KEPT) + 2),
        ("pbft", "--nodes 4 --protocol pbft --clients 0", 4 * (2 + KEPT)),
    ] {
        let made = folder.run(&format!("init {name} {wish}"));
        assert_eq!(made.status.code(), Some(0), "{}", err(&made));
        let checked = folder.check(name);
        assert_eq!(checked.status.code(), Some(0), "{}", err(&checked));
        assert_eq!(err(&checked), "", "nothing to warn of");
        let all = folder.everything();
        let ours = all.iter().filter(|path| path.starts_with(folder.0.join(name)) && path.is_file());
        assert_eq!(ours.count(), files);
    }
}

#[test]
fn all_is_made_for_its_owner_alone() {
    let folder = Folder::new("modes");
    folder.run("init harbour --nodes 3 --protocol byzid");
    for path in folder.everything() {
        let right = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), right, "{}", path.display());
    }
}

/// The files are not only well-formed: the keys in them fit each other.
#[test]
fn nodes_and_clients_of_a_new_cluster_believe_each_other() {
    let folder = Folder::new("believe");
    folder.run("init harbour --nodes 3 --protocol byzid");
    let keys = |node: u16| {
        let config =
            Config::load(&folder.0.join(format!("harbour/node-{node}/node.toml"))).expect("it is right");
        let pins = Arc::new(Pins::new(config.cluster.roster(), WallTime(0)));
        let (secret, seal) = (config.secret().expect("it is there"), config.seal().expect("it is there"));
        Keyring::new(config.node.into(), &secret, seal.as_ref(), pins)
    };
    let config = ClientConfig::load(&folder.0.join("harbour/client-1/client.toml")).expect("it is right");
    let pins = Arc::new(Pins::new(config.cluster.roster(), WallTime(0)));
    let client = Keyring::new(config.client.into(), &config.secret().expect("it is there"), None, pins);
    let session = Peer::Client(config.client.session(1, 7));
    let tag = client.mac(NodeId(1).into(), &[b"request"]);
    assert!(keys(1).mac_is_valid(session, &[b"request"], &tag));
    let tag = keys(0).mac(NodeId(2).into(), &[b"order"]);
    assert!(keys(2).mac_is_valid(NodeId(0).into(), &[b"order"], &tag));
    assert!(keys(2).seal_is_valid(b"order", &keys(0).seal(b"order")));
    assert!(keys(2).signature_is_valid(session, b"request", &client.sign(b"request")));
}

#[test]
fn secrets_stay_in_their_files() {
    let folder = Folder::new("secrets");
    let mut said = String::new();
    let mut say = |output: Output| said += &(out(&output) + &err(&output));
    say(folder.run("init harbour --nodes 3 --protocol byzid --clients 2"));
    say(folder.run("init other --nodes 3 --protocol byzid --json"));
    say(folder.check("harbour"));
    say(folder.run("config check --json harbour/node-0/node.toml"));
    let (secrets, others): (Vec<PathBuf>, Vec<PathBuf>) = folder
        .everything()
        .into_iter()
        .filter(|path| path.is_file())
        .partition(|path| path.extension().is_some_and(|is| is == "secret"));
    let secrets: Vec<String> = secrets
        .iter()
        .map(|path| fs::read_to_string(path).expect("it is ours"))
        .map(|text| text.trim().split_once(':').expect("it has a kind").1.to_string())
        .collect();
    assert_eq!(secrets.len(), 3 * 2 + 2 + 3 * 2 + 1);
    // What is wrong with a file is told without showing what stands in it, even if that is a secret.
    folder.spoil(
        "harbour/node-1/node.toml",
        "name = \"harbour\"",
        &format!("name = \"varangian-secret1:{}\"", secrets[0]),
    );
    fs::copy(folder.0.join("harbour/node-0/seal.secret"), folder.0.join("harbour/node-2/identity.secret"))
        .expect("it is ours");
    let spoiled = folder.check("harbour");
    assert!(err(&spoiled).contains("a SECRET stands here"), "{}", err(&spoiled));
    assert!(err(&spoiled).contains("one line that begins with 'varangian-secret1:'"), "{}", err(&spoiled));
    let mut say = |output: Output| said += &(out(&output) + &err(&output));
    say(spoiled);
    let shown: String = others
        .iter()
        .filter(|path| !path.ends_with("harbour/node-1/node.toml"))
        .map(|path| String::from_utf8_lossy(&fs::read(path).expect("it is ours")).into_owned())
        .collect();
    for secret in &secrets {
        // Half of one would be bad enough.
        let (one, other) = secret.split_at(secret.len() / 2);
        for half in [one, other] {
            assert!(!said.contains(half) && !shown.contains(half), "a secret is shown");
        }
    }
}

#[test]
fn keys_are_never_written_over() {
    let folder = Folder::new("over");
    fs::create_dir(folder.0.join("empty")).expect("it is ours");
    assert_eq!(folder.run("init empty --nodes 3 --protocol byzid").status.code(), Some(0));
    assert_eq!(mode(&folder.0.join("empty")), 0o700);
    let before: Vec<Vec<u8>> = folder.everything().iter().filter_map(|path| fs::read(path).ok()).collect();
    let again = folder.run("init empty --nodes 3 --protocol byzid");
    assert_eq!(again.status.code(), Some(2));
    assert!(err(&again).contains("keys are never written over"), "{}", err(&again));
    let after: Vec<Vec<u8>> = folder.everything().iter().filter_map(|path| fs::read(path).ok()).collect();
    assert_eq!(before, after);
    fs::write(folder.0.join("file"), "").expect("it is ours");
    assert_eq!(folder.run("init file --nodes 3 --protocol byzid").status.code(), Some(2));
}

#[test]
fn impossible_wishes_are_refused_and_nothing_is_made() {
    let folder = Folder::new("impossible");
    for (wish, said) in [
        ("--nodes 3 --protocol pbft", "--nodes 4 --protocol pbft --f 1"),
        ("--nodes 2 --protocol byzid", "needs 2f+1 = 3"),
        ("--nodes 4 --protocol paxos", "1 of 4 nodes would have no part"),
        ("--nodes 4 --protocol paxos --spares 1", "paxos has no spares"),
        ("--nodes 3 --protocol byzid --spares 1", "add 1 to --nodes"),
        ("--nodes 65 --protocol byzid", "at most --nodes 64"),
        ("--nodes 3 --protocol byzid --f 0", "f = 0 masks nothing"),
        ("--nodes 3 --protocol raft", "there is no protocol 'raft'"),
        ("--nodes 3 --protocol byzid --clients 9999", "at most --clients 4096"),
        ("--nodes 3 --protocol byzid --port 65500", "at most --port 65432"),
        ("--nodes 3 --protocol byzid --host node-1", "invalid value 'node-1'"),
        ("--nodes 3 --protocol byzid --name a/b", "a name is 1 to 64"),
        ("--nodes 3 --protocol byzid --links none", "tls"),
        ("--protocol byzid", "--nodes"),
    ] {
        let refused = folder.run(&format!("init harbour {wish}"));
        assert_eq!(refused.status.code(), Some(2), "{wish}");
        assert!(err(&refused).contains(said), "{wish}: {}", err(&refused));
        assert_eq!(out(&refused), "");
        assert!(folder.everything().is_empty(), "{wish}");
    }
}

#[test]
fn plain_links_are_said_aloud_whenever_they_are_used() {
    let folder = Folder::new("plain");
    let made = folder.run("init bench --nodes 3 --protocol byzid --links plain");
    assert_eq!(made.status.code(), Some(0));
    assert!(err(&made).contains("GIVES UP"), "{}", err(&made));
    let checked = folder.run("config check bench/node-0/node.toml bench/client-1/client.toml");
    assert_eq!(checked.status.code(), Some(0), "it may be");
    assert_eq!(err(&checked).matches("GIVES UP").count(), 2, "{}", err(&checked));
}

#[test]
fn what_is_wrong_is_found_with_its_file_and_line() {
    let folder = Folder::new("wrong");
    folder.run("init harbour --nodes 3 --protocol byzid");
    let node = "harbour/node-0/node.toml";
    folder.spoil(node, "log = \"info\"", "log = \"loud\"");
    let wrong = folder.run(&format!("config check {node} harbour/node-1/node.toml"));
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        err(&wrong).starts_with("error: harbour/node-0/node.toml:12: unknown variant `loud`"),
        "{}",
        err(&wrong)
    );
    assert_eq!(out(&wrong), "harbour/node-1/node.toml: right: node 1 of 'harbour', byzid, f = 1\n");
    folder.spoil(node, "log = \"loud\"", "log = \"info\"");
    folder.spoil(node, "log_form = \"text\"", "[settings]\nwindow = 4");
    let wrong = folder.run(&format!("config check harbour/node-1/node.toml {node}"));
    assert!(err(&wrong).contains("[settings] differ from harbour/node-1/node.toml"), "{}", err(&wrong));
    folder.spoil("harbour/client-1/client.toml", ":7402", ":7409");
    let wrong = folder.run("config check harbour/node-1/node.toml harbour/client-1/client.toml");
    assert!(err(&wrong).contains("members differ from harbour/node-1/node.toml"), "{}", err(&wrong));
    let secret = folder.0.join("harbour/node-1/identity.secret");
    fs::set_permissions(&secret, Permissions::from_mode(0o644)).expect("it is ours");
    let wrong = folder.run("config check harbour/node-1/node.toml");
    assert!(err(&wrong).contains("mode 0644") && err(&wrong).contains("chmod 600"), "{}", err(&wrong));
    let wrong = folder.run("config check none.toml");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("none.toml"), "{}", err(&wrong));
}

#[test]
fn json_is_one_object() {
    let folder = Folder::new("json");
    let made = folder.run("init harbour --nodes 4 --protocol byzid --f 1 --json");
    let object: Value = serde_json::from_slice(&made.stdout).expect("it is JSON");
    assert_eq!(object["name"], "harbour");
    assert_eq!(object["links"], "tls");
    assert_eq!(object["members"].as_array().map(Vec::len), Some(3));
    assert_eq!(object["spares"][0]["address"], "127.0.0.1:7403");
    assert_eq!(object["clients"][0]["config"], "harbour/client-1/client.toml");
    let checked = folder.run("config check --json harbour/client-1/client.toml none.toml");
    assert_eq!(checked.status.code(), Some(2));
    let object: Value = serde_json::from_slice(&checked.stdout).expect("it is JSON");
    assert_eq!(object["files"][0]["whose"], "client 1");
    assert_eq!(object["files"][0]["right"], true);
    assert_eq!(object["files"][1]["right"], false);
}

#[test]
fn help_has_an_example() {
    let folder = Folder::new("help");
    let help = folder.run("init --help");
    assert!(out(&help).contains("varangian init harbour --nodes 3 --protocol byzid"));
    let help = folder.run("config check --help");
    assert!(out(&help).contains("varangian config check harbour/*/*.toml"));
}
