//! Writes a capture: pcap, version 2.4, little-endian, with micro- or nanoseconds.
//!
//! What is written reads back as it was given, but for what microseconds cut off of a time. What the format has no room
//! for is refused, and then nothing of that frame is written.
//!
//! Not here: pcapng; frames of different links in one file, which pcap cannot hold.

use crate::{FRAME_BYTES_MAX, Frame, Link};
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

const NS_PER_S: u64 = 1_000_000_000;

/// What the second number of a time counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// What every program reads.
    Microseconds,
    /// What nearly every program reads.
    Nanoseconds,
}

/// Why a frame, or a capture, was not written.
#[derive(Debug)]
pub enum WriteError {
    /// The system refused it.
    System(io::Error),
    /// The frame is longer than [`FRAME_BYTES_MAX`].
    TooLong {
        /// How long.
        bytes: usize,
    },
    /// The frame is from after the year 2106, when seconds end that have 32 bits.
    TooLate {
        /// When it is from.
        time_ns: u64,
    },
    /// The frame begins with something else than what the head of the file says.
    OtherLink {
        /// What it begins with.
        found: Link,
        /// What the head of the file says.
        right: Link,
    },
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::System(error) => write!(f, "cannot write the capture: {error}"),
            WriteError::TooLong { bytes } => {
                write!(f, "a frame of {bytes} bytes; a capture holds frames of at most {FRAME_BYTES_MAX}")
            }
            WriteError::TooLate { time_ns } => {
                write!(f, "a frame from {time_ns} ns after 1970; a capture holds 32 bits of seconds")
            }
            WriteError::OtherLink { found, right } => {
                write!(f, "a frame of {found}; the capture was begun for {right}, and holds one kind alone")
            }
        }
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            WriteError::System(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> WriteError {
        WriteError::System(error)
    }
}

/// Writes frames into a capture.
#[derive(Debug)]
pub struct Writer<W: Write> {
    sink: W,
    link: Link,
    tick_ns: u64,
}

impl Writer<BufWriter<File>> {
    /// Makes a file, or empties the one that is there.
    ///
    /// # Errors
    ///
    /// When the system refuses it.
    pub fn create(path: impl AsRef<Path>, link: Link, resolution: Resolution) -> Result<Self, WriteError> {
        Writer::new(BufWriter::new(File::create(path)?), link, resolution)
    }
}

impl<W: Write> Writer<W> {
    /// Begins a capture. Frames are written in two small pieces each, so `sink` should have a buffer.
    ///
    /// # Errors
    ///
    /// When the system refuses it.
    pub fn new(mut sink: W, link: Link, resolution: Resolution) -> Result<Writer<W>, WriteError> {
        let (magic, tick_ns) = match resolution {
            Resolution::Microseconds => (0xa1b2_c3d4_u32, 1_000),
            Resolution::Nanoseconds => (0xa1b2_3c4d, 1),
        };
        let version = 2 | 4 << 16;
        for word in [magic, version, 0, 0, FRAME_BYTES_MAX as u32, u32::from(link.0)] {
            sink.write_all(&word.to_le_bytes())?;
        }
        Ok(Writer { sink, link, tick_ns })
    }

