//! Brotli (RFC 7932).
//!
//! The decoder's state cannot be cloned; so what went in is kept, and a clone decodes it anew without giving it out
//! again. That is bounded by [`INPUT_BYTES_MAX`], beyond which decoding stops: more than is ever looked at of what
//! comes out. Windows above [`WINDOW_BYTES_MAX`] are refused, so that a stranger's header does not take 16 MiB.

use super::{Failure, Receiver};
use crate::room::Room;
use brotli_decompressor::{
    Allocator, BrotliDecompressStream, BrotliResult, BrotliState, SliceWrapper, StandardAlloc,
};

/// Compressed bytes at most.
const INPUT_BYTES_MAX: usize = 128 * 1024;
/// The largest piece of memory that the decoder gets: its window, for all that it can reach.
const WINDOW_BYTES_MAX: usize = 4 * 1024 * 1024 + 4096;
/// Bytes that come out in one piece at most.
const PIECE_BYTES_MAX: usize = 8 * 1024;

/// Bytes that the decoder holds beside its window, at most: tables of codes.
const TABLES_BYTES: usize = 32 * 1024;

/// Memory up to a limit; beyond it nothing, which the decoder takes for an error.
#[derive(Default)]
struct BoundedAlloc {
    alloc: StandardAlloc,
    /// Bytes that were given and not taken back.
    held: usize,
}

impl Allocator<u8> for BoundedAlloc {
    type AllocatedMemory = <StandardAlloc as Allocator<u8>>::AllocatedMemory;

    fn alloc_cell(&mut self, len: usize) -> Self::AllocatedMemory {
        if len > WINDOW_BYTES_MAX {
            return Self::AllocatedMemory::default();
        }
        self.held = self.held.saturating_add(len);
        self.alloc.alloc_cell(len)
    }

    fn free_cell(&mut self, data: Self::AllocatedMemory) {
        self.held = self.held.saturating_sub(data.slice().len());
        <StandardAlloc as Allocator<u8>>::free_cell(&mut self.alloc, data);
    }
}

type State = BrotliState<BoundedAlloc, StandardAlloc, StandardAlloc>;

pub(super) struct Brotli {
    state: State,
    input: Room,
    is_over: bool,
}

impl Clone for Brotli {
    fn clone(&self) -> Self {
        let mut clone = Brotli::new();
        // It went in before, so it goes in again; a failure, too, would be the same.
        let _same_as_before = clone.decode(&self.input, &mut |_| Ok(()));
        clone.input = self.input.clone();
        clone
    }
}

impl Brotli {
    pub(super) fn new() -> Self {
        let state =
            BrotliState::new(BoundedAlloc::default(), StandardAlloc::default(), StandardAlloc::default());
        Brotli { state, input: Room::default(), is_over: false }
    }

    pub(super) fn held_bytes(&self) -> usize {
        size_of::<State>() + TABLES_BYTES + self.state.alloc_u8.held + self.input.capacity()
    }

    pub(super) fn write(&mut self, input: &[u8], receive: Receiver<'_>) -> Result<(), Failure> {
        let before = self.input.len();
        let room = INPUT_BYTES_MAX.saturating_sub(before).min(input.len());
        let (now, beyond) = input.split_at(room);
        let mut given: usize = 0;
        let result = self.decode(now, &mut |piece| {
            given = given.saturating_add(piece.len());
            receive(piece)
        });
        match result {
            Err(Failure::Corrupt { .. }) => self.give_all(before, now, given, receive),
            Ok(()) if !beyond.is_empty() && !self.is_over => Err(Failure::Refused),
            result => result,
        }
    }

    /// The data breaks off within `input`, and what was understood of it does not come out, but for `given` bytes: it would if it came byte by byte, so that is done.
    fn give_all(
        &self,
        before: usize,
        input: &[u8],
        given: usize,
        receive: Receiver<'_>,
    ) -> Result<(), Failure> {
        let mut again = Brotli::new();
        let _as_before = again.decode(self.input.get(..before).unwrap_or_default(), &mut |_| Ok(()));
        let mut known = given;
        for byte in input.chunks(1) {
            again.decode(byte, &mut |piece| {
                let new = piece.get(known.min(piece.len())..).unwrap_or_default();
                known = known.saturating_sub(piece.len());
                if new.is_empty() { Ok(()) } else { receive(new) }
            })?;
        }
        Err(Failure::Corrupt { done: 0 })
    }

    fn decode(&mut self, input: &[u8], receive: Receiver<'_>) -> Result<(), Failure> {
        if self.is_over {
            return Ok(());
        }
        self.input.extend_from_slice(input);
        let (mut left, mut at, mut total) = (input.len(), 0, 0);
        let mut piece = [0; PIECE_BYTES_MAX];
        loop {
            let (mut room, mut written) = (PIECE_BYTES_MAX, 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut at,
                input,
                &mut room,
                &mut written,
                &mut piece,
                &mut total,
                &mut self.state,
            );
            let output = piece.get(..written).unwrap_or_default();
            if !output.is_empty() {
                receive(output).map_err(|_| Failure::Refused)?;
            }
            match result {
                BrotliResult::NeedsMoreOutput => {}
                BrotliResult::NeedsMoreInput => return Ok(()),
                BrotliResult::ResultSuccess => {
                    self.is_over = true;
                    return Ok(());
                }
                BrotliResult::ResultFailure => return Err(Failure::Corrupt { done: 0 }),
            }
        }
    }
}
