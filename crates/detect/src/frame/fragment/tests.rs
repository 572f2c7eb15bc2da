//! Fragments: order, overlaps under each policy, limits and time; for both versions of IP.

use super::super::link::link_type;
use super::super::tests::{Frame, Seen, each, feed};
use super::super::{Checksum, Decoder, Settings};
use super::{Fragment, Fragments, Network, Policies, Policy, WAIT_SECONDS};
use crate::Time;
use core::net::{IpAddr, Ipv4Addr};

const ETHERNET: u16 = link_type::ETHERNET;
/// A protocol that nothing is known about, so that the payload is not looked at.
const PROTOCOL: u8 = 200;

fn decoder(policy: Policy) -> Decoder {
    Decoder::new(Settings { policies: Policies::all(policy), ..Settings::default() })
}

fn versions() -> [Frame; 2] {
    [Frame::v4(), Frame::v6()]
}

/// A fragment at `unit` (of 8 bytes) full of one letter.
fn piece(frame: &Frame, unit: u16, letter: u8, bytes: usize, has_more: bool) -> Vec<u8> {
    frame.clone().fragment(7, unit, has_more).protocol(PROTOCOL).raw(&vec![letter; bytes]).bytes()
}

/// Feeds fragments as (unit, letter, bytes); the last of the list ends the datagram. Returns the data, one letter for
/// 8 bytes.
fn assemble(policy: Policy, frame: &Frame, list: &[(u16, u8, usize)]) -> Option<String> {
    let mut fragments = Fragments::default();
    let policies = Policies::all(policy);
    let mut whole = None;
    for (place, (unit, letter, bytes)) in list.iter().enumerate() {
        let has_more = place + 1 < list.len();
        let data = vec![*letter; *bytes];
        each(&piece(frame, *unit, *letter, *bytes, has_more), &mut |packet| {
            let head = packet.ip.as_ref().map_or(&[][..], |ip| ip.header());
            let offset = u32::from(*unit) * 8;
            let fragment =
                Fragment { offset, has_more, id: 7, protocol: PROTOCOL, head, next: None, data: &data };
            let mut packet = packet.clone();
            whole = fragments.take(Time(0), &policies, &mut packet, &fragment);
        });
    }
    let head = if frame.is_v4() { 20 } else { 40 };
    whole.map(|datagram| datagram[head..].chunks(8).map(|chunk| char::from(chunk[0])).collect())
}

/// The fragments with which Novak and Sturges tell systems apart.
const NOVAK: &[(u16, u8, usize)] = &[
    (0, b'A', 24),
    (4, b'B', 16),
    (6, b'C', 24),
    (10, b'D', 8),
    (13, b'E', 16),
    (15, b'F', 24),
    (18, b'G', 16),
    (20, b'H', 16),
    (22, b'I', 8),
    (1, b'J', 32),
    (6, b'K', 24),
    (9, b'L', 24),
    (12, b'M', 24),
    (16, b'N', 8),
    (19, b'O', 8),
    (20, b'P', 8),
    (22, b'Q', 16),
];

#[test]
fn each_policy_makes_of_overlaps_what_its_systems_make() {
    for frame in versions() {
        for (policy, expected) in [
            (Policy::Bsd, "AAAJJBCCCLLLMMMFFFGGHHIQ"),
            (Policy::Linux, "AAAJJBKKKLLLMMMFFFGGPHQQ"),
            (Policy::Windows, "AAAJBBCCCLLLMEEFFFGGHHIQ"),
            (Policy::Solaris, "AAAJBBCCCLLLMMMFFFGGHHIQ"),
            (Policy::First, "AAAJBBCCCLDLMEEFFFGGHHIQ"),
            (Policy::Last, "AJJJJBKKKLLLMMMFNFGOPHQQ"),
        ] {
            assert_eq!(assemble(policy, &frame, NOVAK).as_deref(), Some(expected), "{policy:?}");
        }
    }
}

