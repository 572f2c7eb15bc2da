//! Primaries that fail, and views that begin.

use super::suspicions::ahead_of_the_others;
use super::{ToyKeys, cluster, signed};
use crate::Batch;
use crate::pbft::message::{Entry, Message, NewView, PrePrepare, ViewChange};
use crate::replica::{Event, Observation};
use crate::testing::Cluster;
use std::cell::RefCell;
use std::rc::Rc;
use wire::{Digest, Keys, NodeId, Peer, Sequence, Signature, View};

#[test]
fn a_silent_primary_is_voted_out_and_the_request_executed() {
    let mut cluster = cluster(1);
    cluster.down.insert(NodeId(0));
    cluster.ask_all(1, 1);
    cluster.seconds(5);
    assert_eq!(cluster.answered(1, 1), [1, 2, 3].into());
    assert_eq!((cluster.status(2).view, cluster.status(2).primary), (View(1), NodeId(1)));
}

#[test]
fn f_silent_primaries_in_a_row_are_voted_out() {
    let mut cluster = cluster(2);
    cluster.down.extend([NodeId(0), NodeId(1)]);
    cluster.ask_all(1, 1);
    cluster.seconds(30);
    assert_eq!(cluster.answered(1, 1), [2, 3, 4, 5, 6].into());
    assert_eq!(cluster.status(3).view, View(2));
}

#[test]
fn a_committed_batch_survives_its_primary() {
    let mut cluster = cluster(1);
    // Only the primary and 3 learn that the batch is committed: nobody else gets a COMMIT.
    cluster.drop = Box::new(|_, to, message| {
        message.name() == "COMMIT" && to != NodeId(3) && to != NodeId(0) || message.name() == "COMMITTED"
    });
    cluster.ask(0, 1, 1);
    assert_eq!(cluster.executed(NodeId(3)).len(), 1);
    assert!(cluster.executed(NodeId(1)).is_empty());
    // The primary dies, and so does the only other one that knows.
    let committed = cluster.executed(NodeId(3))[0];
    cluster.down.insert(NodeId(0));
    cluster.drop = Box::new(|from, to, _| from == NodeId(3) || to == NodeId(3));
    cluster.ask_all(2, 1);
    cluster.seconds(3);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.seconds(20);
    for node in 1..=3 {
        assert_eq!(cluster.executed(NodeId(node))[0], committed, "{node}");
        assert!(cluster.status(node).view > View(0));
    }
    assert_eq!(cluster.answered(2, 1), [1, 2, 3].into());
}

#[test]
fn one_alone_cannot_force_a_view_change_and_takes_part_in_what_the_others_execute() {
    let mut cluster = cluster(1);
    let left_alone = ahead_of_the_others(&mut cluster);
    assert_eq!((cluster.status(left_alone).view, cluster.status(2).view), (View(1), View(0)));
    for timestamp in 1..=20 {
        cluster.ask(0, 1, timestamp);
    }
    cluster.seconds(5);
    assert_eq!(cluster.executed_up_to(left_alone), Sequence(20));
    assert_eq!(cluster.status(left_alone).state, cluster.status(0).state);
}

#[test]
fn one_that_missed_new_view_gets_it() {
    let mut cluster = cluster(1);
    cluster.down.insert(NodeId(0));
    cluster.drop = Box::new(|_, to, message| message.name() == "NEW-VIEW" && to == NodeId(3));
    cluster.ask_all(1, 1);
    cluster.seconds(1);
    assert_eq!(cluster.status(1).view, View(1));
    cluster.drop = Box::new(|_, _, _| false);
    cluster.seconds(5);
    let entered = |(node, observation): &(NodeId, Observation)| {
        *node == NodeId(3) && matches!(observation, Observation::Entered { view: View(1), .. })
    };
    assert!(cluster.observed.iter().any(entered));
    assert_eq!(cluster.answered(1, 1), [1, 2, 3].into());
}

#[test]
fn a_stuck_batch_is_reason_enough_to_change_the_view() {
    let mut cluster = cluster(1);
    // The backups accept a batch of which they heard from nobody else; then the primary is gone.
    cluster.drop = Box::new(|_, _, message| message.name() == "PREPARE");
    cluster.ask(0, 1, 1);
    cluster.down.insert(NodeId(0));
    cluster.drop = Box::new(|_, _, _| false);
    cluster.seconds(10);
    // Until it has moved: what was accepted by all prepares as they tell each other, or another view begins.
    for node in 1..=3 {
        assert_eq!(cluster.executed_up_to(node), Sequence(1), "{node}");
    }
}

#[test]
fn the_old_primary_comes_back_and_follows() {
    let mut cluster = cluster(1);
    cluster.ask(0, 1, 1);
    cluster.down.insert(NodeId(0));
    cluster.ask_all(1, 2);
    cluster.seconds(5);
    cluster.restart(0);
    cluster.seconds(5);
    assert_eq!(cluster.status(0).view, cluster.status(1).view);
    assert_eq!(cluster.status(0).state, cluster.status(1).state);
    cluster.ask(1, 1, 3);
    assert_eq!(cluster.answered(1, 3), [0, 1, 2, 3].into());
}

