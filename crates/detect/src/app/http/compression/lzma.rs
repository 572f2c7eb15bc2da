//! LZMA, the old container of one stream.
//!
//! It is kept as it comes and decoded when the body is over, since its decoder gives nothing out before that for
//! anything that fits its window. Promises: at most [`INPUT_BYTES_MAX`] are kept (what is beyond makes it
//! undecodable), and no dictionary above [`DICTIONARY_BYTES_MAX`].

use super::Failure;
use crate::room::Room;
use std::io::{self, Write};

/// Compressed bytes that are kept at most.
const INPUT_BYTES_MAX: usize = 128 * 1024;
/// The largest dictionary.
const DICTIONARY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes that may come out at most.
const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

#[derive(Clone)]
pub(super) struct Lzma {
    input: Room,
}

impl Lzma {
    pub(super) fn new() -> Self {
        Lzma { input: Room::default() }
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.input.capacity()
    }

    pub(super) fn write(&mut self, input: &[u8]) -> Result<(), Failure> {
        let room = INPUT_BYTES_MAX.saturating_sub(self.input.len()).min(input.len());
        self.input.extend_from_slice(input.get(..room).unwrap_or_default());
        Ok(())
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        self.input.take()
    }
}

/// Output that refuses to grow without end.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_BYTES_MAX {
            return Err(io::Error::other("enough"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All of it decoded, if it is LZMA.
pub(super) fn decode(mut input: &[u8]) -> Option<Vec<u8>> {
    let options = lzma_rs::decompress::Options {
        memlimit: Some(DICTIONARY_BYTES_MAX),
        ..lzma_rs::decompress::Options::default()
    };
    let mut output = Bounded(Vec::new());
    lzma_rs::lzma_decompress_with_options(&mut input, &mut output, &options).ok()?;
    Some(output.0)
}
