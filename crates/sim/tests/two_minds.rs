//! Clients that ask for two things under one number, of some replicas for this and of others for that: one of the two is
//! executed, everywhere the same, and every promise to the other clients is kept. In every protocol: also where replicas are
//! trusted not to lie, clients are not.

use agree::Protocol;
use core::time::Duration;
use sim::fault::{Fault, FaultKind};
use sim::run::run_plan;
use sim::{Mix, RunSettings};
use wire::Time;

const SEEDS: u64 = 30;

/// Clients that lie; each run has at least one that does not.
const LIARS: [u8; 1] = [0];

fn check(protocol: Protocol) {
    let settings = RunSettings {
        mix: Mix::NETWORK.with(Mix::CRASH),
        duration: Duration::from_secs(4),
        ..RunSettings::new(protocol, 1)
    };
    let (mut second_thoughts, mut operations) = (0, 0);
    for seed in 0..SEEDS {
        let mut plan = settings.plan(seed);
        let (from, until) = (Time(0), plan.heal);
        plan.faults.extend(LIARS.map(|client| Fault {
            from,
            until,
            kind: FaultKind::LyingClient { client },
        }));
        let outcome = run_plan(&settings, plan, seed);
        assert!(outcome.violations.is_empty(), "{protocol}, seed {seed}: {}", outcome.violations[0]);
        second_thoughts += outcome.stats.second_thoughts;
        operations += outcome.stats.operations_checked;
    }
    assert!(second_thoughts > 100 && operations > 2_000, "{protocol}: {second_thoughts} of {operations}");
}

#[test]
fn byzid_serves_the_others_when_a_client_has_two_minds() {
    check(Protocol::ByzId);
}

#[test]
fn byzid_w_serves_the_others_when_a_client_has_two_minds() {
    check(Protocol::ByzIdW);
}

#[test]
fn paxos_serves_the_others_when_a_client_has_two_minds() {
    check(Protocol::Paxos);
}

#[test]
fn pbft_serves_the_others_when_a_client_has_two_minds() {
    check(Protocol::Pbft);
}
