//! What a line of a modify list does to the text of a rule.
//!
//!   - `MATCHER "FROM" "TO"`: every place where the expression FROM is found, with case, becomes TO. It is looked for in
//!     the rule as it would stand in a file, so that `^alert` means enabled rules alone, and `^# ` can be taken away.
//!   - `modifysid MATCHER "FROM" | "TO"`: the same, as Oinkmaster has it.
//!   - `metadata-add MATCHER KEY VALUE`: one more option of metadata at the end.
//!
//! In TO, `\1` to `\99`, `\g<1>`, `\g<NAME>` and `${1}` are what a group of FROM has found, or nothing; `\\` is a
//! backslash, `\t` a tab and `\$` a dollar sign. A backslash before anything else that is no letter and no digit stays.

use crate::matcher::{Matcher, regex};
use crate::rule::{RULE_BYTES_MAX, Rule};
use crate::words::{self, Word};
use crate::{Fault, RuleId};
use regex::bytes::{Captures, Regex};

/// What is done to a rule.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Replace { from: Regex, to: Vec<Piece> },
    AddMetadata { key: String, value: String },
}

/// A piece of a replacement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Piece {
    Text(String),
    Group(usize),
}

/// Reads a line of a modify list, or says at which byte it is wrong.
pub(crate) fn parse(line: &str) -> Result<(Matcher, Edit), (usize, Fault)> {
    let words = words::split(line)?;
    let found = words.len();
    let is = |word: &Word, text: &str| word.text == text;
    match &words[..] {
        [verb, matcher, key, value] if is(verb, "metadata-add") => {
            let edit = Edit::AddMetadata { key: key.text.clone(), value: value.text.clone() };
            Ok((parse_matcher(matcher)?, edit))
        }
        [verb, ..] if is(verb, "metadata-add") => {
            Err((verb.at, Fault::Words { found, right: "four: metadata-add MATCHER KEY VALUE" }))
        }
        [verb, matcher, from, bar, to] if is(verb, "modifysid") && is(bar, "|") => {
            Ok((parse_matcher(matcher)?, replace(from, to)?))
        }
        [verb, ..] if is(verb, "modifysid") => {
            Err((verb.at, Fault::Words { found, right: "five: modifysid MATCHER \"FROM\" | \"TO\"" }))
        }
        [matcher, from, to] => Ok((parse_matcher(matcher)?, replace(from, to)?)),
        _ => Err((0, Fault::Words { found, right: "three: MATCHER \"FROM\" \"TO\"" })),
    }
}

fn parse_matcher(word: &Word) -> Result<Matcher, (usize, Fault)> {
    Matcher::parse(&word.text).map_err(|(at, fault)| (word.at + at, fault))
}

fn replace(from: &Word, to: &Word) -> Result<Edit, (usize, Fault)> {
    let pattern = regex(&from.text, false).map_err(|fault| (from.at, fault))?;
    let pieces = pieces(&to.text, &pattern).map_err(|fault| (to.at, fault))?;
    Ok(Edit::Replace { from: pattern, to: pieces })
}

/// Reads a replacement.
fn pieces(text: &str, pattern: &Regex) -> Result<Vec<Piece>, Fault> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let behind = rest.get(first.len_utf8()..).unwrap_or_default();
        let (piece, next) = match first {
            '\\' => escaped(behind, pattern)?,
            '$' => match braced(behind) {
                Some((number, next)) => (group(number, pattern)?, next),
                None => (Piece::Text("$".into()), behind),
            },
            other => (Piece::Text(other.into()), behind),
        };
        match piece {
            Piece::Text(text) => plain += &text,
            Piece::Group(_) => {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
                pieces.push(piece);
            }
        }
        rest = next;
    }
    pieces.push(Piece::Text(plain));
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    Ok(pieces)
}

