//! The filters asked with AVX-512: 16 places at a time, or 64.

use super::avx2::{self, Avx2, append, is_covered, spread};
use crate::filter::{BIT_SHIFTS, Filter};
use crate::fold::{HIGH_FACTOR, LOW_FACTOR, OTHER_FACTOR, TURNED, gram_mask};
use crate::runs::Begins;
use crate::singles::Bytes;
use crate::sketch::{GRAM_BYTES_MAX, HASHES, Kind, MATRICES, Sketch, TABLES};
use crate::tiny::{LEAD_BYTES, Leads};
use crate::walk::{Places, STEP_BYTES, STEP_TEXT_BYTES};
use std::arch::x86_64::*;

/// The proof that this processor has what `Avx2` proves, and of AVX-512 what came with Ice Lake and Zen 4.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(Avx2);

impl Avx512 {
    pub(super) fn detect() -> Option<Avx512> {
        let avx2 = Avx2::detect()?;
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("gfni");
        has_all.then_some(Avx512(avx2))
    }

    #[inline]
    pub(super) fn fold(self, text: &[u8], folded: &mut [u8]) {
        // SAFETY: as in `sift`.
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
        // SAFETY: `self` exists, so the processor has what `detect` asked for, which is what the function is compiled for.
        unsafe { sift::<GRAM, STRIDE, LONG>(filter, text, steps, short, long) }
    }

    #[inline]
    pub(super) fn sketch<const GRAM: usize>(
        self,
        sketch: &Sketch,
        text: &[u8],
        steps: usize,
        places: &mut Places,
    ) -> usize {
        // SAFETY: as in `sift`.
        unsafe {
            match sketch.kind {
                Kind::Shallow => sift_sketch::<GRAM, false, false>(sketch, text, steps, places),
                Kind::Deep => sift_sketch::<GRAM, true, false>(sketch, text, steps, places),
                Kind::Wide => sift_sketch::<GRAM, true, true>(sketch, text, steps, places),
            }
        }
    }

    #[inline]
    pub(super) fn tiny(self, leads: &Leads, text: &[u8], steps: usize, places: &mut Places) -> usize {
        // SAFETY: as in `sift`.
        unsafe { tiny(leads, text, steps, places) }
    }

    #[inline]
    pub(super) fn runs(self, begins: &Begins, text: &[u8], steps: usize, places: &mut Places) -> usize {
        // SAFETY: as in `sift`.
        unsafe { runs(begins, text, steps, places) }
    }

    #[inline]
    pub(super) fn singles(self, bytes: &Bytes, text: &[u8], steps: usize, places: &mut Places) -> usize {
        // SAFETY: as in `sift`.
        unsafe { singles(bytes, text, steps, places) }
    }
}

/// `fold::fold_all`, 64 bytes at a time.
#[target_feature(enable = "avx512f,avx512bw")]
fn fold_text(text: &[u8], folded: &mut [u8]) {
    let (whole, rest) = text.as_chunks::<64>();
    let (whole_folded, rest_folded) = folded.as_chunks_mut::<64>();
    for (bytes, folded) in whole.iter().zip(whole_folded) {
        store(fold(load(bytes)), folded);
    }
    if !rest.is_empty() && rest_folded.len() >= rest.len() {
        let mask = u64::MAX >> (64 - rest.len());
        // SAFETY: less than 64 bytes are read and written, those that `mask` names: as many as `rest` has, and
        // `rest_folded` has not less.
        unsafe {
            let bytes = _mm512_maskz_loadu_epi8(mask, rest.as_ptr().cast());
            _mm512_mask_storeu_epi8(rest_folded.as_mut_ptr().cast(), mask, fold(bytes));
        }
    }
}

/// `fold::fold` for each byte.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn fold(bytes: __m512i) -> __m512i {
    let halved = _mm512_srli_epi32::<1>(bytes);
    // `bytes | (halved & 0x20…)`
    let small = _mm512_ternarylogic_epi32::<0b1111_1000>(bytes, halved, _mm512_set1_epi8(0x20));
    _mm512_xor_si512(small, _mm512_set1_epi8(TURNED as i8))
}

sift!("avx512f,avx2,bmi1,bmi2,popcnt");

