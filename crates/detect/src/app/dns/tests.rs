//! What DNS promises, with messages that are built here.

use super::*;
use crate::app::trial::Trial;
use keywords::{ADDITIONALS, ALL_NAMES, ANSWERS, AUTHORITIES, OPCODE, QUESTIONS, RCODE, RRTYPE};

/// A header with these flags and counts.
fn header(flags: u16, counts: [u16; 4]) -> Vec<u8> {
    let mut bytes = vec![0xab, 0xcd];
    bytes.extend(flags.to_be_bytes());
    counts.iter().for_each(|count| bytes.extend(count.to_be_bytes()));
    bytes
}

/// A name in labels.
fn name(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        bytes.push(label.len() as u8);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes
}

/// A question of type A.
fn question(text: &str) -> Vec<u8> {
    [name(text), vec![0, 1, 0, 1]].concat()
}

/// A record.
fn record(name: &[u8], rrtype: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = name.to_vec();
    bytes.extend(rrtype.to_be_bytes());
    bytes.extend([0, 1, 0, 0, 0, 60]);
    bytes.extend((data.len() as u16).to_be_bytes());
    bytes.extend(data);
    bytes
}

fn query(text: &str) -> Vec<u8> {
    [header(0x0100, [1, 0, 0, 0]), question(text)].concat()
}

/// An answer with a record of every section: what is asked stands at 12.
fn answer() -> Vec<u8> {
    [
        header(0x8183, [1, 2, 1, 2]),
        question("www.example.com"),
        record(&[0xc0, 12], 5, &name("a.example.net")),
        record(&name("a.example.net"), 1, &[192, 0, 2, 1]),
        record(&[0xc0, 16], 6, &[name("ns.example.com"), name("mail.example.com"), vec![0; 20]].concat()),
        record(&name("ns.example.com"), 1, &[192, 0, 2, 2]),
        record(&[0], 41, &[]),
    ]
    .concat()
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes()[..], message].concat()
}

fn datagrams() -> Trial<Dns> {
    Trial::new(Dns::default(), Transport::Udp, &["dns.pdu"])
}

fn a_stream() -> Trial<Dns> {
    Trial::new(Dns::default(), Transport::Tcp, &["dns.pdu"])
}

/// The one message that these bytes are, and its oddities.
fn odd(direction: Direction, bytes: &[u8]) -> Vec<&'static str> {
    let mut trial = datagrams();
    trial.say(direction, bytes);
    assert_eq!(trial.transactions().count(), 1);
    trial.events(PROTOCOL.events)
}

#[test]
fn each_message_is_an_exchange_about_its_own_direction() {
    let mut trial = datagrams();
    trial.say(Direction::ToServer, &query("www.example.com")).say(Direction::ToClient, &answer());
    let about: Vec<(bool, bool)> = trial
        .transactions()
        .map(|message| (message.concerns(Direction::ToServer), message.concerns(Direction::ToClient)))
        .collect();
    assert_eq!(about, [(true, false), (false, true)]);
    assert_eq!(trial.values(QUESTIONS, Direction::ToServer), ["www.example.com"]);
    assert_eq!(trial.values(QUESTIONS, Direction::ToClient), ["www.example.com"]);
    assert_eq!(trial.frames.len(), 2);
    assert_eq!(trial.frames[0].2, query("www.example.com"));
}

#[test]
fn every_section_is_shown() {
    let mut trial = datagrams();
    trial.say(Direction::ToClient, &answer());
    let to_client = |field| trial.values(field, Direction::ToClient);
    assert_eq!(to_client(ANSWERS), ["www.example.com", "a.example.net"]);
    assert_eq!(to_client(AUTHORITIES), ["example.com"]);
    assert_eq!(to_client(ADDITIONALS), ["ns.example.com"]);
    assert_eq!(
        to_client(ALL_NAMES),
        [
            "www.example.com",
            "www.example.com",
            "a.example.net",
            "a.example.net",
            "example.com",
            "ns.example.com",
            "ns.example.com"
        ]
    );
    assert_eq!(trial.numbers(RCODE, Direction::ToClient), [3]);
    assert_eq!(trial.numbers(RRTYPE, Direction::ToClient), [5, 1]);
    assert!(trial.numbers(RRTYPE, Direction::ToServer).is_empty());
    assert!(trial.events(PROTOCOL.events).is_empty());
}

#[test]
fn numbers_of_a_question_are_told_to_the_server() {
    let mut trial = datagrams();
    trial
        .say(Direction::ToServer, &[header(0x2100, [2, 0, 0, 0]), question("a.b"), question("c.d")].concat());
    assert_eq!(trial.numbers(OPCODE, Direction::ToServer), [4]);
    assert_eq!(trial.numbers(RRTYPE, Direction::ToServer), [1, 1]);
    assert_eq!(trial.values(QUESTIONS, Direction::ToServer), ["a.b", "c.d"]);
}

