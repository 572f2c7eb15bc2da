//! The same capture gives byte-equal EVE output: on any number of workers, in two processes, and after being put back at any of a thousand random frames.
//!
//! Always on traffic that is made here; on real captures as well where they lie beside the checkout (`../shared/conformance`) or where `VARANGIAN_CONFORMANCE` names a folder
//! with `cases.json` and `sv_data`, and on the captures of the folder that `VARANGIAN_CAPTURES` names, by the rules that `VARANGIAN_RULES` names or rules of its own. Where there
//! are none, the test says so. Alerts are compared, and all records that can be written down.

mod frames;

use capture::{Chunk, Reader};
use detect::Time;
use detect::engine::{Found, Judge, Told, Worker};
use detect::eve::Kinds;
use detect::rule::{RuleFile, RuleSet, Variables};
use frames::{datagram, segment, text, varangian, write_capture};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Frames at which a worker is put back, over all captures.
const MARKS: usize = 1_000;
/// Captures of the conformance cases that are used: those with most bytes, as long as they are not huge.
const CASES: usize = 50;
const CASE_BYTES_MAX: u64 = 4 << 20;
/// Frames of a capture that are looked at at most.
const FRAMES_MAX: usize = 200_000;
/// Frames that a worker strays before it is put back, at most.
const ASTRAY_MAX: usize = 300;

/// SplitMix64: enough to spread a seed, and the same for ever.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }
}

type Kept = (u64, u16, Vec<u8>);

/// A capture and its rules.
struct Case {
    capture: PathBuf,
    rules: PathBuf,
}

const RULES: &str = r#"
alert http any any -> any any (msg:"a page"; flow:established,to_server; http.uri; content:"/"; flowbits:set,asked; sid:1;)
alert http any any -> any any (msg:"an answer"; flow:to_client; flowbits:isset,asked; http.stat_code; content:"200"; sid:2;)
alert tcp any any -> any any (msg:"words"; flow:established,only_stream; content:"the"; nocase; threshold:type limit,track by_src,count 3,seconds 10; sid:3;)
alert dns any any -> any any (msg:"a name"; dns.query; content:"."; xbits:set,asked,track ip_src,expire 60; sid:4;)
alert tls any any -> any any (msg:"a server"; tls.sni; content:"."; xbits:isset,asked,track ip_src; sid:5;)
alert udp any any -> any any (msg:"many"; detection_filter:track by_dst,count 3,seconds 20; sid:6;)
alert ip any any -> any any (msg:"a fragment"; fragbits:M; sid:7;)
"#;

#[test]
fn a_worker_put_back_at_a_thousand_frames_of_what_is_made_here_writes_the_same_to_the_byte() {
    let set = rules(RULES, &|_| None);
    let frames = made();
    let lines = put_back_often(&set, &frames, MARKS, &mut Chance(1), "what is made here");
    assert!(lines > 1_000, "{lines} lines");
}

#[test]
fn a_worker_put_back_at_a_thousand_frames_of_real_captures_writes_the_same_to_the_byte() {
    let cases = cases();
    if cases.is_empty() {
        println!(
            "left out: neither ../shared/conformance nor VARANGIAN_CONFORMANCE nor VARANGIAN_CAPTURES has captures"
        );
        return;
    }
    let marks = MARKS.div_ceil(cases.len());
    let (mut chance, mut lines, mut done) = (Chance(7), 0, 0);
    for case in &cases {
        let frames = read(&case.capture);
        let Ok(text) = fs::read(&case.rules) else { continue };
        let folder = case.rules.parent().map(Path::to_path_buf).unwrap_or_default();
        let set = rules(&String::from_utf8_lossy(&text), &|name| fs::read(folder.join(name)).ok());
        lines += put_back_often(&set, &frames, marks, &mut chance, &case.capture.display().to_string());
        done += marks;
    }
    println!("{done} marks in {} captures, {lines} lines", cases.len());
    assert!(done >= MARKS && lines > 0);
}

#[test]
fn two_processes_and_any_number_of_workers_write_the_same_to_the_byte() {
    let folder = folder("processes");
    let own = Case { capture: folder.join("made.pcap"), rules: folder.join("made.rules") };
    write_capture(&own.capture, made().into_iter().map(|(time_ns, _, bytes)| (time_ns, bytes)));
    fs::write(&own.rules, RULES).expect("a file");
    let mut cases = cases();
    cases.truncate(12);
    if cases.is_empty() {
        println!("left out: no real captures");
    }
    cases.push(own);
    for case in &cases {
        let alone = replay(case, "1", &folder.join("out"));
        for workers in ["1", "2", "8"] {
            let again = replay(case, workers, &folder.join("out"));
            assert!(again == alone, "{} workers, {}", workers, case.capture.display());
        }
    }
}

