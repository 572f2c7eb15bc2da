//! The chapters of a soak, each with a cluster of its own: faults, traitors, strangers, steady load.
//!
//! A traitor gets a cluster of its own each time: who has lied may come back only wiped and with a new key, so a cluster with f = 1
//! has room for one in its life.

mod strangers;

use crate::cluster::{Treason, Wish};
use crate::fault::{Kind, Means};
use crate::load::Manner;
use crate::memory::Watch;
use crate::network::Network;
use crate::report::Report;
use crate::stage::{Stage, WHOLE_MAX};
use crate::stranger::Stranger;
use crate::traitor::BABBLE;
use node::clock::Clock;
use serde_json::json;
use sim::byzantine::Behaviour;
use sim::random::{Random, Stream};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The pause between two faults.
const BREATH: Duration = Duration::from_millis(500);

/// How long the probe is looked at after a cluster is whole again: what comes later is the next fault's.
const SETTLING: Duration = Duration::from_millis(500);

/// How long a traitor lies.
const LYING: Duration = Duration::from_secs(6);

/// Names of what is more than one thing.
const ROLLING: &str = "rolling";
const TRAITORS: &str = "traitors";
const STRANGERS: &str = "strangers";

/// What all chapters have in common.
pub(crate) struct Soak<'a> {
    /// How clusters are made.
    pub(crate) wish: Wish,
    /// The network, if it is our own.
    pub(crate) network: Option<&'a Network>,
    /// How clients load them.
    pub(crate) manner: Manner,
    /// The clock of everything.
    pub(crate) clock: Clock,
    /// What all chance follows from.
    pub(crate) seed: u64,
    /// These alone, by name; all if there are none.
    pub(crate) only: Vec<String>,
}

