//! What is malformed, oversized, wrongly authenticated, of a stranger, of somebody who may not say it, or said again much
//! later is dropped, counted, and put down to whoever is at the other end of the link; and the cluster goes on. In every
//! protocol: frames by hand, thrown into a run in which nothing goes wrong but that its first leader was down for a while.

use agree::door::Door;
use agree::replica::Refusal;
use agree::request::Busy;
use agree::{Message, Protocol};
use core::time::Duration;
use sim::agenda::Happening;
use sim::fault::{Fault, FaultKind};
use sim::keys::{KeyRing, SimKeys, Tally};
use sim::plan::Plan;
use sim::trace::Traced;
use sim::world::{Making, World};
use sim::{Mix, RunSettings};
use std::rc::Rc;
use wire::frame::VERSION;
use wire::{
    Authenticator, Bytes, ClientId, Decode, Encode, Frame, NodeId, Peer, Signature, Tag, Time, Timestamp,
};

const SEED: u64 = 1;

/// When the frames are thrown in: after many checkpoints, and before the run is over.
const WHEN: Time = Time(1_500_000_000);

/// Things remembered of a run.
const ENTRIES_MAX: usize = 400_000;

const LEADER: Peer = Peer::Node(NodeId(0));
const BACKUP: Peer = Peer::Node(NodeId(1));
const STRANGER: Peer = Peer::Node(NodeId(77));
const CLIENT: Peer = Peer::Client(ClientId(1));

/// A frame over a link to a node, and what must become of it.
struct Throw {
    link: Peer,
    to: Peer,
    frame: Bytes,
    refusal: Refusal,
}

fn plan(protocol: Protocol) -> Plan {
    let none: Mix = "none".parse().expect("a mix");
    let settings =
        RunSettings { mix: none, duration: Duration::from_secs(4), ..RunSettings::new(protocol, 1) };
    let mut plan = settings.plan(SEED);
    // What was said before belongs to a view that is over.
    let (from, until) = (Time(400_000_000), Time(1_000_000_000));
    plan.faults.push(Fault { from, until, kind: FaultKind::Crash { node: 0 } });
    plan
}

/// Runs the world with these frames thrown in.
fn run(protocol: Protocol, throws: &[Throw]) -> World {
    let making = Making { trace: Some(ENTRIES_MAX), ..Making::default() };
    let mut world = World::new(plan(protocol), SEED, making);
    for throw in throws {
        let to = throw.to.node().expect("frames are thrown at nodes").0 as u8;
        let happening = Happening::Frame { to, link: throw.link, frame: throw.frame.clone() };
        world.around.agenda.enter(WHEN, happening);
    }
    world.run();
    world
}

fn door(protocol: Protocol, me: Peer) -> Door<SimKeys> {
    let nodes = plan(protocol).tuning.settings.members;
    Door::new(me, protocol, nodes, KeyRing::new(SEED).of(me, &Rc::new(Tally::default())))
}

/// The first frame that went from one peer to the other with this message.
fn said(world: &World, from: Peer, to: Peer, name: &str) -> Bytes {
    let directory = world.around.network.directory();
    let index = |peer| directory.index(peer).expect("there is such a peer") as u8;
    let found =
        world.around.trace.iter().flat_map(|trace| trace.iter()).find_map(|(_, traced)| match traced {
            Traced::Sent { from: sender, to: receiver, frame }
                if (*sender, *receiver) == (index(from), index(to)) =>
            {
                let body = Frame::from_bytes(frame.clone()).expect("nobody lies here").body;
                let message = Message::from_bytes(body).expect("nobody lies here");
                (message.name() == name).then(|| frame.clone())
            }
            _ => None,
        });
    found.unwrap_or_else(|| panic!("no {name} went from {from:?} to {to:?}"))
}

/// What was refused at or after `WHEN`: where, of whom, and why.
fn refused(world: &World) -> Vec<(u8, Option<Peer>, Refusal)> {
    let trace = world.around.trace.as_ref().expect("it was asked for");
    trace
        .iter()
        .filter_map(|(at, traced)| match traced {
            Traced::Refused { at: node, from, refusal } if *at >= WHEN => Some((*node, *from, *refusal)),
            _ => None,
        })
        .collect()
}

