//! MPLS: a stack of labels, and something that does not say what it is.
//!
//! The bottom label says IPv4 or IPv6 only if it is one of the two "explicit null" ones; else the first half byte of
//! what follows is taken for the IP version, and 0 for the control word in front of Ethernet.

use super::super::decoder::{Outcome, Run, Unread};
use super::super::{Event, Packet, ip};
use super::ethernet;

const LABEL_IPV4: u32 = 0;
const LABEL_ROUTER_ALERT: u32 = 1;
const LABEL_IPV6: u32 = 2;
const LABEL_IMPLICIT_NULL: u32 = 3;
/// The last label that is reserved; itself it is let pass.
const LABEL_RESERVED_LAST: u32 = 15;
/// Bytes of the control word of a pseudo-wire.
const CONTROL_BYTES: usize = 4;

/// Reads the labels and what is below them.
pub(crate) fn read<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8]) -> Outcome {
    Run::layer(packet)?;
    let (label, rest) = bottom(packet, bytes)?;
    match label {
        LABEL_IPV4 => return read_ip(run, packet, rest, 4),
        LABEL_IPV6 => return read_ip(run, packet, rest, 6),
        LABEL_ROUTER_ALERT => packet.odd(Event::MplsRouterAlert),
        LABEL_IMPLICIT_NULL => packet.odd(Event::MplsImplicitNull),
        _ if label < LABEL_RESERVED_LAST => packet.odd(Event::MplsReserved),
        _ => return guess(run, packet, rest),
    }
    Ok(())
}

fn bottom<'a>(packet: &mut Packet<'a>, mut bytes: &'a [u8]) -> Result<(u32, &'a [u8]), Unread> {
    loop {
        let Some((entry, rest)) = bytes.split_first_chunk::<4>() else {
            packet.wrong(Event::MplsHeaderTooSmall);
            return Err(Unread);
        };
        let entry = u32::from_be_bytes(*entry);
        bytes = rest;
        if entry & 0x100 != 0 {
            return Ok((entry >> 12, rest));
        }
    }
}

fn guess<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8]) -> Outcome {
    let Some((control, frame)) = bytes.split_first_chunk::<CONTROL_BYTES>() else {
        packet.wrong(Event::MplsTooSmall);
        return Err(Unread);
    };
    match control[0] >> 4 {
        version @ (4 | 6) => {
            if bytes.len() > ip::DATAGRAM_BYTES_MAX {
                return Err(Unread);
            }
            let _ = read_ip(run, packet, bytes, version);
        }
        0 => {
            let _ = ethernet::read(run, packet, frame);
        }
        _ => packet.wrong(Event::MplsPayload),
    }
    Ok(())
}

fn read_ip<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8], version: u8) -> Outcome {
    if bytes.len() > ip::DATAGRAM_BYTES_MAX {
        return Err(Unread);
    }
    if version == 4 { ip::v4::read(run, packet, bytes) } else { ip::v6::read(run, packet, bytes) }
}
