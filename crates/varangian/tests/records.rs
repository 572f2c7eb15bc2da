//! `varangian replay --records` through the real binary: what is written down of exchanges, files and flows, on captures that are made here.

mod frames;

use frames::{BEGIN_NS, Turns, datagram, text, varangian, write_capture};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

const SECOND_NS: u64 = 1_000_000_000;

fn folder(name: &str) -> PathBuf {
    frames::folder(&format!("records-{name}"))
}

/// A question to a name server, and its answer.
fn lookup(number: u8) -> [Vec<u8>; 2] {
    let (client, server) = (([10, 1, 0, number], 5000), ([9, 9, 9, 9], 53));
    let question = [b"\x03www\x07example\x03org\x00".as_slice(), &[0, 1, 0, 1]].concat();
    let ask = [&[0, number, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], question.as_slice()].concat();
    let answer = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, number];
    let say = [&[0, number, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], question.as_slice(), &answer].concat();
    [datagram(client, server, &ask), datagram(server, client, &say)]
}

fn echo(number: u8) -> [Vec<u8>; 2] {
    let (near, far) = ([10, 2, 0, number], [203, 0, 113, 9]);
    let message = |kind: u8| vec![kind, 0, 0, 0, 0, 1, 0, number];
    [frames::packet(near, far, 1, &message(8)), frames::packet(far, near, 1, &message(0))]
}

const MAIL: &[u8] = b"From: <ann@example.org>\r\nTo: <bob@example.org>\r\nSubject: figures\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=XX\r\n\r\n--XX\r\nContent-Type: text/plain\r\n\r\nhello\r\n--XX\r\n\
Content-Type: application/octet-stream; name=\"f.bin\"\r\nContent-Disposition: attachment; filename=\"f.bin\"\r\n\
Content-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--XX--\r\n.\r\n";

const MAIL_TURNS: Turns<'static> = &[
    (true, b"220 mx.example.org ESMTP\r\n"),
    (false, b"EHLO ann.example.org\r\n"),
    (true, b"250 mx.example.org\r\n"),
    (false, b"MAIL FROM:<ann@example.org>\r\n"),
    (true, b"250 fine\r\n"),
    (false, b"RCPT TO:<bob@example.org>\r\n"),
    (true, b"250 fine\r\n"),
    (false, b"DATA\r\n"),
    (true, b"354 go on\r\n"),
    (false, MAIL),
    (true, b"250 taken\r\n"),
    (false, b"QUIT\r\n"),
    (true, b"221 bye\r\n"),
];

/// Twenty web pages, ten look-ups, five echoes, one mail; then half an hour of silence, and a conversation that the capture's end cuts off.
fn capture_file(path: &Path) {
    let mut all: Vec<Vec<u8>> = Vec::new();
    for number in 0..20u8 {
        let request = format!("GET /page{number} HTTP/1.1\r\nHost: example.org\r\nUser-Agent: tests\r\n\r\n");
        let response = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc";
        let (client, server) = (([10, 0, 0, number], 4000), ([203, 0, 113, number % 4], 80));
        let turns: Turns<'_> = &[(false, request.as_bytes()), (true, response.as_bytes())];
        all.extend(frames::conversation(client, server, turns));
    }
    (0..10).for_each(|number| all.extend(lookup(number)));
    (0..5).for_each(|number| all.extend(echo(number)));
    all.extend(frames::conversation(([10, 3, 0, 1], 4000), ([203, 0, 113, 25], 25), MAIL_TURNS));
    let early = (1u64..).map(|count| BEGIN_NS + count * 1_000_000).zip(all);
    let turns: Turns<'_> = &[(false, b"GET /unanswered HTTP/1.1\r\nHost: late.example\r\n\r\n")];
    let mut cut = frames::conversation(([10, 0, 1, 1], 4000), ([203, 0, 113, 1], 80), turns);
    cut.truncate(4);
    let late = (1u64..).map(|count| BEGIN_NS + 1800 * SECOND_NS + count * 1_000_000).zip(cut);
    write_capture(path, early.chain(late));
}

const RULES: &str = "alert http any any -> any any (msg:\"one page\"; http.uri; content:\"/page7\"; sid:1;)\n\
pass http any any -> any any (msg:\"nobody minds\"; http.uri; content:\"/page9\"; sid:2;)\n";

/// The lines of `eve.json`, and what the verb told.
fn replay(folder: &Path, workers: &str, records: &[&str]) -> (Value, String) {
    let (capture, rules) = (folder.join("c.pcap"), folder.join("r.rules"));
    let out = folder.join(format!("out-{workers}"));
    let mut arguments =
        vec!["replay", text(&capture), "--rules", text(&rules), "--workers", workers, "--json"];
    arguments.extend(["--out", text(&out)]);
    arguments.extend(records);
    let output = varangian(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let told = serde_json::from_slice(&output.stdout).expect("one JSON object");
    (told, fs::read_to_string(out.join("eve.json")).expect("the events"))
}

fn prepared(name: &str) -> PathBuf {
    let folder = folder(name);
    capture_file(&folder.join("c.pcap"));
    fs::write(folder.join("r.rules"), RULES).expect("a file");
    folder
}

fn events(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect()
}

fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["event_type"] == kind).collect()
}

