//! The header block: where one header ends and the next begins, in the ways in which servers and browsers take it.
//!
//! Promises: any bytes are read as *some* headers. A line without a colon is a header without a name. A line that
//! begins with a space goes on the one before; in a response only if it does not look like a header itself. In a
//! response a lone `\r` ends a line too, and some mixtures of `\r` and `\n` count as one end. The block ends with an
//! empty line.
//!
//! A header is complete when the byte behind its line is known, since that says whether the line goes on. Whoever
//! calls keeps what was not taken.
//!
//! Not here: what headers mean, and joining those of the same name (`head`).

use super::text::{is_token, split_while, trimmed};
use memchr::{memchr, memchr2, memchr3};

/// Lines that one header may go on over; the next line is a header of its own.
const FOLDS_MAX: u8 = 128;

/// Whose header block it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Request,
    Response,
}

/// What was odd about a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Oddities {
    pub(super) no_colon: bool,
    pub(super) empty_name: bool,
    pub(super) space_before_name: bool,
    pub(super) space_after_name: bool,
    pub(super) name_is_no_token: bool,
    pub(super) deformed_end: bool,
}

/// The value of a header: as it stands, or put together from several lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Value<'a> {
    Plain(&'a [u8]),
    Folded(Vec<u8>),
}

/// One header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Header<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: Value<'a>,
    pub(super) odd: Oddities,
    /// Where what follows begins.
    pub(super) end: usize,
}

/// What is there is not enough to tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct More;

/// Reads header blocks of one side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    pub(super) side: Side,
    /// Nothing follows what is there.
    pub(super) complete: bool,
    /// A `\r` at the front belongs to the end of the line before.
    pub(super) behind_newline: bool,
}

/// The end of a line.
struct LineEnd {
    length: usize,
    deformed: bool,
}

/// What stands between the lines of a header, or at its end.
struct Break {
    /// Where the text of the line ends.
    text_end: usize,
    /// How long the line end is.
    length: usize,
    deformed: bool,
    /// The space that says that it goes on.
    fold: Option<u8>,
    /// Where what follows begins.
    next: usize,
}

