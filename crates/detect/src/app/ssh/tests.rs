//! What SSH promises, with bytes that are built here.

use super::*;
use crate::Direction::{ToClient, ToServer};
use crate::app::trial::Trial;
use crate::app::{Takes, Verdict};
use keywords::KEYWORDS;

const FRAMES: &[&str] = &["ssh.record.hdr", "ssh.record.data", "ssh.record.pdu"];

/// A record of this message.
fn record(message: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() + 2) as u32;
    [&length.to_be_bytes()[..], &[4, message], body].concat()
}

/// An offer to exchange keys in which each list names itself.
fn offer() -> Vec<u8> {
    let mut body = vec![7; 16];
    for list in ["kex", "host", "enc-cs", "enc-sc", "mac-cs", "mac-sc", "zip-cs", "zip-sc", "", ""] {
        body.extend((list.len() as u32).to_be_bytes());
        body.extend(list.bytes());
    }
    body.extend([0; 5 + 8]);
    record(KEX_INIT, &body)
}

fn client() -> Vec<u8> {
    [
        b"SSH-2.0-OpenSSH_9.6 a comment\r\n".to_vec(),
        offer(),
        record(30, b"secret"),
        record(NEW_KEYS, &[0; 10]),
    ]
    .concat()
}

fn server() -> Vec<u8> {
    [b"SSH-1.99-Cisco-1.25\n".to_vec(), offer(), record(31, b"secret"), record(NEW_KEYS, &[0; 10])].concat()
}

