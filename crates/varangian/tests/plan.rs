//! `varangian plan` through the real binary: what it prints, and with which exit code.

use serde_json::{Value, json};
use std::process::{Command, Output};

fn plan(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_varangian"))
        .arg("plan")
        .args(arguments.split_whitespace())
        .output()
        .expect("the binary runs")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_wish_gets_its_number_of_nodes() {
    let output = plan("--protocol byzid --f 1");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        out(&output),
        "\
byzid, f = 1: 3 nodes (2f+1)

  tolerates  1 node that lies or crashes
  rests on   an honest monitor beside each replica; it may crash, not lie
  a client   believes a result that 2 of them have vouched for
"
    );
}

#[test]
fn all_protocols_are_compared_and_none_is_left_out_silently() {
    let output = plan("--nodes 3 --f 1");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        out(&output),
        "\
protocol   f  nodes  tolerates                            rests on
byzid      1      3  1 node that lies or crashes          an honest monitor beside each replica; it may crash, not lie
byzid-w    1      3  1 node that lies or crashes          an honest monitor beside each replica; it may crash, not lie
paxos      1      3  1 node that crashes, none that lies  every node's honesty
pbft       -      -  needs 3f+1 nodes
"
    );
}

/// 3 nodes, 1 liar, nobody trusted: often claimed, never true.
#[test]
fn the_classic_impossible_wish_is_refused_and_put_right() {
    let output = plan("--nodes 3 --f 1 --protocol pbft");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(out(&output), "");
    assert_eq!(
        err(&output),
        "\
error: 3 nodes cannot mask 1 liar by pbft: it needs 3f+1 = 4, since it trusts nobody
  right would be:
    --nodes 4 --protocol pbft --f 1
    --nodes 3 --protocol byzid --f 1   with an honest monitor beside each replica
    --nodes 3 --protocol paxos --f 1   if nodes crash but never lie
"
    );
}

#[test]
fn what_is_put_right_is_right() {
    let refused = plan("--nodes 5 --f 3 --protocol pbft");
    assert_eq!(refused.status.code(), Some(2));
    let corrections: Vec<String> = err(&refused)
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .map(|line| line.split("   ").next().unwrap_or_default().to_string())
        .collect();
    assert!(corrections.len() >= 2, "{corrections:?}");
    for correction in corrections {
        assert_eq!(plan(&correction).status.code(), Some(0), "{correction}");
    }
}

#[test]
fn impossible_wishes_are_refused() {
    for (wish, said) in [
        ("", "there is nothing to plan"),
        ("--f 0", "f = 0 masks nothing"),
        ("--f 11", "at most --f 10"),
        ("--nodes 65", "at most --nodes 64"),
        ("--nodes 2", "no protocol masks 1 faulty node with 2 nodes"),
        ("--protocol raft --f 1", "there is no protocol 'raft'"),
        ("--f one", "invalid value 'one'"),
    ] {
        let output = plan(wish);
        assert_eq!(output.status.code(), Some(2), "{wish}");
        assert!(err(&output).contains(said), "{wish}: {}", err(&output));
    }
}

#[test]
fn json_is_one_object() {
    let output = plan("--nodes 6 --protocol byzid --f 1 --json");
    assert_eq!(output.status.code(), Some(0));
    let object: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(
        object,
        json!({
            "wish": { "protocol": "byzid", "f": 1, "nodes": 6 },
            "plans": [{
                "protocol": "byzid",
                "f": 1,
                "nodes_needed": 3,
                "nodes_extra": 3,
                "liars_tolerated": 1,
                "crashes_tolerated": 1,
                "replies_needed": 2,
                "trusts_monitor": true,
            }],
            "unable": [],
        })
    );
}

#[test]
fn help_has_an_example() {
    let output = plan("--help");
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).contains("varangian plan --protocol byzid --f 1"));
}