/// `order` is how the leader's word for the order is called, `answer` what backups say to it.
fn check(protocol: Protocol, order: &str, answer: &str) {
    let quiet = run(protocol, &[]);
    let request = said(&quiet, CLIENT, LEADER, "REQUEST");
    let ordered = said(&quiet, LEADER, BACKUP, order);
    let answered = said(&quiet, BACKUP, LEADER, answer);
    let busy = Message::Busy(Busy { client: ClientId(1), timestamp: Timestamp(1) });
    let flip = |frame: &Bytes| {
        let mut bytes = frame.to_vec();
        *bytes.last_mut().expect("it is not empty") ^= 1;
        Bytes::from(bytes)
    };
    // Its own keys are genuine, and so is the link; only nobody knows it.
    let body = Frame::from_bytes(ordered.clone()).expect("nobody lies here").body;
    let order_of_stranger = Message::from_bytes(body).expect("nobody lies here");
    let throws = [
        Throw {
            link: BACKUP,
            to: LEADER,
            frame: Bytes::from_static(b"\xff\xfe"),
            refusal: Refusal::Malformed,
        },
        Throw {
            link: CLIENT,
            to: LEADER,
            frame: request.slice(..request.len() - 1),
            refusal: Refusal::Malformed,
        },
        Throw {
            link: BACKUP,
            to: LEADER,
            // Announces two gigabytes and brings none.
            frame: Bytes::from_static(&[VERSION, 0, 1, 0, 0, 255, 255, 255, 127]),
            refusal: Refusal::Oversized,
        },
        Throw { link: CLIENT, to: LEADER, frame: flip(&request), refusal: Refusal::WrongAuthenticator },
        // Said in another's name.
        Throw {
            link: STRANGER,
            to: BACKUP,
            frame: impersonated(&ordered),
            refusal: Refusal::WrongAuthenticator,
        },
        Throw {
            link: STRANGER,
            to: BACKUP,
            frame: door(protocol, STRANGER).seal_for(&[BACKUP], &order_of_stranger).to_bytes(),
            refusal: Refusal::UnknownSender,
        },
        Throw {
            link: CLIENT,
            to: LEADER,
            frame: door(protocol, CLIENT).seal_for(&[LEADER], &busy).to_bytes(),
            refusal: Refusal::NotAllowed,
        },
        // Genuine, and long over.
        Throw { link: LEADER, to: BACKUP, frame: ordered, refusal: Refusal::Stale },
        Throw { link: BACKUP, to: LEADER, frame: answered, refusal: Refusal::Stale },
    ];
    let world = run(protocol, &throws);
    let (before, after) = (refused(&quiet), refused(&world));
    for (number, throw) in throws.iter().enumerate() {
        let to = throw.to.node().expect("frames are thrown at nodes").0 as u8;
        let refusal = (to, Some(throw.link), throw.refusal);
        let count = |refusals: &[_]| refusals.iter().filter(|other| **other == refusal).count();
        let thrown = throws
            .iter()
            .filter(|other| (other.to, other.link, other.refusal) == (throw.to, throw.link, throw.refusal));
        assert!(
            count(&after) >= count(&before) + thrown.count(),
            "{protocol}: throw {number} is not refused as {refusal:?}; but {after:?}"
        );
        assert!(world.around.stats.refused_of()[&throw.link] > 0);
    }
    let violations = world.around.checkers.violations();
    assert!(violations.is_empty(), "{protocol}: {}", violations[0]);
    assert!(world.around.stats.operations_checked > 100, "{protocol} goes on");
}

/// The frame as somebody would send it who has heard it and has no key: the proof, where there is one, is made up.
fn impersonated(frame: &Bytes) -> Bytes {
    let frame = Frame::from_bytes(frame.clone()).expect("nobody lies here");
    let authenticator = match frame.authenticator {
        Authenticator::None => Authenticator::None,
        Authenticator::Mac(_) => Authenticator::Mac(Tag([9; 16])),
        Authenticator::Vector(tags) => {
            Authenticator::Vector(tags.into_iter().map(|(node, _)| (node, Tag([9; 16]))).collect())
        }
        Authenticator::Signature(_) => Authenticator::Signature(Signature([9; 64])),
    };
    Frame { authenticator, ..frame }.to_bytes()
}

#[test]
fn byzid_refuses_by_name_and_goes_on() {
    check(Protocol::ByzId, "ORDER", "ACK");
}

#[test]
fn byzid_w_refuses_by_name_and_goes_on() {
    check(Protocol::ByzIdW, "ORDER", "ACK");
}

#[test]
fn paxos_refuses_by_name_and_goes_on() {
    check(Protocol::Paxos, "ACCEPT", "ACCEPTED");
}

#[test]
fn pbft_refuses_by_name_and_goes_on() {
    check(Protocol::Pbft, "PRE-PREPARE", "PREPARE");
}