fn flow(frames: &[&'static str]) -> Trial<Ssh> {
    Trial::new(Ssh::default(), Transport::Tcp, frames)
}

fn both() -> Trial<Ssh> {
    let mut flow = flow(FRAMES);
    flow.say(ToServer, &client()).say(ToClient, &server());
    flow
}

fn verdict(flow: &Trial<Ssh>, name: &str, text: &str) -> Verdict {
    let keyword = KEYWORDS.iter().find(|keyword| keyword.name == name);
    let Some(Takes::Test(make)) = keyword.map(|keyword| keyword.takes) else { panic!("{name} is a test") };
    let (Ok(test), Some(exchange)) = (make(text), flow.transactions().next()) else { panic!("{text}") };
    test.check(exchange, ToServer)
}

#[test]
fn both_sides_say_who_they_are() {
    let flow = both();
    assert_eq!(
        (flow.values(PROTO, ToServer), flow.values(PROTO, ToClient)),
        (vec!["2.0".into()], vec!["1.99".into()])
    );
    assert_eq!(flow.values(SOFTWARE, ToServer), ["OpenSSH_9.6"]);
    assert_eq!(flow.values(SOFTWARE, ToClient), ["Cisco-1.25"]);
}

#[test]
fn the_fingerprint_is_that_of_each_sides_own_direction() {
    let flow = both();
    assert_eq!(flow.values(HASSH_STRING, ToServer), ["kex;enc-cs;mac-cs;zip-cs"]);
    assert_eq!(flow.values(HASSH_STRING, ToClient), ["kex;enc-sc;mac-sc;zip-sc"]);
    assert_eq!(flow.values(HASSH, ToServer), ["304cf925c0312957e82a318e7c76fb63"]);
}

#[test]
fn the_exchange_is_over_when_both_sides_encrypt() {
    let mut flow = flow(&[]);
    flow.say(ToServer, &client());
    assert_eq!(flow.next, None);
    assert!(flow.transactions().all(|exchange| !exchange.is_complete(ToServer)));
    flow.say(ToClient, &server());
    assert_eq!(flow.next, Some(Next::Opaque));
    assert!(
        flow.transactions().all(|exchange| exchange.is_complete(ToServer) && exchange.is_complete(ToClient))
    );
    assert!(flow.events(EVENTS).is_empty());
}

#[test]
fn byte_by_byte_is_the_same_as_in_one_piece() {
    for frames in [FRAMES, &[]] {
        let mut whole = flow(frames);
        whole.say(ToServer, &client()).say(ToClient, &server());
        let mut spelled = flow(frames);
        spelled.spell(ToServer, &client()).spell(ToClient, &server());
        assert!(whole.transactions().eq(spelled.transactions()));
        assert_eq!(whole.frames, spelled.frames);
        assert_eq!(whole.frames.len(), frames.len() * 6);
    }
}

#[test]
fn records_that_nobody_wants_are_passed_over() {
    let mut flow = flow(&[]);
    flow.settings.records = false;
    flow.say(ToServer, b"SSH-2.0-x\r\n").spell(ToServer, &offer()).spell(ToServer, &record(NEW_KEYS, &[]));
    assert_eq!(flow.parser.progress(ToServer), Progress::Encrypted);
    assert!(flow.values(HASSH, ToServer).is_empty());
}

#[test]
fn what_is_odd_is_told() {
    let events = |bytes: &[u8]| {
        let mut flow = flow(&[]);
        flow.say(ToServer, bytes);
        (flow.broken, flow.events(EVENTS))
    };
    assert_eq!(events(b"SSH-nothing\r\n"), (true, vec!["invalid_banner"]));
    assert_eq!(events(&[&b"SSH-2.0-"[..], &[b'x'; 300], b"\r\n"].concat()), (false, vec!["long_banner"]));
    assert_eq!(events(&[&b"SSH-2.0-"[..], &[b'x'; 300]].concat()), (false, vec!["long_banner"]));
    assert_eq!(events(b"SSH-2.0-x\r\n\0\0\0\x01"), (true, vec!["invalid_record"]));
    let long = [&b"SSH-2.0-x\r\n"[..], &70_000u32.to_be_bytes(), &[0, KEX_INIT, 1, 2, 3]].concat();
    assert_eq!(events(&long), (false, vec!["long_kex_record"]));
}

#[test]
fn a_first_line_that_is_too_long_is_followed_to_its_end() {
    let mut flow = flow(&[]);
    flow.say(ToServer, &[&b"SSH-2.0-x "[..], &[b'y'; 300]].concat())
        .say(ToServer, b"yyy")
        .say(ToServer, b"y\r\n");
    flow.say(ToServer, &record(NEW_KEYS, &[0; 4]));
    assert_eq!(flow.values(SOFTWARE, ToServer), ["x"]);
    assert_eq!(flow.parser.progress(ToServer), Progress::Encrypted);
}

#[test]
fn fields_are_there_as_soon_as_they_were_said() {
    let mut flow = flow(&[]);
    flow.say(ToServer, b"SSH-2.0-x\r\n");
    let Some(exchange) = flow.transactions().next() else { panic!("there is one") };
    assert_eq!((exchange.ready(PROTO, ToServer), exchange.ready(PROTO, ToClient)), (Ready::Full, Ready::No));
    assert_eq!(exchange.ready(HASSH, ToServer), Ready::No);
}

#[test]
fn old_tests_of_versions_look_at_their_beginning() {
    let flow = both();
    assert_eq!(verdict(&flow, "ssh.protoversion", "2_compat"), Verdict::Holds);
    assert_eq!(verdict(&flow, "ssh.protoversion", "2"), Verdict::Holds);
    assert_eq!(verdict(&flow, "ssh.protoversion", "1.99"), Verdict::Fails);
    assert_eq!(verdict(&flow, "ssh.softwareversion", "\"OpenSSH\""), Verdict::Holds);
    assert_eq!(verdict(&flow, "ssh.softwareversion", "PuTTY"), Verdict::Fails);
}

#[test]
fn every_truncation_is_survived() {
    for length in 0..client().len() {
        let mut flow = flow(FRAMES);
        flow.say(ToServer, &client()[..length]).end(ToServer).end(ToClient);
        assert!(!flow.broken);
    }
}

#[test]
fn an_offer_whose_lengths_lie_has_no_fingerprint() {
    let mut bytes = offer();
    bytes[HEAD_BYTES + 16] = 0xff;
    let mut flow = flow(&[]);
    flow.say(ToServer, b"SSH-2.0-x\r\n").say(ToServer, &bytes);
    assert!(!flow.broken);
    assert!(flow.values(HASSH, ToServer).is_empty());
}

#[test]
fn a_record_tells_both_sides() {
    let mut flow = flow(&[]);
    flow.say(ToServer, b"SSH-2.0-a\r\n").say(ToClient, b"SSH-2.0-b\r\n");
    assert_eq!(
        flow.records(),
        [
            r#"{"client":{"proto_version":"2.0","software_version":"a"},"server":{"proto_version":"2.0","software_version":"b"}}"#
        ]
    );
}
