//! `varangian conformance`: what the engine reports on captures of which it is known what should be reported.
//!
//! Whether a case passes is decided by alerts alone. A case that cannot be run, or none of whose rules can be read, has failed, with the reason; one whose capture is
//! damaged is looked at as far as it goes, and told.

mod cases;

use crate::Outcome;
use crate::excerpt::{excerpt, first};
use crate::progress::Progress;
use crate::say::{complain, say};
use crate::verb::replay::engine::Wanted;
use crate::verb::replay::source::Source;
use crate::verb::replay::{engine, rule_files};
use cases::Case;
use clap::Args;
use detect::engine::Told;
use detect::rule::{Report, RuleSet, Variables};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reasons why rules of one case are not understood that are told to people.
const MISSING_TOLD_MAX: usize = 5;

/// Runs every case of a list: a capture, rules, and how often each rule must alert. Exit code 1 if one fails.
#[derive(Args)]
#[command(after_help = "\
The list is a JSON array of objects, one for each case:
  dir     its folder below that of --root; what the case is called
  pcap    its capture in there (pcap or pcapng)
  rules   its rule file in there, with the lists that its rules name beside it
  truth   an object: the number of a rule (sid), and how often it must alert; a rule that is not named must not
  area    the part of the engine that it tries (may be left out)
Whatever else a case has is passed over. As in
  [{\"dir\":\"web\",\"pcap\":\"input.pcap\",\"rules\":\"test.rules\",\"area\":\"http\",\"truth\":{\"2001\":3}}]

A case passes if every rule alerts as often as it must. One whose capture is damaged or cut off is looked at as far as it goes, counts like any other,
and is told under `damaged`.

Examples:
  varangian conformance --cases cases.json --root folder-of-cases
  varangian conformance --cases cases.json --root folder-of-cases --only dns
  varangian conformance --cases cases.json --root folder-of-cases --json | jq '.cases[] | select(.passed | not) | .dir'

Exit codes: 0 all pass, 1 one fails, 2 there is nothing to run, or the list is wrong.")]
pub(crate) struct Arguments {
    /// The list of cases (JSON, see below).
    #[arg(long, value_name = "FILE")]
    cases: PathBuf,
    /// The folder that holds the cases' folders.
    #[arg(long, value_name = "FOLDER")]
    root: PathBuf,
    /// A folder with what is known of addresses, for `iprep`: `categories.txt`, and lists whose names end in `.list`.
    #[arg(long, value_name = "FOLDER")]
    reputation: Option<PathBuf>,
    /// Tells the result as one JSON object.
    #[arg(long)]
    json: bool,
    /// Runs only cases whose folder or area contains this.
    #[arg(long, value_name = "WORDS")]
    only: Option<String>,
}

/// What became of a case.
struct Ran<'a> {
    case: &'a Case,
    /// Sid, wanted, got, where they differ.
    differ: Vec<(String, u64, u64)>,
    /// What of its rules is not understood.
    missing: BTreeSet<String>,
    /// Its capture could not be read to its end.
    damaged: Option<String>,
    /// It could not be run at all.
    trouble: Option<String>,
}

impl Ran<'_> {
    fn passed(&self) -> bool {
        self.differ.is_empty() && self.trouble.is_none()
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match conform(arguments) {
        Ok(outcome) => outcome,
        Err(error) => {
            complain!("error: {error}");
            Outcome::Refused
        }
    }
}

fn conform(arguments: &Arguments) -> Result<Outcome, String> {
    let cases = cases::read(&arguments.cases)?;
    let variables = rule_files::variables(arguments.reputation.as_deref())?;
    let chosen = cases::chosen(&cases, arguments.only.as_deref())?;
    let mut bar = Progress::new(chosen.len() as u64, "cases");
    let mut results = Vec::with_capacity(chosen.len());
    for (done, case) in chosen.into_iter().enumerate() {
        bar.update(done as u64, &case.dir);
        results.push(one(case, &arguments.root, &variables));
    }
    bar.finish();
    let failed = results.iter().filter(|ran| !ran.passed()).count();
    if arguments.json {
        tell_json(&results, failed)
    } else {
        tell(&results, failed)
    }
    Ok(if failed == 0 { Outcome::Fine } else { Outcome::Violated })
}

/// Runs a case. A panic is a failure of the case, and a defect of its own.
fn one<'a>(case: &'a Case, root: &Path, variables: &Variables) -> Ran<'a> {
    let mut ran = Ran { case, differ: Vec::new(), missing: BTreeSet::new(), damaged: None, trouble: None };
    match catch_unwind(AssertUnwindSafe(|| alerts(case, root, variables))) {
        Ok(Ok(found)) => {
            let sids: BTreeSet<&String> = case.truth.keys().chain(found.got.keys()).collect();
            for sid in sids {
                let count = |of: &BTreeMap<String, u64>| of.get(sid).copied().unwrap_or(0);
                let (wanted, got) = (count(&case.truth), count(&found.got));
                if wanted != got {
                    ran.differ.push((sid.clone(), wanted, got));
                }
            }
            ran.missing = found.missing;
            ran.damaged = found.damaged;
            ran.trouble = found.unread;
        }
        Ok(Err(error)) => ran.trouble = Some(error),
        Err(_) => ran.trouble = Some("the engine panicked".to_owned()),
    }
    ran
}

