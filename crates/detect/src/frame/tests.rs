//! Frames built byte by byte for the tests of this folder, and what came out of them.

use super::ip::protocol;
use super::link::link_type;
use super::{Checksum, Decoder, Event, Packet, Settings, Transport};
use crate::Time;
use core::net::IpAddr;

/// A frame in the making: Ethernet, perhaps tags, IP, and something above.
#[derive(Clone)]
pub(crate) struct Frame {
    source: Vec<u8>,
    destination: Vec<u8>,
    ttl: u8,
    tos: u8,
    options: Vec<u8>,
    /// Identification, offset in units of 8 bytes, and whether more follow.
    fragment: Option<(u32, u16, bool)>,
    bits: u8,
    extensions: Vec<(u8, Vec<u8>)>,
    tcp_options: Vec<u8>,
    tcp_flags: u8,
    ports: (u16, u16),
    protocol: u8,
    upper: Vec<u8>,
    checksum_at: Option<usize>,
    tags: Vec<(u16, Vec<u8>)>,
}

impl Frame {
    pub(crate) fn v4() -> Self {
        Frame::between(&[192, 0, 2, 1], &[198, 51, 100, 2])
    }

    pub(crate) fn v6() -> Self {
        let mut source = vec![0x20, 1, 0xd, 0xb8];
        source.resize(16, 1);
        let mut destination = source.clone();
        destination[15] = 2;
        Frame::between(&source, &destination)
    }

    fn between(source: &[u8], destination: &[u8]) -> Self {
        Frame {
            source: source.to_vec(),
            destination: destination.to_vec(),
            ttl: 64,
            tos: 0,
            options: Vec::new(),
            fragment: None,
            bits: 0,
            extensions: Vec::new(),
            tcp_options: Vec::new(),
            tcp_flags: 0x18,
            ports: (40_000, 80),
            protocol: 0,
            upper: Vec::new(),
            checksum_at: None,
            tags: Vec::new(),
        }
    }

    pub(crate) fn from_v4(mut self, address: [u8; 4]) -> Self {
        self.source = address.to_vec();
        self
    }

    pub(crate) fn swapped(mut self) -> Self {
        core::mem::swap(&mut self.source, &mut self.destination);
        self
    }

    pub(crate) fn ttl(mut self, ttl: u8) -> Self {
        self.ttl = ttl;
        self
    }

    pub(crate) fn tos(mut self, tos: u8) -> Self {
        self.tos = tos;
        self
    }

    /// The three bits before the fragment's offset.
    pub(crate) fn bits(mut self, bits: u8) -> Self {
        self.bits = bits;
        self
    }

    pub(crate) fn options(mut self, options: &[u8]) -> Self {
        self.options = options.to_vec();
        self
    }

    pub(crate) fn fragment(mut self, id: u32, offset: u16, has_more: bool) -> Self {
        self.fragment = Some((id, offset, has_more));
        self
    }

    /// An extension header: what stands behind its first two bytes.
    pub(crate) fn extension(mut self, kind: u8, body: &[u8]) -> Self {
        self.extensions.push((kind, body.to_vec()));
        self
    }

    pub(crate) fn ports(mut self, source: u16, destination: u16) -> Self {
        self.ports = (source, destination);
        self
    }

    pub(crate) fn tcp_options(mut self, options: &[u8]) -> Self {
        self.tcp_options = options.to_vec();
        self
    }

    pub(crate) fn tcp_flags(mut self, flags: u8) -> Self {
        self.tcp_flags = flags;
        self
    }

    pub(crate) fn protocol(mut self, protocol: u8) -> Self {
        self.protocol = protocol;
        self
    }

    pub(crate) fn raw(mut self, upper: &[u8]) -> Self {
        self.upper = upper.to_vec();
        self
    }

    pub(crate) fn tcp(mut self, data: &[u8]) -> Self {
        let length = 20 + self.tcp_options.len();
        let mut segment = [self.ports.0.to_be_bytes(), self.ports.1.to_be_bytes()].concat();
        segment.extend_from_slice(&[0, 0, 0, 7, 0, 0, 0, 9, (length as u8 / 4) << 4, self.tcp_flags]);
        segment.extend_from_slice(&[0x20, 0, 0, 0, 0, 0]);
        segment.extend_from_slice(&self.tcp_options);
        segment.extend_from_slice(data);
        self.upper = segment;
        self.protocol = protocol::TCP;
        self.checksum_at = Some(16);
        self
    }

