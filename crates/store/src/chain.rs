//! The order of operations on disk. No thread, no queue: a chain of segments, the last of which is written to.
//!
//! Upon writes, in order:
//!   1. the file of a snapshot that is too large for an entry is written, synced and named ([`snapshot::write`]) before its
//!      entry is put down;
//!   2. entries are gathered into one flush; one that does not fit into the segment any more ends the flush and rolls over;
//!   3. the flush: one write, then one sync (`Async`: no sync, but with a snapshot in it, into a new segment, or before
//!      a roll-over);
//!   4. into a new segment: its head is written and synced together with its first flush; then it gets its name, and the
//!      directory is synced. So a segment that has its name has its head, and everything before it is durable;
//!   5. only now is the position called durable;
//!   6. only after that, and only behind a snapshot that is synced: segments wholly before `keep_from` and the snapshot
//!      before it go, oldest first, one for each flush and the rest when there is nothing else to do.
//!
//! Upon a crash
//!   - in 1: a draft, which opening removes before it needs any room; or a snapshot that nothing names, which goes as in 6;
//!   - in 2 and 3: a torn flush; nothing in it was called durable; what is whole of it may stay;
//!   - in 4: a spare with a head in it, or a segment whose positions were never called durable;
//!   - in 6: segments and snapshots that nothing needs; opening looks at none of them, not even at their heads, since a
//!     file may have been used again while its old name is still the one on disk.
//!
//! Upon any error the caller gives the chain up. What it would have written next is worth nothing.

use crate::entry::{self, BLOCK_BYTES, Item, Kind, MARK_BYTES, blocks};
use crate::error::DiskError;
use crate::folder::{Folder, Name, Open};
use crate::log::{Durability, Options};
use crate::segment::{Head, draw_tag};
use crate::snapshot;
use crate::spare::Spares;
use agree::{Position, Write};
use bytes::Bytes;
use std::collections::VecDeque;

/// The segments of a log, and what is being put down.
#[derive(Debug)]
pub(crate) struct Chain {
    folder: Folder,
    durability: Durability,
    spares: Spares,
    /// Segments that are needed, by number and first position; the last is written to.
    segments: VecDeque<(u64, Position)>,
    /// Segments that are not.
    retired: VecDeque<u64>,
    tail: Tail,
    /// The flush that is being gathered: room for a mark, then entries.
    gathered: Vec<u8>,
    /// The last position in it, or before it.
    last: Position,
    /// Up to where a sync covered everything.
    synced: Position,
    /// Up to where a mark says so.
    marked: Position,
    /// The snapshot that counts, or will with the flush that is being gathered; and its `keep_from`.
    snapshot: Option<(Position, Position)>,
    /// Whose file holds it, if one does.
    snapshot_file: Option<Position>,
    /// Snapshots of more bytes get a file.
    inline_bytes_max: usize,
    /// Files of snapshots that go once that one is synced.
    superseded: Vec<Position>,
}

/// The segment that is written to.
#[derive(Debug)]
struct Tail {
    file: Open,
    head: Head,
    /// The name it has while its head is not durable.
    spare: Option<Name>,
    /// Where the next flush goes.
    end: u64,
}

/// More of a flush than this is not kept allocated.
const GATHERED_BYTES_KEPT: usize = 4 << 20;

impl Chain {
    /// Begins a segment behind `behind` (oldest first) at position `first`; nothing is durable of it before the first
    /// [`Chain::flush`]. Of `names`, everything but `behind` and the file of the snapshot is in the way.
    pub(crate) fn new(
        folder: Folder,
        options: &Options,
        behind: VecDeque<(u64, Position)>,
        first: Position,
        snapshot: Option<(Position, Position)>,
        snapshot_file: Option<Position>,
        names: &[Name],
    ) -> Result<Self, DiskError> {
        if names.contains(&Name::SnapshotDraft) {
            folder.remove(Name::SnapshotDraft)?;
        }
        let mut spares = Spares::new(&folder, options.segment_bytes, names)?;
        let numbers = names
            .iter()
            .filter_map(|name| if let Name::Segment(number) = name { Some(*number) } else { None });
        let newest = numbers.clone().max().unwrap_or(0);
        let before = Position(first.0 - 1);
        let mut segments = behind;
        let previous = segments.back().map_or(0, |(number, _)| *number);
        let tail = Tail::begin(&folder, &mut spares, (newest + 1, previous), first, snapshot)?;
        let retired = numbers.filter(|number| !segments.iter().any(|(needed, _)| needed == number)).collect();
        segments.push_back((tail.head.number, first));
        let superseded = names.iter().filter_map(|name| match name {
            Name::Snapshot(position) if Some(*position) != snapshot_file => Some(*position),
            _ => None,
        });
        Ok(Chain {
            durability: options.durability,
            spares,
            segments,
            retired,
            tail,
            gathered: vec![0; MARK_BYTES],
            last: before,
            synced: before,
            marked: before,
            snapshot,
            snapshot_file,
            inline_bytes_max: options.inline_bytes_max.min(entry::IMAGE_BYTES_MAX),
            superseded: superseded.collect(),
            folder,
        })
    }

