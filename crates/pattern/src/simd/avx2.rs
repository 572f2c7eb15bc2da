//! The filters asked with AVX2: eight places at a time, or 32.

use crate::filter::{BIT_SHIFTS, Filter};
use crate::fold::{HIGH_FACTOR, LOW_FACTOR, OTHER_FACTOR, fold_all, gram_mask};
use crate::runs::Begins;
use crate::singles::Bytes;
use crate::tiny::{LEAD_BYTES, Leads};
use crate::walk::{PLACES_SPARE, Places, STEP_BYTES, STEP_TEXT_BYTES};
use std::arch::x86_64::*;

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
    pub(super) fn fold(self, text: &[u8], folded: &mut [u8]) {
        // SAFETY: `self` exists, so the processor has what `detect` asked for, which is what the function is compiled for.
        unsafe { fold_text(text, folded) }
    }

    #[inline]
    pub(super) fn sift<const GRAM: usize, const STRIDE: usize, const LONG: bool>(
        self,
        filter: &Filter,
        text: &[u8],
        steps: usize,
        short: &mut Places,
        long: &mut Places,
    ) -> usize {
        // SAFETY: as in `fold`.
        unsafe { sift::<GRAM, STRIDE, LONG>(filter, text, steps, short, long) }
    }

    #[inline]
    pub(super) fn tiny(self, leads: &Leads, text: &[u8], steps: usize, places: &mut Places) -> usize {
        // SAFETY: as in `fold`.
        unsafe { tiny(leads, text, steps, places) }
    }

    #[inline]
    pub(super) fn runs(self, begins: &Begins, text: &[u8], steps: usize, places: &mut Places) -> usize {
        // SAFETY: as in `fold`.
        unsafe { runs(begins, text, steps, places) }
    }

    #[inline]
    pub(super) fn singles(self, bytes: &Bytes, text: &[u8], steps: usize, places: &mut Places) -> usize {
        // SAFETY: as in `fold`.
        unsafe { singles(bytes, text, steps, places) }
    }
}

/// The portable code, which the compiler makes wider vectors of.
#[target_feature(enable = "avx2")]
fn fold_text(text: &[u8], folded: &mut [u8]) {
    fold_all(text, folded);
}

sift!("avx2,bmi1,bmi2,popcnt");

/// Which of 16 places pass, from `distance` on, four bytes apart: by a gram of `GRAM` bytes, and by a long one if `LONG`.
#[target_feature(enable = "avx2")]
#[inline]
fn sixteen<const GRAM: usize, const LONG: bool>(
    filter: &Filter,
    text: &[u8; STEP_TEXT_BYTES],
    distance: usize,
) -> (u64, u64) {
    let (short, long) = eight::<GRAM, LONG>(filter, text.get(distance..).unwrap_or_default());
    let (short_after, long_after) =
        eight::<GRAM, LONG>(filter, text.get(distance + 32..).unwrap_or_default());
    (short | (short_after << 8), long | (long_after << 8))
}

/// Which of eight places pass.
#[target_feature(enable = "avx2")]
#[inline]
fn eight<const GRAM: usize, const LONG: bool>(filter: &Filter, text: &[u8]) -> (u64, u64) {
    let (words, shift) = filter.words();
    let (Some(low), Some(high)) = (text.first_chunk(), text.get(4..).and_then(<[u8]>::first_chunk)) else {
        return (0, 0);
    };
    let mut low = load(low);
    if gram_mask(GRAM) != u32::MAX {
        low = _mm256_and_si256(low, _mm256_set1_epi32(gram_mask(GRAM) as i32));
    }
    let hashes = _mm256_mullo_epi32(low, _mm256_set1_epi32(LOW_FACTOR as i32));
    let words = gather(words, shift, hashes);
    let short = if GRAM > 0 {
        all_bits(words, _mm256_mullo_epi32(low, _mm256_set1_epi32(OTHER_FACTOR as i32)))
    } else {
        0
    };
    let long = if LONG {
        let high = _mm256_mullo_epi32(load(high), _mm256_set1_epi32(HIGH_FACTOR as i32));
        all_bits(words, _mm256_add_epi32(hashes, high))
    } else {
        0
    };
    (short, long)
}

