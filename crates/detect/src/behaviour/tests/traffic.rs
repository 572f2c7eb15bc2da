//! Traffic, made frame by frame.

use core::net::Ipv4Addr;

pub(super) const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 4;
pub(super) const PSH: u8 = 8;
pub(super) const ACK: u8 = 16;
pub(super) const URG: u8 = 32;

/// When all traffic begins: a second of its own, in nanoseconds.
pub(super) const BEGAN: u64 = 1_700_000_000_000_000_000;
const MILLISECOND: u64 = 1_000_000;

/// The segment size alone, as scanners send it; and what every system sends: also a window scale, time stamps and selective acknowledgements.
const BARE: &[u8] = &[2, 4, 5, 0xb4];
const ORDINARY: &[u8] = &[2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];

pub(super) type End = ([u8; 4], u16);

/// Frames, each with its time.
#[derive(Clone, Default)]
pub(super) struct Traffic {
    pub(super) frames: Vec<(u64, Vec<u8>)>,
    now: u64,
}

fn ipv4(from: [u8; 4], to: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    frame.extend(((20 + payload.len()) as u16).to_be_bytes());
    frame.extend([0, 1, 0x40, 0, 64, protocol, 0, 0]);
    frame.extend(from);
    frame.extend(to);
    frame.extend(payload);
    frame
}

fn tcp(from: End, to: End, numbers: (u32, u32), flags: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::new();
    segment.extend(from.1.to_be_bytes());
    segment.extend(to.1.to_be_bytes());
    segment.extend(numbers.0.to_be_bytes());
    segment.extend(numbers.1.to_be_bytes());
    segment.extend([((5 + options.len() / 4) as u8) << 4, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(options);
    segment.extend(payload);
    ipv4(from.0, to.0, 6, &segment)
}

fn udp(from: End, to: End, payload: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend(from.1.to_be_bytes());
    datagram.extend(to.1.to_be_bytes());
    datagram.extend(((8 + payload.len()) as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    ipv4(from.0, to.0, 17, &datagram)
}

impl Traffic {
    /// Nothing happens for so long.
    pub(super) fn wait(&mut self, milliseconds: u64) -> &mut Self {
        self.now += milliseconds * MILLISECOND;
        self
    }

    fn add(&mut self, frame: Vec<u8>) {
        self.frames.push((BEGAN + self.now, frame));
        self.now += MILLISECOND / 10;
    }

    /// A segment of no conversation.
    pub(super) fn segment(&mut self, from: End, to: End, flags: u8) -> &mut Self {
        self.add(tcp(from, to, (100, 0), flags, &[], b""));
        self
    }

    /// A SYN, as a scanner makes it or as a system does.
    pub(super) fn syn(&mut self, from: End, to: End, is_bare: bool) -> &mut Self {
        self.add(tcp(from, to, (100, 0), SYN, if is_bare { BARE } else { ORDINARY }, b""));
        self
    }

    /// A SYN that is answered with a reset.
    pub(super) fn refused(&mut self, from: End, to: End, is_bare: bool) -> &mut Self {
        self.syn(from, to, is_bare);
        self.add(tcp(to, from, (0, 101), RST | ACK, &[], b""));
        self
    }

    /// A SYN that is answered, and a client that breaks it off.
    pub(super) fn broken_off(&mut self, from: End, to: End) -> &mut Self {
        self.syn(from, to, true);
        self.add(tcp(to, from, (500, 101), SYN | ACK, BARE, b""));
        self.add(tcp(from, to, (101, 0), RST, &[], b""));
        self
    }

    /// A SYN that is answered; the client never goes on.
    pub(super) fn half_open(&mut self, from: End, to: End) -> &mut Self {
        self.syn(from, to, true);
        self.add(tcp(to, from, (500, 101), SYN | ACK, BARE, b""));
        self
    }

    /// A connection that is opened.
    pub(super) fn open(&mut self, from: End, to: End) -> &mut Self {
        self.syn(from, to, false);
        self.add(tcp(to, from, (500, 101), SYN | ACK, ORDINARY, b""));
        self.add(tcp(from, to, (101, 501), ACK, &[], b""));
        self
    }

    /// A connection on which things are said in turn, each with who says it (true: the client); then it is closed by the client or by the server.
    pub(super) fn talk(
        &mut self,
        client: End,
        server: End,
        said: &[(bool, &[u8])],
        client_ends: bool,
    ) -> &mut Self {
        self.open(client, server);
        let mut next = [101u32, 501];
        for (is_client, bytes) in said {
            let own = usize::from(!is_client);
            let (from, to) = if *is_client { (client, server) } else { (server, client) };
            for part in bytes.chunks(1_400) {
                self.add(tcp(from, to, (next[own], next[1 - own]), ACK | PSH, &[], part));
                next[own] += part.len() as u32;
                self.add(tcp(to, from, (next[1 - own], next[own]), ACK, &[], b""));
            }
        }
        let (first, second, [near, far]) =
            if client_ends { (client, server, next) } else { (server, client, [next[1], next[0]]) };
        self.add(tcp(first, second, (near, far), FIN | ACK, &[], b""));
        self.add(tcp(second, first, (far, near + 1), FIN | ACK, &[], b""));
        self.add(tcp(first, second, (near + 1, far + 1), ACK, &[], b""));
        self
    }

    /// A connection that the client opens and resets at once.
    pub(super) fn opened_and_reset(&mut self, client: End, server: End) -> &mut Self {
        self.open(client, server);
        self.add(tcp(client, server, (101, 501), RST | ACK, &[], b""));
        self
    }

    pub(super) fn datagram(&mut self, from: End, to: End, payload: &[u8]) -> &mut Self {
        self.add(udp(from, to, payload));
        self
    }

    /// A datagram that comes back: there is nobody at that port.
    pub(super) fn undelivered(&mut self, from: End, to: End, payload: &[u8]) -> &mut Self {
        let frame = udp(from, to, payload);
        let mut message = vec![3, 3, 0, 0, 0, 0, 0, 0];
        message.extend(&frame[14..]);
        self.add(frame);
        self.add(ipv4(to.0, from.0, 1, &message));
        self
    }

    /// An echo request, and its answer if there is one.
    pub(super) fn ping(&mut self, from: [u8; 4], to: [u8; 4], is_answered: bool) -> &mut Self {
        self.add(ipv4(from, to, 1, &[8, 0, 0, 0, 0, 1, 0, 1, 9, 9]));
        if is_answered {
            self.add(ipv4(to, from, 1, &[0, 0, 0, 0, 0, 1, 0, 1, 9, 9]));
        }
        self
    }

    /// A packet of an IP protocol that has no more in it.
    pub(super) fn protocol(&mut self, from: [u8; 4], to: [u8; 4], protocol: u8) -> &mut Self {
        self.add(ipv4(from, to, protocol, b""));
        self
    }

    /// What other traffic has, in the order of time.
    pub(super) fn with(&mut self, other: &Traffic) -> &mut Self {
        self.frames.extend(other.frames.iter().cloned());
        self.frames.sort_by_key(|(time, _)| *time);
        self.now = self.now.max(other.now);
        self
    }
}

/// The `number`-th host of 10.1.0.0/16.
pub(super) fn host(number: u16) -> [u8; 4] {
    Ipv4Addr::from(0x0a01_0000 | u32::from(number)).octets()
}
