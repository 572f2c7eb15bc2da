//! The messages of PBFT, as a liar would have them. What is signed inside is signed anew, with the liar's own key.

use super::{Kind, batch_of, invented_digest, with_batch};
use crate::byzantine::Means;
use agree::Request;
use agree::pbft::message::{
    Checkpoint, Commit, Entry, FoundBatch, Message, NewView, PrePrepare, Prepare, ViewChange,
};
use wire::{Keys, Sequence, Signature, View};

/// What `message` is for.
pub(super) fn kind(message: &Message) -> Kind {
    match message {
        Message::PrePrepare(_) => Kind::Order,
        Message::Prepare(_) | Message::Commit(_) => Kind::Vote,
        Message::Checkpoint(_) => Kind::Checkpoint,
        Message::ViewChange(_) | Message::NewView(_) => Kind::ViewChange,
        Message::Committed(_) | Message::FoundBatch(_) => Kind::Transfer,
        Message::Status(_) | Message::AskBatch(_) => Kind::Other,
    }
}

/// Another version of `message`.
pub(super) fn altered(message: &Message, means: &mut Means) -> Option<Message> {
    let altered = match message.clone() {
        Message::PrePrepare(order) => {
            Message::PrePrepare(PrePrepare { batch: batch_of(&order.batch, means), ..order })
        }
        Message::Prepare(vote) => match means.random.below(3) {
            // The vote for a batch that it also commits to: both at once.
            0 => {
                let Prepare { view, sequence, digest } = vote;
                Message::Commit(Commit { view, sequence, digest })
            }
            1 => Message::Prepare(Prepare { sequence: vote.sequence.next(), ..vote }),
            _ => Message::Prepare(Prepare { digest: invented_digest(means), ..vote }),
        },
        Message::Commit(vote) => match means.random.below(2) {
            0 => Message::Commit(Commit { sequence: vote.sequence.next(), ..vote }),
            _ => Message::Commit(Commit { digest: invented_digest(means), ..vote }),
        },
        Message::Checkpoint(said) => match means.random.below(3) {
            0 => {
                let sequence = said.sequence.plus(means.settings.checkpoint_interval);
                Message::Checkpoint(Checkpoint { sequence, ..said })
            }
            _ => Message::Checkpoint(Checkpoint { digest: invented_digest(means), ..said }),
        },
        Message::ViewChange(said) => {
            // What it may sign is only what it says itself.
            if said.node != means.me {
                return None;
            }
            Message::ViewChange(view_change(said, means))
        }
        Message::NewView(said) => Message::NewView(new_view(said, means)),
        Message::Status(mut said) => {
            match means.random.below(6) {
                0 => said.executed = Sequence(means.random.below(said.executed.0 + 100)),
                1 => said.stable = Sequence(means.random.below(said.stable.0 + 100)),
                2 => said.known = View(means.random.below(said.known.0 + 3)),
                3 => said.decision = invented_digest(means),
                4 => said.suspects = !said.suspects,
                _ => {
                    said.accepted = means.random.bits();
                    said.prepared = means.random.bits();
                    said.changes = means.random.bits();
                }
            }
            Message::Status(said)
        }
        Message::Committed(mut said) => {
            match means.random.below(2) {
                0 => said.first = said.first.next(),
                _ => said.digests.iter_mut().for_each(|digest| *digest = invented_digest(means)),
            }
            Message::Committed(said)
        }
        Message::FoundBatch(found) => {
            Message::FoundBatch(FoundBatch { batch: batch_of(&found.batch, means), ..found })
        }
        Message::AskBatch(_) => return None,
    };
    Some(altered)
}

