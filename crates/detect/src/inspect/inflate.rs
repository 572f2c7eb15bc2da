//! What is packed, made larger.
//!
//! As much comes out as is asked for at most; what is cut off gives what is there. Data that is wrong gives nothing, even if its beginning was right.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush};

/// What a gzip file holds.
pub(super) fn gzip(bytes: &[u8], bytes_max: usize) -> Vec<u8> {
    gzip_body(bytes).map_or_else(Vec::new, |body| unpack(body, DataFormat::Raw, bytes_max))
}

/// What a zlib stream holds.
pub(super) fn zlib(bytes: &[u8], bytes_max: usize) -> Vec<u8> {
    unpack(bytes, DataFormat::Zlib, bytes_max)
}

fn unpack(bytes: &[u8], format: DataFormat, bytes_max: usize) -> Vec<u8> {
    let mut out = vec![0; bytes_max];
    let mut state = InflateState::new_boxed(format);
    let result = inflate(&mut state, bytes, &mut out, MZFlush::None);
    let is_right = matches!(result.status, Ok(_) | Err(MZError::Buf));
    out.truncate(if is_right { result.bytes_written } else { 0 });
    out
}

/// Takes the head of a gzip file off.
fn gzip_body(bytes: &[u8]) -> Option<&[u8]> {
    const CHECKSUM: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let flags = match bytes {
        [0x1f, 0x8b, 8, flags, ..] => *flags,
        _ => return None,
    };
    let mut at = 10;
    if flags & EXTRA != 0 {
        let length = u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]);
        at += 2 + usize::from(length);
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            at += memchr::memchr(0, bytes.get(at..)?)? + 1;
        }
    }
    if flags & CHECKSUM != 0 {
        at += 2;
    }
    bytes.get(at..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0];
        [&head[..], &miniz_oxide::deflate::compress_to_vec(bytes, 6)].concat()
    }

    #[test]
    fn as_much_comes_out_as_is_asked_for() {
        let bytes: Vec<u8> = (0..100_000u32).map(|number| (number / 7) as u8).collect();
        let zlibbed = miniz_oxide::deflate::compress_to_vec_zlib(&bytes, 6);
        assert_eq!(zlib(&zlibbed, 1024), bytes[..1024]);
        assert_eq!(zlib(&zlibbed, 200_000), bytes);
        assert_eq!(gzip(&packed(&bytes), 1024), bytes[..1024]);
        assert_eq!(gzip(&packed(b"hello"), 1024), b"hello");
    }

    #[test]
    fn what_is_cut_off_gives_what_is_there_and_what_is_wrong_gives_nothing() {
        let whole = packed(b"hello, hello, hello, world");
        for end in 0..whole.len() {
            assert!(b"hello, hello, hello, world".starts_with(&gzip(&whole[..end], 1024)));
        }
        assert!(!gzip(&whole[..whole.len() - 2], 1024).is_empty());
        let mut wrong = miniz_oxide::deflate::compress_to_vec_zlib(b"hello", 6);
        if let Some(last) = wrong.last_mut() {
            *last ^= 1;
        }
        assert_eq!(zlib(&wrong, 1024), b"");
        assert_eq!(zlib(b"\x78\x9c\xff\xff\xff", 1024), b"");
        assert_eq!(gzip(b"no", 1024), b"");
    }

    #[test]
    fn every_part_of_a_head_is_passed_over() {
        let body = miniz_oxide::deflate::compress_to_vec(b"hello", 6);
        let head = b"\x1f\x8b\x08\x1e\0\0\0\0\0\0\x02\0ab name\0 comment\0cc";
        assert_eq!(gzip(&[&head[..], &body].concat(), 1024), b"hello");
    }
}
