//! What behaviour detection promises, on traffic that is made up here.

mod floods;
mod limits;
mod logins;
mod order;
mod ordinary;
mod scans;
mod traffic;

use super::{Kind, Parameters, State};
use crate::Time;
use crate::engine::{Alert, Judge, SHARDS, Worker};
use crate::eve::alert_record;
use crate::rule::{RuleSet, Variables};
use std::sync::Arc;
use traffic::Traffic;

const ETHERNET: u16 = 1;

/// An alert of behaviour.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Said {
    kind: Kind,
    state: State,
    count: u64,
    distinct: u64,
    /// Seconds since the traffic began.
    second: u64,
    record: String,
}

fn no_rules() -> Arc<RuleSet> {
    Arc::new(RuleSet::load(&[], &Variables::default(), &|_| None))
}

fn said(alert: &Alert<'_>) -> Said {
    let behaviour = alert.behaviour.expect("there are no rules");
    Said {
        kind: behaviour.kind,
        state: behaviour.state,
        count: behaviour.count,
        distinct: behaviour.distinct,
        second: alert.time.since(Time(traffic::BEGAN)) / 1_000_000_000,
        record: alert_record(alert),
    }
}

/// What is said of this traffic by so many workers that go by these parameters.
fn all_of(traffic: &Traffic, parameters: &Parameters, workers: u16) -> Vec<Said> {
    let set = no_rules();
    let mut found = Vec::new();
    for mine in 0..workers {
        let mut worker = Worker::new(Arc::clone(&set), |shard| shard % workers == mine);
        worker.watch(parameters);
        for (number, (time, frame)) in (1..).zip(&traffic.frames) {
            worker.frame(number, Time(*time), ETHERNET, frame);
        }
        worker.finish(traffic.frames.len() as u64 + 1);
        found.append(&mut worker.take());
    }
    found.sort_by_key(crate::engine::Found::place);
    let mut judge = Judge::new(set);
    judge.watch(parameters.clone());
    let mut all = Vec::new();
    judge.decide(&found, &mut |alert| all.push(said(alert)));
    judge.finish(traffic.frames.len() as u64 + 1, &mut |alert| all.push(said(alert)));
    assert!(workers <= SHARDS);
    all
}

/// What is said of this traffic, by default.
fn all(traffic: &Traffic) -> Vec<Said> {
    all_of(traffic, &Parameters::default(), 1)
}

/// The kinds that are told first of all groups.
fn kinds(traffic: &Traffic) -> Vec<Kind> {
    all(traffic).iter().filter(|said| said.state == State::Began).map(|said| said.kind).collect()
}
