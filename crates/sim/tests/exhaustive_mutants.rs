//! Whether the model finds a rule that was broken on purpose:
//! `cargo test -p sim --features mutations --test exhaustive_mutants`.
//!
//! One test, since a defect is switched on for the whole process.

#![cfg(feature = "mutations")]

use mutation::Defect;
use sim::exhaustive::{STATES_MAX, explore, scopes};

/// Each defect, the scope that finds it, and the promise that it is found by.
const FOUND_BY: &[(Defect, &str, &str)] = &[
    (Defect::ClientQuorum, "votes", "agreement"),
    (Defect::MonitorConsistency, "orders", "durability"),
    (Defect::MonitorRetransmission, "orders", "durability"),
    (Defect::MonitorNoGap, "orders", "durability"),
    (Defect::MonitorTrueReconfigure, "claims", "durability"),
    (Defect::MonitorTrueNewConfig, "config", "durability"),
    (Defect::MonitorReconfigureQuorum, "wide-forget-claims", "durability"),
    (Defect::MonitorSealedQuorum, "wide-forget-claims", "durability"),
    (Defect::MonitorStaleOutbound, "wide-forget", "no false proof"),
    (Defect::ByzIdReplyBeforeDurable, "quiet", "no false proof"),
    (Defect::ByzIdAckBeforeDurable, "wide-crash-candidate", "no false proof"),
    (Defect::ByzIdNoRollback, "wide-crash-candidate", "no false proof"),
];

#[test]
fn each_defect_is_found_by_its_scope() {
    for (defect, name, promise) in FOUND_BY {
        let scope = scopes::named(name).expect("it is in the table");
        mutation::activate(Some(*defect));
        let report = explore(scope, STATES_MAX);
        mutation::activate(None);
        println!("{}: {report}", defect.name());
        let found = report.found.unwrap_or_else(|| panic!("{} is not found by '{name}'", defect.name()));
        assert!(found.broken.starts_with(promise), "{}: {}", defect.name(), found.broken);
    }
}
