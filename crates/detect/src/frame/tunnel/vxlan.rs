//! VXLAN: Ethernet in UDP. The inner Ethernet header is skipped: only IP and VLAN inside it make a packet.

use super::super::decoder::{Outcome, Reader, Run, Unread};
use super::super::ip::{v4, v6};
use super::super::link::{self, ether_type};
use super::super::{Event, Packet};

/// The network identifier is valid.
const HAS_NETWORK: u8 = 0x08;

/// Reads the header and the inner packet.
pub(crate) fn read(run: &mut Run<'_>, packet: &mut Packet<'_>, payload: &[u8]) -> Outcome {
    let (header, rest) = payload.split_first_chunk::<8>().ok_or(Unread)?;
    let (ethernet, inner) = rest.split_first_chunk::<14>().ok_or(Unread)?;
    Run::layer(packet)?;
    if header[0] & HAS_NETWORK == 0 || header[7] != 0 {
        return Err(Unread);
    }
    let reader: Reader = match u16::from_be_bytes([ethernet[12], ethernet[13]]) {
        ether_type::IPV4 => v4::read,
        ether_type::IPV6 => v6::read,
        ether_type::VLAN | ether_type::PROVIDER_VLAN | ether_type::QINQ => link::read_vlan,
        ether_type::ARP => return Ok(()),
        _ => {
            packet.wrong(Event::VxlanPayload);
            return Ok(());
        }
    };
    let _ = run.tunnel(packet, inner, reader);
    Ok(())
}
