//! A capture file that several read at once: whoever has time fetches a piece, and the records are found in the pieces' order.
//!
//! Upon [`Pieces::fetch`] of a file with places: the piece of that number, whoever fetched those before.
//! Upon one of a pipe: what comes next, so one at a time and in order ([`Pieces::at_once`]).

use crate::Error;
use crate::chunk::{Behind, Came, Chunk, PIECE_BYTES};
use crate::reader::{self, begin, come, once};
use crate::records::Records;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The bytes of a capture file behind its first few.
pub struct Pieces {
    file: File,
    /// Where the first begins, and how many bytes the file had when it was opened; nothing if it has no places.
    places: Option<(u64, u64)>,
}

impl Pieces {
    /// Opens a file. Beside its pieces: who finds the records in them.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or does not begin as a capture does.
    pub fn open(path: impl AsRef<Path>) -> Result<(Pieces, Records), Error> {
        let mut file = reader::open(path.as_ref())?;
        let metadata =
            file.metadata().map_err(|error| Error::system(0, "ask how long the capture is", error))?;
        let records = begin(&mut file)?;
        let places = metadata.is_file().then(|| (records.bytes_read(), metadata.len()));
        Ok((Pieces { file, places }, records))
    }

    /// Whether several pieces may be fetched at once and in any order. Otherwise each is fetched when the one before it was.
    #[must_use]
    pub fn at_once(&self) -> bool {
        self.places.is_some()
    }

    /// Reads the piece of a number, from 0, into a chunk. What comes of it, also that it could not be read, tells who indexes it ([`Records::index`]).
    pub fn fetch(&self, number: u64, chunk: &mut Chunk) {
        chunk.fill(|space| match self.places {
            Some((begin, _)) => {
                let at = begin.saturating_add(number.saturating_mul(PIECE_BYTES as u64));
                come_from(|left, at| self.file.read_at(left, at), at, space)
            }
            None => come(&mut &self.file, space),
        });
    }

    /// How many bytes there were in all when it was opened, if it has places.
    #[must_use]
    pub fn bytes_total(&self) -> Option<u64> {
        self.places.map(|(_, total)| total)
    }
}

