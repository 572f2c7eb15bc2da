//! The header of TCP and its options.

use super::super::ip::protocol;
use super::super::{Event, Packet};
use super::Transport;

const OPTION_END: u8 = 0;
const OPTION_NOTHING: u8 = 1;
const OPTION_SEGMENT_SIZE: u8 = 2;
const OPTION_WINDOW_SCALE: u8 = 3;
const OPTION_SACK_PERMITTED: u8 = 4;
const OPTION_SACK: u8 = 5;
const OPTION_TIMESTAMPS: u8 = 8;
const OPTION_MD5: u8 = 19;
const OPTION_AUTHENTICATION: u8 = 29;
const OPTION_FAST_OPEN: u8 = 34;
const OPTION_EXPERIMENT_1: u8 = 253;
const OPTION_EXPERIMENT_2: u8 = 254;
/// What an experimental option begins with if it is fast open.
const FAST_OPEN_MAGIC: [u8; 2] = [0xf9, 0x89];
/// The largest window scale that means something; larger ones count as 0.
const WINDOW_SCALE_MAX: u8 = 14;

/// What the options say.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct TcpOptions<'a> {
    /// The maximum segment size.
    pub segment_size: Option<u16>,
    /// The window scale, 0 to 14.
    pub window_scale: Option<u8>,
    /// Whether selective acknowledgements may be sent.
    pub sack_permitted: bool,
    /// The sender's time stamp, and the one that it answers.
    pub timestamps: Option<(u32, u32)>,
    /// The edges of what was received out of order: 8 bytes for each piece.
    pub sack: Option<&'a [u8]>,
    /// Whether fast open is asked for or granted.
    pub fast_open: bool,
    /// Whether the segment is signed with MD5.
    pub md5: bool,
    /// Whether the segment is authenticated.
    pub authenticated: bool,
}

/// A TCP header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tcp<'a> {
    fixed: &'a [u8; 20],
    bytes: &'a [u8],
    /// What the options say.
    pub options: TcpOptions<'a>,
}

impl<'a> Tcp<'a> {
    /// FIN.
    pub const FIN: u8 = 0x01;
    /// SYN.
    pub const SYN: u8 = 0x02;
    /// RST.
    pub const RST: u8 = 0x04;
    /// PSH.
    pub const PSH: u8 = 0x08;
    /// ACK.
    pub const ACK: u8 = 0x10;
    /// URG.
    pub const URG: u8 = 0x20;
    /// ECN echo.
    pub const ECE: u8 = 0x40;
    /// Congestion window reduced.
    pub const CWR: u8 = 0x80;

    /// The header with its options.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The sequence number.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        u32::from_be_bytes([self.fixed[4], self.fixed[5], self.fixed[6], self.fixed[7]])
    }

    /// The number acknowledged; it means something with ACK alone.
    #[must_use]
    pub fn acknowledged(&self) -> u32 {
        u32::from_be_bytes([self.fixed[8], self.fixed[9], self.fixed[10], self.fixed[11]])
    }

    /// The flags, eight bits.
    #[must_use]
    pub fn flags(&self) -> u8 {
        self.fixed[13]
    }

    /// Whether all of `flags` are set.
    #[must_use]
    pub fn has(&self, flags: u8) -> bool {
        self.flags() & flags == flags
    }

    /// The window, not scaled.
    #[must_use]
    pub fn window(&self) -> u16 {
        u16::from_be_bytes([self.fixed[14], self.fixed[15]])
    }

    /// The checksum as it stands there.
    #[must_use]
    pub fn checksum(&self) -> u16 {
        u16::from_be_bytes([self.fixed[16], self.fixed[17]])
    }

    /// The urgent pointer.
    #[must_use]
    pub fn urgent(&self) -> u16 {
        u16::from_be_bytes([self.fixed[18], self.fixed[19]])
    }
}

/// Reads a segment.
#[inline]
pub(crate) fn read<'a>(packet: &mut Packet<'a>, segment: &'a [u8]) {
    let Some(fixed) = segment.first_chunk::<20>() else {
        packet.wrong(Event::TcpTooSmall);
        return;
    };
    let header_bytes = usize::from(fixed[12] >> 4) * 4;
    let Some((bytes, payload)) = segment.split_at_checked(header_bytes) else {
        packet.wrong(Event::TcpHeaderTooSmall);
        return;
    };
    let Some(options) = bytes.get(fixed.len()..) else {
        packet.wrong(Event::TcpOptionsLength);
        return;
    };
    packet.transport = Transport::Tcp(Tcp { fixed, bytes, options: read_options(packet, options) });
    packet.source_port = u16::from_be_bytes([fixed[0], fixed[1]]);
    packet.destination_port = u16::from_be_bytes([fixed[2], fixed[3]]);
    packet.protocol = protocol::TCP;
    packet.payload = payload;
    packet.has_flow = true;
}

