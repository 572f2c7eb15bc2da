//! One node of the model: guard, replica, disk and timers, with nothing of a network and nothing of time but its own clock.
//!
//! Upon an action: the guard or the replica takes one step, exactly as in production; what it wants done is done at once
//!   (a write waits on the disk, a timer is set), until nothing is left to be handed over between the two.
//!
//! **Time.** A node's clock stands still, and jumps to the moment at which a timer was to run out when the model lets it run
//! out. No two nodes' clocks are ever compared, because nothing that travels carries a time; so each node has its own, and a
//! timer may run out before or after anything that happens elsewhere. What is hashed is the clock as it is: it changes
//! only when a timer runs out, of which there are few in a scope.

use super::chronicle::Chronicle;
use super::disk::Disk;
use super::fingerprint::fingerprint;
use super::lie::{Knowledge, Lie, Said};
use crate::engine::{AnyGuard, AnyReplica, Engine, deadline_of, guard_of};
use crate::keys::{KeyRing, Tally};
use agree::byzid::guard::Fail;
use agree::guard::{Guard, GuardEffect};
use agree::replica::{Destination, Effect};
use agree::{Event, Message, Observation, Outbox, Replica, Settings, Timer};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use wire::{NodeId, Peer, Time};

/// Where every clock starts: late enough that no limit by the second is exhausted in the first instant.
const START: Time = Time(10_000_000_000);

/// Events that one action may hand over between guard and replica at most; more is a loop.
const EVENTS_MAX: usize = 10_000;

/// What a node is made of and never changes.
#[derive(Clone)]
pub struct Matter {
    /// The cluster.
    pub settings: Rc<Settings>,
    /// Everybody's keys.
    pub ring: KeyRing,
    /// Counts what nobody asks for here.
    pub tally: Rc<Tally>,
    /// Whether a write is durable at once.
    pub disks_at_once: bool,
    /// What the traitor may lie about.
    pub lies: Vec<Lie>,
}

/// Whose timer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Owner {
    /// The guard's, which is the monitor's.
    Guard,
    /// The replica's.
    Replica,
}

/// A message that the traitor keeps.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Template {
    /// Where it was to go.
    pub to: Destination,
    /// What it says.
    pub message: Message,
    /// Whether it was let go as it is.
    pub released: bool,
}

/// What came out of a node in one action.
#[derive(Default)]
pub struct Outcome {
    /// Frames, and to whom.
    pub frames: Vec<(Peer, Bytes)>,
    /// What the replica observed of itself.
    pub observed: Vec<Observation>,
}

/// One node.
#[derive(Clone)]
pub struct Node {
    id: NodeId,
    traitor: bool,
    guard: AnyGuard,
    /// None once the traitor fell silent for good.
    replica: Option<AnyReplica<Chronicle>>,
    disk: Disk,
    now: Time,
    timers: BTreeMap<(Owner, Timer), Time>,
    /// How often the monitor was started.
    starts: u64,
    templates: Vec<Template>,
    fingerprint: u128,
}

impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.id, self.traitor, &self.guard, &self.replica, &self.disk).hash(state);
        (self.now, &self.timers, self.starts, &self.templates).hash(state);
    }
}

/// A step of a node: the node as it becomes, what there is to hand over, and what came out.
struct Step<'a> {
    node: &'a mut Node,
    matter: &'a Matter,
    /// Whether what the traitor wants to lie about is kept back.
    keeps: bool,
    inbox: VecDeque<Event>,
    out: Outcome,
}

impl Node {
    /// Node `id` before anything happened.
    #[must_use]
    pub fn new(id: NodeId, traitor: bool, matter: &Matter) -> (Node, Outcome) {
        let guard = guard_of(id, &matter.settings, &matter.ring, &matter.tally, Fail::Closed, 0, START);
        let mut node = Node {
            id,
            traitor,
            guard,
            replica: None,
            disk: Disk::default(),
            now: START,
            timers: BTreeMap::new(),
            starts: 1,
            templates: Vec::new(),
            fingerprint: 0,
        };
        let outcome = node.act(matter, false, |step| {
            step.start_guard();
            step.start_replica();
        });
        (node, outcome)
    }

    /// What it is known by.
    #[must_use]
    pub fn fingerprint(&self) -> u128 {
        self.fingerprint
    }

    /// Who it is.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// Whether its replica is the traitor.
    #[must_use]
    pub fn is_traitor(&self) -> bool {
        self.traitor
    }

