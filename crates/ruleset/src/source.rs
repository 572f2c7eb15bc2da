//! Rules out of the text of rule files.
//!
//! A line that ends with a backslash goes on in the next one. A line with a `#` before it is a disabled rule if it is a
//! rule, and else a comment. Any other line that is no rule is told.

use crate::report::Problems;
use crate::rule::Rule;
use crate::{Error, Fault};

/// The most rules that are read, disabled ones and doubles included; some twenty times what is published today. At it:
/// that is told, and the rest is not read.
pub const RULES_MAX: usize = 1_000_000;

/// A file of rules.
#[derive(Clone, Copy, Debug)]
pub struct RuleFile<'a> {
    /// Its path as `filename:` matches it, such as `rules/emerging-dos.rules`. What stands behind the last `/` is the group.
    pub name: &'a str,
    /// What stands in it.
    pub text: &'a str,
}

/// Adds the rules of the file at place `file` to `rules`. Returns whether there was room for all.
pub(crate) fn read(
    file: usize,
    source: RuleFile<'_>,
    rules: &mut Vec<Rule>,
    problems: &mut Problems,
) -> bool {
    let mut joined = String::new();
    let mut first = 0;
    for (index, line) in crate::without_mark(source.text).lines().enumerate() {
        if joined.is_empty() {
            first = index + 1;
        }
        if let Some(begin) = line.trim_end().strip_suffix('\\') {
            joined.push_str(begin);
            joined.push(' ');
            continue;
        }
        joined.push_str(line);
        if rules.len() >= RULES_MAX {
            problems.push(error(source.name, first, "", 0, Fault::TooManyRules));
            return false;
        }
        take(file, source.name, first, &joined, rules, problems);
        joined.clear();
    }
    // A backslash on the last line joins it to nothing.
    if rules.len() < RULES_MAX {
        take(file, source.name, first, &joined, rules, problems);
    }
    true
}

fn take(file: usize, name: &str, line: usize, text: &str, rules: &mut Vec<Rule>, problems: &mut Problems) {
    let begin = text.trim_start();
    if begin.is_empty() {
        return;
    }
    match Rule::parse(text, file, line) {
        Ok(rule) => rules.push(rule),
        Err(_) if begin.starts_with('#') => {}
        Err((at, fault)) => problems.push(error(name, line, text, at, fault)),
    }
}

/// An error at a byte of a line.
pub(crate) fn error(file: &str, line: usize, text: &str, at: usize, fault: Fault) -> Error {
    let column = 1 + text.get(..at).map_or(0, |before| before.chars().count());
    Error { file: file.to_string(), line, column, fault }
}
