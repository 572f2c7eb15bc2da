//! Kerberos, with messages built here.

use super::*;
use crate::Time;
use crate::app::{Context, Ends, Field, Input, Parser, Settings, Takes, Test, Transaction, Verdict};

/// An element of ASN.1.
fn element(tag: u8, inside: &[&[u8]]) -> Vec<u8> {
    let inside = inside.concat();
    let mut bytes = vec![tag];
    if inside.len() < 128 {
        bytes.push(inside.len() as u8);
    } else {
        bytes.push(0x82);
        bytes.extend_from_slice(&(inside.len() as u16).to_be_bytes());
    }
    bytes.extend_from_slice(&inside);
    bytes
}

fn number(value: u8) -> Vec<u8> {
    element(2, &[&[value]])
}

fn field(number: u8, value: &[u8]) -> Vec<u8> {
    element(0xa0 + number, &[value])
}

fn text(value: &str) -> Vec<u8> {
    element(27, &[value.as_bytes()])
}

fn name(parts: &[&str]) -> Vec<u8> {
    let parts: Vec<Vec<u8>> = parts.iter().map(|part| text(part)).collect();
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    element(0x30, &[&field(0, &number(1)), &field(1, &element(0x30, &parts))])
}

fn time() -> Vec<u8> {
    element(24, &[b"20300101000000Z"])
}

fn encrypted(kind: u8) -> Vec<u8> {
    element(0x30, &[&field(0, &number(kind)), &field(2, &element(4, &[b"cipher"]))])
}

fn as_request() -> Vec<u8> {
    let body = element(
        0x30,
        &[
            &field(0, &element(3, &[&[0, 0x40, 0, 0, 0]])),
            &field(1, &name(&["ann"])),
            &field(2, &text("REALM")),
            &field(3, &name(&["krbtgt", "REALM"])),
            &field(5, &time()),
            &field(7, &number(7)),
            &field(8, &element(0x30, &[&number(23)])),
        ],
    );
    element(0x6a, &[&element(0x30, &[&field(1, &number(5)), &field(2, &number(10)), &field(4, &body)])])
}

fn as_reply(ticket_encryption: u8, encryption: u8) -> Vec<u8> {
    let ticket = element(
        0x61,
        &[&element(
            0x30,
            &[
                &field(0, &number(5)),
                &field(1, &text("REALM")),
                &field(2, &name(&["krbtgt", "REALM"])),
                &field(3, &encrypted(ticket_encryption)),
            ],
        )],
    );
    let fields = [
        field(0, &number(5)),
        field(1, &number(11)),
        field(3, &text("REALM")),
        field(4, &name(&["ann"])),
        field(5, &ticket),
        field(6, &encrypted(encryption)),
    ];
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    element(0x6b, &[&element(0x30, &fields)])
}

fn error(code: u8) -> Vec<u8> {
    let fields = [
        field(0, &number(5)),
        field(1, &number(30)),
        field(4, &time()),
        field(5, &number(1)),
        field(6, &number(code)),
        field(9, &text("REALM")),
        field(10, &name(&["krbtgt", "REALM"])),
    ];
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    element(0x7e, &[&element(0x30, &fields)])
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_be_bytes(), message].concat()
}

fn feed(parser: &mut Krb5Parser, transport: Transport, direction: Direction, bytes: &[u8]) -> Option<usize> {
    let settings = Settings::default();
    let ends = Ends { client: ([10, 0, 0, 1].into(), 1234), server: ([10, 0, 0, 2].into(), 88), transport };
    let mut context = Context::new(Time(0), ends, &settings);
    let input = Input { bytes, offset: 0, last: false };
    parser.feed(direction, input, &mut context).ok().map(|taken| taken.bytes)
}

fn shown(parser: &Krb5Parser, place: usize, field: Field, direction: Direction) -> Vec<String> {
    let mut list = Vec::new();
    if let Some(live) = parser.transactions().iter().nth(place) {
        live.transaction.visit(field, direction, &mut |piece| {
            list.push(String::from_utf8_lossy(piece.bytes).into_owned());
        });
    }
    list
}

fn told(parser: &Krb5Parser, place: usize, field: Field, direction: Direction) -> Vec<u64> {
    let mut list = Vec::new();
    if let Some(live) = parser.transactions().iter().nth(place) {
        live.transaction.number(field, direction, &mut |number| list.push(number));
    }
    list
}

fn test_of(text: &str) -> Test {
    let keyword = PROTOCOL.keywords.iter().find(|keyword| keyword.name == "krb5.ticket_encryption");
    match keyword.map(|keyword| keyword.takes) {
        Some(Takes::Test(make)) => make(text).unwrap_or_else(|complaint| panic!("{complaint:?}")),
        _ => panic!("no such keyword"),
    }
}

const TO_SERVER: Direction = Direction::ToServer;
const TO_CLIENT: Direction = Direction::ToClient;

