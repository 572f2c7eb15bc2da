//! A whole cluster with its clients, its network and its luck, from the first moment to the last.
//!
//! Upon the start: every node starts with an empty disk, every client begins to think.
//! Upon each thing that is due: it happens, and everything that follows from it at once.
//! Upon the beginning or end of a fault: the conditions of the network are put together anew from the faults in force; a
//!   node's fault is applied to the node.
//! Upon heal: clients that have nothing left to ask get a little more.
//! From then on, every so often: if clients are to rest, they make no new requests; if all of them are served and all
//!   correct replicas stand at the same place, the run is over. If that takes longer than [`LIVE_WITHIN`], the promise
//!   of progress is broken.
//! Upon the first violation: the run is over.

use crate::agenda::Happening;
use crate::byzantine::{Strategy, Traitor};
use crate::checkers::bounded::Limits;
use crate::checkers::live::{self, LIVE_WITHIN};
use crate::checkers::{Checker, Checkers, Finality};
use crate::client::{Habits, SimStation};
use crate::clock::Clock;
use crate::crew::station;
use crate::disk::{Crash, Disk, Durability};
use crate::engine::Engine;
use crate::fault::FaultKind;
use crate::keys::{Counts, KeyRing, Tally};
use crate::network::{Conditions, Directory, Network};
use crate::node::Node;
use crate::outsider;
use crate::plan::Plan;
use crate::random::{Random, Stream};
use crate::service::{Operation, edition_is};
use crate::surroundings::Surroundings;
use crate::trace::{Trace, Traced};
use agree::Replica;
use agree::byzid::guard::Fail;
use agree::replica::Status;
use agree::roster::{Edition, Seats};
use core::time::Duration;
use std::rc::Rc;
use wire::{NodeId, Peer, Sequence, View};

/// How often it is looked whether everything has come to rest.
const PROBE_EVERY: Duration = Duration::from_millis(20);

/// How long a run goes on that promises safety only, after all faults are over.
const UNPROMISED: Duration = Duration::from_secs(3);

/// How often it is looked whether a node writes that is to crash mid-write.
const LURK_EVERY: Duration = Duration::from_micros(400);

/// How often it then really crashes, in thousandths.
const LURK_PERMILLE: u64 = 120;

/// The same, if it has turned to another view since: what it promised there is what it must not forget.
const LURK_AT_TURN_PERMILLE: u64 = 600;

/// Things that happen in one run at most. A run that comes to it goes round in circles.
pub const EVENTS_MAX: u64 = 50_000_000;

/// How a world is made, beside its plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct Making {
    /// When writes are called durable.
    pub durability: Durability,
    /// What happens when a monitor is down.
    pub fail: Fail,
    /// Which implementation replicas are of.
    pub engine: Engine,
    /// How many entries of the story to keep, if any.
    pub trace: Option<usize>,
}

/// A cluster and everything around it.
pub struct World {
    nodes: Vec<Node>,
    stations: Vec<SimStation>,
    station_tallies: Vec<Rc<Tally>>,
    plan: Plan,
    active: Vec<bool>,
    /// The node that each fault hit, if it chose one when it began.
    struck: Vec<Option<usize>>,
    outsider: Random,
    lurker: Random,
    /// The view in which each fault that lurks saw its node last.
    lurked: Vec<View>,
    resting: bool,
    done: bool,
    /// What the nodes and clients share.
    pub around: Surroundings,
}