#[test]
fn every_exchange_file_and_flow_is_written_once_and_the_same_by_any_number_of_workers() {
    let folder = prepared("all");
    let (told, lines) = replay(&folder, "1", &["--records", "all"]);
    for workers in ["2", "3", "8", "64"] {
        assert!(
            replay(&folder, workers, &["--records", "all"]).1 == lines,
            "{workers} workers write something else"
        );
    }
    let events = events(&lines);
    let counts =
        ["alert", "http", "dns", "smtp", "fileinfo", "flow"].map(|kind| of_kind(&events, kind).len());
    // A page carries one file, the mail carries one, and QUIT stands alone; flows are 20 pages, 10 look-ups, 5 echoes, the mail and the one that is cut off.
    assert_eq!(counts, [1, 21, 20, 2, 21, 37], "{lines}");
    assert_eq!(told["records"]["flow"], 37, "{told}");
    for event in &events {
        assert!(event["community_id"].as_str().is_some_and(|id| id.starts_with("1:")), "{event}");
        assert!(event["flow_id"].is_u64() && event["timestamp"].is_string(), "{event}");
    }
    let times: Vec<&str> = events.iter().filter_map(|event| event["timestamp"].as_str()).collect();
    assert!(times.is_sorted(), "events stand in the order of time");
}

