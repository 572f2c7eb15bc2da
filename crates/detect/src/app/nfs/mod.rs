//! NFS 2, 3 and 4 over RPC, over TCP and UDP.
//!
//! Upon a call: what it names is remembered under its number; it opens an exchange, unless it reads, writes or commits.
//! Upon a reply: the exchange of its number is complete.
//! Upon reads and writes: all pieces of a file make one exchange with one file in each direction, until the last piece, a
//! commit, or a close.
//! Upon a record too long to wait for: reads and writes of NFS 3 are taken as they come.
//! Upon a hole: in a file, zeros stand for what is missing; elsewhere the next record is searched for, and exchanges before it
//! are complete.
//!
//! Not here: mounting, locking, records that come in several fragments, and what RPCSEC_GSS encrypts.

mod compound;
mod frames;
mod keywords;
mod names;
mod parser;
mod record;
mod rpc;
mod state;
#[cfg(test)]
mod tests;
mod transaction;
mod transfers;
mod v2;
mod v3;
mod v4;

use super::{Probe, Protocol, ProtocolId, Transport};
use crate::Direction;
pub use parser::NfsParser;
pub use transaction::NfsTransaction;

const PORTS: &[(u16, u16)] = &[(2049, 2049)];

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Nfs,
    name: "nfs",
    keywords: keywords::KEYWORDS,
    events: &["malformed_data", "non_existing_version", "unsupported_version", "too_many_transactions"],
    frames: frames::NAMES,
    signatures: &[],
    probes: &[
        Probe {
            transport: Transport::Tcp,
            ports: PORTS,
            direction: Direction::ToServer,
            least: 32,
            look: rpc::looks_right_from_client,
        },
        Probe {
            transport: Transport::Tcp,
            ports: PORTS,
            direction: Direction::ToClient,
            least: 32,
            look: rpc::looks_right_from_server,
        },
        Probe {
            transport: Transport::Udp,
            ports: PORTS,
            direction: Direction::ToServer,
            least: 32,
            look: rpc::looks_right_in_call,
        },
        Probe {
            transport: Transport::Udp,
            ports: PORTS,
            direction: Direction::ToClient,
            least: 32,
            look: rpc::looks_right_in_reply,
        },
    ],
    begin: |_| Protocol::boxed(NfsParser::default()),
};
