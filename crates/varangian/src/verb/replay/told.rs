//! What `varangian replay` says at its end: for people, or as one JSON object.

use super::{Arguments, engine, memory, stages};
use crate::say::say;
use detect::engine::{Alert, Counters};
use detect::rule::Report;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Rules that `--profile-rules` tells.
const PROFILED_MAX: usize = 30;

/// What was counted and measured outside of the engine.
#[derive(Default)]
pub(super) struct Totals {
    /// By gid and sid.
    by_rule: BTreeMap<(u32, u32), u64>,
    pub(super) by_kind: BTreeMap<&'static str, u64>,
    by_behaviour: BTreeMap<&'static str, u64>,
    /// Seconds that loading took.
    loaded: f64,
    /// Seconds that the capture took.
    pub(super) seconds: f64,
    /// What the rules take.
    rules_bytes: u64,
}

impl Totals {
    /// Nothing was counted yet. Seconds that loading took, and bytes that the rules take.
    pub(super) fn new(loaded: f64, rules_bytes: u64) -> Totals {
        Totals { loaded, rules_bytes, ..Totals::default() }
    }

    /// Counts an alert, of a rule or of behaviour.
    pub(super) fn count(&mut self, alert: &Alert<'_>) {
        let count = match alert.behaviour {
            Some(behaviour) => self.by_behaviour.entry(behaviour.kind.name()).or_default(),
            None => self.by_rule.entry((alert.meta.gid, alert.meta.sid)).or_default(),
        };
        *count += 1;
    }
}

/// What a rule is called: by its sid, and before that by who gave it if that is nobody in particular.
fn name((gid, sid): (u32, u32)) -> String {
    if gid == 1 { sid.to_string() } else { format!("{gid}:{sid}") }
}

/// The rules that were asked most.
fn asked_most(replayed: &engine::Replayed) -> Vec<((u32, u32), u64, u64)> {
    let mut profile = replayed.profile.clone();
    profile.sort_by_key(|row| (Reverse(row.1), row.0));
    profile.truncate(PROFILED_MAX);
    profile
}

pub(super) fn tell(arguments: &Arguments, report: &Report, replayed: &engine::Replayed, totals: &Totals) {
    if arguments.json {
        say!("{}", as_json(report, replayed, totals));
    } else {
        tell_people(arguments, report, replayed, totals);
    }
}

fn sum(replayed: &engine::Replayed, field: fn(&Counters) -> u64) -> u64 {
    replayed.counters.iter().map(field).sum()
}

fn gigabits(replayed: &engine::Replayed, seconds: f64) -> f64 {
    replayed.bytes as f64 * 8.0 / 1e9 / seconds.max(1e-9)
}

fn as_json(report: &Report, replayed: &engine::Replayed, totals: &Totals) -> Value {
    let sum = |field| sum(replayed, field);
    let (observations, exempt, groups_evicted) = replayed.watched;
    let by_sid: BTreeMap<String, u64> =
        totals.by_rule.iter().map(|(rule, count)| (name(*rule), *count)).collect();
    let profile = asked_most(replayed);
    json!({
        "frames": replayed.frames, "bytes": replayed.bytes, "seconds": totals.seconds,
        "gigabits_per_second": gigabits(replayed, totals.seconds), "trouble": replayed.trouble,
        "packets": sum(|counters| counters.packets), "invalid": sum(|counters| counters.invalid),
        "flows": sum(|counters| counters.flows), "flows_evicted": sum(|counters| counters.flows_evicted),
        "rules_total": report.total, "rules_loaded": report.loaded, "rules_refused": report.refused.len(),
        "rules_wrong": report.problems.len(), "rules_repeated": report.repeated.len(), "load_seconds": totals.loaded,
        "rules_asked": sum(|counters| counters.asked), "rules_held": sum(|counters| counters.held),
        "expressions_gave_up": sum(|counters| counters.gave_up),
        "alerts": totals.by_rule.values().sum::<u64>(), "alerts_by_sid": by_sid, "alerts_beyond_limit": replayed.surplus,
        "records": totals.by_kind,
        // A capture is read as fast as it is looked at: no frame is ever dropped.
        "drops": 0,
        "stages": replayed.stages.as_ref().map(|stages| stages::as_json(stages, totals.rules_bytes)),
        "behaviour_alerts": totals.by_behaviour.values().sum::<u64>(), "behaviour_by_kind": totals.by_behaviour,
        "observations": observations, "observations_exempt": exempt,
        "groups_evicted": groups_evicted, "judged_early": sum(|counters| counters.judged_early),
        "entries_evicted": replayed.evicted,
        "rss_bytes": memory::resident_bytes(), "rss_peak_bytes": memory::peak_bytes(),
        "profile": profile.iter().map(|((gid, sid), asked, held)| json!({ "gid": gid, "sid": sid, "asked": asked, "held": held })).collect::<Vec<_>>(),
    })
}

fn tell_people(arguments: &Arguments, report: &Report, replayed: &engine::Replayed, totals: &Totals) {
    let sum = |field| sum(replayed, field);
    let seconds = totals.seconds;
    say!("frames     {:>12}   {} bytes; none dropped, since a file waits", replayed.frames, replayed.bytes);
    say!(
        "packets    {:>12}   {} could not be read",
        sum(|counters| counters.packets),
        sum(|counters| counters.invalid)
    );
    say!(
        "flows      {:>12}   {} ended early for want of room",
        sum(|counters| counters.flows),
        sum(|counters| counters.flows_evicted)
    );
    say!(
        "rules      {:>12}   of {} loaded in {:.2} s; {} refused, {} wrong, {} repeated",
        report.loaded,
        report.total,
        totals.loaded,
        report.refused.len(),
        report.problems.len(),
        report.repeated.len()
    );
    say!("asked      {:>12}   {} held", sum(|counters| counters.asked), sum(|counters| counters.held));
    say!(
        "time       {seconds:>12.3} s {:.2} Gbit/s, {:.2} million frames/s",
        gigabits(replayed, seconds),
        replayed.frames as f64 / 1e6 / seconds.max(1e-9)
    );
    say!("memory     {:>12.0} MiB at its peak", memory::peak_bytes() as f64 / f64::from(1 << 20));
    let alerts: u64 = totals.by_rule.values().sum();
    say!("alerts     {alerts:>12}   of {} rules{}", totals.by_rule.len(), surplus(replayed.surplus));
    for (rule, count) in &totals.by_rule {
        say!("  {count:>8}  {}", name(*rule));
    }
    let behaviours: u64 = totals.by_behaviour.values().sum();
    let kinds = totals.by_behaviour.len();
    say!("behaviour  {behaviours:>12}   of {kinds} kinds; {} observations", replayed.watched.0);
    for (kind, count) in &totals.by_behaviour {
        say!("  {count:>8}  {kind}");
    }
    if !totals.by_kind.is_empty() {
        say!("records    {:>12}", totals.by_kind.values().sum::<u64>());
        for (kind, count) in &totals.by_kind {
            say!("  {count:>8}  {kind}");
        }
    }
    if let Some(stages) = &replayed.stages {
        stages::tell(stages, totals.rules_bytes);
    }
    if arguments.profile_rules {
        say!("\nasked most:      sid        asked         held");
        for (rule, asked, held) in asked_most(replayed) {
            say!("          {:>10} {asked:>12} {held:>12}", name(rule));
        }
    }
}

fn surplus(count: u64) -> String {
    if count == 0 { String::new() } else { format!("; {count} more in packets that had too many") }
}
