//! One run: settings and a seed in, an outcome out. The same on every machine.

use crate::agenda::HAPPENINGS_MAX;
use crate::checkers::{Checker, Violation};
use crate::disk::Durability;
use crate::engine::Engine;
use crate::explain::diagram;
use crate::fault::FaultKind;
use crate::mix::Mix;
use crate::only::Only;
use crate::plan::Plan;
use crate::stats::Stats;
use crate::world::{Making, World};
use agree::Protocol;
use agree::byzid::guard::Fail;
use agree::capture::Passage;
use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use wire::Time;

/// How runs are made. Everything else follows from the seed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunSettings {
    /// Which protocol.
    pub protocol: Protocol,
    /// How many faulty replicas it shall mask.
    pub f: usize,
    /// How long a run is, in simulated time; faults are over at 60 % of it, and it may go on until all is settled.
    pub duration: Duration,
    /// Which kinds of fault occur.
    pub mix: Mix,
    /// When writes are called durable.
    pub durability: Durability,
    /// What happens when a monitor is down.
    pub fail: Fail,
    /// Which part of the seed's plan happens.
    pub only: Only,
    /// Which implementation replicas are of.
    pub engine: Engine,
}

/// The duration of a run unless something else is asked for, in simulated time.
pub const DURATION: Duration = Duration::from_secs(6);

impl RunSettings {
    /// Runs of `protocol` for `f`, with all faults that make sense for it.
    #[must_use]
    pub fn new(protocol: Protocol, f: usize) -> Self {
        RunSettings {
            protocol,
            f,
            duration: DURATION,
            mix: Mix::ALL,
            durability: Durability::Fsync,
            fail: Fail::Closed,
            only: Only::default(),
            engine: Engine::Real,
        }
    }

    /// What will happen in the run `seed`.
    #[must_use]
    pub fn plan(&self, seed: u64) -> Plan {
        let plan =
            Plan::generate(self.protocol, self.f, self.duration, self.mix, seed).restricted(&self.only);
        let plan = self.engine.bears(plan);
        // Monitors that have all forgotten cannot seal what was ordered without them, so nobody leads out of that but a person.
        let forgotten = plan.faults.iter().any(|fault| fault.kind == FaultKind::PowerLoss);
        let stuck = self.protocol.monitored() && self.fail == Fail::Open && forgotten;
        Plan { live: plan.live && !stuck, ..plan }
    }

    /// The command that replays the run `seed`.
    #[must_use]
    pub fn replay_command(&self, seed: u64) -> String {
        let mut command = format!(
            "varangian sim --protocol {} --f {} --faults {} --replay {seed}",
            self.protocol, self.f, self.mix
        );
        if self.duration != DURATION {
            command.push_str(&format!(" --duration {}ms", self.duration.as_millis()));
        }
        if self.durability == Durability::Async {
            command.push_str(" --durability async");
        }
        if self.fail == Fail::Open {
            command.push_str(" --fail open");
        }
        if !self.only.is_everything() {
            command.push_str(&format!(" --only {}", self.only));
        }
        command
    }
}

/// What came out of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Of which seed.
    pub seed: u64,
    /// The promises that were broken.
    pub violations: Vec<Violation>,
    /// The numbers.
    pub stats: Stats,
    /// A hash of everything that happened, byte for byte.
    pub fingerprint: u64,
    /// How long it took, in simulated time.
    pub simulated: Duration,
    /// Whether the plan left the protocol what it needs to serve everybody.
    pub live: bool,
}

/// Runs the world of `seed`.
#[must_use]
pub fn run(settings: &RunSettings, seed: u64) -> Outcome {
    run_plan(settings, settings.plan(seed), seed)
}

/// Runs the world of `seed` with another plan than its own.
#[must_use]
pub fn run_plan(settings: &RunSettings, plan: Plan, seed: u64) -> Outcome {
    finish(World::new(plan, seed, making(settings, None)), seed).0
}

