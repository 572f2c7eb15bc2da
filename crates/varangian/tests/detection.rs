//! `varangian rules`, `replay` and `conformance` through the real binary, on a capture that is made here.

mod frames;

use frames::{BEGIN_NS, text, varangian, write_capture};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    frames::folder(&format!("detection-{name}"))
}

/// A conversation: the client asks, the server answers.
fn conversation(number: u8, request: &[u8], response: &[u8]) -> Vec<Vec<u8>> {
    let client = ([10, 0, number / 8, number], 20_000 + u16::from(number));
    let server = ([203, 0, 113, number % 16], 80);
    frames::conversation(client, server, &[(false, request), (true, response)])
}

/// A hundred conversations, eight at a time; every fifth asks for something wicked.
fn capture_file(path: &Path) {
    let mut all = Vec::new();
    for group in 0..13u8 {
        let mut open: Vec<_> = (0..8)
            .map(|place| {
                let number = group * 8 + place;
                let page = if number % 5 == 0 { "wicked" } else { "fine" };
                let request = format!("GET /{page}?n={number} HTTP/1.1\r\nHost: example.org\r\n\r\n");
                let body = format!("<html>{}</html>", "words ".repeat(usize::from(number)));
                let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                conversation(number, request.as_bytes(), response.as_bytes()).into_iter()
            })
            .collect();
        for _ in 0..9 {
            all.extend(open.iter_mut().map(|frames| frames.next().expect("nine frames each")));
        }
    }
    write_capture(path, (1u64..).map(|count| BEGIN_NS + count * 1_000_000).zip(all));
}

const RULES: &str = r#"
# What the tests ask for.
alert http any any -> any any (msg:"a wicked page"; http.uri; content:"/wicked"; startswith; sid:1; rev:1;)
alert http any any -> any any (msg:"the first of a host"; http.stat_code; content:"200"; threshold: type limit, track by_src, count 1, seconds 3600; sid:2;)
alert tcp any any -> any any (msg:"words"; content:"words words words"; content:"</html>"; sid:3;)
alert http any any -> any any (msg:"a host that was wicked"; flow:to_server; http.uri; content:"/fine"; xbits:isset,wicked,track ip_dst; sid:4;)
alert http any any -> any any (msg:"marks it"; http.uri; content:"/wicked"; xbits:set,wicked,track ip_dst,expire 60; noalert; sid:5;)
"#;