/// In which lanes a word has the three bits that a hash names.
#[target_feature(enable = "avx2")]
#[inline]
fn all_bits(words: __m256i, hashes: __m256i) -> u64 {
    let mut all = _mm256_set1_epi32(-1);
    for shift in BIT_SHIFTS {
        let number = _mm256_srl_epi32(hashes, _mm_cvtsi32_si128(shift as i32));
        let number = _mm256_and_si256(number, _mm256_set1_epi32(31));
        all = _mm256_and_si256(all, _mm256_sllv_epi32(words, number));
    }
    u64::from(_mm256_movemask_ps(_mm256_castsi256_ps(all)) as u32)
}

/// The word of each hash.
#[target_feature(enable = "avx2")]
#[inline]
fn gather(words: &[u32], shift: u32, hashes: __m256i) -> __m256i {
    if !is_covered(words, shift) {
        return _mm256_setzero_si256();
    }
    let indices = _mm256_srl_epi32(hashes, _mm_cvtsi32_si128(shift as i32));
    // SAFETY: an index is a 32-bit number shifted right by `shift`, so less than 2^(32 - shift), which is `words.len()`
    // or less, as was just asked; and it is not negative, since `shift` is not 0. The scale is the size of a word, and
    // no alignment is asked for.
    unsafe { _mm256_i32gather_epi32::<4>(words.as_ptr().cast(), indices) }
}

/// Whether every hash, shifted by `shift`, is the index of a word. It holds for every `Filter`, and is asked where it
/// is relied on.
#[inline]
pub(super) fn is_covered(words: &[u32], shift: u32) -> bool {
    (1..=31).contains(&shift) && words.len() >> (32 - shift) > 0
}

#[target_feature(enable = "avx2,bmi1,popcnt")]
fn tiny(leads: &Leads, text: &[u8], steps: usize, places: &mut Places) -> usize {
    let mut tables = [[_mm256_setzero_si256(); 2]; LEAD_BYTES];
    for (vector, table) in tables.as_flattened_mut().iter_mut().zip(leads.by_halves.as_flattened()) {
        *vector = _mm256_broadcastsi128_si256(load_half(table));
    }
    let mut done = 0;
    while done < steps && !places.is_enough() {
        let text = text.get(done * STEP_BYTES..).unwrap_or_default();
        let first = thirty_two(&tables, text);
        let second = thirty_two(&tables, text.get(32..).unwrap_or_default());
        append::<1, 2>(!(u64::from(first) | (u64::from(second) << 32)), done, places);
        done += 1;
    }
    done
}

/// At which of 32 bytes no group fits.
#[target_feature(enable = "avx2")]
#[inline]
fn thirty_two(tables: &[[__m256i; 2]; LEAD_BYTES], text: &[u8]) -> u32 {
    let mut groups = _mm256_set1_epi8(-1);
    for (place, [low, high]) in tables.iter().enumerate() {
        let Some(text) = text.get(place..).and_then(<[u8]>::first_chunk) else { return u32::MAX };
        let (text, four) = (load(text), _mm256_set1_epi8(15));
        let low = _mm256_shuffle_epi8(*low, _mm256_and_si256(text, four));
        let high = _mm256_shuffle_epi8(*high, _mm256_and_si256(_mm256_srli_epi16::<4>(text), four));
        groups = _mm256_and_si256(groups, _mm256_and_si256(low, high));
    }
    _mm256_movemask_epi8(_mm256_cmpeq_epi8(groups, _mm256_setzero_si256())) as u32
}

/// `Begins::sift`.
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn runs(begins: &Begins, text: &[u8], steps: usize, places: &mut Places) -> usize {
    let tables = set_tables(&begins.bytes);
    let mut done = 0;
    while done < steps && !places.is_enough() {
        let text = text.get(done * STEP_BYTES..).and_then(<[u8]>::first_chunk::<STEP_TEXT_BYTES>);
        let Some(text) = text else { return steps };
        let mut mask = 0;
        for half in 0..2 {
            let at = |distance: usize| text.get(half * 32 + distance..).and_then(<[u8]>::first_chunk);
            let (Some(before), Some(one), Some(two), Some(three), Some(far)) =
                (at(0), at(1), at(2), at(3), at(1 + begins.reach))
            else {
                return steps;
            };
            let (one, two) = (load(one), load(two));
            let equal = _mm256_and_si256(_mm256_cmpeq_epi8(one, two), _mm256_cmpeq_epi8(two, load(three)));
            let equal = _mm256_and_si256(equal, _mm256_cmpeq_epi8(one, load(far)));
            let begin = _mm256_andnot_si256(_mm256_cmpeq_epi8(load(before), one), equal);
            let begin = _mm256_movemask_epi8(begin) as u32 & among(tables, one);
            mask |= u64::from(begin) << (half * 32);
        }
        if mask != 0 {
            append::<1, 1>(mask, done, places);
        }
        done += 1;
    }
    done
}

