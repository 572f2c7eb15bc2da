//! The fields of the family: what a rule can look into in an HTTP exchange.

use crate::app::{Family, Field};

macro_rules! fields {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal;)*) => {
        $($(#[doc = $doc])* pub const $name: Field = Field::new(Family::Http, $number);)*
    };
}

fields! {
    /// The URI after normalisation: path, query, fragment.
    URI = 0;
    /// The URI as it stands on the request line.
    URI_RAW = 1;
    /// The method.
    METHOD = 2;
    /// The protocol as the request line or the response line names it.
    PROTOCOL = 3;
    /// The request line, without its end.
    REQUEST_LINE = 4;
    /// The response line.
    RESPONSE_LINE = 5;
    /// The status code as it is written.
    STATUS_CODE = 6;
    /// What stands behind the status code.
    STATUS_MESSAGE = 7;
    /// All headers but cookies, one a line: `Name: value`.
    HEADER = 8;
    /// The header block as it came, its last empty line and trailers included.
    HEADER_RAW = 9;
    /// The names of all headers, one a line, between empty lines.
    HEADER_NAMES = 10;
    /// First line and all headers.
    START = 11;
    /// Each request header for itself: `Name: value`.
    REQUEST_HEADER = 12;
    /// Each response header for itself: `Name: value`.
    RESPONSE_HEADER = 13;
    /// The host: from the URI, else from the header; in small letters, without a port.
    HOST = 14;
    /// The host as it is written.
    HOST_RAW = 15;
    /// `Cookie` of the request, `Set-Cookie` of the response.
    COOKIE = 16;
    /// `User-Agent`.
    USER_AGENT = 17;
    /// `Referer`.
    REFERER = 18;
    /// `Accept`.
    ACCEPT = 19;
    /// `Accept-Language`.
    ACCEPT_LANGUAGE = 20;
    /// `Accept-Encoding`.
    ACCEPT_ENCODING = 21;
    /// `Connection`.
    CONNECTION = 22;
    /// `Content-Length`.
    CONTENT_LENGTH = 23;
    /// `Content-Type`.
    CONTENT_TYPE = 24;
    /// `Location`.
    LOCATION = 25;
    /// `Server`.
    SERVER = 26;
    /// The request's body, decoded.
    REQUEST_BODY = 27;
}

/// The field that is the value of one header, and the header's name in small letters.
#[must_use]
pub fn header_of(field: Field) -> Option<&'static [u8]> {
    Some(match field {
        USER_AGENT => b"user-agent",
        REFERER => b"referer",
        ACCEPT => b"accept",
        ACCEPT_LANGUAGE => b"accept-language",
        ACCEPT_ENCODING => b"accept-encoding",
        CONNECTION => b"connection",
        CONTENT_LENGTH => b"content-length",
        CONTENT_TYPE => b"content-type",
        LOCATION => b"location",
        SERVER => b"server",
        _ => return None,
    })
}
