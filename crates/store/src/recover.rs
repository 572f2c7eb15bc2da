//! Opening: what is read, what is cut, what is refused.
//!
//!   1. The lock is taken. Without a lock file there is no log ([`crate::create()`]).
//!   2. The newest segment is read and walked ([`entry::walk`]). Its head and its entries name the snapshot that counts.
//!   3. Back from it, by the numbers in the heads, every segment that holds something from `keep_from` on is read. No
//!      other is: ten gigabytes that a snapshot made unneeded cost a listing.
//!   4. The snapshot is in an entry, which lies not before `keep_from`, or in the file that the entry names: that is read and
//!      checked.
//!   5. What the newest segment held from `keep_from` on is written *anew*, into a new segment, which is synced and named
//!      before anything is told. Then the old one is in the way, like everything that was not read.
//!
//! **What is a torn tail, what is rot?** The walk of a segment that is not the newest must reach the first position of the
//! next one: before that one got its name, everything before it was synced. In the newest, a walk that stops has either
//! come to the end, or to a flush that power cut short, or to damage. If any mark behind the stop calls what is missing
//! durable, it is damage: refused, nothing changed. If none does, then no later flush was begun after a sync of this one,
//! so nothing in it was called durable, but for the last flush of all (see the head of this crate); it is cut.
//!
//! **Why anew?** What is read may be in the system's memory alone: after a sync that failed, or a process that was killed,
//! a read shows bytes that the disk does not have, and a later sync of the same file may say "done" and do nothing. Bytes
//! that are written again are synced like any others. Beyond that, nothing is ever appended behind a torn flush, the marks
//! of a new life cannot be taken for those of an old one (another tag), and restarts do not add up to ever more segments.
//!
//! **A crash while opening** leaves at most one more spare, or a segment that says the same as the one that it replaces.

use crate::chain::Chain;
use crate::create::FORMAT;
use crate::entry::{self, Item, Walk};
use crate::error::{OpenError, Rot};
use crate::folder::{Folder, Name, Open};
use crate::log::{Found, Options, Torn};
use crate::segment::{self, Head};
use crate::snapshot;
use agree::{Position, Recovered};
use bytes::Bytes;
use std::collections::VecDeque;
use std::path::Path;

/// What opening leaves.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) chain: Chain,
    pub(crate) found: Found,
    /// Keeps the directory ours.
    pub(crate) lock: Open,
}

/// Opens the log in `directory`.
pub(crate) fn open(directory: &Path, options: &Options) -> Result<Opened, OpenError> {
    let folder = Folder::new(directory);
    let names = folder.names()?;
    if !names.contains(&Name::Lock) {
        return Err(OpenError::NoLog { directory: directory.to_path_buf() });
    }
    let lock = lock(&folder)?;
    // Listed again: before the lock was ours, another process may have been at work.
    let names = folder.names()?;
    let newest = names.iter().rev().find_map(|name| segment_number(*name));
    let newest = newest.ok_or(OpenError::NoLog { directory: directory.to_path_buf() })?;

    let (head, bytes) = segment::read(&folder, newest)?;
    let walk = entry::walk(&bytes, head.tag, head.first);
    let torn = torn(&folder, &head, &bytes, &walk)?;
    let snapshot = walk.snapshot.or(head.snapshot);
    let keep_from = snapshot.map_or(Position(1), |(_, keep_from)| keep_from);
    let older = older(&folder, &head, keep_from)?;
    let (image, snapshot_file) = match snapshot {
        None => (None, None),
        Some((position, _)) => match inline_image(position, &head, &walk, &older) {
            // Copied: a slice would keep a whole segment in memory.
            Some(image) => (Some(Bytes::copy_from_slice(image)), None),
            None => (Some(snapshot::read(&folder, position)?), Some(position)),
        },
    };

    let mut found = Found {
        recovered: Recovered { snapshot: image, records: Vec::new(), last: walk.last },
        torn,
        segments_read: 1 + older.len(),
        bytes_read: bytes.len() as u64 + older.iter().map(|segment| segment.bytes).sum::<u64>(),
    };
    let records = &mut found.recovered.records;
    for segment in &older {
        records.extend(segment.items.iter().filter_map(record));
    }

    let first = head.first.max(keep_from);
    let items = (head.first.0..).map(Position).zip(walk.items).filter(|(position, _)| *position >= first);
    let behind: VecDeque<_> = older.iter().map(|segment| (segment.number, segment.first)).collect();
    let mut chain = Chain::new(folder, options, behind, first, snapshot, snapshot_file, &names)?;
    for item in items {
        chain.keep(&item.1);
        records.extend(record(&item));
    }
    chain.flush()?;
    assert_eq!(chain.last(), found.recovered.last, "what was found was written anew, position by position");
    #[cfg(test)]
    chain.told();
    Ok(Opened { chain, found, lock })
}

