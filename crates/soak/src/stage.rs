//! A cluster under load with a probe, from its begin to the verdict on what its clients were told.
//!
//! Upon the begin: the cluster is made and started; when all nodes take part, load and probe begin.
//! Upon the end: load and probe end their calls, every key is read back, all honest nodes must hold the same state, and the history
//!   must be linearizable. What is not is a broken promise, and the cluster's folder is kept.

use crate::cluster::{Cluster, Wish};
use crate::load::{Load, Manner, read_back};
use crate::probe::{Probe, Seen};
use crate::report::Report;
use kv::history::{Verdict, check};
use node::clock::Clock;
use node::config::ClientConfig;
use serde_json::Value;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use wire::Time;

/// How long a cluster may take to become whole.
pub(crate) const WHOLE_MAX: Duration = Duration::from_secs(30);

/// How long nodes may take to come to the same state when nobody asks for anything any more.
const SAME_MAX: Duration = Duration::from_secs(10);

/// A cluster under load.
pub(crate) struct Stage {
    /// The cluster.
    pub(crate) cluster: Cluster,
    /// The load.
    pub(crate) load: Load,
    probe: Probe,
    config: ClientConfig,
    clock: Clock,
    name: String,
    /// Promises that were broken before it began.
    broken: usize,
}

impl Stage {
    /// Makes and starts all of it; `prepare` may change nodes before they start.
    pub(crate) fn begin(
        name: &str,
        wish: &Wish,
        manner: Manner,
        clock: Clock,
        broken: usize,
        prepare: impl FnOnce(&mut Cluster),
    ) -> Result<Stage, String> {
        let mut cluster = Cluster::make(wish)?;
        prepare(&mut cluster);
        cluster.start()?;
        if let Err(error) = cluster.wait_whole(&cluster.all(), WHOLE_MAX) {
            let said: Vec<String> =
                cluster.all().into_iter().map(|node| cluster.said_by_node(node)).collect();
            return Err(format!("the cluster does not begin: {error}\n{}", said.join("\n")));
        }
        let config = ClientConfig::load(&cluster.config_of_client(1)).map_err(|error| error.to_string())?;
        let load = Load::start(&config, clock, manner)?;
        let probe = Probe::start(&config, clock)?;
        let stage = Stage { cluster, load, probe, config, clock, name: name.to_string(), broken };
        // So that the first fault does not meet links that are being made.
        stage.cluster.pause(Duration::from_secs(1));
        Ok(stage)
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// What the probe saw since `from`.
    pub(crate) fn saw(&self, from: Time) -> Seen {
        self.probe.saw(from, self.clock.now())
    }

    /// Ends it and judges. `honest` are those that must agree at the end.
    pub(crate) fn end(self, honest: &[u16], report: &mut Report) -> Result<(), String> {
        let Stage { mut cluster, load, probe, config, clock, name, broken } = self;
        let tally = std::sync::Arc::clone(&load.tally);
        let mut history = load.end()?;
        history.append(&mut probe.end()?);
        match read_back(&config, clock) {
            Ok(mut read) => history.append(&mut read),
            Err(error) => report.break_promise(&format!("{name}: {error}")),
        }
        if let Err(error) = same_state(&cluster, honest) {
            report.break_promise(&format!("{name}: {error}"));
        }
        let refused = tally.refused.load(Ordering::Relaxed);
        if refused > 0 {
            let reason =
                tally.reason.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default();
            report.break_promise(&format!("{name}: {refused} calls were refused: {reason}"));
        }
        let (calls, unknown) = (history.len(), history.iter().filter(|call| call.told.is_none()).count());
        let begin = Instant::now();
        let verdict = check(kv::Store::default(), &history);
        let took = begin.elapsed().as_secs_f64();
        let says = match verdict {
            Verdict::Linearizable => "is linearizable".to_string(),
            // Something was wrong in the order that was tried, and nobody could show another: what is promised was not seen.
            Verdict::Undecided(why) => {
                report.break_promise(&format!(
                    "{name}: whether the history is linearizable is UNDECIDED: {why}"
                ));
                "is UNDECIDED".to_string()
            }
            Verdict::Violated(why) => {
                report.break_promise(&format!("{name}: the history is NOT linearizable: {why}"));
                "is NOT linearizable".to_string()
            }
        };
        report.note(&format!(
            "{name}: the history of {calls} calls, {unknown} of unknown fate, {says} (checked in {took:.1} s); every key read back"
        ));
        if report.broken().len() > broken {
            report.note(&format!("{name}: what its nodes said is kept in {}", cluster.keep().display()));
        }
        Ok(())
    }

    /// What the nodes said, kept, and where; for an error in the middle.
    pub(crate) fn give_up(mut self, error: &str, report: &mut Report) {
        let name = self.name.clone();
        if !self.cluster.is_stopped() {
            report.break_promise(&format!("{name}: {error}"));
            report.note(&format!("{name}: what its nodes said is kept in {}", self.cluster.keep().display()));
        }
    }
}

/// All of `nodes` come to the same state at the same place.
fn same_state(cluster: &Cluster, nodes: &[u16]) -> Result<(), String> {
    let end = Instant::now() + SAME_MAX;
    loop {
        let statuses: Vec<Option<Value>> = nodes.iter().map(|node| cluster.status_of_node(*node)).collect();
        let known: Vec<&Value> = statuses.iter().flatten().collect();
        let place = |status: &Value| (status["executed"].clone(), status["state"].clone());
        if known.len() == nodes.len() && known.iter().all(|status| place(status) == place(known[0])) {
            return Ok(());
        }
        for (one, other) in
            known.iter().flat_map(|one| known.iter().map(move |other| (place(one), place(other))))
        {
            if one.0 == other.0 && one.1 != other.1 {
                return Err(format!(
                    "two nodes hold different states at #{}: {} and {}",
                    one.0, one.1, other.1
                ));
            }
        }
        if Instant::now() >= end {
            return Err(format!(
                "nodes {nodes:?} do not come to the same state: {:?}",
                known.into_iter().map(place).collect::<Vec<_>>()
            ));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
