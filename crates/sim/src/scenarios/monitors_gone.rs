//! All monitors crash, and the cluster is set to fail open. Section VII.C of the paper, word for word:
//!
//! > (1) Even if all IDSs crash, as long as the primary is correct, safety is never compromised. (2) Even if all IDSs crash,
//! > as long as all the replicas are correct, both safety and liveness are still achieved.
//!
//! Each is checked as it stands, at the worst time that the seed can think of: all monitors at once or one after the other,
//! for ever or until they are started again without memory, while the network loses, delays, doubles and cuts.
//!
//! - [`safe`]: up to `f` of the backups lie, replicas crash. A seed counts if no replica that lies ever led a correct one
//!   while its own monitor was down: that is the paper's "as long as the primary is correct".
//! - [`live`]: nobody lies and no replica crashes; everybody must be served in the end. A seed counts if all members stood
//!   in one configuration when the last monitor crashed; what the others lose is said, and safety is demanded of them too.
//!
//! **Why a reconfiguration cannot be finished without monitors.** Say that backup p1 lies, that all monitors are gone, and that
//! p1 tells p2: "configuration v+1 has begun, I lead it, here are the f+1 claims that it is built on". If p2 believes that,
//! p1 has made itself primary although the primary p0 is correct, and may then tell everyone another story: property (1) is
//! lost. If p2 does not, it does not believe it either where it is true, where p0 and p1 entered v+1 just before the last
//! monitor crashed. What p2 hears is the same in both cases, since monitors alone can seal and the paper's signed RECONFIGURE
//! proves who claims, not that the claim is true. So no protocol has (1), and (2) for changes under way too; the paper's
//! sentence can only mean (2) where none is. Varangian keeps (1): who was on the way stays there until monitors are back.

use super::{Report, Seeds, fold};
use crate::checkers::Checker;
use crate::fault::{Fault, FaultKind};
use crate::mix::Mix;
use crate::plan::Plan;
use crate::random::{Random, Stream};
use crate::run::{DURATION, Outcome, finish_watched};
use crate::world::{Making, World};
use agree::Protocol;
use agree::byzid::guard::Fail;
use core::time::Duration;
use wire::Time;

/// Whose part of the seed's randomness this is.
const PART: u64 = 0x006d_6f6e;

/// What came of one seed.
struct One {
    outcome: Outcome,
    /// Whether no unmonitored liar led.
    honest: bool,
    /// Whether all members stood in one configuration when the last monitor crashed.
    settled: bool,
    /// Results that clients accepted once no monitor was left.
    served: u64,
}

/// What crashes when: every monitor, and those that come back do so before the faults are over.
fn without_monitors(mut plan: Plan, seed: u64) -> Plan {
    let random = &mut Random::new(seed, Stream::Plan).part(PART);
    let nodes = plan.tuning.settings.n() + plan.tuning.settings.spares.len();
    let heal = Duration::from_nanos(plan.heal.0);
    let first = random.duration(heal / 40, heal * 3 / 4);
    let spread = if random.chance(500) { Duration::ZERO } else { heal / random.pick(&[4, 16, 64, 512]) };
    let returns = random.chance(300);
    for node in 0..nodes as u8 {
        let from = first + random.duration(Duration::ZERO, spread);
        let until = match returns && random.chance(500) {
            true => Time::ZERO.after(random.duration(from + Duration::from_millis(1), heal)),
            false => Time(u64::MAX),
        };
        plan.faults.push(Fault {
            from: Time::ZERO.after(from),
            until,
            kind: FaultKind::MonitorCrash { node },
        });
    }
    plan
}

fn one(plan: Plan, seed: u64) -> One {
    let traitors = plan.traitors();
    let gone = plan.faults.iter().filter(|fault| matches!(fault.kind, FaultKind::MonitorCrash { .. }));
    let gone = gone.map(|fault| fault.from).max().unwrap_or(Time::ZERO);
    let world = World::new(plan, seed, Making { fail: Fail::Open, ..Making::default() });
    let (mut honest, mut settled) = (true, None);
    let (outcome, world) = finish_watched(world, seed, |world| {
        honest = honest && !traitors.iter().any(|traitor| leads_unmonitored(world, *traitor));
        if world.around.now > gone && settled.is_none() {
            settled = Some(is_settled(world));
        }
    });
    let told = world.around.checkers.history().iter().filter_map(|(_, _, asked)| asked.told.as_ref());
    let served = told.filter(|told| told.at > gone).count() as u64;
    One { outcome, honest, settled: settled == Some(true), served }
}

