//! The pair lane: patterns of one or two bytes where there are more than the nibble lane takes.
//!
//! A table of all 65,536 pairs of bytes says at which places a pattern may begin; it is 8 KiB large. A pattern of a single byte permits every
//! second one; behind the last byte of a text there is a zero.

use crate::filter::{Filter, pair};
use crate::fold::{fold, hash, load};
use crate::records::Records;
use crate::simd::Path;
use crate::table::{Gram, Table};
use crate::walk::{Places, Walk};
use std::ops::Range;

/// No record.
const NONE: u32 = u32::MAX;

/// Patterns of one or two bytes, however many.
#[derive(Clone, Debug)]
pub(crate) struct Pairs {
    filter: Filter,
    /// Those of two bytes.
    table: Table,
    /// Those of one byte, by the byte: with case and, for small letters, without. Empty if there are none.
    singles: Box<[[u32; 2]]>,
}

impl Pairs {
    /// A lane for the `members` among `records`, none of which has more than two bytes.
    pub(crate) fn new(records: &mut Records, members: Range<usize>) -> Pairs {
        let (mut grams, mut permitted) = (Vec::new(), Vec::new());
        let (mut single_bytes, mut singles) = (Vec::new(), Vec::new());
        for record in members {
            match records.pattern(record) {
                (&[byte], nocase) => {
                    singles.resize(256, [NONE; 2]);
                    if let Some(slots) = singles.get_mut(usize::from(byte)) {
                        slots[usize::from(nocase)] = record as u32;
                    }
                    single_bytes.extend(cases(byte, nocase));
                }
                (&[first, second], nocase) => {
                    for first in cases(first, nocase) {
                        permitted.extend(cases(second, nocase).map(|second| pair(first, second)));
                    }
                    let window = fold(pair(first, second));
                    grams.push(Gram { hash: hash::<4>(window), distance: 0, window, known_bytes: 2, record });
                }
                _ => {}
            }
        }
        permitted.sort_unstable();
        permitted.dedup();
        let mut filter = Filter::for_pairs(permitted.len());
        permitted.iter().for_each(|pair| filter.add::<2>(*pair));
        single_bytes.iter().for_each(|byte| filter.add_single(*byte));
        Pairs { filter, table: Table::new(&grams), singles: singles.into() }
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
        let sift =
            |text: &[u8], steps, places: &mut Places| path.sift::<2, 1>(&self.filter, text, steps, places);
        walk.go(1, sift, |place| self.look(records, text, place, found));
    }

    #[inline]
    fn look(&self, records: &Records, text: &[u8], place: usize, found: &mut impl FnMut(u32, usize)) {
        let Some(byte) = text.get(place) else { return };
        if !self.singles.is_empty() {
            let slot = |byte: u8, nocase: usize| {
                self.singles
                    .get(usize::from(byte))
                    .and_then(|slots| slots.get(nocase))
                    .copied()
                    .unwrap_or(NONE)
            };
            for record in [slot(*byte, 0), slot(byte.to_ascii_lowercase(), 1)] {
                if record != NONE {
                    records.compare(record, text, place, found);
                }
            }
        }
        let window = fold(load(text, place)) & 0xffff;
        self.table.look(hash::<4>(window), records, text, place, found);
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.filter.memory_bytes() + self.table.memory_bytes() + size_of_val(&*self.singles)
    }

    pub(crate) fn candidates_max(&self) -> usize {
        self.table.candidates_max() + 2
    }
}

/// Both cases of a letter, or twice the byte itself.
fn cases(byte: u8, nocase: bool) -> [u8; 2] {
    [byte, if nocase { byte.to_ascii_uppercase() } else { byte }]
}
