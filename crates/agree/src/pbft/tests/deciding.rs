//! The decision procedure, set by set.

use crate::Batch;
use crate::pbft::decide::{Decision, decide};
use crate::pbft::message::{Entry, ViewChange};
use crate::pbft::quorum::Quorum;
use wire::{Digest, NodeId, Sequence, Signature, View};

const LENGTH: u64 = 8;

fn digest(byte: u8) -> Digest {
    Digest([byte; 32])
}

/// A VIEW-CHANGE of `node` for view 9 whose sender has nothing but checkpoint 0.
fn change(node: u16) -> ViewChange {
    ViewChange {
        view: View(9),
        node: NodeId(node),
        stable: Sequence::ZERO,
        checkpoints: vec![(Sequence::ZERO, digest(0))],
        entries: Vec::new(),
        signature: Signature([0; 64]),
    }
}

/// The same, that accepted `batch` at `n` in view `accepted`, where it prepared in `prepared`.
fn with(change: ViewChange, n: u64, batch: u8, accepted: u64, prepared: Option<u64>) -> ViewChange {
    let (sequence, digest) = (Sequence(n), digest(batch));
    let entry = Entry { sequence, digest, accepted: View(accepted), prepared: prepared.map(View) };
    let mut change = change;
    change.entries.push(entry);
    change
}

fn decided(changes: &[ViewChange]) -> Option<Decision> {
    decide(&changes.iter().collect::<Vec<_>>(), Quorum::new(1), LENGTH)
}

fn order(changes: &[ViewChange]) -> Option<Vec<Digest>> {
    decided(changes).map(|decision| decision.order)
}

#[test]
fn nothing_prepared_means_that_every_place_is_free() {
    let accepted_only = with(change(0), 1, 7, 2, None);
    assert_eq!(order(&[accepted_only, change(1), change(2)]), Some(Vec::new()));
}

#[test]
fn two_view_changes_decide_nothing() {
    assert_eq!(decided(&[change(0), change(1)]), None);
}

#[test]
fn what_may_have_been_committed_is_decided() {
    // Committed by 0, 1 and 3; of those only 0 is heard, and 1, where it did not prepare in time to be reported.
    let changes = [with(change(0), 1, 7, 2, Some(2)), with(change(1), 1, 7, 2, None), change(2)];
    assert_eq!(order(&changes), Some(vec![digest(7)]));
}

#[test]
fn what_only_one_says_it_accepted_is_not_decided() {
    // 0 may be lying: nobody else accepted the batch, so it cannot have been committed, nor need anybody have it.
    let lie = with(change(0), 1, 7, 2, Some(2));
    assert_eq!(order(&[lie.clone(), change(1), change(2)]), None, "but perhaps 3 accepted it");
    assert_eq!(order(&[lie, change(1), change(2), change(3)]), Some(Vec::new()));
}

#[test]
fn the_later_view_wins() {
    let old = with(change(0), 1, 7, 2, Some(2));
    let new = with(change(1), 1, 8, 4, Some(4));
    let voucher = with(change(2), 1, 8, 4, None);
    assert_eq!(order(&[old, new, voucher]), Some(vec![digest(8)]));
}

#[test]
fn a_batch_contradicted_by_a_later_one_needs_one_more_to_be_heard() {
    // 2 says that another batch prepared later, and nobody vouches for that: a lie, but only the fourth makes it one.
    let honest = [with(change(0), 1, 7, 2, Some(2)), with(change(1), 1, 7, 2, Some(2))];
    let lie = with(change(2), 1, 8, 4, Some(4));
    let three = [honest[0].clone(), honest[1].clone(), lie.clone()];
    assert_eq!(order(&three), None);
    let four = [honest[0].clone(), honest[1].clone(), lie, with(change(3), 1, 7, 2, None)];
    assert_eq!(order(&four), Some(vec![digest(7)]));
}

#[test]
fn gaps_are_filled_with_null_batches_up_to_the_last_batch() {
    let changes = [with(change(0), 3, 7, 2, Some(2)), with(change(1), 3, 7, 2, None), change(2)];
    let null = Batch::null().digest();
    assert_eq!(order(&changes), Some(vec![null, null, digest(7)]));
}

#[test]
fn a_null_batch_that_prepared_is_not_free() {
    let null = Batch::null().digest();
    let mut changes = [with(change(0), 1, 0, 2, Some(2)), with(change(1), 1, 0, 2, None), change(2)];
    for entry in changes.iter_mut().flat_map(|change| &mut change.entries) {
        entry.digest = null;
    }
    assert_eq!(order(&changes), Some(vec![null]), "it may have been executed somewhere");
}

#[test]
fn the_start_is_the_highest_checkpoint_that_a_correct_replica_has_and_enough_can_go_on_from() {
    let at = |node, stable, checkpoints: &[(u64, u8)]| ViewChange {
        stable: Sequence(stable),
        checkpoints: checkpoints.iter().map(|(n, d)| (Sequence(*n), digest(*d))).collect(),
        ..change(node)
    };
    let start = |changes: &[ViewChange]| decided(changes).map(|decision| decision.start);
    let two_have_it = [at(0, 0, &[(0, 0), (4, 1)]), at(1, 0, &[(0, 0), (4, 1)]), change(2)];
    assert_eq!(start(&two_have_it), Some(Sequence(4)));
    let one_says_so = [at(0, 0, &[(0, 0), (4, 1)]), at(1, 0, &[(0, 0), (4, 2)]), change(2)];
    assert_eq!(start(&one_says_so), Some(Sequence::ZERO), "two digests, one voice each");
    let one_is_past_it = [at(0, 4, &[(4, 1)]), change(1), change(2)];
    assert_eq!(start(&one_is_past_it), None, "nobody vouches for 4 beside 0, and 0 cannot go back");
}

#[test]
fn what_is_at_or_below_a_stable_checkpoint_does_not_count_as_unprepared() {
    // 0 has cut its log at 4: it says nothing of the batch that it saw committed at 3, and must not be taken to deny it.
    let past = ViewChange { stable: Sequence(4), checkpoints: vec![(Sequence(4), digest(1))], ..change(0) };
    assert_eq!(decided(&[past, change(1), change(2)]), None);
}
