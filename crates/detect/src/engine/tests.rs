//! The engine as a whole: what it promises about order, snapshots and limits.

use super::*;
use crate::Time;
use crate::rule::{RuleFile, RuleSet, Variables};
use std::collections::BTreeSet;
use std::sync::Arc;

mod evasion;

const ETHERNET: u16 = 1;
const SYN: u8 = 2;
const ACK: u8 = 16;
const RST: u8 = 4;

/// A stream of random numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

fn segment(
    from: ([u8; 4], u16),
    to: ([u8; 4], u16),
    numbers: (u32, u32),
    flags: u8,
    payload: &[u8],
) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    frame.extend(((40 + payload.len()) as u16).to_be_bytes());
    frame.extend([0, 1, 0x40, 0, 64, 6, 0, 0]);
    frame.extend(from.0);
    frame.extend(to.0);
    frame.extend(from.1.to_be_bytes());
    frame.extend(to.1.to_be_bytes());
    frame.extend(numbers.0.to_be_bytes());
    frame.extend(numbers.1.to_be_bytes());
    frame.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    frame.extend(payload);
    frame
}

fn rules(text: &str) -> Arc<RuleSet> {
    let set = RuleSet::load(&[RuleFile { name: "test", text }], &Variables::default(), &|_| None);
    assert!(set.report().refused.is_empty() && set.report().problems.is_empty(), "{:?}", set.report());
    Arc::new(set)
}

/// What the engine says of these frames, a millisecond apart: sid and frame.
fn alerts(text: &str, frames: &[Vec<u8>]) -> Vec<(u32, u64)> {
    let set = rules(text);
    let (mut worker, mut judge) = (Worker::new(Arc::clone(&set), |_| true), Judge::new(set));
    for (number, frame) in (1..).zip(frames) {
        worker.frame(number, Time(number * 1_000_000), ETHERNET, frame);
    }
    worker.finish(frames.len() as u64 + 1);
    let mut said = Vec::new();
    judge.decide(&worker.take(), &mut |alert| said.push((alert.meta.sid, alert.frame)));
    said
}

const CLIENT: ([u8; 4], u16) = ([10, 0, 0, 1], 4000);
const SERVER: ([u8; 4], u16) = ([10, 0, 0, 2], 80);