    /// Its guard.
    #[must_use]
    pub fn guard(&self) -> &AnyGuard {
        &self.guard
    }

    /// Its replica, unless it fell silent.
    #[must_use]
    pub fn replica(&self) -> Option<&AnyReplica<Chronicle>> {
        self.replica.as_ref()
    }

    /// Its disk.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The timers that run.
    pub fn timers(&self) -> impl Iterator<Item = (Owner, Timer)> + '_ {
        self.timers.keys().copied()
    }

    /// What the traitor keeps.
    #[must_use]
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    fn act(&mut self, matter: &Matter, keeps: bool, action: impl FnOnce(&mut Step)) -> Outcome {
        let keeps = keeps && self.traitor;
        let mut step = Step { node: self, matter, keeps, inbox: VecDeque::new(), out: Outcome::default() };
        action(&mut step);
        step.drain();
        let out = step.out;
        if !keeps {
            // What can no longer be made a lie of is forgotten, so that states meet again.
            self.templates.retain(|template| !template.released);
        }
        self.fingerprint = fingerprint(self);
        out
    }

    /// A frame comes over the link to `link`.
    pub fn receive(&mut self, matter: &Matter, keeps: bool, link: Peer, frame: Bytes) -> Outcome {
        self.act(matter, keeps, |step| {
            let mut effects = Vec::new();
            step.node.guard.receive(step.node.now, link, frame, &mut effects);
            // Nothing is gathered here: each message is under way by itself.
            step.node.guard.flush(&mut effects);
            step.guarded(effects);
        })
    }

    /// A timer runs out.
    pub fn fire(&mut self, matter: &Matter, keeps: bool, owner: Owner, timer: Timer) -> Outcome {
        self.act(matter, keeps, |step| {
            let Some(due) = step.node.timers.remove(&(owner, timer)) else { return };
            step.node.now = step.node.now.max(due);
            match owner {
                Owner::Guard => {
                    // A timer that runs out before its monitor's deadline does nothing but set itself again: straight on.
                    let deadline = deadline_of(&step.node.guard).filter(|at| *at != Time(u64::MAX));
                    step.node.now = step.node.now.max(deadline.unwrap_or(due));
                    let mut effects = Vec::new();
                    step.node.guard.timeout(step.node.now, timer, &mut effects);
                    step.guarded(effects);
                }
                Owner::Replica => step.inbox.push_back(Event::Timer(timer)),
            }
        })
    }

    /// The first write that waits becomes durable.
    pub fn settle(&mut self, matter: &Matter, keeps: bool) -> Outcome {
        self.act(matter, keeps, |step| {
            if let Some(position) = step.node.disk.settle() {
                step.inbox.push_back(Event::Durable(position));
            }
        })
    }

    /// The replica's process dies and is started again; of the writes that waited, `keep` survive.
    pub fn crash(&mut self, matter: &Matter, keeps: bool, keep: usize) -> Outcome {
        self.act(matter, keeps, |step| {
            step.node.disk.crash(keep);
            step.node.replica = None;
            step.node.timers.retain(|(owner, _), _| *owner == Owner::Guard);
            if matter.settings.protocol.monitored() {
                step.tell_guard(false);
            } else {
                step.start_guard();
            }
            step.start_replica();
        })
    }

    /// The monitor dies and is started again: it has forgotten.
    pub fn restart_monitor(&mut self, matter: &Matter, keeps: bool) -> Outcome {
        self.act(matter, keeps, |step| {
            let node = &mut *step.node;
            node.timers.retain(|(owner, _), _| *owner == Owner::Replica);
            let Matter { settings, ring, tally, .. } = matter;
            node.guard = guard_of(node.id, settings, ring, tally, Fail::Closed, node.starts, node.now);
            node.starts += 1;
            step.start_guard();
        })
    }

    /// The traitor falls silent for good.
    pub fn mute(&mut self) {
        self.replica = None;
        self.templates.clear();
        self.timers.retain(|(owner, _), _| *owner == Owner::Guard);
        self.fingerprint = fingerprint(self);
    }

    /// The traitor lets a template go as it is.
    pub fn release(&mut self, matter: &Matter, keeps: bool, template: usize) -> Outcome {
        self.act(matter, keeps, |step| {
            let template = &mut step.node.templates[template];
            template.released = true;
            let (to, message) = (template.to, template.message.clone());
            step.send(to, message);
        })
    }

    /// The traitor lies. `keeps` says whether it may lie again.
    pub fn lie(&mut self, matter: &Matter, keeps: bool, (to, message): Said) -> Outcome {
        self.act(matter, keeps, |step| step.send(to, message))
    }

    /// Everything that the traitor could say now that is no truth, each with the lie that made it.
    #[must_use]
    pub fn lies(&self, matter: &Matter, known: &Knowledge) -> Vec<(Lie, Said)> {
        let mut lies = Vec::new();
        for template in &self.templates {
            for lie in matter.lies.iter().filter(|lie| lie.is_about(&template.message)) {
                for said in lie.versions(template.to, &template.message, known) {
                    if !lies.iter().any(|(_, other)| *other == said) {
                        lies.push((*lie, said));
                    }
                }
            }
        }
        lies
    }
}

