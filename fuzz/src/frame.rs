//! Frames that nobody honest sent, through the decoder.
//!
//! For any bytes as frames of any link type, at any times:
//!   - no panic, and at least one packet for each frame;
//!   - what a packet shows is no longer than what came so far, and its VLAN tags, tunnels and events can be asked for;
//!   - every keyword and buffer of packets can be asked of every packet;
//!   - another decoder that is shown the same says the same.

use detect::Time;
use detect::frame::{Decoder, PACKET_BUFFERS, Packet, VLAN_LAYERS_MAX, bytes, keywords, shard};
use std::sync::OnceLock;

/// The link types that are read, and one that is not.
const LINKS: [u16; 16] = [1, 1, 1, 0, 9, 12, 14, 101, 104, 108, 113, 228, 229, 276, 778, 777];
/// Packets of one frame at most: tunnels in tunnels and datagrams in datagrams are limited.
const PACKETS_OF_A_FRAME_MAX: usize = 64;
/// Texts that are tried behind a keyword's colon.
const TEXTS: [&str; 14] = [
    "",
    "0",
    "1",
    ">1",
    "<5",
    "S",
    "!SA",
    "M",
    "tcp",
    "rr",
    "valid",
    "invalid",
    "ipv4.pkt_too_small",
    "100005,*,*",
];

/// A frame as it stands in the bytes that libFuzzer gives.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// Its time.
    pub time: Time,
    /// Its link type.
    pub link: u16,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// The frames in `data`: link type and length (two bytes), how long after the one before (a byte, in powers of two of a microsecond), and the frame.
pub fn given(data: &[u8]) -> Vec<Given<'_>> {
    let (mut frames, mut rest, mut now) = (Vec::new(), data, 1_700_000_000_000_000_000u64);
    while let [link, short, later, after @ ..] = rest {
        let length = usize::from(*short) | usize::from(*link >> 4) << 8;
        let (bytes, behind) = after.split_at(length.min(after.len()));
        now += 1000u64 << (later % 32);
        frames.push(Given { time: Time(now), link: LINKS[usize::from(link % 16)], bytes });
        rest = behind;
    }
    frames
}

/// Writes a frame as [`given`] reads it, if it is short enough.
pub fn write(link: u16, since_before_ns: u64, bytes: &[u8], data: &mut Vec<u8>) {
    let Some(place) = LINKS.iter().position(|known| *known == link) else { return };
    if bytes.len() >= 4096 {
        return;
    }
    let later = (since_before_ns / 1000).checked_ilog2().unwrap_or(0).min(31);
    data.extend([place as u8 | (bytes.len() >> 8 << 4) as u8, bytes.len() as u8, later as u8]);
    data.extend_from_slice(bytes);
}

/// Checks the promises for `data`, and returns how many packets there were.
pub fn check(data: &[u8]) -> usize {
    static TESTS: OnceLock<Vec<keywords::PacketTest>> = OnceLock::new();
    let tests = TESTS.get_or_init(|| {
        let all = keywords::KEYWORDS.iter();
        all.flat_map(|keyword| TEXTS.iter().filter_map(|text| (keyword.parse)(text).ok())).collect()
    });
    let (mut one, mut other) = (Decoder::default(), Decoder::default());
    let (mut packets, mut came) = (0, 0);
    for frame in given(data) {
        came += frame.bytes.len();
        let mut said = Vec::new();
        one.decode(frame.time, frame.link, frame.bytes, &mut |packet| {
            said.push(examine(packet, came, tests));
        });
        assert!(!said.is_empty() && said.len() <= PACKETS_OF_A_FRAME_MAX, "{} packets", said.len());
        let mut again = Vec::new();
        other.decode(frame.time, frame.link, frame.bytes, &mut |packet| {
            again.push(examine(packet, came, &[]))
        });
        assert_eq!(said, again);
        assert_eq!(shard(frame.link, frame.bytes), shard(frame.link, frame.bytes));
        packets += said.len();
    }
    assert_eq!(one.counters(), other.counters());
    packets
}

/// Asks everything of a packet. What it says, in few numbers.
fn examine(packet: &Packet<'_>, came: usize, tests: &[keywords::PacketTest]) -> (usize, usize, u8, bool) {
    // A datagram that was put together has the header of IPv6 in front, which each fragment has too.
    assert!(packet.payload.len() <= came, "{} bytes of {came}", packet.payload.len());
    assert!(packet.vlan.ids().len() <= VLAN_LAYERS_MAX);
    for (_, field) in PACKET_BUFFERS {
        assert!(bytes(packet, *field).is_none_or(|bytes| bytes.len() <= came.max(16)));
    }
    assert!(tests.iter().filter(|test| test.holds(packet)).count() <= tests.len());
    (packet.payload.len(), packet.events.iter().count(), packet.protocol, packet.is_invalid)
}
