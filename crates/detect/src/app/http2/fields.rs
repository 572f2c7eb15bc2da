//! What each field of HTTP is in HTTP/2, made of the headers.

use super::exchange::{Exchange, Side};
use super::hpack::Header;
use super::keywords;
use crate::Direction;
use crate::app::file::Files;
use crate::app::http::field;
use crate::app::{Field, Piece, Transaction};

/// The version, as rules see it.
const VERSION: &[u8] = b"HTTP/2";

/// The first value of a header.
pub(super) fn first<'a>(side: &'a Side, name: &[u8]) -> Option<&'a [u8]> {
    side.headers.iter().find(|header| *header.name == *name).map(|header| &*header.value)
}

/// All values of a header, joined.
pub(super) fn joined(side: &Side, name: &[u8]) -> Option<Vec<u8>> {
    let mut values = side.values(name);
    let mut all = values.next()?.value.to_vec();
    for header in values {
        all.extend_from_slice(b", ");
        all.extend_from_slice(&header.value);
    }
    Some(all)
}

/// The files that a body's field means.
pub(super) fn body(exchange: &Exchange, field: Field, direction: Direction) -> Option<&Files> {
    match (field, direction) {
        (field::REQUEST_BODY, Direction::ToServer) => exchange.files(direction),
        _ => None,
    }
}

/// Shows a field.
pub(super) fn visit(
    exchange: &Exchange,
    wanted: Field,
    direction: Direction,
    show: &mut dyn FnMut(Piece<'_>),
) {
    let side = exchange.side(direction);
    match wanted {
        keywords::HEADER_NAME => side.headers.iter().for_each(|header| show(Piece::whole(&header.name))),
        keywords::HEADER | field::REQUEST_HEADER | field::RESPONSE_HEADER => {
            for header in &side.headers {
                show(Piece::whole(&[&header.name, &b": "[..], &header.value].concat()));
            }
        }
        _ => {
            if let Some(bytes) = one(side, wanted, direction) {
                show(Piece::whole(&bytes));
            }
        }
    }
}

/// A field that there is once at most.
fn one(side: &Side, wanted: Field, direction: Direction) -> Option<Vec<u8>> {
    let to_server = direction == Direction::ToServer;
    match wanted {
        field::URI | field::URI_RAW if to_server => first(side, b":path").map(<[u8]>::to_vec),
        field::METHOD if to_server => first(side, b":method").map(<[u8]>::to_vec),
        field::STATUS_CODE if !to_server => first(side, b":status").map(<[u8]>::to_vec),
        field::STATUS_MESSAGE if !to_server => Some(Vec::new()),
        field::PROTOCOL => Some(VERSION.to_vec()),
        field::REQUEST_LINE if to_server => {
            let part = |name| first(side, name).unwrap_or_default();
            Some([part(b":method"), b" ", part(b":path"), b" ", VERSION, b"\r\n"].concat())
        }
        field::RESPONSE_LINE if !to_server => {
            Some([VERSION, b" ", first(side, b":status").unwrap_or_default(), b"\r\n"].concat())
        }
        field::HOST_RAW if to_server => joined(side, b":authority"),
        field::HOST if to_server => joined(side, b":authority").map(|host| plain_host(&host)),
        field::COOKIE => joined(side, cookie_of(direction)),
        field::HEADER => {
            lines(side, |header| !is_cookie(header, direction), |value| value.trim_ascii_blanks())
        }
        field::HEADER_RAW => lines(side, |_| true, |value| value),
        field::HEADER_NAMES => names(side),
        other => field::header_of(other).and_then(|name| joined(side, name)),
    }
}

fn cookie_of(direction: Direction) -> &'static [u8] {
    match direction {
        Direction::ToServer => b"cookie",
        Direction::ToClient => b"set-cookie",
    }
}

fn is_cookie(header: &Header, direction: Direction) -> bool {
    header.name.eq_ignore_ascii_case(cookie_of(direction))
}

trait Blanks {
    fn trim_ascii_blanks(&self) -> &[u8];
}

impl Blanks for [u8] {
    /// Without the spaces and tabs at both ends.
    fn trim_ascii_blanks(&self) -> &[u8] {
        let is_other = |byte: &u8| !matches!(byte, b' ' | b'\t');
        let Some(start) = self.iter().position(is_other) else { return &[] };
        let end = self.iter().rposition(is_other).map_or(start, |last| last + 1);
        self.get(start..end).unwrap_or_default()
    }
}

