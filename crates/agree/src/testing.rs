//! A cluster without faults for unit tests: messages arrive in the order sent, the disk keeps everything at once, time
//! moves only when a test says so. The real adversity is in the simulator.

use crate::replica::{Destination, Effect, Event, Observation, Outbox, Position, Replica, Timer, Write};
use crate::request::{Reply, Request};
use crate::service::{RestoreError, Service};
use crate::{Message, Settings};
use bytes::Bytes;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wire::{ClientId, Decode, Digest, Encode, Keys, NodeId, Peer, Sequence, Signature, Tag, Time, Timestamp};

/// Keys for tests: a signature is a digest that only its signer's code computes, a MAC proves nothing.
#[derive(Clone, Debug)]
pub(crate) struct ToyKeys(pub(crate) Peer);

fn toy_signature(signer: Peer, body: &[u8]) -> Signature {
    let mut bytes = signer.to_bytes().to_vec();
    bytes.extend_from_slice(body);
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&Digest::of_bytes(&bytes).0);
    Signature(signature)
}

impl Keys for ToyKeys {
    fn mac(&self, _: Peer, _: &[&[u8]]) -> Tag {
        Tag([0; 16])
    }
    fn mac_is_valid(&self, _: Peer, _: &[&[u8]], _: &Tag) -> bool {
        true
    }
    fn sign(&self, body: &[u8]) -> Signature {
        toy_signature(self.0, body)
    }
    fn signature_is_valid(&self, signer: Peer, body: &[u8], signature: &Signature) -> bool {
        *signature == toy_signature(signer, body)
    }
    fn seal(&self, _: &[u8]) -> Tag {
        Tag([0; 16])
    }
    fn seal_is_valid(&self, _: &[u8], _: &Tag) -> bool {
        false
    }
}

/// A service that remembers every command it was given, so that order and repetition show.
#[derive(Clone, Default, Hash, Debug, PartialEq, Eq)]
pub(crate) struct Journalist {
    commands: Vec<Bytes>,
}

impl Service for Journalist {
    fn apply(&mut self, command: &Bytes) -> Bytes {
        self.commands.push(command.clone());
        (self.commands.len() as u64).to_bytes()
    }
    fn digest(&self) -> Digest {
        Digest::of(&self.commands)
    }
    fn snapshot(&self) -> Bytes {
        self.commands.to_bytes()
    }
    fn restore(&mut self, snapshot: &Bytes) -> Result<(), RestoreError> {
        let mut reader = wire::Reader::new(snapshot.clone());
        let count = u32::decode(&mut reader)?;
        self.commands =
            (0..count).map(|_| reader.byte_string("command", 1 << 16)).collect::<Result<_, _>>()?;
        Ok(())
    }
}

/// Whether a message from the first to the second node is lost.
pub(crate) type Loss = Box<dyn FnMut(NodeId, NodeId, &Message) -> bool>;

/// Replicas and the messages between them.
pub(crate) struct Cluster<R> {
    pub(crate) settings: Settings,
    pub(crate) replicas: BTreeMap<NodeId, R>,
    pub(crate) replies: Vec<(NodeId, Reply)>,
    pub(crate) observed: Vec<(NodeId, Observation)>,
    pub(crate) down: BTreeSet<NodeId>,
    pub(crate) disks: BTreeMap<NodeId, Vec<Write>>,
    /// Nodes whose disks do not say that anything is durable.
    pub(crate) slow: BTreeSet<NodeId>,
    /// Drops the messages for which it says so.
    pub(crate) drop: Loss,
    now: Time,
    timers: BTreeMap<(NodeId, Timer), Time>,
    messages: VecDeque<(NodeId, NodeId, Message)>,
}

impl<R: Replica> Cluster<R> {
    pub(crate) fn new(settings: Settings, build: impl Fn(NodeId) -> R) -> Self {
        let mut cluster = Cluster {
            replicas: settings.members.iter().map(|node| (*node, build(*node))).collect(),
            disks: settings.members.iter().map(|node| (*node, Vec::new())).collect(),
            replies: Vec::new(),
            observed: Vec::new(),
            down: BTreeSet::new(),
            slow: BTreeSet::new(),
            drop: Box::new(|_, _, _| false),
            now: Time::ZERO,
            timers: BTreeMap::new(),
            messages: VecDeque::new(),
            settings,
        };
        for node in cluster.settings.members.clone() {
            cluster.step(node, Event::Started);
        }
        cluster.settle();
        cluster
    }

    /// Hands `node` an event and performs the effects.
    pub(crate) fn step(&mut self, node: NodeId, event: Event) {
        if self.down.contains(&node) {
            return;
        }
        let mut out = Outbox::new();
        self.replicas.get_mut(&node).expect("a member").step(self.now, event, &mut out);
        let effects: Vec<Effect> = out.drain().collect();
        for effect in effects {
            self.perform(node, effect);
        }
    }

    fn perform(&mut self, node: NodeId, effect: Effect) {
        match effect {
            Effect::Send { to: Destination::Members, message } => {
                for other in self.settings.members.clone() {
                    if other != node {
                        self.messages.push_back((node, other, message.clone()));
                    }
                }
            }
            Effect::Send { to: Destination::Peer(Peer::Node(to)), message } => {
                self.messages.push_back((node, to, message));
            }
            Effect::Send { to: Destination::Peer(Peer::Client(_)), message } => {
                if let Message::Reply(reply) = message {
                    self.replies.push((node, reply));
                }
            }
            Effect::SetTimer(timer, after) => {
                self.timers.insert((node, timer), self.now.after(after));
            }
            Effect::ClearTimer(timer) => {
                self.timers.remove(&(node, timer));
            }
            Effect::Write(write) => {
                let disk = self.disks.get_mut(&node).expect("a member");
                disk.push(write);
                let position = Position(disk.len() as u64);
                if !self.slow.contains(&node) {
                    self.step(node, Event::Durable(position));
                }
            }
            Effect::Observe(observation) => self.observed.push((node, observation)),
            Effect::Refuse { .. } => {}
        }
    }

    /// Delivers messages until none is under way.
    pub(crate) fn settle(&mut self) {
        while let Some((from, to, message)) = self.messages.pop_front() {
            if !self.down.contains(&from) && !(self.drop)(from, to, &message) {
                self.step(to, Event::Message { from: Peer::Node(from), message });
            }
        }
    }

    /// Lets `duration` pass: every timer that is due runs out, in order.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        while let Some((&(node, timer), &at)) = self.timers.iter().min_by_key(|(key, at)| (**at, **key)) {
            if at > end {
                break;
            }
            self.now = self.now.max(at);
            self.timers.remove(&(node, timer));
            self.step(node, Event::Timer(timer));
            self.settle();
        }
        self.now = end;
    }

    /// A client's request arrives at `to`.
    pub(crate) fn request(&mut self, to: NodeId, client: u64, timestamp: u64) {
        let request = Request {
            client: ClientId(client),
            timestamp: Timestamp(timestamp),
            operation: Bytes::from(format!("c{client}T{timestamp}")),
            speaker: None,
            signature: None,
        };
        self.step(
            to,
            Event::Message { from: Peer::Client(ClientId(client)), message: Message::Request(request) },
        );
        self.settle();
    }

    /// What each replica executed, as (sequence, digest of the batch).
    pub(crate) fn executed(&self, node: NodeId) -> Vec<(Sequence, Digest)> {
        self.observed
            .iter()
            .filter_map(|(who, observation)| match observation {
                Observation::Executed { sequence, batch, .. } if *who == node => Some((*sequence, *batch)),
                _ => None,
            })
            .collect()
    }
}