impl Soak<'_> {
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    /// Whether anything of a chapter is wanted whose parts have these names.
    pub(crate) fn wants_any(&self, names: &[String]) -> bool {
        names.iter().any(|name| self.wants(name))
    }

    /// The names of what happens in the chapter of faults.
    pub(crate) fn names_of_faults() -> Vec<String> {
        Kind::ALL.iter().map(|kind| kind.name()).chain([ROLLING]).map(ToString::to_string).collect()
    }

    /// The names of traitors.
    pub(crate) fn names_of_traitors() -> Vec<String> {
        treasons().map(|name| format!("traitor-{name}")).chain([TRAITORS.to_string()]).collect()
    }

    /// The names of strangers.
    pub(crate) fn names_of_strangers() -> Vec<String> {
        let names = Stranger::ALL.iter().map(|stranger| format!("stranger-{}", stranger.name()));
        names.chain([STRANGERS.to_string()]).collect()
    }

    /// Whether somebody pressed Ctrl-C.
    pub(crate) fn is_stopped(&self) -> bool {
        self.wish.stop.load(Ordering::Relaxed)
    }

    fn begin(&self, name: &str, report: &Report) -> Result<Stage, String> {
        Stage::begin(name, &self.wish, self.manner, self.clock, report.broken().len(), |_| {})
    }

    /// Faults, one at a time, each kind once before one comes again, for so long; then a restart of all nodes in turn.
    pub(crate) fn faults(&self, within: Duration, report: &mut Report) -> Result<(), String> {
        let wish = Wish { small_disk: true, ..self.wish.clone() };
        let mut stage =
            Stage::begin("faults", &wish, self.manner, self.clock, report.broken().len(), |_| {})?;
        let memory = Watch::start(stage.cluster.pids())?;
        let told = self.faults_on(&mut stage, within, report);
        let memory = memory.end()?;
        report.measure("memory_under_faults", memory.as_json());
        match told {
            Ok(()) => {
                report.note(&memory.most());
                stage.end(&(0..self.wish.nodes()).collect::<Vec<_>>(), report)
            }
            Err(error) => {
                stage.give_up(&error, report);
                Ok(())
            }
        }
    }

    fn faults_on(&self, stage: &mut Stage, within: Duration, report: &mut Report) -> Result<(), String> {
        let end = Instant::now() + within;
        let mut kinds = Vec::new();
        for kind in Kind::ALL.iter().copied().filter(|kind| self.wants(kind.name())) {
            match kind.missing(&stage.cluster, self.network) {
                Some(why) => report.note(&format!("left out: {}, since {why}", kind.name())),
                None => kinds.push(kind),
            }
        }
        let mut random = Random::new(self.seed, Stream::Plan);
        let mut deck = Vec::new();
        while Instant::now() < end && !kinds.is_empty() && !self.is_stopped() {
            if deck.is_empty() {
                deck = kinds.clone();
            }
            let kind = deck.swap_remove(random.index(deck.len()));
            self.fault(kind, stage, &mut random, report)?;
        }
        if self.wants(ROLLING) {
            self.rolling(stage, report)?;
        }
        Ok(())
    }

    fn fault(
        &self,
        kind: Kind,
        stage: &mut Stage,
        random: &mut Random,
        report: &mut Report,
    ) -> Result<(), String> {
        let clock = self.clock;
        let mut from = clock.now();
        let mut means = Means {
            cluster: &mut stage.cluster,
            network: self.network,
            random,
            began: &mut || from = clock.now(),
        };
        let done = kind.happen(&mut means).map_err(|error| format!("{}: {error}", kind.name()))?;
        let whole = stage.cluster.wait_whole(&stage.cluster.all(), WHOLE_MAX);
        let whole = whole.map_err(|error| format!("after {} of {:?}: {error}", kind.name(), done.node))?;
        stage.cluster.pause(SETTLING);
        report.happened(kind.name(), done.node, stage.saw(from), whole, &done.note);
        stage.cluster.pause(BREATH);
        Ok(())
    }

    /// Each node is stopped in order and started again, one after the other.
    fn rolling(&self, stage: &mut Stage, report: &mut Report) -> Result<(), String> {
        for node in stage.cluster.all() {
            let from = stage.now();
            stage.cluster.stop_node(node)?;
            stage.cluster.start_node(node)?;
            let whole = stage.cluster.wait_whole(&stage.cluster.all(), WHOLE_MAX)?;
            report.happened(ROLLING, Some(node), stage.saw(from), whole, "");
        }
        Ok(())
    }

    /// Traitors, one in each cluster, for so long.
    pub(crate) fn traitors(&self, within: Duration, report: &mut Report) -> Result<(), String> {
        if !self.wish.protocol.monitored() {
            report.note(
                "left out: traitors, since they are to stand behind a monitor, and this protocol has none",
            );
            return Ok(());
        }
        let end = Instant::now() + within;
        let mut random = Random::new(self.seed, Stream::Traitors);
        // What the specification is about comes first.
        let mut first: Vec<&str> =
            ["equivocate", "withhold", "delay", "reorder", "forge", "flood", "views", "lie"].into();
        let mut deck: Vec<&str> = treasons().filter(|name| !first.contains(name)).collect();
        let draw =
            |from: &mut Vec<&'static str>, random: &mut Random| from.swap_remove(random.index(from.len()));
        while Instant::now() < end && !self.is_stopped() {
            let name = match (first.is_empty(), deck.is_empty()) {
                (false, _) => draw(&mut first, &mut random),
                (true, false) => draw(&mut deck, &mut random),
                (true, true) => break,
            };
            let (leads, seed) = (random.chance(500), random.bits());
            if !self.wants(TRAITORS) && !self.wants(&format!("traitor-{name}")) {
                continue;
            }
            self.traitor(name, leads, seed, report)?;
        }
        Ok(())
    }

    fn traitor(&self, name: &str, leads: bool, seed: u64, report: &mut Report) -> Result<(), String> {
        // The first configuration is led by node 0.
        let traitor = if leads { 0 } else { self.wish.nodes() - 1 };
        let treason = Treason { behaviour: name.to_string(), seed };
        let broken = report.broken().len();
        let begun = Stage::begin(name, &self.wish, self.manner, self.clock, broken, |cluster| {
            cluster.corrupt(traitor, treason);
        });
        let stage = match begun {
            Ok(stage) => stage,
            Err(error) => return self.not_begun(name, &error, report),
        };
        // What cannot keep up while it is honest is no liar, but a node that is broken.
        if let Err(error) = stage.cluster.wait_whole(&stage.cluster.all(), WHOLE_MAX) {
            stage.give_up(&format!("before it lied: {error}"), report);
            return Ok(());
        }
        let led = stage.cluster.primary() == Some(traitor);
        let from = stage.now();
        stage.cluster.let_lie()?;
        stage.cluster.pause(LYING);
        let seen = stage.saw(from);
        let status = stage.cluster.status_of_node(traitor).unwrap_or_default();
        let (mut alarms, mut proofs) = (0, 0);
        let mut rules: Vec<&str> = Vec::new();
        // One of each rule, the last.
        for alarm in status["alarms"].as_array().into_iter().flatten() {
            let times = alarm["times"].as_u64().unwrap_or(0);
            alarms += times;
            proofs += if alarm["proof"] == true { times } else { 0 };
            rules.push(alarm["rule"].as_str().unwrap_or("?"));
        }
        let part = if led { "primary" } else { "backup" };
        let refused = status["refused"].as_u64().unwrap_or(0);
        let words = status["replica_words_refused"].as_u64().unwrap_or(0);
        let healthy = if status["healthy"] == true { "takes part still" } else { "takes part no more" };
        let note = format!(
            "{part}, {healthy}; its monitor: {alarms} alarms ({proofs} proofs) {rules:?}, {refused} refused, {words} words that are none"
        );
        let honest: Vec<u16> = stage.cluster.all().into_iter().filter(|node| *node != traitor).collect();
        let whole = match stage.cluster.wait_whole(&honest, WHOLE_MAX) {
            Ok(whole) => whole,
            Err(error) => {
                stage.give_up(&format!("seed {seed}, {part}: {error}"), report);
                return Ok(());
            }
        };
        report.happened(&format!("traitor-{name}"), Some(traitor), seen, whole, &note);
        stage.end(&honest, report)
    }

    /// A cluster that does not begin is a broken promise, unless it was told not to.
    fn not_begun(&self, name: &str, error: &str, report: &mut Report) -> Result<(), String> {
        if !self.is_stopped() {
            report.break_promise(&format!("{name}: {error}"));
        }
        Ok(())
    }

    /// As much load as goes, no faults, for so long; what each process holds each second.
    pub(crate) fn steady(&self, within: Duration, report: &mut Report) -> Result<(), String> {
        let stage = self.begin("steady", report)?;
        let memory = Watch::start(stage.cluster.pids())?;
        let (from, begin, before) = (stage.now(), Instant::now(), stage.load.answered());
        stage.cluster.pause(within);
        let rate = (stage.load.answered() - before) as f64 / begin.elapsed().as_secs_f64();
        let (memory, seen) = (memory.end()?, stage.saw(from));
        report.happened("steady", None, seen, Duration::ZERO, &format!("{rate:.0} operations/s"));
        memory.lines().iter().for_each(|line| report.note(line));
        report.measure("memory", memory.as_json());
        report.measure("operations_per_second", json!(rate));
        for growing in memory.growing() {
            report.break_promise(&growing);
        }
        // Nobody kept what clients were told, so the state is all that can be judged.
        drop(stage);
        Ok(())
    }
}

/// The strategies of traitors. Twins are two replicas, which this process is not.
fn treasons() -> impl Iterator<Item = &'static str> {
    Behaviour::ALL
        .iter()
        .filter(|behaviour| **behaviour != Behaviour::Twins)
        .map(|it| it.name())
        .chain([BABBLE])
}
