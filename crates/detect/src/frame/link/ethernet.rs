//! Ethernet, and Cisco's FabricPath around it.

use super::super::decoder::{Outcome, Run, Unread};
use super::super::{Event, Packet};
use super::read_type;

/// Bytes between a FabricPath type and the Ethernet header that follows it.
const FABRIC_TAG_BYTES: usize = 2;
/// Bytes of an Ethernet header.
const HEADER_BYTES: usize = 14;

/// Reads an Ethernet frame. An EtherType that is not known is odd, no more.
#[inline]
pub(crate) fn read<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, frame: &'a [u8]) -> Outcome {
    let Some((header, rest)) = frame.split_first_chunk::<HEADER_BYTES>() else {
        packet.wrong(Event::EthernetTooSmall);
        return Err(Unread);
    };
    Run::layer(packet)?;
    packet.ethernet = Some(header);
    let _ = read_type(run, packet, u16::from_be_bytes([header[12], header[13]]), rest);
    Ok(())
}

/// Reads what follows the type of FabricPath: a tag, and another Ethernet frame.
pub(crate) fn read_fabric<'a>(run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8]) -> Outcome {
    match bytes.split_at_checked(FABRIC_TAG_BYTES) {
        Some((_, frame)) if frame.len() >= HEADER_BYTES => read(run, packet, frame),
        _ => {
            packet.wrong(Event::DceTooSmall);
            Err(Unread)
        }
    }
}
