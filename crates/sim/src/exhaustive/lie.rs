//! What the traitor may say instead of, or besides, what its replica would say.
//!
//! The traitor's replica runs the honest code. A message of a kind that a [`Lie`] of the scope is about does not go to the
//! guard: it is kept as a *template*. From then on the traitor may let it go as it is, once; say any version of it that the
//! scope's lies make, before or after, as long as it may still lie; or never say anything. All of it goes through its
//! guard, as everything must.

use agree::byzid::message::{Ack, Checkpoint, Message as ByzId, NewConfig, Order, Reconfigure, Stable};
use agree::byzid::message::{Fetched, StableCheckpoint};
use agree::replica::Destination;
use agree::{Batch, Message, Reply, Request};
use bytes::Bytes;
use wire::{Digest, NodeId, Peer, View};

/// A way to lie.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Lie {
    /// ORDER with another batch: each other request, or the same ones the other way round. Said after the true one, it gives
    /// a place out twice.
    OrderOther,
    /// ORDER to one backup alone, with each request.
    OrderOne,
    /// ORDER that skips a place.
    OrderGap,
    /// ACK of a place that was not received.
    AckAhead,
    /// ACK of another batch.
    AckOther,
    /// REPLY with a wrong result.
    ReplyWrong,
    /// REPLY from the next place, which was not received: to each other client, what it would be told if its request were there.
    ReplyAhead,
    /// CHECKPOINT with a wrong digest.
    CheckpointWrong,
    /// CHECKPOINT of a place that is not reached.
    CheckpointAhead,
    /// STABLECHECKPOINT with a wrong digest.
    StableWrong,
    /// STABLECHECKPOINT of a place that nobody vouched for.
    StableAhead,
    /// RECONFIGURE that leaves out every ORDER, or the last one.
    ClaimShort,
    /// RECONFIGURE with an ORDER that there never was.
    ClaimInvented,
    /// RECONFIGURE that claims a later configuration.
    ClaimLater,
    /// NEWCONFIG that leaves out every ORDER, or the last one.
    ConfigShort,
    /// NEWCONFIG with an ORDER that there never was.
    ConfigInvented,
    /// NEWCONFIG built on the traitor's claim alone.
    ConfigAlone,
    /// Another batch than the one asked for.
    FetchedOther,
}

/// What a liar knows.
pub struct Knowledge<'a> {
    /// Every request that any client makes.
    pub requests: &'a [Request],
    /// The other nodes.
    pub others: &'a [NodeId],
    /// A checkpoint every so many batches.
    pub interval: u64,
}

/// The result of a [`Lie::ReplyWrong`].
pub const WRONG: &[u8] = b"a lie";

/// A message and where it is to go.
pub type Said = (Destination, Message);

fn invented() -> Digest {
    Digest::of_bytes(b"there never was such a batch")
}

/// All shorter lists that a liar would make of `orders`.
fn shortened(orders: &[Digest]) -> Vec<Vec<Digest>> {
    match orders.len() {
        0 => Vec::new(),
        1 => vec![Vec::new()],
        more => vec![Vec::new(), orders[..more - 1].to_vec()],
    }
}

fn with_one_more(orders: &[Digest]) -> Vec<Digest> {
    orders.iter().copied().chain([invented()]).collect()
}

impl Lie {
    /// Whether it is about messages like `message`.
    #[must_use]
    pub fn is_about(self, message: &Message) -> bool {
        match self {
            Lie::OrderOther | Lie::OrderOne | Lie::OrderGap => {
                matches!(message, Message::ByzId(ByzId::Order(_)))
            }
            Lie::AckAhead | Lie::AckOther => matches!(message, Message::ByzId(ByzId::Ack(_))),
            Lie::ReplyWrong | Lie::ReplyAhead => matches!(message, Message::Reply(_)),
            Lie::CheckpointWrong | Lie::CheckpointAhead => {
                matches!(message, Message::ByzId(ByzId::Checkpoint(_)))
            }
            Lie::StableWrong | Lie::StableAhead => {
                matches!(message, Message::ByzId(ByzId::StableCheckpoint(_)))
            }
            Lie::ClaimShort | Lie::ClaimInvented | Lie::ClaimLater => {
                matches!(message, Message::ByzId(ByzId::Reconfigure(_)))
            }
            Lie::ConfigShort | Lie::ConfigInvented | Lie::ConfigAlone => {
                matches!(message, Message::ByzId(ByzId::NewConfig(_)))
            }
            Lie::FetchedOther => matches!(message, Message::ByzId(ByzId::Fetched(_))),
        }
    }

    /// Every version of `message` that this lie makes of it.
    #[must_use]
    pub fn versions(self, to: Destination, message: &Message, known: &Knowledge) -> Vec<Said> {
        match message {
            Message::ByzId(ByzId::Order(order)) => self.orders(order, known),
            Message::ByzId(ByzId::Ack(ack)) => self.acks(ack).into_iter().map(|lie| (to, lie)).collect(),
            Message::ByzId(ByzId::Checkpoint(said)) => {
                self.checkpoints(said, known).into_iter().map(|lie| (to, lie)).collect()
            }
            Message::ByzId(ByzId::StableCheckpoint(said)) => {
                self.stables(said, known).into_iter().map(|lie| (to, lie)).collect()
            }
            Message::ByzId(ByzId::Reconfigure(said)) => {
                self.claims(said).into_iter().map(|lie| (to, lie)).collect()
            }
            Message::ByzId(ByzId::NewConfig(said)) => {
                self.configs(said, known).into_iter().map(|lie| (to, lie)).collect()
            }
            Message::ByzId(ByzId::Fetched(said)) if self == Lie::FetchedOther => {
                let batches = other_batches(&said.batch, known.requests);
                let lie = |batch| Fetched { batch, ..said.clone() }.into();
                batches.into_iter().map(|batch| (to, lie(batch))).collect()
            }
            Message::Reply(reply) => self.replies(to, reply, known),
            _ => Vec::new(),
        }
    }