#[test]
fn of_two_with_the_same_place_each_policy_takes_its_own() {
    let list: &[(u16, u8, usize)] = &[(0, b'A', 8), (1, b'B', 8), (1, b'C', 8), (2, b'D', 8)];
    for frame in versions() {
        for (policy, expected) in [
            (Policy::Bsd, "ABD"),
            (Policy::BsdRight, "ACD"),
            (Policy::Linux, "ACD"),
            (Policy::Windows, "ABD"),
            (Policy::Solaris, "ABD"),
            (Policy::First, "ABD"),
            (Policy::Last, "ACD"),
        ] {
            assert_eq!(assemble(policy, &frame, list).as_deref(), Some(expected), "{policy:?}");
        }
    }
}

#[test]
fn a_new_one_that_begins_earlier_and_reaches_into_an_old_one() {
    let list: &[(u16, u8, usize)] = &[(2, b'B', 16), (0, b'A', 24), (4, b'C', 8)];
    for frame in versions() {
        for (policy, expected) in [
            (Policy::Bsd, "AAABC"),
            (Policy::Linux, "AAABC"),
            (Policy::Windows, "AABBC"),
            (Policy::Solaris, "AABBC"),
            (Policy::First, "AABBC"),
            (Policy::Last, "AAABC"),
        ] {
            assert_eq!(assemble(policy, &frame, list).as_deref(), Some(expected), "{policy:?}");
        }
    }
}

#[test]
fn a_new_one_that_covers_an_old_one() {
    let list: &[(u16, u8, usize)] = &[(1, b'B', 8), (0, b'A', 24), (3, b'C', 8)];
    for frame in versions() {
        for (policy, expected) in [
            (Policy::Bsd, "AAAC"),
            (Policy::Linux, "AAAC"),
            (Policy::Windows, "AAAC"),
            (Policy::Solaris, "AAAC"),
            (Policy::First, "ABAC"),
            (Policy::Last, "AAAC"),
        ] {
            assert_eq!(assemble(policy, &frame, list).as_deref(), Some(expected), "{policy:?}");
        }
    }
}

/// Feeds a UDP datagram in fragments of 8 bytes, in this order. All that was seen, the last frame's packets last.
fn udp_in(order: &[usize], frame: &Frame, decoder: &mut Decoder) -> Vec<Seen> {
    let upper = frame.clone().udp(53, 5353, b"a datagram of five pieces, 40 by").upper_bytes();
    let pieces: Vec<&[u8]> = upper.chunks(8).collect();
    let mut seen = Vec::new();
    for place in order {
        let has_more = *place + 1 < pieces.len();
        let part = frame.clone().fragment(9, *place as u16, has_more).protocol(17).raw(pieces[*place]);
        seen.extend(feed(decoder, 0, ETHERNET, &part.bytes()));
    }
    seen
}

#[test]
fn a_datagram_is_put_together_in_any_order() {
    for frame in versions() {
        for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [1, 4, 0, 3, 2]] {
            let seen = udp_in(&order, &frame, &mut Decoder::default());
            let [fragments @ .., whole, last] = &seen[..] else { panic!("{seen:#?}") };
            assert!(fragments.iter().all(|one| one.is_fragment && one.transport == "none" && !one.has_flow));
            assert!(last.is_fragment && last.hides_payload && last.payload.is_empty());
            assert!(whole.is_reassembled && !whole.is_fragment && whole.has_flow);
            assert_eq!((whole.ports, whole.payload.len(), whole.depth), ((53, 5353), 32, 0));
            let sum = if frame.is_v4() { Checksum::Udp4 } else { Checksum::Udp6 };
            assert_eq!(whole.checksum(sum), Some(true));
            if frame.is_v4() {
                assert_eq!(whole.checksum(Checksum::Ipv4), Some(true));
            }
        }
    }
}

#[test]
fn extension_headers_before_the_fragment_stay_and_say_what_follows() {
    let frame = Frame::v6().extension(60, &[5, 2, 0, 0, 0, 0]).extension(43, &[2, 0, 0, 0, 0, 0]);
    let seen = udp_in(&[0, 1, 2, 3, 4], &frame, &mut Decoder::default());
    assert!(seen.iter().any(|one| one.is_reassembled && one.ports == (53, 5353)), "{seen:#?}");
}

