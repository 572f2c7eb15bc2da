//! Every order of events within each daily scope, to the last state; `cargo test -p sim --test exhaustive -- --nocapture`
//! prints how many there are.

use sim::exhaustive::{STATES_MAX, explore, scopes};

/// Explores the scope called `name` completely; nothing may be broken, and everything that it promises to show must be seen.
fn holds(name: &str) {
    let scope = scopes::named(name).unwrap_or_else(|| panic!("there is no scope '{name}'"));
    let report = explore(scope, STATES_MAX);
    println!("{}: {}\n{report}", scope.name, scope.covers);
    assert!(report.found.is_none(), "{report}");
    assert!(report.complete, "{report}");
    assert_eq!(report.never_seen(scope), [], "{report}");
}

macro_rules! scopes {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            holds($name);
        })*

        #[test]
        fn every_daily_scope_is_a_test() {
            let tested = [$($name),*];
            assert!(scopes::DAILY.iter().all(|scope| tested.contains(&scope.name)));
            assert_eq!(tested.len(), scopes::DAILY.len());
        }
    };
}

scopes! {
    two_requests_and_slow_disks: "quiet",
    a_frame_is_lost: "lossy",
    two_monitors_lose_patience: "change",
    two_monitors_lose_patience_again: "second",
    a_primary_lies_in_order: "orders",
    a_backup_lies_in_ack_and_reply: "votes",
    a_backup_lies_in_reconfigure: "claims",
    a_candidate_lies_in_reconfigure: "claims-again",
    a_candidate_lies_in_newconfig: "config",
    a_backup_lies_in_checkpoint: "checkpoints",
    a_primary_lies_in_stablecheckpoint: "stables",
    the_primary_crashes: "crash",
    a_replica_and_a_monitor_crash: "crash-both",
    a_monitor_forgets: "forget",
    a_monitor_forgets_and_a_backup_lies: "forget-claims",
    paxos_in_peace: "paxos",
    paxos_loses_a_frame: "paxos-lossy",
}

/// Many minutes and a few gigabytes: `cargo test --release -p sim --test exhaustive -- --ignored --nocapture`.
#[test]
#[ignore = "many minutes"]
fn the_wide_scopes() {
    for scope in scopes::WIDE {
        let report = explore(scope, STATES_MAX);
        println!("{}: {}\n{report}", scope.name, scope.covers);
        assert!(report.found.is_none(), "{report}");
        assert_eq!(report.never_seen(scope), [], "{report}");
    }
}
