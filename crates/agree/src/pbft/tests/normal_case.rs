//! Agreement while the primary does its work, or lies about it.

use super::{cluster, signed};
use crate::pbft::message::{Commit, Message, PrePrepare, Prepare};
use crate::replica::{Effect, Event, Outbox, Refusal, Replica};
use crate::{Batch, Request};
use wire::{ClientId, NodeId, Peer, Sequence, Signature, Time, View};

/// What `node` refuses of `message` from `from`, the rest of what it does being lost.
fn refused(
    cluster: &mut crate::testing::Cluster<super::Toy>,
    from: u16,
    node: u16,
    message: Message,
) -> Vec<Refusal> {
    let mut out = Outbox::new();
    let message = crate::Message::Pbft(message);
    let event = Event::Message { from: Peer::Node(NodeId(from)), message };
    cluster.replicas.get_mut(&NodeId(node)).expect("a member").step(Time::ZERO, event, &mut out);
    out.drain()
        .filter_map(|effect| match effect {
            Effect::Refuse { refusal, .. } => Some(refusal),
            _ => None,
        })
        .collect()
}

fn pre_prepare(sequence: u64, requests: Vec<Request>) -> PrePrepare {
    PrePrepare { view: View(0), sequence: Sequence(sequence), batch: Batch::new(requests) }
}

#[test]
fn a_request_is_executed_and_answered_by_all() {
    let mut cluster = cluster(1);
    cluster.ask(0, 1, 1);
    assert_eq!(cluster.answered(1, 1), [0, 1, 2, 3].into());
    let orders: Vec<_> = (0..4).map(|node| cluster.executed(NodeId(node))).collect();
    assert!(orders.iter().all(|order| order.len() == 1 && *order == orders[0]));
}

#[test]
fn a_repeated_request_is_answered_again_and_not_executed_again() {
    let mut cluster = cluster(1);
    cluster.ask(0, 1, 1);
    cluster.replies.clear();
    cluster.ask_all(1, 1);
    assert_eq!(cluster.answered(1, 1), [0, 1, 2, 3].into());
    assert_eq!(cluster.executed(NodeId(2)).len(), 1);
}

#[test]
fn a_silent_backup_holds_nobody_up() {
    let mut cluster = cluster(1);
    cluster.down.insert(NodeId(3));
    for timestamp in 1..=20 {
        cluster.ask(0, 1, timestamp);
    }
    assert_eq!(cluster.executed_up_to(1), Sequence(20));
    assert_eq!(cluster.status(1).stable, Sequence(20));
    assert_eq!(cluster.status(1).view, View(0));
}

#[test]
fn a_request_that_its_client_did_not_sign_is_refused_by_the_primary_and_by_backups() {
    let mut cluster = cluster(1);
    let forged = Request { signature: Some(Box::new(Signature([1; 64]))), ..signed(1, 1) };
    let unsigned = Request { signature: None, ..signed(1, 1) };
    for request in [forged, unsigned] {
        let event = Event::Message {
            from: Peer::Client(ClientId(1)),
            message: crate::Message::Request(request.clone()),
        };
        cluster.step(NodeId(0), event);
        let ordered = Message::PrePrepare(pre_prepare(1, vec![signed(2, 1), request]));
        assert_eq!(refused(&mut cluster, 0, 1, ordered), [Refusal::WrongAuthenticator]);
    }
    cluster.settle();
    assert!(cluster.executed(NodeId(0)).is_empty());
}

#[test]
fn an_equivocating_primary_cannot_make_two_batches_commit() {
    let mut cluster = cluster(1);
    // The primary tells 1 and 2 one thing, and 3 another; then each the other one too.
    cluster.down.insert(NodeId(0));
    let one = pre_prepare(1, vec![signed(1, 1)]);
    let other = pre_prepare(1, vec![signed(2, 1)]);
    for (to, batch) in [(1, &one), (2, &one), (3, &other)] {
        cluster.say(0, to, Message::PrePrepare(batch.clone()));
    }
    assert_eq!(refused(&mut cluster, 0, 1, Message::PrePrepare(other.clone())), [Refusal::Contradiction]);
    // It says COMMIT for both to everybody.
    for to in 1..=3 {
        for digest in [one.batch.digest(), other.batch.digest()] {
            cluster.say(0, to, Message::Commit(Commit { view: View(0), sequence: Sequence(1), digest }));
        }
    }
    let executed: Vec<_> = (1..=3).flat_map(|node| cluster.executed(NodeId(node))).collect();
    assert!(executed.iter().all(|(_, batch)| *batch == one.batch.digest()));
}

