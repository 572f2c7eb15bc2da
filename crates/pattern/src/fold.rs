//! How bytes become numbers: folding, loading, and the hashes of grams and windows.
//!
//! Folding makes both cases of an ASCII letter equal, and merges a few other bytes (`@` and `` ` ``, `[` and `{`, …),
//! which costs the filters a little and correctness nothing: what passes is compared exactly. Bytes below 0x40 stay
//! what they are, since zeros, spaces and digits are far too common to be taken for each other. No byte folds to zero:
//! a run of zeros would have the hash zero, which is the hash that a filter can tell least of, and what stands behind
//! the end of a text is equal to nothing.
//!
//! The hashes have twins in `simd`, which must give the same.

/// Odd multipliers with well mixed bits.
pub(crate) const LOW_FACTOR: u32 = 0x1B87_3593;
pub(crate) const HIGH_FACTOR: u32 = 0x85EB_CA6B;
pub(crate) const OTHER_FACTOR: u32 = 0x9E37_79B1;
const WINDOW_FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// How many bits of its window a candidate carries.
pub(crate) const TAG_BITS: u32 = 9;

/// What is turned over in every byte. A byte that has bit 6 without bit 5 is none that comes of folding.
pub(crate) const TURNED: u8 = 0x5a;

/// One byte, folded: bit 5 is set where bit 6 is, so letters become small; then some bits are turned over.
#[inline]
pub(crate) const fn fold(byte: u8) -> u8 {
    (byte | ((byte >> 1) & 0x20)) ^ TURNED
}

/// Writes `text` to `folded`, which is as long, each byte folded.
#[inline]
pub(crate) fn fold_all(text: &[u8], folded: &mut [u8]) {
    folded.iter_mut().zip(text).for_each(|(folded, byte)| *folded = fold(*byte));
}

/// The eight bytes of a pattern from `at` on, folded; beyond its end there are zeros.
pub(crate) fn load_folded(pattern: &[u8], at: usize) -> u64 {
    let rest = pattern.get(at..).unwrap_or_default();
    rest.iter().take(8).rev().fold(0, |bytes, byte| (bytes << 8) | u64::from(fold(*byte)))
}

/// What remains of four bytes for a gram of `GRAM` bytes.
pub(crate) const fn gram_mask(gram: usize) -> u32 {
    match gram {
        2 => 0xffff,
        3 => 0x00ff_ffff,
        _ => u32::MAX,
    }
}

/// The hash of a gram of `GRAM` (2 to 4) bytes, the first ones of `folded`. The upper bits are the good ones.
#[inline]
pub(crate) fn hash<const GRAM: usize>(folded: u64) -> u32 {
    (folded as u32 & gram_mask(GRAM)).wrapping_mul(LOW_FACTOR)
}

/// Another hash of such a gram: that the first is equal says little of this one.
#[inline]
pub(crate) fn other_hash<const GRAM: usize>(folded: u64) -> u32 {
    (folded as u32 & gram_mask(GRAM)).wrapping_mul(OTHER_FACTOR)
}

/// The hash of a gram of eight bytes.
#[inline]
pub(crate) fn hash_long(folded: u64) -> u32 {
    hash::<4>(folded).wrapping_add(((folded >> 32) as u32).wrapping_mul(HIGH_FACTOR))
}

/// `TAG_BITS` bits of a folded window. Independent of the hashes, or they would say nothing new.
#[inline]
pub(crate) fn tag(window: u64) -> u32 {
    (window.wrapping_mul(WINDOW_FACTOR) >> (64 - TAG_BITS)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_cases_of_a_letter_fold_to_the_same() {
        for letter in b'a'..=b'z' {
            assert_eq!(fold(letter), fold(letter.to_ascii_uppercase()));
        }
    }

    #[test]
    fn no_byte_folds_to_zero() {
        assert!((0..=u8::MAX).all(|byte| fold(byte) != 0));
    }

    #[test]
    fn what_is_common_in_binary_data_is_not_taken_for_what_is_common_in_text() {
        let folded: Vec<u8> = [0x00, 0x01, b' ', b'0', b'1', 0xff].into_iter().map(fold).collect();
        for (index, one) in folded.iter().enumerate() {
            assert!(!folded.iter().skip(index + 1).any(|other| other == one));
        }
    }

    #[test]
    fn beyond_the_end_of_a_pattern_there_are_zeros() {
        let folded =
            |bytes: [u8; 8]| u64::from_le_bytes(bytes.map(|byte| if byte == 0 { 0 } else { fold(byte) }));
        assert_eq!(load_folded(b"aBc", 1), folded(*b"bc\0\0\0\0\0\0"));
        assert_eq!(load_folded(b"ABCDEFGHIJ", 1), folded(*b"bcdefghi"));
        assert_eq!(load_folded(b"abc", 3), 0);
    }
}
