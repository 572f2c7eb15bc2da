//! Session descriptions (RFC 4566), as bodies of SIP have them.
//!
//! Lines stand in the order that the standard gives them. A description whose first lines cannot be read is none;
//! what cannot be read behind
//! the times ends it, and what was read before stays. Values are written anew: words with one blank between them.

use crate::app::bytes::Reader;
use core::net::IpAddr;

/// Lines of a kind that are kept of one description at most.
const LINES_MAX: usize = 256;

/// A description.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub(super) struct Description {
    pub(super) origin: Vec<u8>,
    pub(super) session_name: Vec<u8>,
    pub(super) session_info: Option<Vec<u8>>,
    pub(super) uri: Option<Vec<u8>>,
    pub(super) email: Option<Vec<u8>>,
    pub(super) phone_number: Option<Vec<u8>>,
    pub(super) connection_data: Option<Vec<u8>>,
    pub(super) bandwidths: Vec<Vec<u8>>,
    /// Times, each with the times at which it is repeated.
    pub(super) times: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    pub(super) timezone: Option<Vec<u8>>,
    pub(super) encryption_key: Option<Vec<u8>>,
    pub(super) attributes: Vec<Vec<u8>>,
    pub(super) media: Vec<Media>,
}

/// A stream of sound, pictures or text that is offered.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub(super) struct Media {
    pub(super) media: Vec<u8>,
    pub(super) info: Option<Vec<u8>>,
    pub(super) connection_data: Option<Vec<u8>>,
    pub(super) bandwidths: Vec<Vec<u8>>,
    pub(super) encryption_key: Option<Vec<u8>>,
    pub(super) attributes: Vec<Vec<u8>>,
}

impl Description {
    /// The description at the front of `bytes`, and how many bytes it takes.
    pub(super) fn read(bytes: &[u8]) -> Option<(Description, usize)> {
        let mut lines = Lines(Reader::new(bytes));
        lines.required(|line| {
            line.tag(b"v=0")?;
            line_end(line)
        })?;
        let mut description = Description {
            origin: lines.required(origin)?,
            session_name: lines.required(|line| text(line, b"s=", is_name))?,
            session_info: lines.line(|line| text(line, b"i=", is_name)),
            uri: lines.line(|line| text(line, b"u=", is_uri)),
            email: lines.line(|line| free(line, b"e=")),
            phone_number: lines.line(|line| free(line, b"p=")),
            connection_data: lines.line(connection),
            bandwidths: lines.lines(bandwidth),
            ..Description::default()
        };
        while let Some(time) = lines.line(time) {
            let repeated = lines.line(|line| four_times(line, b"r="));
            if description.times.len() < LINES_MAX {
                description.times.push((time, repeated));
            }
        }
        if description.times.is_empty() {
            return None;
        }
        description.timezone = lines.line(|line| four_times(line, b"z="));
        description.encryption_key = lines.line(|line| free(line, b"k="));
        description.attributes = lines.lines(attribute);
        while let Some(media) = lines.media() {
            if description.media.len() < LINES_MAX {
                description.media.push(media);
            }
        }
        Some((description, bytes.len() - lines.0.len()))
    }
}

/// What is left of the lines.
struct Lines<'a>(Reader<'a>);

