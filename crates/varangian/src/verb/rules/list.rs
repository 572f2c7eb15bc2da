//! `varangian rules list`: what rules there are.

use crate::Outcome;
use crate::excerpt::{LINES_TOLD_MAX, excerpt, first, plain};
use crate::say::{complain, say};
use crate::verb::replay::rule_files::{self, RuleSource};
use clap::Args;
use regex::bytes::{Regex, RegexBuilder};
use ruleset::{Rule, RuleFile};
use serde_json::json;
use std::path::PathBuf;

/// Bytes that an expression may take when it is compiled.
const EXPRESSION_BYTES_MAX: usize = 10 << 20;

/// Lists the rules in files, disabled ones included: of those with the same number the highest revision.
#[derive(Args)]
#[command(after_help = "\
Examples:
  varangian rules list all.rules
  varangian rules list all.rules --grep 'flowbits:(is)?set' --enabled
  varangian rules list all.rules local.rules --sid 2019401,2019402 --json

Exit codes: 0 listed, or there is none that is meant, which standard error says; 2 a file or the expression cannot be read.")]
pub(crate) struct Arguments {
    /// Rule files; `.gz` is unpacked.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Only rules of these numbers.
    #[arg(long, value_name = "SID", num_args = 1.., value_delimiter = ',')]
    sid: Vec<u32>,
    /// Only rules whose text has this in it: a regular expression; case does not count.
    #[arg(long, value_name = "EXPRESSION")]
    grep: Option<String>,
    /// Only rules that are enabled.
    #[arg(long)]
    enabled: bool,
    /// Tells each rule as one JSON object on a line.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match list(arguments) {
        Ok(outcome) => outcome,
        Err(error) => {
            complain!("error: {error}");
            Outcome::Refused
        }
    }
}

fn list(arguments: &Arguments) -> Result<Outcome, String> {
    let grep = arguments.grep.as_deref().map(expression).transpose()?;
    let sources: Vec<RuleSource> =
        arguments.files.iter().map(|path| rule_files::read(path)).collect::<Result<_, _>>()?;
    let borrowed = rule_files::borrowed(&sources);
    let files: Vec<RuleFile<'_>> =
        borrowed.iter().map(|file| RuleFile { name: file.name, text: file.text }).collect();
    let (rules, problems, beyond) = ruleset::read(&files);
    let told = problems.iter().map(|error| {
        let fault = excerpt(&error.fault.to_string());
        format!("{}:{}:{}: {fault}", error.file, error.line, error.column)
    });
    first(told, problems.len() + beyond, LINES_TOLD_MAX).iter().for_each(|line| complain!("{line}"));
    let is_meant = |rule: &&Rule| {
        (arguments.sid.is_empty() || arguments.sid.contains(&rule.id.sid))
            && (rule.is_enabled || !arguments.enabled)
            && grep.as_ref().is_none_or(|grep| grep.is_match(rule.raw.as_bytes()))
    };
    let mut count = 0usize;
    for rule in rules.iter().filter(is_meant) {
        if count == 0 && !arguments.json {
            say!("{:>10} {:>4} {:<3} {:<10} {:<28} msg", "sid", "rev", "on", "protocol", "classtype");
        }
        count += 1;
        tell(arguments, rule);
    }
    if count == 0 {
        match rules.len() {
            0 => complain!("there is no rule in these files"),
            all => complain!("none of the {all} rules is meant"),
        }
    }
    Ok(Outcome::Fine)
}

fn expression(text: &str) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(text);
    builder.case_insensitive(true).unicode(false).size_limit(EXPRESSION_BYTES_MAX);
    builder.build().map_err(|error| format!("--grep: {error}"))
}

fn tell(arguments: &Arguments, rule: &Rule) {
    let option = |name| rule.option(name).unwrap_or_default();
    let msg = option("msg").trim_matches('"');
    if arguments.json {
        say!(
            "{}",
            json!({
                "gid": rule.id.gid, "sid": rule.id.sid, "rev": rule.rev, "enabled": rule.is_enabled,
                "action": rule.action(), "protocol": rule.protocol(), "classtype": option("classtype"), "msg": msg,
            })
        );
        return;
    }
    let on = if rule.is_enabled { "yes" } else { "no" };
    let protocol = plain(rule.protocol().unwrap_or("-"));
    let (class, msg) = (plain(option("classtype")), plain(msg));
    say!("{:>10} {:>4} {on:<3} {protocol:<10} {class:<28} {msg}", rule.id.sid, rule.rev);
}