#[test]
fn a_login_is_two_exchanges_each_seen_in_its_own_direction() {
    let mut parser = Krb5Parser::default();
    assert!(feed(&mut parser, Transport::Udp, TO_SERVER, &as_request()).is_some());
    assert!(feed(&mut parser, Transport::Udp, TO_CLIENT, &as_reply(23, 18)).is_some());
    assert_eq!(parser.transactions().len(), 2);
    assert_eq!(shown(&parser, 0, keywords::CLIENT_NAME, TO_SERVER), ["ann"]);
    assert_eq!(shown(&parser, 0, keywords::SERVER_NAME, TO_SERVER), ["krbtgt", "REALM"]);
    assert!(shown(&parser, 0, keywords::SERVER_NAME, TO_CLIENT).is_empty());
    assert_eq!(told(&parser, 0, keywords::MESSAGE_TYPE, TO_SERVER), [10]);
    assert_eq!(told(&parser, 1, keywords::MESSAGE_TYPE, TO_CLIENT), [11]);
    assert!(told(&parser, 1, keywords::MESSAGE_TYPE, TO_SERVER).is_empty());
    let reply = parser.transactions().iter().nth(1).map(|live| live.transaction.clone());
    let reply = reply.unwrap_or_else(|| panic!("no reply"));
    assert_eq!(test_of("rc4-hmac").check(&reply, TO_CLIENT), Verdict::Holds);
    assert_eq!(test_of("weak").check(&reply, TO_CLIENT), Verdict::Holds);
    assert_eq!(test_of("17").check(&reply, TO_CLIENT), Verdict::Fails);
    assert_eq!(reply.events(TO_CLIENT), 0);
}

#[test]
fn a_weak_encryption_is_an_event() {
    let mut parser = Krb5Parser::default();
    assert!(feed(&mut parser, Transport::Udp, TO_CLIENT, &as_reply(18, 23)).is_some());
    let events: Vec<u128> =
        parser.transactions().iter().map(|live| live.transaction.events(TO_CLIENT)).collect();
    assert_eq!(events, [2]);
}

#[test]
fn an_error_tells_its_code_and_what_failed() {
    let mut parser = Krb5Parser::default();
    assert!(feed(&mut parser, Transport::Udp, TO_SERVER, &as_request()).is_some());
    assert!(feed(&mut parser, Transport::Udp, TO_CLIENT, &error(25)).is_some());
    assert_eq!(told(&parser, 1, keywords::ERROR_CODE, TO_CLIENT), [25]);
    let mut record = crate::eve::Object::new();
    if let Some(live) = parser.transactions().iter().nth(1) {
        live.transaction.record(&mut record);
    }
    let text = record.finish();
    assert!(text.contains("\"failed_request\":\"KRB_AS_REQ\""), "{text}");
    assert!(text.contains("\"error_code\":\"KDC_ERR_PREAUTH_REQUIRED\""), "{text}");
}

#[test]
fn over_tcp_each_message_stands_behind_its_length_and_may_come_byte_by_byte() {
    let stream = [framed(&as_request()), framed(&as_request())].concat();
    let mut parser = Krb5Parser::default();
    assert_eq!(feed(&mut parser, Transport::Tcp, TO_SERVER, &stream), Some(stream.len()));
    assert_eq!(parser.transactions().len(), 2);
    let mut slow = Krb5Parser::default();
    let mut rest = Vec::new();
    for byte in stream {
        rest.push(byte);
        let taken = feed(&mut slow, Transport::Tcp, TO_SERVER, &rest).unwrap_or_else(|| panic!("broken"));
        rest.drain(..taken);
    }
    assert_eq!((slow.transactions().len(), rest.len()), (2, 0));
}

#[test]
fn what_is_no_asn1_breaks_the_flow_and_marks_what_came_before() {
    let mut parser = Krb5Parser::default();
    assert!(feed(&mut parser, Transport::Udp, TO_SERVER, &as_request()).is_some());
    assert_eq!(feed(&mut parser, Transport::Udp, TO_SERVER, &[0x6a]), None);
    let events: Vec<u128> =
        parser.transactions().iter().map(|live| live.transaction.events(TO_SERVER)).collect();
    assert_eq!(events, [1]);
    assert_eq!(feed(&mut Krb5Parser::default(), Transport::Tcp, TO_SERVER, &[0xff; 8]), None);
}

#[test]
fn a_cut_message_makes_no_exchange_and_no_harm() {
    for whole in [as_request(), as_reply(23, 23), error(25)] {
        for end in 0..whole.len() {
            let mut parser = Krb5Parser::default();
            feed(&mut parser, Transport::Udp, TO_SERVER, &whole[..end]);
            assert!(parser.transactions().is_empty(), "{end}");
        }
    }
}

#[test]
fn kerberos_is_recognised_by_its_version() {
    assert_eq!(message::looks_right(&as_request()), Looked::Yes);
    assert_eq!(message::looks_right(&as_reply(1, 1)), Looked::Yes);
    assert_eq!(looks_right_behind_its_length(&framed(&as_request())), Looked::Yes);
    assert_eq!(message::looks_right(&[0x30; 20]), Looked::No);
    assert_eq!(looks_right_behind_its_length(&[0xff; 20]), Looked::No);
}
