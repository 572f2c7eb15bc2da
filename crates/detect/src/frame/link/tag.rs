//! The tags of port extenders: VNTag (802.1Qbh) and E-Tag (802.1BR). What they say is skipped.

use super::super::decoder::{Outcome, Run, Unread};
use super::super::{Event, Packet};
use super::read_type;

/// Reads a VNTag: 4 bytes and a type.
pub(crate) fn read_vntag<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8]) -> Outcome {
    let Some((header, rest)) = bytes.split_first_chunk::<6>() else {
        packet.wrong(Event::VntagTooSmall);
        return Err(Unread);
    };
    Run::layer(packet)?;
    read_type(run, packet, u16::from_be_bytes([header[4], header[5]]), rest).map_err(|_unknown| {
        packet.wrong(Event::VntagType);
        Unread
    })
}

/// Reads an E-Tag: 6 bytes and a type.
pub(crate) fn read_etag<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8]) -> Outcome {
    let Some((header, rest)) = bytes.split_first_chunk::<8>() else {
        packet.wrong(Event::EtagTooSmall);
        return Err(Unread);
    };
    Run::layer(packet)?;
    read_type(run, packet, u16::from_be_bytes([header[6], header[7]]), rest).map_err(|_unknown| {
        packet.wrong(Event::EtagType);
        Unread
    })
}
