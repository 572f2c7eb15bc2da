//! Which part of a pattern is looked for: its window.
//!
//! With grams of g bytes and a stride of s, a window has g + s - 1 bytes and so s grams. Wherever it stands in a text,
//! one of them begins at a place that is asked about, and only one. Taken is the window whose most common gram is the
//! rarest, where a gram that other patterns have taken before counts as more common the more there are, so that lists
//! stay short.

use crate::fold::load_folded;
use crate::rarity;
use crate::records::Records;
use crate::table::Gram;
use std::ops::Range;

/// As many bytes of a gram choose its word, if it has so many.
const WORD_BYTES: usize = 4;

/// What is chosen for a lane.
pub(crate) struct Choice {
    /// How many bytes a gram has.
    pub(crate) gram_bytes: usize,
    /// How far places are apart that are asked about.
    pub(crate) stride: usize,
    /// The hash of a gram at the start of folded bytes, and of what chooses its word in the filter.
    pub(crate) hash: fn(u64) -> u32,
    pub(crate) word: fn(u64) -> u32,
}

/// The first bytes of a gram choose its word in the filter; where these are common in a text, the word is asked for
/// often, however rare the rest is. So what the rest tells counts no more than this, in half bits.
const REST_MAX: u32 = 14;

impl Choice {
    /// Chooses a window for each of the `members` among `records`, which have `gram_bytes + stride - 1` bytes or more,
    /// tells them of it, and returns the grams; with each of them the folded bytes at its start.
    pub(crate) fn choose(&self, records: &mut Records, members: Range<usize>) -> Vec<(Gram, u64)> {
        let places = members.clone().map(|record| records.pattern(record).0.len());
        let (mut taken, mut words) = (Taken::new(places.clone().sum()), Taken::new(places.sum()));
        let mut grams = Vec::with_capacity(members.len().saturating_mul(self.stride));
        let (mut rarities, mut of_words) = (Vec::new(), Vec::new());
        for record in members {
            let (pattern, _) = records.pattern(record);
            rarity::of_grams(pattern, self.gram_bytes, &mut rarities);
            rarity::of_grams(pattern, self.gram_bytes.min(WORD_BYTES), &mut of_words);
            for (at, (rarity, of_word)) in rarities.iter_mut().zip(&of_words).enumerate() {
                let folded = load_folded(pattern, at);
                let penalty = taken.penalty((self.hash)(folded)) + words.penalty((self.word)(folded)) / 2;
                *rarity = (*rarity).min(of_word + REST_MAX).saturating_sub(penalty);
            }
            let at = rarest(&rarities, self.stride);
            let window = load_folded(pattern, at);
            let known_bytes = pattern.len().saturating_sub(at);
            for distance in 0..self.stride {
                let folded = load_folded(pattern, at + distance);
                let hash = (self.hash)(folded);
                taken.take(hash);
                words.take((self.word)(folded));
                grams.push((Gram { hash, distance, window, known_bytes, record }, folded));
            }
            records.set_window(record, at);
        }
        grams
    }
}

/// Where the best window begins: `stride` grams, the most common of which is the rarest; among equals the one that is
/// rarest in sum, and the first.
fn rarest(rarities: &[u32], stride: usize) -> usize {
    let score = |window: &[u32]| (window.iter().copied().min(), window.iter().sum::<u32>());
    let windows = rarities.windows(stride).enumerate();
    windows.max_by_key(|(at, window)| (score(window), usize::MAX - at)).map_or(0, |(at, _)| at)
}

/// How often each gram was taken, by its hash, roughly: grams with the same slot count as one.
struct Taken {
    counts: Vec<u16>,
    shift: u32,
}

impl Taken {
    const SLOTS_MIN: usize = 64;
    const SLOTS_MAX: usize = 1 << 22;

    fn new(grams: usize) -> Taken {
        let slots = grams.clamp(Taken::SLOTS_MIN, Taken::SLOTS_MAX).next_power_of_two();
        Taken { counts: vec![0; slots], shift: 32 - slots.trailing_zeros() }
    }

    /// By how many half bits a gram is less rare for having been taken: two bits for the first, two more with every
    /// doubling.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_whose_most_common_gram_is_the_rarest_is_taken() {
        assert_eq!(rarest(&[9, 1, 5, 6, 7, 2], 2), 3);
        assert_eq!(rarest(&[5, 5, 5], 1), 0);
        assert_eq!(rarest(&[3, 4, 3, 9], 2), 2);
        assert_eq!(rarest(&[], 4), 0);
    }

    #[test]
    fn what_was_taken_is_avoided() {
        let mut taken = Taken::new(100);
        assert_eq!(taken.penalty(1 << 31), 0);
        taken.take(1 << 31);
        let once = taken.penalty(1 << 31);
        (0..9).for_each(|_| taken.take(1 << 31));
        assert!(once > 0 && taken.penalty(1 << 31) > once && taken.penalty(0) == 0);
    }
}
