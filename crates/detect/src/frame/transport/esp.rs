//! The header of ESP. What it carries is encrypted.

use super::super::decoder::Run;
use super::super::ip::protocol;
use super::super::{Event, Packet};
use super::Transport;

/// Reads a datagram.
pub(crate) fn read<'a>(packet: &mut Packet<'a>, datagram: &'a [u8]) {
    if Run::layer(packet).is_err() {
        return;
    }
    let Some((header, payload)) = datagram.split_first_chunk::<8>() else {
        packet.wrong(Event::EspTooSmall);
        return;
    };
    packet.transport = Transport::Esp(header);
    packet.protocol = protocol::ESP;
    packet.payload = payload;
    packet.has_flow = true;
}
