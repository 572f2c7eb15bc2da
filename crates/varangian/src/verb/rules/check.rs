//! `varangian rules check`: what of a rule set is loaded, what is refused, what is wrong, and why.
//!
//! Refused is what the engine lacks, wrong is what could not be right anywhere: only that is a failure. Words of strangers are shown with control
//! characters escaped, and cut where they are long; of much that is alike the first is told, and how many more there are.

use crate::Outcome;
use crate::excerpt::excerpt;
use crate::say::{complain, say};
use crate::verb::replay::memory::resident_bytes;
use crate::verb::replay::rule_files;
use clap::Args;
use detect::rule::{Place, Problem, Report, RuleSet};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

/// Of each kind of trouble so many are told one by one; of wrong rules so many of each file, and of refused ones all, if `--all` is given.
const TOLD_MAX: usize = 20;
/// The same in JSON, where those that are refused are all told.
const TOLD_IN_JSON_MAX: usize = 1000;
/// Loads rule files and says what was loaded, what was refused and why. Exit code 1 if a rule's text is wrong.
///
/// Refused is a rule that asks for what the engine lacks; wrong is one that could not be right in any edition, told with file, line and column.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Rule files; what is packed by gzip is unpacked. Beside them, `classification.config` and `reference.config` are read.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// A folder with what is known of addresses, for `iprep`: `categories.txt`, and lists whose names end in `.list`.
    #[arg(long)]
    reputation: Option<PathBuf>,
    /// Tells the result as one JSON object.
    #[arg(long)]
    json: bool,
    /// Tells all refused rules, not the first 20.
    #[arg(long)]
    all: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let read = rule_files::read_all(&arguments.files).and_then(|sources| {
        Ok((sources, rule_files::variables_beside(&arguments.files, arguments.reputation.as_deref())?))
    });
    let (sources, variables) = match read {
        Ok(read) => read,
        Err(error) => {
            complain!("error: {}", excerpt(&error));
            return Outcome::Refused;
        }
    };
    let started = Instant::now();
    let set = RuleSet::load_telling(
        &rule_files::borrowed(&sources),
        &variables,
        &rule_files::reader(&arguments.files),
    );
    let seconds = started.elapsed().as_secs_f64();
    let report = set.report();
    if arguments.json {
        tell_json(report, seconds);
    } else {
        tell(report, seconds, arguments.all);
    }
    let outcome = if report.problems.is_empty() { Outcome::Fine } else { Outcome::Violated };
    // The system takes it all back at once; to take thousands of rules apart would keep who waits for a tenth of a second.
    std::mem::forget(set);
    outcome
}

fn tell_json(report: &Report, seconds: f64) {
    let refused: Vec<_> = report
        .refused
        .iter()
        .map(|refused| {
            json!({
                "file": refused.file, "line": refused.line, "sid": refused.sid,
                "keyword": refused.why.keyword, "reason": refused.why.words,
            })
        })
        .collect();
    let told = |problems: &[(String, Problem)], name: &str| -> Vec<Value> {
        let told = problems.iter().take(TOLD_IN_JSON_MAX);
        told.map(|(file, problem)| {
            json!({ "file": file, "line": problem.line, "column": problem.column, name: excerpt(&problem.words) })
        })
        .collect()
    };
    let place = |place: &Place| json!({ "file": place.file, "line": place.line, "rev": place.rev });
    let repeated = report.repeated.iter().take(TOLD_IN_JSON_MAX).map(|repeated| {
        let (left_out, stays) = (place(&repeated.left_out), place(&repeated.stays));
        json!({ "gid": repeated.gid, "sid": repeated.sid, "left_out": left_out, "stays": stays })
    });
    let repeated: Vec<Value> = repeated.collect();
    say!(
        "{}",
        json!({
            "total": report.total,
            "loaded": report.loaded,
            "refused": report.refused.len(),
            "repeated": report.repeated.len(),
            "errors": report.problems.len(),
            "warnings": report.warnings.len(),
            "by_keyword": refused_by_keyword(report),
            "used": report.by_keyword,
            "refused_rules": refused,
            "repeated_rules": repeated,
            "problems": told(&report.problems, "error"),
            "warned_rules": told(&report.warnings, "warning"),
            "seconds": seconds,
            "rss_bytes": resident_bytes(),
        })
    );
}

