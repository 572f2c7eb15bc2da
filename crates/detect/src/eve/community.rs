//! Community ID, version 1: a short name for a flow that tools of other makers compute alike.

use core::net::IpAddr;
use sha1::{Digest, Sha1};

/// The digits of base64.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The Community ID of what goes between these ends, with seed 0. For ICMP the ports are the type and that of its answer.
#[must_use]
pub fn community_id(
    source: (IpAddr, u16),
    destination: (IpAddr, u16),
    protocol: u8,
    is_one_way: bool,
) -> String {
    let (low, high) = if is_one_way || (octets(source.0), source.1) <= (octets(destination.0), destination.1)
    {
        (source, destination)
    } else {
        (destination, source)
    };
    let mut hash = Sha1::new();
    hash.update(0u16.to_be_bytes());
    hash.update(octets(low.0));
    hash.update(octets(high.0));
    hash.update([protocol, 0]);
    if matches!(protocol, 1 | 6 | 17 | 58 | 132) {
        hash.update(low.1.to_be_bytes());
        hash.update(high.1.to_be_bytes());
    }
    let mut text = String::from("1:");
    for group in hash.finalize().chunks(3) {
        let bits =
            group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place) & 63) as usize;
            text.push(if place <= group.len() { char::from(DIGITS[digit]) } else { '=' });
        }
    }
    text
}

/// What stands for ports with ICMP: a message's type and that of its answer; of one that has no answer its type and code, and then it goes one way.
#[must_use]
pub fn icmp_ends(protocol: u8, kind: u8, code: u8) -> (u16, u16, bool) {
    const PAIRS_4: &[(u8, u8)] = &[(8, 0), (13, 14), (15, 16), (10, 9), (17, 18)];
    const PAIRS_6: &[(u8, u8)] = &[(128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145)];
    let pairs = if protocol == 1 { PAIRS_4 } else { PAIRS_6 };
    let answer = pairs.iter().find_map(|(ask, answer)| match kind {
        kind if kind == *ask => Some(*answer),
        kind if kind == *answer => Some(*ask),
        _ => None,
    });
    match answer {
        Some(answer) => (u16::from(kind), u16::from(answer), false),
        None => (u16::from(kind), u16::from(code), true),
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_one_that_others_compute_whichever_way_the_packet_goes() {
        // From the specification's own baseline.
        let (client, server) =
            ((IpAddr::from([128, 232, 110, 120]), 34_855), (IpAddr::from([66, 35, 250, 204]), 80));
        assert_eq!(community_id(client, server, 6, false), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        assert_eq!(community_id(server, client, 6, false), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
        let (client, server) = ((IpAddr::from([192, 168, 1, 52]), 54_585), (IpAddr::from([8, 8, 8, 8]), 53));
        assert_eq!(community_id(client, server, 17, false), "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
        let (ask, answer, is_one_way) = icmp_ends(1, 8, 0);
        let (near, far) = ((IpAddr::from([192, 168, 0, 89]), ask), (IpAddr::from([192, 168, 0, 1]), answer));
        assert_eq!(community_id(near, far, 1, is_one_way), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=");
        assert_eq!(icmp_ends(1, 0, 0), (0, 8, false));
        assert_eq!(icmp_ends(1, 3, 4), (3, 4, true));
        assert_eq!(icmp_ends(58, 136, 0), (136, 135, false));
    }
}
