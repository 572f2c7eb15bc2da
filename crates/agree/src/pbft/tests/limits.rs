//! What does not fit is known before it is sent.

use super::{ToyKeys, settings};
use crate::pbft::message::{
    CHECKPOINTS_MAX, ENTRIES_MAX, Entry, Message, NewView, PROOFS_MAX, ViewChange, new_view_bytes_max,
    view_change_bytes_max,
};
use crate::pbft::{RecoverError, Replica};
use crate::protocol::{F_MAX, Protocol};
use crate::settings::Settings;
use crate::testing::Journalist;
use wire::frame::BODY_BYTES_MAX;
use wire::{Digest, Encode, NodeId, Peer, Sequence, Signature, View};

fn longest_view_change(entries: usize) -> ViewChange {
    let entry =
        |n| Entry { sequence: Sequence(n), digest: Digest::ZERO, accepted: View(1), prepared: Some(View(1)) };
    ViewChange {
        view: View(2),
        node: NodeId(0),
        stable: Sequence::ZERO,
        checkpoints: vec![(Sequence::ZERO, Digest::ZERO); CHECKPOINTS_MAX],
        entries: (0..entries as u64).map(entry).collect(),
        signature: Signature([0; 64]),
    }
}

#[test]
fn a_new_view_of_the_largest_cluster_fits_a_frame() {
    let settings = Settings::new(Protocol::Pbft, F_MAX);
    let batches = settings.log_batches_max() as usize;
    let change = longest_view_change(batches);
    assert_eq!(change.to_bytes().len(), view_change_bytes_max(batches));
    let new_view = NewView {
        view: View(2),
        start: Sequence::ZERO,
        order: vec![Digest::ZERO; batches],
        proofs: vec![change; PROOFS_MAX],
        signature: Signature([0; 64]),
    };
    let bytes = crate::Message::Pbft(Message::NewView(new_view)).to_bytes().len();
    assert_eq!(bytes, new_view_bytes_max(settings.n(), batches));
    assert!(bytes <= BODY_BYTES_MAX, "{bytes}");
}

fn refusal(me: u16, settings: Settings) -> Option<RecoverError> {
    let (me, keys) = (NodeId(me), ToyKeys(Peer::Node(NodeId(me))));
    Replica::recover(me, settings, Journalist::default(), keys, crate::Recovered::default()).err()
}

fn says(refusal: Option<RecoverError>, words: &str) -> bool {
    refusal.is_some_and(|error| error.to_string().contains(words))
}

#[test]
fn settings_whose_messages_would_not_fit_are_refused() {
    let long = Settings { checkpoint_interval: 512, ..Settings::new(Protocol::Pbft, F_MAX) };
    assert!(says(refusal(0, long), "a frame takes"));
    let longer = Settings { checkpoint_interval: ENTRIES_MAX as u64, ..settings(1) };
    assert!(says(refusal(0, longer), "batches in the log"));
    let often = Settings { checkpoint_interval: 1, window: 64, ..settings(1) };
    assert!(says(refusal(0, often), "can name 32"));
}

#[test]
fn settings_that_make_no_cluster_are_refused() {
    let mut three = settings(1);
    three.members.pop();
    assert!(says(refusal(0, three), "3 members; pbft for f = 1 has 4"));
    assert_eq!(refusal(9, settings(1)), Some(RecoverError::NotAMember(NodeId(9))));
    assert_eq!(refusal(0, settings(1)), None);
}
