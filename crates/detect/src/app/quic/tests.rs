//! Tests of QUIC: packets are built and sealed here, and fed.

use super::crypt::tests::seal;
use super::*;
use crate::app::{Ends, Field, Parser, Ready, Takes, Transaction};
use crate::{Direction, Time};
use core::net::{IpAddr, Ipv4Addr};

const TO_SERVER: Direction = Direction::ToServer;
const TO_CLIENT: Direction = Direction::ToClient;
const DESTINATION: &[u8] = b"\x83\x94\xc8\xf0\x3e\x51\x57\x08";

struct Flow {
    parser: Quic,
    settings: Settings,
    asked: Vec<Next>,
}

impl Flow {
    fn new() -> Self {
        let settings = Settings { records: true, ..Settings::default() };
        Flow { parser: Quic::default(), settings, asked: Vec::new() }
    }

    fn say(&mut self, from: Direction, datagram: &[u8]) {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let ends = Ends { client: (address, 50_000), server: (address, 443), transport: Transport::Udp };
        let mut context = Context::new(Time(0), ends, &self.settings);
        let input = Input { bytes: datagram, offset: 0, last: false };
        let taken = self.parser.feed(from, input, &mut context).expect("datagrams never break it");
        assert_eq!(taken.bytes, datagram.len());
        self.asked.extend(context.asked());
    }

    fn packets(&self) -> Vec<&Packet> {
        self.parser.transactions.iter().map(|live| &live.transaction).collect()
    }

    fn last(&self) -> &Packet {
        self.packets().pop().expect("a packet")
    }
}

fn values(packet: &Packet, name: &str, direction: Direction) -> Vec<String> {
    let mut values = Vec::new();
    packet.visit(field_of(name), direction, &mut |piece| {
        values.push(String::from_utf8_lossy(piece.bytes).into_owned())
    });
    values
}

fn field_of(name: &str) -> Field {
    let mut keywords = PROTOCOL.keywords.iter().chain(crate::app::tls::PROTOCOL.keywords);
    match keywords.find(|keyword| keyword.name == name).map(|keyword| keyword.takes) {
        Some(Takes::Buffer(buffer) | Takes::Folded(buffer, _)) => buffer.field,
        _ => panic!("{name} is no field"),
    }
}

fn events(packet: &Packet) -> Vec<&'static str> {
    let bits = packet.events(packet.from);
    PROTOCOL
        .events
        .iter()
        .enumerate()
        .filter(|(place, _)| bits >> place & 1 == 1)
        .map(|(_, name)| *name)
        .collect()
}

fn piece(content: &[u8]) -> Vec<u8> {
    [&u16::try_from(content.len()).expect("short").to_be_bytes()[..], content].concat()
}

fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 0][..], &piece(content)].concat()
}

fn client_hello() -> Vec<u8> {
    let name = b"quic.example";
    let extensions = [
        &[0, 0][..],
        &piece(&piece(&[&[0][..], &piece(name)].concat())),
        &[0, 16],
        &piece(&piece(b"\x02h3")),
        &[0x1a, 0x2a],
        &piece(b""),
        &[0, 10],
        &piece(&piece(&[0, 29, 0, 23])),
        &[0, 43],
        &piece(&[2, 3, 4]),
    ];
    let content = [
        &[3, 3][..],
        &[7; 32],
        &[0],
        &piece(&[0x13, 0x01, 0x13, 0x02]),
        &[1, 0],
        &piece(&extensions.concat()),
    ];
    message(1, &content.concat())
}

fn server_hello() -> Vec<u8> {
    let content = [&[3, 3][..], &[8; 32], &[0], &[0x13, 0x01], &[0], &piece(&[0, 43, 0, 2, 3, 4])];
    message(2, &content.concat())
}

/// A frame with a piece of the handshake.
fn crypto(offset: u8, content: &[u8]) -> Vec<u8> {
    [
        &[0x06, offset & 0x3f, 0x40 | u8::try_from(content.len() >> 8).expect("short")][..],
        &[content.len() as u8],
        content,
    ]
    .concat()
}

/// An initial packet in clear up to its number, and sealed.
fn initial(version: u32, from: Direction, frames: &[u8]) -> Vec<u8> {
    let mut keys = Keys::of(version, DESTINATION).expect("a version with keys");
    let content = [frames, &[0; 40]].concat();
    let first = if version == header::V2 { 0xd1 } else { 0xc1 };
    let length = u16::try_from(content.len() + 2 + 16).expect("short") | 0x4000;
    let head =
        [&[first][..], &version.to_be_bytes(), &[8], DESTINATION, &[0], &[0], &length.to_be_bytes(), &[0, 1]]
            .concat();
    seal(&mut keys, from, &head, 2, &content)
}

