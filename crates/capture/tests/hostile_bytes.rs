//! What must hold for any bytes that are called a capture, for a fixed number of seeded inputs.
//!
//! The promises are those of the fuzz target `capture`, and are written down there. Pure chance never begins as a
//! capture does, so the inputs are captures with a few bytes changed, cut off, doubled or added.

#[path = "../../../fuzz/src/capture.rs"]
#[allow(unreachable_pub, reason = "public in the crate it is shared with")]
mod promises;

use capture::{Frame, Link, Resolution, Writer};

const INPUTS: u32 = 60_000;

/// SplitMix64: enough to spread a seed, and the same for ever.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// A byte at an edge more often than not.
    fn byte(&mut self) -> u8 {
        [0, 1, 4, 12, 127, 128, 255, self.next().to_le_bytes()[0]][self.below(8)]
    }

    /// `bytes` with up to three accidents.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..self.below(4) {
            let at = self.below(bytes.len());
            match self.below(6) {
                _ if bytes.is_empty() => bytes.push(self.byte()),
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = self.byte(),
                2 => bytes.truncate(at),
                3 => bytes.insert(at, self.byte()),
                4 => bytes.push(self.byte()),
                _ => bytes.extend_from_within(at..),
            }
        }
        bytes
    }
}

fn pcap(resolution: Resolution) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), Link::ETHERNET, resolution).expect("a vector takes all");
    for (number, bytes) in [&b"abcdefghij"[..], b"", b"xyz"].into_iter().enumerate() {
        let frame =
            Frame { time_ns: number as u64 * 1_000_001_000, link: Link::ETHERNET, wire_len: 60, bytes };
        writer.frame(frame).expect("it fits");
    }
    writer.finish().expect("a vector takes all")
}

/// A block of pcapng, big-endian.
fn block(kind: u32, body: &[u32]) -> Vec<u8> {
    let bytes = body.len() as u32 * 4 + 12;
    [&[kind, bytes], body, &[bytes]].concat().into_iter().flat_map(u32::to_be_bytes).collect()
}

fn pcapng() -> Vec<u8> {
    let section = block(0x0a0d_0d0a, &[0x1a2b_3c4d, 0x0001_0000, u32::MAX, u32::MAX]);
    let interface = block(1, &[0x0001_0000, 0, 0x0009_0001, 0x0900_0000, 0x000e_0008, 0, 5, 0]);
    let enhanced = block(6, &[0, 1, 2, 6, 60, 0x6162_6364, 0x6566_0000, 0]);
    let simple = block(3, &[4, 0x6162_6364]);
    let obsolete = block(2, &[0, 3, 4, 4, 4, 0x6162_6364]);
    let names = block(4, &[1, 2, 3]);
    [&section, &interface, &enhanced, &names, &simple, &section, &interface, &obsolete]
        .map(Vec::as_slice)
        .concat()
}

#[test]
fn a_damaged_capture_breaks_no_promise() {
    let captures = [pcap(Resolution::Microseconds), pcap(Resolution::Nanoseconds), pcapng()];
    for capture in &captures {
        assert_eq!(promises::check(capture), 3, "undamaged, they are read");
    }
    let mut chance = Chance(1);
    let mut found = 0;
    for _ in 0..INPUTS {
        let capture = &captures[chance.below(captures.len())];
        found += promises::check(&chance.damage(capture));
    }
    assert!(found > INPUTS as usize, "most of what was tried was refused: {found} frames");
}
