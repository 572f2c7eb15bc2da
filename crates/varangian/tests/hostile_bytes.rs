//! What must hold for any bytes that a stranger sends, for a fixed number of seeded inputs.
//!
//! The promises are those of the fuzz targets, and are written down there. Pure chance rarely decodes, so most inputs
//! here are real messages and frames with a few bytes changed, cut off, doubled or added.

#[path = "../../../fuzz/src/audit.rs"]
#[allow(unreachable_pub, reason = "public in the crate it is shared with")]
mod audit;
#[path = "../../../fuzz/src/decode.rs"]
#[allow(unreachable_pub, reason = "public in the crate it is shared with")]
mod decode;
#[path = "../../../fuzz/src/door.rs"]
#[allow(unreachable_pub, reason = "public in the crate it is shared with")]
mod door;

use agree::account::{Account, Beside, End, GuardPart, MemberPart, MonitorPart, Raised, Stands};
use agree::aside::{Aside, Sealed};
use agree::assent::{Replies, SessionResult};
use agree::capture::{Passage, What};
use agree::checkpoint::{AskChunk, AskManifest, Checkpoint, Chunk, Transfer};
use agree::request::Busy;
use agree::{Batch, Message, Protocol, Reply, Request, Settings};
use core::time::Duration;
use kv::{Command, Revision, Store};
use sim::RunSettings;
use wire::{Authenticator, Bytes, ClientId, Decode, Encode, Frame, NodeId, Peer, Sequence, Signature, Tag};
use wire::{Text, Time, Timestamp, View};

const INPUTS: u32 = 1_000_000;

/// SplitMix64: enough to spread a seed, and the same for ever.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A number at an edge more often than not.
    fn edge(&mut self) -> u8 {
        *self.pick(&[0, 1, 2, 3, 127, 128, 254, 255])
    }

    /// `bytes` with up to three accidents.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..self.below(4) {
            let at = self.below(bytes.len());
            match self.below(6) {
                _ if bytes.is_empty() => bytes.push(self.byte()),
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = self.edge(),
                2 => bytes.truncate(at),
                3 => bytes.insert(at, self.edge()),
                4 => bytes.push(self.byte()),
                _ => bytes.extend_from_within(at..),
            }
        }
        bytes
    }
}

fn messages() -> Vec<Bytes> {
    let request = Request {
        client: ClientId(6),
        timestamp: Timestamp(5),
        operation: Bytes::from_static(b"put"),
        speaker: None,
        signature: None,
    };
    let signed = Request { signature: Some(Box::new(Signature([7; 64]))), ..request.clone() };
    let reply = Reply {
        view: View(1),
        primary: NodeId(1),
        sequence: Sequence(9),
        client: ClientId(6),
        timestamp: Timestamp(5),
        result: Bytes::from_static(b"done"),
    };
    let told = |session| SessionResult { session, timestamp: Timestamp(5), result: reply.result.clone() };
    let replies = Replies {
        view: View(1),
        primary: NodeId(1),
        sequence: Sequence(9),
        station: ClientId(0),
        results: vec![told(6), told(7)],
    };
    let assent = Message::Assent(replies.assent(NodeId(1)));
    let checkpoint = Checkpoint::new(Sequence(128), Bytes::from_static(b"state"), 3);
    let digest = checkpoint.digest();
    let ask = Transfer::AskManifest(AskManifest { digest });
    let manifest = checkpoint.serve(&ask).expect("it is its own digest");
    let chunk = Chunk { digest, index: 0, bytes: Bytes::from_static(b"state") };
    let transfers =
        [ask, manifest, Transfer::AskChunk(AskChunk { digest, index: 0 }), Transfer::Chunk(chunk)];
    let mut messages = vec![
        Message::Request(request.clone()),
        Message::Request(signed.clone()),
        Message::Reply(reply.clone()),
        Message::Replies(replies),
        assent,
        Message::Busy(Busy { client: ClientId(6), timestamp: Timestamp(5) }),
    ];
    messages.extend(transfers.map(Message::Transfer));
    let mut encoded: Vec<Bytes> = messages.iter().map(Encode::to_bytes).collect();
    encoded.push(Batch::new(vec![request, signed]).to_bytes());
    // A protocol's own messages, as far as they can be guessed: its tag, one of its tags, and numbers.
    for protocol in 4..=6 {
        for tag in 0..=24 {
            for length in [8, 16, 40, 80] {
                let mut bytes = vec![protocol, tag];
                bytes.extend((0..length).map(|at: u8| u8::from(at.is_multiple_of(8))));
                encoded.push(Bytes::from(bytes));
            }
        }
    }
    encoded
}

