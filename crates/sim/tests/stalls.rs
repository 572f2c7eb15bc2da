//! Disks that stand still for a while cost their clients that while, and not many times as much: what was asked again meanwhile
//! crowds out nothing that is asked afterwards, and nobody learns from one stall to wait for the next.

use agree::{Protocol, Settings};
use core::time::Duration;
use sim::disk::Speed;
use sim::fault::{Fault, FaultKind};
use sim::world::{Making, World};
use sim::{Mix, RunSettings};
use wire::Time;

const SEEDS: u64 = 6;

/// How long every disk stands still: longer than a client waits before it asks again, and shorter than anybody waits for a primary.
const STALL: Duration = Duration::from_millis(300);

/// The longest that a client waited for a result, where all disks stand still once while all clients ask without pause.
fn longest_wait(protocol: Protocol, seed: u64) -> Duration {
    let settings =
        RunSettings { mix: Mix::NONE, duration: Duration::from_secs(3), ..RunSettings::new(protocol, 1) };
    let mut plan = settings.plan(seed);
    let tuning = &mut plan.tuning;
    tuning.settings = Settings::new(protocol, 1);
    (tuning.clients, tuning.sessions) = (24, 12);
    tuning.think = Duration::ZERO;
    // What is asked again is in several batches, which wait for each other.
    (tuning.settings.window, tuning.settings.batch_requests_max) = (2, 4);
    tuning.turn = Duration::from_micros(200);
    tuning.disk = Speed { least: Duration::from_micros(100), spread: Duration::ZERO };
    let slowness = (STALL.as_micros() / tuning.disk.least.as_micros()) as u64;
    let (from, until) =
        (Time::ZERO.after(Duration::from_secs(1)), Time::ZERO.after(Duration::from_secs(1) + STALL / 2));
    for node in 0..tuning.settings.n() as u8 {
        plan.faults.push(Fault { from, until, kind: FaultKind::SlowDisk { node, slowness } });
    }
    let mut world = World::new(plan, seed, Making::default());
    world.run();
    assert_eq!(world.around.checkers.violations(), [], "{protocol}, seed {seed}");
    let asked = world.around.checkers.history().iter();
    let waits =
        asked.filter_map(|(_, _, asked)| asked.told.as_ref().map(|told| told.at.since(asked.invoked)));
    waits.max().expect("clients were told something")
}

#[test]
fn a_disk_that_stands_still_costs_nobody_much_more_than_that() {
    for protocol in Protocol::ALL {
        for seed in 0..SEEDS {
            let wait = longest_wait(protocol, seed);
            assert!(wait >= STALL, "{protocol}, seed {seed}: the disks did not stand still, {wait:?}");
            assert!(wait < STALL * 3 / 2, "{protocol}, seed {seed}: a client waited for {wait:?}");
        }
    }
}
