//! Another machine takes the seat of a member, with an empty disk, while clients work and other things go wrong: nothing that a client
//! was told is lost, and the newcomer takes part.

use agree::Protocol;
use core::time::Duration;
use sim::fault::FaultKind;
use sim::{RunSettings, run};

/// How many runs of each protocol; `REPLACED_RUNS` asks for more.
const RUNS: u64 = 40;

fn runs() -> u64 {
    std::env::var("REPLACED_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS)
}

/// The seeds whose plans have a machine replaced.
fn seeds(settings: &RunSettings) -> impl Iterator<Item = u64> {
    (0..).filter(|seed| {
        let faults = settings.plan(*seed).faults;
        faults.iter().any(|fault| matches!(fault.kind, FaultKind::Replaced { .. }))
    })
}

fn settings(protocol: Protocol, f: usize) -> RunSettings {
    RunSettings { duration: Duration::from_secs(4), ..RunSettings::new(protocol, f) }
}

fn nothing_is_lost(protocol: Protocol, f: usize) {
    let settings = settings(protocol, f);
    let (mut replaced, mut operations) = (0, 0);
    for seed in seeds(&settings).take(runs() as usize) {
        let outcome = run(&settings, seed);
        let command = settings.replay_command(seed);
        assert!(
            outcome.violations.is_empty(),
            "{command}: {:?}\n{}",
            outcome.violations,
            settings.plan(seed)
        );
        replaced += outcome.stats.faults.get("replaced").copied().unwrap_or(0);
        operations += outcome.stats.operations_checked;
    }
    assert!(replaced >= runs() && operations > 50 * replaced, "{replaced} replaced, {operations} operations");
}

#[test]
fn a_paxos_member_is_replaced_and_nothing_is_lost() {
    nothing_is_lost(Protocol::Paxos, 1);
    nothing_is_lost(Protocol::Paxos, 2);
}

#[test]
fn a_pbft_member_is_replaced_and_nothing_is_lost() {
    nothing_is_lost(Protocol::Pbft, 1);
    nothing_is_lost(Protocol::Pbft, 2);
}

#[test]
fn a_byzid_member_is_replaced_and_nothing_is_lost() {
    nothing_is_lost(Protocol::ByzId, 1);
    nothing_is_lost(Protocol::ByzIdW, 2);
}
