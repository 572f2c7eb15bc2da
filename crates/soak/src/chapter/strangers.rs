//! Strangers, each in windows of its own between windows of quiet.
//!
//! What a stranger does costs processor time by itself, his own and the system's, which a cluster on the same machine has to do
//! without. So whoever only needs an address also has windows in which he does the same to a [`Bystander`]: what the cluster loses
//! beyond that, it loses to him.

use super::{STRANGERS, Soak};
use crate::bystander::Bystander;
use crate::cluster::Cluster;
use crate::report::Report;
use crate::stage::WHOLE_MAX;
use crate::stranger::{AtWork, Stranger};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What a stranger did to a cluster, and what came of it.
#[derive(Default)]
struct Seen {
    /// Operations a second while nobody was there.
    quiet: Vec<f64>,
    /// While he was at a bystander's, if that is possible.
    beside: Vec<f64>,
    /// While he was at the cluster's.
    busy: Vec<f64>,
    tries: u64,
    served: u64,
}

impl Soak<'_> {
    /// Strangers, one after the other, for so long.
    pub(crate) fn strangers(&self, within: Duration, report: &mut Report) -> Result<(), String> {
        let stage = self.begin(STRANGERS, report)?;
        let wanted: Vec<Stranger> = Stranger::ALL
            .into_iter()
            .filter(|stranger| self.wants(STRANGERS) || self.wants(&format!("stranger-{}", stranger.name())))
            .collect();
        let round = |stranger: &Stranger| stranger.window() * if stranger.has_bad_key() { 2 } else { 3 };
        let round: Duration = wanted.iter().map(round).sum();
        let rounds = (within.as_secs_f64() / round.as_secs_f64().max(1.0)).round();
        let rounds = (rounds as usize).max(2);
        let bystander = Bystander::start(stage.cluster.count().into())?;
        let mut ratios: Vec<f64> = Vec::new();
        for stranger in wanted {
            let (before, from) = (closed(&stage.cluster), stage.now());
            let mut saw = Seen::default();
            let window = || {
                let before = stage.load.answered();
                stage.cluster.pause(stranger.window());
                (stage.load.answered() - before) as f64 / stranger.window().as_secs_f64()
            };
            for round in 0..rounds {
                if self.is_stopped() {
                    break;
                }
                let seed = self.seed + round as u64;
                saw.quiet.push(window());
                if !stranger.has_bad_key() {
                    let at_work = AtWork::at(stranger, bystander.addresses(), seed);
                    saw.beside.push(window());
                    at_work.end();
                }
                let at_work = AtWork::start(stranger, &stage.cluster, seed)?;
                saw.busy.push(window());
                saw.tries += at_work.tries.load(Ordering::Relaxed);
                saw.served += at_work.served.load(Ordering::Relaxed);
                at_work.end();
            }
            // The slowest ones are closed when their time is up, and a report is left now and then.
            stage.cluster.pause(Duration::from_millis(2_500));
            let ended: BTreeMap<String, f64> = closed(&stage.cluster)
                .into_iter()
                .map(|(why, count)| (why.clone(), count - before.get(&why).copied().unwrap_or(0.0)))
                .filter(|(_, count)| *count > 0.0)
                .collect();
            let seen = stage.saw(from);
            let name = format!("stranger-{}", stranger.name());
            report.happened(&name, None, seen, Duration::ZERO, &saw.told(&ended));
            ratios.push(saw.ratio());
            report.measure(&format!("{name}-ratio"), json!(saw.ratio()));
            if let Some(ratio) = saw.ratio_to_beside() {
                report.measure(&format!("{name}-ratio-to-bystander"), json!(ratio));
            }
            saw.judge(stranger, &ended, report);
        }
        drop(bystander);
        if let Err(error) = stage.cluster.wait_whole(&stage.cluster.all(), WHOLE_MAX) {
            stage.give_up(&error, report);
            return Ok(());
        }
        report.note(&format!("strangers: median ratio of throughput {:.2}", median(&ratios)));
        stage.end(&(0..self.wish.nodes()).collect::<Vec<_>>(), report)
    }
}

impl Seen {
    /// The throughput under attack in parts of that in quiet.
    fn ratio(&self) -> f64 {
        median(&self.busy) / median(&self.quiet).max(1.0)
    }

    /// The same in parts of that beside a bystander who is under attack.
    fn ratio_to_beside(&self) -> Option<f64> {
        (!self.beside.is_empty()).then(|| median(&self.busy) / median(&self.beside).max(1.0))
    }

    fn told(&self, ended: &BTreeMap<String, f64>) -> String {
        let ended: Vec<String> = ended.iter().map(|(why, count)| format!("{count} {why}")).collect();
        let (busy, quiet) = (median(&self.busy), median(&self.quiet));
        let beside = self.ratio_to_beside().map_or(String::new(), |ratio| {
            format!(", and {ratio:.2} of {:.0}/s while a bystander has the same", median(&self.beside))
        });
        format!(
            "{} tries; connections ended: {}; throughput {busy:.0}/s against {quiet:.0}/s: ratio {:.2} (quiet windows within \
             ±{:.0} %){beside}",
            self.tries,
            ended.join(", "),
            self.ratio(),
            spread(&self.quiet) * 50.0,
        )
    }

    fn judge(&self, stranger: Stranger, ended: &BTreeMap<String, f64>, report: &mut Report) {
        let name = stranger.name();
        if self.served > 0 {
            report.break_promise(&format!("{name} was served {} times", self.served));
        }
        let is_counted = ended.keys().any(|why| stranger.counted_as().contains(&why.as_str()));
        if !is_counted && self.tries > 0 {
            let as_what = stranger.counted_as().join(" or ");
            report.break_promise(&format!(
                "{name} tried {} times, and no node counted one as {as_what}",
                self.tries
            ));
        }
    }
}

/// Connections that all nodes have seen end, by why.
fn closed(cluster: &Cluster) -> BTreeMap<String, f64> {
    let mut closed = BTreeMap::new();
    for (line, count) in cluster.all().into_iter().flat_map(|node| cluster.metrics_of_node(node)) {
        if let Some(why) = line.strip_prefix("varangian_connections_closed_total{why=\"") {
            *closed.entry(why.trim_end_matches("\"}").to_string()).or_default() += count;
        }
    }
    closed
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// How far the least and the most are apart, in parts of the median.
fn spread(values: &[f64]) -> f64 {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    (most - least) / median(values).max(1.0)
}
