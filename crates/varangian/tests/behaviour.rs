//! `varangian replay --behaviour` through the real binary: on a scan that is made here, and on scans by the real `nmap`.
//!
//! The latter need root, `ip`, `tcpdump` and `nmap`; where one is missing the test says so on standard error and is left out (`.ci/run` installs them).

mod frames;

use frames::{ACK, BEGIN_NS, RST, SYN, segment, text, varangian, write_capture};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

fn folder(name: &str) -> PathBuf {
    frames::folder(&format!("behaviour-{name}"))
}

/// The alerts that are written of a capture: kind, state, count.
fn behaviours(capture: &Path, out: &Path, more: &[&str]) -> Vec<(String, String, u64)> {
    let mut arguments = vec!["replay", text(capture), "--out", text(out)];
    arguments.extend(more);
    let output = varangian(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = fs::read_to_string(out.join("eve.json")).expect("events");
    let read = |line: &str| serde_json::from_str::<Value>(line).expect("a line of JSON");
    let told = |event: Value| {
        let behaviour = &event["varangian"]["behaviour"];
        let word = |name: &str| behaviour[name].as_str().map(str::to_owned);
        Some((word("kind")?, word("state")?, behaviour["count"].as_u64()?))
    };
    lines.lines().map(read).filter_map(told).collect()
}

/// SYNs to so many ports, each refused.
fn scan_file(path: &Path, ports: u16) {
    let frames = (1..=ports).flat_map(|port| {
        let (scanner, victim) = (([192, 0, 2, 66], 61_000), ([198, 51, 100, 7], port));
        [segment(scanner, victim, 100, 0, SYN, b""), segment(victim, scanner, 0, 101, RST | ACK, b"")]
    });
    write_capture(path, (1..).map(|number| BEGIN_NS + number * 1_000_000).zip(frames));
}

#[test]
fn replay_watches_unless_it_is_told_not_to_and_goes_by_a_file() {
    let folder = folder("replay");
    let capture = folder.join("scan.pcap");
    scan_file(&capture, 60);
    let told = |kind: &str, state: &str, count| (kind.to_owned(), state.to_owned(), count);
    let whole = [told("syn_scan", "began", 20), told("syn_scan", "over", 60)];
    assert_eq!(behaviours(&capture, &folder, &[]), whole);
    assert_eq!(behaviours(&capture, &folder, &["--workers", "8"]), whole);
    assert_eq!(behaviours(&capture, &folder, &["--behaviour", "off"]), []);
    let file = folder.join("mine.toml");
    fs::write(&file, "scan_ports = 50 # we are used to it\n").expect("a file");
    let fewer = [told("syn_scan", "began", 50), told("syn_scan", "over", 60)];
    assert_eq!(behaviours(&capture, &folder, &["--behaviour", text(&file)]), fewer);
    fs::write(&file, "exempt = [\"192.0.2.0/24\"]\n").expect("a file");
    assert_eq!(behaviours(&capture, &folder, &["--behaviour", text(&file)]), []);
    fs::write(&file, "scan_prots = 50\n").expect("a file");
    let output = varangian(&["replay", text(&capture), "--behaviour", text(&file)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no 'scan_prots'"));
}

#[test]
fn alerts_of_behaviour_are_counted_apart_from_those_of_rules() {
    let folder = folder("apart");
    let capture = folder.join("scan.pcap");
    scan_file(&capture, 60);
    let output = varangian(&["replay", text(&capture), "--json"]);
    let result: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((result["alerts"].as_u64(), result["behaviour_alerts"].as_u64()), (Some(0), Some(2)));
    assert_eq!(result["behaviour_by_kind"]["syn_scan"], 2);
}

/// Two hosts of a network of their own. They are gone when this is.
struct Lab {
    scanner: String,
    victim: String,
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

impl Lab {
    /// Nothing if this machine has no room for it: who is no root, or has no tools.
    fn new() -> Option<Lab> {
        let number = std::process::id();
        let lab = Lab { scanner: format!("vga{number}"), victim: format!("vgb{number}") };
        let tools = [("nmap", "--version"), ("tcpdump", "--version"), ("ip", "-V")];
        if let Some((tool, _)) = tools.iter().find(|(tool, version)| !succeeds(tool, &[version])) {
            eprintln!("LEFT OUT: no {tool}");
            return None;
        }
        let (near, far) = (format!("vga{number}"), format!("vgb{number}"));
        let inside = |host: &str, words: &str| {
            let mut all = vec!["-n", host];
            all.extend(words.split(' '));
            succeeds("ip", &all)
        };
        let is_built = succeeds("ip", &["netns", "add", &lab.scanner])
            && succeeds("ip", &["netns", "add", &lab.victim])
            && succeeds(
                "ip",
                &[
                    "-n",
                    &lab.scanner,
                    "link",
                    "add",
                    &near,
                    "type",
                    "veth",
                    "peer",
                    "name",
                    &far,
                    "netns",
                    &lab.victim,
                ],
            )
            && inside(&lab.scanner, &format!("address add 192.0.2.1/24 dev {near}"))
            && inside(&lab.victim, &format!("address add 192.0.2.2/24 dev {far}"))
            && inside(&lab.scanner, &format!("link set {near} up"))
            && inside(&lab.victim, &format!("link set {far} up"))
            && inside(&lab.scanner, "link set lo up")
            && inside(&lab.victim, "link set lo up");
        if !is_built {
            eprintln!("LEFT OUT: no network of its own can be made here (who is root can)");
            return None;
        }
        Some(lab)
    }

    fn inside(host: &str, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", host, program]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// What `nmap` with these arguments looks like to its victim.
    fn scan(&self, capture: &Path, arguments: &[&str]) {
        let _ = fs::remove_file(capture);
        let listening = ["-i", &self.victim, "-U", "-w", text(capture), "ip"];
        let mut recorder =
            Running(Lab::inside(&self.victim, "tcpdump", &listening).spawn().expect("tcpdump runs"));
        let until = Instant::now() + Duration::from_secs(10);
        while fs::metadata(capture).map_or(0, |file| file.len()) < 24 {
            assert!(Instant::now() < until, "tcpdump does not begin");
            sleep(Duration::from_millis(20));
        }
        let mut all = vec!["-n", "-Pn", "--max-retries", "1", "-T5", "--host-timeout", "20s"];
        all.extend(arguments);
        let status = Lab::inside(&self.scanner, "nmap", &all).status().expect("nmap runs");
        assert!(status.success(), "nmap {arguments:?}");
        // Datagrams that were not answered are told once there was time for an answer, by the time of frames: one more frame then.
        if arguments.contains(&"-sU") {
            sleep(Duration::from_millis(3_200));
            let knock = ["-n", "-Pn", "-sS", "-p1", "--max-retries", "0", "192.0.2.2"];
            assert!(Lab::inside(&self.scanner, "nmap", &knock).status().expect("nmap runs").success());
        }
        // The recorder writes what it has after at most a second.
        sleep(Duration::from_millis(1_200));
        recorder.stop();
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for host in [&self.scanner, &self.victim] {
            succeeds("ip", &["netns", "del", host]);
        }
    }
}

/// A program that does not outlive its test.
struct Running(Child);

impl Running {
    fn stop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn each_scan_of_the_real_nmap_is_told_as_what_it_is() {
    let Some(lab) = Lab::new() else { return };
    let folder = folder("nmap");
    let capture = folder.join("scan.pcap");
    // UDP and ACK scans are slowed down by how few errors and resets a system sends: a few ports are enough.
    let scans: &[(&[&str], &str)] = &[
        (&["-sS", "-p1-200", "192.0.2.2"], "syn_scan"),
        (&["-sT", "-p1-200", "192.0.2.2"], "connect_scan"),
        (&["-sF", "-p1-60", "192.0.2.2"], "fin_scan"),
        (&["-sN", "-p1-60", "192.0.2.2"], "null_scan"),
        (&["-sX", "-p1-60", "192.0.2.2"], "xmas_scan"),
        (&["-sA", "-p1-100", "192.0.2.2"], "ack_scan"),
        (&["-sM", "-p1-100", "192.0.2.2"], "maimon_scan"),
        (&["-sU", "-p1-60", "192.0.2.2"], "udp_scan"),
        (&["-sO", "192.0.2.2"], "protocol_scan"),
    ];
    for (arguments, kind) in scans {
        lab.scan(&capture, arguments);
        let told = behaviours(&capture, &folder, &[]);
        let began: Vec<&str> =
            told.iter().filter(|told| told.1 == "began").map(|told| told.0.as_str()).collect();
        assert_eq!(began, [*kind], "nmap {arguments:?}: {told:?}");
        assert_eq!(behaviours(&capture, &folder, &["--workers", "8"]), told);
    }
}
