//! The header of UDP, and the tunnels that may be inside.

use super::super::decoder::Run;
use super::super::ip::protocol;
use super::super::{Event, Packet, tunnel};
use super::Transport;

/// A UDP header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Udp<'a> {
    bytes: &'a [u8; 8],
}

impl<'a> Udp<'a> {
    /// The header.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8; 8] {
        self.bytes
    }

    /// Bytes of header and payload, as the header says.
    #[must_use]
    pub fn length(&self) -> u16 {
        u16::from_be_bytes([self.bytes[4], self.bytes[5]])
    }

    /// The checksum as it stands there; 0 is none.
    #[must_use]
    pub fn checksum(&self) -> u16 {
        u16::from_be_bytes([self.bytes[6], self.bytes[7]])
    }
}

/// Reads a datagram. What is behind its own length is left out.
#[inline]
pub(crate) fn read<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, datagram: &'a [u8]) {
    let Some((header, _)) = datagram.split_first_chunk::<8>() else {
        packet.wrong(Event::UdpHeaderTooSmall);
        return;
    };
    let udp = Udp { bytes: header };
    let Some(whole) = datagram.get(..usize::from(udp.length())) else {
        packet.wrong(Event::UdpTooSmall);
        return;
    };
    let Some(payload) = whole.get(header.len()..) else {
        packet.wrong(Event::UdpLength);
        return;
    };
    packet.transport = Transport::Udp(udp);
    packet.source_port = u16::from_be_bytes([header[0], header[1]]);
    packet.destination_port = u16::from_be_bytes([header[2], header[3]]);
    packet.protocol = protocol::UDP;
    packet.payload = payload;
    packet.has_flow = true;
    read_tunnel(run, packet, payload);
}

/// Looks for a tunnel where one may be, by the ports.
#[inline]
fn read_tunnel(run: &mut Run<'_>, packet: &mut Packet<'_>, payload: &[u8]) {
    let (source, destination) = (packet.source_port, packet.destination_port);
    let settings = run.settings;
    if settings.teredo.include(source, destination) && tunnel::teredo::read(run, packet, payload).is_ok() {
        return;
    }
    if settings.geneve.include(source, destination) && tunnel::geneve::read(run, packet, payload).is_ok() {
        return;
    }
    if settings.vxlan.include(source, destination) {
        let _ = tunnel::vxlan::read(run, packet, payload);
    }
}
