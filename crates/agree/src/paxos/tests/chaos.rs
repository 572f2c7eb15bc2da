//! Small clusters under adversity, many seeds: messages are lost, repeated, late and out of order, links are cut,
//! disks are slow, replicas lose their power and what they had not flushed. The real simulator does this and more;
//! this one is here so that a change to this folder is tried at once.
//!
//! What must hold: one batch per place, ever, at every replica and across crashes; one place per request, ever, in
//! the states and in the replies. And when the adversity ends: every client gets its answer, every replica the same
//! state.

use super::{Observation, left_on, recover};
use crate::replica::{Destination, Effect, Event, Outbox, Position, Replica as _, Timer, Write};
use crate::testing::Journalist;
use crate::{Message, Protocol, Request, Settings, paxos};
use bytes::Bytes;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use wire::frame::BODY_BYTES_MAX;
use wire::{ClientId, Decode, Digest, Encode, NodeId, Peer, Sequence, Time, Timestamp};

const CLIENTS: u64 = 4;
const REQUESTS_PER_CLIENT: u64 = 60;
const ADVERSITY: u64 = 12_000_000;
const END: u64 = ADVERSITY + 60_000_000;

/// xorshift64*, which is enough to disturb.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }
    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

#[derive(Clone, Debug)]
enum Happening {
    Arrives(Peer, NodeId, Message),
    Timer(NodeId, u64, Timer, u64),
    Flushed(NodeId, u64, Position),
    PowerLoss(NodeId),
    PowerBack(NodeId),
    CutLinks,
    ClientRetries(u64, u64),
}

struct Node {
    replica: Option<paxos::Replica<Journalist>>,
    /// Which life it lives: timers and flushes of an earlier one mean nothing.
    life: u64,
    timers: BTreeMap<Timer, u64>,
    disk: Vec<Write>,
    flushed: usize,
    /// When the disk is done with what it was given so far.
    busy_until: u64,
}

struct World {
    chance: Chance,
    /// How many of a hundred writes take long, and how long at most.
    slow_writes: (u64, u64),
    /// How long a replica keeps its power at most.
    life_max: u64,
    settings: Settings,
    now: u64,
    count: u64,
    agenda: BTreeMap<(u64, u64), Happening>,
    nodes: BTreeMap<NodeId, Node>,
    cut: BTreeSet<(NodeId, NodeId)>,
    /// The request that each client waits for.
    asked: BTreeMap<u64, u64>,
    batches: BTreeMap<Sequence, (Digest, Digest)>,
    places: BTreeMap<(ClientId, Timestamp), Sequence>,
    results: BTreeMap<(ClientId, Timestamp), (Sequence, Bytes)>,
}

impl World {
    fn new(seed: u64, f: usize) -> Self {
        let millis = Duration::from_millis;
        let settings = Settings {
            checkpoint_interval: 4,
            window: 3,
            batch_requests_max: 2,
            retransmit_after: millis(20),
            view_timeout: millis(120),
            view_timeout_max: millis(1000),
            heartbeat_every: millis(30),
            ..Settings::new(Protocol::Paxos, f)
        };
        let node = |_: &NodeId| Node {
            replica: None,
            life: 0,
            timers: BTreeMap::new(),
            disk: Vec::new(),
            flushed: 0,
            busy_until: 0,
        };
        World {
            chance: Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            nodes: settings.members.iter().map(|member| (*member, node(member))).collect(),
            slow_writes: if seed.is_multiple_of(3) { (20, 600_000) } else { (3, 200_000) },
            life_max: if seed.is_multiple_of(2) { 4_000_000 } else { 1_500_000 },
            settings,
            now: 0,
            count: 0,
            agenda: BTreeMap::new(),
            cut: BTreeSet::new(),
            asked: (0..CLIENTS).map(|client| (client, 1)).collect(),
            batches: BTreeMap::new(),
            places: BTreeMap::new(),
            results: BTreeMap::new(),
        }
    }

    fn later(&mut self, after: u64, happening: Happening) {
        self.count += 1;
        self.agenda.insert((self.now + after, self.count), happening);
    }

    fn calm(&self) -> bool {
        self.now >= ADVERSITY
    }

    fn run(&mut self) {
        for member in self.settings.members.clone() {
            self.later(0, Happening::PowerBack(member));
            let first = self.chance.below(3_000_000);
            self.later(first, Happening::PowerLoss(member));
        }
        self.later(0, Happening::CutLinks);
        (0..CLIENTS).for_each(|client| self.later(1000, Happening::ClientRetries(client, 1)));
        while let Some(((at, _), happening)) = self.agenda.pop_first() {
            self.now = at;
            if self.now > END || self.is_done() {
                break;
            }
            self.happen(happening);
        }
        assert!(self.is_done(), "unanswered: {:?}", self.asked);
        self.assert_same_states();
    }