impl Lines<'_> {
    /// A line, if the next one reads as `read` says; else nothing is read.
    fn line<T>(&mut self, read: impl Fn(&mut Reader<'_>) -> Option<T>) -> Option<T> {
        let mut ahead = self.0;
        let value = read(&mut ahead)?;
        self.0 = ahead;
        Some(value)
    }

    /// The same, where there is no description without it.
    fn required<T>(&mut self, read: impl Fn(&mut Reader<'_>) -> Option<T>) -> Option<T> {
        self.line(read)
    }

    /// All lines of a kind that follow.
    fn lines(&mut self, read: impl Fn(&mut Reader<'_>) -> Option<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(value) = self.line(&read) {
            if all.len() < LINES_MAX {
                all.push(value);
            }
        }
        all
    }

    fn media(&mut self) -> Option<Media> {
        let mut ahead = Lines(self.0);
        let (media, port_is_right) = ahead.line(media_line)?;
        let media = Media {
            media,
            info: ahead.line(|line| text(line, b"i=", is_name)),
            connection_data: ahead.line(connection),
            bandwidths: ahead.lines(bandwidth),
            encryption_key: ahead.line(|line| free(line, b"k=")),
            attributes: ahead.lines(attribute),
        };
        if !port_is_right {
            return None;
        }
        self.0 = ahead.0;
        Some(media)
    }
}

fn line_end(line: &mut Reader<'_>) -> Option<()> {
    line.tag(b"\n").or_else(|| line.tag(b"\r\n"))
}

fn blanks(line: &mut Reader<'_>) -> Option<()> {
    line.take_some(|letter| letter == b' ' || letter == b'\t').map(|_| ())
}

fn is_name(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() || letter == b' ' || letter == b'\t'
}

fn is_token(letter: u8) -> bool {
    letter.is_ascii_alphanumeric()
        || matches!(letter, 0x21 | 0x23..=0x27 | 0x2a | 0x2b | 0x2d | 0x2e | 0x5e..=0x7e)
}

fn is_uri(letter: u8) -> bool {
    is_token(letter) || b"#@:;=?+&$,/".contains(&letter)
}

fn is_time(letter: u8) -> bool {
    letter.is_ascii_digit() || b"dhms-".contains(&letter)
}

/// A line of these letters.
fn text(line: &mut Reader<'_>, tag: &[u8], is_one: fn(u8) -> bool) -> Option<Vec<u8>> {
    line.tag(tag)?;
    let value = line.take_while(is_one).to_vec();
    line_end(line)?;
    Some(value)
}

/// What stands until the line's end.
fn until_end<'a>(line: &mut Reader<'a>) -> Option<&'a [u8]> {
    let value = line.take_while(|letter| letter != b'\r' && letter != b'\n');
    core::str::from_utf8(value).is_ok().then_some(value)
}

/// A line of any letters.
fn free(line: &mut Reader<'_>, tag: &[u8]) -> Option<Vec<u8>> {
    line.tag(tag)?;
    let value = until_end(line)?.to_vec();
    line_end(line)?;
    Some(value)
}

fn origin(line: &mut Reader<'_>) -> Option<Vec<u8>> {
    line.tag(b"o=")?;
    let mut value = line.take_while(is_token).to_vec();
    let kinds: [fn(u8) -> bool; 4] = [
        |letter| letter.is_ascii_digit(),
        |letter| letter.is_ascii_digit(),
        |letter| letter.is_ascii_alphabetic(),
        |letter| letter.is_ascii_alphanumeric(),
    ];
    for is_one in kinds {
        blanks(line)?;
        value.push(b' ');
        value.extend_from_slice(line.take_while(is_one));
    }
    blanks(line)?;
    value.push(b' ');
    value.extend_from_slice(until_end(line)?);
    line_end(line)?;
    Some(value)
}

/// A number of one byte that does not begin with 0, behind a slash.
fn slash_number(line: &mut Reader<'_>) -> Option<u8> {
    let mut ahead = *line;
    ahead.tag(b"/")?;
    let digits = ahead.take_some(|letter| letter.is_ascii_digit())?;
    if digits.first() == Some(&b'0') {
        return None;
    }
    let number = core::str::from_utf8(digits).ok()?.parse().ok()?;
    *line = ahead;
    Some(number)
}

fn connection(line: &mut Reader<'_>) -> Option<Vec<u8>> {
    line.tag(b"c=")?;
    let mut value = line.take_while(|letter| letter.is_ascii_alphabetic()).to_vec();
    blanks(line)?;
    value.push(b' ');
    value.extend_from_slice(line.take_while(|letter| letter.is_ascii_alphanumeric()));
    blanks(line)?;
    value.push(b' ');
    let address = line.take_while(|letter| letter.is_ascii_hexdigit() || letter == b'.' || letter == b':');
    let address: IpAddr = core::str::from_utf8(address).ok()?.parse().ok()?;
    let (first, second) = (slash_number(line), slash_number(line));
    line_end(line)?;
    let (lifetime, count) = match (address, first, second) {
        (IpAddr::V6(_), first, _) => (None, first),
        (IpAddr::V4(address), None, _) if address.is_multicast() => return None,
        (IpAddr::V4(address), first, second) if address.is_multicast() => (first, second),
        (IpAddr::V4(_), Some(first), None) => (None, Some(first)),
        (IpAddr::V4(_), first, second) => (first, second),
    };
    value.extend_from_slice(address.to_string().as_bytes());
    for number in [lifetime, count].into_iter().flatten() {
        value.extend_from_slice(format!("/{number}").as_bytes());
    }
    Some(value)
}

