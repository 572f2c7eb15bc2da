//! The filters asked with vector instructions, 8 to 64 places at a time; and the choice between that and the portable way, once for each set.
//!
//! The only module of the workspace with `unsafe`. There are three reasons for it, each with its argument: that the processor has the
//! instructions is proven by a value of `Avx2` or `Avx512`, which only their `detect` makes; a vector is loaded from a reference to as many
//! bytes; and a gather is told only indices that its table has. What passes is said in `filter`, `sketch`, `nibbles` and `singles`; the ways
//! are held against each other by tests. A sketch lets other wrong places pass than the words do, and no right one less.

use crate::filter::Filter;
use crate::nibbles::{self, Halves, LEAD_BYTES};
use crate::singles::{self, Bytes};
use crate::walk::Places;
#[cfg(target_arch = "x86_64")]
use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use avx512::Avx512;

/// How the filters of a set are asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path {
    /// By the code of `filter`, `nibbles` and `singles`, anywhere.
    Portable,
    /// Eight places at a time, or 32 in the nibble lane and the single lane.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// 16 places at a time, or 64 there and where a sketch is asked.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Path {
    /// All ways that this processor has, the fastest first.
    pub(crate) fn all() -> Vec<Path> {
        let mut paths = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            paths.extend(Avx512::detect().map(Path::Avx512));
            paths.extend(Avx2::detect().map(Path::Avx2));
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

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx512;
#[cfg(test)]
mod tests;
