//! IP headers, options and extension headers.

use super::super::tests::{Frame, each, events, only, packets};
use super::{Ip, OptionSet};

#[test]
fn an_ipv4_header_that_lies_is_told_and_not_trusted() {
    let good = Frame::v4().tcp(b"data").bytes();
    for (at, value, event) in [
        (14, 0x55, "ipv4.wrong_ip_version"),
        (14, 0x44, "ipv4.hlen_too_small"),
        (17, 19, "ipv4.iplen_smaller_than_hlen"),
        (16, 1, "ipv4.trunc_pkt"),
        (14, 0x4f, "ipv4.iplen_smaller_than_hlen"),
    ] {
        let mut frame = good.clone();
        frame[at] = value;
        let packet = only(&frame);
        assert_eq!(packet.events, [event]);
        assert!(packet.is_invalid && !packet.has_ip && packet.protocol == 0);
    }
}

#[test]
fn the_fields_of_ipv4_are_where_they_belong() {
    let frame = Frame::v4().tos(0x2e).ttl(7).bits(2).udp(1, 2, b"x").bytes();
    each(&frame, &mut |packet| {
        let Some(Ip::V4(ip)) = &packet.ip else { panic!("{packet:?}") };
        assert_eq!((ip.tos(), ip.ttl(), ip.protocol(), ip.id()), (0x2e, 7, 17, 0x1234));
        assert_eq!((ip.fragment_bits(), ip.has_more(), ip.fragment_offset()), (2, false, 0));
        assert_eq!((ip.total_length(), ip.bytes().len()), (29, 20));
        assert_eq!(ip.source().octets(), [192, 0, 2, 1]);
        assert_eq!(packet.source.to_string(), "192.0.2.1");
        assert_eq!(packet.destination.to_string(), "198.51.100.2");
    });
}

#[test]
fn the_fields_of_ipv6_are_where_they_belong() {
    let frame = Frame::v6().ttl(9).udp(1, 2, b"x").bytes();
    each(&frame, &mut |packet| {
        let Some(Ip::V6(ip)) = &packet.ip else { panic!("{packet:?}") };
        assert_eq!((ip.hop_limit(), ip.next(), ip.payload_length()), (9, 17, 9));
        assert!(ip.fragment().is_none());
        assert_eq!(packet.source.to_string(), "2001:db8:101:101:101:101:101:101");
        assert_eq!(packet.destination.to_string(), "2001:db8:101:101:101:101:101:102");
    });
}

/// The options that count, the events, and whether the header is still trusted.
fn options(bytes: &[u8]) -> (OptionSet, Vec<&'static str>, bool) {
    let frame = Frame::v4().options(bytes).tcp(b"").bytes();
    let mut set = OptionSet::default();
    each(&frame, &mut |packet| {
        if let Some(Ip::V4(ip)) = &packet.ip {
            set = ip.options();
        }
    });
    let packet = only(&frame);
    (set, packet.events, packet.has_ip)
}

#[test]
fn options_that_are_well_formed_count() {
    for (bytes, bit) in [
        (&[7, 7, 4, 0, 0, 0, 0, 0][..], OptionSet::RECORD_ROUTE),
        (&[0x83, 7, 8, 0, 0, 0, 0, 0], OptionSet::LOOSE_ROUTE),
        (&[0x89, 3, 4, 1, 1, 1, 1, 0], OptionSet::STRICT_ROUTE),
        (&[0x44, 8, 5, 0, 0, 0, 0, 0], OptionSet::TIMESTAMP),
        (&[0x82, 3, 0, 1, 1, 1, 1, 1], OptionSet::SECURITY),
        (&[0x85, 3, 0, 1, 1, 1, 1, 1], OptionSet::EXTENDED_SECURITY),
        (&[0x88, 4, 0, 1, 1, 1, 1, 1], OptionSet::STREAM_ID),
        (&[0x94, 4, 0, 0, 1, 1, 1, 1], OptionSet::ROUTER_ALERT),
        (&[0x19, 8, 0, 0, 0, 0, 0, 0], OptionSet::QUICK_START),
        (&[0x86, 10, 0, 0, 0, 1, 1, 4, 0, 9, 1, 1, 1, 1, 1, 1], OptionSet::COMMERCIAL_SECURITY),
        (&[1, 1, 1, 1, 1, 1, 1, 0], OptionSet::NOTHING),
        (&[0, 9, 9, 9, 9, 9, 9, 9], OptionSet::END),
    ] {
        let (set, events, is_trusted) = options(bytes);
        assert!(set.has(bit) && events.is_empty() && is_trusted, "{bytes:?}: {set:?} {events:?}");
    }
}

