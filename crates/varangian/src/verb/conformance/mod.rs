//! `varangian conformance`: what the engine reports on captures of which it is known what should be reported.

use crate::Outcome;
use crate::progress::Progress;
use crate::say::{complain, say};
use crate::verb::replay::engine::Wanted;
use crate::verb::replay::{engine, rule_files};
use clap::Args;
use detect::engine::Told;
use detect::rule::{Report, RuleSet, Variables};
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Runs every case of a list: a capture, rules, and how often each rule must alert. Exit code 1 if one fails.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The list of cases (JSON).
    #[arg(long)]
    cases: PathBuf,
    /// The folder that holds the cases' folders.
    #[arg(long)]
    root: PathBuf,
    /// A folder with what is known of addresses, for `iprep`: `categories.txt`, and lists whose names end in `.list`.
    #[arg(long)]
    reputation: Option<PathBuf>,
    /// Tells the result as one JSON object.
    #[arg(long)]
    json: bool,
    /// Runs only cases whose folder or area contains this.
    #[arg(long)]
    only: Option<String>,
}

#[derive(Deserialize)]
struct Case {
    dir: String,
    pcap: String,
    rules: String,
    #[serde(default)]
    area: String,
    truth: BTreeMap<String, u64>,
}

/// What became of a case.
struct Ran<'a> {
    case: &'a Case,
    /// Sid, wanted, got, where they differ.
    differ: Vec<(String, u64, u64)>,
    /// What of its rules is not understood.
    missing: BTreeSet<String>,
    /// It could not be run at all.
    trouble: Option<String>,
}

impl Ran<'_> {
    fn passed(&self) -> bool {
        self.differ.is_empty() && self.trouble.is_none()
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let cases: Vec<Case> = match fs::read(&arguments.cases)
        .map_err(|error| error.to_string())
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
    {
        Ok(cases) => cases,
        Err(error) => {
            complain!("error: {}: {error}", arguments.cases.display());
            return Outcome::Refused;
        }
    };
    let variables = match rule_files::variables(arguments.reputation.as_deref()) {
        Ok(variables) => variables,
        Err(error) => {
            complain!("error: {error}");
            return Outcome::Refused;
        }
    };
    let chosen: Vec<&Case> = cases
        .iter()
        .filter(|case| {
            arguments.only.as_ref().is_none_or(|only| case.dir.contains(only) || case.area.contains(only))
        })
        .collect();
    let mut bar = Progress::new(chosen.len() as u64, "cases");
    let mut results = Vec::with_capacity(chosen.len());
    for (done, case) in chosen.iter().enumerate() {
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
    if failed == 0 { Outcome::Fine } else { Outcome::Violated }
}

/// Runs a case. A panic is a failure of the case, and a defect of its own.
fn one<'a>(case: &'a Case, root: &Path, variables: &Variables) -> Ran<'a> {
    let mut ran = Ran { case, differ: Vec::new(), missing: BTreeSet::new(), trouble: None };
    match catch_unwind(AssertUnwindSafe(|| alerts(case, root, variables))) {
        Ok(Ok((got, missing))) => {
            ran.missing = missing;
            let sids: BTreeSet<&String> = case.truth.keys().chain(got.keys()).collect();
            for sid in sids {
                let count = |of: &BTreeMap<String, u64>| of.get(sid).copied().unwrap_or(0);
                let (wanted, found) = (count(&case.truth), count(&got));
                if wanted != found {
                    ran.differ.push((sid.clone(), wanted, found));
                }
            }
        }
        Ok(Err(error)) => ran.trouble = Some(error),
        Err(_) => ran.trouble = Some("the engine panicked".to_owned()),
    }
    ran
}

type Alerts = (BTreeMap<String, u64>, BTreeSet<String>);

fn alerts(case: &Case, root: &Path, variables: &Variables) -> Result<Alerts, String> {
    let folder = root.join(&case.dir);
    let rules = folder.join(&case.rules);
    let sources = vec![rule_files::read(&rules)?];
    let files = [rules];
    let set = RuleSet::load_telling(&rule_files::borrowed(&sources), variables, &rule_files::reader(&files));
    let missing = missing(set.report());
    let mut got: BTreeMap<String, u64> = BTreeMap::new();
    let set = Arc::new(set);
    engine::replay(
        &folder.join(&case.pcap),
        &set,
        1,
        Wanted::default(),
        None,
        &mut |_, _| {},
        &mut |told| {
            if let Told::Alert(alert) = told {
                *got.entry(alert.meta.sid.to_string()).or_default() += 1;
            }
        },
    )?;
    Ok((got, missing))
}

fn missing(report: &Report) -> BTreeSet<String> {
    let refused =
        report.refused.iter().map(|refused| format!("{}: {}", refused.why.keyword, refused.why.words));
    let wrong = report.problems.iter().map(|(_, problem)| problem.words.clone());
    refused.chain(wrong).collect()
}

fn tell_json(results: &[Ran<'_>], failed: usize) {
    let list: Vec<_> = results
        .iter()
        .map(|ran| {
            json!({
                "dir": ran.case.dir, "area": ran.case.area, "passed": ran.passed(),
                "differ": ran.differ.iter().map(|(sid, wanted, got)| json!({ "sid": sid, "wanted": wanted, "got": got })).collect::<Vec<_>>(),
                "missing": ran.missing, "error": ran.trouble,
            })
        })
        .collect();
    say!(
        "{}",
        json!({ "total": results.len(), "passed": results.len() - failed, "failed": failed, "cases": list })
    );
}

fn tell(results: &[Ran<'_>], failed: usize) {
    let mut areas: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for ran in results {
        let area = areas.entry(&ran.case.area).or_default();
        area.0 += 1;
        area.1 += usize::from(ran.passed());
    }
    for ran in results.iter().filter(|ran| !ran.passed()) {
        let differ: Vec<_> = ran
            .differ
            .iter()
            .map(|(sid, wanted, got)| format!("{sid}: wanted {wanted}, got {got}"))
            .collect();
        let missing: Vec<_> = ran.missing.iter().map(String::as_str).collect();
        let mut reasons = vec![differ.join("; ")];
        reasons.extend(ran.trouble.clone());
        if !missing.is_empty() {
            reasons.push(format!("missing: {}", missing.join(" | ")));
        }
        reasons.retain(|reason| !reason.is_empty());
        say!("{}  {}", ran.case.dir, reasons.join("  "));
    }
    say!("\n{:<44} {:>6} {:>6}", "area", "cases", "passed");
    for (area, (total, passed)) in &areas {
        say!("{area:<44} {total:>6} {passed:>6}");
    }
    let total = results.len();
    say!(
        "{:<44} {total:>6} {:>6}  {:.2} %",
        "all",
        total - failed,
        100.0 * (total - failed) as f64 / total.max(1) as f64
    );
}
