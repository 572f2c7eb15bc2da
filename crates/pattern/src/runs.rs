//! The run lane: patterns of three bytes or more that are one byte over and over.
//!
//! Runs are the commonest thing in every kind of data (zeros, spaces, padding), and the first that somebody sends who
//! wishes to see a matcher slow. So these patterns are not among the others: where a run of a byte begins that one of
//! them is made of, it is followed to its end, and what stands in it is told by counting.

use crate::fold::fold;
use crate::records::Records;
use crate::simd::Path;
use crate::singles::{self, Bytes};
use crate::walk::{Places, STEP_BYTES, Walk};
use std::ops::Range;

/// How long a run is at least.
pub(crate) const RUN_BYTES_MIN: usize = 3;

/// Whether a pattern is one for this lane.
pub(crate) fn is_run(pattern: &[u8]) -> bool {
    pattern.len() >= RUN_BYTES_MIN
        && pattern.first().is_some_and(|first| pattern.iter().all(|byte| byte == first))
}

/// Patterns that are one byte over and over.
#[derive(Clone, Debug)]
pub(crate) struct Runs {
    /// By byte, then the shortest first.
    runs: Box<[Run]>,
    begins: Begins,
}

/// What a run is that is worth following.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begins {
    /// The bytes, folded.
    pub(crate) bytes: Bytes,
    /// So much after the first byte there is another one: as the shortest pattern has it, or as far as is asked about
    /// at once.
    pub(crate) reach: usize,
}

/// The most that `Begins::reach` is, so that a step of a filter sees it.
const REACH_MAX: usize = 7;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    folded: u8,
    /// The byte itself, or a letter of either case.
    byte: u8,
    nocase: bool,
    length: u8,
    record: u32,
}

impl Runs {
    /// A lane for the `members` among `records`, all of which are runs.
    pub(crate) fn new(records: &Records, members: Range<usize>) -> Runs {
        let run = |record| {
            let (pattern, nocase) = records.pattern(record);
            let byte = *pattern.first()?;
            Some(Run { folded: fold(byte), byte, nocase, length: pattern.len() as u8, record: record as u32 })
        };
        let mut runs: Vec<Run> = members.filter_map(run).collect();
        runs.sort_unstable();
        let mut begins = Begins { bytes: [0; 32], reach: REACH_MAX };
        for run in &runs {
            singles::include(&mut begins.bytes, run.folded);
            begins.reach = begins.reach.min(usize::from(run.length).saturating_sub(1));
        }
        Runs { runs: runs.into(), begins }
    }

    #[inline]
    pub(crate) fn scan(
        &self,
        path: Path,
        records: &Records,
        walk: &Walk,
        places: &mut Places,
        found: &mut impl FnMut(u32, usize),
    ) {
        let mut done = 0;
        while done < walk.steps() {
            places.count = 0;
            let start = walk.at + done * STEP_BYTES;
            done += path.runs(&self.begins, walk.text_before(done), walk.steps() - done, places);
            for offset in places.iter() {
                let rest = walk.text.get(start + offset..).unwrap_or_default();
                self.follow(records, rest, start + offset, found);
            }
        }
    }

    /// Reports what stands in the run of bytes that fold alike, with which `rest` begins; in the text it begins at `start`.
    fn follow(&self, records: &Records, rest: &[u8], start: usize, found: &mut impl FnMut(u32, usize)) {
        let Some(folded) = rest.first().map(|byte| fold(*byte)) else { return };
        let first = self.runs.partition_point(|run| run.folded < folded);
        let alike = self.runs.get(first..).unwrap_or_default().iter().take_while(|run| run.folded == folded);
        let length = rest.iter().take_while(|byte| fold(**byte) == folded).count();
        let run_text = rest.get(..length).unwrap_or_default();
        let mut at = start;
        // Bytes that fold alike are not always equal, but mostly.
        for equal in run_text.chunk_by(|one, other| one == other) {
            let here = alike.clone().filter(|run| !run.nocase && equal.first() == Some(&run.byte));
            here.for_each(|run| report(run, records, at, equal.len(), found));
            at += equal.len();
        }
        // Of letters exactly the two cases fold alike.
        alike.filter(|run| run.nocase).for_each(|run| report(run, records, start, length, found));
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.runs)
    }
}

/// Reports a pattern at every place in a run of `length` bytes.
#[inline]
fn report(run: &Run, records: &Records, start: usize, length: usize, found: &mut impl FnMut(u32, usize)) {
    for end in start + usize::from(run.length)..=start + length {
        records.report(run.record, end, found);
    }
}

impl Begins {
    /// The portable way: adds to `places` where in so many steps such runs may begin: a byte that is equal to the two
    /// behind it and to the one as far off as said, and not equal to the one before. `text` begins with that one.
    /// Returns how many steps were done.
    pub(crate) fn sift(&self, text: &[u8], steps: usize, places: &mut Places) -> usize {
        for step in 0..steps {
            if places.is_enough() {
                return step;
            }
            let windows = text.windows(REACH_MAX + 2).enumerate().skip(step * STEP_BYTES).take(STEP_BYTES);
            for (offset, window) in windows {
                let begins = match window {
                    [before, one, two, three, ..] => before != one && one == two && two == three,
                    _ => false,
                };
                let is_one = |one: &u8| {
                    singles::includes(&self.bytes, *one) && window.get(1 + self.reach) == Some(one)
                };
                places.push_if(offset, begins && window.get(1).is_some_and(is_one));
            }
        }
        steps
    }
}