/// What clients ask of the store, and what it answers.
fn commands() -> Vec<Bytes> {
    let commands = [
        Command::put("key", "value"),
        Command::get("key"),
        Command::cas("key", Revision(1), "other"),
        Command::cas("key", Revision(1), "late"),
        Command::list("", "k", 9),
        Command::watch("k", Revision::ZERO, 9),
        Command::delete("key"),
    ];
    let mut store = Store::default();
    let answers = commands.clone().map(|command| store.execute(&command).to_bytes());
    [commands.map(|command| command.to_bytes()), answers].concat()
}

/// What a client asks a node, and what the node answers.
fn asides() -> Vec<Bytes> {
    let rule = || Text::cut("no gap");
    let monitor = MonitorPart {
        incarnation: 3,
        standing: Stands::Changing,
        view: View(4),
        members: vec![MemberPart { node: NodeId(1), incarnation: 3 }],
        wants: View(5),
        promised: View(5),
        fails_open: false,
        guilty: Some(rule()),
    };
    let end = End { why: Text::cut("full"), ago_ms: 5 };
    let account = Account {
        version: Text::cut("0.1.0"),
        protocol: Protocol::ByzId,
        apart: true,
        guard: GuardPart {
            uptime_ms: 9,
            links_up: vec![NodeId(0)],
            heard: 1,
            said: 2,
            refused: 3,
            connections_refused: 8,
            words_refused: 4,
            replica: Beside { up: false, starts: 2, silent_ms: 7, end: Some(end) },
            monitor: Some(monitor),
            alarms: vec![Raised { rule: rule(), proof: true, view: View(4), times: 1, ago_ms: 6 }],
        },
        replica: None,
    };
    let asides = [Aside::Inquiry, Aside::Account(Box::new(account))];
    asides.map(|aside| Sealed { number: 7, aside, tag: Tag([1; 16]) }.to_bytes()).to_vec()
}

fn frames(messages: &[Bytes]) -> Vec<Bytes> {
    let authenticators = [
        Authenticator::None,
        Authenticator::Mac(Tag([1; 16])),
        Authenticator::Vector(vec![(NodeId(0), Tag([2; 16])), (NodeId(1), Tag([3; 16]))]),
        Authenticator::Signature(Signature([4; 64])),
    ];
    let senders = [Peer::Node(NodeId(1)), Peer::Node(NodeId(4)), Peer::Client(ClientId(6))];
    let mut frames = Vec::new();
    for (index, body) in messages.iter().enumerate() {
        let frame = Frame {
            from: senders[index % senders.len()],
            vouched: index % 2 == 0,
            body: body.clone(),
            authenticator: authenticators[index % authenticators.len()].clone(),
        };
        frames.push(frame.to_bytes());
    }
    frames
}

#[test]
fn whatever_is_sent_decodes_to_one_value_or_is_refused() {
    let messages = messages();
    let settings = Settings { spares: vec![NodeId(7)], ..Settings::new(Protocol::ByzId, 1) };
    let heard = What::Heard { from: Peer::Client(ClientId(6)), frame: Bytes::from_static(b"frame") };
    let passages =
        [What::Nothing, heard].map(|what| Passage { at: Time(9), node: NodeId(2), what }.to_bytes());
    let words = messages.iter().flat_map(|message| {
        // To node 1, and to everybody: the same bytes are a word of the guard's, and of the replica's.
        [[&[0, 0, 1, 0], &message[..]].concat(), [&[0, 0, 0, 1, 0], &message[..]].concat()].map(Bytes::from)
    });
    let words: Vec<Bytes> = words.collect();
    let seeds = [
        frames(&messages),
        messages,
        words,
        passages.to_vec(),
        vec![settings.to_bytes()],
        commands(),
        asides(),
    ]
    .concat();
    let mut chance = Chance(1);
    let mut found = 0;
    for _ in 0..INPUTS {
        let seed = chance.pick(&seeds).clone();
        found += decode::check(&chance.damage(&seed));
    }
    assert!(
        found > INPUTS as usize / 10,
        "only {found} values decoded: the inputs are too wild to test much"
    );
}

