//! The wide lane: patterns that are long enough not to be looked for at every place, and those that are too many for a
//! sketch.
//!
//! The long ones, by windows of four grams of eight bytes; the others by windows with one, two or four grams of four
//! bytes, as the shortest of them permits. Both are found by one filter: a place of the text is looked up once.

use crate::filter::Filter;
use crate::fold::{hash, hash_long};
use crate::records::Records;
use crate::simd::Path;
use crate::table::Table;
use crate::walk::{Places, Walk};
use crate::windows::Choice;
use std::ops::Range;

/// The bytes of a gram of the long ones; there are four of them in a window.
pub(crate) const LONG_GRAM_BYTES: usize = 8;
pub(crate) const LONG_STRIDE: usize = 4;

/// A filter, and a table for each of the two kinds.
#[derive(Clone, Debug)]
pub(crate) struct Wide {
    filter: Filter,
    middle: Option<Table>,
    long: Option<Table>,
    /// 1, 2 or 4: of the middle ones.
    stride: usize,
}

impl Wide {
    /// A lane for two ranges of `records`: the middle ones have 4 bytes or more with a `stride` of 1, 5 with 2, 7 with
    /// 4; the long ones 11.
    pub(crate) fn new(
        records: &mut Records,
        middle: Range<usize>,
        long: Range<usize>,
        stride: usize,
    ) -> Wide {
        let choice = Choice { gram_bytes: 4, stride, hash: hash::<4>, word: hash::<4> };
        let middle = choice.choose(records, middle);
        let choice =
            Choice { gram_bytes: LONG_GRAM_BYTES, stride: LONG_STRIDE, hash: hash_long, word: hash::<4> };
        let long = choice.choose(records, long);
        let mut filter = Filter::new(middle.len() + long.len());
        middle.iter().for_each(|(_, folded)| filter.add::<4>(*folded));
        long.iter().for_each(|(_, folded)| filter.add_long(*folded));
        Wide { filter, middle: Table::of(&middle), long: Table::of(&long), stride }
    }

    #[inline]
    pub(crate) fn scan(
        &self,
        path: Path,
        records: &Records,
        walk: &Walk,
        [short, long]: &mut [Places; 2],
        found: &mut impl FnMut(u32, usize),
    ) {
        let mut done = 0;
        while done < walk.steps() {
            (short.count, long.count) = (0, 0);
            let (text, steps) = (walk.text_at(done), walk.steps() - done);
            let start = done;
            done += match (self.stride, &self.middle, &self.long) {
                (_, None, _) => path.sift::<0, 4, true>(&self.filter, text, steps, short, long),
                (1, _, None) => path.sift::<4, 1, false>(&self.filter, text, steps, short, long),
                (2, _, None) => path.sift::<4, 2, false>(&self.filter, text, steps, short, long),
                (_, _, None) => path.sift::<4, 4, false>(&self.filter, text, steps, short, long),
                (1, _, _) => path.sift::<4, 1, true>(&self.filter, text, steps, short, long),
                (2, _, _) => path.sift::<4, 2, true>(&self.filter, text, steps, short, long),
                (_, _, _) => path.sift::<4, 4, true>(&self.filter, text, steps, short, long),
            };
            if let Some(table) = &self.long {
                table.look(hash_long, records, walk, start, long, found);
            }
            if let Some(table) = &self.middle {
                table.look(hash::<4>, records, walk, start, short, found);
            }
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let table = |table: &Option<Table>| table.as_ref().map_or(0, Table::memory_bytes);
        self.filter.memory_bytes() + table(&self.middle) + table(&self.long)
    }

    pub(crate) fn candidates_max(&self) -> usize {
        let table = |table: &Option<Table>| table.as_ref().map_or(0, Table::candidates_max);
        table(&self.middle).max(table(&self.long))
    }
}