fn bandwidth(line: &mut Reader<'_>) -> Option<Vec<u8>> {
    line.tag(b"b=")?;
    let kind = [&b"CT"[..], b"AS", b"TIAS"].into_iter().find(|kind| line.tag(kind).is_some())?;
    line.tag(b":")?;
    let digits = line.take_some(|letter| letter.is_ascii_digit())?;
    line_end(line)?;
    Some([kind, b":", digits].concat())
}

fn time(line: &mut Reader<'_>) -> Option<Vec<u8>> {
    line.tag(b"t=")?;
    let start = line.take_some(|letter| letter.is_ascii_digit())?;
    blanks(line)?;
    let stop = line.take_some(|letter| letter.is_ascii_digit())?;
    line_end(line)?;
    Some([start, b" ", stop].concat())
}

fn four_times(line: &mut Reader<'_>, tag: &[u8]) -> Option<Vec<u8>> {
    line.tag(tag)?;
    let mut value = line.take_while(is_time).to_vec();
    for _ in 1..4 {
        blanks(line)?;
        value.push(b' ');
        value.extend_from_slice(line.take_while(is_time));
    }
    line_end(line)?;
    Some(value)
}

fn attribute(line: &mut Reader<'_>) -> Option<Vec<u8>> {
    line.tag(b"a=")?;
    let mut value = line.take_while(|letter| letter.is_ascii_alphabetic()).to_vec();
    if line.tag(b":").is_some() {
        value.push(b':');
        value.extend_from_slice(until_end(line)?);
    }
    line_end(line)?;
    Some(value)
}

/// One to five digits.
fn port<'a>(line: &mut Reader<'a>) -> Option<&'a [u8]> {
    let digits = line.rest().iter().take(5).take_while(|letter| letter.is_ascii_digit()).count();
    if digits == 0 { None } else { line.take(digits) }
}

/// What is offered, and whether its port can be one.
fn media_line(line: &mut Reader<'_>) -> Option<(Vec<u8>, bool)> {
    line.tag(b"m=")?;
    let kinds = [&b"audio"[..], b"video", b"text", b"application", b"message"];
    let kind = kinds.into_iter().find(|kind| line.tag(kind).is_some())?;
    blanks(line)?;
    let number =
        |digits: &[u8]| core::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u16>().ok());
    let first = number(port(line)?);
    let mut count = None;
    let mut ahead = *line;
    if ahead.tag(b"/").is_some()
        && let Some(digits) = port(&mut ahead)
    {
        *line = ahead;
        count = number(digits);
    }
    blanks(line)?;
    let carriers = [&b"udp"[..], b"RTP/AVP", b"RTP/SAVP"];
    let carrier = carriers.into_iter().find(|carrier| line.tag(carrier).is_some())?;
    let ports = match count {
        Some(count) => format!(" {}/{count} ", first.unwrap_or_default()),
        None => format!(" {} ", first.unwrap_or_default()),
    };
    let mut value = [kind, ports.as_bytes(), carrier].concat();
    let mut formats = 0;
    loop {
        let mut ahead = *line;
        if blanks(&mut ahead).is_none() {
            break;
        }
        let length =
            ahead.rest().iter().take(255).take_while(|letter| letter.is_ascii_alphanumeric()).count();
        let Some(format) = ahead.take(length).filter(|format| !format.is_empty()) else { break };
        value.push(b' ');
        value.extend_from_slice(format);
        *line = ahead;
        formats += 1;
    }
    if formats == 0 {
        return None;
    }
    line_end(line)?;
    Some((value, first.is_some()))
}
