//! The nibble lane: up to eight short patterns, each with a bit of its own, all compared at once.
//!
//! Of each pattern up to three bytes are looked for, the rarest that it has. For each of them there are two tables of 16 entries, by the
//! upper and by the lower half of a byte of the text, which say for which patterns that half fits. Where all six agree on a pattern, it is
//! compared. A vector instruction asks such a table for 32 bytes at once.

use crate::rarity;
use crate::records::Records;
use crate::simd::Path;
use crate::walk::{Places, STEP_BYTES, Walk};
use std::ops::Range;

/// How many patterns the lane has room for: a bit each.
pub(crate) const NIBBLE_PATTERNS_MAX: usize = 8;

/// How many bytes of a pattern are looked for.
pub(crate) const LEAD_BYTES: usize = 3;

/// For the lower and the upper half of a byte, which patterns fit.
pub(crate) type Halves = [[u8; 16]; 2];

/// Up to eight patterns.
#[derive(Clone, Debug)]
pub(crate) struct Nibbles {
    halves: [Halves; LEAD_BYTES],
    /// The first and the number of its records.
    first: u32,
    count: u32,
}

impl Nibbles {
    /// A lane for the `members` among `records`, which are `NIBBLE_PATTERNS_MAX` or fewer.
    pub(crate) fn new(records: &mut Records, members: Range<usize>) -> Nibbles {
        let mut halves = [[[0; 16]; 2]; LEAD_BYTES];
        let mut rarities = Vec::new();
        for (bit, record) in members.clone().enumerate().take(NIBBLE_PATTERNS_MAX) {
            let (pattern, nocase) = records.pattern(record);
            rarity::of_grams(pattern, LEAD_BYTES.min(pattern.len()), &mut rarities);
            let at = (0..rarities.len()).rev().max_by_key(|at| rarities.get(*at)).unwrap_or(0);
            let lead = pattern.get(at..).unwrap_or_default().iter().map(Some).chain([None; LEAD_BYTES]);
            for (halves, byte) in halves.iter_mut().zip(lead) {
                allow(halves, byte.copied(), nocase, 1 << bit);
            }
            records.set_window(record, at);
        }
        Nibbles { halves, first: members.start as u32, count: members.len() as u32 }
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
        let sift = |text: &[u8], steps, places: &mut Places| path.nibbles(&self.halves, text, steps, places);
        walk.go(1, sift, |place| {
            for record in self.first..self.first + self.count {
                records.compare(record, text, place, found);
            }
        });
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        0
    }

    pub(crate) fn candidates_max(&self) -> usize {
        self.count as usize
    }
}

/// Lets `byte` (any byte, if there is none) fit the pattern with this `bit`.
fn allow(halves: &mut Halves, byte: Option<u8>, nocase: bool, bit: u8) {
    let Some(byte) = byte else {
        halves.as_flattened_mut().iter_mut().for_each(|patterns| *patterns |= bit);
        return;
    };
    let other = if nocase { byte.to_ascii_uppercase() } else { byte };
    let [low, high] = halves;
    for byte in [byte, other] {
        low[usize::from(byte & 15)] |= bit;
        high[usize::from(byte >> 4)] |= bit;
    }
}

/// The portable way: writes into `places` at which bytes of so many steps a pattern may stand, and returns how many there are.
pub(crate) fn sift(halves: &[Halves; LEAD_BYTES], text: &[u8], steps: usize, places: &mut Places) -> usize {
    let mut passed = 0;
    for (lead, place) in text.windows(LEAD_BYTES).take(steps * STEP_BYTES).zip(0..) {
        let fit = |patterns: u8, (halves, byte): (&Halves, &u8)| {
            let [low, high] = halves;
            patterns & low[usize::from(byte & 15)] & high[usize::from(byte >> 4)]
        };
        if let Some(next) = places.get_mut(passed) {
            *next = place;
        }
        passed += usize::from(halves.iter().zip(lead).fold(u8::MAX, fit) != 0);
    }
    passed
}
