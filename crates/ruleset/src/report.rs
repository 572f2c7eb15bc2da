//! What merging did: how many rules, and by which line of which list.

use crate::rule::RuleId;
use crate::{Error, Fault, Kind};
use std::fmt;

/// The most problems that are kept, and the most doubles. At it: the others are counted.
pub const PROBLEMS_MAX: usize = 1_000;

/// What merging did.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Report {
    /// Rules that were read, disabled ones and doubles included.
    pub read: usize,
    /// Rules that stood there twice.
    pub duplicates: Vec<Duplicate>,
    /// Of those, the ones beyond the first [`PROBLEMS_MAX`].
    pub duplicates_beyond: usize,
    /// Rules that a list disabled, whether or not something enabled them again.
    pub disabled: usize,
    /// Rules that a list enabled.
    pub enabled: usize,
    /// Rules that a list made drop.
    pub dropped: usize,
    /// Rules that a modify list changed.
    pub modified: usize,
    /// Rules that are enabled since others need them.
    pub needed: Vec<Needed>,
    /// Each line of each list, in the order in which lists were given.
    pub lines: Vec<LineReport>,
    /// Rules that came out.
    pub rules: usize,
    /// Those of them that are enabled.
    pub rules_enabled: usize,
    /// Lines of rule files that are no rules, and modifications that were refused.
    pub problems: Vec<Error>,
    /// Problems beyond the first [`PROBLEMS_MAX`].
    pub problems_beyond: usize,
}

/// Two rules of one sid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Duplicate {
    /// Which.
    pub id: RuleId,
    /// The revision that stays.
    pub kept: u32,
    /// Where it stands, as `FILE:LINE`.
    pub kept_at: String,
    /// The revision that goes. Of two alike the first one stays.
    pub left_out: u32,
    /// Where it stands.
    pub left_out_at: String,
}

/// A disabled rule that is enabled, since without it an enabled one could never match.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Needed {
    /// Which.
    pub id: RuleId,
    /// The flowbit that it sets.
    pub bit: String,
    /// An enabled rule that asks about it.
    pub by: RuleId,
    /// The line that had disabled it, as a place in [`Report::lines`]; none if it came disabled.
    pub disabled_by: Option<usize>,
}

/// What a line of a list did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineReport {
    /// What its list does.
    pub kind: Kind,
    /// The list's name.
    pub file: String,
    /// Which line of it, from 1.
    pub line: usize,
    /// What stands there.
    pub text: String,
    /// Rules that it means.
    pub matched: usize,
    /// Those of them that it changed.
    pub changed: usize,
    /// Those of them that it would have spoilt, and left as they were.
    pub refused: usize,
}

impl fmt::Display for LineReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LineReport { kind, file, line, text, matched, changed, refused } = self;
        write!(f, "{file}:{line}: `{text}` ")?;
        if *matched == 0 {
            return write!(f, "means no rule");
        }
        let done = match kind {
            Kind::Disable => "disabled",
            Kind::Enable => "enabled",
            Kind::Drop => "made drop",
            Kind::Modify => "modified",
        };
        write!(f, "means {matched} rules; {changed} {done}")?;
        if *refused > 0 { write!(f, ", {refused} left as they were") } else { Ok(()) }
    }
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "rule {} is enabled: it sets the flowbit {}, about which rule {} asks",
            self.id, self.bit, self.by
        )
    }
}

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Duplicate { id, kept, kept_at, left_out, left_out_at } = self;
        write!(
            f,
            "{left_out_at}: rule {id} (revision {left_out}) is left out: revision {kept} stands at {kept_at}"
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} rules read, {} of them doubles; {} disabled, {} enabled, {} made drop, {} modified, {} enabled for flowbits",
            self.read,
            self.duplicates.len().saturating_add(self.duplicates_beyond),
            self.disabled,
            self.enabled,
            self.dropped,
            self.modified,
            self.needed.len()
        )?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        self.problems.iter().try_for_each(|problem| writeln!(f, "{problem}"))?;
        if self.problems_beyond > 0 {
            writeln!(f, "and {} problems more", self.problems_beyond)?;
        }
        writeln!(f, "{} rules, {} of them enabled", self.rules, self.rules_enabled)
    }
}

/// Problems as they are found.
#[derive(Default)]
pub(crate) struct Problems {
    pub(crate) kept: Vec<Error>,
    pub(crate) beyond: usize,
}

impl Problems {
    pub(crate) fn push(&mut self, error: Error) {
        // That there was no room for all rules must not be lost among others.
        if self.kept.len() < PROBLEMS_MAX || error.fault == Fault::TooManyRules {
            self.kept.push(error);
        } else {
            self.beyond = self.beyond.saturating_add(1);
        }
    }
}
