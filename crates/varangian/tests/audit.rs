//! `varangian audit` through the real binary: what it finds in captures of the simulator, and what it makes of other files.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn varangian(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_varangian")).args(arguments).output().expect("the binary runs")
}

/// A file of this test's own.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("audit-{name}"))
}

/// A capture of the run `seed`, with these faults.
fn capture(name: &str, seed: &str, faults: &str) -> PathBuf {
    let path = file(name);
    let words = "sim --protocol byzid --f 1 --fail open --duration 2s --json --faults".split(' ');
    let place = path.to_str().expect("a path of words");
    let words: Vec<&str> = words.chain([faults, "--replay", seed, "--record", place]).collect();
    let output = varangian(&words);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    path
}

fn audit(path: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let words = [&["audit", path.to_str().expect("a path of words")], more].concat();
    let output = varangian(&words);
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn nobody_is_accused_where_nothing_goes_wrong() {
    let path = capture("calm", "1", "none");
    let (code, text, _) = audit(&path, &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("no rule was broken"), "{text}");
}

#[test]
fn a_liar_that_no_monitor_stops_is_convicted_by_name_and_by_rule() {
    let mut convicted = 0;
    for seed in 0..40 {
        let path = capture("liar", &seed.to_string(), "byzantine,monitor");
        let (code, text, _) = audit(&path, &["--json"]);
        let found: Value = serde_json::from_str(&text).expect("one JSON object");
        let nodes = found["nodes"].as_array().expect("a list");
        let broke = |node: &&Value| node["broke"].as_array().is_some_and(|rules| !rules.is_empty());
        assert_eq!(code, Some(i32::from(nodes.iter().filter(broke).count() > 0)), "{text}");
        let proven = nodes.iter().filter(|node| node["convicted"] == true);
        for node in proven {
            convicted += 1;
            let name = format!("p{}", node["node"]);
            let (code, text, _) = audit(&path, &["--node", &node["node"].to_string()]);
            assert_eq!(code, Some(1), "{text}");
            assert!(text.contains(&format!("convicted, by what no correct replica does: {name}")), "{text}");
            assert!(text.contains(node["broke"][0]["rule"].as_str().expect("a rule")), "{text}");
        }
    }
    assert!(convicted > 0, "nobody was convicted in 40 runs with liars");
}

#[test]
fn a_capture_that_was_cut_off_is_judged_as_far_as_it_goes() {
    let path = capture("whole", "1", "none");
    let whole = fs::read(&path).expect("it was written");
    let cut = file("cut");
    fs::write(&cut, &whole[..whole.len() - 5]).expect("a writable folder");
    let (code, text, remark) = audit(&cut, &["--json"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(remark.contains("ends in the middle of a passage"), "{remark}");
    assert_eq!(serde_json::from_str::<Value>(&text).expect("one JSON object")["cut_off"], true);
}

#[test]
fn what_cannot_be_audited_is_refused_with_what_was_wrong() {
    let path = capture("damaged", "1", "none");
    let whole = fs::read(&path).expect("it was written");
    let mut version = whole.clone();
    version[18] = 9;
    let mut settings = whole.clone();
    settings[24..32].fill(0);
    let mut passage = whole.clone();
    let first = 19 + 4 + usize::from(whole[19]);
    passage[first + 12] = 77;
    let mut endless = whole.clone();
    endless[first..first + 4].fill(255);
    let cases: [(&[u8], &str); 8] = [
        (b"", "this is no capture"),
        (b"varangian", "this is no capture"),
        (&version, "it has version 9; this build reads version 1"),
        (&whole[..30], "it ends before its settings do"),
        (&settings, "these settings make no cluster"),
        (&whole[..first], "nothing passed in it"),
        (&passage, "passage 1: p77 is no node of the cluster"),
        (&endless, "passage 1: length of a piece is 4294967295"),
    ];
    for (bytes, wrong) in cases {
        let bad = file("bad");
        fs::write(&bad, bytes).expect("a writable folder");
        let (code, text, error) = audit(&bad, &[]);
        assert_eq!((code, text.as_str()), (Some(2), ""), "{error}");
        assert!(error.contains(wrong), "{error} does not say {wrong}");
    }
    let (code, _, error) = audit(&path, &["--node", "7"]);
    assert!(code == Some(2) && error.contains("there is no node 7; there are 0, 1, 2"), "{error}");
    let (code, _, error) = audit(&file("that-is-not-there"), &[]);
    assert!(code == Some(2) && error.contains("No such file"), "{error}");
}

#[test]
fn a_protocol_without_a_monitor_is_not_recorded() {
    let output = varangian(&["sim", "--protocol", "pbft", "--replay", "1", "--record", "/dev/null"]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("--record is for byzid and byzid-w"), "{error}");
}

#[test]
fn a_record_that_cannot_be_written_is_said_and_is_exit_code_2() {
    let output = varangian(&["sim", "--protocol", "byzid", "--replay", "1", "--record", "/dev/full"]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("cannot write /dev/full"), "{error}");
}
