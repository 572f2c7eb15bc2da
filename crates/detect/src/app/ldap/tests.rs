//! What LDAP promises, with messages that are built here.

use super::keywords::*;
use super::*;
use crate::Direction::{ToClient, ToServer};
use crate::app::trial::Trial;
use crate::app::{Takes, Verdict};

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    match content.len() {
        length @ 0..128 => [&[tag, length as u8][..], content].concat(),
        length => [&[tag, 0x82][..], &(length as u16).to_be_bytes(), content].concat(),
    }
}

fn message(id: u8, tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &[tlv(2, &[id]), tlv(tag, &parts.concat())].concat())
}

fn text(text: &str) -> Vec<u8> {
    tlv(4, text.as_bytes())
}

fn result(code: u8, name: &str, explanation: &str) -> Vec<u8> {
    [tlv(10, &[code]), text(name), text(explanation)].concat()
}

fn search(id: u8) -> Vec<u8> {
    let filter =
        tlv(0xa0, &[tlv(0x87, b"objectClass"), tlv(0xa3, &[text("cn"), text("x")].concat())].concat());
    let attributes = tlv(0x30, &[text("mail"), text("phone")].concat());
    message(
        id,
        0x63,
        &[
            &text("dc=example"),
            &tlv(10, &[2]),
            &tlv(10, &[0]),
            &tlv(2, &[0]),
            &tlv(2, &[9]),
            &tlv(1, &[0]),
            &filter,
            &attributes,
        ],
    )
}

fn entry(id: u8) -> Vec<u8> {
    let attribute = tlv(0x30, &[text("mail"), tlv(0x31, &text("a@example"))].concat());
    message(id, 0x64, &[&text("cn=a,dc=example"), &tlv(0x30, &attribute)])
}

fn done(id: u8, code: u8) -> Vec<u8> {
    message(id, 0x65, &[&result(code, "dc=found", "that is all")])
}

fn stream() -> Trial<Ldap> {
    Trial::new(Ldap::default(), Transport::Tcp, PROTOCOL.frames)
}

fn datagrams() -> Trial<Ldap> {
    Trial::new(Ldap::default(), Transport::Udp, PROTOCOL.frames)
}

fn holds(trial: &Trial<Ldap>, name: &str, text: &str) -> bool {
    let parse = PROTOCOL.keywords.iter().find_map(|keyword| match keyword.takes {
        Takes::Test(parse) if keyword.name == name => Some(parse),
        _ => None,
    });
    let Some(Ok(test)) = parse.map(|parse| parse(text)) else { panic!("{name}:{text}") };
    trial.transactions().any(|exchange| test.check(exchange, ToClient) == Verdict::Holds)
}

#[test]
fn a_request_and_its_responses_are_one_exchange() {
    let mut trial = stream();
    trial.say(ToServer, &search(7)).say(ToClient, &[entry(7), done(7, 4)].concat());
    assert_eq!(trial.transactions().map(|exchange| exchange.is_complete).collect::<Vec<_>>(), [true]);
    assert_eq!(trial.numbers(REQUEST_OPERATION, ToServer), [3]);
    assert_eq!(trial.numbers(RESPONSE_COUNT, ToClient), [2]);
    assert_eq!(trial.values(REQUEST_NAME, ToServer), ["dc=example"]);
    assert_eq!(trial.values(REQUEST_ATTRIBUTES, ToServer), ["mail", "phone"]);
    assert_eq!(trial.values(RESPONSE_NAMES, ToClient), ["cn=a,dc=example", "dc=found"]);
    assert_eq!(trial.values(RESPONSE_MESSAGES, ToClient), ["", "that is all"]);
    assert_eq!(trial.values(RESPONSE_ATTRIBUTES, ToClient), ["mail"]);
    assert_eq!(trial.frames.len(), 3);
    assert!(trial.events(EVENTS).is_empty());
}

#[test]
fn conditions_on_responses_name_which_one_is_meant() {
    let mut trial = stream();
    trial.say(ToServer, &search(7)).say(ToClient, &[entry(7), done(7, 4)].concat());
    let operation = |text| holds(&trial, "ldap.responses.operation", text);
    assert!(operation("search_result_done") && operation("5,any") && operation("5,1") && operation("5,-1"));
    assert!(!operation("5,0") && !operation("5,all") && !operation("5,2") && !operation("5,-3"));
    let code = |text| holds(&trial, "ldap.responses.result_code", text);
    assert!(code("size_limit_exceeded") && code("4,all") && code("4,-1"));
    assert!(!code("success") && !code("4,0") && !code("!4,all"));
}

#[test]
fn every_request_tells_whom_it_is_about() {
    let attribute = tlv(0x30, &[text("sn"), tlv(0x31, &text("v"))].concat());
    let cases: [(u8, Vec<u8>, &str, &[&str]); 6] = [
        (0x60, [tlv(2, &[3]), text("cn=admin"), tlv(0x80, b"secret")].concat(), "cn=admin", &[]),
        (
            0x66,
            [text("cn=m"), tlv(0x30, &tlv(0x30, &[tlv(10, &[2]), attribute.clone()].concat()))].concat(),
            "cn=m",
            &["sn"],
        ),
        (0x68, [text("cn=n"), tlv(0x30, &attribute)].concat(), "cn=n", &["sn"]),
        (0x4a, b"cn=d".to_vec(), "cn=d", &[]),
        (0x6c, [text("cn=r"), text("cn=s"), tlv(1, &[0xff])].concat(), "cn=r", &[]),
        (0x6e, [text("cn=c"), tlv(0x30, &[text("sn"), text("v")].concat())].concat(), "cn=c", &["sn"]),
    ];
    for (tag, body, name, attributes) in cases {
        let mut trial = stream();
        trial.say(ToServer, &message(1, tag, &[&body]));
        assert_eq!(trial.values(REQUEST_NAME, ToServer), [name]);
        assert_eq!(trial.values(REQUEST_ATTRIBUTES, ToServer), attributes);
    }
}

