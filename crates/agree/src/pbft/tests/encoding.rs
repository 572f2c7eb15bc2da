//! The bytes of the messages.

use super::signed;
use crate::Batch;
use crate::pbft::message::{
    AskBatch, Checkpoint, Commit, Committed, Entry, FoundBatch, Message, NewView, PrePrepare, Prepare,
    Status, ViewChange,
};
use wire::{Decode, Digest, Encode, NodeId, Sequence, Signature, View};

fn digest(byte: u8) -> Digest {
    Digest([byte; 32])
}

fn view_change() -> ViewChange {
    let (sequence, digest_of) = (Sequence(5), digest(2));
    ViewChange {
        view: View(3),
        node: NodeId(1),
        stable: Sequence(4),
        checkpoints: vec![(Sequence(4), digest(1))],
        entries: vec![
            Entry { sequence, digest: digest_of, accepted: View(2), prepared: Some(View(1)) },
            Entry { sequence: Sequence(6), digest: digest_of, accepted: View(2), prepared: None },
        ],
        signature: Signature([9; 64]),
    }
}

/// One of each, with the digest of its bytes. Bytes on the wire are a promise to nodes of other builds, and records
/// are made of the same parts: when one of these fails, raise `wire::frame::VERSION`.
fn all() -> Vec<(Message, &'static str)> {
    let (view, sequence) = (View(3), Sequence(5));
    let batch = Batch::new(vec![signed(1, 2), signed(2, 7)]);
    let status = Status {
        view,
        active: true,
        suspects: true,
        known: View(2),
        decision: digest(4),
        executed: Sequence(7),
        stable: Sequence(4),
        changes: 5,
        accepted: 3,
        prepared: 1,
    };
    let new_view = NewView {
        view,
        start: Sequence(4),
        order: vec![digest(2)],
        proofs: vec![view_change()],
        signature: Signature([8; 64]),
    };
    vec![
        (Message::PrePrepare(PrePrepare { view, sequence, batch: batch.clone() }), "PRE-PREPARE"),
        (Message::Prepare(Prepare { view, sequence, digest: digest(1) }), "PREPARE"),
        (Message::Commit(Commit { view, sequence, digest: digest(1) }), "COMMIT"),
        (Message::Checkpoint(Checkpoint { sequence, digest: digest(1) }), "CHECKPOINT"),
        (Message::ViewChange(view_change()), "VIEW-CHANGE"),
        (Message::NewView(new_view), "NEW-VIEW"),
        (Message::Status(status), "STATUS"),
        (Message::Committed(Committed { first: sequence, digests: vec![digest(1), digest(2)] }), "COMMITTED"),
        (Message::AskBatch(AskBatch { sequence, digest: digest(1) }), "ASK-BATCH"),
        (Message::FoundBatch(FoundBatch { sequence, batch }), "FOUND-BATCH"),
    ]
}

#[test]
fn every_message_survives_the_trip() {
    for (message, name) in all() {
        assert_eq!(Message::from_bytes(message.to_bytes()), Ok(message.clone()), "{name}");
        assert_eq!(message.name(), name);
    }
}

#[test]
fn a_message_cut_short_is_refused_at_every_length() {
    for (message, name) in all() {
        let bytes = message.to_bytes();
        for length in 0..bytes.len() {
            assert!(Message::from_bytes(bytes.slice(..length)).is_err(), "{name} at {length}");
        }
    }
}

#[test]
fn the_bytes_of_a_prepare_do_not_change_unnoticed() {
    let prepare = Message::Prepare(Prepare { view: View(3), sequence: Sequence(5), digest: digest(1) });
    let mut expected = vec![1, 3, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0];
    expected.extend_from_slice(&[1; 32]);
    assert_eq!(prepare.to_bytes(), expected);
}

#[test]
fn the_bytes_of_the_messages_do_not_change_unnoticed() {
    let found: Vec<String> = all()
        .into_iter()
        .map(|(message, name)| format!("{name} {} {}", message.to_bytes().len(), Digest::of(&message)))
        .collect();
    let expected = include_str!("bytes_of_messages.txt");
    assert_eq!(found.join("\n"), expected.trim_end());
}

#[test]
fn what_is_signed_is_everything_but_the_signature() {
    let change = view_change();
    let mut variants = vec![change.clone(); 5];
    variants[0].view = View(4);
    variants[1].node = NodeId(2);
    variants[2].stable = Sequence(3);
    variants[3].checkpoints.clear();
    variants[4].entries[0].prepared = None;
    for variant in variants {
        assert_ne!(variant.signed_bytes(), change.signed_bytes());
    }
    let other = ViewChange { signature: Signature([0; 64]), ..change.clone() };
    assert_eq!(other.signed_bytes(), change.signed_bytes());
}

#[test]
fn a_batch_that_prepared_before_it_was_accepted_does_not_decode() {
    let mut change = view_change();
    change.entries[0].prepared = Some(View(3));
    assert!(ViewChange::from_bytes(change.to_bytes()).is_err());
}
