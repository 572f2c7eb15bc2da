//! Which packets belong to one flow: those between the same two ends, whichever way, with the same protocol, VLANs and depth of tunnels.

use crate::frame::Packet;
use core::net::IpAddr;

/// What the packets of a flow have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct FlowKey {
    low: (IpAddr, u16),
    high: (IpAddr, u16),
    protocol: u8,
    depth: u8,
    vlan: [u16; 3],
}

impl FlowKey {
    /// The key of what goes between these ends, and is otherwise like `packet`.
    pub(crate) fn between(
        packet: &Packet<'_>,
        source: (IpAddr, u16),
        destination: (IpAddr, u16),
        protocol: u8,
    ) -> Self {
        let (low, high) = if source <= destination { (source, destination) } else { (destination, source) };
        FlowKey { low, high, protocol, depth: packet.depth, vlan: packet.vlan.places() }
    }

    /// The VLAN tags, outermost first.
    pub(crate) fn vlan(&self) -> impl Iterator<Item = u16> {
        self.vlan.into_iter().filter(|id| *id != 0)
    }

    /// A number made of it, the same on every machine: FNV-1a over its words, mixed once more so that all bits count.
    pub(crate) fn hash(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        let mut add = |word: u64| {
            hash ^= word;
            hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
            hash ^= hash >> 29;
        };
        for (address, port) in [self.low, self.high] {
            match address {
                IpAddr::V4(address) => add(u64::from(u32::from(address))),
                IpAddr::V6(address) => {
                    let bits = u128::from(address);
                    add(bits as u64);
                    add((bits >> 64) as u64);
                }
            }
            add(u64::from(port));
        }
        add(u64::from(self.protocol) | u64::from(self.depth) << 8);
        for id in self.vlan.iter().filter(|id| **id != 0) {
            add(u64::from(*id) | 1 << 32);
        }
        hash ^= hash >> 33;
        hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash ^ hash >> 33
    }
}