fn lock(folder: &Folder) -> Result<Open, OpenError> {
    let lock = folder.open(Name::Lock)?;
    if !lock.lock()? {
        return Err(OpenError::Locked { directory: folder.directory().to_path_buf() });
    }
    let format = lock.read()?;
    if format != FORMAT.as_bytes() {
        let found = String::from_utf8_lossy(&format[..format.len().min(FORMAT.len() * 2)]).into_owned();
        return Err(OpenError::OtherFormat { file: lock.path().to_path_buf(), found });
    }
    Ok(lock)
}

fn segment_number(name: Name) -> Option<u64> {
    match name {
        Name::Segment(number) => Some(number),
        Name::Spare(_) | Name::Snapshot(_) | Name::SnapshotDraft | Name::Lock => None,
    }
}

fn record((position, item): &(Position, Item)) -> Option<(Position, Bytes)> {
    match item {
        Item::Record(record) => Some((*position, record.clone())),
        Item::Snapshot { .. } => None,
    }
}

/// The image of the snapshot of `position`, if its entry has it.
fn inline_image<'a>(
    position: Position,
    newest: &Head,
    walk: &'a Walk,
    older: &'a VecDeque<Older>,
) -> Option<&'a Bytes> {
    let item = match position.0.checked_sub(newest.first.0) {
        Some(place) => walk.items.get(usize::try_from(place).ok()?)?,
        None => older
            .iter()
            .flat_map(|segment| &segment.items)
            .find(|(at, _)| *at == position)
            .map(|(_, item)| item)?,
    };
    match item {
        Item::Snapshot { image, .. } => image.as_ref(),
        Item::Record(_) => None,
    }
}

/// What of the newest segment was cut short; refuses if it was durable.
fn torn(folder: &Folder, head: &Head, bytes: &[u8], walk: &Walk) -> Result<Option<Torn>, Rot> {
    let file = folder.path(Name::Segment(head.number));
    let offset = walk.stop as u64;
    let next = Position(walk.last.0 + 1);
    // A head may name a snapshot that was put down again right behind it, and synced with it.
    let named = head.snapshot.map(|(position, _)| position);
    let marked = entry::marked_beyond(bytes, head.tag, walk.stop);
    if named.max(marked).is_some_and(|durable| durable >= next) {
        return Err(Rot { file, offset, position: Some(next), what: "what was durable does not read back" });
    }
    let bytes = entry::torn_bytes(bytes, head.tag, walk.stop) as u64;
    Ok((bytes > 0).then_some(Torn { file, offset, bytes, after: walk.last }))
}

/// A segment before the newest.
struct Older {
    number: u64,
    first: Position,
    items: Vec<(Position, Item)>,
    bytes: u64,
}

/// The segments before `newest` that hold something from `keep_from` on, oldest first.
fn older(folder: &Folder, newest: &Head, keep_from: Position) -> Result<VecDeque<Older>, OpenError> {
    let mut older = VecDeque::new();
    let mut next = *newest;
    while next.first > keep_from {
        let number = next.previous;
        let rot = |offset, position, what| Rot {
            file: folder.path(Name::Segment(number)),
            offset,
            position: Some(position),
            what,
        };
        let (head, bytes) = segment::read(folder, number)?;
        // One that got nothing but marks begins where the next one does.
        if head.first > next.first || number >= next.number {
            return Err(rot(0, head.first, "its head does not go before that of the next segment").into());
        }
        let walk = entry::walk(&bytes, head.tag, head.first);
        if walk.last.0 + 1 < next.first.0 {
            let lost = Position(walk.last.0 + 1);
            return Err(rot(walk.stop as u64, lost, "what was durable does not read back").into());
        }
        // A flush that was torn in an earlier life may end behind what the next segment begins with.
        let wanted = keep_from.max(head.first)..next.first;
        let items = (head.first.0..).map(Position).zip(walk.items);
        let items = items.filter(|(position, _)| wanted.contains(position)).collect();
        older.push_front(Older { number, first: head.first, items, bytes: bytes.len() as u64 });
        next = head;
    }
    Ok(older)
}
