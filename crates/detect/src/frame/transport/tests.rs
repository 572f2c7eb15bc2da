//! Transport headers: fields, options and events.

use super::super::tests::{Frame, each, events, only};
use super::{Embedded, TcpOptions, Transport};

/// What the options of a segment say, and its events.
fn tcp_options(bytes: &[u8], check: impl Fn(&TcpOptions<'_>)) -> Vec<&'static str> {
    let frame = Frame::v4().tcp_options(bytes).tcp(b"data").bytes();
    each(&frame, &mut |packet| {
        let Transport::Tcp(tcp) = &packet.transport else { panic!("{packet:?}") };
        assert_eq!((tcp.bytes().len(), packet.payload), (20 + bytes.len(), &b"data"[..]));
        check(&tcp.options);
    });
    events(&frame)
}

#[test]
fn a_segment_is_read() {
    let frame = Frame::v6().ports(1000, 2000).tcp_flags(0xc2).tcp(b"data").bytes();
    each(&frame, &mut |packet| {
        let Some(tcp) = packet.transport.tcp() else { panic!("{packet:?}") };
        assert_eq!((tcp.sequence(), tcp.acknowledged(), tcp.window(), tcp.urgent()), (7, 9, 0x2000, 0));
        assert!(tcp.has(0xc2) && !tcp.has(0x10) && tcp.flags() == 0xc2);
        assert_eq!((packet.source_port, packet.destination_port), (1000, 2000));
        assert!(packet.has_flow && tcp.options == TcpOptions::default());
    });
}

#[test]
fn what_is_wrong_with_a_segment_is_told() {
    let good = Frame::v4().tcp(b"").upper_bytes();
    for (bytes, event) in [
        (good[..19].to_vec(), "tcp.pkt_too_small"),
        ([&good[..12], &[0xf0], &good[13..]].concat(), "tcp.hlen_too_small"),
        ([&good[..12], &[0x40], &good[13..]].concat(), "tcp.invalid_optlen"),
    ] {
        let packet = only(&Frame::v4().protocol(6).raw(&bytes).bytes());
        assert_eq!((packet.events, packet.is_invalid), (vec![event], true));
        assert_eq!(
            (packet.transport, packet.protocol, packet.ports, packet.has_flow),
            ("none", 6, (0, 0), false)
        );
    }
}

#[test]
fn options_of_tcp_are_read() {
    let none: Vec<&str> = Vec::new();
    let stamps = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
    assert_eq!(tcp_options(&stamps, |options| assert_eq!(options.timestamps, Some((1, 2)))), none);
    let syn = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7];
    let check = |options: &TcpOptions<'_>| {
        assert_eq!((options.segment_size, options.window_scale), (Some(1460), Some(7)));
        assert!(options.sack_permitted && options.timestamps == Some((1, 2)) && !options.fast_open);
    };
    assert_eq!(tcp_options(&syn, check), none);
    let sack = [1, 1, 5, 10, 1, 2, 3, 4, 5, 6, 7, 8];
    assert_eq!(tcp_options(&sack, |options| assert_eq!(options.sack.map(<[u8]>::len), Some(8))), none);
    assert_eq!(tcp_options(&[3, 3, 15, 0], |options| assert_eq!(options.window_scale, Some(0))), none);
    assert_eq!(tcp_options(&[34, 6, 1, 2, 3, 4, 0, 0], |options| assert!(options.fast_open)), none);
    assert_eq!(tcp_options(&[254, 4, 0xf9, 0x89], |options| assert!(options.fast_open)), none);
    assert_eq!(tcp_options(&[253, 4, 0, 0], |options| assert!(!options.fast_open)), none);
    let md5 = [&[19, 18][..], &[7; 16], &[0, 0]].concat();
    assert_eq!(tcp_options(&md5, |options| assert!(options.md5)), none);
    assert_eq!(tcp_options(&[29, 4, 0, 0], |options| assert!(options.authenticated)), none);
    assert_eq!(tcp_options(&[5, 2, 5, 2], |options| assert_eq!(options.sack, None)), none);
    assert_eq!(tcp_options(&[77, 4, 0, 0], |_| {}), none);
}

#[test]
fn an_option_of_the_wrong_length_is_told() {
    for bytes in [
        [3, 4, 0, 0],
        [2, 3, 0, 0],
        [4, 3, 0, 0],
        [8, 4, 0, 0],
        [5, 4, 0, 0],
        [34, 3, 0, 0],
        [253, 3, 0, 0],
        [19, 4, 0, 0],
        [29, 3, 0, 0],
        [2, 9, 0, 0],
        [2, 1, 0, 0],
        [2, 0, 0, 0],
    ] {
        assert_eq!(tcp_options(&bytes, |_| {}), ["tcp.opt_invalid_len"], "{bytes:?}");
    }
    assert_eq!(tcp_options(&[1, 1, 1, 2], |_| {}), Vec::<&str>::new());
}

