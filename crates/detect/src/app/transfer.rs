//! The pieces of a file in the order in which they belong, from pieces in the order in which they come.
//!
//! Upon a piece where the last one ended: its bytes are passed on as they come, and then all that waited for them.
//! Upon a piece elsewhere: it waits until what is before it has come. A piece that begins before the end of what came waits for
//! ever: nothing is told twice.
//! Upon a piece while the one before it is not whole: a part of the file is missing, and it ends there.
//! Upon the last piece: the file ends with it, whole or not.
//!
//! [`Carried`] keeps the file itself and is what protocols use that read and write files in pieces (SMB, NFS).

use super::file::{Ending, FILE_LIMITS, Files};
use crate::Direction;
use std::collections::BTreeMap;

/// Zeros that stand for lost bytes.
const ZEROS: [u8; 4096] = [0; 4096];

/// Bytes of a stream, or so many of them that were lost.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bytes<'a> {
    /// They are there.
    Seen(&'a [u8]),
    /// They are not.
    Lost(u64),
}

impl<'a> Bytes<'a> {
    pub(crate) fn len(&self) -> u64 {
        match self {
            Bytes::Seen(bytes) => bytes.len() as u64,
            Bytes::Lost(count) => *count,
        }
    }

    fn first(self, count: u64) -> Bytes<'a> {
        match self {
            Bytes::Seen(bytes) => {
                Bytes::Seen(&bytes[..usize::try_from(count).unwrap_or(usize::MAX).min(bytes.len())])
            }
            Bytes::Lost(lost) => Bytes::Lost(lost.min(count)),
        }
    }

    /// Shows them bit by bit, zeros for what was lost.
    pub(crate) fn each(self, mut show: impl FnMut(&[u8])) {
        match self {
            Bytes::Seen(bytes) => show(bytes),
            Bytes::Lost(mut count) => {
                while count > 0 {
                    let part = count.min(ZEROS.len() as u64);
                    show(&ZEROS[..part as usize]);
                    count -= part;
                }
            }
        }
    }
}

/// Whom a transfer tells.
pub(crate) trait Sink {
    /// The file begins.
    fn open(&mut self);
    /// It goes on with these bytes.
    fn append(&mut self, bytes: &[u8]);
    /// It ends; a part of it is missing or not.
    fn close(&mut self, is_truncated: bool);
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Stage {
    #[default]
    Nothing,
    Open,
    Truncated,
    Closed,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Where it begins, if that is not where the last one ended.
    elsewhere: Option<u64>,
    left: u64,
    is_last: bool,
}

/// The state of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transfer {
    stage: Stage,
    next: u64,
    piece: Option<Piece>,
    waiting: BTreeMap<u64, Vec<u8>>,
    waiting_bytes: u64,
}

impl Transfer {
    /// Whether the file is open: a part of it came and it was not closed.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open | Stage::Truncated)
    }

    /// Up to where all came.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Bytes that wait for others.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.waiting_bytes
    }

    /// Pieces that wait for others.
    pub(crate) fn waiting_pieces(&self) -> usize {
        self.waiting.len()
    }

    /// Whether the file was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// A piece of `length` bytes that stands at `offset` begins; it may be the last one.
    pub(crate) fn begin(&mut self, offset: u64, length: u32, is_last: bool, sink: &mut impl Sink) {
        if self.piece.is_some_and(|piece| piece.left > 0) {
            self.truncate(sink);
        }
        let elsewhere = (offset != self.next).then_some(offset);
        self.piece = Some(Piece { elsewhere, left: u64::from(length), is_last });
        if self.stage == Stage::Nothing {
            self.stage = Stage::Open;
            sink.open();
        }
        if is_last && elsewhere.is_some() {
            self.truncate(sink);
        }
    }

    /// Bytes come; tells how many of them belong to the piece.
    pub(crate) fn append(&mut self, bytes: Bytes<'_>, sink: &mut impl Sink) -> u64 {
        let Some(piece) = self.piece.as_mut().filter(|piece| piece.left > 0) else {
            return 0;
        };
        let mine = bytes.first(piece.left);
        let count = mine.len();
        piece.left -= count;
        let is_whole = piece.left == 0;
        let (elsewhere, is_last) = (piece.elsewhere, piece.is_last);
        if self.stage != Stage::Open {
            return count;
        }
        match elsewhere {
            Some(offset) => {
                let waiting = self.waiting.entry(offset).or_default();
                mine.each(|bytes| waiting.extend_from_slice(bytes));
                self.waiting_bytes += count;
            }
            None => {
                mine.each(|bytes| sink.append(bytes));
                self.next = self.next.saturating_add(count);
                if is_whole {
                    self.pass_on_what_waited(sink);
                }
            }
        }
        if is_whole && is_last {
            self.close(sink);
        }
        count
    }

    fn pass_on_what_waited(&mut self, sink: &mut impl Sink) {
        while let Some(bytes) = self.waiting.remove(&self.next).filter(|bytes| !bytes.is_empty()) {
            sink.append(&bytes);
            self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes.len() as u64);
            self.next = self.next.saturating_add(bytes.len() as u64);
        }
    }

    /// A part is missing: the file ends here.
    pub(crate) fn truncate(&mut self, sink: &mut impl Sink) {
        if self.stage == Stage::Open {
            self.stage = Stage::Truncated;
            self.waiting.clear();
            self.waiting_bytes = 0;
            sink.close(true);
        }
    }

    /// The file was closed.
    pub(crate) fn close(&mut self, sink: &mut impl Sink) {
        if self.stage != Stage::Truncated && self.stage != Stage::Closed {
            sink.close(false);
        }
        self.stage = Stage::Closed;
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.next = 0;
    }
}

