//! `varangian rules fetch`: one rule file out of what others publish and what its operator wants.
//!
//! In the order in which things happen: every source is fetched and its checksum checked (`source`, `http`), taken apart (`archive`), merged with the
//! operator's lists (the crate `ruleset`), and loaded by the engine, to see that it can; then the rule file is put in its place, in one step (`place`).
//!
//! Upon anything that goes wrong before that: nothing is written, and what was there stays. A set without an enabled rule, one of which the engine loads no rule, or
//! one with more rules than are read counts as gone wrong.
//! Upon a line that is no rule, or a rule that the engine does not load: it is told, and the others count. One bad line of somebody else's must not keep the new
//! rules away.
//!
//! Not here: when to fetch again (a timer of the system does that), and telling a running engine.

mod archive;
mod http;
mod loadable;
mod place;
mod source;

use crate::Outcome;
use crate::excerpt::{LINES_TOLD_MAX, excerpt, first, plain};
use crate::say::{complain, say};
use crate::verb::seconds;
use archive::{UNPACKED_BYTES_MAX, Unpacked};
use clap::Args;
use core::time::Duration;
use loadable::Loadable;
use place::Placed;
use ruleset::{Fault, Kind, List, Merged, Report, RuleFile};
use serde_json::json;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Rules enabled for flowbits that are named; the others are counted.
const NEEDED_TOLD_MAX: usize = 10;
/// Bytes of a list at most.
const LIST_BYTES_MAX: u64 = 64 << 20;
/// The classes of rules, beside the rule file.
const CLASSES: &str = "classification.config";

/// Gets rule sets, applies disable, enable, drop and modify lists to them, and writes one rule file.
///
/// The lists are those of suricata-update. What goes wrong leaves the rule file as it was; exit code 2. Lines that are no rules, and rules that the engine does not
/// load, are told, and the others count.
#[derive(Args)]
#[command(after_help = "Examples:
  varangian rules fetch https://rules.emergingthreats.net/open/suricata-7.0.3/emerging.rules.tar.gz --out rules/all.rules
  varangian rules fetch emerging.rules.tar.gz local.rules --disable disable.conf --modify modify.conf --out all.rules")]
pub(crate) struct Arguments {
    /// Addresses (https, http) or files: a text of rules, one packed by gzip, or a .tar.gz of such texts.
    #[arg(required = true)]
    sources: Vec<String>,
    /// The rule file to write; `classification.config` is put beside it if a source has one.
    #[arg(long)]
    out: PathBuf,
    /// What the SHA-256 of the source must be, 64 digits; else what lies beside it as `.sha256` or `.md5` is asked.
    #[arg(long, value_name = "DIGITS")]
    sha256: Option<String>,
    /// Refuses a source that has no checksum.
    #[arg(long)]
    checksum_required: bool,
    /// Lists of rules that are not to count.
    #[arg(long, value_name = "FILE")]
    disable: Vec<PathBuf>,
    /// Lists of rules that are to count, though they come disabled.
    #[arg(long, value_name = "FILE")]
    enable: Vec<PathBuf>,
    /// Lists of rules whose action becomes `drop`.
    #[arg(long, value_name = "FILE")]
    drop: Vec<PathBuf>,
    /// Lists of changes to the text of rules.
    #[arg(long, value_name = "FILE")]
    modify: Vec<PathBuf>,
    /// Certificates (PEM) of the authorities to trust, in the place of those of the system.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// How long one download may take.
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    timeout: Duration,
    /// Tells the result as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match fetch(arguments) {
        Ok(outcome) => outcome,
        Err(error) => {
            complain!("error: {error}");
            let stays = if arguments.out.exists() { " stays as it was" } else { " was not written" };
            complain!("{}{stays}", arguments.out.display());
            Outcome::Refused
        }
    }
}

