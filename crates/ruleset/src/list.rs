//! The lists of an operator: which rules to disable, to enable, to make drop, and to modify.
//!
//! A line is a matcher; in a modify list, a matcher and what to do. Empty lines and those that begin with `#` say
//! nothing, and neither does what stands behind ` #`.

use crate::edit::{self, Edit};
use crate::matcher::Matcher;
use crate::source::error;
use crate::{Error, Fault};

/// The most lines of one list, comments included. At it: that is told, and the list is refused.
pub const LIST_LINES_MAX: usize = 1_000_000;

/// The longest line of a list. At it: that is told, and the list is refused.
pub const LIST_LINE_BYTES_MAX: usize = 64 << 10;

/// What a list does to the rules that it means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// They do not count.
    Disable,
    /// They count.
    Enable,
    /// Their action becomes `drop`, unless they never alert.
    Drop,
    /// Their text changes.
    Modify,
}

/// A list that was read.
#[derive(Clone, Debug)]
pub struct List {
    pub(crate) kind: Kind,
    pub(crate) file: String,
    pub(crate) lines: Vec<Line>,
}

/// A line that says something.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// From 1.
    pub(crate) number: usize,
    /// Without blanks around it.
    pub(crate) text: String,
    pub(crate) matcher: Matcher,
    /// In a modify list.
    pub(crate) edit: Option<Edit>,
}

impl List {
    /// Reads a list; `file` is what errors call it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it. A list is taken as a whole or not at all: a line that was left out would leave
    /// rules on that somebody wanted off.
    pub fn parse(kind: Kind, file: &str, text: &str) -> Result<List, Vec<Error>> {
        let mut list = List { kind, file: file.to_string(), lines: Vec::new() };
        let mut errors = Vec::new();
        for (index, line) in crate::without_mark(text).lines().enumerate() {
            let number = index + 1;
            if number > LIST_LINES_MAX {
                errors.push(error(file, number, line, 0, Fault::TooManyLines));
                break;
            }
            match parse_line(kind, number, line) {
                Ok(line) => list.lines.extend(line),
                Err((at, fault)) => errors.push(error(file, number, line, at, fault)),
            }
        }
        if errors.is_empty() { Ok(list) } else { Err(errors) }
    }

    /// What it does.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

fn parse_line(kind: Kind, number: usize, line: &str) -> Result<Option<Line>, (usize, Fault)> {
    if line.len() > LIST_LINE_BYTES_MAX {
        return Err((0, Fault::LineTooLong { bytes: line.len() }));
    }
    let text = line.trim_start();
    let at = line.len() - text.len();
    let text = text.trim_end();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let (matcher, edit) = match kind {
        Kind::Disable | Kind::Enable | Kind::Drop => {
            let said = text.split_once(" #").map_or(text, |(said, _)| said).trim_end();
            (Matcher::parse(said).map_err(|(inner, fault)| (at + inner, fault))?, None)
        }
        Kind::Modify => {
            let (matcher, edit) = edit::parse(text).map_err(|(inner, fault)| (at + inner, fault))?;
            (matcher, Some(edit))
        }
    };
    Ok(Some(Line { number, text: text.to_string(), matcher, edit }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(kind: Kind, text: &str) -> Vec<String> {
        List::parse(kind, "some.conf", text)
            .expect_err("something is wrong")
            .iter()
            .map(Error::to_string)
            .collect()
    }

    #[test]
    fn comments_and_empty_lines_say_nothing() {
        let text = "# a comment\n\n  \t\n  # another\n7 # behind\n\u{20}re:x #y\r\ngroup:a\n";
        let list = List::parse(Kind::Disable, "d", text).expect("it is well");
        let lines: Vec<(usize, &str)> =
            list.lines.iter().map(|line| (line.number, line.text.as_str())).collect();
        assert_eq!(lines, [(5, "7 # behind"), (6, "re:x #y"), (7, "group:a")]);
        assert_eq!(list.kind(), Kind::Disable);
    }

    #[test]
    fn a_mark_that_editors_put_before_a_text_is_no_part_of_it() {
        let list = List::parse(Kind::Disable, "d", "\u{feff}7\n").expect("it is well");
        assert_eq!(list.lines.len(), 1);
        let text = "\u{feff}alert tcp any any -> any any (sid:7;)\n";
        let (rules, problems, _) = crate::read(&[crate::RuleFile { name: "r", text }]);
        assert_eq!((rules.len(), problems.len()), (1, 0));
        assert!(rules[0].raw.starts_with("alert"));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_with_line_and_column() {
        let errors = errors(Kind::Enable, "7\nnonsense\n  1:x\n\nre:ä(\n");
        assert_eq!(errors.len(), 3);
        assert!(errors[0].starts_with("some.conf:2:1: `nonsense` does not say"), "{}", errors[0]);
        assert!(errors[1].starts_with("some.conf:3:3: `x` is no sid"), "{}", errors[1]);
        assert!(errors[2].starts_with("some.conf:5:4: this regular expression"), "{}", errors[2]);
    }

    #[test]
    fn a_line_that_modifies_has_its_words() {
        for (text, place) in [
            ("7", "1:1: 1 words where there should be three"),
            ("7, 8 a b", "1:1: 4 words where there should be three"),
            ("modifysid 7 a b", "1:1: 4 words where there should be five"),
            ("modifysid 7 a x b", "1:1: 5 words where there should be five"),
            (" metadata-add 7 a", "1:2: 3 words where there should be four"),
            ("7 \"a b", "1:3: this \" has no other that ends it"),
            ("7 a( b", "1:3: this regular expression cannot be had: unclosed group"),
            ("x a b", "1:1: `x` does not say"),
            ("modifysid x a | b", "1:11: `x` does not say"),
        ] {
            let told = errors(Kind::Modify, text);
            assert!(told[0].starts_with(&format!("some.conf:{place}")), "{text}: {}", told[0]);
        }
    }

    #[test]
    fn a_replacement_speaks_of_groups_that_are_there() {
        for (to, what) in [
            (r"'\2'", "group 2; the pattern has 1"),
            ("'${3}'", "group 3; the pattern has 1"),
            (r"'\g<b>'", "group b; the pattern has 1"),
            (r"'\n'", r"`\n` has no meaning"),
            (r"'\g1'", r"`\g` has no meaning"),
            (r"'\0'", r"`\0` has no meaning"),
            (r"'x\'", "a backslash with nothing behind it"),
        ] {
            let told = errors(Kind::Modify, &format!("7 '(?P<a>x)' {to}"));
            assert!(told[0].starts_with("some.conf:1:14: ") && told[0].contains(what), "{to}: {}", told[0]);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_told() {
        let told = errors(Kind::Disable, &"7,".repeat(LIST_LINE_BYTES_MAX));
        assert!(told[0].contains("a line of 131072 bytes; at most 65536"), "{}", told[0]);
    }
}