/// What stands behind a backslash, and what comes after that.
fn escaped<'a>(text: &'a str, pattern: &Regex) -> Result<(Piece, &'a str), Fault> {
    let Some(first) = text.chars().next() else { return Err(Fault::Backslash) };
    let behind = text.get(first.len_utf8()..).unwrap_or_default();
    let plain = |text: String| Ok((Piece::Text(text), behind));
    match first {
        '1'..='9' => {
            let is_two = behind.starts_with(|next: char| next.is_ascii_digit());
            let (number, next) = text.split_at_checked(if is_two { 2 } else { 1 }).unwrap_or_default();
            Ok((group(number, pattern)?, next))
        }
        'g' => match behind.strip_prefix('<').and_then(|name| name.split_once('>')) {
            Some((name, next)) => Ok((group(name, pattern)?, next)),
            None => Err(Fault::Escape { found: 'g' }),
        },
        '\\' => plain("\\".into()),
        't' => plain("\t".into()),
        '$' => plain("$".into()),
        // A line must stay one, so that `\n` is refused as what means nothing is.
        letter if letter.is_ascii_alphanumeric() => Err(Fault::Escape { found: letter }),
        other => plain(format!("\\{other}")),
    }
}

/// The number in `{1}`, and what comes after it.
fn braced(text: &str) -> Option<(&str, &str)> {
    let (number, behind) = text.strip_prefix('{')?.split_once('}')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some((number, behind))
}

/// A group by its number or name.
fn group(name: &str, pattern: &Regex) -> Result<Piece, Fault> {
    let by_name = || pattern.capture_names().position(|found| found == Some(name));
    let number = name.parse().ok().or_else(by_name).filter(|number| *number < pattern.captures_len());
    let groups = pattern.captures_len().saturating_sub(1);
    number.map(Piece::Group).ok_or_else(|| Fault::NoGroup { group: name.to_string(), groups })
}

impl Edit {
    /// The rule that comes of a rule, or why it was left as it is.
    pub(crate) fn apply(&self, rule: &Rule) -> Result<Rule, Fault> {
        let before = rule.text();
        let after = match self {
            Edit::Replace { from, to } => replaced(&before, from, to, rule.id)?,
            Edit::AddMetadata { key, value } => with_metadata(&before, key, value),
        };
        if after == before {
            return Ok(rule.clone());
        }
        no_longer(rule.id, Rule::parse(&after, rule.file, rule.line).map_err(|(_, fault)| fault))
    }
}

/// The rule with another action.
pub(crate) fn drop(rule: &Rule) -> Rule {
    let behind = rule.raw.trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_');
    Rule { raw: format!("drop{behind}"), ..rule.clone() }
}

fn no_longer(rule: RuleId, parsed: Result<Rule, Fault>) -> Result<Rule, Fault> {
    parsed.map_err(|because| Fault::NoLongerARule { rule, because: Box::new(because) })
}

fn replaced(text: &str, from: &Regex, to: &[Piece], rule: RuleId) -> Result<String, Fault> {
    let bytes = text.as_bytes();
    let mut after = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for found in from.captures_iter(bytes) {
        let Some(whole) = found.get(0) else { continue };
        after.extend_from_slice(bytes.get(done..whole.start()).unwrap_or_default());
        for piece in to {
            after.extend_from_slice(piece.of(&found));
            // One that matches everywhere, or is said a thousand times, would else make gigabytes before anybody looks.
            if after.len() > RULE_BYTES_MAX {
                let because = Box::new(Fault::RuleTooLong { bytes: after.len() });
                return Err(Fault::NoLongerARule { rule, because });
            }
        }
        done = whole.end();
    }
    after.extend_from_slice(bytes.get(done..).unwrap_or_default());
    String::from_utf8(after).map_err(|_| Fault::NotText { rule })
}

impl Piece {
    fn of<'a>(&'a self, found: &'a Captures<'_>) -> &'a [u8] {
        match self {
            Piece::Text(text) => text.as_bytes(),
            Piece::Group(group) => found.get(*group).map_or(&[], |found| found.as_bytes()),
        }
    }
}

/// One more option before the parenthesis that closes.
fn with_metadata(text: &str, key: &str, value: &str) -> String {
    let open = text.strip_suffix(')').map(str::trim_end).and_then(|text| text.strip_suffix(';'));
    open.map_or_else(|| text.to_string(), |open| format!("{open}; metadata: {key} {value};)"))
}

#[cfg(test)]
mod tests;
