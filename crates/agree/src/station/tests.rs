//! A station and the doors of three nodes that answer as they are told.

use super::*;
use crate::bundle::Parcels;
use crate::client::{RETRY_AFTER, RETRY_AFTER_MAX};
use crate::guard::GuardEffect;
use crate::request::Busy;
use crate::testing::ToyKeys;
use crate::{Protocol, Reply, Request};
use core::time::Duration;
use wire::{Sequence, View};

const STATION: ClientId = ClientId(7 << ClientId::SESSION_BITS);
const START: Timestamp = Timestamp(1_000);

fn settings() -> Settings {
    Settings::new(Protocol::ByzId, 1)
}

fn station() -> Station<ToyKeys> {
    Station::new(STATION, &settings(), ToyKeys(Peer::Client(STATION)))
}

fn door(node: NodeId) -> Door<ToyKeys> {
    Door::new(Peer::Node(node), Protocol::ByzId, settings().members, ToyKeys(Peer::Node(node)))
}

/// `node` has no room for `request`.
fn busy(node: u16, request: &Request) -> Bytes {
    let (node, mut parcels, mut out) = (NodeId(node), Parcels::default(), Vec::new());
    let busy = Busy { client: request.client, timestamp: request.timestamp };
    parcels.add(request.client, Message::Busy(busy), &door(node), &mut out);
    parcels.flush(&door(node), &mut out);
    match out.pop() {
        Some(GuardEffect::Transmit { frame, .. }) => frame,
        other => panic!("one frame is expected, not {other:?}"),
    }
}

/// What leaves now: each node's requests, as its door lets them in, frame by frame.
fn flushed(station: &mut Station<ToyKeys>) -> Vec<(NodeId, Vec<Request>)> {
    let mut frames = Vec::new();
    station.flush(&mut frames);
    let open = |(node, frame): (NodeId, Bytes)| {
        let opened = door(node).open(Peer::Client(STATION), frame).expect("the node takes it");
        let messages = match opened.message {
            Message::Bundle(bundle) => bundle.into_messages(),
            message => vec![message],
        };
        let requests = messages.into_iter().map(|message| match message {
            Message::Request(request) => request,
            other => panic!("a station sends no {}", other.name()),
        });
        (node, requests.collect())
    };
    frames.into_iter().map(open).collect()
}

/// `node`, which follows `primary`, answers all of `requests`, each with its own operation.
fn answer(node: u16, primary: u16, requests: &[Request]) -> Bytes {
    let (node, mut parcels, mut out) = (NodeId(node), Parcels::default(), Vec::new());
    for request in requests {
        let reply = Reply {
            view: View(1),
            primary: NodeId(primary),
            sequence: Sequence(1),
            client: request.client,
            timestamp: request.timestamp,
            result: request.operation.clone(),
        };
        parcels.add(request.client, Message::Reply(reply), &door(node), &mut out);
    }
    parcels.flush(&door(node), &mut out);
    match out.pop() {
        Some(GuardEffect::Transmit { frame, .. }) => frame,
        other => panic!("one frame is expected, not {other:?}"),
    }
}

fn operation(number: SessionNumber) -> Bytes {
    Bytes::from(format!("operation of {}", number.number()))
}

/// A station whose `count` sessions have just asked.
fn asking(count: usize) -> (Station<ToyKeys>, Vec<SessionNumber>) {
    let mut station = station();
    let sessions: Vec<SessionNumber> =
        (0..count).map(|_| station.open(START).expect("there is room")).collect();
    for session in &sessions {
        station.submit(Time::ZERO, *session, operation(*session));
    }
    (station, sessions)
}

#[test]
fn requests_of_one_turn_are_one_frame_and_each_session_gets_its_own_result() {
    let (mut station, sessions) = asking(3);
    let sent = flushed(&mut station);
    assert_eq!(sent.len(), 1, "one frame, to the primary");
    let (primary, requests) = &sent[0];
    assert_eq!((*primary, requests.len()), (NodeId(0), 3));
    assert!(requests.iter().all(|request| request.timestamp == Timestamp(START.0 + 1)));
    let mut done = Vec::new();
    station.received(Time::ZERO, NodeId(0), answer(0, 0, requests), &mut done).expect("it is genuine");
    assert_eq!(done, [], "one replica alone may lie");
    station.received(Time::ZERO, NodeId(2), answer(2, 0, requests), &mut done).expect("it is genuine");
    let results: Vec<(SessionNumber, Bytes)> =
        done.into_iter().map(|done| (done.session, done.accepted.result)).collect();
    assert_eq!(results, sessions.iter().map(|session| (*session, operation(*session))).collect::<Vec<_>>());
    assert_eq!((station.waiting(), station.deadline()), (0, None));
}

#[test]
fn one_request_alone_is_taken_as_well() {
    let (mut station, _) = asking(1);
    let sent = flushed(&mut station);
    assert_eq!((sent.len(), sent[0].1.len()), (1, 1));
    assert_eq!(flushed(&mut station), [], "once is enough");
}

#[test]
fn what_nobody_answers_goes_to_every_node_and_then_less_and_less_often() {
    let (mut station, sessions) = asking(2);
    flushed(&mut station);
    let later = Time::ZERO.after(Duration::from_millis(1));
    let third = station.open(START).expect("there is room");
    station.submit(later, third, operation(third));
    flushed(&mut station);
    let due = Time::ZERO.after(RETRY_AFTER);
    assert_eq!(station.deadline(), Some(due));
    station.passed(due);
    let sent = flushed(&mut station);
    let to: Vec<(NodeId, usize)> = sent.iter().map(|(node, requests)| (*node, requests.len())).collect();
    assert_eq!(to, settings().members.iter().map(|node| (*node, sessions.len())).collect::<Vec<_>>());
    assert_eq!(station.deadline(), Some(later.after(RETRY_AFTER)), "the third has its own time");
    let mut now = due;
    for _ in 0..20 {
        now = station.deadline().expect("somebody waits");
        station.passed(now);
        flushed(&mut station);
    }
    assert!(station.deadline() <= Some(now.after(RETRY_AFTER_MAX)));
    assert_eq!(station.waiting(), 3);
}