impl World {
    /// The world of `seed` in which `plan` will happen.
    #[must_use]
    pub fn new(plan: Plan, seed: u64, making: Making) -> Self {
        let settings = Rc::new(plan.tuning.settings.clone());
        let crew = plan.tuning.crew();
        let directory = Directory { nodes: settings.n() + settings.spares.len(), stations: crew.stations() };
        let network = Network::new(directory, plan.tuning.latency, &Random::new(seed, Stream::Network));
        let traitors = plan.traitors();
        let mut checkers = Checkers::new(
            Finality::of(settings.protocol),
            directory.nodes,
            crew,
            &traitors,
            Limits::of(&settings),
        );
        if settings.protocol.monitored() {
            checkers = checkers.with_fifo();
            if making.fail == Fail::Closed {
                checkers = checkers.with_vouched(Rc::clone(&settings));
            }
        }
        let ring = KeyRing::new(seed);
        let disks = Random::new(seed, Stream::Disks);
        let whims = Random::new(seed, Stream::Traitors);
        let nodes = (0..directory.nodes)
            .map(|node| {
                let disk = Disk::new(making.durability, plan.tuning.disk, disks.part(node as u64));
                let (ahead, drift) = plan.clocks.get(node).copied().unwrap_or_default();
                let traitor = traitors.contains(&node).then(|| {
                    let id = NodeId(node as u16);
                    Traitor::new(id, Rc::clone(&settings), &plan.behaviours(node), whims.part(node as u64))
                });
                Node::new(node, disk, Clock::new(ahead, drift), traitor, making.fail)
            })
            .collect();
        let thoughts = Random::new(seed, Stream::Clients);
        let station_tallies: Vec<Rc<Tally>> = (0..crew.stations()).map(|_| Rc::default()).collect();
        let habits =
            Habits { think: plan.tuning.think, turn: plan.tuning.turn, operations: plan.tuning.operations };
        let stations = station_tallies
            .iter()
            .enumerate()
            .map(|(number, tally)| {
                let keys = ring.of(Peer::Client(station(number)), tally);
                SimStation::new(number, crew, directory.nodes, &settings, keys, &thoughts, habits)
            })
            .collect();
        let trace = making.trace.map(Trace::new);
        World {
            nodes,
            stations,
            station_tallies,
            active: vec![false; plan.faults.len()],
            struck: vec![None; plan.faults.len()],
            lurked: vec![View(0); plan.faults.len()],
            lurker: Random::new(seed, Stream::Crashes),
            outsider: Random::new(seed, Stream::Outsider),
            resting: false,
            done: false,
            around: Surroundings::new(network, checkers, ring, settings, making.engine, trace),
            plan,
        }
    }

    /// Before anything happens: the replica of `node` is in the hands of somebody who follows `script`.
    pub fn hand_over(&mut self, node: usize, script: Vec<Box<dyn Strategy>>, whims: Random) {
        let settings = Rc::clone(&self.around.settings);
        let traitor = Traitor::with_script(NodeId(node as u16), settings, script, whims);
        self.nodes[node].hand_over(traitor);
        self.around.checkers.distrust(node);
    }

    /// Lets everything happen, to the end.
    pub fn run(&mut self) {
        self.begin();
        while self.step() {}
        self.end();
    }

    /// Lets the next thing happen. Whether there was one: else the run is over.
    pub fn step(&mut self) -> bool {
        if self.done || !self.around.checkers.violations().is_empty() {
            return false;
        }
        let Some((at, happening)) = self.around.agenda.take_next() else { return false };
        self.around.now = at;
        self.around.stats.events += 1;
        if self.around.stats.events > EVENTS_MAX {
            let text = format!("{EVENTS_MAX} things have happened and there is no end to it");
            self.around.checkers.report(Checker::Bounded, at, text);
            return false;
        }
        self.happen(happening);
        true
    }

    /// Lets things happen until `enough` of the stations, or until a promise is broken.
    pub fn run_until(&mut self, enough: impl Fn(&[SimStation]) -> bool) {
        self.begin();
        while !enough(&self.stations) && self.around.checkers.violations().is_empty() {
            let Some((at, happening)) = self.around.agenda.take_next() else { break };
            self.around.now = at;
            self.happen(happening);
        }
    }

    /// Starts everything: what comes before the first [`World::step`].
    pub fn begin(&mut self) {
        for node in &mut self.nodes {
            node.start(&mut self.around);
        }
        for station in &mut self.stations {
            station.start(&mut self.around);
        }
        for (fault, item) in self.plan.faults.iter().enumerate() {
            self.around.agenda.enter(item.from, Happening::FaultBegins { fault: fault as u16 });
            if item.until.0 != u64::MAX {
                self.around.agenda.enter(item.until, Happening::FaultEnds { fault: fault as u16 });
            }
        }
        self.around.agenda.enter(self.plan.heal, Happening::Heal);
        for lie in &self.plan.lies {
            *self.around.stats.strategies.entry(lie.behaviour.name()).or_default() += 1;
        }
    }

