//! Tunnels: what is inside, and what is no tunnel.

use super::super::tests::{Frame, events, packets};

fn inner_tcp() -> Vec<u8> {
    Frame::v4().sent_by([10, 0, 0, 1]).tcp(b"inner").ip_bytes()
}

fn inner_frame() -> Vec<u8> {
    Frame::v4().sent_by([10, 0, 0, 1]).vlan(&[77]).tcp(b"inner").bytes()
}

fn gre(header: &[u8], inner: &[u8]) -> Vec<u8> {
    Frame::v4().protocol(47).raw(&[header, inner].concat()).bytes()
}

/// Depth and transport of each packet, innermost first.
fn shape(frame: &[u8]) -> Vec<(u8, &'static str)> {
    packets(frame).iter().map(|packet| (packet.depth, packet.transport)).collect()
}

#[test]
fn gre_carries_ip_ethernet_vlan_and_arp() {
    let tcp = inner_tcp();
    for header in [
        &[0, 0, 8, 0][..],
        &[0x80, 0, 8, 0, 0, 0, 0, 0],
        &[0x20, 0, 8, 0, 0, 0, 0, 1],
        &[0xb0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2],
        &[0x40, 0, 8, 0, 0, 0, 0, 0, 0, 1, 0, 2, 9, 9, 0, 0, 0, 0],
    ] {
        assert_eq!(shape(&gre(header, &tcp)), [(1, "tcp"), (0, "gre")], "{header:?}");
    }
    let six = Frame::v6().udp(1, 2, b"").ip_bytes();
    assert_eq!(shape(&gre(&[0, 0, 0x86, 0xdd], &six)), [(1, "udp"), (0, "gre")]);
    let all = packets(&gre(&[0, 0, 0x65, 0x58], &inner_frame()));
    assert!(matches!(&all[..], [inner, outer] if inner.vlan == [77] && outer.vlan.is_empty()));
    let vlan = [&[0, 5, 8, 0][..], &tcp].concat();
    assert_eq!(shape(&gre(&[0, 0, 0x81, 0], &vlan)), [(1, "tcp"), (0, "gre")]);
    let arp = [0, 1, 8, 0, 6, 4, 0, 1, 1, 1, 1, 1, 1, 1, 10, 0, 0, 1, 2, 2, 2, 2, 2, 2, 10, 0, 0, 2];
    assert_eq!(shape(&gre(&[0, 0, 8, 6], &arp)), [(1, "none"), (0, "gre")]);
    assert_eq!(shape(&Frame::v6().protocol(47).raw(&[&[0, 0, 8, 0][..], &tcp].concat()).bytes()).len(), 2);
}

#[test]
fn pptp_carries_ppp_and_may_carry_nothing() {
    let ppp = [&[0xff, 3, 0, 0x21][..], &inner_tcp()].concat();
    let header = [0x30, 0x81, 0x88, 0x0b, 0, 49, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2];
    assert_eq!(shape(&gre(&header, &ppp)), [(1, "tcp"), (0, "gre")]);
    assert_eq!(shape(&gre(&[0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 1, 0, 0, 0, 1], &[])), [(0, "gre")]);
}

#[test]
fn what_is_wrong_with_gre_is_told() {
    for (header, event) in [
        (&[0, 0, 8][..], "gre.pkt_too_small"),
        (&[0, 2, 8, 0], "gre.wrong_version"),
        (&[1, 0, 8, 0], "gre.version0_recur"),
        (&[0, 8, 8, 0], "gre.version0_flags"),
        (&[0xb0, 0, 8, 0, 0, 0], "gre.version0_hdr_too_big"),
        (&[0x40, 0, 8, 0, 0, 0, 0, 0, 0, 1], "gre.version0_malformed_sre_hdr"),
        (&[0x40, 0, 8, 0, 0, 0, 0, 0, 0, 1, 0, 99, 1, 1], "gre.version0_malformed_sre_hdr"),
        (&[0xa0, 1, 0x88, 0x0b], "gre.version1_chksum"),
        (&[0x60, 1, 0x88, 0x0b], "gre.version1_route"),
        (&[0x28, 1, 0x88, 0x0b], "gre.version1_ssr"),
        (&[0x21, 1, 0x88, 0x0b], "gre.version1_recur"),
        (&[0x20, 9, 0x88, 0x0b], "gre.version1_flags"),
        (&[0x20, 1, 8, 0], "gre.version1_wrong_protocol"),
        (&[0, 1, 0x88, 0x0b], "gre.version1_no_key"),
        (&[0x30, 0x81, 0x88, 0x0b, 0, 1, 0, 1], "gre.version1_hdr_too_big"),
    ] {
        assert_eq!(events(&gre(header, &[])), [event], "{header:?}");
    }
}

