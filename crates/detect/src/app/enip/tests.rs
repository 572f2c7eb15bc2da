//! What EtherNet/IP promises, with messages that are built here.

use super::keywords::*;
use super::*;
use crate::Direction::{ToClient, ToServer};
use crate::app::trial::Trial;
use crate::app::{Takes, Verdict};

fn message(command: u16, session: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = command.to_le_bytes().to_vec();
    bytes.extend((content.len() as u16).to_le_bytes());
    bytes.extend([session, 0, 0, 0]);
    bytes.extend([0; 16]);
    bytes.extend(content);
    bytes
}

fn item(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
}

fn unconnected(cip: &[u8]) -> Vec<u8> {
    let items = [item(0, &[]), item(0xb2, cip)].concat();
    message(0x6f, 7, &[&[0, 0, 0, 0, 0, 0, 2, 0][..], &items].concat())
}

fn connected(sequence: u8, cip: &[u8]) -> Vec<u8> {
    let items = [item(0xa1, &[1, 0, 0, 0]), item(0xb1, &[&[sequence, 0][..], cip].concat())].concat();
    message(0x70, 7, &[&[0, 0, 0, 0, 0, 0, 2, 0][..], &items].concat())
}

fn identity() -> Vec<u8> {
    let mut data = vec![1, 0];
    data.extend([0; 16]);
    data.extend([1, 0, 12, 0, 58, 0, 4, 3, 0x30, 0, 0x8e, 0x4d, 0x52, 0, 3]);
    data.extend(b"ENB\x03");
    message(0x63, 0, &[&[1, 0][..], &item(0x0c, &data)].concat())
}

/// Get Attribute List of class 0x8b, instance 1, attributes 6 and 7.
const ASK: &[u8] = &[3, 2, 0x20, 0x8b, 0x24, 1, 2, 0, 6, 0, 7, 0];

fn stream() -> Trial<Enip> {
    Trial::new(Enip::default(), Transport::Tcp, PROTOCOL.frames)
}

fn datagrams() -> Trial<Enip> {
    Trial::new(Enip::default(), Transport::Udp, PROTOCOL.frames)
}

fn holds(trial: &Trial<Enip>, direction: Direction, text: &str) -> bool {
    let parse = PROTOCOL.keywords.iter().find_map(|keyword| match keyword.takes {
        Takes::Test(parse) if keyword.name == "cip_service" => Some(parse),
        _ => None,
    });
    let Some(Ok(test)) = parse.map(|parse| parse(text)) else { panic!("{text}") };
    trial.transactions().any(|exchange| test.check(exchange, direction) == Verdict::Holds)
}

