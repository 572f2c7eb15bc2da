//! `varangian kv` against clusters of real nodes: what it does, refuses and says.

mod cluster;

use cluster::{Cluster, Wish, binary};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Output, Stdio};

fn wish(protocol: &'static str) -> Wish {
    Wish { protocol, nodes: if protocol == "pbft" { 4 } else { 3 }, fsync: false }
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("it is JSON")
}

/// Everything that the store can do, once.
fn all_verbs_work(cluster: &Cluster) {
    assert_eq!(cluster.kv_done(&["put", "colour", "red"]), b"revision 1\n");
    assert_eq!(cluster.kv_done(&["get", "colour"]), b"red", "as it went in");
    assert_eq!(cluster.kv_done(&["cas", "colour", "1", "blue"]), b"revision 2\n");
    let refused = cluster.kv(&["cas", "colour", "1", "green"]);
    assert_eq!(code(&refused), 1);
    assert!(said(&refused).contains("last changed at revision 2"), "{}", said(&refused));
    let gone = cluster.kv(&["get", "shape"]);
    assert_eq!((code(&gone), &gone.stdout[..]), (1, &b""[..]));
    let binary_value = b"\0\xff\n-";
    let mut put = cluster.kv_command(&["put", "raw", "-"]);
    let mut put = put.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it runs");
    put.stdin.take().expect("it is piped").write_all(binary_value).expect("it reads");
    assert!(put.wait().expect("it ends").success());
    assert_eq!(cluster.kv_done(&["get", "raw"]), binary_value);
    assert_eq!(json(&cluster.kv_done(&["get", "raw", "--json"]))["value_base64"], "AP8KLQ==");
    let listed = json(&cluster.kv_done(&["list", "--json"]));
    assert_eq!(listed["entries"][0]["key"], "colour");
    assert_eq!(listed["entries"][0]["value"], "blue");
    assert_eq!((&listed["revision"], &listed["more"]), (&Value::from(3), &Value::from(false)));
    assert_eq!(cluster.kv_done(&["list", "ra"]), b"raw\t3\t\\x00\\xff\\n-\n");
    assert_eq!(json(&cluster.kv_done(&["list", "--limit", "1", "--json"]))["more"], true);
    assert_eq!(cluster.kv_done(&["delete", "raw"]), b"deleted\n");
    let watched = cluster.kv_done(&["watch", "col", "--since", "0", "--limit", "2"]);
    assert_eq!(watched, b"put\t1\tcolour\tred\nput\t2\tcolour\tblue\n");
}

/// A watch that began before hears of what comes after.
fn a_watch_hears_what_comes(cluster: &Cluster) {
    let mut watch = cluster.kv_command(&["watch", "news/", "--since", "0", "--limit", "2"]);
    let mut watch = watch.stdout(Stdio::piped()).spawn().expect("it runs");
    let mut lines = BufReader::new(watch.stdout.take().expect("it is piped")).lines();
    let mut line = || lines.next().expect("it goes on").expect("it is text");
    cluster.kv_done(&["put", "news/1", "a"]);
    assert!(line().ends_with("\tnews/1\ta"));
    cluster.kv_done(&["delete", "news/1"]);
    assert!(line().starts_with("delete\t"));
    assert!(watch.wait().expect("it ends").success());
}

#[test]
fn everything_works_on_byzid_paxos_and_pbft() {
    for protocol in ["byzid", "paxos", "pbft"] {
        let cluster = Cluster::start(&wish(protocol));
        all_verbs_work(&cluster);
        a_watch_hears_what_comes(&cluster);
        let stations = cluster.folder().join("client-1/stations");
        let stations = fs::read_dir(stations).expect("numbers are kept").count();
        assert!(stations <= 2, "{protocol}: two at a time, so the cluster remembers two, not {stations}");
    }
}

#[test]
fn everything_works_where_all_is_on_disk_before_it_is_said() {
    all_verbs_work(&Cluster::start(&Wish { fsync: true, ..wish("byzid") }));
}

/// With f = 1, if the one that came back does not take part, the service ends with the next one that goes: here the primary.
fn a_node_that_was_killed_comes_back(protocol: &'static str) {
    let mut cluster = Cluster::start(&wish(protocol));
    let last = wish(protocol).nodes - 1;
    let put = |cluster: &Cluster, keys: core::ops::Range<usize>| {
        for key in keys {
            cluster.kv_done(&["put", &format!("key-{key:02}"), &format!("value {key}")]);
        }
    };
    put(&cluster, 0..5);
    cluster.kill_node(last);
    put(&cluster, 5..15);
    cluster.start_node(last);
    put(&cluster, 15..25);
    let executed = |node| cluster.status_of_node(node).and_then(|status| status["executed"].as_u64());
    cluster.wait_until("the node has caught up", || {
        cluster.kv_done(&["put", "tick", "x"]);
        let (one, other) = (executed(0), executed(last));
        one.is_some() && other.is_some_and(|other| other + 1 >= one.unwrap_or(u64::MAX))
    });
    cluster.kill_node(0);
    put(&cluster, 25..30);
    let listed = json(&cluster.kv_done(&["list", "key-", "--json"]));
    let entries = listed["entries"].as_array().expect("a list");
    let values: Vec<&str> = entries.iter().filter_map(|entry| entry["value"].as_str()).collect();
    assert_eq!(values, (0..30).map(|key| format!("value {key}")).collect::<Vec<_>>(), "nothing is lost");
}