    fn happen(&mut self, happening: Happening) {
        let around = &mut self.around;
        around.note(around.now.0);
        match happening {
            Happening::Frame { to, link, frame } => {
                let to = usize::from(to);
                around.network.arrived(link, to);
                if !know_each_other(&self.nodes, link, to) {
                    return;
                }
                match self.nodes.get_mut(to) {
                    Some(node) => node.receive(link, frame, around),
                    None => self.stations[to - self.nodes.len()].receive(link, frame, around),
                }
            }
            Happening::Lost { to, link } => around.network.arrived(link, usize::from(to)),
            Happening::Timer { node, owner, timer } => {
                self.nodes[usize::from(node)].timer(owner, timer, around)
            }
            Happening::Flushed { node, life } => self.nodes[usize::from(node)].flushed(life, around),
            Happening::Treason { node, index } => self.nodes[usize::from(node)].treason(index, around),
            Happening::Retry { station } => self.stations[usize::from(station)].retry(around),
            Happening::Turn { station } => self.stations[usize::from(station)].turn(around),
            Happening::Thought { client } => {
                let crew = self.plan.tuning.crew();
                self.stations[usize::from(client) / crew.sessions].thought(usize::from(client), around);
            }
            Happening::FaultBegins { fault } => self.fault(usize::from(fault), true),
            Happening::FaultEnds { fault } => self.fault(usize::from(fault), false),
            Happening::Outsider { fault } => self.outsider(usize::from(fault)),
            Happening::Lurk { fault } => self.lurk(usize::from(fault)),
            Happening::Recover { node } => self.nodes[usize::from(node)].revive(around),
            Happening::Heal => {
                around.traced(|| Traced::Note("all faults are over".to_string()));
                for station in &mut self.stations {
                    station.healed(around);
                }
                around.agenda.enter(around.now, Happening::Probe);
            }
            Happening::Probe => self.probe(),
        }
    }

    /// A fault begins or ends.
    fn fault(&mut self, fault: usize, begins: bool) {
        if matches!(self.plan.faults[fault].kind, FaultKind::Replaced { .. }) && !begins && !self.is_agreed()
        {
            let at = self.around.now.after(PROBE_EVERY);
            return self.around.agenda.enter(at, Happening::FaultEnds { fault: fault as u16 });
        }
        self.active[fault] = begins;
        let kind = self.plan.faults[fault].kind.clone();
        let around = &mut self.around;
        if begins {
            *around.stats.faults.entry(kind.name()).or_default() += 1;
        }
        around.traced(|| {
            let what = if begins { "begins" } else { "ends" };
            Traced::Note(format!("fault {fault} {what}: {kind}"))
        });
        let primary = if begins { self.primary() } else { None };
        self.struck[fault] = match &kind {
            FaultKind::CrashPrimary { of } | FaultKind::PausePrimary { of } if begins => {
                primary.filter(|node| of >> node & 1 == 1)
            }
            FaultKind::MutePrimary { .. } if begins => primary,
            _ => self.struck[fault],
        };
        self.weather();
        let around = &mut self.around;
        let now = around.now;
        match (kind, begins) {
            (FaultKind::Crash { node }, true) => self.nodes[usize::from(node)].crash(Crash::Process, around),
            (FaultKind::Crash { node }, false) => self.nodes[usize::from(node)].revive(around),
            (FaultKind::CrashPrimary { .. }, true) => {
                if let Some(node) = self.struck[fault] {
                    self.nodes[node].crash(Crash::Process, around);
                }
            }
            (FaultKind::CrashPrimary { .. }, false) => {
                if let Some(node) = self.struck[fault].take() {
                    self.nodes[node].revive(around);
                }
            }
            (FaultKind::CrashMidWrite { .. }, true) => {
                around.agenda.enter(now, Happening::Lurk { fault: fault as u16 });
            }
            (FaultKind::CrashMidWrite { .. }, false) => {}
            (FaultKind::Blackout { node }, true) => black_out(&mut self.nodes[usize::from(node)], around),
            (FaultKind::Blackout { node }, false) => light_up(&mut self.nodes[usize::from(node)], around),
            (FaultKind::PowerLoss, true) => self.nodes.iter_mut().for_each(|node| black_out(node, around)),
            (FaultKind::PowerLoss, false) => self.nodes.iter_mut().for_each(|node| light_up(node, around)),
            (FaultKind::SlowDisk { node, slowness }, begins) => {
                self.nodes[usize::from(node)].disk_mut().set_slowness(if begins { slowness } else { 1 });
            }
            (FaultKind::ClockDrift { node, permille }, begins) => {
                let usual = self.plan.clocks.get(usize::from(node)).map_or(0, |(_, drift)| *drift);
                self.nodes[usize::from(node)].set_drift(now, if begins { permille } else { usual });
            }
            (FaultKind::Pause { node }, true) => self.nodes[usize::from(node)].pause(),
            (FaultKind::Pause { node }, false) => self.nodes[usize::from(node)].resume(around),
            (FaultKind::PausePrimary { .. }, true) => {
                if let Some(node) = self.struck[fault] {
                    self.nodes[node].pause();
                }
            }
            (FaultKind::PausePrimary { .. }, false) => {
                if let Some(node) = self.struck[fault].take() {
                    self.nodes[node].resume(around);
                }
            }
            (FaultKind::MonitorCrash { node }, true) => self.nodes[usize::from(node)].crash_monitor(around),
            (FaultKind::MonitorCrash { node }, false) => self.nodes[usize::from(node)].revive_monitor(around),
            (FaultKind::Replaced { node, dead }, true) => self.wish_to_replace(node, dead),
            (FaultKind::Replaced { node, dead }, false) => self.replace(node, dead),
            (FaultKind::LyingClient { client }, begins) => {
                // With fewer clients than planned, that one may not be there.
                if let Some(station) = self.stations.get_mut(usize::from(client)) {
                    station.set_lying(begins);
                }
            }
            (FaultKind::Outsider { .. }, true) => {
                around.agenda.enter(now, Happening::Outsider { fault: fault as u16 });
            }
            (FaultKind::Outsider { .. }, false) => {}
            (
                FaultKind::Loss { .. }
                | FaultKind::Delay { .. }
                | FaultKind::Duplication { .. }
                | FaultKind::Reordering
                | FaultKind::Corruption { .. }
                | FaultKind::Partition { .. }
                | FaultKind::OneWay { .. }
                | FaultKind::MutePrimary { .. }
                | FaultKind::Flapping(_),
                _,
            ) => {}
        }
    }