    /// The position of the last write that was taken.
    pub(crate) fn last(&self) -> Position {
        self.last
    }

    /// Notes, for a test, what is told now.
    #[cfg(test)]
    pub(crate) fn told(&self) {
        self.folder.told(self.last, self.synced);
    }

    /// How many segments are needed.
    pub(crate) fn segments(&self) -> usize {
        self.segments.len()
    }

    /// How many bytes of the disk they take.
    pub(crate) fn bytes(&self) -> u64 {
        self.segments() as u64 * self.spares.segment_bytes()
    }

    /// How much the next flush may write without a roll-over. None while the segment has no name.
    pub(crate) fn room_bytes(&self) -> u64 {
        match self.tail.spare {
            Some(_) => 0,
            None => self.tail.head.file_bytes.saturating_sub(self.tail.end),
        }
    }

    /// Takes a write; it is on its way after the next [`Chain::flush`].
    pub(crate) fn take(&mut self, write: &Write) -> Result<(), DiskError> {
        match write {
            Write::Record(record) => self.entry(Kind::Record, record),
            Write::Snapshot { image, keep_from } => self.take_snapshot(image, *keep_from),
        }
    }

    fn take_snapshot(&mut self, image: &Bytes, keep_from: Position) -> Result<(), DiskError> {
        let position = Position(self.last.0 + 1);
        // What went does not come back, and what was not yet written is not done away with.
        let gone = self.snapshot.map_or(Position(1), |(_, keep_from)| keep_from);
        let keep_from = keep_from.max(gone).min(position);
        let file = (image.len() > self.inline_bytes_max).then_some(position);
        match file {
            None => self.entry(Kind::Image, &entry::image_body(keep_from, image))?,
            Some(position) => {
                snapshot::write(&self.folder, position, image)?;
                self.entry(Kind::Snapshot, &keep_from.0.to_le_bytes())?;
                // One of that position may lie about that nothing ever named.
                self.superseded.retain(|older| *older != position);
            }
        }
        self.snapshot = Some((position, keep_from));
        self.superseded.extend(core::mem::replace(&mut self.snapshot_file, file));
        Ok(())
    }

    /// Puts down again what opening found. All of it goes into the segment that this chain began with, whose file grows
    /// where it must: were it spread over two, then a crash between them would leave the first in the place of them all.
    pub(crate) fn keep(&mut self, item: &Item) {
        match item {
            Item::Record(record) => self.gather(Kind::Record, record),
            Item::Snapshot { keep_from, image: None } => {
                self.gather(Kind::Snapshot, &keep_from.0.to_le_bytes());
            }
            Item::Snapshot { keep_from, image: Some(image) } => {
                self.gather(Kind::Image, &entry::image_body(*keep_from, image));
            }
        }
    }

    fn entry(&mut self, kind: Kind, body: &[u8]) -> Result<(), DiskError> {
        let bytes = self.gathered.len() + entry::HEAD_BYTES + body.len();
        let is_fresh = self.tail.spare.is_some() && self.gathered.len() == MARK_BYTES;
        // A segment takes at least one entry, however large: then its file grows.
        if !is_fresh && self.tail.end + blocks(bytes) as u64 > self.tail.head.file_bytes {
            self.roll_over()?;
        }
        self.gather(kind, body);
        Ok(())
    }

    fn gather(&mut self, kind: Kind, body: &[u8]) {
        self.last = Position(self.last.0 + 1);
        entry::push(&mut self.gathered, self.tail.head.tag, kind, self.last, body);
    }

