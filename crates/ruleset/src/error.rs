//! What can be wrong with a list, a rule or a file of checksums: where, what was found, and what would be right.

use crate::checksum::CHECKSUMS_MAX;
use crate::list::{LIST_LINE_BYTES_MAX, LIST_LINES_MAX};
use crate::rule::{RULE_BYTES_MAX, RuleId};
use crate::source::RULES_MAX;
use std::fmt;

/// Something that is wrong, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// The name of the file, as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters. For a rule that goes over several lines, from the beginning of the first.
    pub column: usize,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.fault)
    }
}

impl std::error::Error for Error {}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing that says which rules are meant.
    UnknownMatcher {
        /// What stands there.
        found: String,
    },
    /// Something that looks like a matcher, and is none that suricata-update has.
    NoSuchMatcher {
        /// How it begins.
        found: &'static str,
        /// What does the same.
        instead: &'static str,
    },
    /// No number of a rule.
    Number {
        /// What the number is of.
        of: &'static str,
        /// What stands there.
        found: String,
    },
    /// A matcher that does not say what it looks for.
    NothingToMatch {
        /// What it begins with.
        matcher: &'static str,
    },
    /// `metadata:` without a key and a value.
    MetadataWithoutValue,
    /// No regular expression, or one that cannot be had.
    Regex {
        /// What is said of it.
        what: String,
    },
    /// A quote that does not end.
    Quote {
        /// Which.
        quote: char,
    },
    /// A backslash with nothing behind it.
    Backslash,
    /// A line of a modify list with too many words or too few.
    Words {
        /// How many there are.
        found: usize,
        /// What would be right.
        right: &'static str,
    },
    /// A replacement speaks of a group that the pattern does not have.
    NoGroup {
        /// Which.
        group: String,
        /// How many the pattern has.
        groups: usize,
    },
    /// A backslash in a replacement before something that has no meaning there.
    Escape {
        /// Before what.
        found: char,
    },
    /// A line of a list is longer than [`LIST_LINE_BYTES_MAX`].
    LineTooLong {
        /// How long.
        bytes: usize,
    },
    /// A list has more than [`LIST_LINES_MAX`] lines. The rest of it was not read.
    TooManyLines,
    /// A line of a rule file that is neither a rule nor a comment.
    NotARule,
    /// A rule begins with something that is no action.
    Action {
        /// With what.
        found: String,
    },
    /// The head of a rule has too few words.
    Head {
        /// How many.
        words: usize,
    },
    /// An option of a rule has no semicolon at its end.
    Semicolon,
    /// A rule has no sid.
    NoSid,
    /// A rule is longer than [`RULE_BYTES_MAX`].
    RuleTooLong {
        /// How long, as far as that is known.
        bytes: usize,
    },
    /// There are more than [`RULES_MAX`] rules. The rest was not read.
    TooManyRules,
    /// A line of a modify list would leave something that is no rule. The rule was left as it is.
    NoLongerARule {
        /// Which rule it was.
        rule: RuleId,
        /// Why it would be none.
        because: Box<Fault>,
    },
    /// A line of a modify list would leave bytes that are no text. The rule was left as it is.
    NotText {
        /// Which rule it was.
        rule: RuleId,
    },
    /// A line of a modify list would give a rule the sid of another. The rule was left as it is.
    SidTaken {
        /// Which rule it was.
        rule: RuleId,
        /// Whose sid it would have had.
        other: RuleId,
    },
    /// No checksum.
    NoChecksum {
        /// What stands there.
        found: String,
    },
    /// A file of checksums has none.
    NoChecksums,
    /// A file of checksums has more than [`CHECKSUMS_MAX`].
    TooManyChecksums,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::UnknownMatcher { found } => write!(
                f,
                "`{found}` does not say which rules are meant; a sid, GID:SID, group:NAME, filename:PATTERN, re:REGEX, \
                 metadata: KEY VALUE or * would"
            ),
            Fault::NoSuchMatcher { found, instead } => write!(f, "there is no matcher `{found}`; {instead}"),
            Fault::Number { of, found } => {
                write!(f, "`{found}` is no {of}; a number up to 4294967295 would be")
            }
            Fault::NothingToMatch { matcher } => write!(f, "nothing stands behind `{matcher}`"),
            Fault::MetadataWithoutValue => {
                write!(f, "`metadata:` needs a key and a value, as in `metadata: confidence high`")
            }
            Fault::Regex { what } => write!(f, "this regular expression cannot be had: {what}"),
            Fault::Quote { quote } => write!(f, "this {quote} has no other that ends it"),
            Fault::Backslash => write!(f, "a backslash with nothing behind it; two of them are one"),
            Fault::Words { found, right } => write!(f, "{found} words where there should be {right}"),
            Fault::NoGroup { group, groups } => {
                write!(f, "the replacement speaks of group {group}; the pattern has {groups}")
            }
            Fault::Escape { found } => write!(
                f,
                "`\\{found}` has no meaning in a replacement; \\1 to \\99, \\g<NAME>, ${{1}}, \\t and \\\\ have"
            ),
            Fault::LineTooLong { bytes } => {
                write!(f, "a line of {bytes} bytes; at most {LIST_LINE_BYTES_MAX} are read")
            }
            Fault::TooManyLines => write!(f, "more lines than {LIST_LINES_MAX}; that is the most"),
            Fault::NotARule => {
                write!(
                    f,
                    "this is no rule; ACTION PROTOCOL SOURCE PORT -> DESTINATION PORT (OPTION; …) would be"
                )
            }
            Fault::Action { found } => write!(f, "`{found}` is no action; alert, pass, drop and reject are"),
            Fault::Head { words } => write!(
                f,
                "the head of the rule has {words} words; action, protocol, source, port, direction, destination and port are seven"
            ),
            Fault::Semicolon => write!(f, "this option has no `;` at its end"),
            Fault::NoSid => write!(f, "the rule has no sid"),
            Fault::RuleTooLong { bytes } => {
                write!(f, "a rule of {bytes} bytes or more; at most {RULE_BYTES_MAX} are read")
            }
            Fault::TooManyRules => write!(f, "more rules than {RULES_MAX}; what follows was not read"),
            Fault::NoLongerARule { rule, because } => {
                write!(f, "rule {rule} would be no rule any more, and was left as it is: {because}")
            }
            Fault::NotText { rule } => {
                write!(f, "rule {rule} would be no text (UTF-8) any more, and was left as it is")
            }
            Fault::SidTaken { rule, other } => {
                write!(f, "rule {rule} would become {other}, which is there already, and was left as it is")
            }
            Fault::NoChecksum { found } => write!(
                f,
                "`{found}` is no checksum; 32 (MD5) or 64 (SHA-256) hexadecimal digits are, alone or before the name of a file"
            ),
            Fault::NoChecksums => write!(f, "there is no checksum in this file"),
            Fault::TooManyChecksums => write!(f, "more checksums than {CHECKSUMS_MAX}; that is the most"),
        }
    }
}