    pub(crate) fn udp(mut self, source: u16, destination: u16, data: &[u8]) -> Self {
        let length = 8 + data.len() as u16;
        let header = [source, destination, length, 0].map(u16::to_be_bytes).concat();
        self.upper = [&header[..], data].concat();
        self.protocol = protocol::UDP;
        self.checksum_at = Some(6);
        self
    }

    pub(crate) fn icmp4(self, kind: u8, code: u8, rest: &[u8]) -> Self {
        self.icmp(protocol::ICMP, kind, code, rest)
    }

    pub(crate) fn icmp6(self, kind: u8, code: u8, rest: &[u8]) -> Self {
        self.icmp(protocol::ICMP6, kind, code, rest)
    }

    fn icmp(mut self, protocol: u8, kind: u8, code: u8, rest: &[u8]) -> Self {
        self.upper = [&[kind, code, 0, 0][..], rest].concat();
        self.protocol = protocol;
        self.checksum_at = Some(2);
        self
    }

    pub(crate) fn vlan(mut self, ids: &[u16]) -> Self {
        self.tags.extend(ids.iter().map(|id| (0x8100, id.to_be_bytes().to_vec())));
        self
    }

    /// Puts something with an EtherType around IP. Only VLAN tags say what follows them.
    pub(crate) fn around(mut self, kind: u16, header: &[u8]) -> Self {
        self.tags.push((kind, header.to_vec()));
        self
    }

    pub(crate) fn is_v4(&self) -> bool {
        self.source.len() == 4
    }

    /// What IP carries, with its checksum.
    pub(crate) fn upper_bytes(&self) -> Vec<u8> {
        let mut upper = self.upper.clone();
        if let Some(at) = self.checksum_at {
            let mut all = Vec::new();
            if self.protocol != protocol::ICMP {
                all.extend_from_slice(&[&self.source[..], &self.destination[..]].concat());
                all.extend_from_slice(&(upper.len() as u32).to_be_bytes());
                all.extend_from_slice(&[0, 0, 0, self.protocol]);
            }
            all.extend_from_slice(&upper);
            upper[at..at + 2].copy_from_slice(&checksum(&all).to_be_bytes());
        }
        upper
    }

    pub(crate) fn ip_bytes(&self) -> Vec<u8> {
        if self.is_v4() { self.v4_bytes() } else { self.v6_bytes() }
    }

    fn v4_bytes(&self) -> Vec<u8> {
        let upper = self.upper_bytes();
        let length = 20 + self.options.len();
        let (id, offset, has_more) = self.fragment.unwrap_or((0x1234, 0, false));
        let bits = self.bits | u8::from(has_more);
        let word = (u16::from(bits) << 13) | offset;
        let mut header = vec![0x40 | (length / 4) as u8, self.tos];
        header.extend_from_slice(&((length + upper.len()) as u16).to_be_bytes());
        header.extend_from_slice(&(id as u16).to_be_bytes());
        header.extend_from_slice(&word.to_be_bytes());
        header.extend_from_slice(&[self.ttl, self.protocol, 0, 0]);
        header.extend_from_slice(&self.source);
        header.extend_from_slice(&self.destination);
        header.extend_from_slice(&self.options);
        let sum = checksum(&header);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        [header, upper].concat()
    }

