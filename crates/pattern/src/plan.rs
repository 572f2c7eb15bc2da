//! Which pattern goes to which lane. The lanes are said in the head of the crate; here is where their borders are drawn.

use crate::Set;
use crate::lane::Lane;
use crate::nibbles::{NIBBLE_PATTERNS_MAX, Nibbles};
use crate::pairs::Pairs;
use crate::records::Records;
use crate::simd::Path;

/// From this length on a pattern has a window with four grams of eight bytes.
const LONG_BYTES: usize = 11;

/// So few long patterns go to the gram lane if there is one: a second lane would cost more than their commoner grams do.
const LONG_PATTERNS_WORTH_A_LANE: usize = 64;

/// The borders between the lanes. Records are sorted by length, so a lane is a range of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Records before this one are in the nibble or the pair lane.
    short_end: usize,
    is_nibbles: bool,
    /// Records from `short_end` to this one are in the gram lane, the rest in the long lane.
    gram_end: usize,
}

impl Plan {
    pub(crate) fn new(records: &Records) -> Plan {
        // The nibble lane takes what makes the gram lane look closely: all that would need a stride of 2, if there is room;
        // else of 1; else at least what no gram fits into.
        let ends = [7, 5, 4].map(|length| records.shorter_than(length));
        let nibbles = ends.into_iter().find(|end| *end <= NIBBLE_PATTERNS_MAX);
        let short_end = nibbles.unwrap_or_else(|| records.shorter_than(4));
        let mut gram_end = records.shorter_than(LONG_BYTES).max(short_end);
        if gram_end > short_end && records.len() - gram_end < LONG_PATTERNS_WORTH_A_LANE {
            gram_end = records.len();
        }
        Plan { short_end, is_nibbles: nibbles.is_some(), gram_end }
    }

    /// Builds the lanes. `given` is how many patterns there were.
    pub(crate) fn build(&self, mut records: Records, given: usize) -> Set {
        let short = 0..self.short_end;
        let gram = self.short_end..self.gram_end;
        let long = self.gram_end..records.len();
        let shortest = records.pattern(self.short_end).0.len();
        let stride = match shortest {
            0..=4 => 1,
            5..=6 => 2,
            _ => 4,
        };
        let has_nibbles = self.is_nibbles && !short.is_empty();
        let has_pairs = !self.is_nibbles && !short.is_empty();
        let nibbles = has_nibbles.then(|| Nibbles::new(&mut records, short.clone()));
        let pairs = has_pairs.then(|| Pairs::new(&mut records, short));
        let gram = (!gram.is_empty()).then(|| Lane::new(&mut records, gram, stride));
        let long = (!long.is_empty()).then(|| Lane::new(&mut records, long, 4));
        let len = records.patterns();
        Set { long, gram, nibbles, pairs, path: Path::best(), len, left_out: given - len, records }
    }
}
