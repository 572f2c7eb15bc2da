//! A few dozen seeds of each protocol with everything that can go wrong: what every change must survive. The long
//! campaigns are `varangian sim`'s business.

use agree::Protocol;
use core::time::Duration;
use sim::{Checker, Durability, Mix, RunSettings, Summary, run_many};

fn campaign(protocol: Protocol, f: usize, mix: Mix, durability: Durability, seeds: u64) -> Summary {
    let settings =
        RunSettings { mix, durability, duration: Duration::from_secs(4), ..RunSettings::new(protocol, f) };
    run_many(&settings, 0..seeds, 2, |_| {})
}

fn assert_peace(summary: &Summary) {
    let lines: Vec<String> =
        summary.failing.iter().map(|(seed, violation)| format!("seed {seed}: {violation}")).collect();
    assert!(lines.is_empty(), "{} f = {}:\n{}", summary.protocol, summary.f, lines.join("\n"));
}

#[test]
fn paxos_survives_crashes_and_a_bad_network() {
    let summary = campaign(Protocol::Paxos, 1, Mix::ALL, Durability::Fsync, 40);
    assert_peace(&summary);
    assert!(summary.reconfigurations() > 20 && summary.operations_checked() > 10_000, "{:?}", summary.stats);
    assert!(summary.stats.restores > 40 && summary.stats.writes_lost > 0, "{:?}", summary.stats);
}

#[test]
fn pbft_survives_traitors() {
    let summary = campaign(Protocol::Pbft, 1, Mix::BYZANTINE.with(Mix::NETWORK), Durability::Fsync, 20);
    assert_peace(&summary);
    assert!(summary.stats.strategies.len() > 8, "{:?}", summary.stats);
}

#[test]
fn byzid_survives_a_bad_network() {
    assert_peace(&campaign(Protocol::ByzId, 1, Mix::NETWORK, Durability::Fsync, 20));
}

/// What `durability = "async"` gives up is said aloud, and seen here: a loss of power takes back what clients were told.
#[test]
fn without_fsync_a_loss_of_power_is_noticed() {
    let summary = campaign(Protocol::Paxos, 1, Mix::CRASH, Durability::Async, 60);
    let lost = summary.failing.iter().filter(|(_, violation)| violation.checker == Checker::Agreement);
    assert!(lost.count() > 5, "{:?}", summary.failing);
}

/// States travel in many chunks, and get there although the network loses some and sources go down or lie.
#[test]
fn a_state_in_many_chunks_arrives_whole_whoever_lies_about_it() {
    for protocol in Protocol::ALL {
        let summary = campaign(protocol, 1, Mix::ALL, Durability::Fsync, 24);
        assert_peace(&summary);
        let messages = summary.stats.messages();
        let count = |name: &str| messages.get(name).copied().unwrap_or(0);
        assert!(count("CHUNK") > 2 * count("MANIFEST"), "{protocol}: {messages:?}");
        assert!(count("MANIFEST") > 20 && summary.stats.restores > 10, "{protocol}: {:?}", summary.stats);
    }
}
