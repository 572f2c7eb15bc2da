//! The way through a text: block after block, folded once for all lanes, with what stands before it and zeros behind
//! the end.

use crate::simd::Path;
use crate::table::Bucket;

/// What the filters ask about at once.
pub(crate) const STEP_BYTES: usize = 64;

/// What a step reads: its bytes, and what a gram of 8 bytes that begins in the last of them needs.
pub(crate) const STEP_TEXT_BYTES: usize = STEP_BYTES + REACH_BYTES;
const REACH_BYTES: usize = 8;

/// How long a block is. The longer it is, the fewer turns there are that end with a wrong guess of the processor.
const BLOCK_BYTES: usize = 4_096;

/// So much of what stands before a block is kept with it, for windows that begin there.
pub(crate) const BEFORE_BYTES: usize = 8;

/// When so many places have passed, a filter stops and is asked for the rest later.
pub(crate) const PLACES_ENOUGH: usize = 64;

/// A filter tells this many places at once, and may write some ahead that count for nothing.
const PLACES_MAX: usize = PLACES_ENOUGH + 64 + PLACES_SPARE;
pub(crate) const PLACES_SPARE: usize = 4;

/// Places that passed, as offsets in a block, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    pub(crate) offsets: [u16; PLACES_MAX],
    pub(crate) count: usize,
    /// What a table has for each of them, as far as it was fetched.
    buckets: [Bucket; PLACES_MAX],
}

impl Places {
    pub(crate) fn new() -> Places {
        Places { offsets: [0; PLACES_MAX], count: 0, buckets: [Bucket::EMPTY; PLACES_MAX] }
    }

    pub(crate) fn is_enough(&self) -> bool {
        self.count > PLACES_ENOUGH
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        self.offsets.iter().take(self.count).map(|offset| usize::from(*offset))
    }

    /// Fetches for each place what a table has for it.
    #[inline]
    pub(crate) fn fetch(&mut self, bucket: impl Fn(usize) -> Bucket) {
        for (offset, there) in self.offsets.iter().zip(&mut self.buckets).take(self.count) {
            *there = bucket(usize::from(*offset));
        }
    }

    /// The places, each with what was fetched for it.
    #[inline]
    pub(crate) fn fetched(&self) -> impl Iterator<Item = (usize, Bucket)> {
        let both = self.offsets.iter().zip(&self.buckets).take(self.count);
        both.map(|(offset, bucket)| (usize::from(*offset), *bucket))
    }

    /// Writes a place, and keeps it if it `passes`: a branch would be guessed wrongly too often.
    #[inline]
    pub(crate) fn push_if(&mut self, offset: usize, passes: bool) {
        if let Some(next) = self.offsets.get_mut(self.count) {
            *next = offset as u16;
            self.count += usize::from(passes);
        }
    }
}

/// What a block takes: what is before it, itself, and what follows it.
const ROOM_BYTES: usize = BEFORE_BYTES + BLOCK_BYTES + STEP_TEXT_BYTES;

/// Where blocks are folded, and where filters write what has passed. It is made once, since making it ready for every text would cost as much as
/// looking into a short one.
#[derive(Clone, Debug)]
pub struct Scratch {
    folded: Box<[u8]>,
    pub(crate) places: [Places; 2],
}

impl Default for Scratch {
    fn default() -> Self {
        Scratch { folded: vec![0; ROOM_BYTES].into(), places: [Places::new(); 2] }
    }
}

impl Scratch {
    /// A walk through `text` that has not begun, and where to write places down.
    #[inline]
    pub(crate) fn walk<'a>(&'a mut self, text: &'a [u8], path: Path) -> (Walk<'a>, &'a mut [Places; 2]) {
        let Scratch { folded, places } = self;
        (Walk { text, path, at: 0, next: 0, steps: 0, folded }, places)
    }
}

/// A block of a text.
pub(crate) struct Walk<'a> {
    pub(crate) text: &'a [u8],
    path: Path,
    /// Where the block begins.
    pub(crate) at: usize,
    next: usize,
    steps: usize,
    /// `BEFORE_BYTES` of what is before the block, the block, and what follows it.
    folded: &'a mut [u8],
}

impl Walk<'_> {
    /// Goes on to the next block, if there is one.
    #[inline]
    pub(crate) fn advance(&mut self) -> bool {
        if self.next >= self.text.len() {
            return false;
        }
        self.at = self.next;
        self.next += BLOCK_BYTES;
        self.steps = (self.text.len() - self.at).min(BLOCK_BYTES).div_ceil(STEP_BYTES);
        // At the start of the text nothing stands before the block.
        let (kept, skipped) = if self.at == 0 { (0, BEFORE_BYTES) } else { (BEFORE_BYTES, 0) };
        let rest = self.text.get(self.at - kept..).unwrap_or_default();
        let used = BEFORE_BYTES + self.steps * STEP_BYTES + STEP_TEXT_BYTES;
        let Some((before, folded)) =
            self.folded.get_mut(..used).and_then(|used| used.split_at_mut_checked(skipped))
        else {
            return false;
        };
        before.fill(0);
        let length = rest.len().min(folded.len());
        if let (Some(rest), Some((here, behind))) = (rest.get(..length), folded.split_at_mut_checked(length))
        {
            self.path.fold(rest, here);
            behind.fill(0);
        }
        true
    }

    /// How many steps of a filter cover the block.
    #[inline]
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// The block from a step on.
    #[inline]
    pub(crate) fn text_at(&self, step: usize) -> &[u8] {
        self.folded.get(BEFORE_BYTES + step * STEP_BYTES..).unwrap_or_default()
    }

    /// The block from a step on, with the byte before it.
    #[inline]
    pub(crate) fn text_before(&self, step: usize) -> &[u8] {
        self.folded.get(BEFORE_BYTES - 1 + step * STEP_BYTES..).unwrap_or_default()
    }

    /// Eight folded bytes from `offset` of the block on, or from up to `BEFORE_BYTES` less.
    #[inline]
    pub(crate) fn load(&self, offset: usize, before: usize) -> u64 {
        let at = (BEFORE_BYTES + offset).wrapping_sub(before);
        self.folded
            .get(at..at.wrapping_add(8))
            .and_then(<[u8]>::first_chunk)
            .map_or(0, |eight| u64::from_le_bytes(*eight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::fold;

    #[test]
    fn every_byte_is_in_one_block_with_what_is_before_and_behind_it() {
        for length in [0, 1, 63, 64, 65, 255, 256, 257, 4_095, 4_096, 4_097, 4_104, 4_160, 5_000, 9_000] {
            let text: Vec<u8> = (0..length).map(|index| (index % 60) as u8 + 1).collect();
            let eight = |at: usize| -> [u8; 8] {
                std::array::from_fn(|index| {
                    text.get((at + index).wrapping_sub(8)).map_or(0, |byte| fold(*byte))
                })
            };
            // What another text left behind counts for nothing.
            let mut scratch = Scratch::default();
            scratch.folded.fill(b'x');
            for path in Path::all() {
                let (mut walk, _) = scratch.walk(&text, path);
                let mut covered = 0;
                while walk.advance() {
                    assert_eq!(walk.at, covered);
                    for offset in 0..walk.steps() * STEP_BYTES {
                        assert_eq!(walk.load(offset, 8).to_le_bytes(), eight(walk.at + offset));
                        assert_eq!(walk.load(offset, 0).to_le_bytes(), eight(walk.at + offset + 8));
                    }
                    covered += walk.steps() * STEP_BYTES;
                }
                assert!(covered >= length && covered < length + STEP_BYTES);
            }
        }
    }
}
