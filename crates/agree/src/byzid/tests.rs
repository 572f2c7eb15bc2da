//! A replica by hand: what is on its disk, and what others can make it do.

use super::*;
use crate::checkpoint::Checkpoint;
use crate::replica::{Effect, Write};
use crate::request::{Batch, Request};
use crate::testing::Journalist;
use crate::{Protocol, Settings};
use bytes::Bytes;
use message::{Fetched, Order};
use wire::{ClientId, Timestamp};

type Tested = Replica<Journalist>;

fn settings() -> Settings {
    Settings { checkpoint_interval: 4, ..Settings::new(Protocol::ByzId, 1) }
}

fn recover(node: u16, recovered: Recovered) -> Tested {
    Replica::recover(NodeId(node), settings(), Journalist::default(), recovered).expect("a sound disk")
}

fn batch(client: u64) -> Batch {
    let client = ClientId(client);
    Batch::new(vec![Request {
        client,
        timestamp: Timestamp(1),
        operation: Bytes::new(),
        speaker: None,
        signature: None,
    }])
}

/// A disk that keeps everything at once.
#[derive(Default)]
struct Disk {
    writes: Vec<Write>,
}

impl Disk {
    /// Hands `event` to `replica`, keeps what it writes, and returns what it sends.
    fn step(&mut self, replica: &mut Tested, event: Event) -> Vec<Message> {
        let mut out = Outbox::new();
        replica.step(Time::ZERO, event, &mut out);
        let mut sent = Vec::new();
        let mut wrote = false;
        for effect in out.drain() {
            match effect {
                Effect::Write(write) => {
                    self.writes.push(write);
                    wrote = true;
                }
                Effect::Send { message, .. } => sent.push(message),
                Effect::SetTimer(..) | Effect::ClearTimer(_) | Effect::Observe(_) | Effect::Refuse { .. } => {
                }
            }
        }
        if wrote {
            let position = Position(self.writes.len() as u64);
            sent.extend(self.step(replica, Event::Durable(position)));
        }
        sent
    }

    fn recovered(&self) -> Recovered {
        let mut recovered = Recovered { last: Position(self.writes.len() as u64), ..Recovered::default() };
        for (write, position) in self.writes.iter().zip(1..) {
            match write {
                Write::Record(record) => recovered.records.push((Position(position), record.clone())),
                Write::Snapshot { image, keep_from } => {
                    recovered.snapshot = Some(image.clone());
                    recovered.records.retain(|(at, _)| at >= keep_from);
                }
            }
        }
        recovered
    }
}

fn from(node: u16, message: impl Into<Message>) -> Event {
    Event::Message { from: Peer::Node(NodeId(node)), message: message.into() }
}

fn order(view: u64, at: u64) -> Order {
    Order { view: View(view), sequence: Sequence(at), batch: batch(at), seal: None }
}

fn new_config(view: u64, stable: Stable, last: u64) -> NewConfig {
    let first = stable.sequence.0 + 1;
    NewConfig {
        view: View(view),
        members: (0..3).map(|node| Member { node: NodeId(node), incarnation: 0 }).collect(),
        claimants: vec![NodeId(0), NodeId(2)],
        stable,
        orders: (first..=last).map(|at| batch(at).digest()).collect(),
        seal: None,
    }
}

#[test]
fn a_configuration_left_behind_does_not_come_back_from_the_disk() {
    let (mut replica, mut disk) = (recover(1, Recovered::default()), Disk::default());
    for at in 1..=5 {
        disk.step(&mut replica, from(0, order(0, at)));
    }
    disk.step(&mut replica, from(2, Box::new(new_config(2, Stable::genesis(), 5))));
    let digest = replica.checkpoints[&Sequence(4)].digest();
    let stable = Stable { sequence: Sequence(4), digest, seal: None };
    disk.step(&mut replica, from(0, Box::new(new_config(3, stable, 5))));
    disk.step(&mut replica, from(0, order(3, 6)));
    assert_eq!((replica.view, replica.accepted()), (View(3), Sequence(6)));
    let again = recover(1, disk.recovered());
    assert_eq!((again.view, again.accepted()), (View(3), Sequence(6)), "it said that it has these");
}