/// A NEW-VIEW(1) as it was sent in a cluster where 1, 2 and 3 prepared one batch in view 0, and the cluster, with 3 still
/// waiting for it.
fn new_view_under_way() -> (Cluster<super::Toy>, NewView) {
    let mut cluster = cluster(1);
    let seen = Rc::new(RefCell::new(None));
    let spy = Rc::clone(&seen);
    cluster.drop = Box::new(move |_, to, message| {
        if let crate::Message::Pbft(Message::NewView(known)) = message {
            *spy.borrow_mut() = Some(known.clone());
        }
        message.name() == "COMMIT" || (message.name() == "NEW-VIEW" && to == NodeId(3))
    });
    cluster.ask(0, 1, 1);
    cluster.down.insert(NodeId(0));
    cluster.seconds(1);
    let known = seen.borrow().clone().expect("a view began");
    assert_eq!(known.order.len(), 1, "what prepared is in it");
    cluster.drop = Box::new(|_, _, _| true);
    (cluster, known)
}

fn signed_by(node: u16, mut known: NewView) -> NewView {
    known.signature = ToyKeys(Peer::Node(NodeId(node))).sign(&known.signed_bytes());
    known
}

#[test]
fn a_new_view_that_does_not_follow_from_its_proofs_is_refused() {
    let (mut cluster, known) = new_view_under_way();
    let empty = NewView { order: Vec::new(), ..known.clone() };
    let other = NewView { order: vec![Batch::new(vec![signed(9, 9)]).digest()], ..known.clone() };
    let few = NewView { proofs: known.proofs[..2].to_vec(), ..known.clone() };
    let mut twice = known.clone();
    twice.proofs[1] = twice.proofs[0].clone();
    let mut forged = known.clone();
    for change in &mut forged.proofs {
        change.entries.clear();
    }
    forged.order.clear();
    for wrong in [empty, other, few, twice, forged] {
        cluster.say(1, 3, Message::NewView(signed_by(1, wrong)));
        assert!(!cluster.status(3).normal);
    }
    cluster.say(2, 3, Message::NewView(signed_by(2, known.clone())));
    assert!(!cluster.status(3).normal, "2 does not lead view 1");
    cluster.say(2, 3, Message::NewView(known));
    assert!(cluster.status(3).normal, "but it may hand on what the primary signed");
}

#[test]
fn a_view_change_that_nobody_could_have_sent_is_refused() {
    let mut cluster = cluster(1);
    let honest = ViewChange {
        view: View(1),
        node: NodeId(2),
        stable: Sequence::ZERO,
        checkpoints: Vec::new(),
        entries: Vec::new(),
        signature: Signature([0; 64]),
    };
    let sign = |mut change: ViewChange| {
        change.signature = ToyKeys(Peer::Node(change.node)).sign(&change.signed_bytes());
        change
    };
    let entry = |n, accepted| Entry {
        sequence: Sequence(n),
        digest: Digest::ZERO,
        accepted: View(accepted),
        prepared: None,
    };
    let wrong = [
        honest.clone(),
        sign(ViewChange { entries: vec![entry(13, 0)], ..honest.clone() }),
        sign(ViewChange { entries: vec![entry(2, 0), entry(2, 0)], ..honest.clone() }),
        sign(ViewChange { entries: vec![entry(1, 1)], ..honest.clone() }),
        sign(ViewChange { checkpoints: vec![(Sequence(3), Digest::ZERO)], ..honest.clone() }),
        sign(ViewChange { node: NodeId(3), ..honest.clone() }),
    ];
    for change in wrong {
        cluster.say(2, 1, Message::ViewChange(change));
        assert!(cluster.replicas[&NodeId(1)].views.latest.is_empty());
    }
    cluster.say(2, 1, Message::ViewChange(sign(honest)));
    assert_eq!(cluster.replicas[&NodeId(1)].views.latest.len(), 1);
}

#[test]
fn messages_of_a_view_that_is_over_do_nothing() {
    let mut cluster = cluster(1);
    cluster.down.insert(NodeId(0));
    cluster.ask_all(1, 1);
    cluster.seconds(3);
    assert_eq!(cluster.status(2).view, View(1));
    let next = cluster.executed_up_to(2).next();
    let late = PrePrepare { view: View(0), sequence: next, batch: Batch::new(vec![signed(2, 1)]) };
    for to in 1..=3 {
        cluster.say(0, to, Message::PrePrepare(late.clone()));
    }
    cluster.seconds(1);
    assert_eq!(cluster.executed_up_to(2).next(), next);
}

#[test]
fn a_request_that_waited_at_a_backup_is_ordered_when_it_leads() {
    let mut cluster = cluster(1);
    cluster.drop = Box::new(|from, _, message| from == NodeId(0) && message.name() == "PRE-PREPARE");
    cluster.ask_all(1, 1);
    cluster.seconds(5);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.seconds(5);
    assert_eq!(cluster.answered(1, 1), [0, 1, 2, 3].into());
    let event = Event::Timer(crate::Timer(9));
    cluster.step(NodeId(0), event);
}
