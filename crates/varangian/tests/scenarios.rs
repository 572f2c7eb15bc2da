//! `varangian scenarios` through the real binary: what it lists, and with which exit code it ends.

use serde_json::Value;
use std::process::{Command, Output};

fn scenarios(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_varangian"))
        .arg("scenarios")
        .args(arguments.split_whitespace())
        .output()
        .expect("the binary runs")
}

#[test]
fn the_list_names_every_scenario_with_its_promise() {
    let output = scenarios("--list --json");
    let list: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let names: Vec<&str> =
        list["scenarios"].as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(output.status.code(), Some(0));
    assert!(names.contains(&"slow-primary") && names.contains(&"monitors-gone-live"), "{names:?}");
}

#[test]
fn one_scenario_is_run_and_told() {
    let output = scenarios("too-many --seeds 1 --json");
    let told: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert_eq!(told["kept"], true);
    assert!(told["scenarios"][0]["told"][0].as_str().is_some_and(|text| text.contains("LOST")), "{told}");
}

#[test]
fn a_promise_that_cannot_be_shown_is_exit_code_1() {
    // In one world of fifteen a reconfiguration is under way when the last monitor crashes: alone it shows nothing, and that
    // is said.
    let shown_nothing = (0..200)
        .map(|seed| scenarios(&format!("monitors-gone-live --from {seed} --seeds 1")))
        .find(|output| output.status.code() != Some(0))
        .expect("one of many");
    let text = String::from_utf8_lossy(&shown_nothing.stdout).into_owned();
    assert_eq!(shown_nothing.status.code(), Some(1), "{text}");
    assert!(text.contains("BROKEN") && text.contains("NOT KEPT"), "{text}");
}

#[test]
fn a_scenario_that_there_is_not_is_refused_with_what_there_is() {
    let output = scenarios("war-and-peace");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains("'war-and-peace'") && text.contains("too-many"), "{text}");
}
