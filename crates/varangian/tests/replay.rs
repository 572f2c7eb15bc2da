//! `varangian replay` through the real binary: what becomes of `eve.json`, and what is said of captures and rules that are not as they should be.

mod frames;

use frames::{BEGIN_NS, conversation, text, varangian, write_capture};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const RULES: &str = r#"alert http any any -> any any (msg:"a page"; flow:to_server; http.uri; content:"/page"; sid:1; rev:1;)
"#;

fn folder(name: &str) -> PathBuf {
    frames::folder(&format!("replay-{name}"))
}

/// Requests for a page, each in a conversation of its own.
fn pages(count: u16) -> impl Iterator<Item = (u64, Vec<u8>)> {
    let frames = (0..count).flat_map(|number| {
        let client = ([10, 0, 0, 1], 20_000 + number);
        let answer: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let request: &[u8] = b"GET /page HTTP/1.1\r\nHost: example.org\r\n\r\n";
        conversation(client, ([203, 0, 113, 1], 80), &[(false, request), (true, answer)])
    });
    (1u64..).map(|count| BEGIN_NS + count * 1_000_000).zip(frames)
}

/// A capture of so many pages, and rules, in a folder of one test's own.
fn given(name: &str, count: u16, rules: &str) -> (PathBuf, PathBuf, PathBuf) {
    let folder = folder(name);
    let (capture, file) = (folder.join("c.pcap"), folder.join("r.rules"));
    write_capture(&capture, pages(count));
    fs::write(&file, rules).expect("a file");
    (folder, capture, file)
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An `eve.json` of before, in a folder below this one.
fn old_events(folder: &Path) -> (PathBuf, PathBuf) {
    let out = folder.join("out");
    fs::create_dir_all(&out).expect("a folder");
    fs::write(out.join("eve.json"), "old\n").expect("a file");
    (out.clone(), out.join("eve.json"))
}

#[test]
fn a_mistyped_capture_is_told_before_anything_else_and_what_was_written_before_stays() {
    let folder = folder("mistyped");
    let (out, eve) = old_events(&folder);
    let absent = folder.join("absent.pcap");
    let output = varangian(&["replay", text(&absent), "--rules", "absent.rules", "--out", text(&out)]);
    assert_eq!(output.status.code(), Some(2));
    let told = complaint(&output);
    assert!(told.contains("absent.pcap") && !told.contains("absent.rules"), "{told}");
    assert_eq!(fs::read_to_string(eve).expect("the file"), "old\n");
    assert_eq!(fs::read_dir(out).expect("the folder").count(), 1, "nothing was begun");
}

#[test]
fn a_capture_that_ends_too_early_replaces_the_events_of_before_and_its_trouble_is_told() {
    let wrong = format!(
        "{RULES}{RULES}alert tcp any any -> any any (msg:\"x\"; lua:x.lua; sid:7;)\nalert nonsense\n"
    );
    let (folder, capture, rules) = given("cut", 3, &wrong);
    let (out, eve) = old_events(&folder);
    let ask =
        || varangian(&["replay", text(&capture), "--rules", text(&rules), "--out", text(&out), "--json"]);
    let told = json(&ask());
    assert_eq!(told["trouble"], Value::Null);
    let counts = ["rules_total", "rules_loaded", "rules_refused", "rules_wrong", "rules_repeated"];
    assert_eq!(counts.map(|name| told[name].as_u64()), [4, 1, 1, 1, 1].map(Some), "{told}");
    assert!(told["rss_peak_bytes"].as_u64() >= told["rss_bytes"].as_u64(), "{told}");
    let bytes = fs::read(&capture).expect("the file");
    fs::write(&capture, &bytes[..bytes.len() - 7]).expect("a file");
    fs::write(&eve, "old\n").expect("a file");
    let output = ask();
    assert_eq!(output.status.code(), Some(1));
    let told = json(&output);
    assert!(told["trouble"].as_str().is_some_and(|words| words.contains("c.pcap")), "{told}");
    assert_eq!(fs::read_to_string(&eve).expect("the file").lines().count(), 3);
    assert_eq!(fs::read_dir(&out).expect("the folder").count(), 1, "nothing is left beside it");
    let output = varangian(&["replay", text(&capture), "--rules", text(&rules)]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("1 refused, 1 wrong, 1 repeated") && told.contains("MiB at its peak"), "{told}");
}

#[test]
fn upon_a_full_disk_what_was_written_before_stays_and_the_files_are_named() {
    let (folder, capture, rules) = given("full", 200, RULES);
    let (out, eve) = old_events(&folder);
    let arguments =
        ["replay", text(&capture), "--rules", text(&rules), "--records", "all", "--out", text(&out)];
    // No file may be longer than a block or two, and the signal of that is ignored.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 2; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_varangian")])
        .args(arguments)
        .output()
        .expect("a shell");
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(2), &b""[..]),
        "{}",
        complaint(&output)
    );
    let told = complaint(&output);
    let partial = out.join("eve.json.partial");
    assert!(told.contains(text(&partial)), "{told}");
    assert!(told.contains(&format!("{} stays as it was", text(&eve))), "{told}");
    assert_eq!(fs::read_to_string(&eve).expect("the file"), "old\n");
    assert!(fs::metadata(&partial).expect("it is there").len() > 0);
    // A device is written into as it is.
    fs::remove_file(&eve).expect("it is ours");
    std::os::unix::fs::symlink("/dev/full", &eve).expect("a link");
    let output = varangian(&arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint(&output).contains("/dev/full"), "{}", complaint(&output));
    assert!(fs::symlink_metadata(&eve).expect("it is there").is_symlink());
}

