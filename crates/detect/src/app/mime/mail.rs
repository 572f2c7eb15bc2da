//! A mail, line by line: headers, parts, attachments.
//!
//! Upon a header line: kept; one that begins with a space continues the last. Upon the empty line behind
//! them: the headers of the mail itself are those of the first part; a part with a file name (of its
//! disposition, else of its type) opens a file; `message/…` holds another mail, whose headers come next. Upon
//! a line of the body: decoded and added to the file. Upon the boundary, or the end of the mail: the file is
//! closed.
//!
//! Not here: parts without a file name, but for the addresses in them.

use super::base64::Base64;
use super::header::{parameter, split};
use super::quoted::Quoted;
use super::urls::Urls;
use crate::app::BodyLimits;
use crate::app::file::{Ending, Files};
use std::borrow::Cow;

/// Headers of a mail and its open part at most; later ones are not looked at.
const HEADERS_MAX: usize = 1024;
/// Bytes of a header's value that are kept.
const VALUE_BYTES_KEPT_MAX: usize = 64 * 1024;
/// Parts within parts at most; the boundaries of deeper ones are not looked for.
const DEPTH_MAX: usize = 128;

/// Bytes of a line that are in order.
const LINE_BYTES_EXPECTED: usize = 998;
/// Bytes of an encoded line that are in order.
const ENCODED_LINE_BYTES_EXPECTED: usize = 76;
/// Bytes of a header's name that are in order.
const NAME_BYTES_EXPECTED: usize = 75;
/// Bytes of a header's value that are in order.
const VALUE_BYTES_EXPECTED: usize = 2000;
/// Bytes of a boundary that are in order.
const BOUNDARY_BYTES_EXPECTED: usize = 254;
/// Bytes of a file's name; the rest is cut off.
const FILE_NAME_BYTES_MAX: usize = 255;

/// What is odd about a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::app) struct MailOddities {
    /// It is no base64.
    pub(in crate::app) invalid_base64: bool,
    /// It is no quoted-printable.
    pub(in crate::app) invalid_quoted: bool,
    /// It is long.
    pub(in crate::app) long_line: bool,
    /// It is long for an encoded one.
    pub(in crate::app) long_encoded_line: bool,
    /// The header's name is long.
    pub(in crate::app) long_header_name: bool,
    /// The header's value is long.
    pub(in crate::app) long_header_value: bool,
    /// The boundary between parts is long.
    pub(in crate::app) long_boundary: bool,
    /// The name of a file is long.
    pub(in crate::app) long_file_name: bool,
}

#[derive(Clone, Debug)]
struct Header {
    name: Vec<u8>,
    value: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Start,
    Header,
    Body,
}

#[derive(Clone, Debug)]
enum Encoding {
    Plain,
    Base64(Base64),
    Quoted(Quoted),
}

/// A mail that comes line by line.
#[derive(Clone, Debug)]
pub(in crate::app) struct Mail {
    state: State,
    /// Bytes of the line that is open, over all its pieces.
    line_bytes: usize,
    headers: Vec<Header>,
    /// How many of them are the mail's own; the others are those of the part that is open.
    own: usize,
    limits: BodyLimits,
    /// Whether the part that is open has a name, and its place among the files.
    has_name: bool,
    file: Option<usize>,
    attachments: Vec<Vec<u8>>,
    boundaries: Vec<Vec<u8>>,
    encoding: Encoding,
    is_text: bool,
    /// The end of the last plain line, which may belong to a boundary.
    line_end: Vec<u8>,
    urls: Option<Urls>,
}

impl Mail {
    /// A mail of which nothing was seen. Addresses in it are looked for if they are wanted.
    pub(in crate::app) fn new(limits: BodyLimits, wants_urls: bool) -> Self {
        Mail {
            state: State::Start,
            line_bytes: 0,
            headers: Vec::new(),
            own: 0,
            limits,
            has_name: false,
            file: None,
            attachments: Vec::new(),
            boundaries: Vec::new(),
            encoding: Encoding::Plain,
            is_text: true,
            line_end: Vec::new(),
            urls: wants_urls.then(Urls::default),
        }
    }

