//! The common header of SCTP. Its chunks are the payload.

use super::super::ip::protocol;
use super::super::{Event, Packet};
use super::Transport;

/// Reads a datagram.
pub(crate) fn read<'a>(packet: &mut Packet<'a>, datagram: &'a [u8]) {
    let Some((header, payload)) = datagram.split_first_chunk::<12>() else {
        packet.wrong(Event::SctpTooSmall);
        return;
    };
    packet.transport = Transport::Sctp(header);
    packet.source_port = u16::from_be_bytes([header[0], header[1]]);
    packet.destination_port = u16::from_be_bytes([header[2], header[3]]);
    packet.protocol = protocol::SCTP;
    packet.payload = payload;
    packet.has_flow = true;
}
