//! Puts the bytes of one side in order.
//!
//! Upon a segment: what lies before the bytes that were handed out already changes nothing; where it claims bytes that another segment brought, the [`Policy`]
//! decides which count, and it is told whether they differed; the rest is kept. A segment that reaches beyond [`SPAN_BYTES_MAX`] is cut there, and that is told too.
//! Upon asking: the bytes from a place up to the first hole.
//! Upon a release: bytes before a place are forgotten.

use crate::room::Room;
use std::collections::VecDeque;

/// How far the bytes that are kept reach at most.
pub(crate) const SPAN_BYTES_MAX: usize = 1 << 20;
/// Pieces that are kept of one side at most: as many segments as can lie out of order.
const PIECES_MAX: usize = 4096;
/// Room that is made for what may follow, where a vector would make less.
const AHEAD_BYTES_MAX: usize = 4 << 10;

/// Who wins where two segments claim the same bytes. What was there first wins but for the cases named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(dead_code)] // The engine uses one; tests and, later, settings use the others.
pub(crate) enum Policy {
    /// Always what was there.
    First,
    /// Always what came last.
    Last,
    /// What came last, if it begins earlier.
    Bsd,
    /// What came last, if it begins earlier, or at the same place and ends later.
    Linux,
    /// What came last, if it begins earlier and ends later or at the same place.
    Solaris,
    /// What came last, if it begins earlier.
    Windows,
}

impl Policy {
    fn later_wins(self, old: (u64, u64), new: (u64, u64)) -> bool {
        match self {
            Policy::First => false,
            Policy::Last => true,
            Policy::Bsd | Policy::Windows => new.0 < old.0,
            Policy::Linux => new.0 < old.0 || (new.0 == old.0 && new.1 > old.1),
            Policy::Solaris => new.0 < old.0 && new.1 >= old.1,
        }
    }
}

/// What became of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Added {
    /// Bytes that were there before.
    pub(crate) overlapped: bool,
    /// And not the same.
    pub(crate) differed: bool,
    /// Something did not fit and was not kept.
    pub(crate) refused: bool,
}

/// The bytes of one side.
#[derive(Debug)]
pub(crate) struct Buffer {
    policy: Policy,
    /// Where `data[front]` stands in the stream.
    base: u64,
    front: usize,
    data: Room,
    /// What came: from and until, ascending, without overlap.
    pieces: VecDeque<(u64, u64)>,
    /// Until where there is no hole behind `base`.
    solid: u64,
}

impl Clone for Buffer {
    /// The copy has as much room, as [`Room`] says why.
    fn clone(&self) -> Self {
        let mut pieces = VecDeque::with_capacity(self.pieces.capacity());
        pieces.extend(&self.pieces);
        debug_assert_eq!(pieces.capacity(), self.pieces.capacity());
        let Buffer { policy, base, front, data, pieces: _, solid } = self;
        Buffer { policy: *policy, base: *base, front: *front, data: data.clone(), pieces, solid: *solid }
    }
}

impl Buffer {
    /// Bytes of memory that it holds.
    pub(crate) fn held_bytes(&self) -> usize {
        self.data.capacity() + self.pieces.capacity() * size_of::<(u64, u64)>()
    }

    pub(crate) fn new(policy: Policy) -> Self {
        Buffer { policy, base: 0, front: 0, data: Room::default(), pieces: VecDeque::new(), solid: 0 }
    }

    /// Where what is kept begins.
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// Where what is kept ends.
    pub(crate) fn end(&self) -> u64 {
        self.base + (self.data.len() - self.front) as u64
    }

    /// Gives the memory back if nothing is kept.
    pub(crate) fn let_go(&mut self) {
        if self.pieces.is_empty() {
            self.data = Room::default();
            self.pieces = VecDeque::new();
            self.front = 0;
        }
    }

