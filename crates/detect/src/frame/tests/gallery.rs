//! One frame of each kind, for the tests that go through them all.

use super::super::link::link_type;
use super::Frame;

/// One frame of each kind that the decoder understands, with its link.
pub(crate) fn gallery() -> Vec<(u16, Vec<u8>)> {
    let stamps: &[u8] = &[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
    let tcp = Frame::v4().tcp_options(stamps).tcp(b"GET / HTTP/1.0\r\n\r\n");
    let udp6 = Frame::v6().udp(53, 53, b"query");
    let ip4 = tcp.ip_bytes();
    let ip6 = udp6.ip_bytes();
    let ethernet = tcp.bytes();
    let gre = |header: &[u8], inner: &[u8]| Frame::v4().protocol(47).raw(&[header, inner].concat()).bytes();
    let in_udp = |port: u16, header: &[u8], inner: &[u8]| {
        Frame::v4().udp(50_000, port, &[header, inner].concat()).bytes()
    };
    let options = &[
        0x83, 7, 4, 1, 2, 3, 4, 0x44, 12, 5, 1, 1, 1, 1, 1, 2, 2, 2, 2, 1, 0x86, 10, 0, 0, 0, 1, 1, 4, 0, 0,
        0, 0,
    ];
    let mut frames = vec![
        tcp.bytes(),
        udp6.bytes(),
        tcp.clone().vlan(&[1, 2, 3]).bytes(),
        tcp.clone().options(options).bytes(),
        tcp.clone().around(0x8847, &[0, 1, 0x51, 0xff]).bytes(),
        tcp.clone().around(0x8864, &[0x11, 0, 0, 1, 0, 90, 0, 0x21]).bytes(),
        tcp.clone().around(0x8926, &[0; 4]).bytes(),
        tcp.clone().around(0x893f, &[0; 6]).bytes(),
        tcp.clone().around(0x88e7, &[0; 16]).bytes(),
        tcp.clone().around(0x894f, &[0, 2, 2, 1, 0, 0, 1, 1]).bytes(),
        [&[2; 12][..], &[0x89, 3, 0, 0], &ethernet].concat(),
        [&[2; 12][..], &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &[7; 20]].concat(),
        [&[2; 12][..], &[0x88, 0x63, 0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0]].concat(),
        Frame::v4().icmp4(3, 3, &[&[0; 4][..], &ip4].concat()).bytes(),
        Frame::v4().icmp4(9, 0, &[1, 2, 0, 9, 1, 1, 1, 1, 0, 0, 0, 1]).bytes(),
        Frame::v6().icmp6(2, 0, &[&[0; 4][..], &ip6].concat()).bytes(),
        Frame::v4().protocol(132).raw(&[9; 30]).bytes(),
        Frame::v4().protocol(50).raw(&[9; 30]).bytes(),
        Frame::v4().protocol(2).raw(&[9; 8]).bytes(),
        Frame::v4().protocol(4).raw(&ip4).bytes(),
        Frame::v4().protocol(41).raw(&ip6).bytes(),
        Frame::v6().protocol(4).raw(&ip4).bytes(),
        Frame::v6().protocol(41).raw(&ip6).bytes(),
        gre(&[0xb0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2], &ip4),
        gre(&[0x40, 0, 0x86, 0xdd, 0, 0, 0, 0, 0, 1, 0, 2, 5, 5, 0, 0, 0, 0], &ip6),
        gre(
            &[0x30, 0x81, 0x88, 0x0b, 0, 60, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2],
            &[&[0xff, 3, 0, 0x21][..], &ip4].concat(),
        ),
        gre(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0, 0, 0, 0, 0, 0], &ethernet),
        gre(&[0, 0, 0x65, 0x58], &ethernet),
        in_udp(4789, &[8, 0, 0, 0, 0, 0, 7, 0], &ethernet),
        in_udp(6081, &[2, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 1, 1, 1, 9, 9, 9, 9], &ethernet),
        in_udp(3544, &[0, 0, 1, 2, 3, 4, 5, 6], &ip6),
        Frame::v6().fragment(7, 0, true).protocol(17).raw(&[1; 16]).bytes(),
        Frame::v4().fragment(7, 2, false).protocol(17).raw(&[1; 16]).bytes(),
    ];
    frames.push(
        Frame::v6()
            .extension(0, &[5, 2, 0, 0, 1, 0])
            .extension(43, &[0, 0, 0, 0, 0, 0])
            .extension(60, &[0xc9, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1, 2, 0, 0])
            .extension(51, &[0; 22])
            .fragment(1, 0, false)
            .tcp(b"data")
            .bytes(),
    );
    let mut gallery: Vec<(u16, Vec<u8>)> =
        frames.into_iter().map(|frame| (link_type::ETHERNET, frame)).collect();
    gallery.extend([
        (link_type::RAW, ip4.clone()),
        (link_type::IPV6, ip6.clone()),
        (link_type::NULL, [&[2, 0, 0, 0][..], &ip4].concat()),
        (link_type::LOOP, [&[0, 0, 0, 30][..], &ip6].concat()),
        (link_type::COOKED, [&[0; 14][..], &[8, 0], &ip4].concat()),
        (link_type::COOKED_2, [&[0x86, 0xdd][..], &[0; 18], &ip6].concat()),
        (link_type::PPP, [&[0xff, 3, 0x21][..], &ip4].concat()),
        (link_type::PPP, [&[0, 0x57][..], &ip6].concat()),
        (link_type::CISCO_HDLC, [&[0x0f, 0, 8, 0][..], &ip4].concat()),
    ]);
    gallery
}
