//! What a replica said before it lost power holds after.

use super::suspicions::ahead_of_the_others;
use super::{cluster, disk, recover, settings, signed};
use crate::Batch;
use crate::pbft::message::{Message, PrePrepare};
use crate::replica::{Effect, Event, Outbox, Position, Replica, Write};
use std::hash::{DefaultHasher, Hash, Hasher};
use wire::{NodeId, Peer, Sequence, Time, View};

fn pre_prepare(client: u64) -> crate::Message {
    let batch = Batch::new(vec![signed(client, 1)]);
    crate::Message::Pbft(Message::PrePrepare(PrePrepare { view: View(0), sequence: Sequence(1), batch }))
}

fn step(replica: &mut super::Toy, event: Event) -> Vec<Effect> {
    let mut out = Outbox::new();
    replica.step(Time::ZERO, event, &mut out);
    out.drain().collect()
}

fn from_primary(message: crate::Message) -> Event {
    Event::Message { from: Peer::Node(NodeId(0)), message }
}

fn sends(effects: &[Effect], name: &str) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Send { message, .. } if message.name() == name))
}

#[test]
fn prepare_waits_for_its_record() {
    let mut replica = recover(NodeId(1), &settings(1), crate::Recovered::default());
    let effects = step(&mut replica, from_primary(pre_prepare(1)));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Write(Write::Record(_)))));
    assert!(!sends(&effects, "PREPARE"));
    let effects = step(&mut replica, Event::Durable(Position(1)));
    assert!(sends(&effects, "PREPARE"));
}

#[test]
fn what_was_accepted_before_power_loss_is_not_contradicted_after() {
    let mut replica = recover(NodeId(1), &settings(1), crate::Recovered::default());
    let effects = step(&mut replica, from_primary(pre_prepare(1)));
    let writes: Vec<Write> = effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Write(write) => Some(write),
            _ => None,
        })
        .collect();
    let mut replica = recover(NodeId(1), &settings(1), disk(&writes));
    let effects = step(&mut replica, from_primary(pre_prepare(2)));
    let refused = |effect: &Effect| {
        matches!(effect, Effect::Refuse { refusal: crate::replica::Refusal::Contradiction, .. })
    };
    assert!(effects.iter().any(refused));
    assert!(!sends(&effects, "PREPARE"));
}

#[test]
fn what_was_prepared_before_power_loss_is_not_contradicted_after() {
    let mut cluster = cluster(1);
    cluster.drop = Box::new(|_, _, message| message.name() == "COMMIT" || message.name() == "STATUS");
    cluster.ask(0, 1, 1);
    let batch = Batch::new(vec![signed(1, 1)]).digest();
    // Everybody loses power; the primary does not come back.
    cluster.down.insert(NodeId(0));
    cluster.drop = Box::new(|_, _, _| false);
    for node in 1..=3 {
        cluster.restart(node);
    }
    cluster.ask_all(2, 1);
    cluster.seconds(10);
    for node in 1..=3 {
        assert_eq!(cluster.executed(NodeId(node))[0], (Sequence(1), batch), "{node}");
    }
}

#[test]
fn a_cluster_that_lost_power_everywhere_goes_on_where_it_was() {
    let mut cluster = cluster(1);
    for timestamp in 1..=10 {
        cluster.ask(0, 1, timestamp);
    }
    let state = cluster.status(0).state;
    for node in 0..4 {
        cluster.restart(node);
        assert_eq!((cluster.status(node).executed, cluster.status(node).state), (Sequence(10), state));
    }
    cluster.replies.clear();
    cluster.ask_all(1, 10);
    assert_eq!(cluster.answered(1, 10), [0, 1, 2, 3].into(), "the last answer is not lost either");
    cluster.ask(0, 1, 11);
    assert_eq!(cluster.answered(1, 11), [0, 1, 2, 3].into());
}

#[test]
fn a_replica_does_not_return_to_a_view_that_it_has_left() {
    let mut cluster = cluster(1);
    assert_eq!(ahead_of_the_others(&mut cluster), 3);
    assert_eq!((cluster.status(3).view, cluster.status(3).normal), (View(1), false));
    cluster.restart(3);
    assert_eq!((cluster.status(3).view, cluster.status(3).normal), (View(1), false));
    cluster.down.insert(NodeId(0));
    cluster.ask_all(2, 1);
    cluster.seconds(10);
    cluster.restart(2);
    let view = cluster.status(1).view;
    assert_eq!((cluster.status(2).view, cluster.status(2).normal), (view, true));
}

#[test]
fn every_prefix_of_the_disk_gives_a_replica_back() {
    let mut cluster = cluster(1);
    for timestamp in 1..=6 {
        cluster.ask(0, 1, timestamp);
    }
    cluster.down.insert(NodeId(0));
    cluster.ask_all(1, 7);
    cluster.seconds(5);
    for node in 1..=3 {
        let writes = &cluster.disks[&NodeId(node)];
        let mut before = Sequence::ZERO;
        for length in 0..=writes.len() {
            let status = recover(NodeId(node), &settings(1), disk(&writes[..length])).status();
            assert!(status.executed >= before, "a longer prefix tells more");
            before = status.executed;
        }
    }
}

#[test]
fn the_disk_does_not_grow_while_views_come_and_go() {
    let mut cluster = cluster(1);
    cluster.ask(0, 1, 1);
    cluster.ask(0, 1, 2);
    cluster.drop = Box::new(|_, _, message| message.name() == "COMMIT");
    cluster.ask_all(1, 3);
    let mut most = 0;
    for _ in 0..60 {
        cluster.seconds(20);
        most = most.max(disk(&cluster.disks[&NodeId(1)]).records.len());
    }
    assert!(cluster.status(1).view > View(50));
    assert!(most <= 8 * 12 + 10, "{most} records");
    // Nothing is lost that way.
    for node in 0..4 {
        cluster.restart(node);
        assert_eq!(cluster.executed_up_to(node), Sequence(2));
    }
    cluster.drop = Box::new(|_, _, _| false);
    cluster.seconds(60);
    assert_eq!(cluster.answered(1, 3), [0, 1, 2, 3].into());
}

#[test]
fn equal_replicas_have_equal_hashes_and_others_others() {
    let hash = |replica: &super::Toy| {
        let mut hasher = DefaultHasher::new();
        replica.hash(&mut hasher);
        hasher.finish()
    };
    let replica = recover(NodeId(1), &settings(1), crate::Recovered::default());
    let mut other = replica.clone();
    assert_eq!(hash(&replica), hash(&other));
    step(&mut other, from_primary(pre_prepare(1)));
    assert_ne!(hash(&replica), hash(&other));
}