    /// Adds a segment. What lies before `fixed` was handed out; bytes before `settled` are with the receiver, so those that are there stay.
    pub(crate) fn add(&mut self, at: u64, bytes: &[u8], fixed: u64, settled: u64) -> Added {
        let mut added = Added::default();
        let fixed = fixed.max(self.base);
        let skipped = usize::try_from(fixed.saturating_sub(at)).unwrap_or(usize::MAX).min(bytes.len());
        let (at, mut bytes) = (at + skipped as u64, &bytes[skipped..]);
        added.overlapped = skipped > 0;
        let room = (self.base + SPAN_BYTES_MAX as u64).saturating_sub(at);
        if room < bytes.len() as u64 {
            added.refused = true;
            bytes = &bytes[..room as usize];
        }
        if bytes.is_empty() {
            return added;
        }
        let end = self.end();
        if at == end && self.pieces.back().is_none_or(|last| last.1 <= at) {
            // In order, as nearly always.
            if self.pieces.len() >= PIECES_MAX {
                self.join();
                if self.pieces.len() >= PIECES_MAX {
                    added.refused = true;
                    return added;
                }
            }
            if self.data.capacity() - self.data.len() < bytes.len() {
                // Most sides say one thing, or many: beside one, there is room for four. From then on it doubles.
                let ahead = (3 * self.data.len()).min(AHEAD_BYTES_MAX);
                self.data.reserve(bytes.len().max(ahead));
            }
            self.data.extend_from_slice(bytes);
            self.pieces.push_back((at, at + bytes.len() as u64));
            if self.solid == at {
                self.solid = self.end();
            }
            return added;
        }
        self.insert(at, bytes, settled, &mut added);
        added
    }

    /// Adds a segment that lies before, over or behind a hole.
    #[inline(never)]
    fn insert(&mut self, at: u64, bytes: &[u8], settled: u64, added: &mut Added) {
        let new = (at, at + bytes.len() as u64);
        if self.pieces.len() + 2 >= PIECES_MAX {
            self.join();
        }
        while self.pieces.len() + 2 >= PIECES_MAX {
            // What is nearer counts more: who left so many holes would otherwise hide what fills the first.
            added.refused = true;
            if self.pieces.back().is_none_or(|last| last.0 <= at) {
                return;
            }
            self.pieces.pop_back();
        }
        let wanted = (new.1 - self.base) as usize + self.front;
        if self.data.len() < wanted {
            self.data.resize(wanted, 0);
        }
        let first = self.pieces.partition_point(|piece| piece.1 <= new.0);
        let mut holes = Vec::new();
        let mut from = new.0;
        for old in self.pieces.iter().skip(first).take_while(|old| old.0 < new.1).copied().collect::<Vec<_>>()
        {
            if from < old.0 {
                holes.push((from, old.0));
            }
            let both = (old.0.max(new.0), old.1.min(new.1));
            added.overlapped = true;
            let part = &bytes[(both.0 - at) as usize..(both.1 - at) as usize];
            let begin = (both.0 - self.base) as usize + self.front;
            let kept = &mut self.data[begin..begin + part.len()];
            if kept != part {
                added.differed = true;
                if self.policy.later_wins(old, new) {
                    let stay =
                        usize::try_from(settled.saturating_sub(both.0)).unwrap_or(usize::MAX).min(part.len());
                    kept[stay..].copy_from_slice(&part[stay..]);
                }
            }
            from = from.max(old.1);
        }
        if from < new.1 {
            holes.push((from, new.1));
        }
        for hole in holes {
            let part = &bytes[(hole.0 - at) as usize..(hole.1 - at) as usize];
            let begin = (hole.0 - self.base) as usize + self.front;
            self.data[begin..begin + part.len()].copy_from_slice(part);
            let place = self.pieces.partition_point(|piece| piece.0 < hole.0);
            self.pieces.insert(place, hole);
        }
        self.solid = self.run_end(self.base);
    }

    /// Where the run of bytes without a hole ends that begins at `at`; `at` itself if there is none.
    fn run_end(&self, at: u64) -> u64 {
        let mut until = at;
        let first = self.pieces.partition_point(|piece| piece.1 <= at);
        for piece in self.pieces.range(first..) {
            if piece.0 > until {
                break;
            }
            until = piece.1;
        }
        until
    }