fn fetch(arguments: &Arguments) -> Result<Outcome, String> {
    if arguments.sha256.is_some() && arguments.sources.len() > 1 {
        return Err("--sha256 is of one source; with several, checksums beside them are asked".to_owned());
    }
    let sha256 = arguments.sha256.as_deref().map(source::sha256).transpose()?;
    // What is wrong with a list is told before anybody waits for a download.
    let lists = lists(arguments)?;
    let client = http::Client::new(arguments.ca.as_deref(), arguments.timeout)?;
    let mut all = Unpacked::default();
    let mut unproven = Vec::new();
    for source in &arguments.sources {
        let fetched = source::fetch(source, sha256.as_ref(), &client)?;
        if fetched.believed.is_none() {
            unproven.push(source::unproven(source));
        }
        if arguments.checksum_required && fetched.believed.is_none() {
            return Err(format!("{}, and --checksum-required was given", source::unproven(source)));
        }
        let unpacked = archive::unpack(source::name(source), &fetched.bytes, UNPACKED_BYTES_MAX)?;
        all.files.extend(unpacked.files);
        all.classes = unpacked.classes.or(all.classes);
        all.left_out += unpacked.left_out;
    }
    let files: Vec<RuleFile<'_>> = all.files.iter().map(|(name, text)| RuleFile { name, text }).collect();
    let merged = ruleset::merge(&files, &lists);
    let text = merged.text();
    let loadable = check(&merged, &text, &files, &arguments.out)?;
    unproven.iter().for_each(|words| complain!("{words}"));
    // The classes first: whoever sees the new rules finds what they name.
    let classes =
        all.classes.as_deref().map(|bytes| place::place(&beside(&arguments.out), bytes)).transpose()?;
    let placed = place::place(&arguments.out, text.as_bytes())?;
    tell(arguments, &merged, &all, &loadable, placed, classes.is_some());
    Ok(Outcome::Fine)
}

fn beside(out: &Path) -> PathBuf {
    out.with_file_name(CLASSES)
}

