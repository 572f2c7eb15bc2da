//! `varangian replay`: a capture through the engine.
//!
//! In the order in which things happen: the capture is opened, so that a mistyped name is told at once and costs nothing; rules are loaded; then frames go through the
//! engine, and what comes of them into `eve.json` ([`eve_file`]).

mod behaviour;
mod belt;
mod crew;
pub(crate) mod engine;
mod eve_file;
pub(crate) mod memory;
pub(crate) mod rule_files;
pub(crate) mod source;
mod stages;
mod told;

use crate::Outcome;
use crate::excerpt::{LINES_TOLD_MAX, excerpt, first};
use crate::progress::Progress;
use crate::say::complain;
use clap::Args;
use detect::engine::Told;
use detect::eve::{Kinds, alert_record};
use detect::frame::UnknownLinks;
use detect::rule::{Report, RuleSet};
use engine::Wanted;
use eve_file::EveFile;
use source::Source;
use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;
use told::Totals;

/// Sends a capture through the detection engine: rules, and what sources do (scans, sweeps, floods, brute force against logins).
#[derive(Args)]
#[command(
    override_usage = "varangian replay <CAPTURE> [--rules <FILE>...] [OPTIONS]",
    after_help = "\
An eve.json that lies in the folder of --out is replaced once the run is complete, also if the capture ends too early. Upon anything else (a full disk,
Ctrl-C) it stays, and eve.json.partial has what was written until then.

Examples:
  varangian replay traffic.pcap                                        behaviour alone
  varangian replay traffic.pcap --rules all.rules local.rules.gz --out alerts
  varangian replay traffic.pcap --rules all.rules --records all --out events --workers 2
  varangian replay traffic.pcap --rules all.rules --json | jq .alerts_by_sid
  varangian replay traffic.pcap --behaviour mine.toml --stages