#[test]
fn a_vote_counts_once_and_only_from_those_who_may_cast_it() {
    let mut cluster = cluster(1);
    let digest = Batch::null().digest();
    let prepare = |view, n| Message::Prepare(Prepare { view: View(view), sequence: Sequence(n), digest });
    assert_eq!(
        refused(&mut cluster, 0, 1, prepare(0, 1)),
        [Refusal::NotAllowed],
        "the primary prepares nothing"
    );
    assert_eq!(refused(&mut cluster, 2, 1, prepare(0, 1)), []);
    let other = signed(1, 1);
    let contradiction =
        Prepare { view: View(0), sequence: Sequence(1), digest: Batch::new(vec![other]).digest() };
    assert_eq!(refused(&mut cluster, 2, 1, Message::Prepare(contradiction)), [Refusal::Contradiction]);
    assert_eq!(refused(&mut cluster, 2, 1, prepare(1, 1)), [Refusal::TooFarAhead]);
    assert_eq!(refused(&mut cluster, 2, 1, prepare(0, 0)), [Refusal::Stale]);
    assert_eq!(refused(&mut cluster, 2, 1, prepare(0, 13)), [Refusal::TooFarAhead]);
    assert_eq!(refused(&mut cluster, 9, 1, prepare(0, 1)), [Refusal::UnknownSender]);
}

#[test]
fn only_the_primary_gives_places_and_only_to_requests() {
    let mut cluster = cluster(1);
    let ordered = Message::PrePrepare(pre_prepare(1, vec![signed(1, 1)]));
    assert_eq!(refused(&mut cluster, 2, 1, ordered), [Refusal::NotAllowed]);
    let null = Message::PrePrepare(pre_prepare(1, Vec::new()));
    assert_eq!(refused(&mut cluster, 0, 1, null), [Refusal::NotAllowed]);
}

#[test]
fn the_primary_keeps_at_most_a_window_open_and_then_fills_batches() {
    let mut cluster = cluster(1);
    cluster.drop = Box::new(|_, _, message| message.name() == "PREPARE");
    for client in 1..=8 {
        cluster.ask(0, client, 1);
    }
    assert_eq!(cluster.executed_up_to(0), Sequence::ZERO);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.seconds(1);
    // Four batches of one request while the window was open, two of two afterwards.
    assert_eq!(cluster.executed_up_to(0), Sequence(6));
    assert_eq!(cluster.status(0).view, View(0), "what was lost is sent again long before patience is over");
}

#[test]
fn a_full_queue_is_said_to_be_full() {
    let mut settings = super::settings(1);
    settings.requests_waiting_max = 1;
    let mut replica = super::recover(NodeId(0), &settings, crate::Recovered::default());
    let mut busy = 0;
    for client in 1..=6 {
        let mut out = Outbox::new();
        let request = signed(client, 1);
        let event =
            Event::Message { from: Peer::Client(request.client), message: crate::Message::Request(request) };
        replica.step(Time::ZERO, event, &mut out);
        busy += out
            .drain()
            .filter(|effect| matches!(effect, Effect::Send { message: crate::Message::Busy(_), .. }))
            .count();
    }
    // Four open, one waiting.
    assert_eq!(busy, 1);
}

#[test]
fn no_number_that_a_liar_can_write_makes_a_replica_panic() {
    let mut cluster = cluster(1);
    cluster.ask(0, 1, 1);
    let (top, digest) = (u64::MAX, Batch::null().digest());
    let (view, sequence) = (View(top), Sequence(top));
    let mut status = status_of_nobody();
    status.executed = sequence;
    status.stable = sequence;
    status.known = view;
    let messages = [
        Message::Status(status),
        Message::Prepare(Prepare { view: View(0), sequence, digest }),
        Message::Commit(Commit { view, sequence, digest }),
        Message::Checkpoint(crate::pbft::message::Checkpoint { sequence: Sequence(top - 3), digest }),
        Message::Committed(crate::pbft::message::Committed { first: sequence, digests: vec![digest; 3] }),
        Message::AskBatch(crate::pbft::message::AskBatch { sequence, digest }),
        Message::PrePrepare(PrePrepare { view: View(0), sequence, batch: Batch::null() }),
    ];
    for message in messages {
        cluster.say(0, 1, message);
    }
    cluster.ask(0, 1, 2);
    cluster.seconds(1);
    assert_eq!(cluster.executed_up_to(1), Sequence(2));
}

pub(super) fn status_of_nobody() -> crate::pbft::message::Status {
    crate::pbft::message::Status {
        view: View(0),
        active: true,
        suspects: false,
        known: View(0),
        decision: wire::Digest::ZERO,
        executed: Sequence::ZERO,
        stable: Sequence::ZERO,
        changes: 0,
        accepted: 0,
        prepared: 0,
    }
}
