//! Room for fewer sessions than ask: what is forgotten does not run again, whoever says it again and however late, and a client whose
//! request fell to that is told that nobody knows. Everything else is as if all had been remembered.

use agree::Protocol;
use agree::settings::SESSIONS_BYTES_MIN;
use core::time::Duration;
use sim::fault::{Fault, FaultKind};
use sim::run::run_plan;
use sim::{Mix, RunSettings};
use wire::Time;

const SEEDS: u64 = 30;

/// Three times as many as there is room for.
const CLIENTS: usize = 21;

fn check(protocol: Protocol) {
    let settings = RunSettings {
        mix: Mix::NETWORK.with(Mix::CRASH),
        duration: Duration::from_secs(4),
        ..RunSettings::new(protocol, 1)
    };
    let (mut forgotten, mut operations) = (0, 0);
    for seed in 0..SEEDS {
        let mut plan = settings.plan(seed);
        plan.tuning.clients = CLIENTS;
        plan.tuning.settings.sessions_bytes_max = SESSIONS_BYTES_MIN;
        // It says again what it was long told.
        let (from, until) = (Time(0), plan.heal);
        plan.faults.push(Fault { from, until, kind: FaultKind::LyingClient { client: 0 } });
        let outcome = run_plan(&settings, plan, seed);
        assert!(outcome.violations.is_empty(), "{protocol}, seed {seed}: {}", outcome.violations[0]);
        forgotten += outcome.stats.forgotten;
        operations += outcome.stats.operations_checked;
    }
    println!("{protocol}: {forgotten} of {operations} operations were forgotten");
    assert!(forgotten > 0 && operations > 2_000, "{protocol}: {forgotten} of {operations}");
}

#[test]
fn byzid_runs_nothing_twice_that_it_forgot() {
    check(Protocol::ByzId);
}

#[test]
fn byzid_w_runs_nothing_twice_that_it_forgot() {
    check(Protocol::ByzIdW);
}

#[test]
fn paxos_runs_nothing_twice_that_it_forgot() {
    check(Protocol::Paxos);
}

#[test]
fn pbft_runs_nothing_twice_that_it_forgot() {
    check(Protocol::Pbft);
}
