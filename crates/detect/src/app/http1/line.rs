//! First lines: `METHOD URI PROTOCOL` and `PROTOCOL CODE MESSAGE`, however they are written.

use super::event::{Event, Events};
use super::text::{is_space, split_while, trimmed, without_line_end};

/// A method that means something to the parser, or that is known to be one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Method {
    #[default]
    Unknown,
    Connect,
    Head,
    Post,
    Put,
    /// Another one that exists.
    Other,
}

/// Methods that exist, beside those that mean something to the parser.
const OTHERS: &[&[u8]] = &[
    b"GET",
    b"DELETE",
    b"OPTIONS",
    b"TRACE",
    b"PATCH",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"VERSION-CONTROL",
    b"CHECKOUT",
    b"UNCHECKOUT",
    b"CHECKIN",
    b"UPDATE",
    b"LABEL",
    b"REPORT",
    b"MKWORKSPACE",
    b"MKACTIVITY",
    b"BASELINE-CONTROL",
    b"MERGE",
    b"INVALID",
];

impl Method {
    /// The method of this name; names are in capitals.
    pub(super) fn named(name: &[u8]) -> Self {
        match name {
            b"CONNECT" => Method::Connect,
            b"HEAD" => Method::Head,
            b"POST" => Method::Post,
            b"PUT" => Method::Put,
            name if OTHERS.contains(&name) => Method::Other,
            _ => Method::Unknown,
        }
    }
}

/// A version of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) enum Version {
    /// Something else stands where it should.
    #[default]
    Unknown,
    V0_9,
    V1_0,
    V1_1,
}

/// Reads `HTTP/1.1` and the like; spaces and zeros before the number are let through, and noted.
pub(super) fn version(text: &[u8], events: &mut Events) -> Version {
    let space = |byte: u8| byte.is_ascii_whitespace();
    let (_, rest) = split_while(text, space);
    let Some((name, rest)) = rest.split_at_checked(4) else { return Version::Unknown };
    if !name.eq_ignore_ascii_case(b"HTTP") {
        return Version::Unknown;
    }
    let (before, rest) = split_while(rest, space);
    let Some(rest) = rest.strip_prefix(b"/") else { return Version::Unknown };
    let (after, rest) = split_while(rest, |byte| space(byte) || byte == b'0');
    let (version, rest) = if let Some(rest) = rest.strip_prefix(b".9") {
        (Version::V0_9, rest)
    } else if let Some(rest) = rest.strip_prefix(b"1.0") {
        (Version::V1_0, rest)
    } else if let Some(rest) = rest.strip_prefix(b"1.1") {
        (Version::V1_1, rest)
    } else {
        return Version::Unknown;
    };
    if !rest.iter().all(|byte| space(*byte)) {
        return Version::Unknown;
    }
    events.set_if(!before.is_empty() || !after.is_empty(), Event::ProtocolExtraData);
    version
}

/// A request line's parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct RequestLine<'a> {
    pub(super) method: &'a [u8],
    pub(super) uri: Option<&'a [u8]>,
    pub(super) protocol: Option<&'a [u8]>,
    pub(super) version: Version,
}

/// Takes a request line apart. The last word is the protocol, so that a URI may have spaces in it.
pub(super) fn request_line<'a>(line: &'a [u8], events: &mut Events) -> RequestLine<'a> {
    let (leading, rest) = split_while(line, is_space);
    events.set_if(!leading.is_empty(), Event::RequestLineLeadingSpace);
    let (method, rest) = split_while(rest, |byte| !is_space(byte));
    let (delimiter, rest) = split_while(rest, is_space);
    events.set_if(delimiter.iter().any(|byte| *byte != b' '), Event::MethodDelimiter);
    let unknown = Method::named(method) == Method::Unknown;
    if rest.is_empty() {
        events.set_if(unknown, Event::UnknownMethod);
        return RequestLine { method, uri: None, protocol: None, version: Version::V0_9 };
    }
    let rest = trimmed(rest);
    let (mut uri, mut protocol) = split_last(rest, |byte| byte == b' ');
    if uri.iter().any(|byte| is_space(*byte) && *byte != b' ') {
        events.set(Event::UriDelimiter);
        if uri.len() == rest.len() {
            (uri, protocol) = split_last(rest, is_space);
        }
    }
    if protocol.is_empty() {
        events.set_if(unknown, Event::UnknownMethodNoProtocol);
        return RequestLine { method, uri: Some(uri), protocol: None, version: Version::V0_9 };
    }
    let version = version(protocol, events);
    events.set_if(unknown && version == Version::Unknown, Event::UnknownMethodInvalidProtocol);
    RequestLine { method, uri: Some(uri), protocol: Some(protocol), version }
}

/// Cut at the last byte that is `wanted`, both parts without white space around them; all is before it if there is
/// none.
fn split_last(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    match bytes.iter().rposition(|byte| wanted(*byte)) {
        None => (trimmed(bytes), &[]),
        Some(at) => {
            let (before, after) = bytes.split_at(at);
            (trimmed(before), trimmed(after))
        }
    }
}

