//! NFS, with records built here.

use super::transaction::NfsTransaction;
use super::*;
use crate::app::{Broken, Context, Ends, Field, Input, Looked, Parser, Settings, Transaction};
use crate::{Direction, Time};

const TO_SERVER: Direction = Direction::ToServer;
const TO_CLIENT: Direction = Direction::ToClient;
const HANDLE: [u8; 8] = *b"handle01";

/// Numbers and texts, one after the other.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

impl Message {
    fn number(mut self, number: u32) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    fn long(self, number: u64) -> Self {
        self.number((number >> 32) as u32).number(number as u32)
    }

    fn text(self, text: &[u8]) -> Self {
        let mut message = self.number(text.len() as u32).raw(text);
        message.0.resize(message.0.len() + v3::padding(text.len()), 0);
        message
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn zeros(mut self, count: usize) -> Self {
        self.0.resize(self.0.len() + count, 0);
        self
    }
}

fn call(xid: u32, version: u32, procedure: u32, body: &Message) -> Vec<u8> {
    let credentials = Message::default().number(9).text(b"box").number(1000).number(100).number(0);
    let message = Message::default().number(xid).number(0).number(2).number(100_003).number(version);
    message.number(procedure).number(1).text(&credentials.0).long(0).raw(&body.0).0
}

fn reply(xid: u32, body: &Message) -> Vec<u8> {
    Message::default().number(xid).number(1).number(0).long(0).number(0).raw(&body.0).0
}

fn framed(message: &[u8]) -> Vec<u8> {
    Message::default().number(0x8000_0000 | message.len() as u32).raw(message).0
}

struct Flow {
    parser: NfsParser,
    transport: Transport,
    waiting: [Vec<u8>; 2],
    taken: [u64; 2],
    frames: Vec<&'static str>,
}

impl Flow {
    fn new(transport: Transport) -> Self {
        Flow {
            parser: NfsParser::default(),
            transport,
            waiting: [Vec::new(), Vec::new()],
            taken: [0, 0],
            frames: Vec::new(),
        }
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut NfsParser, &mut Context<'_>) -> T) -> T {
        let mut settings = Settings::default();
        settings.frames.extend(["rpc.pdu", "rpc.creds", "nfs.pdu", "nfs.status", "nfs4.pdu"]);
        let ends = Ends {
            client: ([10, 0, 0, 1].into(), 900),
            server: ([10, 0, 0, 2].into(), 2049),
            transport: self.transport,
        };
        let mut context = Context::new(Time(0), ends, &settings);
        let result = act(&mut self.parser, &mut context);
        self.frames.extend(context.frames().map(|(name, _)| name));
        result
    }

    fn say(&mut self, direction: Direction, bytes: &[u8]) -> Result<(), Broken> {
        let side = direction.index();
        let mut waiting = core::mem::take(&mut self.waiting[side]);
        waiting.extend_from_slice(bytes);
        let offset = self.taken[side];
        let input = Input { bytes: &waiting, offset, last: false };
        let taken = self.with(|parser, context| parser.feed(direction, input, context))?;
        self.taken[side] += taken.bytes as u64;
        waiting.drain(..taken.bytes);
        self.waiting[side] = waiting;
        Ok(())
    }

    fn lose(&mut self, direction: Direction, bytes: u64) {
        self.waiting[direction.index()].clear();
        assert_eq!(self.with(|parser, context| parser.gap(direction, bytes, context)), Ok(()));
    }

