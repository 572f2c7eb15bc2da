//! Expressions and texts that nobody honest wrote.
//!
//! For any pattern and any text:
//!   - no panic; what is refused is refused at a byte of the pattern, in words;
//!   - a search takes no more steps than it may, and the same search comes to the same end by the same steps;
//!   - what matched lies in the text, and the literal that must be there is;
//!   - what is known before the search changes nothing: the same expression as a branch of another finds the same.
//!
//! And for a pattern out of what both understand alike, made of the bytes by [`Grammar`]:
//!   - the crate `regex` finds the same, every group included.

use pcre::{Flags, Outcome, PATTERN_BYTES_MAX, Regex, STEPS_MAX, STEPS_PER_BYTE, Scratch};
use regex::bytes::{Regex as Other, RegexBuilder};

/// Checks the promises for `data`, and returns how many searches came to a match.
///
/// The first byte chooses the flags, the second where the search starts and what the rest is: a pattern and a text, the length of the
/// pattern before them, or what a pattern is made of and a text.
pub fn check(data: &[u8]) -> usize {
    let [flags, start, rest @ ..] = data else { return 0 };
    let flags = Flags {
        caseless: flags & 1 != 0,
        multiline: flags & 2 != 0,
        dot_all: flags & 4 != 0,
        extended: flags & 8 != 0,
        anchored: flags & 16 != 0,
        dollar_end_only: flags & 32 != 0,
        ungreedy: flags & 64 != 0,
    };
    if start & 0x80 == 0 {
        let flags = Flags { extended: false, anchored: false, ..flags };
        let mut grammar = Grammar { bytes: rest, flags, pattern: String::new(), depth: 0 };
        grammar.branches();
        let (pattern, text) = (grammar.pattern, grammar.bytes);
        return usize::from(alike(&pattern, flags, text, usize::from(start & 7)));
    }
    let [length, rest @ ..] = rest else { return 0 };
    let (pattern, text) = rest.split_at(usize::from(*length).min(rest.len()));
    usize::from(alone(pattern, flags, text, usize::from(start & 7)))
}

/// What holds of any pattern; whether there was a match.
fn alone(pattern: &[u8], flags: Flags, text: &[u8], start: usize) -> bool {
    let expression = match Regex::new(pattern, flags) {
        Ok(expression) => expression,
        Err(error) => {
            assert!(error.at <= pattern.len() && !error.to_string().is_empty(), "{error:?}");
            return false;
        }
    };
    assert!(pattern.len() <= PATTERN_BYTES_MAX);
    assert!(expression.memory_bytes() <= 4096 + 256 * pattern.len(), "{}", expression.memory_bytes());
    let mut scratch = Scratch::new();
    let found = found(&expression, text, start, &mut scratch);
    let steps = scratch.steps();
    assert!(steps <= STEPS_MAX + STEPS_PER_BYTE * text.len() as u64);
    assert_eq!(self::found(&expression, text, start, &mut scratch), found, "the same search, the same end");
    assert_eq!(scratch.steps(), steps, "by the same steps");
    if let Some(Some(groups)) = &found {
        matched(&expression, groups, text, start);
    }
    // A comment at the end of an extended pattern would swallow what is put behind it.
    if !flags.extended {
        let among = [b"(?:(?!)|(?:", pattern, b"))"].concat();
        if let Ok(among) = Regex::new(&among, flags) {
            let other = self::found(&among, text, start, &mut scratch);
            if let (Some(found), Some(other)) = (&found, &other) {
                assert_eq!(found, other, "what is known beforehand changed {}", pattern.escape_ascii());
            }
        }
    }
    matches!(found, Some(Some(_)))
}

/// The groups that matched; nothing in the place of them if there was no match, and nothing at all if the search gave up.
type Found = Option<Option<Vec<Option<(usize, usize)>>>>;

fn found(expression: &Regex, text: &[u8], start: usize, scratch: &mut Scratch) -> Found {
    match expression.find_at(text, start, scratch) {
        Outcome::Match => Some(Some((0..=expression.captures()).map(|group| scratch.group(group)).collect())),
        Outcome::NoMatch => {
            assert_eq!(scratch.group(0), None);
            Some(None)
        }
        Outcome::GaveUp => None,
    }
}

fn matched(expression: &Regex, groups: &[Option<(usize, usize)>], text: &[u8], start: usize) {
    assert!(groups[0].is_some(), "the whole matched");
    assert!(groups.iter().flatten().all(|(from, to)| from <= to && *to <= text.len()));
    if let Some(literal) = expression.literal() {
        let mut windows = text[start..].windows(literal.bytes.len());
        let is = |there: &[u8]| match literal.nocase {
            true => there.eq_ignore_ascii_case(literal.bytes),
            false => there == literal.bytes,
        };
        assert!(windows.any(is), "{} is not there", literal.bytes.escape_ascii());
    }
}

