//! Frames built byte by byte for the tests of this folder.

use super::super::ip::protocol;

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

    pub(crate) fn sent_by(mut self, address: [u8; 4]) -> Self {
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
