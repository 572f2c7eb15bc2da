//! The single lane: patterns of one byte where there are more short ones than the tiny lane takes.
//!
//! Whether a byte of the text is one of them is asked exactly, up to its case, so a place that passes is one to report.
//! Which is why a common letter as a pattern costs little more than the calls that it asks for.

use crate::fold::fold;
use crate::records::Records;
use crate::simd::Path;
use crate::walk::{Places, STEP_BYTES, Walk};
use std::ops::Range;

/// A set of bytes: of `set[byte % 32]` the bit `byte / 32`.
pub(crate) type Bytes = [u8; 32];

pub(crate) fn include(bytes: &mut Bytes, byte: u8) {
    bytes[usize::from(byte % 32)] |= 1 << (byte / 32);
}

pub(crate) fn includes(bytes: &Bytes, byte: u8) -> bool {
    bytes[usize::from(byte % 32)] >> (byte / 32) & 1 == 1
}

/// No record.
const NONE: u32 = u32::MAX;

/// Patterns of one byte.
#[derive(Clone, Debug)]
pub(crate) struct Singles {
    /// Folded.
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
        include(&mut self.bytes, fold(byte));
        if let Some(records) = self.records.get_mut(usize::from(byte)) {
            records[usize::from(nocase)] = record;
        }
    }

    #[inline]
    pub(crate) fn scan(
        &self,
        path: Path,
        records: &Records,
        walk: &Walk,
        places: &mut Places,
        found: &mut impl FnMut(u32, usize),
    ) {
        let mut done = 0;
        while done < walk.steps() {
            places.count = 0;
            let start = walk.at + done * STEP_BYTES;
            done += path.singles(&self.bytes, walk.text_at(done), walk.steps() - done, places);
            for offset in places.iter() {
                let Some(byte) = walk.text.get(start + offset) else { continue };
                let here = self.records.get(usize::from(*byte)).into_iter().flatten();
                for record in here.filter(|record| **record != NONE) {
                    records.report(*record, start + offset + 1, found);
                }
            }
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.records)
    }
}

/// The portable way: adds to `places` at which bytes of so many steps one of `bytes` stands; returns how many steps
/// were done.
pub(crate) fn sift(bytes: &Bytes, text: &[u8], steps: usize, places: &mut Places) -> usize {
    for step in 0..steps {
        if places.is_enough() {
            return step;
        }
        for (offset, byte) in text.iter().enumerate().skip(step * STEP_BYTES).take(STEP_BYTES) {
            places.push_if(offset, includes(bytes, *byte));
        }
    }
    steps
}