fn tell(report: &Report, seconds: f64, all: bool) {
    let share = |count: usize| 100.0 * count as f64 / report.total.max(1) as f64;
    say!("rules      {:>8}", report.total);
    say!("loaded     {:>8}   {:.2} %", report.loaded, share(report.loaded));
    say!("refused    {:>8}   {:.2} %", report.refused.len(), share(report.refused.len()));
    if !report.repeated.is_empty() {
        say!("repeated   {:>8}   the same number again", report.repeated.len());
    }
    if !report.problems.is_empty() {
        say!("wrong      {:>8}   not right in any edition", report.problems.len());
    }
    if !report.warnings.is_empty() {
        say!("warnings   {:>8}", report.warnings.len());
    }
    say!("time       {seconds:>8.2} s");
    say!("memory     {:>8.0} MiB", resident_bytes() as f64 / f64::from(1 << 20));
    let by_keyword = refused_by_keyword(report);
    if !by_keyword.is_empty() {
        say!("\nrefused, by the option that could not be read:");
        let mut rows: Vec<_> = by_keyword.into_iter().collect();
        rows.sort_by_key(|(keyword, count)| (std::cmp::Reverse(*count), keyword.clone()));
        for (keyword, count) in rows {
            say!("  {count:>6}  {}", excerpt(&keyword));
        }
        let told = if all { usize::MAX } else { TOLD_MAX };
        say!("");
        for refused in report.refused.iter().take(told) {
            let sid = refused.sid.map_or_else(|| "without sid".to_owned(), |sid| sid.to_string());
            say!(
                "{}:{}: rule {sid}: {}: {}",
                excerpt(&refused.file),
                refused.line,
                excerpt(&refused.why.keyword),
                excerpt(&refused.why.words)
            );
        }
        if report.refused.len() > told {
            say!("… and {} more: --all tells them", report.refused.len() - told);
        }
    }
    complain_of(&report.problems, "");
    complain_of(&report.warnings, "warning: ");
    complain_of_repeated(report);
}

/// Says this of rules, of each file the first, and how many more there are.
fn complain_of(problems: &[(String, Problem)], kind: &str) {
    let mut by_file: BTreeMap<&str, usize> = BTreeMap::new();
    for (file, problem) in problems {
        let count = by_file.entry(file).or_default();
        *count += 1;
        if *count <= TOLD_MAX {
            complain!(
                "{}:{}:{}: {kind}{}",
                excerpt(file),
                problem.line,
                problem.column,
                excerpt(&problem.words)
            );
        }
    }
    for (file, count) in by_file.into_iter().filter(|(_, count)| *count > TOLD_MAX) {
        complain!("{}: {kind}… and {} more", excerpt(file), count - TOLD_MAX);
    }
}

/// Says which rules are left out, since others of the same number stay.
pub(crate) fn complain_of_repeated(report: &Report) {
    for repeated in report.repeated.iter().take(TOLD_MAX) {
        let (out, stays) = (&repeated.left_out, &repeated.stays);
        complain!(
            "{}:{}: rule {}:{} is left out (revision {}): revision {} stays, {}:{}",
            excerpt(&out.file),
            out.line,
            repeated.gid,
            repeated.sid,
            out.rev,
            stays.rev,
            excerpt(&stays.file),
            stays.line
        );
    }
    if report.repeated.len() > TOLD_MAX {
        complain!(
            "… and {} more rules are left out, since others of the same number stay",
            report.repeated.len() - TOLD_MAX
        );
    }
}

fn refused_by_keyword(report: &Report) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for refused in &report.refused {
        *counts.entry(refused.why.keyword.clone()).or_insert(0) += 1;
    }
    counts
}
