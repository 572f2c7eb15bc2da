//! Who suspects a view alone, who is left alone ahead, and what liars can make of it.

use super::{Toy, ToyKeys, cluster};
use crate::Replica;
use crate::pbft::PATIENCE;
use crate::pbft::message::{Message, ViewChange};
use crate::replica::{Effect, Event, Outbox};
use crate::testing::Cluster;
use core::time::Duration;
use wire::{Keys, NodeId, Peer, Sequence, Signature, Time, View};

/// Replica 3 waits for a request that nobody else is shown, and grows impatient.
fn impatient(cluster: &mut Cluster<Toy>) {
    cluster.drop = Box::new(|_, _, message| message.name() == "REQUEST");
    cluster.ask(3, 1, 1);
    cluster.seconds(1);
    assert!(cluster.replicas[&NodeId(3)].views.suspicions.own());
}

/// A liar suspects with replica 3, which so turns to the next view, and nobody else does: which one that is.
pub(super) fn ahead_of_the_others(cluster: &mut Cluster<Toy>) -> u16 {
    impatient(cluster);
    let mut said = super::normal_case::status_of_nobody();
    said.suspects = true;
    cluster.say(2, 3, Message::Status(said));
    assert_eq!((cluster.status(3).view, cluster.status(3).normal), (View(1), false));
    3
}

#[test]
fn one_that_is_impatient_alone_stays_and_votes() {
    let mut cluster = cluster(1);
    impatient(&mut cluster);
    cluster.down.insert(NodeId(2));
    for timestamp in 2..=5 {
        cluster.ask(0, 2, timestamp);
    }
    assert_eq!(cluster.executed_up_to(3), Sequence(4), "there is nobody to spare, and it is there");
    assert_eq!((cluster.status(3).view, cluster.status(3).normal), (View(0), true));
}

#[test]
fn one_that_stood_still_hears_the_others_before_it_suspects() {
    let mut cluster = cluster(1);
    cluster.drop = Box::new(|_, _, message| message.name() == "REQUEST");
    cluster.ask(3, 1, 1);
    let timeout = cluster.settings.view_timeout;
    let replica = cluster.replicas.get_mut(&NodeId(3)).expect("a member");
    let mut ran_out = |at| {
        let mut out = Outbox::new();
        replica.step(Time::ZERO.after(at), Event::Timer(PATIENCE), &mut out);
        assert!(out.drain().any(|effect| effect == Effect::SetTimer(PATIENCE, timeout)));
        replica.views.suspicions.own()
    };
    assert!(!ran_out(20 * timeout), "that is long after it was due");
    assert!(ran_out(21 * timeout));
}

#[test]
fn one_whose_reason_is_gone_suspects_no_more() {
    let mut cluster = cluster(1);
    impatient(&mut cluster);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.seconds(1);
    assert_eq!(cluster.answered(1, 1), [0, 1, 2, 3].into());
    assert!(!cluster.replicas[&NodeId(3)].views.suspicions.own());
    let mut said = super::normal_case::status_of_nobody();
    said.suspects = true;
    cluster.say(2, 3, Message::Status(said));
    assert_eq!(cluster.status(3).view, View(0));
}

#[test]
fn one_that_was_cut_off_comes_back_to_the_view_that_the_others_are_in() {
    let mut cluster = cluster(1);
    cluster.ask_all(1, 1);
    cluster.drop = Box::new(|from, to, _| from == NodeId(3) || to == NodeId(3));
    cluster.ask(3, 1, 2);
    for timestamp in 1..=30 {
        cluster.ask(0, 2, timestamp);
    }
    cluster.seconds(5);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.seconds(1);
    assert_eq!((cluster.status(3).view, cluster.status(3).normal), (View(0), true));
    assert_eq!(cluster.status(3).state, cluster.status(0).state);
}

#[test]
fn one_that_was_left_alone_ahead_is_joined_after_the_longest_timeout() {
    let mut cluster = cluster(1);
    let alone = ahead_of_the_others(&mut cluster);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(cluster.settings.view_timeout_max / 2);
    assert_eq!((cluster.status(alone).normal, cluster.status(0).view), (false, View(0)));
    cluster.pass(cluster.settings.view_timeout_max);
    for node in 0..4 {
        assert_eq!((cluster.status(node).view, cluster.status(node).normal), (View(1), true), "{node}");
    }
}

#[test]
fn liars_change_views_no_more_often_than_the_longest_timeout() {
    let mut cluster = cluster(2);
    let (longest, rounds) = (cluster.settings.view_timeout_max, 8);
    let demand = |node| {
        let mut change = ViewChange {
            view: View(1_000),
            node: NodeId(node),
            stable: Sequence::ZERO,
            checkpoints: Vec::new(),
            entries: Vec::new(),
            signature: Signature([0; 64]),
        };
        change.signature = ToyKeys(Peer::Node(change.node)).sign(&change.signed_bytes());
        Message::ViewChange(change)
    };
    // Two that say nothing but that they want to be elsewhere, and that they suspect whatever there is.
    cluster.down.extend([NodeId(5), NodeId(6)]);
    for _ in 0..rounds {
        for (liar, to) in [5, 6].into_iter().flat_map(|liar| (0..5).map(move |to| (liar, to))) {
            cluster.say(liar, to, demand(liar));
            let mut said = super::normal_case::status_of_nobody();
            (said.view, said.suspects) = (cluster.status(to).view, true);
            cluster.say(liar, to, Message::Status(said));
        }
        cluster.pass(longest);
    }
    let view = cluster.status(0).view;
    assert!(view > View(0), "it is what they may have");
    assert!(view <= View(rounds), "{view}");
    assert!(longest >= Duration::from_secs(10));
}
