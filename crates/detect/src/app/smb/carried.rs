//! A file that is read or written: its name, its share, its pieces.

use super::key::Handle;
use super::transfer::{Bytes, Sink, Transfer};
use crate::Direction;
use crate::app::file::{Ending, FILE_LIMITS, Files};

/// A file.
#[derive(Clone, Debug)]
pub(super) struct Carried {
    pub(super) direction: Direction,
    pub(super) handle: Handle,
    pub(super) name: Vec<u8>,
    pub(super) share: Vec<u8>,
    pub(super) files: Files,
    pub(super) transfer: Transfer,
    /// After a hole: when it is given up unless something of it comes, in seconds.
    pub(super) given_up_at: Option<u64>,
    place: Option<usize>,
}

/// Where a file's bytes go.
struct Into<'a> {
    name: &'a [u8],
    files: &'a mut Files,
    place: &'a mut Option<usize>,
}

impl Sink for Into<'_> {
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
    pub(super) fn new(direction: Direction, handle: Handle, name: Vec<u8>) -> Self {
        Carried {
            direction,
            handle,
            name,
            share: Vec::new(),
            files: Files::default(),
            transfer: Transfer::default(),
            given_up_at: None,
            place: None,
        }
    }

    /// A piece of it: what came of its `length` bytes.
    pub(super) fn piece(&mut self, offset: u64, length: u32, bytes: &[u8]) {
        let (transfer, mut sink) = self.parts();
        transfer.begin(offset, length, &mut sink);
        transfer.append(Bytes::Seen(bytes), &mut sink);
    }

    /// More of the piece; tells how many of the bytes are its own.
    pub(super) fn append(&mut self, bytes: Bytes<'_>) -> u64 {
        self.given_up_at = None;
        let (transfer, mut sink) = self.parts();
        transfer.append(bytes, &mut sink)
    }

    pub(super) fn close(&mut self) {
        let (transfer, mut sink) = self.parts();
        transfer.close(&mut sink);
    }

    pub(super) fn truncate(&mut self) {
        let (transfer, mut sink) = self.parts();
        transfer.truncate(&mut sink);
    }

    fn parts(&mut self) -> (&mut Transfer, Into<'_>) {
        let sink = Into { name: &self.name, files: &mut self.files, place: &mut self.place };
        (&mut self.transfer, sink)
    }
}