    /// A client asks for another machine in the seat of `node`.
    fn wish_to_replace(&mut self, node: u8, dead: bool) {
        let around = &mut self.around;
        if dead {
            black_out(&mut self.nodes[usize::from(node)], around);
        }
        let wish = Operation::Replace { node, edition: 1 };
        self.stations[0].wish(wish, edition_is(1), around);
    }

    /// Whether that is agreed on. There is one such fault in a plan.
    fn is_agreed(&self) -> bool {
        self.stations[0].is_content()
    }

    /// The new machine is started. What the old one said, and was not heard yet, is lost with its connections.
    fn replace(&mut self, node: u8, dead: bool) {
        let (id, around) = (NodeId(u16::from(node)), &mut self.around);
        let machine = &mut self.nodes[usize::from(node)];
        if !dead {
            black_out(machine, around);
        }
        let mut seats = Seats::default();
        seats.take(id, Edition(1), Sequence::ZERO);
        machine.replace(seats);
        self.nodes.iter_mut().for_each(|other| other.lose_frames_of(id));
        around.agenda.lose_frames_of(id);
        light_up(&mut self.nodes[usize::from(node)], around);
    }

    /// Puts the conditions of the network together from the faults in force.
    fn weather(&mut self) {
        let mut conditions = Conditions::default();
        for (index, item) in self.plan.faults.iter().enumerate() {
            if self.active[index] {
                item.kind.apply(self.struck[index], &mut conditions);
            }
        }
        self.around.network.conditions = conditions;
    }

    /// Who leads, as far as the correct nodes know.
    fn primary(&self) -> Option<usize> {
        let newest = self.statuses().into_iter().flatten().max_by_key(|status| status.view)?;
        Some(usize::from(newest.primary.0)).filter(|node| *node < self.nodes.len())
    }

    /// Crashes the node of this fault now and then while it writes, and comes back to it.
    fn lurk(&mut self, fault: usize) {
        let FaultKind::CrashMidWrite { node } = self.plan.faults[fault].kind else { return };
        if !self.active[fault] {
            return;
        }
        let victim = &mut self.nodes[usize::from(node)];
        let view = victim.replica().map(|replica| replica.status().view);
        let turned = view.is_some_and(|view| core::mem::replace(&mut self.lurked[fault], view) != view);
        let permille = if turned { LURK_AT_TURN_PERMILLE } else { LURK_PERMILLE };
        if view.is_some() && victim.disk().is_writing() && self.lurker.chance(permille) {
            victim.crash(Crash::Process, &mut self.around);
            let down = self.lurker.duration(Duration::from_micros(50), Duration::from_millis(8));
            self.around.agenda.enter(self.around.now.after(down), Happening::Recover { node });
        }
        let at = self.around.now.after(self.lurker.duration(LURK_EVERY / 2, LURK_EVERY * 2));
        self.around.agenda.enter(at, Happening::Lurk { fault: fault as u16 });
    }

    /// The outsider of this fault strikes, and will again.
    fn outsider(&mut self, fault: usize) {
        let FaultKind::Outsider { every } = self.plan.faults[fault].kind else { return };
        if !self.active[fault] {
            return;
        }
        let around = &mut self.around;
        let to = self.outsider.index(around.network.directory().peers());
        let (link, frame) = outsider::frame(&mut self.outsider, around.network.overheard());
        around.stats.frames_of_outsiders += 1;
        around.agenda.enter(around.now, Happening::Frame { to: to as u8, link, frame });
        around.agenda.enter(around.now.after(every), Happening::Outsider { fault: fault as u16 });
    }

