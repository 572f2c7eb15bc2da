//! `varangian replay`: a capture through the engine.

mod behaviour;
mod belt;
mod crew;
pub(crate) mod engine;
pub(crate) mod rule_files;
mod source;
mod stages;

use crate::Outcome;
use crate::progress::Progress;
use crate::say::{complain, say};
use clap::Args;
use detect::engine::Told;
use detect::eve::{Kinds, alert_record};
use detect::frame::UnknownLinks;
use detect::rule::RuleSet;
use engine::Wanted;
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
    /// A folder with what is known of addresses, for `iprep`: `categories.txt`, and lists whose names end in `.list`.
    #[arg(long)]
    reputation: Option<PathBuf>,
    /// Threads that share the flows.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// Writes `eve.json` into this folder, which is made if it is not there.
    #[arg(long)]
    out: Option<PathBuf>,
    /// What `eve.json` tells: types of EVE events with commas between them, or `all`. The speed that is promised is that of alerts alone.
    #[arg(long, value_name = "TYPES", default_value = "alert", value_parser = kinds)]
    records: Kinds,
    /// Behaviour detection: on unless this is `off`; a TOML file sets its parameters by name (docs/behaviour.md has them). Its alerts are written beside those of rules, and
    /// counted apart.
    #[arg(long, value_name = "FILE|off", default_value = "on", hide_default_value = true)]
    behaviour: String,
    /// Tells the result as one JSON object.
    #[arg(long)]
    json: bool,
    /// Tells where time and memory went. Costs a few parts in a hundred of the speed.
    #[arg(long)]
    stages: bool,
    /// Tells which rules were asked most.
    #[arg(long)]
    profile_rules: bool,
}

/// The types of events in a list.
fn kinds(text: &str) -> Result<Kinds, String> {
    let mut kinds = Kinds::default();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if !kinds.add(name) {
            return Err(format!(
                "there are no events of type {name}; there are all, {}",
                Kinds::names().join(", ")
            ));
        }
    }
    if kinds == Kinds::default() {
        Err("at least one type would be right, such as alert".to_owned())
    } else {
        Ok(kinds)
    }
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
    let sources = rule_files::read_all(&arguments.rules)?;
    let before = super::rules::resident_bytes();
    let mut set = RuleSet::load_telling(
        &rule_files::borrowed(&sources),
        &rule_files::variables_beside(&arguments.rules, arguments.reputation.as_deref())?,
        &rule_files::reader(&arguments.rules),
    );
    drop(sources);
    let rules_bytes = super::rules::resident_bytes().saturating_sub(before);
    if arguments.out.is_some() {
        set.record(arguments.records);
    }
    let loaded = started.elapsed().as_secs_f64();
    let report = set.report().clone();
    super::rules::complain_of_problems(&report);
    super::rules::complain_of_repeated(&report);
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
    let mut by_kind: BTreeMap<&str, u64> = BTreeMap::new();
    let mut by_behaviour: BTreeMap<&str, u64> = BTreeMap::new();
    let mut written = Ok(());
    let begun = Instant::now();
    let size = fs::metadata(&arguments.capture).map_or(0, |data| data.len());
    let mut bar = Progress::new(size, "bytes");
    let replayed = engine::replay(
        &arguments.capture,
        &set,
        arguments.workers,
        Wanted { profile: arguments.profile_rules, stages: arguments.stages },
        behaviour.as_ref(),
        &mut |done, _| bar.update(done, ""),
        &mut |told| match (told, &mut eve) {
            (Told::Alert(alert), eve) => {
                match alert.behaviour {
                    Some(behaviour) => *by_behaviour.entry(behaviour.kind.name()).or_default() += 1,
                    None => *by_sid.entry(alert.meta.sid).or_default() += 1,
                }
                if let Some(eve) = eve
                    && written.is_ok()
                    && arguments.records.has("alert")
                {
                    written = writeln!(eve, "{}", alert_record(alert));
                }
            }
            (Told::Record { kind, line }, Some(eve)) if written.is_ok() => {
                *by_kind.entry(kind).or_default() += 1;
                written = writeln!(eve, "{line}");
            }
            (Told::Record { .. }, _) => {}
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
    let unknown_links = replayed
        .counters
        .iter()
        .fold(UnknownLinks::default(), |sum, counters| sum.plus(counters.unknown_links));
    if let Some(words) = unknown_links.words(replayed.frames) {
        complain!("{}: {words}", arguments.capture.display());
    }
    let is_blind = unknown_links.frames() > 0 && unknown_links.frames() == replayed.frames;
    let totals = Totals {
        by_sid: &by_sid,
        by_kind: &by_kind,
        by_behaviour: &by_behaviour,
        loaded,
        seconds,
        rules_bytes,
    };
    tell(arguments, &report, &replayed, &totals);
    Ok(if replayed.trouble.is_some() || !report.problems.is_empty() || is_blind {
        Outcome::Violated
    } else {
        Outcome::Fine
    })
}

/// What was counted and measured outside of the engine.
struct Totals<'a> {
    by_sid: &'a BTreeMap<u32, u64>,
    by_kind: &'a BTreeMap<&'a str, u64>,
    by_behaviour: &'a BTreeMap<&'a str, u64>,
    /// Seconds that loading took.
    loaded: f64,
    /// Seconds that the capture took.
    seconds: f64,
    /// What the rules take.
    rules_bytes: u64,
}

fn tell(
    arguments: &Arguments,
    report: &detect::rule::Report,
    replayed: &engine::Replayed,
    totals: &Totals<'_>,
) {
    let Totals { by_sid, by_kind, by_behaviour, loaded, seconds, rules_bytes } = *totals;
    let sum = |field: fn(&detect::engine::Counters) -> u64| replayed.counters.iter().map(field).sum::<u64>();
    let gigabits = replayed.bytes as f64 * 8.0 / 1e9 / seconds.max(1e-9);
    let alerts: u64 = by_sid.values().sum();
    let behaviours: u64 = by_behaviour.values().sum();
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
                "rules_wrong": report.problems.len(), "rules_repeated": report.repeated.len(),
                "rules_asked": sum(|counters| counters.asked), "rules_held": sum(|counters| counters.held),
                "expressions_gave_up": sum(|counters| counters.gave_up),
                "alerts": alerts, "alerts_by_sid": by_sid, "alerts_beyond_limit": replayed.surplus,
                "records": by_kind,
                // A capture is read as fast as it is looked at: no frame is ever dropped.
                "drops": 0,
                "stages": replayed.stages.as_ref().map(|stages| stages::as_json(stages, rules_bytes)),
                "behaviour_alerts": behaviours, "behaviour_by_kind": by_behaviour, "observations": observations, "observations_exempt": exempt,
                "groups_evicted": groups_evicted, "judged_early": sum(|counters| counters.judged_early),
                "entries_evicted": replayed.evicted, "rss_bytes": memory,
                "profile": profile.iter().map(|(sid, asked, held)| json!({ "sid": sid, "asked": asked, "held": held })).collect::<Vec<_>>(),
            })
        );
        return;
    }
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
    say!("behaviour  {behaviours:>12}   of {} kinds; {observations} observations", by_behaviour.len());
    for (kind, count) in by_behaviour {
        say!("  {count:>8}  {kind}");
    }
    if !by_kind.is_empty() {
        say!("records    {:>12}", by_kind.values().sum::<u64>());
        for (kind, count) in by_kind {
            say!("  {count:>8}  {kind}");
        }
    }
    if let Some(stages) = &replayed.stages {
        stages::tell(stages, rules_bytes);
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
