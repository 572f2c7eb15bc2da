//! What MQTT promises, with messages that are built here.

use super::keywords::*;
use super::{Mqtt, PROTOCOL, look};
use crate::Direction::{ToClient, ToServer};
use crate::app::trial::Trial;
use crate::app::{Keyword, Looked, Takes, Transport, Verdict};

fn message(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut length = body.len();
    loop {
        let more = if length > 127 { 0x80 } else { 0 };
        bytes.push((length & 0x7f) as u8 | more);
        length >>= 7;
        if length == 0 {
            break;
        }
    }
    bytes.extend_from_slice(body);
    bytes
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
}

fn connect(version: u8) -> Vec<u8> {
    let properties = if version == 5 { vec![5, 17, 0, 0, 0, 9] } else { vec![] };
    let will_properties = if version == 5 { vec![0] } else { vec![] };
    let body = [
        text("MQTT"),
        vec![version, 0xc6, 0, 60],
        properties,
        text("me"),
        will_properties,
        text("last/words"),
        text("bye"),
        text("user"),
        text("secret"),
    ];
    message(0x10, &body.concat())
}

fn connect_answer(version: u8) -> Vec<u8> {
    message(0x20, if version == 5 { &[1, 0, 0] } else { &[1, 0] })
}

fn publish(qos: u8, topic: &str, said: &str) -> Vec<u8> {
    let id = if qos > 0 { vec![0, 7] } else { vec![] };
    message(0x30 | qos << 1, &[text(topic), id, said.as_bytes().to_vec()].concat())
}

fn trial() -> Trial<Mqtt> {
    Trial::new(Mqtt::default(), Transport::Tcp, PROTOCOL.frames)
}

fn connected() -> Trial<Mqtt> {
    let mut trial = trial();
    trial.say(ToServer, &connect(4)).say(ToClient, &connect_answer(4));
    trial
}

