//! `varangian sim` through the real binary: what it prints, and with which exit code.

use serde_json::Value;
use std::process::{Command, Output};

fn sim(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_varangian"))
        .arg("sim")
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

fn object(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", out(output)))
}

const SMALL: &str = "--protocol paxos --f 1 --seeds 4 --duration 2s";

#[test]
fn a_small_campaign_keeps_every_promise_and_says_what_it_did() {
    let output = sim(SMALL);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(out(&output).starts_with("paxos, f = 1: 3 nodes; seeds 0 to 3;"), "{}", out(&output));
    assert!(out(&output).contains("all kept"));
    assert_eq!(err(&output), "", "no progress bar where there is no terminal");
}

#[test]
fn json_is_one_object_with_exactly_the_keys_promised() {
    let output = sim(&format!("{SMALL} --json"));
    assert_eq!(output.status.code(), Some(0));
    let object = object(&output);
    let keys: Vec<&String> = object.as_object().expect("it is an object").keys().collect();
    assert_eq!(
        keys,
        [
            "f",
            "faults",
            "messages",
            "messages_per_second_per_core",
            "operations_checked",
            "protocol",
            "reconfigurations",
            "seeds",
            "violations"
        ]
    );
    assert_eq!(object["protocol"], "paxos");
    assert_eq!(object["seeds"], 4);
    assert_eq!(object["violations"], 0);
    assert!(object["messages"].as_u64().expect("it is a number") > 1000);
    assert!(object["operations_checked"].as_u64().expect("it is a number") > 100);
    assert!(object["faults"].as_object().is_some_and(|faults| !faults.is_empty()));
}

#[test]
fn the_result_follows_from_the_seeds_not_from_the_workers() {
    let fingerprint = |workers: u32| {
        let text = out(&sim(&format!("{SMALL} --workers {workers}")));
        text.lines().find(|line| line.contains("fingerprint")).expect("it is printed").to_string()
    };
    assert_eq!(fingerprint(1), fingerprint(3));
}

#[test]
fn a_seed_is_replayed_and_explained() {
    let alone = sim("--protocol paxos --replay 3 --duration 2s --json");
    assert_eq!(alone.status.code(), Some(0));
    assert_eq!(object(&alone)["seeds"], 1);
    let output = sim("--protocol paxos --replay 3 --duration 2s --explain=40");
    assert_eq!(output.status.code(), Some(0));
    let text = out(&output);
    assert!(text.contains("--protocol paxos --f 1"), "{text}");
    assert!(text.contains("p0   p1   p2"), "{text}");
    assert!(text.lines().count() > 40, "{text}");
}

/// The first line of an explained run is the command that replays it: said again, it is the same run, to the last byte.
#[test]
fn the_command_that_is_printed_can_be_typed() {
    for arguments in [
        "--protocol paxos --f 2 --faults crash,network --duration 1500ms --durability async",
        "--protocol byzid --faults monitor --duration 1s --fail open --only faults=0,clients=2,operations=5",
    ] {
        let first = out(&sim(&format!("{arguments} --replay 7 --explain=40")));
        let command = first.lines().next().expect("it has a first line");
        let words = command.strip_prefix("varangian sim ").unwrap_or_else(|| panic!("{command}"));
        assert_eq!(out(&sim(&format!("{words} --explain=40"))), first, "{command}");
    }
}

#[test]
fn words_have_no_second_spelling() {
    for arguments in ["--protocol paxos --seed 1", "--protocol paxos --replay 1 --monitor-failure open"] {
        let output = sim(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert!(err(&output).contains("unexpected argument"), "{arguments}: {}", err(&output));
    }
    let output =
        Command::new(env!("CARGO_BIN_EXE_varangian")).arg("simulate").output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn without_faults_none_are_injected() {
    let object = object(&sim("--protocol paxos --seeds 2 --duration 1s --faults none --json"));
    assert_eq!(object["faults"].as_object().map(serde_json::Map::len), Some(0));
    assert_eq!(object["violations"], 0);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (arguments, said) in [
        ("", "--protocol"),
        ("--protocol raft", "there is no protocol 'raft'"),
        ("--protocol paxos --f 0", "0 is not in 1..=10"),
        ("--protocol paxos --f 11", "11 is not in 1..=10"),
        ("--protocol paxos --seeds 0", "0 is not in 1.."),
        ("--protocol paxos --duration 5", "write it like 500ms, 10s or 2m"),
        ("--protocol paxos --faults chaos", "there is no mix of faults 'chaos'"),
        ("--protocol paxos --workers 0", "--workers"),
        ("--protocol paxos --explain", "--replay"),
        ("--protocol paxos --replay 1 --seeds 2", "--seeds"),
        ("--protocol paxos --from 18446744073709551615", "the last seed"),
    ] {
        let output = sim(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert!(err(&output).contains(said), "{arguments}: {}", err(&output));
    }
}

#[test]
#[cfg(not(feature = "mutations"))]
fn a_build_without_defects_says_how_to_get_one() {
    let output = sim("--mutations");
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("--features mutations"), "{}", err(&output));
}

#[test]
#[cfg(feature = "mutations")]
fn defects_are_looked_for_one_by_one() {
    let output = sim("--mutations --protocol paxos --seeds 32 --json");
    let object = object(&output);
    let table = object["mutations"].as_array().expect("there is a table");
    let found = |name: &str| {
        let row =
            table.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name} is not listed"));
        (row["found"] == true, row["checker"].as_str().map(str::to_string))
    };
    assert_eq!(found("paxos-accept-quorum"), (true, Some("agreement".into())));
    assert_eq!(found("paxos-reply-early"), (true, Some("agreement".into())));
    let missed = object["missed"].as_u64().expect("it is a number");
    assert_eq!(output.status.code(), Some(i32::from(missed > 0)));
}

#[test]
fn help_has_an_example() {
    let output = sim("--help");
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).contains("varangian sim --protocol byzid --f 1 --seeds 1000"));
}
