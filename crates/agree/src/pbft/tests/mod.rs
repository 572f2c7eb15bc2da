//! What PBFT promises, tried out: in the quiet cluster of [`crate::testing`], and in a storm.

mod catching_up;
mod deciding;
mod encoding;
mod in_turn;
mod limits;
mod normal_case;
mod power_loss;
mod relays;
mod storm;
mod suspicions;
mod view_changes;

use super::Replica;
use super::message::Message;
use crate::protocol::Protocol;
use crate::replica::{Event, Position, Recovered, Write};
use crate::request::Request;
use crate::settings::Settings;
pub(super) use crate::testing::ToyKeys;
use crate::testing::{Cluster, Journalist};
use bytes::Bytes;
use core::time::Duration;
use std::collections::BTreeSet;
use wire::{ClientId, Keys, NodeId, Peer, Sequence, Timestamp};

pub(super) type Toy = Replica<Journalist, ToyKeys>;

/// Small numbers, so that a short test sees checkpoints and full windows.
pub(super) fn settings(f: usize) -> Settings {
    Settings { checkpoint_interval: 4, window: 4, batch_requests_max: 2, ..Settings::new(Protocol::Pbft, f) }
}

pub(super) fn recover(node: NodeId, settings: &Settings, recovered: Recovered) -> Toy {
    let keys = ToyKeys(Peer::Node(node));
    Toy::recover(node, settings.clone(), Journalist::default(), keys, recovered)
        .expect("it was written by a replica")
}

pub(super) fn cluster(f: usize) -> Cluster<Toy> {
    let settings = settings(f);
    let for_build = settings.clone();
    Cluster::new(settings, move |node| recover(node, &for_build, Recovered::default()))
}

pub(super) fn signed(client: u64, timestamp: u64) -> Request {
    let mut request = Request {
        client: ClientId(client),
        timestamp: Timestamp(timestamp),
        operation: Bytes::from(format!("c{client}T{timestamp}")),
        speaker: None,
        signature: None,
    };
    request.signature = Some(Box::new(ToyKeys(Peer::Client(request.client)).sign(&request.signed_bytes())));
    request
}

/// What a replica with these writes on disk finds.
pub(super) fn disk(writes: &[Write]) -> Recovered {
    let mut recovered = Recovered { last: Position(writes.len() as u64), ..Recovered::default() };
    let mut first = Position(1);
    for write in writes {
        if let Write::Snapshot { image, keep_from } = write {
            recovered.snapshot = Some(image.clone());
            first = *keep_from;
        }
    }
    for (index, write) in writes.iter().enumerate() {
        let position = Position(index as u64 + 1);
        if let Write::Record(bytes) = write
            && position >= first
        {
            recovered.records.push((position, bytes.clone()));
        }
    }
    recovered
}

impl Cluster<Toy> {
    /// A client's signed request arrives at `to`.
    fn ask(&mut self, to: u16, client: u64, timestamp: u64) {
        let event = Event::Message {
            from: Peer::Client(ClientId(client)),
            message: crate::Message::Request(signed(client, timestamp)),
        };
        self.step(NodeId(to), event);
        self.settle();
    }

    /// A client's signed request arrives everywhere.
    fn ask_all(&mut self, client: u64, timestamp: u64) {
        for node in self.settings.members.clone() {
            self.ask(node.0, client, timestamp);
        }
    }

    /// `to` gets `message` from `from`.
    fn say(&mut self, from: u16, to: u16, message: Message) {
        let event = Event::Message { from: Peer::Node(NodeId(from)), message: crate::Message::Pbft(message) };
        self.step(NodeId(to), event);
        self.settle();
    }

    /// `node` loses power and comes back with what its disk holds.
    fn restart(&mut self, node: u16) {
        let recovered = disk(&self.disks[&NodeId(node)]);
        let replica = recover(NodeId(node), &self.settings, recovered);
        self.replicas.insert(NodeId(node), replica);
        self.down.remove(&NodeId(node));
        self.step(NodeId(node), Event::Started);
        self.settle();
    }

    fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    /// The replicas that answered this request.
    fn answered(&self, client: u64, timestamp: u64) -> BTreeSet<u16> {
        let ours = |reply: &crate::Reply| {
            reply.client == ClientId(client) && reply.timestamp == Timestamp(timestamp)
        };
        self.replies.iter().filter(|(_, reply)| ours(reply)).map(|(node, _)| node.0).collect()
    }

    fn status(&self, node: u16) -> crate::replica::Status {
        crate::Replica::status(&self.replicas[&NodeId(node)])
    }

    fn executed_up_to(&self, node: u16) -> Sequence {
        self.status(node).executed
    }
}