fn lines(side: &Side, counts: impl Fn(&Header) -> bool, value: impl Fn(&[u8]) -> &[u8]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    for header in side.headers.iter().filter(|header| counts(header)) {
        for part in [&header.name, &b": "[..], value(&header.value), b"\r\n"] {
            all.extend_from_slice(part);
        }
    }
    Some(all).filter(|all| !all.is_empty())
}

fn names(side: &Side) -> Option<Vec<u8>> {
    let mut all = b"\r\n".to_vec();
    for header in &side.headers {
        all.extend_from_slice(&header.name);
        all.extend_from_slice(b"\r\n");
    }
    all.extend_from_slice(b"\r\n");
    Some(all).filter(|_| !side.headers.is_empty())
}

/// A host without user and port, in small letters.
fn plain_host(host: &[u8]) -> Vec<u8> {
    let host = host.iter().position(|byte| *byte == b'@').and_then(|at| host.get(at + 1..)).unwrap_or(host);
    host.split(|byte| *byte == b':').next().unwrap_or_default().to_ascii_lowercase()
}

/// Whether the response says which part of something it is, and says it wrongly.
pub(super) fn has_invalid_range(exchange: &Exchange) -> bool {
    joined(exchange.side(Direction::ToClient), b"content-range").is_some_and(|range| !is_range(&range))
}

/// `bytes 0-9/10`, `bytes 0-9/*`, `bytes */10`.
fn is_range(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let Some((_, range)) = text.trim_start_matches(' ').split_once(' ') else { return false };
    let digits = |text: &str| {
        let count = text.bytes().take_while(u8::is_ascii_digit).count();
        text.get(..count).and_then(|digits| digits.parse::<i64>().ok())
    };
    let Some((part, whole)) = range.trim_start_matches(' ').split_once('/') else { return false };
    if part == "*" {
        return digits(whole).is_some();
    }
    let Some((start, end)) = part.split_once('-') else { return false };
    let size = if whole.starts_with('*') { Some(-1) } else { digits(whole) };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match (digits(start).filter(|_| is_number(start)), digits(end).filter(|_| is_number(end)), size) {
        (Some(start), Some(end), Some(size)) => start <= end && !(end > 0 && size > 0 && end >= size),
        _ => false,
    }
}

/// Decodes base64 of the first alphabet; `padded` says whether it has to be filled up, or must not be.
pub(super) fn base64(text: &[u8], padded: bool) -> Option<Vec<u8>> {
    let text = if padded {
        let bare = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
        if !text.len().is_multiple_of(4) || (bare.len().is_multiple_of(4) && bare.len() != text.len()) {
            return None;
        }
        bare
    } else {
        text
    };
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.chunks(4) {
        let mut bits = 0u32;
        for byte in group {
            bits = bits << 6 | u32::from(sextet(*byte)?);
        }
        let bytes = match group.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            _ => return None,
        };
        let unused = group.len() * 6 - bytes * 8;
        if bits & ((1 << unused) - 1) != 0 {
            return None;
        }
        let all = (bits >> unused).to_be_bytes();
        out.extend_from_slice(all.get(4 - bytes..)?);
    }
    Some(out)
}

fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_shown_without_user_and_port() {
        assert_eq!(plain_host(b"User:Pass@Example.ORG:8443"), b"example.org");
        assert_eq!(plain_host(b"localhost:3000"), b"localhost");
        assert_eq!(plain_host(b""), b"");
    }

    #[test]
    fn base64_is_read_strictly() {
        assert_eq!(base64(b"TWFu", true), Some(b"Man".to_vec()));
        assert_eq!(base64(b"TQ==", true), Some(b"M".to_vec()));
        assert_eq!(base64(b"TWE", false), Some(b"Ma".to_vec()));
        for text in [&b"TQ"[..], b"TQ=", b"T===", b"TR==", b"T-_="] {
            assert_eq!(base64(text, true), None, "{text:?}");
        }
        assert_eq!(base64(b"T", false), None);
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_none() {
        for text in [&b"bytes 0-9/10"[..], b"bytes 0-9/*", b"bytes */10", b"  bytes 5-5/6"] {
            assert!(is_range(text), "{text:?}");
        }
        for text in [&b"bytes 9-0/10"[..], b"bytes 0-10/10", b"bytes", b"bytes x-1/2", b"\xff"] {
            assert!(!is_range(text), "{text:?}");
        }
    }
}