fn rules(text: &str, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Arc<RuleSet> {
    let mut set =
        RuleSet::load(&[RuleFile { name: "rules", text }], &Variables::default(), &|name| read(name));
    set.record(Kinds::all());
    Arc::new(set)
}

/// Compares a worker that is put back at random frames with one that never leaves. How many lines were written.
fn put_back_often(
    set: &Arc<RuleSet>,
    frames: &[Kept],
    marks: usize,
    chance: &mut Chance,
    name: &str,
) -> usize {
    let mut straight = Worker::new(Arc::clone(set), |_| true);
    feed(&mut straight, frames, 0, frames.len());
    straight.finish(frames.len() as u64 + 1);
    let wanted = told(set, &straight.take());

    let mut at_marks: Vec<usize> = (0..marks).map(|_| chance.below(frames.len() + 1)).collect();
    at_marks.sort_unstable();
    let mut wanderer = Worker::new(Arc::clone(set), |_| true);
    let (mut found, mut at) = (Vec::new(), 0);
    for mark_at in at_marks {
        feed(&mut wanderer, frames, at, mark_at);
        found.append(&mut wanderer.take());
        at = mark_at;
        let mark = wanderer.mark();
        let until = (at + chance.below(ASTRAY_MAX)).min(frames.len());
        feed(&mut wanderer, frames, at, until);
        // Then what never follows: frames of elsewhere, and now and then the end of everything.
        for _ in 0..chance.below(20) {
            let (_, link, bytes) = &frames[chance.below(frames.len())];
            let ahead = chance.below(2_000) as u64 * 1_000_000_000;
            wanderer.frame(until as u64 + 1, Time(frames[at.min(frames.len() - 1)].0 + ahead), *link, bytes);
        }
        if chance.below(8) == 0 {
            wanderer.finish(until as u64 + 2);
        }
        wanderer.put_back(mark);
        found.append(&mut wanderer.take());
    }
    feed(&mut wanderer, frames, at, frames.len());
    wanderer.finish(frames.len() as u64 + 1);
    found.append(&mut wanderer.take());
    assert!(told(set, &found) == wanted, "{name}: who was put back writes something else");
    assert_eq!(wanderer.counters(), straight.counters(), "{name}");
    wanted.lines().count()
}

fn feed(worker: &mut Worker, frames: &[Kept], from: usize, until: usize) {
    for (number, (time, link, bytes)) in (from as u64 + 1..).zip(&frames[from..until]) {
        worker.frame(number, Time(*time), *link, bytes);
    }
}

fn told(set: &Arc<RuleSet>, found: &[Found]) -> String {
    let mut lines = String::new();
    Judge::new(Arc::clone(set)).decide_all(found, &mut |told| {
        match told {
            Told::Alert(alert) => lines.push_str(&detect::eve::alert_record(alert)),
            Told::Record { line, .. } => lines.push_str(line),
        }
        lines.push('\n');
    });
    lines
}

fn replay(case: &Case, workers: &str, out: &Path) -> Vec<u8> {
    let [capture, rules, out_text] = [&case.capture, &case.rules, out].map(text);
    let output = varangian(&[
        "replay",
        capture,
        "--rules",
        rules,
        "--records",
        "all",
        "--workers",
        workers,
        "--out",
        out_text,
    ]);
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(out.join("eve.json")).expect("the alerts")
}

fn folder(name: &str) -> PathBuf {
    frames::folder(&format!("determinism-{name}"))
}

/// The real captures that are there.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    if let Some(root) = conformance() {
        let data = root.join("sv_data");
        let list: serde_json::Value = fs::read(root.join("cases.json"))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        for case in list.as_array().into_iter().flatten() {
            let (Some(dir), Some(pcap), Some(rules)) =
                (case["dir"].as_str(), case["pcap"].as_str(), case["rules"].as_str())
            else {
                continue;
            };
            cases.push(Case { capture: data.join(dir).join(pcap), rules: data.join(dir).join(rules) });
        }
        let bytes = |case: &Case| fs::metadata(&case.capture).map_or(0, |meta| meta.len());
        cases.retain(|case| bytes(case) <= CASE_BYTES_MAX);
        cases.sort_by_key(|case| (u64::MAX - bytes(case), case.capture.clone()));
        cases.truncate(CASES);
    }
    if let Some(folder) = env::var_os("VARANGIAN_CAPTURES") {
        let rules = env::var_os("VARANGIAN_RULES").map_or_else(
            || {
                let own = self::folder("own").join("own.rules");
                fs::write(&own, RULES).expect("a file");
                own
            },
            PathBuf::from,
        );
        let mut captures: Vec<PathBuf> =
            fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        captures.retain(|path| path.extension().is_some_and(|kind| kind == "pcap"));
        captures.sort();
        cases.extend(captures.into_iter().map(|capture| Case { capture, rules: rules.clone() }));
    }
    cases
}

