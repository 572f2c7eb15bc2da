//! A storm: loss, repetition, reordering, partitions, power losses and one or more liars, then calm.
//!
//! A liar is a pair of twins: two replicas with one identity, of which each may reach another part of the cluster, and
//! whose messages are tampered with now and then. In the storm and after: no two correct replicas execute different
//! batches at one place, no request is executed twice or without having been asked for. In the calm: every client gets
//! its answers and all correct replicas come to the same state, while the liars lie on or fall silent.

mod checks;
mod dice;
mod liar;

use super::{Toy, disk, recover, settings, signed};
use crate::Message as AnyMessage;
use crate::replica::{Destination, Effect, Event, Outbox, Position, Replica, Timer, Write};
use crate::request::Reply;
use crate::settings::Settings;
use core::time::Duration;
use dice::Dice;
use std::collections::{BTreeMap, BTreeSet};
use wire::{ClientId, Digest, NodeId, Peer, Sequence, Time, Timestamp};

/// A running replica: its number tells twins apart.
type Instance = usize;

struct Body {
    node: NodeId,
    replica: Option<Toy>,
    liar: bool,
    /// A liar that says nothing in the calm.
    gone: bool,
    disk: Vec<Write>,
    durable: usize,
    timers: BTreeMap<Timer, (u64, Time)>,
    /// Counts restarts: what was under way to an earlier life is lost.
    life: u64,
}

#[derive(Clone)]
enum Happening {
    Arrive { at: Instance, from: Peer, message: AnyMessage },
    Ring { at: Instance, timer: Timer, id: u64 },
    Flushed { at: Instance, life: u64, position: usize },
    Reply { from: NodeId, reply: Reply },
    Retry { client: usize },
    Weather,
    Restart { at: Instance },
}

#[derive(Default)]
struct Asker {
    timestamp: u64,
    waiting: bool,
    replies: BTreeMap<NodeId, Reply>,
}

struct Storm {
    dice: Dice,
    settings: Settings,
    now: Time,
    next: u64,
    agenda: BTreeMap<(Time, u64), Happening>,
    bodies: Vec<Body>,
    askers: Vec<Asker>,
    cut: BTreeSet<(Instance, Instance)>,
    calm: bool,
    loss_percent: u64,
    slowest_ms: u64,
    weather_ms: u64,
    executed: BTreeMap<Sequence, (Digest, Digest)>,
    applied: BTreeMap<(ClientId, Timestamp), Sequence>,
    views: u64,
}

const REQUESTS: u64 = 30;
const STORM: Duration = Duration::from_secs(8);
const CALM: Duration = Duration::from_secs(400);

impl Storm {
    fn new(seed: u64, f: usize) -> Storm {
        let mut dice = Dice(seed);
        let settings = settings(f);
        let mut bodies = Vec::new();
        let liars: BTreeSet<u64> = (0..f).map(|_| dice.below(settings.n() as u64)).collect();
        for node in settings.members.clone() {
            let liar = liars.contains(&u64::from(node.0));
            for _ in 0..(1 + usize::from(liar)) {
                let replica = Some(recover(node, &settings, crate::Recovered::default()));
                let (disk, timers) = (Vec::new(), BTreeMap::new());
                bodies.push(Body { node, replica, liar, gone: false, disk, durable: 0, timers, life: 0 });
            }
        }
        let (loss_percent, slowest_ms, weather_ms) =
            (dice.below(25), 2 + dice.below(80), 100 + dice.below(1500));
        let mut storm = Storm {
            loss_percent,
            slowest_ms,
            weather_ms,
            dice,
            settings,
            now: Time::ZERO,
            next: 0,
            agenda: BTreeMap::new(),
            bodies,
            askers: (0..3).map(|_| Asker::default()).collect(),
            cut: BTreeSet::new(),
            calm: false,
            executed: BTreeMap::new(),
            applied: BTreeMap::new(),
            views: 0,
        };
        for at in 0..storm.bodies.len() {
            storm.step(at, Event::Started);
        }
        for client in 0..storm.askers.len() {
            storm.after(1, Happening::Retry { client });
        }
        storm.after(1, Happening::Weather);
        storm
    }

    fn after(&mut self, millis: u64, happening: Happening) {
        self.next += 1;
        self.agenda.insert((self.now.after(Duration::from_millis(millis)), self.next), happening);
    }

