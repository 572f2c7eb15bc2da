//! What goes wrong in a run, and when: drawn from the seed before it begins.
//!
//! - Faults begin after a short time of peace and are over at [`Plan::heal`]. Each is drawn from a stream of its own, so
//!   that the third fault is the same whatever became of the second.
//! - Traitors are at most `f`, each with one to three lies. A lie is (who, which behaviour); who has none left is honest.
//! - Now and then a node never comes back. As long as traitors and those together are at most `f`, everybody must still
//!   be served. A few plans go beyond that on purpose: then only safety is promised, and the plan says so.
//!
//! What a protocol promises to survive is the budget in [`budget`]; a plan that breaks it would convict the innocent.

use crate::byzantine::Behaviour;
use crate::draw::{World, kinds, season, swarm};
use crate::fault::{Fault, FaultKind};
use crate::mix::Mix;
use crate::only::Only;
use crate::random::{Random, Stream};
use crate::tuning::Tuning;
use agree::Protocol;
use core::fmt;
use core::time::Duration;
use wire::Time;

/// Things that go wrong in one plan at most. Some are several faults that belong together.
pub const FAULTS_MAX: u64 = 16;

/// A traitor's behaviour.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Treason {
    /// Which node.
    pub node: u8,
    /// What it does.
    pub behaviour: Behaviour,
}

/// Everything about a run that is not the protocol's doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// How everything is set.
    pub tuning: Tuning,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Who lies, and how.
    pub lies: Vec<Treason>,
    /// Each node's clock: how far ahead, and how fast in parts per thousand.
    pub clocks: Vec<(Duration, i64)>,
    /// When all faults are over, but for those that are for ever.
    pub heal: Time,
    /// When clients stop to ask for more.
    pub rest: Time,
    /// Whether the protocol promises that everybody is served in the end.
    pub live: bool,
}

/// How many nodes may be lost for good, traitors included, and everybody is still served.
#[must_use]
pub fn budget(_: Protocol, f: usize) -> usize {
    f
}

/// Nodes that a fault may hit so that, with `monitored` protocols, the budget of nodes that are ever replaced holds.
fn may_be_hit(protocol: Protocol, n: usize, f: usize, traitors: &[u8], random: &mut Random) -> Vec<u8> {
    let honest: Vec<u8> = (0..n as u8).filter(|node| !traitors.contains(node)).collect();
    if !protocol.monitored() {
        return (0..n as u8).collect();
    }
    // A node that is silent for too long is put out of the configuration and stays out: that uses up the budget.
    let mut hit = traitors.to_vec();
    while hit.len() < f {
        let node = random.pick(&honest);
        if !hit.contains(&node) {
            hit.push(node);
        }
    }
    hit
}

impl Plan {
    /// The plan of the run `seed`.
    #[must_use]
    pub fn generate(protocol: Protocol, f: usize, duration: Duration, mix: Mix, seed: u64) -> Plan {
        let tuning = Tuning::generate(protocol, f, seed);
        let mix = mix.for_protocol(protocol);
        let random = Random::new(seed, Stream::Plan);
        let n = tuning.settings.n();
        let heal = Time::ZERO.after(duration * 6 / 10);
        let rest = Time::ZERO.after(duration * 7 / 10);
        let lies = if mix.has(Mix::BYZANTINE) { lies(n, f, &mut random.part(1)) } else { Vec::new() };
        let mut traitors: Vec<u8> = lies.iter().map(|lie| lie.node).collect();
        traitors.dedup();
        let hit = may_be_hit(protocol, n, f, &traitors, &mut random.part(2));
        let replaceable: Vec<u8> = hit.iter().copied().filter(|node| !traitors.contains(node)).collect();
        let world = World {
            n,
            stations: tuning.crew().stations(),
            hit,
            traitors: traitors.iter().fold(0, |traitors, node| traitors | 1 << node),
            heal,
            season: season(heal, &mut random.part(5)),
            patience: tuning.settings.view_timeout,
            crashes: mix.has(Mix::CRASH),
        };
        let kinds = swarm(kinds(mix), &mut random.part(6));
        let count = if kinds.is_empty() { 0 } else { random.part(3).between(1, FAULTS_MAX) };
        let mut faults: Vec<Fault> =
            (0..count).flat_map(|index| world.fault(&kinds, &mut random.part(100 + index))).collect();
        let mut live = true;
        if mix.has(Mix::CRASH) {
            live = for_ever(&mut faults, protocol, f, n, &traitors, heal, &mut random.part(4));
        }
        if let Some(fault) = world.replaced(&replaceable, &mut random.part(7)) {
            live &= gone(&traitors, &faults, &fault) <= budget(protocol, f);
            faults.push(fault);
        }
        // A liar not found out in time can keep a cluster waiting whose monitors have all forgotten: see `monitor::claim`.
        let forgotten = protocol.monitored() && faults.iter().any(|fault| fault.kind == FaultKind::PowerLoss);
        // A machine that is lost then takes along a claim that all of them are waiting for.
        let lost = |fault: &Fault| matches!(fault.kind, FaultKind::Replaced { dead: true, .. });
        live &= !forgotten || (traitors.is_empty() && !faults.iter().any(lost));
        let clocks = (0..n as u64)
            .map(|node| {
                let random = &mut Random::new(seed, Stream::Clocks).part(node);
                let drift = if mix.has(Mix::TIME) { random.between(0, 40) as i64 - 20 } else { 0 };
                (random.duration(Duration::ZERO, Duration::from_secs(100)), drift)
            })
            .collect();
        Plan { tuning, faults, lies, clocks, heal, rest, live }
    }