    fn all(&self) -> Vec<&NfsTransaction> {
        self.parser.transactions().iter().map(|live| &live.transaction).collect()
    }
}

fn numbers(transaction: &NfsTransaction, field: Field) -> Vec<u64> {
    let mut list = Vec::new();
    transaction.number(field, TO_SERVER, &mut |number| list.push(number));
    list
}

fn content(transaction: &NfsTransaction, direction: Direction) -> Vec<u8> {
    let files = transaction.files(direction).map(|files| files.list()).unwrap_or_default();
    files.iter().flat_map(|file| file.body.window().to_vec()).collect()
}

fn lookup_call(xid: u32) -> Vec<u8> {
    call(xid, 3, v3::LOOKUP, &Message::default().text(b"directory").text(b"secret.txt"))
}

fn lookup_reply(xid: u32) -> Vec<u8> {
    reply(xid, &Message::default().number(0).text(&HANDLE).number(0))
}

fn read_call(xid: u32, offset: u64) -> Vec<u8> {
    call(xid, 3, v3::READ, &Message::default().text(&HANDLE).long(offset).number(4096))
}

fn read_reply(xid: u32, bytes: &[u8], is_last: bool) -> Vec<u8> {
    let message = Message::default().number(0).number(1).zeros(84).number(bytes.len() as u32);
    reply(xid, &message.number(u32::from(is_last)).text(bytes))
}

fn write_call(xid: u32, offset: u64, stable: u32, bytes: &[u8]) -> Vec<u8> {
    let message = Message::default().text(&HANDLE).long(offset).number(bytes.len() as u32);
    call(xid, 3, v3::WRITE, &message.number(stable).text(bytes))
}

#[test]
fn a_call_and_its_reply_are_one_exchange() {
    for transport in [Transport::Tcp, Transport::Udp] {
        let mut flow = Flow::new(transport);
        let frame = |message: Vec<u8>| if transport == Transport::Tcp { framed(&message) } else { message };
        assert_eq!(flow.say(TO_SERVER, &frame(lookup_call(7))), Ok(()));
        assert!(!flow.all()[0].is_complete(TO_CLIENT));
        assert_eq!(flow.say(TO_CLIENT, &frame(lookup_reply(7))), Ok(()));
        let all = flow.all();
        assert_eq!(all.len(), 1);
        assert!(all[0].is_complete(TO_SERVER) && all[0].is_complete(TO_CLIENT));
        assert_eq!(numbers(all[0], keywords::PROCEDURE), [3]);
        assert_eq!(numbers(all[0], keywords::VERSION), [3]);
        assert_eq!(all[0].name, b"secret.txt");
        assert_eq!(all[0].caller.machine, b"box");
        assert_eq!(flow.frames, ["rpc.pdu", "rpc.creds", "nfs.pdu", "rpc.pdu", "nfs.pdu", "nfs.status"]);
    }
}

#[test]
fn reads_make_one_file_with_the_name_that_was_looked_up() {
    let mut flow = Flow::new(Transport::Tcp);
    for (direction, message) in [
        (TO_SERVER, lookup_call(1)),
        (TO_CLIENT, lookup_reply(1)),
        (TO_SERVER, read_call(2, 0)),
        (TO_SERVER, read_call(3, 5)),
        (TO_CLIENT, read_reply(2, b"hello", false)),
        (TO_CLIENT, read_reply(3, b" world", true)),
    ] {
        assert_eq!(flow.say(direction, &framed(&message)), Ok(()));
    }
    let all = flow.all();
    assert_eq!(all.len(), 2);
    assert_eq!(content(all[1], TO_CLIENT), b"hello world");
    assert_eq!(
        all[1].files(TO_CLIENT).map(|files| files.list()[0].name.clone()),
        Some(b"secret.txt".to_vec())
    );
    assert!(all[1].is_complete(TO_SERVER) && all[1].is_complete(TO_CLIENT));
    assert_eq!(numbers(all[1], keywords::PROCEDURE), [6]);
}

#[test]
fn writes_make_one_file_until_a_commit() {
    let mut flow = Flow::new(Transport::Tcp);
    let commit = call(3, 3, v3::COMMIT, &Message::default().text(&HANDLE).long(0).number(0));
    for message in [write_call(1, 0, 0, b"abc"), write_call(2, 3, 0, b"def"), commit] {
        assert_eq!(flow.say(TO_SERVER, &framed(&message)), Ok(()));
    }
    let all = flow.all();
    assert_eq!(all.len(), 1);
    assert_eq!(content(all[0], TO_SERVER), b"abcdef");
    assert!(all[0].is_complete(TO_SERVER));
    assert_eq!(numbers(all[0], keywords::PROCEDURE), [7, 21]);
}

#[test]
fn a_long_write_is_taken_as_it_comes_and_byte_by_byte_it_is_the_same() {
    let long: Vec<u8> = (0..3001u32).map(|number| number as u8).collect();
    let stream = [framed(&write_call(1, 0, 2, &long)), framed(&lookup_call(2))].concat();
    for bytes_at_once in [1, 100, stream.len()] {
        let mut flow = Flow::new(Transport::Tcp);
        for part in stream.chunks(bytes_at_once) {
            assert_eq!(flow.say(TO_SERVER, part), Ok(()));
            assert!(flow.waiting[0].len() < 1024, "it waits for the whole");
        }
        let all = flow.all();
        assert_eq!(all.len(), 2, "{bytes_at_once}");
        assert_eq!(content(all[0], TO_SERVER), long);
        assert!(all[0].is_complete(TO_SERVER));
    }
}

#[test]
fn in_a_hole_zeros_stand_for_a_file_and_else_the_next_record_is_searched_for() {
    let mut flow = Flow::new(Transport::Tcp);
    let long = vec![1u8; 3000];
    let record = framed(&write_call(1, 0, 2, &long));
    assert_eq!(flow.say(TO_SERVER, &record[..1000]), Ok(()));
    flow.lose(TO_SERVER, 1000);
    assert_eq!(flow.say(TO_SERVER, &record[2000..]), Ok(()));
    let file = content(flow.all()[0], TO_SERVER);
    assert_eq!((file.len(), file.iter().filter(|byte| **byte == 0).count()), (3000, 1000));
    assert_eq!(flow.say(TO_SERVER, &framed(&lookup_call(2))[..20]), Ok(()));
    flow.lose(TO_SERVER, 5000);
    let rubbish = [&[0xee; 77][..], &framed(&lookup_call(3)), &framed(&lookup_call(4))].concat();
    assert_eq!(flow.say(TO_SERVER, &rubbish), Ok(()));
    assert_eq!(flow.all().len(), 3);
}

#[test]
fn of_nfs_4_what_creates_and_removes_has_an_exchange_and_what_reads_has_a_file() {
    let compound = |operations: &[Message]| {
        let body = Message::default().text(b"").number(0).number(operations.len() as u32);
        operations.iter().fold(body, |body, operation| body.raw(&operation.0))
    };
    let answer = |operations: &[Message]| {
        let body = Message::default().number(0).text(b"").number(operations.len() as u32);
        operations.iter().fold(body, |body, operation| body.raw(&operation.0))
    };
    let operation = |number: u32| Message::default().number(number);
    let put = operation(v4::PUTFH).text(&HANDLE);
    let mut flow = Flow::new(Transport::Tcp);
    let remove = compound(&[put.clone(), operation(v4::REMOVE).text(b"old")]);
    let removed = answer(&[operation(v4::PUTFH).number(0), operation(v4::REMOVE).number(0).zeros(20)]);
    assert_eq!(flow.say(TO_SERVER, &framed(&call(1, 4, 1, &remove))), Ok(()));
    assert_eq!(flow.say(TO_CLIENT, &framed(&reply(1, &removed))), Ok(()));
    let read = compound(&[put, operation(v4::READ).zeros(16).long(0).number(99)]);
    let given =
        answer(&[operation(v4::PUTFH).number(0), operation(v4::READ).number(0).number(1).text(b"text")]);
    assert_eq!(flow.say(TO_SERVER, &framed(&call(2, 4, 1, &read))), Ok(()));
    assert_eq!(flow.say(TO_CLIENT, &framed(&reply(2, &given))), Ok(()));
    let all = flow.all();
    assert_eq!(all.len(), 2);
    assert_eq!((numbers(all[0], keywords::PROCEDURE), all[0].name.clone()), (vec![28], b"old".to_vec()));
    assert!(all[0].is_complete(TO_CLIENT));
    assert_eq!(content(all[1], TO_CLIENT), b"text");
    assert!(flow.frames.contains(&"nfs4.pdu"));
}

#[test]
fn a_directorys_listing_teaches_names() {
    let mut flow = Flow::new(Transport::Tcp);
    let list =
        call(1, 3, v3::READDIRPLUS, &Message::default().text(b"dir!").long(0).zeros(8).number(1).number(1));
    let entry = Message::default().number(1).long(5).text(b"found").long(1).number(0).number(1).text(&HANDLE);
    let listed = reply(1, &Message::default().number(0).number(0).long(0).raw(&entry.0).number(0).number(1));
    assert_eq!(flow.say(TO_SERVER, &framed(&list)), Ok(()));
    assert_eq!(flow.say(TO_CLIENT, &framed(&listed)), Ok(()));
    assert_eq!(flow.say(TO_SERVER, &framed(&read_call(2, 0))), Ok(()));
    assert_eq!(flow.all()[1].name, b"found");
    assert_eq!(flow.all()[0].events(TO_CLIENT), 0);
}

#[test]
fn each_oddity_is_an_event() {
    let mut flow = Flow::new(Transport::Tcp);
    assert_eq!(flow.say(TO_SERVER, &framed(&lookup_call(1))), Ok(()));
    assert_eq!(flow.say(TO_SERVER, &framed(&call(2, 3, v3::WRITE, &Message::default().number(99)))), Ok(()));
    assert_eq!(flow.all()[0].events(TO_SERVER), 1);
    let mut broken = Flow::new(Transport::Tcp);
    assert_eq!(broken.say(TO_SERVER, &framed(&lookup_call(1))), Ok(()));
    assert_eq!(broken.say(TO_SERVER, &[0; 40]), Err(Broken));
    assert_eq!(broken.all()[0].events(TO_SERVER), 1);
    let mut many = Flow::new(Transport::Tcp);
    for xid in 0..1010 {
        assert_eq!(many.say(TO_SERVER, &framed(&lookup_call(xid))), Ok(()));
    }
    assert_eq!(many.all().iter().filter(|transaction| transaction.events(TO_SERVER) == 8).count(), 10);
}

#[test]
fn cut_and_lying_records_do_no_harm() {
    let calls = [lookup_call(1), read_call(1, 0), write_call(1, 0, 0, b"abc")];
    for (direction, whole) in calls
        .iter()
        .map(|call| (TO_SERVER, call))
        .chain([(TO_CLIENT, &lookup_reply(1)), (TO_CLIENT, &read_reply(1, b"abcde", true))])
    {
        for place in 0..whole.len() {
            for value in [0, 0x7f, 0xff] {
                let mut lying = whole.clone();
                lying[place] = value;
                let mut flow = Flow::new(Transport::Tcp);
                assert_eq!(flow.say(TO_SERVER, &framed(&read_call(1, 0))), Ok(()));
                let _ = flow.say(direction, &framed(&lying));
                let _ = Flow::new(Transport::Udp).say(direction, &lying[..place]);
            }
        }
    }
}

#[test]
fn nfs_is_recognised_by_its_program() {
    assert_eq!(rpc::looks_right_from_client(&framed(&lookup_call(1))), Looked::Yes);
    assert_eq!(rpc::looks_right_from_server(&framed(&lookup_reply(1))), Looked::Yes);
    assert_eq!(rpc::looks_right_from_client(&framed(&lookup_reply(1))), Looked::Reversed);
    assert_eq!(rpc::looks_right_in_call(&lookup_call(1)), Looked::Yes);
    let mut other = lookup_call(1);
    other[15] = 0;
    assert_eq!(rpc::looks_right_in_call(&other), Looked::No);
    assert_eq!(rpc::looks_right_from_client(&framed(&other)), Looked::No);
    assert_eq!(rpc::looks_right_from_client(&[0xff; 40]), Looked::No);
}