    fn run_until(&mut self, end: Time, mut done: impl FnMut(&Storm) -> bool) -> bool {
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > end {
                break;
            }
            self.now = entry.key().0;
            let happening = entry.remove();
            self.happen(happening);
            if done(self) {
                return true;
            }
        }
        self.now = end;
        false
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrive { at, from, message } => self.step(at, Event::Message { from, message }),
            Happening::Ring { at, timer, id } => {
                if self.bodies[at].timers.get(&timer).is_some_and(|(set, _)| *set == id) {
                    self.bodies[at].timers.remove(&timer);
                    self.step(at, Event::Timer(timer));
                }
            }
            Happening::Flushed { at, life, position } => {
                if self.bodies[at].life == life && position > self.bodies[at].durable {
                    self.bodies[at].durable = position;
                    self.step(at, Event::Durable(Position(position as u64)));
                }
            }
            Happening::Reply { from, reply } => self.reply(from, reply),
            Happening::Retry { client } => self.retry(client),
            Happening::Weather => self.weather(),
            Happening::Restart { at } => self.restart(at),
        }
    }

    fn step(&mut self, at: Instance, event: Event) {
        let now = self.now;
        let mut out = Outbox::new();
        let Some(replica) = &mut self.bodies[at].replica else { return };
        replica.step(now, event, &mut out);
        let effects: Vec<Effect> = out.drain().collect();
        for effect in effects {
            self.perform(at, effect);
        }
    }

    fn perform(&mut self, at: Instance, effect: Effect) {
        match effect {
            Effect::Send { to: Destination::Members, message } => {
                for node in self.settings.members.clone() {
                    if node != self.bodies[at].node {
                        self.post(at, node, message.clone());
                    }
                }
            }
            Effect::Send { to: Destination::Peer(Peer::Node(node)), message } => self.post(at, node, message),
            Effect::Send { to: Destination::Peer(Peer::Client(_)), message } => {
                if let AnyMessage::Reply(reply) = message {
                    let (delay, from) = (1 + self.dice.below(5), self.bodies[at].node);
                    if self.calm || !self.dice.percent(20) {
                        self.after(delay, Happening::Reply { from, reply });
                    }
                }
            }
            Effect::SetTimer(timer, after) => {
                let id = self.next;
                self.bodies[at].timers.insert(timer, (id, self.now));
                self.after(after.as_millis() as u64, Happening::Ring { at, timer, id });
            }
            Effect::ClearTimer(timer) => {
                self.bodies[at].timers.remove(&timer);
            }
            Effect::Write(write) => {
                self.bodies[at].disk.push(write);
                let (position, life) = (self.bodies[at].disk.len(), self.bodies[at].life);
                let delay = if self.calm { 1 } else { 1 + self.dice.below(30) };
                self.after(delay, Happening::Flushed { at, life, position });
            }
            Effect::Observe(observation) => self.observe(at, observation),
            Effect::Refuse { .. } => {}
        }
    }

    /// Puts a message on the way to every instance of `to` that `at` reaches.
    fn post(&mut self, at: Instance, to: NodeId, message: AnyMessage) {
        let from = self.bodies[at].node;
        for other in 0..self.bodies.len() {
            if self.bodies[other].node != to || self.cut.contains(&(at, other)) {
                continue;
            }
            let message =
                if self.bodies[at].liar { self.tamper(from, message.clone()) } else { message.clone() };
            if !self.calm && self.dice.percent(self.loss_percent) {
                continue;
            }
            let copies = if !self.calm && self.dice.percent(5) { 2 } else { 1 };
            for _ in 0..copies {
                let delay =
                    if self.calm { 1 + self.dice.below(4) } else { 1 + self.dice.below(self.slowest_ms) };
                let arrival =
                    Happening::Arrive { at: other, from: Peer::Node(from), message: message.clone() };
                self.after(delay, arrival);
            }
        }
    }

    /// Another partition, perhaps a loss of power.
    fn weather(&mut self) {
        self.cut.clear();
        let bodies = self.bodies.len();
        let sides: Vec<bool> = (0..bodies).map(|_| self.dice.percent(50)).collect();
        let split = !self.calm && self.dice.percent(50);
        for one in 0..bodies {
            for other in 0..bodies {
                let twins = self.bodies[one].liar || self.bodies[other].liar;
                if (split || twins) && sides[one] != sides[other] {
                    self.cut.insert((one, other));
                }
            }
        }
        if !self.calm {
            let victims = match self.dice.below(12) {
                0 => (0..bodies).collect(),
                1..=4 => vec![self.dice.below(bodies as u64) as Instance],
                _ => Vec::new(),
            };
            for at in victims {
                self.power_loss(at);
            }
        }
        let pause = 100 + self.dice.below(self.weather_ms);
        self.after(pause, Happening::Weather);
    }

    fn power_loss(&mut self, at: Instance) {
        let body = &mut self.bodies[at];
        if body.replica.take().is_none() {
            return;
        }
        body.life += 1;
        body.timers.clear();
        let lost = body.disk.len() - body.durable;
        let kept = body.durable + if lost == 0 { 0 } else { self.dice.below(lost as u64 + 1) as usize };
        let body = &mut self.bodies[at];
        body.disk.truncate(kept);
        body.durable = kept;
        let pause = 1 + self.dice.below(1500);
        self.after(pause, Happening::Restart { at });
    }

    fn restart(&mut self, at: Instance) {
        let body = &mut self.bodies[at];
        if body.gone || body.replica.is_some() {
            return;
        }
        body.replica = Some(recover(body.node, &self.settings, disk(&body.disk)));
        self.step(at, Event::Started);
    }

    /// A client asks, for the first time or again.
    fn retry(&mut self, client: usize) {
        let asker = &mut self.askers[client];
        if !asker.waiting {
            if asker.timestamp == REQUESTS {
                return;
            }
            asker.timestamp += 1;
            asker.waiting = true;
            asker.replies.clear();
        }
        let request = signed(client as u64, asker.timestamp);
        for at in 0..self.bodies.len() {
            if self.calm || !self.dice.percent(30) {
                let from = Peer::Client(ClientId(client as u64));
                let message = AnyMessage::Request(request.clone());
                let delay = 1 + self.dice.below(20);
                self.after(delay, Happening::Arrive { at, from, message });
            }
        }
        let pause = 200 + self.dice.below(200);
        self.after(pause, Happening::Retry { client });
    }

    fn reply(&mut self, from: NodeId, reply: Reply) {
        let asker = &mut self.askers[reply.client.0 as usize];
        if !asker.waiting || reply.timestamp != Timestamp(asker.timestamp) {
            return;
        }
        asker.replies.insert(from, reply.clone());
        let same = |other: &&Reply| other.sequence == reply.sequence && other.result == reply.result;
        if asker.replies.values().filter(same).count() > self.settings.f {
            asker.waiting = false;
            let place = self.applied.get(&(reply.client, reply.timestamp));
            assert_eq!(place, Some(&reply.sequence), "a client believes what no correct replica executed");
        }
    }
}

