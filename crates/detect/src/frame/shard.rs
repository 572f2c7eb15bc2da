//! Which share of the work a frame belongs to: a fixed function of its outermost pair of IP addresses.
//!
//! All frames of a flow, both ways, and all fragments of a datagram have the same value. A message that a datagram of
//! TCP or UDP could not be delivered (ICMP of IPv4, not in fragments) has the value of that datagram, since it
//! belongs to its flow. What has no IP has 0.
//!
//! It reads no more of a frame than it must, and is not told what is wrong with it.

use super::ip::protocol;
use super::link::{ether_type, link_type};

/// Headers between the link and IP at most: beyond that there is no IP.
const LAYERS_MAX: usize = 16;
/// Bits of a value that spread the addresses: the fractional part of the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
const ICMP_UNREACHABLE: u8 = 3;

/// The share of a frame of this link type.
#[must_use]
pub fn shard(link: u16, frame: &[u8]) -> u16 {
    if link == link_type::ETHERNET
        && let Some(head) = frame.first_chunk()
        && let Some(share) = of_usual(head)
    {
        return share;
    }
    find_ip(link, frame).and_then(of_ip).unwrap_or(0)
}

/// The same of IPv4 right behind Ethernet, if it is no ICMP, as it nearly always is: the length is looked at once.
fn of_usual(head: &[u8; 34]) -> Option<u16> {
    let [kind, other_kind, first] = [head[12], head[13], head[14]];
    let is_usual = u16::from_be_bytes([kind, other_kind]) == ether_type::IPV4
        && first >> 4 == 4
        && head[23] != protocol::ICMP;
    is_usual.then(|| of_pair(spread_4(&head[26..30]), spread_4(&head[30..34])))
}

fn of_ip(bytes: &[u8]) -> Option<u16> {
    match bytes.first()? >> 4 {
        4 => of_v4(bytes),
        6 => {
            let header = bytes.first_chunk::<40>()?;
            Some(of_pair(spread_16(&header[8..24]), spread_16(&header[24..40])))
        }
        _ => None,
    }
}

fn of_v4(bytes: &[u8]) -> Option<u16> {
    let header = bytes.first_chunk::<20>()?;
    let is_fragment = u16::from_be_bytes([header[6], header[7]]) & 0x3fff != 0;
    if header[9] == protocol::ICMP
        && !is_fragment
        && let Some(inner) = undelivered(bytes, usize::from(header[0] & 0x0f) * 4)
    {
        return Some(of_pair(spread_4(&inner[12..16]), spread_4(&inner[16..20])));
    }
    Some(of_pair(spread_4(&header[12..16]), spread_4(&header[16..20])))
}

/// The header of the datagram that an ICMP message says could not be delivered.
fn undelivered(bytes: &[u8], header_bytes: usize) -> Option<&[u8; 20]> {
    let total = usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]));
    let message = bytes.get(header_bytes..total)?;
    let (icmp, rest) = message.split_first_chunk::<8>()?;
    let (inner, ports) = rest.split_first_chunk::<20>()?;
    let needed = match inner[9] {
        protocol::TCP => 4,
        protocol::UDP => 8,
        _ => return None,
    };
    (icmp[0] == ICMP_UNREACHABLE && icmp[1] <= 15 && inner[0] >> 4 == 4 && ports.len() >= needed)
        .then_some(inner)
}

fn spread_4(address: &[u8]) -> u64 {
    let word = address.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    mix(u64::from(word) + 1)
}

fn spread_16(address: &[u8]) -> u64 {
    let (words, _) = address.as_chunks::<8>();
    words.iter().fold(2, |sum: u64, word| mix(sum ^ u64::from_be_bytes(*word)))
}

fn mix(value: u64) -> u64 {
    let value = value.wrapping_mul(SPREAD);
    (value ^ (value >> 32)).wrapping_mul(SPREAD)
}

/// Both ways the same: the sum does not know which came first.
fn of_pair(one: u64, other: u64) -> u16 {
    (mix(one.wrapping_add(other)) >> 48) as u16
}

/// The bytes from the outermost IP header on.
fn find_ip(link: u16, frame: &[u8]) -> Option<&[u8]> {
    match link {
        link_type::ETHERNET => behind_type(frame, 12),
        link_type::COOKED => behind_type(frame, 14),
        link_type::COOKED_2 => behind(be16(frame, 0)?, frame.get(20..)?),
        link_type::CISCO_HDLC => behind_type(frame, 2),
        link_type::NULL | link_type::LOOP => frame.get(4..),
        link_type::RAW
        | link_type::RAW_OPENBSD
        | link_type::RAW_ANY
        | link_type::IPV4
        | link_type::IPV6
        | link_type::GRE_OVER_IP => Some(frame),
        link_type::PPP => behind_ppp(frame.strip_prefix(&[0xff]).map_or(Some(frame), |rest| rest.get(1..))?),
        _ => None,
    }
}

/// The bytes from the IP header on that stands behind the EtherType at `at`.
fn behind_type(bytes: &[u8], at: usize) -> Option<&[u8]> {
    behind(be16(bytes, at)?, bytes.get(at + 2..)?)
}

