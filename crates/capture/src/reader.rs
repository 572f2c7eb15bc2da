//! Reads a capture chunk by chunk, from anything that can be read.
//!
//! Upon [`Reader::next_chunk`]: one piece is read, and others as long as there is no frame in what was read. What comes through a pipe is not held back.

use crate::chunk::{Behind, Came, Chunk};
use crate::records::{READING, Records};
use crate::{Error, pcap};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads frames from a capture.
pub struct Reader<R: Read> {
    source: R,
    records: Records,
}

impl Reader<File> {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or does not begin as a capture does.
    pub fn open(path: impl AsRef<Path>) -> Result<Reader<File>, Error> {
        Reader::new(open(path.as_ref())?)
    }
}

impl<R: Read> Reader<R> {
    /// Begins to read. `source` is read in large pieces, and needs no buffer of its own.
    ///
    /// # Errors
    ///
    /// When it does not begin as a capture does.
    pub fn new(mut source: R) -> Result<Reader<R>, Error> {
        let records = begin(&mut source)?;
        Ok(Reader { source, records })
    }

    /// Fills `chunk` with the next frames; `Ok(false)` and no frame at the end.
    ///
    /// # Errors
    ///
    /// What is wrong with the capture, once, after all frames before it. [`Error::is_truncated`] tells whether it merely
    /// ends too early.
    pub fn next_chunk(&mut self, chunk: &mut Chunk) -> Result<bool, Error> {
        chunk.clear();
        while self.records.want_more() {
            chunk.fill(|space| come(&mut self.source, space));
            self.records.index(chunk);
            if !chunk.is_empty() {
                return Ok(true);
            }
        }
        self.records.end_of_capture().map(|()| false)
    }

    /// How many bytes were read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.records.bytes_read()
    }
}

pub(crate) fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|error| Error::system(0, "open the capture", error))
}

/// Reads what the format is known by.
pub(crate) fn begin(source: &mut impl Read) -> Result<Records, Error> {
    let mut head = [0; pcap::HEAD_BYTES];
    let mut have = 0;
    while let Some(left) = head.get_mut(have..).filter(|left| !left.is_empty()) {
        match read(source, left) {
            Ok(0) => break,
            Ok(got) => have += got,
            Err(error) => return Err(Error::system(have as u64, READING, error)),
        }
    }
    Records::begin(head.get(..have).unwrap_or_default())
}

/// Reads a piece from what gives it when it is there.
pub(crate) fn come(source: &mut impl Read, space: &mut [u8]) -> Came {
    match read(source, space) {
        Ok(0) => Came { bytes: 0, behind: Behind::Nothing },
        Ok(bytes) => Came { bytes, behind: Behind::More },
        Err(error) => Came { bytes: 0, behind: Behind::Fault(error) },
    }
}

/// Reads once, or again as long as a signal came in between.
pub(crate) fn once(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// A source that lies about how much it has read must not make us index what is not there.
fn read(source: &mut impl Read, space: &mut [u8]) -> io::Result<usize> {
    once(|| source.read(space)).map(|got| got.min(space.len()))
}

#[cfg(test)]
mod tests;