/// Runs for as long as its test.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn who_interrupts_keeps_what_was_written_before_and_is_told_where_the_rest_is() {
    let (folder, capture, rules) = given("interrupted", 3, RULES);
    let (out, eve) = old_events(&folder);
    let pipe = folder.join("pipe.pcap");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let child = Command::new(env!("CARGO_BIN_EXE_varangian"))
        .args(["replay", text(&pipe), "--rules", text(&rules), "--out", text(&out)])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut child = Running(child);
    // A capture that does not end: it is held open.
    let mut held = fs::File::create(&pipe).expect("the pipe");
    std::io::Write::write_all(&mut held, &fs::read(&capture).expect("the file")).expect("it is read");
    let partial = out.join("eve.json.partial");
    let until = Instant::now() + Duration::from_secs(30);
    while !partial.exists() {
        assert!(Instant::now() < until, "it does not begin");
        sleep(Duration::from_millis(10));
    }
    let number = child.0.id().to_string();
    assert!(Command::new("kill").args(["-INT", &number]).status().expect("kill").success());
    let status = child.0.wait().expect("it ends");
    let mut told = String::new();
    let mut words = child.0.stderr.take().expect("it was asked for");
    std::io::Read::read_to_string(&mut words, &mut told).expect("text");
    assert_eq!(status.code(), Some(130), "{told}");
    assert!(told.contains(text(&partial)), "{told}");
    assert!(told.contains(&format!("{} stays as it was", text(&eve))), "{told}");
    assert_eq!(fs::read_to_string(&eve).expect("the file"), "old\n");
}

#[test]
fn rules_of_one_number_from_two_givers_are_counted_apart() {
    let (_, capture, rules) = given(
        "gid",
        3,
        &format!("{RULES}{}", RULES.replace("sid:1;", "gid:3; sid:1;").replace("/page", "/pag")),
    );
    let ask =
        |more: &[&str]| varangian(&[&["replay", text(&capture), "--rules", text(&rules)], more].concat());
    let told = json(&ask(&["--json", "--profile-rules"]));
    assert_eq!(told["alerts"], 6);
    assert_eq!(told["alerts_by_sid"], serde_json::json!({ "1": 3, "3:1": 3 }));
    let gids = told["profile"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| (row["gid"].as_u64(), row["sid"].as_u64()));
    let mut gids: Vec<_> = gids.collect();
    gids.sort_unstable();
    assert_eq!(gids, [(Some(1), Some(1)), (Some(3), Some(1))]);
    let words = String::from_utf8(ask(&[]).stdout).expect("text");
    assert!(words.contains("3  1\n") && words.contains("3  3:1\n"), "{words}");
}

#[test]
fn what_is_to_be_written_needs_a_folder_to_write_it_into() {
    let (folder, capture, _) = given("records", 1, "");
    let output = varangian(&["replay", text(&capture), "--records", "all"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint(&output).contains("--out"), "{}", complaint(&output));
    let output = varangian(&["replay", text(&capture), "--out", text(&capture)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint(&output).contains("is a file: a folder would be right"), "{}", complaint(&output));
    assert!(folder.join("c.pcap").is_file());
    let help = String::from_utf8(varangian(&["replay", "--help"]).stdout).expect("text");
    assert!(
        help.contains("1 to 64") && help.contains("fileinfo") && help.contains("eve.json.partial"),
        "{help}"
    );
}

#[test]
fn a_capture_is_found_before_and_behind_the_rules() {
    let (folder, capture, rules) = given("order", 2, RULES);
    let more = folder.join("more.rules");
    fs::write(&more, RULES.replace("sid:1;", "sid:2;")).expect("a file");
    let (capture, rules, more) = (text(&capture), text(&rules), text(&more));
    for (arguments, alerts) in [
        (&[capture, "--rules", rules, more][..], 4),
        (&["--rules", rules, "--rules", more, "--", capture], 4),
        (&["--rules", rules, more, capture], 4),
        (&["--rules", rules, capture], 2),
        (&["--rules", rules, capture, "--workers", "2"], 2),
    ] {
        let output = varangian(&[&["replay", "--json"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", complaint(&output));
        assert_eq!(json(&output)["alerts"], alerts, "{arguments:?}");
    }
    for arguments in [&["--rules", rules, "cpature.pcap"][..], &["--rules", rules]] {
        let output = varangian(&[&["replay"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(
            complaint(&output).contains("varangian replay CAPTURE --rules FILE"),
            "{}",
            complaint(&output)
        );
    }
    let output = varangian(&["replay"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(complaint(&output).contains("replay <CAPTURE> [--rules <FILE>...]"), "{}", complaint(&output));
}

#[test]
fn a_file_that_is_no_rules_does_not_flood_the_terminal() {
    let garbage = format!("alert \u{1b}[2J{} any\n", "x".repeat(5_000)).repeat(300);
    let (_, capture, rules) = given("garbage", 1, &garbage);
    let output = varangian(&["replay", text(&capture), "--rules", text(&rules)]);
    assert_eq!(output.status.code(), Some(1));
    let told = complaint(&output);
    assert!(told.contains("… and 280 more"), "{told}");
    assert!(told.lines().count() <= 25 && told.lines().all(|line| line.chars().count() < 500), "{told}");
    assert!(!told.contains('\u{1b}'), "{told}");
}
