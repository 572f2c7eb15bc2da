//! What a cluster of Paxos promises, one scenario each.

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

#[test]
fn the_first_leader_leads_at_once_and_alone_replies() {
    let mut cluster = cluster();
    assert_eq!(leader(&cluster), Some(A));
    requests(&mut cluster, A, 1, 3);
    assert_eq!(cluster.replies.len(), 3);
    assert!(cluster.replies.iter().all(|(node, _)| *node == A));
    cluster.pass(Duration::from_millis(150));
    assert_all_at(&cluster, 3);
}

#[test]
fn one_acceptor_less_is_no_obstacle_and_two_are() {
    let mut cluster = cluster();
    cluster.down.insert(C);
    requests(&mut cluster, A, 1, 1);
    assert_eq!(cluster.replies.len(), 1);
    cluster.down.insert(B);
    requests(&mut cluster, A, 2, 1);
    cluster.pass(Duration::from_secs(5));
    assert_eq!(cluster.replies.len(), 1, "what a majority does not have is not chosen");
}

#[test]
fn the_leader_does_not_count_itself_before_its_disk_has_it() {
    let mut cluster = cluster();
    cluster.down.insert(C);
    cluster.slow.insert(A);
    requests(&mut cluster, A, 1, 1);
    assert!(cluster.replies.is_empty());
    cluster.down.remove(&C);
    cluster.pass(Duration::from_millis(200));
    assert_eq!(cluster.replies.len(), 1, "two others suffice");
}

#[test]
fn a_request_sent_again_is_answered_again_and_executed_once() {
    let mut cluster = cluster();
    cluster.request(A, 1, 1);
    cluster.request(A, 1, 1);
    assert_eq!(cluster.replies.len(), 2);
    assert_eq!(cluster.replies[0], cluster.replies[1]);
    assert_eq!(cluster.executed(A).len(), 1);
}

#[test]
fn a_request_that_has_a_place_already_gets_no_second() {
    let mut cluster = cluster();
    cluster.drop = Box::new(|_, _, message| is_accept(message));
    cluster.request(A, 1, 1);
    cluster.request(A, 1, 1);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_millis(400));
    assert_eq!(cluster.executed(A).len(), 1);
    assert_eq!(cluster.replies.len(), 1);
}

#[test]
fn while_the_window_is_full_requests_share_a_batch() {
    let mut cluster = cluster();
    cluster.drop = Box::new(|_, _, message| is_accept(message));
    requests(&mut cluster, A, 1, 4 + 4);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_millis(400));
    assert_eq!(cluster.executed(A).len(), 4 + 1, "the window, and one batch of all that waited");
    assert_eq!(cluster.replies.len(), 8);
}

#[test]
fn a_full_queue_says_busy() {
    let mut cluster = cluster_with(Settings { requests_waiting_max: 2, window: 1, ..settings() });
    cluster.drop = Box::new(|_, _, message| is_accept(message));
    requests(&mut cluster, A, 1, 3);
    let leader = cluster.replicas.get_mut(&A).expect("a member");
    let request = crate::Request {
        client: wire::ClientId(9),
        timestamp: wire::Timestamp(1),
        operation: bytes::Bytes::new(),
        signature: None,
    };
    let effects =
        step(leader, Event::Message { from: Peer::Client(wire::ClientId(9)), message: request.into() });
    assert!(sends(&effects, "BUSY") && refuses(&effects, Refusal::NoRoom));
}

#[test]
fn a_batch_accepted_by_a_majority_survives_its_leader() {
    let mut cluster = cluster();
    // A and B have the batch; nobody but A knows that it is chosen, and C never hears of it.
    cluster.drop = Box::new(|_, to, message| to == C && is_accept(message));
    cluster.request(A, 1, 1);
    assert_eq!(cluster.replies.len(), 1);
    cluster.down.insert(A);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_secs(2));
    let new = leader(&cluster).expect("two of three elect one");
    assert_ne!(new, A);
    cluster.request(new, 1, 1);
    assert_eq!(cluster.replies[1].0, new);
    assert_eq!(cluster.replies[1].1.result, cluster.replies[0].1.result, "it was executed once");
    restart(&mut cluster, A);
    cluster.pass(Duration::from_secs(2));
    assert_all_at(&cluster, 1);
}

