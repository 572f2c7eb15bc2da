//! A lane of windows: patterns of a certain length on, each found by the rarest part of it.
//!
//! With grams of `GRAM` bytes and a stride of s, a window has `GRAM` + s - 1 bytes and so s grams. Wherever it stands in a text, one of them
//! begins at a place that is asked about, and only one. Which window of a pattern is taken is decided here: the one whose most common gram is
//! the rarest, where a gram that other patterns have taken before counts as more common the more there are, so that lists stay short.

use crate::filter::{Filter, hash_of};
use crate::fold::{fold, hash, load};
use crate::rarity;
use crate::records::Records;
use crate::simd::Path;
use crate::table::{Gram, Table};
use crate::walk::{Places, Walk};
use std::ops::Range;

/// A filter, the table behind it, and how closely a text is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Lane<const GRAM: usize> {
    filter: Filter,
    table: Table,
    /// 1, 2 or 4.
    stride: usize,
}

impl<const GRAM: usize> Lane<GRAM> {
    /// A lane for the `members` among `records`, all of which have `GRAM + stride - 1` bytes or more.
    pub(crate) fn new(records: &mut Records, members: Range<usize>, stride: usize) -> Lane<GRAM> {
        let mut filter = Filter::for_grams(members.len() * stride, stride);
        let mut taken = Taken::new(records, &members, GRAM);
        let mut grams = Vec::with_capacity(members.len() * stride);
        let mut rarities = Vec::new();
        for record in members {
            let (pattern, _) = records.pattern(record);
            rarity::of_grams(pattern, GRAM, &mut rarities);
            for (at, rarity) in rarities.iter_mut().enumerate() {
                *rarity = rarity.saturating_sub(taken.penalty(hash_of::<GRAM>(load(pattern, at))));
            }
            let at = rarest(&rarities, stride);
            let window = fold(load(pattern, at));
            let known_bytes = pattern.len().saturating_sub(at);
            for distance in 0..stride {
                let bytes = load(pattern, at + distance);
                let hash = hash_of::<GRAM>(bytes);
                filter.add::<GRAM>(bytes);
                taken.take(hash);
                grams.push(Gram { hash, distance, window, known_bytes, record });
            }
            records.set_window(record, at);
        }
        Lane { filter, table: Table::new(&grams), stride }
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
        let sift = |text: &[u8], steps, places: &mut Places| match self.stride {
            1 => path.sift::<GRAM, 1>(&self.filter, text, steps, places),
            2 => path.sift::<GRAM, 2>(&self.filter, text, steps, places),
            _ => path.sift::<GRAM, 4>(&self.filter, text, steps, places),
        };
        walk.go(self.stride, sift, |place| {
            // A gram that reaches beyond the end was completed with zeros.
            if place + GRAM <= text.len() {
                let hash = hash::<GRAM>(fold(load(text, place)));
                self.table.look(hash, records, text, place, found);
            }
        });
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.filter.memory_bytes() + self.table.memory_bytes()
    }

    pub(crate) fn candidates_max(&self) -> usize {
        self.table.candidates_max()
    }
}

/// Where the best window begins: `stride` grams, the most common of which is the rarest; among equals the one that is rarest in sum.
fn rarest(rarities: &[u32], stride: usize) -> usize {
    let score = |window: &[u32]| (window.iter().copied().min(), window.iter().sum::<u32>());
    let best =
        rarities.windows(stride).enumerate().max_by_key(|(at, window)| (score(window), usize::MAX - at));
    best.map_or(0, |(at, _)| at)
}

/// How often each gram was taken, by its hash, roughly: grams with the same slot count as one.
struct Taken {
    counts: Vec<u16>,
    shift: u32,
}

impl Taken {
    const SLOTS_MIN: usize = 64;
    const SLOTS_MAX: usize = 1 << 22;

    fn new(records: &Records, members: &Range<usize>, gram: usize) -> Taken {
        let grams = members.clone().map(|record| records.pattern(record).0.len().saturating_sub(gram - 1));
        let slots = grams.sum::<usize>().clamp(Taken::SLOTS_MIN, Taken::SLOTS_MAX).next_power_of_two();
        Taken { counts: vec![0; slots], shift: 32 - slots.trailing_zeros() }
    }

    /// By how many half bits a gram is less rare for having been taken: two bits for the first, two more with every doubling.
    fn penalty(&self, hash: u32) -> u32 {
        let count = self.counts.get((hash >> self.shift) as usize).copied().unwrap_or(0);
        4 * (u16::BITS - count.leading_zeros())
    }

    fn take(&mut self, hash: u32) {
        if let Some(count) = self.counts.get_mut((hash >> self.shift) as usize) {
            *count = count.saturating_add(1);
        }
    }
}