/// A handshake; then what is said, each with the place in its side's stream.
fn talk(said: &[(bool, u32, &[u8])]) -> Vec<Vec<u8>> {
    let mut frames = vec![
        segment(CLIENT, SERVER, (100, 0), SYN, b""),
        segment(SERVER, CLIENT, (500, 101), SYN | ACK, b""),
        segment(CLIENT, SERVER, (101, 501), ACK, b""),
    ];
    let mut next = [101u32, 501];
    for (from_client, at, bytes) in said {
        let own = usize::from(!from_client);
        let begin = [101, 501][own] + at;
        let (from, to) = if *from_client { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
        frames.push(segment(from, to, (begin, next[1 - own]), ACK, bytes));
        next[own] = next[own].max(begin + bytes.len() as u32);
    }
    frames.push(segment(SERVER, CLIENT, (next[1], next[0]), ACK, b""));
    frames.push(segment(CLIENT, SERVER, (next[0], next[1]), ACK, b""));
    frames
}

const ATTACK: &str = r#"alert tcp any any -> any 80 (flow:established,to_server; content:"ATTACK"; sid:1;)"#;

#[test]
fn a_string_is_found_across_segments_and_in_any_order_of_them() {
    assert_eq!(alerts(ATTACK, &talk(&[(true, 0, b"xxATT"), (true, 5, b"ACKxx")])).len(), 1);
    assert_eq!(alerts(ATTACK, &talk(&[(true, 5, b"ACKxx"), (true, 0, b"xxATT")])).len(), 1);
    let bytes: Vec<(bool, u32, &[u8])> = b"ATTACK"
        .iter()
        .enumerate()
        .map(|(at, byte)| (true, at as u32, std::slice::from_ref(byte)))
        .collect();
    assert_eq!(alerts(ATTACK, &talk(&bytes)).len(), 1);
}

#[test]
fn what_the_receiver_overwrites_is_settled_as_it_settles_it() {
    // The first to bring a byte wins, as on Windows: what comes later changes nothing.
    assert_eq!(alerts(ATTACK, &talk(&[(true, 0, b"ATT"), (true, 4, b"CK"), (true, 0, b"xxxA")])).len(), 1);
    assert_eq!(alerts(ATTACK, &talk(&[(true, 0, b"xxx"), (true, 4, b"CK"), (true, 0, b"ATTA")])).len(), 0);
}

#[test]
fn a_reset_that_the_receiver_does_not_take_hides_nothing() {
    let mut frames = talk(&[(true, 0, b"ATT"), (true, 3, b"ACK")]);
    // Far outside the window, as one who guesses would send it.
    frames.insert(4, segment(CLIENT, SERVER, (101 + 900_000_000, 0), RST, b""));
    assert_eq!(alerts(ATTACK, &frames).len(), 1);
}

#[test]
fn what_was_said_last_is_looked_into_when_the_conversation_closes() {
    let rule =
        r#"alert tcp any 80 -> any any (flow:established,to_client,only_stream; content:"ATTACK"; sid:1;)"#;
    const FIN: u8 = 1;
    let mut frames = talk(&[(false, 0, b"ATT"), (false, 3, b"ACK")]);
    frames.push(segment(CLIENT, SERVER, (101, 507), FIN | ACK, b""));
    frames.push(segment(SERVER, CLIENT, (507, 102), FIN | ACK, b""));
    frames.push(segment(CLIENT, SERVER, (102, 508), ACK, b""));
    let set = rules(rule);
    let (mut worker, mut judge) = (Worker::new(Arc::clone(&set), |_| true), Judge::new(set));
    for (number, frame) in (1..).zip(&frames) {
        worker.frame(number, Time(number * 1_000_000), ETHERNET, frame);
    }
    let mut said = 0;
    judge.decide(&worker.take(), &mut |_| said += 1);
    assert_eq!(said, 1, "nobody waits until the flow is forgotten");
}

#[test]
fn what_was_never_acknowledged_is_seen_at_the_end_at_the_latest() {
    let mut frames = talk(&[]);
    frames.push(segment(CLIENT, SERVER, (101, 501), ACK, b"ATTACK"));
    assert_eq!(alerts(ATTACK, &frames).len(), 1);
}

#[test]
fn what_is_acknowledged_before_it_is_seen_is_waited_for() {
    let rule =
        r#"alert tcp any 80 -> any any (flow:established,to_client,only_stream; content:"ATTACK"; sid:1;)"#;
    let mut frames = talk(&[]);
    frames.push(segment(CLIENT, SERVER, (101, 507), ACK, b"x"));
    frames.push(segment(SERVER, CLIENT, (501, 102), ACK, b"ATT"));
    frames.push(segment(SERVER, CLIENT, (504, 102), ACK, b"ACK"));
    assert_eq!(alerts(rule, &frames).len(), 1);
}

#[test]
fn a_segment_beyond_the_window_is_no_part_of_the_stream() {
    let only_stream =
        r#"alert tcp any any -> any 80 (flow:established,to_server,only_stream; content:"ATTACK"; sid:1;)"#;
    assert_eq!(alerts(only_stream, &talk(&[(true, 0, b"ATTACK")])).len(), 1);
    assert_eq!(alerts(only_stream, &talk(&[(true, 2_000_000, b"ATTACK")])).len(), 0);
    // Nobody knows for certain what the receiver does with it: by itself it is looked at.
    assert_eq!(alerts(ATTACK, &talk(&[(true, 2_000_000, b"ATTACK")])).len(), 1);
}

/// Conversations of all kinds, interleaved at random, some of them broken.
fn traffic(random: &mut Random, count: usize) -> Vec<Vec<u8>> {
    let mut open: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut frames = Vec::new();
    while frames.len() < count {
        if open.len() < 12 {
            let number = random.below(40) as u8;
            let (client, server) =
                (([10, 0, 1, number], 3000 + random.below(50) as u16), ([10, 0, 2, number % 7], 80));
            let page = ["/a", "/wicked", "/b?x=ATTACK"][random.below(3)];
            let request = format!("GET {page} HTTP/1.1\r\nHost: h{number}\r\n\r\n");
            let response = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
            let (asked, answered) = (101 + request.len() as u32, 501 + response.len() as u32);
            let mut talk = vec![
                segment(client, server, (100, 0), SYN, b""),
                segment(server, client, (500, 101), SYN | ACK, b""),
                segment(client, server, (101, 501), ACK, b""),
                segment(client, server, (101, 501), ACK, request.as_bytes()),
                segment(server, client, (501, asked), ACK, response),
                segment(client, server, (asked, answered), ACK | 1, b""),
                segment(server, client, (answered, asked + 1), ACK | 1, b""),
                segment(client, server, (asked + 1, answered + 1), ACK, b""),
            ];
            if random.below(4) == 0 {
                talk.remove(random.below(talk.len()));
            }
            talk.reverse();
            open.push(talk);
        }
        let at = random.below(open.len());
        match open[at].pop() {
            Some(frame) => frames.push(frame),
            None => {
                open.swap_remove(at);
            }
        }
    }
    frames
}

#[test]
fn a_worker_that_went_back_to_a_frame_boundary_says_what_one_says_that_never_left() {
    let mut set = rules(
        r#"
alert http any any -> any any (http.uri; content:"wicked"; flowbits:set,bad; sid:1;)
alert http any any -> any any (flow:to_client; flowbits:isset,bad; http.stat_code; content:"200"; sid:2;)
alert tcp any any -> any any (content:"ATTACK"; sid:3;)
alert ip any any -> 10.0.2.3 any (sid:4;)
"#,
    );
    // Records go the same way as alerts, and are undone with them.
    Arc::get_mut(&mut set).expect("nobody else has it").record(crate::eve::Kinds::all());
    let mut random = Random(7);
    let frames = traffic(&mut random, 3000);
    let told = |found: &[Found]| {
        let mut said = Vec::new();
        Judge::new(Arc::clone(&set)).decide_all(found, &mut |told| {
            said.push(match told {
                Told::Alert(alert) => crate::eve::alert_record(alert),
                Told::Record { line, .. } => (*line).to_owned(),
            });
        });
        said
    };
    let feed = |worker: &mut Worker, from: usize, until: usize| {
        for (number, frame) in (from as u64..).zip(&frames[from..until]) {
            let time = Time(1_700_000_000_000_000_000 + number * 200_000_000);
            worker.frame(number + 1, time, ETHERNET, frame);
        }
    };
    let mut straight = Worker::new(Arc::clone(&set), |_| true);
    feed(&mut straight, 0, frames.len());
    straight.finish(frames.len() as u64 + 1);
    let wanted = told(&straight.take());
    for kind in ["alert", "http", "fileinfo", "flow"] {
        let count = wanted.iter().filter(|line| line.contains(&format!(r#""event_type":"{kind}""#))).count();
        assert!(count > 50, "{count} events of type {kind}");
    }
    let mut wanderer = Worker::new(Arc::clone(&set), |_| true);
    let (mut found, mut at) = (Vec::new(), 0);
    while at < frames.len() {
        let steady = (at + random.below(5)).min(frames.len());
        feed(&mut wanderer, at, steady);
        found.append(&mut wanderer.take());
        at = steady;
        let mark = wanderer.mark();
        // The same frames too early, or others at any time, in pieces of datagrams: all of it is undone.
        if random.below(2) == 0 {
            let astray = (at + random.below(40)).min(frames.len());
            feed(&mut wanderer, at, astray);
        } else {
            for _ in 0..random.below(40) {
                let other = random.below(frames.len());
                let ahead = random.below(3) as u64 * random.below(900) as u64 * 1_000_000_000;
                let time = Time(1_700_000_000_000_000_000 + at as u64 * 200_000_000 + ahead);
                let mut frame = frames[other].clone();
                if random.below(4) == 0 {
                    frame[20..22].copy_from_slice(&[0x20, 0]);
                }
                wanderer.frame(at as u64 + 1, time, ETHERNET, &frame);
            }
        }
        wanderer.put_back(mark);
    }
    wanderer.finish(frames.len() as u64 + 1);
    found.append(&mut wanderer.take());
    assert_eq!(told(&found), wanted);
}

/// A SYN between the same two addresses as all others, so that they meet in one shard.
fn half_open(number: u32) -> Vec<u8> {
    let from = ([10, 0, 0, 1], 1 + (number % 60_000) as u16);
    let to = ([10, 0, 0, 2], 1000 + (number / 60_000) as u16);
    segment(from, to, (number, 0), SYN, b"")
}

#[test]
fn a_flood_of_flows_ends_old_ones_and_takes_bounded_memory() {
    let set = rules(ATTACK);
    let mut worker = Worker::new(set, |_| true);
    for number in 0..40_000u32 {
        worker.frame(u64::from(number) + 1, Time(u64::from(number)), ETHERNET, &half_open(number));
        worker.take();
    }
    let counters = worker.counters();
    assert_eq!(counters.flows, 40_000);
    assert!(counters.flows_live <= 16_384, "{counters:?}");
    assert_eq!(counters.flows_live + counters.flows_evicted, 40_000);
}

#[test]
fn a_flood_of_half_open_flows_displaces_its_own_kind_first() {
    let mut frames = talk(&[(true, 0, b"ATT"), (true, 3, b"ACK")]);
    let rest = frames.split_off(4);
    frames.extend((0..40_000).map(half_open));
    frames.extend(rest);
    assert_eq!(alerts(ATTACK, &frames).len(), 1);
}

#[test]
fn a_flood_of_flows_that_are_established_leaves_room_for_new_ones() {
    let mut frames = Vec::new();
    for number in 0..20_000u32 {
        let (from, to) = (([10, 0, 0, 1], 1 + number as u16), ([10, 0, 0, 2], 81));
        frames.push(segment(from, to, (100, 0), SYN, b""));
        frames.push(segment(to, from, (500, 101), SYN | ACK, b""));
        frames.push(segment(from, to, (101, 501), ACK, b""));
    }
    frames.push(segment(CLIENT, SERVER, (100, 0), SYN, b""));
    frames.extend((0..4000).map(half_open));
    frames.extend(talk(&[(true, 0, b"ATT"), (true, 3, b"ACK")]).into_iter().skip(1));
    assert_eq!(alerts(ATTACK, &frames).len(), 1);
}

#[test]
fn who_holds_most_memory_goes_first_and_all_together_hold_no_more_than_a_limit() {
    let set = rules(ATTACK);
    let (mut worker, mut judge) = (Worker::new(Arc::clone(&set), |_| true), Judge::new(set));
    let mut frames = talk(&[(true, 0, b"ATT"), (true, 3, b"ACK")]);
    let rest = frames.split_off(4);
    // Conversations that keep what lies behind a hole: a window's worth each.
    for number in 0..500u16 {
        let (from, to) = (([10, 0, 0, 1], 5000 + number), ([10, 0, 0, 2], 81));
        frames.push(segment(from, to, (100, 0), SYN, b""));
        frames.push(segment(to, from, (500, 101), SYN | ACK, b""));
        frames.push(segment(from, to, (101, 501), ACK, b""));
        frames.push(segment(from, to, (102, 501), ACK, &[0; 50_000]));
    }
    frames.extend(rest);
    let mut most = 0;
    for (number, frame) in (1..).zip(&frames) {
        worker.frame(number, Time(number * 1_000_000), ETHERNET, frame);
        most = most.max(worker.counters().held_bytes);
    }
    let counters = worker.counters();
    assert!(most <= (16 << 20) + (4 << 20) && counters.flows_crowded_out > 0, "{most} {counters:?}");
    worker.finish(frames.len() as u64 + 1);
    let mut said = 0;
    judge.decide(&worker.take(), &mut |_| said += 1);
    assert_eq!(said, 1, "who holds little is not asked to go");
}

#[test]
fn windows_of_what_is_compressed_count_for_what_flows_may_hold() {
    let looks = r#"alert http any any -> any any (file.data; content:"ATTACK"; sid:1;)"#;
    let mut worker = Worker::new(rules(looks), |_| true);
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    // An answer that is compressed, of which no more than the first bytes come.
    let answer =
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99999\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0";
    let (asked, answered) = (101 + request.len() as u32, 501 + answer.len() as u32);
    let (mut number, mut most) = (0, 0);
    for port in 5000..5500 {
        let (from, to) = (([10, 0, 0, 1], port), ([10, 0, 0, 2], 80));
        for frame in [
            segment(from, to, (100, 0), SYN, b""),
            segment(to, from, (500, 101), SYN | ACK, b""),
            segment(from, to, (101, 501), ACK, b""),
            segment(from, to, (101, 501), ACK, request),
            segment(to, from, (501, asked), ACK, answer),
            segment(from, to, (asked, answered), ACK, b""),
        ] {
            number += 1;
            worker.frame(number, Time(number * 1_000_000), ETHERNET, &frame);
            most = most.max(worker.counters().held_bytes);
        }
    }
    let counters = worker.counters();
    assert!(most > 15 << 20 && most <= 17 << 20 && counters.flows_crowded_out > 0, "{most} {counters:?}");
}

#[test]
fn a_stream_is_looked_into_as_far_as_what_it_speaks_wants() {
    let only_stream =
        r#"alert tcp any any -> any 80 (flow:established,to_server,only_stream; content:"ATTACK"; sid:1;)"#;
    let record = |protocol: &[u8; 4], end: &[u8]| {
        let mut record =
            [&30_000u32.to_be_bytes(), protocol.as_slice(), &[64, 0, 0, 0, 0, 0, 0, 0, 13, 0]].concat();
        record.resize(30_004 - end.len(), 0);
        [&record, end].concat()
    };
    for (protocol, wanted) in [(b"\xfeSMB", 1), (b"\xfeXYZ", 0)] {
        let records = [record(protocol, b""), record(protocol, b"ATTACK")];
        let mut said: Vec<(bool, u32, &[u8])> = Vec::new();
        for number in 0..50u32 {
            said.push((true, number * 30_004, &records[usize::from(number == 49)]));
            said.push((false, 0, b""));
        }
        assert_eq!(alerts(only_stream, &talk(&said)).len(), wanted);
    }
}

#[test]
fn a_rule_on_files_holds_again_of_a_file_that_comes_later() {
    let first = b"--b\r\nContent-Disposition: form-data; name=\"x\"; filename=\"one.txt\"\r\n\r\nabc\r\n";
    let second =
        b"--b\r\nContent-Disposition: form-data; name=\"y\"; filename=\"two.exe\"\r\n\r\nabcd\r\n--b--\r\n";
    let head = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n",
        first.len() + second.len()
    );
    let apart: &[&[u8]] = &[&[head.as_bytes(), first].concat(), second];
    let together: &[&[u8]] = &[&[head.as_bytes(), first, second].concat()];
    let counts = |rule: &str, pieces: &[&[u8]]| {
        let text = format!("alert http any any -> any any ({rule} sid:1;)");
        let mut said: Vec<(bool, u32, &[u8])> = Vec::new();
        let mut at = 0;
        for piece in pieces {
            said.push((true, at, piece));
            said.push((false, 0, b""));
            at += piece.len() as u32;
        }
        alerts(&text, &talk(&said)).len()
    };
    for (rule, wanted_apart, wanted_together) in [
        ("filestore;", 2, 1),
        ("filesize:>3;", 1, 1),
        // The first ends when the second begins: then both are there.
        ("filesize:<100;", 1, 1),
        ("filename:\"two.exe\"; filestore;", 1, 1),
        ("fileext:\"exe\";", 1, 1),
        ("fileext:\"ex\";", 0, 0),
        ("filename:\"TWO\";", 1, 1),
        ("file.name; content:\"TWO\";", 0, 0),
        ("file.data; content:\"abcd\";", 1, 1),
        ("filemagic:\"ascii text\";", 1, 1),
        ("filesize:5;", 0, 0),
    ] {
        assert_eq!(counts(rule, apart), wanted_apart, "{rule}");
        assert_eq!(counts(rule, together), wanted_together, "{rule}");
    }
}

#[test]
fn places_in_what_base64_stands_for_count_from_its_start() {
    // "xx=" and then "ABCDEF".
    let request = b"GET /xx=QUJDREVG HTTP/1.1\r\nHost: a\r\n\r\n";
    let said = talk(&[(true, 0, request), (false, 0, b"")]);
    for (options, wanted) in [
        ("base64_decode:relative; base64_data; content:\"ABC\"; within:3;", 1),
        ("base64_decode:relative; base64_data; content:\"BCD\"; distance:1; within:3;", 1),
        ("base64_decode:relative; base64_data; content:\"BCD\"; within:3;", 0),
        ("base64_decode:relative; base64_data; content:\"ABC\"; depth:3; content:\"DEF\"; within:3;", 1),
        ("base64_decode:offset 4; base64_data; content:\"ABC\"; within:3;", 1),
        ("base64_decode:bytes 4, relative; base64_data; content:\"ABC\"; bsize:3;", 1),
        ("base64_decode:bytes 4, relative; base64_data; content:\"D\";", 0),
    ] {
        let rule = format!("alert http any any -> any any (http.uri; content:\"xx=\"; {options} sid:1;)");
        assert_eq!(alerts(&rule, &said).len(), wanted, "{options}");
    }
}

#[test]
fn a_string_is_found_up_to_where_its_rule_lets_it_stand() {
    for depth in [5usize, 63, 255, 256, 257, 300] {
        for (end, wanted) in [(depth - 1, true), (depth, true), (depth + 1, false)] {
            let at = end - 3;
            let payload = [vec![b'.'; at], b"abc...".to_vec()].concat();
            let frames = talk(&[(true, 0, &payload), (false, 0, b"")]);
            let depths = format!(
                "alert tcp any any -> any any (content:\"abc\"; depth:{depth}; sid:1;)\n\
                 alert tcp any any -> any any (content:\".\"; depth:1; content:\"abc\"; within:{}; sid:2;)",
                depth - 1
            );
            let sids: BTreeSet<u32> = alerts(&depths, &frames).iter().map(|alert| alert.0).collect();
            let wanted: &[u32] = if wanted { &[1, 2] } else { &[] };
            assert_eq!(sids, wanted.iter().copied().collect(), "{depth} {end}");
        }
    }
}

#[test]
fn it_does_not_matter_which_addresses_most_rules_name() {
    let ends = ["any", "$HOME_NET", "$EXTERNAL_NET", "10.0.0.1", "!10.0.0.1", "[10.0.0.0/8,!10.0.0.2]"];
    let outside = ([1, 2, 3, 4], 4000);
    for (from, to) in [(CLIENT, SERVER), (outside, SERVER), (CLIENT, outside), (outside, ([5, 6, 7, 8], 9))] {
        let frame = segment(from, to, (1, 0), SYN, b"");
        for source in ends {
            for destination in ends {
                for arrow in ["->", "<>"] {
                    let rule =
                        format!("alert tcp {source} any {arrow} {destination} any (flags:S; sid:1;)\n");
                    let alone = alerts(&rule, std::slice::from_ref(&frame));
                    for common in ends {
                        let others: String = (2..6)
                            .map(|sid| {
                                format!("alert tcp {common} any -> {common} 7 (flags:S; sid:{sid};)\n")
                            })
                            .collect();
                        let beside = alerts(&(rule.clone() + &others), std::slice::from_ref(&frame));
                        assert_eq!(beside, alone, "{source} {arrow} {destination} beside {common}");
                    }
                }
            }
        }
    }
}

#[test]
fn tls_that_was_agreed_on_and_does_not_come_is_told() {
    let rules = r#"
alert tcp any any -> any any (app-layer-event:applayer_no_tls_after_starttls; sid:1;)
alert tcp any any -> any any (app-layer-event:applayer_unexpected_protocol; sid:2;)
alert http any any -> any any (http.uri; content:"/x"; sid:3;)
alert tls any any -> any any (tls.sni; content:"a"; sid:4;)
alert smtp any any -> any any (flow:established; dsize:9; sid:5;)
"#;
    let agreed: [(bool, u32, &[u8]); 3] = [
        (true, 0, b"EHLO me\r\nSTARTTLS\r\n"),
        (false, 0, b"250 STARTTLS\r\n220 go\r\n"),
        (true, 19, b"GET /x HT"),
    ];
    let said = |last: &[u8]| {
        let mut talked = agreed.to_vec();
        talked.push((true, 28, last));
        alerts(rules, &talk(&talked)).into_iter().map(|alert| alert.0).collect::<BTreeSet<u32>>()
    };
    // What follows counts as SMTP until something else is recognised.
    assert_eq!(said(b"TP/1.1\r\nHost: a\r\n\r\n"), BTreeSet::from([1, 2, 3, 5]));
}

#[test]
fn a_change_within_a_change_fails_and_is_told() {
    let rules = r#"
alert http any any -> any any (app-layer-event:http.failed_protocol_change; sid:1;)
alert http2 any any -> any any (http2.frametype:SETTINGS; sid:2;)
"#;
    let upgrade = b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let talked: [(bool, u32, &[u8]); 4] = [
        (true, 0, b"EHLO me\r\nSTARTTLS\r\n"),
        (false, 0, b"250 STARTTLS\r\n220 go\r\n"),
        (true, 19, b""),
        (false, 22, upgrade),
    ];
    let said: BTreeSet<u32> = alerts(rules, &talk(&talked)).into_iter().map(|alert| alert.0).collect();
    assert_eq!(said, BTreeSet::from([1]));
}

#[test]
fn http2_goes_on_where_http1_asked_for_it() {
    let rules = r#"
alert http1 any any -> any any (http.uri; content:"/x"; sid:1;)
alert http2 any any -> any any (http.method; content:"GET"; sid:2;)
alert http2 any any -> any any (http.stat_code; content:"200"; sid:3;)
alert http2 any any -> any any (flow:to_client; http2.frametype:SETTINGS; sid:4;)
"#;
    let request: &[u8] = b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\n\
        Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    let mut answer = b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n".to_vec();
    answer.extend([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]);
    // The status 200, as the table has it.
    answer.extend([0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88]);
    let mut preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    preface.extend([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    let end = request.len() as u32;
    let talked: [(bool, u32, &[u8]); 3] = [(true, 0, request), (false, 0, &answer), (true, end, &preface)];
    let said: BTreeSet<u32> = alerts(rules, &talk(&talked)).into_iter().map(|alert| alert.0).collect();
    assert_eq!(said, BTreeSet::from([1, 2, 3, 4]));
}

#[test]
fn nobody_waits_for_a_name_of_a_message_to_be_absent() {
    let rules = r#"
alert dns any any -> any any (dns.answers.rrname; absent; sid:1;)
alert dns any any -> any any (dns.answers.rrname; absent:or_else; content:!"x"; sid:2;)
alert dns any any -> any any (dns.query; content:"a"; sid:3;)
"#;
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 47, 0, 1, 0, 0, 64, 17, 0, 0];
    frame.extend([10, 0, 0, 1, 10, 0, 0, 2, 0x10, 0, 0, 53, 0, 27, 0, 0]);
    frame.extend([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 1, 0, 1]);
    assert_eq!(alerts(rules, &[frame]), [(3, 1)]);
}

#[test]
fn who_was_put_back_crowds_out_the_same_flows_as_who_never_left() {
    let ends = |number: u16| (([10, 0, 0, 1], 5000 + number), ([10, 0, 0, 2], 81));
    let mut frames = Vec::new();
    for number in 0..600 {
        let (from, to) = ends(number);
        frames.push(segment(from, to, (100, 0), SYN, b""));
        frames.push(segment(to, from, (500, 101), SYN | ACK, b""));
        frames.push(segment(from, to, (101, 501), ACK, b""));
    }
    // Each waits for bytes that do not come, with what has no length that a vector would choose; then some of it is released.
    for place in 0..50u32 {
        for number in 0..600 {
            let (from, to) = ends(number);
            let at = if place < 48 { 111 + place * 1000 } else { 101 + (place - 48) * 5 };
            let said = if place < 48 { &[0; 1000][..] } else { &[0; 5] };
            frames.push(segment(from, to, (at, 501), ACK, said));
            if place > 48 {
                frames.push(segment(to, from, (501, 30_111), ACK, b""));
            }
        }
    }
    let feed = |worker: &mut Worker, from: usize, until: usize| {
        for (number, frame) in (from as u64..).zip(&frames[from..until]) {
            worker.frame(number + 1, Time(number * 1_000_000), ETHERNET, frame);
        }
    };
    let (mut straight, mut wanderer) =
        (Worker::new(rules(ATTACK), |_| true), Worker::new(rules(ATTACK), |_| true));
    for from in (0..frames.len()).step_by(50) {
        let until = (from + 50).min(frames.len());
        feed(&mut straight, from, until);
        let mark = wanderer.mark();
        feed(&mut wanderer, from, until);
        wanderer.put_back(mark);
        feed(&mut wanderer, from, until);
        let (one, other) = (straight.counters(), wanderer.counters());
        assert_eq!(one.flows_crowded_out, other.flows_crowded_out, "at frame {until}");
        assert_eq!(straight.held().streams_bytes, wanderer.held().streams_bytes, "at frame {until}");
    }
    assert!(straight.counters().flows_crowded_out > 100);
}
