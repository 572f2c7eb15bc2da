//! What a bracket opens.

use super::Parser;
use super::escape::{Escaped, unknown};
use crate::error::{Cause, Error};
use crate::set::{ByteSet, WORD, posix};
use crate::tree::{Assertion, Look, Node};

/// What a hyphen in a class would join.
#[derive(Clone, Copy)]
enum Before {
    /// Nothing: at the start, and after a range or a class.
    Nothing,
    /// A byte that may begin a range.
    Byte(u8),
    /// The beginning of a range and its hyphen.
    Hyphen(u8),
}

impl Parser<'_> {
    /// The class here, which may be repeated.
    pub(super) fn class(&mut self, items: &mut Vec<Node>) -> Result<bool, Error> {
        let at = self.at;
        match self.posix_name() {
            Some((b':', ..)) => return self.error(Cause::PosixOutsideClass),
            Some(_) => return self.error(Cause::CollatingElement),
            None => {}
        }
        for (written, behind) in [(b"[[:<:]]", false), (b"[[:>:]]", true)] {
            if self.eat(written) {
                items.push(Node::Assert(Assertion::WordBoundary));
                let body = Box::new(Node::Set(WORD));
                items.push(Node::Look(Look { behind, negative: false, body, at }));
                return Ok(true);
            }
        }
        self.at += 1;
        self.skip_in_class();
        let negated = self.eat(b"^");
        let set = self.class_items()?;
        let set = if self.options.caseless { set.fold() } else { set };
        items.push(Node::from_set(if negated { set.not() } else { set }));
        Ok(true)
    }

    /// Everything up to the closing bracket, which is a literal where nothing stands before it.
    fn class_items(&mut self) -> Result<ByteSet, Error> {
        let mut set = ByteSet::EMPTY;
        let mut before = Before::Nothing;
        let mut quoting = false;
        let mut first = true;
        loop {
            if self.class_blank(&mut quoting) {
                continue;
            }
            let at = self.at;
            let Some(byte) = self.peek() else { return self.error(Cause::MissingBracket) };
            match byte {
                _ if quoting => {
                    self.at += 1;
                    before = join(&mut set, before, byte, at)?;
                }
                b']' if !first => break,
                b'[' if self.posix_name().is_some() => {
                    let posix = self.posix_class()?;
                    set = set.or(posix);
                    before = self.no_range(before, at)?;
                }
                b'-' => {
                    self.at += 1;
                    before = match before {
                        Before::Byte(low) => Before::Hyphen(low),
                        before => join(&mut set, before, b'-', at)?,
                    };
                }
                b'\\' => match self.class_escape()? {
                    Escaped::Byte(byte) => before = join(&mut set, before, byte, at)?,
                    Escaped::Set(other) => {
                        set = set.or(other);
                        before = self.no_range(before, at)?;
                    }
                },
                byte => {
                    self.at += 1;
                    before = join(&mut set, before, byte, at)?;
                }
            }
            first = false;
        }
        self.at += 1;
        // A hyphen that nothing followed stands for itself.
        Ok(if let Before::Hyphen(_) = before { set.or(ByteSet::of(b'-')) } else { set })
    }

    /// Skips `\Q`, `\E` and, with `xx`, blanks.
    fn class_blank(&mut self, quoting: &mut bool) -> bool {
        if self.eat(b"\\E") {
            *quoting = false;
            return true;
        }
        if *quoting {
            return false;
        }
        if self.eat(b"\\Q") {
            *quoting = true;
            return true;
        }
        self.options.extended_more && (self.eat(b" ") || self.eat(b"\t"))
    }

    /// Skips what stands for nothing before the `^` of a class.
    fn skip_in_class(&mut self) {
        while self.eat(b"\\E") || self.options.extended_more && (self.eat(b" ") || self.eat(b"\t")) {}
    }

    /// A class inside the class is here: no end of a range.
    fn no_range(&self, before: Before, at: usize) -> Result<Before, Error> {
        let hyphen_follows = matches!(self.rest(), [b'-', after, ..] if *after != b']');
        match before {
            Before::Hyphen(_) => Err(Error { at, cause: Cause::RangeOfClass }),
            _ if hyphen_follows => self.error(Cause::RangeOfClass),
            _ => Ok(Before::Nothing),
        }
    }

    fn class_escape(&mut self) -> Result<Escaped, Error> {
        let at = self.at;
        let letter = self.escape_letter()?;
        if let Some(escaped) = self.common_escape(letter)? {
            return Ok(escaped);
        }
        Ok(Escaped::Byte(match letter {
            b'1'..=b'7' => self.octal(letter - b'0')?,
            b'8' | b'9' | b'g' => letter,
            b'b' => 0x08,
            b'A' | b'B' | b'C' | b'G' | b'K' | b'N' | b'R' | b'X' | b'Z' | b'k' | b'z' => {
                return Err(Error { at, cause: Cause::EscapeInClass(letter) });
            }
            _ => return Err(Error { at, cause: unknown(letter) }),
        }))
    }

    fn posix_class(&mut self) -> Result<ByteSet, Error> {
        let at = self.at;
        let Some((kind, length)) = self.posix_name() else { return self.error(Cause::UnknownPosixClass) };
        if kind != b':' {
            return self.error(Cause::CollatingElement);
        }
        let name = self.rest().get(2..length.saturating_sub(2)).unwrap_or_default();
        let (negated, name) = match name.strip_prefix(b"^") {
            Some(name) => (true, name),
            None => (false, name),
        };
        let set = posix(name).ok_or(Error { at, cause: Cause::UnknownPosixClass })?;
        self.at += length;
        let set = if self.options.caseless { set.fold() } else { set };
        Ok(if negated { set.not() } else { set })
    }

    /// Which of `[:…:]`, `[.….]` and `[=…=]` is here, by its middle byte, and how long it is.
    fn posix_name(&self) -> Option<(u8, usize)> {
        let (b'[', kind @ (b':' | b'.' | b'=')) = (self.peek()?, *self.rest().get(1)?) else { return None };
        let mut at = 2;
        loop {
            match self.rest().get(at..)? {
                [b'\\', b']' | b'\\', ..] => at += 2,
                [b']', ..] => return None,
                [b'[', after, ..] if *after == kind => return None,
                [end, b']', ..] if *end == kind => return Some((kind, at + 2)),
                [_, ..] => at += 1,
                [] => return None,
            }
        }
    }
}

/// Takes `byte` into the set, as the end of a range if one was begun.
fn join(set: &mut ByteSet, before: Before, byte: u8, at: usize) -> Result<Before, Error> {
    match before {
        Before::Hyphen(low) if low > byte => return Err(Error { at, cause: Cause::RangeOutOfOrder }),
        Before::Hyphen(low) => {
            *set = set.or(ByteSet::range(low, byte));
            return Ok(Before::Nothing);
        }
        Before::Nothing | Before::Byte(_) => *set = set.or(ByteSet::of(byte)),
    }
    Ok(Before::Byte(byte))
}