fn lists(arguments: &Arguments) -> Result<Vec<List>, String> {
    let given = [
        (Kind::Disable, &arguments.disable),
        (Kind::Enable, &arguments.enable),
        (Kind::Drop, &arguments.drop),
        (Kind::Modify, &arguments.modify),
    ];
    let mut lists = Vec::new();
    let mut wrong = Vec::new();
    for (kind, path) in given.iter().flat_map(|(kind, paths)| paths.iter().map(move |path| (*kind, path))) {
        let told = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut bytes = Vec::new();
        fs::File::open(path).map_err(told)?.take(LIST_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(told)?;
        if bytes.len() as u64 > LIST_BYTES_MAX {
            return Err(format!("{}: a list of more than {} MiB", path.display(), LIST_BYTES_MAX >> 20));
        }
        match List::parse(kind, &path.display().to_string(), &String::from_utf8_lossy(&bytes)) {
            Ok(list) => lists.push(list),
            Err(errors) => wrong.extend(errors.iter().map(problem)),
        }
    }
    if wrong.is_empty() {
        Ok(lists)
    } else {
        Err(format!("the lists cannot be read:{}", some(wrong.into_iter())))
    }
}

/// The first lines, each below the other behind a blank, and how many follow; nothing of no lines.
fn some(lines: impl ExactSizeIterator<Item = String>) -> String {
    let count = lines.len();
    below(&first(lines, count, LINES_TOLD_MAX))
}

fn below(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  {line}")).collect()
}

/// Something that is wrong with rules or lists; both are somebody else's words.
fn problem(error: &ruleset::Error) -> String {
    format!("{}:{}:{}: {}", plain(&error.file), error.line, error.column, excerpt(&error.fault.to_string()))
}

/// The first of what is wrong with rules.
fn problems(report: &Report) -> String {
    let all = report.problems.len() + report.problems_beyond;
    below(&first(report.problems.iter().map(problem), all, LINES_TOLD_MAX))
}

/// Refuses a set that nobody could want in the place of another. What the engine makes of it.
fn check(merged: &Merged, text: &str, files: &[RuleFile<'_>], out: &Path) -> Result<Loadable, String> {
    let report = &merged.report;
    if let Some(error) = report.problems.iter().find(|problem| problem.fault == Fault::TooManyRules) {
        return Err(problem(error));
    }
    if report.rules == 0 {
        return Err(format!("there is no rule in what was fetched{}", problems(report)));
    }
    if report.rules_enabled == 0 {
        return Err(format!("none of the {} rules is enabled", report.rules));
    }
    let loadable = loadable::load(merged, text, files, out);
    if loadable.loaded == 0 {
        let why = below(&loadable.why);
        return Err(format!("the engine can load none of the {} enabled rules{why}", report.rules_enabled));
    }
    Ok(loadable)
}

fn tell(
    arguments: &Arguments,
    merged: &Merged,
    all: &Unpacked,
    loadable: &Loadable,
    placed: Placed,
    has_classes: bool,
) {
    let report = &merged.report;
    let doubles = report.duplicates.len() + report.duplicates_beyond;
    let wrong = report.problems.len() + report.problems_beyond;
    if arguments.json {
        say!(
            "{}",
            json!({
                "out": arguments.out.display().to_string(), "written": placed == Placed::Written,
                "classification": has_classes, "files": all.files.len(), "files_left_out": all.left_out,
                "rules": report.rules, "enabled": report.rules_enabled, "loaded": loadable.loaded,
                "not_loaded": loadable.left, "not_loaded_reasons": loadable.why,
                "disabled_by_list": report.disabled, "enabled_by_list": report.enabled,
                "dropped_by_list": report.dropped, "modified_by_list": report.modified,
                "enabled_for_flowbits": report.needed.len(),
                "needed": report.needed.iter().map(|needed| json!({
                    "gid": needed.id.gid, "sid": needed.id.sid, "flowbit": needed.bit, "by_gid": needed.by.gid, "by_sid": needed.by.sid,
                })).collect::<Vec<_>>(),
                "doubles": doubles, "wrong": wrong,
                "lines": report.lines.iter().map(|line| json!({
                    "list": line.file, "line": line.line, "text": line.text,
                    "matched": line.matched, "changed": line.changed, "refused": line.refused,
                })).collect::<Vec<_>>(),
                "problems": report.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        );
        return;
    }
    if wrong > 0 {
        complain!("{wrong} lines are no rules, or would have been spoilt:{}", problems(report));
    }
    if loadable.left > 0 {
        complain!("{} rules cannot be loaded:{}", loadable.left, below(&loadable.why));
    }
    let idle: Vec<String> =
        report.lines.iter().filter(|line| line.matched == 0).map(|line| excerpt(&line.to_string())).collect();
    if !idle.is_empty() {
        complain!("lines of lists without effect:{}", some(idle.into_iter()));
    }
    say!("files      {:>8}   {} of deleted rules left out", all.files.len(), all.left_out);
    say!("rules      {:>8}   {doubles} more stood there twice", report.rules);
    say!("wrong      {wrong:>8}   lines left out, or changes that were not made");
    say!("enabled    {:>8}   {} of them can be loaded", report.rules_enabled, loadable.loaded);
    say!("disabled   {:>8}   by a list", report.disabled);
    say!("enabled    {:>8}   by a list", report.enabled);
    say!("drop       {:>8}   by a list", report.dropped);
    say!("modified   {:>8}   by a list", report.modified);
    say!("flowbits   {:>8}   enabled since others ask about what they set", report.needed.len());
    let needed = report.needed.iter().map(|needed| excerpt(&needed.to_string()));
    first(needed, report.needed.len(), NEEDED_TOLD_MAX).iter().for_each(|line| say!("  {line}"));
    match placed {
        Placed::Written => say!("written    {}", arguments.out.display()),
        Placed::Unchanged => say!("unchanged  {}", arguments.out.display()),
    }
}
