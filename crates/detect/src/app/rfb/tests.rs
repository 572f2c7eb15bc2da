//! RFB, with handshakes built here.

use super::*;
use crate::Time;
use crate::app::{Context, Ends, Field, Input, Parser, Settings, Transaction};

const TO_SERVER: Direction = Direction::ToServer;
const TO_CLIENT: Direction = Direction::ToClient;

/// Who says what in a handshake with a password.
fn handshake() -> Vec<(Direction, Vec<u8>)> {
    let mut screen = vec![4, 0, 3, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
    screen.extend_from_slice(&[0, 0, 0, 4]);
    screen.extend_from_slice(b"desk");
    vec![
        (TO_CLIENT, b"RFB 003.008\n".to_vec()),
        (TO_SERVER, b"RFB 003.008\n".to_vec()),
        (TO_CLIENT, vec![2, 2, 16]),
        (TO_SERVER, vec![2]),
        (TO_CLIENT, vec![7; 16]),
        (TO_SERVER, vec![8; 16]),
        (TO_CLIENT, vec![0, 0, 0, 0]),
        (TO_SERVER, vec![1]),
        (TO_CLIENT, screen),
        (TO_SERVER, vec![3, 1, 0, 0]),
    ]
}

struct Flow {
    parser: RfbParser,
    waiting: [Vec<u8>; 2],
    frames: usize,
}

impl Flow {
    fn new() -> Self {
        Flow { parser: RfbParser::default(), waiting: [Vec::new(), Vec::new()], frames: 0 }
    }

    fn say(&mut self, direction: Direction, bytes: &[u8]) -> bool {
        let mut settings = Settings::default();
        settings.frames.insert(keywords::FRAME);
        let ends = Ends {
            client: ([10, 0, 0, 1].into(), 1234),
            server: ([10, 0, 0, 2].into(), 5900),
            transport: Transport::Tcp,
        };
        let mut context = Context::new(Time(0), ends, &settings);
        let waiting = &mut self.waiting[direction.index()];
        waiting.extend_from_slice(bytes);
        let input = Input { bytes: waiting, offset: 0, last: false };
        let Ok(taken) = self.parser.feed(direction, input, &mut context) else {
            return false;
        };
        waiting.drain(..taken.bytes);
        self.frames += context.frames().count();
        true
    }

    fn only(&self) -> &RfbTransaction {
        assert_eq!(self.parser.transactions().opened(), 1);
        self.parser
            .transactions()
            .iter()
            .next()
            .map(|live| &live.transaction)
            .unwrap_or_else(|| panic!("none"))
    }

    fn numbers(&self, field: Field) -> Vec<u64> {
        let mut list = Vec::new();
        self.only().number(field, TO_CLIENT, &mut |number| list.push(number));
        list
    }
}

#[test]
fn a_handshake_is_one_exchange_however_its_bytes_come() {
    for bytes_at_once in [1, 2, 100] {
        let mut flow = Flow::new();
        for (direction, bytes) in handshake() {
            for part in bytes.chunks(bytes_at_once) {
                assert!(flow.say(direction, part));
            }
        }
        let transaction = flow.only();
        assert!(transaction.is_complete(TO_SERVER) && transaction.is_complete(TO_CLIENT));
        assert_eq!(transaction.events(TO_CLIENT), 0);
        let mut names = Vec::new();
        transaction.visit(keywords::NAME, TO_CLIENT, &mut |piece| names.push(piece.bytes.to_vec()));
        assert_eq!(names, [b"desk"]);
        assert_eq!(flow.numbers(keywords::SECURITY_TYPE), [2]);
        assert_eq!(flow.numbers(keywords::SECURITY_RESULT), [0]);
        assert_eq!(flow.frames, 9);
    }
}

#[test]
fn a_record_tells_the_handshake() {
    let mut flow = Flow::new();
    for (direction, bytes) in handshake() {
        assert!(flow.say(direction, &bytes));
    }
    let mut record = crate::eve::Object::new();
    flow.only().record(&mut record);
    let text = record.finish();
    assert!(text.contains(r#""authentication":{"security_type":2,"vnc":{"challenge":"0707"#), "{text}");
    assert!(text.contains(r#""framebuffer":{"width":1024,"height":768,"name":"desk""#), "{text}");
}

#[test]
fn a_failure_tells_its_reason_and_no_result() {
    let mut flow = Flow::new();
    for (direction, bytes) in handshake().into_iter().take(6) {
        assert!(flow.say(direction, &bytes));
    }
    assert!(flow.say(TO_CLIENT, b"\0\0\0\x01\0\0\0\x03bad"));
    assert_eq!(flow.only().failure.as_deref(), Some(&b"bad"[..]));
    assert!(flow.numbers(keywords::SECURITY_RESULT).is_empty());
}

#[test]
fn in_version_3_3_the_server_decides() {
    let mut flow = Flow::new();
    assert!(flow.say(TO_CLIENT, b"RFB 003.003\n") && flow.say(TO_SERVER, b"RFB 003.003\n"));
    assert!(flow.say(TO_CLIENT, &[0, 0, 0, 1]) && flow.say(TO_SERVER, &[1]));
    assert_eq!(flow.numbers(keywords::SECURITY_TYPE), [1]);
    assert_eq!(flow.only().is_shared, Some(true));
}

#[test]
fn each_oddity_is_an_event() {
    let said = handshake();
    let after = |count: usize, direction: Direction, bytes: &[u8]| {
        let mut flow = Flow::new();
        for (direction, bytes) in said.iter().take(count) {
            assert!(flow.say(*direction, bytes));
        }
        assert!(flow.say(direction, bytes));
        assert!(flow.say(TO_CLIENT, b"anything"));
        flow.only().events(TO_CLIENT)
    };
    assert_eq!(after(3, TO_SERVER, &[99]), 1);
    assert_eq!(after(6, TO_CLIENT, &[0, 0, 0, 9]), 2);
    let mut long = vec![0; 20];
    long.extend_from_slice(&[0xff; 4]);
    assert_eq!(after(8, TO_CLIENT, &long), 4);
    assert_eq!(after(3, TO_CLIENT, &[1]), 8);
}

#[test]
fn what_is_no_version_breaks_the_flow() {
    assert!(!Flow::new().say(TO_CLIENT, b"RFC"));
    assert!(!Flow::new().say(TO_CLIENT, b"RFB 003.008\r"));
    assert!(!Flow::new().say(TO_CLIENT, b"RFB \xff\xff\xff.008\n"));
}
