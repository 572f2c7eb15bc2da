//! What a liar must know of the protocols' messages: one file per protocol, the same few questions to each.

use super::Means;
use agree::checkpoint::Transfer;
use agree::{Message, Reply, Request};
use bytes::Bytes;
use wire::{Sequence, View};

/// What a message is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A client asks or is answered.
    Client,
    /// Gives batches their places.
    Order,
    /// Agrees or acknowledges.
    Vote,
    /// Says what the state is.
    Checkpoint,
    /// Leads from one view to the next.
    ViewChange,
    /// Hands a state over.
    Transfer,
    /// Anything else.
    Other,
}

/// What `message` is for.
#[must_use]
pub fn kind(message: &Message) -> Kind {
    match message {
        Message::Request(_) | Message::Reply(_) | Message::Busy(_) => Kind::Client,
        Message::Transfer(_) => Kind::Transfer,
        Message::ByzId(_) | Message::Paxos(_) | Message::Pbft(_) => Kind::Other,
    }
}

/// Another version of `message`, which says something else of the same kind; nothing if there is none worth telling.
pub fn altered(message: &Message, means: &mut Means) -> Option<Message> {
    match message {
        Message::Reply(reply) => {
            let result = Bytes::copy_from_slice(&means.random.bits().to_le_bytes());
            Some(Message::Reply(Reply { result, ..reply.clone() }))
        }
        Message::Transfer(Transfer::Chunk(chunk)) => {
            let chunk = agree::checkpoint::Chunk { bytes: Bytes::from_static(b"?"), ..chunk.clone() };
            Some(Message::Transfer(Transfer::Chunk(chunk)))
        }
        Message::Request(_) | Message::Busy(_) | Message::Transfer(_) => None,
        Message::ByzId(_) | Message::Paxos(_) | Message::Pbft(_) => None,
    }
}

/// `message` as it would be in `view`.
pub fn in_view(message: &Message, view: View, _: &mut Means) -> Option<Message> {
    match message {
        Message::Reply(reply) => Some(Message::Reply(Reply { view, ..reply.clone() })),
        Message::Request(_) | Message::Busy(_) | Message::Transfer(_) => None,
        Message::ByzId(_) | Message::Paxos(_) | Message::Pbft(_) => None,
    }
}

/// An order of the same batch for a later place.
pub fn moved_on(message: &Message, _: &mut Means) -> Option<Message> {
    match message {
        Message::Reply(reply) => {
            Some(Message::Reply(Reply { sequence: Sequence(reply.sequence.0 + 1), ..reply.clone() }))
        }
        Message::Request(_) | Message::Busy(_) | Message::Transfer(_) => None,
        Message::ByzId(_) | Message::Paxos(_) | Message::Pbft(_) => None,
    }
}

/// An order that holds `request` as well; nothing if `message` is no order.
pub fn with_request(message: &Message, _: Request, _: &mut Means) -> Option<Message> {
    match message {
        Message::Request(_) | Message::Reply(_) | Message::Busy(_) | Message::Transfer(_) => None,
        Message::ByzId(_) | Message::Paxos(_) | Message::Pbft(_) => None,
    }
}

/// A demand for another view, for no reason.
pub fn needless_view_change(_: &mut Means) -> Option<Message> {
    None
}