    /// Looks whether everything has come to rest.
    fn probe(&mut self) {
        let now = self.around.now;
        if now >= self.plan.rest && !self.resting {
            self.resting = true;
            self.stations.iter_mut().for_each(SimStation::stop);
        }
        if self.plan.live {
            if self.stations.iter().all(SimStation::is_done) && self.has_converged() {
                self.done = true;
                return;
            }
            if now.since(self.plan.heal) > LIVE_WITHIN {
                let text = live::explain(self.around.checkers.history(), &self.statuses(), self.plan.heal);
                self.around.checkers.report(Checker::Live, now, text);
                return;
            }
        } else if now.since(self.plan.rest) > UNPROMISED {
            self.done = true;
            return;
        }
        self.around.agenda.enter(now.after(PROBE_EVERY), Happening::Probe);
    }

    /// The nodes, by slot.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// How every correct node that is up stands.
    #[must_use]
    pub fn statuses(&self) -> Vec<Option<Status>> {
        let correct = |(slot, node): (usize, &Node)| {
            let replica = node.replica().filter(|_| self.around.checkers.is_correct(slot));
            replica.map(Replica::status)
        };
        self.nodes.iter().enumerate().map(correct).collect()
    }

    /// Whether those that must agree where they stand do.
    fn has_converged(&self) -> bool {
        let statuses = self.statuses();
        let members = self.around.settings.n();
        let is_idle_spare =
            |slot: usize, status: &Status| slot >= members && status.executed == Sequence::ZERO;
        let up = statuses.iter().enumerate().filter_map(|(slot, status)| Some((slot, status.as_ref()?)));
        let up: Vec<&Status> =
            up.filter(|(slot, s)| !is_idle_spare(*slot, s)).map(|(_, status)| status).collect();
        // Without monitors nobody is ever put out.
        let all_take_part =
            self.around.settings.protocol.monitored() || up.iter().all(|status| status.normal);
        all_take_part && live::converged(&statuses, up.len())
    }

    /// Judges the run as a whole: what comes after the last [`World::step`].
    pub fn end(&mut self) {
        let now = self.around.now;
        let overflowed = self.around.stats.frames_overflowed;
        if (0..self.nodes.len()).all(|node| self.around.checkers.is_correct(node)) {
            self.around.checkers.link_filled(now, overflowed);
        }
        self.around.checkers.finish(now, self.plan.live && self.done);
        for violation in self.around.checkers.violations().to_vec() {
            self.around.traced(|| Traced::Note(format!("VIOLATION: {violation}")));
        }
        self.around.stats.runs = 1;
        self.around.stats.operations_checked = self.around.checkers.history().told();
        (self.around.stats.effects_most, self.around.stats.records_most) = self.around.checkers.most();
        self.around.stats.authenticators = self.authenticators();
    }

    /// From now on it is captured what passes at the nodes: [`Surroundings::captured`].
    pub fn capture(&mut self) {
        self.around.captured = Some(Vec::new());
        self.look();
    }

    /// Whoever captures was at every node just now.
    pub fn look(&mut self) {
        self.nodes.iter().for_each(|node| node.look(&mut self.around));
    }

    /// What all keys made and checked so far.
    #[must_use]
    pub fn authenticators(&self) -> Counts {
        let nodes = self.nodes.iter().map(|node| node.tally().counts());
        let stations = self.station_tallies.iter().map(|tally| tally.counts());
        nodes.chain(stations).fold(Counts::default(), Counts::plus)
    }

    /// What was planned.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// Whether a frame over the link from `link` may arrive at `to`: both take the machine at the other end for the one that sits there.
fn know_each_other(nodes: &[Node], link: Peer, to: usize) -> bool {
    let Peer::Node(from) = link else { return true };
    let (Some(one), Some(other)) = (nodes.get(usize::from(from.0)), nodes.get(to)) else { return true };
    other.knows(from, one.seat()) && one.knows(NodeId(to as u16), other.seat())
}

/// All of a node loses its power.
fn black_out(node: &mut Node, around: &mut Surroundings) {
    node.crash(Crash::Power, around);
    node.crash_monitor(around);
}

/// It comes back: the monitor first, since a replica without one has no links.
fn light_up(node: &mut Node, around: &mut Surroundings) {
    node.revive_monitor(around);
    node.revive(around);
}
