//! Bytes that come bit by bit and are looked at through a window: bodies and files.
//!
//! Nothing is shown before [`BodyLimits::first_bytes_min`] are there or the body is complete; then all that came since the last look, with
//! so much of what was looked at before that it is [`BodyLimits::overlap_bytes`] in all, or a quarter of that if more came, so that a pattern across the border is
//! seen. What lies before the window is forgotten, so a body of any length takes bounded memory. Bytes beyond [`BodyLimits::bytes_max`] are counted, not kept.

use super::{Piece, Ready};
use crate::room::Room;

/// Room that is made for bytes that were announced and did not come. Whoever announces many and says no more would else take memory at no cost.
const EXPECTED_BYTES_MAX: u64 = 4096;

/// How a body is kept and looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BodyLimits {
    /// Bytes that are looked at at all.
    pub bytes_max: u64,
    /// Bytes that must be there for the first look, unless the body is complete.
    pub first_bytes_min: u64,
    /// Bytes that one look shows at least, as far as they are there: those that were looked at before fill up the new ones.
    pub overlap_bytes: usize,
}

/// A body that comes bit by bit.
#[derive(Clone, Debug)]
pub struct Body {
    limits: BodyLimits,
    /// What is kept, behind `forgotten` bytes that wait to be taken away: moving all that is kept for every piece would cost more than all else.
    buffer: Room,
    forgotten: usize,
    /// Where what is kept begins in the whole.
    start: u64,
    inspected: u64,
    total: u64,
    is_complete: bool,
    only_counts: bool,
}

impl Body {
    /// An empty body.
    #[must_use]
    pub fn new(limits: BodyLimits) -> Self {
        Body {
            limits,
            buffer: Room::default(),
            forgotten: 0,
            start: 0,
            inspected: 0,
            total: 0,
            is_complete: false,
            only_counts: false,
        }
    }

    /// So many bytes are announced: some room is made at once, but no more than a word is worth.
    pub fn expect(&mut self, bytes: u64) {
        let room = bytes.min(self.limits.bytes_max).min(EXPECTED_BYTES_MAX);
        self.buffer.reserve(usize::try_from(room).unwrap_or(0));
    }

    /// Adds bytes; tells how many of them are kept.
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        if self.only_counts {
            self.total = self.total.saturating_add(bytes.len() as u64);
            return 0;
        }
        let room = self.limits.bytes_max.saturating_sub(self.kept_until());
        let kept = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        if self.forgotten > self.buffer.len() / 2 {
            self.buffer.drain(..self.forgotten);
            self.forgotten = 0;
        }
        self.buffer.extend_from_slice(&bytes[..kept]);
        self.total = self.total.saturating_add(bytes.len() as u64);
        kept
    }

    /// Bytes of memory that it holds.
    pub(crate) fn held_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    /// Nobody looks: from here on bytes are counted and not kept.
    pub fn only_count(&mut self) {
        self.only_counts = true;
    }

    /// Nothing will be added.
    pub fn finish(&mut self) {
        self.is_complete = true;
    }

    /// Whether nothing will be added.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Bytes that came, those that were not kept among them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether there is something to look at.
    #[must_use]
    pub fn ready(&self) -> Ready {
        if self.is_complete || self.kept_until() >= self.limits.bytes_max {
            Ready::Full
        } else if self.kept_until() >= self.limits.first_bytes_min && self.kept_until() > self.inspected {
            Ready::Part
        } else {
            Ready::No
        }
    }

    /// What is to be looked at now, if anything is.
    #[must_use]
    pub fn piece(&self) -> Option<Piece<'_>> {
        let window = self.window();
        if self.ready() == Ready::No || window.is_empty() {
            return None;
        }
        let forgone = usize::try_from(self.shown_from() - self.start).ok()?;
        let bytes = window.get(forgone..)?;
        Some(Piece { bytes, start: self.shown_from(), last: self.is_complete, little_endian: false })
    }

    /// All bytes that are kept, looked at or not.
    #[must_use]
    pub fn window(&self) -> &[u8] {
        self.buffer.get(self.forgotten..).unwrap_or_default()
    }

    /// Where the window begins.
    #[must_use]
    pub fn begins_at(&self) -> u64 {
        self.start
    }

    /// Whether all that is there was looked at.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.inspected == self.kept_until()
    }

    /// What is there was looked at.
    pub fn inspected(&mut self) {
        if self.ready() == Ready::No {
            return;
        }
        self.inspected = self.kept_until();
        let surplus = self.window().len().saturating_sub(self.limits.overlap_bytes);
        if surplus > 0 && !self.is_complete {
            self.forgotten += surplus;
            self.start += surplus as u64;
        }
    }

    /// What was looked at is looked at again only as far as the new bytes do not fill the window, but a quarter of the window at least.
    fn shown_from(&self) -> u64 {
        let window = self.limits.overlap_bytes as u64;
        let new = self.kept_until() - self.inspected;
        let again = window.saturating_sub(new).max(window / 4);
        self.inspected.saturating_sub(again).max(self.start)
    }

    fn kept_until(&self) -> u64 {
        self.start + self.window().len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BodyLimits = BodyLimits { bytes_max: 10, first_bytes_min: 4, overlap_bytes: 2 };

    #[test]
    fn bytes_that_are_announced_and_never_come_take_next_to_no_memory() {
        let mut body =
            Body::new(BodyLimits { bytes_max: 100_000, first_bytes_min: 32_768, overlap_bytes: 4096 });
        body.expect(u64::MAX);
        assert!(body.buffer.capacity() <= 2 * EXPECTED_BYTES_MAX as usize);
    }

    #[test]
    fn a_body_is_looked_at_once_with_an_overlap() {
        let mut body = Body::new(LIMITS);
        body.append(b"abc");
        assert!(body.piece().is_none());
        body.append(b"de");
        assert_eq!(body.piece().map(|piece| piece.bytes), Some(&b"abcde"[..]));
        body.inspected();
        assert_eq!(body.ready(), Ready::No);
        body.append(b"f");
        assert_eq!(
            body.piece().map(|piece| (piece.bytes, piece.start, piece.last)),
            Some((&b"ef"[..], 4, false))
        );
        body.inspected();
        body.finish();
        assert_eq!(
            body.piece().map(|piece| (piece.bytes, piece.start, piece.last)),
            Some((&b"ef"[..], 4, true))
        );
    }

    #[test]
    fn what_was_looked_at_is_taken_away_and_the_rest_stays_as_it_is() {
        let mut body = Body::new(BodyLimits { bytes_max: 1000, ..LIMITS });
        for byte in 0..=255 {
            body.append(&[byte]);
            if let Some(piece) = body.piece() {
                assert_eq!(piece.bytes.last(), Some(&byte));
                assert_eq!(piece.bytes.first().map(|first| u64::from(*first)), Some(piece.start));
            }
            body.inspected();
            assert!(body.buffer.len() <= 2 * body.window().len() + 2);
        }
    }

    #[test]
    fn what_is_beyond_the_limit_is_counted_and_not_kept() {
        let mut body = Body::new(LIMITS);
        body.append(&[b'x'; 25]);
        assert_eq!((body.window().len(), body.total(), body.ready()), (10, 25, Ready::Full));
    }

    #[test]
    fn a_short_body_is_shown_when_it_is_complete() {
        let mut body = Body::new(LIMITS);
        body.append(b"a");
        body.finish();
        assert_eq!(body.piece().map(|piece| piece.bytes), Some(&b"a"[..]));
    }
}
