//! DCERPC over TCP and UDP; and for SMB, which carries it in named pipes, what its units look like and its keywords.
//!
//! Upon a bind or an alter context: the interfaces asked for are remembered under their contexts; the exchange waits for the
//! answer.
//! Upon its answer: each interface is accepted or not.
//! Upon a request or a response, each fragment alone over TCP: the exchange has the operation and the stub, complete with it.
//! (A second fragment opens an
//! exchange of its own, as Suricata counts them.)
//! Upon a datagram: its fragments are collected until the last one.
//! Upon a hole in the stream: broken, since where the next unit begins cannot be known.
//!
//! Not here: what the stubs mean, encrypted stubs, and calls over HTTP.

mod datagram;
pub(crate) mod interface;
mod keywords;
mod parser;
pub(crate) mod pdu;
mod record;
pub(crate) mod stub;
#[cfg(test)]
pub(crate) mod tests;
mod transaction;

use super::bytes::Reader;
use super::{Looked, Protocol, ProtocolId, Signature, Transport};
use crate::Direction;
pub(crate) use keywords::STUB_DATA;
pub use parser::DcerpcParser;
pub(crate) use record::stub as stub_record;
pub use transaction::DcerpcTransaction;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Dcerpc,
    name: "dcerpc",
    keywords: keywords::KEYWORDS,
    events: &[],
    frames: &[keywords::FRAME_UNIT, keywords::FRAME_HEADER, keywords::FRAME_DATA],
    signatures: &[
        signature(Transport::Tcp, Direction::ToServer, b"\x05\x00", looks_right_from_client),
        signature(Transport::Tcp, Direction::ToClient, b"\x05\x00", looks_right_from_server),
        signature(Transport::Udp, Direction::ToServer, b"\x04\x00", datagram::looks_right),
    ],
    probes: &[],
    begin: |_| Protocol::boxed(DcerpcParser::default()),
};

const fn signature(
    transport: Transport,
    direction: Direction,
    bytes: &'static [u8],
    confirm: fn(&[u8]) -> Looked,
) -> Signature {
    Signature { transport, direction, bytes, nocase: false, from: 0, until: 2, confirm: Some(confirm) }
}

/// Whether it is a unit that clients send.
fn looks_right_from_client(bytes: &[u8]) -> Looked {
    match looks_right(bytes) {
        Some(true) => Looked::Yes,
        Some(false) => Looked::Reversed,
        None => Looked::No,
    }
}

/// Whether it is a unit that servers send.
fn looks_right_from_server(bytes: &[u8]) -> Looked {
    match looks_right(bytes) {
        Some(true) => Looked::Reversed,
        Some(false) => Looked::Yes,
        None => Looked::No,
    }
}

/// If it looks like a unit: whether it is a client's.
fn looks_right(bytes: &[u8]) -> Option<bool> {
    let header = pdu::Header::read(&mut Reader::new(bytes))?;
    let is_plausible = header.major == 5
        && header.minor == 0
        && header.representation[0] & 0xee == 0
        && header.representation[1] <= 3;
    is_plausible.then_some(matches!(
        header.kind,
        pdu::kind::REQUEST | pdu::kind::BIND | pdu::kind::ALTER_CONTEXT | AUTH3
    ))
}

/// The third leg of authentication, which a client sends.
const AUTH3: u8 = 16;
