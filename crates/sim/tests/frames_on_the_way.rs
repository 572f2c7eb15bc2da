//! Whoever is on the path of a frame with a MAC or a signature can change nothing of it: the version, the sender, whether a
//! monitor vouched, the body, the proof. For one frame of each kind that clusters really send, every byte is changed in
//! turn, and the door that the genuine frame passes refuses it.

use agree::Protocol;
use agree::door::{Door, Opened};
use sim::keys::{KeyRing, SimKeys, Tally};
use sim::trace::Traced;
use sim::world::{Making, World};
use sim::{Mix, RunSettings};
use std::collections::BTreeMap;
use std::rc::Rc;
use wire::{Authenticator, Bytes, Decode, Frame, NodeId, Peer, Tag};

/// What of a byte is changed.
const CHANGES: [u8; 3] = [1, 0x80, 0xff];

/// Frames that are longer show nothing that shorter ones do not.
const BYTES_MAX: usize = 4_096;

/// Things remembered of a run.
const ENTRIES_MAX: usize = 400_000;

/// A frame, the link it came over, and the door that it was for.
struct Delivery {
    door: Door<SimKeys>,
    link: Peer,
    frame: Bytes,
    opened: Opened,
}

/// A name for frames that are protected alike.
type Kind = (&'static str, &'static str, bool);

/// The first frame of each kind that passes its door, in a few worlds of `protocol`.
fn deliveries(protocol: Protocol) -> BTreeMap<Kind, Delivery> {
    let mut found = BTreeMap::new();
    let settings = RunSettings { mix: Mix::NETWORK.with(Mix::CRASH), ..RunSettings::new(protocol, 1) };
    for seed in 0..8 {
        let ring = KeyRing::new(seed);
        let plan = settings.plan(seed);
        let cluster = plan.tuning.settings.clone();
        let nodes: Vec<NodeId> = cluster.members.iter().chain(&cluster.spares).copied().collect();
        let peer = |index: u8| match nodes.get(usize::from(index)) {
            Some(node) => Peer::Node(*node),
            None => Peer::Client(sim::crew::station(usize::from(index) - nodes.len())),
        };
        let mut world = World::new(plan, seed, Making { trace: Some(ENTRIES_MAX), ..Making::default() });
        world.run();
        for (_, traced) in world.around.trace.as_ref().expect("it was asked for").iter() {
            let Traced::Sent { from, to, frame } = traced else { continue };
            if frame.len() > BYTES_MAX {
                continue;
            }
            let (link, me) = (peer(*from), peer(*to));
            let door = Door::new(me, protocol, nodes.clone(), ring.of(me, &Rc::new(Tally::default())));
            let Ok(opened) = door.open(link, frame.clone()) else { continue };
            let proof = match Frame::from_bytes(frame.clone()).expect("it was opened").authenticator {
                Authenticator::None => continue,
                Authenticator::Mac(_) => "MAC",
                Authenticator::Vector(_) => "vector",
                Authenticator::Signature(_) => "signature",
            };
            let kind = (opened.message.name(), proof, opened.vouched);
            found.entry(kind).or_insert_with(|| Delivery { door, link, frame: frame.clone(), opened });
        }
    }
    found
}

/// Of a frame with a vector, the bytes that its receiver cannot check: the entries of the others.
fn entries_of_others(me: Peer, frame: &Bytes) -> Vec<usize> {
    const ENTRY_BYTES: usize = 2 + size_of::<Tag>();
    let Authenticator::Vector(tags) = Frame::from_bytes(frame.clone()).expect("it was opened").authenticator
    else {
        return Vec::new();
    };
    let first = frame.len() - tags.len() * ENTRY_BYTES;
    let others = tags.iter().enumerate().filter(|(_, (node, _))| Peer::Node(*node) != me);
    others.flat_map(|(index, _)| (0..ENTRY_BYTES).map(move |at| first + index * ENTRY_BYTES + at)).collect()
}

/// Returns how many frames were refused.
fn change_every_byte(kind: Kind, delivery: &Delivery) -> usize {
    let Delivery { door, link, frame, opened } = delivery;
    let others = entries_of_others(door.me(), frame);
    let mut refused = 0;
    for at in 0..frame.len() {
        for change in CHANGES {
            let mut bytes = frame.to_vec();
            bytes[at] ^= change;
            match door.open(*link, Bytes::from(bytes)) {
                Err(_) => refused += 1,
                // It says what its sender said, all the same.
                Ok(read) => {
                    assert!(
                        others.contains(&at),
                        "{kind:?}: byte {at} of {} changed by {change}",
                        frame.len()
                    );
                    assert_eq!(read, *opened);
                }
            }
        }
    }
    refused
}

fn check(protocol: Protocol, expected: &[&str]) {
    let deliveries = deliveries(protocol);
    for (kind, delivery) in &deliveries {
        assert!(change_every_byte(*kind, delivery) > 0);
    }
    let mut seen: Vec<String> = deliveries
        .keys()
        .map(|(name, proof, vouched)| format!("{name} {proof}{}", if *vouched { " vouched" } else { "" }))
        .collect();
    seen.sort();
    for kind in expected {
        assert!(seen.iter().any(|seen| seen == kind), "{protocol}: no {kind} was sent, but {seen:#?}");
    }
}

#[test]
fn nothing_of_a_frame_of_byzid_w_can_be_changed_on_the_way() {
    check(
        Protocol::ByzIdW,
        &[
            "REQUEST MAC",
            "ORDER signature vouched",
            "ACK MAC vouched",
            "REPLY MAC vouched",
            "REPLIES MAC vouched",
            "ASSENT MAC vouched",
            "BUNDLE MAC",
            "BEAT vector vouched",
            "CHECKPOINT MAC vouched",
            "STABLECHECKPOINT vector vouched",
            "ALERT vector vouched",
            "SUSPECT vector vouched",
            "RECONFIGURE MAC vouched",
            "NEWCONFIG vector vouched",
            "FETCH MAC vouched",
            "FETCHED MAC vouched",
            "RELAY MAC vouched",
            "MANIFEST MAC vouched",
            "CHUNK MAC vouched",
        ],
    );
}

#[test]
fn nothing_of_a_frame_of_pbft_can_be_changed_on_the_way() {
    check(
        Protocol::Pbft,
        &[
            "REQUEST MAC",
            "PRE-PREPARE vector",
            "PREPARE vector",
            "COMMIT vector",
            "REPLY MAC",
            "CHECKPOINT vector",
            "VIEW-CHANGE vector",
            "NEW-VIEW vector",
            "STATUS vector",
            "COMMITTED MAC",
            "ASK-BATCH MAC",
            "FOUND-BATCH MAC",
            "MANIFEST MAC",
            "CHUNK MAC",
        ],
    );
}

/// Between nodes the links are the proof there; clients are strangers everywhere.
#[test]
fn nothing_that_clients_and_replicas_say_to_each_other_can_be_changed_on_the_way() {
    check(Protocol::ByzId, &["REQUEST MAC", "REPLY MAC vouched"]);
    check(Protocol::Paxos, &["REQUEST MAC", "REPLY MAC"]);
}
