//! A client that does not reach the primary, or is not reached by it, is served all the same: whoever it shows its request to passes
//! it on, and f+1 others answer. In every protocol, without anybody turning to another primary.

use agree::Protocol;
use agree::client::RETRY_AFTER;
use core::time::Duration;
use sim::fault::{Fault, FaultKind};
use sim::world::{Making, World};
use sim::{Mix, RunSettings};
use wire::Time;

const SEEDS: u64 = 4;

/// How long the run is, of which the cut has the most.
const LASTS: Duration = Duration::from_secs(5);

/// Results of a run in which no station and the primary hear each other, up to when they do again; and how often a view was entered.
fn results(protocol: Protocol, seed: u64) -> (usize, u64) {
    let settings = RunSettings { mix: Mix::NONE, duration: LASTS, ..RunSettings::new(protocol, 1) };
    let mut plan = settings.plan(seed);
    let (clients, n) = (plan.tuning.crew().stations(), plan.tuning.settings.n());
    plan.tuning.think = Duration::from_millis(2);
    let stations = ((1 << clients) - 1) << n;
    let heal = Time::ZERO.after(LASTS * 6 / 10);
    for (from, to) in [(1, stations), (stations, 1)] {
        plan.faults.push(Fault { from: Time(0), until: heal, kind: FaultKind::OneWay { from, to } });
    }
    let mut world = World::new(plan, seed, Making::default());
    world.run();
    assert_eq!(world.around.checkers.violations(), [], "{protocol}, seed {seed}");
    let told = world.around.checkers.history().iter().filter_map(|(_, _, asked)| asked.told.as_ref());
    let count = told.filter(|told| told.at <= heal).count();
    (count, world.around.stats.views_entered)
}

/// How often a view is entered where nothing goes wrong: the first one is not entered by ByzID, by the leader in Paxos, by all in PBFT.
fn entered_at_first(protocol: Protocol) -> u64 {
    match protocol {
        Protocol::ByzId | Protocol::ByzIdW => 0,
        Protocol::Paxos => 1,
        Protocol::Pbft => protocol.replicas(1) as u64,
    }
}

#[test]
fn a_client_that_does_not_reach_the_primary_is_served_all_the_same() {
    for protocol in Protocol::ALL {
        for seed in 0..SEEDS {
            let (count, views) = results(protocol, seed);
            // Each result takes a client one wait: it asks the primary first.
            let least = LASTS.as_millis() * 6 / 10 / RETRY_AFTER.as_millis() / 4;
            assert!(count as u128 > least, "{protocol}, seed {seed}: {count} results, not {least}");
            assert_eq!(
                views,
                entered_at_first(protocol),
                "{protocol}, seed {seed}: nobody had a reason to turn to another primary"
            );
        }
    }
}