#[test]
fn exchanges_are_told_as_others_tell_them() {
    let folder = prepared("exchanges");
    let (_, lines) = replay(&folder, "1", &["--records", "http,dns,smtp,fileinfo"]);
    let events = events(&lines);
    let page = of_kind(&events, "http")[3];
    assert_eq!(page["http"]["url"], "/page3", "{page}");
    assert_eq!((&page["http"]["status"], &page["http"]["length"]), (&200.into(), &3.into()), "{page}");
    assert_eq!((&page["src_ip"], &page["dest_port"]), (&"10.0.0.3".into(), &80.into()), "{page}");
    assert!(page["pcap_cnt"].is_u64() && page["tx_id"] == 0, "{page}");
    let passed =
        of_kind(&events, "http").into_iter().filter(|event| event["http"]["url"] == "/page9").count();
    assert_eq!(passed, 1, "a rule that lets pass stops no record");
    let last = of_kind(&events, "http")[20];
    assert_eq!(last["http"]["url"], "/unanswered", "{last}");
    assert!(last["pcap_cnt"].is_null(), "no frame brought it about: {last}");
    let [ask, say] = [of_kind(&events, "dns")[0], of_kind(&events, "dns")[1]];
    assert_eq!((&ask["dns"]["type"], &say["dns"]["type"]), (&"request".into(), &"response".into()));
    assert_eq!(say["dns"]["answers"][0]["rdata"], "192.0.2.0", "{say}");
    assert_eq!(
        (&ask["src_ip"], &say["src_ip"]),
        (&"10.1.0.0".into(), &"10.1.0.0".into()),
        "as the flow goes"
    );
    let mail = of_kind(&events, "smtp")[0];
    assert_eq!(mail["smtp"]["rcpt_to"][0], "<bob@example.org>", "{mail}");
    assert_eq!(mail["email"]["subject"], "figures", "{mail}");
    let attached: Vec<&Value> =
        of_kind(&events, "fileinfo").into_iter().filter(|event| event["app_proto"] == "smtp").collect();
    let [attached] = attached[..] else { panic!("one file: {attached:?}") };
    let file = &attached["fileinfo"];
    assert_eq!(
        (&file["filename"], &file["size"], &file["state"]),
        (&"f.bin".into(), &3.into(), &"CLOSED".into())
    );
    assert_eq!(file["sha256"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "{file}");
    assert_eq!(file["md5"], "900150983cd24fb0d6963f7d28e17f72", "{file}");
    let body = of_kind(&events, "fileinfo")[0];
    assert_eq!(
        (&body["src_ip"], &body["app_proto"]),
        (&"203.0.113.0".into(), &"http".into()),
        "who sends it: {body}"
    );
    assert_eq!(body["http"]["url"], "/page0", "{body}");
    assert!(body["fileinfo"]["magic"].is_string(), "{body}");
}

#[test]
fn a_flow_is_told_when_it_ends_with_what_went_which_way_and_why() {
    let folder = prepared("flows");
    let (_, lines) = replay(&folder, "1", &["--records", "flow"]);
    let events = events(&lines);
    assert_eq!(of_kind(&events, "flow").len(), events.len());
    let find = |ip: &str| events.iter().find(|event| event["src_ip"] == ip).expect("its flow");
    let page = find("10.0.0.7");
    let flow = &page["flow"];
    assert_eq!((&flow["pkts_toserver"], &flow["pkts_toclient"]), (&6.into(), &3.into()), "{page}");
    assert_eq!(
        (&flow["state"], &flow["reason"], &flow["alerted"]),
        (&"closed".into(), &"timeout".into(), &true.into())
    );
    assert_eq!((&page["app_proto"], &flow["tx_cnt"]), (&"http".into(), &1.into()), "{page}");
    assert_eq!(
        (&page["tcp"]["tcp_flags"], &page["tcp"]["state"]),
        (&"13".into(), &"closed".into()),
        "{page}"
    );
    assert_eq!((&page["tcp"]["syn"], &page["tcp"]["rst"]), (&true.into(), &Value::Null));
    assert!(flow["start"].as_str() < flow["end"].as_str() && page["pcap_cnt"].is_null(), "{page}");
    assert_eq!(find("10.0.0.8")["flow"]["alerted"], false);
    assert_eq!(find("10.0.1.1")["flow"]["reason"], "shutdown", "the capture ended");
    let echo = find("10.2.0.3");
    assert_eq!((&echo["icmp_type"], &echo["response_icmp_type"]), (&8.into(), &0.into()), "{echo}");
    assert_eq!((&echo["flow"]["state"], &echo["tcp"]), (&"established".into(), &Value::Null), "{echo}");
    assert!(echo["src_port"].is_null(), "{echo}");
}

#[test]
fn without_being_asked_nothing_but_alerts_is_written() {
    let folder = prepared("alerts");
    let (told, lines) = replay(&folder, "1", &[]);
    let events = events(&lines);
    assert_eq!((events.len(), of_kind(&events, "alert").len()), (1, 1), "{lines}");
    assert_eq!(told["records"], serde_json::json!({}));
    let output = varangian(&["replay", "x.pcap", "--records", "alert,stats"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no events of type stats"));
}

#[test]
fn what_is_odd_is_told_where_it_is_seen() {
    let folder = folder("odd");
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx";
    let turns: Turns<'_> = &[(false, request), (true, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")];
    let mut all = frames::conversation(([10, 0, 0, 1], 4000), ([203, 0, 113, 1], 80), turns);
    let mut torn = frames::packet([10, 0, 0, 2], [203, 0, 113, 1], 17, b"\x00\x01\x00\x02\x00\xff\x00\x00");
    torn.truncate(30);
    all.push(torn);
    write_capture(&folder.join("c.pcap"), (1u64..).map(|count| BEGIN_NS + count * 1_000_000).zip(all));
    fs::write(folder.join("r.rules"), RULES).expect("a file");
    let (_, lines) = replay(&folder, "1", &["--records", "anomaly"]);
    let events = events(&lines);
    assert!(events.iter().all(|event| event["event_type"] == "anomaly"), "{lines}");
    let of_layer: Vec<&Value> =
        events.iter().filter(|event| event["anomaly"]["layer"] == "proto_parser").collect();
    assert!(
        !of_layer.is_empty() && of_layer.iter().all(|event| event["anomaly"]["app_proto"] == "http"),
        "{lines}"
    );
    let mut names: Vec<String> = of_layer.iter().map(|event| event["anomaly"]["event"].to_string()).collect();
    names.dedup();
    assert_eq!(names.len(), of_layer.len(), "each is told once: {lines}");
    let decoded = events.iter().find(|event| event["anomaly"]["type"] == "decode").expect("a torn packet");
    assert_eq!(decoded["pcap_cnt"], 10, "{decoded}");
}

#[test]
fn where_time_and_memory_go_is_told_if_it_is_asked() {
    let folder = prepared("stages");
    let (plain, alerts) = replay(&folder, "1", &[]);
    assert!(plain["stages"].is_null());
    let (told, measured) = replay(&folder, "2", &["--stages"]);
    assert!(measured == alerts, "measuring changes nothing");
    let seconds = &told["stages"]["seconds"];
    let names = ["reading", "decode_and_flows", "reassembly", "layers", "matching", "judging_and_writing"];
    for name in names {
        assert!(seconds[name].is_f64(), "{told}");
    }
    let all: f64 = names.iter().filter_map(|name| seconds[name].as_f64()).sum();
    assert!(all > 0.0, "{told}");
    assert!(told["stages"]["bytes_max"]["flows"].as_u64().is_some_and(|bytes| bytes >= 100), "{told}");
    let words = varangian(&["replay", text(&folder.join("c.pcap")), "--stages"]);
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    assert!(words.contains("decode and flows") && words.contains("memory at most"), "{words}");
}