#[test]
fn an_empty_name_is_the_last_that_is_shown() {
    let mut trial = datagrams();
    let bytes = [header(0, [3, 0, 0, 0]), question("a"), question(""), question("b")].concat();
    trial.say(Direction::ToServer, &bytes);
    assert_eq!(trial.values(QUESTIONS, Direction::ToServer), ["a"]);
}

#[test]
fn a_stream_is_understood_however_it_is_cut() {
    let asked = [framed(&query("one.example")), vec![0, 0], framed(&query("two.example"))].concat();
    let answered = framed(&answer());
    let mut whole = a_stream();
    whole.say(Direction::ToServer, &asked).say(Direction::ToClient, &answered);
    let mut spelled = a_stream();
    spelled.spell(Direction::ToServer, &asked).spell(Direction::ToClient, &answered);
    assert_eq!(whole.values(QUESTIONS, Direction::ToServer), ["one.example", "two.example"]);
    assert!(whole.transactions().eq(spelled.transactions()));
    assert_eq!(whole.frames, spelled.frames);
    assert_eq!(whole.frames.len(), 3);
}

#[test]
fn a_stream_that_is_no_dns_is_given_up() {
    let mut trial = a_stream();
    trial.say(Direction::ToServer, b"\0\x10GET / HTTP/1.1\r\n");
    assert!(trial.broken);
    assert_eq!(trial.transactions().count(), 0);
}

#[test]
fn a_stream_goes_on_behind_a_hole_where_a_message_begins() {
    let mut trial = a_stream();
    trial.say(Direction::ToClient, &framed(&answer())[..20]).gap(Direction::ToClient, 100);
    trial.say(Direction::ToClient, b"the rest of a message that was lost");
    assert!(!trial.broken);
    trial.say(Direction::ToClient, &framed(&answer()));
    assert!(!trial.broken);
    assert_eq!(trial.transactions().count(), 1);
}

#[test]
fn what_is_odd_is_told() {
    let asks = |flags, text: &str| [header(flags, [1, 0, 0, 0]), question(text)].concat();
    assert_eq!(odd(Direction::ToServer, &asks(0x0140, "a")), ["z_flag_set"]);
    assert_eq!(odd(Direction::ToServer, &asks(0x3900, "a")), ["invalid_opcode"]);
    assert_eq!(odd(Direction::ToClient, &asks(0, "a")), ["not_response"]);
    let long = vec!["x".repeat(60); 20].join(".");
    assert_eq!(odd(Direction::ToServer, &asks(0, &long)), ["name_too_long"]);
    let bad_additional = [header(0, [1, 0, 0, 1]), question("a"), vec![0xc0]].concat();
    assert_eq!(odd(Direction::ToServer, &bad_additional), ["invalid_additionals"]);
    let bad_authority = [header(0, [1, 0, 1, 0]), question("a"), vec![0xc0]].concat();
    assert_eq!(odd(Direction::ToServer, &bad_authority), ["invalid_authorities"]);
    // The name of the answer points at its data, which points at itself.
    let itself =
        [header(0x8000, [1, 1, 0, 0]), name(""), vec![0, 1, 0, 1], record(&[0xc0, 29], 99, &[0xc0, 29])]
            .concat();
    assert_eq!(odd_or_none(&itself), Some(vec!["infinite_loop"]));
    // Two pointers that point at each other.
    let circle = [
        header(0x8000, [1, 1, 0, 0]),
        name(""),
        vec![0, 1, 0, 1],
        record(&[0xc0, 29], 99, &[0xc0, 31, 0xc0, 29]),
    ]
    .concat();
    assert_eq!(odd_or_none(&circle), Some(vec!["name_too_long", "too_many_labels"]));
}

fn odd_or_none(bytes: &[u8]) -> Option<Vec<&'static str>> {
    let mut trial = datagrams();
    trial.say(Direction::ToClient, bytes);
    (trial.transactions().count() == 1).then(|| trial.events(PROTOCOL.events))
}

#[test]
fn a_damaged_message_is_told_to_the_one_before_it() {
    let mut trial = datagrams();
    trial.say(Direction::ToServer, &query("a")).say(Direction::ToServer, &query("abc")[..15]);
    assert_eq!(trial.transactions().count(), 1);
    assert_eq!(trial.events(PROTOCOL.events), ["malformed_data"]);
    let mut trial = datagrams();
    trial.say(Direction::ToServer, &query("a")).say(Direction::ToServer, &answer());
    assert_eq!(trial.events(PROTOCOL.events), ["not_request"]);
}

#[test]
fn a_name_that_points_at_itself_is_refused() {
    let bytes = [header(0, [1, 0, 0, 0]), vec![0xc0, 12, 0, 1, 0, 1]].concat();
    assert_eq!(DnsMessage::parse(&bytes, Direction::ToServer), Err(Refusal::Body));
}

