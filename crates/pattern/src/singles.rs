//! The single lane: patterns of one byte where there are more short ones than the nibble lane takes.
//!
//! Whether a byte of the text is one of them is asked exactly, so a place that passes is a place to report. Which is why a common letter as a
//! pattern costs little more than the calls that it asks for.

use crate::records::Records;
use crate::simd::Path;
use crate::walk::{Places, STEP_BYTES, Walk};
use std::ops::Range;

/// A set of bytes: of `table[byte % 32]` the bit `byte / 32`.
pub(crate) type Bytes = [u8; 32];

/// No record.
const NONE: u32 = u32::MAX;

/// Patterns of one byte.
#[derive(Clone, Debug)]
pub(crate) struct Singles {
    bytes: Bytes,
    /// For each byte, its record with case and the one without.
    records: Box<[[u32; 2]]>,
}

impl Singles {
    /// A lane for the `members` among `records`, which have one byte each.
    pub(crate) fn new(records: &Records, members: Range<usize>) -> Singles {
        let mut singles = Singles { bytes: [0; 32], records: vec![[NONE; 2]; 256].into() };
        for record in members {
            let (pattern, nocase) = records.pattern(record);
            for byte in pattern {
                singles.add(*byte, nocase, record as u32);
                if nocase {
                    singles.add(byte.to_ascii_uppercase(), nocase, record as u32);
                }
            }
        }
        singles
    }

    fn add(&mut self, byte: u8, nocase: bool, record: u32) {
        self.bytes[usize::from(byte % 32)] |= 1 << (byte / 32);
        if let Some(records) = self.records.get_mut(usize::from(byte)) {
            records[usize::from(nocase)] = record;
        }
    }

    #[inline]
    pub(crate) fn scan(
        &self,
        path: Path,
        records: &Records,
        walk: &mut Walk,
        found: &mut impl FnMut(u32, usize),
    ) {
        let text = walk.text;
        let sift = |text: &[u8], steps, places: &mut Places| path.singles(&self.bytes, text, steps, places);
        walk.go(1, sift, |place| {
            let Some(byte) = text.get(place) else { return };
            for record in
                self.records.get(usize::from(*byte)).into_iter().flatten().filter(|record| **record != NONE)
            {
                records.report(*record, place + 1, found);
            }
        });
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.records)
    }
}

/// The portable way: writes into `places` at which bytes of so many steps one of `bytes` stands, and returns how many there are.
pub(crate) fn sift(bytes: &Bytes, text: &[u8], steps: usize, places: &mut Places) -> usize {
    let mut passed = 0;
    for (byte, place) in text.iter().take(steps * STEP_BYTES).zip(0..) {
        if let Some(next) = places.get_mut(passed) {
            *next = place;
        }
        passed += usize::from(bytes[usize::from(byte % 32)] >> (byte / 32) & 1);
    }
    passed
}
