//! Frames in a stream of bytes: `length u32 | frame`, one after the other.
//!
//! Upon bytes from the stream: they are gathered until a frame is whole; frames share the buffer they came in.
//! Upon a length over [`FRAME_BYTES_MAX`], or of zero: an error. A stream that says so is of no use any more.

use bytes::{Bytes, BytesMut};
use core::fmt;
use wire::frame::FRAME_BYTES_MAX;

/// Bytes of a length.
const PREFIX_BYTES: usize = 4;

/// Bytes of a buffer that a stream is gathered in. Frames share it, so it lives as long as the last of them. It is filled to
/// its end before there is another: a peer that sends a byte now and then must not cost a buffer each.
const BUFFER_BYTES: usize = 128 << 10;

/// A stream that announces a frame that cannot be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadLength(pub u32);

impl fmt::Display for BadLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a frame of {} bytes was announced; it has 1 to {FRAME_BYTES_MAX}", self.0)
    }
}

impl core::error::Error for BadLength {}

/// What came of a stream and was not taken yet.
#[derive(Debug, Default)]
pub struct Inbound {
    bytes: BytesMut,
}

impl Inbound {
    /// Adds what came.
    pub fn extend(&mut self, bytes: &[u8]) {
        let room = self.bytes.capacity() - self.bytes.len();
        if room < bytes.len() {
            self.bytes.reserve(bytes.len().max(BUFFER_BYTES));
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame, if it is whole.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, BadLength> {
        let Some(prefix) = self.bytes.first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
        let announced = u32::from_le_bytes(*prefix);
        let length = usize::try_from(announced).unwrap_or(usize::MAX);
        if !(1..=FRAME_BYTES_MAX).contains(&length) {
            return Err(BadLength(announced));
        }
        if self.bytes.len() < PREFIX_BYTES + length {
            return Ok(None);
        }
        let mut frame = self.bytes.split_to(PREFIX_BYTES + length);
        Ok(Some(frame.split_off(PREFIX_BYTES).freeze()))
    }
}

/// Appends a frame with its length.
pub fn append(frame: &[u8], to: &mut Vec<u8>) {
    debug_assert!((1..=FRAME_BYTES_MAX).contains(&frame.len()));
    to.extend_from_slice(&(frame.len() as u32).to_le_bytes());
    to.extend_from_slice(frame);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_however_the_stream_was_cut() {
        let frames: Vec<Vec<u8>> = (1..50_usize).map(|length| vec![length as u8; length]).collect();
        let mut stream = Vec::new();
        frames.iter().for_each(|frame| append(frame, &mut stream));
        for cut in 1..60 {
            let mut inbound = Inbound::default();
            let mut out = Vec::new();
            for piece in stream.chunks(cut) {
                inbound.extend(piece);
                while let Some(frame) = inbound.next_frame().expect("lengths are right") {
                    out.push(frame.to_vec());
                }
            }
            assert_eq!(out, frames);
        }
    }

    #[test]
    fn a_length_that_cannot_be_is_refused_before_anything_is_gathered() {
        for length in [0, FRAME_BYTES_MAX as u32 + 1, u32::MAX] {
            let mut inbound = Inbound::default();
            inbound.extend(&length.to_le_bytes());
            assert_eq!(inbound.next_frame(), Err(BadLength(length)));
        }
    }
}