/// Node 1, which executed nothing, is to lead configuration 1. Node 0 claims 20 ORDERs, nodes 1 and 2 none.
fn candidate(disk: &mut Disk) -> Tested {
    let mut replica = recover(1, Recovered::default());
    let reconfigure = Notice::Reconfigure { target: monitor::View(1), candidate: 1, prove: false };
    disk.step(&mut replica, Event::Notice(reconfigure));
    for (node, last) in [(0, 20), (1, 0), (2, 0)] {
        disk.step(&mut replica, from(node, claim(last)));
    }
    replica
}

fn claim(last: u64) -> Box<message::Reconfigure> {
    let members: Vec<Member> = (0..3).map(|node| Member { node: NodeId(node), incarnation: 0 }).collect();
    Box::new(message::Reconfigure {
        target: View(1),
        claim: Claim {
            entered: View(0),
            members: members.clone(),
            stable: Stable::genesis(),
            orders: (1..=last).map(|at| batch(at).digest()).collect(),
            vouched: true,
            incarnation: 0,
            known: members,
        },
        seals: None,
    })
}

fn fetched(at: u64) -> Fetched {
    Fetched { target: View(1), sequence: Sequence(at), batch: batch(at) }
}

#[test]
fn a_claimant_that_repeats_what_it_gave_does_not_keep_a_candidate_waiting() {
    let mut disk = Disk::default();
    let mut replica = candidate(&mut disk);
    let mut proposed = false;
    for _ in 0..50 {
        disk.step(&mut replica, from(0, fetched(1)));
        let sent = disk.step(&mut replica, Event::Timer(RETRY));
        proposed |= sent.iter().any(|message| matches!(message, Message::ByzId(ByzId::NewConfig(_))));
    }
    assert!(proposed, "the claim that nobody can make good is left out");
}

#[test]
fn a_claimant_that_changes_its_claim_does_not_keep_a_candidate_waiting() {
    let mut disk = Disk::default();
    let mut replica = candidate(&mut disk);
    let mut proposed = false;
    for round in 0..50 {
        disk.step(&mut replica, from(0, claim(19 + round % 2)));
        let sent = disk.step(&mut replica, Event::Timer(RETRY));
        proposed |= sent.iter().any(|message| matches!(message, Message::ByzId(ByzId::NewConfig(_))));
    }
    assert!(proposed, "the claim that nobody can make good is left out");
}

/// Node 0 claims a stable checkpoint, whose snapshot has more pieces than a candidate is patient without any. Whoever is asked
/// has it.
#[test]
fn a_claimant_that_hands_over_a_long_snapshot_is_waited_for() {
    let mut disk = Disk::default();
    let mut replica = recover(1, Recovered::default());
    let reconfigure = Notice::Reconfigure { target: monitor::View(1), candidate: 1, prove: false };
    disk.step(&mut replica, Event::Notice(reconfigure));
    let chunk_bytes = settings().chunk_bytes;
    let whole = Checkpoint::new(Sequence(4), Bytes::from(vec![7; 12 * chunk_bytes]), chunk_bytes);
    let mut asked = Vec::new();
    for (node, stable) in
        [(1, Stable::genesis()), (0, Stable { sequence: Sequence(4), digest: whole.digest(), seal: None })]
    {
        let mut said = claim(0);
        said.claim.stable = stable;
        asked.extend(disk.step(&mut replica, from(node, said)));
    }
    let mut handed_over = 0;
    for _ in 0..200 {
        let ask = asked.iter().find_map(|message| match message {
            Message::Transfer(ask) => Some(ask.clone()),
            _ => None,
        });
        // One answer for every three times that the candidate asks again.
        if let Some(answer) = ask.and_then(|ask| whole.serve(&ask)) {
            handed_over += 1;
            for node in [0, 2] {
                disk.step(&mut replica, from(node, Message::Transfer(answer.clone())));
            }
        }
        for _ in 0..3 {
            asked = disk.step(&mut replica, Event::Timer(RETRY));
        }
    }
    assert!(handed_over > 12, "the manifest and every piece: {handed_over}");
}

