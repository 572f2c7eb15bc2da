//! The filters asked with AVX2: eight places at a time, or 32.

use crate::filter::{FIRST_BIT_SHIFT, Filter, SECOND_BIT_SHIFT};
use crate::fold::{HIGH_FACTOR, LOW_FACTOR, THREE_BYTES};
use crate::nibbles::{Halves, LEAD_BYTES};
use crate::singles::Bytes;
use crate::walk::{PLACES_SPARE, Places, STEP_BYTES};
use std::arch::x86_64::*;

/// What a step reads: its bytes, and what a gram of 8 bytes that begins in the last of them needs.
pub(super) const STEP_TEXT_BYTES: usize = STEP_BYTES + 8;

/// The proof that this processor has AVX2 and the instructions for bits that came with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Avx2> {
        let has_all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt");
        has_all.then_some(Avx2(()))
    }

    #[inline]
    pub(super) fn sift<const GRAM: usize, const STRIDE: usize>(
        self,
        filter: &Filter,
        text: &[u8],
        steps: usize,
        places: &mut Places,
    ) -> usize {
        // SAFETY: `self` exists, so the processor has what `detect` asked for, which is what the function is compiled for.
        unsafe { sift::<GRAM, STRIDE>(filter, text, steps, places) }
    }

    #[inline]
    pub(super) fn nibbles(
        self,
        halves: &[Halves; LEAD_BYTES],
        text: &[u8],
        steps: usize,
        places: &mut Places,
    ) -> usize {
        // SAFETY: `self` exists, so the processor has what `detect` asked for, which is what the function is compiled for.
        unsafe { nibbles(halves, text, steps, places) }
    }

    #[inline]
    pub(super) fn singles(self, bytes: &Bytes, text: &[u8], steps: usize, places: &mut Places) -> usize {
        // SAFETY: `self` exists, so the processor has what `detect` asked for, which is what the function is compiled for.
        unsafe { singles(bytes, text, steps, places) }
    }
}

sift!(sift, "avx2,bmi1,bmi2,popcnt", sixteen);

/// Which of 16 places pass, from `distance` on, four bytes apart.
#[target_feature(enable = "avx2")]
#[inline]
fn sixteen<const GRAM: usize>(filter: &Filter, text: &[u8; STEP_TEXT_BYTES], distance: usize) -> u64 {
    let text = text.get(distance..).unwrap_or_default();
    eight::<GRAM>(filter, text) | (eight::<GRAM>(filter, text.get(32..).unwrap_or_default()) << 8)
}

/// Which of eight places pass.
#[target_feature(enable = "avx2")]
#[inline]
fn eight<const GRAM: usize>(filter: &Filter, text: &[u8]) -> u64 {
    let (words, shift) = filter.words();
    let (Some(low), Some(high)) = (text.first_chunk(), text.get(4..).and_then(<[u8]>::first_chunk)) else {
        return 0;
    };
    let passes = if GRAM == 2 {
        let hashes = _mm256_slli_epi32::<16>(load(low));
        let words = gather(words, shift, hashes);
        _mm256_sllv_epi32(words, bit::<16>(hashes))
    } else {
        let mut low = fold(load(low));
        if GRAM == 3 {
            low = _mm256_and_si256(low, _mm256_set1_epi32(THREE_BYTES as i32));
        }
        let mut hashes = _mm256_mullo_epi32(low, _mm256_set1_epi32(LOW_FACTOR as i32));
        if GRAM == 8 {
            let high = _mm256_mullo_epi32(fold(load(high)), _mm256_set1_epi32(HIGH_FACTOR as i32));
            hashes = _mm256_add_epi32(hashes, high);
        }
        let words = gather(words, shift, hashes);
        let first = _mm256_sllv_epi32(words, bit::<{ FIRST_BIT_SHIFT }>(hashes));
        let second = _mm256_sllv_epi32(words, bit::<{ SECOND_BIT_SHIFT }>(hashes));
        _mm256_and_si256(first, second)
    };
    _mm256_movemask_ps(_mm256_castsi256_ps(passes)) as u64
}

#[target_feature(enable = "avx2,bmi1,popcnt")]
fn nibbles(halves: &[Halves; LEAD_BYTES], mut text: &[u8], steps: usize, places: &mut Places) -> usize {
    let mut tables = [[_mm256_setzero_si256(); 2]; LEAD_BYTES];
    for (vector, table) in tables.as_flattened_mut().iter_mut().zip(halves.as_flattened()) {
        *vector = _mm256_broadcastsi128_si256(load_half(table));
    }
    let (mut passed, mut at) = (0, 0_u16);
    for _ in 0..steps {
        let first = thirty_two(&tables, text);
        let second = thirty_two(&tables, text.get(32..).unwrap_or_default());
        let mask = !(u64::from(first) | (u64::from(second) << 32));
        passed = append::<1>(mask, at, places, passed);
        at = at.wrapping_add(STEP_BYTES as u16);
        text = text.get(STEP_BYTES..).unwrap_or_default();
    }
    passed
}

