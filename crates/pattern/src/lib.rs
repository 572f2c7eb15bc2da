//! Finds many literals in one pass over a text: the prefilter of the detection engine.
//!
//! Upon `Set::new`: equal patterns become one record, and each record goes to the one *lane* that looks for it (`plan`):
//!   - the *wide* lane, for what is long enough not to be looked for at every place. Patterns of 11 bytes or more:
//!     their rarest window of 11 bytes, seen by its four grams of 8 bytes; shorter ones: a window with one, two or four
//!     grams of 4 bytes, as the shortest permits;
//!   - the *close* lanes, for patterns of four to six bytes (or more, where they are few), of three, and of two: one
//!     gram of each, looked for at every place;
//!   - the *single* lane, for patterns of one byte;
//!   - the *tiny* lane in the place of these, where they are sixteen at the most, or in the place of all lanes, where
//!     all patterns are 32 at the most: up to three bytes of each, compared all at once;
//!   - the *run* lane, for patterns that are one byte over and over: runs in the text are followed, and nothing is compared.
//!
//! Upon `Set::scan`: block by block the text is folded, so that case does not matter, and lane by lane a *filter* is
//! asked (a bitmap of hashed grams, or a *sketch* of it that lies in registers): at every 4th place of the text, or at
//! every 2nd, or at each. Since the grams of a window lie at every distance from its start that the stride leaves over,
//! exactly one of them is hit wherever the pattern stands. Where the filter lets a place pass, a *table* leads from the
//! gram to candidates, which carry nine more bits of what they are; what agrees in these is compared byte by byte. So
//! what is reported is there, once for each place.
//!
//! The filters are asked many places at a time where the processor has AVX2 or AVX-512 (`simd`), one at a time
//! elsewhere; the answers are the same, if not in the same order.
//!
//! **What it costs at worst.** Time is linear in the text for a given set. A place that a filter lets pass costs one
//! look into the table and a comparison of tags for each candidate there: the grams of a window are chosen to be rare
//! in text and in the set, so lists are short unless the patterns leave no choice (thousands that differ only after a
//! common start have their own windows, since the window is taken where they differ). A hostile text can make every
//! place pass that is asked about, and find the longest list each time: [`Set::candidates_max`] says how long that is.
//! Every occurrence is reported, so a text full of them costs a call each.
//!
//! **Architecture invariant:** `unsafe` stands in `simd` alone, and nothing depends on the processor but speed.
//!
//! Deliberately not here: where a pattern may stand (depth, offset), what else a rule demands, Unicode, and text that
//! comes in pieces.

mod close;
mod filter;
mod fold;
mod plan;
mod rarity;
mod records;
mod runs;
mod simd;
mod singles;
mod sketch;
mod table;
#[cfg(test)]
mod tests;
mod tiny;
mod walk;
mod wide;
mod windows;

use close::Close;
use records::Records;
use runs::Runs;
use simd::Path;
use singles::Singles;
use tiny::Tiny;
pub use walk::Scratch;
use walk::{Places, Walk};
use wide::Wide;

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

/// A compiled set of patterns. It is a value: equal patterns in the same order make a set that reports the same, in the
/// same order on processors of the same kind.
#[derive(Clone, Debug)]
pub struct Set {
    records: Records,
    wide: Option<Wide>,
    fours: Option<Close<4>>,
    triples: Option<Close<3>>,
    pairs: Option<Close<2>>,
    singles: Option<Singles>,
    tiny: Option<Tiny>,
    runs: Option<Runs>,
    path: Path,
    len: usize,
    left_out: usize,
}

/// [`Set::scan`] for several sets at once, each block of the text folded once for all. What is found carries the set's place among `sets`, too.
pub fn scan_together(
    sets: &[&Set],
    text: &[u8],
    scratch: &mut Scratch,
    found: &mut impl FnMut(usize, u32, usize),
) {
    let Some(first) = sets.first() else { return };
    let (mut walk, places) = scratch.walk(text, first.path);
    while walk.advance() {
        for (place, set) in sets.iter().enumerate() {
            set.scan_block(&walk, places, &mut |index, end| found(place, index, end));
        }
    }
}

