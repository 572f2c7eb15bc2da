//! Finds many literals in one pass over a text: the prefilter of the detection engine.
//!
//! Upon `Set::new`: equal patterns become one record, and each record goes to the one *lane* that looks for it (`plan`):
//!   - the *long* lane, patterns of 11 bytes or more: their rarest window of 11 bytes, seen by its four grams of 8 bytes;
//!   - the *gram* lane, what is shorter: a window with one, two or four grams of 4 bytes, as the shortest of them permits;
//!   - the *nibble* lane, up to eight of the shortest: three bytes of each, compared all at once;
//!   - the *pair* lane, in its place where there are more than eight of less than 4 bytes: a table of all pairs of bytes.
//!
//! Upon `Set::scan`, lane by lane: a *filter* (a bitmap of hashed grams) is asked at every 4th place of the text, or at every 2nd, or at
//! every one; since the grams of a window lie at every distance from its start that the stride leaves over, exactly one of them is hit
//! wherever the pattern stands. Where the filter lets a place pass, a *table* leads from the gram to candidates, which carry 12 more
//! bits of their window; what agrees in these is compared byte by byte. So what is reported is there, once for each place.
//!
//! The filter is asked eight places at a time where the processor has AVX2 (`simd`), one at a time elsewhere; both give the same answers.
//!
//! **What it costs at worst.** Time is linear in the text for a given set. A place that a filter lets pass costs one look into the table
//! and a comparison of tags for each candidate there: the grams of a window are chosen to be rare in text and in the set, so lists are
//! short unless the patterns leave no choice (thousands that differ only after a common start have their own windows, since the window is
//! taken where they differ). A hostile text can make every 4th place pass and find the longest list each time:
//! [`Set::candidates_max`] says how long that is. Every occurrence is reported, so a text full of them costs a call each.
//!
//! **Architecture invariant:** `unsafe` stands in `simd` alone, and nothing depends on the processor but speed.
//!
//! Deliberately not here: where a pattern may stand (depth, offset), what else a rule demands, Unicode, and text that comes in pieces.

mod filter;
mod fold;
mod lane;
mod nibbles;
mod pairs;
mod plan;
mod rarity;
mod records;
mod simd;
mod singles;
mod sketch;
mod table;
#[cfg(test)]
mod tests;
mod walk;

use lane::Lane;
use nibbles::Nibbles;
use pairs::Pairs;
use records::Records;
use simd::Path;
use singles::Singles;
use walk::Walk;

/// How many patterns one set takes. What comes after them is left out and counted in [`Set::left_out`].
pub const PATTERNS_MAX: usize = 200_000;

/// How long a pattern may be. A longer one is left out and counted in [`Set::left_out`].
pub const PATTERN_BYTES_MAX: usize = 255;

/// A literal to look for. `nocase`: ASCII letters match either case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    /// What must stand in the text: 1 to [`PATTERN_BYTES_MAX`] bytes.
    pub bytes: Vec<u8>,
    /// Whether an ASCII letter matches its other case, too.
    pub nocase: bool,
}

/// A compiled set of patterns. It is a value: equal patterns in the same order make a set that reports the same, in the same order.
#[derive(Clone, Debug)]
pub struct Set {
    records: Records,
    long: Option<Lane<8>>,
    gram: Option<Lane<4>>,
    close: Option<Lane<4>>,
    triples: Option<Lane<3>>,
    nibbles: Option<Nibbles>,
    singles: Option<Singles>,
    pairs: Option<Pairs>,
    path: Path,
    len: usize,
    left_out: usize,
}

impl Set {
    /// Compiles `patterns`; what is found carries their indices. Empty ones, ones that are too long, and what exceeds [`PATTERNS_MAX`]
    /// is left out and counted, never a panic: who builds the set refuses such a rule before.
    #[must_use]
    pub fn new(patterns: &[Pattern]) -> Set {
        let records = Records::new(patterns);
        let plan = plan::Plan::new(&records);
        plan.build(records, patterns.len())
    }

    /// Calls `found(index of the pattern, end offset just past it)` once for every place at which a pattern stands in `text`.
    ///
    /// The order is no promise to rely on, but it is the same whenever set and text are the same.
    pub fn scan(&self, text: &[u8], found: &mut impl FnMut(u32, usize)) {
        let mut walk = Walk::new(text);
        if let Some(lane) = &self.long {
            lane.scan(self.path, &self.records, &mut walk, found);
        }
        if let Some(lane) = &self.gram {
            lane.scan(self.path, &self.records, &mut walk, found);
        }
        if let Some(lane) = &self.close {
            lane.scan(self.path, &self.records, &mut walk, found);
        }
        if let Some(lane) = &self.triples {
            lane.scan(self.path, &self.records, &mut walk, found);
        }
        if let Some(nibbles) = &self.nibbles {
            nibbles.scan(self.path, &self.records, &mut walk, found);
        }
        if let Some(singles) = &self.singles {
            singles.scan(self.path, &self.records, &mut walk, found);
        }
        if let Some(pairs) = &self.pairs {
            pairs.scan(self.path, &self.records, &mut walk, found);
        }
    }

    /// How many patterns are looked for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many patterns were given and are not looked for: empty, too long, or too many.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// What the set holds in memory, itself included.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        size_of::<Set>()
            + self.records.memory_bytes()
            + self.long.as_ref().map_or(0, Lane::memory_bytes)
            + self.gram.as_ref().map_or(0, Lane::memory_bytes)
            + self.close.as_ref().map_or(0, Lane::memory_bytes)
            + self.triples.as_ref().map_or(0, Lane::memory_bytes)
            + self.nibbles.as_ref().map_or(0, Nibbles::memory_bytes)
            + self.singles.as_ref().map_or(0, Singles::memory_bytes)
            + self.pairs.as_ref().map_or(0, Pairs::memory_bytes)
    }

    /// The most candidates that one place of a text can lead to: what a hostile text can make a place cost.
    #[must_use]
    pub fn candidates_max(&self) -> usize {
        let lanes = [
            self.long.as_ref().map_or(0, Lane::candidates_max),
            self.gram.as_ref().map_or(0, Lane::candidates_max),
            self.close.as_ref().map_or(0, Lane::candidates_max),
            self.triples.as_ref().map_or(0, Lane::candidates_max),
            self.nibbles.as_ref().map_or(0, Nibbles::candidates_max),
            self.pairs.as_ref().map_or(0, Pairs::candidates_max),
        ];
        lanes.into_iter().max().unwrap_or(0)
    }

    /// The same set, told to do without the fastest `steps` ways of asking its filters that this processor has: AVX-512, AVX2. The answers
    /// are the same, the last way is there always, and it takes longer. For comparison.
    #[must_use]
    pub fn slower_by(mut self, steps: usize) -> Set {
        let paths = Path::all();
        self.path = paths.get(steps).copied().unwrap_or(Path::Portable);
        self
    }
}