/// At which of 32 bytes no pattern begins.
#[target_feature(enable = "avx2")]
#[inline]
fn thirty_two(tables: &[[__m256i; 2]; LEAD_BYTES], text: &[u8]) -> u32 {
    let mut patterns = _mm256_set1_epi8(-1);
    for (place, [low, high]) in tables.iter().enumerate() {
        let Some(text) = text.get(place..).and_then(<[u8]>::first_chunk) else { return u32::MAX };
        let (text, four) = (load(text), _mm256_set1_epi8(15));
        let low = _mm256_shuffle_epi8(*low, _mm256_and_si256(text, four));
        let high = _mm256_shuffle_epi8(*high, _mm256_and_si256(_mm256_srli_epi16::<4>(text), four));
        patterns = _mm256_and_si256(patterns, _mm256_and_si256(low, high));
    }
    _mm256_movemask_epi8(_mm256_cmpeq_epi8(patterns, _mm256_setzero_si256())) as u32
}

#[target_feature(enable = "avx2,bmi1,popcnt")]
fn singles(bytes: &Bytes, mut text: &[u8], steps: usize, places: &mut Places) -> usize {
    let (Some(low), Some(high)) = (bytes.first_chunk(), bytes.last_chunk()) else { return 0 };
    let low = _mm256_broadcastsi128_si256(load_half(low));
    let high = _mm256_broadcastsi128_si256(load_half(high));
    let (mut passed, mut at) = (0, 0_u16);
    for _ in 0..steps {
        let mut mask = 0;
        for half in 0..2 {
            let Some(here) = text.get(half * 32..).and_then(<[u8]>::first_chunk) else { return passed };
            let here = load(here);
            // Five bits of a byte choose among 32 sets of its upper three: four of them within a table, one between the tables.
            let is_high = _mm256_slli_epi16::<3>(here);
            let index = _mm256_and_si256(here, _mm256_set1_epi8(15));
            let sets = _mm256_blendv_epi8(
                _mm256_shuffle_epi8(low, index),
                _mm256_shuffle_epi8(high, index),
                is_high,
            );
            let name = _mm256_and_si256(_mm256_srli_epi16::<5>(here), _mm256_set1_epi8(7));
            let bit = _mm256_shuffle_epi8(_mm256_set1_epi64x(0x8040_2010_0804_0201_u64 as i64), name);
            let misses = _mm256_cmpeq_epi8(_mm256_and_si256(sets, bit), _mm256_setzero_si256());
            mask |= u64::from(!_mm256_movemask_epi8(misses) as u32) << (half * 32);
        }
        passed = append::<1>(mask, at, places, passed);
        at = at.wrapping_add(STEP_BYTES as u16);
        text = text.get(STEP_BYTES..).unwrap_or_default();
    }
    passed
}

#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn load_half(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the reference is to 16 bytes that can be read; the instruction asks for no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the reference is to 32 bytes that can be read; the instruction asks for no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// `fold::fold` in each lane.
#[target_feature(enable = "avx2")]
#[inline]
fn fold(bytes: __m256i) -> __m256i {
    let halved = _mm256_srli_epi32::<1>(bytes);
    _mm256_or_si256(bytes, _mm256_and_si256(halved, _mm256_set1_epi32(0x2020_2020)))
}

/// Five bits of each hash, from `SHIFT` on.
#[target_feature(enable = "avx2")]
#[inline]
fn bit<const SHIFT: u32>(hashes: __m256i) -> __m256i {
    let shifted = _mm256_srl_epi32(hashes, _mm_cvtsi32_si128(SHIFT as i32));
    _mm256_and_si256(shifted, _mm256_set1_epi32(31))
}

/// The word of each hash.
#[target_feature(enable = "avx2")]
#[inline]
fn gather(words: &[u32], shift: u32, hashes: __m256i) -> __m256i {
    if !is_covered(words, shift) {
        return _mm256_setzero_si256();
    }
    let indices = _mm256_srl_epi32(hashes, _mm_cvtsi32_si128(shift as i32));
    // SAFETY: an index is a 32-bit number shifted right by `shift`, so less than 2^(32 - shift), which is `words.len()` or less, as was
    // just asked; and it is not negative, since `shift` is not 0. The scale is the size of a word, and no alignment is asked for.
    unsafe { _mm256_i32gather_epi32::<4>(words.as_ptr().cast(), indices) }
}

/// Appends a place for each bit of `mask`, `STRIDE` bytes apart.
#[target_feature(enable = "bmi1,popcnt")]
#[inline]
pub(super) fn append<const STRIDE: usize>(
    mut mask: u64,
    at: u16,
    places: &mut Places,
    passed: usize,
) -> usize {
    let after = passed.wrapping_add(mask.count_ones() as usize);
    let mut room = places.get_mut(passed..).unwrap_or_default();
    // Four are always written, and as many kept as there are: a branch for each would be guessed wrongly too often.
    while let Some((four, rest)) = room.split_first_chunk_mut::<PLACES_SPARE>() {
        for next in four {
            *next = at.wrapping_add((mask.trailing_zeros() as u16).wrapping_mul(STRIDE as u16));
            mask &= mask.wrapping_sub(1);
        }
        if mask == 0 {
            break;
        }
        room = rest;
    }
    after
}

/// Whether every hash, shifted by `shift`, is the index of a word. It holds for every `Filter`, and is asked where it is relied on.
#[inline]
pub(super) fn is_covered(words: &[u32], shift: u32) -> bool {
    (1..=31).contains(&shift) && words.len() >> (32 - shift) > 0
}