/// Runs the world of `seed` and tells the last `entries` things that happened, as a diagram.
#[must_use]
pub fn explain(settings: &RunSettings, seed: u64, entries: usize) -> String {
    let plan = settings.plan(seed);
    let heading = format!("{}\n{plan}\n", settings.replay_command(seed));
    let (outcome, world) = finish(World::new(plan, seed, making(settings, Some(entries))), seed);
    let mut text = heading;
    let directory = world.around.network.directory();
    if let Some(trace) = &world.around.trace {
        text.push_str(&diagram(trace, directory));
    }
    for violation in &outcome.violations {
        text.push_str(&format!("violated: {violation}\n"));
    }
    text
}

/// Runs the world of `seed` and hands `keep` what passed at its nodes, in the order in which it did.
pub fn record(settings: &RunSettings, seed: u64, keep: impl FnMut(Passage)) -> Outcome {
    let world = World::new(settings.plan(seed), seed, making(settings, None));
    record_world(world, seed, keep)
}

/// The same of a world that was made already.
pub(crate) fn record_world(mut world: World, seed: u64, mut keep: impl FnMut(Passage)) -> Outcome {
    world.capture();
    let (outcome, mut world) = finish_watched(world, seed, |world| {
        world.around.captured.iter_mut().flat_map(|captured| captured.drain(..)).for_each(&mut keep);
    });
    world.look();
    world.around.captured.into_iter().flatten().for_each(keep);
    outcome
}

fn making(settings: &RunSettings, trace: Option<usize>) -> Making {
    Making {
        durability: settings.durability,
        fail: settings.fail,
        engine: settings.engine,
        trace: trace.map(|entries| entries.min(HAPPENINGS_MAX)),
    }
}

/// Runs a world to its end. If an assertion stops it, that is a violation like any other.
fn finish(world: World, seed: u64) -> (Outcome, World) {
    finish_watched(world, seed, |_| {})
}

/// Runs a world to its end, and calls `look` after each thing that happened.
pub(crate) fn finish_watched(
    mut world: World,
    seed: u64,
    mut look: impl FnMut(&mut World),
) -> (Outcome, World) {
    let run = || {
        world.begin();
        while world.step() {
            look(&mut world);
        }
        world.end();
    };
    let stopped = quietly(|| catch_unwind(AssertUnwindSafe(run)));
    let mut violations = world.around.checkers.violations().to_vec();
    if stopped.is_err() {
        let explanation = last_panic();
        violations.push(Violation { checker: Checker::Assertion, at: world.around.now, explanation });
    }
    let outcome = Outcome {
        seed,
        violations,
        stats: world.around.stats.clone(),
        fingerprint: world.around.fingerprint,
        simulated: world.around.now.since(Time::ZERO),
        live: world.plan().live,
    };
    (outcome, world)
}

thread_local! {
    static QUIET: Cell<u32> = const { Cell::new(0) };
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

static HOOK: Once = Once::new();

/// Calls `action`; should it panic, that is kept for the outcome instead of being printed.
pub(crate) fn quietly<T>(action: impl FnOnce() -> T) -> T {
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if QUIET.with(Cell::get) == 0 {
                usual(panic);
            } else {
                let text = panic.to_string().replace('\n', ": ");
                LAST_PANIC.with(|last| *last.borrow_mut() = text);
            }
        }));
    });
    QUIET.with(|quiet| quiet.set(quiet.get() + 1));
    let result = action();
    QUIET.with(|quiet| quiet.set(quiet.get() - 1));
    result
}