    fn v6_bytes(&self) -> Vec<u8> {
        let mut chain = self.extensions.clone();
        if let Some((id, offset, has_more)) = self.fragment {
            let word = (offset << 3) | u16::from(has_more);
            chain.push((44, [&word.to_be_bytes()[..], &id.to_be_bytes()].concat()));
        }
        let kinds: Vec<u8> = chain.iter().map(|(kind, _)| *kind).chain([self.protocol]).collect();
        let mut rest = Vec::new();
        for ((kind, body), next) in chain.iter().zip(&kinds[1..]) {
            let units = match kind {
                44 => 0,
                51 => (body.len() + 2) / 4 - 2,
                _ => (body.len() + 2) / 8 - 1,
            };
            rest.extend_from_slice(&[*next, units as u8]);
            rest.extend_from_slice(body);
        }
        rest.extend_from_slice(&self.upper_bytes());
        let mut header = vec![0x60, 0, 0, 0];
        header.extend_from_slice(&(rest.len() as u16).to_be_bytes());
        header.extend_from_slice(&[kinds[0], self.ttl]);
        header.extend_from_slice(&self.source);
        header.extend_from_slice(&self.destination);
        [header, rest].concat()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let last: u16 = if self.is_v4() { 0x0800 } else { 0x86dd };
        let kinds: Vec<u16> = self.tags.iter().map(|(kind, _)| *kind).chain([last]).collect();
        let mut frame = vec![2; 12];
        frame.extend_from_slice(&kinds[0].to_be_bytes());
        for ((kind, header), next) in self.tags.iter().zip(&kinds[1..]) {
            frame.extend_from_slice(header);
            if matches!(kind, 0x8100 | 0x88a8 | 0x9100 | 0x8926 | 0x893f | 0x88e7) {
                frame.extend_from_slice(&next.to_be_bytes());
            }
        }
        frame.extend_from_slice(&self.ip_bytes());
        frame
    }
}

fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|word| u32::from(word[0]) << 8 | word.get(1).map_or(0, |low| u32::from(*low)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// What is worth knowing of a packet when its frame is gone.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) source: IpAddr,
    pub(crate) ports: (u16, u16),
    pub(crate) protocol: u8,
    pub(crate) depth: u8,
    pub(crate) vlan: Vec<u16>,
    pub(crate) transport: &'static str,
    pub(crate) payload: Vec<u8>,
    pub(crate) events: Vec<&'static str>,
    pub(crate) has_ip: bool,
    pub(crate) is_invalid: bool,
    pub(crate) is_fragment: bool,
    pub(crate) is_reassembled: bool,
    pub(crate) hides_payload: bool,
    pub(crate) has_flow: bool,
    checksums: Vec<(Checksum, Option<bool>)>,
}

impl Seen {
    fn of(packet: &Packet<'_>) -> Self {
        let all = [
            Checksum::Ipv4,
            Checksum::Tcp4,
            Checksum::Tcp6,
            Checksum::Udp4,
            Checksum::Udp6,
            Checksum::Icmp4,
            Checksum::Icmp6,
        ];
        Seen {
            source: packet.source,
            ports: (packet.source_port, packet.destination_port),
            protocol: packet.protocol,
            depth: packet.depth,
            vlan: packet.vlan.ids().to_vec(),
            transport: match packet.transport {
                Transport::None => "none",
                Transport::Tcp(_) => "tcp",
                Transport::Udp(_) => "udp",
                Transport::Icmp4(_) => "icmp4",
                Transport::Icmp6(_) => "icmp6",
                Transport::Sctp(_) => "sctp",
                Transport::Esp(_) => "esp",
                Transport::Gre(_) => "gre",
                Transport::Other => "other",
            },
            payload: packet.payload.to_vec(),
            events: packet.events.iter().map(Event::name).collect(),
            has_ip: packet.ip.is_some(),
            is_invalid: packet.is_invalid,
            is_fragment: packet.is_fragment,
            is_reassembled: packet.is_reassembled,
            hides_payload: packet.hides_payload,
            has_flow: packet.has_flow,
            checksums: all.iter().map(|which| (*which, which.is_valid(packet))).collect(),
        }
    }

    pub(crate) fn checksum(&self, which: Checksum) -> Option<bool> {
        self.checksums.iter().find(|(known, _)| *known == which).and_then(|(_, is_valid)| *is_valid)
    }
}

