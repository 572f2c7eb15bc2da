//! The way through a text: block after block, and its tail with zeros behind it.

/// What the filters ask about at once.
pub(crate) const STEP_BYTES: usize = 64;

/// So far beyond its steps a filter may read.
pub(crate) const REACH_BYTES: usize = 8;

/// The most places that a block has. With a stride of s it has s times as many bytes.
const BLOCK_PLACES: usize = 256;

/// So many places may be written ahead, and count for nothing.
pub(crate) const PLACES_SPARE: usize = 4;

/// The places of a block that passed, as offsets from its start, in order.
pub(crate) type Places = [u16; BLOCK_PLACES + PLACES_SPARE];

/// A text on which lanes walk, one after the other, and the room that they use.
pub(crate) struct Walk<'a> {
    pub(crate) text: &'a [u8],
    /// Where the tail begins, and the tail with zeros behind it.
    tail_at: usize,
    tail: [u8; 2 * STEP_BYTES + REACH_BYTES],
    places: Places,
}

impl<'a> Walk<'a> {
    #[inline]
    pub(crate) fn new(text: &'a [u8]) -> Walk<'a> {
        let tail_at = text.len().saturating_sub(REACH_BYTES) / STEP_BYTES * STEP_BYTES;
        let mut tail = [0; 2 * STEP_BYTES + REACH_BYTES];
        let rest = text.get(tail_at..).unwrap_or_default();
        if let Some(start) = tail.get_mut(..rest.len()) {
            start.copy_from_slice(rest);
        }
        Walk { text, tail_at, tail, places: [0; BLOCK_PLACES + PLACES_SPARE] }
    }

    /// Asks `sift(text from here on, steps, places)` which places of a block pass, and calls `place(offset)` for those that it has written and
    /// counted; until every byte of the text was asked about once. What `sift` is handed reaches `REACH_BYTES` beyond its last step. A place may
    /// lie at or beyond the end of the text, where there are zeros.
    #[inline]
    pub(crate) fn go(
        &mut self,
        stride: usize,
        mut sift: impl FnMut(&[u8], usize, &mut Places) -> usize,
        mut place: impl FnMut(usize),
    ) {
        let steps_max = stride * BLOCK_PLACES / STEP_BYTES;
        let mut at = 0;
        loop {
            let steps = ((self.tail_at - at) / STEP_BYTES).min(steps_max);
            let rest = self.text.get(at..).unwrap_or_default();
            let is_tail = steps == 0;
            let tail_steps = rest.len().div_ceil(STEP_BYTES);
            let passed = if is_tail {
                sift(&self.tail, tail_steps, &mut self.places)
            } else {
                sift(rest, steps, &mut self.places)
            };
            for offset in self.places.iter().take(passed) {
                place(at + usize::from(*offset));
            }
            if is_tail {
                return;
            }
            at += steps * STEP_BYTES;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_asked_about_once_and_with_what_follows_it() {
        for (length, stride) in (0..300).chain(1000..1200).flat_map(|length| [(length, 1), (length, 4)]) {
            let text: Vec<u8> = (0..length).map(|index| (index % 251) as u8 + 1).collect();
            let (mut covered, mut first) = (0, Vec::new());
            let sift = |rest: &[u8], steps: usize, places: &mut Places| {
                assert!(steps * STEP_BYTES <= stride * BLOCK_PLACES);
                let here = &rest[..steps * STEP_BYTES + REACH_BYTES];
                for (offset, byte) in here.iter().enumerate() {
                    assert_eq!(*byte, text.get(covered + offset).copied().unwrap_or(0), "{length} {offset}");
                }
                covered += steps * STEP_BYTES;
                places[0] = 7;
                steps.min(1)
            };
            Walk::new(&text).go(stride, sift, |place| first.push(place));
            assert!((text.len()..text.len() + STEP_BYTES).contains(&covered), "{length}: {covered}");
            assert!(
                first.windows(2).all(|pair| pair[0] < pair[1]) && first.iter().all(|place| place % 64 == 7)
            );
        }
    }
}