/// What came of a case.
struct Found {
    /// How often each rule alerted.
    got: BTreeMap<String, u64>,
    missing: BTreeSet<String>,
    damaged: Option<String>,
    /// None of its rules could be read, and why: it tries nothing.
    unread: Option<String>,
}

fn alerts(case: &Case, root: &Path, variables: &Variables) -> Result<Found, String> {
    let folder = root.join(&case.dir);
    let source = Source::open(&folder.join(&case.pcap), false)?;
    let rules = folder.join(&case.rules);
    let sources = vec![rule_files::read(&rules)?];
    let files = [rules];
    let texts = rule_files::borrowed(&sources);
    let set = RuleSet::load_telling(&texts, variables, &rule_files::reader(&files));
    // A rule that contradicts itself is one all the same: that nobody loads it may be what the case tries.
    let has_rules = texts.iter().any(|file| file.text.lines().any(|line| line.contains("sid:")));
    let (missing, unread) = (missing(set.report()), unread(set.report()).filter(|_| !has_rules));
    let mut got: BTreeMap<String, u64> = BTreeMap::new();
    let replayed =
        engine::replay(source, &Arc::new(set), 1, Wanted::default(), None, &mut |_, _| {}, &mut |told| {
            if let Told::Alert(alert) = told {
                *got.entry(alert.meta.sid.to_string()).or_default() += 1;
            }
            Ok(())
        })?;
    Ok(Found { got, missing, damaged: replayed.trouble, unread })
}

fn missing(report: &Report) -> BTreeSet<String> {
    let refused =
        report.refused.iter().map(|refused| format!("{}: {}", refused.why.keyword, refused.why.words));
    let wrong = report.problems.iter().map(|(_, problem)| problem.words.clone());
    refused.chain(wrong).collect()
}

/// Why there is no rule, if there are lines and none of them is one.
fn unread(report: &Report) -> Option<String> {
    let (file, problem) = report.problems.first()?;
    (report.problems.len() == report.total).then(|| {
        format!(
            "none of the {} lines of its rules could be read: {file}:{}:{}: {}",
            report.total,
            problem.line,
            problem.column,
            excerpt(&problem.words)
        )
    })
}

fn tell_json(results: &[Ran<'_>], failed: usize) {
    let list: Vec<_> = results
        .iter()
        .map(|ran| {
            json!({
                "dir": ran.case.dir, "area": ran.case.area, "passed": ran.passed(),
                "differ": ran.differ.iter().map(|(sid, wanted, got)| json!({ "sid": sid, "wanted": wanted, "got": got })).collect::<Vec<_>>(),
                "missing": ran.missing, "damaged": ran.damaged, "error": ran.trouble,
            })
        })
        .collect();
    let damaged = results.iter().filter(|ran| ran.damaged.is_some()).count();
    say!(
        "{}",
        json!({
            "total": results.len(), "passed": results.len() - failed, "failed": failed, "damaged": damaged,
            "cases": list,
        })
    );
}

fn tell(results: &[Ran<'_>], failed: usize) {
    for ran in results.iter().filter(|ran| !ran.passed()) {
        say!("{}  {}", excerpt(&ran.case.dir), reasons(ran));
    }
    let damaged: Vec<_> =
        results.iter().filter_map(|ran| Some((&ran.case.dir, ran.damaged.as_ref()?))).collect();
    if !damaged.is_empty() {
        say!("\ndamaged: captures that were looked at as far as they go");
    }
    for (dir, trouble) in damaged {
        say!("{}  {}", excerpt(dir), excerpt(trouble));
    }
    let mut areas: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for ran in results {
        let area = areas.entry(&ran.case.area).or_default();
        area.0 += 1;
        area.1 += usize::from(ran.passed());
    }
    say!("\n{:<44} {:>6} {:>6} {:>6}", "area", "cases", "passed", "failed");
    for (area, (total, passed)) in &areas {
        say!("{:<44} {total:>6} {passed:>6} {:>6}", excerpt(area), total - passed);
    }
    let total = results.len();
    say!(
        "{:<44} {total:>6} {:>6} {failed:>6}  {:.2} %",
        "all",
        total - failed,
        100.0 * (total - failed) as f64 / total.max(1) as f64
    );
}

/// Why a case failed, on one line.
fn reasons(ran: &Ran<'_>) -> String {
    let differ: Vec<_> =
        ran.differ.iter().map(|(sid, wanted, got)| format!("{sid}: wanted {wanted}, got {got}")).collect();
    let mut reasons = vec![differ.join("; ")];
    reasons.extend(ran.trouble.clone());
    if !ran.missing.is_empty() {
        let missing =
            first(ran.missing.iter().map(|words| excerpt(words)), ran.missing.len(), MISSING_TOLD_MAX);
        reasons.push(format!("missing: {}", missing.join(" | ")));
    }
    reasons.retain(|reason| !reason.is_empty());
    reasons.join("  ")
}
