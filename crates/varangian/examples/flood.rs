//! A flood of flows through one worker, with real attacks in its midst: how much memory it takes, and whether the attacks are seen.
//!
//! `flood [KIND ...] [FLOWS]`; without a kind all of them, with ten million flows each, in a process of its own each so that one's memory is not another's. The
//! frames are made while they are looked at; a million of them make a second.
//!
//! Ten times, evenly spread, a conversation begins, goes on after some thousand further frames of the flood, and asks for something wicked; it is over
//! some thousand frames later. How many of these ten were told of is the last column.

use detect::Time;
use detect::engine::{Judge, Worker};
use detect::rule::{RuleFile, RuleSet, Variables};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

const KINDS: [&str; 6] = ["syn", "udp", "talk", "holes", "packed", "fragments"];
const FLOWS: u64 = 10_000_000;
const ATTACKS: u64 = 10;
/// Flows of the flood between two segments of an attack.
const BETWEEN: u64 = 50_000;
/// How long a frame of the flood takes: a million of them in a second.
const FRAME_NS: u64 = 1_000;
const RAW: u16 = 12;
const RULES: &str = r#"
alert http any any -> any any (msg:"wicked"; flow:established,to_server; http.uri; content:"/wicked"; sid:1;)
alert http any any -> any any (msg:"answered"; flow:established,to_client; file.data; content:"stolen"; sid:2;)
alert tcp any any -> any any (msg:"often"; flags:S; threshold:type limit,track by_src,count 1,seconds 60; noalert; sid:3;)
alert dns any any -> any any (msg:"a name"; dns.query; content:"nobody"; xbits:set,asked,track ip_src,expire 60; noalert; sid:4;)
"#;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let flows = words.iter().find_map(|word| word.parse().ok()).unwrap_or(FLOWS);
    let kinds: Vec<&str> =
        words.iter().map(String::as_str).filter(|word| word.parse::<u64>().is_err()).collect();
    if kinds.iter().any(|kind| !KINDS.contains(kind)) {
        eprintln!("usage: flood [{}] [FLOWS]", KINDS.join("|"));
        return ExitCode::from(2);
    }
    if let [kind] = kinds[..] {
        flood(kind, flows);
        return ExitCode::SUCCESS;
    }
    let kinds = if kinds.is_empty() { KINDS.to_vec() } else { kinds };
    for kind in kinds {
        let own = std::env::current_exe().expect("this program");
        let status = Command::new(own).args([kind, &flows.to_string()]).status();
        if !status.is_ok_and(|status| status.success()) {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// One worker, its judge, and what was told.
struct Engine {
    worker: Worker,
    judge: Judge,
    frames: u64,
    now_ns: u64,
    seen: u64,
    answered: u64,
}

impl Engine {
    fn frame(&mut self, bytes: &[u8]) {
        self.frames += 1;
        self.now_ns += FRAME_NS;
        self.worker.frame(self.frames, Time(self.now_ns), RAW, bytes);
        if self.frames.is_multiple_of(1024) {
            self.decide();
        }
    }

    fn decide(&mut self) {
        let found = self.worker.take();
        let (seen, answered) = (&mut self.seen, &mut self.answered);
        self.judge.decide(&found, &mut |alert| match alert.meta.sid {
            1 => *seen += 1,
            2 => *answered += 1,
            _ => {}
        });
    }
}

fn flood(kind: &str, flows: u64) {
    let set = RuleSet::load(&[RuleFile { name: "flood", text: RULES }], &Variables::default(), &|_| None);
    assert!(set.report().refused.is_empty() && set.report().problems.is_empty(), "{:?}", set.report());
    let set = Arc::new(set);
    let mut engine = Engine {
        worker: Worker::new(Arc::clone(&set), |_| true),
        judge: Judge::new(set),
        frames: 0,
        now_ns: 1_700_000_000_000_000_000,
        seen: 0,
        answered: 0,
    };
    println!(
        "{:<10} {:>9} {:>10} {:>8} {:>9} {:>9} {:>9} {:>8} {:>8} {:>9}",
        "kind", "flows", "frames", "MB", "live", "evicted", "crowded", "held MB", "seconds", "attacks"
    );
    let started = Instant::now();
    let part = (flows / ATTACKS).max(1);
    for number in 0..flows {
        flow(kind, number, &mut engine);
        let (round, within) = (number / part, number % part);
        for frame in attack(round, within, BETWEEN.min(part / 4).max(1)) {
            engine.frame(&frame);
        }
        if within == part - 1 {
            engine.decide();
            report(kind, number + 1, &engine, started);
        }
    }
    engine.worker.finish(engine.frames + 1);
    engine.decide();
    report(kind, flows, &engine, started);
}

fn report(kind: &str, flows: u64, engine: &Engine, started: Instant) {
    let counters = engine.worker.counters();
    println!(
        "{kind:<10} {flows:>9} {:>10} {:>8} {:>9} {:>9} {:>9} {:>8} {:>8.1} {:>5}/{}",
        engine.frames,
        resident_mb(),
        counters.flows_live,
        counters.flows_evicted,
        counters.flows_crowded_out,
        counters.held_bytes >> 20,
        started.elapsed().as_secs_f64(),
        engine.seen,
        engine.answered
    );
}

/// Memory that this process has.
fn resident_mb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) >> 10
}

