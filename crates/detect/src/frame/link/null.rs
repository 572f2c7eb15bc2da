//! Loopback links of BSD: an address family, then IP. The family is in the byte order of the machine that captured
//! (taken as little-endian) for "null", in network order for "loop".

use super::super::decoder::{Outcome, Run, Unread};
use super::super::{Event, Packet, ip};

const FAMILY_IPV4: u32 = 2;
/// IPv6, as Linux, Windows, NetBSD, Solaris, FreeBSD and macOS number it.
const FAMILIES_IPV6: [u32; 6] = [10, 23, 24, 26, 28, 30];

/// Reads a frame of the link "null".
pub(crate) fn read<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, frame: &'a [u8]) -> Outcome {
    let (family, rest) = split(packet, frame)?;
    read_family(run, packet, u32::from_le_bytes(family), rest)
}

/// Reads a frame of the link "loop".
pub(crate) fn read_loop<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, frame: &'a [u8]) -> Outcome {
    let (family, rest) = split(packet, frame)?;
    read_family(run, packet, u32::from_be_bytes(family), rest)
}

fn split<'a>(packet: &mut Packet<'a>, frame: &'a [u8]) -> Result<([u8; 4], &'a [u8]), Unread> {
    match frame.split_first_chunk::<4>() {
        Some((family, rest)) => Ok((*family, rest)),
        None => {
            packet.wrong(Event::NullTooSmall);
            Err(Unread)
        }
    }
}

fn read_family<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, family: u32, rest: &'a [u8]) -> Outcome {
    if rest.len() > ip::DATAGRAM_BYTES_MAX {
        return Err(Unread);
    }
    if family == FAMILY_IPV4 {
        let _ = ip::v4::read(run, packet, rest);
    } else if FAMILIES_IPV6.contains(&family) {
        let _ = ip::v6::read(run, packet, rest);
    } else {
        packet.odd(Event::NullType);
    }
    Ok(())
}
