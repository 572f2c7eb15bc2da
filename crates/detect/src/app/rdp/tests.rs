//! RDP, with packets built here.

use super::*;
use crate::Time;
use crate::app::{Context, Ends, Input, Parser, Settings, Transaction};

const TO_SERVER: Direction = Direction::ToServer;
const TO_CLIENT: Direction = Direction::ToClient;

fn packet(body: &[u8]) -> Vec<u8> {
    let length = (body.len() + 4) as u16;
    [&[3, 0], &length.to_be_bytes()[..], body].concat()
}

fn request() -> Vec<u8> {
    let rest = [&b"Cookie: mstshash=ann\r\n"[..], &[1, 8, 8, 0, 3, 0, 0, 0]].concat();
    packet(&[&[(rest.len() + 6) as u8, 0xe0, 0, 0, 0, 0, 0], &rest[..]].concat())
}

fn confirm() -> Vec<u8> {
    packet(&[14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 1, 8, 0, 2, 0, 0, 0])
}

fn client_settings() -> Vec<u8> {
    let mut core = vec![4, 0, 8, 0, 0, 5, 0x20, 3, 1, 0xca, 3, 0xaa, 9, 4, 0, 0, 0x28, 0x0a, 0, 0];
    core.extend_from_slice(b"P\0C\0");
    core.resize(core.len() + 28, 0);
    core.extend_from_slice(&[4, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0]);
    core.resize(core.len() + 64, 0);
    core.extend_from_slice(&[1, 0xca, 1, 0, 0, 0, 0, 0, 24, 0, 7, 0, 1, 0]);
    let mut blocks = vec![1, 0xc0];
    blocks.extend_from_slice(&((core.len() + 4) as u16).to_le_bytes());
    blocks.extend_from_slice(&core);
    blocks.extend_from_slice(&[3, 0xc0, 20, 0, 1, 0, 0, 0]);
    blocks.extend_from_slice(b"rdpdr\0\0\0\0\0\0\0");
    let mut body = vec![2, 0xf0, 0x80, 0x7f, 0x65];
    body.extend_from_slice(b"....Duca");
    body.extend_from_slice(&[0x80 | (blocks.len() >> 8) as u8, blocks.len() as u8]);
    body.extend_from_slice(&blocks);
    packet(&body)
}

fn server_settings() -> Vec<u8> {
    packet(&[2, 0xf0, 0x80, 0x7f, 0x66, 1, 2])
}

fn certificate_record() -> Vec<u8> {
    let tbs = [0x30, 10, 0xa0, 3, 2, 1, 2, 2, 3, 0, 0xab, 0xcd];
    let certificate = [&[0x30, tbs.len() as u8], &tbs[..]].concat();
    let length = |bytes: usize| [0, (bytes >> 8) as u8, bytes as u8];
    let entry = [&length(certificate.len()), &certificate[..]].concat();
    let list = [&length(entry.len()), &entry[..]].concat();
    let message = [&[11], &length(list.len())[..], &list].concat();
    [&[22, 3, 3], &(message.len() as u16).to_be_bytes()[..], &message].concat()
}

fn feed(parser: &mut RdpParser, direction: Direction, bytes: &[u8]) -> Option<usize> {
    let settings = Settings::default();
    let ends = Ends {
        client: ([10, 0, 0, 1].into(), 1234),
        server: ([10, 0, 0, 2].into(), 3389),
        transport: Transport::Tcp,
    };
    let mut context = Context::new(Time(0), ends, &settings);
    let input = Input { bytes, offset: 0, last: false };
    parser.feed(direction, input, &mut context).ok().map(|taken| taken.bytes)
}

fn records(parser: &RdpParser) -> Vec<String> {
    let record = |transaction: &RdpTransaction| {
        let mut object = crate::eve::Object::new();
        transaction.record(&mut object);
        object.finish()
    };
    parser.transactions().iter().map(|live| record(&live.transaction)).collect()
}

#[test]
fn what_both_sides_say_is_told() {
    let mut parser = RdpParser::default();
    assert!(feed(&mut parser, TO_SERVER, &request()).is_some());
    assert!(feed(&mut parser, TO_CLIENT, &confirm()).is_some());
    assert!(feed(&mut parser, TO_SERVER, &client_settings()).is_some());
    assert!(feed(&mut parser, TO_CLIENT, &server_settings()).is_some());
    assert!(feed(&mut parser, TO_CLIENT, b"anything at all").is_some());
    let records = records(&parser);
    assert_eq!(records.len(), 4);
    for (record, wanted) in records.iter().zip([
        r#""event_type":"initial_request","cookie":"ann","flags":["correlation_info_present"]"#,
        r#""event_type":"initial_response","server_supports":["extended_client_data"],"protocol":"hybrid""#,
        r#""client":{"version":"v5","desktop_width":1280,"desktop_height":800,"color_depth":24,"keyboard_layout":"en-US""#,
        r#""event_type":"connect_response""#,
    ]) {
        assert!(record.contains(wanted), "{record}");
    }
    assert!(records[2].contains(r#""client_name":"PC""#), "{}", records[2]);
    assert!(records[2].contains(r#""channels":["rdpdr"]"#), "{}", records[2]);
}

#[test]
fn inside_tls_the_certificates_are_told() {
    let mut parser = RdpParser::default();
    let bytes = [confirm(), certificate_record()].concat();
    assert_eq!(feed(&mut parser, TO_CLIENT, &bytes), Some(bytes.len()));
    assert!(records(&parser)[1].contains(r#""event_type":"tls_handshake","x509_serials":["abcd"]"#));
}

#[test]
fn packets_may_come_byte_by_byte() {
    let bytes = [confirm(), certificate_record()].concat();
    let mut whole = RdpParser::default();
    feed(&mut whole, TO_CLIENT, &bytes);
    let (mut parser, mut waiting) = (RdpParser::default(), Vec::new());
    for byte in bytes {
        waiting.push(byte);
        let taken = feed(&mut parser, TO_CLIENT, &waiting).unwrap_or_else(|| panic!("broken"));
        waiting.drain(..taken);
    }
    assert_eq!(records(&parser), records(&whole));
}

#[test]
fn cut_and_lying_packets_do_no_harm() {
    for whole in [request(), confirm(), client_settings(), server_settings(), certificate_record()] {
        for end in 0..whole.len() {
            let mut parser = RdpParser::default();
            feed(&mut parser, TO_SERVER, &whole[..end]);
            assert!(parser.transactions().is_empty());
            let mut lying = whole.clone();
            lying[end] ^= 0xff;
            feed(&mut RdpParser::default(), TO_SERVER, &lying);
            feed(&mut RdpParser::default(), TO_CLIENT, &lying);
        }
    }
    assert_eq!(feed(&mut RdpParser::default(), TO_SERVER, b"GET"), None);
    assert_eq!(feed(&mut RdpParser::default(), TO_SERVER, &[3, 0, 0, 3]), None);
}
