//! The closed loop: so many clients, each waiting for its answer before it asks again, all in this one thread.
//!
//! Upon a connection's being ready: each of its clients asks once ([`Recorder::asked`]).
//! Upon an answer: its time goes into the histogram ([`Recorder::answered`]) and the client asks again.
//! Upon the end of the warm-up, and of each repetition: the histogram and the processor time of everybody are taken, and
//! a row is printed.
//!
//! How a system is asked is in `frames` (the Rust peers) and `grpc` (etcd).

pub(crate) mod frames;
pub(crate) mod grpc;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::Notify;

use crate::cpu;
use crate::failure::Failure;
use crate::family::Family;
use crate::options::{Options, System};
use crate::row::{self, Row};

/// A client that has waited longer than this counts as an error at the end of a repetition.
pub(crate) const ANSWER_SECONDS_MAX: u64 = 2;
/// What is slower than this is counted as this.
const LATENCY_NS_MAX: u64 = 60_000_000_000;
/// How long a client that was refused waits before it asks again.
pub(crate) const REFUSED_PAUSE_MS: u64 = 10;
/// How often it is looked whether all members live.
const CHECK_MS: u64 = 100;

/// What has been measured since the last [`Recorder::take`].
#[derive(Debug)]
pub(crate) struct Recorder {
    latency_ns: Histogram<u64>,
    errors: u64,
    asked: Vec<Option<Instant>>,
}

/// Since everything happens in one thread.
pub(crate) type Shared = Rc<RefCell<Recorder>>;

impl Recorder {
    pub(crate) fn new(clients: u32) -> Self {
        Self {
            latency_ns: Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3).expect("the bounds are in order"),
            errors: 0,
            asked: vec![None; clients as usize],
        }
    }

    /// `client` asks now.
    pub(crate) fn asked(&mut self, client: u32) {
        if let Some(slot) = self.asked.get_mut(client as usize) {
            *slot = Some(Instant::now());
        }
    }

    /// `client` has its answer.
    pub(crate) fn answered(&mut self, client: u32) {
        if let Some(since) = self.asked.get_mut(client as usize).and_then(Option::take) {
            let latency_ns = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.latency_ns.saturating_record(latency_ns.max(1));
        }
    }

    /// `client` was refused.
    pub(crate) fn failed(&mut self, client: u32) {
        self.errors += 1;
        if let Some(slot) = self.asked.get_mut(client as usize) {
            *slot = None;
        }
    }

    /// What was measured, and how much went wrong; begins anew.
    fn take(&mut self) -> (Histogram<u64>, u64) {
        let overdue = self
            .asked
            .iter()
            .flatten()
            .filter(|since| since.elapsed() > Duration::from_secs(ANSWER_SECONDS_MAX))
            .count();
        let taken = (self.latency_ns.clone(), self.errors + overdue as u64);
        self.latency_ns.reset();
        self.errors = 0;
        taken
    }
}

/// Where a connection of the load leaves the reason for its end, which is the end of the run.
#[derive(Debug, Default)]
pub(crate) struct Broken {
    why: RefCell<Option<Failure>>,
    notify: Notify,
}

impl Broken {
    /// The run is over.
    pub(crate) fn report(&self, why: Failure) {
        self.why.borrow_mut().get_or_insert(why);
        self.notify.notify_one();
    }
}

/// Lets the load that is running warm up, then measures it and prints the rows.
pub(crate) async fn measure(
    options: &Options,
    system: System,
    version: &str,
    family: &mut Family,
    recorder: &Shared,
    broken: &Broken,
) -> Result<(), Failure> {
    pass(Duration::from_secs(options.warmup.into()), family, broken).await?;
    for repetition in 1..=options.repetitions {
        recorder.borrow_mut().take();
        let (began, load_before, members_before) = (Instant::now(), load_us()?, members_us(family)?);
        pass(Duration::from_secs(options.seconds.into()), family, broken).await?;
        let (latency_ns, errors) = recorder.borrow_mut().take();
        let seconds = began.elapsed().as_secs_f64();
        let load_us = load_us()?.saturating_sub(load_before);
        let members_us = members_us(family)?.saturating_sub(members_before);
        let operations = latency_ns.len();
        if operations == 0 {
            return Err(Failure::NoAnswer { seconds, errors });
        }
        row::print(&Row {
            system: system.name(),
            version: version.to_owned(),
            f: options.f,
            clients: options.clients,
            request_bytes: options.request_bytes,
            reply_bytes: options.reply_bytes,
            durability: options.durability.name(),
            batching: (system != System::Etcd).then(|| options.batching.name()),
            operations_per_second: tenth(operations as f64 / seconds),
            p50_us: tenth(latency_ns.value_at_quantile(0.50) as f64 / 1e3),
            p99_us: tenth(latency_ns.value_at_quantile(0.99) as f64 / 1e3),
            cpu_us_per_operation: hundredth((load_us + members_us) as f64 / operations as f64),
            load_cpu_us_per_operation: hundredth(load_us as f64 / operations as f64),
            repetition,
            seconds: (seconds * 1e3).round() / 1e3,
            errors,
        })
        .map_err(Failure::io("standard output"))?;
    }
    Ok(())
}

/// Waits so long, unless a connection breaks or a member ends.
async fn pass(time: Duration, family: &mut Family, broken: &Broken) -> Result<(), Failure> {
    let end = tokio::time::Instant::now() + time;
    loop {
        let next = end.min(tokio::time::Instant::now() + Duration::from_millis(CHECK_MS));
        let _ = tokio::time::timeout_at(next, broken.notify.notified()).await;
        let why = broken.why.borrow_mut().take();
        if let Some(why) = why {
            // A member's end is why connections break, but that is sometimes known first.
            tokio::time::sleep(Duration::from_millis(CHECK_MS)).await;
            family.check()?;
            return Err(why);
        }
        family.check()?;
        if tokio::time::Instant::now() >= end {
            return Ok(());
        }
    }
}

/// The processor time of this process.
fn load_us() -> Result<u64, Failure> {
    cpu::spent_us(std::process::id())
}

/// The processor time of the members.
fn members_us(family: &Family) -> Result<u64, Failure> {
    family.ids().into_iter().map(cpu::spent_us).sum()
}

fn hundredth(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

fn tenth(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// The bytes of a request: as good as random, so that nobody's compression has an easy life, and the same in each run.
pub(crate) fn payload(bytes: u32) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    (0..bytes)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .collect()
}

/// The clients of connection `index` out of `connections`.
pub(crate) fn clients_of(index: u32, connections: u32, clients: u32) -> impl Iterator<Item = u32> {
    (index..clients).step_by(connections as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_has_one_connection() {
        let mut all: Vec<u32> = (0..3).flat_map(|index| clients_of(index, 3, 10)).collect();
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn an_answer_that_nobody_asked_for_is_not_measured() {
        let mut recorder = Recorder::new(2);
        recorder.answered(1);
        recorder.asked(0);
        recorder.answered(0);
        recorder.answered(0);
        recorder.answered(7);
        assert_eq!(recorder.take().0.len(), 1);
        assert_eq!(recorder.take().0.len(), 0);
    }
}