#[test]
fn what_is_wrong_with_options_is_told() {
    for (bytes, event) in [
        (&[7, 2, 1, 1, 1, 1, 1, 1][..], "ipv4.opt_invalid_len"),
        (&[7, 7, 5, 0, 0, 0, 0, 0], "ipv4.opt_malformed"),
        (&[7, 7, 12, 0, 0, 0, 0, 0], "ipv4.opt_malformed"),
        (&[0x44, 8, 4, 0, 0, 0, 0, 0], "ipv4.opt_malformed"),
        (&[0x44, 4, 5, 0, 0, 0, 0, 0], "ipv4.opt_invalid_len"),
        (&[0x88, 3, 0, 0, 0, 0, 0, 0], "ipv4.opt_invalid_len"),
        (&[0x86, 10, 0, 0, 0, 1, 1, 4, 7, 9, 1, 1, 1, 1, 1, 1], "ipv4.opt_malformed"),
        (&[0x86, 10, 0, 0, 0, 1, 3, 4, 0, 9, 1, 1, 1, 1, 1, 1], "ipv4.opt_malformed"),
        (&[0x86, 10, 0, 0, 0, 1, 1, 5, 0, 9, 1, 1, 1, 1, 1, 1], "ipv4.opt_malformed"),
        (&[0x33, 3, 9, 0, 0, 0, 0, 0], "ipv4.opt_invalid"),
        (&[0x88, 4, 0, 1, 0x88, 4, 0, 1], "ipv4.opt_duplicate"),
        (&[1, 1, 1, 1, 1, 1, 1, 7], "ipv4.opt_eol_required"),
        (&[1, 1, 1, 0], "ipv4.opt_pad_required"),
    ] {
        let (_, events, is_trusted) = options(bytes);
        assert_eq!((events, is_trusted), (vec![event], true), "{bytes:?}");
    }
    for bytes in [[7, 9, 4, 0, 0, 0, 0, 0], [7, 1, 4, 0, 0, 0, 0, 0], [7, 0, 4, 0, 0, 0, 0, 0]] {
        let (_, events, is_trusted) = options(&bytes);
        assert_eq!((events, is_trusted), (vec!["ipv4.opt_invalid_len"], false), "{bytes:?}");
    }
}

#[test]
fn icmp_of_the_other_version_is_told() {
    assert_eq!(events(&Frame::v4().icmp6(128, 0, &[0; 8]).bytes()), ["ipv4.icmpv6"]);
    let six = only(&Frame::v6().icmp4(8, 0, &[0; 8]).bytes());
    assert_eq!((six.events, six.protocol), (vec!["ipv6.icmpv4"], 0));
    let behind = Frame::v6().extension(60, &[1, 4, 0, 0, 0, 0]).icmp4(8, 0, &[0; 8]).bytes();
    assert!(only(&behind).events.contains(&"ipv6.icmpv4"));
}

#[test]
fn an_ipv6_header_that_lies_is_told_and_not_trusted() {
    let good = Frame::v6().tcp(b"data").bytes();
    for (at, value, event) in [(14, 0x50, "ipv6.wrong_ip_version"), (18, 1, "ipv6.trunc_pkt")] {
        let mut frame = good.clone();
        frame[at] = value;
        let packet = only(&frame);
        assert_eq!((packet.events, packet.has_ip), (vec![event], false));
    }
}

