//! What Linux makes of a link when it captures on all interfaces: "cooked" headers, versions 1 and 2.

use super::super::decoder::{Outcome, Run, Unread};
use super::super::{Event, Packet};
use super::read_type;

/// Reads version 1: 16 bytes, the EtherType last.
pub(crate) fn read<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, frame: &'a [u8]) -> Outcome {
    let Some((header, rest)) = frame.split_first_chunk::<16>() else {
        packet.wrong(Event::CookedTooSmall);
        return Err(Unread);
    };
    Run::layer(packet)?;
    let _ = read_type(run, packet, u16::from_be_bytes([header[14], header[15]]), rest);
    Ok(())
}

/// Reads version 2: 20 bytes, the EtherType first.
pub(crate) fn read_2<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, frame: &'a [u8]) -> Outcome {
    let Some((header, rest)) = frame.split_first_chunk::<20>() else {
        packet.wrong(Event::Cooked2TooSmall);
        return Err(Unread);
    };
    Run::layer(packet)?;
    let _ = read_type(run, packet, u16::from_be_bytes([header[0], header[1]]), rest);
    Ok(())
}