    fn orders(self, order: &Order, known: &Knowledge) -> Vec<Said> {
        let to_one = |node: &NodeId| Destination::Peer(Peer::Node(*node));
        let other = || other_batches(&order.batch, known.requests);
        let with = |batch: Batch| Order { batch, ..order.clone() };
        let all = Destination::Members;
        match self {
            Lie::OrderOther => other().into_iter().map(|batch| (all, with(batch).into())).collect(),
            Lie::OrderOne => {
                let batches = || other().into_iter().chain([order.batch.clone()]);
                let to = known.others.iter().map(to_one);
                to.flat_map(|to| batches().map(move |batch| (to, with(batch).into()))).collect()
            }
            Lie::OrderGap => {
                vec![(all, Order { sequence: order.sequence.next(), ..order.clone() }.into())]
            }
            _ => Vec::new(),
        }
    }

    fn acks(self, ack: &Ack) -> Vec<Message> {
        match self {
            Lie::AckAhead => {
                vec![Ack { sequence: ack.sequence.next(), digest: invented(), ..ack.clone() }.into()]
            }
            Lie::AckOther => vec![Ack { digest: invented(), ..ack.clone() }.into()],
            _ => Vec::new(),
        }
    }

    fn replies(self, to: Destination, reply: &Reply, known: &Knowledge) -> Vec<Said> {
        match self {
            Lie::ReplyWrong => {
                let result = Bytes::from_static(WRONG);
                vec![(to, Reply { result, ..reply.clone() }.into())]
            }
            Lie::ReplyAhead => {
                let sequence = reply.sequence.next();
                let others = known.requests.iter().filter(|request| request.client != reply.client);
                let guess = |request: &Request| Reply {
                    sequence,
                    client: request.client,
                    timestamp: request.timestamp,
                    result: Bytes::from(vec![sequence.0 as u8]),
                    ..reply.clone()
                };
                others
                    .map(|request| (Destination::Peer(request.client.into()), guess(request).into()))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn checkpoints(self, said: &Checkpoint, known: &Knowledge) -> Vec<Message> {
        match self {
            Lie::CheckpointWrong => vec![Checkpoint { digest: invented(), ..said.clone() }.into()],
            Lie::CheckpointAhead => {
                vec![Checkpoint { sequence: said.sequence.plus(known.interval), ..said.clone() }.into()]
            }
            _ => Vec::new(),
        }
    }

    fn stables(self, said: &StableCheckpoint, known: &Knowledge) -> Vec<Message> {
        let stable = match self {
            Lie::StableWrong => Stable { digest: invented(), ..said.stable.clone() },
            Lie::StableAhead => {
                Stable { sequence: said.stable.sequence.plus(known.interval), ..said.stable.clone() }
            }
            _ => return Vec::new(),
        };
        vec![StableCheckpoint { stable, ..said.clone() }.into()]
    }

    fn claims(self, said: &Reconfigure) -> Vec<Message> {
        let with = |orders: Vec<Digest>| {
            let mut lie = said.clone();
            if let Some(seals) = &mut lie.seals {
                seals.orders.truncate(orders.len());
            }
            lie.claim.orders = orders;
            Box::new(lie).into()
        };
        match self {
            Lie::ClaimShort => shortened(&said.claim.orders).into_iter().map(with).collect(),
            Lie::ClaimInvented => vec![with(with_one_more(&said.claim.orders))],
            Lie::ClaimLater => {
                let mut lie = said.clone();
                lie.claim.entered = View(lie.claim.entered.0 + 1);
                vec![Box::new(lie).into()]
            }
            _ => Vec::new(),
        }
    }

    fn configs(self, said: &NewConfig, known: &Knowledge) -> Vec<Message> {
        let with = |orders| Box::new(NewConfig { orders, ..said.clone() }).into();
        match self {
            Lie::ConfigShort => shortened(&said.orders).into_iter().map(with).collect(),
            Lie::ConfigInvented => vec![with(with_one_more(&said.orders))],
            Lie::ConfigAlone => {
                let alone = |node: &NodeId| !known.others.contains(node);
                let claimants = said.claimants.iter().copied().filter(alone).collect();
                vec![Box::new(NewConfig { claimants, ..said.clone() }).into()]
            }
            _ => Vec::new(),
        }
    }
}

/// Each request that is not in `batch` as a batch of its own, and `batch` the other way round.
fn other_batches(batch: &Batch, requests: &[Request]) -> Vec<Batch> {
    let mut others: Vec<Batch> = requests
        .iter()
        .filter(|request| !batch.requests().contains(request))
        .map(|request| Batch::new(vec![request.clone()]))
        .collect();
    if batch.requests().len() > 1 {
        others.push(Batch::new(batch.requests().iter().rev().cloned().collect()));
    }
    others
}