#[test]
fn a_protocol_that_is_not_known_is_odd_for_ipv6_alone() {
    let six = only(&Frame::v6().protocol(253).raw(b"data").bytes());
    assert_eq!((six.events, six.protocol, six.has_flow), (vec!["ipv6.unknown_next_header"], 253, false));
    let four = only(&Frame::v4().protocol(253).raw(b"data").bytes());
    assert_eq!((four.events, four.protocol, four.has_flow), (vec![], 253, false));
    assert_eq!(four.transport, "other");
}

#[test]
fn extension_headers_are_walked_over() {
    let frame = Frame::v6()
        .extension(0, &[5, 2, 0, 0, 0, 0])
        .extension(60, &[0xc9, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1, 2, 0, 0])
        .extension(43, &[2, 0, 0, 0, 0, 0])
        .extension(51, &[0; 22])
        .extension(135, &[0; 6])
        .extension(60, &[0xc9, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1, 2, 0, 0])
        .udp(1, 2, b"data");
    let packet = only(&frame.bytes());
    assert_eq!((packet.events, packet.payload, packet.protocol), (vec![], b"data".to_vec(), 17));
}

#[test]
fn what_is_odd_about_extension_headers_is_told() {
    let padding: &[u8] = &[1, 4, 0, 0, 0, 0];
    let alert: &[u8] = &[5, 2, 0, 0, 1, 0];
    let udp = |frame: Frame| frame.udp(1, 2, b"").bytes();
    for (frame, expected) in [
        (Frame::v6().extension(0, padding), vec!["ipv6.hopopts_only_padding"]),
        (Frame::v6().extension(60, padding), vec!["ipv6.dstopts_only_padding"]),
        (Frame::v6().extension(0, &[0x1e, 1, 0, 0, 0, 0]), vec!["ipv6.hopopts_unknown_opt"]),
        (Frame::v6().extension(60, &[0x1e, 4, 0, 0, 0, 0]), vec!["ipv6.dstopts_unknown_opt"]),
        (Frame::v6().extension(0, &[5, 2, 0, 0, 1, 0]), vec![]),
        (Frame::v6().extension(0, &[0xc2, 4, 0, 1, 0, 0]), vec![]),
        (Frame::v6().extension(0, &[5, 1, 0, 0, 0, 0]), vec!["ipv6.exthdr_invalid_optlen"]),
        (Frame::v6().extension(0, &[5, 2, 0, 0, 7, 3]), vec!["ipv6.exthdr_invalid_optlen"]),
        (Frame::v6().extension(60, &[5, 2, 0, 0, 0, 9]), vec!["ipv6.exthdr_invalid_optlen"]),
        (
            Frame::v6().extension(60, &[5, 2, 0, 0, 1, 0]).extension(60, alert).extension(60, alert),
            vec!["ipv6.exthdr_dupl_dh"],
        ),
        (Frame::v6().extension(0, alert).extension(0, alert), vec!["ipv6.exthdr_dupl_hh"]),
        (Frame::v6().extension(43, &[0; 6]), vec!["ipv6.rh_type_0"]),
        (Frame::v6().extension(43, &[2; 6]).extension(43, &[0; 6]), vec!["ipv6.exthdr_dupl_rh"]),
        (Frame::v6().extension(51, &[1; 10]), vec!["ipv6.exthdr_ah_res_not_null"]),
        (Frame::v6().extension(51, &[0; 10]).extension(51, &[0; 10]), vec!["ipv6.exthdr_dupl_ah"]),
        (Frame::v6().fragment(1, 0, false), vec!["ipv6.exthdr_useless_fh"]),
    ] {
        let mut events = events(&udp(frame));
        events.retain(|event| *event != "ipv6.zero_len_padn");
        assert_eq!(events, expected);
    }
    assert!(events(&udp(Frame::v6().extension(0, &[5, 2, 0, 0, 1, 0]))).contains(&"ipv6.zero_len_padn"));
}