#[test]
fn what_needs_no_answer_is_complete_at_once() {
    let mut trial = stream();
    trial.say(ToServer, &[message(1, 0x42, &[]), message(2, 0x50, &[&[1]])].concat());
    assert!(trial.transactions().all(|exchange| exchange.is_complete));
    assert_eq!(trial.numbers(REQUEST_OPERATION, ToServer), [2, 16]);
}

#[test]
fn a_response_that_nobody_asked_for_is_told() {
    let mut trial = stream();
    trial.say(ToClient, &message(0, 0x78, &[&result(2, "", "")]));
    assert!(trial.events(EVENTS).is_empty());
    trial.say(ToClient, &done(9, 0));
    assert_eq!(trial.events(EVENTS), ["request_not_found"]);
}

#[test]
fn what_cannot_be_read_is_told() {
    let mut trial = stream();
    trial.say(ToServer, &[search(1), message(2, 0x30, &[])].concat());
    assert!(trial.broken);
    assert_eq!(trial.events(EVENTS), ["invalid_data"]);
    let mut trial = datagrams();
    trial.say(ToServer, &search(1)).say(ToServer, &search(2)[..20]);
    assert_eq!(trial.events(EVENTS), ["incomplete_data"]);
    trial.say(ToClient, &[entry(1), done(1, 0)].concat());
    assert_eq!(trial.numbers(RESPONSE_COUNT, ToClient), [2]);
}

#[test]
fn tls_begins_where_the_server_agrees() {
    let mut trial = stream();
    trial.say(ToServer, &message(1, 0x77, &[&tlv(0x80, b"1.3.6.1.4.1.1466.20037")]));
    assert_eq!(trial.next, None);
    trial.say(ToClient, &[message(1, 0x78, &[&result(0, "", "")]), vec![22, 3]].concat());
    assert_eq!(trial.next, Some(Next::Switch(ProtocolId::Tls)));
    assert!(!trial.broken);
}

#[test]
fn exchanges_and_responses_are_bounded_and_told() {
    let mut trial = stream();
    for _ in 0..=OPEN_MAX + 1 {
        trial.say(ToServer, &search(1));
    }
    assert!(trial.broken);
    assert_eq!(trial.events(EVENTS), ["too_many_transactions"]);
    let mut trial = stream();
    trial.say(ToServer, &search(1));
    for _ in 0..=RESPONSES_MAX {
        trial.say(ToClient, &entry(1));
    }
    assert_eq!(trial.events(EVENTS), ["too_many_responses"]);
}

#[test]
fn a_stream_is_understood_however_it_is_cut_and_behind_a_hole() {
    let said = [search(1), search(2)].concat();
    let mut whole = stream();
    whole.say(ToServer, &said);
    let mut spelled = stream();
    spelled.spell(ToServer, &said);
    assert!(whole.transactions().eq(spelled.transactions()));
    let mut holed = stream();
    holed.say(ToServer, &said[..10]).gap(ToServer, 100).say(ToServer, &search(3));
    assert!(!holed.broken);
    holed.gap(ToServer, 100).say(ToServer, b"the rest of a message");
    assert!(holed.broken);
}

#[test]
fn records_tell_what_was_asked_and_answered() {
    let mut trial = stream();
    trial.say(ToServer, &search(7)).say(ToClient, &[entry(7), done(7, 0)].concat());
    assert_eq!(
        trial.records(),
        [concat!(
            r#"{"request":{"message_id":7,"operation":"search_request","search_request":{"base_object":"dc=example","#,
            r#""scope":2,"deref_alias":0,"size_limit":0,"time_limit":9,"types_only":false,"#,
            r#""attributes":["mail","phone"]}},"responses":[{"operation":"search_result_entry","search_result_entry":"#,
            r#"{"base_object":"cn=a,dc=example","attributes":[{"type":"mail","values":["a@example"]}]}},"#,
            r#"{"operation":"search_result_done","search_result_done":{"result_code":"success","#,
            r#""matched_dn":"dc=found","message":"that is all"}}]}"#
        )]
    );
}

#[test]
fn ldap_is_recognised_both_ways() {
    assert_eq!(to_server(&search(1)), Looked::Yes);
    assert_eq!(to_client(&search(1)), Looked::Reversed);
    assert_eq!(to_client(&done(1, 0)), Looked::Yes);
    assert_eq!(to_server(&search(1)[..9]), Looked::Unsure);
    assert_eq!(to_server(b"GET / HTTP/1.0\r\n"), Looked::No);
}

#[test]
fn every_damage_is_survived() {
    for whole in [search(1), entry(1), done(1, 0)] {
        for place in 0..whole.len() {
            stream().say(ToServer, &whole[..place]).end(ToServer);
            for value in [0, 0x80, 0x84, 0xff] {
                let mut damaged = whole.clone();
                damaged[place] = value;
                datagrams().say(ToServer, &damaged).say(ToClient, &damaged);
            }
        }
    }
    let nested = (0..5000).fold(
        Vec::new(),
        |inner: Vec<u8>, _| {
            if inner.len() > 60_000 { inner } else { tlv(0xa2, &inner) }
        },
    );
    assert_eq!(
        Message::read(&mut Reader::new(&message(1, 0x63, &[&nested])), true).err(),
        Some(Fault::Invalid)
    );
}
