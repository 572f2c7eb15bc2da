//! A segment: a file of the log, its head, and how it is made ready.
//!
//! The head fills the first block. It says which use of the file this is (`number`, `tag`), which position its first
//! entry takes, how long the file was when it was made ready, and which snapshot counted then: so opening needs no
//! segment before the one in which `keep_from` lies.
//!
//! A segment is made ready by writing zeros over its whole length and syncing them: then a flush into it changes no
//! metadata, and `fdatasync` writes the data alone. A segment that was used before is ready as it is.

use crate::entry::BLOCK_BYTES;
use crate::error::{DiskError, OpenError, Rot};
use crate::folder::{Folder, Name, Open};
use agree::Position;
use bytes::Bytes;
use std::hash::{BuildHasher, RandomState};

/// The first bytes of a segment; the last of them is the version of all formats in the directory. With 2 came images in the log: who
/// does not know of them would take one for a flush that was cut short.
const MAGIC: &[u8; 8] = b"varlog\x00\x02";

/// The version before, which has nothing that this one has not.
const MAGIC_BEFORE: &[u8; 8] = b"varlog\x00\x01";

/// The bytes of a head that mean something; the rest of its block is zero.
const HEAD_BYTES: usize = 8 + 7 * 8 + 4;

/// How much is written at once when a file is made ready.
const ZEROS_BYTES: usize = 1 << 20;

/// The first block of a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    /// Larger than that of every segment before it; never used again.
    pub(crate) number: u64,
    /// The segment that holds what comes right before; 0 if nothing does. Numbers between the two were superseded.
    pub(crate) previous: u64,
    /// What every entry in it carries.
    pub(crate) tag: u64,
    /// What its first entry takes. Everything before it was durable when this head was written.
    pub(crate) first: Position,
    /// The length of the file then.
    pub(crate) file_bytes: u64,
    /// The snapshot that counted then, and its `keep_from`.
    pub(crate) snapshot: Option<(Position, Position)>,
}

impl Head {
    pub(crate) fn to_block(self) -> [u8; BLOCK_BYTES] {
        let (snapshot, keep_from) = self.snapshot.unwrap_or_default();
        let fields =
            [self.number, self.previous, self.tag, self.first.0, self.file_bytes, snapshot.0, keep_from.0];
        let mut block = [0; BLOCK_BYTES];
        block[..8].copy_from_slice(MAGIC);
        for (field, to) in fields.iter().zip(block[8..].chunks_exact_mut(8)) {
            to.copy_from_slice(&field.to_le_bytes());
        }
        let checksum = crc32fast::hash(&block[..HEAD_BYTES - 4]);
        block[HEAD_BYTES - 4..HEAD_BYTES].copy_from_slice(&checksum.to_le_bytes());
        block
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Head> {
        let bytes = bytes.get(..HEAD_BYTES)?;
        let (fields, checksum) = bytes.split_at(HEAD_BYTES - 4);
        let is_known = fields.starts_with(MAGIC) || fields.starts_with(MAGIC_BEFORE);
        if !is_known || crc32fast::hash(fields).to_le_bytes() != checksum {
            return None;
        }
        let mut fields = fields[8..].chunks_exact(8);
        let mut field = || Some(u64::from_le_bytes(fields.next()?.try_into().ok()?));
        let (number, previous, tag) = (field()?, field()?, field()?);
        let (first, file_bytes) = (Position(field()?), field()?);
        let (snapshot, keep_from) = (Position(field()?), Position(field()?));
        let snapshot = (snapshot.0 > 0).then_some((snapshot, keep_from));
        Some(Head { number, previous, tag, first, file_bytes, snapshot })
    }
}

/// Reads segment `number`, which is needed.
///
/// A file gets its name as a segment after its head and its length are durable, so neither can be a torn one.
pub(crate) fn read(folder: &Folder, number: u64) -> Result<(Head, Bytes), OpenError> {
    let name = Name::Segment(number);
    let rot = |offset, position, what| Rot { file: folder.path(name), offset, position, what };
    if !folder.has(name)? {
        return Err(rot(0, None, "it is needed, and it is not there").into());
    }
    let bytes = Bytes::from(folder.open(name)?.read()?);
    let Some(head) = Head::from_bytes(&bytes) else {
        return Err(rot(0, None, "its head does not read back").into());
    };
    let first = Some(head.first);
    if head.number != number {
        return Err(rot(8, first, "its head is that of another segment").into());
    }
    if (bytes.len() as u64) < head.file_bytes {
        return Err(rot(bytes.len() as u64, first, "its end is cut off").into());
    }
    Ok((head, bytes))
}

/// A tag that nobody can foresee and nothing on disk carries.
pub(crate) fn draw_tag() -> u64 {
    // The standard library's hasher has random keys; without them its hash of nothing cannot be known.
    RandomState::new().hash_one(())
}

/// Makes a file of `bytes` zeros that are on disk, not only promised.
pub(crate) fn make_ready(folder: &Folder, name: Name, bytes: u64) -> Result<(), DiskError> {
    let file: Open = folder.create(name)?;
    let zeros = vec![0; ZEROS_BYTES];
    let mut at = 0;
    while at < bytes {
        let piece = (bytes - at).min(ZEROS_BYTES as u64);
        file.write(at, &zeros[..piece as usize])?;
        at += piece;
    }
    file.sync()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_back_and_no_flipped_bit_goes_unseen() {
        let snapshot = Some((Position(7), Position(5)));
        let head = Head {
            number: 3,
            previous: 1,
            tag: draw_tag(),
            first: Position(8),
            file_bytes: 1 << 24,
            snapshot,
        };
        let block = head.to_block();
        assert_eq!(Head::from_bytes(&block), Some(head));
        for bit in 0..HEAD_BYTES * 8 {
            let mut block = block;
            block[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::from_bytes(&block), None, "bit {bit}");
        }
    }

    #[test]
    fn the_version_before_is_read_and_others_are_not() {
        let head =
            Head { number: 1, previous: 0, tag: 7, first: Position(1), file_bytes: 8192, snapshot: None };
        let of_version = |version: u8| {
            let mut block = head.to_block();
            block[7] = version;
            let checksum = crc32fast::hash(&block[..HEAD_BYTES - 4]);
            block[HEAD_BYTES - 4..HEAD_BYTES].copy_from_slice(&checksum.to_le_bytes());
            Head::from_bytes(&block)
        };
        assert_eq!([0, 1, 2, 3].map(of_version), [None, Some(head), Some(head), None]);
    }

    #[test]
    fn tags_differ() {
        let tags: std::collections::BTreeSet<u64> = (0..1000).map(|_| draw_tag()).collect();
        assert_eq!(tags.len(), 1000);
    }
}
