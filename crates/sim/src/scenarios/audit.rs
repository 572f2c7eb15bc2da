//! Passive use of the monitor: it stands beside the wire, reads what passed at each node, and tells who broke a rule.
//!
//! - [`honest`]: the network does its worst and monitors crash, but nobody lies: whatever is captured, nobody is accused of what
//!   no correct replica does. And where nothing goes wrong, nobody is accused of anything, not even of being late.
//! - [`guilty`]: no monitor runs, and the primary does what only a monitor can see. Nobody stops it; the audit names it, the rule,
//!   and nobody else.

use super::{Report, Seeds, fold};
use crate::byzantine::Behaviour;
use crate::fault::{Fault, FaultKind};
use crate::mix::Mix;
use crate::plan::{Plan, Treason};
use crate::run::{DURATION, record_world};
use crate::world::{Making, World};
use agree::Protocol;
use agree::byzid::auditor::Auditor;
use agree::byzid::guard::Fail;
use core::time::Duration;
use std::collections::BTreeMap;
use wire::{NodeId, Time};

/// What an audit found, and in how much.
#[derive(Default)]
struct Found {
    passages: u64,
    /// Which rule each node broke first that no correct replica breaks.
    proofs: BTreeMap<NodeId, &'static str>,
    /// How often somebody was late.
    late: u64,
    /// Why there was nothing to audit.
    refused: Option<String>,
}

/// Runs the world of `plan`, captures what passes, and audits it.
fn audit(plan: Plan, seed: u64, fail: Fail) -> Found {
    let mut found = Found::default();
    let mut auditor = Auditor::new(plan.tuning.settings.clone()).expect("it has a monitor's rules");
    let world = World::new(plan, seed, Making { fail, ..Making::default() });
    record_world(world, seed, |passage| {
        found.passages += 1;
        match auditor.examine(passage) {
            Ok(alarms) => {
                for alarm in alarms {
                    match alarm.proof {
                        true => _ = found.proofs.entry(alarm.node).or_insert(alarm.rule),
                        false => found.late += 1,
                    }
                }
            }
            Err(reason) => found.refused = Some(reason.to_string()),
        }
    });
    found
}

pub(super) fn honest(seeds: &Seeds) -> Report {
    let mut report = Report::default();
    let worlds = [
        ("nothing goes wrong", Mix::NONE, Fail::Closed),
        (
            "the network, crashes and clocks do their worst",
            Mix::NETWORK.with(Mix::CRASH).with(Mix::TIME),
            Fail::Closed,
        ),
        ("the same, monitors crash too, and the cluster fails open", Mix::ALL, Fail::Open),
    ];
    for (what, mix, fail) in worlds {
        for f in 1..=2 {
            let runs = fold(seeds, |seed| {
                let mut plan = Plan::generate(Protocol::ByzId, f, DURATION, mix, seed);
                plan.lies.clear();
                audit(plan, seed, fail)
            });
            let passages: u64 = runs.iter().map(|(_, found)| found.passages).sum();
            let late = runs.iter().filter(|(_, found)| found.late > 0).count();
            for (seed, found) in &runs {
                if let Some((node, rule)) = found.proofs.first_key_value() {
                    report.break_by(
                        *seed,
                        format!("f = {f}: {node} is accused of breaking {rule}, and is honest"),
                    );
                }
                if let Some(reason) = &found.refused {
                    report.break_by(*seed, format!("f = {f}: {reason}"));
                }
            }
            report.demand(mix != Mix::NONE || late == 0, || {
                format!("f = {f}: nothing went wrong, and somebody is said to have been late in {late} seeds")
            });
            report.demand(passages > 0, || "nothing was captured, so nothing was shown".to_string());
            report.say(format!(
                "f = {f}, {what}: {passages} passages of {} seeds, nobody accused of what no correct replica does; in \
                 {late} seeds somebody was late",
                runs.len(),
            ));
        }
    }
    report
}

/// The world of `seed` without monitors in which p0, the primary, behaves like that.
fn unmonitored(behaviour: Behaviour, seed: u64) -> Plan {
    let mut plan = Plan::generate(Protocol::ByzId, 1, Duration::from_secs(1), Mix::NONE, seed);
    plan.lies = vec![Treason { node: 0, behaviour }];
    plan.live = false;
    let nodes = plan.tuning.settings.n() + plan.tuning.settings.spares.len();
    let crash = |node| Fault { from: Time(1), until: Time(u64::MAX), kind: FaultKind::MonitorCrash { node } };
    plan.faults = (0..nodes as u8).map(crash).collect();
    plan
}

/// What a monitor beside the wire must make of a primary.
enum Expected {
    /// It is accused in at least so many of a hundred seeds.
    Accused(usize),
    /// What it does breaks no rule of the monitor's: the others do not take it, or it never gets to do it.
    Nothing,
}

fn expected(behaviour: Behaviour) -> Expected {
    match behaviour {
        Behaviour::Silent
        | Behaviour::Withhold
        | Behaviour::Reorder
        | Behaviour::Replay
        | Behaviour::Equivocate
        | Behaviour::Forge
        | Behaviour::Lie
        | Behaviour::Checkpoints
        | Behaviour::Gap
        | Behaviour::Early
        | Behaviour::Twins
        | Behaviour::Collude => Expected::Accused(60),
        // These need a load under which requests wait, or a rate that a small cluster allows.
        Behaviour::Delay | Behaviour::Flood | Behaviour::Rush | Behaviour::Favour => Expected::Accused(20),
        Behaviour::Views
        | Behaviour::Stale
        | Behaviour::Transfer
        | Behaviour::Oversized
        | Behaviour::Hush => Expected::Nothing,
    }
}

pub(super) fn guilty(seeds: &Seeds) -> Report {
    const PRIMARY: NodeId = NodeId(0);
    let mut report = Report::default();
    for behaviour in Behaviour::ALL {
        let runs = fold(seeds, |seed| audit(unmonitored(*behaviour, seed), seed, Fail::Open));
        let name = behaviour.name();
        let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut late, mut accused) = (0, 0);
        for (seed, found) in &runs {
            if let Some((node, rule)) = found.proofs.iter().find(|(node, _)| **node != PRIMARY) {
                report
                    .break_by(*seed, format!("{name}: {node} is accused of breaking {rule}, and is honest"));
            }
            if let Some(rule) = found.proofs.get(&PRIMARY) {
                *rules.entry(rule).or_default() += 1;
            }
            late += usize::from(found.late > 0);
            accused += usize::from(found.late > 0 || found.proofs.contains_key(&PRIMARY));
        }
        let all = runs.len();
        match expected(*behaviour) {
            Expected::Accused(percent) => report.demand(accused * 100 >= all * percent, || {
                format!("a primary that plays '{name}' was accused in {accused} of {all} seeds only")
            }),
            Expected::Nothing => report.demand(accused == 0, || {
                format!(
                    "a primary that plays '{name}' breaks no rule and was accused in {accused} of {all} seeds"
                )
            }),
        }
        let mut told: Vec<String> = rules.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
        if late > 0 {
            told.push(format!("late {late}"));
        }
        let told = if told.is_empty() { "it breaks no rule".to_string() } else { told.join(", ") };
        report.say(format!("a primary that plays '{name}': accused in {accused} of {all} seeds; {told}"));
    }
    report
}