/// A file that is carried in pieces, one way.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    pub(crate) direction: Direction,
    pub(crate) name: Vec<u8>,
    pub(crate) files: Files,
    pub(crate) transfer: Transfer,
    /// After a hole: when it is given up unless something of it comes, in seconds.
    pub(crate) given_up_at: Option<u64>,
    place: Option<usize>,
}

/// Where a file's bytes go.
struct IntoFiles<'a> {
    name: &'a [u8],
    files: &'a mut Files,
    place: &'a mut Option<usize>,
}

impl Sink for IntoFiles<'_> {
    fn open(&mut self) {
        *self.place = self.files.open(self.name, FILE_LIMITS);
    }

    fn append(&mut self, bytes: &[u8]) {
        if let Some(place) = *self.place {
            self.files.append(place, bytes);
        }
    }

    fn close(&mut self, is_truncated: bool) {
        if let Some(place) = *self.place {
            self.files.close(place, if is_truncated { Ending::Truncated } else { Ending::Closed });
        }
    }
}

impl Carried {
    pub(crate) fn new(direction: Direction, name: Vec<u8>) -> Self {
        Carried {
            direction,
            name,
            files: Files::default(),
            transfer: Transfer::default(),
            given_up_at: None,
            place: None,
        }
    }

    /// A piece of it: what came of its `length` bytes.
    pub(crate) fn piece(&mut self, offset: u64, length: u32, is_last: bool, bytes: &[u8]) {
        let (transfer, mut sink) = self.parts();
        transfer.begin(offset, length, is_last, &mut sink);
        transfer.append(Bytes::Seen(bytes), &mut sink);
    }

    /// More of the piece; tells how many of the bytes are its own.
    pub(crate) fn append(&mut self, bytes: Bytes<'_>) -> u64 {
        self.given_up_at = None;
        let (transfer, mut sink) = self.parts();
        transfer.append(bytes, &mut sink)
    }

    pub(crate) fn close(&mut self) {
        let (transfer, mut sink) = self.parts();
        transfer.close(&mut sink);
    }

    pub(crate) fn truncate(&mut self) {
        let (transfer, mut sink) = self.parts();
        transfer.truncate(&mut sink);
    }

    fn parts(&mut self) -> (&mut Transfer, IntoFiles<'_>) {
        let sink = IntoFiles { name: &self.name, files: &mut self.files, place: &mut self.place };
        (&mut self.transfer, sink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Told(String);

    impl Sink for Told {
        fn open(&mut self) {
            self.0.push('<');
        }

        fn append(&mut self, bytes: &[u8]) {
            self.0.push_str(&String::from_utf8_lossy(bytes));
        }

        fn close(&mut self, is_truncated: bool) {
            self.0.push(if is_truncated { '!' } else { '>' });
        }
    }

    fn piece(transfer: &mut Transfer, told: &mut Told, offset: u64, text: &str) {
        transfer.begin(offset, text.len() as u32, false, told);
        assert_eq!(transfer.append(Bytes::Seen(text.as_bytes()), told), text.len() as u64);
    }

    #[test]
    fn pieces_that_come_too_early_wait_for_those_before_them() {
        let (mut transfer, mut told) = (Transfer::default(), Told::default());
        piece(&mut transfer, &mut told, 4, "ef");
        piece(&mut transfer, &mut told, 2, "cd");
        assert_eq!((transfer.waiting_bytes(), transfer.waiting_pieces()), (4, 2));
        piece(&mut transfer, &mut told, 0, "ab");
        assert_eq!(transfer.waiting_bytes(), 0);
        transfer.close(&mut told);
        transfer.close(&mut told);
        assert_eq!(told.0, "<abcdef>");
    }

    #[test]
    fn a_piece_that_begins_while_another_is_not_whole_ends_the_file() {
        let (mut transfer, mut told) = (Transfer::default(), Told::default());
        transfer.begin(0, 10, false, &mut told);
        transfer.append(Bytes::Seen(b"abc"), &mut told);
        piece(&mut transfer, &mut told, 3, "def");
        transfer.close(&mut told);
        assert_eq!(told.0, "<abc!");
    }

    #[test]
    fn zeros_stand_for_what_was_lost_and_bytes_behind_a_piece_are_not_its_own() {
        let (mut transfer, mut told) = (Transfer::default(), Told::default());
        transfer.begin(0, 4, false, &mut told);
        assert_eq!(transfer.append(Bytes::Lost(2), &mut told), 2);
        assert_eq!(transfer.append(Bytes::Seen(b"abcd"), &mut told), 2);
        assert_eq!(transfer.append(Bytes::Seen(b"cd"), &mut told), 0);
        assert_eq!(told.0, "<\0\0ab");
    }

    #[test]
    fn the_last_piece_ends_the_file_and_one_that_comes_too_early_shows_that_a_part_is_missing() {
        let (mut transfer, mut told) = (Transfer::default(), Told::default());
        transfer.begin(0, 2, true, &mut told);
        transfer.append(Bytes::Seen(b"ab"), &mut told);
        assert!(transfer.is_closed());
        assert_eq!(told.0, "<ab>");
        let (mut transfer, mut told) = (Transfer::default(), Told::default());
        transfer.begin(7, 2, true, &mut told);
        assert_eq!(transfer.append(Bytes::Seen(b"ab"), &mut told), 2);
        assert_eq!(told.0, "<!");
    }

    #[test]
    fn what_came_before_is_not_told_again() {
        let (mut transfer, mut told) = (Transfer::default(), Told::default());
        piece(&mut transfer, &mut told, 0, "abcd");
        piece(&mut transfer, &mut told, 2, "CDEF");
        piece(&mut transfer, &mut told, 4, "ef");
        assert_eq!(told.0, "<abcdef");
    }
}
