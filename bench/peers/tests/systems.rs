//! Each system as it is measured: real processes, a second of load. A system that is not on this machine is said to be
//! skipped.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a process may take to be gone once it was killed.
const GONE_SECONDS_MAX: u64 = 20;

fn tool() -> Command {
    Command::new(env!("CARGO_BIN_EXE_varangian-peers"))
}

/// A directory of its own for each test, and so a word by which its processes are known.
fn scratch(test: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a writable target directory");
    dir
}

/// The processes whose command line names `dir`, but for the tool itself, which names it as `--dir`'s value alone.
fn members(dir: &Path) -> Vec<u32> {
    let below = format!("{}/", dir.display());
    std::fs::read_dir("/proc")
        .expect("Linux")
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|id: &u32| {
            std::fs::read(format!("/proc/{id}/cmdline"))
                .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&below))
        })
        .collect()
}

fn all_gone(dir: &Path) -> bool {
    let end = Instant::now() + Duration::from_secs(GONE_SECONDS_MAX);
    while !members(dir).is_empty() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).expect("it was made by the test").next().is_none()
}

fn available(system: &str) -> bool {
    let output = tool().arg("--list").output().expect("the tool runs");
    let listed =
        rows(&output).into_iter().find(|row| row["system"] == system).expect("every system is listed");
    if listed["available"] == false {
        eprintln!("SKIPPED: {system}: {}", listed["why_not"]);
    }
    listed["available"] == true
}

fn rows(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
        .stdout
        .lines()
        .map(|line| serde_json::from_str(&line.expect("UTF-8")).expect("a JSON object per line"))
        .collect()
}

/// Three members, 8 clients, a second, twice.
fn measures(system: &str, durability: &str, more: &[&str]) {
    if !available(system) {
        return;
    }
    let dir = scratch(&format!("{system}-{durability}-{}", more.join("")));
    let output = tool()
        .args(["--system", system, "--clients", "8", "--seconds", "1", "--repetitions", "2"])
        .args(["--request-bytes", "100", "--reply-bytes", "16", "--durability", durability, "--dir"])
        .arg(&dir)
        .args(more)
        .output()
        .expect("the tool runs");
    let rows = rows(&output);
    assert_eq!(rows.len(), 2);
    for (row, repetition) in rows.iter().zip(1..) {
        let number = |name: &str| row[name].as_f64().unwrap_or_else(|| panic!("{name} in {row}"));
        assert_eq!(row["system"], system);
        assert_eq!(row["durability"], durability);
        assert_eq!(row["repetition"], repetition);
        for (name, value) in
            [("f", 1.0), ("clients", 8.0), ("request_bytes", 100.0), ("reply_bytes", 16.0), ("errors", 0.0)]
        {
            assert_eq!(number(name), value, "{name}");
        }
        assert!(!row["version"].as_str().expect("a version").is_empty());
        assert!(number("seconds") >= 1.0);
        assert!(number("operations_per_second") > 1.0);
        assert!(0.0 < number("p50_us") && number("p50_us") <= number("p99_us"));
        assert!(number("cpu_us_per_operation") > number("load_cpu_us_per_operation"));
        // Eight clients that wait for each answer cannot be faster than their median wait allows, twice over.
        assert!(number("operations_per_second") * number("p50_us") < 2.0 * 8.0 * 1e6);
    }
    assert_eq!(members(&dir), Vec::<u32>::new());
    assert!(is_empty(&dir), "the members' data is still there");
}

#[test]
fn etcd_is_measured() {
    measures("etcd", "fsync", &[]);
}

#[test]
fn etcd_is_measured_without_sync_and_through_all_members() {
    measures("etcd", "async", &["--endpoints", "all"]);
}

#[test]
fn etcd_is_measured_in_memory() {
    measures("etcd", "memory", &[]);
}

#[test]
fn raft_rs_is_measured() {
    measures("raft-rs", "fsync", &[]);
}

#[test]
fn raft_rs_is_measured_with_batches_of_our_own() {
    measures("raft-rs", "async", &["--batching", "application"]);
}

#[test]
fn omnipaxos_is_measured() {
    measures("omnipaxos", "fsync", &[]);
}

#[test]
fn omnipaxos_is_measured_in_memory_with_batches_of_our_own() {
    measures("omnipaxos", "memory", &["--batching", "application"]);
}

