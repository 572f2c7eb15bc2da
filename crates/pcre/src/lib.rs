//! Regular expressions as Perl and PCRE2 understand them, over bytes, with bounded work.
//!
//! A [`Regex`] is a small program; [`Regex::find_at`] runs it on a text, with a [`Scratch`] for its memory. What it finds is what
//! PCRE2 10.42 would find without UTF: the match that begins first, and of those the one that its order of trying prefers.
//!
//! - **Bounded**: a search takes at most [`STEPS_MAX`] steps and [`STEPS_PER_BYTE`] more for each byte, and a few megabytes;
//!   then it gives up, and says so. Nothing recurses on the text.
//! - **Deterministic**: the same expression on the same text comes to the same end after the same number of steps, on any machine.
//! - **Small**: some hundred bytes for an ordinary expression, so that thousands can be held. To compile one takes up to 0.75 MB of the
//!   thread's stack if it is nested as deep as may be.
//!
//! There are look-arounds, back references, atomic groups, conditions, calls of groups and recursion. Deliberately not here: UTF and
//! `\p`, `\X`, verbs such as `(*SKIP)`, callouts, several groups of one name, look-arounds that are not atomic; each is refused by its
//! name. Not here either: what follows the expression in a rule, such as the buffer that it is for.
//!
//! The walk through the code: `parse` makes a `tree`, `compile` a `program` of it with the help of `first`, `length` and `literal`,
//! and `machine` runs that.

mod compile;
mod error;
mod first;
mod length;
mod literal;
mod machine;
mod parse;
mod program;
mod set;
mod tree;

pub use error::{Cause, Error};
pub use machine::stack::Scratch;

use program::Program;

/// How long a pattern may be. A longer one is refused.
pub const PATTERN_BYTES_MAX: usize = 1 << 16;
/// How deep groups may be nested, as in PCRE2. A deeper pattern is refused.
pub const NESTING_MAX: usize = 250;
/// How many capturing groups there may be. A pattern with more is refused.
pub const GROUPS_MAX: u16 = 10_000;
/// How many elementary steps a search may take, besides those for the length of the text. One that needs more gives up.
///
/// A step is an instruction, a way back, or sixteen bytes that are passed over: some nanoseconds.
pub const STEPS_MAX: u64 = 1_000_000;
/// How many more steps a search may take for each byte of the text, so that looking at all of a long one is no reason to give up.
pub const STEPS_PER_BYTE: u64 = 4;

/// How a pattern is to be understood: what Perl and Suricata write behind it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Flags {
    /// `i`: the letters of ASCII match in either case.
    pub caseless: bool,
    /// `m`: `^` and `$` match at every line.
    pub multiline: bool,
    /// `s`: `.` matches a newline, too.
    pub dot_all: bool,
    /// `x`: blanks and comments in the pattern are skipped.
    pub extended: bool,
    /// `A`: a match begins where the search does.
    pub anchored: bool,
    /// `E`: `$` does not match before a newline that ends the text.
    pub dollar_end_only: bool,
    /// `G`: quantifiers are lazy, and greedy with a `?`.
    pub ungreedy: bool,
}

/// What came of a search.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// There is a match; [`Scratch::group`] says where.
    Match,
    /// There is none.
    NoMatch,
    /// A limit was met before it was known. To be taken for no match, and to be counted.
    GaveUp,
}

/// Bytes that stand in every text that an expression matches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Literal<'r> {
    /// The bytes; in small letters if case does not count.
    pub bytes: &'r [u8],
    /// Whether case does not count.
    pub nocase: bool,
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Regex {
    program: Program,
    names: Box<[(Box<[u8]>, u16)]>,
}

impl Regex {
    /// Compiles `pattern`.
    pub fn new(pattern: impl AsRef<[u8]>, flags: Flags) -> Result<Self, Error> {
        let parsed = parse::parse(pattern.as_ref(), flags)?;
        let program = compile::compile(&parsed, flags.anchored)?;
        let names = parsed.names.into_iter().map(|(name, group)| (name.into(), group)).collect();
        Ok(Self { program, names })
    }

    /// Looks for the first match in `text` that begins at `start` or later. What stands before `start` is seen by `^`, `\b` and
    /// look-behinds.
    pub fn find_at(&self, text: &[u8], start: usize, scratch: &mut Scratch) -> Outcome {
        machine::find_at(&self.program, text, start, scratch)
    }

    /// How many capturing groups there are, without the whole.
    pub fn captures(&self) -> usize {
        usize::from(self.program.groups)
    }

    /// The names of groups and their numbers, in the order of the pattern.
    pub fn names(&self) -> impl Iterator<Item = (&[u8], usize)> {
        self.names.iter().map(|(name, group)| (&**name, usize::from(*group)))
    }

    /// Bytes that must stand in a text at the place where a search starts or later for a match to be found: the longest that are known.
    pub fn literal(&self) -> Option<Literal<'_>> {
        let needle = self.program.start.needle.as_ref()?;
        Some(Literal { bytes: &needle.bytes, nocase: needle.nocase })
    }

    /// How much memory the expression takes, itself included.
    pub fn memory_bytes(&self) -> usize {
        let names = size_of_val(&*self.names) + self.names.iter().map(|(name, _)| name.len()).sum::<usize>();
        size_of::<Self>() + self.program.heap_bytes() + names
    }
}