#[test]
fn vlan_tags_keep_datagrams_apart_and_stay_with_them() {
    let mut decoder = Decoder::default();
    let part = |tag: u16, unit: u16, has_more| {
        Frame::v4().vlan(&[tag]).fragment(1, unit, has_more).protocol(17).raw(&[0; 8]).bytes()
    };
    assert_eq!(feed(&mut decoder, 0, ETHERNET, &part(1, 0, true)).len(), 1);
    assert_eq!(feed(&mut decoder, 0, ETHERNET, &part(2, 1, false)).len(), 1);
    let seen = feed(&mut decoder, 0, ETHERNET, &part(1, 1, false));
    assert!(matches!(&seen[..], [whole, _] if whole.vlan == [1]), "{seen:#?}");
}

#[test]
fn identification_and_protocol_keep_datagrams_apart() {
    let part = |id: u32, protocol: u8, unit: u16, has_more| {
        Frame::v4().fragment(id, unit, has_more).protocol(protocol).raw(&[0; 8]).bytes()
    };
    let mut decoder = Decoder::default();
    for frame in [part(1, 17, 0, true), part(2, 17, 1, false), part(1, 6, 1, false)] {
        assert_eq!(feed(&mut decoder, 0, ETHERNET, &frame).len(), 1);
    }
    assert_eq!(feed(&mut decoder, 0, ETHERNET, &part(1, 17, 1, false)).len(), 2);
    // What was put together is forgotten: a copy of its last fragment waits for others.
    assert_eq!(feed(&mut decoder, 0, ETHERNET, &part(1, 17, 1, false)).len(), 1);
}

#[test]
fn overlaps_are_told_and_duplicates_are_overlaps() {
    for (frame, event) in [(Frame::v4(), "ipv4.frag_overlap"), (Frame::v6(), "ipv6.frag_overlap")] {
        let mut decoder = Decoder::default();
        let first = piece(&frame, 0, b'A', 24, true);
        assert!(feed(&mut decoder, 0, ETHERNET, &first)[0].events.is_empty());
        assert_eq!(feed(&mut decoder, 0, ETHERNET, &first)[0].events, [event]);
        let inner = piece(&frame, 1, b'B', 8, true);
        assert_eq!(feed(&mut decoder, 0, ETHERNET, &inner)[0].events, [event]);
        let behind = piece(&frame, 3, b'C', 8, true);
        assert!(feed(&mut decoder, 0, ETHERNET, &behind)[0].events.is_empty());
    }
}

#[test]
fn tiny_fragments_of_a_tcp_header_make_a_segment() {
    let upper = Frame::v4().tcp(b"GET / HTTP/1.0\r\n\r\n").upper_bytes();
    let mut decoder = Decoder::default();
    let pieces: Vec<&[u8]> = upper.chunks(8).collect();
    let mut last = Vec::new();
    for (place, data) in pieces.iter().enumerate() {
        let part = Frame::v4().fragment(3, place as u16, place + 1 < pieces.len()).protocol(6).raw(data);
        last = feed(&mut decoder, 0, ETHERNET, &part.bytes());
    }
    assert!(matches!(&last[..], [whole, _] if whole.payload == b"GET / HTTP/1.0\r\n\r\n"), "{last:#?}");
}

#[test]
fn a_fragment_that_ends_behind_the_largest_datagram_is_told_and_left_alone() {
    let mut decoder = Decoder::default();
    for (frame, event) in [(Frame::v4(), "ipv4.frag_pkt_too_large"), (Frame::v6(), "ipv6.frag_pkt_too_large")]
    {
        let seen = feed(&mut decoder, 0, ETHERNET, &piece(&frame, 8190, b'A', 24, false));
        assert_eq!(seen[0].events, [event]);
    }
}

#[test]
fn a_fragment_without_data_changes_nothing() {
    for frame in versions() {
        let mut decoder = Decoder::default();
        feed(&mut decoder, 0, ETHERNET, &piece(&frame, 0, b'A', 8, true));
        assert_eq!(feed(&mut decoder, 0, ETHERNET, &piece(&frame, 1, b'B', 0, false)).len(), 1);
    }
}