/// Where the conformance cases lie, unpacked.
fn conformance() -> Option<PathBuf> {
    if let Some(root) = env::var_os("VARANGIAN_CONFORMANCE") {
        return Some(root.into());
    }
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
    let packed = shared.join("cases.tar.gz");
    if !packed.is_file() {
        return None;
    }
    let root =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("determinism-cases-{}", std::process::id()));
    if !root.is_dir() {
        fs::create_dir_all(&root).ok()?;
        fs::copy(shared.join("cases.json"), root.join("cases.json")).ok()?;
        let status = Command::new("tar").arg("-xzf").arg(&packed).arg("-C").arg(&root).status().ok()?;
        assert!(status.success(), "the cases are unpacked");
    }
    Some(root)
}

fn read(path: &Path) -> Vec<Kept> {
    let (mut frames, mut chunk) = (Vec::new(), Chunk::new());
    let Ok(mut reader) = Reader::open(path) else { return frames };
    while let Ok(true) = reader.next_chunk(&mut chunk) {
        frames.extend(chunk.frames().map(|frame| (frame.time_ns, frame.link.0, frame.bytes.to_vec())));
        if frames.len() >= FRAMES_MAX {
            break;
        }
    }
    frames
}

/// Conversations of the web and questions of names, interleaved; some lose a segment, some come in fragments, some are left open.
fn made() -> Vec<Kept> {
    let mut chance = Chance(3);
    let mut open: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut frames: Vec<Kept> = Vec::new();
    let mut time = 1_700_000_000_000_000_000;
    while frames.len() < 12_000 {
        if open.len() < 20 {
            let number = chance.below(60) as u8;
            let (client, server) = ([10, 0, 1, number], [10, 0, 2, number % 9]);
            let port = 3_000 + chance.below(400) as u16;
            let mut talk = if chance.below(5) == 0 {
                names(client, server, port)
            } else {
                pages(&mut chance, client, server, port)
            };
            if chance.below(4) == 0 {
                talk.remove(chance.below(talk.len()));
            }
            if chance.below(4) == 0 {
                let at = chance.below(talk.len());
                let frame = talk.remove(at);
                for piece in halves(&frame).into_iter().rev() {
                    talk.insert(at, piece);
                }
            }
            talk.reverse();
            open.push(talk);
        }
        let at = chance.below(open.len());
        // Now and then nothing is heard for a while.
        time += if chance.below(500) == 0 { 70_000_000_000 } else { 3_000_000 };
        match open[at].pop() {
            Some(frame) => frames.push((time, 1, frame)),
            None => {
                open.swap_remove(at);
            }
        }
    }
    frames
}

fn pages(chance: &mut Chance, client: [u8; 4], server: [u8; 4], port: u16) -> Vec<Vec<u8>> {
    let (client, server) = ((client, port), (server, 80));
    let request = format!("GET /page{} HTTP/1.1\r\nHost: example.org\r\n\r\n", chance.below(50));
    let body = "the words ".repeat(chance.below(120));
    let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let (asked, answered) = (101 + request.len() as u32, 501 + response.len() as u32);
    vec![
        segment(client, server, 100, 0, 2, b""),
        segment(server, client, 500, 101, 18, b""),
        segment(client, server, 101, 501, 16, b""),
        segment(client, server, 101, 501, 24, request.as_bytes()),
        segment(server, client, 501, asked, 24, response.as_bytes()),
        segment(client, server, asked, answered, 17, b""),
        segment(server, client, answered, asked + 1, 17, b""),
        segment(client, server, asked + 1, answered + 1, 16, b""),
    ]
}

fn names(client: [u8; 4], server: [u8; 4], port: u16) -> Vec<Vec<u8>> {
    let query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03org\x00\x00\x01\x00\x01";
    let mut answer = query.to_vec();
    answer[2] = 0x81;
    vec![datagram((client, port), (server, 53), query), datagram((server, 53), (client, port), &answer)]
}

/// A frame in two IPv4 fragments.
fn halves(frame: &[u8]) -> Vec<Vec<u8>> {
    let (head, data) = frame.split_at(34);
    let (first, second) = data.split_at((data.len() / 2).min(data.len() - 1) / 8 * 8);
    let piece = |offset: u16, data: &[u8]| {
        let mut head = head.to_vec();
        head[16..18].copy_from_slice(&((20 + data.len()) as u16).to_be_bytes());
        head[20..22].copy_from_slice(&offset.to_be_bytes());
        [head.as_slice(), data].concat()
    };
    if first.is_empty() {
        return vec![frame.to_vec()];
    }
    vec![piece(0x2000, first), piece((first.len() / 8) as u16, second)]
}