impl Reader {
    /// Reads the header at the front.
    pub(super) fn header<'a>(self, input: &'a [u8]) -> Result<Header<'a>, More> {
        if let Some(colon) = self.colon(input) {
            let header = self.with_colon(input, colon);
            // What there is may look like a header without a colon as long as more may come.
            if header.is_ok() || !self.complete {
                return header;
            }
        }
        let (value, end, deformed_end) = self.value(input, 0)?;
        let odd = Oddities { no_colon: true, deformed_end, ..Oddities::default() };
        Ok(Header { name: &[], value, odd, end })
    }

    /// The length of the empty line at the front that ends a block, if there is one. It ends it whatever follows, so that nothing has to come for
    /// that to be known; but of a lone `\r` it is asked whether a `\n` belongs to it.
    pub(super) fn block_end(self, input: &[u8]) -> Result<Option<usize>, More> {
        match (self.side, input) {
            (_, [b'\r', b'\n', ..]) => Ok(Some(2)),
            (_, [b'\n', ..]) => Ok(Some(1)),
            (_, []) => Err(More),
            (_, [b'\r']) if !self.complete => Err(More),
            (Side::Response, [b'\r', ..]) if !self.behind_newline => Ok(Some(1)),
            _ => Ok(None),
        }
    }

    fn with_colon<'a>(self, input: &'a [u8], colon: usize) -> Result<Header<'a>, More> {
        let full = input.get(..colon).unwrap_or_default();
        let (_, after) = split_while(full, |byte| matches!(byte, b' ' | b'\t'));
        let (_, after) = split_while(after, is_token);
        let (_, after) = split_while(after, |byte| matches!(byte, b' ' | b'\t'));
        let mut odd = Oddities {
            empty_name: full.is_empty(),
            space_before_name: matches!(full.first(), Some(b' ' | b'\t')),
            space_after_name: matches!(full.last(), Some(b' ' | b'\t')),
            name_is_no_token: !after.is_empty(),
            ..Oddities::default()
        };
        let from = input.get(colon + 1..).unwrap_or_default();
        let (spaces, rest) = split_while(from, |byte| matches!(byte, b' ' | b'\t'));
        if rest.is_empty() {
            return Err(More);
        }
        let (value, end, deformed) = self.value(input, colon + 1 + spaces.len())?;
        odd.deformed_end = deformed;
        Ok(Header { name: trimmed(full), value, odd, end })
    }

    /// Where the colon behind the name stands. A name may go on over lines whose next begins with a space.
    fn colon(self, input: &[u8]) -> Option<usize> {
        let mut from = 0;
        for _ in 0..=FOLDS_MAX {
            let rest = input.get(from..)?;
            let found = match self.side {
                Side::Request => memchr2(b':', b'\n', rest),
                Side::Response => memchr3(b':', b'\n', b'\r', rest),
            }?;
            let at = from + found;
            let byte = *input.get(at)?;
            if byte == b':' {
                return Some(at);
            }
            let mut next = at + 1;
            if byte == b'\r' && input.get(next) == Some(&b'\n') {
                next += 1;
            }
            if input.get(next) != Some(&b' ') {
                return None;
            }
            from = next + 1;
        }
        None
    }

    /// The value from `from` on, where what follows it begins, and whether a line end was deformed.
    fn value<'a>(self, input: &'a [u8], from: usize) -> Result<(Value<'a>, usize, bool), More> {
        let first = self.line(input, from)?;
        let text = input.get(from..first.text_end).unwrap_or_default();
        match first.fold {
            None => Ok((Value::Plain(trimmed(text)), first.next, first.deformed)),
            Some(space) => self.folded(input, text, first.next, space, first.deformed),
        }
    }

    fn folded<'a>(
        self,
        input: &'a [u8],
        text: &[u8],
        next: usize,
        space: u8,
        mut deformed: bool,
    ) -> Result<(Value<'a>, usize, bool), More> {
        let mut value = text.to_vec();
        let (mut end, mut at, mut space) = (next, next, space);
        for folds in 1.. {
            if self.side == Side::Response && looks_like_header(input.get(at..).unwrap_or_default())? {
                return Ok((Value::Folded(trimmed(&value).to_vec()), at, deformed));
            }
            let line = self.line(input, at)?;
            let text = input.get(at..line.text_end).unwrap_or_default();
            deformed |= line.deformed;
            if !value.is_empty() {
                value.push(space);
            }
            let is_blank = text.is_empty() && line.length == 1;
            // A blank line that goes on nothing is left to be the block's end.
            if !is_blank || input.get(line.next) == Some(&b'\n') {
                end = line.next;
                value.extend_from_slice(text);
            }
            at = line.next;
            if !self.complete && input.get(at).is_none() {
                return Err(More);
            }
            match line.fold {
                Some(next) if folds < FOLDS_MAX => space = next,
                _ => break,
            }
        }
        Ok((Value::Folded(trimmed(&value).to_vec()), end, deformed))
    }

    /// The line from `from` on and what ends it.
    fn line(self, input: &[u8], from: usize) -> Result<Break, More> {
        let rest = input.get(from..).unwrap_or_default();
        let found = match self.side {
            Side::Request => memchr(b'\n', rest),
            Side::Response => memchr2(b'\r', b'\n', rest),
        };
        let mut length = found.ok_or(More)?;
        if rest.get(..length).is_some_and(|text| text.last() == Some(&b'\r')) {
            length -= 1;
        }
        let text_end = from + length;
        let tail = input.get(text_end..).unwrap_or_default();
        if let Some((length, space)) = self.fold(tail)? {
            let next = text_end + length + 1;
            return Ok(Break { text_end, length, deformed: false, fold: Some(space), next });
        }
        let mut end = self.any_line_end(tail)?.ok_or(More)?;
        if end.deformed && matches!(tail.get(end.length), Some(b' ' | b'\t' | 0)) {
            // What is before a line that goes on is no line end of its own.
            let length = self.line_end(tail).ok_or(More)?;
            end = LineEnd { length, deformed: false };
        }
        if !self.complete && tail.get(end.length).is_none() {
            return Err(More);
        }
        let next = text_end + end.length;
        Ok(Break { text_end, length: end.length, deformed: end.deformed, fold: None, next })
    }

    /// A line end and the space behind it that says that the header goes on.
    fn fold(self, tail: &[u8]) -> Result<Option<(usize, u8)>, More> {
        let length = match self.side {
            Side::Response => self.line_end(tail),
            Side::Request => self.any_line_end(tail)?.map(|end| end.length),
        };
        let Some(length) = length else { return Ok(None) };
        match tail.get(length) {
            Some(space @ (b' ' | b'\t' | 0)) => Ok(Some((length, *space))),
            None if !self.complete => Err(More),
            _ => Ok(None),
        }
    }

    fn line_end(self, tail: &[u8]) -> Option<usize> {
        let two = self.side == Side::Response && tail.starts_with(b"\n\r");
        let one = self.side == Side::Response && tail.first() == Some(&b'\r');
        match tail {
            [b'\r', b'\n', ..] => Some(2),
            _ if two => Some(2),
            [b'\n', ..] => Some(1),
            _ if one => Some(1),
            _ => None,
        }
    }

    fn any_line_end(self, tail: &[u8]) -> Result<Option<LineEnd>, More> {
        let deformed = match self.side {
            Side::Request => self.request_deformed(tail)?,
            Side::Response => self.response_deformed(tail)?,
        };
        Ok(match deformed {
            Some(length) => Some(LineEnd { length, deformed: true }),
            None => self.line_end(tail).map(|length| LineEnd { length, deformed: false }),
        })
    }

    /// Whether a line end stands at the front.
    fn starts_line_end(self, tail: &[u8]) -> Result<bool, More> {
        if !self.complete && matches!(tail, b"" | b"\r") {
            return Err(More);
        }
        Ok(tail.starts_with(b"\n") || tail.starts_with(b"\r\n"))
    }

    /// Whether `word` stands at the front, and what is behind it.
    fn behind<'a>(self, tail: &'a [u8], word: &[u8]) -> Result<Option<&'a [u8]>, More> {
        if !self.complete && tail.len() < word.len() && word.starts_with(tail) {
            return Err(More);
        }
        Ok(tail.strip_prefix(word))
    }

    /// `\n\r\r\n` or `\n\r`, before another line end.
    fn request_deformed(self, tail: &[u8]) -> Result<Option<usize>, More> {
        let Some(after) = self.behind(tail, b"\n\r\r\n")? else { return Ok(None) };
        Ok(Some(if self.starts_line_end(after)? { 4 } else { 2 }))
    }

    /// `\n\r\r\n` before another line end, or `\r\n\r` with more `\r` and spaces behind it that are not before another
    /// line end.
    fn response_deformed(self, tail: &[u8]) -> Result<Option<usize>, More> {
        if let Some(after) = self.behind(tail, b"\n\r\r\n")? {
            return Ok(self.starts_line_end(after)?.then_some(4));
        }
        let Some(after) = self.behind(tail, b"\r\n\r")? else { return Ok(None) };
        let (blanks, rest) = split_while(after, |byte| matches!(byte, b'\r' | b' ' | b'\t'));
        if rest.is_empty() && !self.complete {
            return Err(More);
        }
        if blanks.is_empty() {
            return Ok(None);
        }
        let newline = usize::from(rest.first() == Some(&b'\n'));
        let after = rest.get(newline..).unwrap_or_default();
        Ok((!self.starts_line_end(after)?).then_some(3 + blanks.len() + newline))
    }
}

/// Whether what stands behind a fold is a header of its own: a name and a colon.
fn looks_like_header(input: &[u8]) -> Result<bool, More> {
    let (_, rest) = split_while(input, |byte| matches!(byte, b' ' | b'\t'));
    let (name, after) = split_while(rest, is_token);
    let (_, after) = split_while(after, |byte| matches!(byte, b' ' | b'\t'));
    let (colon, value) = match after.split_first() {
        None => return Err(More),
        Some((first, value)) => (*first, value),
    };
    if colon != b':' {
        return Ok(false);
    }
    if value.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
        return Err(More);
    }
    Ok(!name.is_empty())
}
