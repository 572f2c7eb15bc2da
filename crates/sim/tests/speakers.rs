//! What a speaker costs that does not answer clients, or lies to them: one wait of those that have asked by then. After that
//! another speaks.

use agree::Protocol;
use agree::client::RETRY_AFTER;
use core::time::Duration;
use sim::byzantine::Behaviour;
use sim::plan::Treason;
use sim::run::run_plan;
use sim::world::{Making, World};
use sim::{Mix, RunSettings};
use wire::Time;

const SEEDS: u64 = 6;

/// The results of a run in which six sessions of one station ask without pause, and the longest time without any.
fn results(seed: u64, liar: Option<Behaviour>) -> (usize, Duration) {
    let settings = RunSettings {
        mix: Mix::NONE,
        duration: Duration::from_secs(5),
        ..RunSettings::new(Protocol::ByzId, 1)
    };
    let mut plan = settings.plan(seed);
    plan.lies = liar.map(|behaviour| Treason { node: 0, behaviour }).into_iter().collect();
    plan.tuning.clients = 6;
    plan.tuning.sessions = 6;
    plan.tuning.think = Duration::from_millis(2);
    plan.tuning.settings.window = 8;
    plan.tuning.settings.requests_waiting_max = 64;
    let rest = plan.rest;
    let mut world = World::new(plan, seed, Making::default());
    world.run();
    assert_eq!(world.around.checkers.violations(), []);
    let told = world.around.checkers.history().iter().filter_map(|(_, _, asked)| asked.told.as_ref());
    let mut at: Vec<Time> = told.map(|told| told.at).filter(|at| *at <= rest).collect();
    at.sort_unstable();
    let pause = at.windows(2).map(|pair| pair[1].since(pair[0])).max().unwrap_or_default();
    (at.len(), pause)
}

#[test]
fn a_speaker_that_does_not_answer_costs_one_wait() {
    for seed in 0..SEEDS {
        let (with, pause) = results(seed, Some(Behaviour::Hush));
        let (without, _) = results(seed, None);
        // Whoever speaks in its place may be further away, and then both of the others are waited for, instead of one of two.
        assert!(with * 10 > without * 6, "seed {seed}: {with} results instead of {without}");
        assert!(pause < RETRY_AFTER * 2, "seed {seed}: nobody was told anything for {pause:?}");
    }
}

#[test]
fn a_station_hears_of_most_batches_by_one_that_speaks_and_others_that_assent() {
    let settings = RunSettings {
        mix: Mix::NONE,
        duration: Duration::from_secs(1),
        ..RunSettings::new(Protocol::ByzId, 1)
    };
    let mut plan = settings.plan(1);
    (plan.tuning.clients, plan.tuning.sessions) = (6, 6);
    plan.tuning.think = Duration::ZERO;
    plan.tuning.settings.requests_waiting_max = 64;
    plan.tuning.settings.batch_requests_max = 64;
    plan.tuning.turn = Duration::from_millis(1);
    let messages = run_plan(&settings, plan, 1).stats.messages();
    let (replies, assents) = (messages["REPLIES"], messages["ASSENT"]);
    assert!(replies > 10 && assents > replies && assents <= 2 * replies, "{messages:?}");
}
