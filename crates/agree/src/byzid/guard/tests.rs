//! Guards by hand: what a traitor's own guard must stop.

use super::*;
use crate::byzid::message::Joined;
use crate::checkpoint::{AskChunk, AskManifest, Checkpoint, Transfer};
use crate::protocol::Protocol;
use wire::{Signature, Tag};

/// Keys for tests: a seal is a hash that anybody could make, but not by chance.
struct Hashes;

impl Keys for Hashes {
    fn mac(&self, _: Peer, _: &[&[u8]]) -> Tag {
        Tag([0; 16])
    }
    fn mac_is_valid(&self, _: Peer, _: &[&[u8]], _: &Tag) -> bool {
        true
    }
    fn sign(&self, _: &[u8]) -> Signature {
        Signature([0; 64])
    }
    fn signature_is_valid(&self, _: Peer, _: &[u8], _: &Signature) -> bool {
        true
    }
    fn seal(&self, body: &[u8]) -> Tag {
        let mut tag = [0; 16];
        tag.copy_from_slice(&Digest::of_bytes(body).0[..16]);
        Tag(tag)
    }
    fn seal_is_valid(&self, body: &[u8], tag: &Tag) -> bool {
        *tag == self.seal(body)
    }
}

const NOW: Time = Time(1_000_000_000);

fn settings() -> Settings {
    Settings::new(Protocol::ByzId, 1)
}

fn door(node: u16) -> Door<Hashes> {
    Door::new(Peer::Node(NodeId(node)), Protocol::ByzId, settings().members, Hashes)
}

fn guard(node: u16, incarnation: u64) -> Guard<Hashes> {
    Guard::new(door(node), &settings(), Fail::Closed, incarnation, NOW)
}

/// The monitor of `node` says `message` to `guard`.
fn hear(guard: &mut Guard<Hashes>, node: u16, message: impl Into<Message>) -> Vec<GuardEffect> {
    let frame = door(node).of_monitor().seal_for(&[Peer::Node(guard.me)], &message.into()).to_bytes();
    let mut out = Vec::new();
    guard.receive(NOW, Peer::Node(NodeId(node)), frame, &mut out);
    out
}

/// The replica sends `message` to node `to`.
fn say(guard: &mut Guard<Hashes>, to: u16, message: impl Into<Message>) -> Vec<GuardEffect> {
    let mut out = Vec::new();
    guard.send(NOW, Destination::Peer(Peer::Node(NodeId(to))), message.into(), &mut out);
    out
}

fn delivered(effects: &[GuardEffect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, GuardEffect::Deliver(Event::Message { .. }))).count()
}

fn transmitted(effects: &[GuardEffect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, GuardEffect::Transmit { .. })).count()
}

/// The monitor of node 1 was started again, and its replica, a traitor, is to lead configuration 1.
#[test]
fn a_candidate_whose_monitor_has_forgotten_cannot_invent_its_own_claim() {
    let mut guard = guard(1, 7);
    for other in [0, 2] {
        let word = monitor::Control::Suspect { target: monitor::View(1), promised: monitor::View(0) };
        hear(&mut guard, other, Control(word));
    }
    let genesis = |node| Member { node: NodeId(node), incarnation: monitor::FIRST };
    let claim = Claim {
        entered: View(0),
        members: (0..3).map(genesis).collect(),
        stable: Stable::genesis(),
        orders: Vec::new(),
        vouched: false,
        incarnation: 0,
        known: Vec::new(),
    };
    let seals = Some(message::Seals { new_config: None, orders: Vec::new() });
    let honest = Reconfigure { target: View(1), claim: claim.clone(), seals: seals.clone() };
    assert_eq!(delivered(&say(&mut guard, 1, Box::new(honest))), 1);
    let invented = Claim { orders: vec![Digest([9; 32])], ..claim.clone() };
    let invented = Reconfigure { target: View(1), claim: invented, seals: seals.clone() };
    assert_eq!(delivered(&say(&mut guard, 1, Box::new(invented))), 0);
    let alone = Claim { members: vec![genesis(1)], ..claim };
    let alone = Reconfigure { target: View(1), claim: alone, seals };
    assert_eq!(delivered(&say(&mut guard, 1, Box::new(alone))), 0);
}

#[test]
fn who_asks_for_one_manifest_does_not_stop_the_chunks_of_another() {
    let mut guard = guard(0, monitor::FIRST);
    let checkpoints = [1, 2].map(|byte| Checkpoint::new(Sequence(byte), Bytes::from(vec![byte as u8; 9]), 4));
    let mut answer = |checkpoint: &Checkpoint, chunk: bool| {
        let digest = checkpoint.digest();
        let ask = if chunk {
            Transfer::AskChunk(AskChunk { digest, index: 0 })
        } else {
            Transfer::AskManifest(AskManifest { digest })
        };
        let answer = checkpoint.serve(&ask).expect("it is about this one");
        transmitted(&say(&mut guard, 1, Message::Transfer(answer)))
    };
    assert_eq!(answer(&checkpoints[0], false), 1);
    assert_eq!(answer(&checkpoints[1], false), 1, "a traitor asked for the other");
    assert_eq!(answer(&checkpoints[0], true), 1);
}