/// Which of 16 places pass, from `distance` on, four bytes apart: by a gram of `GRAM` bytes, and by a long one if `LONG`.
#[target_feature(enable = "avx512f")]
#[inline]
fn sixteen<const GRAM: usize, const LONG: bool>(
    filter: &Filter,
    text: &[u8; STEP_TEXT_BYTES],
    distance: usize,
) -> (u64, u64) {
    let (words, shift) = filter.words();
    let low = text.get(distance..).and_then(<[u8]>::first_chunk);
    let high = text.get(distance + 4..).and_then(<[u8]>::first_chunk);
    let (Some(low), Some(high)) = (low, high) else { return (0, 0) };
    let mut low = load(low);
    if gram_mask(GRAM) != u32::MAX {
        low = _mm512_and_si512(low, _mm512_set1_epi32(gram_mask(GRAM) as i32));
    }
    let hashes = _mm512_mullo_epi32(low, _mm512_set1_epi32(LOW_FACTOR as i32));
    let words = gather(words, shift, hashes);
    let short = if GRAM > 0 {
        all_bits(words, _mm512_mullo_epi32(low, _mm512_set1_epi32(OTHER_FACTOR as i32)))
    } else {
        0
    };
    let long = if LONG {
        let high = _mm512_mullo_epi32(load(high), _mm512_set1_epi32(HIGH_FACTOR as i32));
        all_bits(words, _mm512_add_epi32(hashes, high))
    } else {
        0
    };
    (short, long)
}

/// In which lanes a word has the three bits that a hash names. A rotation takes of its distance the five bits that are meant.
#[target_feature(enable = "avx512f")]
#[inline]
fn all_bits(words: __m512i, hashes: __m512i) -> u64 {
    let first = _mm512_rolv_epi32(words, _mm512_srli_epi32::<{ BIT_SHIFTS[0] }>(hashes));
    let second = _mm512_rolv_epi32(words, _mm512_srli_epi32::<{ BIT_SHIFTS[1] }>(hashes));
    let third = _mm512_rolv_epi32(words, _mm512_srli_epi32::<{ BIT_SHIFTS[2] }>(hashes));
    let all = _mm512_ternarylogic_epi32::<0b1000_0000>(first, second, third);
    u64::from(_mm512_cmplt_epi32_mask(all, _mm512_setzero_si512()))
}

/// The word of each hash.
#[target_feature(enable = "avx512f")]
#[inline]
fn gather(words: &[u32], shift: u32, hashes: __m512i) -> __m512i {
    if !is_covered(words, shift) {
        return _mm512_setzero_si512();
    }
    let indices = _mm512_srl_epi32(hashes, _mm_cvtsi32_si128(shift as i32));
    // SAFETY: an index is a 32-bit number shifted right by `shift`, so less than 2^(32 - shift), which is `words.len()`
    // or less, as was just asked; and it is not negative, since `shift` is not 0. The scale is the size of a word, and
    // no alignment is asked for.
    unsafe { _mm512_i32gather_epi32::<4>(indices, words.as_ptr().cast()) }
}

/// Which of the places of so many steps pass the sketch; `Sketch::add` says what it is made of.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni,bmi1,popcnt")]
fn sift_sketch<const GRAM: usize, const DEEP: bool, const WIDE: bool>(
    sketch: &Sketch,
    text: &[u8],
    steps: usize,
    places: &mut Places,
) -> usize {
    // Loops, since what is passed to `map` would be compiled without the wide instructions.
    let mut tables = [[_mm512_setzero_si512(); 4]; TABLES];
    let quarters = sketch.tables.as_flattened().chunks_exact(64).filter_map(<[u8]>::first_chunk);
    for (table, quarter) in tables.as_flattened_mut().iter_mut().zip(quarters) {
        *table = load(quarter);
    }
    let mut matrices = [[_mm512_setzero_si512(); GRAM_BYTES_MAX]; HASHES];
    for (vector, matrix) in matrices.as_flattened_mut().iter_mut().zip(MATRICES.as_flattened()) {
        *vector = _mm512_set1_epi64(*matrix as i64);
    }
    let mut done = 0;
    while done < steps && !places.is_enough() {
        let text = text.get(done * STEP_BYTES..).and_then(<[u8]>::first_chunk::<STEP_TEXT_BYTES>);
        let Some(text) = text else { return steps };
        let mut hashes = [_mm512_setzero_si512(); HASHES];
        for distance in 0..GRAM {
            let Some(bytes) = text.get(distance..).and_then(<[u8]>::first_chunk) else { return steps };
            let bytes = load(bytes);
            for (hash, matrices) in hashes.iter_mut().zip(&matrices) {
                let matrix = matrices.get(distance).copied().unwrap_or(_mm512_setzero_si512());
                *hash = _mm512_xor_si512(*hash, _mm512_gf2p8affine_epi64_epi8::<0>(bytes, matrix));
            }
        }
        let [first, second, third] = hashes;
        let mask = _mm512_test_epi8_mask(look_in::<WIDE>(tables[0], first), bits(second));
        let mask = _mm512_mask_test_epi8_mask(mask, look_in::<WIDE>(tables[1], second), bits(third));
        let mut mask = _mm512_mask_test_epi8_mask(mask, look_in::<WIDE>(tables[2], third), bits(first));
        if DEEP {
            let fourth = _mm512_xor_si512(first, third);
            mask = _mm512_mask_test_epi8_mask(mask, look_in::<WIDE>(tables[3], fourth), bits(second));
        }
        append::<1, 2>(mask, done, places);
        done += 1;
    }
    done
}

