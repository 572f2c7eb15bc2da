//! Records out of bytes, which somebody else reads.
//!
//! Upon [`Records::begin`]: the first 24 bytes tell the format, or that there is none.
//! Upon a chunk with the next piece of the capture:
//!   - what was left of the last piece (the beginning of a record) is put in front;
//!   - every record that is complete becomes an entry of the chunk's index.
//!
//! Upon a fault, or an end within a record: the frames before it are in the chunk, and from then on no more is wanted.

use crate::chunk::{Behind, Came, Chunk, FRONT_BYTES};
use crate::pcap::{self, Pcap};
use crate::pcapng::{self, Pcapng};
use crate::step::{Decoder, Step};
use crate::{Error, Fault, Part};
use std::ops::Range;

/// What could not be done where a source fails.
pub(crate) const READING: &str = "read the capture";

/// The records of a capture.
pub struct Records {
    format: Format,
    /// The beginning of a record whose end was not read yet.
    left_over: Vec<u8>,
    place: Place,
    /// Bytes that came so far.
    read: u64,
    state: State,
}

/// The format, and what was learned so far.
enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

/// Where somebody is in a capture.
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

enum State {
    Reading,
    /// This is wrong, and was not told yet.
    Failed(Error),
    Ended,
}

impl Records {
    /// Looks at the first bytes, [`pcap::HEAD_BYTES`] or all that there are.
    pub(crate) fn begin(head: &[u8]) -> Result<Records, Error> {
        let at_0 = |fault| Error { at: 0, fault };
        let Some(magic) = head.first_chunk::<4>() else {
            let fault =
                if head.is_empty() { Fault::Empty } else { Fault::NotACapture { found: head.to_vec() } };
            return Err(at_0(fault));
        };
        let is_pcapng = u32::from_be_bytes(*magic) == pcapng::SECTION;
        if !is_pcapng && !Pcap::knows(*magic) {
            return Err(at_0(Fault::NotACapture { found: magic.to_vec() }));
        }
        let mut format = if is_pcapng {
            Format::Pcapng(Pcapng::new())
        } else {
            let Some(whole) = head.first_chunk() else {
                let (have, need) = (head.len() as u64, pcap::HEAD_BYTES as u64);
                return Err(at_0(Fault::Truncated { within: Part::FileHead, have, need }));
            };
            Format::Pcap(Pcap::decode(whole).map_err(at_0)?)
        };
        let left_over = if is_pcapng { head.to_vec() } else { Vec::new() };
        // What is wrong with the first section is told at once.
        if let Format::Pcapng(pcapng) = &mut format {
            pcapng.step(&left_over).map_err(at_0)?;
        }
        let at = (head.len() - left_over.len()) as u64;
        let place = Place { at, record_at: at, to_skip: 0 };
        Ok(Records { format, left_over, place, read: head.len() as u64, state: State::Reading })
    }

    /// Puts the frames of a chunk's piece into its index, which may be none: it goes on with the next one. Pieces come in their order; one that was put there is
    /// not put there again.
    pub fn index(&mut self, chunk: &mut Chunk) {
        let Some(Came { bytes: got, behind }) = chunk.came.take().filter(|_| self.want_more()) else {
            return;
        };
        self.read = self.read.saturating_add(got as u64);
        // Less than one record is left over, and there is room for the longest.
        debug_assert!(self.left_over.len() <= FRONT_BYTES);
        let begin = FRONT_BYTES - self.left_over.len();
        if let Some(front) = chunk.raw.get_mut(begin..FRONT_BYTES) {
            front.copy_from_slice(&self.left_over);
        }
        let filled = FRONT_BYTES + got;
        let (used, stop) = match &mut self.format {
            Format::Pcap(pcap) => index(pcap, &mut self.place, chunk, begin..filled),
            Format::Pcapng(pcapng) => index(pcapng, &mut self.place, chunk, begin..filled),
        };
        self.left_over.clear();
        self.left_over.extend_from_slice(chunk.raw.get(begin + used..filled).unwrap_or_default());
        match stop {
            Stop::Wrong(fault) => self.fail(self.place.record_at, fault),
            Stop::Needs(need, within) => match behind {
                Behind::More => {}
                Behind::Nothing => self.end(need, within),
                Behind::Fault(error) => {
                    self.state = State::Failed(Error::system(self.read, READING, error));
                }
            },
        }
    }

    /// Whether more pieces are wanted: it neither ended nor failed.
    #[must_use]
    pub fn want_more(&self) -> bool {
        matches!(self.state, State::Reading)
    }

    /// How the capture ended, once no more is wanted. What is wrong is told once.
    ///
    /// # Errors
    ///
    /// What was wrong with it behind the last frame. [`Error::is_truncated`] tells whether it merely ends too early.
    pub fn end_of_capture(&mut self) -> Result<(), Error> {
        debug_assert!(!self.want_more());
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Failed(error) => Err(error),
            State::Reading | State::Ended => Ok(()),
        }
    }

    /// How many bytes came so far.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read
    }

    /// The source has ended; what follows may have begun.
    fn end(&mut self, need: u64, within: Part) {
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
            None if !self.left_over.is_empty() => {
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
