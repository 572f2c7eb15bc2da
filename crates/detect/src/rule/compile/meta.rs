//! What an alert's reader is told: `msg`, `sid`, `classtype`, … and what says when a rule is not for us.

use super::{Compiler, Draft, UNMET};
use crate::Complaint;
use crate::rule::compiled::{Action, Meta, Target};
use crate::rule::syntax::SourceOption;

/// The edition of Suricata whose language this is, for `requires`.
const LANGUAGE: [u32; 3] = [8, 0, 6];
/// Keywords and features that `requires: feature …` may ask for and that are here.
const FEATURES: &[&str] = &["ja3", "ja4", "output::file-store"];
/// The names of the options that are read here.
const NAMES: &[&str] = &[
    "msg",
    "sid",
    "rev",
    "gid",
    "priority",
    "classtype",
    "reference",
    "metadata",
    "target",
    "requires",
    "noalert",
    "alert",
    "prefilter",
    "bypass",
    "config",
    "nfq_set_mark",
    "replace",
];
/// Keywords of Suricata that are not here, and why.
const ABSENT: &[(&str, &str)] = &[
    ("flowvar", "what an expression captured is not remembered of a flow"),
    ("lua", "scripts of rules are not run"),
    ("luaxform", "scripts of rules are not run"),
    ("pktvar", "what an expression captured is not remembered of a packet"),
];
/// The priority of a rule that has none.
const PRIORITY: u32 = 3;

/// Before anything was said.
pub(super) fn empty() -> Meta {
    Meta {
        action: Action::Alert,
        sid: 0,
        gid: 1,
        rev: 0,
        msg: String::new(),
        class: String::new(),
        priority: PRIORITY,
        metadata: Vec::new(),
        references: Vec::new(),
        target: None,
    }
}

impl Compiler<'_> {
    /// Reads an option of this kind; says whether it was one.
    pub(super) fn meta_option(
        &mut self,
        draft: &mut Draft,
        option: &SourceOption<'_>,
    ) -> Result<bool, Complaint> {
        let value = option.value;
        match option.name {
            "msg" if !draft.meta.msg.is_empty() => return Err(Complaint::new("the rule has two messages")),
            "metadata" if value.is_empty() => return Err(Complaint::new("'metadata' is empty")),
            "msg" => draft.meta.msg = unquoted(value)?,
            "sid" if draft.meta.sid != 0 => return Err(Complaint::new("the rule has two sids")),
            "rev" if draft.meta.rev != 0 => return Err(Complaint::new("the rule has two revisions")),
            "noalert" | "alert" | "bypass" | "prefilter" if !value.is_empty() => {
                return Err(Complaint::new(format!("'{}' takes no value", option.name)));
            }
            "sid" => {
                draft.meta.sid = number(value)?;
                if draft.meta.sid == 0 {
                    return Err(Complaint::new("a rule's sid is at least 1"));
                }
            }
            "rev" => draft.meta.rev = number(value)?,
            "gid" => draft.meta.gid = number(value)?,
            "priority" => {
                draft.meta.priority = number(value)?;
                if !(1..=255).contains(&draft.meta.priority) {
                    return Err(Complaint::new("a priority is between 1 and 255"));
                }
                draft.has_priority = true;
            }
            "classtype" if value.is_empty() || value.contains(char::is_whitespace) => {
                return Err(Complaint::new("expected the name of a class, as in 'classtype:misc-activity'"));
            }
            "classtype" => match self.variables.classes().get(value) {
                Some(class) => {
                    class.words.clone_into(&mut draft.meta.class);
                    if !draft.has_priority {
                        draft.meta.priority = class.priority;
                    }
                }
                // A class that nobody described has the priority of a rule without one.
                None => {
                    let words = format!("no class is called '{value}': category empty, priority {PRIORITY}");
                    self.warnings.push((option.at, words));
                }
            },
            "reference" => {
                let (system, id) =
                    value.split_once(',').ok_or_else(|| Complaint::new("expected 'reference:system,id'"))?;
                draft.meta.references.push(self.variables.references().whole(system.trim(), id.trim()));
            }
            "metadata" => {
                for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
                    let (key, word) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
                    draft.meta.metadata.push((key.to_owned(), word.trim().to_owned()));
                }
            }
            "target" => {
                draft.meta.target = Some(match value {
                    "src_ip" => Target::Source,
                    "dest_ip" => Target::Destination,
                    _ => return Err(Complaint::new("expected 'src_ip' or 'dest_ip'")),
                });
            }
            // It was looked at before all others.
            "requires" => {}
            "noalert" => draft.is_silent = true,
            "alert" => draft.is_silent = false,
            // How candidates are found is our own business.
            "prefilter" if !draft.has_condition() => {
                return Err(Complaint::new("'prefilter' needs a condition before it"));
            }
            "prefilter" => {}
            // What is done to a flow that matched is the business of those who act on verdicts; a sensor only looks.
            "bypass" => {}
            "config" => config(value)?,
            // A sensor marks and changes nothing.
            "nfq_set_mark" => mark(value)?,
            "replace" => draft.replace(value)?,
            name => {
                return match ABSENT.iter().find(|absent| absent.0 == name) {
                    Some((_, why)) => Err(Complaint::lacking(*why)),
                    None => Ok(false),
                };
            }
        }
        Ok(true)
    }

    pub(super) fn requires(&self, value: &str) -> Result<(), Complaint> {
        for part in value.split(',').map(str::trim) {
            let (what, word) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
            let word = word.trim();
            let is_met = match what {
                "version" => version_is_met(part.strip_prefix("version").unwrap_or(part).trim())?,
                "feature" => FEATURES.contains(&word),
                "keyword" => self.knows(word),
                _ => return Err(Complaint::lacking(format!("{UNMET}: 'requires: {part}' is unknown"))),
            };
            if !is_met {
                return Err(Complaint::lacking(format!("{UNMET}: requires {part}")));
            }
        }
        Ok(())
    }

    /// Whether a keyword of this name could be read.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.keyword(name).is_some()
            || crate::frame::keywords::keyword(name).is_some()
            || crate::frame::packet_buffer(name).is_some()
            || NAMES.contains(&name)
            || super::content_options::NAMES.contains(&name)
            || super::byte_options::NAMES.contains(&name)
            || super::state_options::NAMES.contains(&name)
    }
}

