//! The bitmap of hashed grams that a text is held against, and the portable way to ask it.
//!
//! A gram of 3, 4 or 8 bytes sets two bits of one 32-bit word; a place of the text passes if both are set. A gram of 2 bytes is not hashed:
//! its 65,536 values have a bit each.

use crate::fold::{fold, hash};
use crate::sketch::{SKETCH_GRAMS_MAX, Sketch};
use crate::walk::{Places, STEP_BYTES};

/// Bits per gram, before the filter is rounded up to a power of two: about one foreign gram in a hundred passes.
const BITS_PER_GRAM: usize = 32;
const WORDS_MIN: usize = 16;
/// A mebibyte. A larger one would not lie in a core's own cache.
const WORDS_MAX: usize = 1 << 18;

/// Where in the hash the numbers of the two bits lie.
pub(crate) const FIRST_BIT_SHIFT: u32 = 11;
pub(crate) const SECOND_BIT_SHIFT: u32 = 6;

/// A bitmap of grams. `words.len()` is `1 << (32 - shift)`, always.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    words: Box<[u32]>,
    shift: u32,
    /// For a stride of 1 and few grams.
    sketch: Option<Box<Sketch>>,
}

impl Filter {
    /// An empty filter with room for `grams`.
    pub(crate) fn for_grams(grams: usize, stride: usize) -> Filter {
        let words = grams.saturating_mul(BITS_PER_GRAM).div_ceil(32);
        let words = words.clamp(WORDS_MIN, WORDS_MAX).next_power_of_two();
        Filter::with_words(words, stride == 1 && grams <= SKETCH_GRAMS_MAX)
    }

    /// An empty filter for so many `pairs` of bytes.
    pub(crate) fn for_pairs(pairs: usize) -> Filter {
        Filter::with_words(1 << 11, pairs <= SKETCH_GRAMS_MAX)
    }

    fn with_words(words: usize, has_sketch: bool) -> Filter {
        let sketch = has_sketch.then(|| Box::new(Sketch::new()));
        Filter { words: vec![0; words].into(), shift: 32 - words.trailing_zeros(), sketch }
    }

    /// Lets the gram of `GRAM` bytes at the start of `bytes` pass; they are not folded yet.
    pub(crate) fn add<const GRAM: usize>(&mut self, bytes: u64) {
        self.add_word::<GRAM>(hash_of::<GRAM>(bytes));
        if let Some(sketch) = &mut self.sketch {
            sketch.add::<GRAM>(if GRAM == 2 { bytes } else { fold(bytes) });
        }
    }

    fn add_word<const GRAM: usize>(&mut self, hash: u32) {
        if let Some(word) = self.words.get_mut((hash >> self.shift) as usize) {
            *word |= bits::<GRAM>(hash);
        }
    }

    pub(crate) fn sketch(&self) -> Option<&Sketch> {
        self.sketch.as_deref()
    }

    /// The words and the shift that leads from a hash to its word: a hash shifted by it is always less than the number of words.
    #[inline]
    pub(crate) fn words(&self) -> (&[u32], u32) {
        (&self.words, self.shift)
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.words) + self.sketch.as_ref().map_or(0, |_| size_of::<Sketch>())
    }

    /// Writes into `places` which of the places of so many steps, `STRIDE` bytes apart, pass; returns how many. `text` has the bytes of the
    /// steps, and `REACH_BYTES` more.
    pub(crate) fn sift<const GRAM: usize, const STRIDE: usize>(
        &self,
        text: &[u8],
        steps: usize,
        places: &mut Places,
    ) -> usize {
        let mut passed = 0;
        let grams = text.windows(8).step_by(STRIDE).take(steps * STEP_BYTES / STRIDE);
        for (gram, place) in grams.zip((0..).step_by(STRIDE)) {
            let bytes = gram.first_chunk::<8>().map_or(0, |eight| u64::from_le_bytes(*eight));
            let hash = hash_of::<GRAM>(bytes);
            let word = self.words.get((hash >> self.shift) as usize).copied().unwrap_or(0);
            let bits = bits::<GRAM>(hash);
            // Always written and sometimes kept: a branch would be guessed wrongly too often.
            if let Some(next) = places.get_mut(passed) {
                *next = place;
            }
            passed += usize::from(word & bits == bits);
        }
        passed
    }
}

/// The hash of the gram at the start of `bytes`, not folded yet.
pub(crate) fn hash_of<const GRAM: usize>(bytes: u64) -> u32 {
    if GRAM == 2 { (bytes as u32) << 16 } else { hash::<GRAM>(fold(bytes)) }
}

/// Two bytes as `Filter::add` takes them.
pub(crate) fn pair(first: u8, second: u8) -> u64 {
    u64::from(u16::from_le_bytes([first, second]))
}

/// The bits of its word that a gram sets.
fn bits<const GRAM: usize>(hash: u32) -> u32 {
    const TOP: u32 = 1 << 31;
    if GRAM == 2 {
        TOP >> ((hash >> 16) & 31)
    } else {
        (TOP >> ((hash >> FIRST_BIT_SHIFT) & 31)) | (TOP >> ((hash >> SECOND_BIT_SHIFT) & 31))
    }
}