#[test]
fn an_extension_header_that_is_cut_off_ends_the_walk() {
    for (kind, body) in
        [(0, &[9, 0][..]), (43, &[9, 0]), (60, &[9]), (44, &[17, 0, 0, 0]), (51, &[17, 4, 0, 0])]
    {
        let packet = only(&Frame::v6().protocol(kind).raw(body).bytes());
        assert_eq!((packet.events, packet.is_invalid), (vec!["ipv6.trunc_exthdr"], true), "{kind}");
    }
}

#[test]
fn a_fragment_header_in_twos_or_with_reserved_bits_is_told() {
    let twice = Frame::v6().fragment(1, 0, false);
    let inner = [&[17, 0, 0, 0, 0, 0, 0, 1][..], &Frame::v6().udp(1, 2, b"").upper_bytes()].concat();
    let packet = only(&twice.protocol(44).raw(&inner).bytes());
    assert_eq!(packet.events, ["ipv6.exthdr_dupl_fh", "ipv6.exthdr_useless_fh"]);
    assert_eq!(packet.transport, "udp");
    let reserved = Frame::v6().protocol(44).raw(&[&[17, 7, 0, 0, 0, 0, 0, 1][..], &[0; 8]].concat()).bytes();
    assert!(only(&reserved).events.contains(&"ipv6.fh_non_zero_reserved_field"));
    let odd = Frame::v6().fragment(1, 0, true).protocol(17).raw(&[0; 9]).bytes();
    assert_eq!(only(&odd).events, ["ipv6.frag_invalid_length"]);
}

#[test]
fn nothing_may_follow_the_header_that_says_nothing_follows() {
    assert_eq!(events(&Frame::v6().protocol(59).bytes()), Vec::<&str>::new());
    let data = only(&Frame::v6().protocol(59).raw(b"data").bytes());
    assert_eq!((data.events, data.protocol), (vec!["ipv6.data_after_none_header"], 0));
}

#[test]
fn ip_in_ip_makes_two_packets_of_which_the_outer_hides_its_payload() {
    let (four, six) = (Frame::v4().tcp(b"x").ip_bytes(), Frame::v6().udp(1, 2, b"y").ip_bytes());
    for (outer, inner, transport) in [
        (Frame::v4().protocol(4), &four, "tcp"),
        (Frame::v4().protocol(41), &six, "udp"),
        (Frame::v6().protocol(4), &four, "tcp"),
        (Frame::v6().protocol(41), &six, "udp"),
        (Frame::v6().extension(60, &[5, 2, 0, 0, 1, 0]).protocol(4), &four, "tcp"),
    ] {
        let all = packets(&outer.raw(inner).bytes());
        assert!(
            matches!(&all[..], [inner, outer] if inner.transport == transport && inner.depth == 1
                && outer.depth == 0 && outer.hides_payload && outer.has_flow && outer.payload.is_empty()),
            "{all:#?}"
        );
    }
}

#[test]
fn what_is_no_ip_inside_ip_is_told() {
    for (protocol, body, event) in [
        (4, &[0x45; 19][..], "ipv6.ipv4_in_ipv6_too_small"),
        (4, &[0x55; 20], "ipv6.ipv4_in_ipv6_wrong_version"),
        (41, &[0x60; 39], "ipv6.ipv6_in_ipv6_too_small"),
        (41, &[0x50; 40], "ipv6.ipv6_in_ipv6_wrong_version"),
    ] {
        assert_eq!(events(&Frame::v6().protocol(protocol).raw(body).bytes()), [event]);
    }
    let inner = only(&Frame::v4().protocol(4).raw(&[0x45; 10]).bytes());
    assert!(inner.events.is_empty() && !inner.hides_payload && inner.has_flow);
}