#[test]
fn a_gap_that_nobody_accepted_anything_in_becomes_null() {
    let mut cluster = cluster();
    // The first of two batches is lost; the second reaches B.
    let mut count = 0;
    cluster.drop = Box::new(move |_, to, message| {
        count += u32::from(is_accept(message));
        is_accept(message) && (to == C || count <= 2)
    });
    requests(&mut cluster, A, 1, 2);
    assert!(cluster.replies.is_empty(), "places are executed in order");
    cluster.down.insert(A);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_secs(2));
    let executed = cluster.executed(B);
    assert_eq!(executed[0], (Sequence(1), Batch::null().digest()));
    assert_ne!(executed[1].1, Batch::null().digest());
    assert_agreement(&cluster);
}

#[test]
fn what_only_a_lost_minority_accepted_is_not_executed_when_overtaken() {
    let mut cluster = cluster();
    // A's batch for place 1 reaches nobody; B and C go on without it.
    cluster.drop = Box::new(|from, to, _| from == A || to == A);
    cluster.request(A, 1, 1);
    cluster.pass(Duration::from_secs(3));
    let new = leader(&cluster).expect("two of three elect one");
    cluster.request(new, 2, 1);
    assert_eq!(cluster.replies.len(), 1);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_secs(3));
    assert_all_at(&cluster, 1);
    assert_eq!(cluster.replicas[&A].machine.service(), cluster.replicas[&B].machine.service());
}

#[test]
fn a_promise_survives_power_loss() {
    let mut replica = new(C);
    step(&mut replica, Event::Started);
    let effects =
        step(&mut replica, from(B, Message::Prepare(Prepare { view: View(4), after: Sequence(0) })));
    assert!(!sends(&effects, "PROMISE"), "it waits for the disk");
    let writes: Vec<Write> = effects
        .into_iter()
        .filter_map(|effect| if let Effect::Write(write) = effect { Some(write) } else { None })
        .collect();
    assert!(sends(&step(&mut replica, Event::Durable(Position(1))), "PROMISE"));
    let mut again = recover(C, &settings(), left_on(&writes, 1));
    let old = Accept { view: View(3), sequence: Sequence(1), chosen: Sequence(0), batch: Batch::null() };
    let effects = step(&mut again, from(A, Message::Accept(old)));
    assert!(sends(&effects, "SUPERSEDED") && refuses(&effects, Refusal::Stale));
    assert!(again.log.get(Sequence(1)).is_none());
}

#[test]
fn an_acceptance_is_not_said_before_it_is_durable_and_then_once() {
    let mut replica = new(C);
    let accept = Accept { view: View(0), sequence: Sequence(1), chosen: Sequence(0), batch: Batch::null() };
    let effects = step(&mut replica, from(A, Message::Accept(accept.clone())));
    assert!(!sends(&effects, "ACCEPTED"));
    let effects = step(&mut replica, from(A, Message::Accept(accept.clone())));
    assert!(!sends(&effects, "ACCEPTED"), "the first is still on its way to the disk");
    let effects = step(&mut replica, Event::Durable(Position(1)));
    assert_eq!(effects.len(), 1);
    assert!(sends(&effects, "ACCEPTED"));
    assert!(sends(&step(&mut replica, from(A, Message::Accept(accept))), "ACCEPTED"), "the leader missed it");
}

#[test]
fn a_leader_that_lost_its_records_does_not_resume_its_ballot() {
    let mut cluster = cluster();
    cluster.slow.insert(A);
    cluster.drop = Box::new(|_, to, message| to == C && is_accept(message));
    let kept = cluster.disks[&A].len();
    cluster.request(A, 1, 1);
    restart_with(&mut cluster, A, kept);
    cluster.slow.clear();
    assert!(!matches!(cluster.replicas[&A].role, Role::Leading(_)));
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_secs(2));
    let new = leader(&cluster).expect("they elect one");
    assert!(cluster.replicas[&new].promised > View(0));
    cluster.request(new, 2, 1);
    cluster.pass(Duration::from_millis(200));
    assert_all_at(&cluster, 2);
}

