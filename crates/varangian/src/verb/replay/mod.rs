//! `varangian replay`: a capture through the engine.

mod behaviour;
pub(crate) mod engine;
pub(crate) mod rule_files;

use crate::Outcome;
use crate::progress::Progress;
use crate::say::{complain, say};
use clap::Args;
use detect::eve::alert_record;
use detect::rule::{RuleSet, Variables};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Rules that `--profile-rules` tells.
const PROFILED_MAX: usize = 30;

/// Sends a capture through the detection engine: rules, and what sources do (scans, sweeps, floods, brute force against logins).
#[derive(Args)]
pub(crate) struct Arguments {
    /// The capture: pcap or pcapng.
    capture: PathBuf,
    /// Rule files; `.gz` is unpacked.
    #[arg(long, num_args = 1..)]
    rules: Vec<PathBuf>,
    /// Threads that share the flows.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// Writes `eve.json` into this folder, which is made if it is not there.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Behaviour detection: on unless this is `off`; a TOML file sets its parameters by name (docs/behaviour.md has them). Its alerts are written beside those of rules, and
    /// counted apart.
    #[arg(long, value_name = "FILE|off", default_value = "on", hide_default_value = true)]
    behaviour: String,
    /// Tells the result as one JSON object.
    #[arg(long)]
    json: bool,
    /// Tells which rules were asked most.
    #[arg(long)]
    profile_rules: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match replay(arguments) {
        Ok(outcome) => outcome,
        Err(error) => {
            complain!("error: {error}");
            Outcome::Refused
        }
    }
}

fn replay(arguments: &Arguments) -> Result<Outcome, String> {
    let started = Instant::now();
    let behaviour = behaviour::parameters(&arguments.behaviour)?;
    let sources = arguments.rules.iter().map(|path| rule_files::read(path)).collect::<Result<Vec<_>, _>>()?;
    let set = RuleSet::load(
        &rule_files::borrowed(&sources),
        &Variables::default(),
        &rule_files::reader(&arguments.rules),
    );
    drop(sources);
    let loaded = started.elapsed().as_secs_f64();
    let report = set.report().clone();
    for (file, problem) in &report.problems {
        complain!("{file}:{}:{}: {}", problem.line, problem.column, problem.words);
    }
    if !report.refused.is_empty() {
        complain!(
            "{} of {} rules were refused: 'varangian rules check' says why",
            report.refused.len(),
            report.total
        );
    }
    let mut eve = match &arguments.out {
        None => None,
        Some(folder) => {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            let path = folder.join("eve.json");
            Some(BufWriter::new(
                fs::File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?,
            ))
        }
    };
    let set = Arc::new(set);
    let mut by_sid: BTreeMap<u32, u64> = BTreeMap::new();
    let mut by_kind: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut written = Ok(());
    let begun = Instant::now();
    let size = fs::metadata(&arguments.capture).map_or(0, |data| data.len());
    let mut bar = Progress::new(size, "bytes");
    let replayed = engine::replay(
        &arguments.capture,
        &set,
        arguments.workers,
        arguments.profile_rules,
        behaviour.as_ref(),
        &mut |done, _| bar.update(done, ""),
        &mut |alert| {
            match alert.behaviour {
                Some(behaviour) => *by_kind.entry(behaviour.kind.name()).or_default() += 1,
                None => *by_sid.entry(alert.meta.sid).or_default() += 1,
            }
            if let Some(eve) = &mut eve
                && written.is_ok()
            {
                written = writeln!(eve, "{}", alert_record(alert));
            }
        },
    )?;
    bar.finish();
    if let Some(eve) = &mut eve {
        written = written.and_then(|()| eve.flush());
    }
    written.map_err(|error| format!("eve.json: {error}"))?;
    let seconds = begun.elapsed().as_secs_f64();
    if let Some(trouble) = &replayed.trouble {
        complain!("{trouble}");
    }
    tell(arguments, &report, &replayed, &by_sid, &by_kind, (loaded, seconds));
    Ok(if replayed.trouble.is_some() || !report.problems.is_empty() {
        Outcome::Violated
    } else {
        Outcome::Fine
    })
}

fn tell(
    arguments: &Arguments,
    report: &detect::rule::Report,
    replayed: &engine::Replayed,
    by_sid: &BTreeMap<u32, u64>,
    by_kind: &BTreeMap<&'static str, u64>,
    (loaded, seconds): (f64, f64),
) {
    let sum = |field: fn(&detect::engine::Counters) -> u64| replayed.counters.iter().map(field).sum::<u64>();
    let gigabits = replayed.bytes as f64 * 8.0 / 1e9 / seconds.max(1e-9);
    let alerts: u64 = by_sid.values().sum();
    let behaviours: u64 = by_kind.values().sum();
    let (observations, exempt, groups_evicted) = replayed.watched;
    let memory = super::rules::resident_bytes();
    let mut profile = replayed.profile.clone();
    profile.sort_by_key(|row| (std::cmp::Reverse(row.1), row.0));
    profile.truncate(PROFILED_MAX);
    if arguments.json {
        say!(
            "{}",
            json!({
                "frames": replayed.frames, "bytes": replayed.bytes, "seconds": seconds, "gigabits_per_second": gigabits,
                "packets": sum(|counters| counters.packets), "invalid": sum(|counters| counters.invalid),
                "flows": sum(|counters| counters.flows), "flows_evicted": sum(|counters| counters.flows_evicted),
                "rules_loaded": report.loaded, "rules_refused": report.refused.len(), "load_seconds": loaded,
                "rules_asked": sum(|counters| counters.asked), "rules_held": sum(|counters| counters.held),
                "expressions_gave_up": sum(|counters| counters.gave_up),
                "alerts": alerts, "alerts_by_sid": by_sid, "alerts_beyond_limit": replayed.surplus,
                "behaviour_alerts": behaviours, "behaviour_by_kind": by_kind, "observations": observations, "observations_exempt": exempt,
                "groups_evicted": groups_evicted, "judged_early": sum(|counters| counters.judged_early),
                "entries_evicted": replayed.evicted, "rss_bytes": memory,
                "profile": profile.iter().map(|(sid, asked, held)| json!({ "sid": sid, "asked": asked, "held": held })).collect::<Vec<_>>(),
            })
        );
        return;
    }
    say!("frames     {:>12}   {} bytes", replayed.frames, replayed.bytes);
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
    say!("rules      {:>12}   loaded in {loaded:.2} s; {} refused", report.loaded, report.refused.len());
    say!("asked      {:>12}   {} held", sum(|counters| counters.asked), sum(|counters| counters.held));
    say!(
        "time       {seconds:>12.3} s {gigabits:.2} Gbit/s, {:.2} million frames/s",
        replayed.frames as f64 / 1e6 / seconds.max(1e-9)
    );
    say!("memory     {:>12.0} MiB", memory as f64 / f64::from(1 << 20));
    say!("alerts     {alerts:>12}   of {} rules{}", by_sid.len(), surplus(replayed.surplus));
    for (sid, count) in by_sid {
        say!("  {count:>8}  {sid}");
    }
    say!("behaviour  {behaviours:>12}   of {} kinds; {observations} observations", by_kind.len());
    for (kind, count) in by_kind {
        say!("  {count:>8}  {kind}");
    }
    if arguments.profile_rules {
        say!("\nasked most:      sid        asked         held");
        for (sid, asked, held) in profile {
            say!("          {sid:>10} {asked:>12} {held:>12}");
        }
    }
}

fn surplus(count: u64) -> String {
    if count == 0 { String::new() } else { format!("; {count} more in packets that had too many") }
}