    /// What `only` leaves of the plan.
    #[must_use]
    pub fn restricted(mut self, only: &Only) -> Plan {
        fn keep<T: Clone>(items: &[T], numbers: &Option<Vec<usize>>) -> Vec<T> {
            match numbers {
                None => items.to_vec(),
                Some(numbers) => numbers.iter().filter_map(|number| items.get(*number).cloned()).collect(),
            }
        }
        self.faults = keep(&self.faults, &only.faults);
        self.lies = keep(&self.lies, &only.lies);
        if let Some(clients) = only.clients {
            self.tuning.clients = self.tuning.clients.min(clients);
        }
        if let Some(operations) = only.operations {
            self.tuning.operations = self.tuning.operations.min(operations);
        }
        self
    }

    /// The traitors, each once.
    #[must_use]
    pub fn traitors(&self) -> Vec<usize> {
        let mut traitors: Vec<usize> = self.lies.iter().map(|lie| usize::from(lie.node)).collect();
        traitors.sort_unstable();
        traitors.dedup();
        traitors
    }

    /// How the traitor at `node` behaves.
    #[must_use]
    pub fn behaviours(&self, node: usize) -> Vec<Behaviour> {
        self.lies.iter().filter(|lie| usize::from(lie.node) == node).map(|lie| lie.behaviour).collect()
    }
}

fn lies(n: usize, f: usize, random: &mut Random) -> Vec<Treason> {
    let count = if random.chance(100) { 0 } else { random.between(1, f as u64) };
    let mut nodes: Vec<u8> = (0..n as u8).collect();
    let mut lies = Vec::new();
    for traitor in 0..count {
        // Mostly the first primary, or the one that leads after it: most of what a traitor can do, it can do from there.
        let index = match (traitor, random.below(10)) {
            (0, 0..=3) => 0,
            (0, 4..=6) => 1,
            _ => random.index(nodes.len()),
        };
        let node = nodes.remove(index);
        for _ in 0..random.pick(&[1, 1, 2, 3]) {
            let behaviour = random.pick(Behaviour::ALL);
            let lie = Treason { node, behaviour };
            if !lies.contains(&lie) {
                lies.push(lie);
            }
        }
    }
    lies
}

/// How many nodes are traitors, gone for good, or away until the machine of `replaced` has caught up.
fn gone(traitors: &[u8], faults: &[Fault], replaced: &Fault) -> usize {
    let mut gone = traitors.to_vec();
    for fault in faults.iter().chain([replaced]) {
        match (&fault.kind, fault.until.0) {
            (FaultKind::Crash { node }, u64::MAX) | (FaultKind::Replaced { node, .. }, _) => gone.push(*node),
            _ => {}
        }
    }
    gone.sort_unstable();
    gone.dedup();
    gone.len()
}

/// Lets some nodes crash for ever. Whether everybody must still be served.
fn for_ever(
    faults: &mut Vec<Fault>,
    protocol: Protocol,
    f: usize,
    n: usize,
    traitors: &[u8],
    heal: Time,
    random: &mut Random,
) -> bool {
    let left = budget(protocol, f).saturating_sub(traitors.len());
    let honest: Vec<u8> = (0..n as u8).filter(|node| !traitors.contains(node)).collect();
    let (count, live) = match random.below(100) {
        0..=3 => (left + 1, false),
        4..=25 if left > 0 && !protocol.monitored() => (random.between(1, left as u64) as usize, true),
        _ => (0, true),
    };
    let first = random.index(honest.len());
    for index in 0..count.min(honest.len()) {
        let node = honest[(first + index) % honest.len()];
        let from = Time(random.between(heal.0 / 10, heal.0));
        faults.push(Fault { from, until: Time(u64::MAX), kind: FaultKind::Crash { node } });
    }
    live
}

