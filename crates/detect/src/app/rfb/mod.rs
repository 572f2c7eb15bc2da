//! RFB, the protocol of VNC: its handshake.
//!
//! Upon the server's version: the flow's one exchange is opened; each message of the handshake, from either side in its turn,
//! adds to it.
//! Upon the server's description of the screen, and upon anything that does not fit: the exchange is complete, and the rest of
//! the flow is passed over.
//!
//! Not here: pictures, keys and pointers, and what follows security types that the standard does not describe.

mod keywords;
mod parser;
mod record;
#[cfg(test)]
mod tests;
mod transaction;

use super::{Protocol, ProtocolId, Signature, Transport};
use crate::Direction;
pub use parser::RfbParser;
pub use transaction::RfbTransaction;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Rfb,
    name: "rfb",
    keywords: keywords::KEYWORDS,
    events: &[
        "unimplemented_security_type",
        "unknown_security_result",
        "malformed_message",
        "confused_state",
    ],
    frames: &[keywords::FRAME],
    signatures: &[signature(Direction::ToServer), signature(Direction::ToClient)],
    probes: &[],
    begin: |_| Protocol::boxed(RfbParser::default()),
};

const fn signature(direction: Direction) -> Signature {
    Signature {
        transport: Transport::Tcp,
        direction,
        bytes: b"RFB ",
        nocase: true,
        from: 0,
        until: 4,
        confirm: None,
    }
}
