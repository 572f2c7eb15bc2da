//! A string of bytes that must be in the text for an expression to match.
//!
//! The longest one that a walk through the tree finds; branches, and whatever may be left out, are not looked into. With it goes how
//! far from the beginning of the match it stands, as far as that is known.
//!
//! Looking for it is [`Needle::find`]: one byte of it, the one that is rarest in network traffic by a fixed guess, is searched with
//! `memchr`, and the rest is compared.

use crate::length::{Span, span};
use crate::tree::Node;
use memchr::{memchr, memchr2};

/// How long a literal is at most; a longer one is no better at telling texts apart.
pub(crate) const LITERAL_BYTES_MAX: usize = 64;

/// A literal and where it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Needle {
    /// In small letters if `nocase`.
    pub(crate) bytes: Box<[u8]>,
    pub(crate) nocase: bool,
    /// Which of the bytes is searched for.
    rare: u8,
    /// How many bytes of the match stand before it.
    pub(crate) before: Span,
}

impl Needle {
    fn new(bytes: &[u8], nocase: bool, before: Span) -> Self {
        let bytes: Box<[u8]> = match nocase {
            true => bytes.to_ascii_lowercase().into(),
            false => bytes.into(),
        };
        let rare =
            (0u8..).zip(&bytes).min_by_key(|(_, byte)| frequency(**byte)).map_or(0, |(index, _)| index);
        Self { bytes, nocase, rare, before }
    }

    /// Where it stands first in `text` at `from` or later.
    pub(crate) fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        let rare = usize::from(self.rare);
        let byte = *self.bytes.get(rare)?;
        let mut at = from.checked_add(rare)?;
        loop {
            let rest = text.get(at..)?;
            let found = match self.nocase {
                true => memchr2(byte, byte.to_ascii_uppercase(), rest),
                false => memchr(byte, rest),
            };
            let start = at + found? - rare;
            let there = text.get(start..start.checked_add(self.bytes.len())?)?;
            if there == &*self.bytes || self.nocase && there.eq_ignore_ascii_case(&self.bytes) {
                return Some(start);
            }
            at = start + rare + 1;
        }
    }
}

/// How often a byte stands in traffic: a guess, of which only the order matters.
fn frequency(byte: u8) -> u8 {
    match byte {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' | b' ' | 0 => 6,
        b'l' | b'c' | b'd' | b'p' | b'm' | b'h' | b'u' | b'/' | b'.' | b'0' | b'1' => 5,
        b'2'..=b'9' | b'b' | b'f' | b'g' | b'w' | b'-' | b'=' | b'"' | b'\n' | b'\r' | 0xFF => 4,
        b'v' | b'y' | b':' | b';' | b',' | b'<' | b'>' | b'&' | b'_' | b'(' | b')' => 3,
        b'A'..=b'Z' | b'k' | b'x' | b'?' | b'%' | b'\'' | b'+' => 2,
        b'j' | b'q' | b'z' | 0x21..=0x7E => 1,
        _ => 0,
    }
}

/// The literal of an expression.
pub(crate) fn literal(root: &Node) -> Option<Needle> {
    let mut walk =
        Walk { run: Vec::new(), nocase: false, start: Span::NOTHING, here: Span::NOTHING, best: None };
    walk.node(root);
    walk.end_run();
    walk.best
}

struct Walk {
    /// The bytes that stand directly before this place, and where the first of them is.
    run: Vec<u8>,
    nocase: bool,
    start: Span,
    here: Span,
    best: Option<Needle>,
}

impl Walk {
    fn node(&mut self, node: &Node) {
        match node {
            Node::Byte(byte) => self.byte(*byte, false),
            Node::Letter(letter) => self.byte(*letter, true),
            Node::Concat(items) => items.iter().for_each(|item| self.node(item)),
            Node::Capture { body, .. } | Node::Atomic(body) => self.node(body),
            Node::Repeat { body, min: min @ 1.., .. } => self.repeat(node, body, *min),
            Node::Empty | Node::Look(_) | Node::Assert(_) | Node::Keep => {}
            Node::Set(_)
            | Node::Alternate(_)
            | Node::Repeat { .. }
            | Node::Reference { .. }
            | Node::Conditional { .. }
            | Node::Call(_) => {
                self.end_run();
                self.here = self.here.then(span(node));
            }
        }
    }

