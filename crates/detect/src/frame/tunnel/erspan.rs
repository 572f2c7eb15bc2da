//! ERSPAN type II: a mirrored Ethernet frame, and the VLAN it came from. (Type I is Ethernet in GRE.)

use super::super::decoder::{Outcome, Run, Unread};
use super::super::link;
use super::super::{Event, Packet};

/// The version number of type II.
const VERSION: u16 = 1;

/// Reads the header and the frame.
pub(crate) fn read<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8]) -> Outcome {
    let Some((header, frame)) = bytes.split_first_chunk::<8>() else {
        packet.odd(Event::ErspanTooSmall);
        return Err(Unread);
    };
    Run::layer(packet)?;
    let word = u16::from_be_bytes([header[0], header[1]]);
    if word >> 12 != VERSION {
        packet.odd(Event::ErspanVersion);
        return Err(Unread);
    }
    let vlan = word & 0x0fff;
    if vlan != 0 {
        if !packet.vlan.has_room() {
            packet.odd(Event::ErspanVlanLayers);
            return Err(Unread);
        }
        packet.vlan.push(vlan);
    }
    link::read_ethernet(run, packet, frame)
}
