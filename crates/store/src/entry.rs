//! The bytes of a segment after its head: flushes of entries, each checked.
//!
//! An entry is `checksum u32 · body length u32 · tag u64 · position u64 · kind u8 · body`, little-endian; the checksum
//! (CRC-32) covers all that follows it. Its kind is
//!   - *record*: the body is the record; it takes its position;
//!   - *snapshot*: the body is `keep_from`; it takes its position, and makes the snapshot file of that position count;
//!   - *image*: the body is `keep_from` and a snapshot's image, which needs no file of its own; else the same;
//!   - *mark*: takes no position; its position says up to where everything was durable when it was written, its body how
//!     many bytes the flush has that it begins.
//!
//! A **flush** is what one write call put down: a mark, then entries with consecutive positions. It begins at a block
//! boundary and is filled up with zeros to the next one, so that no block with something durable is ever written again.
//!
//! The **tag** is drawn at random for each use of a file as a segment. An entry with another tag is what is left of the
//! file's earlier life, whatever its checksum says. Since nobody outside knows the tag, nobody can have a record made
//! whose bytes look like entries of ours.
//!
//! [`walk`] reads flush after flush and stops at the first thing that is not as it must be. It never looks for a place
//! where it could go on: behind a gap there is no prefix. [`marked_beyond`] looks there, for marks alone, and only to
//! find out whether what is missing was durable.

use agree::Position;
use bytes::Bytes;

/// What the system, its file systems and most disks write at once. Whoever writes a byte of a block writes all of it again,
/// and nothing is assumed about a block in which a write was cut short.
pub const BLOCK_BYTES: usize = 4096;

/// A record at most.
pub const RECORD_BYTES_MAX: usize = 64 << 20;

/// An entry without its body.
pub(crate) const HEAD_BYTES: usize = 4 + 4 + 8 + 8 + 1;

/// A mark: its body is the length of its flush.
pub(crate) const MARK_BYTES: usize = HEAD_BYTES + 4;

/// What an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Mark = 1,
    Record = 2,
    Snapshot = 3,
    Image = 4,
}

/// What stands in the body of an image before the image.
const KEEP_FROM_BYTES: usize = 8;

/// The largest image that can be an entry.
pub(crate) const IMAGE_BYTES_MAX: usize = RECORD_BYTES_MAX - KEEP_FROM_BYTES;

/// The body of an image.
pub(crate) fn image_body(keep_from: Position, image: &[u8]) -> Vec<u8> {
    [&keep_from.0.to_le_bytes(), image].concat()
}

/// An entry that was read and is as it must be.
#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    kind: Kind,
    position: Position,
    body: &'a [u8],
}

/// The smallest multiple of a block that `bytes` fit in.
pub(crate) fn blocks(bytes: usize) -> usize {
    bytes.next_multiple_of(BLOCK_BYTES)
}

/// Adds one entry.
pub(crate) fn push(out: &mut Vec<u8>, tag: u64, kind: Kind, position: Position, body: &[u8]) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&u32::try_from(body.len()).expect("RECORD_BYTES_MAX fits").to_le_bytes());
    out.extend_from_slice(&tag.to_le_bytes());
    out.extend_from_slice(&position.0.to_le_bytes());
    out.push(kind as u8);
    out.extend_from_slice(body);
    let checksum = crc32fast::hash(&out[start + 4..]);
    out[start..start + 4].copy_from_slice(&checksum.to_le_bytes());
}

/// The mark of a flush of `flush_bytes`, itself included.
pub(crate) fn mark(tag: u64, durable: Position, flush_bytes: usize) -> [u8; MARK_BYTES] {
    let mut out = Vec::with_capacity(MARK_BYTES);
    let length = u32::try_from(flush_bytes).expect("a flush is bounded by what may wait");
    push(&mut out, tag, Kind::Mark, durable, &length.to_le_bytes());
    out.try_into().expect("a mark has its size")
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// The entry at the front of `bytes`, if a whole and right one with this tag is there.
fn entry(bytes: &[u8], tag: u64) -> Option<Entry<'_>> {
    let length = u32_at(bytes, 4)? as usize;
    if length > RECORD_BYTES_MAX || u64_at(bytes, 8)? != tag {
        return None;
    }
    let whole = bytes.get(..HEAD_BYTES + length)?;
    if crc32fast::hash(&whole[4..]) != u32_at(whole, 0)? {
        return None;
    }
    let kind = match whole[24] {
        1 => Kind::Mark,
        2 => Kind::Record,
        3 => Kind::Snapshot,
        4 => Kind::Image,
        _ => return None,
    };
    Some(Entry { kind, position: Position(u64_at(whole, 16)?), body: &whole[HEAD_BYTES..] })
}

/// The mark at the front of `bytes`: what it calls durable, and the bytes of its flush.
fn mark_at(bytes: &[u8], tag: u64) -> Option<(Position, usize)> {
    let entry = entry(bytes, tag)?;
    let length = u32_at(entry.body, 0)? as usize;
    let is_mark = entry.kind == Kind::Mark && entry.body.len() == 4 && length >= MARK_BYTES;
    is_mark.then_some((entry.position, length))
}

