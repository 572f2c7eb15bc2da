//! Who waits for its turn, who is passed over, and what clients that ask again and again cost.

use super::{Toy, cluster, signed};
use crate::pbft::relay::LOOKS_PER_TICK_MAX;
use crate::replica::{Effect, Event, Outbox, Refusal};
use crate::testing::{Cluster, Loss};
use crate::{Message, Replica, Request};
use core::time::Duration;
use wire::{ClientId, NodeId, Peer, Signature, Time, View};

/// The primary of view 0 does not hear of client 1.
fn deaf_to_client_1() -> Loss {
    Box::new(|_, to, message| {
        to == NodeId(0) && matches!(message, Message::Request(request) if request.client == ClientId(1))
    })
}

#[test]
fn a_primary_that_serves_others_and_starves_one_client_is_voted_out() {
    let mut cluster = cluster(1);
    cluster.drop = deaf_to_client_1();
    cluster.ask(1, 1, 1);
    cluster.ask(2, 1, 1);
    for timestamp in 1..=20 {
        cluster.ask(0, 2, timestamp);
        cluster.pass(Duration::from_millis(40));
    }
    assert_eq!(cluster.status(1).view, View(1), "within twice the view timeout");
    cluster.seconds(1);
    assert_eq!(cluster.answered(1, 1).len(), 4);
}

#[test]
fn a_primary_that_serves_hardly_anyone_while_one_client_waits_is_voted_out_in_the_end() {
    let mut cluster = cluster(1);
    cluster.drop = deaf_to_client_1();
    cluster.ask(1, 1, 1);
    cluster.ask(2, 1, 1);
    let mut waited = Duration::ZERO;
    for client in 10.. {
        if cluster.status(1).view > View(0) {
            break;
        }
        cluster.ask(0, client, 1);
        cluster.pass(Duration::from_millis(400));
        waited += Duration::from_millis(400);
        assert!(waited <= cluster.settings.view_timeout_max);
    }
    assert!(waited > 4 * cluster.settings.view_timeout, "a while, since everybody has had but one turn");
}

#[test]
fn a_long_queue_that_is_served_in_turn_changes_no_view() {
    let mut cluster = cluster(1);
    cluster.drop = deaf_to_client_1();
    cluster.ask(1, 1, 1);
    cluster.ask(2, 1, 1);
    for client in 10..30 {
        cluster.ask(0, client, 1);
        cluster.pass(Duration::from_millis(100));
    }
    cluster.drop = Box::new(|_, _, _| false);
    cluster.seconds(1);
    assert_eq!(cluster.answered(1, 1), [0, 1, 2, 3].into());
    assert!((0..4).all(|node| cluster.status(node).view == View(0)));
}

fn refusals(cluster: &mut Cluster<Toy>, node: u16, request: Request) -> Vec<Refusal> {
    let mut out = Outbox::new();
    let replica = cluster.replicas.get_mut(&NodeId(node)).expect("a member");
    let from = Peer::Client(request.client);
    replica.step(Time::ZERO, Event::Message { from, message: Message::Request(request) }, &mut out);
    let refusal = |effect: Effect| match effect {
        Effect::Refuse { refusal, .. } => Some(refusal),
        _ => None,
    };
    out.drain().filter_map(refusal).collect()
}

#[test]
fn what_is_known_already_is_not_looked_at_again() {
    let mut cluster = cluster(1);
    let forged = |client| Request { signature: Some(Box::new(Signature([1; 64]))), ..signed(client, 1) };
    for node in [0, 1] {
        assert_eq!(refusals(&mut cluster, node, forged(1)), [Refusal::WrongAuthenticator]);
        assert_eq!(refusals(&mut cluster, node, signed(1, 1)), []);
        assert_eq!(refusals(&mut cluster, node, forged(1)), [], "nobody looked");
    }
}

#[test]
fn a_backup_looks_at_no_more_of_a_station_in_a_tick_than_the_limit() {
    let mut cluster = cluster(1);
    let limit = u64::from(LOOKS_PER_TICK_MAX);
    for client in 1..=limit {
        assert_eq!(refusals(&mut cluster, 1, signed(client, 1)), []);
    }
    assert_eq!(refusals(&mut cluster, 1, signed(limit + 1, 1)), [Refusal::NoRoom]);
    let elsewhere = 1 << 16 | 1;
    assert_eq!(refusals(&mut cluster, 1, signed(elsewhere, 1)), [], "another station");
    cluster.pass(2 * cluster.settings.retransmit_after);
    assert_eq!(refusals(&mut cluster, 1, signed(limit + 1, 1)), []);
}

#[test]
fn one_request_of_a_client_waits_at_the_primary_and_a_second_has_to_come_again() {
    let mut cluster = cluster(1);
    // The window of 4 is full of batches that nobody prepares.
    cluster.drop = Box::new(|_, _, message| message.name() == "PREPARE");
    for client in 10..14 {
        cluster.ask(0, client, 1);
    }
    assert_eq!(refusals(&mut cluster, 0, signed(1, 1)), []);
    assert_eq!(refusals(&mut cluster, 0, signed(1, 2)), [Refusal::NoRoom]);
}