/// What the last panic inside [`quietly`] on this thread said.
pub(crate) fn last_panic() -> String {
    LAST_PANIC.with(RefCell::take)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{self, Defect};

    #[test]
    fn the_same_seed_is_the_same_run_to_the_last_byte() {
        for protocol in [Protocol::Paxos, Protocol::ByzId] {
            let settings = RunSettings { duration: Duration::from_secs(2), ..RunSettings::new(protocol, 1) };
            for seed in 0..5 {
                let (one, other) = (run(&settings, seed), run(&settings, seed));
                assert_eq!(one, other);
                assert_ne!(one.fingerprint, run(&settings, seed + 1).fingerprint);
            }
        }
    }

    #[test]
    fn to_be_watched_changes_nothing() {
        let settings = fake::settings(Defect::None);
        let mut watched = World::new(settings.plan(3), 3, making(&settings, Some(100)));
        watched.run();
        assert_eq!(watched.around.fingerprint, run(&settings, 3).fingerprint);
    }

    #[test]
    fn to_be_captured_changes_nothing() {
        let settings =
            RunSettings { duration: Duration::from_secs(1), ..RunSettings::new(Protocol::ByzId, 1) };
        let mut passages = 0;
        assert_eq!(record(&settings, 3, |_| passages += 1), run(&settings, 3));
        assert!(passages > 100, "{passages}");
    }

    #[test]
    fn a_protocol_that_is_right_is_left_in_peace() {
        let settings = fake::settings(Defect::None);
        // It needs its one primary, so plans that take a node for ever are not for it.
        let bearable = |seed: &u64| settings.plan(*seed).faults.iter().all(|fault| fault.until.0 != u64::MAX);
        for seed in (0..200).filter(bearable) {
            let outcome = run(&settings, seed);
            assert_eq!(outcome.violations, [], "seed {seed}");
            assert!(outcome.stats.operations_checked > 0 || !outcome.live);
        }
    }

    /// Which checkers object to a defect, over some seeds.
    fn objections(defect: Defect) -> Vec<Checker> {
        let settings = fake::settings(defect);
        let outcomes = (0..200).map(|seed| run(&settings, seed));
        let mut checkers: Vec<Checker> = outcomes
            .filter_map(|outcome| outcome.violations.first().map(|violation| violation.checker))
            .collect();
        checkers.sort_unstable();
        checkers.dedup();
        checkers
    }

    #[test]
    fn what_was_said_before_it_was_durable_is_missed() {
        let found = objections(Defect::NoSync);
        assert!(found.contains(&Checker::Agreement) || found.contains(&Checker::State), "{found:?}");
    }

    #[test]
    fn batches_out_of_order_are_noticed() {
        assert!(objections(Defect::NoOrder).contains(&Checker::Agreement));
    }

    #[test]
    fn a_primary_that_never_answers_is_noticed() {
        assert_eq!(objections(Defect::Mute), [Checker::Live]);
    }

    #[test]
    fn an_assertion_of_a_replica_is_a_violation_with_its_text() {
        let settings = fake::settings(Defect::Panics);
        let violations = (0..20).flat_map(|seed| run(&settings, seed).violations);
        let violation = violations.into_iter().next().expect("somebody asks for place 20");
        assert_eq!(violation.checker, Checker::Assertion);
        assert!(violation.explanation.contains("place 20 is haunted"), "{violation}");
    }

    #[test]
    fn a_run_is_replayed_by_one_line() {
        let mut settings = RunSettings::new(Protocol::ByzIdW, 2);
        assert_eq!(
            settings.replay_command(7),
            "varangian sim --protocol byzid-w --f 2 --faults all --replay 7"
        );
        settings.only = "faults=1,clients=2".parse().expect("a part of a plan");
        settings.duration = Duration::from_secs(3);
        assert!(settings.replay_command(7).ends_with("--duration 3000ms --only faults=1,clients=2"));
    }

    #[test]
    fn an_explanation_tells_the_plan_the_story_and_the_violation() {
        let settings = fake::settings(Defect::NoOrder);
        let seed = (0..200).find(|seed| !run(&settings, *seed).violations.is_empty()).expect("one of many");
        let text = explain(&settings, seed, 200);
        for part in
            ["varangian sim --protocol paxos", "healed at 1200 ms", " p0   p1   p2   c0", "violated: "]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
