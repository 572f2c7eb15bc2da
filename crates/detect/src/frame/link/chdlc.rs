//! Cisco's HDLC: address, control, and an EtherType.

use super::super::decoder::{Outcome, Run, Unread};
use super::super::{Event, Packet, ip};
use super::read_type;

/// Reads a frame of Cisco's HDLC.
pub(crate) fn read<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, frame: &'a [u8]) -> Outcome {
    let Some((header, rest)) = frame.split_first_chunk::<4>() else {
        packet.wrong(Event::HdlcTooSmall);
        return Err(Unread);
    };
    if rest.len() > ip::DATAGRAM_BYTES_MAX {
        return Err(Unread);
    }
    Run::layer(packet)?;
    let _ = read_type(run, packet, u16::from_be_bytes([header[2], header[3]]), rest);
    Ok(())
}
