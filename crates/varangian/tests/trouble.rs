//! What goes wrong around real nodes: keys that change while they run, parts that stand still, monitors that are gone.

mod cluster;

use agree::roster::{Chain, Change, Holder, Notary, Signed, What};
use client::{Connection, Kv};
use cluster::{Cluster, Wish, signal};
use link::{SecretIdentity, WallTime};
use node::assemble::wall_time;
use node::config::{ClientConfig, changes};
use node::membership::Ed25519;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;
use wire::{Bytes, Signature};

/// The line that a client begins with in a file.
const CLIENTS: &str = "[[cluster.clients]]";

/// How long a caller of a load waits for one answer.
const ONE_ANSWER: Duration = Duration::from_secs(2);

fn wish() -> Wish {
    Wish { protocol: "byzid", nodes: 3, fsync: false }
}

/// Clients that put as fast as they are answered, until this is dropped.
struct Load {
    done: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    fn of(cluster: &Cluster, callers: usize) -> Load {
        let config = ClientConfig::load(&cluster.config_of_client()).expect("it was made");
        let connection = Arc::new(Connection::open(&config).expect("there is room for links"));
        let (done, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let caller = |number: usize| {
            let (connection, done, over) = (Arc::clone(&connection), Arc::clone(&done), Arc::clone(&over));
            spawn(move || {
                let mut kv = Kv::new(connection.session().expect("there is room"), ONE_ANSWER);
                while !over.load(Ordering::Relaxed) {
                    if kv.put(format!("key-{number}"), vec![7; 1000]).is_ok() {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        };
        let threads = (0..callers).map(caller).collect();
        Load { done, over, threads }
    }

    /// Waits until a hundred more were answered.
    fn goes_on(&self, cluster: &Cluster, what: &str) {
        let from = self.done.load(Ordering::Relaxed);
        cluster.wait_until(what, || self.done.load(Ordering::Relaxed) >= from + 100);
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A cluster whose roster begins with one client; a folder and a secret for a second one are there.
fn of_one_client(apart: bool) -> Cluster {
    let mut cluster = Cluster::make_with(&wish(), "--clients 2");
    let nodes = (0..3).map(|node| cluster.config_of_node(node));
    for file in nodes.chain([cluster.config_of_client(), second_client(&cluster)]) {
        cluster.edit(&file, |text| text[..text.rfind(CLIENTS).expect("there are clients")].to_string());
    }
    if apart {
        cluster.set_apart();
    }
    cluster.start_all();
    cluster
}

fn secret(cluster: &Cluster, client: u32) -> SecretIdentity {
    let file = cluster.folder().join(format!("client-{client}/identity.secret"));
    SecretIdentity::load(&file).expect("it was made")
}

fn identity(cluster: &Cluster, client: u32) -> Bytes {
    secret(cluster, client).public(None).to_string().into()
}

/// That of client 1, as the files have it: to its end.
fn first_identity(cluster: &Cluster) -> Bytes {
    let config = ClientConfig::load(&cluster.config_of_client()).expect("it was made");
    let entry = config.cluster.chain.first().get(Holder::Client(1)).expect("it is there");
    entry.identities[0].clone()
}

/// The first roster, and what changes of it then, in the name of client 1, by whoever has the `secret`; for `notary` that is right.
fn changed(
    cluster: &Cluster,
    whats: Vec<(Holder, What)>,
    secret: &SecretIdentity,
    notary: &impl Notary,
) -> Chain {
    let config = ClientConfig::load(&cluster.config_of_client()).expect("it was made");
    let mut chain = config.cluster.chain;
    for (holder, what) in whats {
        let change = Change { cluster: chain.cluster(), edition: chain.edition().next(), holder, what };
        let signature = Signature(secret.sign(&change.signed_bytes()));
        let signed = Signed { change, operator: 1, signature };
        assert_eq!(chain.take(&[signed], notary), Ok(true));
    }
    chain
}

/// The second client is there.
fn admitted(cluster: &Cluster) -> Vec<(Holder, What)> {
    let what = What::Admitted { identity: identity(cluster, 2), name: "second".into(), operator: false };
    vec![(Holder::Client(2), what)]
}

/// Puts changes of the roster beside the configuration `file`.
fn put_beside(file: &Path, chain: &Chain) {
    changes::save(file.parent().expect("it is in a folder"), chain).expect("it can be written");
}

/// Takes every signature for right.
struct Credulous;

impl Notary for Credulous {
    fn keys(&self, identity: &[u8]) -> Option<([u8; 32], [u8; 32])> {
        Ed25519.keys(identity)
    }

    fn has_signed(&self, _: &[u8], _: &[u8], _: &Signature) -> bool {
        true
    }
}

fn second_client(cluster: &Cluster) -> PathBuf {
    cluster.folder().join("client-2/client.toml")
}

/// Changes the files of all nodes, each beside or at its configuration, and has them read anew.
fn change_all(cluster: &Cluster, change: impl Fn(&Path), heard: &str) {
    for node in 0..3 {
        let before = cluster.said_by_node(node).matches(heard).count();
        change(&cluster.config_of_node(node));
        cluster.signal_node(node, "HUP");
        cluster.wait_until("it was heard", || cluster.said_by_node(node).matches(heard).count() > before);
    }
}

fn put(cluster: &Cluster, config: &Path) -> Option<i32> {
    let mut command = cluster::binary();
    command.args(["kv", "--timeout", "10", "--config"]).arg(config).args(["put", "key", "value"]);
    command.output().unwrap_or_else(|error| panic!("{error}: {}", cluster.said())).status.code()
}

const READ_ANEW: &str = "the roster was read anew";

#[test]
fn a_client_that_is_added_in_the_files_is_known_without_a_restart() {
    for apart in [false, true] {
        let cluster = of_one_client(apart);
        let chain = changed(&cluster, admitted(&cluster), &secret(&cluster, 1), &Ed25519);
        put_beside(&second_client(&cluster), &chain);
        assert_eq!(put(&cluster, &second_client(&cluster)), Some(2), "no node knows its key");
        change_all(&cluster, |file| put_beside(file, &chain), READ_ANEW);
        assert_eq!(put(&cluster, &second_client(&cluster)), Some(0));
        assert_eq!(put(&cluster, &cluster.config_of_client()), Some(0), "the first one is known as before");
    }
}

#[test]
fn a_key_that_is_replaced_in_the_files_is_out_and_the_new_one_in() {
    for apart in [false, true] {
        let cluster = of_one_client(apart);
        let load = Load::of(&cluster, 1);
        load.goes_on(&cluster, "the old key is taken");
        // Client 1 has from now on what is in client 2's folder.
        let (old, new) = (first_identity(&cluster), identity(&cluster, 2));
        let whats = [What::KeyAdded { identity: new }, What::KeyRetired { identity: old }];
        let whats = whats.map(|what| (Holder::Client(1), what)).to_vec();
        let chain = changed(&cluster, whats, &secret(&cluster, 1), &Ed25519);
        change_all(&cluster, |file| put_beside(file, &chain), READ_ANEW);
        drop(load);
        assert_eq!(put(&cluster, &cluster.config_of_client()), Some(2), "the old key is out");
        cluster.edit(&second_client(&cluster), |text| text.replace("number = 2", "number = 1"));
        put_beside(&second_client(&cluster), &chain);
        assert_eq!(put(&cluster, &second_client(&cluster)), Some(0), "the new one is in");
    }
}

#[test]
fn files_that_are_wrong_are_refused_by_name_and_the_old_stay_in_force() {
    for apart in [false, true] {
        let cluster = of_one_client(apart);
        let stays = "the configuration stays as it was";
        let chain = changed(&cluster, admitted(&cluster), &secret(&cluster, 1), &Ed25519);
        let forged = changed(&cluster, admitted(&cluster), &secret(&cluster, 2), &Credulous);
        put_beside(&second_client(&cluster), &chain);
        let refused = |why: &str| {
            assert!(cluster.said_by_node(1).contains(why), "{}", cluster.said());
            assert_eq!(
                put(&cluster, &second_client(&cluster)),
                Some(2),
                "what is refused counts for nothing"
            );
            assert_eq!(put(&cluster, &cluster.config_of_client()), Some(0));
        };
        change_all(&cluster, |file| put_beside(file, &forged), stays);
        refused("the signature is not the operator's");
        let wrong = |file: &Path| {
            put_beside(file, &chain);
            cluster.edit(file, |text| format!("{text}\ncolour = \"red\""));
        };
        change_all(&cluster, wrong, stays);
        refused("colour");
        let right = |file: &Path| cluster.edit(file, |text| text.replace("\ncolour = \"red\"", ""));
        change_all(&cluster, right, READ_ANEW);
        assert_eq!(put(&cluster, &second_client(&cluster)), Some(0));
    }
}

/// How long the keys of a test last.
const KEYS_LAST_SECONDS: u64 = 30;

#[test]
fn keys_that_end_are_seen_coming_and_told_of_when_they_have() {
    let mut cluster = Cluster::make(&wish());
    cluster.set_apart();
    let text = std::fs::read_to_string(cluster.config_of_client()).expect("it was made");
    let line = text.lines().find(|line| line.contains("varangian2:")).expect("it has identities");
    let made = line.trim_end_matches('"').rsplit(':').next().expect("it has an end").to_string();
    let end = WallTime(wall_time().0 + KEYS_LAST_SECONDS);
    for file in (0..3).map(|node| cluster.config_of_node(node)).chain([cluster.config_of_client()]) {
        cluster.edit(&file, |text| text.replace(&format!(":{made}\""), &format!(":{end}\"")));
    }
    cluster.start_all();
    cluster.kv_done(&["put", "key", "value"]);
    let has = |node, line: String| {
        let metrics = cluster.ask(node, "/metrics").map(|(_, metrics)| metrics).unwrap_or_default();
        metrics.lines().any(|other| other == line)
    };
    assert!(has(0, format!("varangian_key_ends_timestamp_seconds {}", end.0)), "{}", cluster.said());
    assert!(has(1, format!("varangian_next_key_ends_timestamp_seconds {}", end.0)), "{}", cluster.said());
    cluster.wait_until("all keys have ended, and that is told", || {
        (0..3).all(|node| has(node, "varangian_keys_ended 4".to_string()))
            && (0..3).all(|node| cluster.said_by_node(node).contains("error: the key of this node ended at"))
    });
    assert_eq!(put(&cluster, &cluster.config_of_client()), Some(2), "nobody takes a key");
}

/// The primary by the word of f+1.
fn primary(cluster: &Cluster) -> u16 {
    let mut primary = None;
    cluster.wait_until("somebody leads", || {
        let survey = cluster.survey_json(&[]);
        primary = survey["configuration"]["primary"].as_u64().filter(|_| survey["health"] == "healthy");
        primary.is_some()
    });
    primary.map_or(0, |primary| primary as u16)
}

#[test]
fn a_replica_that_stands_still_costs_its_role_and_is_given_up_while_the_load_goes_on() {
    let mut cluster = Cluster::make(&wish());
    cluster.set_apart();
    cluster.start_all();
    let load = Load::of(&cluster, 16);
    load.goes_on(&cluster, "it is answered");
    let leader = primary(&cluster);
    let incarnation = cluster.number(leader, "incarnation");
    signal("STOP", cluster.number(leader, "replica_pid"));
    load.goes_on(&cluster, "another leads");
    cluster.wait_until("it is given up and started again", || {
        cluster.number(leader, "replica_starts") == 2 && cluster.is_healthy(leader)
    });
    assert!(
        cluster.said_by_node(leader).contains("the monitor has given the replica up"),
        "{}",
        cluster.said()
    );
    assert_eq!(cluster.number(leader, "incarnation"), incarnation, "its monitor remembers");
    load.goes_on(&cluster, "it is answered still");
}

#[test]
fn a_monitor_that_stands_still_is_killed_and_its_node_comes_back_while_the_load_goes_on() {
    let mut cluster = Cluster::make(&wish());
    cluster.set_apart();
    cluster.start_all();
    let load = Load::of(&cluster, 16);
    load.goes_on(&cluster, "it is answered");
    let leader = primary(&cluster);
    let monitor = cluster.number(leader, "monitor_pid");
    signal("STOP", monitor);
    load.goes_on(&cluster, "another leads");
    cluster.wait_until("it is started again", || {
        let status = cluster.status_of_node(leader);
        status.is_some_and(|status| status["monitor_starts"] == 2 && status["healthy"] == true)
    });
    assert!(cluster.said_by_node(leader).contains("the monitor has said nothing"), "{}", cluster.said());
    load.goes_on(&cluster, "it is answered still");
}

fn set_fail(cluster: &Cluster, from: &str, to: &str) {
    for node in 0..3 {
        let change = |text: String| text.replace(&format!("fail = \"{from}\""), &format!("fail = \"{to}\""));
        cluster.edit(&cluster.config_of_node(node), change);
    }
}

/// The links and their keys are the monitor's: without its process there are none, whatever `fail` says.
#[test]
fn a_node_that_fails_open_is_cut_off_only_while_its_monitor_s_process_is_down() {
    let mut cluster = Cluster::make(&wish());
    cluster.set_apart();
    set_fail(&cluster, "closed", "open");
    cluster.start_all();
    let load = Load::of(&cluster, 4);
    load.goes_on(&cluster, "it is answered");
    signal("KILL", cluster.number(1, "monitor_pid"));
    load.goes_on(&cluster, "one monitor of three is gone");
    cluster.wait_until("it has found its way back", || {
        let status = cluster.status_of_node(1);
        status.is_some_and(|status| status["monitor_starts"] == 2 && status["healthy"] == true)
    });
}

/// A limit, and the way out of it (docs/operations.md): where replicas may have gone on unmonitored, monitors that have all forgotten
/// make no configuration.
#[test]
fn a_cluster_that_fails_open_and_was_all_started_again_says_that_it_does_not_serve_and_comes_back_closed() {
    let mut cluster = Cluster::make(&wish());
    set_fail(&cluster, "closed", "open");
    cluster.start_all();
    cluster.kv_done(&["put", "key", "value"]);
    let restart = |cluster: &mut Cluster| {
        (0..3).for_each(|node| cluster.kill_node(node));
        (0..3).for_each(|node| cluster.start_node(node));
    };
    restart(&mut cluster);
    let mut headline = String::new();
    cluster.wait_until("all answer, and none can order", || {
        let survey = cluster.survey_json(&[]);
        headline = survey["headline"].to_string();
        survey["health"] == "not-serving" && survey["taking_part"] == 3
    });
    assert!(headline.contains("cannot order"), "{headline}");
    assert_eq!(cluster.kv(&["--timeout", "1", "get", "key"]).status.code(), Some(3));
    set_fail(&cluster, "open", "closed");
    restart(&mut cluster);
    assert_eq!(cluster.kv_done(&["get", "key"]), b"value");
}