/// Whether a correct replica follows `traitor`, whose monitor is down.
fn leads_unmonitored(world: &World, traitor: usize) -> bool {
    !world.nodes()[traitor].is_monitored()
        && world.statuses().iter().flatten().any(|status| usize::from(status.primary.0) == traitor)
}

/// Whether all members take part in one and the same configuration.
fn is_settled(world: &World) -> bool {
    let statuses = world.statuses();
    let members = &statuses[..world.around.settings.n()];
    let first = members.first().and_then(Option::as_ref).map(|status| status.view);
    members
        .iter()
        .all(|status| status.as_ref().is_some_and(|status| status.normal && Some(status.view) == first))
}

/// The first property: safety, as long as the primary is correct.
pub(super) fn safe(seeds: &Seeds) -> Report {
    let mut report = Report::default();
    for f in 1..=3 {
        let mix = Mix::NETWORK.with(Mix::TIME).with(Mix::CRASH).with(Mix::BYZANTINE);
        let runs = fold(seeds, |seed| {
            let mut plan = Plan::generate(Protocol::ByzId, f, DURATION, mix, seed);
            // Only safety is promised.
            plan.live = false;
            one(without_monitors(plan, seed), seed)
        });
        let count = count(&mut report, f, &runs, |run| run.honest);
        for (seed, run) in count {
            if let Some(violation) = run.outcome.violations.first() {
                report.break_by(*seed, format!("f = {f}: {violation}"));
            }
        }
    }
    report
}

/// The second property: safety and liveness, as long as all replicas are correct.
pub(super) fn live(seeds: &Seeds) -> Report {
    let mut report = Report::default();
    for f in 1..=3 {
        let mix = Mix::NETWORK.with(Mix::TIME);
        let runs = fold(seeds, |seed| {
            let plan = Plan::generate(Protocol::ByzId, f, DURATION, mix, seed);
            one(without_monitors(plan, seed), seed)
        });
        let violated = |run: &One| run.outcome.violations.first().cloned();
        for (seed, run) in count(&mut report, f, &runs, |run| run.settled) {
            if let Some(violation) = violated(run) {
                report.break_by(*seed, format!("f = {f}: {violation}"));
            }
        }
        let changing: Vec<_> = runs.iter().filter(|(_, run)| !run.settled).collect();
        let waiting = changing.iter().filter(|(_, run)| violated(run).is_some());
        report.say(format!(
            "f = {f}: in {} seeds a reconfiguration was under way when the last monitor crashed; in {} of them some \
             replica or client waits until monitors are back, and in none is anything lost",
            changing.len(),
            waiting.count(),
        ));
        for (seed, run) in changing {
            // Who is on the way stays there; but nothing else may happen.
            if let Some(violation) = violated(run).filter(|violation| violation.checker != Checker::Live) {
                report
                    .break_by(*seed, format!("f = {f}, while a reconfiguration was under way: {violation}"));
            }
        }
    }
    report
}

/// Says how many seeds meet the premise, and gives those.
fn count<'a>(
    report: &mut Report,
    f: usize,
    runs: &'a [(u64, One)],
    premise: impl Fn(&One) -> bool,
) -> Vec<&'a (u64, One)> {
    let counted: Vec<&(u64, One)> = runs.iter().filter(|(_, run)| premise(run)).collect();
    let served: u64 = counted.iter().map(|(_, run)| run.served).sum();
    let serving = counted.iter().filter(|(_, run)| run.served > 0).count();
    report.say(format!(
        "f = {f}: {} of {} seeds meet the premise; {served} results were believed after the last monitor was gone, in \
         {serving} of them",
        counted.len(),
        runs.len(),
    ));
    report.demand(served > 0, || {
        format!("f = {f}: no client was served without monitors, so nothing was shown")
    });
    counted
}
