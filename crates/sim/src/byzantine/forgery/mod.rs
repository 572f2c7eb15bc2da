//! What a liar must know of the protocols' messages: one file per protocol, the same few questions to each.
//!
//! Nobody lies in Paxos, so it has no file.

mod byzid;
mod pbft;

use super::Means;
use agree::assent::{Assent, Replies};
use agree::checkpoint::{Chunk, Transfer};
use agree::{Batch, Message, Protocol, Reply, Request};
use bytes::Bytes;
use wire::{Digest, Sequence, Timestamp, View};

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
    /// Hands a state, or a part of the log, over.
    Transfer,
    /// Anything else.
    Other,
}

/// What `message` is for.
#[must_use]
pub fn kind(message: &Message) -> Kind {
    match message {
        Message::Request(_) | Message::Reply(_) | Message::Busy(_) | Message::Bundle(_) => Kind::Client,
        Message::Replies(_) | Message::Assent(_) => Kind::Client,
        Message::Transfer(_) => Kind::Transfer,
        Message::ByzId(message) => byzid::kind(message),
        Message::Pbft(message) => pbft::kind(message),
        Message::Paxos(_) => Kind::Other,
    }
}

/// Another version of `message`, which says something else of the same kind; nothing if there is none worth telling.
pub fn altered(message: &Message, means: &mut Means) -> Option<Message> {
    match message {
        Message::Reply(reply) => {
            let result = Bytes::copy_from_slice(&means.random.bits().to_le_bytes());
            Some(Message::Reply(Reply { result, ..reply.clone() }))
        }
        Message::Replies(replies) => {
            let mut replies = replies.clone();
            let place = means.random.index(replies.results.len());
            replies.results[place].result = Bytes::copy_from_slice(&means.random.bits().to_le_bytes());
            Some(Message::Replies(replies))
        }
        Message::Assent(assent) => {
            let digest = invented_digest(means);
            Some(Message::Assent(Assent { digest, ..assent.clone() }))
        }
        Message::Transfer(Transfer::Chunk(chunk)) => {
            let chunk = Chunk { bytes: Bytes::from_static(b"?"), ..chunk.clone() };
            Some(Message::Transfer(Transfer::Chunk(chunk)))
        }
        Message::Request(_) | Message::Busy(_) | Message::Bundle(_) | Message::Transfer(_) => None,
        Message::ByzId(message) => byzid::altered(message, means).map(Message::ByzId),
        Message::Pbft(message) => pbft::altered(message, means).map(Message::Pbft),
        Message::Paxos(_) => None,
    }
}

/// `message` as it would be in `view`.
pub fn in_view(message: &Message, view: View, means: &mut Means) -> Option<Message> {
    match message {
        Message::Reply(reply) => Some(Message::Reply(Reply { view, ..reply.clone() })),
        Message::Replies(replies) => Some(Message::Replies(Replies { view, ..replies.clone() })),
        Message::Assent(assent) => Some(Message::Assent(Assent { view, ..assent.clone() })),
        Message::Request(_) | Message::Busy(_) | Message::Bundle(_) | Message::Transfer(_) => None,
        Message::ByzId(message) => byzid::in_view(message, view).map(Message::ByzId),
        Message::Pbft(message) => pbft::in_view(message, view, means).map(Message::Pbft),
        Message::Paxos(_) => None,
    }
}

/// An order of the same batch for a later place.
pub fn moved_on(message: &Message, _: &mut Means) -> Option<Message> {
    match message {
        Message::Request(_)
        | Message::Reply(_)
        | Message::Replies(_)
        | Message::Assent(_)
        | Message::Busy(_)
        | Message::Bundle(_)
        | Message::Transfer(_) => None,
        Message::ByzId(message) => byzid::moved_on(message).map(Message::ByzId),
        Message::Pbft(message) => pbft::moved_on(message).map(Message::Pbft),
        Message::Paxos(_) => None,
    }
}

/// An order that holds `request` as well; nothing if `message` is no order.
pub fn with_request(message: &Message, request: Request, _: &mut Means) -> Option<Message> {
    match message {
        Message::Request(_)
        | Message::Reply(_)
        | Message::Replies(_)
        | Message::Assent(_)
        | Message::Busy(_)
        | Message::Bundle(_)
        | Message::Transfer(_) => None,
        Message::ByzId(message) => byzid::with_request(message, request).map(Message::ByzId),
        Message::Pbft(message) => pbft::with_request(message, request).map(Message::Pbft),
        Message::Paxos(_) => None,
    }
}

