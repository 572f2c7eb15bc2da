//! The classical format, in every variant, and what is wrong with those that are wrong.

use crate::order::ByteOrder::{self, Big, Little};
use crate::testing::{Bytes, Told, read_all};
use crate::{FRAME_BYTES_MAX, Link};

const MICRO: u32 = 0xa1b2_c3d4;
const NANO: u32 = 0xa1b2_3c4d;
const MODIFIED: u32 = 0xa1b2_cd34;

fn told(time_ns: u64, wire_len: u32, bytes: &[u8]) -> Told {
    Told { time_ns, link: Link::ETHERNET, wire_len, bytes: bytes.to_vec() }
}

fn plain(order: ByteOrder, magic: u32) -> Bytes {
    Bytes::new(order).pcap_head(magic, (2, 4), 1)
}

/// What is said of a capture that must not read to its end.
fn wrong(bytes: &[u8]) -> String {
    read_all(bytes).1.expect("something is wrong with it").to_string()
}

#[test]
fn both_orders_and_both_resolutions_read_alike() {
    for order in [Little, Big] {
        for (magic, tick_ns) in [(MICRO, 1_000), (NANO, 1)] {
            let capture = plain(order, magic).record((3, 7), (2, 60), b"ab").record((4, 0), (0, 0), b"");
            let (frames, end) = read_all(&capture.bytes[..]);
            assert!(end.is_none(), "{end:?}");
            assert_eq!(frames, [told(3_000_000_000 + 7 * tick_ns, 60, b"ab"), told(4_000_000_000, 0, b"")]);
        }
    }
}

#[test]
fn the_eight_bytes_more_of_the_modified_record_are_passed_over() {
    for order in [Little, Big] {
        let capture = plain(order, MODIFIED)
            .record((1, 2), (3, 3), b"")
            .raw(b"INDEX.pr")
            .raw(b"abc")
            .record((1, 3), (1, 1), b"")
            .raw(&[0; 8])
            .raw(b"z");
        let (frames, end) = read_all(&capture.bytes[..]);
        assert!(end.is_none(), "{end:?}");
        assert_eq!(frames, [told(1_000_002_000, 3, b"abc"), told(1_000_003_000, 1, b"z")]);
    }
}

#[test]
fn older_versions_have_the_lengths_the_other_way_round() {
    for version in [(2, 0), (2, 2), (543, 0)] {
        let capture = Bytes::new(Big).pcap_head(MICRO, version, 1).record((0, 0), (60, 2), b"ab");
        assert_eq!(read_all(&capture.bytes[..]).0, [told(0, 60, b"ab")]);
    }
    let either = Bytes::new(Big).pcap_head(MICRO, (2, 3), 1);
    let either = either.record((0, 0), (60, 2), b"ab").record((0, 0), (2, 60), b"cd");
    assert_eq!(read_all(&either.bytes[..]).0, [told(0, 60, b"ab"), told(0, 60, b"cd")]);
}

#[test]
fn what_the_head_says_of_checksums_is_no_part_of_the_link() {
    let capture = Bytes::new(Little).pcap_head(MICRO, (2, 4), 0x4400_0071).record((0, 0), (1, 1), b"x");
    assert_eq!(read_all(&capture.bytes[..]).0[0].link, Link::LINUX_SLL);
}

#[test]
fn the_last_second_and_the_largest_fraction_do_not_overflow() {
    let capture = plain(Big, MICRO).record((u32::MAX, u32::MAX), (0, 0), b"");
    assert_eq!(read_all(&capture.bytes[..]).0, [told(4_294_967_295_000_000_000 + 4_294_967_295_000, 0, b"")]);
}

#[test]
fn the_longest_frame_is_read_and_one_byte_more_is_refused() {
    let most = FRAME_BYTES_MAX as u32;
    let long = vec![5; FRAME_BYTES_MAX];
    let capture = plain(Little, MICRO).record((0, 0), (most, most), &long);
    assert_eq!(read_all(&capture.bytes[..]).0, [told(0, most, &long)]);
    let capture = plain(Little, MICRO).record((0, 0), (1, 1), b"x").record((0, 0), (most + 1, 0), &long);
    let (frames, end) = read_all(&capture.bytes[..]);
    assert_eq!(frames.len(), 1);
    let end = end.expect("it is refused").to_string();
    assert!(end.starts_with("byte 41: a frame of 262145 bytes; at most 262144"), "{end}");
}

#[test]
fn what_is_no_capture_is_told_by_what_it_begins_with() {
    assert!(wrong(b"").starts_with("byte 0: the capture is empty"), "{}", wrong(b""));
    let other = wrong(b"GIF89a and so on and so on");
    assert!(
        other.starts_with("byte 0: this is no capture: it begins with 47494638; pcap begins with"),
        "{other}"
    );
    assert!(wrong(b"ab").contains("begins with 6162;"), "{}", wrong(b"ab"));
    let future = wrong(&Bytes::new(Big).pcap_head(MICRO, (2, 5), 1).bytes);
    assert_eq!(future, "byte 0: version 2.5 of the format is not known; 2.4 (and 2.0 to 2.3) of pcap is");
}

#[test]
fn where_it_was_cut_is_told_to_the_byte() {
    let capture = plain(Little, NANO).record((0, 0), (3, 3), b"abc").record((0, 0), (5, 5), b"abcde").bytes;
    let end = |cut: usize| wrong(&capture[..cut]);
    assert_eq!(end(23), "byte 0: the capture ends within the head of the file: 23 of its 24 bytes are there");
    assert_eq!(end(25), "byte 24: the capture ends within the head of a record: 1 of its 16 bytes are there");
    assert_eq!(end(42), "byte 24: the capture ends within a record: 18 of its 19 bytes are there");
    assert_eq!(end(63), "byte 43: the capture ends within a record: 20 of its 21 bytes are there");
    let modified = plain(Little, MODIFIED).record((0, 0), (3, 3), b"").bytes;
    let end = wrong(&modified);
    assert_eq!(end, "byte 24: the capture ends within the head of a record: 16 of its 24 bytes are there");
}