#[test]
fn one_batch_again_and_again_does_not_make_a_candidate_flood() {
    let mut disk = Disk::default();
    let mut replica = candidate(&mut disk);
    for at in 1..=16 {
        disk.step(&mut replica, from(0, fetched(at)));
    }
    let asked: usize = (0..100).map(|_| disk.step(&mut replica, from(0, fetched(16))).len()).sum();
    assert_eq!(asked, 0, "each of them counts against it at its own guard");
}

#[test]
fn one_order_again_and_again_does_not_make_a_joining_backup_flood() {
    let (mut replica, mut disk) = (recover(2, Recovered::default()), Disk::default());
    disk.step(&mut replica, from(1, Box::new(new_config(1, Stable::genesis(), 20))));
    for at in 1..=16 {
        disk.step(&mut replica, from(1, order(1, at)));
    }
    let asked: usize = (0..100).map(|_| disk.step(&mut replica, from(1, order(1, 16))).len()).sum();
    assert_eq!(asked, 0, "each of them counts against it at its own guard");
}

/// Node 0, which leads without a monitor, with the requests of so many clients ordered; what it sends comes back to it.
fn unmonitored_primary(disk: &mut Disk, requests: u64) -> Tested {
    let mut replica = recover(0, Recovered::default());
    disk.step(&mut replica, Event::Started);
    disk.step(&mut replica, Event::Notice(Notice::Unmonitored));
    for client in 1..=requests {
        let request = batch(client).requests()[0].clone();
        let event =
            Event::Message { from: Peer::Client(ClientId(client)), message: Message::Request(request) };
        let sent = disk.step(&mut replica, event);
        come_back(&mut replica, disk, sent);
    }
    replica
}

/// The guard hands a primary its own ORDERs and STABLECHECKPOINTs.
fn come_back(replica: &mut Tested, disk: &mut Disk, sent: Vec<Message>) {
    for message in sent {
        if matches!(message, Message::ByzId(ByzId::Order(_) | ByzId::StableCheckpoint(_))) {
            disk.step(replica, from(0, message));
        }
    }
}

fn ack(at: u64) -> message::Ack {
    message::Ack { view: View(0), sequence: Sequence(at), digest: batch(at).digest() }
}

#[test]
fn a_backup_whose_ack_was_lost_before_a_checkpoint_hears_of_the_checkpoint_from_an_unmonitored_primary() {
    let mut disk = Disk::default();
    let mut replica = unmonitored_primary(&mut disk, 4);
    disk.step(&mut replica, from(1, ack(4)));
    let digest = replica.checkpoints[&Sequence(4)].digest();
    let vote = message::Checkpoint { view: View(0), sequence: Sequence(4), digest };
    let sent = disk.step(&mut replica, from(1, vote));
    come_back(&mut replica, &mut disk, sent);
    assert_eq!(replica.stable.sequence, Sequence(4), "the ORDERs up to here are gone");
    let sent = disk.step(&mut replica, Event::Timer(RETRY));
    assert!(matches!(sent[..], [Message::ByzId(ByzId::StableCheckpoint(_))]), "for p2 alone: {sent:?}");
}

#[test]
fn a_backup_that_is_told_of_a_checkpoint_again_says_again_what_it_has() {
    let (mut replica, mut disk) = (recover(2, Recovered::default()), Disk::default());
    for at in 1..=5 {
        disk.step(&mut replica, from(0, order(0, at)));
    }
    let digest = replica.checkpoints[&Sequence(4)].digest();
    let stable = Stable { sequence: Sequence(4), digest, seal: None };
    let again = message::StableCheckpoint { view: View(0), stable };
    disk.step(&mut replica, from(0, again.clone()));
    let sent = disk.step(&mut replica, from(0, again.clone()));
    assert!(
        matches!(&sent[..], [Message::ByzId(ByzId::Ack(ack))] if ack.sequence == Sequence(5)),
        "{sent:?}"
    );
    // While the disk stalls, an ACK waits already.
    let mut out = Outbox::new();
    replica.step(Time::ZERO, from(0, order(0, 6)), &mut out);
    for _ in 0..100 {
        replica.step(Time::ZERO, from(0, order(0, 6)), &mut out);
        replica.step(Time::ZERO, from(0, again.clone()), &mut out);
    }
    out.drain().for_each(drop);
    let sent = disk.step(&mut replica, Event::Durable(Position(disk.writes.len() as u64 + 1)));
    let acks = sent.iter().filter(|message| matches!(message, Message::ByzId(ByzId::Ack(_)))).count();
    assert_eq!(acks, 1);
}