/// A write as it stands in a segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Item {
    /// A record.
    Record(Bytes),
    /// The snapshot of this position counts from here on.
    Snapshot {
        /// The first record that is still needed.
        keep_from: Position,
        /// Its image, unless that is in a file of its own.
        image: Option<Bytes>,
    },
}

/// What a segment holds, up to where it is good.
#[derive(Debug)]
pub(crate) struct Walk {
    /// What takes the positions from `first` on, one each; records are slices of what was read.
    pub(crate) items: Vec<Item>,
    /// The last snapshot among them, and its `keep_from`.
    pub(crate) snapshot: Option<(Position, Position)>,
    /// The position of the last of them.
    pub(crate) last: Position,
    /// Where it stopped.
    pub(crate) stop: usize,
}

/// Reads the segment `bytes`, whose head is in the first block and whose first entry takes position `first`.
pub(crate) fn walk(bytes: &Bytes, tag: u64, first: Position) -> Walk {
    let before = Position(first.0.saturating_sub(1));
    let mut walk = Walk { items: Vec::new(), snapshot: None, last: before, stop: BLOCK_BYTES };
    while let Some(rest) = bytes.get(walk.stop..) {
        // A mark cannot know of what was written after it.
        let Some((_, length)) = mark_at(rest, tag).filter(|(durable, _)| *durable <= walk.last) else {
            break;
        };
        let flush_end = walk.stop + length;
        walk.stop += MARK_BYTES;
        while walk.stop < flush_end {
            if !walk.take(bytes, tag, flush_end) {
                return walk;
            }
        }
        walk.stop = blocks(flush_end);
    }
    walk
}

impl Walk {
    /// Takes the entry at `stop`, if it is the next one.
    fn take(&mut self, bytes: &Bytes, tag: u64, flush_end: usize) -> bool {
        let Some(entry) = bytes.get(self.stop..flush_end).and_then(|rest| entry(rest, tag)) else {
            return false;
        };
        let next = Position(self.last.0 + 1);
        if entry.position != next {
            return false;
        }
        match (entry.kind, u64_at(entry.body, 0)) {
            (Kind::Record, _) => self.items.push(Item::Record(bytes.slice_ref(entry.body))),
            (Kind::Snapshot, Some(keep_from)) if entry.body.len() == KEEP_FROM_BYTES => {
                self.take_snapshot(next, Position(keep_from), None);
            }
            (Kind::Image, Some(keep_from)) => {
                let image = bytes.slice_ref(&entry.body[KEEP_FROM_BYTES..]);
                self.take_snapshot(next, Position(keep_from), Some(image));
            }
            (Kind::Snapshot | Kind::Image | Kind::Mark, _) => return false,
        }
        self.last = next;
        self.stop += HEAD_BYTES + entry.body.len();
        true
    }

    fn take_snapshot(&mut self, position: Position, keep_from: Position, image: Option<Bytes>) {
        self.snapshot = Some((position, keep_from));
        self.items.push(Item::Snapshot { keep_from, image });
    }
}

/// The most that any mark behind `stop` calls durable. Only block boundaries can hold marks.
pub(crate) fn marked_beyond(bytes: &[u8], tag: u64, stop: usize) -> Option<Position> {
    let blocks = (stop + 1).next_multiple_of(BLOCK_BYTES)..bytes.len();
    blocks.step_by(BLOCK_BYTES).filter_map(|at| Some(mark_at(&bytes[at..], tag)?.0)).max()
}

