//! HTTP/2: frames, compressed headers, streams, and DNS that is carried by them.
//!
//! `connection` is the parser: frames and the streams that they are about; `frame` what single frames say; `hpack` and `huffman` are the compression of headers;
//! `exchange` is a stream as rules see it, `fields` what the fields of HTTP are in it; `keywords` what HTTP/2 has for itself; `event` what was odd;
//! `record` what EVE gets.
//!
//! A stream is an exchange; a frame of the connection as a whole is one of its own. Where a stream carries a DNS message, the flow
//! is called `doh2` from then on, and the stream also answers the keywords of DNS.
//!
//! Not here: putting together what was asked for in ranges; HTTP/2 within TLS, which nobody can read.

pub(crate) mod connection;
mod event;
mod exchange;
mod fields;
mod frame;
mod hpack;
mod huffman;
mod keywords;
mod record;

pub use connection::Connection;
pub use exchange::Exchange;

use super::{Looked, Probe, Protocol, ProtocolId, Signature, Transport};
use crate::Direction;

/// Bytes of the first frame of a server at most.
const FIRST_FRAME_BYTES_MAX: usize = 16_384;
/// How much of the preface no other protocol says.
const SIGN: &[u8] = b"PRI * HTTP/2.0\r\n";

/// HTTP/2.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Http2,
    name: "http2",
    keywords: keywords::KEYWORDS,
    events: event::NAMES,
    frames: &["http2.hdr", "http2.data", "http2.pdu"],
    signatures: &[Signature {
        transport: Transport::Tcp,
        direction: Direction::ToServer,
        bytes: SIGN,
        nocase: false,
        from: 0,
        until: SIGN.len() as u16,
        confirm: None,
    }],
    probes: &[Probe {
        transport: Transport::Tcp,
        ports: &[(80, 80)],
        direction: Direction::ToClient,
        least: frame::HEAD_BYTES,
        look: look_at_server,
    }],
    begin: |_| Protocol::boxed(Connection::new()),
};

/// DNS over HTTP/2: never recognised, a connection of HTTP/2 turns out to be it.
pub static DNS_PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Doh2,
    name: "doh2",
    keywords: &[],
    events: event::NAMES,
    frames: &[],
    signatures: &[],
    probes: &[],
    begin: |_| Protocol::boxed(Connection::new()),
};

/// A server begins with its settings.
fn look_at_server(said: &[u8]) -> Looked {
    let Some(head) = frame::Head::read(said) else { return Looked::Unsure };
    let is_first = !head.is_reserved && head.length <= FIRST_FRAME_BYTES_MAX && head.flags & 0xfe == 0;
    if is_first && head.kind == frame::SETTINGS { Looked::Yes } else { Looked::No }
}

#[cfg(test)]
mod tests;
