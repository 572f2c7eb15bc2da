//! Deflate, bare (RFC 1951) or with zlib's header and sum (RFC 1950).
//!
//! Promises: what can be decoded before the data breaks off comes out, however the data was cut; what stands behind the end is ignored, and
//! so is a sum that is wrong. Its window is 32 KiB and is its state, which is why it can be cloned.

use super::{Failure, Receiver};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_IGNORE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER,
};
use miniz_oxide::inflate::core::{DecompressorOxide, TINFL_LZ_DICT_SIZE, decompress};

/// Bytes that come out in one piece at most.
const PIECE_BYTES_MAX: usize = 8 * 1024;

#[derive(Clone)]
pub(super) struct Deflate {
    state: DecompressorOxide,
    window: [u8; TINFL_LZ_DICT_SIZE],
    /// Where in the window the next byte goes.
    at: usize,
    flags: u32,
    is_over: bool,
}

impl Deflate {
    pub(super) fn bare() -> Self {
        Deflate::new(0)
    }

    pub(super) fn with_header() -> Self {
        Deflate::new(TINFL_FLAG_PARSE_ZLIB_HEADER)
    }

    fn new(flags: u32) -> Self {
        Deflate {
            state: DecompressorOxide::new(),
            window: [0; TINFL_LZ_DICT_SIZE],
            at: 0,
            flags: flags | TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_IGNORE_ADLER32,
            is_over: false,
        }
    }

    pub(super) fn write(&mut self, input: &[u8], receive: Receiver<'_>) -> Result<(), Failure> {
        let mut rest = input;
        while !self.is_over {
            let (status, taken, given) =
                decompress(&mut self.state, rest, &mut self.window, self.at, self.flags);
            rest = rest.get(taken..).unwrap_or_default();
            let end = self.at.saturating_add(given);
            let output = self.window.get(self.at..end).unwrap_or_default();
            for piece in output.chunks(PIECE_BYTES_MAX) {
                receive(piece).map_err(|_| Failure::Refused)?;
            }
            self.at = end % TINFL_LZ_DICT_SIZE;
            match status {
                TINFLStatus::Done => self.is_over = true,
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput => return Ok(()),
                _ => return Err(Failure::Corrupt { done: 0 }),
            }
        }
        Ok(())
    }
}
