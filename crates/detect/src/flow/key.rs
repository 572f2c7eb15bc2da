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

/// What nobody else knows, so that nobody can choose flows that are slow to find. It shows in no result.
#[derive(Clone, Copy, Default)]
pub struct Secret(pub [u64; 2]);

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

    /// What a table finds it by: a number made of it and of a secret. Who does not know the secret cannot choose keys that have the same.
    pub(crate) fn tag(&self, secret: Secret) -> u32 {
        let one = secret.0[0] ^ 0x9e37_79b9_7f4a_7c15;
        let other = secret.0[1] ^ 0xff51_afd7_ed55_8ccd;
        // The upper half of a product depends on all bits of both, the lower half makes up for what the upper one loses.
        let fold = |one: u64, other: u64| {
            let product = u128::from(one) * u128::from(other);
            product as u64 ^ (product >> 64) as u64
        };
        let [low, high] = self.addresses;
        let ends = if self.is_v6 {
            let low = fold(low as u64 ^ one, (low >> 64) as u64 ^ other);
            fold(high as u64 ^ low ^ one, (high >> 64) as u64 ^ other)
        } else {
            (low as u64) << 32 | high as u64
        };
        let [near, far] = self.ports.map(u64::from);
        let rest = near | far << 16 | u64::from(self.protocol) << 32 | u64::from(self.depth) << 40;
        let mut sum = fold(ends ^ one, rest ^ u64::from(self.is_v6) << 48 ^ other);
        if self.vlan != [0; 3] {
            let vlan = self.vlan.iter().fold(0, |all, id| all << 16 | u64::from(*id));
            sum = fold(sum ^ vlan ^ one, other);
        }
        (fold(sum ^ other, one) >> 32) as u32
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn key(source: u32, port: u16, is_v6: bool) -> FlowKey {
        FlowKey {
            addresses: [u128::from(source), 0x0a00_0001],
            ports: [port, 80],
            vlan: [0; 3],
            protocol: 6,
            depth: 0,
            is_v6,
        }
    }

    /// How many of the lowest bits of tags that so many keys have there are, of `1 << bits`.
    fn spread(keys: impl Iterator<Item = FlowKey>, secret: Secret, bits: u32) -> usize {
        keys.map(|key| key.tag(secret) & ((1 << bits) - 1)).collect::<BTreeSet<u32>>().len()
    }

    #[test]
    fn every_part_of_a_key_counts_whatever_the_secret_is() {
        for secret in [Secret::default(), Secret([1, 2]), Secret([u64::MAX, 77])] {
            for is_v6 in [false, true] {
                let one = key(5, 1000, is_v6);
                let others = [
                    FlowKey { addresses: [6, 0x0a00_0001], ..one },
                    FlowKey { addresses: [5, 0x0a00_0002], ..one },
                    FlowKey { ports: [1001, 80], ..one },
                    FlowKey { ports: [1000, 81], ..one },
                    FlowKey { vlan: [1, 0, 0], ..one },
                    FlowKey { vlan: [0, 1, 0], ..one },
                    FlowKey { protocol: 17, ..one },
                    FlowKey { depth: 1, ..one },
                    FlowKey { is_v6: !is_v6, ..one },
                ];
                let tags: BTreeSet<u32> = others.iter().chain([&one]).map(|key| key.tag(secret)).collect();
                assert_eq!(tags.len(), others.len() + 1);
                assert_eq!(one.tag(secret), one.tag(secret));
            }
        }
        let far = FlowKey { addresses: [5 | 1 << 70, 0x0a00_0001], ..key(5, 1000, true) };
        assert_ne!(far.tag(Secret::default()), key(5, 1000, true).tag(Secret::default()));
    }

    #[test]
    fn keys_that_are_alike_are_spread_and_those_that_share_a_tag_do_not_with_another_secret() {
        let (secret, other) = (Secret([3, 4]), Secret([5, 6]));
        // Of 4,096 balls in as many boxes 63 of 100 boxes have one at least.
        for is_v6 in [false, true] {
            assert!(spread((0..4096).map(|port| key(9, port, is_v6)), secret, 12) > 2400);
            assert!(spread((0..4096).map(|source| key(source, 9, is_v6)), secret, 12) > 2400);
        }
        // An attacker who knew one secret: all keys that share the lowest ten bits under it.
        let chosen = || {
            let all = (0..1 << 20u32).map(|number| key(number >> 10, number as u16 & 0x3ff, false));
            all.filter(|key| key.tag(secret) & 0x3ff == 7)
        };
        assert!(chosen().count() > 700 && spread(chosen(), secret, 10) == 1);
        assert!(spread(chosen(), other, 10) > 500);
    }
}
