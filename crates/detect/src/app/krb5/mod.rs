//! Kerberos 5 over UDP and TCP, as spoken with a key distribution centre.
//!
//! Upon a message that is understood (AS and TGS requests and replies, errors): an exchange of its own, complete at once, which
//! rules see in the direction of the message
//! alone.
//! Upon one that is not: it is passed over, unless it is no ASN.1 at all; then the newest exchange is marked and the flow is
//! broken.
//!
//! Messages are read by `kerberos-parser`.
//!
//! Not here: what is encrypted, and Kerberos inside other protocols.

mod keywords;
mod message;
mod parser;
mod record;
#[cfg(test)]
mod tests;
mod transaction;

use super::{Looked, Probe, Protocol, ProtocolId, Transport};
use crate::Direction;
pub use parser::Krb5Parser;
pub use transaction::Krb5Transaction;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Krb5,
    name: "krb5",
    keywords: keywords::KEYWORDS,
    events: &["malformed_data", "weak_encryption"],
    frames: &[],
    signatures: &[],
    probes: &[
        probe(Transport::Udp, Direction::ToServer, 11, message::looks_right),
        probe(Transport::Udp, Direction::ToClient, 11, message::looks_right),
        probe(Transport::Tcp, Direction::ToServer, 15, looks_right_behind_its_length),
        probe(Transport::Tcp, Direction::ToClient, 15, looks_right_behind_its_length),
    ],
    begin: |_| Protocol::boxed(Krb5Parser::default()),
};

/// Bytes that the first message over TCP may have.
const FIRST_MESSAGE_BYTES_MAX: u32 = 16_384;

const fn probe(transport: Transport, direction: Direction, least: usize, look: fn(&[u8]) -> Looked) -> Probe {
    Probe { transport, ports: &[(88, 88)], direction, least, look }
}

fn looks_right_behind_its_length(bytes: &[u8]) -> Looked {
    match bytes.split_first_chunk() {
        Some((length, message)) if u32::from_be_bytes(*length) <= FIRST_MESSAGE_BYTES_MAX => {
            message::looks_right(message)
        }
        Some(_) => Looked::No,
        None => Looked::Unsure,
    }
}
