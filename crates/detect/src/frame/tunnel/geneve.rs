//! GENEVE: Ethernet or IP in UDP, behind a header with options that are skipped.

use super::super::decoder::{Outcome, Reader, Run, Unread};
use super::super::ip::{v4, v6};
use super::super::link::{self, ether_type};
use super::super::{Event, Packet};

/// Bits of the second byte that must be 0.
const RESERVED: u8 = 0x3f;

/// Reads the header and the inner packet.
pub(crate) fn read(run: &mut Run<'_>, packet: &mut Packet<'_>, payload: &[u8]) -> Outcome {
    let (header, rest) = payload.split_first_chunk::<8>().ok_or(Unread)?;
    Run::layer(packet)?;
    let (options, inner) = rest.split_at_checked(usize::from(header[0] & 0x3f) * 4).ok_or(Unread)?;
    let is_right = header[0] >> 6 == 0 && header[1] & RESERVED == 0 && header[7] == 0;
    if !is_right || !options_fit(options) {
        return Err(Unread);
    }
    let reader: Reader = match u16::from_be_bytes([header[2], header[3]]) {
        ether_type::IPV4 => v4::read,
        ether_type::IPV6 => v6::read,
        ether_type::BRIDGE => link::read_ethernet,
        ether_type::ARP => return Ok(()),
        _ => {
            packet.wrong(Event::GenevePayload);
            return Ok(());
        }
    };
    let _ = run.tunnel(packet, inner, reader);
    Ok(())
}

/// Whether the options' own lengths add up to the length of them all.
fn options_fit(mut options: &[u8]) -> bool {
    while let [_, _, _, length, ..] = options {
        match options.get(4 + usize::from(length & 0x1f) * 4..) {
            Some(rest) => options = rest,
            None => return false,
        }
    }
    options.is_empty()
}