    /// Writes one frame.
    ///
    /// # Errors
    ///
    /// When the format has no room for it, or the system refuses it.
    pub fn frame(&mut self, frame: Frame<'_>) -> Result<(), WriteError> {
        let Frame { time_ns, link, wire_len, bytes } = frame;
        if link != self.link {
            return Err(WriteError::OtherLink { found: link, right: self.link });
        }
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(WriteError::TooLong { bytes: bytes.len() });
        }
        let Ok(seconds) = u32::try_from(time_ns / NS_PER_S) else {
            return Err(WriteError::TooLate { time_ns });
        };
        // Less than a second, and no longer than a frame: both fit.
        let fraction = (time_ns % NS_PER_S / self.tick_ns) as u32;
        let mut head = [0; 16];
        let words = [seconds, fraction, bytes.len() as u32, wire_len];
        for (place, word) in head.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        self.sink.write_all(&head)?;
        self.sink.write_all(bytes)?;
        Ok(())
    }

    /// Ends the capture: whatever a buffer holds is written, and what it was written to is given back.
    ///
    /// # Errors
    ///
    /// When the system refuses it.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.sink.flush()?;
        Ok(self.sink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Told, read_all};

    fn written(resolution: Resolution, frames: &[Frame<'_>]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), Link::ETHERNET, resolution).expect("a vector takes all");
        frames.iter().for_each(|frame| writer.frame(*frame).expect("it fits"));
        writer.finish().expect("a vector takes all")
    }

    fn frame(time_ns: u64, bytes: &[u8]) -> Frame<'_> {
        Frame { time_ns, link: Link::ETHERNET, wire_len: 1500, bytes }
    }

    #[test]
    fn what_is_written_reads_back() {
        let frames = [
            frame(0, b""),
            frame(1_700_000_000_123_456_789, b"abc"),
            frame(4_294_967_295_999_999_999, &[7; 99]),
        ];
        let (read, end) = read_all(&written(Resolution::Nanoseconds, &frames)[..]);
        assert!(end.is_none(), "{end:?}");
        assert_eq!(read, frames.map(Told::from));
    }

    #[test]
    fn microseconds_cut_off_what_is_finer() {
        let (read, _) = read_all(&written(Resolution::Microseconds, &[frame(1_123_456_789, b"x")])[..]);
        assert_eq!(read, [Told::from(frame(1_123_456_000, b"x"))]);
    }

    #[test]
    fn what_the_format_has_no_room_for_is_refused_and_leaves_nothing() {
        let mut writer = Writer::new(Vec::new(), Link::ETHERNET, Resolution::Nanoseconds).expect("it begins");
        let long = vec![0; FRAME_BYTES_MAX + 1];
        let other = Frame { link: Link::RAW, ..frame(0, b"") };
        let refused = [frame(0, &long), frame(4_294_967_296_000_000_000, b""), other]
            .map(|frame| writer.frame(frame).expect_err("it does not fit").to_string());
        assert!(refused[0].contains("262145") && refused[0].contains("262144"), "{}", refused[0]);
        assert!(refused[1].contains("32 bits"), "{}", refused[1]);
        assert!(refused[2].contains("RAW") && refused[2].contains("ETHERNET"), "{}", refused[2]);
        assert_eq!(writer.finish().expect("it ends").len(), 24);
    }

    #[test]
    fn a_sink_that_is_full_is_told() {
        let mut room = [0; 30];
        let mut writer =
            Writer::new(&mut room[..], Link::RAW, Resolution::Nanoseconds).expect("the head fits");
        let told = writer.frame(Frame { link: Link::RAW, ..frame(0, b"abc") });
        assert!(matches!(told, Err(WriteError::System(_))), "{told:?}");
    }

    #[test]
    fn a_file_is_written_and_read() {
        let folder = tempfile::tempdir().expect("there is room for a file");
        let path = folder.path().join("some.pcap");
        let mut writer = Writer::create(&path, Link::ETHERNET, Resolution::Nanoseconds).expect("it is made");
        writer.frame(frame(5, b"abc")).expect("it fits");
        writer.finish().expect("it is written");
        let mut reader = crate::Reader::open(&path).expect("it opens");
        let mut chunk = crate::Chunk::new();
        assert!(reader.next_chunk(&mut chunk).expect("it reads"));
        assert_eq!(chunk.frames().collect::<Vec<_>>(), [frame(5, b"abc")]);
        assert!(!reader.next_chunk(&mut chunk).expect("it ends"));
        assert_eq!(reader.bytes_read(), 43);
    }

    #[test]
    fn a_file_that_is_not_there_is_told() {
        let Err(error) = crate::Reader::open("/nowhere/some.pcap") else { panic!("it opened") };
        assert!(error.to_string().starts_with("cannot open the capture: "), "{error}");
    }
}
