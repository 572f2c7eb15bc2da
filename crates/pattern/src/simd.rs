//! The filters asked with vector instructions, 8 to 64 places at a time; and the choice between that and the portable way, once for each set.
//!
//! The only module of the workspace with `unsafe`. There are three reasons for it, each with its argument: that the processor has the
//! instructions is proven by a value of `Avx2` or `Avx512`, which only their `detect` makes; a vector is loaded from a reference to as many
//! bytes; and a gather is told only indices that its table has. What passes is said in `filter` and `nibbles`, and tests hold the ways
//! against each other.

use crate::filter::Filter;
use crate::nibbles::{self, Halves, LEAD_BYTES};
use crate::singles::{self, Bytes};
use crate::walk::Places;

/// How the filters of a set are asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path {
    /// By the code of `filter` and `nibbles`, anywhere.
    Portable,
    /// Eight places at a time, or 32 of the nibble lane.
    #[cfg(target_arch = "x86_64")]
    Avx2(x86::Avx2),
    /// 16 places at a time, or 64 where a sketch or the nibble lane is asked.
    #[cfg(target_arch = "x86_64")]
    Avx512(x86::Avx512),
}

impl Path {
    /// All ways that this processor has, the fastest first.
    pub(crate) fn all() -> Vec<Path> {
        let mut paths = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            paths.extend(x86::Avx512::detect().map(Path::Avx512));
            paths.extend(x86::Avx2::detect().map(Path::Avx2));
        }
        paths.push(Path::Portable);
        paths
    }

    /// The fastest way that this processor has.
    pub(crate) fn best() -> Path {
        Path::all().first().copied().unwrap_or(Path::Portable)
    }

    /// Which of the places of so many steps pass `filter`; see `Filter::sift`.
    #[inline]
    pub(crate) fn sift<const GRAM: usize, const STRIDE: usize>(
        self,
        filter: &Filter,
        text: &[u8],
        steps: usize,
        places: &mut Places,
    ) -> usize {
        match self {
            Path::Portable => filter.sift::<GRAM, STRIDE>(text, steps, places),
            #[cfg(target_arch = "x86_64")]
            Path::Avx2(avx2) => avx2.sift::<GRAM, STRIDE>(filter, text, steps, places),
            #[cfg(target_arch = "x86_64")]
            Path::Avx512(avx512) => avx512.sift::<GRAM, STRIDE>(filter, text, steps, places),
        }
    }

    /// Which of the bytes of so many steps pass; see `nibbles::sift`.
    #[inline]
    pub(crate) fn nibbles(
        self,
        halves: &[Halves; LEAD_BYTES],
        text: &[u8],
        steps: usize,
        places: &mut Places,
    ) -> usize {
        match self {
            Path::Portable => nibbles::sift(halves, text, steps, places),
            #[cfg(target_arch = "x86_64")]
            Path::Avx2(avx2) => avx2.nibbles(halves, text, steps, places),
            #[cfg(target_arch = "x86_64")]
            Path::Avx512(avx512) => avx512.nibbles(halves, text, steps, places),
        }
    }

    /// At which of the bytes of so many steps one of `bytes` stands; see `singles::sift`.
    #[inline]
    pub(crate) fn singles(self, bytes: &Bytes, text: &[u8], steps: usize, places: &mut Places) -> usize {
        match self {
            Path::Portable => singles::sift(bytes, text, steps, places),
            #[cfg(target_arch = "x86_64")]
            Path::Avx2(avx2) => avx2.singles(bytes, text, steps, places),
            #[cfg(target_arch = "x86_64")]
            Path::Avx512(avx512) => avx512.singles(bytes, text, steps, places),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod x86 {
    use crate::filter::{FIRST_BIT_SHIFT, Filter, SECOND_BIT_SHIFT};
    use crate::fold::{HIGH_FACTOR, LOW_FACTOR, THREE_BYTES};
    use crate::nibbles::{Halves, LEAD_BYTES};
    use crate::singles::Bytes;
    use crate::sketch::{GRAM_BYTES_MAX, HASHES, MATRICES, Sketch};
    use crate::walk::{PLACES_SPARE, Places, STEP_BYTES};
    use std::arch::x86_64::*;

    /// What a step reads: its bytes, and what a gram of 8 bytes that begins in the last of them needs.
    const STEP_TEXT_BYTES: usize = STEP_BYTES + 8;

    /// The proof that this processor has AVX2 and the instructions for bits that came with it.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Avx2(());

    /// The proof that it has AVX-512, too.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Avx512(Avx2);

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
            unsafe { sift_avx2::<GRAM, STRIDE>(filter, text, steps, places) }
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
            unsafe { nibbles_avx2(halves, text, steps, places) }
        }

        #[inline]
        pub(super) fn singles(self, bytes: &Bytes, text: &[u8], steps: usize, places: &mut Places) -> usize {
            // SAFETY: `self` exists, so the processor has what `detect` asked for, which is what the function is compiled for.
            unsafe { singles_avx2(bytes, text, steps, places) }
        }
    }

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
        pub(super) fn sift<const GRAM: usize, const STRIDE: usize>(
            self,
            filter: &Filter,
            text: &[u8],
            steps: usize,
            places: &mut Places,
        ) -> usize {
            // SAFETY: `self` exists, so the processor has what `detect` asked for, which is what the functions are compiled for.
            match filter.sketch() {
                Some(sketch) if STRIDE == 1 => unsafe { sketch_avx512::<GRAM>(sketch, text, steps, places) },
                _ => unsafe { sift_avx512::<GRAM, STRIDE>(filter, text, steps, places) },
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
            unsafe { nibbles_avx512(halves, text, steps, places) }
        }

        #[inline]
        pub(super) fn singles(self, bytes: &Bytes, text: &[u8], steps: usize, places: &mut Places) -> usize {
            // SAFETY: `self` exists, so the processor has what `detect` asked for, which is what the function is compiled for.
            unsafe { singles_avx512(bytes, text, steps, places) }
        }
    }

    /// The loop around the steps, once for each kind of vector: `$step` tells which of 16 places, four bytes apart, pass.
    macro_rules! sift {
        ($name:ident, $features:literal, $step:ident) => {
            #[target_feature(enable = $features)]
            fn $name<const GRAM: usize, const STRIDE: usize>(
                filter: &Filter,
                mut text: &[u8],
                mut steps: usize,
                places: &mut Places,
            ) -> usize {
                let (mut passed, mut at) = (0, 0_u16);
                while steps > 0 {
                    // As many steps as make a mask of 64 places, or what is left.
                    let together = if steps >= STRIDE { STRIDE } else { 1 };
                    let mut mask = 0_u64;
                    for step in 0..STRIDE {
                        if step < together
                            && let Some(text) = text.get(step * STEP_BYTES..).and_then(<[u8]>::first_chunk)
                        {
                            for distance in 0..4 / STRIDE {
                                let sixteen = $step::<GRAM>(filter, text, distance * STRIDE);
                                // The bits of this distance lie between those of the others, so that places come in order.
                                let spread = (u64::MAX / ((1 << (4 / STRIDE)) - 1)) << distance;
                                let bits = if STRIDE == 4 { sixteen } else { _pdep_u64(sixteen, spread) };
                                mask |= bits << (step * STEP_BYTES / STRIDE);
                            }
                        }
                    }
                    passed = append::<STRIDE>(mask, at, places, passed);
                    at = at.wrapping_add((together * STEP_BYTES) as u16);
                    text = text.get(together * STEP_BYTES..).unwrap_or_default();
                    steps -= together;
                }
                passed
            }
        };
    }
    sift!(sift_avx2, "avx2,bmi1,bmi2,popcnt", sixteen_avx2);
    sift!(sift_avx512, "avx512f,avx2,bmi1,bmi2,popcnt", sixteen_avx512);

    /// Appends a place for each bit of `mask`, `STRIDE` bytes apart.
    #[target_feature(enable = "bmi1,popcnt")]
    #[inline]
    fn append<const STRIDE: usize>(mut mask: u64, at: u16, places: &mut Places, passed: usize) -> usize {
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

    /// Which of the places of so many steps pass the sketch; `Sketch::add` says what it is made of.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni,bmi1,popcnt")]
    fn sketch_avx512<const GRAM: usize>(
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
                *table = load_avx512(bytes);
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
                let bytes = load_avx512(bytes);
                let bytes = if GRAM == 2 { bytes } else { fold_avx512(bytes) };
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
    fn nibbles_avx512(
        halves: &[Halves; LEAD_BYTES],
        mut text: &[u8],
        steps: usize,
        places: &mut Places,
    ) -> usize {
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
                let bytes = load_avx512(bytes);
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

    /// Which of 16 places pass, from `distance` on, four bytes apart.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn sixteen_avx2<const GRAM: usize>(
        filter: &Filter,
        text: &[u8; STEP_TEXT_BYTES],
        distance: usize,
    ) -> u64 {
        let text = text.get(distance..).unwrap_or_default();
        eight_avx2::<GRAM>(filter, text)
            | (eight_avx2::<GRAM>(filter, text.get(32..).unwrap_or_default()) << 8)
    }

    /// Which of eight places pass.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn eight_avx2<const GRAM: usize>(filter: &Filter, text: &[u8]) -> u64 {
        let (words, shift) = filter.words();
        let (Some(low), Some(high)) = (text.first_chunk(), text.get(4..).and_then(<[u8]>::first_chunk))
        else {
            return 0;
        };
        let passes = if GRAM == 2 {
            let hashes = _mm256_slli_epi32::<16>(load_avx2(low));
            let words = gather_avx2(words, shift, hashes);
            _mm256_sllv_epi32(words, bit_avx2::<16>(hashes))
        } else {
            let mut low = fold_avx2(load_avx2(low));
            if GRAM == 3 {
                low = _mm256_and_si256(low, _mm256_set1_epi32(THREE_BYTES as i32));
            }
            let mut hashes = _mm256_mullo_epi32(low, _mm256_set1_epi32(LOW_FACTOR as i32));
            if GRAM == 8 {
                let high =
                    _mm256_mullo_epi32(fold_avx2(load_avx2(high)), _mm256_set1_epi32(HIGH_FACTOR as i32));
                hashes = _mm256_add_epi32(hashes, high);
            }
            let words = gather_avx2(words, shift, hashes);
            let first = _mm256_sllv_epi32(words, bit_avx2::<{ FIRST_BIT_SHIFT }>(hashes));
            let second = _mm256_sllv_epi32(words, bit_avx2::<{ SECOND_BIT_SHIFT }>(hashes));
            _mm256_and_si256(first, second)
        };
        _mm256_movemask_ps(_mm256_castsi256_ps(passes)) as u64
    }

    /// Which of 16 places pass, from `distance` on, four bytes apart.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn sixteen_avx512<const GRAM: usize>(
        filter: &Filter,
        text: &[u8; STEP_TEXT_BYTES],
        distance: usize,
    ) -> u64 {
        let (words, shift) = filter.words();
        let low = text.get(distance..).and_then(<[u8]>::first_chunk);
        let high = text.get(distance + 4..).and_then(<[u8]>::first_chunk);
        let (Some(low), Some(high)) = (low, high) else { return 0 };
        let passes = if GRAM == 2 {
            let hashes = _mm512_slli_epi32::<16>(load_avx512(low));
            let words = gather_avx512(words, shift, hashes);
            _mm512_sllv_epi32(words, bit_avx512::<16>(hashes))
        } else {
            let mut low = fold_avx512(load_avx512(low));
            if GRAM == 3 {
                low = _mm512_and_si512(low, _mm512_set1_epi32(THREE_BYTES as i32));
            }
            let mut hashes = _mm512_mullo_epi32(low, _mm512_set1_epi32(LOW_FACTOR as i32));
            if GRAM == 8 {
                let high =
                    _mm512_mullo_epi32(fold_avx512(load_avx512(high)), _mm512_set1_epi32(HIGH_FACTOR as i32));
                hashes = _mm512_add_epi32(hashes, high);
            }
            let words = gather_avx512(words, shift, hashes);
            let first = _mm512_sllv_epi32(words, bit_avx512::<{ FIRST_BIT_SHIFT }>(hashes));
            let second = _mm512_sllv_epi32(words, bit_avx512::<{ SECOND_BIT_SHIFT }>(hashes));
            _mm512_and_si512(first, second)
        };
        u64::from(_mm512_cmplt_epi32_mask(passes, _mm512_setzero_si512()))
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    fn nibbles_avx2(
        halves: &[Halves; LEAD_BYTES],
        mut text: &[u8],
        steps: usize,
        places: &mut Places,
    ) -> usize {
        let mut tables = [[_mm256_setzero_si256(); 2]; LEAD_BYTES];
        for (vector, table) in tables.as_flattened_mut().iter_mut().zip(halves.as_flattened()) {
            *vector = _mm256_broadcastsi128_si256(load_half(table));
        }
        let (mut passed, mut at) = (0, 0_u16);
        for _ in 0..steps {
            let first = thirty_two_avx2(&tables, text);
            let second = thirty_two_avx2(&tables, text.get(32..).unwrap_or_default());
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
    fn thirty_two_avx2(tables: &[[__m256i; 2]; LEAD_BYTES], text: &[u8]) -> u32 {
        let mut patterns = _mm256_set1_epi8(-1);
        for (place, [low, high]) in tables.iter().enumerate() {
            let Some(text) = text.get(place..).and_then(<[u8]>::first_chunk) else { return u32::MAX };
            let (text, four) = (load_avx2(text), _mm256_set1_epi8(15));
            let low = _mm256_shuffle_epi8(*low, _mm256_and_si256(text, four));
            let high = _mm256_shuffle_epi8(*high, _mm256_and_si256(_mm256_srli_epi16::<4>(text), four));
            patterns = _mm256_and_si256(patterns, _mm256_and_si256(low, high));
        }
        _mm256_movemask_epi8(_mm256_cmpeq_epi8(patterns, _mm256_setzero_si256())) as u32
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,bmi1,popcnt")]
    fn singles_avx512(bytes: &Bytes, mut text: &[u8], steps: usize, places: &mut Places) -> usize {
        let table = _mm512_broadcast_i64x4(load_avx2(bytes));
        let (mut passed, mut at) = (0, 0_u16);
        for _ in 0..steps {
            let Some(here) = text.first_chunk() else { return passed };
            let here = load_avx512(here);
            // Of an index six bits count, and the table is there twice; of what is shifted three, and the rest is another byte's.
            let sets = _mm512_permutexvar_epi8(here, table);
            let mask = _mm512_test_epi8_mask(sets, bits(_mm512_srli_epi16::<5>(here)));
            passed = append::<1>(mask, at, places, passed);
            at = at.wrapping_add(STEP_BYTES as u16);
            text = text.get(STEP_BYTES..).unwrap_or_default();
        }
        passed
    }

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    fn singles_avx2(bytes: &Bytes, mut text: &[u8], steps: usize, places: &mut Places) -> usize {
        let (Some(low), Some(high)) = (bytes.first_chunk(), bytes.last_chunk()) else { return 0 };
        let low = _mm256_broadcastsi128_si256(load_half(low));
        let high = _mm256_broadcastsi128_si256(load_half(high));
        let (mut passed, mut at) = (0, 0_u16);
        for _ in 0..steps {
            let mut mask = 0;
            for half in 0..2 {
                let Some(here) = text.get(half * 32..).and_then(<[u8]>::first_chunk) else { return passed };
                let here = load_avx2(here);
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
    fn load_half(bytes: &[u8; 16]) -> __m128i {
        // SAFETY: the reference is to 16 bytes that can be read; the instruction asks for no alignment.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn load_avx2(bytes: &[u8; 32]) -> __m256i {
        // SAFETY: the reference is to 32 bytes that can be read; the instruction asks for no alignment.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn load_avx512(bytes: &[u8; 64]) -> __m512i {
        // SAFETY: the reference is to 64 bytes that can be read; the instruction asks for no alignment.
        unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
    }

    /// `fold::fold` in each lane.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn fold_avx2(bytes: __m256i) -> __m256i {
        let halved = _mm256_srli_epi32::<1>(bytes);
        _mm256_or_si256(bytes, _mm256_and_si256(halved, _mm256_set1_epi32(0x2020_2020)))
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn fold_avx512(bytes: __m512i) -> __m512i {
        let halved = _mm512_srli_epi32::<1>(bytes);
        _mm512_or_si512(bytes, _mm512_and_si512(halved, _mm512_set1_epi32(0x2020_2020)))
    }

    /// Five bits of each hash, from `SHIFT` on.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn bit_avx2<const SHIFT: u32>(hashes: __m256i) -> __m256i {
        let shifted = _mm256_srl_epi32(hashes, _mm_cvtsi32_si128(SHIFT as i32));
        _mm256_and_si256(shifted, _mm256_set1_epi32(31))
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn bit_avx512<const SHIFT: u32>(hashes: __m512i) -> __m512i {
        _mm512_and_si512(_mm512_srli_epi32::<SHIFT>(hashes), _mm512_set1_epi32(31))
    }

    /// Whether every hash, shifted by `shift`, is the index of a word. It holds for every `Filter`, and is asked where it is relied on.
    #[inline]
    fn is_covered(words: &[u32], shift: u32) -> bool {
        (1..=31).contains(&shift) && words.len() >> (32 - shift) > 0
    }

    /// The word of each hash.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn gather_avx2(words: &[u32], shift: u32, hashes: __m256i) -> __m256i {
        if !is_covered(words, shift) {
            return _mm256_setzero_si256();
        }
        let indices = _mm256_srl_epi32(hashes, _mm_cvtsi32_si128(shift as i32));
        // SAFETY: an index is a 32-bit number shifted right by `shift`, so less than 2^(32 - shift), which is `words.len()` or less, as was
        // just asked; and it is not negative, since `shift` is not 0. The scale is the size of a word, and no alignment is asked for.
        unsafe { _mm256_i32gather_epi32::<4>(words.as_ptr().cast(), indices) }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn gather_avx512(words: &[u32], shift: u32, hashes: __m512i) -> __m512i {
        if !is_covered(words, shift) {
            return _mm512_setzero_si512();
        }
        let indices = _mm512_srl_epi32(hashes, _mm_cvtsi32_si128(shift as i32));
        // SAFETY: as in `gather_avx2`.
        unsafe { _mm512_i32gather_epi32::<4>(indices, words.as_ptr().cast()) }
    }
}
