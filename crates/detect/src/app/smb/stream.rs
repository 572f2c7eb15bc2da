//! Pieces of files within reads and writes, whatever the SMB.

use super::events::Event;
use super::key::{Handle, Key};
use super::state::State;
use super::transaction::{Command, OpenFile, What};
use crate::Direction;
use crate::app::transfer::{Bytes, Carried};

/// Bytes of files of one flow that may wait for others that come before them.
const WAITING_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Pieces of a file that may wait.
const WAITING_PIECES_MAX: usize = 64;
/// After a hole, a file of which as much waits is given up.
const WAITING_AFTER_HOLE_BYTES_MAX: u64 = 2_000_000;

/// A piece of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) direction: Direction,
    pub(super) handle: Handle,
    pub(super) offset: u64,
    /// Its bytes, those that are not here yet among them.
    pub(super) length: u32,
    /// Those that are here.
    pub(super) bytes: &'a [u8],
    /// How many bytes of the record are not here yet.
    pub(super) missing: usize,
}

impl State {
    /// Gives a piece to the file that is open under its handle. Tells whether there is one.
    pub(super) fn give_to_open_file(&mut self, part: &Part<'_>) -> bool {
        let waiting: u64 = self.waiting_bytes();
        let Some(transaction) = self.find_open_file(part.handle, part.direction) else {
            return false;
        };
        let Some(file) = transaction.file_mut().map(|file| &mut file.carried) else {
            return false;
        };
        let overlaps = part.offset < file.transfer.next();
        let (size_event, count_event) = match part.direction {
            Direction::ToServer => (Event::WriteQueueSizeExceeded, Event::WriteQueueCountExceeded),
            Direction::ToClient => (Event::ReadQueueSizeExceeded, Event::ReadQueueCountExceeded),
        };
        let refused = if waiting.saturating_add(u64::from(part.length)) > WAITING_BYTES_MAX {
            Some(size_event)
        } else if file.transfer.waiting_pieces() >= WAITING_PIECES_MAX {
            Some(count_event)
        } else {
            file.piece(part.offset, part.length, false, part.bytes);
            None
        };
        match refused {
            Some(event) => {
                self.note(event);
                self.skip_record(part);
            }
            None => self.expect_rest(part),
        }
        if overlaps {
            self.note(Event::FileOverlap);
        }
        true
    }

    /// Opens an exchange for a file with its first piece.
    pub(super) fn open_file(
        &mut self,
        part: &Part<'_>,
        command: Command,
        key: Key,
        name: Vec<u8>,
        share: Vec<u8>,
    ) {
        let mut carried = Carried::new(part.direction, name);
        carried.piece(part.offset, part.length, false, part.bytes);
        let file = OpenFile { handle: part.handle, share, carried };
        if self.open(command, key, What::File(Box::new(file))).is_some() {
            self.expect_rest(part);
        }
    }

    /// What follows of the record is of no interest.
    pub(super) fn skip_record(&mut self, part: &Part<'_>) {
        self.skip[part.direction.index()] = part.missing;
    }

    /// What follows of the piece belongs to its file, and what follows of the record then to nobody.
    fn expect_rest(&mut self, part: &Part<'_>) {
        let left = u64::from(part.length).saturating_sub(part.bytes.len() as u64);
        let side = part.direction.index();
        self.file_left[side] = (left > 0).then_some((part.handle, left));
        self.skip[side] = part.missing.saturating_sub(usize::try_from(left).unwrap_or(usize::MAX));
    }

    /// Bytes come while a file waits for some: tells how many are its own.
    pub(super) fn give_rest(&mut self, direction: Direction, bytes: Bytes<'_>) -> u64 {
        let side = direction.index();
        let Some((handle, left)) = self.file_left[side] else {
            return 0;
        };
        let mine = left.min(bytes.len());
        self.file_left[side] = (left > mine).then_some((handle, left - mine));
        let had_hole = self.had_hole[0] || self.had_hole[1];
        let found = self.find_file(handle, direction).and_then(|transaction| transaction.file_mut());
        if let Some(file) = found.map(|file| &mut file.carried) {
            if had_hole && file.transfer.waiting_bytes() > WAITING_AFTER_HOLE_BYTES_MAX {
                file.truncate();
            }
            file.append(match bytes {
                Bytes::Seen(seen) => Bytes::Seen(&seen[..usize::try_from(mine).unwrap_or(0).min(seen.len())]),
                Bytes::Lost(_) => Bytes::Lost(mine),
            });
        }
        mine
    }

    fn waiting_bytes(&self) -> u64 {
        self.transactions
            .iter()
            .filter_map(|live| live.transaction.file())
            .map(|file| file.carried.transfer.waiting_bytes())
            .sum()
    }
}
