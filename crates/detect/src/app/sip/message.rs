//! A request or response: its first line and the headers that rules ask for.
//!
//! Reads letter by letter with the letters that the grammar allows, as those whose rules these are do: a message
//! that says anything else is none. Of
//! headers only those are kept that a keyword looks into; short names (`f` for `From`) count as long ones.

use super::sdp::Description;
use crate::Direction;
use crate::app::bytes::Reader;
use core::ops::Range;

/// Headers of one message that are kept at most; later ones are read and not looked at.
const HEADERS_KEPT_MAX: usize = 256;

/// Why there is no message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// It is not over yet.
    Incomplete,
    /// It is something else.
    Invalid,
}

/// The headers that rules ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Header {
    From,
    To,
    Via,
    UserAgent,
    ContentType,
    ContentLength,
}

impl Header {
    fn named(name: &[u8]) -> Option<Header> {
        match name {
            b"From" | b"f" => Some(Header::From),
            b"To" | b"t" => Some(Header::To),
            b"Via" | b"v" => Some(Header::Via),
            b"User-Agent" => Some(Header::UserAgent),
            b"Content-Type" | b"c" => Some(Header::ContentType),
            b"Content-Length" | b"l" => Some(Header::ContentLength),
            _ => None,
        }
    }
}

/// Where the parts of a message stand, from its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) line: Range<usize>,
    pub(super) headers: Range<usize>,
    pub(super) body: Range<usize>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// The first line and the headers as they came.
    head: Box<[u8]>,
    line_bytes: usize,
    body_bytes: usize,
    /// Method, URI and version of a request; code, reason and version of a response.
    words: [Range<usize>; 3],
    /// The first line as far as it has no unusual letter.
    line: Range<usize>,
    headers: Vec<(Header, Range<usize>)>,
    pub(super) description: Option<Box<Description>>,
}

impl Message {
    /// The message at the front of `bytes`, and how many bytes it takes.
    pub(super) fn read(bytes: &[u8], direction: Direction) -> Result<(Message, usize), Fault> {
        let mut line = Line { reader: Reader::new(bytes), whole: bytes.len() };
        let words = match direction {
            Direction::ToServer => line.request()?,
            Direction::ToClient => line.response()?,
        };
        line.end()?;
        let line_bytes = line.at();
        let mut headers = Vec::new();
        while !line.is_end()? {
            let (name, value) = line.header()?;
            if let Some(header) = Header::named(bytes.get(name).unwrap_or_default())
                && headers.len() < HEADERS_KEPT_MAX
            {
                headers.push((header, value));
            }
        }
        let head_bytes = line.at();
        line.end()?;
        let body = line.reader.rest();
        let (description, described) = match Description::read(body) {
            Some((description, bytes)) => (Some(Box::new(description)), bytes),
            None => (None, 0),
        };
        let shown = bytes.iter().take_while(|letter| is_reason(**letter)).count();
        let message = Message {
            head: bytes.get(..head_bytes).unwrap_or_default().into(),
            line_bytes,
            body_bytes: body.len(),
            words,
            line: 0..shown,
            headers,
            description,
        };
        Ok((message, bytes.len() - body.len() + described))
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        self.head.get(range.clone()).unwrap_or_default()
    }

    /// The method of a request, the code of a response.
    pub(super) fn first(&self) -> &[u8] {
        self.part(&self.words[0])
    }

    /// The URI of a request, the reason of a response.
    pub(super) fn second(&self) -> &[u8] {
        self.part(&self.words[1])
    }

    pub(super) fn version(&self) -> &[u8] {
        self.part(&self.words[2])
    }

    pub(super) fn line(&self) -> &[u8] {
        self.part(&self.line)
    }

    pub(super) fn values(&self, header: Header) -> impl Iterator<Item = &[u8]> {
        self.headers.iter().filter(move |(known, _)| *known == header).map(|(_, range)| self.part(range))
    }

    /// Where its parts stand. The empty line before the body belongs to none.
    pub(super) fn parts(&self) -> Parts {
        let body = self.head.len() + 2;
        Parts {
            line: 0..self.line_bytes,
            headers: self.line_bytes..self.head.len(),
            body: body..body + self.body_bytes,
        }
    }
}

/// What is read of a message.
struct Line<'a> {
    reader: Reader<'a>,
    whole: usize,
}