#[test]
fn a_long_name_is_cut_off_and_what_follows_is_still_found() {
    let long = vec!["x".repeat(60); 20].join(".");
    let bytes = [header(0, [2, 0, 0, 0]), question(&long), question("after")].concat();
    let mut trial = datagrams();
    trial.say(Direction::ToServer, &bytes);
    let names = trial.values(QUESTIONS, Direction::ToServer);
    assert_eq!((names[0].len(), names[1].as_str()), (1025, "after"));
    assert!(long.starts_with(&names[0]));
}

#[test]
fn every_truncation_is_survived() {
    let whole = answer();
    for length in 0..whole.len() {
        let mut trial = datagrams();
        trial.say(Direction::ToClient, &whole[..length]);
        let mut trial = a_stream();
        trial.say(Direction::ToClient, &framed(&whole)[..length]).end(Direction::ToClient);
        assert_eq!(trial.transactions().count(), 0);
    }
}

#[test]
fn a_message_that_names_much_by_pointers_is_bounded() {
    // One name of 1000 bytes and as many records as fit which point into it at ever other places.
    let long = vec!["x".repeat(49); 20].join(".");
    let mut bytes = [header(0x8000, [1, 5000, 0, 0]), question(&long)].concat();
    for place in 0..5000u16 {
        let target = 12 + (place % 20) * 50;
        bytes.extend(record(&(0xc000 | target).to_be_bytes(), 16, &[]));
    }
    let Ok(message) = Message::parse(&bytes) else { panic!("it is a message") };
    // Names that are one pointer to the same place share their text.
    let texts: std::collections::BTreeMap<u32, usize> = message
        .section(Section::Answers)
        .iter()
        .map(|record| (record.name.start, message.text(record.name).len()))
        .collect();
    let total: usize = texts.values().sum();
    assert!(total <= 1 << 19, "{total}");
    assert!(message.odd.contain(NameOddities::CUT_OFF));
}

#[test]
fn dns_is_recognised_both_ways() {
    let (asked, answered) = (query("a.b"), answer());
    assert_eq!(datagram_to_server(&asked), Looked::Yes);
    assert_eq!(datagram_to_client(&asked), Looked::Reversed);
    assert_eq!(datagram_to_client(&answered), Looked::Yes);
    assert_eq!(datagram_to_server(&answered), Looked::Reversed);
    assert_eq!(datagram_to_server(b"GET / HTTP/1.1\r\n\r\n"), Looked::No);
    assert_eq!(stream_to_server(&framed(&asked)), Looked::Yes);
    assert_eq!(stream_to_client(&framed(&answered)[..20]), Looked::Yes);
    assert_eq!(stream_to_server(&framed(&answered)), Looked::Reversed);
    assert_eq!(stream_to_server(&[0, 20, 0, 0]), Looked::Unsure);
    assert_eq!(stream_to_server(&[0; 20]), Looked::No);
}

#[test]
fn a_record_tells_it_all() {
    let mut trial = datagrams();
    trial.say(Direction::ToServer, &query("a\"b.c"));
    assert_eq!(
        trial.records(),
        [concat!(
            r#"{"version":3,"type":"request","tx_id":0,"id":43981,"flags":"100","rd":true,"opcode":0,"#,
            r#""rcode":"NOERROR","queries":[{"rrname":"a\"b.c","rrtype":"A"}]}"#,
        )]
    );
    let mut trial = datagrams();
    let bytes = [
        header(0x8580, [0, 4, 0, 0]),
        record(&name("t"), 16, b"\x01a\x02bc"),
        record(&name("v"), 33, &[&[0, 1, 0, 2, 0, 80][..], &name("s")].concat()),
        record(&name("h"), 44, &[1, 2, 0xab, 0xcd]),
        record(&name("o"), 41, &[0, 3, 0, 2, 9, 8]),
    ]
    .concat();
    trial.say(Direction::ToClient, &bytes);
    assert_eq!(
        trial.records(),
        [concat!(
            concat!(
                r#"{"version":3,"type":"response","tx_id":0,"id":43981,"flags":"8580","qr":true,"aa":true,"#,
                r#""rd":true,"ra":true,"opcode":0,"rcode":"NOERROR","#,
            ),
            concat!(
                r#""answers":[{"rrname":"t","rrtype":"TXT","ttl":60,"rdata":"a"},{"rrname":"t","#,
                r#""rrtype":"TXT","ttl":60,"rdata":"bc"},"#,
            ),
            r#"{"rrname":"v","rrtype":"SRV","ttl":60,"srv":{"priority":1,"weight":2,"port":80,"name":"s"}},"#,
            r#"{"rrname":"h","rrtype":"SSHFP","ttl":60,"sshfp":{"fingerprint":"ab:cd","algo":1,"type":2}},"#,
            r#"{"rrname":"o","rrtype":"OPT","ttl":60,"opt":[{"code":3,"data":"0908"}]}],"#,
            concat!(
                r#""grouped":{"TXT":["a","bc"],"SRV":[{"priority":1,"weight":2,"port":80,"name":"s"}],"#,
                r#""SSHFP":[{"fingerprint":"ab:cd","algo":1,"type":2}]}}"#,
            )
        )]
    );
}