/// Forgets what prepared, invents what did not, moves its checkpoint, and signs it.
fn view_change(mut said: ViewChange, means: &mut Means) -> ViewChange {
    match means.random.below(7) {
        0 => said.entries.clear(),
        1 => said.entries.iter_mut().for_each(|entry| entry.prepared = None),
        2 => {
            for entry in &mut said.entries {
                entry.digest = invented_digest(means);
                entry.accepted = View(said.view.0.saturating_sub(1));
                entry.prepared = Some(entry.accepted);
            }
        }
        3 => {
            let last = said.entries.last().map_or(said.stable, |entry| entry.sequence);
            let accepted = View(said.view.0.saturating_sub(1));
            said.entries.push(Entry {
                sequence: last.next(),
                digest: invented_digest(means),
                accepted,
                prepared: Some(accepted),
            });
        }
        4 => said.checkpoints.iter_mut().for_each(|(_, digest)| *digest = invented_digest(means)),
        5 => said.stable = Sequence(means.random.below(said.stable.0 + 50)),
        _ => said.view = View(said.view.0.saturating_add(means.random.between(1, 5))),
    }
    signed_view_change(said, means)
}

fn signed_view_change(mut said: ViewChange, means: &Means) -> ViewChange {
    said.signature = means.keys.sign(&said.signed_bytes());
    said
}

/// Begins a view in another way than follows from what the others said.
fn new_view(mut said: NewView, means: &mut Means) -> NewView {
    match means.random.below(6) {
        0 => {
            let keep = means.random.index(said.order.len() + 1);
            said.order.truncate(keep);
        }
        1 => said.order.iter_mut().for_each(|digest| *digest = invented_digest(means)),
        2 => said.order.push(invented_digest(means)),
        3 => {
            said.proofs.pop();
        }
        4 => said.start = Sequence(means.random.below(said.start.0 + 50)),
        _ => {
            // Leaves a proof out and puts its own, changed, in.
            if let Some(own) = said.proofs.iter_mut().find(|proof| proof.node == means.me) {
                *own = view_change(own.clone(), means);
            }
        }
    }
    said.signature = means.keys.sign(&said.signed_bytes());
    said
}

/// `message` as it would be in `view`.
pub(super) fn in_view(message: &Message, view: View, means: &Means) -> Option<Message> {
    let mut message = message.clone();
    match &mut message {
        Message::PrePrepare(order) => order.view = view,
        Message::Prepare(vote) => vote.view = view,
        Message::Commit(vote) => vote.view = view,
        Message::ViewChange(said) if said.node == means.me => {
            said.view = view;
            *said = signed_view_change(said.clone(), means);
        }
        Message::NewView(said) => {
            said.view = view;
            said.signature = means.keys.sign(&said.signed_bytes());
        }
        Message::Status(said) => said.view = view,
        Message::ViewChange(_)
        | Message::Checkpoint(_)
        | Message::Committed(_)
        | Message::AskBatch(_)
        | Message::FoundBatch(_) => return None,
    }
    Some(message)
}

/// An order of the same batch for a later place.
pub(super) fn moved_on(message: &Message) -> Option<Message> {
    match message {
        Message::PrePrepare(order) => {
            Some(Message::PrePrepare(PrePrepare { sequence: order.sequence.next(), ..order.clone() }))
        }
        _ => None,
    }
}

/// An order that holds `request` as well.
pub(super) fn with_request(message: &Message, request: Request) -> Option<Message> {
    match message {
        Message::PrePrepare(order) => Some(Message::PrePrepare(PrePrepare {
            batch: with_batch(&order.batch, request),
            ..order.clone()
        })),
        _ => None,
    }
}

/// The demand for a view that `message` makes, as the liar's own and without any batch; who suspects a view is about to make one.
pub(super) fn forgetful(message: &Message, means: &Means) -> Option<Message> {
    let said = match message {
        Message::ViewChange(said) => ViewChange { node: means.me, entries: Vec::new(), ..said.clone() },
        Message::Status(said) if said.suspects => {
            empty_view_change(View(said.view.0.saturating_add(1)), means)
        }
        _ => return None,
    };
    Some(Message::ViewChange(signed_view_change(said, means)))
}

/// A demand for the next view.
pub(super) fn needless(means: &mut Means) -> Message {
    let said = empty_view_change(View(means.view.0 + means.random.between(1, 3)), means);
    Message::ViewChange(signed_view_change(said, means))
}

/// The demand for `view` by one that has nothing.
fn empty_view_change(view: View, means: &Means) -> ViewChange {
    ViewChange {
        view,
        node: means.me,
        stable: Sequence::ZERO,
        checkpoints: Vec::new(),
        entries: Vec::new(),
        signature: Signature([0; 64]),
    }
}
