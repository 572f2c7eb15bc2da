//! The network service header: a path for a chain of services, around IP, Ethernet or MPLS.

use super::super::decoder::{Outcome, Run, Unread};
use super::super::{Event, Packet, ip};
use super::{ethernet, mpls};

/// Bytes of the header if it has the fixed length of type 1.
const FIXED_BYTES: usize = 24;

/// Reads the header and what it says follows.
pub(crate) fn read<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8]) -> Outcome {
    let Some(header) = bytes.first_chunk::<8>() else {
        packet.wrong(Event::NshTooSmall);
        return Err(Unread);
    };
    Run::layer(packet)?;
    if header[0] >> 6 != 0 {
        packet.odd(Event::NshVersion);
        return Ok(());
    }
    let length = usize::from(header[1] & 0x3f) * 4;
    let payload = match bytes.split_at_checked(length) {
        Some((_, payload)) if !payload.is_empty() => payload,
        _ => {
            packet.wrong(Event::NshLength);
            return Err(Unread);
        }
    };
    match header[2] {
        0 | 0xf => {
            packet.odd(Event::NshTypeReserved);
            return Ok(());
        }
        1 if length != FIXED_BYTES => {
            packet.wrong(Event::NshLength);
            return Err(Unread);
        }
        1 | 2 => {}
        _ => {
            packet.odd(Event::NshType);
            return Ok(());
        }
    }
    let fits_ip = payload.len() <= ip::DATAGRAM_BYTES_MAX;
    match header[3] {
        1 if fits_ip => ip::v4::read(run, packet, payload),
        2 if fits_ip => ip::v6::read(run, packet, payload),
        1 | 2 => Err(Unread),
        3 => ethernet::read(run, packet, payload),
        5 => mpls::read(run, packet, payload),
        _ => {
            packet.odd(Event::NshPayload);
            Ok(())
        }
    }
}
