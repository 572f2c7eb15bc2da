//! ARP for IPv4 over Ethernet: who has an address, and who says so.

use super::super::decoder::{Outcome, Run, Unread};
use super::super::{Event, Packet};
use super::ether_type;
use core::net::Ipv4Addr;

const HARDWARE_ETHERNET: u16 = 1;
/// Request, reply, and the two of reverse ARP.
const OPERATIONS: core::ops::RangeInclusive<u16> = 1..=4;

/// An ARP message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arp<'a> {
    bytes: &'a [u8; 28],
}

impl Arp<'_> {
    /// 1 asks, 2 answers; 3 and 4 the same for reverse ARP.
    #[must_use]
    pub fn operation(&self) -> u16 {
        u16::from_be_bytes([self.bytes[6], self.bytes[7]])
    }

    /// The sender's Ethernet address.
    #[must_use]
    pub fn source_hardware(&self) -> [u8; 6] {
        let bytes = self.bytes;
        [bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13]]
    }

    /// The sender's IP address.
    #[must_use]
    pub fn source(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.bytes[14], self.bytes[15], self.bytes[16], self.bytes[17])
    }

    /// The Ethernet address asked for, or of the one answered.
    #[must_use]
    pub fn destination_hardware(&self) -> [u8; 6] {
        let bytes = self.bytes;
        [bytes[18], bytes[19], bytes[20], bytes[21], bytes[22], bytes[23]]
    }

    /// The IP address asked for, or of the one answered.
    #[must_use]
    pub fn destination(&self) -> Ipv4Addr {
        Ipv4Addr::new(self.bytes[24], self.bytes[25], self.bytes[26], self.bytes[27])
    }
}

/// Reads an ARP message.
pub(crate) fn read<'a>(_run: &mut Run<'_>, packet: &mut Packet<'a>, bytes: &'a [u8]) -> Outcome {
    let Some(start) = bytes.first_chunk::<8>() else {
        packet.wrong(Event::ArpTooSmall);
        return Err(Unread);
    };
    Run::layer(packet)?;
    let fault = if u16::from_be_bytes([start[0], start[1]]) != HARDWARE_ETHERNET {
        Event::ArpHardware
    } else if u16::from_be_bytes([start[2], start[3]]) != ether_type::IPV4 {
        Event::ArpProtocol
    } else if bytes.len() < 28 {
        Event::ArpInvalid
    } else if start[4] != 6 {
        Event::ArpHardwareSize
    } else if start[5] != 4 {
        Event::ArpProtocolSize
    } else if !OPERATIONS.contains(&u16::from_be_bytes([start[6], start[7]])) {
        Event::ArpOperation
    } else {
        packet.arp = bytes.first_chunk().map(|bytes| Arp { bytes });
        return Ok(());
    };
    packet.wrong(fault);
    Err(Unread)
}