#[inline]
fn read_options<'a>(packet: &mut Packet<'a>, options: &'a [u8]) -> TcpOptions<'a> {
    let mut found = TcpOptions::default();
    // What nearly every segment of an established connection has: two fillers and the time stamps.
    if let [OPTION_NOTHING, OPTION_NOTHING, OPTION_TIMESTAMPS, 10, rest @ ..] = options
        && let [a, b, c, d, e, f, g, h] = *rest
    {
        found.timestamps = Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])));
        return found;
    }
    let mut rest = options;
    while let [kind, after @ ..] = rest {
        match *kind {
            OPTION_END => break,
            OPTION_NOTHING => rest = after,
            kind => {
                let [length, ..] = after else { break };
                let split = rest.split_at_checked(usize::from(*length));
                let (Some((option, behind)), true) = (split, *length >= 2) else {
                    packet.wrong(Event::TcpOptionLength);
                    break;
                };
                read_option(packet, &mut found, kind, option.get(2..).unwrap_or(&[]));
                rest = behind;
            }
        }
    }
    found
}

/// Reads one option: the first of a kind counts.
fn read_option<'a>(packet: &mut Packet<'a>, found: &mut TcpOptions<'a>, kind: u8, value: &'a [u8]) {
    let is_second = match (kind, value) {
        (OPTION_WINDOW_SCALE, [scale]) => {
            let scale = if *scale <= WINDOW_SCALE_MAX { *scale } else { 0 };
            keep(&mut found.window_scale, scale)
        }
        (OPTION_SEGMENT_SIZE, [high, low]) => {
            keep(&mut found.segment_size, u16::from_be_bytes([*high, *low]))
        }
        (OPTION_SACK_PERMITTED, []) => core::mem::replace(&mut found.sack_permitted, true),
        (OPTION_TIMESTAMPS, [a, b, c, d, e, f, g, h]) => {
            let stamps = (u32::from_be_bytes([*a, *b, *c, *d]), u32::from_be_bytes([*e, *f, *g, *h]));
            keep(&mut found.timestamps, stamps)
        }
        // Useless, but common.
        (OPTION_SACK, []) => false,
        (OPTION_SACK, edges) if edges.len().is_multiple_of(8) && edges.len() <= 32 => {
            keep(&mut found.sack, edges)
        }
        (OPTION_FAST_OPEN, cookie) if fits_cookie(cookie) => core::mem::replace(&mut found.fast_open, true),
        (OPTION_EXPERIMENT_1 | OPTION_EXPERIMENT_2, value) if matches!(value.len(), 2 | 10) => {
            value.starts_with(&FAST_OPEN_MAGIC) && core::mem::replace(&mut found.fast_open, true)
        }
        (OPTION_MD5, digest) if digest.len() == 16 => {
            found.md5 = true;
            false
        }
        (OPTION_AUTHENTICATION, value) if value.len() >= 2 => {
            found.authenticated = true;
            false
        }
        (OPTION_MD5 | OPTION_AUTHENTICATION, _) => {
            packet.wrong(Event::TcpOptionLength);
            false
        }
        (
            OPTION_WINDOW_SCALE
            | OPTION_SEGMENT_SIZE
            | OPTION_SACK_PERMITTED
            | OPTION_TIMESTAMPS
            | OPTION_SACK
            | OPTION_FAST_OPEN
            | OPTION_EXPERIMENT_1
            | OPTION_EXPERIMENT_2,
            _,
        ) => {
            packet.odd(Event::TcpOptionLength);
            false
        }
        _ => false,
    };
    if is_second {
        packet.odd(Event::TcpOptionTwice);
    }
}

/// Keeps the first value. True if there was one already.
fn keep<T>(place: &mut Option<T>, value: T) -> bool {
    if place.is_some() {
        return true;
    }
    *place = Some(value);
    false
}

/// A cookie of fast open: none, or 4 to 16 bytes, an even number.
fn fits_cookie(cookie: &[u8]) -> bool {
    cookie.is_empty() || ((4..=16).contains(&cookie.len()) && cookie.len().is_multiple_of(2))
}
