//! Reads a capture chunk by chunk.
//!
//! Upon [`Reader::new`]: the first 24 bytes tell the format, or that there is none.
//! Upon [`Reader::next_chunk`]:
//!   - what was left of the last piece (the beginning of a record) is put in front;
//!   - reads follow until the chunk holds as much as is wanted ([`Reader::fill_to`]) or is nearly full, or until one gives less than was asked for and there is a frame:
//!     what comes through a pipe is not held back;
//!   - after each, every record that is complete becomes an entry of the chunk's index.
//!
//! Upon a fault, or an end within a record: the frames before it are given first. The next call tells the error, once;
//! from then on the capture has ended.

use crate::chunk::Chunk;
use crate::pcap::{self, Pcap};
use crate::pcapng::{self, Pcapng};
use crate::step::{Decoder, Step};
use crate::{CHUNK_BYTES, Error, FRAME_BYTES_MAX, Fault, Part};
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

/// How much is asked for at once. Small enough that what was read is still in a near cache when it is put into the
/// index: each record tells where the next one begins, so that every wait for memory would be waited for in full.
const READ_BYTES: usize = 256 << 10;

// Behind the beginning of the longest record there is always room to read.
const _: () = assert!(CHUNK_BYTES > READ_BYTES + pcapng::BLOCK_BYTES_MAX as usize);
const _: () = assert!(CHUNK_BYTES > READ_BYTES + pcap::HEAD_BYTES + FRAME_BYTES_MAX);
// An entry holds a place in a chunk as 32 bits.
const _: () = assert!(CHUNK_BYTES <= u32::MAX as usize);

/// Reads frames from a capture.
pub struct Reader<R: Read> {
    source: R,
    format: Format,
    /// The beginning of a record whose end was not read yet.
    left_over: Vec<u8>,
    place: Place,
    /// Bytes that a chunk is to hold.
    wanted: usize,
    read: u64,
    total: Option<u64>,
    state: State,
}

/// The format, and what was learned so far.
enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

/// Where a reader is in its capture.
struct Place {
    /// Where what was not put into an index begins.
    at: u64,
    /// Where the last record begins that was looked at and not complete.
    record_at: u64,
    /// So many bytes that follow hold no frame.
    to_skip: u64,
}

impl Place {
    /// Passes over what is to be passed over of `rest`; returns how much that was.
    fn skip(&mut self, rest: &[u8]) -> usize {
        let here = usize::try_from(self.to_skip).map_or(rest.len(), |skip| skip.min(rest.len()));
        self.to_skip -= here as u64;
        here
    }
}

/// Why no more can be put into an index.
enum Stop {
    /// So many bytes are needed of something.
    Needs(u64, Part),
    Wrong(Fault),
}

/// What the next call has to do.
enum State {
    Reading,
    /// Tell this, once.
    Failed(Error),
    Ended,
}

impl Reader<File> {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or does not begin as a capture does.
    pub fn open(path: impl AsRef<Path>) -> Result<Reader<File>, Error> {
        let system = |doing| move |error| Error { at: 0, fault: Fault::System { doing, error } };
        let file = File::open(path).map_err(system("open the capture"))?;
        let metadata = file.metadata().map_err(system("ask how long the capture is"))?;
        let mut reader = Reader::new(file)?;
        reader.total = metadata.is_file().then_some(metadata.len());
        Ok(reader)
    }
}

impl<R: Read> Reader<R> {
    /// Begins to read. `source` is read in large pieces, and needs no buffer of its own.
    ///
    /// # Errors
    ///
    /// When it does not begin as a capture does.
    pub fn new(mut source: R) -> Result<Reader<R>, Error> {
        let mut head = [0; pcap::HEAD_BYTES];
        let have = fill(&mut source, &mut head)?;
        let begin = head.get(..have).unwrap_or_default();
        let at_0 = |fault| Error { at: 0, fault };
        let Some(magic) = begin.first_chunk::<4>() else {
            let fault = if have == 0 { Fault::Empty } else { Fault::NotACapture { found: begin.to_vec() } };
            return Err(at_0(fault));
        };
        let is_pcapng = u32::from_be_bytes(*magic) == pcapng::SECTION;
        if !is_pcapng && !Pcap::knows(*magic) {
            return Err(at_0(Fault::NotACapture { found: magic.to_vec() }));
        }
        let mut format = if is_pcapng {
            Format::Pcapng(Pcapng::new())
        } else if have < head.len() {
            let need = head.len() as u64;
            return Err(at_0(Fault::Truncated { within: Part::FileHead, have: have as u64, need }));
        } else {
            Format::Pcap(Pcap::decode(&head).map_err(at_0)?)
        };
        let left_over = if is_pcapng { begin.to_vec() } else { Vec::new() };
        // What is wrong with the first section is told at once.
        if let Format::Pcapng(pcapng) = &mut format {
            pcapng.step(&left_over).map_err(at_0)?;
        }
        let at = (have - left_over.len()) as u64;
        Ok(Reader {
            source,
            format,
            left_over,
            place: Place { at, record_at: at, to_skip: 0 },
            wanted: CHUNK_BYTES,
            read: have as u64,
            total: None,
            state: State::Reading,
        })
    }

    /// From now on a chunk is handed out once it holds so many bytes, however much room it has. Who reads and looks at the frames by turns
    /// wants few: what is read then replaces in the near cache what was looked at, and nothing else.
    pub fn fill_to(&mut self, bytes: usize) {
        self.wanted = bytes;
    }

