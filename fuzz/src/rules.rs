//! Rules that nobody sane wrote.
//!
//! For any text as a rule file:
//!   - no panic;
//!   - each rule is loaded, refused, wrong or a repetition, and is counted once;
//!   - a wrong or refused one is told with a place in the file and with words;
//!   - what is loaded can be asked of packets, streams and exchanges;
//!   - the same text loads to what says the same.

use detect::Time;
use detect::engine::{Judge, Worker};
use detect::rule::{RuleFile, RuleSet, Variables};
use std::sync::Arc;

/// Checks the promises for `data`, and returns how many rules were loaded.
pub fn check(data: &[u8]) -> usize {
    let text = String::from_utf8_lossy(data);
    let set = load(&text);
    let report = set.report();
    let told = report.loaded + report.refused.len() + report.problems.len() + report.repeated.len();
    assert_eq!(told, report.total, "{report:?}");
    let lines = text.lines().count();
    for refused in &report.refused {
        assert!(refused.line >= 1 && refused.line <= lines && !refused.why.words.is_empty(), "{refused:?}");
    }
    for (_, problem) in &report.problems {
        assert!(problem.line >= 1 && problem.line <= lines && problem.column >= 1, "{problem:?}");
        assert!(!problem.words.is_empty());
    }
    let loaded = report.loaded;
    if loaded > 0 {
        assert_eq!(alerts(set), alerts(load(&text)));
    }
    loaded
}

fn load(text: &str) -> RuleSet {
    let read = |name: &str| {
        (!name.contains('x'))
            .then(|| b"MTAuMC4wLjE=\n10.0.0.1,5\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".to_vec())
    };
    RuleSet::load(&[RuleFile { name: "fuzz", text }], &Variables::default(), &read)
}

/// What these rules say of an ordinary exchange of web pages and of names.
fn alerts(set: RuleSet) -> Vec<(u32, u64)> {
    const CLIENT: ([u8; 4], u16) = ([10, 0, 0, 1], 4000);
    const SERVER: ([u8; 4], u16) = ([10, 0, 0, 2], 80);
    let request: &[u8] = b"POST /a/b.php?id=1 HTTP/1.1\r\nHost: example.org\r\nUser-Agent: x\r\nCookie: a=b\r\nContent-Length: 12\r\n\r\nname=QUJDREU";
    let response: &[u8] = b"HTTP/1.1 200 OK\r\nServer: y\r\nContent-Type: text/html\r\nContent-Length: 26\r\n\r\n<html>\x00\x01\x02\x03abcdef</html>\r\n\r\n";
    let (asked, answered) = (101 + request.len() as u32, 501 + response.len() as u32);
    let query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03org\x00\x00\x01\x00\x01";
    let frames = [
        tcp(CLIENT, SERVER, (100, 0), 2, b""),
        tcp(SERVER, CLIENT, (500, 101), 18, b""),
        tcp(CLIENT, SERVER, (101, 501), 16, b""),
        tcp(CLIENT, SERVER, (101, 501), 24, request),
        tcp(SERVER, CLIENT, (501, asked), 24, response),
        tcp(CLIENT, SERVER, (asked, answered), 17, b""),
        tcp(SERVER, CLIENT, (answered, asked + 1), 17, b""),
        tcp(CLIENT, SERVER, (asked + 1, answered + 1), 16, b""),
        udp((CLIENT.0, 5000), (SERVER.0, 53), query),
    ];
    let set = Arc::new(set);
    let (mut worker, mut judge) = (Worker::new(Arc::clone(&set), |_| true), Judge::new(set));
    for (number, frame) in (1..).zip(&frames) {
        worker.frame(number, Time(1_700_000_000_000_000_000 + number * 1_000_000), 12, frame);
    }
    worker.finish(frames.len() as u64 + 1);
    let mut said = Vec::new();
    judge.decide(&worker.take(), &mut |alert| {
        assert!(!detect::eve::alert_record(alert).is_empty());
        said.push((alert.meta.sid, alert.frame));
    });
    said
}

fn ip(protocol: u8, from: [u8; 4], to: [u8; 4], inner: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend(((20 + inner.len()) as u16).to_be_bytes());
    packet.extend([0, 1, 0x40, 0, 64, protocol, 0, 0]);
    packet.extend(from);
    packet.extend(to);
    packet.extend(inner);
    packet
}

fn tcp(from: ([u8; 4], u16), to: ([u8; 4], u16), numbers: (u32, u32), flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::new();
    segment.extend(from.1.to_be_bytes());
    segment.extend(to.1.to_be_bytes());
    segment.extend(numbers.0.to_be_bytes());
    segment.extend(numbers.1.to_be_bytes());
    segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    ip(6, from.0, to.0, &segment)
}

fn udp(from: ([u8; 4], u16), to: ([u8; 4], u16), payload: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend(from.1.to_be_bytes());
    datagram.extend(to.1.to_be_bytes());
    datagram.extend(((8 + payload.len()) as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    ip(17, from.0, to.0, &datagram)
}
