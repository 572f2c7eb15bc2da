//! Deflate, bare (RFC 1951) or with zlib's header and sum (RFC 1950).
//!
//! Promises: what can be decoded before the data breaks off comes out; what stands behind the end is ignored. Its
//! window is 32 KiB and is its state, which is why it can be cloned.

use super::{Failure, Receiver};
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

/// Bytes that come out in one piece at most.
const PIECE_BYTES_MAX: usize = 8 * 1024;

#[derive(Clone)]
pub(super) struct Deflate {
    state: InflateState,
    is_over: bool,
}

impl Deflate {
    pub(super) fn bare() -> Self {
        Deflate { state: InflateState::new(DataFormat::Raw), is_over: false }
    }

    pub(super) fn with_header() -> Self {
        Deflate { state: InflateState::new(DataFormat::Zlib), is_over: false }
    }

    pub(super) fn write(&mut self, input: &[u8], receive: Receiver<'_>) -> Result<(), Failure> {
        let mut rest = input;
        let mut piece = [0; PIECE_BYTES_MAX];
        while !self.is_over {
            let step = inflate(&mut self.state, rest, &mut piece, MZFlush::None);
            rest = rest.get(step.bytes_consumed..).unwrap_or_default();
            let output = piece.get(..step.bytes_written).unwrap_or_default();
            if !output.is_empty() {
                receive(output).map_err(|_| Failure::Refused)?;
            }
            match step.status {
                Ok(MZStatus::StreamEnd) => self.is_over = true,
                // It may hold more than a piece took: ask again until nothing comes.
                Ok(_) if rest.is_empty() && output.len() < PIECE_BYTES_MAX => return Ok(()),
                Ok(_) => {}
                Err(MZError::Buf) => return Ok(()),
                Err(_) => return Err(Failure::Corrupt { done: 0 }),
            }
        }
        Ok(())
    }
}