#[test]
fn hellos_in_sealed_packets_are_read_in_every_version() {
    for version in [1, header::V2, 0xff00_001d, 0xff00_0017, 0xface_b002, 0x5130_3530] {
        let mut flow = Flow::new();
        flow.say(TO_SERVER, &initial(version, TO_SERVER, &crypto(0, &client_hello())));
        let packet = flow.last();
        assert_eq!(events(packet), Vec::<&str>::new(), "{version:x}");
        assert_eq!(values(packet, "quic.sni", TO_SERVER), ["quic.example"]);
        assert_eq!(values(packet, "ja3.string", TO_SERVER), ["771,4865-4866,0-16-64250-10-43,29-23,"]);
        assert!(values(packet, "ja4.hash", TO_SERVER)[0].starts_with("q13d0204h3_"));
        assert_eq!(packet.version_bytes, version.to_be_bytes());
        flow.say(
            TO_CLIENT,
            &initial(version, TO_CLIENT, &[&[2, 0, 0, 0, 0][..], &crypto(0, &server_hello())].concat()),
        );
        assert_eq!(values(flow.last(), "ja3s.string", TO_CLIENT), ["771,4865,43"]);
        assert_eq!(flow.asked, [Next::Opaque]);
    }
}

#[test]
fn a_packet_is_of_its_own_direction_alone() {
    let mut flow = Flow::new();
    flow.say(TO_SERVER, &initial(1, TO_SERVER, &crypto(0, &client_hello())));
    let packet = flow.last();
    assert!(packet.is_complete(TO_SERVER) && packet.is_complete(TO_CLIENT));
    assert_eq!(packet.ready(field_of("quic.version"), TO_SERVER), Ready::Full);
    assert_eq!(packet.ready(field_of("quic.version"), TO_CLIENT), Ready::No);
    assert_eq!(values(packet, "quic.version", TO_CLIENT), Vec::<String>::new());
}

#[test]
fn a_hello_may_come_in_pieces_in_any_order() {
    let hello = client_hello();
    let (first, second) = hello.split_at(50);
    let orders = [[crypto(0, first), crypto(50, second)], [crypto(50, second), crypto(0, first)]];
    for [one, other] in orders {
        let mut flow = Flow::new();
        flow.say(TO_SERVER, &initial(1, TO_SERVER, &one));
        assert_eq!(values(flow.last(), "quic.sni", TO_SERVER), Vec::<String>::new());
        flow.say(TO_SERVER, &initial(1, TO_SERVER, &other));
        assert_eq!(values(flow.last(), "quic.sni", TO_SERVER), ["quic.example"]);
        assert_eq!(flow.packets().len(), 2);
        let mut flow = Flow::new();
        flow.say(TO_SERVER, &initial(1, TO_SERVER, &[one, other].concat()));
        assert_eq!(values(flow.last(), "quic.sni", TO_SERVER), ["quic.example"]);
    }
}

#[test]
fn a_packet_that_was_changed_on_its_way_is_an_event() {
    let good = initial(1, TO_SERVER, &crypto(0, &client_hello()));
    for place in [0, 20, 30, 60, good.len() - 1] {
        let mut flow = Flow::new();
        let mut bytes = good.clone();
        bytes[place] ^= 0x01;
        flow.say(TO_SERVER, &bytes);
        assert_eq!(events(flow.last()), ["failed_decrypt"], "changed at {place}");
    }
}

#[test]
fn content_that_makes_no_sense_is_an_event() {
    let frames = [
        &[0x06, 0, 0x40, 0xff][..],
        &[0x02, 0, 0, 0x7f, 0xff, 0],
        &[0xa0, 0, 0xff, 0xff],
        &crypto(0, &message(99, b"no hello")),
    ];
    for frames in frames {
        let mut flow = Flow::new();
        flow.say(TO_SERVER, &initial(1, TO_SERVER, frames));
        assert_eq!(events(flow.last()), ["error_on_data"], "{frames:02x?}");
    }
}

#[test]
fn a_handshake_that_reaches_too_far_is_an_event() {
    let mut flow = Flow::new();
    let far = [&[0x06, 0x80, 0x00, 0xff, 0xff][..], &[4], b"far!"].concat();
    flow.say(TO_SERVER, &initial(1, TO_SERVER, &far));
    assert_eq!(events(flow.last()), ["crypto_frag_too_long"]);
}