/// An order of this request alone, from scratch; nothing where that takes more than a number and a place.
pub fn order_of(request: Request, view: View, at: Sequence, means: &mut Means) -> Option<Message> {
    match means.settings.protocol {
        Protocol::ByzId | Protocol::ByzIdW => Some(Message::ByzId(byzid::order_of(request, view, at))),
        Protocol::Pbft | Protocol::Paxos => None,
    }
}

/// The last place that is taken, and in which view, as far as `message` tells.
pub fn place_of(message: &Message) -> Option<(View, Sequence)> {
    match message {
        Message::ByzId(message) => byzid::place_of(message),
        Message::Request(_)
        | Message::Reply(_)
        | Message::Replies(_)
        | Message::Assent(_)
        | Message::Busy(_)
        | Message::Bundle(_)
        | Message::Transfer(_) => None,
        Message::Pbft(_) | Message::Paxos(_) => None,
    }
}

/// The batch of an order, as if a candidate had asked for it.
pub fn handed_out(message: &Message) -> Option<Message> {
    match message {
        Message::ByzId(message) => byzid::handed_out(message).map(Message::ByzId),
        Message::Request(_)
        | Message::Reply(_)
        | Message::Replies(_)
        | Message::Assent(_)
        | Message::Busy(_)
        | Message::Bundle(_)
        | Message::Transfer(_) => None,
        Message::Pbft(_) | Message::Paxos(_) => None,
    }
}

/// What a backup vouches for in `message`, declared stable.
pub fn declared_stable(message: &Message) -> Option<Message> {
    match message {
        Message::ByzId(message) => byzid::declared_stable(message).map(Message::ByzId),
        Message::Request(_)
        | Message::Reply(_)
        | Message::Replies(_)
        | Message::Assent(_)
        | Message::Busy(_)
        | Message::Bundle(_)
        | Message::Transfer(_) => None,
        Message::Pbft(_) | Message::Paxos(_) => None,
    }
}

/// A demand for another view, for no reason.
pub fn needless_view_change(means: &mut Means) -> Option<Message> {
    match means.settings.protocol {
        Protocol::ByzId | Protocol::ByzIdW => Some(Message::ByzId(byzid::needless(means))),
        Protocol::Pbft => Some(Message::Pbft(pbft::needless(means))),
        Protocol::Paxos => None,
    }
}

/// The demand for another view in `message`, or that is about to follow it, whoever made it, as the liar's own and without
/// anything that prepared; nothing if `message` is none.
pub fn forgetful(message: &Message, means: &Means) -> Option<Message> {
    match message {
        Message::Pbft(message) => pbft::forgetful(message, means).map(Message::Pbft),
        Message::Request(_) | Message::Reply(_) | Message::Busy(_) | Message::Bundle(_) => None,
        Message::Replies(_) | Message::Assent(_) => None,
        Message::Transfer(_) | Message::ByzId(_) | Message::Paxos(_) => None,
    }
}

/// A digest of nothing that there is.
fn invented_digest(means: &mut Means) -> Digest {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&means.random.bits().to_le_bytes());
    Digest(digest)
}

/// Another batch in the place of `batch`: nothing, less, another order, a request twice, another operation.
fn batch_of(batch: &Batch, means: &mut Means) -> Batch {
    let mut requests = batch.requests().to_vec();
    match means.random.below(6) {
        0 => requests.clear(),
        1 => {
            requests.pop();
        }
        2 => requests.reverse(),
        3 => requests.extend(batch.requests().first().cloned()),
        4 => {
            if let Some(request) = requests.last_mut() {
                request.operation = Bytes::from_static(&[4, 1]);
            }
        }
        _ => {
            if let Some(request) = requests.last_mut() {
                request.timestamp = Timestamp(request.timestamp.0 + 1);
            }
        }
    }
    Batch::new(requests)
}

/// `batch` with `request` at its end.
fn with_batch(batch: &Batch, request: Request) -> Batch {
    let mut requests = batch.requests().to_vec();
    requests.push(request);
    Batch::new(requests)
}