impl Step<'_> {
    fn start_guard(&mut self) {
        let mut effects = Vec::new();
        self.node.guard.start(self.node.now, &mut effects);
        self.guarded(effects);
    }

    /// # Panics
    /// If the replica cannot be built from its own disk: what was written in good faith must be readable.
    fn start_replica(&mut self) {
        let Matter { settings, ring, tally, .. } = self.matter;
        let keys = ring.of(Peer::Node(self.node.id), tally);
        let recovered = self.node.disk.recovered();
        match AnyReplica::recover(Engine::Real, self.node.id, settings, keys, recovered) {
            Ok(replica) => self.node.replica = Some(replica),
            Err(reason) => panic!("{} cannot recover from its own disk: {reason}", self.node.id),
        }
        self.tell_guard(true);
        self.inbox.push_back(Event::Started);
    }

    fn tell_guard(&mut self, up: bool) {
        let mut effects = Vec::new();
        self.node.guard.replica_is_up(self.node.now, up, &mut effects);
        self.guarded(effects);
    }

    fn guarded(&mut self, effects: Vec<GuardEffect>) {
        for effect in effects {
            match effect {
                GuardEffect::Deliver(event) => self.inbox.push_back(event),
                GuardEffect::Transmit { to, frame } => self.out.frames.push((to, frame)),
                GuardEffect::SetTimer(timer, after) => self.set_timer(Owner::Guard, timer, after),
                GuardEffect::ClearTimer(timer) => {
                    self.node.timers.remove(&(Owner::Guard, timer));
                }
                // A proof of guilt shows in the guard itself; the rest is for operators.
                GuardEffect::Refuse { .. } | GuardEffect::Alarm(_) => {}
            }
        }
    }

    fn set_timer(&mut self, owner: Owner, timer: Timer, after: core::time::Duration) {
        self.node.timers.insert((owner, timer), self.node.now.after(after));
    }

    /// Hands the replica what waits for it, until nothing does.
    fn drain(&mut self) {
        let mut events = 0;
        while let Some(event) = self.inbox.pop_front() {
            events += 1;
            assert!(events <= EVENTS_MAX, "guard and replica never come to rest");
            let Some(replica) = &mut self.node.replica else { continue };
            let mut outbox = Outbox::new();
            replica.step(self.node.now, event, &mut outbox);
            for effect in outbox.drain().collect::<Vec<_>>() {
                self.perform(effect);
            }
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Send { to, message } => {
                if self.keeps && self.matter.lies.iter().any(|lie| lie.is_about(&message)) {
                    self.keep(to, message);
                } else {
                    self.send(to, message);
                }
            }
            Effect::SetTimer(timer, after) => self.set_timer(Owner::Replica, timer, after),
            Effect::ClearTimer(timer) => {
                self.node.timers.remove(&(Owner::Replica, timer));
            }
            Effect::Write(write) => {
                self.node.disk.write(write);
                if self.matter.disks_at_once
                    && let Some(position) = self.node.disk.settle()
                {
                    self.inbox.push_back(Event::Durable(position));
                }
            }
            Effect::Observe(observation) => self.out.observed.push(observation),
            Effect::Refuse { .. } => {}
        }
    }

    fn keep(&mut self, to: Destination, message: Message) {
        let template = Template { to, message, released: false };
        if !self.node.templates.contains(&template) {
            self.node.templates.push(template);
        }
    }

    fn send(&mut self, to: Destination, message: Message) {
        let mut effects = Vec::new();
        self.node.guard.send(self.node.now, to, message, &mut effects);
        self.node.guard.flush(&mut effects);
        self.guarded(effects);
    }
}