/// The frames of an attack that are due after so many flows of its part: handshake, request, answer, end.
fn attack(round: u64, within: u64, between: u64) -> Vec<Vec<u8>> {
    let client = ([192, 0, 2, 10 + (round % 200) as u8], 40_000);
    let server = ([198, 51, 100, 7], 80);
    let request: &[u8] = b"GET /wicked HTTP/1.1\r\nHost: example.org\r\n\r\n";
    let answer: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen";
    let (asked, answered) = (101 + request.len() as u32, 501 + answer.len() as u32);
    match within.checked_div(between) {
        Some(0) if within == 0 => vec![
            tcp(client, server, (100, 0), 2, b""),
            tcp(server, client, (500, 101), 18, b""),
            tcp(client, server, (101, 501), 16, b""),
        ],
        Some(1) if within == between => vec![tcp(client, server, (101, 501), 24, request)],
        Some(2) if within == 2 * between => vec![tcp(server, client, (501, asked), 24, answer)],
        Some(3) if within == 3 * between => vec![
            tcp(client, server, (asked, answered), 17, b""),
            tcp(server, client, (answered, asked + 1), 17, b""),
            tcp(client, server, (asked + 1, answered + 1), 16, b""),
        ],
        _ => Vec::new(),
    }
}

/// The frames of one flow of the flood.
fn flow(kind: &str, number: u64, engine: &mut Engine) {
    // Each number another address: an odd factor permutes.
    let source = (number as u32).wrapping_mul(0x9E37_79B1).to_be_bytes();
    let client = (source, 1024 + (number % 60_000) as u16);
    let server = ([203, 0, 113, (number % 250) as u8], 80);
    let talk = |engine: &mut Engine| {
        engine.frame(&tcp(client, server, (100, 0), 2, b""));
        engine.frame(&tcp(server, client, (500, 101), 18, b""));
        engine.frame(&tcp(client, server, (101, 501), 16, b""));
    };
    match kind {
        "syn" => engine.frame(&tcp(client, server, (100, 0), 2, b"")),
        "udp" => {
            let query =
                b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06nobody\x03org\x00\x00\x01\x00\x01";
            engine.frame(&udp((source, 5000), (server.0, 53), query));
        }
        "talk" => {
            // A request that never ends, acknowledged.
            talk(engine);
            let request = format!(
                "POST /{number} HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n{}",
                "x".repeat(900)
            );
            engine.frame(&tcp(client, server, (101, 501), 24, request.as_bytes()));
            engine.frame(&tcp(server, client, (501, 101 + request.len() as u32), 16, b""));
        }
        "holes" => {
            // Segments behind a hole, as far as the window reaches: they wait for what never comes.
            talk(engine);
            for at in [1, 30_000, 60_000] {
                engine.frame(&tcp(client, server, (101 + at, 501), 24, &[b'x'; 1000]));
            }
        }
        "packed" => {
            // An answer whose compressed body blows up and never ends.
            talk(engine);
            let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
            let asked = 101 + request.len() as u32;
            let answer = [packed_head().as_slice(), packed()].concat();
            engine.frame(&tcp(client, server, (101, 501), 24, request));
            engine.frame(&tcp(server, client, (501, asked), 24, &answer));
            engine.frame(&tcp(client, server, (asked, 501 + answer.len() as u32), 16, b""));
        }
        _ => {
            // The first of two fragments; the other one never comes.
            let mut fragment = ip(17, source, server.0, &[b'x'; 1024]);
            fragment[4..6].copy_from_slice(&(number as u16).to_be_bytes());
            fragment[6..8].copy_from_slice(&[0x20, 0]);
            engine.frame(&fragment);
        }
    }
}

fn packed_head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99999\r\n\r\n".to_vec()
}

/// Two hundred kilobytes of one letter, compressed, without their end.
fn packed() -> &'static [u8] {
    static PACKED: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    PACKED.get_or_init(|| {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut writer, &vec![b'x'; 200_000]).expect("a vector takes all");
        let mut packed = writer.finish().expect("a vector takes all");
        packed.truncate(packed.len() - 8);
        packed
    })
}

fn ip(protocol: u8, from: [u8; 4], to: [u8; 4], inner: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(20 + inner.len());
    packet.extend([0x45, 0]);
    packet.extend(((20 + inner.len()) as u16).to_be_bytes());
    packet.extend([0, 1, 0x40, 0, 64, protocol, 0, 0]);
    packet.extend(from);
    packet.extend(to);
    packet.extend(inner);
    packet
}

fn tcp(from: ([u8; 4], u16), to: ([u8; 4], u16), numbers: (u32, u32), flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::with_capacity(20 + payload.len());
    segment.extend(from.1.to_be_bytes());
    segment.extend(to.1.to_be_bytes());
    segment.extend(numbers.0.to_be_bytes());
    segment.extend(numbers.1.to_be_bytes());
    segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    ip(6, from.0, to.0, &segment)
}

fn udp(from: ([u8; 4], u16), to: ([u8; 4], u16), payload: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(8 + payload.len());
    datagram.extend(from.1.to_be_bytes());
    datagram.extend(to.1.to_be_bytes());
    datagram.extend(((8 + payload.len()) as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    ip(17, from.0, to.0, &datagram)
}
