//! All protocols that are understood.

use super::{Protocol, ProtocolId, dns, ftp, imap, mdns, pop3, smtp, ssh, telnet, tftp};

/// All of them. In the order in which they are tried where several could be meant.
pub static PROTOCOLS: &[&Protocol] = &[
    &dns::PROTOCOL,
    &ftp::DATA_PROTOCOL,
    &ftp::PROTOCOL,
    &imap::PROTOCOL,
    &mdns::PROTOCOL,
    &pop3::PROTOCOL,
    &smtp::PROTOCOL,
    &ssh::PROTOCOL,
    &telnet::PROTOCOL,
    &tftp::PROTOCOL,
];

/// The protocol of this id.
#[must_use]
pub fn protocol(id: ProtocolId) -> Option<&'static Protocol> {
    PROTOCOLS.iter().copied().find(|protocol| protocol.id == id)
}