/// `>= 7.0.3 < 8 | >= 8.0.1`.
fn version_is_met(text: &str) -> Result<bool, Complaint> {
    let wrong = || Complaint::new(format!("'version {text}': expected comparisons as in '>= 7.0.3 < 9'"));
    let mut any = false;
    for alternative in text.split('|') {
        let words: Vec<&str> = alternative.split_whitespace().collect();
        let mut all = !words.is_empty();
        let mut at = 0;
        while at < words.len() {
            let (operator, version) = match words[at].find(|letter: char| letter.is_ascii_digit()) {
                Some(0) => return Err(wrong()),
                Some(split) => words[at].split_at(split),
                None => {
                    at += 1;
                    (words[at - 1], *words.get(at).ok_or_else(wrong)?)
                }
            };
            at += 1;
            let mut wanted = [0u32; 3];
            for (place, part) in version.split(['.', '-']).take(3).enumerate() {
                wanted[place] = part.parse().map_err(|_| wrong())?;
            }
            all &= match operator {
                "<" => LANGUAGE < wanted,
                "<=" => LANGUAGE <= wanted,
                ">" => LANGUAGE > wanted,
                ">=" => LANGUAGE >= wanted,
                _ => return Err(wrong()),
            };
        }
        any |= all;
    }
    Ok(any)
}

/// `logging disable, type tx, scope tx`: what is not to be written down of an exchange that matched. It is all the same.
fn config(value: &str) -> Result<(), Complaint> {
    let wrong = || Complaint::new("expected 'config: logging disable, type tx, scope tx'");
    let parts: Vec<Vec<&str>> = value.split(',').map(|part| part.split_whitespace().collect()).collect();
    let [what, kind, scope] = parts.as_slice() else { return Err(wrong()) };
    let is_right = matches!(what.as_slice(), ["logging", "disable"] | ["tracking", "disable"])
        && matches!(kind.as_slice(), ["type", "tx" | "flow"])
        && matches!(scope.as_slice(), ["scope", "tx" | "flow" | "packet"]);
    if is_right { Ok(()) } else { Err(wrong()) }
}

/// `0x12/0xff`: a mark and which of its bits.
fn mark(value: &str) -> Result<(), Complaint> {
    let is_hex = |text: &str| u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).is_ok();
    match value.split_once('/') {
        Some((mark, bits)) if is_hex(mark) && is_hex(bits) => Ok(()),
        _ => Err(Complaint::new("expected a mark and its bits, as in '0x12/0xff'")),
    }
}

/// What stands between quotation marks.
pub(super) fn inner_of<'v>(value: &'v str, expected: &str) -> Result<&'v str, Complaint> {
    let rest = value.strip_prefix('"').ok_or_else(|| Complaint::new(expected))?;
    rest.strip_suffix('"')
        .ok_or_else(|| Complaint::new("the quotation mark is not closed: expected '\"' before the ';'"))
}

/// Text within quotation marks, escapes read.
pub(super) fn unquoted(value: &str) -> Result<String, Complaint> {
    let inner = inner_of(value, "expected text in quotation marks")?;
    let mut text = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(escaped @ (';' | '"' | ':' | '\\')) => text.push(escaped),
                Some(other) => text.extend(['\\', other]),
                None => text.push('\\'),
            },
            letter => text.push(letter),
        }
    }
    Ok(text)
}

/// A whole number.
pub(super) fn number(value: &str) -> Result<u32, Complaint> {
    let value = value.trim().trim_matches('"');
    value.parse().map_err(|_| Complaint::new(format!("'{value}' is no number")))
}

#[cfg(test)]
mod tests {
    use super::version_is_met;

    #[test]
    fn versions_are_compared_part_by_part() {
        let met = |text| version_is_met(text).ok();
        assert_eq!(met(">= 7.0.3"), Some(true));
        assert_eq!(met(">=8.0.6"), Some(true));
        assert_eq!(met("> 8.0.6"), Some(false));
        assert_eq!(met(">= 6 < 8"), Some(false));
        assert_eq!(met(">= 6 < 7 | >= 8"), Some(true));
        assert_eq!(met("7"), None);
    }
}