/// What holds where `regex` understands the pattern as we do; whether there was a match.
fn alike(pattern: &str, flags: Flags, text: &[u8], start: usize) -> bool {
    let Ok(other) = other(pattern, flags) else { return false };
    let matched = alone(pattern.as_bytes(), flags, text, start);
    let expression = Regex::new(pattern, flags).unwrap_or_else(|error| panic!("{pattern:?}: {error}"));
    let Some(ours) = found(&expression, text, start, &mut Scratch::new()) else { return false };
    let theirs = if start <= text.len() { other.captures_at(text, start) } else { None };
    let group = |group: Option<regex::bytes::Match<'_>>| group.map(|group| (group.start(), group.end()));
    let theirs: Option<Vec<_>> = theirs.map(|groups| groups.iter().map(group).collect());
    assert_eq!(ours, theirs, "{pattern:?} {flags:?} from {start} in \"{}\"", text.escape_ascii());
    matched
}

fn other(pattern: &str, flags: Flags) -> Result<Other, regex::Error> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .case_insensitive(flags.caseless)
        .multi_line(flags.multiline)
        .dot_matches_new_line(flags.dot_all)
        .swap_greed(flags.ungreedy)
        .build()
}

/// Makes patterns out of bytes.
///
/// Left out is what the two understand differently: loops over what may match nothing, `^` at the end of lines, `$` before a newline
/// that ends the text, and everything that `regex` does not have.
struct Grammar<'d> {
    bytes: &'d [u8],
    flags: Flags,
    pattern: String,
    depth: usize,
}

/// How deep the groups of a made pattern are nested.
const DEPTH_MAX: usize = 6;

impl Grammar<'_> {
    fn below(&mut self, bound: u8) -> u8 {
        let [first, rest @ ..] = self.bytes else { return 0 };
        self.bytes = rest;
        first % bound
    }

    fn pick(&mut self, from: &[&str]) {
        let index = usize::from(self.below(u8::try_from(from.len()).unwrap_or(u8::MAX)));
        self.pattern.push_str(from[index]);
    }

    /// Whether what was made can match nothing.
    fn branches(&mut self) -> bool {
        let mut empty = self.branch();
        while self.below(4) == 3 {
            self.pattern.push('|');
            empty |= self.branch();
        }
        empty
    }

    fn branch(&mut self) -> bool {
        let mut empty = true;
        for _ in 0..self.below(5) {
            empty &= self.item();
        }
        empty
    }

    fn item(&mut self) -> bool {
        let empty = match self.below(12) {
            0..=3 => self.made(&["a", "b", "c", "A", "0", " ", "\\n", "\\x61", "_", "\\."]),
            4 => self.made(&["."]),
            5 => self.made(&["\\d", "\\w", "\\s", "\\D", "\\W", "\\S"]),
            6 => self.made(&[
                "[ab]",
                "[^a]",
                "[a-c]",
                "[^\\w]",
                "[\\da]",
                "[A-Z_]",
                "[^\\n]",
                "[\\x00-a]",
                "[0-9a-f]",
            ]),
            7 => {
                self.place();
                return true;
            }
            _ if self.depth >= DEPTH_MAX => self.made(&["ab"]),
            kind => {
                self.pattern.push_str(if kind % 2 == 0 { "(" } else { "(?:" });
                self.depth += 1;
                let empty = self.branches();
                self.depth -= 1;
                self.pattern.push(')');
                empty
            }
        };
        if empty { true } else { self.quantifier() }
    }

    fn made(&mut self, from: &[&str]) -> bool {
        self.pick(from);
        false
    }

    fn place(&mut self) {
        let (start, end) = match (self.flags.multiline, self.flags.dollar_end_only) {
            (true, _) => ("\\A", "$"),
            (false, true) => ("^", "$"),
            (false, false) => ("^", "\\z"),
        };
        self.pick(&[start, end, "\\b", "\\B"]);
    }

    fn quantifier(&mut self) -> bool {
        let quantifiers = ["*", "+", "?", "{2}", "{1,3}", "{2,}", "{0,2}"];
        let index = usize::from(self.below(14));
        let Some(quantifier) = quantifiers.get(index) else { return false };
        self.pattern.push_str(quantifier);
        if self.below(3) == 2 {
            self.pattern.push('?');
        }
        matches!(*quantifier, "*" | "?" | "{0,2}")
    }
}
