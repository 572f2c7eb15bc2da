//! Link headers: what each leads to, and its events.

use super::super::tests::{Frame, each, events, only, packets, packets_of};
use super::{Arp, KNOWN_LINKS, link_type};
use core::net::Ipv4Addr;

fn ethernet(kind: u16, rest: &[u8]) -> Vec<u8> {
    [&[2; 12][..], &kind.to_be_bytes(), rest].concat()
}

#[test]
fn a_frame_that_is_too_short_for_its_header_is_told_by_the_link() {
    for (link, bytes, event) in [
        (link_type::ETHERNET, 13, "ethernet.pkt_too_small"),
        (link_type::RAW, 19, "ipv4.pkt_too_small"),
        (link_type::NULL, 3, "ltnull.pkt_too_small"),
        (link_type::LOOP, 3, "ltnull.pkt_too_small"),
        (link_type::COOKED, 15, "sll.pkt_too_small"),
        (link_type::COOKED_2, 19, "sll2.pkt_too_small"),
        (link_type::CISCO_HDLC, 3, "chdlc.pkt_too_small"),
        (link_type::PPP, 0, "ppp.pkt_too_small"),
    ] {
        let all = packets_of(link, &vec![0; bytes]);
        assert_eq!(all.iter().map(|one| one.events.clone()).collect::<Vec<_>>(), [[event]], "{link}");
        assert!(all.iter().all(|one| one.is_invalid));
    }
}

#[test]
fn a_frame_is_read_if_its_link_is_among_those_that_are_known_and_else_could_not_be() {
    let known: Vec<u16> = KNOWN_LINKS.iter().map(|known| known.0).collect();
    assert!(known.is_sorted());
    for link in 0..1024 {
        let all = packets_of(link, &[]);
        let is_told = all.iter().all(|one| one.is_invalid && !one.events.is_empty());
        assert_eq!(is_told, known.contains(&link), "{link}");
        assert!(all.len() == 1 && all.iter().all(|one| one.is_invalid), "{link}");
    }
}

#[test]
fn a_header_behind_an_ether_type_that_is_too_short_is_told() {
    for (kind, bytes, event) in [
        (0x0800, 19, "ipv4.pkt_too_small"),
        (0x86dd, 39, "ipv6.pkt_too_small"),
        (0x0806, 7, "arp.pkt_too_small"),
        (0x8100, 3, "vlan.header_too_small"),
        (0x88a8, 3, "vlan.header_too_small"),
        (0x9100, 3, "vlan.header_too_small"),
        (0x8847, 3, "mpls.header_too_small"),
        (0x8863, 5, "pppoe.pkt_too_small"),
        (0x8864, 6, "pppoe.pkt_too_small"),
        (0x88e7, 17, "ieee8021ah.header_too_small"),
        (0x8903, 15, "dce.pkt_too_small"),
        (0x8926, 5, "vntag.header_too_small"),
        (0x893f, 7, "etag.header_too_small"),
        (0x894f, 7, "nsh.header_too_small"),
    ] {
        assert_eq!(events(&ethernet(kind, &vec![0; bytes])), [event], "{kind:x}");
    }
}

#[test]
fn an_ether_type_that_is_not_known_is_odd_alone_and_wrong_behind_a_tag() {
    let alone = only(&ethernet(0x1234, &[0; 50]));
    assert_eq!((alone.events, alone.is_invalid), (vec!["ethernet.unknown_ethertype"], false));
    for (kind, bytes, event) in [
        (0x8100, 2, "vlan.unknown_type"),
        (0x8926, 4, "vntag.unknown_type"),
        (0x893f, 6, "etag.unknown_type"),
    ] {
        let inner = [vec![0; bytes], vec![0x12, 0x34], vec![0; 40]].concat();
        let tagged = only(&ethernet(kind, &inner));
        assert!(tagged.is_invalid && tagged.events.contains(&event), "{tagged:?}");
    }
}

#[test]
fn three_vlan_tags_are_kept_and_a_fourth_is_too_many() {
    let three = only(&Frame::v4().vlan(&[0xf001, 2, 3]).tcp(b"").bytes());
    assert_eq!((three.vlan, three.transport), (vec![1, 2, 3], "tcp"));
    let four = only(&Frame::v4().vlan(&[1, 2, 3, 4]).tcp(b"").bytes());
    assert_eq!(
        (four.vlan, four.events, four.transport),
        (vec![1, 2, 3], vec!["vlan.too_many_layers"], "none")
    );
}

#[test]
fn labels_lead_to_what_the_bottom_says() {
    let ip = Frame::v4().tcp(b"");
    for label in [[0, 0, 1, 0], [0, 1, 0x51, 0xff]] {
        assert_eq!(only(&ip.clone().around(0x8847, &label).bytes()).transport, "tcp");
    }
    let two = only(&ip.clone().around(0x8848, &[0, 1, 0x50, 0, 0, 1, 0x61, 0]).bytes());
    assert_eq!(two.transport, "tcp");
    assert_eq!(only(&Frame::v6().udp(1, 2, b"").around(0x8847, &[0, 0, 0x21, 0]).bytes()).transport, "udp");
    let wire = [&[0, 1, 0x51, 0, 0, 0, 0, 0][..], &ip.bytes()].concat();
    assert_eq!(only(&ethernet(0x8847, &wire)).transport, "tcp");
}

