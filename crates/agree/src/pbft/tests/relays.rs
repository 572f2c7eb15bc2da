//! A client that keeps its requests from the primary gains nothing by it.

use super::{Toy, cluster, signed};
use crate::pbft::relay::{RELAYED_PER_TICK_MAX, RELAYS_PER_TICK_MAX};
use crate::replica::{Destination, Effect, Event, Outbox, Refusal};
use crate::testing::Cluster;
use crate::{Message, Replica, Request};
use core::time::Duration;
use wire::{NodeId, Peer, Sequence, Signature, Time, View};

/// What `node` does when `from` says `message`; the rest of the cluster does not see it.
fn effects(cluster: &mut Cluster<Toy>, from: Peer, node: u16, message: Message) -> Vec<Effect> {
    let mut out = Outbox::new();
    let replica = cluster.replicas.get_mut(&NodeId(node)).expect("a member");
    replica.step(Time::ZERO, Event::Message { from, message }, &mut out);
    out.drain().collect()
}

fn refusals(effects: &[Effect]) -> Vec<Refusal> {
    let refusal = |effect: &Effect| match effect {
        Effect::Refuse { refusal, .. } => Some(*refusal),
        _ => None,
    };
    effects.iter().filter_map(refusal).collect()
}

/// The requests passed on, and to whom.
fn relays(effects: &[Effect]) -> Vec<(Peer, Request)> {
    let relay = |effect: &Effect| match effect {
        Effect::Send { to: Destination::Peer(to), message: Message::Request(request) } => {
            Some((*to, request.clone()))
        }
        _ => None,
    };
    effects.iter().filter_map(relay).collect()
}

/// What the primary refuses of `request`, passed on by `from`.
fn passed_on(cluster: &mut Cluster<Toy>, from: u16, request: Request) -> Vec<Refusal> {
    refusals(&effects(cluster, Peer::Node(NodeId(from)), 0, Message::Request(request)))
}

#[test]
fn a_request_shown_to_backups_only_is_executed_and_costs_no_view_change() {
    for shown in [vec![3], vec![1, 2, 3]] {
        let mut cluster = cluster(1);
        for node in &shown {
            cluster.ask(*node, 1, 1);
        }
        cluster.seconds(5);
        assert_eq!(cluster.answered(1, 1), [0, 1, 2, 3].into());
        assert!((0..4).all(|node| cluster.status(node).view == View(0)));
        assert!((0..4).all(|node| cluster.executed_up_to(node) == Sequence(1)), "and once only");
    }
}

#[test]
fn a_request_lost_on_its_way_to_the_primary_is_shown_to_it_again_in_time() {
    let mut cluster = cluster(1);
    cluster.drop = Box::new(|_, _, message| message.name() == "REQUEST");
    cluster.ask(1, 1, 1);
    cluster.ask(2, 1, 1);
    cluster.pass(Duration::from_millis(150));
    assert!(cluster.answered(1, 1).is_empty());
    cluster.drop = Box::new(|_, _, _| false);
    cluster.seconds(1);
    assert_eq!(cluster.answered(1, 1), [0, 1, 2, 3].into());
    assert_eq!(cluster.status(2).view, View(0));
}

#[test]
fn a_primary_that_ignores_what_it_is_shown_is_voted_out() {
    let mut cluster = cluster(1);
    cluster.drop = Box::new(|_, to, message| message.name() == "REQUEST" && to == NodeId(0));
    cluster.ask(1, 1, 1);
    cluster.ask(2, 1, 1);
    cluster.seconds(5);
    assert_eq!(cluster.status(1).view, View(1));
    assert_eq!(cluster.answered(1, 1).len(), 4);
}

#[test]
fn what_the_client_did_not_sign_is_neither_passed_on_nor_taken_from_a_replica() {
    let mut cluster = cluster(1);
    let forged = Request { signature: Some(Box::new(Signature([1; 64]))), ..signed(1, 1) };
    let heard = effects(&mut cluster, Peer::Client(forged.client), 1, Message::Request(forged.clone()));
    assert_eq!((relays(&heard), refusals(&heard)), (vec![], vec![Refusal::WrongAuthenticator]));
    assert_eq!(passed_on(&mut cluster, 1, forged), [Refusal::WrongAuthenticator]);
}

#[test]
fn a_backup_passes_a_request_on_once_and_no_more_of_them_in_a_tick_than_the_limit() {
    let mut cluster = cluster(1);
    let hear = |cluster: &mut Cluster<Toy>, client: u64| {
        let request = signed(client, 1);
        relays(&effects(cluster, Peer::Client(request.client), 1, Message::Request(request)))
    };
    assert_eq!(hear(&mut cluster, 1), [(Peer::Node(NodeId(0)), signed(1, 1))]);
    assert_eq!(hear(&mut cluster, 1), [], "again, and it was passed on");
    let more: usize = (2..100).map(|client| hear(&mut cluster, client).len()).sum();
    assert_eq!(more + 1, RELAYS_PER_TICK_MAX as usize);
}

#[test]
fn a_backup_that_passes_on_too_much_is_refused_and_the_others_are_not() {
    let mut cluster = cluster(1);
    let limit = u64::from(RELAYED_PER_TICK_MAX);
    for client in 1..=limit {
        assert_eq!(passed_on(&mut cluster, 1, signed(client, 1)), []);
        assert_eq!(passed_on(&mut cluster, 1, signed(client, 1)), [], "known: it costs nothing");
    }
    assert_eq!(passed_on(&mut cluster, 1, signed(limit + 1, 1)), [Refusal::NoRoom]);
    assert_eq!(passed_on(&mut cluster, 2, signed(limit + 1, 1)), []);
}

#[test]
fn only_the_primary_takes_what_is_passed_on_and_only_what_is_news() {
    let mut cluster = cluster(1);
    let relay = Message::Request(signed(1, 1));
    let at_a_backup = effects(&mut cluster, Peer::Node(NodeId(2)), 1, relay);
    assert_eq!((refusals(&at_a_backup), relays(&at_a_backup)), (vec![Refusal::NotAllowed], vec![]));
    cluster.ask(0, 1, 1);
    assert_eq!(passed_on(&mut cluster, 1, signed(1, 1)), [Refusal::Stale]);
}
