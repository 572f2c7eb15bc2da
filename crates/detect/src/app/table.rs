//! All protocols that are understood.

use super::{Protocol, ProtocolId, dns, ftp, mdns, smtp, ssh};

/// All of them. In the order in which they are tried where several could be meant.
pub static PROTOCOLS: &[&Protocol] =
    &[&dns::PROTOCOL, &ftp::DATA_PROTOCOL, &ftp::PROTOCOL, &mdns::PROTOCOL, &smtp::PROTOCOL, &ssh::PROTOCOL];

/// The protocol of this id.
#[must_use]
pub fn protocol(id: ProtocolId) -> Option<&'static Protocol> {
    PROTOCOLS.iter().copied().find(|protocol| protocol.id == id)
}
