//! Replicas that were away, or cut off from some of the messages.

use super::cluster;
use crate::pbft::message::{Committed, Message};
use crate::replica::Observation;
use crate::testing::Cluster;
use std::cell::RefCell;
use std::rc::Rc;
use wire::{Digest, NodeId, Sequence, View};

#[test]
fn whatever_kind_of_message_is_lost_is_sent_again() {
    for lost in ["PRE-PREPARE", "PREPARE", "COMMIT", "CHECKPOINT"] {
        let mut cluster = cluster(1);
        cluster.drop = Box::new(move |_, to, message| to == NodeId(2) && message.name() == lost);
        for timestamp in 1..=6 {
            cluster.ask(0, 1, timestamp);
        }
        cluster.drop = Box::new(|_, _, _| false);
        cluster.seconds(1);
        let status = cluster.status(2);
        assert_eq!((status.executed, status.stable), (Sequence(6), Sequence(4)), "{lost}");
        assert_eq!((status.view, cluster.status(0).view), (View(0), View(0)), "{lost}");
    }
}

#[test]
fn a_replica_that_missed_a_few_batches_gets_them_one_by_one() {
    let mut cluster = cluster(1);
    cluster.down.insert(NodeId(3));
    for timestamp in 1..=3 {
        cluster.ask(0, 1, timestamp);
    }
    cluster.down.clear();
    cluster.restart(3);
    cluster.seconds(1);
    assert_eq!(cluster.executed(NodeId(3)), cluster.executed(NodeId(0)));
}

#[test]
fn a_replica_that_was_away_catches_up_by_snapshot() {
    let mut cluster = cluster(1);
    cluster.down.insert(NodeId(3));
    for timestamp in 1..=30 {
        cluster.ask(0, 1, timestamp);
    }
    cluster.down.clear();
    cluster.restart(3);
    cluster.seconds(2);
    assert_eq!(cluster.status(3).state, cluster.status(0).state);
    assert_eq!(cluster.executed_up_to(3), Sequence(30));
    let restored = |(node, observation): &(NodeId, Observation)| {
        *node == NodeId(3) && matches!(observation, Observation::Restored { sequence: Sequence(28), .. })
    };
    assert!(cluster.observed.iter().any(restored));
    // And it takes part again: without it there would be no quorum now.
    cluster.down.insert(NodeId(2));
    cluster.ask(0, 1, 31);
    assert_eq!(cluster.answered(1, 31), [0, 1, 3].into());
}

#[test]
fn what_was_taken_over_survives_a_loss_of_power() {
    let mut cluster = cluster(1);
    cluster.down.insert(NodeId(3));
    for timestamp in 1..=30 {
        cluster.ask(0, 1, timestamp);
    }
    cluster.down.clear();
    cluster.restart(3);
    cluster.seconds(2);
    cluster.drop = Box::new(|_, to, _| to == NodeId(3));
    cluster.restart(3);
    assert_eq!(cluster.executed_up_to(3), Sequence(30));
    assert_eq!(cluster.status(3).state, cluster.status(0).state);
}

#[test]
fn one_liar_cannot_make_a_replica_believe_that_something_was_committed() {
    let mut cluster = cluster(1);
    let digests = vec![Digest([7; 32])];
    let claim = Message::Committed(Committed { first: Sequence(1), digests });
    cluster.say(3, 1, claim.clone());
    cluster.say(3, 1, claim);
    cluster.ask(0, 1, 1);
    assert_eq!(cluster.executed(NodeId(1)), cluster.executed(NodeId(0)));
    assert_eq!(cluster.executed(NodeId(1)).len(), 1);
}

#[test]
fn the_log_is_cut_at_a_stable_checkpoint_and_the_disk_with_it() {
    let mut cluster = cluster(1);
    for timestamp in 1..=9 {
        cluster.ask(0, 1, timestamp);
    }
    let status = cluster.status(1);
    assert_eq!((status.executed, status.stable), (Sequence(9), Sequence(8)));
    assert_eq!(cluster.replicas[&NodeId(1)].log.iter().count(), 1);
    let left = super::disk(&cluster.disks[&NodeId(1)]);
    assert!(left.records.len() <= 4, "those of the one batch since: {}", left.records.len());
}

#[test]
fn one_that_has_executed_a_batch_votes_for_it_in_a_later_view_for_those_who_have_not() {
    let mut cluster = cluster(1);
    cluster.down.insert(NodeId(3));
    // Only 2 learns that the batch is committed, and what it then needs to vote for it again comes before NEW-VIEW.
    cluster.drop = Box::new(|_, to, message| match message {
        crate::Message::Pbft(Message::Commit(commit)) => commit.view == View(0) && to != NodeId(2),
        crate::Message::Pbft(Message::Prepare(prepare)) => prepare.view == View(1) && to == NodeId(2),
        _ => false,
    });
    cluster.ask(0, 1, 1);
    // Votes came in the first of these times.
    cluster.pass(2 * cluster.settings.view_timeout);
    let executed = |cluster: &Cluster<_>| [0, 1, 2].map(|node| cluster.executed_up_to(node).0);
    assert_eq!((executed(&cluster), cluster.status(2).view), ([0, 0, 1], View(1)));
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(cluster.settings.view_timeout);
    assert_eq!((executed(&cluster), cluster.status(2).view), ([1, 1, 1], View(1)));
}

#[test]
fn one_that_says_it_executed_more_than_there_can_be_is_sent_the_votes_for_what_is_open_and_no_batch() {
    let mut cluster = cluster(1);
    cluster.drop = Box::new(|_, _, message| message.name() == "COMMIT");
    cluster.ask(0, 1, 1);
    let seen = Rc::new(RefCell::new(Vec::new()));
    let spy = Rc::clone(&seen);
    cluster.drop = Box::new(move |_, to, message| {
        if to == NodeId(3) {
            spy.borrow_mut().push(message.name());
        }
        true
    });
    let mut said = super::normal_case::status_of_nobody();
    said.executed = Sequence(u64::MAX);
    for to in [0, 1] {
        cluster.say(3, to, Message::Status(said.clone()));
    }
    assert_eq!(*seen.borrow(), ["COMMIT", "PREPARE", "COMMIT"]);
}
