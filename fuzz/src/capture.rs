//! Reading a capture that a stranger has made.
//!
//! For any bytes:
//!   - no panic; frames within their limits, and no more bytes in them than there are;
//!   - the same frames and the same end whatever the sizes of the pieces in which the bytes come;
//!   - a capture cut off anywhere gives a beginning of the same frames, and no other fault than that it was cut;
//!   - an error says where, and is the last that is said;
//!   - frames that are written again read back as they were.

use capture::{Chunk, Error, FRAME_BYTES_MAX, Frame, Link, Reader, Resolution, Writer};
use std::io::Read;

/// A frame, kept.
#[derive(PartialEq, Eq, Debug)]
struct Kept {
    time_ns: u64,
    link: Link,
    wire_len: u32,
    bytes: Vec<u8>,
}

/// A source that gives bytes in pieces, whose sizes the bytes themselves say.
struct Pieces<'a> {
    bytes: &'a [u8],
    next: u8,
}

impl Read for Pieces<'_> {
    fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
        let most = space.len().min(1 + usize::from(self.next % 37));
        let got = self.bytes.read(&mut space[..most])?;
        self.next = self.next.wrapping_mul(5).wrapping_add(space.first().copied().unwrap_or(1));
        Ok(got)
    }
}

/// Checks the promises for `data`, and returns how many frames were found in it.
pub fn check(data: &[u8]) -> usize {
    let mut chunk = Chunk::new();
    let (frames, end) = read_all(data, &mut chunk);
    assert!(frames.iter().all(|frame| frame.bytes.len() <= FRAME_BYTES_MAX));
    assert!(frames.iter().map(|frame| frame.bytes.len()).sum::<usize>() <= data.len());
    if let Some(error) = &end {
        assert!(error.at <= data.len() as u64 && !error.to_string().is_empty(), "{error}");
    }

    let next = data.last().copied().unwrap_or_default();
    let (in_pieces, other_end) = read_all(Pieces { bytes: data, next }, &mut chunk);
    assert_eq!(in_pieces, frames);
    assert_eq!(other_end.map(|error| error.to_string()), end.as_ref().map(ToString::to_string));

    let cut = data.len() * usize::from(next) / 256;
    let (beginning, cut_end) = read_all(&data[..cut], &mut chunk);
    assert!(beginning.len() <= frames.len());
    assert_eq!(beginning, frames[..beginning.len()]);
    if let Some(error) = cut_end {
        let is_same = end.is_some_and(|end| end.to_string() == error.to_string());
        assert!(is_same || error.is_truncated() || cut < 4, "{error}");
    }

    write_again(&frames, &mut chunk);
    frames.len()
}

/// All frames, and what was said at the end.
fn read_all(source: impl Read, chunk: &mut Chunk) -> (Vec<Kept>, Option<Error>) {
    let mut frames = Vec::new();
    let mut reader = match Reader::new(source) {
        Ok(reader) => reader,
        Err(error) => return (frames, Some(error)),
    };
    loop {
        match reader.next_chunk(chunk) {
            Ok(true) => {
                assert!(!chunk.is_empty() && chunk.frames().len() == chunk.len());
                let bytes: usize = chunk.frames().map(|frame| frame.bytes.len()).sum();
                assert_eq!(chunk.bytes(), bytes as u64);
                frames.extend(chunk.frames().map(|frame| {
                    let Frame { time_ns, link, wire_len, bytes } = frame;
                    Kept { time_ns, link, wire_len, bytes: bytes.to_vec() }
                }));
            }
            Ok(false) => return (frames, None),
            Err(error) => {
                assert!(chunk.is_empty());
                assert!(!reader.next_chunk(chunk).expect("an error is told once"));
                return (frames, Some(error));
            }
        }
    }
}

fn write_again(frames: &[Kept], chunk: &mut Chunk) {
    let Some(first) = frames.first() else { return };
    let mut writer =
        Writer::new(Vec::new(), first.link, Resolution::Nanoseconds).expect("a vector takes all");
    let mut written = Vec::new();
    for kept in frames {
        let Kept { time_ns, link, wire_len, bytes } = kept;
        let frame = Frame { time_ns: *time_ns, link: *link, wire_len: *wire_len, bytes };
        match writer.frame(frame) {
            Ok(()) => written.push(kept),
            Err(error) => {
                let is_late = *time_ns / 1_000_000_000 > u64::from(u32::MAX);
                assert!(is_late || *link != first.link, "{error}");
            }
        }
    }
    let bytes = writer.finish().expect("a vector takes all");
    let (again, end) = read_all(&bytes[..], chunk);
    assert!(end.is_none(), "{end:?}");
    assert!(again.iter().eq(written));
}
