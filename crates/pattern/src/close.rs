//! A close lane: patterns of two bytes, of three, or of four and more, each looked for by one gram at every place.
//!
//! Where there are few of them, as there mostly are, a processor with wide vectors asks a sketch in the place of the filter.

use crate::filter::Filter;
use crate::fold::hash;
use crate::records::Records;
use crate::simd::Path;
use crate::table::Table;
use crate::walk::{Places, Walk};
use crate::windows::Choice;
use std::ops::Range;

/// A filter and the table behind it.
#[derive(Clone, Debug)]
pub(crate) struct Close<const GRAM: usize> {
    filter: Filter,
    table: Option<Table>,
}

impl<const GRAM: usize> Close<GRAM> {
    /// A lane for the `members` among `records`, which have `GRAM` bytes or more.
    pub(crate) fn new(records: &mut Records, members: Range<usize>) -> Close<GRAM> {
        let mut filter = Filter::with_sketch(GRAM, members.len());
        let grams = Choice { gram_bytes: GRAM, stride: 1, hash: hash::<GRAM>, word: hash::<GRAM> }
            .choose(records, members);
        grams.iter().for_each(|(_, folded)| filter.add::<GRAM>(*folded));
        Close { filter, table: Table::of(&grams) }
    }

    #[inline]
    pub(crate) fn scan(
        &self,
        path: Path,
        records: &Records,
        walk: &Walk,
        places: &mut [Places; 2],
        found: &mut impl FnMut(u32, usize),
    ) {
        let Some(table) = &self.table else { return };
        let mut done = 0;
        while done < walk.steps() {
            places[0].count = 0;
            places[1].count = 0;
            let start = done;
            done += path.sift_closely::<GRAM>(&self.filter, walk.text_at(done), walk.steps() - done, places);
            table.look(hash::<GRAM>, records, walk, start, &mut places[0], found);
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.filter.memory_bytes() + self.table.as_ref().map_or(0, Table::memory_bytes)
    }

    pub(crate) fn candidates_max(&self) -> usize {
        self.table.as_ref().map_or(0, Table::candidates_max)
    }
}