/// Shows each packet of an Ethernet frame.
pub(crate) fn each(frame: &[u8], show: &mut dyn FnMut(&Packet<'_>)) {
    Decoder::new(Settings::default()).decode(Time(0), link_type::ETHERNET, frame, show);
}

/// The packets of a frame of some link.
pub(crate) fn packets_of(link: u16, frame: &[u8]) -> Vec<Seen> {
    feed(&mut Decoder::default(), 0, link, frame)
}

/// The packets of an Ethernet frame.
pub(crate) fn packets(frame: &[u8]) -> Vec<Seen> {
    packets_of(link_type::ETHERNET, frame)
}

/// The packets of a frame that comes in this second.
pub(crate) fn feed(decoder: &mut Decoder, seconds: u64, link: u16, frame: &[u8]) -> Vec<Seen> {
    let mut seen = Vec::new();
    decoder.decode(Time(seconds * 1_000_000_000), link, frame, &mut |packet| seen.push(Seen::of(packet)));
    seen
}

/// The only packet of an Ethernet frame.
pub(crate) fn only(frame: &[u8]) -> Seen {
    let mut all = packets(frame);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// The events of the only packet of an Ethernet frame.
pub(crate) fn events(frame: &[u8]) -> Vec<&'static str> {
    only(frame).events
}

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
    let options = &[0x83, 7, 4, 1, 2, 3, 4, 0x44, 12, 5, 1, 1, 1, 1, 1, 2, 2, 2, 2, 1, 0x86, 10, 0, 0, 0, 1, 1, 4, 0, 0, 0, 0];
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
        gre(&[0x30, 0x81, 0x88, 0x0b, 0, 60, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2], &[&[0xff, 3, 0, 0x21][..], &ip4].concat()),
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
    let mut gallery: Vec<(u16, Vec<u8>)> = frames.into_iter().map(|frame| (link_type::ETHERNET, frame)).collect();
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

#[test]
fn every_kind_of_frame_is_understood_without_fault() {
    for (link, frame) in gallery() {
        for packet in packets_of(link, &frame) {
            assert!(!packet.is_invalid, "{frame:02x?}: {packet:?}");
        }
    }
}

#[test]
fn no_frame_that_is_cut_off_anywhere_does_harm() {
    for (link, frame) in gallery() {
        for length in 0..frame.len() {
            assert!(!packets_of(link, &frame[..length]).is_empty());
        }
    }
}

#[test]
fn no_frame_with_one_wrong_byte_does_harm() {
    for (link, frame) in gallery() {
        for at in 0..frame.len() {
            for value in [0, 1, 0x3f, 0x7f, 0x80, 0xff] {
                let mut frame = frame.clone();
                frame[at] = value;
                assert!(!packets_of(link, &frame).is_empty());
            }
        }
    }
}

#[test]
fn a_link_that_is_not_known_leaves_the_packet_empty() {
    let all = packets_of(4711, &Frame::v4().tcp(b"").bytes());
    assert!(matches!(&all[..], [packet] if !packet.has_ip && packet.events.is_empty()));
}

#[test]
fn what_a_link_pads_is_no_payload() {
    let mut frame = Frame::v4().tcp(b"abc").bytes();
    frame.extend_from_slice(&[0; 9]);
    assert_eq!(only(&frame).payload, b"abc");
}

#[test]
fn layers_beyond_the_limit_make_the_packet_invalid() {
    let mut inner = Frame::v4().udp(1, 2, b"").ip_bytes();
    for _ in 0..20 {
        inner = Frame::v4().protocol(4).raw(&inner).ip_bytes();
    }
    let all = packets_of(link_type::RAW, &inner);
    assert!(all.iter().any(|packet| packet.events == ["too_many_layers"]), "{all:#?}");
    let provider = [&[2; 12][..], &[0x88, 0xe7], &[[7; 16].as_slice(), &[0x88, 0xe7]].concat().repeat(3000)].concat();
    assert_eq!(events(&provider), ["too_many_layers"]);
}

#[test]
fn what_is_innermost_is_shown_first() {
    let inner = Frame::v4().from_v4([1, 1, 1, 1]).udp(1, 2, b"x").ip_bytes();
    let middle = Frame::v4().from_v4([2, 2, 2, 2]).protocol(4).raw(&inner).ip_bytes();
    let outer = Frame::v4().from_v4([3, 3, 3, 3]).protocol(4).raw(&middle).bytes();
    let all = packets(&outer);
    let depths: Vec<(u8, String, bool)> =
        all.iter().map(|one| (one.depth, one.source.to_string(), one.hides_payload)).collect();
    assert_eq!(
        depths,
        [(2, "1.1.1.1".into(), false), (1, "2.2.2.2".into(), true), (0, "3.3.3.3".into(), true)]
    );
}