    /// Fills `chunk` with the next frames; `Ok(false)` and no frame at the end.
    ///
    /// # Errors
    ///
    /// What is wrong with the capture, once, after all frames before it. [`Error::is_truncated`] tells whether it merely
    /// ends too early.
    pub fn next_chunk(&mut self, chunk: &mut Chunk) -> Result<bool, Error> {
        chunk.clear();
        if matches!(self.state, State::Reading) {
            self.fill_chunk(chunk);
        }
        if !chunk.is_empty() {
            return Ok(true);
        }
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Failed(error) => Err(error),
            State::Reading | State::Ended => Ok(false),
        }
    }

    /// How many bytes were read so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// How many there were in all when it was opened, if it is a file.
    #[must_use]
    pub fn bytes_total(&self) -> Option<u64> {
        self.total
    }

    /// Reads until there is a frame or nothing more can be read.
    fn fill_chunk(&mut self, chunk: &mut Chunk) {
        let mut filled = self.left_over.len();
        // It is always there: less than one record is left over, and a chunk is longer than any.
        if let Some(front) = chunk.raw.get_mut(..filled) {
            front.copy_from_slice(&self.left_over);
        }
        let mut begin = 0;
        loop {
            let asked = READ_BYTES.min(chunk.raw.len() - filled);
            let space = chunk.raw.get_mut(filled..filled + asked).unwrap_or_default();
            let got = match read(&mut self.source, space) {
                Ok(got) => got,
                Err(error) => {
                    return self.fail(self.read, Fault::System { doing: "read the capture", error });
                }
            };
            self.read = self.read.saturating_add(got as u64);
            filled += got;
            let (used, stop) = match &mut self.format {
                Format::Pcap(pcap) => index(pcap, &mut self.place, chunk, begin..filled),
                Format::Pcapng(pcapng) => index(pcapng, &mut self.place, chunk, begin..filled),
            };
            begin += used;
            match stop {
                Stop::Wrong(fault) => return self.fail(self.place.record_at, fault),
                Stop::Needs(need, within) if got == 0 => return self.end(filled > begin, need, within),
                Stop::Needs(..) => {}
            }
            if chunk.is_empty() {
                chunk.raw.copy_within(begin..filled, 0);
                filled -= begin;
                begin = 0;
            } else if got < asked || filled >= self.wanted || chunk.raw.len() - filled < READ_BYTES {
                self.left_over.clear();
                self.left_over.extend_from_slice(chunk.raw.get(begin..filled).unwrap_or_default());
                return;
            }
        }
    }

    /// The source has ended; what follows may have begun.
    fn end(&mut self, is_begun: bool, need: u64, within: Part) {
        let at = self.place.record_at;
        let have = self.read.saturating_sub(at);
        let passing_over = match &self.format {
            Format::Pcap(pcap) => pcap.passing_over(),
            Format::Pcapng(pcapng) => pcapng.passing_over(),
        };
        match passing_over {
            Some(bytes) => {
                self.fail(at, Fault::Truncated { within: Part::Block, have, need: u64::from(bytes) });
            }
            None if is_begun => {
                self.fail(at, Fault::Truncated { within, have, need });
            }
            None => self.state = State::Ended,
        }
    }

    fn fail(&mut self, at: u64, fault: Fault) {
        self.state = State::Failed(Error { at, fault });
    }
}

/// Puts every complete record in a range of a chunk into its index. Returns how many bytes they have, and why it stopped.
fn index<D: Decoder>(
    decoder: &mut D,
    place: &mut Place,
    chunk: &mut Chunk,
    range: Range<usize>,
) -> (usize, Stop) {
    let raw = chunk.raw.get(range.clone()).unwrap_or_default();
    let mut used = place.skip(raw);
    let stop = loop {
        let rest = raw.get(used..).unwrap_or_default();
        let is_within = decoder.passing_over().is_some();
        let step = decoder.step(rest);
        if let Ok(Step::Frame(mut entry, bytes)) = step {
            // Within a chunk, whose length fits.
            entry.at += (range.start + used) as u32;
            chunk.frame_bytes += u64::from(entry.bytes);
            chunk.index.push(entry);
            used += bytes;
            continue;
        }
        if !is_within {
            place.record_at = place.at.saturating_add(used as u64);
        }
        match step {
            Ok(Step::Frame(..)) => {}
            Ok(Step::Skip(bytes)) => {
                place.to_skip = bytes;
                used += place.skip(rest);
            }
            Ok(Step::Needs(bytes, part)) => break Stop::Needs(bytes as u64, part),
            Err(fault) => break Stop::Wrong(fault),
        }
    };
    place.at = place.at.saturating_add(used as u64);
    (used, stop)
}

/// Reads once, or again as long as a signal came in between.
fn read(source: &mut impl Read, space: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(space) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A source that lies about how much it has read must not make us index what is not there.
            result => return result.map(|got| got.min(space.len())),
        }
    }
}

/// Reads until `space` is full or the source ends.
fn fill(source: &mut impl Read, space: &mut [u8]) -> Result<usize, Error> {
    let mut filled = 0;
    while let Some(left) = space.get_mut(filled..).filter(|left| !left.is_empty()) {
        match read(source, left) {
            Ok(0) => break,
            Ok(got) => filled += got,
            Err(error) => {
                let fault = Fault::System { doing: "read the capture", error };
                return Err(Error { at: filled as u64, fault });
            }
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests;
