//! What a backslash means.

use super::{Parser, braces};
use crate::error::{Cause, Error};
use crate::set::{ByteSet, DIGIT, HORIZONTAL, NOT_NEWLINE, SPACE, VERTICAL, WORD};
use crate::tree::{Assertion, Node};

/// What an escape stands for in a class as well as outside.
pub(super) enum Escaped {
    Byte(u8),
    Set(ByteSet),
}

impl Parser<'_> {
    /// The escape here, outside a class; whether it may be repeated.
    pub(super) fn escape(&mut self, items: &mut Vec<Node>) -> Result<bool, Error> {
        let at = self.at;
        let letter = self.escape_letter()?;
        match self.common_escape(letter)? {
            Some(Escaped::Byte(byte)) => {
                items.push(Node::from_byte(byte, self.options.caseless));
                return Ok(true);
            }
            Some(Escaped::Set(set)) => {
                items.push(Node::Set(set));
                return Ok(true);
            }
            None => {}
        }
        if let Some(node) = place(letter) {
            items.push(node);
            return Ok(false);
        }
        let node = match letter {
            b'K' if self.looks > 0 => return Err(Error { at, cause: Cause::KeepInLook }),
            b'K' => {
                items.push(Node::Keep);
                return Ok(false);
            }
            b'1'..=b'9' => self.back_reference_or_octal(at)?,
            b'R' => newline_sequence(),
            b'C' => Node::Set(ByteSet::ALL),
            b'N' => self.not_newline()?,
            b'g' => self.g_escape(at)?,
            b'k' => self.k_escape(at)?,
            _ => return Err(Error { at, cause: unknown(letter) }),
        };
        items.push(node);
        Ok(true)
    }

    /// The byte after the backslash here.
    pub(super) fn escape_letter(&mut self) -> Result<u8, Error> {
        self.at += 1;
        match self.next() {
            Some(letter) => Ok(letter),
            None => self.error(Cause::TrailingBackslash),
        }
    }

    /// What means the same inside and outside a class.
    pub(super) fn common_escape(&mut self, letter: u8) -> Result<Option<Escaped>, Error> {
        let set = match letter {
            b'd' => DIGIT,
            b'D' => DIGIT.not(),
            b'h' => HORIZONTAL,
            b'H' => HORIZONTAL.not(),
            b's' => SPACE,
            b'S' => SPACE.not(),
            b'v' => VERTICAL,
            b'V' => VERTICAL.not(),
            b'w' => WORD,
            b'W' => WORD.not(),
            _ => return Ok(self.byte_escape(letter)?.map(Escaped::Byte)),
        };
        Ok(Some(Escaped::Set(set)))
    }

    fn byte_escape(&mut self, letter: u8) -> Result<Option<u8>, Error> {
        Ok(Some(match letter {
            b'a' => 0x07,
            b'e' => 0x1B,
            b'f' => 0x0C,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'0' => self.octal(0)?,
            b'c' => self.control()?,
            b'o' => self.braced(8, 3)?,
            b'x' if self.peek() == Some(b'{') => self.braced(16, 4)?,
            b'x' => self.hexadecimal(),
            letter if letter.is_ascii_alphanumeric() => return Ok(None),
            letter => letter,
        }))
    }

    /// Up to two more octal digits after one of value `first`.
    pub(super) fn octal(&mut self, first: u8) -> Result<u8, Error> {
        let mut value = u32::from(first);
        for _ in 0..2 {
            let Some(digit @ b'0'..=b'7') = self.peek() else { break };
            self.at += 1;
            value = value << 3 | u32::from(digit - b'0');
        }
        u8::try_from(value).or_else(|_| self.error(Cause::NotAByte))
    }

    fn hexadecimal(&mut self) -> u8 {
        let mut value = 0;
        for _ in 0..2 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else { break };
            self.at += 1;
            value = value << 4 | digit;
        }
        value.to_le_bytes()[0]
    }

    /// `{…}` with digits of a base of 2^`bits`.
    fn braced(&mut self, base: u32, bits: u32) -> Result<u8, Error> {
        if !self.eat(b"{") || self.peek() == Some(b'}') {
            return self.error(Cause::BadDigits);
        }
        let mut value = 0u32;
        while !self.eat(b"}") {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(base)) else {
                return self.error(Cause::BadDigits);
            };
            self.at += 1;
            value = value << bits | digit;
            if value > 0xFF {
                return self.error(Cause::NotAByte);
            }
        }
        u8::try_from(value).or_else(|_| self.error(Cause::NotAByte))
    }

    fn control(&mut self) -> Result<u8, Error> {
        match self.next() {
            Some(byte @ 0x20..=0x7E) => Ok(byte.to_ascii_uppercase() ^ 0x40),
            _ => self.error(Cause::ControlCharacter),
        }
    }

    /// `\1` to `\9`, and larger numbers if that many groups are open or were, are references; else the digits are octal.
    fn back_reference_or_octal(&mut self, at: usize) -> Result<Node, Error> {
        self.at = at + 1;
        let first = self.peek().unwrap_or_default();
        let number = self.number().unwrap_or(0);
        if number < 10 || first >= b'8' || number <= u32::from(self.groups) {
            let Ok(group) = u16::try_from(number) else { return self.error(Cause::GroupNumberTooLarge) };
            return Ok(self.reference(group));
        }
        self.at = at + 2;
        let byte = self.octal(first - b'0')?;
        Ok(Node::from_byte(byte, self.options.caseless))
    }

    pub(super) fn reference(&mut self, group: u16) -> Node {
        Node::Reference { group: self.refer(group), nocase: self.options.caseless }
    }

    /// `\N`, which has another meaning before a brace that is no quantifier.
    fn not_newline(&mut self) -> Result<Node, Error> {
        match self.peek() == Some(b'{') && braces(self.rest()).is_none() {
            true => self.error(Cause::NotSupported("\\N{…}")),
            false => Ok(Node::Set(NOT_NEWLINE)),
        }
    }

    /// `\g1`, `\g{…}`: a reference; `\g<…>`, `\g'…'`: a call.
    fn g_escape(&mut self, at: usize) -> Result<Node, Error> {
        let cause = Cause::GroupExpected(b'g');
        for (open, close) in [(b"<", b'>'), (b"'", b'\'')] {
            if self.eat(open) {
                let group = match self.group_number()? {
                    Some(_) if !self.eat(&[close]) => return Err(Error { at, cause }),
                    Some(number) => number,
                    None => {
                        let name = self.name(close)?;
                        self.group_named(&name)?
                    }
                };
                return Ok(Node::Call(self.refer(group)));
            }
        }
        let braced = self.eat(b"{");
        let group = match self.group_number()? {
            Some(_) if braced && !self.eat(b"}") => return Err(Error { at, cause }),
            Some(0) => return self.error(Cause::NoSuchGroup),
            Some(number) => number,
            None if braced => {
                let name = self.name(b'}')?;
                self.group_named(&name)?
            }
            None => return Err(Error { at, cause }),
        };
        Ok(self.reference(group))
    }

    /// `\k{…}`, `\k<…>` or `\k'…'`.
    fn k_escape(&mut self, at: usize) -> Result<Node, Error> {
        for (open, close) in [(b"{", b'}'), (b"<", b'>'), (b"'", b'\'')] {
            if self.eat(open) {
                let name = self.name(close)?;
                let group = self.group_named(&name)?;
                return Ok(self.reference(group));
            }
        }
        Err(Error { at, cause: Cause::GroupExpected(b'k') })
    }
}

/// The escapes that ask for a place.
fn place(letter: u8) -> Option<Node> {
    Some(Node::Assert(match letter {
        b'A' => Assertion::TextStart,
        b'z' => Assertion::TextEnd,
        b'Z' => Assertion::TextEndOrNewline,
        b'G' => Assertion::SearchStart,
        b'b' => Assertion::WordBoundary,
        b'B' => Assertion::NotWordBoundary,
        _ => return None,
    }))
}

/// `\R`: any newline, of which CR LF is one and never two.
fn newline_sequence() -> Node {
    let pair = Node::Concat(vec![Node::Byte(b'\r'), Node::Byte(b'\n')]);
    Node::Atomic(Box::new(Node::Alternate(vec![pair, Node::Set(VERTICAL)])))
}

pub(super) fn unknown(letter: u8) -> Cause {
    match letter {
        b'X' => Cause::NotSupported("\\X"),
        b'p' | b'P' => Cause::NotSupported("\\p"),
        letter => Cause::UnknownEscape(letter),
    }
}