#[test]
fn what_is_asked_more_than_once_is_counted() {
    let (mut station, _) = asking(2);
    let requests = flushed(&mut station).remove(0).1;
    assert_eq!(station.tally(), Tally::default());
    station.received(Time::ZERO, NodeId(0), busy(0, &requests[0]), &mut Vec::new()).expect("genuine");
    assert_eq!(station.tally(), Tally { busy: 1, retried: 0 });
    station.passed(Time::ZERO.after(RETRY_AFTER));
    assert_eq!(station.tally(), Tally { busy: 1, retried: 1 }, "who was told to wait waits longer");
    station.passed(Time::ZERO.after(RETRY_AFTER * 2));
    assert_eq!(station.tally().retried, 2);
}

#[test]
fn what_is_given_up_gets_no_result_and_does_not_disturb_the_next() {
    let (mut station, sessions) = asking(1);
    let first = flushed(&mut station).remove(0).1;
    station.give_up(sessions[0]);
    assert_eq!((station.waiting(), station.deadline()), (0, None));
    let second = station.submit(Time::ZERO, sessions[0], Bytes::from_static(b"second"));
    assert!(second > first[0].timestamp);
    let mut done = Vec::new();
    for node in [0, 1] {
        station.received(Time::ZERO, NodeId(node), answer(node, 0, &first), &mut done).expect("genuine");
    }
    assert_eq!(done, [], "that was the answer to the first");
    let requests = flushed(&mut station).remove(0).1;
    for node in [0, 1] {
        station.received(Time::ZERO, NodeId(node), answer(node, 0, &requests), &mut done).expect("genuine");
    }
    assert_eq!(done[0].accepted.timestamp, second);
}

#[test]
fn a_number_that_was_free_is_taken_again_and_its_timestamps_go_on() {
    let (mut station, sessions) = asking(2);
    flushed(&mut station);
    station.close(sessions[0]);
    station.close(sessions[0]);
    let again = station.open(Timestamp(1)).expect("there is room");
    assert_eq!(again, sessions[0]);
    assert_eq!(station.submit(Time::ZERO, again, Bytes::new()), Timestamp(START.0 + 2));
    assert_ne!(station.open(START), Some(sessions[0]), "it is free once");
}

#[test]
fn there_are_no_more_sessions_than_have_a_number() {
    let mut station = station();
    assert!((0..SESSIONS_MAX).all(|_| station.open(START).is_some()));
    assert_eq!(station.open(START), None);
}

#[test]
fn who_leads_is_known_to_all_once_one_knows_it() {
    let (mut station, _) = asking(1);
    let requests = flushed(&mut station).remove(0).1;
    let mut done = Vec::new();
    for node in [1, 2] {
        station.received(Time::ZERO, NodeId(node), answer(node, 2, &requests), &mut done).expect("genuine");
    }
    let fresh = station.open(START).expect("there is room");
    station.submit(Time::ZERO, fresh, Bytes::new());
    assert_eq!(flushed(&mut station)[0].0, NodeId(2));
}

#[test]
fn a_link_that_stands_anew_is_told_what_its_node_must_know() {
    let (mut station, _) = asking(2);
    flushed(&mut station);
    station.reached(Time::ZERO, NodeId(1));
    assert_eq!(flushed(&mut station), [], "node 1 does not lead");
    station.reached(Time::ZERO, NodeId(0));
    let sent = flushed(&mut station);
    assert_eq!((sent.len(), sent[0].0, sent[0].1.len()), (1, NodeId(0), 2));
}

#[test]
fn what_is_no_answer_of_a_node_is_refused() {
    let (mut station, _) = asking(1);
    let mut frames = Vec::new();
    station.flush(&mut frames);
    let own = frames.remove(0).1;
    assert!(station.received(Time::ZERO, NodeId(0), own, &mut Vec::new()).is_err(), "its own request");
    let nonsense = Bytes::from_static(b"nonsense");
    assert!(station.received(Time::ZERO, NodeId(0), nonsense, &mut Vec::new()).is_err());
    let stranger = Request {
        client: ClientId(STATION.0 + 9),
        timestamp: Timestamp(1),
        operation: Bytes::new(),
        signature: None,
    };
    let mut done = Vec::new();
    station.received(Time::ZERO, NodeId(0), answer(0, 0, &[stranger]), &mut done).expect("it is genuine");
    assert_eq!(done, [], "no such session");
}

#[test]
fn where_results_take_long_the_first_retry_waits_longer() {
    let (mut station, sessions) = asking(1);
    let takes = Duration::from_secs(1);
    let mut now = Time::ZERO;
    for _ in 0..100 {
        let requests = flushed(&mut station).remove(0).1;
        now = now.after(takes);
        for node in [0, 1] {
            let answer = answer(node, 0, &requests);
            station.received(now, NodeId(node), answer, &mut Vec::new()).expect("genuine");
        }
        station.submit(now, sessions[0], Bytes::new());
    }
    let waits = station.deadline().expect("it waits").since(now);
    assert!(waits > takes * 3 && waits <= takes * 4, "{waits:?}");
}