#[target_feature(enable = "avx2,bmi1,popcnt")]
fn singles(bytes: &Bytes, text: &[u8], steps: usize, places: &mut Places) -> usize {
    let tables = set_tables(bytes);
    let mut done = 0;
    while done < steps && !places.is_enough() {
        let text = text.get(done * STEP_BYTES..).and_then(<[u8]>::first_chunk::<STEP_BYTES>);
        let Some(([first, second], _)) = text.map(|text| text.as_chunks::<32>()) else { return steps };
        let mask = u64::from(among(tables, load(first))) | (u64::from(among(tables, load(second))) << 32);
        append::<1, 4>(mask, done, places);
        done += 1;
    }
    done
}

/// The lower and the upper half of a set's table.
#[target_feature(enable = "avx2")]
#[inline]
fn set_tables(bytes: &Bytes) -> [__m256i; 2] {
    let (halves, _) = bytes.as_chunks::<16>();
    let [low, high] = halves else { return [_mm256_setzero_si256(); 2] };
    [_mm256_broadcastsi128_si256(load_half(low)), _mm256_broadcastsi128_si256(load_half(high))]
}

/// Which bytes are in a set.
#[target_feature(enable = "avx2")]
#[inline]
fn among([low, high]: [__m256i; 2], bytes: __m256i) -> u32 {
    // Five bits of a byte choose among 32 sets of its upper three: four of them within a table, one between the tables.
    let is_high = _mm256_slli_epi16::<3>(bytes);
    let index = _mm256_and_si256(bytes, _mm256_set1_epi8(15));
    let sets = _mm256_blendv_epi8(_mm256_shuffle_epi8(low, index), _mm256_shuffle_epi8(high, index), is_high);
    let name = _mm256_and_si256(_mm256_srli_epi16::<5>(bytes), _mm256_set1_epi8(7));
    let bit = _mm256_shuffle_epi8(_mm256_set1_epi64x(0x8040_2010_0804_0201_u64 as i64), name);
    let misses = _mm256_cmpeq_epi8(_mm256_and_si256(sets, bit), _mm256_setzero_si256());
    !(_mm256_movemask_epi8(misses) as u32)
}

/// Appends a place for each bit of `mask`, `STRIDE` bytes apart, counted from a step on. `AHEAD` (at most
/// `PLACES_SPARE`) of them are always written, and as many kept as there are: a branch for each would be guessed
/// wrongly too often.
#[target_feature(enable = "bmi1,popcnt")]
#[inline]
pub(super) fn append<const STRIDE: usize, const AHEAD: usize>(
    mut mask: u64,
    step: usize,
    places: &mut Places,
) {
    const { assert!(AHEAD <= PLACES_SPARE) };
    let start = (step * STEP_BYTES) as u16;
    let mut room = places.offsets.get_mut(places.count..).unwrap_or_default();
    places.count = places.count.wrapping_add(mask.count_ones() as usize);
    while let Some((ahead, rest)) = room.split_first_chunk_mut::<AHEAD>() {
        for next in ahead {
            *next = start.wrapping_add((mask.trailing_zeros() as u16).wrapping_mul(STRIDE as u16));
            mask &= mask.wrapping_sub(1);
        }
        if mask == 0 {
            break;
        }
        room = rest;
    }
}

/// The bits of 16 places that are four bytes apart, and `distance` strides from the first, among those of all places.
#[target_feature(enable = "bmi2")]
#[inline]
pub(super) fn spread<const STRIDE: usize>(sixteen: u64, distance: usize) -> u64 {
    if STRIDE == 4 { sixteen } else { _pdep_u64(sixteen, (u64::MAX / ((1 << (4 / STRIDE)) - 1)) << distance) }
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
