//! SMB 1, 2 and 3 over NetBIOS sessions (which is how port 445 carries them too).
//!
//! Upon a record: a request opens an exchange or several (a pair of AndX commands, a chain of SMB2 commands), its response
//! completes it.
//! What is read and written has no exchange for each record: all pieces of an open file make one exchange with one file, in
//! each direction, until the file is closed;
//! what goes through a named pipe makes exchanges of DCERPC.
//! Upon a record too long to wait for: reads and writes are taken as they come, everything else waits until it is whole.
//! Upon a hole: in a file, zeros stand for what is missing; elsewhere the next record is searched for, and exchanges before it
//! are complete.
//! Upon an encrypted record (SMB 3): frames only.
//!
//! Not here: what is inside encrypted or compressed records; SMB over QUIC; printing.

mod auth;
mod call;
mod events;
mod frames;
mod key;
mod keywords;
mod names;
mod nbss;
mod parser;
mod pipe;
mod record;
mod state;
mod stream;
#[cfg(test)]
mod tests;
mod transaction;
mod v1;
mod v2;

use super::{Looked, Probe, Protocol, ProtocolId, Signature, Transport};
use crate::Direction;
pub use call::Call;
pub use parser::SmbParser;
pub use transaction::SmbTransaction;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Smb,
    name: "smb",
    keywords: keywords::KEYWORDS,
    events: events::NAMES,
    frames: frames::NAMES,
    signatures: &[
        signature(Direction::ToServer, b"\xffSMB", nbss::looks_right_from_client),
        signature(Direction::ToClient, b"\xffSMB", nbss::looks_right_from_server),
        signature(Direction::ToServer, b"\xfeSMB", nbss::looks_right_from_client),
        signature(Direction::ToClient, b"\xfeSMB", nbss::looks_right_from_server),
        signature(Direction::ToServer, b"\xfdSMB", nbss::looks_right_from_client),
        signature(Direction::ToClient, b"\xfdSMB", nbss::looks_right_from_server),
    ],
    probes: &[
        probe(Direction::ToServer, nbss::looks_right_from_client),
        probe(Direction::ToClient, nbss::looks_right_from_server),
    ],
    begin: |_| Protocol::boxed(SmbParser::default()),
};

/// A record's signature stands behind the four bytes of NetBIOS.
const fn signature(direction: Direction, bytes: &'static [u8], confirm: fn(&[u8]) -> Looked) -> Signature {
    Signature {
        transport: Transport::Tcp,
        direction,
        bytes,
        nocase: false,
        from: 4,
        until: 8,
        confirm: Some(confirm),
    }
}

const fn probe(direction: Direction, look: fn(&[u8]) -> Looked) -> Probe {
    Probe { transport: Transport::Tcp, ports: &[(445, 445)], direction, least: nbss::LEAST_BYTES, look }
}
