//! The keywords of HTTP, for both of its versions.
//!
//! Each buffer has its name of today (`http.uri`, which what follows looks into); many have an older one with an
//! underscore that means the same, and some a form that stands behind the `content` that it is about (`content:"x";
//! http_uri;`). `urilen` asks for the length of the URI.
//!
//! Not here: `uricontent:"x"` and the letters of `pcre` (`/x/U`), which are the rule language's other ways to say
//! `http.uri` and its like.

use super::field;
use crate::app::{Buffer, Field, Keyword, ProtocolId, Sides, Takes, Test, Verdict, file, http1, http2};
use crate::{Complaint, NumberTest};
use std::any::Any;

/// Who has these keywords.
const BOTH: &[ProtocolId] = &[ProtocolId::Http1, ProtocolId::Http2, ProtocolId::Doh2];
/// Of these HTTP/2 has nothing that is like it.
const FIRST: &[ProtocolId] = &[ProtocolId::Http1];
/// The longest URI that `urilen` can ask for.
const URI_BYTES_MAX: u64 = u16::MAX as u64;

const fn buffer(field: Field, sides: Sides) -> Buffer {
    Buffer { field, sides, protocols: BOTH }
}

const fn sticky(name: &'static str, field: Field, sides: Sides) -> Keyword {
    Keyword { name, takes: Takes::Buffer(buffer(field, sides)) }
}

const fn modifier(name: &'static str, field: Field, sides: Sides) -> Keyword {
    Keyword { name, takes: Takes::Modifier(buffer(field, sides)) }
}

const fn start(name: &'static str) -> Keyword {
    let buffer = Buffer { field: field::START, sides: Sides::Both, protocols: FIRST };
    Keyword { name, takes: Takes::Buffer(buffer) }
}

/// All of them.
pub static KEYWORDS: &[Keyword] = &[
    sticky("http.uri", field::URI, Sides::ToServer),
    sticky("http.uri.raw", field::URI_RAW, Sides::ToServer),
    sticky("http.method", field::METHOD, Sides::ToServer),
    sticky("http.protocol", field::PROTOCOL, Sides::Both),
    sticky("http.request_line", field::REQUEST_LINE, Sides::ToServer),
    sticky("http.response_line", field::RESPONSE_LINE, Sides::ToClient),
    sticky("http.stat_code", field::STATUS_CODE, Sides::ToClient),
    sticky("http.stat_msg", field::STATUS_MESSAGE, Sides::ToClient),
    sticky("http.header", field::HEADER, Sides::Both),
    sticky("http.header.raw", field::HEADER_RAW, Sides::Both),
    sticky("http.header_names", field::HEADER_NAMES, Sides::Both),
    start("http.start"),
    sticky("http.request_header", field::REQUEST_HEADER, Sides::ToServer),
    sticky("http.response_header", field::RESPONSE_HEADER, Sides::ToClient),
    sticky("http.host", field::HOST, Sides::ToServer),
    sticky("http.host.raw", field::HOST_RAW, Sides::ToServer),
    sticky("http.cookie", field::COOKIE, Sides::Both),
    sticky("http.user_agent", field::USER_AGENT, Sides::ToServer),
    sticky("http.referer", field::REFERER, Sides::ToServer),
    sticky("http.accept", field::ACCEPT, Sides::ToServer),
    sticky("http.accept_lang", field::ACCEPT_LANGUAGE, Sides::ToServer),
    sticky("http.accept_enc", field::ACCEPT_ENCODING, Sides::ToServer),
    sticky("http.connection", field::CONNECTION, Sides::Both),
    sticky("http.content_len", field::CONTENT_LENGTH, Sides::Both),
    sticky("http.content_type", field::CONTENT_TYPE, Sides::Both),
    sticky("http.location", field::LOCATION, Sides::ToClient),
    sticky("http.server", field::SERVER, Sides::ToClient),
    sticky("http.request_body", field::REQUEST_BODY, Sides::ToServer),
    sticky("http.response_body", file::DATA, Sides::ToClient),
    sticky("http_protocol", field::PROTOCOL, Sides::Both),
    sticky("http_request_line", field::REQUEST_LINE, Sides::ToServer),
    sticky("http_response_line", field::RESPONSE_LINE, Sides::ToClient),
    sticky("http_header_names", field::HEADER_NAMES, Sides::Both),
    start("http_start"),
    sticky("http_referer", field::REFERER, Sides::ToServer),
    sticky("http_accept", field::ACCEPT, Sides::ToServer),
    sticky("http_accept_lang", field::ACCEPT_LANGUAGE, Sides::ToServer),
    sticky("http_accept_enc", field::ACCEPT_ENCODING, Sides::ToServer),
    sticky("http_connection", field::CONNECTION, Sides::Both),
    sticky("http_content_len", field::CONTENT_LENGTH, Sides::Both),
    sticky("http_content_type", field::CONTENT_TYPE, Sides::Both),
    modifier("http_uri", field::URI, Sides::ToServer),
    modifier("http_raw_uri", field::URI_RAW, Sides::ToServer),
    modifier("http_method", field::METHOD, Sides::ToServer),
    modifier("http_header", field::HEADER, Sides::Both),
    modifier("http_raw_header", field::HEADER_RAW, Sides::Both),
    modifier("http_cookie", field::COOKIE, Sides::Both),
    modifier("http_user_agent", field::USER_AGENT, Sides::ToServer),
    modifier("http_host", field::HOST, Sides::ToServer),
    modifier("http_raw_host", field::HOST_RAW, Sides::ToServer),
    modifier("http_client_body", field::REQUEST_BODY, Sides::ToServer),
    modifier("http_server_body", file::DATA, Sides::ToClient),
    modifier("http_stat_code", field::STATUS_CODE, Sides::ToClient),
    modifier("http_stat_msg", field::STATUS_MESSAGE, Sides::ToClient),
    Keyword { name: "urilen", takes: Takes::Test(uri_length) },
];