#[test]
fn of_an_option_that_comes_twice_the_first_counts() {
    for bytes in [
        &[3, 3, 1, 3, 3, 2, 0, 0][..],
        &[2, 4, 0, 1, 2, 4, 0, 2],
        &[4, 2, 4, 2],
        &[34, 2, 254, 4, 0xf9, 0x89, 0, 0],
        &[8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0],
        &[5, 10, 0, 0, 0, 0, 0, 0, 0, 0, 5, 10, 0, 0, 0, 0, 0, 0, 0, 0],
    ] {
        assert_eq!(tcp_options(bytes, |_| {}), ["tcp.opt_duplicate"], "{bytes:?}");
    }
    let twice = [2, 4, 0, 1, 2, 4, 0, 2];
    tcp_options(&twice, |options| assert_eq!(options.segment_size, Some(1)));
}

#[test]
fn a_datagram_of_udp_is_as_long_as_it_says() {
    let mut upper = Frame::v4().udp(5, 6, b"data").upper_bytes();
    upper.extend_from_slice(b"more");
    let packet = only(&Frame::v4().protocol(17).raw(&upper).bytes());
    assert_eq!((packet.payload, packet.ports, packet.events), (b"data".to_vec(), (5, 6), vec![]));
    for (bytes, event) in [
        (&upper[..7], "udp.hlen_too_small"),
        (&upper[..11], "udp.pkt_too_small"),
        (&[0, 5, 0, 6, 0, 7, 0, 0, 1, 2], "udp.len_invalid"),
    ] {
        let packet = only(&Frame::v4().protocol(17).raw(bytes).bytes());
        assert_eq!((packet.events, packet.transport, packet.protocol), (vec![event], "none", 17));
    }
}

#[test]
fn sctp_and_esp_are_read() {
    let sctp = only(&Frame::v4().protocol(132).raw(&[&[0, 5, 0, 6][..], &[0; 8], b"chunk"].concat()).bytes());
    assert_eq!((sctp.ports, sctp.payload, sctp.has_flow), ((5, 6), b"chunk".to_vec(), true));
    assert_eq!(events(&Frame::v4().protocol(132).raw(&[0; 11]).bytes()), ["sctp.pkt_too_small"]);
    let esp = only(&Frame::v6().protocol(50).raw(&[&[0; 8][..], b"secret"].concat()).bytes());
    assert_eq!((esp.protocol, esp.payload, esp.has_flow), (50, b"secret".to_vec(), true));
    assert_eq!(events(&Frame::v4().protocol(50).raw(&[0; 7]).bytes()), ["esp.pkt_too_small"]);
}

#[test]
fn an_echo_has_an_identifier_and_a_number() {
    for frame in [Frame::v4().icmp4(8, 0, &[1, 2, 3, 4, 9]), Frame::v6().icmp6(129, 0, &[1, 2, 3, 4, 9])] {
        each(&frame.bytes(), &mut |packet| {
            let (id, sequence) = match &packet.transport {
                Transport::Icmp4(icmp) => (icmp.id(), icmp.sequence()),
                Transport::Icmp6(icmp) => (icmp.id(), icmp.sequence()),
                other => panic!("{other:?}"),
            };
            assert_eq!((id, sequence, packet.payload), (Some(0x102), Some(0x304), &[9][..]));
        });
    }
}

#[test]
fn codes_and_types_of_icmp_that_are_not_known_are_odd() {
    for (kind, code, expected) in [
        (0, 1, vec!["icmpv4.unknown_code"]),
        (3, 15, vec![]),
        (3, 16, vec!["icmpv4.unknown_code"]),
        (5, 4, vec!["icmpv4.unknown_code"]),
        (11, 2, vec!["icmpv4.unknown_code"]),
        (12, 1, vec!["icmpv4.unknown_code"]),
        (10, 0, vec!["icmpv4.unknown_type"]),
        (77, 0, vec!["icmpv4.unknown_type"]),
    ] {
        assert_eq!(events(&Frame::v4().icmp4(kind, code, &[0; 4]).bytes()), expected, "{kind} {code}");
    }
    for (kind, code, expected) in [
        (128, 1, vec!["icmpv6.unknown_code"]),
        (133, 0, vec![]),
        (138, 255, vec![]),
        (138, 3, vec!["icmpv6.unknown_code"]),
        (140, 3, vec!["icmpv6.unknown_code"]),
        (155, 4, vec!["icmpv6.unknown_code"]),
        (155, 132, vec![]),
        (151, 99, vec![]),
        (159, 1, vec!["icmpv6.unknown_code"]),
        (130, 0, vec!["icmpv6.mld_message_with_invalid_hl"]),
        (5, 0, vec!["icmpv6.unassigned_type"]),
        (100, 0, vec!["icmpv6.experimentation_type"]),
        (127, 0, vec!["icmpv6.unknown_type"]),
        (0, 0, vec!["icmpv6.unknown_type"]),
        (255, 0, vec!["icmpv6.unassigned_type"]),
    ] {
        assert_eq!(events(&Frame::v6().icmp6(kind, code, &[0; 16]).bytes()), expected, "{kind} {code}");
    }
    assert_eq!(events(&Frame::v6().ttl(1).icmp6(131, 0, &[0; 16]).bytes()), Vec::<&str>::new());
}