#[test]
fn only_what_is_genuine_passes_the_door() {
    let messages = messages();
    let frames = frames(&messages);
    let mut chance = Chance(2);
    let mut passed = 0;
    for _ in 0..INPUTS {
        let (protocol, link, mode) = (chance.byte(), chance.byte(), chance.byte());
        let mut input = vec![protocol, link, mode];
        match mode % 4 {
            0 => {
                let seed = chance.pick(&frames).clone();
                input.extend(chance.damage(&seed));
            }
            1 | 2 => {
                let seed = chance.pick(&messages).clone();
                input.extend(chance.damage(&seed));
            }
            _ => {
                input.extend([chance.byte(), chance.below(2) as u8, chance.byte()]);
                input.extend(chance.pick(&messages).iter());
            }
        }
        passed += door::check(&input);
    }
    assert!(
        passed > INPUTS as usize / 1000,
        "only {passed} frames passed: the inputs are too wild to test much"
    );
}

/// What passed at the three nodes of run `seed`, in the bytes that the fuzz target reads.
fn captured(seed: u64) -> Vec<Vec<u8>> {
    let settings =
        RunSettings { duration: Duration::from_millis(300), ..RunSettings::new(Protocol::ByzId, 1) };
    let mut passages = Vec::new();
    sim::record(&settings, seed, |passage| {
        let (direction, peer, frame) = match passage.what {
            What::Nothing => return,
            What::Heard { from, frame } => (0, from, frame),
            What::Said { to, frame } => (1, to, frame),
        };
        let Ok(frame) = Frame::from_bytes(frame) else { return };
        let fits = |place: &u8| u16::from(place % 3) == passage.node.0 && place >> 2 & 3 == direction;
        let Some(place) = (0..=255).find(fits) else { return };
        let peer = match peer {
            Peer::Node(node) => node.0 as u8,
            Peer::Client(client) => client.0 as u8 + 3,
        };
        let length = (frame.body.len() as u16).to_le_bytes();
        let made = if frame.vouched { 1 } else { 5 };
        let head = [place, 1, 0, peer, made, length[0], length[1]];
        passages.push([&head, &frame.body[..]].concat());
    });
    passages
}

#[test]
fn an_audit_of_anything_accuses_only_who_did_something() {
    let runs: Vec<Vec<Vec<u8>>> = (0..8).map(captured).collect();
    let mut chance = Chance(3);
    let mut accusations = 0;
    for _ in 0..20_000 {
        let run = chance.pick(&runs);
        let start = if chance.below(2) == 0 { 0 } else { chance.below(run.len()) };
        let mut input = Vec::new();
        for passage in run[start..].iter().take(100) {
            match chance.below(20) {
                0 => input.extend(chance.damage(passage)),
                1 => input.extend(chance.pick(run)),
                2 => {}
                _ => input.extend(passage),
            }
        }
        accusations += audit::check(&input);
    }
    assert!(accusations > 1000, "only {accusations} accusations: the inputs are too tame to test much");
}

/// What announces more than it brings costs nothing: a list or byte string is refused by its length field alone.
#[test]
fn a_length_is_not_believed() {
    for body in messages().into_iter().chain(commands()) {
        for at in 0..body.len().saturating_sub(3) {
            for length in [u32::MAX, 1 << 20, 1 << 16] {
                let mut bytes = body.to_vec();
                bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
                decode::check(&bytes);
            }
        }
    }
}