#[test]
fn a_byzid_node_that_was_killed_comes_back_and_is_relied_on() {
    a_node_that_was_killed_comes_back("byzid");
}

#[test]
fn a_paxos_node_that_was_killed_comes_back_and_is_relied_on() {
    a_node_that_was_killed_comes_back("paxos");
}

#[test]
fn a_pbft_node_that_was_killed_comes_back_and_is_relied_on() {
    a_node_that_was_killed_comes_back("pbft");
}

#[test]
fn a_client_of_another_cluster_is_refused_and_told_so() {
    let (cluster, other) = (Cluster::start(&wish("byzid")), Cluster::make(&wish("byzid")));
    cluster.kv_done(&["put", "a", "b"]);
    // Its own secret in the place of ours: that is seen before anybody is asked.
    let (ours, theirs) = (cluster.folder().join("client-1"), other.folder().join("client-1"));
    let mixed = other.folder().join("mixed");
    fs::create_dir(&mixed).expect("there is room");
    let copy = |from: &std::path::Path, name: &str| {
        fs::copy(from.join(name), mixed.join(name)).expect("it can be copied");
    };
    copy(&ours, "client.toml");
    copy(&theirs, "identity.secret");
    let ask = |key: &str| {
        let config = mixed.join("client.toml");
        binary().arg("kv").arg("--config").arg(config).args(["get", key]).output().expect("it runs")
    };
    let refused = ask("a");
    assert_eq!((code(&refused), &refused.stdout[..]), (2, &b""[..]), "{}", said(&refused));
    // A whole client of theirs that has our nodes for its own: our nodes do not know its key.
    let identity = fs::read_to_string(theirs.join("client.toml")).expect("it was made");
    let identity = identity.lines().rev().find(|line| line.starts_with("identity")).expect("the client's");
    cluster.edit(&mixed.join("client.toml"), |text| {
        let mine = text.lines().rev().find(|line| line.starts_with("identity")).expect("the client's");
        text.replace(mine, identity)
    });
    let refused = ask("a");
    assert_eq!((code(&refused), &refused.stdout[..]), (2, &b""[..]), "{}", said(&refused));
    assert!(said(&refused).contains("the key is refused (refused-by-peer"), "{}", said(&refused));
}

#[test]
fn a_cluster_that_is_down_is_no_reason_to_wait_for_ever() {
    let cluster = Cluster::make(&wish("byzid"));
    let unanswered = cluster.kv(&["--timeout", "0.3", "put", "a", "b"]);
    assert_eq!(code(&unanswered), 3, "{}", said(&unanswered));
    assert!(said(&unanswered).contains("nothing was asked"), "{}", said(&unanswered));
}

/// Three nodes that go and come back are no reason to begin anew.
#[test]
fn a_watch_outlives_a_cluster_that_is_away_for_a_while() {
    let mut cluster = Cluster::start(&Wish { fsync: true, ..wish("paxos") });
    let mut watch = cluster.kv_command(&["--timeout", "0.3", "watch", "--since", "0", "--limit", "2"]);
    cluster.kv_done(&["put", "before", "x"]);
    let mut watch = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut said = BufReader::new(watch.stderr.take().expect("it is piped")).lines();
    let mut lines = BufReader::new(watch.stdout.take().expect("it is piped")).lines();
    assert_eq!(lines.next().expect("it goes on").expect("it is text"), "put\t1\tbefore\tx");
    (0..3).for_each(|node| cluster.kill_node(node));
    assert!(said.next().expect("it goes on").expect("it is text").starts_with("warning: "));
    (0..3).for_each(|node| cluster.start_node(node));
    cluster.kv_done(&["put", "after", "y"]);
    assert_eq!(lines.next().expect("it goes on").expect("it is text"), "put\t2\tafter\ty");
    assert!(watch.wait().expect("it ends").success());
}

#[test]
fn without_a_majority_the_outcome_is_said_to_be_unknown() {
    let mut cluster = Cluster::start(&wish("paxos"));
    cluster.kv_done(&["put", "a", "b"]);
    cluster.kill_node(1);
    cluster.kill_node(2);
    let unanswered = cluster.kv(&["--timeout", "0.5", "put", "a", "c"]);
    assert_eq!(code(&unanswered), 3, "{}", said(&unanswered));
    assert!(said(&unanswered).contains("UNKNOWN"), "{}", said(&unanswered));
}

#[test]
fn a_wrong_wish_is_exit_code_2() {
    let cluster = Cluster::make(&wish("byzid"));
    let node = cluster.config_of_node(0);
    let wrong = binary().arg("kv").arg("--config").arg(node).args(["get", "a"]).output().expect("it runs");
    assert_eq!(code(&wrong), 2);
    for arguments in [&["--timeout", "x", "get", "a"][..], &["put", "a"], &["cas", "a", "b", "c"]] {
        assert_eq!(code(&cluster.kv(arguments)), 2, "{arguments:?}");
    }
}
