//! All protocols that are understood.

use super::{Protocol, ProtocolId, quic, tls};

/// All of them. In the order in which they are tried where several could be meant.
pub static PROTOCOLS: &[&Protocol] = &[&quic::PROTOCOL, &tls::PROTOCOL];
use super::{Protocol, ProtocolId, dcerpc, krb5, nfs, rdp, rfb, smb};
pub static PROTOCOLS: &[&Protocol] =
    &[&dcerpc::PROTOCOL, &krb5::PROTOCOL, &nfs::PROTOCOL, &rdp::PROTOCOL, &rfb::PROTOCOL, &smb::PROTOCOL];
use super::{Protocol, ProtocolId, dns, ftp, imap, mdns, pop3, smtp, ssh, telnet, tftp};
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
use super::{Protocol, ProtocolId, http1};
pub static PROTOCOLS: &[&Protocol] = &[&http1::PROTOCOL];

/// The protocol of this id.
#[must_use]
pub fn protocol(id: ProtocolId) -> Option<&'static Protocol> {
    PROTOCOLS.iter().copied().find(|protocol| protocol.id == id)
}

/// The frame of this name, as a parser shows it: `http1.request`, or `request` where the rule's protocol is known.
pub(crate) fn frame_name(name: &str, layers: &[ProtocolId]) -> Option<&'static str> {
    let known = || PROTOCOLS.iter().flat_map(|protocol| protocol.frames.iter().map(move |frame| (protocol.id, *frame)));
    known().find(|(_, frame)| *frame == name).or_else(|| {
        known().find(|(protocol, frame)| {
            layers.contains(protocol) && frame.split_once('.').is_some_and(|(_, rest)| rest == name)
        })
    })
    .map(|(_, frame)| frame)
}