#[test]
fn a_primary_does_not_wait_for_a_backup_that_is_gone() {
    let mut disk = Disk::default();
    let mut replica = unmonitored_primary(&mut disk, settings().window + 1);
    assert_eq!(replica.ordered, Sequence(settings().window), "the window is full");
    disk.step(&mut replica, from(1, ack(1)));
    assert_eq!(replica.complete(), Sequence(1), "p2 is not waited for");
    assert_eq!(replica.ordered, Sequence(settings().window + 1));
}

#[test]
fn an_order_that_the_monitor_stopped_before_it_was_gone_leaves_no_gap() {
    let mut disk = Disk::default();
    let mut replica = recover(0, Recovered::default());
    disk.step(&mut replica, Event::Started);
    let request = batch(1).requests()[0].clone();
    let event = Event::Message { from: Peer::Client(ClientId(1)), message: Message::Request(request) };
    assert_eq!(disk.step(&mut replica, event).len(), 1, "an ORDER, which does not come back");
    let sent = disk.step(&mut replica, Event::Notice(Notice::Unmonitored));
    assert!(
        matches!(&sent[..], [Message::ByzId(ByzId::Order(order))] if order.sequence == Sequence(1)),
        "{sent:?}"
    );
    come_back(&mut replica, &mut disk, sent);
    assert_eq!(replica.accepted(), Sequence(1));
    assert_eq!(disk.step(&mut replica, Event::Notice(Notice::Unmonitored)).len(), 0, "it came back");
}

fn fetches(sent: &[Message]) -> Vec<Sequence> {
    let first = |message: &Message| match message {
        Message::ByzId(ByzId::Fetch(fetch)) => Some(fetch.first),
        _ => None,
    };
    sent.iter().filter_map(first).collect()
}

#[test]
fn a_backup_that_is_behind_asks_for_page_after_page_and_waits_for_no_timer_between() {
    let settings = Settings { checkpoint_interval: 64, ..settings() };
    let service = Journalist::default();
    let mut replica =
        Replica::recover(NodeId(1), settings, service, Recovered::default()).expect("a sound disk");
    let mut disk = Disk::default();
    disk.step(&mut replica, Event::Started);
    disk.step(&mut replica, from(0, order(0, 40)));
    disk.step(&mut replica, Event::Timer(RETRY));
    let mut first = fetches(&disk.step(&mut replica, Event::Timer(RETRY)));
    assert_eq!(first, [Sequence(1)]);
    let mut pages = 0;
    while let Some(Sequence(page)) = first.pop() {
        pages += 1;
        for at in (page..40).take(order::FETCH_ORDERS_MAX) {
            first.extend(fetches(&disk.step(&mut replica, from(0, order(0, at)))));
        }
    }
    assert_eq!((replica.accepted(), pages), (Sequence(40), 3));
}

#[test]
fn orders_past_a_checkpoint_that_is_to_be_fetched_are_kept() {
    let mut disk = Disk::default();
    let mut replica = recover(1, Recovered::default());
    disk.step(&mut replica, Event::Started);
    let end = settings().log_batches_max();
    let too_far = order(0, end + 1);
    assert!(!replica.keep_ahead(too_far.clone()), "the log ends there");
    let stable = Stable { sequence: Sequence(16), digest: Digest([3; 32]), seal: None };
    disk.step(&mut replica, from(0, message::StableCheckpoint { view: View(0), stable }));
    assert!(replica.keep_ahead(too_far));
    assert!(!replica.keep_ahead(order(0, end + 17)), "no further than a log beyond the checkpoint");
}