/// How many bytes behind `stop` belong to something that was begun and is not whole.
pub(crate) fn torn_bytes(bytes: &[u8], tag: u64, stop: usize) -> usize {
    let Some(rest) = bytes.get(stop..) else { return 0 };
    let tag = tag.to_le_bytes();
    let last = rest.windows(tag.len()).rposition(|window| window == tag);
    last.map_or(0, |at| (blocks(stop + at + tag.len()) - stop).min(rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: u64 = 0x0123_4567_89ab_cdef;

    /// A segment whose flushes are given as (durable, bodies of records).
    fn segment(flushes: &[(u64, &[&[u8]])]) -> Vec<u8> {
        let mut bytes = vec![0; BLOCK_BYTES];
        let mut position = 0;
        for (durable, records) in flushes {
            let start = bytes.len();
            bytes.extend_from_slice(&[0; MARK_BYTES]);
            for record in *records {
                position += 1;
                push(&mut bytes, TAG, Kind::Record, Position(position), record);
            }
            let length = bytes.len() - start;
            bytes[start..start + MARK_BYTES].copy_from_slice(&mark(TAG, Position(*durable), length));
            bytes.resize(blocks(bytes.len()), 0);
        }
        bytes
    }

    fn walked(bytes: &[u8]) -> Walk {
        walk(&Bytes::copy_from_slice(bytes), TAG, Position(1))
    }

    #[test]
    fn what_was_pushed_is_walked() {
        let walk = walked(&segment(&[(0, &[b"one", b"two"]), (2, &[&[7; 2000]])]));
        assert_eq!(walk.items.len(), 3);
        assert_eq!(walk.items[2], Item::Record(Bytes::from(vec![7; 2000])));
        assert_eq!(walk.last, Position(3));
    }

    #[test]
    fn an_image_is_walked_and_a_snapshot_with_more_than_it_should_have_is_none() {
        for (kind, image) in [(Kind::Image, &b"an image"[..]), (Kind::Image, b""), (Kind::Snapshot, b"")] {
            let mut bytes = vec![0; BLOCK_BYTES + MARK_BYTES];
            push(&mut bytes, TAG, kind, Position(1), &image_body(Position(1), image));
            let length = bytes.len() - BLOCK_BYTES;
            bytes[BLOCK_BYTES..][..MARK_BYTES].copy_from_slice(&mark(TAG, Position(0), length));
            let found = walked(&bytes);
            assert_eq!(found.snapshot, Some((Position(1), Position(1))));
            let image = (kind == Kind::Image).then(|| Bytes::from_static(image));
            assert_eq!(found.items, [Item::Snapshot { keep_from: Position(1), image }]);
        }
        for (kind, body) in [(Kind::Snapshot, &[0; 9][..]), (Kind::Snapshot, &[0; 7]), (Kind::Image, &[0; 7])]
        {
            let mut bytes = vec![0; BLOCK_BYTES + MARK_BYTES];
            push(&mut bytes, TAG, kind, Position(1), body);
            let length = bytes.len() - BLOCK_BYTES;
            bytes[BLOCK_BYTES..][..MARK_BYTES].copy_from_slice(&mark(TAG, Position(0), length));
            assert_eq!(walked(&bytes).last, Position(0), "{kind:?}");
        }
    }

    #[test]
    fn no_flipped_bit_of_an_entry_goes_unseen() {
        let bytes = segment(&[(0, &[b"one", b"two"])]);
        let used = BLOCK_BYTES..BLOCK_BYTES + MARK_BYTES + 2 * (HEAD_BYTES + 3);
        for at in used {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                assert!(walked(&bytes).items.len() < 2, "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn what_another_use_of_the_file_left_is_not_read() {
        let bytes = Bytes::from(segment(&[(0, &[b"one"])]));
        assert_eq!(walk(&bytes, TAG + 1, Position(1)).last, Position(0));
    }

    #[test]
    fn a_record_that_looks_like_a_flush_behind_a_gap_is_not_read() {
        // The second block of the big record is a flush by its bytes; only with our tag would it count, and even then
        // nothing behind the gap is taken.
        let forged = segment(&[(0, &[b"forged"])]);
        let mut body = vec![1; BLOCK_BYTES - MARK_BYTES - HEAD_BYTES];
        body.extend_from_slice(&forged[BLOCK_BYTES..]);
        let mut bytes = segment(&[(0, &[&body])]);
        assert!(bytes.ends_with(&[0; 200]) || bytes.len() > 3 * BLOCK_BYTES);
        bytes[BLOCK_BYTES..2 * BLOCK_BYTES].fill(0);
        let walk = walked(&bytes);
        assert_eq!((walk.last, walk.stop), (Position(0), BLOCK_BYTES));
    }

    #[test]
    fn a_mark_behind_a_gap_tells_whether_the_gap_was_durable() {
        let mut bytes = segment(&[(0, &[b"one"]), (1, &[b"two"]), (2, &[b"three"])]);
        bytes[2 * BLOCK_BYTES + 5] ^= 1;
        let walk = walked(&bytes);
        assert_eq!(walk.last, Position(1));
        assert_eq!(marked_beyond(&bytes, TAG, walk.stop), Some(Position(2)));
        assert_eq!(marked_beyond(&bytes, TAG, 3 * BLOCK_BYTES), None);
        assert_eq!(torn_bytes(&bytes, TAG, walk.stop), 2 * BLOCK_BYTES);
    }

    #[test]
    fn positions_have_no_gap() {
        let mut bytes = vec![0; BLOCK_BYTES + MARK_BYTES];
        push(&mut bytes, TAG, Kind::Record, Position(1), b"one");
        push(&mut bytes, TAG, Kind::Record, Position(3), b"three");
        let length = bytes.len() - BLOCK_BYTES;
        bytes[BLOCK_BYTES..][..MARK_BYTES].copy_from_slice(&mark(TAG, Position(0), length));
        assert_eq!(walked(&bytes).last, Position(1));
    }

    #[test]
    fn a_mark_that_knows_what_came_after_it_is_none_of_ours() {
        assert_eq!(walked(&segment(&[(0, &[b"one"]), (2, &[b"two"])])).last, Position(1));
    }
}