/// `urilen:CONDITION[,norm|,raw]`: the length of the URI, normalised unless it says otherwise.
fn uri_length(text: &str) -> Result<Test, Complaint> {
    let (condition, raw) = match text.split_once(',') {
        None => (text, false),
        Some((condition, which)) => match which.trim() {
            "norm" => (condition, false),
            "raw" => (condition, true),
            other => return Err(Complaint::new(format!("urilen: '{other}' is neither 'norm' nor 'raw'"))),
        },
    };
    let condition = NumberTest::parse(condition, URI_BYTES_MAX, &[])?;
    let field = if raw { field::URI_RAW } else { field::URI };
    Ok(Test::of_any(Sides::ToServer, BOTH, move |transaction, _| match length_of_uri(transaction, field) {
        Length::Unknown => Verdict::Open,
        Length::Known(length) if condition.holds(length) => Verdict::Holds,
        Length::Known(_) | Length::None => Verdict::Fails,
    }))
}

/// How long a URI is.
enum Length {
    /// It may still come.
    Unknown,
    /// There is none.
    None,
    /// So many bytes.
    Known(u64),
}

/// Whoever has these fields, and is not yet asked here, is asked here.
fn length_of_uri(transaction: &dyn Any, field: Field) -> Length {
    let length = if let Some(exchange) = transaction.downcast_ref::<http1::Exchange>() {
        exchange.uri_length(field)
    } else if let Some(exchange) = transaction.downcast_ref::<http2::Exchange>() {
        exchange.uri_length()
    } else {
        return Length::None;
    };
    match length {
        None => Length::Unknown,
        Some(None) => Length::None,
        Some(Some(length)) => Length::Known(length as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_keyword_is_there_twice() {
        let names: BTreeSet<&str> = KEYWORDS.iter().map(|keyword| keyword.name).collect();
        assert_eq!(names.len(), KEYWORDS.len());
    }

    #[test]
    fn a_condition_on_the_length_of_the_uri_that_makes_no_sense_is_refused() {
        for text in ["", "x", "5,cooked", "70000", "9<>3"] {
            assert!(uri_length(text).is_err(), "{text}");
        }
        for text in ["5", "<5", ">5", "3<>7", "5,norm", "5, raw", ">5 , raw"] {
            assert!(uri_length(text).is_ok(), "{text}");
        }
    }
}
