//! `varangian rules check`: what of a rule set is loaded, what is refused, and why.

use crate::Outcome;
use crate::say::{complain, say};
use crate::verb::replay::rule_files::{self, RuleSource};
use clap::Args;
use detect::rule::{Report, RuleSet};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

/// Refused rules that are told one by one unless `--all` is given.
const TOLD_MAX: usize = 20;

/// Loads rule files and says what was loaded, what was refused and why. Exit code 1 if a rule's text is wrong.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Rule files; `.gz` is unpacked.
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
    let mut sources: Vec<RuleSource> = Vec::new();
    for path in &arguments.files {
        match rule_files::read(path) {
            Ok(source) => sources.push(source),
            Err(error) => {
                complain!("error: {error}");
                return Outcome::Refused;
            }
        }
    }
    let variables = match rule_files::variables(arguments.reputation.as_deref()) {
        Ok(variables) => variables,
        Err(error) => {
            complain!("error: {error}");
            return Outcome::Refused;
        }
    };
    let started = Instant::now();
    let set =
        RuleSet::load(&rule_files::borrowed(&sources), &variables, &rule_files::reader(&arguments.files));
    let seconds = started.elapsed().as_secs_f64();
    let report = set.report();
    if arguments.json {
        tell_json(report, seconds);
    } else {
        tell(report, seconds, arguments.all);
    }
    if report.problems.is_empty() { Outcome::Fine } else { Outcome::Violated }
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
    let problems: Vec<_> = report
        .problems
        .iter()
        .map(|(file, problem)| json!({ "file": file, "line": problem.line, "column": problem.column, "error": problem.words }))
        .collect();
    say!(
        "{}",
        json!({
            "total": report.total,
            "loaded": report.loaded,
            "refused": report.refused.len(),
            "repeated": report.repeated,
            "errors": report.problems.len(),
            "by_keyword": refused_by_keyword(report),
            "used": report.by_keyword,
            "refused_rules": refused,
            "problems": problems,
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
    if report.repeated > 0 {
        say!("repeated   {:>8}   the same number again", report.repeated);
    }
    if !report.problems.is_empty() {
        say!("wrong      {:>8}   text that is no rule", report.problems.len());
    }
    say!("time       {seconds:>8.2} s");
    say!("memory     {:>8.0} MiB", resident_bytes() as f64 / f64::from(1 << 20));
    let by_keyword = refused_by_keyword(report);
    if !by_keyword.is_empty() {
        say!("\nrefused, by the option that could not be read:");
        let mut rows: Vec<_> = by_keyword.into_iter().collect();
        rows.sort_by_key(|(keyword, count)| (std::cmp::Reverse(*count), keyword.clone()));
        for (keyword, count) in rows {
            say!("  {count:>6}  {}", if keyword.is_empty() { "(head)" } else { keyword.as_str() });
        }
        let told = if all { usize::MAX } else { TOLD_MAX };
        say!("");
        for refused in report.refused.iter().take(told) {
            let sid = refused.sid.map_or_else(|| "without sid".to_owned(), |sid| sid.to_string());
            say!(
                "{}:{}: rule {sid}: {}: {}",
                refused.file,
                refused.line,
                refused.why.keyword,
                refused.why.words
            );
        }
        if report.refused.len() > told {
            say!("… and {} more: --all tells them", report.refused.len() - told);
        }
    }
    for (file, problem) in &report.problems {
        complain!("{file}:{}:{}: {}", problem.line, problem.column, problem.words);
    }
}

fn refused_by_keyword(report: &Report) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for refused in &report.refused {
        *counts.entry(refused.why.keyword.clone()).or_insert(0) += 1;
    }
    counts
}

/// The memory that this process has in use, by the kernel's account; 0 if it does not tell.
pub(crate) fn resident_bytes() -> u64 {
    let Ok(text) = std::fs::read_to_string("/proc/self/status") else { return 0 };
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}