    /// Joins pieces that touch: there are too many, and who brought which matters less than that all can be kept.
    fn join(&mut self) {
        let mut joined: VecDeque<(u64, u64)> = VecDeque::new();
        for piece in self.pieces.drain(..) {
            match joined.back_mut() {
                Some(last) if last.1 == piece.0 => last.1 = piece.1,
                _ => joined.push_back(piece),
            }
        }
        self.pieces = joined;
    }

    /// The place `at` holds no byte of the stream: what lies behind moves up. False if a byte is there already, or the place was handed out.
    pub(crate) fn cut(&mut self, at: u64, fixed: u64) -> bool {
        if at < fixed.max(self.base) {
            return false;
        }
        let first = self.pieces.partition_point(|piece| piece.1 <= at);
        match self.pieces.get(first) {
            None => return true,
            Some(piece) if piece.0 <= at => return false,
            Some(_) => {}
        }
        let index = (at - self.base) as usize + self.front;
        if index < self.data.len() {
            self.data.remove(index);
        }
        for piece in self.pieces.range_mut(first..) {
            *piece = (piece.0 - 1, piece.1 - 1);
        }
        self.solid = self.run_end(self.base);
        true
    }

    /// The bytes from `at` up to the first hole; none if `at` is in a hole or behind the end.
    pub(crate) fn from(&self, at: u64) -> &[u8] {
        if at < self.base {
            return &[];
        }
        let until = if at <= self.solid { self.solid } else { self.run_end(at) };
        let begin = (at - self.base) as usize + self.front;
        self.data.get(begin..begin + (until - at) as usize).unwrap_or_default()
    }

    /// Where the hole ends that begins at `at`, if there are bytes behind it.
    pub(crate) fn hole_end(&self, at: u64) -> Option<u64> {
        if at < self.solid {
            return None;
        }
        let first = self.pieces.partition_point(|piece| piece.1 <= at);
        self.pieces.get(first).map(|piece| piece.0).filter(|begin| *begin > at)
    }