    fn roll_over(&mut self) -> Result<(), DiskError> {
        if self.gathered.len() > MARK_BYTES {
            self.put_down(true)?;
        } else {
            self.sync()?;
        }
        let first = Position(self.last.0 + 1);
        let previous = self.tail.head.number;
        let number = previous + 1;
        self.tail = Tail::begin(&self.folder, &mut self.spares, (number, previous), first, self.snapshot)?;
        self.segments.push_back((number, first));
        Ok(())
    }

    /// Makes durable what was put down, if anything is not.
    fn sync(&mut self) -> Result<(), DiskError> {
        if self.synced < self.last {
            self.tail.file.sync()?;
            self.synced = self.last;
        }
        Ok(())
    }

    /// Writes what was gathered. Everything taken so far may be called durable after it.
    pub(crate) fn flush(&mut self) -> Result<(), DiskError> {
        let names_a_snapshot = self.snapshot.is_some_and(|(position, _)| position > self.synced);
        self.put_down(self.durability == Durability::Fsync || names_a_snapshot)
    }

    fn put_down(&mut self, sync: bool) -> Result<(), DiskError> {
        let bytes = self.gathered.len();
        let mark = entry::mark(self.tail.head.tag, self.synced, bytes);
        self.gathered[..MARK_BYTES].copy_from_slice(&mark);
        self.gathered.resize(blocks(bytes), 0);
        self.tail.file.write(self.tail.end, &self.gathered)?;
        self.tail.end += self.gathered.len() as u64;
        self.gathered.clear();
        self.gathered.shrink_to(GATHERED_BYTES_KEPT);
        self.gathered.resize(MARK_BYTES, 0);
        let marked = self.synced;
        if sync || self.tail.spare.is_some() {
            self.tail.file.sync()?;
            self.tail.name(&self.folder)?;
            self.synced = self.last;
        }
        self.marked = marked;
        Ok(())
    }

    /// Whether everything is synced, and a mark says so.
    pub(crate) fn is_marked(&self) -> bool {
        self.marked == self.last
    }

    /// Makes everything that was put down durable, and says so on disk.
    pub(crate) fn mark(&mut self) -> Result<(), DiskError> {
        self.sync()?;
        if self.tail.end + BLOCK_BYTES as u64 > self.tail.head.file_bytes {
            // The head of the next segment says so too.
            self.roll_over()?;
        }
        self.put_down(true)
    }

    /// Does away with one thing that nothing needs any more; false if there is none.
    pub(crate) fn tidy(&mut self) -> Result<bool, DiskError> {
        if let Some((snapshot, keep_from)) = self.snapshot {
            debug_assert!(snapshot <= self.synced, "a flush with a snapshot is synced");
            // The positions of a segment end where those of the next begin.
            if self.segments.get(1).is_some_and(|(_, next)| *next <= keep_from) {
                self.retired.extend(self.segments.pop_front().map(|(number, _)| number));
            }
        }
        if let Some(older) = self.superseded.pop() {
            self.folder.remove(Name::Snapshot(older))?;
            return Ok(true);
        }
        self.retire()
    }

    fn retire(&mut self) -> Result<bool, DiskError> {
        let Some(number) = self.retired.pop_front() else { return Ok(false) };
        self.spares.give(Name::Segment(number))?;
        Ok(true)
    }
}

impl Tail {
    fn begin(
        folder: &Folder,
        spares: &mut Spares,
        (number, previous): (u64, u64),
        first: Position,
        snapshot: Option<(Position, Position)>,
    ) -> Result<Self, DiskError> {
        let spare = spares.take()?;
        let file = folder.open(spare)?;
        let head = Head { number, previous, tag: draw_tag(), first, file_bytes: file.length()?, snapshot };
        file.write(0, &head.to_block())?;
        Ok(Tail { file, head, spare: Some(spare), end: BLOCK_BYTES as u64 })
    }

    /// Gives it its name, once its head is durable.
    fn name(&mut self, folder: &Folder) -> Result<(), DiskError> {
        if let Some(spare) = self.spare.take() {
            folder.rename(spare, Name::Segment(self.head.number))?;
            folder.sync()?;
        }
        Ok(())
    }
}
