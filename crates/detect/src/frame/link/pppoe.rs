//! PPP over Ethernet: discovery, and sessions that carry PPP without its HDLC header.

use super::super::decoder::{Outcome, Run, Unread};
use super::super::{Event, Packet, ip};
use super::ppp::{self, Kind};

/// The codes of discovery: PADI, PADO, PADR, PADS, PADT.
const CODES: [u8; 5] = [0x09, 0x07, 0x19, 0x65, 0xa7];

/// Reads a message of discovery: only whether it is one.
pub(crate) fn read_discovery(packet: &mut Packet<'_>, bytes: &[u8]) -> Outcome {
    let Some((header, tags)) = bytes.split_first_chunk::<6>() else {
        packet.wrong(Event::PppoeTooSmall);
        return Err(Unread);
    };
    if !CODES.contains(&header[1]) {
        packet.wrong(Event::PppoeCode);
    } else if usize::from(u16::from_be_bytes([header[4], header[5]])) > tags.len() {
        packet.wrong(Event::PppoeTags);
    }
    Ok(())
}

/// Reads a frame of a session.
pub(crate) fn read_session<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8]) -> Outcome {
    let Some((header, rest)) = bytes.split_first_chunk::<7>() else {
        packet.wrong(Event::PppoeTooSmall);
        return Err(Unread);
    };
    if header[4] == 0 && header[5] == 0 {
        return Ok(());
    }
    let (protocol, rest) = if header[6] & 1 != 0 {
        (u16::from(header[6]), rest)
    } else {
        let Some((second, rest)) = rest.split_first() else {
            packet.wrong(Event::PppoeTooSmall);
            return Err(Unread);
        };
        (u16::from_be_bytes([header[6], *second]), rest)
    };
    let kind = ppp::kind(protocol);
    match kind {
        Kind::Control => {}
        Kind::Unsupported => packet.odd(Event::PppUnsupported),
        Kind::Unknown => packet.wrong(Event::PppType),
        Kind::Ipv4 | Kind::Ipv6 | Kind::VanJacobson => {
            if ppp::check_length(packet, kind, rest).is_err() {
                return Ok(());
            }
            if rest.len() > ip::DATAGRAM_BYTES_MAX {
                return Err(Unread);
            }
            let _ = ppp::read_ip(run, packet, kind, rest);
        }
    }
    Ok(())
}
