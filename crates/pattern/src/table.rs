//! From the hash of a gram to the patterns that may stand there.
//!
//! A candidate is 32 bits: 9 of its tag, 3 for how many bytes the tag was made of, 2 for how far into the window the
//! gram lies, 18 for the record. The tag is made of the window and, up to eight bytes, of what follows it in the
//! pattern. Nothing is stored twice. The first candidate of a bucket lies in the bucket itself, since what is looked up
//! here is mostly not in a near cache: one wait is what a place costs, not two. For the same reason all buckets that
//! are wanted are asked for before the first is looked at.

use crate::PATTERNS_MAX;
use crate::fold::{TAG_BITS, tag};
use crate::records::Records;
use crate::walk::{BEFORE_BYTES, Places, STEP_BYTES, Walk};

/// A tag is made of up to so many bytes, one at least.
const TAGGED_BYTES_MAX: usize = 8;
const TAGGED_BITS: u32 = 3;
const DISTANCE_BITS: u32 = 2;
const RECORD_BITS: u32 = 32 - TAG_BITS - TAGGED_BITS - DISTANCE_BITS;
const _: () = assert!(PATTERNS_MAX < 1 << RECORD_BITS);

/// A table of so many grams or more has half as many buckets: what it holds is not in a near cache at any rate.
const GRAMS_CROWDED: usize = 1 << 17;

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
    /// Of no record that there is.
    const NONE: Candidate = Candidate(u32::MAX);

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

/// Where the candidates of one hash begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    /// The first; none at all in an empty bucket.
    first: Candidate,
    /// Where the others begin; they end where those of the next bucket begin.
    others: u32,
}

impl Bucket {
    pub(crate) const EMPTY: Bucket = Bucket { first: Candidate::NONE, others: 0 };
}

/// Candidates by the hash of a gram.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// One more than there are, where the others of the last end.
    buckets: Box<[Bucket]>,
    others: Box<[Candidate]>,
    shift: u32,
}

impl Table {
    /// A table of grams, if there are any; what stands beside them does not matter here.
    pub(crate) fn of<T>(grams: &[(Gram, T)]) -> Option<Table> {
        if grams.is_empty() {
            return None;
        }
        let grams_a_bucket = if grams.len() < GRAMS_CROWDED { 1 } else { 2 };
        let count = (grams.len() / grams_a_bucket).max(2).next_power_of_two();
        let shift = 32 - count.trailing_zeros();
        let mut buckets = vec![Bucket::EMPTY; count + 1];
        // First how many others each has, in the place of the next one; then where they begin.
        let mut has_first = vec![false; count];
        for (gram, _) in grams {
            let bucket = (gram.hash >> shift) as usize;
            buckets[bucket + 1].others += u32::from(has_first[bucket]);
            has_first[bucket] = true;
        }
        for bucket in 1..buckets.len() {
            buckets[bucket].others += buckets[bucket - 1].others;
        }
        let mut next: Vec<u32> = buckets.iter().map(|bucket| bucket.others).collect();
        let mut others = vec![Candidate::NONE; next[count] as usize];
        for (gram, _) in grams {
            let bucket = (gram.hash >> shift) as usize;
            if std::mem::take(&mut has_first[bucket]) {
                buckets[bucket].first = Candidate::new(gram);
            } else {
                others[next[bucket] as usize] = Candidate::new(gram);
                next[bucket] += 1;
            }
        }
        Some(Table { buckets: buckets.into(), others: others.into(), shift })
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
        places: &mut Places,
        found: &mut impl FnMut(u32, usize),
    ) {
        let start = start * STEP_BYTES;
        let bucket_at = |offset: usize| (hash(walk.load(start + offset, 0)) >> self.shift) as usize;
        places.fetch(|offset| self.buckets.get(bucket_at(offset)).copied().unwrap_or(Bucket::EMPTY));
        // In a run of one byte all places are the same: where nothing fitted in it, nothing is looked for again.
        let mut barren_run = 0;
        for (offset, bucket) in places.fetched() {
            let here = walk.load(start + offset, 0);
            let is_run = here == here.rotate_left(8) && here == walk.load(start + offset, BEFORE_BYTES);
            if is_run {
                if here == barren_run {
                    continue;
                }
                barren_run = here;
            }
            let mut ask = |candidate: Candidate| {
                let (offset, distance) = (start + offset, candidate.distance());
                if candidate.tag_of(walk.load(offset, distance)) == candidate.tag()
                    && let Some(window) = (walk.at + offset).checked_sub(distance)
                {
                    records.compare(candidate.record(), walk.text, window, found);
                    barren_run = 0;
                }
            };
            ask(bucket.first);
            let end = self.buckets.get(bucket_at(offset) + 1).map_or(0, |next| next.others);
            for other in self.others.get(bucket.others as usize..end as usize).unwrap_or_default() {
                ask(*other);
            }
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.buckets) + size_of_val(&*self.others)
    }

    /// How many the longest bucket has.
    pub(crate) fn candidates_max(&self) -> usize {
        let others = self.buckets.windows(2).map(|pair| pair[1].others - pair[0].others);
        1 + others.max().unwrap_or(0) as usize
    }
}
