//! How bytes become numbers: folding, loading, and the hashes of grams and windows.
//!
//! Folding makes both cases of an ASCII letter equal, and merges a few other bytes (`@` and `` ` ``, `[` and `{`, …), which costs the filters a
//! little and correctness nothing: what passes is compared exactly. Bytes below 0x40 stay what they are, since zeros, spaces and digits
//! are far too common to be taken for each other.
//!
//! Everything here has a twin in `simd`, and must give the same.

/// Odd multipliers with well mixed bits.
pub(crate) const LOW_FACTOR: u32 = 0x9E37_79B1;
pub(crate) const HIGH_FACTOR: u32 = 0x85EB_CA6B;
pub(crate) const THREE_BYTES: u32 = 0x00ff_ffff;
const WINDOW_FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// How many bits of its window a candidate carries.
pub(crate) const TAG_BITS: u32 = 9;

/// Eight bytes with bit 5 set where bit 6 is: letters become small.
#[inline]
pub(crate) fn fold(bytes: u64) -> u64 {
    bytes | ((bytes >> 1) & 0x2020_2020_2020_2020)
}

/// The eight bytes from `at` on; beyond the end of `text` there are zeros.
#[inline]
pub(crate) fn load(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    if let Some(eight) = rest.first_chunk::<8>() {
        return u64::from_le_bytes(*eight);
    }
    rest.iter().rev().fold(0, |bytes, byte| (bytes << 8) | u64::from(*byte))
}

/// The hash of a gram of `GRAM` (3, 4 or 8) folded bytes, the first ones of `folded`. The upper bits are the good ones.
#[inline]
pub(crate) fn hash<const GRAM: usize>(folded: u64) -> u32 {
    let low = if GRAM == 3 { folded as u32 & THREE_BYTES } else { folded as u32 };
    let low = low.wrapping_mul(LOW_FACTOR);
    if GRAM == 8 { low.wrapping_add(((folded >> 32) as u32).wrapping_mul(HIGH_FACTOR)) } else { low }
}

/// `TAG_BITS` bits of a folded window. Independent of `hash`, or they would say nothing new.
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
            let (small, large) = (u64::from(letter), u64::from(letter.to_ascii_uppercase()));
            assert_eq!(fold(small), small);
            assert_eq!(fold(large), small);
            assert_eq!(fold(large << 56), small << 56);
        }
    }

    #[test]
    fn what_is_common_in_binary_data_is_not_taken_for_what_is_common_in_text() {
        let folded: Vec<u64> = [0x00, 0x01, 0x20, 0x30, 0x31, 0xff].into_iter().map(fold).collect();
        for (index, one) in folded.iter().enumerate() {
            assert!(!folded.iter().skip(index + 1).any(|other| other == one));
        }
    }

    #[test]
    fn beyond_the_end_there_are_zeros() {
        assert_eq!(load(b"abc", 1), u64::from_le_bytes(*b"bc\0\0\0\0\0\0"));
        assert_eq!(load(b"abcdefghi", 1), u64::from_le_bytes(*b"bcdefghi"));
        assert_eq!(load(b"abc", 3), 0);
        assert_eq!(load(b"abc", usize::MAX), 0);
    }
}
