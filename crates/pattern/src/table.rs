//! From the hash of a gram to the patterns that may stand there.
//!
//! A candidate is 32 bits: 9 of its tag, 3 for how many bytes the tag was made of, 2 for how far into the window the
//! gram lies, 18 for the record. The tag is made of the window and, up to eight bytes, of what follows it in the
//! pattern. Candidates of a bucket lie side by side, and nothing is stored twice: one word for each gram of a window,
//! and half of one to one for the buckets.

use crate::PATTERNS_MAX;
use crate::fold::{TAG_BITS, tag};
use crate::records::Records;
use crate::walk::{BEFORE_BYTES, Places, STEP_BYTES, Walk};

/// A tag is made of up to so many bytes, one at least.
const TAGGED_BYTES_MAX: usize = 8;
const TAGGED_BITS: u32 = 3;
const DISTANCE_BITS: u32 = 2;
const RECORD_BITS: u32 = 32 - TAG_BITS - TAGGED_BITS - DISTANCE_BITS;
const _: () = assert!(PATTERNS_MAX <= 1 << RECORD_BITS);

/// The bytes that count where so many are missing to eight. A table, since to shift by a variable takes longer.
const KNOWN: [u64; TAGGED_BYTES_MAX] = [
    u64::MAX,
    u64::MAX >> 8,
    u64::MAX >> 16,
    u64::MAX >> 24,
    u64::MAX >> 32,
    u64::MAX >> 40,
    u64::MAX >> 48,
    u64::MAX >> 56,
];

/// A pattern that may stand where a gram was found.
#[derive(Clone, Copy, Debug)]
struct Candidate(u32);

impl Candidate {
    fn new(gram: &Gram) -> Candidate {
        // How many bytes are missing to eight.
        let missing = TAGGED_BYTES_MAX.saturating_sub(gram.known_bytes).min(TAGGED_BYTES_MAX - 1) as u32;
        let distance = gram.distance as u32 & ((1 << DISTANCE_BITS) - 1);
        let record = gram.record as u32 & ((1 << RECORD_BITS) - 1);
        let low = missing << (RECORD_BITS + DISTANCE_BITS) | distance << RECORD_BITS | record;
        Candidate(Candidate(low).tag_of(gram.window) << (32 - TAG_BITS) | low)
    }

    /// The tag that a text must have which folds to `window`, if it is this candidate.
    #[inline]
    fn tag_of(self, window: u64) -> u32 {
        let missing = (self.0 >> (RECORD_BITS + DISTANCE_BITS)) & ((1 << TAGGED_BITS) - 1);
        tag(window & KNOWN.get(missing as usize).copied().unwrap_or(u64::MAX))
    }

    #[inline]
    fn tag(self) -> u32 {
        self.0 >> (32 - TAG_BITS)
    }

    #[inline]
    fn distance(self) -> usize {
        ((self.0 >> RECORD_BITS) & ((1 << DISTANCE_BITS) - 1)) as usize
    }

    #[inline]
    fn record(self) -> u32 {
        self.0 & ((1 << RECORD_BITS) - 1)
    }
}

/// A gram of a pattern on its way into a table.
pub(crate) struct Gram {
    pub(crate) hash: u32,
    /// How far into the window it lies.
    pub(crate) distance: usize,
    /// The pattern from the window on, folded, as `load_folded` gives it.
    pub(crate) window: u64,
    /// How long the pattern is from the window on.
    pub(crate) known_bytes: usize,
    pub(crate) record: usize,
}

/// Candidates by the hash of a gram.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Where the candidates of a bucket begin; they end where those of the next begin.
    starts: Box<[u32]>,
    candidates: Box<[Candidate]>,
    shift: u32,
}

impl Table {
    /// A table of grams, if there are any; what stands beside them does not matter here.
    pub(crate) fn of<T>(grams: &[(Gram, T)]) -> Option<Table> {
        if grams.is_empty() {
            return None;
        }
        let buckets = (grams.len() / 2).max(2).next_power_of_two();
        let shift = 32 - buckets.trailing_zeros();
        let mut starts = vec![0_u32; buckets + 1];
        for (gram, _) in grams {
            starts[(gram.hash >> shift) as usize + 1] += 1;
        }
        for bucket in 1..starts.len() {
            starts[bucket] += starts[bucket - 1];
        }
        let mut next = starts.clone();
        let mut candidates = vec![Candidate(0); grams.len()];
        for (gram, _) in grams {
            let place = &mut next[(gram.hash >> shift) as usize];
            candidates[*place as usize] = Candidate::new(gram);
            *place += 1;
        }
        Some(Table { starts: starts.into(), candidates: candidates.into(), shift })
    }

    /// Compares the text with every candidate at `places`, which are counted from step `start` of the block. `hash` is
    /// that of the grams.
    #[inline]
    pub(crate) fn look(
        &self,
        hash: impl Fn(u64) -> u32,
        records: &Records,
        walk: &Walk,
        start: usize,
        places: &Places,
        found: &mut impl FnMut(u32, usize),
    ) {
        // In a run of one byte all places are the same: where nothing fitted in it, nothing is looked for again.
        let mut barren_run = 0;
        for offset in places.iter() {
            let offset = start * STEP_BYTES + offset;
            let here = walk.load(offset, 0);
            let is_run = here == here.rotate_left(8) && here == walk.load(offset, BEFORE_BYTES);
            if is_run {
                if here == barren_run {
                    continue;
                }
                barren_run = here;
            }
            let bucket = (hash(here) >> self.shift) as usize;
            let Some([first, end]) = self.starts.get(bucket..).and_then(<[u32]>::first_chunk::<2>) else {
                continue;
            };
            for candidate in self.candidates.get(*first as usize..*end as usize).unwrap_or_default() {
                let distance = candidate.distance();
                if candidate.tag_of(walk.load(offset, distance)) == candidate.tag()
                    && let Some(window) = (walk.at + offset).checked_sub(distance)
                {
                    records.compare(candidate.record(), walk.text, window, found);
                    barren_run = 0;
                }
            }
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.starts) + size_of_val(&*self.candidates)
    }

    /// The length of the longest bucket.
    pub(crate) fn candidates_max(&self) -> usize {
        let lengths = self.starts.windows(2).map(|pair| pair[1] - pair[0]);
        lengths.max().unwrap_or(0) as usize
    }
}
