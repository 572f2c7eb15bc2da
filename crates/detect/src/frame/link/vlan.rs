//! VLAN tags (802.1Q, 802.1ad, QinQ: three at most), and the header of provider backbones (802.1ah).

use super::super::decoder::{Outcome, Run, Unread};
use super::super::{Event, Packet};
use super::read_type;

/// Reads a tag. What follows an unknown type is not a packet.
pub(crate) fn read<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8]) -> Outcome {
    let Some((header, rest)) = bytes.split_first_chunk::<4>() else {
        packet.wrong(Event::VlanTooSmall);
        return Err(Unread);
    };
    Run::layer(packet)?;
    if !packet.vlan.has_room() {
        packet.odd(Event::VlanLayers);
        return Err(Unread);
    }
    packet.vlan.push(u16::from_be_bytes([header[0], header[1]]) & 0x0fff);
    read_type(run, packet, u16::from_be_bytes([header[2], header[3]]), rest).map_err(|_unknown| {
        packet.wrong(Event::VlanType);
        Unread
    })
}

/// Reads the header of a provider backbone: flags, the customer's two addresses, a type.
///
/// It counts as a layer, so that a frame full of them ends somewhere.
pub(crate) fn read_provider<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8]) -> Outcome {
    let Some((header, rest)) = bytes.split_first_chunk::<18>() else {
        packet.wrong(Event::ProviderTooSmall);
        return Err(Unread);
    };
    Run::layer(packet)?;
    let _ = read_type(run, packet, u16::from_be_bytes([header[16], header[17]]), rest);
    Ok(())
}
