//! Pieces of files in reads and writes.

use super::state::{Asked, Left, State};
use super::transaction::{Event, NfsTransaction};
use crate::Direction;
use crate::app::transfer::Bytes;

/// Bytes of a piece; larger ones are passed over.
const PIECE_BYTES_MAX: u32 = 16 * 1024 * 1024;
/// Bytes of files of one flow that may wait for others that come before them; beyond, a piece is passed over.
const WAITING_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// After a hole, a file of which as much waits is given up.
const WAITING_AFTER_HOLE_BYTES_MAX: u64 = 2_000_000;

/// A piece of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) xid: u32,
    pub(super) handle: &'a [u8],
    pub(super) offset: u64,
    /// Its bytes, those that are not here yet among them.
    pub(super) length: u32,
    /// Those that are here.
    pub(super) bytes: &'a [u8],
    pub(super) is_last: bool,
    /// How many bytes of the record are not here yet.
    pub(super) missing: u64,
}

impl State {
    /// A piece is written. `procedure` and `version` are those of the exchange, if it opens one.
    pub(super) fn written(&mut self, part: &Part<'_>, procedure: u32, version: u32) {
        if part.length == 0 || part.length > PIECE_BYTES_MAX {
            self.skip[0] = part.missing;
            return;
        }
        let is_new = self.find_file(part.handle, Direction::ToServer).is_none();
        if is_new {
            let mut transaction = NfsTransaction::new(part.xid, version, procedure);
            transaction.name = self.name_of(part.handle);
            transaction.handle = part.handle.to_vec();
            self.open_file(transaction, Direction::ToServer);
        }
        self.piece(part, Direction::ToServer);
        if part.is_last
            && let Some(transaction) = self.find_file(part.handle, Direction::ToServer)
        {
            // As Suricata counts: a file of one piece waits for nothing from the client, one of several for nothing from the
            // server.
            transaction.done[usize::from(!is_new)] = true;
        }
        self.close_if_whole(part.handle, Direction::ToServer);
    }

    /// A piece is read.
    pub(super) fn read(
        &mut self,
        part: &Part<'_>,
        asked: &Asked,
        procedure: u32,
        rpc_state: u32,
        status: u32,
    ) {
        if part.length == 0 || part.length > PIECE_BYTES_MAX {
            self.skip[1] = part.missing;
            return;
        }
        if self.find_file(part.handle, Direction::ToClient).is_none() {
            let mut transaction = NfsTransaction::new(part.xid, 0, procedure);
            transaction.name.clone_from(&asked.name);
            transaction.handle = part.handle.to_vec();
            self.open_file(transaction, Direction::ToClient);
        }
        self.piece(part, Direction::ToClient);
        if part.is_last
            && let Some(transaction) = self.find_file(part.handle, Direction::ToClient)
        {
            transaction.rpc_state = rpc_state;
            transaction.status = status;
            transaction.done[0] = true;
            transaction.done[1] |= part.bytes.len() >= part.length as usize;
        }
    }

    fn piece(&mut self, part: &Part<'_>, direction: Direction) {
        let waiting = self.waiting_bytes();
        let Some(file) =
            self.find_file(part.handle, direction).and_then(|transaction| transaction.file.as_mut())
        else {
            return;
        };
        if waiting.saturating_add(u64::from(part.length)) > WAITING_BYTES_MAX {
            self.skip[direction.index()] = part.missing;
            return;
        }
        file.carried.piece(part.offset, part.length, part.is_last, part.bytes);
        file.pieces = file.pieces.saturating_add(1);
        if part.is_last {
            file.last_xid = part.xid;
            file.is_last = true;
        }
        let left = u64::from(part.length).saturating_sub(part.bytes.len() as u64).min(part.missing);
        let side = direction.index();
        self.left[side] = (left > 0).then(|| Left { handle: part.handle.to_vec(), bytes: left });
        self.skip[side] = part.missing.saturating_sub(left);
    }

    /// Bytes come while a file waits for some, or while some are of no interest: tells how many those are.
    pub(super) fn give_rest(&mut self, direction: Direction, bytes: Bytes<'_>) -> u64 {
        let side = direction.index();
        let mut given = 0;
        if let Some(Left { handle, bytes: left }) = self.left[side].take() {
            given = left.min(bytes.len());
            if left > given {
                self.left[side] = Some(Left { handle: handle.clone(), bytes: left - given });
            }
            self.append(&handle, direction, bytes, given);
        }
        if self.left[side].is_some() {
            return given;
        }
        let skipped = self.skip[side].min(bytes.len().saturating_sub(given));
        self.skip[side] -= skipped;
        given + skipped
    }

    fn append(&mut self, handle: &[u8], direction: Direction, bytes: Bytes<'_>, count: u64) {
        let had_hole = self.had_hole[0] || self.had_hole[1];
        let Some(transaction) = self.find_file(handle, direction) else {
            return;
        };
        let Some(file) = transaction.file.as_mut() else {
            return;
        };
        if had_hole && file.carried.transfer.waiting_bytes() > WAITING_AFTER_HOLE_BYTES_MAX {
            file.carried.truncate();
        }
        file.carried.append(match bytes {
            Bytes::Seen(seen) => Bytes::Seen(&seen[..usize::try_from(count).unwrap_or(0).min(seen.len())]),
            Bytes::Lost(_) => Bytes::Lost(count),
        });
        self.close_if_whole(handle, direction);
    }

    /// A file whose last piece is there takes no more.
    fn close_if_whole(&mut self, handle: &[u8], direction: Direction) {
        let Some(transaction) = self.find_file(handle, direction) else {
            return;
        };
        if let Some(file) = transaction.file.as_mut().filter(|file| file.carried.transfer.is_closed()) {
            file.is_closed = true;
            transaction.done[direction.index()] = true;
        }
    }

    /// The client is done with writing a file.
    pub(super) fn commit(&mut self, handle: &[u8], xid: u32, is_counted: bool) {
        let Some(transaction) = self.find_file(handle, Direction::ToServer) else {
            return;
        };
        transaction.done[0] = true;
        if let Some(file) = transaction.file.as_mut() {
            file.was_committed |= is_counted;
            file.pieces = file.pieces.saturating_add(u32::from(is_counted));
            file.last_xid = xid;
            file.is_last = true;
            file.is_closed = true;
            file.carried.close();
        }
    }

    /// A message could not be read.
    pub(super) fn malformed(&mut self) {
        self.note(Event::MalformedData);
    }

    fn waiting_bytes(&self) -> u64 {
        let files = self.transactions.iter().filter_map(|live| live.transaction.file.as_ref());
        files.map(|file| file.carried.transfer.waiting_bytes()).sum()
    }
}