    /// Forgets the bytes before `until`.
    pub(crate) fn release(&mut self, until: u64) {
        if until <= self.base {
            return;
        }
        let count =
            usize::try_from(until - self.base).unwrap_or(usize::MAX).min(self.data.len() - self.front);
        self.front += count;
        self.base = until;
        while self.pieces.front().is_some_and(|piece| piece.1 <= until) {
            self.pieces.pop_front();
        }
        if let Some(first) = self.pieces.front_mut() {
            first.0 = first.0.max(until);
        }
        if self.solid < until {
            self.solid = self.run_end(until);
        }
        // What is left is moved to the front once that costs no more than what was released: the buffer stays as small as what waits in it.
        if self.front * 2 >= self.data.len() {
            self.data.drain(..self.front);
            self.front = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(buffer: &Buffer, at: u64) -> String {
        String::from_utf8_lossy(buffer.from(at)).into_owned()
    }

    #[test]
    fn segments_come_out_in_order_however_they_came() {
        let mut buffer = Buffer::new(Policy::Windows);
        buffer.add(4, b"ef", 0, 0);
        assert_eq!(text(&buffer, 0), "");
        assert_eq!(buffer.hole_end(0), Some(4));
        buffer.add(0, b"ab", 0, 0);
        assert_eq!((text(&buffer, 0), buffer.hole_end(2)), ("ab".to_owned(), Some(4)));
        buffer.add(2, b"cd", 0, 0);
        assert_eq!(text(&buffer, 0), "abcdef");
        assert_eq!(text(&buffer, 3), "def");
    }

    #[test]
    fn what_was_handed_out_does_not_change() {
        let mut buffer = Buffer::new(Policy::Last);
        buffer.add(0, b"abcd", 0, 0);
        let added = buffer.add(0, b"XXXXef", 4, 0);
        assert!(added.overlapped);
        assert_eq!(text(&buffer, 0), "abcdef");
    }

    #[test]
    fn each_policy_settles_an_overlap_as_its_system_does() {
        // An old segment at 2..6; a new one that begins earlier, at the same place, later; and one that covers it.
        let settle = |policy, at, new: &[u8]| {
            let mut buffer = Buffer::new(policy);
            buffer.add(0, b"..", 0, 0);
            buffer.release(0);
            buffer.add(2, b"oooo", 0, 0);
            let added = buffer.add(at, new, 0, 0);
            assert!(added.differed);
            text(&buffer, 2)
        };
        assert_eq!(settle(Policy::First, 2, b"nnnnnn"), "oooonn");
        assert_eq!(settle(Policy::Last, 3, b"nn"), "onno");
        assert_eq!(settle(Policy::Bsd, 2, b"nnnn"), "oooo");
        assert_eq!(settle(Policy::Bsd, 1, b"nnnn"), "nnno");
        assert_eq!(settle(Policy::Linux, 2, b"nnnnnn"), "nnnnnn");
        assert_eq!(settle(Policy::Linux, 2, b"nnnn"), "oooo");
        assert_eq!(settle(Policy::Windows, 1, b"nnnnnnn"), "nnnnnn");
        assert_eq!(settle(Policy::Solaris, 1, b"nnn"), "oooo");
        assert_eq!(settle(Policy::Solaris, 1, b"nnnnn"), "nnnn");
    }

    #[test]
    fn what_is_released_is_forgotten() {
        let mut buffer = Buffer::new(Policy::Windows);
        buffer.add(0, b"abcd", 0, 0);
        buffer.release(2);
        assert_eq!((text(&buffer, 0), text(&buffer, 2)), (String::new(), "cd".to_owned()));
        buffer.add(6, b"gh", 2, 0);
        buffer.release(6);
        assert_eq!(text(&buffer, 6), "gh");
        buffer.release(100);
        buffer.add(100, b"x", 100, 0);
        assert_eq!(text(&buffer, 100), "x");
    }

    #[test]
    fn a_segment_that_reaches_too_far_is_cut() {
        let mut buffer = Buffer::new(Policy::Windows);
        let added = buffer.add(SPAN_BYTES_MAX as u64 - 1, b"abc", 0, 0);
        assert!(added.refused);
        assert_eq!(buffer.end(), SPAN_BYTES_MAX as u64);
        assert!(buffer.add(SPAN_BYTES_MAX as u64 + 5, b"abc", 0, 0).refused);
    }

    #[test]
    fn pieces_are_bounded() {
        let mut buffer = Buffer::new(Policy::Windows);
        let refused =
            (0..2 * PIECES_MAX as u64).filter(|at| buffer.add(at * 2 + 1, b"x", 0, 0).refused).count();
        assert!(refused > 0 && buffer.pieces.len() <= PIECES_MAX);
    }

    #[test]
    fn what_the_receiver_has_does_not_change_whoever_begins_earlier() {
        let mut buffer = Buffer::new(Policy::Windows);
        buffer.add(0, b"GET ", 0, 0);
        buffer.add(4, b"/attack", 0, 0);
        let added = buffer.add(3, b"xxxxxxxxx", 0, 8);
        assert!(added.differed);
        assert_eq!(text(&buffer, 0), "GET /attxxxx");
    }

    #[test]
    fn holes_without_number_do_not_hide_what_fills_the_first() {
        let mut buffer = Buffer::new(Policy::Windows);
        for at in 0..2 * PIECES_MAX as u64 {
            buffer.add(at * 2 + 1, b"o", 0, 0);
        }
        for at in 0..100 {
            buffer.add(at * 2, b"e", 0, 0);
        }
        assert_eq!(text(&buffer, 0), "eo".repeat(100));
    }

    #[test]
    fn a_place_without_a_byte_is_cut_out_also_where_what_follows_came_first() {
        let mut buffer = Buffer::new(Policy::Windows);
        buffer.add(6, b"CK", 0, 0);
        assert!(buffer.cut(3, 0));
        buffer.add(0, b"ATT", 0, 0);
        buffer.add(3, b"AX", 0, 0);
        assert_eq!(text(&buffer, 0), "ATTAXCK");
        assert!(!buffer.cut(2, 0), "a byte that is there stays");
        assert!(!buffer.cut(9, 10), "and what was handed out");
    }
}
