//! `varangian bench agreement` as somebody who runs it meets it: real clusters, tiny runs.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before the test says that it does not come.
const PATIENCE: Duration = Duration::from_secs(60);

fn bench(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_varangian"));
    command.args(["bench", "agreement"]).args(line.split_whitespace());
    command.arg("--dir").arg(folder).stdin(Stdio::null());
    command
}

/// Runs it to its end. A machine that has too much else to do may change views, which is told and no fault of the bench.
fn done(mut command: Command) -> Output {
    let output = command.output().expect("the binary runs");
    let (said, told) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    let code = output.status.code();
    let count = |words: &str| told.matches(words).count();
    let has_changed = count("\"view_changes\"") > count("\"view_changes\": 0");
    assert!(code == Some(0) || code == Some(1) && has_changed, "{code:?}: {said}\n{told}");
    output
}

fn list(output: &Output) -> Vec<Value> {
    serde_json::from_slice(&output.stdout).expect("it prints a list")
}

/// Processes of this machine whose command line names `folder`.
fn processes_of(folder: &Path) -> Vec<u32> {
    let name = folder.to_str().expect("it has a plain name");
    let names_it = |id: &u32| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(name)
    };
    let ids = fs::read_dir("/proc").expect("this is Linux").flatten();
    let ids = ids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| *id != std::process::id() && names_it(id)).collect()
}

fn nothing_is_left_in(folder: &Path) {
    let end = Instant::now() + PATIENCE;
    while !processes_of(folder).is_empty() {
        assert!(Instant::now() < end, "{:?} still run", processes_of(folder));
        thread::sleep(Duration::from_millis(20));
    }
    let left: Vec<_> =
        fs::read_dir(folder).expect("it is there").flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "{left:?} are still there");
}

/// Whether every element that begins in `text` ends in it, in order.
fn is_well_formed(text: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let Some(end) = rest[at..].find('>').map(|end| at + end) else { return false };
        let tag = &rest[at + 1..end];
        match tag.strip_prefix('/') {
            Some(closed) => {
                if open.pop() != Some(closed) {
                    return false;
                }
            }
            None if tag.ends_with('/') => {}
            None => open.push(tag.split_whitespace().next().unwrap_or_default()),
        }
        rest = &rest[end + 1..];
    }
    open.is_empty() && !rest.contains('&')
}

#[test]
fn a_tiny_run_yields_every_field_and_figures_that_parse() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let line = "--protocols byzid,paxos --clients 8 --warmup 0.1 --seconds 0.3 --repetitions 1 --durability async --json";
    let output = done(bench(folder.path(), line));
    let rows = list(&output);
    let systems: Vec<&str> = rows.iter().filter_map(|row| row["system"].as_str()).collect();
    assert_eq!(systems, ["byzid", "paxos"]);
    for row in &rows {
        assert_eq!(
            (row["f"].as_u64(), row["clients"].as_u64(), row["repetition"].as_u64()),
            (Some(1), Some(8), Some(1))
        );
        assert_eq!((row["request_bytes"].as_u64(), row["reply_bytes"].as_u64()), (Some(0), Some(0)));
        assert_eq!(row["durability"], "async");
        for field in [
            "operations_per_second",
            "p50_us",
            "p99_us",
            "cpu_us_per_operation",
            "load_cpu_us_per_operation",
            "max_us",
        ] {
            assert!(row[field].as_f64().is_some_and(|number| number > 0.0), "{field} in {row}");
        }
        assert_eq!(row["errors"], 0);
    }
    nothing_is_left_in(folder.path());

    let json = folder.path().join("results.json");
    fs::write(&json, &output.stdout).expect("there is room");
    let figures = folder.path().join("figures");
    let mut again = Command::new(env!("CARGO_BIN_EXE_varangian"));
    again.args(["bench", "agreement", "--markdown", "--from"]).arg(&json).arg("--plot").arg(&figures);
    let table = String::from_utf8(done(again).stdout).expect("it is text");
    assert!(table.contains("| system |") && table.contains("| paxos |"), "{table}");
    for name in ["figure-7-f1.svg", "saturation-f1.svg"] {
        let text = fs::read_to_string(figures.join(name)).expect("it was drawn");
        assert!(text.starts_with("<svg xmlns=") && is_well_formed(&text), "{text}");
    }
    assert!(!is_well_formed("<svg><g></svg>"), "the check can fail");
}

#[test]
fn a_backup_is_killed_and_the_run_goes_on_to_its_end() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let line = "--protocols paxos --clients 8 --failure backup@0.5 --seconds 1 --warmup 0.1 --repetitions 1 --durability async";
    let rows = list(&done(bench(folder.path(), &format!("{line} --json"))));
    let [run] = &rows[..] else { panic!("{rows:?} are not one run") };
    assert_eq!((run["failure"].as_str(), run["at_seconds"].as_f64()), (Some("backup"), Some(0.5)));
    assert_eq!(run["over_time_per_second"].as_array().map(Vec::len), Some(10));
    assert!(run["before_per_second"].as_f64().is_some_and(|rate| rate > 0.0), "{run}");
    assert!(run["pause_ms"].is_u64(), "{run}");
    nothing_is_left_in(folder.path());
}

#[test]
fn nothing_outlives_an_interrupt_or_a_kill() {
    for (signal, code) in [(Signal::SIGINT, Some(2)), (Signal::SIGKILL, None)] {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let line = "--protocols byzid --processes separate --clients 4 --seconds 60 --repetitions 1";
        let mut command = bench(folder.path(), line);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs");
        let end = Instant::now() + PATIENCE;
        // This process, and three nodes with their two parts.
        while processes_of(folder.path()).len() < 10 {
            assert!(Instant::now() < end, "the nodes do not come");
            thread::sleep(Duration::from_millis(20));
        }
        kill(Pid::from_raw(child.id() as i32), signal).expect("it runs");
        assert_eq!(child.wait().expect("it ends").code(), code);
        match code {
            Some(_) => nothing_is_left_in(folder.path()),
            None => {
                while !processes_of(folder.path()).is_empty() {
                    assert!(Instant::now() < end, "{:?} still run", processes_of(folder.path()));
                    thread::sleep(Duration::from_millis(20));
                }
            }
        }
    }
}

#[test]
fn a_peer_that_is_not_installed_is_said_with_how_to_get_it() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let output = bench(folder.path(), "--quick --peers raft-rs --peers-binary /nowhere/at/all").output();
    let output = output.expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("cargo build --release --manifest-path bench/peers/Cargo.toml"), "{said}");
}
