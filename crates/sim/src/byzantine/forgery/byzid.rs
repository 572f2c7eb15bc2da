//! The messages of ByzID, as a liar would have them. Seals are left out as an honest replica leaves them out: its guard
//! fills them in, or does not.

use super::{Kind, batch_of, invented_digest, with_batch};
use crate::byzantine::Means;
use agree::byzid::message::{
    Ack, Checkpoint, Claim, Fetched, Joined, Member, Message, NewConfig, Order, Reconfigure,
};
use agree::byzid::message::{Stable, StableCheckpoint};
use agree::{Batch, Request};
use wire::{NodeId, Sequence, View};

/// What `message` is for.
pub(super) fn kind(message: &Message) -> Kind {
    match message {
        Message::Order(_) => Kind::Order,
        Message::Ack(_) => Kind::Vote,
        Message::Checkpoint(_) | Message::StableCheckpoint(_) => Kind::Checkpoint,
        Message::Reconfigure(_) | Message::NewConfig(_) | Message::Joined(_) => Kind::ViewChange,
        Message::Fetched(_) => Kind::Transfer,
        Message::Fetch(_) | Message::AskBatch(_) | Message::Control(_) | Message::Relay(_) => Kind::Other,
    }
}

/// Another version of `message`.
pub(super) fn altered(message: &Message, means: &mut Means) -> Option<Message> {
    let altered = match message.clone() {
        Message::Order(order) => Message::Order(Order { batch: batch_of(&order.batch, means), ..order }),
        Message::Ack(ack) => match means.random.below(3) {
            0 => Message::Ack(Ack { digest: invented_digest(means), ..ack }),
            1 => Message::Ack(Ack { sequence: ack.sequence.plus(means.random.between(1, 20)), ..ack }),
            _ => Message::Ack(Ack { sequence: ack.sequence.previous(), ..ack }),
        },
        Message::Checkpoint(checkpoint) => Message::Checkpoint(lied(checkpoint, means)),
        Message::StableCheckpoint(declared) => {
            let stable = Stable { digest: invented_digest(means), ..declared.stable };
            Message::StableCheckpoint(StableCheckpoint { stable, ..declared })
        }
        Message::Fetch(mut fetch) => {
            fetch.first = Sequence(means.random.below(fetch.first.0 + 100));
            Message::Fetch(fetch)
        }
        Message::Fetched(mut fetched) => {
            fetched.batch = batch_of(&fetched.batch, means);
            Message::Fetched(fetched)
        }
        Message::Reconfigure(mut said) => {
            said.claim = claim(said.claim, means);
            if means.random.chance(300) {
                said.seals = None;
            }
            Message::Reconfigure(said)
        }
        Message::NewConfig(said) => Message::NewConfig(Box::new(new_config(*said, means))),
        Message::Joined(joined) => {
            let last = Sequence(means.random.below(joined.last.0 + 50));
            Message::Joined(Joined { last, ..joined })
        }
        Message::AskBatch(_) | Message::Control(_) | Message::Relay(_) => return None,
    };
    Some(altered)
}

fn lied(checkpoint: Checkpoint, means: &mut Means) -> Checkpoint {
    match means.random.below(3) {
        0 => Checkpoint {
            sequence: checkpoint.sequence.plus(means.settings.checkpoint_interval),
            ..checkpoint
        },
        _ => Checkpoint { digest: invented_digest(means), ..checkpoint },
    }
}

/// Claims less than it has, or more, or something else.
fn claim(mut claim: Claim, means: &mut Means) -> Claim {
    match means.random.below(6) {
        0 => {
            let keep = means.random.index(claim.orders.len() + 1);
            claim.orders.truncate(keep);
        }
        1 => claim.orders.push(invented_digest(means)),
        2 => {
            if let Some(digest) = claim.orders.last_mut() {
                *digest = invented_digest(means);
            }
        }
        3 => claim.stable = Stable::genesis(),
        4 => claim.entered = View(claim.entered.0 + 1),
        _ => claim.vouched = true,
    }
    claim
}

fn new_config(mut config: NewConfig, means: &mut Means) -> NewConfig {
    match means.random.below(5) {
        0 => {
            let keep = means.random.index(config.orders.len() + 1);
            config.orders.truncate(keep);
        }
        1 => config.orders.push(invented_digest(means)),
        2 => config.members.rotate_left(1),
        3 => config.claimants = vec![means.me],
        _ => config.stable = Stable::genesis(),
    }
    config
}

/// `message` as it would be in `view`.
pub(super) fn in_view(message: &Message, view: View) -> Option<Message> {
    let mut message = message.clone();
    match &mut message {
        Message::Order(order) => order.view = view,
        Message::Ack(ack) => ack.view = view,
        Message::Checkpoint(checkpoint) => checkpoint.view = view,
        Message::StableCheckpoint(declared) => declared.view = view,
        Message::Fetch(fetch) => fetch.view = view,
        Message::Reconfigure(said) => said.target = view,
        Message::NewConfig(config) => config.view = view,
        Message::Joined(joined) => joined.view = view,
        Message::AskBatch(_) | Message::Fetched(_) | Message::Control(_) | Message::Relay(_) => return None,
    }
    Some(message)
}

/// An order of the same batch for a later place.
pub(super) fn moved_on(message: &Message) -> Option<Message> {
    match message {
        Message::Order(order) => {
            Some(Message::Order(Order { sequence: order.sequence.next(), ..order.clone() }))
        }
        _ => None,
    }
}

/// An order that holds `request` as well.
pub(super) fn with_request(message: &Message, request: Request) -> Option<Message> {
    match message {
        Message::Order(order) => {
            let batch: Batch = with_batch(&order.batch, request);
            Some(Message::Order(Order { batch, ..order.clone() }))
        }
        _ => None,
    }
}

/// An order of this request alone.
pub(super) fn order_of(request: Request, view: View, sequence: Sequence) -> Message {
    Message::Order(Order { view, sequence, batch: Batch::new(vec![request]), seal: None })
}

/// The last place that is taken, as far as `message` tells.
pub(super) fn place_of(message: &Message) -> Option<(View, Sequence)> {
    match message {
        Message::Order(order) => Some((order.view, order.sequence)),
        Message::NewConfig(new) => Some((new.view, new.last())),
        _ => None,
    }
}

/// The batch of an order, as if a candidate had asked for it.
pub(super) fn handed_out(message: &Message) -> Option<Message> {
    match message {
        Message::Order(Order { view, sequence, batch, .. }) => {
            Some(Message::Fetched(Fetched { target: view.next(), sequence: *sequence, batch: batch.clone() }))
        }
        _ => None,
    }
}

/// What a backup vouches for, declared stable.
pub(super) fn declared_stable(message: &Message) -> Option<Message> {
    match message {
        Message::Checkpoint(Checkpoint { view, sequence, digest }) => {
            let stable = Stable { sequence: *sequence, digest: *digest, seal: None };
            Some(Message::StableCheckpoint(StableCheckpoint { view: *view, stable }))
        }
        _ => None,
    }
}

/// A claim for the next configuration, from scratch.
pub(super) fn needless(means: &mut Means) -> Message {
    let members = means.settings.members.iter().map(|node: &NodeId| Member { node: *node, incarnation: 1 });
    Message::Reconfigure(Box::new(Reconfigure {
        target: means.view.next(),
        claim: Claim {
            entered: means.view,
            members: members.collect(),
            stable: Stable::genesis(),
            orders: Vec::new(),
            vouched: true,
            incarnation: 1,
            known: Vec::new(),
        },
        seals: None,
    }))
}
