//! What WebSocket promises, with frames that are built here.

use super::keywords::{MASK, OPCODE, PAYLOAD};
use super::{PAYLOAD_BYTES_MAX, PROTOCOL, Websocket};
use crate::Direction::{ToClient, ToServer};
use crate::app::trial::Trial;
use crate::app::{Takes, Transport, Verdict};

fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(masked | length as u8),
        length @ 126..0x1_0000 => {
            bytes.push(masked | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(masked | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    let key = mask.unwrap_or_default();
    bytes.extend(mask.iter().flatten());
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

fn trial() -> Trial<Websocket> {
    Trial::new(Websocket::default(), Transport::Tcp, PROTOCOL.frames)
}

#[test]
fn a_payload_is_shown_unmasked() {
    let mut trial = trial();
    trial.say(ToServer, &frame(0x81, Some([1, 2, 3, 4]), b"hello there"));
    assert_eq!(trial.values(PAYLOAD, ToServer), ["hello there"]);
    assert!(trial.values(PAYLOAD, ToClient).is_empty());
    assert_eq!(trial.numbers(OPCODE, ToServer), [1]);
    assert_eq!(trial.numbers(MASK, ToServer), [0x0102_0304]);
    assert_eq!(trial.records(), [r#"{"fin":true,"mask":16909060,"opcode":"text"}"#]);
    assert_eq!(trial.frames.iter().map(|frame| frame.2.len()).collect::<Vec<_>>(), [6, 17, 11]);
}

#[test]
fn the_last_frame_shows_the_whole_message() {
    let mut trial = trial();
    let said = [
        frame(0x01, None, b"one "),
        frame(0x89, None, b"ping"),
        frame(0x00, None, b"two "),
        frame(0x80, None, b"three"),
    ]
    .concat();
    trial.say(ToClient, &said);
    assert_eq!(trial.values(PAYLOAD, ToClient), ["one ", "ping", "two ", "one two three"]);
    trial.say(ToClient, &frame(0x81, None, b"next"));
    assert_eq!(trial.values(PAYLOAD, ToClient).last().map(String::as_str), Some("next"));
}

#[test]
fn what_is_compressed_is_shown_plain_and_remembers_what_came_before() {
    // The texts `Hello` of RFC 7692, section 7.2.3.1 and 7.2.3.2: the second refers to the first.
    let first = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let second = [0xf2, 0x00, 0x11, 0x00, 0x00];
    let mut trial = trial();
    trial.say(ToServer, &frame(0xc1, None, &first)).say(ToServer, &frame(0xc1, None, &second));
    assert_eq!(trial.values(PAYLOAD, ToServer), ["Hello", "Hello"]);
    // In two frames, where only the first says that the message is compressed.
    let mut trial = self::trial();
    trial.say(ToServer, &[frame(0x41, None, &first[..3]), frame(0x80, None, &first[3..])].concat());
    assert_eq!(trial.values(PAYLOAD, ToServer).last().map(String::as_str), Some("Hello"));
}

#[test]
fn a_bomb_is_bounded() {
    let bomb = miniz_oxide::deflate::compress_to_vec(&vec![0; 4 << 20], 9);
    assert!(bomb.len() < PAYLOAD_BYTES_MAX);
    let mut trial = trial();
    trial.say(ToServer, &frame(0xc1, None, &bomb));
    assert_eq!(trial.values(PAYLOAD, ToServer)[0].len(), PAYLOAD_BYTES_MAX);
}

#[test]
fn long_payloads_are_cut_off_and_told() {
    let mut trial = trial();
    let long = frame(0x82, None, &vec![b'x'; PAYLOAD_BYTES_MAX + 1000]);
    let (first, rest) = long.split_at(PAYLOAD_BYTES_MAX + 500);
    trial.say(ToServer, first).say(ToServer, rest).say(ToServer, &frame(0x81, None, b"next"));
    assert_eq!(trial.events(PROTOCOL.events), ["skip_end_of_payload"]);
    assert_eq!(trial.values(PAYLOAD, ToServer)[0].len(), PAYLOAD_BYTES_MAX);
    assert_eq!(trial.values(PAYLOAD, ToServer)[1], "next");
    let mut trial = self::trial();
    for _ in 0..3 {
        trial.say(ToServer, &frame(0x02, None, &vec![b'x'; 30_000]));
    }
    assert_eq!(trial.events(PROTOCOL.events), ["reassembly_limit_reached"]);
}

#[test]
fn a_stream_is_understood_however_it_is_cut() {
    let said =
        [frame(0x01, Some([9; 4]), b"a"), frame(0x80, None, &[b'b'; 200]), frame(0x88, None, b"")].concat();
    let mut whole = trial();
    whole.say(ToServer, &said);
    let mut spelled = trial();
    spelled.spell(ToServer, &said);
    assert!(whole.transactions().eq(spelled.transactions()));
    assert_eq!(whole.transactions().count(), 3);
    for length in 0..said.len() {
        trial().say(ToServer, &said[..length]).end(ToServer);
    }
}

#[test]
fn flags_are_asked_by_name() {
    let parse = PROTOCOL.keywords.iter().find_map(|keyword| match keyword.takes {
        Takes::Test(parse) if keyword.name == "websocket.flags" => Some(parse),
        _ => None,
    });
    let mut trial = trial();
    trial.say(ToServer, &frame(0x81, None, b"x"));
    for (text, holds) in [("fin", true), ("fin,!comp", true), ("comp", false), ("128", true)] {
        let Some(Ok(test)) = parse.map(|parse| parse(text)) else { panic!("{text}") };
        let verdict = trial.transactions().next().map(|frame| test.check(frame, ToServer));
        assert_eq!(verdict, Some(if holds { Verdict::Holds } else { Verdict::Fails }), "{text}");
    }
}
