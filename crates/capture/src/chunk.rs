//! Many frames in one piece of memory.
//!
//! A chunk holds a piece of the capture as it stands in the file, in front of it what was left of the last one (the beginning of a record), and an index of the frames
//! among them. It is lent to who reads again and again, and may be a different one each time, so that some threads read while others look at what was read.

use crate::pcapng::BLOCK_BYTES_MAX;
use crate::{FRAME_BYTES_MAX, Link};
use std::fmt;
use std::io;

/// How many bytes are read at once. Small enough that they are still in a near cache when they are put into the index (each record tells where the next one begins, so
/// that every wait for memory would be waited for in full), and when somebody looks at the frames.
pub const PIECE_BYTES: usize = 256 << 10;

/// Room for the beginning of the longest record there is. It takes memory only where it is used.
pub(crate) const FRONT_BYTES: usize = BLOCK_BYTES_MAX as usize;

const _: () = assert!(FRONT_BYTES > FRAME_BYTES_MAX + crate::pcap::RECORD_HEAD_MODIFIED_BYTES);
// An entry holds a place in a chunk as 32 bits.
const _: () = assert!(FRONT_BYTES + PIECE_BYTES <= u32::MAX as usize);

/// Where a frame is, and what the capture says of it. Records have 16 bytes or more, so an index has at most an entry
/// for each 16 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) time_ns: u64,
    /// From the beginning of the chunk; as a decoder finds it, from the beginning of the record.
    pub(crate) at: u32,
    pub(crate) bytes: u32,
    pub(crate) wire_len: u32,
    pub(crate) link: Link,
}

/// A frame as it was captured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When, in nanoseconds since the epoch. What lies outside of what fits is the nearest that does.
    pub time_ns: u64,
    /// What it begins with.
    pub link: Link,
    /// How long it was on the wire. Nobody has checked that.
    pub wire_len: u32,
    /// What was kept of it.
    pub bytes: &'a [u8],
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("time_ns", &self.time_ns)
            .field("link", &self.link)
            .field("wire_len", &self.wire_len)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// What reading a piece gave.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) bytes: usize,
    pub(crate) behind: Behind,
}

/// What lies behind the bytes that came.
#[derive(Debug)]
pub(crate) enum Behind {
    /// More, perhaps.
    More,
    Nothing,
    /// It cannot be read.
    Fault(io::Error),
}

/// Memory for a piece of a capture and the frames in it.
pub struct Chunk {
    /// Always as long as front and piece together; the piece begins at [`FRONT_BYTES`].
    pub(crate) raw: Vec<u8>,
    /// What was read, until it is put into the index.
    pub(crate) came: Option<Came>,
    pub(crate) index: Vec<Entry>,
    pub(crate) frame_bytes: u64,
}

impl Chunk {
    /// An empty one. This is the allocation; filling it makes no other but for its index.
    #[must_use]
    pub fn new() -> Chunk {
        let raw = vec![0; FRONT_BYTES + PIECE_BYTES];
        Chunk { raw, came: None, index: Vec::new(), frame_bytes: 0 }
    }

    /// The frames, in the order of the capture.
    #[must_use]
    pub fn frames(&self) -> Frames<'_> {
        Frames { raw: &self.raw, index: self.index.iter() }
    }

    /// The frame at a place, from 0.
    #[must_use]
    pub fn frame(&self, place: usize) -> Option<Frame<'_>> {
        self.index.get(place).map(|entry| frame(&self.raw, entry))
    }

    /// How many frames there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// How many bytes all frames have together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.frame_bytes
    }

    pub(crate) fn clear(&mut self) {
        self.index.clear();
        self.frame_bytes = 0;
    }

    /// Reads a piece: what `read` puts into the memory that it is handed. The frames of the last one are gone.
    pub(crate) fn fill(&mut self, read: impl FnOnce(&mut [u8]) -> Came) {
        self.clear();
        self.came = Some(read(self.raw.get_mut(FRONT_BYTES..).unwrap_or_default()));
    }
}

impl Default for Chunk {
    fn default() -> Chunk {
        Chunk::new()
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk")
            .field("frames", &self.len())
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

/// The frames of a chunk, one after the other.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    raw: &'a [u8],
    index: std::slice::Iter<'a, Entry>,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    #[inline]
    fn next(&mut self) -> Option<Frame<'a>> {
        self.index.next().map(|entry| frame(self.raw, entry))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.index.size_hint()
    }
}

impl DoubleEndedIterator for Frames<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.index.next_back().map(|entry| frame(self.raw, entry))
    }
}

impl ExactSizeIterator for Frames<'_> {}

/// The index was made from the same bytes, so that the range is always there.
#[inline]
fn frame<'a>(raw: &'a [u8], entry: &Entry) -> Frame<'a> {
    let bytes = raw.get(entry.at as usize..).and_then(|from| from.get(..entry.bytes as usize));
    Frame {
        time_ns: entry.time_ns,
        link: entry.link,
        wire_len: entry.wire_len,
        bytes: bytes.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_can_be_sent_to_another_thread() {
        fn is_send<T: Send>(_: T) {}
        is_send(Chunk::new());
    }
}
