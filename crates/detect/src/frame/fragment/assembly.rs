//! The fragments of one datagram, and how they become the datagram.
//!
//! Pieces stand in the order of their offsets, later ones behind earlier ones of the same offset. Where pieces still
//! overlap when the datagram is put together, the one that stands later wins: policies rely on that. A piece that
//! ends the datagram ends it, unless another of the same offset follows.

use super::Fragment;
use super::policy::{Decision, Policy, Span};
use std::sync::Arc;

/// Bytes of a datagram at most, headers included.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// A fragment that is kept.
#[derive(Clone, Debug)]
struct Piece {
    span: Span,
    has_more: bool,
    /// What stands before the data in the datagram; of the piece at offset 0 alone.
    head: Option<Arc<[u8]>>,
    data: Arc<[u8]>,
}

impl Piece {
    fn bytes(&self) -> usize {
        self.data.len() + self.head.as_ref().map_or(0, |head| head.len())
    }
}

/// How much is kept.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Size {
    pub(super) fragments: usize,
    pub(super) bytes: usize,
}

/// What became of a datagram.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// Something is missing.
    Waits,
    /// The datagram, header and all.
    Whole(Vec<u8>),
    /// What came can never be a datagram.
    Broken,
}

/// The fragments of one datagram.
#[derive(Clone, Debug)]
pub(super) struct Assembly {
    policy: Policy,
    pieces: Vec<Piece>,
    bytes: usize,
    /// Behind the last byte of all that came.
    reach: u32,
    /// How long all pieces are together: if that is less than their reach, there is a hole.
    length: usize,
    has_last: bool,
    /// Something was added since it was last tried to put it together.
    is_new: bool,
}

impl Assembly {
    pub(super) fn new(policy: Policy) -> Self {
        Assembly { policy, pieces: Vec::new(), bytes: 0, reach: 0, length: 0, has_last: false, is_new: false }
    }

    pub(super) fn size(&self) -> Size {
        Size { fragments: self.pieces.len(), bytes: self.bytes }
    }

    /// Adds a fragment, as far as the policy lets it count. True if it overlaps another.
    pub(super) fn add(&mut self, fragment: &Fragment<'_>) -> bool {
        let mut span = Span::new(fragment.offset, fragment.end());
        let mut is_overlap = false;
        let mut at = self.first_compared(span.start);
        while let Some(old) = self.pieces.get(at).map(|piece| piece.span) {
            is_overlap |= span.start < old.end && old.start < span.end;
            let mut old = old;
            let mut next = self.pieces.get(at + 1).map(|piece| piece.span);
            let decision = self.policy.decide(&mut span, &mut old, next.as_mut());
            if let Some(piece) = self.pieces.get_mut(at) {
                piece.span = old;
            }
            if let (Some(piece), Some(next)) = (self.pieces.get_mut(at + 1), next) {
                piece.span = next;
            }
            match decision {
                Decision::GoOn => at += 1,
                Decision::Drop => return is_overlap,
                Decision::Insert => {
                    if old.is_empty() {
                        let gone = self.pieces.remove(at);
                        self.bytes = self.bytes.saturating_sub(gone.bytes());
                        self.length = self.length.saturating_sub(gone.data.len());
                    }
                    break;
                }
            }
        }
        self.insert(fragment, span);
        is_overlap
    }

    /// The piece from which on a fragment at `start` is compared: the last one before it; the first of all if none
    /// begins at or behind it.
    fn first_compared(&self, start: u32) -> usize {
        // What lies behind all others overlaps none: fragments in order cost nothing, however many there are.
        if start >= self.reach {
            return self.pieces.len();
        }
        let at_or_behind = self.pieces.partition_point(|piece| piece.span.start < start);
        if at_or_behind == self.pieces.len() { 0 } else { at_or_behind.saturating_sub(1) }
    }