fn replay(capture: &Path, rules: &Path, workers: &str, out: &Path) -> (Value, Vec<u8>) {
    let output = varangian(&[
        "replay",
        text(capture),
        "--rules",
        text(rules),
        "--workers",
        workers,
        "--out",
        text(out),
        "--json",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let told = serde_json::from_slice(&output.stdout).expect("one JSON object");
    (told, fs::read(out.join("eve.json")).expect("the alerts"))
}

#[test]
fn any_number_of_workers_writes_the_same_alerts_to_the_byte() {
    let folder = folder("workers");
    let (capture, rules) = (folder.join("c.pcap"), folder.join("r.rules"));
    capture_file(&capture);
    fs::write(&rules, RULES).expect("a file");
    let (told, alone) = replay(&capture, &rules, "1", &folder.join("1"));
    assert_eq!(told["frames"], 13 * 8 * 9);
    assert_eq!(told["alerts_by_sid"]["1"], 21, "every fifth of 104 conversations is wicked: {told}");
    assert!(told["alerts_by_sid"]["2"].as_u64().is_some_and(|count| (1..=16).contains(&count)), "{told}");
    assert!(told["alerts_by_sid"]["4"].as_u64().is_some_and(|count| count > 0), "{told}");
    for workers in ["1", "2", "3", "8", "64"] {
        let (again, alerts) = replay(&capture, &rules, workers, &folder.join(workers));
        assert_eq!(again["alerts"], told["alerts"]);
        assert!(alerts == alone, "{workers} workers write something else than one");
    }
    let lines = String::from_utf8(alone).expect("text");
    let first: Value =
        serde_json::from_str(lines.lines().next().expect("an alert")).expect("one JSON object a line");
    assert_eq!(first["event_type"], "alert");
    assert!(first["community_id"].as_str().is_some_and(|id| id.starts_with("1:")), "{first}");
    assert_eq!(first["alert"]["signature_id"], 1, "{first}");
}

#[test]
fn a_rule_is_loaded_in_full_or_refused_by_name_and_a_wrong_one_is_told_with_its_place() {
    let folder = folder("check");
    let rules = folder.join("r.rules");
    fs::write(&rules, format!("{RULES}alert tcp any any -> any any (msg:\"x\"; lua:script.lua; sid:7;)\n"))
        .expect("a file");
    let output = varangian(&["rules", "check", text(&rules), "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let told: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(
        (&told["total"], &told["loaded"], &told["refused"]),
        (&6.into(), &5.into(), &1.into()),
        "{told}"
    );
    assert_eq!(told["by_keyword"]["lua"], 1, "{told}");
    assert_eq!(told["refused_rules"][0]["sid"], 7, "{told}");
    fs::write(&rules, "\nalert tcp any any -> any any (msg:\"x\"; sid:7;\n").expect("a file");
    let output = varangian(&["rules", "check", text(&rules)]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("r.rules:2:46: "), "{told}");
}

#[test]
fn a_case_passes_only_if_every_rule_alerts_as_often_as_it_must() {
    let folder = folder("conformance");
    let case = folder.join("web");
    fs::create_dir_all(&case).expect("a folder");
    capture_file(&case.join("c.pcap"));
    fs::write(case.join("r.rules"), RULES).expect("a file");
    let list = folder.join("cases.json");
    let ask = |cases: &str| {
        fs::write(&list, cases).expect("a file");
        let output = varangian(&["conformance", "--cases", text(&list), "--root", text(&folder), "--json"]);
        let told: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        (output.status.code(), told)
    };
    let good = r#"{"dir":"web","pcap":"c.pcap","rules":"r.rules","area":"http","truth":{"1":21,"2":SECOND,"3":THIRD,"4":FOURTH}}"#;
    let (_, told) =
        ask(&format!("[{}]", good.replace("SECOND", "0").replace("THIRD", "0").replace("FOURTH", "0")));
    let got = |sid: &str| {
        let differ = told["cases"][0]["differ"].as_array().expect("a list");
        differ.iter().find(|one| one["sid"] == sid).expect("it differs")["got"].to_string()
    };
    let good = good.replace("SECOND", &got("2")).replace("THIRD", &got("3")).replace("FOURTH", &got("4"));
    let (code, told) = ask(&format!("[{good}]"));
    assert_eq!((code, &told["passed"]), (Some(0), &1.into()), "{told}");
    // One alert too many, a rule that must not alert, and a case that is not there: all count, none is left out.
    let wrong = good.replace("\"1\":21", "\"1\":20");
    let missing = good.replace("c.pcap", "none.pcap");
    let (code, told) = ask(&format!("[{good},{wrong},{missing}]"));
    assert_eq!(code, Some(1));
    assert_eq!(
        (&told["total"], &told["passed"], &told["failed"]),
        (&3.into(), &1.into(), &2.into()),
        "{told}"
    );
    assert_eq!(told["cases"][1]["differ"][0]["got"], 21, "{told}");
}

#[test]
fn a_case_that_tries_nothing_fails_and_one_whose_capture_is_damaged_is_told() {
    let folder = folder("damaged");
    let case = folder.join("web");
    fs::create_dir_all(&case).expect("a folder");
    let capture = case.join("c.pcap");
    capture_file(&capture);
    let whole = fs::read(&capture).expect("the file");
    fs::write(&capture, &whole[..whole.len() - 7]).expect("a file");
    fs::write(case.join("r.rules"), RULES.lines().take(3).collect::<Vec<_>>().join("\n")).expect("a file");
    fs::write(case.join("wrong.rules"), "alert nonsense\nmore nonsense\n").expect("a file");
    fs::write(case.join("empty.rules"), "# nothing yet\n").expect("a file");
    // A rule that nobody loads, since it contradicts itself, is what a case may be about.
    let contrary = "alert http any any -> any any (app-layer-protocol:tls; app-layer-protocol:!smb; app-layer-protocol:tls; sid:1;)\n";
    fs::write(case.join("contrary.rules"), contrary).expect("a file");
    let list = folder.join("cases.json");
    let one = r#"{"dir":"web","pcap":"c.pcap","rules":"r.rules","area":"http","truth":{"1":21}}"#;
    let nothing = |rules: &str| one.replace("r.rules", rules).replace("\"1\":21", "");
    let cases = [one.to_owned(), nothing("wrong.rules"), nothing("empty.rules"), nothing("contrary.rules")];
    fs::write(&list, format!("[{}]", cases.join(","))).expect("a file");
    let ask = |more: &[&str]| {
        varangian(&[&["conformance", "--cases", text(&list), "--root", text(&folder)], more].concat())
    };
    let told: Value = serde_json::from_slice(&ask(&["--json"]).stdout).expect("one JSON object");
    let counts = ["total", "passed", "failed", "damaged"].map(|name| told[name].as_u64().unwrap_or(99));
    assert_eq!(counts, [4, 3, 1, 4], "{told}");
    assert_eq!(told["cases"][3]["missing"].as_array().map(Vec::len), Some(1), "{told}");
    assert!(told["cases"][0]["damaged"].as_str().is_some_and(|words| words.contains("c.pcap")), "{told}");
    let reason = told["cases"][1]["error"].as_str().expect("it failed");
    assert!(reason.contains("none of the 2 lines") && reason.contains("wrong.rules:1:"), "{told}");
    let output = ask(&[]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("\ndamaged: ") && told.contains("passed failed"), "{told}");
    let output = ask(&["--only", "dns"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("--only dns: no case's folder or area contains this"), "{told}");
    for (cases, words) in
        [("[]", "there is no case in this list"), ("[{\"dir\":\"web\"}]", "case 1 (web): missing field")]
    {
        fs::write(&list, cases).expect("a file");
        let output = ask(&[]);
        assert_eq!(output.status.code(), Some(2));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("cases.json: ") && told.contains(words), "{told}");
    }
}

#[test]
fn a_capture_that_is_cut_off_is_looked_at_as_far_as_it_goes() {
    let folder = folder("cut");
    let (capture, rules) = (folder.join("c.pcap"), folder.join("r.rules"));
    capture_file(&capture);
    fs::write(&rules, RULES).expect("a file");
    let whole = fs::read(&capture).expect("the file");
    fs::write(&capture, &whole[..whole.len() - 7]).expect("a file");
    let output = varangian(&["replay", text(&capture), "--rules", text(&rules), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(
        (&told["frames"], &told["alerts_by_sid"]["1"]),
        (&(13 * 8 * 9 - 1).into(), &21.into()),
        "{told}"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("c.pcap"), "the trouble is told");
}
