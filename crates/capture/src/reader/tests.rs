//! How bytes that come in pieces, are cut off or are damaged become frames.

use crate::order::ByteOrder::{Big, Little};
use crate::testing::{Bytes, Told, Trickle, read_all};
use crate::{Chunk, Error, FRAME_BYTES_MAX, Fault, PIECE_BYTES, Reader};
use std::io::{self, Read};

fn pcap() -> Vec<u8> {
    let head = Bytes::new(Little).pcap_head(0xa1b2_c3d4, (2, 4), 1);
    head.record((1, 1), (3, 3), b"abc").record((2, 2), (0, 9), b"").record((3, 3), (5, 5), b"defgh").bytes
}

fn pcapng() -> Vec<u8> {
    let first = Bytes::new(Little)
        .section()
        .interface(1, 0, Bytes::new(Little).option(9, &[9]))
        .enhanced(0, 1, 3, b"abc")
        .block(4, Bytes::new(Little).raw(b"names of hosts.."))
        .enhanced(0, 2, 9, b"");
    let second = Bytes::new(Big)
        .section()
        .interface(101, 0, Bytes::new(Big))
        .block(3, Bytes::new(Big).u32(2).raw(b"ab"));
    first.raw(&second.bytes).bytes
}

/// Two ends say the same.
fn same(one: &Option<Error>, other: &Option<Error>) -> bool {
    one.as_ref().map(ToString::to_string) == other.as_ref().map(ToString::to_string)
}

#[test]
fn a_cut_at_any_byte_gives_every_frame_before_it_and_then_says_where() {
    for capture in [pcap(), pcapng()] {
        let (all, end) = read_all(&capture[..]);
        assert!(end.is_none(), "{end:?}");
        let mut most = 0;
        for cut in 0..capture.len() {
            let (frames, end) = read_all(&capture[..cut]);
            assert_eq!(frames, all[..frames.len()], "cut at {cut}");
            assert!(frames.len() >= most, "cut at {cut}");
            most = frames.len();
            // Between two records a cut cannot be seen.
            let Some(error) = end else { continue };
            assert!(error.at <= cut as u64, "cut at {cut}: {error}");
            match error.fault {
                Fault::Empty => assert_eq!(cut, 0),
                Fault::NotACapture { .. } => assert!(cut < 4),
                Fault::Truncated { have, need, .. } => {
                    assert!(have < need, "cut at {cut}: {error}");
                    assert_eq!(error.at + have, cut as u64, "{error}");
                }
                _ => panic!("cut at {cut}: {error}"),
            }
        }
        assert!(most + 1 >= all.len());
    }
}

#[test]
fn the_size_of_the_pieces_does_not_show() {
    for capture in [pcap(), pcapng()] {
        for cut in 0..=capture.len() {
            let bytes = &capture[..cut];
            let (all, end) = read_all(bytes);
            for piece_bytes in [1, 2, 3, 7, 16, 29] {
                let (frames, other_end) = read_all(Trickle { bytes, piece_bytes });
                assert_eq!(frames, all);
                assert!(same(&end, &other_end), "{end:?} and {other_end:?}");
            }
        }
    }
}

#[test]
fn any_byte_may_be_any_other() {
    for capture in [pcap(), pcapng()] {
        let (all, _) = read_all(&capture[..]);
        let mut told_wrong = 0;
        for at in 0..capture.len() {
            for flip in [1, 2, 0x10, 0x80, 0xff] {
                let mut damaged = capture.clone();
                damaged[at] ^= flip;
                let (frames, end) = read_all(&damaged[..]);
                let (trickled, other_end) = read_all(Trickle { bytes: &damaged, piece_bytes: 5 });
                assert_eq!(frames, trickled);
                assert!(same(&end, &other_end), "{end:?} and {other_end:?}");
                // Where lengths are damaged bytes may be taken for frames, but never more bytes than there are.
                assert!(frames.iter().map(|frame| frame.bytes.len()).sum::<usize>() <= capture.len());
                told_wrong += usize::from(end.is_some() || frames != all);
            }
        }
        assert!(told_wrong > capture.len(), "nearly every byte means something");
    }
}

#[test]
fn frames_that_lie_across_the_border_of_chunks_are_whole() {
    let mut capture = Bytes::new(Little).pcap_head(0xa1b2_3c4d, (2, 4), 1);
    let mut right = Vec::new();
    let mut bytes = 0;
    while bytes < 20 * PIECE_BYTES {
        let number = right.len() as u32;
        // From a few bytes to the longest there are.
        let frame_bytes =
            (number * 7919) % if number.is_multiple_of(50) { FRAME_BYTES_MAX as u32 + 1 } else { 1515 };
        let frame = vec![number as u8; frame_bytes as usize];
        capture = capture.record((number, 0), (frame_bytes, frame_bytes), &frame);
        bytes += frame.len();
        right.push((u64::from(number) * 1_000_000_000, frame));
    }
    let (frames, end) = read_all(&capture.bytes[..]);
    assert!(end.is_none(), "{end:?}");
    assert_eq!(frames.len(), right.len());
    assert!(frames.into_iter().map(|Told { time_ns, bytes, .. }| (time_ns, bytes)).eq(right));
}

#[test]
fn progress_ends_where_the_capture_does() {
    let capture = pcap();
    let mut reader = Reader::new(&capture[..]).expect("it begins well");
    assert_eq!(reader.bytes_read(), 24);
    let mut chunk = Chunk::default();
    while reader.next_chunk(&mut chunk).expect("it reads") {
        assert_eq!(chunk.len(), 3);
        assert_eq!(chunk.frame(2), chunk.frames().next_back());
        assert_eq!(chunk.frame(3), None);
    }
    assert_eq!(reader.bytes_read(), capture.len() as u64);
}

#[test]
fn what_comes_slowly_is_given_as_soon_as_it_is_there() {
    let capture = pcap();
    let mut reader = Reader::new(Trickle { bytes: &capture, piece_bytes: 25 }).expect("it begins well");
    let mut chunk = Chunk::new();
    let mut sizes = Vec::new();
    while reader.next_chunk(&mut chunk).expect("it reads") {
        sizes.push(chunk.len());
    }
    assert_eq!(sizes, [1, 1, 1]);
}

/// Gives some bytes, is interrupted, and then fails.
struct Failing(Vec<io::Result<Vec<u8>>>);

impl Read for Failing {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let next = if self.0.is_empty() { Ok(Vec::new()) } else { self.0.remove(0) }?;
        space[..next.len()].copy_from_slice(&next);
        Ok(next.len())
    }
}

#[test]
fn a_source_that_fails_is_told_after_the_frames_before_it_and_a_signal_is_not() {
    let capture = pcap();
    let pieces = vec![
        Ok(capture[..24].to_vec()),
        Err(io::ErrorKind::Interrupted.into()),
        Ok(capture[24..45].to_vec()),
        Err(io::ErrorKind::Interrupted.into()),
        Err(io::Error::other("the disk is gone")),
    ];
    let (frames, end) = read_all(Failing(pieces));
    assert_eq!(frames.len(), 1);
    let end = end.expect("it failed");
    assert!(!end.is_truncated());
    assert_eq!(end.to_string(), "byte 45: cannot read the capture: the disk is gone");
    assert!(std::error::Error::source(&end).is_some());
}