/// Reads a piece from its place, whole but for the last one, or for one behind which nothing can be read: what `read_at` gives before it says so counts.
fn come_from(read_at: impl Fn(&mut [u8], u64) -> io::Result<usize>, at: u64, space: &mut [u8]) -> Came {
    let mut bytes = 0;
    let behind = loop {
        let Some(left) = space.get_mut(bytes..).filter(|left| !left.is_empty()) else { break Behind::More };
        match once(|| read_at(left, at.saturating_add(bytes as u64))) {
            Ok(0) => break Behind::Nothing,
            Ok(more) => bytes += more,
            Err(error) => break Behind::Fault(error),
        }
    };
    Came { bytes, behind }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::ByteOrder::Little;
    use crate::testing::{Bytes, Told, read_all};
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    /// A capture whose records lie across the borders of pieces: short ones, the longest, and blocks that are passed over for longer than a piece.
    fn long() -> Vec<u8> {
        let mut capture = Bytes::new(Little).section().interface(1, 0, Bytes::new(Little));
        for number in 0..600u32 {
            let bytes = if number.is_multiple_of(97) { 262_144 } else { 60 + number * 3 };
            capture = capture.enhanced(0, u64::from(number), bytes, &vec![number as u8; bytes as usize]);
            if number.is_multiple_of(250) {
                capture = capture.block(4, Bytes::new(Little).raw(&vec![7; 3 * PIECE_BYTES]));
            }
        }
        capture.bytes
    }

    /// All frames of a file, of which so many pieces are fetched, the last first, before the records are found in them.
    fn in_pieces(path: &Path, together: u64) -> (Vec<Told>, Option<Error>) {
        let (pieces, mut records) = Pieces::open(path).expect("a capture");
        assert!(pieces.at_once());
        let mut frames = Vec::new();
        for first in (0u64..).step_by(together as usize) {
            let mut chunks: Vec<Chunk> = (0..together).map(|_| Chunk::new()).collect();
            for (behind, chunk) in chunks.iter_mut().enumerate().rev() {
                pieces.fetch(first + behind as u64, chunk);
            }
            for chunk in &mut chunks {
                records.index(chunk);
                frames.extend(chunk.frames().map(Told::from));
            }
            if !records.want_more() {
                break;
            }
        }
        (frames, records.end_of_capture().err())
    }

    #[test]
    fn pieces_that_are_fetched_in_any_order_give_the_frames_of_a_reader_and_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("long.pcapng");
        let whole = long();
        // Whole, in the midst of a record, of a block that is passed over, and where a piece ends.
        for cut in [whole.len(), whole.len() - 100, 400_000, 24 + 2 * PIECE_BYTES, 30, 28] {
            fs::write(&path, &whole[..cut]).expect("it is written");
            let (frames, end) = read_all(&whole[..cut]);
            assert_eq!(frames.len(), if cut == whole.len() { 600 } else { frames.len().min(599) });
            for together in [1, 2, 5] {
                let (others, other_end) = in_pieces(&path, together);
                assert_eq!(frames, others, "cut at {cut}");
                assert_eq!(end.as_ref().map(ToString::to_string), other_end.map(|end| end.to_string()));
            }
        }
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_ends_where_a_piece_first_found_an_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("grows.pcapng");
        let whole = long();
        let written = 6 * PIECE_BYTES;
        fs::write(&path, &whole[..written]).expect("it is written");
        let (pieces, mut records) = Pieces::open(&path).expect("a capture");
        let mut chunks: Vec<Chunk> = (0..8).map(|_| Chunk::new()).collect();
        for (number, chunk) in (0..).zip(&mut chunks[..6]) {
            pieces.fetch(number, chunk);
        }
        let mut file = OpenOptions::new().append(true).open(&path).expect("it is there");
        file.write_all(&whole[written..]).expect("it is written");
        pieces.fetch(6, &mut chunks[6]);
        for chunk in &mut chunks {
            records.index(chunk);
        }
        assert!(!records.want_more() && chunks[6].is_empty());
        let (frames, end) = read_all(&whole[..written]);
        assert!(frames.len() > 100);
        assert_eq!(chunks.iter().map(Chunk::len).sum::<usize>(), frames.len());
        let told = records.end_of_capture().err().map(|end| end.to_string());
        assert_eq!(told, end.map(|end| end.to_string()));
        assert!(records.end_of_capture().is_ok(), "an error is told once");
    }

    #[test]
    fn what_cannot_be_read_from_a_byte_on_is_told_there_after_the_frames_before_it() {
        let whole = long();
        for bad in [whole.len() - 1000, whole.len() - 100 - PIECE_BYTES, 24 + 5 * PIECE_BYTES, 24] {
            // As from a disk: what lies before the bad place is given, and the next call fails.
            let read_at = |space: &mut [u8], at: u64| {
                let readable = whole.get(at as usize..bad).unwrap_or_default();
                if readable.is_empty() {
                    return Err(io::Error::other("a bad sector"));
                }
                let count = readable.len().min(space.len()).min(100_000);
                space[..count].copy_from_slice(&readable[..count]);
                Ok(count)
            };
            let mut records = Records::begin(&whole[..24]).expect("a capture");
            let (mut chunk, mut frames) = (Chunk::new(), Vec::new());
            for number in 0.. {
                chunk.fill(|space| come_from(read_at, 24 + number * PIECE_BYTES as u64, space));
                records.index(&mut chunk);
                frames.extend(chunk.frames().map(Told::from));
                if !records.want_more() {
                    break;
                }
            }
            let (right, _) = read_all(&whole[..bad]);
            assert_eq!(frames, right);
            let error = records.end_of_capture().expect_err("it cannot be read to its end");
            assert_eq!(error.to_string(), format!("byte {bad}: cannot read the capture: a bad sector"));
        }
    }

    #[test]
    fn what_was_put_into_the_index_is_not_put_there_again() {
        let mut records = Records::begin(&long()[..24]).expect("a capture");
        let mut chunk = Chunk::new();
        let whole = long();
        for piece in whole[24..].chunks(PIECE_BYTES).take(8) {
            chunk.fill(|space| {
                space[..piece.len()].copy_from_slice(piece);
                Came { bytes: piece.len(), behind: Behind::More }
            });
            records.index(&mut chunk);
            let frames: Vec<Told> = chunk.frames().map(Told::from).collect();
            records.index(&mut chunk);
            assert!(chunk.frames().map(Told::from).eq(frames));
        }
    }

    #[test]
    fn what_has_no_places_is_fetched_one_after_the_other() {
        let (from, mut to) = io::pipe().expect("a pipe");
        let file = File::from(std::os::fd::OwnedFd::from(from));
        let path =
            std::path::PathBuf::from(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file)));
        let whole = long();
        let (right, _) = read_all(&whole[..]);
        let writer = std::thread::spawn(move || to.write_all(&whole));
        let (pieces, mut records) = Pieces::open(path).expect("a capture");
        assert!(!pieces.at_once() && pieces.bytes_total().is_none());
        let (mut chunk, mut frames) = (Chunk::new(), Vec::new());
        for number in 0.. {
            pieces.fetch(number, &mut chunk);
            records.index(&mut chunk);
            frames.extend(chunk.frames().map(Told::from));
            if !records.want_more() {
                break;
            }
        }
        writer.join().expect("no panic").expect("it is written");
        assert!(records.end_of_capture().is_ok());
        assert_eq!(frames, right);
    }
}