/// A response line's parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct ResponseLine<'a> {
    pub(super) protocol: Option<&'a [u8]>,
    pub(super) version: Version,
    pub(super) code: Option<&'a [u8]>,
    pub(super) status: Option<u16>,
    pub(super) message: Option<&'a [u8]>,
}

/// Takes a response line apart.
pub(super) fn response_line<'a>(line: &'a [u8], events: &mut Events) -> ResponseLine<'a> {
    let mut parts = ResponseLine::default();
    let (_, rest) = split_while(line, |byte| is_space(byte) || byte == 0);
    let (protocol, rest) = split_while(rest, |byte| !is_space(byte));
    if !protocol.is_empty() {
        parts.protocol = Some(protocol);
        parts.version = version(protocol, events);
        let (delimiter, rest) = split_while(rest, is_space);
        let (code, rest) = split_while(rest, |byte| !is_space(byte));
        if !delimiter.is_empty() && !code.is_empty() {
            parts.code = Some(code);
            parts.status = status(code);
            let (delimiter, message) = split_while(rest, |byte| byte.is_ascii_whitespace());
            parts.message = (!delimiter.is_empty()).then(|| without_line_end(message));
        }
    }
    events.set_if(parts.version == Version::Unknown, Event::ResponseLineInvalidProtocol);
    events.set_if(parts.status.is_none(), Event::ResponseLineInvalidStatus);
    parts
}

/// A status code of three digits.
fn status(code: &[u8]) -> Option<u16> {
    if !code.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(code).ok()?.parse().ok().filter(|status| (100..=999).contains(status))
}

/// Whether a line is so far from a response line that browsers show it as part of the page.
pub(super) fn is_no_response_line(line: &[u8]) -> bool {
    let (_, rest) = split_while(line, |byte| is_space(byte) || byte == 0);
    !rest.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"http"))
}

/// Whether a response line may begin like this; nothing as long as that is not known.
pub(super) fn may_be_response_line(line: &[u8]) -> Option<bool> {
    const NAME: &[u8] = b"HTTP/";
    let (_, rest) = split_while(line, |byte| is_space(byte) || byte == 0);
    let known = rest.len().min(NAME.len());
    let fits = rest.iter().zip(NAME).all(|(byte, name)| byte.eq_ignore_ascii_case(name));
    if fits && known < NAME.len() { None } else { Some(fits) }
}

/// Whether nothing stands on a line.
pub(super) fn is_empty_line(line: &[u8]) -> bool {
    matches!(line, b"\r" | b"\n" | b"\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &[u8]) -> (RequestLine<'_>, Events) {
        let mut events = Events::default();
        let parts = request_line(line, &mut events);
        (parts, events)
    }

    #[test]
    fn a_request_line_is_taken_apart() {
        let (parts, events) = request(b"GET /a b HTTP/1.1");
        assert_eq!((parts.method, parts.uri), (&b"GET"[..], Some(&b"/a b"[..])));
        assert_eq!((parts.protocol, parts.version), (Some(&b"HTTP/1.1"[..]), Version::V1_1));
        assert_eq!(events, Events::default());
        let (parts, _) = request(b"GET\t/a\tHTTP/1.0");
        assert_eq!((parts.uri, parts.version), (Some(&b"/a"[..]), Version::V1_0));
    }

    #[test]
    fn a_line_without_a_protocol_is_of_the_first_version() {
        assert_eq!(request(b"GET /a").0.version, Version::V0_9);
        assert_eq!(request(b"GET").0.uri, None);
        assert!(request(b"FOO").1.has(Event::UnknownMethod));
        assert!(request(b"FOO /x").1.has(Event::UnknownMethodNoProtocol));
        assert!(request(b"FOO /x HTTQ/1.1").1.has(Event::UnknownMethodInvalidProtocol));
        assert!(request(b" GET /x HTTP/1.1").1.has(Event::RequestLineLeadingSpace));
    }

    #[test]
    fn a_response_line_is_taken_apart() {
        let mut events = Events::default();
        let parts = response_line(b"HTTP/1.1 404 Not Found\r\n", &mut events);
        assert_eq!((parts.version, parts.status), (Version::V1_1, Some(404)));
        assert_eq!((parts.code, parts.message), (Some(&b"404"[..]), Some(&b"Not Found"[..])));
        assert_eq!(events, Events::default());
        let parts = response_line(b"HTTP/3.7 2x0", &mut events);
        assert_eq!((parts.status, parts.message), (None, None));
        assert!(
            events.has(Event::ResponseLineInvalidProtocol) && events.has(Event::ResponseLineInvalidStatus)
        );
    }

    #[test]
    fn a_version_may_be_written_with_spaces_and_zeros() {
        let mut events = Events::default();
        assert_eq!(version(b"http / 001.1", &mut events), Version::V1_1);
        assert!(events.has(Event::ProtocolExtraData));
        assert_eq!(version(b"HTTP/1.1x", &mut events), Version::Unknown);
        assert_eq!(version(b"HTTP/0.9", &mut Events::default()), Version::V0_9);
    }

    #[test]
    fn what_does_not_say_http_is_no_response_line() {
        assert!(is_no_response_line(b"<html>"));
        assert!(is_no_response_line(b"HTT"));
        assert!(!is_no_response_line(b" \0\r\nhTTp"));
    }
}