fn behind(mut kind: u16, mut bytes: &[u8]) -> Option<&[u8]> {
    for _ in 0..LAYERS_MAX {
        let at = match kind {
            ether_type::IPV4 | ether_type::IPV6 => return Some(bytes),
            ether_type::VLAN | ether_type::PROVIDER_VLAN | ether_type::QINQ => 2,
            ether_type::VNTAG => 4,
            ether_type::ETAG => 6,
            ether_type::PROVIDER_BACKBONE => 16,
            ether_type::FABRIC_PATH => 14,
            ether_type::PPPOE_SESSION => return behind_ppp(bytes.get(6..)?),
            ether_type::MPLS | ether_type::MPLS_MULTICAST => {
                let rest = behind_labels(bytes)?;
                if rest.first()? >> 4 != 0 {
                    return Some(rest);
                }
                bytes = rest;
                16
            }
            ether_type::NSH => {
                let rest = bytes.get(usize::from(bytes.get(1)? & 0x3f) * 4..)?;
                match bytes.get(3)? {
                    1 | 2 => return Some(rest),
                    3 => bytes = rest,
                    _ => return None,
                }
                12
            }
            _ => return None,
        };
        kind = be16(bytes, at)?;
        bytes = bytes.get(at + 2..)?;
    }
    None
}

fn behind_labels(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let (entry, rest) = bytes.split_first_chunk::<4>()?;
        bytes = rest;
        if entry[2] & 1 != 0 {
            return Some(bytes);
        }
    }
}

fn behind_ppp(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [0x21 | 0x57 | 0x2f, rest @ ..] | [0, 0x21 | 0x57 | 0x2f, rest @ ..] => Some(rest),
        _ => None,
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    let word = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::super::tests::Frame;
    use super::*;

    const ETHERNET: u16 = link_type::ETHERNET;

    #[test]
    fn both_directions_have_the_same_share() {
        for frame in [Frame::v4(), Frame::v6()] {
            let there = shard(ETHERNET, &frame.clone().tcp(b"x").bytes());
            let back = shard(ETHERNET, &frame.swapped().udp(5, 6, b"y").bytes());
            assert_eq!(there, back);
            assert_ne!(there, 0);
        }
    }

    #[test]
    fn other_addresses_have_other_shares() {
        let mut shares: Vec<u16> = (1..=200)
            .map(|last| shard(ETHERNET, &Frame::v4().sent_by([10, 0, 0, last]).tcp(b"").bytes()))
            .collect();
        shares.sort_unstable();
        shares.dedup();
        assert!(shares.len() > 190, "{}", shares.len());
    }

    #[test]
    fn all_fragments_of_a_datagram_have_the_share_of_the_whole() {
        let whole = shard(ETHERNET, &Frame::v4().icmp4(3, 1, &[0; 64]).bytes());
        let first = shard(ETHERNET, &Frame::v4().fragment(9, 0, true).protocol(1).raw(&[3; 64]).bytes());
        let second = shard(ETHERNET, &Frame::v4().fragment(9, 8, false).protocol(1).raw(&[9; 64]).bytes());
        assert_eq!((first, second), (whole, whole));
    }

    #[test]
    fn an_undelivered_datagram_takes_its_message_along() {
        let flow = Frame::v4().sent_by([1, 2, 3, 4]).udp(1, 2, b"data");
        let datagram = flow.clone().ip_bytes();
        let mut message = vec![0; 4];
        message.extend_from_slice(&datagram);
        let error = Frame::v4().sent_by([9, 9, 9, 9]).icmp4(3, 3, &message);
        assert_eq!(shard(ETHERNET, &error.bytes()), shard(ETHERNET, &flow.bytes()));
        let other = Frame::v4().sent_by([9, 9, 9, 9]);
        let exceeded = other.clone().icmp4(11, 0, &message);
        assert_eq!(shard(ETHERNET, &exceeded.bytes()), shard(ETHERNET, &other.tcp(b"").bytes()));
    }

    #[test]
    fn what_stands_around_ip_changes_nothing() {
        let ip = Frame::v4().tcp(b"x");
        let share = shard(link_type::RAW, &ip.clone().ip_bytes());
        for frame in [
            ip.clone().vlan(&[5]),
            ip.clone().vlan(&[5, 6, 7]),
            ip.clone().around(0x8847, &[0, 1, 0x50, 0, 0, 1, 0x51, 0]),
            ip.clone().around(0x8864, &[0x11, 0, 0, 1, 0, 40, 0, 0x21]),
        ] {
            assert_eq!(shard(ETHERNET, &frame.bytes()), share);
        }
        assert_eq!(shard(link_type::PPP, &[&[0xff, 3, 0, 0x21][..], &ip.ip_bytes()].concat()), share);
    }

    #[test]
    fn the_short_way_leads_to_the_same_share() {
        let frames = [
            Frame::v4().tcp(b"x"),
            Frame::v4().sent_by([200, 0, 0, 9]).udp(1, 2, b""),
            Frame::v4().fragment(9, 8, false).protocol(17).raw(&[9; 64]),
        ];
        for frame in frames.map(|frame| frame.bytes()) {
            let head = frame.first_chunk().expect("it is long enough");
            assert_eq!(of_usual(head), find_ip(ETHERNET, &frame).and_then(of_ip));
            assert!(of_usual(head).is_some());
        }
        let others = [Frame::v6().tcp(b""), Frame::v4().vlan(&[5]).tcp(b""), Frame::v4().icmp4(8, 0, &[])];
        for frame in others.map(|frame| frame.bytes()) {
            assert_eq!(frame.first_chunk().and_then(of_usual), None);
        }
    }

    #[test]
    fn a_frame_without_ip_has_none() {
        assert_eq!(shard(ETHERNET, &[0; 60]), 0);
        assert_eq!(shard(9999, &Frame::v4().tcp(b"").bytes()), 0);
        let frame = Frame::v6().tcp(b"").bytes();
        for length in 0..frame.len() {
            let _ = shard(ETHERNET, &frame[..length]);
        }
    }
}