    fn is_done(&self) -> bool {
        let last = self.batches.last_key_value().map_or(Sequence::ZERO, |(last, _)| *last);
        let caught_up = |node: &Node| node.replica.as_ref().is_some_and(|one| one.status().executed == last);
        self.calm()
            && self.asked.values().all(|asked| *asked > REQUESTS_PER_CLIENT)
            && self.nodes.values().all(caught_up)
    }

    fn assert_same_states(&self) {
        let states: BTreeSet<Digest> =
            self.nodes.values().filter_map(|node| Some(node.replica.as_ref()?.status().state)).collect();
        assert_eq!(states.len(), 1);
        assert_eq!(self.places.len() as u64, CLIENTS * REQUESTS_PER_CLIENT);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives(from, to, message) => self.step(to, Event::Message { from, message }),
            Happening::Timer(node, life, timer, at) => {
                let owner = self.nodes.get_mut(&node).expect("a member");
                if owner.life == life && owner.timers.get(&timer) == Some(&at) {
                    owner.timers.remove(&timer);
                    self.step(node, Event::Timer(timer));
                }
            }
            Happening::Flushed(node, life, position) => {
                let owner = self.nodes.get_mut(&node).expect("a member");
                if owner.life == life {
                    owner.flushed = owner.flushed.max(position.0 as usize);
                    self.step(node, Event::Durable(position));
                }
            }
            Happening::PowerLoss(node) => self.lose_power(node),
            Happening::PowerBack(node) => self.start(node),
            Happening::CutLinks => self.cut_links(),
            Happening::ClientRetries(client, timestamp) => self.ask(client, timestamp),
        }
    }

    fn lose_power(&mut self, node: NodeId) {
        let calm = self.calm();
        let owner = self.nodes.get_mut(&node).expect("a member");
        if calm || owner.replica.is_none() {
            return;
        }
        let unflushed = (owner.disk.len() - owner.flushed) as u64;
        let kept = owner.flushed + self.chance.below(unflushed + 1) as usize;
        owner.disk.truncate(kept);
        owner.flushed = kept;
        owner.replica = None;
        owner.life += 1;
        owner.timers.clear();
        let down = self.chance.below(if self.chance.0 & 1 == 0 { 20_000 } else { 1_500_000 });
        self.later(down, Happening::PowerBack(node));
    }

    fn start(&mut self, node: NodeId) {
        let owner = self.nodes.get_mut(&node).expect("a member");
        assert!(owner.replica.is_none(), "who is up is not started");
        let recovered = left_on(&owner.disk, owner.disk.len());
        owner.replica = Some(recover(node, &self.settings, recovered));
        owner.busy_until = self.now;
        self.step(node, Event::Started);
        let life = self.chance.below(self.life_max);
        self.later(life, Happening::PowerLoss(node));
    }

    fn cut_links(&mut self) {
        self.cut.clear();
        if self.calm() {
            return;
        }
        let members = self.settings.members.clone();
        for from in &members {
            for to in &members {
                if self.chance.percent(12) {
                    self.cut.insert((*from, *to));
                }
            }
        }
        if self.chance.percent(30) {
            let alone = members[self.chance.below(members.len() as u64) as usize];
            self.cut.extend(members.iter().flat_map(|other| [(alone, *other), (*other, alone)]));
        }
        let lasts = self.chance.below(1_000_000);
        self.later(lasts, Happening::CutLinks);
    }

    /// A client asks everybody, until it has its answer; then for the next thing.
    fn ask(&mut self, client: u64, timestamp: u64) {
        if self.asked[&client] != timestamp || timestamp > REQUESTS_PER_CLIENT {
            return;
        }
        let request = Request {
            client: ClientId(client),
            timestamp: Timestamp(timestamp),
            operation: Bytes::from(format!("c{client}T{timestamp}")),
            speaker: None,
            signature: None,
        };
        for member in self.settings.members.clone() {
            let delay = self.chance.below(5_000);
            let from = Peer::Client(request.client);
            self.later(delay, Happening::Arrives(from, member, request.clone().into()));
        }
        self.later(100_000, Happening::ClientRetries(client, timestamp));
    }

    fn step(&mut self, node: NodeId, event: Event) {
        let owner = self.nodes.get_mut(&node).expect("a member");
        let Some(replica) = &mut owner.replica else { return };
        let mut out = Outbox::new();
        replica.step(Time(self.now * 1000), event, &mut out);
        let effects: Vec<Effect> = out.drain().collect();
        effects.into_iter().for_each(|effect| self.perform(node, effect));
    }

    fn perform(&mut self, node: NodeId, effect: Effect) {
        match effect {
            Effect::Send { to: Destination::Members, message } => {
                for other in self.settings.members.clone() {
                    if other != node {
                        self.send(node, other, message.clone());
                    }
                }
            }
            Effect::Send { to: Destination::Peer(Peer::Node(to)), message } => self.send(node, to, message),
            Effect::Send { to: Destination::Peer(Peer::Client(_)), message } => self.answer(message),
            Effect::SetTimer(timer, after) => {
                let after = after.as_micros() as u64;
                let owner = self.nodes.get_mut(&node).expect("a member");
                owner.timers.insert(timer, self.now + after);
                let happening = Happening::Timer(node, owner.life, timer, self.now + after);
                self.later(after, happening);
            }
            Effect::ClearTimer(timer) => {
                self.nodes.get_mut(&node).expect("a member").timers.remove(&timer);
            }
            Effect::Write(write) => self.write(node, write),
            Effect::Observe(observation) => self.observe(node, observation),
            Effect::Refuse { .. } => {}
        }
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        let bytes = message.to_bytes();
        assert!(bytes.len() <= BODY_BYTES_MAX);
        assert_eq!(Message::from_bytes(bytes).as_ref(), Ok(&message));
        if self.cut.contains(&(from, to)) || (!self.calm() && self.chance.percent(5)) {
            return;
        }
        let copies = if !self.calm() && self.chance.percent(5) { 2 } else { 1 };
        for _ in 0..copies {
            let late = !self.calm() && self.chance.percent(3);
            let delay = 100 + self.chance.below(if late { 400_000 } else { 4_000 });
            self.later(delay, Happening::Arrives(Peer::Node(from), to, message.clone()));
        }
    }

    fn write(&mut self, node: NodeId, write: Write) {
        let (percent, longest) = self.slow_writes;
        let slow = !self.calm() && self.chance.percent(percent);
        let takes = self.chance.below(if slow { longest } else { 3_000 });
        let owner = self.nodes.get_mut(&node).expect("a member");
        owner.disk.push(write);
        owner.busy_until = owner.busy_until.max(self.now) + takes;
        let (done, position) = (owner.busy_until - self.now, Position(owner.disk.len() as u64));
        let happening = Happening::Flushed(node, owner.life, position);
        self.later(done, happening);
    }

    fn observe(&mut self, node: NodeId, observation: Observation) {
        if let Observation::Executed { sequence, batch, state, applied, .. } = observation {
            let first = *self.batches.entry(sequence).or_insert((batch, state));
            assert_eq!(first, (batch, state), "{node} executed another batch at {sequence}");
            for request in applied {
                let first = *self.places.entry(request).or_insert(sequence);
                assert_eq!(first, sequence, "{node} executed {request:?} again");
            }
        }
    }

    fn answer(&mut self, message: Message) {
        let Message::Reply(reply) = message else { return };
        let answer = (reply.sequence, reply.result);
        let first = self.results.entry((reply.client, reply.timestamp)).or_insert(answer.clone());
        assert_eq!(*first, answer, "two answers to {} {}", reply.client, reply.timestamp);
        let asked = self.asked.get_mut(&reply.client.0).expect("a client");
        if *asked == reply.timestamp.0 && self.chance.percent(80) {
            *asked += 1;
            let (client, next) = (reply.client.0, *asked);
            let pause = self.chance.below(200_000);
            self.later(pause, Happening::ClientRetries(client, next));
        }
    }
}