#[test]
fn what_is_behind_a_hello_is_not_looked_into() {
    let mut flow = Flow::new();
    let hello = initial(1, TO_SERVER, &crypto(0, &client_hello()));
    flow.say(TO_SERVER, &[&hello[..], &hello].concat());
    flow.say(TO_SERVER, &hello);
    flow.say(TO_SERVER, &[0x40; 50]);
    assert_eq!(flow.packets().len(), 1);
}

#[test]
fn a_retry_begins_anew_with_other_keys() {
    let mut flow = Flow::new();
    flow.say(TO_SERVER, &initial(1, TO_SERVER, &crypto(0, &client_hello())));
    flow.say(TO_CLIENT, &[&[0xf0, 0, 0, 0, 1, 0, 0][..], &[9; 30]].concat());
    flow.say(TO_SERVER, &initial(1, TO_SERVER, &crypto(0, &client_hello())));
    let names: Vec<_> = flow.packets().iter().map(|packet| packet.server_name.is_some()).collect();
    assert_eq!(names, [true, false, true]);
}

#[test]
fn an_offer_of_versions_and_a_handshake_packet_tell_their_version() {
    let mut flow = Flow::new();
    flow.say(TO_CLIENT, &[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    flow.say(TO_CLIENT, &[&[0xe0, 0, 0, 0, 1, 0, 0][..], &[9; 30]].concat());
    assert_eq!(values(flow.packets()[0], "quic.version", TO_CLIENT), ["\0\0\0\0"]);
    assert_eq!(values(flow.packets()[1], "quic.version", TO_CLIENT), ["\0\0\0\u{1}"]);
}

#[test]
fn googles_handshake_is_read_and_has_a_fingerprint() {
    let tags = [(b"SNI\0", &b"a.b"[..]), (b"VER\0", b"Q046"), (b"UAID", b"browser")];
    let mut message = [&b"CHLO"[..], &3u16.to_le_bytes(), &[0, 0]].concat();
    let mut end = 0u32;
    for (tag, value) in tags {
        end += u32::try_from(value.len()).expect("short");
        message.extend_from_slice(tag);
        message.extend_from_slice(&end.to_le_bytes());
    }
    tags.iter().for_each(|(_, value)| message.extend_from_slice(value));
    let frame = [&[0xa0, 1][..], &piece(&message)].concat();
    let packet = [&[0xc0][..], b"Q046", &[0x50], DESTINATION, &[0, 0, 0, 1], &[0; 12], &frame].concat();
    let mut flow = Flow::new();
    flow.say(TO_SERVER, &packet);
    let packet = flow.last();
    assert_eq!(values(packet, "quic.sni", TO_SERVER), ["a.b"]);
    assert_eq!(values(packet, "quic.ua", TO_SERVER), ["browser"]);
    assert_eq!(values(packet, "quic.cyu.string", TO_SERVER), ["46,SNI-VER-UAID"]);
    assert_eq!(values(packet, "quic.cyu.hash", TO_SERVER)[0].len(), 32);
    let mut record = crate::eve::Object::new();
    packet.record(&mut record);
    assert!(record.finish().starts_with(r#"{"version":"Q046","sni":"a.b","ua":"browser","cyu":[{"hash":"#));
}

#[test]
fn a_datagram_that_is_none_is_not_recognised() {
    assert_eq!(look(&initial(1, TO_SERVER, &crypto(0, &client_hello()))), Looked::Yes);
    assert_eq!(look(&[]), Looked::No);
    assert_eq!(look(&[0xc0, 0, 0]), Looked::No);
    assert_eq!(look(&[0xc0, 0, 0, 0, 1, 40, 1, 2]), Looked::No);
}

#[test]
fn nothing_that_strangers_say_breaks_the_parser() {
    let frames = [crypto(0, &client_hello()), crypto(60, b"more")].concat();
    let good = initial(1, TO_SERVER, &frames);
    for cut in 0..good.len() {
        let mut flow = Flow::new();
        flow.say(TO_SERVER, &good[..cut]);
    }
    // Frames are sealed by whoever likes: each byte of them may be anything.
    for place in 0..frames.len() {
        for change in [0x01, 0x40, 0x80, 0xff] {
            let mut bytes = frames.clone();
            bytes[place] ^= change;
            let mut flow = Flow::new();
            flow.say(TO_SERVER, &initial(1, TO_SERVER, &bytes));
            flow.say(TO_SERVER, &initial(1, TO_SERVER, &frames));
        }
    }
    // Heads of every first byte.
    for first in 0..=u8::MAX {
        for size in 1..60 {
            let mut flow = Flow::new();
            flow.say(TO_SERVER, &[&[first][..], &vec![first ^ 0x51; size]].concat());
        }
    }
}