#[test]
fn a_connection_is_one_exchange_with_its_answer() {
    let trial = connected();
    assert_eq!(trial.transactions().count(), 1);
    let value = |field| trial.values(field, ToServer).concat();
    assert_eq!(value(CLIENT), "me");
    assert_eq!(value(USERNAME), "user");
    assert_eq!(value(PASSWORD), "secret");
    assert_eq!(value(WILL_TOPIC), "last/words");
    assert_eq!(value(WILL_MESSAGE), "bye");
    assert_eq!(value(PROTOCOL_STRING), "MQTT");
    assert_eq!(trial.numbers(TYPE, ToServer), [1, 2]);
    assert_eq!(trial.numbers(PROTOCOL_VERSION, ToServer), [4]);
    assert_eq!(trial.numbers(REASON_CODE, ToServer), [0]);
    assert!(trial.events(PROTOCOL.events).is_empty());
    let record = trial.records().concat();
    assert!(!record.contains("secret") && record.contains(r#""connack":{"qos":0,"#), "{record}");
}

#[test]
fn an_exchange_is_open_until_it_is_answered() {
    let mut trial = connected();
    trial.say(ToServer, &publish(2, "a/b", "hello"));
    let is_complete = |trial: &Trial<Mqtt>| {
        use crate::app::Transaction;
        trial.transactions().last().is_some_and(|last| last.is_complete(ToServer))
    };
    assert!(!is_complete(&trial));
    trial.say(ToClient, &message(0x50, &[0, 7])).say(ToServer, &message(0x62, &[0, 7]));
    assert!(!is_complete(&trial));
    trial.say(ToClient, &message(0x70, &[0, 7]));
    assert!(is_complete(&trial));
    assert_eq!(trial.values(TOPIC, ToServer), ["a/b"]);
    assert_eq!(trial.values(MESSAGE, ToServer), ["hello"]);
    assert_eq!(trial.numbers(TYPE, ToServer), [1, 2, 3, 5, 6, 7]);
    assert_eq!(trial.numbers(QOS, ToServer), [0, 0, 2, 0, 1, 0]);
}

#[test]
fn topics_and_their_answers_are_shown() {
    let mut trial = connected();
    trial.say(ToServer, &message(0x82, &[vec![0, 1], text("a/#"), vec![1], text("b"), vec![0]].concat()));
    trial.say(ToClient, &message(0x90, &[0, 1, 1, 0x80]));
    trial.say(ToServer, &message(0xa2, &[vec![0, 2], text("a/#")].concat()));
    trial.say(ToClient, &message(0xb0, &[0, 2]));
    assert_eq!(trial.transactions().count(), 3);
    assert_eq!(trial.values(SUBSCRIBED, ToServer), ["a/#", "b"]);
    assert_eq!(trial.values(UNSUBSCRIBED, ToServer), ["a/#"]);
    assert_eq!(trial.numbers(REASON_CODE, ToServer), [0, 1, 0x80]);
    assert!(trial.events(PROTOCOL.events).is_empty());
}

#[test]
fn what_is_odd_is_told() {
    let odd = |said: &[u8]| {
        let mut trial = connected();
        trial.say(ToServer, said);
        trial.events(PROTOCOL.events)
    };
    assert_eq!(odd(&connect(4)), ["double_connect"]);
    assert_eq!(odd(&message(0x40, &[0, 9])), ["missing_publish"]);
    assert_eq!(odd(&message(0x50, &[0, 9])), ["missing_publish"]);
    assert_eq!(odd(&message(0x90, &[0, 9, 0])), ["missing_subscribe"]);
    assert_eq!(odd(&message(0xb0, &[0, 9])), ["missing_unsubscribe"]);
    assert_eq!(odd(&publish(3, "a", "b")), ["invalid_qos_level"]);
    assert_eq!(odd(&message(0, &[])), ["unassigned_msg_type"]);
    assert_eq!(odd(&[0x30, 0xff, 0xff, 0xff, 0xff, 1]), ["malformed_traffic"]);
    let mut trial = trial();
    trial.say(ToClient, &connect_answer(4)).say(ToServer, &message(0xc0, &[]));
    assert_eq!(trial.events(PROTOCOL.events), ["missing_connect", "unintroduced_message"]);
}

#[test]
fn version_5_has_properties_and_reasons() {
    let mut trial = trial();
    trial.say(ToServer, &connect(5)).say(ToClient, &connect_answer(5));
    trial.say(
        ToServer,
        &message(0x32, &[text("t"), vec![0, 3, 6, 38, 0, 1, b'k', 0, 0], b"v".to_vec()].concat()),
    );
    trial.say(ToClient, &message(0x40, &[0, 3, 0x10, 0]));
    trial.say(ToServer, &message(0xe0, &[0x81, 0]));
    assert_eq!(trial.numbers(REASON_CODE, ToServer), [0, 0x10, 0x81]);
    assert_eq!(trial.values(MESSAGE, ToServer), ["v"]);
    let records = trial.records();
    assert!(records[0].contains(r#""properties":{"session_expiry_interval":9}"#), "{}", records[0]);
    assert!(records[1].contains(r#""properties":{"k":""}"#), "{}", records[1]);
    assert_eq!(records[2], r#"{"disconnect":{"qos":0,"retain":false,"dup":false,"reason_code":129}}"#);
}

#[test]
fn a_stream_is_understood_however_it_is_cut() {
    let said = [connect(4), publish(0, "a", &"x".repeat(300)), message(0xe0, &[])].concat();
    let mut whole = trial();
    whole.say(ToServer, &said);
    let mut spelled = trial();
    spelled.spell(ToServer, &said);
    assert!(whole.transactions().eq(spelled.transactions()));
    assert_eq!(whole.transactions().count(), 3);
}

#[test]
fn a_message_that_is_too_long_is_skipped() {
    let mut trial = connected();
    let long = publish(0, "a", &"x".repeat(super::MESSAGE_BYTES_MAX + 1));
    let (first, rest) = long.split_at(1000);
    trial.say(ToServer, first).say(ToServer, rest).say(ToServer, &publish(0, "after", "b"));
    assert_eq!(trial.transactions().count(), 3);
    assert_eq!(trial.values(TOPIC, ToServer), ["after"]);
    assert!(trial.records()[1].contains(r#""truncated":true"#));
}

#[test]
fn exchanges_that_are_never_answered_are_bounded_and_told() {
    let mut trial = connected();
    for id in 0..3000u16 {
        let said = message(0x32, &[text("a"), id.to_be_bytes().to_vec()].concat());
        trial.say(ToServer, &said);
    }
    use crate::app::{Parser, Transaction};
    let open =
        trial.parser.transactions().iter().filter(|live| !live.transaction.is_complete(ToServer)).count();
    assert!(open <= super::OPEN_MAX, "{open}");
    assert!(trial.events(PROTOCOL.events).contains(&"too_many_transactions"));
}

#[test]
fn every_truncation_is_survived() {
    let said = [connect(5), message(0x82, &[vec![0, 1, 0], text("a"), vec![1]].concat())].concat();
    for length in 0..said.len() {
        let mut trial = trial();
        trial.say(ToServer, &said[..length]).end(ToServer);
        for flipped in [0, 0x7f, 0xff] {
            let mut bytes = said.clone();
            bytes[length] = flipped;
            Trial::new(Mqtt::default(), Transport::Tcp, PROTOCOL.frames)
                .say(ToServer, &bytes)
                .say(ToClient, &bytes);
        }
    }
}

#[test]
fn flags_are_asked_by_name() {
    let holds = |name: &str, text: &str| {
        let parse = PROTOCOL.keywords.iter().find_map(|keyword: &Keyword| match keyword.takes {
            Takes::Test(parse) if keyword.name == name => Some(parse),
            _ => None,
        });
        let test = parse.and_then(|parse| parse(text).ok()).unwrap_or_else(|| panic!("{name}:{text}"));
        let trial = connected();
        trial.transactions().any(|transaction| test.check(transaction, ToServer) == Verdict::Holds)
    };
    assert!(holds("mqtt.flags", "!dup,!retain"));
    assert!(!holds("mqtt.flags", "dup"));
    assert!(holds("mqtt.connect.flags", "username,password,clean_session"));
    assert!(holds("mqtt.connect.flags", "0xc6"));
    assert!(!holds("mqtt.connect.flags", "!username"));
}

#[test]
fn frames_stand_at_the_front_of_what_came() {
    let mut trial = trial();
    trial.say(ToServer, &[message(0xc0, &[]), message(0xe0, &[])].concat());
    let frames: Vec<(&str, &[u8])> =
        trial.frames.iter().map(|(name, _, bytes)| (*name, bytes.as_slice())).collect();
    assert_eq!(frames.len(), 6);
    assert_eq!(frames[3], ("mqtt.pdu", &[0xe0, 0][..]));
    assert_eq!(frames[4], ("mqtt.header", &[0xc0, 0][..]));
}

#[test]
fn mqtt_is_recognised_by_its_header() {
    assert_eq!(look(&connect(4)), Looked::Yes);
    assert_eq!(look(&[0x10]), Looked::Unsure);
    assert_eq!(look(&[0x00, 0x00]), Looked::No);
    assert_eq!(look(&[0x36, 0x00]), Looked::No);
    assert_eq!(look(&[0x10, 0xff, 0xff, 0xff, 0xff]), Looked::No);
}
