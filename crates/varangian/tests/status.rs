//! `varangian status` against clusters of real nodes: what it says when all is well, and what when it is not.

mod cluster;

use cluster::{Cluster, Wish, signal};
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;
use std::process::Output;

fn wish(protocol: &'static str) -> Wish {
    Wish { protocol, nodes: if protocol == "pbft" { 4 } else { 3 }, fsync: false }
}

/// Exit code and answer.
fn told(output: &Output) -> (i32, String) {
    (output.status.code().expect("it ended by itself"), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn node(survey: &Value, node: usize) -> &Value {
    &survey["nodes"][node]
}

fn apart() -> Cluster {
    let mut cluster = Cluster::make(&wish("byzid"));
    cluster.set_apart();
    cluster.start_all();
    cluster
}

#[test]
fn a_spare_that_stands_by_is_healthy_for_whoever_watches_it() {
    let mut cluster = Cluster::make_with(&Wish { nodes: 4, ..wish("byzid") }, "--f 1 --spares 1");
    cluster.start_all();
    assert_eq!(cluster.health_of_node(3), (200, "stands by\n".to_string()));
    assert_eq!(cluster.health_of_node(0), (200, "takes part\n".to_string()));
    let standing_by = |node| cluster.status_of_node(node).map(|status| status["stands_by"] == true);
    assert_eq!((standing_by(0), standing_by(3)), (Some(false), Some(true)));
}

#[test]
fn a_cluster_in_order_is_healthy_and_each_node_tells_its_part() {
    let cluster = apart();
    cluster.kv_done(&["put", "colour", "red"]);
    cluster.wait_until("all agree, and have told of the session", || {
        let survey = cluster.survey_json(&[]);
        survey["health"] == "healthy" && (0..3).all(|at| node(&survey, at)["replica"]["sessions"] == 1)
    });
    let (code, text) = told(&cluster.survey(&[]));
    assert_eq!(code, 0, "{text}");
    assert!(text.starts_with("made: healthy, node "), "{text}");
    assert!(text.contains("0 of 1 faults used") && text.contains("agreed (=)"), "{text}");
    let survey = cluster.survey_json(&[]);
    assert_eq!(
        (&survey["health"], &survey["faults"], &survey["needed"]),
        (&json!("healthy"), &json!(0), &json!(2))
    );
    assert_eq!(survey["configuration"]["said_by"], json!([0, 1, 2]));
    let roles: Vec<&str> = (0..3).filter_map(|at| node(&survey, at)["role"].as_str()).collect();
    assert_eq!(roles.iter().filter(|role| **role == "primary").count(), 1, "{roles:?}");
    for at in 0..3 {
        let guard = &node(&survey, at)["guard"];
        assert_eq!((&guard["apart"], &guard["monitor"]["standing"]), (&json!(true), &json!("member")));
        assert_eq!(guard["version"], env!("CARGO_PKG_VERSION"));
        assert!(node(&survey, at)["replica"]["log"]["writes"].as_u64() > Some(0));
    }
    let (code, text) = told(&cluster.survey(&["--node", "2"]));
    assert!(code == 0 && text.starts_with("made: node 2 alone was asked"), "{text}");
    assert_eq!(cluster.survey_json(&["--node", "2"])["nodes"].as_array().map(Vec::len), Some(1));
}

#[test]
fn who_is_gone_is_told_by_why_and_the_exit_code_by_what_is_left() {
    let mut cluster = Cluster::start(&wish("byzid"));
    cluster.wait_until("all agree", || cluster.survey(&[]).status.success());
    cluster.kill_node(2);
    let survey = cluster.survey_json(&[]);
    assert_eq!((&survey["health"], &survey["faults"]), (&json!("degraded"), &json!(1)), "{survey}");
    assert_eq!(
        (&node(&survey, 2)["role"], &node(&survey, 2)["silence"]["kind"]),
        (&json!("unheard"), &json!("refused"))
    );
    let (code, text) = told(&cluster.survey(&["--wait", "0.5"]));
    assert!(code == 1 && text.contains("1 of 1 faults used: node 2 refused"), "{text}");
    cluster.kill_node(1);
    let (code, text) = told(&cluster.survey(&["--wait", "0.5"]));
    assert!(code == 2 && text.contains("not serving"), "{text}");
    assert!(text.contains("node 1 refused, node 2 refused"), "{text}");
    cluster.kill_node(0);
    let (code, text) = told(&cluster.survey(&["--wait", "0.5"]));
    assert!(code == 2 && text.contains("nobody answers: 3 of 3 nodes unreachable"), "{text}");
}

#[test]
fn a_node_whose_replica_is_stopped_or_dead_gives_account_of_it() {
    let cluster = apart();
    let pid = cluster.number(1, "replica_pid");
    signal("STOP", pid);
    cluster.wait_until("its monitor finds it silent", || {
        let survey = cluster.survey_json(&["--node", "1"]);
        node(&survey, 0)["role"] == "down" && node(&survey, 0)["guard"]["replica"]["up"] == true
    });
    assert_eq!(told(&cluster.survey(&["--node", "1"])).0, 1);
    signal("KILL", pid);
    cluster.wait_until("it tells of its end", || {
        let survey = cluster.survey_json(&["--node", "1"]);
        let beside = &node(&survey, 0)["guard"]["replica"];
        beside["starts"] == 2 && beside["end"]["why"].is_string() && node(&survey, 0)["role"] != "down"
    });
}

#[test]
fn strangers_at_a_port_are_told_and_no_fault() {
    let cluster = Cluster::start(&wish("byzid"));
    cluster.wait_until("all agree", || cluster.survey(&[]).status.success());
    let mut stranger = TcpStream::connect(("127.0.0.1", cluster.port_of_node(1))).expect("it listens");
    stranger.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("it is taken");
    let refused = |at: usize| node(&cluster.survey_json(&[]), at)["guard"]["connections_refused"].clone();
    cluster.wait_until("the stranger is told of", || refused(1) == 1);
    assert_eq!(refused(0), 0);
    let (code, text) = told(&cluster.survey(&[]));
    assert!(code == 0 && text.contains("node 1: connections refused within "), "{text}");
    assert!(text.contains(": 1 (strangers"), "{text}");
}

#[test]
fn a_log_that_fails_is_told_by_the_node_that_has_it() {
    let mut cluster = apart();
    // A folder in the place of the file that the next opening makes.
    let log = cluster.folder().join("node-2/data/log");
    let pid = cluster.number(2, "replica_pid");
    let spoilt = std::fs::read_dir(&log).expect("it is there").flatten().next().expect("it holds something");
    std::fs::write(spoilt.path(), b"rot").expect("it can be written");
    for entry in std::fs::read_dir(&log).expect("it is there").flatten() {
        std::fs::write(entry.path(), b"rot").expect("it can be written");
    }
    signal("KILL", pid);
    cluster.wait_until("it says why", || {
        let survey = cluster.survey_json(&["--node", "2"]);
        let why = node(&survey, 0)["guard"]["replica"]["end"]["why"].as_str().unwrap_or_default().to_string();
        why.starts_with("it said: ") && node(&survey, 0)["role"] == "down"
    });
    cluster.kill_node(2);
}

#[test]
fn a_client_that_is_not_known_and_a_node_that_is_not_whom_we_know_are_named() {
    let cluster = {
        let mut cluster = Cluster::make_with(&wish("byzid"), "--clients 2");
        // Node 0 does not know client 1; client 1 takes node 1 for somebody with another key.
        let of_clients = |text: &str| {
            let lines: Vec<String> =
                text.lines().filter(|line| line.starts_with("identity")).map(String::from).collect();
            lines[3..].to_vec()
        };
        let client = cluster.config_of_client();
        let text = std::fs::read_to_string(&client).expect("it was made");
        let identities: Vec<&str> = text.lines().filter(|line| line.starts_with("identity")).collect();
        let (node_1, [mine, other]) = (identities[1], &of_clients(&text)[..]) else { panic!("two clients") };
        cluster.edit(&cluster.config_of_node(0), |text| {
            let start = text.find("[[cluster.clients]]").expect("there are clients");
            let end = text.rfind("[[cluster.clients]]").expect("there are clients");
            assert!(text[start..end].contains(mine));
            format!("{}{}", &text[..start], &text[end..])
        });
        cluster.edit(&client, |text| {
            let end = text.rfind("[[cluster.clients]]").expect("there are clients");
            text[..end].replace(node_1, other)
        });
        cluster.start_all();
        cluster
    };
    let survey = cluster.survey_json(&["--wait", "5"]);
    let kind = |at| node(&survey, at)["silence"]["kind"].clone();
    assert_eq!(
        (kind(0), kind(1), kind(2)),
        (json!("key-not-known"), json!("wrong-key"), Value::Null),
        "{survey}"
    );
    assert_eq!(survey["health"], "not-serving");
}

#[test]
fn protocols_without_monitors_tell_who_leads_as_well() {
    for protocol in ["paxos", "pbft"] {
        let cluster = Cluster::start(&wish(protocol));
        cluster.wait_until("all agree", || cluster.survey(&[]).status.success());
        let survey = cluster.survey_json(&[]);
        assert_eq!(survey["protocol"], protocol);
        assert_eq!(node(&survey, 0)["guard"]["monitor"], Value::Null);
        assert_eq!(survey["configuration"]["agreed"], true);
    }
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_would_be_right() {
    let cluster = Cluster::make(&wish("byzid"));
    let output = cluster.survey(&["--node", "9"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("there is no node 9") && said.contains("nodes 0, 1, 2"), "{said}");
    let output = cluster.survey(&["--watch", "1"]);
    assert_eq!(output.status.code(), Some(2), "it would draw into a file");
}