#[test]
fn labels_that_should_not_be_at_the_bottom_are_told() {
    for (label, event) in [
        ([0, 0, 0x11, 0xff], "mpls.bad_label_router_alert"),
        ([0, 0, 0x31, 0xff], "mpls.bad_label_implicit_null"),
        ([0, 0, 0x51, 0xff], "mpls.bad_label_reserved"),
        ([0, 0, 0xe1, 0xff], "mpls.bad_label_reserved"),
    ] {
        let packet = only(&Frame::v4().tcp(b"").around(0x8847, &label).bytes());
        assert_eq!((packet.events, packet.is_invalid), (vec![event], false));
    }
    assert_eq!(events(&ethernet(0x8847, &[0, 1, 0x51, 0xff, 0x45, 1, 2])), ["mpls.pkt_too_small"]);
    assert_eq!(events(&ethernet(0x8847, &[0, 1, 0x51, 0xff, 0x15, 1, 2, 3])), ["mpls.unknown_payload_type"]);
}

#[test]
fn a_service_header_is_checked() {
    let ip = Frame::v4().tcp(b"");
    for (header, expected) in [
        ([0x40, 2, 2, 1], "nsh.unsupported_version"),
        ([0, 63, 2, 1], "nsh.bad_header_length"),
        ([0, 2, 0, 1], "nsh.reserved_type"),
        ([0, 2, 15, 1], "nsh.reserved_type"),
        ([0, 2, 1, 1], "nsh.bad_header_length"),
        ([0, 2, 3, 1], "nsh.unsupported_type"),
        ([0, 2, 2, 4], "nsh.unknown_payload"),
    ] {
        let frame = ip.clone().around(0x894f, &[&header[..], &[0; 4]].concat()).bytes();
        assert_eq!(events(&frame), [expected], "{header:?}");
    }
    let fixed = ip.clone().around(0x894f, &[&[0, 6, 1, 1][..], &[0; 20]].concat()).bytes();
    assert_eq!(only(&fixed).transport, "tcp");
    let nested = [&[0, 2, 2, 3, 0, 0, 0, 0][..], &ip.bytes()].concat();
    assert_eq!(only(&ethernet(0x894f, &nested)).transport, "tcp");
    let labels = [&[0, 2, 2, 5, 0, 0, 0, 0, 0, 0, 1, 0][..], &ip.ip_bytes()].concat();
    assert_eq!(only(&ethernet(0x894f, &labels)).transport, "tcp");
}

#[test]
fn an_arp_message_is_read_and_checked() {
    let message = [0, 1, 8, 0, 6, 4, 0, 1, 1, 1, 1, 1, 1, 1, 10, 0, 0, 1, 2, 2, 2, 2, 2, 2, 10, 0, 0, 2];
    let mut seen = None;
    each(&ethernet(0x0806, &message), &mut |packet| {
        assert!(packet.ip.is_none() && packet.events.is_empty());
        seen = packet.arp.as_ref().map(|arp: &Arp<'_>| {
            (
                arp.operation(),
                arp.source_hardware(),
                arp.source(),
                arp.destination_hardware(),
                arp.destination(),
            )
        });
    });
    let (first, second) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
    assert_eq!(seen, Some((1, [1; 6], first, [2; 6], second)));
    for (at, event) in [
        (1, "arp.unsupported_hardware"),
        (2, "arp.unsupported_protocol"),
        (4, "arp.invalid_hardware_size"),
        (5, "arp.invalid_protocol_size"),
        (7, "arp.unsupported_opcode"),
    ] {
        let mut wrong = message;
        wrong[at] = 9;
        assert_eq!(events(&ethernet(0x0806, &wrong)), [event]);
    }
    assert_eq!(events(&ethernet(0x0806, &message[..27])), ["arp.invalid_pkt"]);
}

#[test]
fn a_loopback_family_that_is_not_ip_is_odd() {
    let ip = Frame::v4().tcp(b"").ip_bytes();
    let all = packets_of(link_type::NULL, &[&[7, 0, 0, 0][..], &ip].concat());
    assert!(matches!(&all[..], [one] if one.events == ["ltnull.unsupported_type"] && !one.is_invalid));
    let all = packets_of(link_type::LOOP, &[&[0, 0, 0, 2][..], &ip].concat());
    assert!(matches!(&all[..], [one] if one.transport == "tcp"));
}

#[test]
fn raw_bytes_of_another_version_are_odd() {
    let all = packets_of(link_type::RAW, &[0xd5; 40]);
    assert!(matches!(&all[..], [one] if one.events == ["ipraw.invalid_ip_version"] && !one.is_invalid));
}

