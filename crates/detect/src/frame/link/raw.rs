//! Links without a header: IP at once, of the version that its first half byte says.

use super::super::decoder::{Outcome, Run, Unread};
use super::super::{Event, Packet, ip};

/// Bytes that any IP header has at least.
const IP_BYTES_MIN: usize = 20;

/// Reads a frame that is IP and nothing else.
pub(crate) fn read<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, frame: &'a [u8]) -> Outcome {
    let version = match frame.first() {
        Some(first) if frame.len() >= IP_BYTES_MIN => first >> 4,
        _ => {
            packet.wrong(Event::Ipv4TooSmall);
            return Err(Unread);
        }
    };
    let is_too_long = frame.len() > ip::DATAGRAM_BYTES_MAX;
    match version {
        4 | 6 if is_too_long => return Err(Unread),
        4 => {
            let _ = ip::v4::read(run, packet, frame);
        }
        6 => {
            let _ = ip::v6::read(run, packet, frame);
        }
        _ => packet.odd(Event::RawVersion),
    }
    Ok(())
}