impl fmt::Display for Plan {
    /// In words, with the numbers by which [`Only`] names the parts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.tuning.settings;
        writeln!(
            f,
            "{} with {} nodes (f = {}) and {} clients; checkpoint every {}, window {}, batches of {}, \
             queue of {}, view timeout {:?}, retransmission after {:?}",
            settings.protocol,
            settings.n(),
            settings.f,
            self.tuning.clients,
            settings.checkpoint_interval,
            settings.window,
            settings.batch_requests_max,
            settings.requests_waiting_max,
            settings.view_timeout,
            settings.retransmit_after,
        )?;
        for (number, lie) in self.lies.iter().enumerate() {
            writeln!(f, "  lie {number}: p{} {}", lie.node, lie.behaviour.name())?;
        }
        for (number, fault) in self.faults.iter().enumerate() {
            let for_ever = if fault.until.0 == u64::MAX { " (for ever)" } else { "" };
            writeln!(f, "  fault {number}: {fault}{for_ever}")?;
        }
        let promise = if self.live { "then everybody must be served" } else { "only safety is promised" };
        write!(f, "  healed at {} ms; {promise}", self.heal.0 / 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SPAN: Duration = Duration::from_secs(10);

    fn plan(protocol: Protocol, seed: u64) -> Plan {
        Plan::generate(protocol, 1, SPAN, Mix::ALL, seed)
    }

    #[test]
    fn the_same_seed_makes_the_same_plan() {
        assert_eq!(plan(Protocol::Pbft, 7), plan(Protocol::Pbft, 7));
        assert_ne!(plan(Protocol::Pbft, 7), plan(Protocol::Pbft, 8));
    }

    #[test]
    fn plans_stay_within_the_budget_and_end_at_heal() {
        for seed in 0..2_000 {
            for protocol in [Protocol::Paxos, Protocol::Pbft, Protocol::ByzId] {
                let plan = plan(protocol, seed);
                assert!(plan.traitors().len() <= if protocol == Protocol::Paxos { 0 } else { 1 });
                let mut gone: Vec<usize> = plan.traitors();
                for fault in &plan.faults {
                    assert!(fault.from < fault.until);
                    match (&fault.kind, fault.until.0) {
                        (FaultKind::Crash { node }, u64::MAX) => gone.push(usize::from(*node)),
                        (FaultKind::Replaced { node, .. }, _) => gone.push(usize::from(*node)),
                        _ => assert!(fault.until <= plan.heal),
                    }
                }
                gone.sort_unstable();
                gone.dedup();
                let forgotten = plan.faults.iter().any(|fault| fault.kind == FaultKind::PowerLoss);
                let lost = |fault: &Fault| matches!(fault.kind, FaultKind::Replaced { dead: true, .. });
                let lost = plan.faults.iter().any(lost);
                let stuck = protocol.monitored() && forgotten && (!plan.lies.is_empty() || lost);
                assert_eq!(gone.len() <= 1 && !stuck, plan.live, "{plan}");
            }
        }
    }

    #[test]
    fn every_sort_of_fault_and_every_behaviour_occurs() {
        let (mut faults, mut lies) = (BTreeSet::new(), BTreeSet::new());
        for seed in 0..2_000 {
            let plan = plan(Protocol::ByzId, seed);
            faults.extend(plan.faults.iter().map(|fault| fault.kind.name()));
            lies.extend(plan.lies.iter().map(|lie| lie.behaviour.name()));
        }
        assert_eq!(faults.len(), 22, "{faults:?}");
        assert_eq!(lies.len(), Behaviour::ALL.len(), "{lies:?}");
    }

    #[test]
    fn a_part_of_a_plan_is_that_part_and_nothing_else() {
        let whole = (0..)
            .map(|seed| plan(Protocol::Pbft, seed))
            .find(|plan| plan.faults.len() > 3)
            .expect("one of many");
        let only = Only { faults: Some(vec![2]), clients: Some(1), ..Only::default() };
        let part = whole.clone().restricted(&only);
        assert_eq!(part.faults, [whole.faults[2].clone()]);
        assert_eq!(part.lies, whole.lies);
        assert_eq!(part.tuning.clients, 1);
        assert_eq!(whole.clone().restricted(&Only::default()), whole);
    }
}
