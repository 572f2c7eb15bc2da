//! What of a merged set the engine loads, and why it does not load the rest.
//!
//! Upon a list that a rule names (of a dataset, of digests of files): it is looked for where the rule file will lie, since that is where it is looked for later.

use crate::excerpt::{excerpt, first};
use crate::verb::replay::rule_files;
use detect::rule::{RuleSet, Variables};
use ruleset::{Merged, RuleFile};
use std::path::Path;

/// Rules whose reason is told one by one; the others are counted.
const TOLD_MAX: usize = 10;

/// What the engine makes of a set.
pub(super) struct Loadable {
    /// Rules that it loads.
    pub(super) loaded: usize,
    /// Rules that it does not load.
    pub(super) left: usize,
    /// The first of those, each with where it stands and why; and how many follow.
    pub(super) why: Vec<String>,
}

/// Loads the text of `merged`, which came from `files`, as if it lay at `out`.
pub(super) fn load(merged: &Merged, text: &str, files: &[RuleFile<'_>], out: &Path) -> Loadable {
    let file = detect::rule::RuleFile { name: "merged", text };
    let set =
        RuleSet::load_telling(&[file], &Variables::default(), &rule_files::reader(&[out.to_path_buf()]));
    let report = set.report();
    let refused = report.refused.iter().map(|refused| {
        let why = &refused.why;
        (refused.line, format!("{}: {}", why.keyword, why.words))
    });
    let wrong = report.problems.iter().map(|(_, problem)| (problem.line, problem.words.clone()));
    let left = report.refused.len() + report.problems.len();
    let why = refused.chain(wrong).map(|(line, why)| {
        format!("{}: {}", place(merged, files, line), excerpt(why.trim_start_matches(": ")))
    });
    Loadable { loaded: report.loaded, left, why: first(why, left, TOLD_MAX) }
}

/// Where the rule on a line of the merged text came from, and what it is called.
fn place(merged: &Merged, files: &[RuleFile<'_>], line: usize) -> String {
    let Some(rule) = line.checked_sub(1).and_then(|index| merged.rules.get(index)) else {
        return format!("line {line}");
    };
    let file = files.get(rule.file).map_or("", |file| file.name);
    format!("{}:{}: rule {}", excerpt(file), rule.line, rule.id)
}
