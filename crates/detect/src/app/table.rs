//! All protocols that are understood.

use super::{Protocol, ProtocolId};

/// All of them. In the order in which they are tried where several could be meant.
pub static PROTOCOLS: &[&Protocol] = &[
    &super::http1::PROTOCOL,
    &super::http2::PROTOCOL,
    &super::http2::DNS_PROTOCOL,
    &super::tls::PROTOCOL,
    &super::dns::PROTOCOL,
    &super::smb::PROTOCOL,
    &super::dcerpc::PROTOCOL,
    &super::smtp::PROTOCOL,
    &super::ftp::PROTOCOL,
    &super::ftp::DATA_PROTOCOL,
    &super::ssh::PROTOCOL,
    &super::quic::PROTOCOL,
    &super::mdns::PROTOCOL,
    &super::krb5::PROTOCOL,
    &super::nfs::PROTOCOL,
    &super::rdp::PROTOCOL,
    &super::rfb::PROTOCOL,
    &super::telnet::PROTOCOL,
    &super::tftp::PROTOCOL,
    &super::pop3::PROTOCOL,
    &super::imap::PROTOCOL,
    &super::bittorrent_dht::PROTOCOL,
    &super::dhcp::PROTOCOL,
    &super::dnp3::PROTOCOL,
    &super::enip::PROTOCOL,
    &super::ike::PROTOCOL,
    &super::ldap::PROTOCOL,
    &super::modbus::PROTOCOL,
    &super::mqtt::PROTOCOL,
    &super::ntp::PROTOCOL,
    &super::pgsql::PROTOCOL,
    &super::sip::PROTOCOL,
    &super::snmp::PROTOCOL,
    &super::websocket::PROTOCOL,
];

/// The protocol of this id.
#[must_use]
pub fn protocol(id: ProtocolId) -> Option<&'static Protocol> {
    PROTOCOLS.iter().copied().find(|protocol| protocol.id == id)
}

/// The frame of this name, as a parser shows it: `http1.request`, or `request` where the rule's protocol is known.
pub(crate) fn frame_name(name: &str, layers: &[ProtocolId]) -> Option<&'static str> {
    let known = || {
        PROTOCOLS.iter().flat_map(|protocol| protocol.frames.iter().map(move |frame| (protocol.id, *frame)))
    };
    known()
        .find(|(_, frame)| *frame == name)
        .or_else(|| {
            known().find(|(protocol, frame)| {
                layers.contains(protocol) && frame.split_once('.').is_some_and(|(_, rest)| rest == name)
            })
        })
        .map(|(_, frame)| frame)
}
