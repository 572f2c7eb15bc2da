//! One repetition of one protocol of ours: a fresh cluster, load, and what came of it.

use super::arguments::{Durability, Payload, Wish};
use super::cluster::{self, Cluster};
use super::load::{self, Load};
use super::processes;
use super::row::Row;
use super::stop::Stop;
use super::trouble::Trouble;
use agree::Protocol;
use std::time::Instant;

/// What is measured in one repetition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) f: usize,
    pub(super) clients: usize,
    pub(super) payload: Payload,
    pub(super) offered: Option<f64>,
    /// Which repetition it is, from 1.
    pub(super) repetition: usize,
}

/// Starts a cluster as it is wished for.
pub(super) fn cluster(wish: &Wish, protocol: Protocol, f: usize, stop: &Stop) -> Result<Cluster, Trouble> {
    let wish = cluster::Wish {
        protocol,
        f,
        plain: wish.plain,
        separate: wish.separate && protocol.monitored(),
        fsync: wish.durability == Durability::Fsync,
        requests_waiting_max: wish.requests_waiting_max,
        parent: &wish.parent,
    };
    Cluster::start(&wish, stop)
}

/// Begins the load of a turn.
pub(super) fn load(wish: &Wish, turn: &Turn, cluster: &Cluster) -> Result<Load, Trouble> {
    let load = load::Wish {
        clients: turn.clients,
        stations: wish.stations,
        request_bytes: turn.payload.request_bytes,
        reply_bytes: turn.payload.reply_bytes,
        offered: turn.offered,
    };
    Load::begin(&cluster.client()?, &load)
}

/// Measures one repetition.
pub(super) fn measure(wish: &Wish, protocol: Protocol, turn: &Turn, stop: &Stop) -> Result<Row, Trouble> {
    let mut cluster = cluster(wish, protocol, turn.f, stop)?;
    let mut load = load(wish, turn, &cluster)?;
    stop.wait_until(Instant::now() + wish.warmup)?;
    let (configuration, executed_before) = (cluster.configuration(), cluster.executed());
    let (nodes_before, own_before) = (cluster.spent_us(), processes::own_us());
    load.clear(None);
    let begin = Instant::now();
    stop.wait_until(begin + wish.length)?;
    let counted = load.take();
    let seconds = begin.elapsed().as_secs_f64();
    let own_us = processes::own_us() - own_before;
    let nodes_us = cluster.spent_us() - nodes_before;
    cluster.check()?;
    let view_changes =
        cluster.configuration().zip(configuration).map(|(after, before)| after.saturating_sub(before));
    let executed = cluster.executed();
    drop(load);
    // What is overdue has a time so far, and is not done.
    let operations = counted.latency.count() - counted.overdue;
    if operations == 0 {
        let why = counted.why.unwrap_or_else(|| format!("nothing came back in {seconds:.1} s"));
        return Err(Trouble::NoAnswer(why));
    }
    // A node that does not answer is left out of the sum.
    let requests = executed.0.saturating_sub(executed_before.0);
    let batches = executed.1.saturating_sub(executed_before.1);
    let each = |us: f64| hundredth(us / operations as f64);
    Ok(Row {
        system: protocol.name().to_string(),
        f: turn.f,
        clients: turn.clients,
        request_bytes: turn.payload.request_bytes,
        reply_bytes: turn.payload.reply_bytes,
        durability: wish.durability.name().to_string(),
        operations_per_second: tenth(operations as f64 / seconds),
        p50_us: tenth(counted.latency.quantile_us(0.50)),
        p99_us: tenth(counted.latency.quantile_us(0.99)),
        cpu_us_per_operation: each(nodes_us + own_us),
        repetition: turn.repetition,
        load_cpu_us_per_operation: each(own_us),
        seconds: (seconds * 1e3).round() / 1e3,
        links: Some(if wish.plain { "plain" } else { "tls" }.to_string()),
        processes: Some(if wish.separate && protocol.monitored() { "separate" } else { "one" }.to_string()),
        p90_us: Some(tenth(counted.latency.quantile_us(0.90))),
        p999_us: Some(tenth(counted.latency.quantile_us(0.999))),
        max_us: Some(tenth(counted.latency.greatest_us())),
        refused: Some(counted.busy),
        retried: Some(counted.retried),
        errors: counted.failed,
        overdue: Some(counted.overdue),
        view_changes,
        requests_per_batch: (batches > 0).then(|| tenth(requests as f64 / batches as f64)),
        offered_per_second: turn.offered,
        not_begun: turn.offered.map(|_| counted.not_begun),
        version: None,
        batching: None,
    })
}

fn hundredth(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

fn tenth(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