#[test]
fn everybody_loses_power_and_nothing_chosen_is_lost() {
    let mut cluster = cluster();
    requests(&mut cluster, A, 1, 11);
    let before = cluster.executed(A);
    [A, B, C].into_iter().for_each(|node| restart(&mut cluster, node));
    cluster.pass(Duration::from_secs(3));
    let new = leader(&cluster).expect("they elect one");
    requests(&mut cluster, new, 1, 11);
    cluster.pass(Duration::from_millis(200));
    assert_all_at(&cluster, 11);
    assert_eq!(
        cluster.replies.len(),
        22 + 3,
        "after a crash the batches since the checkpoint are executed again"
    );
    assert_eq!(before.len(), 11);
}

#[test]
fn a_follower_that_missed_a_few_batches_catches_up_by_the_log() {
    let mut cluster = cluster();
    requests(&mut cluster, A, 1, 3);
    cluster.down.insert(C);
    requests(&mut cluster, A, 4, 3);
    restart(&mut cluster, C);
    cluster.pass(Duration::from_secs(1));
    assert_all_at(&cluster, 6);
    assert!(
        !cluster.observed.iter().any(|(node, what)| *node == C
            && matches!(what, Observation::Restored { sequence, .. } if sequence.0 > 0))
    );
}

#[test]
fn a_follower_that_was_away_catches_up_by_snapshot() {
    let mut cluster = cluster();
    cluster.down.insert(C);
    requests(&mut cluster, A, 1, 30);
    assert_eq!(cluster.replicas[&A].log.low(), Sequence(16), "the log reaches back to the older checkpoint");
    restart(&mut cluster, C);
    cluster.pass(Duration::from_secs(2));
    assert_all_at(&cluster, 30);
    assert!(cluster.observed.iter().any(
        |(node, what)| *node == C && matches!(what, Observation::Restored { sequence: Sequence(24), .. })
    ));
    assert_eq!(cluster.replicas[&C].status().stable, Sequence(24));
    // What it fetched is on its own disk.
    restart(&mut cluster, C);
    assert_eq!(cluster.replicas[&C].status().executed, Sequence(24));
}

#[test]
fn a_checkpoint_bounds_what_is_left_on_disk_and_in_memory() {
    let mut cluster = cluster();
    requests(&mut cluster, A, 1, 100);
    cluster.pass(Duration::from_millis(200));
    assert_all_at(&cluster, 100);
    for (node, replica) in &cluster.replicas {
        let left = left_on(&cluster.disks[node], cluster.disks[node].len());
        assert!(left.records.len() <= 8, "{node}: {}", left.records.len());
        assert!(left.records.iter().all(|(_, record)| Record::from_bytes(record.clone()).is_ok()));
        assert_eq!(replica.log.low(), Sequence(88));
        assert_eq!(replica.status().stable, Sequence(96));
    }
}

#[test]
fn a_promise_outlives_the_records_that_a_snapshot_replaces() {
    let mut cluster = cluster();
    cluster.down.insert(A);
    cluster.pass(Duration::from_secs(2));
    let new = leader(&cluster).expect("two of three elect one");
    requests(&mut cluster, new, 1, 9);
    let promised = cluster.replicas[&new].promised;
    assert!(promised > View(0));
    [B, C].into_iter().for_each(|node| restart(&mut cluster, node));
    assert!([B, C].iter().all(|node| cluster.replicas[node].promised >= promised));
}

#[test]
fn a_disk_that_does_not_keep_up_stops_its_replica_and_not_its_memory() {
    let mut cluster = cluster();
    cluster.slow.insert(C);
    requests(&mut cluster, A, 1, 60);
    assert_eq!(cluster.replies.len(), 60, "the others go on");
    let stuck = &cluster.replicas[&C];
    assert!(stuck.executed() <= stuck.limit());
    assert_eq!(stuck.limit(), Sequence(2 * 8 + 4));
    assert_agreement(&cluster);
    cluster.slow.clear();
    let written = Position(cluster.disks[&C].len() as u64);
    cluster.step(C, Event::Durable(written));
    cluster.pass(Duration::from_secs(2));
    assert_all_at(&cluster, 60);
}

#[test]
fn a_replica_that_was_cut_off_does_not_depose_a_leader_that_others_hear() {
    let mut cluster = cluster();
    cluster.drop = Box::new(|from, to, _| from == C || to == C);
    cluster.pass(Duration::from_secs(5));
    assert!(cluster.replicas[&C].suspects);
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_secs(1));
    assert_eq!(leader(&cluster), Some(A));
    assert!(cluster.replicas.values().all(|replica| replica.promised == View(0)));
    assert!(!cluster.replicas[&C].suspects);
}