/// Runs one storm and says in how many views it ended.
fn run(seed: u64, f: usize) -> u64 {
    let mut storm = Storm::new(seed, f);
    let end = storm.now.after(STORM);
    storm.run_until(end, |_| false);
    storm.calm = true;
    let silent = storm.dice.percent(50);
    for body in storm.bodies.iter_mut().filter(|body| body.liar && silent) {
        body.gone = true;
        body.replica = None;
    }
    for at in 0..storm.bodies.len() {
        storm.cut.clear();
        if storm.bodies[at].replica.is_none() && !storm.bodies[at].gone {
            storm.restart(at);
        }
    }
    let end = storm.now.after(CALM);
    let mut steps = 0_u64;
    let settled = storm.run_until(end, |storm| {
        steps += 1;
        steps.is_multiple_of(64) && storm.is_settled()
    });
    assert!(settled, "seed {seed}, f = {f}: no progress in the calm\n{}", storm.report());
    storm.views
}

#[test]
fn four_replicas_with_one_liar_survive_a_storm() {
    let views: Vec<u64> = (0..60).map(|seed| run(seed, 1)).collect();
    assert!(views.iter().any(|views| *views > 2), "a storm without view changes is none");
}

#[test]
fn seven_replicas_with_two_liars_survive_a_storm() {
    for seed in 0..20 {
        run(seed, 2);
    }
}

#[test]
#[ignore = "takes minutes"]
fn many_storms() {
    for seed in 1000..6000 {
        run(seed, 1);
        run(seed, 2);
    }
}

/// Run it alone, since the switch is one for the whole process:
/// `cargo test -p agree --features mutations -- --ignored the_storm_finds_every_defect`.
#[test]
#[ignore = "takes minutes, and switches defects on for every test that runs beside it"]
#[cfg(feature = "mutations")]
fn the_storm_finds_every_defect() {
    let ours = mutation::Defect::ALL.iter().filter(|defect| defect.protocol() == "pbft");
    for defect in ours {
        mutation::activate(Some(*defect));
        let found = (0..2000).any(|seed| std::panic::catch_unwind(|| run(seed, 1)).is_err());
        mutation::activate(None);
        assert!(found, "{} goes unnoticed", defect.name());
    }
}