/// A run that would take an hour, up to its first row; and how many members it has by then.
fn long_run(system: &str, dir: &Path) -> Child {
    let mut child = tool()
        .args([
            "--system",
            system,
            "--clients",
            "2",
            "--seconds",
            "1",
            "--repetitions",
            "1000",
            "--warmup",
            "0",
        ])
        .arg("--dir")
        .arg(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tool runs");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a row");
    assert!(line.contains("operations_per_second"), "{line}");
    assert_eq!(members(dir).len(), 3);
    child
}

#[test]
fn members_die_with_a_tool_that_was_killed() {
    for system in ["etcd", "raft-rs"].into_iter().filter(|system| available(system)) {
        let dir = scratch(&format!("killed-{system}"));
        let mut child = long_run(system, &dir);
        child.kill().expect("it runs");
        child.wait().expect("it was killed");
        assert!(all_gone(&dir), "{:?} still run", members(&dir));
    }
}

/// A follower stands still while the others fill more log than is kept for it, and then goes on. In memory, since a slow disk
/// makes clients wait as well. That the log takes what follows a snapshot is tested where the log is.
#[test]
fn a_member_that_stood_still_costs_no_reply() {
    // OmniPaxos has no flow control, so that everything waits in the leader: less, then.
    for (system, request_bytes) in [("raft-rs", "65536"), ("omnipaxos", "4096")] {
        let dir = scratch(&format!("still-{system}"));
        let mut child = tool()
            .args(["--system", system, "--clients", "64", "--seconds", "2", "--repetitions", "4"])
            .args(["--request-bytes", request_bytes, "--durability", "memory", "--dir"])
            .arg(&dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tool runs");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        let mut lines = 0;
        let mut still = None;
        while out.read_line(&mut line).expect("UTF-8") > 0 {
            lines += 1;
            let row: Value = serde_json::from_str(&line).expect("a row");
            assert_eq!(row["errors"], 0, "{system}: {row}");
            line.clear();
            match lines {
                1 => {
                    let follower = idlest(&children(child.id()));
                    signal(follower, rustix::process::Signal::STOP);
                    still = Some(follower);
                }
                2 => signal(still.expect("since the first row"), rustix::process::Signal::CONT),
                _ => {}
            }
        }
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(lines, 4, "{system}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The processes that `id` started.
fn children(id: u32) -> Vec<u32> {
    let list = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).expect("it runs");
    list.split_ascii_whitespace().map(|word| word.parse().expect("a process")).collect()
}

/// Who has had the least processor time: never the leader.
fn idlest(ids: &[u32]) -> u32 {
    let ticks = |id: &u32| -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("it runs");
        let behind = stat.rsplit(')').next().expect("a name in brackets");
        behind.split_ascii_whitespace().skip(11).take(2).map(|word| word.parse::<u64>().expect("ticks")).sum()
    };
    *ids.iter().min_by_key(|id| ticks(id)).expect("members run")
}

#[test]
fn a_tool_that_is_told_to_stop_leaves_nothing() {
    let dir = scratch("stopped");
    let child = long_run("omnipaxos", &dir);
    signal(child.id(), rustix::process::Signal::TERM);
    let output = child.wait_with_output().expect("it ends");
    assert!(!output.status.success());
    assert_eq!(members(&dir), Vec::<u32>::new());
    assert!(is_empty(&dir), "the members' data is still there");
}

#[test]
fn a_member_that_dies_ends_the_run_and_is_named() {
    let dir = scratch("member");
    let child = long_run("raft-rs", &dir);
    let victim = members(&dir)[0];
    signal(victim, rustix::process::Signal::KILL);
    let output = child.wait_with_output().expect("it ends");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("member process"), "{said}");
    assert_eq!(members(&dir), Vec::<u32>::new());
}

fn signal(id: u32, signal: rustix::process::Signal) {
    let id = rustix::process::Pid::from_raw(id as i32).expect("no process is 0");
    rustix::process::kill_process(id, signal).expect("it runs");
}

#[test]
fn what_a_system_cannot_do_is_refused_with_what_would_be_right() {
    if !available("etcd") {
        return;
    }
    for (wish, right) in [
        (["--system", "etcd", "--reply-bytes", "4096"], "--request-bytes"),
        (["--system", "raft-rs", "--endpoints", "all"], "--endpoints leader"),
    ] {
        let output = tool().args(wish).output().expect("the tool runs");
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("right would be") && said.contains(right), "{said}");
    }
}
