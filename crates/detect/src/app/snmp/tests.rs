//! What SNMP promises, with messages that are built here.

use super::*;
use crate::Direction::{ToClient, ToServer};
use crate::app::trial::Trial;

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, content.len() as u8][..], content].concat()
}

fn number(value: u8) -> Vec<u8> {
    tlv(2, &[value])
}

fn variables(value: &[u8]) -> Vec<u8> {
    tlv(0x30, &tlv(0x30, &[tlv(6, &[0x2b, 6, 1, 2]), value.to_vec()].concat()))
}

fn pdu(kind: u8, error: u8) -> Vec<u8> {
    tlv(0xa0 | kind, &[number(9), number(error), number(0), variables(&tlv(5, &[]))].concat())
}

fn community(version: u8, name: &str, pdu: &[u8]) -> Vec<u8> {
    tlv(0x30, &[number(version), tlv(4, name.as_bytes()), pdu.to_vec()].concat())
}

fn version_3(flags: u8, model: u8) -> Vec<u8> {
    let header = tlv(0x30, &[number(7), number(100), tlv(4, &[flags]), number(model)].concat());
    let user =
        tlv(0x30, &[tlv(4, b"e"), number(1), number(2), tlv(4, b"peter"), tlv(4, b""), tlv(4, b"")].concat());
    let scoped = tlv(0x30, &[tlv(4, b"e"), tlv(4, b""), pdu(0, 0)].concat());
    let data = if flags & 2 != 0 { tlv(4, b"secret") } else { scoped };
    tlv(0x30, &[number(3), header, tlv(4, &user), data].concat())
}

fn trial() -> Trial<Snmp> {
    Trial::new(Snmp::default(), Transport::Udp, &[])
}

#[test]
fn a_message_is_shown() {
    let mut trial = trial();
    trial
        .say(ToServer, &community(1, "public", &pdu(0, 0)))
        .say(ToClient, &community(1, "public", &pdu(2, 2)));
    assert_eq!(trial.values(COMMUNITY, ToServer), ["public"]);
    assert_eq!(trial.numbers(VERSION, ToServer), [2]);
    assert_eq!(trial.numbers(PDU_TYPE, ToServer), [0]);
    assert_eq!(trial.numbers(PDU_TYPE, ToClient), [2]);
    assert!(trial.events(EVENTS).is_empty());
    assert_eq!(
        trial.records()[1],
        r#"{"version":2,"pdu_type":"response","error":"NoSuchName","vars":["1.3.6.1.2"],"community":"public"}"#
    );
}

#[test]
fn a_trap_is_shown() {
    let body = [
        tlv(6, &[0x2b, 6]),
        tlv(0x40, &[192, 0, 2, 1]),
        number(3),
        number(0),
        tlv(0x43, &[9]),
        variables(&number(1)),
    ];
    let mut trial = trial();
    trial.say(ToServer, &community(0, "traps", &tlv(0xa4, &body.concat())));
    assert_eq!(trial.numbers(TRAP_TYPE, ToServer), [3]);
    assert_eq!(trial.numbers(PDU_TYPE, ToServer), [4]);
    assert_eq!(
        trial.records(),
        [concat!(
            r#"{"version":1,"pdu_type":"trap_v1","trap_type":"linkUp","trap_oid":"1.3.6","trap_address":"192.0.2.1","#,
            r#""vars":["1.3.6.1.2"],"community":"traps"}"#
        )]
    );
}

#[test]
fn the_user_of_version_3_is_shown_and_what_is_encrypted_is_not() {
    let mut trial = trial();
    trial.say(ToServer, &version_3(0, 3)).say(ToServer, &version_3(3, 3));
    assert_eq!(trial.values(USER, ToServer), ["peter", "peter"]);
    assert_eq!(trial.numbers(PDU_TYPE, ToServer), [0]);
    assert_eq!(trial.records()[1], r#"{"version":3,"pdu_type":"encrypted"}"#);
    trial.say(ToServer, &version_3(0, 5));
    assert_eq!(trial.events(EVENTS), ["unknown_security_model"]);
}

#[test]
fn what_is_odd_is_told() {
    let mut trial = trial();
    trial.say(ToServer, &community(0, "a", &pdu(0, 0))).say(ToServer, &community(1, "a", &pdu(0, 0)));
    assert_eq!(trial.events(EVENTS), ["version_mismatch"]);
    assert_eq!(trial.numbers(VERSION, ToServer), [1, 1]);
    trial.say(ToServer, &community(0, "a", &pdu(5, 0)));
    assert_eq!(trial.transactions().count(), 2);
    assert_eq!(trial.events(EVENTS), ["malformed_data", "version_mismatch"]);
}

#[test]
fn a_value_that_cannot_be_spoils_the_message() {
    let with = |value: &[u8]| {
        let pdu = tlv(0xa2, &[number(9), number(0), number(0), variables(value)].concat());
        Message::read(&community(1, "a", &pdu), false).is_some()
    };
    assert!(
        with(&tlv(4, b"text")) && with(&tlv(0x41, &[0, 0xff, 0xff, 0xff, 0xff])) && with(&tlv(0x46, &[1; 8]))
    );
    assert!(with(&tlv(0x82, &[])) && with(&tlv(2, &[])) && with(&tlv(2, &[0xff; 4])));
    assert!(
        !with(&tlv(0x41, &[0xff; 4])) && !with(&tlv(0x40, &[1, 2, 3])) && !with(&tlv(2, &[1, 2, 3, 4, 5]))
    );
    assert!(!with(&tlv(6, &[0x81])) && !with(&tlv(0x84, &[])));
}

#[test]
fn snmp_is_recognised() {
    assert_eq!(look(&community(0, "a", &pdu(0, 0))), Looked::Yes);
    assert_eq!(look(&version_3(0, 3)), Looked::Yes);
    assert_eq!(look(&community(2, "a", &pdu(0, 0))), Looked::No);
    assert_eq!(look(b"GET / HTTP/1.0"), Looked::No);
}

#[test]
fn every_damage_is_survived() {
    for whole in [community(1, "public", &pdu(0, 0)), version_3(0, 3), version_3(3, 3)] {
        for place in 0..whole.len() {
            trial().say(ToServer, &whole[..place]);
            for value in [0, 0x1f, 0x7f, 0x80, 0x84, 0xff] {
                let mut damaged = whole.clone();
                damaged[place] = value;
                trial().say(ToServer, &damaged);
            }
        }
    }
}
