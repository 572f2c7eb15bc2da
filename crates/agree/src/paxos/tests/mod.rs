//! What a cluster of Paxos promises, one scenario each; here, what the scenarios are made of.

use super::message::{Accept, Heartbeat, Message, Prepare, Superseded};
use super::record::Record;
use super::{Replica, Role, VIEW_MAX};
use crate::replica::{Effect, Event, Observation, Outbox, Position, Recovered, Refusal, Replica as _, Write};
use crate::request::Batch;
use crate::testing::{Cluster, Journalist};
use crate::{Message as AnyMessage, Protocol, Settings};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use wire::{Decode, NodeId, Peer, Sequence, Time, View};

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);
const C: NodeId = NodeId(2);

mod away;
mod chaos;
mod elections;
mod order;
mod power;

type Paxos = Cluster<Replica<Journalist>>;

fn settings() -> Settings {
    Settings { checkpoint_interval: 8, window: 4, batch_requests_max: 4, ..Settings::new(Protocol::Paxos, 1) }
}

fn recover(me: NodeId, settings: &Settings, recovered: Recovered) -> Replica<Journalist> {
    Replica::recover(me, settings.clone(), Journalist::default(), recovered).expect("the disk is sound")
}

fn new(me: NodeId) -> Replica<Journalist> {
    recover(me, &settings(), Recovered::default())
}

fn cluster_with(settings: Settings) -> Paxos {
    let members = settings.clone();
    Cluster::new(settings, move |me| recover(me, &members, Recovered::default()))
}

fn cluster() -> Paxos {
    cluster_with(settings())
}

/// What a disk gives back after it kept the first `kept` of these writes.
fn left_on(writes: &[Write], kept: usize) -> Recovered {
    let mut recovered = Recovered::default();
    for (index, write) in writes[..kept].iter().enumerate() {
        recovered.last = Position(index as u64 + 1);
        match write {
            Write::Record(record) => recovered.records.push((recovered.last, record.clone())),
            Write::Snapshot { image, keep_from } => {
                recovered.snapshot = Some(image.clone());
                recovered.records.retain(|(position, _)| position >= keep_from);
            }
        }
    }
    recovered
}

/// Starts `node` again with what its disk kept of its first `kept` writes.
fn restart_with(cluster: &mut Paxos, node: NodeId, kept: usize) {
    let disk = cluster.disks.get_mut(&node).expect("a member");
    disk.truncate(kept);
    let replica = recover(node, &cluster.settings, left_on(disk, kept));
    cluster.replicas.insert(node, replica);
    cluster.down.remove(&node);
    cluster.step(node, Event::Started);
    cluster.settle();
}

fn restart(cluster: &mut Paxos, node: NodeId) {
    restart_with(cluster, node, cluster.disks[&node].len());
}

/// `count` requests of as many clients, one after the other, arrive at `to`.
fn requests(cluster: &mut Paxos, to: NodeId, first: u64, count: u64) {
    (first..first + count).for_each(|client| cluster.request(to, client, 1));
}

fn leader(cluster: &Paxos) -> Option<NodeId> {
    let mut leading = cluster
        .replicas
        .iter()
        .filter(|(node, replica)| !cluster.down.contains(node) && matches!(replica.role, Role::Leading(_)))
        .map(|(node, replica)| (replica.promised, *node))
        .collect::<Vec<_>>();
    leading.sort_unstable();
    leading.last().map(|(_, node)| *node)
}

/// Every two replicas executed the same batches where both executed any, and the states say so too.
fn assert_agreement(cluster: &Paxos) {
    let mut states = BTreeMap::new();
    for (node, observation) in &cluster.observed {
        if let Observation::Executed { sequence, batch, state, .. } = observation {
            let first = *states.entry(*sequence).or_insert((*batch, *state));
            assert_eq!(first, (*batch, *state), "{node} at {sequence}");
        }
    }
}

fn assert_all_at(cluster: &Paxos, executed: u64) {
    for (node, replica) in &cluster.replicas {
        assert_eq!(replica.status().executed, Sequence(executed), "{node}: {:?}", replica.status());
    }
    assert_agreement(cluster);
}

fn is_accept(message: &AnyMessage) -> bool {
    matches!(message, AnyMessage::Paxos(Message::Accept(_)))
}

/// One step of a replica that stands alone: the messages it sends.
fn step(replica: &mut Replica<Journalist>, event: Event) -> Vec<Effect> {
    let mut out = Outbox::new();
    replica.step(Time::ZERO, event, &mut out);
    out.drain().collect()
}

fn from(node: NodeId, message: Message) -> Event {
    Event::Message { from: Peer::Node(node), message: message.into() }
}

fn sends(effects: &[Effect], name: &str) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Send { message, .. } if message.name() == name))
}

fn refuses(effects: &[Effect], wanted: Refusal) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Refuse { refusal, .. } if *refusal == wanted))
}
