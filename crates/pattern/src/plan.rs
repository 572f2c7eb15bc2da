//! Which pattern goes to which lane. The lanes are said in the head of the crate; here is where their borders are drawn.
//!
//! Records are sorted by length (but for runs, which come first), so a lane is a range of them, and a plan is where one
//! ends and the next begins. It depends on the patterns, and on whether the processor can ask sketches.

use crate::close::Close;
use crate::records::Records;
use crate::runs::Runs;
use crate::simd::Path;
use crate::singles::Singles;
use crate::sketch::grams_max;
use crate::tiny::{TINY_PATTERNS_MAX, Tiny};
use crate::wide::Wide;
use crate::{PATTERN_BYTES_MAX, Set};
use std::ops::Range;

/// From this length on a pattern has a window with four grams of eight bytes.
const LONG_BYTES: usize = 11;
/// From this length on one with four grams of four bytes.
const MIDDLE_BYTES: usize = 7;
/// From this length on one with two.
const BRIEF_BYTES: usize = 5;
/// From this length on one with a single one.
const GRAM_BYTES: usize = 4;
/// From this length on one with a single gram of three bytes; and then of two.
const TRIPLE_BYTES: usize = 3;
const PAIR_BYTES: usize = 2;

/// Beside other lanes the tiny one does not take more patterns than these: their own would be quicker.
const TINY_BESIDE_OTHERS_MAX: usize = 16;
const _: () = assert!(TINY_BESIDE_OTHERS_MAX <= TINY_PATTERNS_MAX);

/// Longer than any pattern.
const ANY_BYTES: usize = PATTERN_BYTES_MAX + 1;

/// As many patterns of four to six bytes have a lane of their own where there are no sketches; more are too many to be asked for at every place.
const FOURS_UNSKETCHED_MAX: usize = 400;

/// So few patterns of four to six bytes go to the lane of three if there is one: a lane of their own would cost more
/// than their commoner grams do.
const FOURS_WORTH_A_LANE: usize = 96;

/// The ranges of records that the lanes have, the shortest patterns first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    runs: Range<usize>,
    tiny: Range<usize>,
    singles: Range<usize>,
    pairs: Range<usize>,
    triples: Range<usize>,
    fours: Range<usize>,
    middle: Range<usize>,
    long: Range<usize>,
}

impl Plan {
    /// `asks_sketches`: whether the processor can.
    pub(crate) fn new(records: &Records, asks_sketches: bool) -> Plan {
        let runs_end = records.runs();
        let shorter_than = |length| records.shorter_than(length);
        // The tiny lane takes everything, so that there is no other; or else what would make others look closely at the
        // text, as far as there is room beside them: all of that, or what has no gram of four bytes, or none of three.
        let ends = [
            (true, records.len(), TINY_PATTERNS_MAX),
            (!asks_sketches, shorter_than(MIDDLE_BYTES), TINY_BESIDE_OTHERS_MAX),
            (true, shorter_than(GRAM_BYTES), TINY_BESIDE_OTHERS_MAX),
            (true, shorter_than(TRIPLE_BYTES), TINY_BESIDE_OTHERS_MAX),
        ];
        let tiny = ends.into_iter().find(|(is_meant, end, most)| *is_meant && end - runs_end <= *most);
        let tiny_end = tiny.map_or(runs_end, |(_, end, _)| end);
        let singles_end = shorter_than(PAIR_BYTES).max(tiny_end);
        let pairs_end = shorter_than(TRIPLE_BYTES).max(tiny_end);
        // Then as many of the others as a sketch is good for, in one lane or in two: where one can be asked, the longer the better, since it is quicker than a wide
        // lane and lets fewer wrong places pass.
        let fours_end = |start: usize| {
            let (lengths, most): (&[usize], usize) = if asks_sketches {
                (&[ANY_BYTES, LONG_BYTES, MIDDLE_BYTES, BRIEF_BYTES], grams_max(GRAM_BYTES))
            } else {
                (&[MIDDLE_BYTES, BRIEF_BYTES], FOURS_UNSKETCHED_MAX)
            };
            let mut ends = lengths.iter().map(|length| shorter_than(*length).max(start));
            ends.find(|end| end - start <= most).unwrap_or(start)
        };
        let mut triples_end = shorter_than(GRAM_BYTES).max(pairs_end);
        let fours_short = shorter_than(MIDDLE_BYTES).max(triples_end);
        // The few longer ones would need a lane for themselves.
        let is_worth_a_lane =
            fours_end(triples_end) > fours_short || fours_short - triples_end >= FOURS_WORTH_A_LANE;
        if triples_end > pairs_end && !is_worth_a_lane {
            triples_end = fours_end(triples_end);
        }
        let fours_end = fours_end(triples_end);
        let middle_end = shorter_than(LONG_BYTES).max(fours_end);
        Plan {
            runs: 0..runs_end,
            tiny: runs_end..tiny_end,
            singles: tiny_end..singles_end,
            pairs: singles_end..pairs_end,
            triples: pairs_end..triples_end,
            fours: triples_end..fours_end,
            middle: fours_end..middle_end,
            long: middle_end..records.len(),
        }
    }

    /// Builds the lanes. `given` is how many patterns there were.
    pub(crate) fn build(self, mut records: Records, given: usize) -> Set {
        let shortest = records.pattern(self.middle.start).0.len();
        let stride = if shortest < BRIEF_BYTES {
            1
        } else if shortest < MIDDLE_BYTES {
            2
        } else {
            4
        };
        let records = &mut records;
        let runs = some(self.runs).map(|members| Runs::new(records, members));
        let tiny = some(self.tiny).map(|members| Tiny::new(records, members));
        let singles = some(self.singles).map(|members| Singles::new(records, members));
        let pairs = some(self.pairs).map(|members| Close::new(records, members));
        let triples = some(self.triples).map(|members| Close::new(records, members));
        let fours = some(self.fours).map(|members| Close::new(records, members));
        let has_wide = !self.middle.is_empty() || !self.long.is_empty();
        let wide = has_wide.then(|| Wide::new(records, self.middle, self.long, stride));
        let (len, path) = (records.patterns(), Path::best());
        let records = std::mem::take(records);
        Set { records, wide, fours, triples, pairs, singles, tiny, runs, path, len, left_out: given - len }
    }
}

fn some(members: Range<usize>) -> Option<Range<usize>> {
    (!members.is_empty()).then_some(members)
}