fn run(seeds: core::ops::Range<u64>) {
    for seed in seeds {
        let f = if seed % 5 == 4 { 2 } else { 1 };
        let outcome = std::panic::catch_unwind(|| World::new(seed, f).run());
        assert!(outcome.is_ok(), "seed {seed}, f = {f}");
    }
}

#[test]
fn adversity_harms_neither_agreement_nor_what_was_answered() {
    run(0..40);
}

/// `cargo test --release -p agree chaos -- --ignored many_seeds`.
#[test]
#[ignore = "takes minutes"]
fn many_seeds() {
    run(1000..4000);
}

/// Every defect of this folder is found by some seed; alone in its process, since the switch is for all threads:
/// `cargo test --release -p agree --features mutations chaos -- --ignored every_defect`.
#[test]
#[ignore = "takes minutes, and throws a switch that other tests would feel"]
#[cfg(feature = "mutations")]
fn every_defect_is_found() {
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = Vec::new();
    for defect in mutation::Defect::ALL.iter().filter(|defect| defect.protocol() == "paxos") {
        mutation::activate(Some(*defect));
        let found = (0..3000).find(|seed| std::panic::catch_unwind(|| run(*seed..*seed + 1)).is_err());
        if found.is_none() {
            missed.push(defect.name());
        }
    }
    mutation::activate(None);
    assert!(missed.is_empty(), "{missed:?}");
}
