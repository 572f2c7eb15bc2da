//! The scenarios of the paper's section VII, a few seeds each: `varangian scenarios` runs them with many.

use sim::scenarios::{Report, Scenario, Seeds};

fn run(name: &str, seeds: u64) -> Report {
    let scenario = Scenario::named(name).expect("there is one of this name");
    scenario.run(&Seeds { range: 0..seeds, workers: 2 })
}

fn holds(name: &str, seeds: u64) {
    let report = run(name, seeds);
    assert!(report.kept(), "{name}:\n{}", report.broken.join("\n"));
    assert!(!report.told.is_empty());
}

#[test]
fn with_all_monitors_crashed_and_a_correct_primary_nothing_believed_is_lost() {
    holds("monitors-gone-safe", 30);
}

#[test]
fn with_all_monitors_crashed_and_correct_replicas_everybody_is_served() {
    holds("monitors-gone-live", 30);
}

#[test]
fn a_monitor_beside_the_wire_accuses_nobody_who_keeps_the_rules() {
    holds("audit-honest", 15);
}

#[test]
fn a_monitor_beside_the_wire_names_who_breaks_them() {
    holds("audit-guilty", 25);
}

#[test]
fn a_primary_that_is_unfair_is_put_out_and_without_monitors_it_is_not() {
    holds("unfair-primary", 2);
}

#[test]
fn a_replica_that_floods_is_put_out_and_clients_hardly_notice() {
    holds("flooding-replica", 1);
}

#[test]
fn a_client_that_floods_takes_nothing_from_the_others() {
    holds("flooding-client", 1);
}

#[test]
fn a_slow_drift_does_not_train_the_timer_of_a_slow_primary() {
    holds("slow-primary", 1);
}

#[test]
fn with_more_than_f_compromised_it_is_known_what_is_lost_and_what_still_holds() {
    holds("too-many", 2);
}
