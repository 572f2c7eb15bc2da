//! Nothing grows without bound, and no time stamp does harm.

use super::super::groups::{GROUPS_MAX, Groups};
use super::super::observation::{Observation, Outcome, Seen, Technique};
use super::super::{Kind, Parameters, State, Watcher};
use super::kinds;
use super::traffic::{Traffic, host};
use crate::Time;
use core::net::{IpAddr, Ipv4Addr};

const SECOND: u64 = 1_000_000_000;

fn refused(source: u32, port: u16, time: u64) -> Observation {
    Observation {
        time: Time(time),
        source: (IpAddr::V4(Ipv4Addr::from(source)), 4_000),
        target: (IpAddr::from([198, 51, 100, 7]), port),
        protocol: 6,
        seen: Seen::Tried { technique: Technique::Syn, outcome: Outcome::Refused, is_bare: true },
    }
}

#[test]
fn forged_senders_drive_out_nobody_but_themselves() {
    let mut watcher = Watcher::new(Parameters::default());
    let mut told: Vec<(Kind, State, u64)> = Vec::new();
    let mut observe = |watcher: &mut Watcher, seen: &Observation| {
        watcher.observe(seen, &mut |report| told.push((report.kind, report.state, report.group.attempts)));
    };
    for port in 1..=15 {
        observe(&mut watcher, &refused(1, port, SECOND));
    }
    for source in 0..GROUPS_MAX as u32 * 2 {
        observe(&mut watcher, &refused(0x0b00_0000 + source, 80, 2 * SECOND));
    }
    for port in 16..=20 {
        observe(&mut watcher, &refused(1, port, 3 * SECOND));
    }
    assert_eq!(told, [(Kind::SynScan, State::Began, 20)]);
    let (observations, exempt, evicted) = watcher.counted();
    assert_eq!((observations, exempt), (GROUPS_MAX as u64 * 2 + 20, 0));
    assert!(evicted >= GROUPS_MAX as u64);
}

#[test]
fn the_table_is_never_fuller_than_its_limit() {
    let mut groups = Groups::default();
    let mut gone = 0;
    for number in 0..GROUPS_MAX as u32 + 100 {
        let seen = refused(number, 80, u64::from(number));
        let key = super::super::key::Key::Network { source: seen.source.0 };
        gone += u64::from(
            groups.add(key, super::super::group::Group::new(&seen), Time(u64::from(number))).is_some(),
        );
    }
    assert_eq!((groups.len(), gone, groups.evicted()), (GROUPS_MAX, 100, 100));
}

#[test]
fn a_gap_in_time_ends_a_count_and_time_that_goes_back_begins_anew() {
    let mut traffic = Traffic::default();
    for port in 1..=40u16 {
        traffic.refused(([192, 0, 2, 66], 4_000), (host(1), port), true);
    }
    for (place, frame) in traffic.frames.iter_mut().enumerate() {
        // A year apart, there and back.
        frame.0 = frame.0.wrapping_add(if place % 4 < 2 { 31_000_000 * SECOND } else { 0 });
    }
    assert_eq!(kinds(&traffic), []);
    for (time, _) in &mut traffic.frames {
        *time = u64::MAX;
    }
    // At the end of time every group ends as it begins.
    assert_eq!(kinds(&traffic), []);
    for (place, frame) in traffic.frames.iter_mut().enumerate() {
        frame.0 = if place % 2 == 0 { 0 } else { u64::MAX };
    }
    assert_eq!(kinds(&traffic), []);
}