    fn insert(&mut self, fragment: &Fragment<'_>, span: Span) {
        let Some(data) = usize::try_from(span.cut).ok().and_then(|cut| fragment.data.get(cut..)) else {
            return;
        };
        if data.is_empty() {
            return;
        }
        let span = Span::new(span.start + span.cut, span.end);
        let head = (span.start == 0).then(|| head(fragment));
        let piece = Piece { span, has_more: fragment.has_more, head, data: Arc::from(data) };
        self.bytes += piece.bytes();
        self.length += piece.data.len();
        self.reach = self.reach.max(span.end);
        self.has_last |= !fragment.has_more;
        self.is_new = true;
        let place = self.pieces.partition_point(|piece| piece.span.start <= span.start);
        self.pieces.insert(place, piece);
    }

    /// Puts the datagram together, if the last fragment and all before it are there.
    pub(super) fn finish(&mut self, is_v4: bool) -> Outcome {
        if !core::mem::take(&mut self.is_new) || !self.has_last || self.has_hole() {
            return Outcome::Waits;
        }
        let whole = self.join().and_then(|whole| if is_v4 { seal_v4(whole) } else { seal_v6(whole) });
        whole.map_or(Outcome::Broken, Outcome::Whole)
    }

    fn has_hole(&self) -> bool {
        if usize::try_from(self.reach).is_ok_and(|reach| self.length < reach) {
            return true;
        }
        let mut end = 0;
        for piece in &self.pieces {
            if piece.span.start > end {
                return true;
            }
            end = end.max(piece.span.end);
        }
        self.pieces.is_empty()
    }

    /// Head and data, without anything changed in the head.
    fn join(&self) -> Option<Vec<u8>> {
        let mut whole = Vec::new();
        let (mut head_bytes, mut length) = (0, 0);
        let mut ended_at = None;
        for piece in &self.pieces {
            if ended_at.is_some_and(|start| piece.span.start > start) {
                break;
            }
            if piece.span.is_empty() {
                continue;
            }
            if let Some(head) = &piece.head {
                // A second piece at the beginning is laid over the first, and says anew how far the datagram reaches.
                head_bytes = head.len();
                lay(&mut whole, 0, head)?;
                length = lay(&mut whole, head_bytes, &piece.data)?;
            } else {
                let cut = usize::try_from(piece.span.cut).ok()?;
                let start = head_bytes + usize::try_from(piece.span.start).ok()? + cut;
                length = lay(&mut whole, start, piece.data.get(cut..)?)?.max(length);
            }
            ended_at = (!piece.has_more).then_some(piece.span.start);
        }
        whole.truncate(length);
        (head_bytes > 0).then_some(whole)
    }
}

/// Lays bytes down at `start`, over what is there, and tells where they end.
fn lay(whole: &mut Vec<u8>, start: usize, bytes: &[u8]) -> Option<usize> {
    let end = start + bytes.len();
    if end > DATAGRAM_BYTES_MAX {
        return None;
    }
    if whole.len() < end {
        whole.resize(end, 0);
    }
    whole.get_mut(start..end)?.copy_from_slice(bytes);
    Some(end)
}

/// The head as it belongs into the datagram.
fn head(fragment: &Fragment<'_>) -> Arc<[u8]> {
    let mut head = fragment.head.to_vec();
    if let Some((at, next)) = fragment.next
        && let Some(place) = head.get_mut(at)
    {
        *place = next;
    }
    Arc::from(head)
}

/// Writes the length, takes the fragment's place away, and mends the checksum so that it is as right or wrong as
/// it was.
fn seal_v4(mut whole: Vec<u8>) -> Option<Vec<u8>> {
    let length = u16::try_from(whole.len()).ok()?;
    let header = whole.first_chunk_mut::<20>()?;
    let old = [u16::from_be_bytes([header[2], header[3]]), u16::from_be_bytes([header[6], header[7]])];
    let mut sum = u32::from(!u16::from_be_bytes([header[10], header[11]]));
    for word in old {
        sum += u32::from(!word);
    }
    sum += u32::from(length);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let checksum = !u16::try_from(sum).unwrap_or(0);
    header[2..4].copy_from_slice(&length.to_be_bytes());
    header[6..8].copy_from_slice(&[0, 0]);
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    Some(whole)
}

/// Writes the length.
fn seal_v6(mut whole: Vec<u8>) -> Option<Vec<u8>> {
    let length = u16::try_from(whole.len().checked_sub(40)?).ok()?;
    whole.get_mut(4..6)?.copy_from_slice(&length.to_be_bytes());
    Some(whole)
}
