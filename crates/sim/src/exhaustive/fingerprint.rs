//! What a state is known by: 128 bits of hash.
//!
//! Two lanes of folded multiplication, as in wyhash, with different constants. Among ten million states the chance that any
//! two share a fingerprint is below 10⁻²⁴, so a state that is taken for one seen before was seen before. With 64 bits it
//! would be 10⁻⁵ a run, and a run that missed a state would look like any other.

use std::hash::{Hash, Hasher};

const LANE_ONE: u64 = 0xa076_1d64_78bd_642f;
const LANE_TWO: u64 = 0xe703_7ed1_a0b4_28db;

/// Hashes into 128 bits.
#[derive(Clone, Copy, Debug)]
struct Lanes {
    one: u64,
    two: u64,
}

fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product as u64) ^ ((product >> 64) as u64)
}

impl Lanes {
    fn word(&mut self, word: u64) {
        self.one = fold(self.one ^ word, LANE_ONE).wrapping_add(LANE_TWO);
        self.two = fold(self.two ^ word.rotate_left(32), LANE_TWO).wrapping_add(self.one);
    }
}

impl Hasher for Lanes {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.word(u64::from_le_bytes(word.try_into().expect("a chunk of eight")));
        }
        let mut last = [0; 8];
        last[..words.remainder().len()].copy_from_slice(words.remainder());
        // With the length, so that no padding looks like bytes.
        self.word(u64::from_le_bytes(last) ^ (bytes.len() as u64).wrapping_mul(LANE_ONE));
    }
    fn write_u8(&mut self, value: u8) {
        self.word(u64::from(value));
    }
    fn write_u16(&mut self, value: u16) {
        self.word(u64::from(value));
    }
    fn write_u32(&mut self, value: u32) {
        self.word(u64::from(value));
    }
    fn write_u64(&mut self, value: u64) {
        self.word(value);
    }
    fn write_usize(&mut self, value: usize) {
        self.word(value as u64);
    }
    fn finish(&self) -> u64 {
        self.one
    }
}

/// The fingerprint of `value`.
#[must_use]
pub fn fingerprint(value: &(impl Hash + ?Sized)) -> u128 {
    let mut lanes = Lanes { one: LANE_TWO, two: LANE_ONE };
    value.hash(&mut lanes);
    // So that the last word reaches both lanes' every bit.
    lanes.word(LANE_ONE);
    lanes.word(LANE_TWO);
    u128::from(lanes.one) << 64 | u128::from(lanes.two)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn small_differences_make_other_fingerprints_in_both_lanes() {
        let prints: Vec<u128> = (0..100_000_u64).map(|value| fingerprint(&value)).collect();
        let high: HashSet<u64> = prints.iter().map(|print| (print >> 64) as u64).collect();
        let low: HashSet<u64> = prints.iter().map(|print| *print as u64).collect();
        assert_eq!((high.len(), low.len()), (prints.len(), prints.len()));
    }

    #[test]
    fn where_one_string_ends_and_the_next_begins_counts() {
        assert_ne!(fingerprint(&("ab", "c")), fingerprint(&("a", "bc")));
        assert_ne!(fingerprint(&[0_u8; 3][..]), fingerprint(&[0_u8; 4][..]));
    }
}
