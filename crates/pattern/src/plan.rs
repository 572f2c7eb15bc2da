//! Which pattern goes to which lane. The lanes are said in the head of the crate; here is where their borders are drawn.
//!
//! Records are sorted by length, so a lane is a range of them, and a plan is where one ends and the next begins. It depends on nothing but the
//! patterns: a processor without wide vectors looks for the same in the same lanes, and reports it in the same order.

use crate::Set;
use crate::lane::Lane;
use crate::nibbles::{NIBBLE_PATTERNS_MAX, Nibbles};
use crate::pairs::Pairs;
use crate::records::Records;
use crate::simd::Path;
use crate::singles::Singles;
use crate::sketch::SKETCH_GRAMS_MAX;
use std::ops::Range;

/// From this length on a pattern has a window with four grams of eight bytes.
const LONG_BYTES: usize = 11;
/// From this length on one with four grams of four bytes.
const MIDDLE_BYTES: usize = 7;
/// From this length on one with two.
const BRIEF_BYTES: usize = 5;
/// From this length on one with a single one.
const GRAM_BYTES: usize = 4;
/// From this length on one with a single gram of three bytes.
const TRIPLE_BYTES: usize = 3;
const PAIR_BYTES: usize = 2;

/// So few long patterns go to the gram lane if there is one: a lane of their own would cost more than their commoner grams do.
const LONG_PATTERNS_WORTH_A_LANE: usize = 64;
/// So few patterns of four to six bytes go to the triple lane if there is one, for the same reason.
const CLOSE_PATTERNS_WORTH_A_LANE: usize = 96;

/// The ranges of records that the lanes have, the shortest patterns first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    nibbles: Range<usize>,
    singles: Range<usize>,
    pairs: Range<usize>,
    triples: Range<usize>,
    close: Range<usize>,
    gram: Range<usize>,
    long: Range<usize>,
}

impl Plan {
    pub(crate) fn new(records: &Records) -> Plan {
        let shorter_than = |length| records.shorter_than(length);
        let all = records.len();
        // The nibble lane takes everything that would make others look closely at the text, if there is room for it; else what no other
        // lane but those of singles and pairs takes.
        let few = [MIDDLE_BYTES, TRIPLE_BYTES]
            .map(shorter_than)
            .into_iter()
            .find(|end| *end <= NIBBLE_PATTERNS_MAX);
        let pairs_end = few.unwrap_or_else(|| shorter_than(TRIPLE_BYTES));
        let is_few = few.is_some();
        // Then as many of the short ones as a sketch is good for, in one lane or in two.
        let mut triples_end = shorter_than(GRAM_BYTES).max(pairs_end);
        let close = |start: usize| {
            let ends = [MIDDLE_BYTES, BRIEF_BYTES].map(|length| shorter_than(length).max(start));
            ends.into_iter().find(|end| end - start <= SKETCH_GRAMS_MAX).unwrap_or(start)
        };
        let mut close_end = close(triples_end);
        if triples_end > pairs_end && close_end - triples_end < CLOSE_PATTERNS_WORTH_A_LANE {
            triples_end = close_end;
            close_end = close(triples_end);
        }
        let mut gram_end = shorter_than(LONG_BYTES).max(close_end);
        if gram_end > close_end && all - gram_end < LONG_PATTERNS_WORTH_A_LANE {
            gram_end = all;
        }
        let nibbles_end = if is_few { pairs_end } else { 0 };
        let singles_end = if is_few { pairs_end } else { shorter_than(PAIR_BYTES) };
        Plan {
            nibbles: 0..nibbles_end,
            singles: nibbles_end..singles_end,
            pairs: singles_end..pairs_end,
            triples: pairs_end..triples_end,
            close: triples_end..close_end,
            gram: close_end..gram_end,
            long: gram_end..all,
        }
    }

    /// Builds the lanes. `given` is how many patterns there were.
    pub(crate) fn build(self, mut records: Records, given: usize) -> Set {
        let shortest = records.pattern(self.gram.start).0.len();
        let stride = if shortest < BRIEF_BYTES {
            1
        } else if shortest < MIDDLE_BYTES {
            2
        } else {
            4
        };
        let records = &mut records;
        let nibbles = some(self.nibbles).map(|members| Nibbles::new(records, members));
        let singles = some(self.singles).map(|members| Singles::new(records, members));
        let pairs = some(self.pairs).map(|members| Pairs::new(records, members));
        let triples = some(self.triples).map(|members| Lane::new(records, members, 1));
        let close = some(self.close).map(|members| Lane::new(records, members, 1));
        let gram = some(self.gram).map(|members| Lane::new(records, members, stride));
        let long = some(self.long).map(|members| Lane::new(records, members, 4));
        let len = records.patterns();
        let records = std::mem::take(records);
        Set {
            records,
            long,
            gram,
            close,
            triples,
            nibbles,
            singles,
            pairs,
            path: Path::best(),
            len,
            left_out: given - len,
        }
    }
}

fn some(members: Range<usize>) -> Option<Range<usize>> {
    (!members.is_empty()).then_some(members)
}
