//! The parts of a packet that rules look into as buffers: `tcp.hdr`, `ip.src`.

use super::{Packet, Transport};
use crate::app::{Family, Field};

/// The IPv4 header with its options.
pub const IPV4_HEADER: Field = Field::new(Family::Packet, 32);
/// The IPv6 header with its extension headers.
pub const IPV6_HEADER: Field = Field::new(Family::Packet, 33);
/// The TCP header with its options.
pub const TCP_HEADER: Field = Field::new(Family::Packet, 34);
/// The UDP header.
pub const UDP_HEADER: Field = Field::new(Family::Packet, 35);
/// The ICMP header of IPv4.
pub const ICMP4_HEADER: Field = Field::new(Family::Packet, 36);
/// The ICMP header of IPv6.
pub const ICMP6_HEADER: Field = Field::new(Family::Packet, 37);
/// The source address: 4 or 16 bytes.
pub const IP_SOURCE: Field = Field::new(Family::Packet, 38);
/// The destination address: 4 or 16 bytes.
pub const IP_DESTINATION: Field = Field::new(Family::Packet, 39);

/// All of them, by the names that rules have.
pub const PACKET_BUFFERS: &[(&str, Field)] = &[
    ("icmpv4.hdr", ICMP4_HEADER),
    ("icmpv6.hdr", ICMP6_HEADER),
    ("ip.dst", IP_DESTINATION),
    ("ip.src", IP_SOURCE),
    ("ipv4.hdr", IPV4_HEADER),
    ("ipv6.hdr", IPV6_HEADER),
    ("tcp.hdr", TCP_HEADER),
    ("udp.hdr", UDP_HEADER),
];

/// The buffer of this name.
#[must_use]
pub fn packet_buffer(name: &str) -> Option<Field> {
    PACKET_BUFFERS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
}

/// Its bytes, if the packet has such a part.
#[must_use]
pub fn bytes<'a>(packet: &Packet<'a>, field: Field) -> Option<&'a [u8]> {
    let ip = packet.ip.as_ref();
    match field {
        IPV4_HEADER => ip?.v4().map(|header| header.bytes()),
        IPV6_HEADER => ip?.v6().map(|header| header.bytes()),
        IP_SOURCE => ip.map(|header| header.source_bytes()),
        IP_DESTINATION => ip.map(|header| header.destination_bytes()),
        _ => match (field, &packet.transport) {
            (TCP_HEADER, Transport::Tcp(header)) => Some(header.bytes()),
            (UDP_HEADER, Transport::Udp(header)) => Some(header.bytes()),
            (ICMP4_HEADER, Transport::Icmp4(header)) => Some(header.bytes()),
            (ICMP6_HEADER, Transport::Icmp6(header)) => Some(header.bytes()),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Frame, each};
    use super::*;

    fn lengths(frame: &[u8]) -> Vec<(&'static str, usize)> {
        let mut found = Vec::new();
        each(frame, &mut |packet| {
            for (name, field) in PACKET_BUFFERS {
                if let Some(bytes) = bytes(packet, *field) {
                    found.push((*name, bytes.len()));
                }
            }
        });
        found
    }

    #[test]
    fn a_packet_has_the_headers_that_it_has() {
        let tcp4 = lengths(&Frame::v4().tcp_options(&[1, 1, 1, 1]).tcp(b"data").bytes());
        assert_eq!(tcp4, [("ip.dst", 4), ("ip.src", 4), ("ipv4.hdr", 20), ("tcp.hdr", 24)]);
        let udp6 = lengths(&Frame::v6().udp(1, 2, b"data").bytes());
        assert_eq!(udp6, [("ip.dst", 16), ("ip.src", 16), ("ipv6.hdr", 40), ("udp.hdr", 8)]);
        let icmp = lengths(&Frame::v4().icmp4(13, 0, &[0; 20]).bytes());
        assert_eq!(icmp, [("icmpv4.hdr", 20), ("ip.dst", 4), ("ip.src", 4), ("ipv4.hdr", 20)]);
    }

    #[test]
    fn extension_headers_belong_to_the_header_of_ipv6() {
        let frame = Frame::v6().extension(60, &[1, 4, 0, 0, 0, 0]).icmp6(128, 0, b"xxxxdata").bytes();
        assert!(lengths(&frame).contains(&("ipv6.hdr", 48)), "{:?}", lengths(&frame));
        assert!(lengths(&frame).contains(&("icmpv6.hdr", 8)));
    }

    #[test]
    fn a_name_that_is_none_is_not_found() {
        assert_eq!(packet_buffer("ip.src"), Some(IP_SOURCE));
        assert_eq!(packet_buffer("ether.hdr"), None);
    }
}
