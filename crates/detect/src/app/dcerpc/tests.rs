//! DCERPC, with units built here.

use super::datagram::looks_right as datagram_looks_right;
use super::pdu::kind;
use super::*;
use crate::Time;
use crate::app::{Broken, Context, Ends, Input, Parser, Ready, Settings, Takes, Test, Transaction, Verdict};

const TO_SERVER: Direction = Direction::ToServer;
const TO_CLIENT: Direction = Direction::ToClient;
const UUID: &str = "367abb81-9844-35f1-ad32-98f038001003";

/// A unit; `flags` 3 is a first and last fragment.
pub(crate) fn unit(kind: u8, flags: u8, call_id: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![5, 0, kind, flags, 0x10, 0, 0, 0];
    bytes.extend_from_slice(&((16 + body.len()) as u16).to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes.extend_from_slice(&call_id.to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
}

pub(crate) fn bind(call_id: u32, context: u16) -> Vec<u8> {
    let mut body = vec![0xb8, 0x10, 0xb8, 0x10, 0, 0, 0, 0, 1, 0, 0, 0];
    body.extend_from_slice(&context.to_le_bytes());
    body.extend_from_slice(&[1, 0]);
    body.extend_from_slice(&[0x81, 0xbb, 0x7a, 0x36, 0x44, 0x98, 0xf1, 0x35]);
    body.extend_from_slice(&[0xad, 0x32, 0x98, 0xf0, 0x38, 0, 0x10, 3, 2, 0, 1, 0]);
    body.extend_from_slice(&[0; 20]);
    unit(kind::BIND, 3, call_id, &body)
}

pub(crate) fn bind_ack(call_id: u32, answer: u16) -> Vec<u8> {
    let mut body = vec![0xb8, 0x10, 0xb8, 0x10, 0, 0, 0, 0, 4, 0];
    body.extend_from_slice(b"135\0\0\0");
    body.extend_from_slice(&[1, 0, 0, 0]);
    body.extend_from_slice(&answer.to_le_bytes());
    body.extend_from_slice(&[0; 22]);
    unit(kind::BIND_ACK, 3, call_id, &body)
}

pub(crate) fn request(flags: u8, call_id: u32, context: u16, operation: u16, stub: &[u8]) -> Vec<u8> {
    let mut body = vec![0; 4];
    body.extend_from_slice(&context.to_le_bytes());
    body.extend_from_slice(&operation.to_le_bytes());
    body.extend_from_slice(stub);
    unit(kind::REQUEST, flags, call_id, &body)
}

pub(crate) fn response(flags: u8, call_id: u32, stub: &[u8]) -> Vec<u8> {
    unit(kind::RESPONSE, flags, call_id, &[&[0; 8], stub].concat())
}

fn datagram(kind: u8, flags: u8, sequence: u32, fragment: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![4, kind, flags, 0, 0x10, 0, 0, 0];
    bytes.extend_from_slice(&[7; 48]);
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&sequence.to_le_bytes());
    bytes.extend_from_slice(&[0; 6]);
    bytes.extend_from_slice(&(body.len() as u16).to_le_bytes());
    bytes.extend_from_slice(&fragment.to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes.extend_from_slice(body);
    bytes
}

struct Flow {
    parser: DcerpcParser,
    transport: Transport,
    waiting: [Vec<u8>; 2],
    taken: [u64; 2],
    frames: Vec<(String, usize)>,
}

impl Flow {
    fn new(transport: Transport) -> Self {
        Flow {
            parser: DcerpcParser::default(),
            transport,
            waiting: [Vec::new(), Vec::new()],
            taken: [0, 0],
            frames: Vec::new(),
        }
    }

    fn say(&mut self, direction: Direction, bytes: &[u8]) -> Result<(), Broken> {
        let mut settings = Settings::default();
        settings.frames.extend([keywords::FRAME_UNIT, keywords::FRAME_HEADER, keywords::FRAME_DATA]);
        let ends = Ends {
            client: ([10, 0, 0, 1].into(), 1234),
            server: ([10, 0, 0, 2].into(), 135),
            transport: self.transport,
        };
        let mut context = Context::new(Time(0), ends, &settings);
        let side = direction.index();
        self.waiting[side].extend_from_slice(bytes);
        let input = Input { bytes: &self.waiting[side], offset: self.taken[side], last: false };
        let taken = self.parser.feed(direction, input, &mut context)?;
        self.taken[side] += taken.bytes as u64;
        self.waiting[side].drain(..taken.bytes);
        let frames = context.frames().map(|(name, bytes)| (name.to_owned(), bytes.len()));
        self.frames.extend(frames);
        Ok(())
    }

    fn all(&self) -> Vec<&DcerpcTransaction> {
        self.parser.transactions().iter().map(|live| &live.transaction).collect()
    }
}

pub(crate) fn test_of(name: &str, text: &str) -> Test {
    let keyword = PROTOCOL.keywords.iter().find(|keyword| keyword.name == name);
    match keyword.map(|keyword| keyword.takes) {
        Some(Takes::Test(make)) => make(text).unwrap_or_else(|complaint| panic!("{complaint:?}")),
        _ => panic!("no such keyword"),
    }
}

fn stub_of(transaction: &DcerpcTransaction, direction: Direction) -> Vec<u8> {
    let mut bytes = Vec::new();
    transaction.visit(STUB_DATA, direction, &mut |piece| bytes.extend_from_slice(piece.bytes));
    bytes
}

fn conversation() -> Vec<(Direction, Vec<u8>)> {
    vec![
        (TO_SERVER, bind(1, 4)),
        (TO_CLIENT, bind_ack(1, 0)),
        (TO_SERVER, request(3, 2, 4, 15, b"stub")),
        (TO_CLIENT, response(3, 2, b"answer")),
    ]
}

#[test]
fn a_bind_and_a_call_are_two_exchanges_however_their_bytes_come() {
    for bytes_at_once in [1, 7, 1000] {
        let mut flow = Flow::new(Transport::Tcp);
        for (direction, bytes) in conversation() {
            for part in bytes.chunks(bytes_at_once) {
                assert_eq!(flow.say(direction, part), Ok(()));
            }
        }
        let all = flow.all();
        assert_eq!(all.len(), 2);
        assert!(all.iter().all(|one| one.is_complete(TO_SERVER) && one.is_complete(TO_CLIENT)));
        assert_eq!(stub_of(all[1], TO_SERVER), b"stub");
        assert_eq!(stub_of(all[1], TO_CLIENT), b"\0\0\0\0\0\0\0\0answer");
        assert_eq!(all[1].ready(STUB_DATA, TO_SERVER), Ready::Full);
        all[1].visit(STUB_DATA, TO_SERVER, &mut |piece| assert!(piece.little_endian));
        assert_eq!(flow.frames[0], ("dcerpc.hdr".to_owned(), 16));
        assert_eq!(flow.frames.len(), 12);
    }
}

#[test]
fn a_call_is_found_by_its_interface_and_its_operation() {
    let mut flow = Flow::new(Transport::Tcp);
    for (direction, bytes) in conversation() {
        assert_eq!(flow.say(direction, &bytes), Ok(()));
    }
    let all = flow.all();
    for (text, wanted) in [
        (UUID.to_owned(), Verdict::Holds),
        (format!("{UUID},=2"), Verdict::Holds),
        (format!("{UUID},>2"), Verdict::Fails),
        (format!("{UUID},any_frag"), Verdict::Holds),
        (UUID.replace('3', "4"), Verdict::Fails),
    ] {
        assert_eq!(test_of("dcerpc.iface", &text).check(all[1], TO_SERVER), wanted, "{text}");
    }
    assert_eq!(test_of("dcerpc.iface", UUID).check(all[0], TO_SERVER), Verdict::Fails);
    assert_eq!(test_of("dce_opnum", "1-3,15").check(all[1], TO_SERVER), Verdict::Holds);
    assert_eq!(test_of("dce_opnum", "16").check(all[1], TO_SERVER), Verdict::Fails);
    assert_eq!(test_of("dce_opnum", "0").check(all[0], TO_SERVER), Verdict::Fails);
}

#[test]
fn an_interface_that_was_refused_or_of_another_context_is_not_found() {
    for (answer, context) in [(2, 4), (0, 5)] {
        let mut flow = Flow::new(Transport::Tcp);
        assert_eq!(flow.say(TO_SERVER, &bind(1, 4)), Ok(()));
        assert_eq!(flow.say(TO_CLIENT, &bind_ack(1, answer)), Ok(()));
        assert_eq!(flow.say(TO_SERVER, &request(3, 2, context, 15, b"stub")), Ok(()));
        assert_eq!(test_of("dcerpc.iface", UUID).check(flow.all()[1], TO_SERVER), Verdict::Fails);
    }
}

#[test]
fn a_bind_that_is_no_first_fragment_is_found_with_any_frag_alone() {
    let mut flow = Flow::new(Transport::Tcp);
    let mut bind = bind(1, 4);
    bind[3] = 2;
    assert_eq!(flow.say(TO_SERVER, &bind), Ok(()));
    assert_eq!(flow.say(TO_CLIENT, &bind_ack(1, 0)), Ok(()));
    assert_eq!(flow.say(TO_SERVER, &request(3, 2, 4, 15, b"stub")), Ok(()));
    assert_eq!(test_of("dcerpc.iface", UUID).check(flow.all()[1], TO_SERVER), Verdict::Fails);
    let any = format!("{UUID},any_frag");
    assert_eq!(test_of("dcerpc.iface", &any).check(flow.all()[1], TO_SERVER), Verdict::Holds);
}

#[test]
fn each_fragment_over_tcp_is_an_exchange() {
    let mut flow = Flow::new(Transport::Tcp);
    let bytes = [request(1, 2, 4, 15, b"ab"), request(2, 2, 4, 15, b"cd")].concat();
    assert_eq!(flow.say(TO_SERVER, &bytes), Ok(()));
    let stubs: Vec<Vec<u8>> = flow.all().iter().map(|one| stub_of(one, TO_SERVER)).collect();
    assert_eq!(stubs, [b"ab", b"cd"]);
}

#[test]
fn a_response_without_its_request_is_an_exchange_without_an_operation() {
    let mut flow = Flow::new(Transport::Tcp);
    assert_eq!(flow.say(TO_CLIENT, &response(3, 9, b"x")), Ok(()));
    assert_eq!(test_of("dce_opnum", "0").check(flow.all()[0], TO_CLIENT), Verdict::Fails);
}

#[test]
fn fragments_over_udp_are_collected() {
    let mut flow = Flow::new(Transport::Udp);
    assert_eq!(flow.say(TO_SERVER, &datagram(0, 4, 1, 0, b"ab")), Ok(()));
    assert_eq!(flow.all()[0].ready(STUB_DATA, TO_SERVER), Ready::Part);
    assert_eq!(flow.say(TO_SERVER, &datagram(0, 6, 1, 1, b"cd")), Ok(()));
    assert_eq!(flow.say(TO_CLIENT, &datagram(2, 0, 1, 0, b"ok")), Ok(()));
    let all = flow.all();
    assert_eq!(all.len(), 1);
    assert_eq!((stub_of(all[0], TO_SERVER), stub_of(all[0], TO_CLIENT)), (b"abcd".to_vec(), b"ok".to_vec()));
    assert!(all[0].is_complete(TO_SERVER) && all[0].is_complete(TO_CLIENT));
    assert_eq!(flow.say(TO_SERVER, &datagram(1, 0, 1, 0, b"")), Err(Broken));
}

#[test]
fn a_flow_that_was_joined_in_its_midst_begins_with_the_first_unit() {
    let mut flow = Flow::new(Transport::Tcp);
    let bytes = [&[9; 30][..], &request(3, 2, 4, 15, b"stub")].concat();
    assert_eq!(flow.say(TO_SERVER, &bytes), Ok(()));
    assert_eq!(flow.all().len(), 1);
}

#[test]
fn cut_and_lying_units_do_no_harm() {
    for (direction, whole) in conversation() {
        for place in 0..whole.len() {
            let mut flow = Flow::new(Transport::Tcp);
            assert_eq!(flow.say(direction, &whole[..place]), Ok(()));
            assert!(flow.all().is_empty());
            for value in [0, 0x7f, 0xff] {
                let mut lying = whole.clone();
                lying[place] = value;
                let _ = Flow::new(Transport::Tcp).say(direction, &lying);
            }
        }
    }
    let whole = datagram(0, 0, 1, 0, b"stub");
    for end in 0..whole.len() {
        assert_eq!(Flow::new(Transport::Udp).say(TO_SERVER, &whole[..end]), Err(Broken));
    }
}

#[test]
fn dcerpc_is_recognised_and_so_is_who_speaks() {
    assert_eq!(looks_right_from_client(&bind(1, 0)), Looked::Yes);
    assert_eq!(looks_right_from_client(&bind_ack(1, 0)), Looked::Reversed);
    assert_eq!(looks_right_from_server(&bind_ack(1, 0)), Looked::Yes);
    assert_eq!(looks_right_from_server(&[5, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Looked::No);
    assert_eq!(datagram_looks_right(&datagram(0, 0, 1, 0, b"x")), Looked::Yes);
    assert_eq!(datagram_looks_right(&[4, 0]), Looked::No);
}