#[test]
fn an_identity_is_shown() {
    let mut trial = datagrams();
    trial.say(ToServer, &message(0x63, 0, &[])).say(ToClient, &identity());
    assert_eq!(trial.transactions().count(), 1);
    let number = |field| trial.numbers(field, ToClient);
    assert_eq!(number(COMMAND), [0x63]);
    assert_eq!(trial.numbers(COMMAND, ToServer), [0x63]);
    assert_eq!(number(HEADER_STATUS), [0]);
    assert_eq!((number(VERSION), trial.numbers(VERSION, ToServer)), (vec![1], vec![]));
    assert_eq!(
        [VENDOR, DEVICE, PRODUCT, REVISION, IDENTITY_STATUS, SERIAL, STATE].map(number).concat(),
        [1, 12, 58, 0x403, 0x30, 0x52_4d8e, 3]
    );
    assert_eq!(trial.numbers(VENDOR, ToServer), [1]);
    assert_eq!(trial.values(PRODUCT_NAME, ToClient), ["ENB"]);
    assert!(trial.records()[0].contains(r#""identity":{"protocol_version":1,"revision":"4.3""#));
}

#[test]
fn services_and_sessions_are_shown() {
    let mut trial = stream();
    trial.say(ToServer, &message(4, 0, &[]));
    let data = [&[1, 0, 0x20, 1][..], b"Communications\0\0"].concat();
    trial.say(ToClient, &message(4, 0, &[&[1, 0][..], &item(0x100, &data)].concat()));
    assert_eq!(trial.numbers(CAPABILITIES, ToClient), [0x120]);
    assert_eq!(trial.values(SERVICE_NAME, ToClient), ["Communications\0\0"]);
    trial.say(ToServer, &message(0x65, 0, &[1, 0, 0, 0])).say(ToClient, &message(0x65, 9, &[1, 0, 0, 0]));
    assert_eq!(trial.numbers(VERSION, ToServer), [1]);
    assert_eq!(trial.transactions().count(), 2);
}

#[test]
fn what_cip_asks_and_answers_is_shown() {
    let mut trial = stream();
    trial.say(ToServer, &unconnected(ASK)).say(ToClient, &unconnected(&[0x83, 0, 8, 2, 0x34, 0x12]));
    assert_eq!(trial.numbers(CIP_CLASS, ToServer), [0x8b]);
    assert_eq!(trial.numbers(CIP_CLASS, ToClient), [0x8b]);
    assert_eq!(trial.numbers(CIP_INSTANCE, ToServer), [1]);
    assert_eq!(trial.numbers(CIP_ATTRIBUTE, ToServer), [6, 7]);
    assert_eq!(trial.numbers(CIP_STATUS, ToClient), [8]);
    assert_eq!(trial.numbers(CIP_EXTENDED_STATUS, ToClient), [0x1234]);
    for (text, expected) in [
        ("3", true),
        ("3, 139", true),
        ("3,139,7", true),
        ("3,139,8", false),
        ("3,1", false),
        ("4", false),
        ("3,139,!8", true),
    ] {
        assert_eq!(holds(&trial, ToServer, text), expected, "{text}");
    }
    assert!(holds(&trial, ToClient, "3") && !holds(&trial, ToClient, "3,139"));
    let record = trial.records().concat();
    assert!(
        record.contains(
            r#""cip":{"service":"Get Attribute List","path":[{"segment_type":"class","value":139}"#
        ),
        "{record}"
    );
}

#[test]
fn messages_within_a_message_are_looked_into() {
    let inner: &[u8] = &[0x4c, 2, 0x20, 0x6b, 0x24, 5];
    let several = [&[10, 2, 0x20, 2, 0x24, 1][..], &[2, 0, 6, 0, 12, 0], inner, ASK].concat();
    let mut trial = stream();
    trial.say(ToServer, &connected(1, &several));
    assert!(trial.events(EVENTS).is_empty());
    assert_eq!(trial.numbers(CIP_CLASS, ToServer), [2, 0x6b, 0x8b]);
    assert!(
        holds(&trial, ToServer, "76") && holds(&trial, ToServer, "10") && holds(&trial, ToServer, "3,139,6")
    );
    let frames: Vec<&[u8]> =
        trial.frames.iter().filter(|frame| frame.0 == "enip.cip").map(|frame| frame.2.as_slice()).collect();
    assert_eq!(&frames[1..], [inner, ASK]);
}

#[test]
fn a_response_answers_the_request_with_its_number() {
    let mut trial = stream();
    trial.say(ToServer, &[connected(1, ASK), connected(2, ASK)].concat());
    trial.say(ToClient, &connected(2, &[0x83, 0, 0, 0]));
    let done: Vec<(bool, bool)> =
        trial.transactions().map(|exchange| (exchange.is_done, exchange.response.is_some())).collect();
    assert_eq!(done, [(true, false), (true, true)]);
    trial.say(ToClient, &connected(9, &[0x83, 0, 0, 0]));
    assert_eq!(trial.transactions().count(), 3);
}

#[test]
fn what_cannot_be_read_is_told() {
    for bad in [
        unconnected(&[3, 9, 0x20]),
        unconnected(&[3, 1, 0x80, 0]),
        unconnected(&[10, 0, 1, 0, 99, 0]),
        message(0x65, 0, &[1, 0]),
        message(0x63, 0, &[1, 0, 0x0c, 0, 2, 0, 0, 0]),
    ] {
        let mut trial = stream();
        trial.say(ToServer, &bad);
        assert_eq!(trial.events(EVENTS), ["invalid_pdu"]);
    }
    let mut trial = stream();
    for _ in 0..=OPEN_MAX {
        trial.say(ToServer, &message(0x72, 0, &[]));
    }
    assert_eq!(trial.events(EVENTS), ["too_many_transactions"]);
}

#[test]
fn a_message_that_holds_itself_many_times_is_bounded() {
    let mut several = vec![10, 0];
    several.extend(30_000u16.to_le_bytes());
    several.extend(std::iter::repeat_n([0, 0], 30_000).flatten());
    let mut trial = stream();
    trial.say(ToServer, &unconnected(&several));
    assert_eq!(trial.events(EVENTS), ["invalid_pdu"]);
}

#[test]
fn a_stream_is_understood_however_it_is_cut_and_behind_a_hole() {
    let said = [message(0x65, 0, &[1, 0, 0, 0]), unconnected(ASK), connected(3, ASK)].concat();
    let mut whole = stream();
    whole.say(ToServer, &said);
    let mut spelled = stream();
    spelled.spell(ToServer, &said);
    assert!(whole.transactions().eq(spelled.transactions()));
    assert_eq!(whole.transactions().count(), 3);
    let mut holed = stream();
    holed.say(ToServer, &said[..30]).gap(ToServer, 9).say(ToServer, b"the rest of a message that was lost");
    holed.say(ToServer, &unconnected(ASK));
    assert_eq!(holed.transactions().count(), 2);
}

#[test]
fn enip_is_recognised_by_its_header() {
    assert_eq!(look(&message(0x65, 0, &[1, 0, 0, 0])), Looked::Yes);
    assert_eq!(look(&message(0x65, 0, &[])), Looked::No);
    assert_eq!(look(&message(0x67, 0, &[])), Looked::No);
    assert_eq!(look(&identity()), Looked::Yes);
    assert_eq!(look(b"GET / HTTP/1.0\r\nHost: a.b.c"), Looked::No);
}

#[test]
fn every_damage_is_survived() {
    for whole in [unconnected(ASK), connected(1, &[0x8a, 0, 0, 0, 1, 0, 4, 0, 0x83, 0, 0, 0]), identity()] {
        for place in 0..whole.len() {
            stream().say(ToServer, &whole[..place]).end(ToServer);
            for value in [0, 1, 0x20, 0x7f, 0x8a, 0xff] {
                let mut damaged = whole.clone();
                damaged[place] = value;
                datagrams().say(ToServer, &damaged).say(ToClient, &damaged);
            }
        }
    }
}