impl Set {
    /// Compiles `patterns`; what is found carries their indices. Empty ones, ones that are too long, and what exceeds
    /// [`PATTERNS_MAX`] is left out and counted, never a panic: who builds the set refuses such a rule before.
    #[must_use]
    pub fn new(patterns: &[Pattern]) -> Set {
        Set::planned(patterns, Path::best().asks_sketches())
    }

    /// One for a processor that can ask sketches, or cannot; on the other kind it finds the same.
    fn planned(patterns: &[Pattern], asks_sketches: bool) -> Set {
        let records = Records::new(patterns);
        let plan = plan::Plan::new(&records, asks_sketches);
        plan.build(records, patterns.len())
    }

    /// Calls `found(index of the pattern, end offset just past it)` once for every place at which a pattern stands in
    /// `text`.
    ///
    /// The order is no promise to rely on, but it is the same whenever set and text and the kind of processor are the same.
    pub fn scan(&self, text: &[u8], scratch: &mut Scratch, found: &mut impl FnMut(u32, usize)) {
        scan_together(&[self], text, scratch, &mut |_, index, end| found(index, end));
    }

    #[inline(never)]
    fn scan_block(&self, walk: &Walk, places: &mut [Places; 2], found: &mut impl FnMut(u32, usize)) {
        let (path, records) = (self.path, &self.records);
        if let Some(lane) = &self.wide {
            lane.scan(path, records, walk, places, found);
        }
        if let Some(lane) = &self.fours {
            lane.scan(path, records, walk, places, found);
        }
        if let Some(lane) = &self.triples {
            lane.scan(path, records, walk, places, found);
        }
        if let Some(lane) = &self.pairs {
            lane.scan(path, records, walk, places, found);
        }
        let [places, _] = places;
        if let Some(lane) = &self.singles {
            lane.scan(path, records, walk, places, found);
        }
        if let Some(lane) = &self.tiny {
            lane.scan(path, records, walk, places, found);
        }
        if let Some(lane) = &self.runs {
            lane.scan(path, records, walk, places, found);
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
            + self.wide.as_ref().map_or(0, Wide::memory_bytes)
            + self.fours.as_ref().map_or(0, Close::memory_bytes)
            + self.triples.as_ref().map_or(0, Close::memory_bytes)
            + self.pairs.as_ref().map_or(0, Close::memory_bytes)
            + self.singles.as_ref().map_or(0, Singles::memory_bytes)
            + self.tiny.as_ref().map_or(0, Tiny::memory_bytes)
            + self.runs.as_ref().map_or(0, Runs::memory_bytes)
    }

    /// The most candidates that one place of a text can lead to: what a hostile text can make a place cost.
    #[must_use]
    pub fn candidates_max(&self) -> usize {
        let lanes = [
            self.wide.as_ref().map_or(0, Wide::candidates_max),
            self.fours.as_ref().map_or(0, Close::candidates_max),
            self.triples.as_ref().map_or(0, Close::candidates_max),
            self.pairs.as_ref().map_or(0, Close::candidates_max),
            self.tiny.as_ref().map_or(0, Tiny::candidates_max),
        ];
        lanes.into_iter().max().unwrap_or(0)
    }

    /// The same set, told to do without the fastest `steps` ways of asking its filters that this processor has:
    /// AVX-512, AVX2. The answers are the same, the last way is there always, and it takes longer. For comparison.
    #[must_use]
    pub fn slower_by(mut self, steps: usize) -> Set {
        let paths = Path::all();
        self.path = paths.get(steps).copied().unwrap_or(Path::Portable);
        self
    }
}
