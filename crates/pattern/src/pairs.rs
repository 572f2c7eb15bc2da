//! The pair lane: patterns of two bytes where there are more short ones than the nibble lane takes.
//!
//! A table of all 65,536 pairs of bytes says at which places a pattern stands; it is 8 KiB large. It is exact, but for a processor that asks a
//! sketch in its place.

use crate::filter::{Filter, pair};
use crate::fold::{fold, hash, load};
use crate::records::Records;
use crate::simd::Path;
use crate::table::{Gram, Table};
use crate::walk::{Places, Walk};
use std::ops::Range;

/// Patterns of two bytes, however many.
#[derive(Clone, Debug)]
pub(crate) struct Pairs {
    filter: Filter,
    table: Table,
}

impl Pairs {
    /// A lane for the `members` among `records`, which have two bytes each.
    pub(crate) fn new(records: &Records, members: Range<usize>) -> Pairs {
        let (mut grams, mut permitted) = (Vec::new(), Vec::new());
        for record in members {
            let (pattern, nocase) = records.pattern(record);
            let &[first, second] = pattern else { continue };
            for first in cases(first, nocase) {
                permitted.extend(cases(second, nocase).map(|second| pair(first, second)));
            }
            let window = fold(pair(first, second));
            grams.push(Gram { hash: hash::<4>(window), distance: 0, window, known_bytes: 2, record });
        }
        permitted.sort_unstable();
        permitted.dedup();
        let mut filter = Filter::for_pairs(permitted.len());
        permitted.iter().for_each(|pair| filter.add::<2>(*pair));
        Pairs { filter, table: Table::new(&grams) }
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
        walk.go(1, sift, |place| {
            let window = fold(load(text, place) & 0xffff);
            self.table.look(hash::<4>(window), records, text, place, found);
        });
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.filter.memory_bytes() + self.table.memory_bytes()
    }

    pub(crate) fn candidates_max(&self) -> usize {
        self.table.candidates_max()
    }
}

/// Both cases of a letter, or twice the byte itself.
fn cases(byte: u8, nocase: bool) -> [u8; 2] {
    [byte, if nocase { byte.to_ascii_uppercase() } else { byte }]
}
