//! HTTP/1: requests and responses over a stream, as servers and browsers understand them rather than as they should be.
//!
//! In the order in which bytes pass: `connection` is the state of both sides and which exchange each is at; `request`
//! and `response` are the steps of the two sides; `line` takes first lines apart, `header` finds headers, `head`
//! keeps them, `forms` writes them as rules want them; `target` is what a request is for, `uri`, `decode` and
//! `best_fit` what becomes of its URI; `framing` is how a body is sent; `chunk` is the length of a chunk; `entity` is
//! a body on its way, `multipart` the files in an upload; `exchange` is what rules see; `event` what was odd;
//! `record` what EVE gets.
//!
//! Promises: nothing that browsers would show is hidden by a malformed message, as far as is known (lines that are no
//! response line, chunk lengths that are none, content codings that are wrong, headers over several lines, odd line
//! ends). Both directions go on behind a gap within a body. Memory of a connection is bounded: a field that is not
//! complete, a head, exchanges that wait, what is looked at of a body.
//!
//! Not here: HTTP/2, into which a connection may change (`Upgrade: h2c`), `file.data`, and what a tunnel carries (it
//! is recognised anew).

mod authorization;
mod best_fit;
mod chunk;
mod connection;
mod decode;
mod entity;
mod event;
mod exchange;
mod forms;
mod framing;
mod head;
mod header;
mod line;
mod multipart;
mod parameter;
mod record;
mod request;
mod response;
mod target;
mod text;
mod uri;

pub use connection::Connection;
pub use exchange::Exchange;

use super::http::keywords::KEYWORDS;
use super::{Protocol, ProtocolId, Signature, Transport};
use crate::Direction;

/// A method and the space behind it, or the server's version, at the very beginning.
const fn begins(direction: Direction, bytes: &'static [u8]) -> Signature {
    let until = bytes.len() as u16;
    Signature { transport: Transport::Tcp, direction, bytes, nocase: true, from: 0, until, confirm: None }
}

macro_rules! signatures {
    ($($method:literal)*) => {
        &[
            $(
                begins(Direction::ToServer, concat!($method, " ").as_bytes()),
                begins(Direction::ToServer, concat!($method, "\t").as_bytes()),
            )*
            begins(Direction::ToClient, b"HTTP/0.9"),
            begins(Direction::ToClient, b"HTTP/1.0"),
            begins(Direction::ToClient, b"HTTP/1.1"),
        ]
    };
}

static SIGNATURES: &[Signature] = signatures!(
    "GET" "PUT" "POST" "HEAD" "TRACE" "OPTIONS" "CONNECT" "DELETE" "PATCH" "PROPFIND" "PROPPATCH" "MKCOL" "COPY" "MOVE" "LOCK"
    "UNLOCK" "CHECKOUT" "UNCHECKOUT" "CHECKIN" "UPDATE" "LABEL" "REPORT" "MKWORKSPACE" "MKACTIVITY" "MERGE" "INVALID"
    "VERSION-CONTROL" "BASELINE-CONTROL"
);

/// HTTP/1.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Http1,
    name: "http",
    keywords: KEYWORDS,
    events: event::NAMES,
    frames: &["http1.request", "http1.response"],
    signatures: SIGNATURES,
    probes: &[],
    begin: |_| Protocol::boxed(Connection::new()),
};

#[cfg(test)]
mod tests;
