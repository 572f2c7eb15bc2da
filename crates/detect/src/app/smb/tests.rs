//! SMB, with records built here.

mod build;
mod one;
mod two;

use super::events::Event;
use super::*;
use crate::app::dcerpc::STUB_DATA;
use crate::app::{Broken, Context, Ends, Field, Input, Parser, Settings, Transaction};
use crate::{Direction, Time};

const TO_SERVER: Direction = Direction::ToServer;
const TO_CLIENT: Direction = Direction::ToClient;

/// A flow that is fed.
struct Flow {
    parser: SmbParser,
    waiting: [Vec<u8>; 2],
    taken: [u64; 2],
    frames: Vec<(&'static str, usize)>,
    seconds: u64,
}

impl Flow {
    fn new() -> Self {
        Flow {
            parser: SmbParser::default(),
            waiting: [Vec::new(), Vec::new()],
            taken: [0, 0],
            frames: Vec::new(),
            seconds: 0,
        }
    }

    fn with<T>(&mut self, act: impl FnOnce(&mut SmbParser, &mut Context<'_>) -> T) -> T {
        let mut settings = Settings::default();
        settings.frames.extend(["nbss.pdu", "smb1.data", "smb2.hdr", "smb2.data", "smb3.pdu"]);
        let ends = Ends {
            client: ([10, 0, 0, 1].into(), 1234),
            server: ([10, 0, 0, 2].into(), 445),
            transport: Transport::Tcp,
        };
        let mut context = Context::new(Time(self.seconds * 1_000_000_000), ends, &settings);
        let result = act(&mut self.parser, &mut context);
        self.frames.extend(context.frames().map(|(name, bytes)| (name, bytes.len())));
        result
    }

    fn say(&mut self, direction: Direction, bytes: &[u8]) -> Result<(), Broken> {
        let side = direction.index();
        let mut waiting = core::mem::take(&mut self.waiting[side]);
        waiting.extend_from_slice(bytes);
        let input = Input { bytes: &waiting, offset: self.taken[side], last: false };
        let taken = self.with(|parser, context| parser.feed(direction, input, context))?;
        self.taken[side] += taken.bytes as u64;
        waiting.drain(..taken.bytes);
        self.waiting[side] = waiting;
        Ok(())
    }

    /// Says what both sides of a conversation say, so many bytes at once.
    fn hold(&mut self, conversation: &[(Direction, Vec<u8>)], bytes_at_once: usize) {
        for (direction, bytes) in conversation {
            for part in bytes.chunks(bytes_at_once) {
                assert_eq!(self.say(*direction, part), Ok(()));
            }
        }
    }

    fn lose(&mut self, direction: Direction, bytes: u64) {
        self.waiting[direction.index()].clear();
        assert_eq!(self.with(|parser, context| parser.gap(direction, bytes, context)), Ok(()));
    }

    fn all(&self) -> Vec<&SmbTransaction> {
        self.parser.transactions().iter().map(|live| &live.transaction).collect()
    }

    fn last(&self) -> &SmbTransaction {
        self.all().pop().unwrap_or_else(|| panic!("no exchange"))
    }

    /// All records, as text.
    fn records(&self) -> Vec<String> {
        let record = |transaction: &&SmbTransaction| {
            let mut object = crate::eve::Object::new();
            transaction.record(&mut object);
            object.finish()
        };
        self.all().iter().map(record).collect()
    }
}

/// The values of a field.
fn shown(transaction: &SmbTransaction, field: Field, direction: Direction) -> Vec<String> {
    let mut list = Vec::new();
    transaction
        .visit(field, direction, &mut |piece| list.push(String::from_utf8_lossy(piece.bytes).into_owned()));
    list
}

/// The content of the files that were carried this way.
fn content(transaction: &SmbTransaction, direction: Direction) -> Vec<u8> {
    let files = transaction.files(direction).map(|files| files.list()).unwrap_or_default();
    files.iter().flat_map(|file| file.body.window().to_vec()).collect()
}

fn has(transaction: &SmbTransaction, event: Event) -> bool {
    transaction.events(TO_SERVER) & event.bit() != 0
}

/// What the frames of one name had in bytes.
fn framed(flow: &Flow, name: &str) -> Vec<usize> {
    flow.frames.iter().filter(|(known, _)| *known == name).map(|(_, bytes)| *bytes).collect()
}

#[test]
fn smb_is_recognised_and_so_is_who_speaks() {
    let asks = build::two(v2::NEGOTIATE, 0, 0, &[0; 36]);
    let answers = build::two_answer(v2::NEGOTIATE, 0, 0, 0, &[0; 64]);
    assert_eq!(nbss::looks_right_from_client(&asks), Looked::Yes);
    assert_eq!(nbss::looks_right_from_client(&answers), Looked::Reversed);
    assert_eq!(nbss::looks_right_from_server(&answers), Looked::Yes);
    assert_eq!(nbss::looks_right_from_client(&[0; 40]), Looked::No);
    let announced = [&[0x81, 0, 0, 2, 1, 2][..], &asks].concat();
    assert_eq!(nbss::looks_right_from_client(&announced), Looked::Yes);
    assert_eq!(nbss::looks_right_from_client(b"GET"), Looked::Unsure);
}

#[test]
fn an_encrypted_record_is_a_frame_and_no_exchange() {
    let mut flow = Flow::new();
    let mut record = b"\xfdSMB".to_vec();
    record.extend_from_slice(&[0; 32]);
    record.extend_from_slice(&7u32.to_le_bytes());
    record.extend_from_slice(&[0; 12]);
    record.extend_from_slice(b"encrypt");
    assert_eq!(flow.say(TO_SERVER, &build::session(&record)), Ok(()));
    assert_eq!(framed(&flow, "smb3.pdu"), [59]);
    assert!(flow.all().is_empty());
}

#[test]
fn what_is_no_smb_breaks_the_flow_and_marks_what_came_before() {
    let mut flow = Flow::new();
    assert_eq!(flow.say(TO_SERVER, &build::two(13, 1, 0, &[])), Ok(()));
    assert_eq!(flow.say(TO_SERVER, &build::session(b"no smb at all")), Err(Broken));
    assert!(has(flow.last(), Event::MalformedData));
}

#[test]
fn with_too_many_exchanges_the_flow_is_given_up() {
    let mut flow = Flow::new();
    for message in 0..1024 {
        assert_eq!(flow.say(TO_SERVER, &build::two(13, message, 0, &[])), Ok(()));
    }
    assert_eq!(flow.say(TO_SERVER, &build::two(13, 1024, 0, &[])), Err(Broken));
    assert!(has(flow.last(), Event::TooManyTransactions));
    assert_eq!(flow.all().len(), 1024);
}
