//! A snapshot in a file of its own, whole or not there. (A small one is an entry of the log instead: [`crate::entry`].)
//!
//! Writing: as a draft; its bytes synced; renamed to the name that its position gives; the directory synced. Only then
//! does the log name it (an entry of kind *snapshot*), and only when that entry is durable does it count. So one that
//! counts is whole, and one that is there but not named counts for nothing: a crash came between, and opening removes it.
//!
//! The bytes: `magic · position u64 · image length u64 · checksum of the image u32 · checksum of this head u32 · image`.

use crate::error::{DiskError, OpenError, Rot};
use crate::folder::{Folder, Name};
use agree::Position;
use bytes::Bytes;

const MAGIC: &[u8; 8] = b"varsnap\x01";

/// What stands before the image.
const HEAD_BYTES: usize = 8 + 8 + 8 + 4 + 4;

/// Writes the image of `position`; when this returns it survives a loss of power, under its name.
pub(crate) fn write(folder: &Folder, position: Position, image: &Bytes) -> Result<(), DiskError> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&position.0.to_le_bytes());
    head.extend_from_slice(&(image.len() as u64).to_le_bytes());
    head.extend_from_slice(&crc32fast::hash(image).to_le_bytes());
    head.extend_from_slice(&crc32fast::hash(&head).to_le_bytes());
    let draft = folder.create(Name::SnapshotDraft)?;
    draft.write(0, &head)?;
    draft.write(HEAD_BYTES as u64, image)?;
    draft.sync()?;
    folder.rename(Name::SnapshotDraft, Name::Snapshot(position))?;
    folder.sync()
}

/// Reads the image of `position`, which counts: if it is not there or not right, something durable was lost.
pub(crate) fn read(folder: &Folder, position: Position) -> Result<Bytes, OpenError> {
    let name = Name::Snapshot(position);
    let rot = |offset, what| Rot { file: folder.path(name), offset, position: Some(position), what };
    if !folder.has(name)? {
        return Err(rot(0, "the log names this snapshot, and it is not there").into());
    }
    let file = Bytes::from(folder.open(name)?.read()?);
    let Some(head) = file.get(..HEAD_BYTES) else {
        return Err(rot(file.len() as u64, "the head of the snapshot is cut off").into());
    };
    let (fields, checksum) = head.split_at(HEAD_BYTES - 4);
    if !fields.starts_with(MAGIC) || crc32fast::hash(fields).to_le_bytes() != checksum {
        return Err(rot(0, "the head of the snapshot does not read back").into());
    }
    if fields[8..16] != position.0.to_le_bytes() {
        return Err(rot(8, "this is the snapshot of another position").into());
    }
    let image = file.slice(HEAD_BYTES..);
    if fields[16..24] != (image.len() as u64).to_le_bytes() {
        return Err(rot(16, "the snapshot has another length than it should").into());
    }
    if fields[24..28] != crc32fast::hash(&image).to_le_bytes() {
        return Err(rot(HEAD_BYTES as u64, "the image of the snapshot does not match its checksum").into());
    }
    Ok(image)
}
