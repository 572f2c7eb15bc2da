//! A station and the doors of three nodes that answer as they are told.

use super::*;
use crate::assent::Answers;
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

/// `node` executed all of `requests` at `at`, each with its own operation as the result, and answers as they want it.
fn executed(node: u16, primary: u16, at: u64, requests: &[Request]) -> Bytes {
    let (node, mut parcels, mut out) = (NodeId(node), Parcels::default(), Vec::new());
    let mut answers = Answers::new(node, View(1), NodeId(primary), Sequence(at));
    requests.iter().for_each(|request| answers.add(request, request.operation.clone()));
    for (to, message) in answers.messages() {
        parcels.add(to, message, &door(node), &mut out);
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
        (0..count).map(|_| station.open(Time::ZERO, START).expect("there is room")).collect();
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
    let third = station.open(Time::ZERO, START).expect("there is room");
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
    assert_eq!(station.tally().retried, 3, "now both");
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
    let again = station.open(Time::ZERO, Timestamp(1)).expect("there is room");
    assert_eq!(again, sessions[0]);
    assert_eq!(station.submit(Time::ZERO, again, Bytes::new()), Timestamp(START.0 + 2));
    assert_ne!(station.open(Time::ZERO, START), Some(sessions[0]), "it is free once");
}

#[test]
fn there_are_no_more_sessions_than_have_a_number() {
    let mut station = station();
    assert!((0..SESSIONS_MAX).all(|_| station.open(Time::ZERO, START).is_some()));
    assert_eq!(station.open(Time::ZERO, START), None);
}

#[test]
fn who_leads_is_known_to_all_once_one_knows_it() {
    let (mut station, _) = asking(1);
    let requests = flushed(&mut station).remove(0).1;
    let mut done = Vec::new();
    for node in [1, 2] {
        station.received(Time::ZERO, NodeId(node), answer(node, 2, &requests), &mut done).expect("genuine");
    }
    let fresh = station.open(Time::ZERO, START).expect("there is room");
    station.submit(Time::ZERO, fresh, Bytes::new());
    assert_eq!(flushed(&mut station)[0].0, NodeId(2));
}

#[test]
fn all_who_wait_follow_to_the_primary_that_one_of_them_has_found() {
    let (mut station, _) = asking(3);
    let requests = flushed(&mut station).remove(0).1;
    let mut done = Vec::new();
    for node in [1, 2] {
        let first = answer(node, 2, &requests[..1]);
        station.received(Time::ZERO, NodeId(node), first, &mut done).expect("genuine");
    }
    let shown = requests[1..].iter().map(|request| Request { speaker: None, ..request.clone() });
    assert_eq!(flushed(&mut station), [(NodeId(2), shown.collect())], "and everybody shall reply");
    // A result of the view before comes late: nobody runs to and fro.
    for node in [0, 1] {
        let late = answer(node, 0, &requests[1..2]);
        station.received(Time::ZERO, NodeId(node), late, &mut done).expect("genuine");
    }
    assert_eq!((flushed(&mut station), done.len()), (vec![], 2));
}

#[test]
fn who_is_put_off_is_told_so_once_for_each_attempt() {
    let (mut station, sessions) = asking(1);
    let request = flushed(&mut station).remove(0).1.remove(0);
    let busy = Busy { client: request.client, timestamp: request.timestamp };
    let (mut parcels, mut out) = (Parcels::default(), Vec::new());
    parcels.add(busy.client, Message::Busy(busy), &door(NodeId(0)), &mut out);
    parcels.flush(&door(NodeId(0)), &mut out);
    let Some(GuardEffect::Transmit { frame, .. }) = out.pop() else { panic!("a frame leaves") };
    for _ in 0..3 {
        station.received(Time::ZERO, NodeId(0), frame.clone(), &mut Vec::new()).expect("genuine");
    }
    assert_eq!((station.take_put_off(), station.take_put_off()), (sessions, vec![]));
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
fn who_is_gone_is_not_waited_for() {
    let (mut station, sessions) = asking(2);
    flushed(&mut station);
    station.lost(Time::ZERO, NodeId(1));
    assert_eq!(flushed(&mut station), [], "node 1 does not lead, and was not to speak");
    let later = Time::ZERO.after(RETRY_AFTER / 2);
    station.lost(later, NodeId(0));
    let sent = flushed(&mut station);
    assert_eq!(sent.len(), settings().members.len(), "everybody is asked");
    assert!(sent.iter().flat_map(|(_, requests)| requests).all(|request| request.speaker.is_none()));
    assert_eq!(station.deadline(), Some(later.after(RETRY_AFTER)), "and asked again only after a wait");
    assert_eq!(station.tally().retried, 2);
    station.give_up(sessions[0]);
    station.submit(later, sessions[0], Bytes::new());
    assert_eq!(flushed(&mut station)[0].1[0].speaker, Some(NodeId(1)), "another one shall speak");
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
        speaker: None,
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

#[test]
fn what_held_up_many_sessions_once_is_learned_from_once() {
    let (mut station, sessions) = asking(100);
    let requests = flushed(&mut station).remove(0).1;
    let now = Time::ZERO.after(Duration::from_millis(500));
    for node in [0, 1] {
        let answer = answer(node, 0, &requests);
        station.received(now, NodeId(node), answer, &mut Vec::new()).expect("genuine");
    }
    assert_eq!(station.waiting(), 0);
    station.submit(now, sessions[0], Bytes::new());
    assert_eq!(station.deadline().expect("it waits").since(now), RETRY_AFTER);
}

#[test]
fn timestamps_go_with_time_and_never_back() {
    let (mut station, sessions) = asking(1);
    station.give_up(sessions[0]);
    let later = Time::ZERO.after(Duration::from_secs(1));
    assert_eq!(station.submit(later, sessions[0], Bytes::new()), Timestamp(START.0 + 1_000_001));
    station.give_up(sessions[0]);
    assert_eq!(station.submit(Time::ZERO, sessions[0], Bytes::new()), Timestamp(START.0 + 1_000_002));
}

#[test]
fn what_one_says_and_another_assents_to_is_the_result_of_each_session() {
    for (first, second) in [(0, 2), (2, 0)] {
        let (mut station, sessions) = asking(3);
        let requests = flushed(&mut station).remove(0).1;
        assert!(requests.iter().all(|request| request.speaker == Some(NodeId(0))), "who leads shall speak");
        let mut done = Vec::new();
        let frame = executed(first, 0, 9, &requests);
        station.received(Time::ZERO, NodeId(first), frame, &mut done).expect("it is genuine");
        assert_eq!(done, [], "one replica alone may lie");
        let frame = executed(second, 0, 9, &requests);
        station.received(Time::ZERO, NodeId(second), frame, &mut done).expect("it is genuine");
        let results: Vec<Bytes> = done.iter().map(|done| done.accepted.result.clone()).collect();
        assert_eq!(results, sessions.iter().map(|session| operation(*session)).collect::<Vec<_>>());
        assert!(done.iter().all(|done| done.accepted.sequence == Sequence(9)));
        assert_eq!(station.waiting(), 0);
    }
}

#[test]
fn two_that_assent_and_nobody_that_speaks_are_no_result() {
    let (mut station, _) = asking(2);
    let requests = flushed(&mut station).remove(0).1;
    let mut done = Vec::new();
    for node in [1, 2] {
        let frame = executed(node, 0, 9, &requests);
        station.received(Time::ZERO, NodeId(node), frame, &mut done).expect("it is genuine");
    }
    let other: Vec<Request> = requests
        .iter()
        .map(|request| Request { operation: Bytes::from_static(b"a lie"), ..request.clone() })
        .collect();
    station.received(Time::ZERO, NodeId(0), executed(0, 0, 9, &other), &mut done).expect("it is genuine");
    assert_eq!(done, [], "the speaker lies");
}

/// All but the speaker answer what the sessions ask for, and their patience ends. Returns whom they want to speak next.
fn silent(station: &mut Station<ToyKeys>, speaker: u16, sessions: &[SessionNumber]) -> Option<NodeId> {
    let requests = flushed(station).remove(0).1;
    assert!(requests.iter().all(|request| request.speaker == Some(NodeId(speaker))));
    let mut done = Vec::new();
    for node in (0..3).filter(|node| *node != speaker) {
        let frame = executed(node, 0, 9, &requests);
        station.received(Time::ZERO, NodeId(node), frame, &mut done).expect("it is genuine");
    }
    let due = station.deadline().expect("all wait");
    station.passed(due);
    for (_, again) in flushed(station) {
        assert!(again.iter().all(|request| request.speaker.is_none()), "now everybody shall reply");
    }
    assert_eq!(done, []);
    ask_again(station, sessions)
}

/// Gives up and asks for something else; whom all of the sessions want to speak.
fn ask_again(station: &mut Station<ToyKeys>, sessions: &[SessionNumber]) -> Option<NodeId> {
    for session in sessions {
        station.give_up(*session);
        station.submit(Time::ZERO, *session, operation(*session));
    }
    station.speaker()
}

#[test]
fn a_silent_speaker_costs_one_wait_until_another_leads() {
    let (mut station, sessions) = asking(2);
    assert_eq!(silent(&mut station, 0, &sessions), Some(NodeId(1)));
    let requests = flushed(&mut station).remove(0).1;
    station.passed(station.deadline().expect("both wait"));
    flushed(&mut station);
    assert_eq!(station.speaker(), Some(NodeId(1)), "nobody has assented: the network is nobody's fault");
    for node in [0, 1] {
        station
            .received(Time::ZERO, NodeId(node), answer(node, 2, &requests), &mut Vec::new())
            .expect("genuine");
    }
    assert_eq!(station.speaker(), Some(NodeId(2)), "who leads now");
    let requests = {
        ask_again(&mut station, &sessions);
        flushed(&mut station).remove(0).1
    };
    for node in [1, 2] {
        station
            .received(Time::ZERO, NodeId(node), answer(node, 0, &requests), &mut Vec::new())
            .expect("genuine");
    }
    assert_eq!(station.speaker(), Some(NodeId(0)), "it leads again, and may speak again");
}

#[test]
fn no_more_than_f_are_passed_over_at_a_time() {
    let (mut station, sessions) = asking(2);
    assert_eq!(silent(&mut station, 0, &sessions), Some(NodeId(1)));
    assert_eq!(silent(&mut station, 1, &sessions), Some(NodeId(0)), "one of them is right");
}

#[test]
fn what_is_said_of_another_station_is_refused() {
    let (mut station, _) = asking(2);
    let other = |request: &Request| Request {
        client: ClientId(request.client.0 + (1 << ClientId::SESSION_BITS)),
        ..request.clone()
    };
    let requests: Vec<Request> = flushed(&mut station).remove(0).1.iter().map(other).collect();
    for node in [0, 1] {
        let frame = executed(node, 0, 9, &requests);
        assert_eq!(
            station.received(Time::ZERO, NodeId(node), frame, &mut Vec::new()),
            Err(Refusal::NotAllowed)
        );
    }
}