#[test]
fn a_datagram_waits_as_long_as_it_may_and_no_longer() {
    for (later, packets) in [(WAIT_SECONDS - 1, 2), (WAIT_SECONDS, 1)] {
        let mut decoder = Decoder::default();
        let part = |unit, has_more| piece(&Frame::v4(), unit, b'A', 8, has_more);
        feed(&mut decoder, 100, ETHERNET, &part(0, true));
        assert_eq!(feed(&mut decoder, 100 + later, ETHERNET, &part(1, false)).len(), packets);
        assert_eq!(decoder.counters().expired, if packets == 2 { 0 } else { 1 });
    }
}

#[test]
fn with_too_much_to_keep_what_began_earliest_is_forgotten() {
    let part = |id: u32, unit: u16, bytes: usize, has_more| {
        Frame::v4().fragment(id, unit, has_more).protocol(17).raw(&vec![1; bytes]).bytes()
    };
    let mut decoder = Decoder::default();
    for id in 0..1000 {
        feed(&mut decoder, 0, ETHERNET, &part(id, 1, 60_000, true));
    }
    let counters = decoder.counters();
    // Two megabytes are thirty-four of them.
    assert!((950..980).contains(&counters.evicted), "{counters:?}");
    feed(&mut decoder, 0, ETHERNET, &part(999, 0, 8, true));
    assert_eq!(feed(&mut decoder, 0, ETHERNET, &part(999, 7501, 8, false)).len(), 2);
    feed(&mut decoder, 0, ETHERNET, &part(0, 0, 8, true));
    assert_eq!(feed(&mut decoder, 0, ETHERNET, &part(0, 7501, 8, false)).len(), 1);
}

#[test]
fn a_copy_of_the_decoder_goes_on_alike_and_alone() {
    let mut decoder = decoder(Policy::First);
    feed(&mut decoder, 0, ETHERNET, &piece(&Frame::v4(), 0, b'A', 8, true));
    let mut copy = decoder.clone();
    let last = piece(&Frame::v4(), 1, b'B', 8, false);
    assert_eq!(feed(&mut copy, 0, ETHERNET, &last).len(), 2);
    assert_eq!(feed(&mut decoder, 0, ETHERNET, &last).len(), 2);
}

#[test]
fn fragments_of_fragments_end_somewhere() {
    // Each level's datagram is the second fragment of the next level's.
    let frame = Frame::v6();
    let mut decoder = Decoder::default();
    let mut inner = vec![1; 8];
    let mut firsts = Vec::new();
    for level in 0..10u32 {
        firsts.push(frame.clone().fragment(level, 0, true).protocol(17).raw(&[0; 8]).bytes());
        let header = [&[17, 0, 0, 8][..], &level.to_be_bytes()].concat();
        inner = [header, inner].concat();
    }
    for first in &firsts {
        feed(&mut decoder, 0, ETHERNET, first);
    }
    let seen = feed(&mut decoder, 0, ETHERNET, &frame.protocol(44).raw(&inner).bytes());
    assert!(seen.len() < 12, "{}", seen.len());
}

#[test]
fn the_narrowest_network_gives_the_policy() {
    let address = |last| IpAddr::V4(Ipv4Addr::new(10, 0, 0, last));
    let policies = Policies {
        networks: vec![
            (Network::new(address(0), 8), Policy::Linux),
            (Network::new(address(0), 25), Policy::Solaris),
            (Network::new(address(0), 24), Policy::Last),
        ],
        others: Policy::First,
    };
    assert_eq!(policies.of(address(1)), Policy::Solaris);
    assert_eq!(policies.of(address(200)), Policy::Last);
    assert_eq!(policies.of(IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9))), Policy::Linux);
    assert_eq!(policies.of(IpAddr::V4(Ipv4Addr::new(11, 9, 9, 9))), Policy::First);
    assert_eq!(Policies::default().of(address(1)), Policy::Windows);
    assert_eq!(Policies::default().of(IpAddr::V6(core::net::Ipv6Addr::LOCALHOST)), Policy::Bsd);
}