    /// Whether what follows is the body of a part, the lines of which may be shown in pieces.
    pub(in crate::app) fn is_in_body(&self) -> bool {
        self.state == State::Body
    }

    /// Whether a line of which so much is there may be the boundary of the open part.
    pub(in crate::app) fn may_be_boundary(&self, line: &[u8]) -> bool {
        self.boundaries
            .last()
            .is_some_and(|boundary| line.iter().zip(boundary).all(|(byte, wanted)| byte == wanted))
    }

    /// Whether the headers of the mail itself are all there.
    pub(in crate::app) fn has_own_headers(&self) -> bool {
        self.own > 0
    }

    /// The values of the mail's own headers of this name (in small letters), in their order.
    pub(in crate::app) fn values<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let own = self.headers.get(..self.own).unwrap_or_default();
        own.iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.as_slice())
    }

    /// The names of its attachments.
    pub(in crate::app) fn attachments(&self) -> &[Vec<u8>] {
        &self.attachments
    }

    /// The addresses in it.
    pub(in crate::app) fn urls(&self) -> &[Vec<u8>] {
        self.urls.as_ref().map(|urls| urls.found.as_slice()).unwrap_or_default()
    }

    /// Takes a line and its end, which is empty if only a piece of the line is there.
    pub(in crate::app) fn line(&mut self, line: &[u8], end: &[u8], files: &mut Files) -> MailOddities {
        self.line_bytes = self.line_bytes.saturating_add(line.len());
        let mut odd =
            MailOddities { long_line: self.line_bytes > LINE_BYTES_EXPECTED, ..MailOddities::default() };
        match self.state {
            State::Start | State::Header if line.is_empty() => self.headers_end(files, &mut odd),
            State::Header if line.starts_with(b" ") || line.starts_with(b"\t") => {
                let more = line.get(1..).unwrap_or_default();
                if let Some(last) = self.headers.last_mut() {
                    let room = VALUE_BYTES_KEPT_MAX.saturating_sub(last.value.len()).min(more.len());
                    last.value.extend_from_slice(more.get(..room).unwrap_or_default());
                }
            }
            State::Start | State::Header => self.header(line, &mut odd),
            State::Body => self.body(line, end, files, &mut odd),
        }
        if !end.is_empty() {
            self.line_bytes = 0;
        }
        odd
    }

    /// The mail is over.
    pub(in crate::app) fn finish(&mut self, files: &mut Files, ending: Ending) {
        if let Some(urls) = &mut self.urls {
            urls.finish();
        }
        if let Some(place) = self.file.take() {
            files.close(place, ending);
        }
    }

    fn header(&mut self, line: &[u8], odd: &mut MailOddities) {
        let Some((name, value)) = split(line) else { return };
        self.state = State::Header;
        odd.long_header_name = name.len() > NAME_BYTES_EXPECTED;
        odd.long_header_value = value.len() > VALUE_BYTES_EXPECTED;
        if self.headers.len() < HEADERS_MAX {
            self.headers.push(Header { name: name.to_vec(), value: value.to_vec() });
        }
    }

    fn headers_end(&mut self, files: &mut Files, odd: &mut MailOddities) {
        let mut name: Option<Vec<u8>> = None;
        let mut holds_a_mail = false;
        for header in self.headers.get(self.own..).unwrap_or_default() {
            let value = header.value.as_slice();
            if header.name.eq_ignore_ascii_case(b"content-disposition") {
                name = name.filter(|name| !name.is_empty()).or_else(|| file_name(value, b"filename", odd));
            } else if header.name.eq_ignore_ascii_case(b"content-transfer-encoding") {
                if value.eq_ignore_ascii_case(b"base64") {
                    self.encoding = Encoding::Base64(Base64::default());
                } else if value.eq_ignore_ascii_case(b"quoted-printable") {
                    self.encoding = Encoding::Quoted(Quoted::default());
                }
            } else if header.name.eq_ignore_ascii_case(b"content-type") {
                name = name.filter(|name| !name.is_empty()).or_else(|| file_name(value, b"name", odd));
                if let Some(boundary) = parameter(value, b"boundary") {
                    odd.long_boundary |= boundary.len() > BOUNDARY_BYTES_EXPECTED;
                    if self.boundaries.len() < DEPTH_MAX {
                        self.boundaries.push([b"--", boundary.as_ref()].concat());
                    }
                }
                let kind = value.split(|byte| *byte == b';').next().unwrap_or_default();
                self.is_text = matches!(kind, b"text/plain" | b"text/html");
                holds_a_mail |= kind.starts_with(b"message/");
            }
        }
        let name = name.unwrap_or_default();
        if !name.is_empty() && self.attachments.len() < HEADERS_MAX {
            self.attachments.push(name.clone());
        }
        if self.own == 0 {
            self.own = self.headers.len();
        }
        if holds_a_mail {
            self.next_part();
            return;
        }
        self.state = State::Body;
        self.has_name = !name.is_empty();
        if self.has_name {
            self.file = files.open(&name, self.limits);
        }
    }

    fn body(&mut self, line: &[u8], end: &[u8], files: &mut Files, odd: &mut MailOddities) {
        let begins_line = self.line_bytes == line.len();
        if let Some(boundary) = self.boundaries.last().filter(|_| begins_line)
            && let Some(behind) = line.strip_prefix(boundary.as_slice())
        {
            // What a boundary closes was in order as far as it was odd before.
            *odd = MailOddities { long_line: odd.long_line, ..MailOddities::default() };
            if behind.starts_with(b"--") {
                self.boundaries.pop();
            }
            if let (Encoding::Base64(decoder), Some(place)) = (&mut self.encoding, self.file) {
                let mut decoded = Vec::new();
                decoder.finish(&mut decoded);
                files.append(place, &decoded);
            }
            if let Some(place) = self.file.take() {
                files.close(place, Ending::Closed);
            }
            self.next_part();
            return;
        }
        let looks_for_urls = self.urls.is_some() && (self.has_name || self.is_text);
        if self.file.is_none() && !looks_for_urls && matches!(self.encoding, Encoding::Plain) {
            return;
        }
        let decoded = self.decode(line, end, odd);
        if let (Some(urls), true) = (&mut self.urls, looks_for_urls) {
            urls.look(&decoded);
        }
        if let Some(place) = self.file {
            files.append(place, &decoded);
        }
    }

    /// The bytes that a line stands for.
    fn decode<'a>(&mut self, line: &'a [u8], end: &'a [u8], odd: &mut MailOddities) -> Cow<'a, [u8]> {
        let mut decoded = Vec::new();
        match &mut self.encoding {
            Encoding::Plain => {
                if self.line_end.is_empty() && end.is_empty() {
                    return Cow::Borrowed(line);
                }
                decoded.append(&mut self.line_end);
                decoded.extend_from_slice(line);
                self.line_end.extend_from_slice(end);
            }
            // A text that is encoded, but no file, is only looked at for what is odd about it if it is text.
            Encoding::Base64(decoder) if self.has_name || self.is_text => {
                odd.long_encoded_line = self.line_bytes > ENCODED_LINE_BYTES_EXPECTED;
                odd.invalid_base64 = decoder.decode(line, &mut decoded).is_err();
            }
            Encoding::Quoted(decoder) if self.has_name => {
                odd.long_encoded_line = self.line_bytes > ENCODED_LINE_BYTES_EXPECTED;
                odd.invalid_quoted = !decoder.decode(line, end, &mut decoded);
            }
            Encoding::Base64(_) => {}
            Encoding::Quoted(_) => {
                decoded.extend_from_slice(line);
                decoded.extend_from_slice(end);
            }
        }
        Cow::Owned(decoded)
    }

    /// What follows is the header of another part.
    fn next_part(&mut self) {
        self.state = State::Start;
        self.headers.truncate(self.own);
        self.encoding = Encoding::Plain;
        self.has_name = false;
        self.is_text = true;
        self.line_end.clear();
    }
}

/// The name of a file in the value of a header, cut to what it may have.
fn file_name(value: &[u8], key: &[u8], odd: &mut MailOddities) -> Option<Vec<u8>> {
    let name = parameter(value, key)?;
    odd.long_file_name |= name.len() > FILE_NAME_BYTES_MAX;
    Some(name.iter().copied().take(FILE_NAME_BYTES_MAX).collect())
}