#[test]
fn a_traitor_that_says_it_has_everything_is_found_out() {
    let mut guard = guard(1, monitor::FIRST);
    let joined = Joined { view: View(0), last: Sequence(u64::MAX) };
    assert_eq!(transmitted(&say(&mut guard, 0, joined)), 2, "nothing but the ALERT, to both others");
    assert!(guard.monitor().is_some_and(|monitor| monitor.guilty().is_some()));
}

/// Configuration 1 came about twice: all monitors forgot before anybody had it on disk. A traitor kept what the first one
/// ordered.
#[test]
fn what_was_sealed_in_an_earlier_reign_of_the_same_number_proves_nothing() {
    let start = |incarnation| (0..3).map(move |node| Member { node: NodeId(node), incarnation });
    let new_config = |incarnation| {
        let new = NewConfig {
            view: View(1),
            members: start(incarnation).collect(),
            claimants: Vec::new(),
            stable: Stable::genesis(),
            orders: Vec::new(),
            seal: None,
        };
        Box::new(sealed_new_config(&door(1), new))
    };
    let digest = Digest([9; 32]);
    let sealed_in =
        |incarnation| Hashes.seal(&message::Order::sealed_bytes(View(1), incarnation, Sequence(1), digest));
    let shown = |reign, seal| Reconfigure {
        target: View(2),
        claim: Claim {
            entered: View(1),
            members: start(reign).collect(),
            stable: Stable::genesis(),
            orders: vec![digest],
            vouched: false,
            incarnation: 8,
            known: Vec::new(),
        },
        seals: Some(message::Seals { new_config: Some(new_config(reign)), orders: vec![seal] }),
    };
    let genesis: Vec<Member> = start(monitor::FIRST).collect();
    assert!(is_proven(&door(0), &genesis, &shown(7, sealed_in(7))));
    assert!(!is_proven(&door(0), &genesis, &shown(7, sealed_in(6))));
}

fn request(client: u64, timestamp: u64) -> Request {
    let client = wire::ClientId(client << wire::ClientId::SESSION_BITS | 1);
    let timestamp = wire::Timestamp(timestamp);
    Request { client, timestamp, operation: Bytes::new(), speaker: None, signature: None }
}

/// The client shows its request to `guard`.
fn ask(guard: &mut Guard<Hashes>, request: &Request) -> Vec<GuardEffect> {
    let door = Door::new(Peer::Client(request.client), Protocol::ByzId, settings().members, Hashes);
    let message = Message::Request(request.clone());
    let frame = door.seal_for(&[Peer::Node(guard.me)], &message).to_bytes();
    let mut out = Vec::new();
    guard.receive(NOW, Peer::Client(request.client.station()), frame, &mut out);
    out
}

#[test]
fn a_request_that_was_shown_to_a_backup_comes_to_the_primary_once_as_if_the_client_had_come() {
    let (mut backup, mut primary) = (guard(1, monitor::FIRST), guard(0, monitor::FIRST));
    let asked = request(1, 1);
    let handed = ask(&mut backup, &asked);
    assert_eq!(delivered(&handed), 0, "it is none of the backup's business");
    let frames = handed.iter().filter_map(|effect| match effect {
        GuardEffect::Transmit { to, frame } => Some((*to, frame.clone())),
        _ => None,
    });
    let [(to, frame)]: [_; 1] = frames.collect::<Vec<_>>().try_into().expect("one frame");
    assert_eq!(to, Peer::Node(NodeId(0)));
    let mut out = Vec::new();
    primary.receive(NOW, Peer::Node(NodeId(1)), frame.clone(), &mut out);
    let event = out.iter().find_map(|effect| match effect {
        GuardEffect::Deliver(Event::Message { from, message }) => Some((*from, message.clone())),
        _ => None,
    });
    assert_eq!(event, Some((Peer::Client(asked.client), Message::Request(asked.clone()))));
    out.clear();
    primary.receive(NOW, Peer::Node(NodeId(1)), frame.clone(), &mut out);
    assert_eq!(delivered(&out), 0, "it waits already");
    let mut third = guard(2, monitor::FIRST);
    third.receive(NOW, Peer::Node(NodeId(1)), frame, &mut out);
    assert_eq!((delivered(&out), transmitted(&out)), (0, 0), "it goes one step");
}

#[test]
fn what_no_monitor_passed_on_is_no_request() {
    let mut primary = guard(0, monitor::FIRST);
    let relay = Message::from(Relay { request: request(1, 1) });
    let frame = door(1).seal_for(&[Peer::Node(NodeId(0))], &relay).to_bytes();
    let mut out = Vec::new();
    primary.receive(NOW, Peer::Node(NodeId(1)), frame, &mut out);
    assert_eq!(delivered(&out), 0);
    let mut traitor = guard(1, monitor::FIRST);
    say(&mut traitor, 0, Relay { request: request(1, 1) });
    assert!(traitor.monitor().is_some_and(|monitor| monitor.guilty().is_some()), "its replica says it");
}

#[test]
fn nobody_floods_the_primary_by_way_of_a_backup() {
    let mut backup = guard(1, monitor::FIRST);
    let count = 4 * monitor::flood::BURST;
    let passed: usize = (1..=count).map(|number| transmitted(&ask(&mut backup, &request(1, number)))).sum();
    assert_eq!(passed as u64, monitor::flood::BURST);
}