impl Line<'_> {
    /// How far it was read.
    fn at(&self) -> usize {
        self.whole - self.reader.len()
    }

    /// The letters that follow. More of them may come if nothing stands behind them.
    fn letters(&mut self, is_one: impl Fn(u8) -> bool) -> Result<Range<usize>, Fault> {
        let start = self.at();
        self.reader.take_while(is_one);
        if self.reader.is_empty() { Err(Fault::Incomplete) } else { Ok(start..self.at()) }
    }

    /// The same, one letter at least.
    fn some_letters(&mut self, is_one: impl Fn(u8) -> bool) -> Result<Range<usize>, Fault> {
        let range = self.letters(is_one)?;
        if range.is_empty() { Err(Fault::Invalid) } else { Ok(range) }
    }

    /// These letters.
    fn tag(&mut self, tag: &[u8]) -> Result<(), Fault> {
        match self.reader.tag(tag) {
            Some(()) => Ok(()),
            None if tag.starts_with(self.reader.rest()) => Err(Fault::Incomplete),
            None => Err(Fault::Invalid),
        }
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.tag(b"\r\n")
    }

    /// Whether the line ends here.
    fn is_end(&self) -> Result<bool, Fault> {
        match self.reader.rest() {
            [] | [b'\r'] => Err(Fault::Incomplete),
            rest => Ok(rest.starts_with(b"\r\n")),
        }
    }

    fn version(&mut self) -> Result<Range<usize>, Fault> {
        let start = self.at();
        self.tag(b"SIP/")?;
        self.some_letters(|letter| letter.is_ascii_digit() || letter == b'.')?;
        Ok(start..self.at())
    }

    fn request(&mut self) -> Result<[Range<usize>; 3], Fault> {
        let method = self.letters(|letter| letter.is_ascii_alphabetic())?;
        self.tag(b" ")?;
        let uri = self.some_letters(is_address)?;
        self.tag(b" ")?;
        Ok([method, uri, self.version()?])
    }

    fn response(&mut self) -> Result<[Range<usize>; 3], Fault> {
        let version = self.version()?;
        self.tag(b" ")?;
        let start = self.at();
        let code = self.reader.take(3).ok_or(Fault::Incomplete)?;
        if core::str::from_utf8(code).is_err() {
            return Err(Fault::Invalid);
        }
        let code = start..self.at();
        self.tag(b" ")?;
        Ok([code, self.letters(is_reason)?, version])
    }

    /// Where name and value of a header stand.
    fn header(&mut self) -> Result<(Range<usize>, Range<usize>), Fault> {
        let is_blank = |letter| letter == b' ' || letter == b'\t';
        let name = self.letters(is_token)?;
        self.letters(is_blank)?;
        self.tag(b":")?;
        self.letters(is_blank)?;
        let start = self.at();
        let bytes = self.reader.rest();
        // A line that begins with a blank goes on with the value of the line before. Behind the last letter only
        // blanks and the line's end may stand.
        let (mut end, mut blanks, mut place) = (0, 0, 0);
        loop {
            match bytes.get(place) {
                None => return Err(Fault::Incomplete),
                Some(b'\n') => match bytes.get(place + 1) {
                    None => return Err(Fault::Incomplete),
                    Some(b' ' | b'\t') => place += 1,
                    Some(_) => break,
                },
                Some(b' ' | b'\t') => blanks += 1,
                Some(b'\r') => {}
                Some(letter) if is_value(*letter) => (end, blanks) = (place + 1, 0),
                Some(_) => return Err(Fault::Incomplete),
            }
            place += 1;
        }
        self.reader.take(end + blanks).ok_or(Fault::Incomplete)?;
        self.end()?;
        Ok((name, start..start + end))
    }
}

/// Which letters are letters of something: one look for each letter of a message.
struct Letters([bool; 256]);

impl Letters {
    const fn alphanumeric() -> Self {
        let mut letters = [false; 256];
        let mut letter = 0;
        while letter < letters.len() {
            letters[letter] = (letter as u8).is_ascii_alphanumeric();
            letter += 1;
        }
        Letters(letters)
    }

    /// The same, and these.
    const fn and(self, signs: &[u8]) -> Self {
        let Letters(mut letters) = self;
        let mut place = 0;
        while place < signs.len() {
            letters[signs[place] as usize] = true;
            place += 1;
        }
        Letters(letters)
    }

    fn has(&self, letter: u8) -> bool {
        self.0[usize::from(letter)]
    }
}

const fn token() -> Letters {
    Letters::alphanumeric().and(b"!%'*+-._`~")
}

static TOKEN: Letters = token();
static ADDRESS: Letters = token().and(b"#@:;=?&$,/");
static REASON: Letters = token().and(b"$&(),/:;=?@[\\]^ ");
static VALUE: Letters = token().and(b"\"#$&(),/;:<=>?@[]{}()^|\\");

fn is_token(letter: u8) -> bool {
    TOKEN.has(letter)
}

fn is_address(letter: u8) -> bool {
    ADDRESS.has(letter)
}

fn is_reason(letter: u8) -> bool {
    REASON.has(letter)
}

fn is_value(letter: u8) -> bool {
    VALUE.has(letter)
}