    fn byte(&mut self, byte: u8, nocase: bool) {
        if self.run.len() >= LITERAL_BYTES_MAX {
            self.end_run();
        }
        if self.run.is_empty() {
            self.start = self.here;
        }
        self.run.push(byte);
        self.nocase |= nocase;
        self.here = self.here.then(Span { min: 1, max: Some(1) });
    }

    fn repeat(&mut self, node: &Node, body: &Node, min: u16) {
        let (before, whole) = (self.here, span(node));
        let few = whole.only().is_some_and(|length| length as usize <= LITERAL_BYTES_MAX);
        // Each time at least a byte: so there are no more times than bytes, however they are nested.
        if few && span(body).min > 0 {
            (0..min).for_each(|_| self.node(body));
            return;
        }
        self.node(body);
        self.end_run();
        self.here = before.then(whole);
        // `o+` ends with an `o`, which the next bytes follow.
        let back = Span { min: 1, max: Some(1) };
        if let (Node::Byte(_) | Node::Letter(_), Some(min)) = (body, self.here.min.checked_sub(back.min)) {
            self.here = Span { min, max: self.here.max.and_then(|max| max.checked_sub(1)) };
            self.node(body);
        }
    }

    /// What comes next does not follow directly.
    fn end_run(&mut self) {
        let score = |length: usize, nocase: bool| 2 * length + usize::from(!nocase);
        let best = self.best.as_ref().map_or(0, |best| score(best.bytes.len(), best.nocase));
        if !self.run.is_empty() && score(self.run.len(), self.nocase) > best {
            self.best = Some(Needle::new(&self.run, self.nocase, self.start));
        }
        self.run.clear();
        self.nocase = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flags;
    use crate::parse::parse;

    fn needle(pattern: &str) -> Option<Needle> {
        let parsed = parse(pattern.as_bytes(), Flags::default());
        literal(&parsed.unwrap_or_else(|error| panic!("{pattern}: {error}")).root)
    }

    #[test]
    fn how_far_from_the_beginning_it_stands_is_known() {
        let cases = [
            ("abc", "abc", 0, Some(0)),
            (".abc", "abc", 1, Some(1)),
            (".{2,5}abc", "abc", 2, Some(5)),
            (".*abc", "abc", 0, None),
            ("x+yz", "xyz", 0, None),
            ("(?:a|bb)(?=x)cde", "cde", 1, Some(2)),
            ("(a\\d{3}){2}bcd", "bcd", 8, Some(8)),
            ("a{3}bc", "aaabc", 0, Some(0)),
            ("(?:ab){2}c?xyz", "abab", 0, Some(0)),
            ("(\\d)\\1abc", "abc", 1, None),
        ];
        for (pattern, bytes, min, max) in cases {
            let needle = needle(pattern).unwrap_or_else(|| panic!("{pattern} has none"));
            assert_eq!((&*needle.bytes, needle.before), (bytes.as_bytes(), Span { min, max }), "{pattern}");
        }
    }

    #[test]
    fn it_is_no_longer_than_its_limit() {
        let long = needle(&"a".repeat(1_000)).expect("there is one");
        assert_eq!(long.bytes.len(), LITERAL_BYTES_MAX);
        assert_eq!(needle("a{1000}").map(|needle| needle.bytes.len()), Some(1));
        assert_eq!(needle("(?:(?:ab{9}){9}){9}x").map(|needle| needle.bytes.len()), Some(10));
    }

    #[test]
    fn it_is_found_where_it_stands_first() {
        let text = b"xxabcabABCabc";
        let plain = Needle::new(b"abc", false, Span::NOTHING);
        let nocase = Needle::new(b"aBc", true, Span::NOTHING);
        let cases = [
            (0, Some(2), Some(2)),
            (3, Some(10), Some(7)),
            (8, Some(10), Some(10)),
            (11, None, None),
            (99, None, None),
        ];
        for (from, exactly, in_any_case) in cases {
            assert_eq!(plain.find(text, from), exactly, "from {from}");
            assert_eq!(nocase.find(text, from), in_any_case, "from {from}, in any case");
        }
        assert_eq!(plain.find(b"ab", 0), None);
        assert_eq!(plain.find(b"", 0), None);
    }
}