#[test]
fn a_leader_that_hears_nobody_resigns() {
    let mut cluster = cluster();
    cluster.drop = Box::new(|_, to, _| to == A);
    cluster.request(A, 1, 1);
    cluster.pass(Duration::from_secs(6));
    let new = leader(&cluster).expect("the two that hear each other elect one");
    assert_ne!(new, A);
    cluster.request(new, 1, 1);
    assert!(cluster.replies.iter().all(|(node, reply)| *node == new && reply.sequence == Sequence(1)));
    assert!(!cluster.replies.is_empty());
    cluster.drop = Box::new(|_, _, _| false);
    cluster.pass(Duration::from_secs(3));
    assert_agreement(&cluster);
    assert_eq!(cluster.executed(A).len(), cluster.executed(new).len());
}

#[test]
fn timeouts_double_without_progress_and_recover_with_it() {
    let mut cluster = cluster();
    cluster.down.extend([A, B]);
    cluster.pass(Duration::from_secs(60));
    let first = cluster.settings.view_timeout;
    assert_eq!(cluster.replicas[&C].timeout, first * 2, "without support nothing changes but this");
    [A, B].into_iter().for_each(|node| restart(&mut cluster, node));
    cluster.pass(Duration::from_secs(3));
    let new = leader(&cluster).expect("all are up");
    requests(&mut cluster, new, 1, 1);
    cluster.pass(Duration::from_millis(200));
    assert_all_at(&cluster, 1);
    assert!(cluster.replicas.values().all(|replica| replica.timeout == first));
}

#[test]
fn five_replicas_outlast_two_leaders() {
    let mut cluster = cluster_with(Settings { f: 2, ..Settings::new(Protocol::Paxos, 2) });
    let mut client = 1;
    for _ in 0..2 {
        let now = leader(&cluster).expect("there is one");
        requests(&mut cluster, now, client, 5);
        client += 5;
        cluster.down.insert(now);
        cluster.pass(Duration::from_secs(4));
    }
    let now = leader(&cluster).expect("three of five elect one");
    requests(&mut cluster, now, client, 5);
    let answered: BTreeSet<_> = cluster.replies.iter().map(|(_, reply)| reply.client).collect();
    assert_eq!(answered.len(), 15);
    cluster.down.clone().into_iter().for_each(|node| restart(&mut cluster, node));
    cluster.pass(Duration::from_secs(3));
    assert_all_at(&cluster, 15);
}

#[test]
fn nonsense_is_refused_and_never_a_panic() {
    let mut replica = new(C);
    let far = Sequence(u64::MAX);
    let accept = |view, sequence| Accept { view, sequence, chosen: far, batch: Batch::null() };
    let cases = [
        (A, Message::Superseded(Superseded { view: View(u64::MAX) }), Refusal::TooFarAhead),
        (A, Message::Heartbeat(Heartbeat { view: View(1), chosen: far }), Refusal::NotAllowed),
        (A, Message::Accept(accept(View(0), far)), Refusal::TooFarAhead),
        (B, Message::Accept(accept(View(0), Sequence(1))), Refusal::NotAllowed),
        (NodeId(9), Message::Accept(accept(View(9), Sequence(1))), Refusal::UnknownSender),
        (C, Message::Accept(accept(View(2), Sequence(1))), Refusal::NotAllowed),
        (A, Message::Prepare(Prepare { view: View(1), after: far }), Refusal::NotAllowed),
    ];
    for (node, message, refusal) in cases {
        assert!(refuses(&step(&mut replica, from(node, message.clone())), refusal), "{message:?}");
    }
    step(&mut replica, from(A, Message::Prepare(Prepare { view: View(3), after: far })));
    step(
        &mut replica,
        from(A, Message::Heartbeat(Heartbeat { view: View(VIEW_MAX.0 / 3 * 3), chosen: far })),
    );
    step(&mut replica, Event::Timer(super::VIEW));
    step(&mut replica, Event::Timer(super::CANVASS));
    step(&mut replica, Event::Timer(super::CATCH_UP));
}
