//! The filters asked with AVX-512: 16 places at a time, or 64.

use super::avx2::{self, Avx2, STEP_TEXT_BYTES, append, is_covered, load_half};
use crate::filter::{FIRST_BIT_SHIFT, Filter, SECOND_BIT_SHIFT};
use crate::fold::{HIGH_FACTOR, LOW_FACTOR, THREE_BYTES};
use crate::nibbles::{Halves, LEAD_BYTES};
use crate::singles::Bytes;
use crate::sketch::{GRAM_BYTES_MAX, HASHES, MATRICES, Sketch};
use crate::walk::{Places, STEP_BYTES};
use std::arch::x86_64::*;

/// The proof that this processor has AVX2, and of AVX-512 what came with Ice Lake and Zen 4.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

impl Avx512 {
    pub(super) fn detect() -> Option<Avx512> {
        Avx2::detect()?;
        let has_all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("gfni");
        has_all.then_some(Avx512(()))
    }

    #[inline]
    pub(super) fn sift<const GRAM: usize, const STRIDE: usize>(
        self,
        filter: &Filter,
        text: &[u8],
        steps: usize,
        places: &mut Places,
    ) -> usize {
        // SAFETY: `self` exists, so the processor has what `detect` asked for, which is what the functions are compiled for.
        match filter.sketch() {
            Some(sketch) if STRIDE == 1 => unsafe { sift_sketch::<GRAM>(sketch, text, steps, places) },
            _ => unsafe { sift::<GRAM, STRIDE>(filter, text, steps, places) },
        }
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

sift!(sift, "avx512f,avx2,bmi1,bmi2,popcnt", sixteen);

/// Which of 16 places pass, from `distance` on, four bytes apart.
#[target_feature(enable = "avx512f")]
#[inline]
fn sixteen<const GRAM: usize>(filter: &Filter, text: &[u8; STEP_TEXT_BYTES], distance: usize) -> u64 {
    let (words, shift) = filter.words();
    let low = text.get(distance..).and_then(<[u8]>::first_chunk);
    let high = text.get(distance + 4..).and_then(<[u8]>::first_chunk);
    let (Some(low), Some(high)) = (low, high) else { return 0 };
    let passes = if GRAM == 2 {
        let hashes = _mm512_slli_epi32::<16>(load(low));
        let words = gather(words, shift, hashes);
        _mm512_sllv_epi32(words, bit::<16>(hashes))
    } else {
        let mut low = fold(load(low));
        if GRAM == 3 {
            low = _mm512_and_si512(low, _mm512_set1_epi32(THREE_BYTES as i32));
        }
        let mut hashes = _mm512_mullo_epi32(low, _mm512_set1_epi32(LOW_FACTOR as i32));
        if GRAM == 8 {
            let high = _mm512_mullo_epi32(fold(load(high)), _mm512_set1_epi32(HIGH_FACTOR as i32));
            hashes = _mm512_add_epi32(hashes, high);
        }
        let words = gather(words, shift, hashes);
        let first = _mm512_sllv_epi32(words, bit::<{ FIRST_BIT_SHIFT }>(hashes));
        let second = _mm512_sllv_epi32(words, bit::<{ SECOND_BIT_SHIFT }>(hashes));
        _mm512_and_si512(first, second)
    };
    u64::from(_mm512_cmplt_epi32_mask(passes, _mm512_setzero_si512()))
}

/// Which of the places of so many steps pass the sketch; `Sketch::add` says what it is made of.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni,bmi1,popcnt")]
fn sift_sketch<const GRAM: usize>(
    sketch: &Sketch,
    mut text: &[u8],
    steps: usize,
    places: &mut Places,
) -> usize {
    // Loops, since what is passed to `map` would be compiled without the wide instructions.
    let mut tables = [[_mm512_setzero_si512(); 2]; 3];
    for (table, bytes) in
        tables.as_flattened_mut().iter_mut().zip(sketch.tables.as_flattened().chunks_exact(64))
    {
        if let Some(bytes) = bytes.first_chunk() {
            *table = load(bytes);
        }
    }
    let mut matrices = [[_mm512_setzero_si512(); GRAM_BYTES_MAX]; HASHES];
    for (vector, matrix) in matrices.as_flattened_mut().iter_mut().zip(MATRICES.as_flattened()) {
        *vector = _mm512_set1_epi64(*matrix as i64);
    }
    let (mut passed, mut at) = (0, 0_u16);
    for _ in 0..steps {
        let Some(text_here) = text.first_chunk::<STEP_TEXT_BYTES>() else { return passed };
        let mut hashes = [_mm512_setzero_si512(); HASHES];
        for distance in 0..GRAM {
            let Some(bytes) = text_here.get(distance..).and_then(<[u8]>::first_chunk) else {
                return passed;
            };
            let bytes = load(bytes);
            let bytes = if GRAM == 2 { bytes } else { fold(bytes) };
            for (hash, matrices) in hashes.iter_mut().zip(&matrices) {
                let matrix = matrices.get(distance).copied().unwrap_or(_mm512_setzero_si512());
                *hash = _mm512_xor_si512(*hash, _mm512_gf2p8affine_epi64_epi8::<0>(bytes, matrix));
            }
        }
        let [first, second, third, last] = hashes;
        // The upper bits of what is shifted are another byte's, and are not asked about.
        let mask = _mm512_test_epi8_mask(look(tables[0], first), bits(last));
        let mask =
            _mm512_mask_test_epi8_mask(mask, look(tables[1], second), bits(_mm512_srli_epi16::<3>(last)));
        let mask = _mm512_mask_test_epi8_mask(mask, look(tables[2], third), bits(first));
        passed = append::<1>(mask, at, places, passed);
        at = at.wrapping_add(STEP_BYTES as u16);
        text = text.get(STEP_BYTES..).unwrap_or_default();
    }
    passed
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

#[target_feature(enable = "avx512f,avx512bw,bmi1,popcnt")]
fn nibbles(halves: &[Halves; LEAD_BYTES], mut text: &[u8], steps: usize, places: &mut Places) -> usize {
    let mut tables = [[_mm512_setzero_si512(); 2]; LEAD_BYTES];
    for (vector, table) in tables.as_flattened_mut().iter_mut().zip(halves.as_flattened()) {
        *vector = _mm512_broadcast_i32x4(load_half(table));
    }
    let four = _mm512_set1_epi8(15);
    let (mut passed, mut at) = (0, 0_u16);
    for _ in 0..steps {
        let mut patterns = _mm512_set1_epi8(-1);
        for (place, [low, high]) in tables.iter().enumerate() {
            let Some(bytes) = text.get(place..).and_then(<[u8]>::first_chunk) else { return passed };
            let bytes = load(bytes);
            let low = _mm512_shuffle_epi8(*low, _mm512_and_si512(bytes, four));
            let high = _mm512_shuffle_epi8(*high, _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), four));
            patterns = _mm512_and_si512(patterns, _mm512_and_si512(low, high));
        }
        passed = append::<1>(_mm512_test_epi8_mask(patterns, patterns), at, places, passed);
        at = at.wrapping_add(STEP_BYTES as u16);
        text = text.get(STEP_BYTES..).unwrap_or_default();
    }
    passed
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,bmi1,popcnt")]
fn singles(bytes: &Bytes, mut text: &[u8], steps: usize, places: &mut Places) -> usize {
    let table = _mm512_broadcast_i64x4(avx2::load(bytes));
    let (mut passed, mut at) = (0, 0_u16);
    for _ in 0..steps {
        let Some(here) = text.first_chunk() else { return passed };
        let here = load(here);
        // Of an index six bits count, and the table is there twice; of what is shifted three, and the rest is another byte's.
        let sets = _mm512_permutexvar_epi8(here, table);
        let mask = _mm512_test_epi8_mask(sets, bits(_mm512_srli_epi16::<5>(here)));
        passed = append::<1>(mask, at, places, passed);
        at = at.wrapping_add(STEP_BYTES as u16);
        text = text.get(STEP_BYTES..).unwrap_or_default();
    }
    passed
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the reference is to 64 bytes that can be read; the instruction asks for no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn fold(bytes: __m512i) -> __m512i {
    let halved = _mm512_srli_epi32::<1>(bytes);
    _mm512_or_si512(bytes, _mm512_and_si512(halved, _mm512_set1_epi32(0x2020_2020)))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn bit<const SHIFT: u32>(hashes: __m512i) -> __m512i {
    _mm512_and_si512(_mm512_srli_epi32::<SHIFT>(hashes), _mm512_set1_epi32(31))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn gather(words: &[u32], shift: u32, hashes: __m512i) -> __m512i {
    if !is_covered(words, shift) {
        return _mm512_setzero_si512();
    }
    let indices = _mm512_srl_epi32(hashes, _mm_cvtsi32_si128(shift as i32));
    // SAFETY: as in `gather_avx2`.
    unsafe { _mm512_i32gather_epi32::<4>(indices, words.as_ptr().cast()) }
}