/// Protocol, ports and source of a datagram that an error is about.
type About = (u8, Option<(u16, u16)>, String);

fn embedded(message: &[u8]) -> Option<About> {
    let mut found = None;
    each(&Frame::v4().icmp4(3, 3, message).bytes(), &mut |packet| {
        found = packet
            .transport
            .icmp4()
            .and_then(|icmp| icmp.embedded)
            .map(|inner: Embedded<'_>| (inner.protocol, inner.ports, inner.source().to_string()));
    });
    found
}

#[test]
fn an_error_tells_what_it_is_about() {
    let udp = [&[0; 4][..], &Frame::v4().sent_by([1, 2, 3, 4]).udp(7, 8, b"data").ip_bytes()].concat();
    assert_eq!(embedded(&udp), Some((17, Some((7, 8)), "1.2.3.4".into())));
    assert_eq!(embedded(&udp[..4 + 27]), Some((0, None, "1.2.3.4".into())));
    let tcp = [&[0; 4][..], &Frame::v4().sent_by([1, 2, 3, 4]).tcp(b"").ip_bytes()].concat();
    assert_eq!(embedded(&tcp[..4 + 24]), Some((6, Some((40_000, 80)), "1.2.3.4".into())));
    let echo = [&[0; 4][..], &Frame::v4().sent_by([1, 2, 3, 4]).icmp4(8, 0, &[0; 4]).ip_bytes()].concat();
    assert_eq!(embedded(&echo), Some((1, None, "1.2.3.4".into())));
    each(&Frame::v4().icmp4(3, 3, &udp).bytes(), &mut |packet| {
        assert!(packet.transport.icmp4().is_some_and(|icmp| icmp.undelivered().is_some()));
    });
    each(&Frame::v4().icmp4(11, 0, &udp).bytes(), &mut |packet| {
        assert!(packet.transport.icmp4().is_some_and(|icmp| icmp.undelivered().is_none()));
    });
}

#[test]
fn what_an_error_should_be_about_is_checked() {
    assert_eq!(events(&Frame::v4().icmp4(3, 3, &[0; 23]).bytes()), ["icmpv4.ipv4_trunc_pkt"]);
    assert_eq!(events(&Frame::v4().icmp4(3, 3, &[0; 4]).bytes()), Vec::<&str>::new());
    assert_eq!(events(&Frame::v4().icmp4(4, 0, &[0; 4]).bytes()), ["icmpv4.ipv4_trunc_pkt"]);
    assert_eq!(events(&Frame::v4().icmp4(3, 3, &[0x60; 24]).bytes()), ["icmpv4.ipv4_unknown_ver"]);
    assert_eq!(events(&Frame::v4().icmp4(13, 0, &[0; 15]).bytes()), ["icmpv4.ipv4_trunc_pkt"]);
    assert_eq!(events(&Frame::v4().icmp4(9, 0, &[2, 2, 0, 0, 0, 0]).bytes()), ["icmpv4.ipv4_trunc_pkt"]);
    assert_eq!(events(&Frame::v6().icmp6(1, 0, &[0; 43]).bytes()), ["icmpv6.ipv6_trunc_pkt"]);
    assert_eq!(events(&Frame::v6().icmp6(3, 0, &[0x40; 44]).bytes()), ["icmpv6.ipv6_unknown_version"]);
    assert_eq!(events(&Frame::v4().icmp4(8, 0, &[0; 3]).bytes()), ["icmpv4.pkt_too_small"]);
    assert_eq!(events(&Frame::v6().icmp6(128, 0, &[0; 3]).bytes()), ["icmpv6.pkt_too_small"]);
}

#[test]
fn the_payload_of_icmp_begins_behind_its_header() {
    let length = |frame: Frame| only(&frame.bytes()).payload.len();
    assert_eq!(length(Frame::v4().icmp4(8, 0, &[0; 14])), 10);
    assert_eq!(length(Frame::v4().icmp4(13, 0, &[0; 20])), 4);
    assert_eq!(length(Frame::v6().icmp6(128, 0, &[0; 14])), 10);
    assert_eq!(length(Frame::v6().icmp6(133, 0, &[0; 14])), 6);
    assert_eq!(length(Frame::v6().icmp6(133, 0, &[0; 6])), 0);
}
