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