/// The byte of a table of 256 at each index; or of its first 128, where seven bits of it count.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn look_in<const WIDE: bool>([first, second, third, fourth]: [__m512i; 4], indices: __m512i) -> __m512i {
    let low = look([first, second], indices);
    if !WIDE {
        return low;
    }
    _mm512_mask_blend_epi8(_mm512_movepi8_mask(indices), low, look([third, fourth], indices))
}

/// The byte of a table of 128 at each index.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn look([low, high]: [__m512i; 2], indices: __m512i) -> __m512i {
    _mm512_permutex2var_epi8(low, indices, high)
}

/// The bit that the lower three bits of each byte name.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn bits(names: __m512i) -> __m512i {
    _mm512_permutexvar_epi8(names, _mm512_set1_epi64(0x8040_2010_0804_0201_u64 as i64))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,bmi1,popcnt")]
fn tiny(leads: &Leads, text: &[u8], steps: usize, places: &mut Places) -> usize {
    let mut tables = [[_mm512_setzero_si512(); 2]; LEAD_BYTES];
    let halves = leads.by_seven.as_flattened().chunks_exact(64).filter_map(<[u8]>::first_chunk);
    for (table, half) in tables.as_flattened_mut().iter_mut().zip(halves) {
        *table = load(half);
    }
    let mut done = 0;
    while done < steps && !places.is_enough() {
        let mut groups = _mm512_set1_epi8(-1);
        for (place, table) in tables.iter().enumerate() {
            let bytes = text.get(done * STEP_BYTES + place..).and_then(<[u8]>::first_chunk);
            let Some(bytes) = bytes else { return steps };
            groups = _mm512_and_si512(groups, look(*table, load(bytes)));
        }
        append::<1, 1>(_mm512_test_epi8_mask(groups, groups), done, places);
        done += 1;
    }
    done
}

/// `Begins::sift`.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,bmi1,popcnt")]
fn runs(begins: &Begins, text: &[u8], steps: usize, places: &mut Places) -> usize {
    let table = _mm512_broadcast_i64x4(avx2::load(&begins.bytes));
    let mut done = 0;
    while done < steps && !places.is_enough() {
        let text = text.get(done * STEP_BYTES..).and_then(<[u8]>::first_chunk::<STEP_TEXT_BYTES>);
        let Some(text) = text else { return steps };
        let at = |distance: usize| text.get(distance..).and_then(<[u8]>::first_chunk);
        let (Some(before), Some(one), Some(two), Some(three)) = (at(0), at(1), at(2), at(3)) else {
            return steps;
        };
        let (one, two) = (load(one), load(two));
        let mask = _mm512_cmpeq_epi8_mask(one, two);
        let mask = _mm512_mask_cmpeq_epi8_mask(mask, two, load(three));
        if mask != 0
            && let Some(far) = at(1 + begins.reach)
        {
            let mask = _mm512_mask_cmpneq_epi8_mask(mask, load(before), one);
            let mask = _mm512_mask_cmpeq_epi8_mask(mask, load(far), one);
            append::<1, 1>(mask & among(table, one), done, places);
        }
        done += 1;
    }
    done
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,bmi1,popcnt")]
fn singles(bytes: &Bytes, text: &[u8], steps: usize, places: &mut Places) -> usize {
    let table = _mm512_broadcast_i64x4(avx2::load(bytes));
    let mut done = 0;
    while done < steps && !places.is_enough() {
        let Some(here) = text.get(done * STEP_BYTES..).and_then(<[u8]>::first_chunk) else { return steps };
        append::<1, 4>(among(table, load(here)), done, places);
        done += 1;
    }
    done
}

/// Which bytes are in a set, whose table is there twice.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn among(table: __m512i, bytes: __m512i) -> u64 {
    // Of an index six bits count; of what is shifted three, and the rest is another byte's.
    let sets = _mm512_permutexvar_epi8(bytes, table);
    _mm512_test_epi8_mask(sets, bits(_mm512_srli_epi16::<5>(bytes)))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the reference is to 64 bytes that can be read; the instruction asks for no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn store(vector: __m512i, bytes: &mut [u8; 64]) {
    // SAFETY: the reference is to 64 bytes that can be written; the instruction asks for no alignment.
    unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), vector) }
}
