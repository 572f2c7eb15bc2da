//! The bitmap of hashed grams that a text is held against, and the portable way to ask it.
//!
//! A gram sets three bits of one 32-bit word; a place of the text passes if all are set. The word is chosen by the first
//! four bytes at a place (or by as many as the shortest grams have), the bits by the whole gram, be it of those or of
//! eight: so short and long grams share a filter, and a place is looked up once for both.
//!
//! The bits must come from another hash than the word. Of one product, what the upper bits do not tell depends on the first bytes alone, and many a gram begins as
//! others do.

use crate::fold::{hash, hash_long, other_hash};
use crate::sketch::{Sketch, grams_max};
use crate::walk::{Places, STEP_BYTES};

/// Bits per gram, before the filter is rounded up to a power of two: about one foreign gram in 250 passes.
const BITS_PER_GRAM: usize = 32;
const WORDS_MIN: usize = 16;
/// A smaller one has twice the room, which costs little.
const WORDS_ROOMY: usize = 1 << 11;
/// A mebibyte. A larger one would not lie in a core's own cache.
const WORDS_MAX: usize = 1 << 18;

/// Where in a hash the numbers of the three bits lie: in its upper bits, which are the well mixed ones.
pub(crate) const BIT_SHIFTS: [u32; 3] = [17, 22, 27];

/// A bitmap of grams. `words.len()` is `1 << (32 - shift)`, always.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    words: Box<[u32]>,
    shift: u32,
    /// For few short grams where every place is asked about.
    sketch: Option<Box<Sketch>>,
}

impl Filter {
    /// An empty filter with room for `grams`.
    pub(crate) fn new(grams: usize) -> Filter {
        let words = grams.saturating_mul(BITS_PER_GRAM).div_ceil(32);
        let words = words.clamp(WORDS_MIN, WORDS_MAX).next_power_of_two();
        let words = if words < WORDS_ROOMY { 2 * words } else { words };
        Filter { words: vec![0; words].into(), shift: 32 - words.trailing_zeros(), sketch: None }
    }

    /// One for grams of `gram` bytes with a sketch beside it, if so few have room in one.
    pub(crate) fn with_sketch(gram: usize, grams: usize) -> Filter {
        let sketch = (grams <= grams_max(gram)).then(|| Box::new(Sketch::new(gram, grams)));
        Filter { sketch, ..Filter::new(grams) }
    }

    /// Lets the gram of `GRAM` bytes at the start of `folded` pass.
    pub(crate) fn add<const GRAM: usize>(&mut self, folded: u64) {
        self.set(hash::<GRAM>(folded), other_hash::<GRAM>(folded));
        if let Some(sketch) = &mut self.sketch {
            sketch.add::<GRAM>(folded);
        }
    }

    /// Lets the gram of eight bytes at the start of `folded` pass.
    pub(crate) fn add_long(&mut self, folded: u64) {
        self.set(hash::<4>(folded), hash_long(folded));
    }

    fn set(&mut self, place: u32, bits_of: u32) {
        if let Some(word) = self.words.get_mut((place >> self.shift) as usize) {
            *word |= bits(bits_of);
        }
    }

    /// The words and the shift that leads from a hash to its word: a hash shifted by it is always less than the number
    /// of words.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub(crate) fn words(&self) -> (&[u32], u32) {
        (&self.words, self.shift)
    }

    pub(crate) fn sketch(&self) -> Option<&Sketch> {
        self.sketch.as_deref()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.words) + self.sketch.as_ref().map_or(0, |_| size_of::<Sketch>())
    }

    /// Adds to `short` the places of so many steps, `STRIDE` bytes apart, at which a gram of `GRAM` bytes passes (0:
    /// none is looked for); and to `long` those, four bytes apart, at which one of eight bytes does, if `LONG`. Returns
    /// how many steps were done: all, or as many as it took until either had enough.
    pub(crate) fn sift<const GRAM: usize, const STRIDE: usize, const LONG: bool>(
        &self,
        text: &[u8],
        steps: usize,
        short: &mut Places,
        long: &mut Places,
    ) -> usize {
        let mut done = 0;
        while done < steps && !short.is_enough() && !long.is_enough() {
            // As a vector does it, so that the two kinds of places come in the same turns.
            let together = if steps - done >= STRIDE { STRIDE } else { 1 };
            let start = done * STEP_BYTES;
            for offset in (start..start + together * STEP_BYTES).step_by(STRIDE) {
                let eight = text.get(offset..).and_then(<[u8]>::first_chunk);
                let folded = eight.map_or(0, |eight| u64::from_le_bytes(*eight));
                let place = hash::<GRAM>(folded);
                let word = self.words.get((place >> self.shift) as usize).copied().unwrap_or(0);
                if GRAM > 0 {
                    let bits = bits(other_hash::<GRAM>(folded));
                    short.push_if(offset, word & bits == bits);
                }
                if LONG && offset % 4 == 0 {
                    let bits = bits(hash_long(folded));
                    long.push_if(offset, word & bits == bits);
                }
            }
            done += together;
        }
        done
    }
}

/// The bits of its word that a gram with this hash sets.
fn bits(hash: u32) -> u32 {
    const TOP: u32 = 1 << 31;
    BIT_SHIFTS.into_iter().fold(0, |bits, shift| bits | TOP >> ((hash >> shift) % 32))
}
