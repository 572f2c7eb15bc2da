//! A machine that takes another's seat and votes at once as if it were the one before, and replicas that go on in an era that is over, are
//! found out.

#![cfg(feature = "mutations")]

use agree::Protocol;
use core::time::Duration;
use mutation::Defect;
use sim::fault::FaultKind;
use sim::{RunSettings, run};

/// The runs that find it may be so far apart.
const RUNS_MAX: usize = 3_000;

/// How many of the runs in which a machine is replaced it takes until a promise is broken, for safety or for progress.
fn found_after(protocol: Protocol, defect: Defect) -> Option<usize> {
    let settings = RunSettings { duration: Duration::from_secs(4), ..RunSettings::new(protocol, 1) };
    let is_replaced = |fault: &sim::fault::Fault| matches!(fault.kind, FaultKind::Replaced { .. });
    let seeds = (0..).filter(|seed| settings.plan(*seed).faults.iter().any(is_replaced));
    mutation::activate(Some(defect));
    let found = seeds.take(RUNS_MAX).position(|seed| {
        let outcome = run(&settings, seed);
        if let Some(violation) = outcome.violations.first() {
            eprintln!("{}: {}: {violation}", defect.name(), settings.replay_command(seed));
        }
        !outcome.violations.is_empty()
    });
    mutation::activate(None);
    found
}

/// One test, since the switch is everybody's.
#[test]
fn who_does_not_keep_to_its_era_is_found() {
    for (protocol, defect) in
        [(Protocol::Paxos, Defect::PaxosEraIgnored), (Protocol::Pbft, Defect::PbftEraRunsOn)]
    {
        let found = found_after(protocol, defect);
        eprintln!("{}: found after {found:?} runs", defect.name());
        assert!(found.is_some(), "{} is never found", defect.name());
    }
}