#[test]
fn mirrored_frames_keep_the_vlan_they_came_from() {
    let mirrored = |word: [u8; 2]| {
        let header = [&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1][..], &word, &[0; 6]].concat();
        packets(&gre(&header, &inner_frame()))
    };
    let all = mirrored([0x10, 5]);
    assert!(matches!(&all[..], [inner, _] if inner.vlan == [5, 77] && inner.transport == "tcp"));
    let all = mirrored([0x10, 0]);
    assert!(matches!(&all[..], [inner, _] if inner.vlan == [77]));
    assert_eq!(mirrored([0x20, 5]).len(), 1);
    let first = packets(&gre(&[0, 0, 0x88, 0xbe], &inner_frame()));
    assert!(matches!(&first[..], [inner, _] if inner.vlan == [77]));
}

#[test]
fn vxlan_and_geneve_carry_frames() {
    let vxlan = |header: &[u8], inner: &[u8]| Frame::v4().udp(5, 4789, &[header, inner].concat()).bytes();
    let header = [8, 0, 0, 0, 0, 0, 7, 0];
    let all = packets(&vxlan(&header, &inner_frame()));
    assert!(
        matches!(&all[..], [inner, outer] if inner.vlan == [77] && outer.hides_payload && outer.has_flow)
    );
    assert_eq!(shape(&vxlan(&[0; 8], &inner_frame())), [(0, "udp")]);
    assert_eq!(shape(&vxlan(&[8, 0, 0, 0, 0, 0, 7, 1], &inner_frame())), [(0, "udp")]);
    let other = [&[2; 12][..], &[0x12, 0x34], &[0; 40]].concat();
    assert_eq!(events(&vxlan(&header, &other)), ["vxlan.unknown_payload_type"]);
    assert_eq!(shape(&Frame::v4().udp(5, 4788, &[&header[..], &inner_frame()].concat()).bytes()).len(), 1);

    let geneve = |header: &[u8], inner: &[u8]| Frame::v4().udp(6081, 5, &[header, inner].concat()).bytes();
    assert_eq!(shape(&geneve(&[0, 0, 0x65, 0x58, 0, 0, 7, 0], &inner_frame())).len(), 2);
    assert_eq!(shape(&geneve(&[0, 0, 8, 0, 0, 0, 7, 0], &inner_tcp())), [(1, "tcp"), (0, "udp")]);
    let with_options = [3, 0, 8, 0, 0, 0, 7, 0, 1, 1, 1, 0, 1, 1, 1, 1, 9, 9, 9, 9];
    assert_eq!(shape(&geneve(&with_options, &inner_tcp())).len(), 2);
    assert_eq!(events(&geneve(&[0, 0, 0x12, 0x34, 0, 0, 7, 0], &[0; 20])), ["geneve.unknown_payload_type"]);
    for header in [
        [0x40, 0, 8, 0, 0, 0, 7, 0, 1, 1, 1, 0],
        [1, 1, 8, 0, 0, 0, 7, 0, 1, 1, 1, 0],
        [1, 0, 8, 0, 0, 0, 7, 1, 1, 1, 1, 0],
        [1, 0, 8, 0, 0, 0, 7, 0, 1, 1, 1, 3],
    ] {
        assert_eq!(shape(&geneve(&header, &inner_tcp())), [(0, "udp")], "{header:?}");
    }
}

#[test]
fn teredo_is_taken_for_one_only_without_fault() {
    let teredo = |payload: &[u8]| packets(&Frame::v4().udp(3544, 9, payload).bytes());
    let six = Frame::v6().udp(1, 2, b"inner").ip_bytes();
    assert_eq!(teredo(&six).len(), 2);
    assert_eq!(teredo(&[&[0; 8][..], &six].concat()).len(), 2);
    assert_eq!(teredo(&[&[0, 1, 0, 0, 0, 0, 0, 0][..], &six].concat()).len(), 1);
    assert_eq!(teredo(&[&six[..], &[0]].concat()).len(), 1);
    assert_eq!(teredo(&Frame::v6().ttl(0).udp(1, 2, b"").ip_bytes()).len(), 1);
    assert_eq!(teredo(&Frame::v6().protocol(17).raw(&[1, 2, 3]).ip_bytes()).len(), 1);
    assert_eq!(teredo(&Frame::v6().protocol(0).raw(&[1, 2, 3]).ip_bytes()).len(), 1);
    assert_eq!(packets(&Frame::v4().udp(8, 9, &six).bytes()).len(), 1);
}

#[test]
fn an_inner_packet_that_cannot_be_read_is_not_shown() {
    let all = packets(&gre(&[0, 0, 8, 0], &[0x45; 10]));
    assert!(matches!(&all[..], [outer] if outer.transport == "gre" && !outer.hides_payload));
    let all = packets(&gre(&[0, 0, 8, 0], &Frame::v4().protocol(6).raw(&[0; 3]).ip_bytes()));
    assert!(matches!(&all[..], [inner, _] if inner.events == ["tcp.pkt_too_small"]));
}
