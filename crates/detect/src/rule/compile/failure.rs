//! Why a rule is not loaded: it is wrong, with the byte at which it shows, or it asks for what is not here, by the name of the keyword.
//!
//! What is wrong is often no option's own fault: without a `;` an option reads the next one as part of its value. Then that is told, with the place where the
//! `;` belongs.

use super::{Compiler, UNKNOWN, UNMET};
use crate::Complaint;
use crate::rule::syntax::{Source, SourceOption};

/// Why a rule was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The option that asks for what is not here; [`HEAD`] for the head, [`RULE`] for the rule as a whole.
    pub keyword: String,
    /// What was wrong with it.
    pub words: String,
    /// Nobody knows this keyword: it may be one of a later edition.
    pub is_unknown: bool,
    /// The rule itself says that it is not for us (`requires`).
    pub is_unmet: bool,
}

/// What stands in the place of a keyword where the head asks for what is not here: its protocol, its hook.
pub const HEAD: &str = "(head)";
/// The same where no part of the rule alone does.
pub const RULE: &str = "(rule)";

/// Why a rule is not loaded.
pub(crate) enum Failure {
    /// Its text is wrong: at which byte of the rule, and why.
    Wrong(usize, String),
    /// It asks for what is not here.
    Refused(Refusal),
}

impl Failure {
    /// `keyword` is to blame, which stands at this byte of the rule.
    pub(crate) fn new(at: usize, keyword: &str, complaint: Complaint) -> Self {
        if !complaint.is_lacking() {
            return Failure::Wrong(at, complaint.0);
        }
        Failure::Refused(Refusal {
            keyword: keyword.to_owned(),
            is_unknown: complaint.0.starts_with(UNKNOWN),
            is_unmet: keyword == "requires" && complaint.0.starts_with(UNMET),
            words: complaint.0,
        })
    }
}

impl Compiler<'_> {
    /// An option is to blame: with its value, or with what follows since a `;` is missing.
    pub(super) fn blame(&self, option: &SourceOption<'_>, complaint: Complaint) -> Failure {
        match self.swallowed(option.value) {
            Some((at, word)) if !complaint.is_lacking() => {
                Failure::Wrong(option.value_at + at, format!("a ';' is missing before '{word}'"))
            }
            _ => Failure::new(option.at, option.name, complaint),
        }
    }

    pub(super) fn without_sid(&self, source: &Source<'_>) -> Failure {
        let swallowed = source
            .options
            .iter()
            .filter_map(|option| self.swallowed(option.value).map(|(at, word)| (option.value_at + at, word)))
            .find(|(_, word)| word.eq_ignore_ascii_case("sid"));
        match swallowed {
            Some((at, word)) => Failure::Wrong(at, format!("a ';' is missing before '{word}'")),
            None => Failure::Wrong(source.end, "the rule has no 'sid'".to_owned()),
        }
    }

    /// Another option that stands in this one's value, since nothing parts them: where the `;` is missing, and its name.
    fn swallowed<'v>(&self, value: &'v str) -> Option<(usize, &'v str)> {
        let (mut is_quoted, mut is_escaped) = (false, false);
        // Where what stands before the blanks ends, and whether it is a closing quotation mark.
        let (mut end, mut is_closed) = (0, false);
        for (at, letter) in value.char_indices() {
            if !letter.is_whitespace() {
                let is_begin = at > end && end > 0 && !is_quoted;
                if is_begin && let Some(word) = self.begins_option(value.get(at..)?, is_closed) {
                    return Some((end, word));
                }
                let is_mark = letter == '"' && !is_escaped;
                is_quoted ^= is_mark;
                (end, is_closed) = (at + letter.len_utf8(), is_mark && !is_quoted);
            }
            is_escaped = letter == '\\' && !is_escaped;
        }
        None
    }

    /// The name with which this text begins, if it is that of an option; one without a value only `may_be_bare`.
    fn begins_option<'v>(&self, text: &'v str, may_be_bare: bool) -> Option<&'v str> {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
        let (word, rest) = text.split_at(text.find(|letter| !is_name(letter)).unwrap_or(text.len()));
        let is_option = rest.trim_start().starts_with(':') || may_be_bare;
        (is_option && self.knows(&word.to_ascii_lowercase())).then_some(word)
    }
}
