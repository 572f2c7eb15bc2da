//! Why a pattern is refused, and at which byte of it.
//!
//! Refused is what PCRE2 10.42 refuses, and by name what this crate does not do. Not here: how a match can go wrong, since it cannot.

use core::fmt;

/// A pattern that is not accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    /// The byte of the pattern at which it shows, counted from 0; the length of the pattern if something is missing at its end.
    pub at: usize,
    /// What is wrong.
    pub cause: Cause,
}

/// What can be wrong with a pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Cause {
    /// Longer than `PATTERN_BYTES_MAX`.
    PatternTooLong,
    /// Its program or one of its tables would be larger than `PROGRAM_OPS_MAX`.
    ProgramTooLarge,
    /// Groups within groups beyond `NESTING_MAX`.
    TooDeep,
    /// More capturing groups than `GROUPS_MAX`.
    TooManyGroups,
    /// A quantifier with nothing before it that can be repeated.
    NothingToRepeat,
    /// A number in `{}` above 65,535.
    RepeatTooLarge,
    /// `{3,2}`.
    RepeatOutOfOrder,
    /// `)` is missing.
    MissingParenthesis,
    /// `)` without `(`.
    UnmatchedParenthesis,
    /// `]` is missing.
    MissingBracket,
    /// `(?#` without `)`.
    UnterminatedComment,
    /// `[z-a]`.
    RangeOutOfOrder,
    /// A range one end of which is a class, like `[\d-z]`.
    RangeOfClass,
    /// `[:name:]` with a name that nobody knows.
    UnknownPosixClass,
    /// `[:alpha:]` outside a class.
    PosixOutsideClass,
    /// `[.x.]` or `[=x=]`.
    CollatingElement,
    /// A backslash at the end.
    TrailingBackslash,
    /// A letter after a backslash that means nothing.
    UnknownEscape(u8),
    /// An escape that means nothing inside a class.
    EscapeInClass(u8),
    /// `\c` without a printable character.
    ControlCharacter,
    /// A number in `\x{}`, `\o{}` or an octal escape that is no byte.
    NotAByte,
    /// Something else than digits, or none, in `\x{}` or `\o{}`.
    BadDigits,
    /// `\g` or `\k` without a group.
    GroupExpected(u8),
    /// A reference to a group that is not there.
    NoSuchGroup,
    /// The number of a group above 65,535.
    GroupNumberTooLarge,
    /// The name of a group is missing.
    NameExpected,
    /// The name of a group begins with a digit.
    NameBeginsWithDigit,
    /// The name of a group is longer than 32 bytes.
    NameTooLong,
    /// The name of a group does not end as it should.
    NameUnterminated,
    /// Two groups of one name, or two names of one group.
    NameTwice,
    /// Something unknown after `(?`.
    UnknownGroup,
    /// A second hyphen, or one after `^`, in a list of options.
    OptionHyphen,
    /// `(?(` without a condition.
    ConditionExpected,
    /// More than two branches of a condition, or more than one of `(?(DEFINE)`.
    ConditionBranches,
    /// `(?R` or `(?1` without `)`.
    CallUnterminated,
    /// A look-behind of which a branch can have several lengths.
    LookBehindNotFixed,
    /// A look-behind over more than 65,535 bytes.
    LookBehindTooLong,
    /// `\K` in a look-around.
    KeepInLook,
    /// A construct of PCRE2 that this crate does not have.
    NotSupported(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.cause {
            Cause::PatternTooLong => "the pattern is too long",
            Cause::ProgramTooLarge => "the pattern is too large",
            Cause::TooDeep => "parentheses are nested too deeply",
            Cause::TooManyGroups => "there are too many groups",
            Cause::NothingToRepeat => "there is nothing that the quantifier could repeat",
            Cause::RepeatTooLarge => "a number of repetitions is above 65535",
            Cause::RepeatOutOfOrder => "the numbers of repetitions are in the wrong order",
            Cause::MissingParenthesis => "a closing parenthesis is missing",
            Cause::UnmatchedParenthesis => "a closing parenthesis has no opening one",
            Cause::MissingBracket => "the closing bracket of a class is missing",
            Cause::UnterminatedComment => "the closing parenthesis of a comment is missing",
            Cause::RangeOutOfOrder => "the range of a class is in the wrong order",
            Cause::RangeOfClass => "an end of a range is a class",
            Cause::UnknownPosixClass => "no POSIX class has this name",
            Cause::PosixOutsideClass => "a POSIX class stands outside a class",
            Cause::CollatingElement => "POSIX collating elements are not supported",
            Cause::TrailingBackslash => "a backslash ends the pattern",
            Cause::UnknownEscape(letter) => return write(out, self.at, "means nothing", letter),
            Cause::EscapeInClass(letter) => return write(out, self.at, "means nothing in a class", letter),
            Cause::ControlCharacter => "no printable character follows \\c",
            Cause::NotAByte => "the number of a character is above 255",
            Cause::BadDigits => "these are no digits, or none, or the brace is missing",
            Cause::GroupExpected(letter) => return write(out, self.at, "is not followed by a group", letter),
            Cause::NoSuchGroup => "there is no such group",
            Cause::GroupNumberTooLarge => "the number of a group is too large",
            Cause::NameExpected => "the name of a group is missing",
            Cause::NameBeginsWithDigit => "the name of a group begins with a digit",
            Cause::NameTooLong => "the name of a group is longer than 32 bytes",
            Cause::NameUnterminated => "the name of a group does not end",
            Cause::NameTwice => "two groups have one name, or one group two",
            Cause::UnknownGroup => "what follows (? means nothing",
            Cause::OptionHyphen => "a hyphen is out of place among options",
            Cause::ConditionExpected => "a condition is missing",
            Cause::ConditionBranches => "a condition has too many branches",
            Cause::CallUnterminated => "the closing parenthesis of a call is missing",
            Cause::LookBehindNotFixed => "a branch of a look-behind has no fixed length",
            Cause::LookBehindTooLong => "a look-behind is too long",
            Cause::KeepInLook => "\\K stands in a look-around",
            Cause::NotSupported(what) => return write!(out, "{what} is not supported, at byte {}", self.at),
        };
        write!(out, "{what}, at byte {}", self.at)
    }
}

fn write(out: &mut fmt::Formatter<'_>, at: usize, what: &str, letter: u8) -> fmt::Result {
    write!(out, "\\{} {what}, at byte {at}", letter.escape_ascii())
}

impl core::error::Error for Error {}
