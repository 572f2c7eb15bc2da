//! The filters asked with vector instructions, 8 to 64 places at a time; and the choice between that and the portable
//! way, once for each set.
//!
//! The only module of the workspace with `unsafe`. There are three reasons for it, each with its argument: that the
//! processor has the instructions is proven by a value of `Avx2` or `Avx512`, which only their `detect` makes; a vector
//! is loaded from a reference to as many bytes, or stored to one; and a gather is told only indices that its table has.
//! What passes is said in `filter`, `sketch`, `tiny`, `runs` and `singles`; the ways are held against each other by
//! tests. A sketch, and the tiny lane's seven bits, let other wrong places pass than the portable way does, and no
//! right one less.

use crate::filter::Filter;
use crate::fold;
use crate::runs::Begins;
use crate::singles::{self, Bytes};
use crate::tiny::Leads;
use crate::walk::Places;
#[cfg(target_arch = "x86_64")]
use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use avx512::Avx512;

/// How the filters of a set are asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path {
    /// By the code of the lanes' own modules, anywhere.
    Portable,
    /// Eight places at a time, or 32 in the tiny and the single lane.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// 16 places at a time, or 64 there and where a sketch is asked.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

/// Calls `$call` on whatever way it is, or the portable code.
macro_rules! either {
    ($path:expr, $portable:expr, $way:ident => $call:expr) => {
        match $path {
            Path::Portable => $portable,
            #[cfg(target_arch = "x86_64")]
            Path::Avx2($way) => $call,
            #[cfg(target_arch = "x86_64")]
            Path::Avx512($way) => $call,
        }
    };
}

impl Path {
    /// All ways that this processor has, the fastest first.
    pub(crate) fn all() -> Vec<Path> {
        #[cfg(target_arch = "x86_64")]
        let wide = [Avx512::detect().map(Path::Avx512), Avx2::detect().map(Path::Avx2)];
        #[cfg(not(target_arch = "x86_64"))]
        let wide = [None];
        wide.into_iter().flatten().chain([Path::Portable]).collect()
    }

    /// The fastest way that this processor has.
    pub(crate) fn best() -> Path {
        Path::all().first().copied().unwrap_or(Path::Portable)
    }

    /// Whether it asks a sketch where there is one.
    pub(crate) fn asks_sketches(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Path::Avx512(_) => true,
            _ => false,
        }
    }

    /// Writes `text` to `folded`, which is as long, each byte folded.
    #[inline]
    pub(crate) fn fold(self, text: &[u8], folded: &mut [u8]) {
        either!(self, fold::fold_all(text, folded), way => way.fold(text, folded));
    }

    /// See `Filter::sift`.
    #[inline]
    pub(crate) fn sift<const GRAM: usize, const STRIDE: usize, const LONG: bool>(
        self,
        filter: &Filter,
        text: &[u8],
        steps: usize,
        short: &mut Places,
        long: &mut Places,
    ) -> usize {
        either!(
            self,
            filter.sift::<GRAM, STRIDE, LONG>(text, steps, short, long),
            way => way.sift::<GRAM, STRIDE, LONG>(filter, text, steps, short, long)
        )
    }

    /// `Filter::sift` at every place for grams of `GRAM` bytes; by the sketch, if there is one and the processor can.
    #[inline]
    pub(crate) fn sift_closely<const GRAM: usize>(
        self,
        filter: &Filter,
        text: &[u8],
        steps: usize,
        [places, unused]: &mut [Places; 2],
    ) -> usize {
        match (self, filter.sketch()) {
            #[cfg(target_arch = "x86_64")]
            (Path::Avx512(way), Some(sketch)) => way.sketch::<GRAM>(sketch, text, steps, places),
            _ => self.sift::<GRAM, 1, false>(filter, text, steps, places, unused),
        }
    }

    /// See `Leads::sift`.
    #[inline]
    pub(crate) fn tiny(self, leads: &Leads, text: &[u8], steps: usize, places: &mut Places) -> usize {
        either!(self, leads.sift(text, steps, places), way => way.tiny(leads, text, steps, places))
    }

    /// See `Begins::sift`.
    #[inline]
    pub(crate) fn runs(self, begins: &Begins, text: &[u8], steps: usize, places: &mut Places) -> usize {
        either!(self, begins.sift(text, steps, places), way => way.runs(begins, text, steps, places))
    }

    /// See `singles::sift`.
    #[inline]
    pub(crate) fn singles(self, bytes: &Bytes, text: &[u8], steps: usize, places: &mut Places) -> usize {
        either!(self, singles::sift(bytes, text, steps, places), way => way.singles(bytes, text, steps, places))
    }
}

/// The loop around the steps of `Filter::sift`, once for each kind of vector, whose module has `sixteen`, `spread` and
/// `append`.
#[cfg(target_arch = "x86_64")]
macro_rules! sift {
    ($features:literal) => {
        #[target_feature(enable = $features)]
        fn sift<const GRAM: usize, const STRIDE: usize, const LONG: bool>(
            filter: &Filter,
            text: &[u8],
            steps: usize,
            short: &mut Places,
            long: &mut Places,
        ) -> usize {
            let mut done = 0;
            while done < steps && !short.is_enough() && !long.is_enough() {
                // As many steps as make a mask of 64 places, or a single one.
                let together = if steps - done >= STRIDE { STRIDE } else { 1 };
                let (mut short_mask, mut long_mask) = (0, 0);
                for step in 0..STRIDE {
                    if step < together
                        && let Some(text) =
                            text.get((done + step) * STEP_BYTES..).and_then(<[u8]>::first_chunk)
                    {
                        let (short, long) = sixteen::<GRAM, LONG>(filter, text, 0);
                        let mut mask = spread::<STRIDE>(short, 0);
                        for distance in 1..4 / STRIDE {
                            let (short, _) = sixteen::<GRAM, false>(filter, text, distance * STRIDE);
                            mask |= spread::<STRIDE>(short, distance);
                        }
                        short_mask |= mask << (step * STEP_BYTES / STRIDE);
                        long_mask |= long << (step * STEP_BYTES / 4);
                    }
                }
                if GRAM > 0 {
                    append::<STRIDE, 4>(short_mask, done, short);
                }
                if LONG {
                    append::<4, 2>(long_mask, done, long);
                }
                done += together;
            }
            done
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
