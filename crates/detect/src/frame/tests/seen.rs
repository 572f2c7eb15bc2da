//! What came out of a frame, for the tests of this folder.

use super::super::link::link_type;
use super::super::{Checksum, Decoder, Event, Packet, Settings, Transport};
use crate::Time;
use core::net::IpAddr;

/// What is worth knowing of a packet when its frame is gone.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) source: IpAddr,
    pub(crate) ports: (u16, u16),
    pub(crate) protocol: u8,
    pub(crate) depth: u8,
    pub(crate) vlan: Vec<u16>,
    pub(crate) transport: &'static str,
    pub(crate) payload: Vec<u8>,
    pub(crate) events: Vec<&'static str>,
    pub(crate) has_ip: bool,
    pub(crate) is_invalid: bool,
    pub(crate) is_fragment: bool,
    pub(crate) is_reassembled: bool,
    pub(crate) hides_payload: bool,
    pub(crate) has_flow: bool,
    checksums: Vec<(Checksum, Option<bool>)>,
}

impl Seen {
    fn of(packet: &Packet<'_>) -> Self {
        let all = [
            Checksum::Ipv4,
            Checksum::Tcp4,
            Checksum::Tcp6,
            Checksum::Udp4,
            Checksum::Udp6,
            Checksum::Icmp4,
            Checksum::Icmp6,
        ];
        Seen {
            source: packet.source,
            ports: (packet.source_port, packet.destination_port),
            protocol: packet.protocol,
            depth: packet.depth,
            vlan: packet.vlan.ids().to_vec(),
            transport: match packet.transport {
                Transport::None => "none",
                Transport::Tcp(_) => "tcp",
                Transport::Udp(_) => "udp",
                Transport::Icmp4(_) => "icmp4",
                Transport::Icmp6(_) => "icmp6",
                Transport::Sctp(_) => "sctp",
                Transport::Esp(_) => "esp",
                Transport::Gre(_) => "gre",
                Transport::Other => "other",
            },
            payload: packet.payload.to_vec(),
            events: packet.events.iter().map(Event::name).collect(),
            has_ip: packet.ip.is_some(),
            is_invalid: packet.is_invalid,
            is_fragment: packet.is_fragment,
            is_reassembled: packet.is_reassembled,
            hides_payload: packet.hides_payload,
            has_flow: packet.has_flow,
            checksums: all.iter().map(|which| (*which, which.is_valid(packet))).collect(),
        }
    }

    pub(crate) fn checksum(&self, which: Checksum) -> Option<bool> {
        self.checksums.iter().find(|(known, _)| *known == which).and_then(|(_, is_valid)| *is_valid)
    }
}

/// Shows each packet of an Ethernet frame.
pub(crate) fn each(frame: &[u8], show: &mut dyn FnMut(&Packet<'_>)) {
    Decoder::new(Settings::default()).decode(Time(0), link_type::ETHERNET, frame, show);
}

/// The packets of a frame of some link.
pub(crate) fn packets_of(link: u16, frame: &[u8]) -> Vec<Seen> {
    feed(&mut Decoder::default(), 0, link, frame)
}

/// The packets of an Ethernet frame.
pub(crate) fn packets(frame: &[u8]) -> Vec<Seen> {
    packets_of(link_type::ETHERNET, frame)
}

/// The packets of a frame that comes in this second.
pub(crate) fn feed(decoder: &mut Decoder, seconds: u64, link: u16, frame: &[u8]) -> Vec<Seen> {
    let mut seen = Vec::new();
    decoder.decode(Time(seconds * 1_000_000_000), link, frame, &mut |packet| seen.push(Seen::of(packet)));
    seen
}

/// The only packet of an Ethernet frame.
pub(crate) fn only(frame: &[u8]) -> Seen {
    let mut all = packets(frame);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// The events of the only packet of an Ethernet frame.
pub(crate) fn events(frame: &[u8]) -> Vec<&'static str> {
    only(frame).events
}
