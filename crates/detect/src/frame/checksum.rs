//! Whether the checksums of a packet are right. They are computed when somebody asks.

use super::ip::{Ip, protocol};
use super::{Packet, Transport};

/// Which checksum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // Each is the header of its name, over the version of IP in its name.
pub enum Checksum {
    Ipv4,
    Tcp4,
    Tcp6,
    Udp4,
    Udp6,
    Icmp4,
    Icmp6,
}

impl Checksum {
    /// Whether it is right; nothing if the packet does not have it.
    #[must_use]
    pub fn is_valid(self, packet: &Packet<'_>) -> Option<bool> {
        let ip = packet.ip.as_ref()?;
        match (self, ip, &packet.transport) {
            (Checksum::Ipv4, Ip::V4(header), _) => Some(fold(sum(header.bytes())) == 0xffff),
            (Checksum::Tcp4, Ip::V4(_), Transport::Tcp(tcp))
            | (Checksum::Tcp6, Ip::V6(_), Transport::Tcp(tcp)) => {
                Some(is_sealed(ip, protocol::TCP, tcp.bytes(), packet.payload))
            }
            // Over IPv4 a datagram may have none.
            (Checksum::Udp4, Ip::V4(_), Transport::Udp(udp)) if udp.checksum() != 0 => {
                Some(is_sealed(ip, protocol::UDP, udp.bytes(), packet.payload))
            }
            (Checksum::Udp6, Ip::V6(_), Transport::Udp(udp)) => {
                Some(udp.checksum() != 0 && is_sealed(ip, protocol::UDP, udp.bytes(), packet.payload))
            }
            (Checksum::Icmp4, Ip::V4(_), Transport::Icmp4(icmp)) => Some(is_icmp_sealed(0, icmp.message())),
            (Checksum::Icmp6, Ip::V6(_), Transport::Icmp6(icmp)) => {
                Some(is_icmp_sealed(pseudo(ip, protocol::ICMP6, icmp.message().len()), icmp.message()))
            }
            _ => None,
        }
    }
}

fn is_sealed(ip: &Ip<'_>, protocol: u8, header: &[u8], payload: &[u8]) -> bool {
    let pseudo = pseudo(ip, protocol, header.len() + payload.len());
    fold(pseudo + sum(header) + sum(payload)) == 0xffff
}

/// The checksum of ICMP is computed anew and compared, for what is sealed with the other zero is not sealed.
fn is_icmp_sealed(pseudo: u64, message: &[u8]) -> bool {
    let [a, b, high, low, rest @ ..] = message else { return false };
    let computed = !fold(pseudo + u64::from(u16::from_be_bytes([*a, *b])) + sum(rest));
    computed == u16::from_be_bytes([*high, *low])
}

/// The sum over the addresses, the protocol and the length.
fn pseudo(ip: &Ip<'_>, protocol: u8, length: usize) -> u64 {
    sum(ip.source_bytes()) + sum(ip.destination_bytes()) + u64::from(protocol) + length as u64
}

/// The sum of all words of 16 bits, the last one filled up with 0.
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut sum: u64 = words.iter().map(|word| u64::from(u32::from_be_bytes(*word))).sum();
    let (words, rest) = rest.as_chunks::<2>();
    sum += words.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum::<u64>();
    sum + rest.first().map_or(0, |last| u64::from(*last) << 8)
}

/// The sum in 16 bits, with the carries added in.
fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Frame, packets};
    use super::*;

    #[test]
    fn a_right_checksum_is_told_from_a_wrong_one() {
        for (which, frame) in [
            (Checksum::Tcp4, Frame::v4().tcp(b"some data")),
            (Checksum::Tcp6, Frame::v6().tcp(b"some data")),
            (Checksum::Udp4, Frame::v4().udp(1, 2, b"odd")),
            (Checksum::Udp6, Frame::v6().udp(1, 2, b"even")),
            (Checksum::Icmp4, Frame::v4().icmp4(8, 0, b"xxxxabc")),
            (Checksum::Icmp6, Frame::v6().icmp6(128, 0, b"xxxxabc")),
        ] {
            let right = frame.clone().bytes();
            let all = packets(&right);
            assert_eq!(
                all.iter().map(|one| one.checksum(which)).collect::<Vec<_>>(),
                [Some(true)],
                "{which:?}"
            );
            let mut wrong = right;
            if let Some(last) = wrong.last_mut() {
                *last ^= 1;
            }
            let all = packets(&wrong);
            assert_eq!(
                all.iter().map(|one| one.checksum(which)).collect::<Vec<_>>(),
                [Some(false)],
                "{which:?}"
            );
        }
    }

    #[test]
    fn a_header_without_that_checksum_has_neither() {
        let frame = Frame::v4().tcp(b"").bytes();
        let all = packets(&frame);
        for which in [Checksum::Tcp6, Checksum::Udp4, Checksum::Icmp4, Checksum::Icmp6] {
            assert_eq!(all.first().and_then(|one| one.checksum(which)), None);
        }
        assert_eq!(all.first().and_then(|one| one.checksum(Checksum::Ipv4)), Some(true));
    }

    #[test]
    fn udp_of_ipv4_may_go_without() {
        let mut frame = Frame::v4().udp(1, 2, b"data").bytes();
        let at = frame.len() - 4 - 2;
        frame[at..at + 2].fill(0);
        assert_eq!(packets(&frame).first().and_then(|one| one.checksum(Checksum::Udp4)), None);
    }
}
