//! RDP: how a remote desktop is asked for and granted.
//!
//! Upon the first request, the server's answer, the client's and the server's settings, and the certificates if all goes on
//! inside TLS: an exchange each, complete at
//! once, in the direction in which it was said. Upon anything else in a well-formed packet: nothing.
//! Upon the server's settings or its certificates: the rest of the flow is passed over.
//!
//! Rules can ask whether a flow is RDP; there are no keywords that look further, here as in Suricata.
//!
//! Not here: what is encrypted, and what happens on the desktop.

mod certificates;
mod client;
mod message;
mod names;
mod parser;
mod record;
#[cfg(test)]
mod tests;

use super::{Looked, Probe, Protocol, ProtocolId, Transport};
use crate::Direction;
pub use parser::{RdpParser, RdpTransaction};

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Rdp,
    name: "rdp",
    keywords: &[],
    events: &[],
    frames: &[],
    signatures: &[],
    probes: &[probe(Direction::ToServer), probe(Direction::ToClient)],
    begin: |_| Protocol::boxed(RdpParser::default()),
};

const fn probe(direction: Direction) -> Probe {
    Probe { transport: Transport::Tcp, ports: &[(3389, 3389)], direction, least: 1, look: looks_right }
}

fn looks_right(bytes: &[u8]) -> Looked {
    if bytes.first() == Some(&message::VERSION) { Looked::Yes } else { Looked::No }
}