fn ppp(bytes: &[u8]) -> (Vec<&'static str>, &'static str) {
    let mut all = packets_of(link_type::PPP, bytes);
    assert_eq!(all.len(), 1);
    let one = all.remove(0);
    (one.events, one.transport)
}

#[test]
fn ppp_is_read_in_all_four_forms() {
    let (ip4, ip6) = (Frame::v4().tcp(b"").ip_bytes(), Frame::v6().udp(1, 2, b"").ip_bytes());
    for header in [&[0xff, 3, 0, 0x21][..], &[0xff, 3, 0x21], &[0, 0x21], &[0x21]] {
        assert_eq!(ppp(&[header, &ip4].concat()), (vec![], "tcp"), "{header:?}");
    }
    for header in [&[0xff, 3, 0, 0x57][..], &[0xff, 3, 0x57], &[0, 0x57], &[0x57]] {
        assert_eq!(ppp(&[header, &ip6].concat()), (vec![], "udp"), "{header:?}");
    }
    let mut dummy = Frame::v4().tcp(b"").ip_bytes();
    dummy[9] = 0;
    assert_eq!(ppp(&[&[0x2f][..], &dummy].concat()).1, "tcp");
    assert_eq!(ppp(&[&[0, 0x2f][..], &dummy].concat()).1, "other");
}

#[test]
fn what_is_wrong_with_ppp_is_told() {
    assert_eq!(ppp(&[0xff, 3]).0, ["ppp.pkt_too_small"]);
    assert_eq!(ppp(&[0x20]).0, ["ppp.pkt_too_small"]);
    assert_eq!(ppp(&[0xff, 3, 0, 0xff, 0x45]).0, ["ppp.wrong_type"]);
    assert_eq!(ppp(&[0xff, 3, 0, 0x2b, 0x45]).0, ["ppp.unsup_proto"]);
    assert_eq!(ppp(&[0xff, 3, 0xc0, 0x21, 0x45]).0, Vec::<&str>::new());
    assert_eq!(ppp(&[0xff, 3, 0xff]).0, ["ppp.unsup_proto"]);
    assert_eq!(ppp(&[0xff, 3, 0, 0x21, 0x45]).0, ["ppp.ip4_pkt_too_small"]);
    assert_eq!(ppp(&[0xff, 3, 0x21, 0x45]).0, ["ppp.vju_pkt_too_small"]);
    assert_eq!(ppp(&[0xff, 3, 0, 0x2f, 0x45]).0, ["ppp.vju_pkt_too_small"]);
    assert_eq!(ppp(&[0xff, 3, 0, 0x57, 0x65]).0, ["ppp.ip6_pkt_too_small"]);
}

#[test]
fn sessions_carry_ip_and_discovery_is_checked() {
    let ip = Frame::v4().tcp(b"");
    for header in [&[0x11, 0, 0, 1, 0, 40, 0, 0x21][..], &[0x11, 0, 0, 1, 0, 40, 0x21]] {
        assert_eq!(only(&ip.clone().around(0x8864, header).bytes()).transport, "tcp");
    }
    let v6 = Frame::v6().udp(1, 2, b"").around(0x8864, &[0x11, 0, 0, 1, 0, 40, 0, 0x57]).bytes();
    assert_eq!(only(&v6).transport, "udp");
    for (bytes, expected) in [
        (&[0x11, 0, 0, 1, 0, 0, 0xaa, 0xaa][..], vec![]),
        (&[0x11, 0, 0, 1, 0, 9, 0][..], vec!["pppoe.pkt_too_small"]),
        (&[0x11, 0, 0, 1, 0, 9, 0, 0x21, 0x45][..], vec!["ppp.ip4_pkt_too_small"]),
        (&[0x11, 0, 0, 1, 0, 9, 0, 0x2b, 0x45][..], vec!["ppp.unsup_proto"]),
        (&[0x11, 0, 0, 1, 0, 9, 0xaa, 0xaa, 0x45][..], vec!["ppp.wrong_type"]),
    ] {
        assert_eq!(events(&ethernet(0x8864, bytes)), expected, "{bytes:?}");
    }
    assert_eq!(events(&ethernet(0x8863, &[0x11, 9, 0, 0, 0, 0])), Vec::<&str>::new());
    assert_eq!(events(&ethernet(0x8863, &[0x11, 0xbb, 0, 0, 0, 0])), ["pppoe.wrong_code"]);
    assert_eq!(events(&ethernet(0x8863, &[0x11, 7, 0, 0, 0, 3, 1, 1])), ["pppoe.malformed_tags"]);
}

#[test]
fn a_fabric_path_frame_is_ethernet_in_ethernet() {
    let frame = ethernet(0x8903, &[&[0, 0][..], &Frame::v4().tcp(b"").bytes()].concat());
    let all = packets(&frame);
    assert!(matches!(&all[..], [one] if one.transport == "tcp" && one.depth == 0));
}
