//! Which packets belong to one flow: those between the same two ends, whichever way, with the same protocol, VLANs and depth of tunnels.

use crate::frame::Packet;
use core::net::IpAddr;

/// What the packets of a flow have in common. In plain numbers, since it is made, compared and hashed for each packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FlowKey {
    /// The lower end first.
    addresses: [u128; 2],
    ports: [u16; 2],
    vlan: [u16; 3],
    protocol: u8,
    depth: u8,
    is_v6: bool,
}

/// Which end of a key's two something comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Lower,
    Higher,
}

impl End {
    pub(crate) fn other(self) -> Self {
        match self {
            End::Lower => End::Higher,
            End::Higher => End::Lower,
        }
    }
}

impl FlowKey {
    /// The key of what goes between these ends, and is otherwise like `packet`, and which of the two the source is.
    pub(crate) fn between(
        packet: &Packet<'_>,
        source: (&IpAddr, u16),
        destination: (&IpAddr, u16),
        protocol: u8,
    ) -> (Self, End) {
        let near = (number(source.0), source.1);
        let far = (number(destination.0), destination.1);
        let (low, high, end) = if near <= far { (near, far, End::Lower) } else { (far, near, End::Higher) };
        let key = FlowKey {
            addresses: [low.0, high.0],
            ports: [low.1, high.1],
            vlan: packet.vlan.places(),
            protocol,
            depth: packet.depth,
            is_v6: source.0.is_ipv6(),
        };
        (key, end)
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
        for (address, port) in self.addresses.into_iter().zip(self.ports) {
            add(address as u64);
            if self.is_v6 {
                add((address >> 64) as u64);
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

fn number(address: &IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(*address)),
        IpAddr::V6(address) => u128::from(*address),
    }
}