Exit codes: 0 done; 1 done, but the capture ends in the midst of a frame or the text of a rule is wrong; 2 not done; 130 or 143 interrupted."
)]
pub(crate) struct Arguments {
    /// The capture: pcap or pcapng.
    #[arg(required_unless_present = "rules")]
    capture: Option<PathBuf>,
    /// Rule files, one or several; `.gz` is unpacked.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    rules: Vec<PathBuf>,
    /// A folder with what is known of addresses, for `iprep`: `categories.txt`, and lists whose names end in `.list`.
    #[arg(long, value_name = "FOLDER")]
    reputation: Option<PathBuf>,
    /// Threads that share the flows, 1 to 64.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// Writes `eve.json` into this folder, which is made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[arg(long, value_name = "TYPES", value_parser = kinds, help = records_help())]
    records: Option<Kinds>,
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

/// What is said of `--records`, with the types that there are.
fn records_help() -> String {
    format!(
        "What `eve.json` tells: types of EVE events with commas between them, or `all` [default: alert]. The speed that is promised is that of alerts alone. Types: {}",
        Kinds::names().join(", ")
    )
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

/// Alerts alone.
fn alerts() -> Kinds {
    let mut kinds = Kinds::default();
    let is_known = kinds.add("alert");
    debug_assert!(is_known);
    kinds
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

/// The capture, opened, and the rule files.
struct Given {
    capture: PathBuf,
    source: Source,
    rules: Vec<PathBuf>,
}

/// Of `--rules FILE... CAPTURE`, where nothing says which is which, the capture is known by its bytes.
fn given(arguments: &Arguments) -> Result<Given, String> {
    let mut rules = arguments.rules.clone();
    let capture = match &arguments.capture {
        Some(capture) => capture.clone(),
        None => {
            let is_capture = |path: &PathBuf| path.is_file() && Source::open(path, false).is_ok();
            match rules.iter().rposition(is_capture) {
                Some(place) if rules.len() > 1 => rules.remove(place),
                _ => return Err(no_capture(&rules)),
            }
        }
    };
    let source = Source::open(&capture, arguments.stages)?;
    Ok(Given { capture, source, rules })
}

fn no_capture(rules: &[PathBuf]) -> String {
    let names: Vec<String> = rules.iter().map(|path| path.display().to_string()).collect();
    format!(
        "no capture is given: what stands behind --rules was taken for rules ({}); the capture first would be right: varangian replay CAPTURE --rules FILE...",
        names.join(", ")
    )
}

/// Loads the rules and says what is wrong with them. Beside them: how much memory they take.
fn load(arguments: &Arguments, files: &[PathBuf]) -> Result<(RuleSet, u64), String> {
    let sources = rule_files::read_all(files)?;
    let before = memory::resident_bytes();
    let variables = rule_files::variables_beside(files, arguments.reputation.as_deref())?;
    let set = RuleSet::load_telling(&rule_files::borrowed(&sources), &variables, &rule_files::reader(files));
    drop(sources);
    let rules_bytes = memory::resident_bytes().saturating_sub(before);
    complain_of_rules(set.report());
    Ok((set, rules_bytes))
}

fn complain_of_rules(report: &Report) {
    let problems = report.problems.iter().map(|(file, problem)| {
        format!("{}:{}:{}: {}", file, problem.line, problem.column, excerpt(&problem.words))
    });
    first(problems, report.problems.len(), LINES_TOLD_MAX).iter().for_each(|line| complain!("{line}"));
    super::rules::complain_of_repeated(report);
    if !report.refused.is_empty() {
        complain!(
            "{} of {} rules were refused: 'varangian rules check' says why",
            report.refused.len(),
            report.total
        );
    }
}

fn replay(arguments: &Arguments) -> Result<Outcome, String> {
    let started = Instant::now();
    if arguments.records.is_some() && arguments.out.is_none() {
        return Err("--records says what eve.json tells, and without --out FOLDER there is none".to_owned());
    }
    let behaviour = behaviour::parameters(&arguments.behaviour)?;
    let Given { capture, source, rules } = given(arguments)?;
    arguments.out.as_deref().map(eve_file::folder).transpose()?;
    let (mut set, rules_bytes) = load(arguments, &rules)?;
    let records = arguments.records.unwrap_or_else(alerts);
    if arguments.out.is_some() {
        set.record(records);
    }
    let mut totals = Totals::new(started.elapsed().as_secs_f64(), rules_bytes);
    let report = set.report().clone();
    let eve = arguments.out.as_deref().map(EveFile::create).transpose()?;
    let set = Arc::new(set);
    let begun = Instant::now();
    let mut bar = Progress::new(size(&capture), "bytes");
    let replayed = with_tidy_memory(!rules.is_empty(), || {
        engine::replay(
            source,
            &set,
            arguments.workers,
            Wanted { profile: arguments.profile_rules, stages: arguments.stages },
            behaviour.as_ref(),
            &mut |done, _| bar.update(done, ""),
            &mut |told| match told {
                Told::Alert(alert) => {
                    totals.count(alert);
                    let eve = eve.as_ref().filter(|_| records.has("alert"));
                    eve.map_or(Ok(()), |eve| eve.line(&alert_record(alert)))
                }
                Told::Record { kind, line } => {
                    let Some(eve) = &eve else { return Ok(()) };
                    *totals.by_kind.entry(kind).or_default() += 1;
                    eve.line(line)
                }
            },
        )
    });
    bar.finish();
    let replayed = replayed?;
    eve.map_or(Ok(()), EveFile::finish)?;
    totals.seconds = begun.elapsed().as_secs_f64();
    if let Some(trouble) = &replayed.trouble {
        complain!("{trouble}");
    }
    let links = replayed.counters.iter().map(|counters| counters.unknown_links);
    let links = links.fold(UnknownLinks::default(), UnknownLinks::plus);
    if let Some(words) = links.words(replayed.frames) {
        complain!("{}: {words}", capture.display());
    }
    let is_blind = links.frames() > 0 && links.frames() == replayed.frames;
    told::tell(arguments, &report, &replayed, &totals);
    // The system takes it all back at once; to take thousands of rules apart would keep who waits for a tenth of a second.
    std::mem::forget(set);
    Ok(if replayed.trouble.is_some() || !report.problems.is_empty() || is_blind {
        Outcome::Violated
    } else {
        Outcome::Fine
    })
}

/// Does work, and if rules were loaded, on another thread, for which it waits, if there is one: glibc has memory apart for that, while loading leaves memory in
/// pieces of all sizes, in which each allocation would have to look for one that fits.
fn with_tidy_memory<T: Send>(has_loaded: bool, work: impl FnOnce() -> T + Send) -> T {
    let mut work = Some(work);
    let mut once = || work.take().map(|work| work());
    let done = thread::scope(|scope| {
        let named = thread::Builder::new().name("replay".to_owned());
        let thread = has_loaded.then(|| named.spawn_scoped(scope, &mut once).ok()).flatten()?;
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    });
    done.or_else(once).expect("it was done here or there")
}

/// Bytes of a file, as far as that is known.
fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |data| data.len())
}
