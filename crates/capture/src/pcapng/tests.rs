//! The newer format: sections, interfaces, three kinds of packet, and what is wrong with those that are wrong.

use crate::order::ByteOrder::{self, Big, Little};
use crate::testing::{Bytes, Told, read_all};
use crate::{BLOCK_BYTES_MAX, FRAME_BYTES_MAX, INTERFACES_MAX, Link};

fn told(time_ns: u64, wire_len: u32, bytes: &[u8]) -> Told {
    Told { time_ns, link: Link::ETHERNET, wire_len, bytes: bytes.to_vec() }
}

/// A section with one interface of Ethernet that keeps everything.
fn plain(order: ByteOrder) -> Bytes {
    Bytes::new(order).section().interface(1, 0, Bytes::new(order))
}

fn whole(capture: Bytes) -> Vec<Told> {
    let (frames, end) = read_all(&capture.bytes[..]);
    assert!(end.is_none(), "{end:?}");
    frames
}

/// The frames before what is wrong, and what is said of it.
fn wrong(capture: Bytes) -> (usize, String) {
    let (frames, end) = read_all(&capture.bytes[..]);
    (frames.len(), end.expect("something is wrong with it").to_string())
}

#[test]
fn both_orders_read_alike_and_padding_is_no_part_of_a_frame() {
    for order in [Little, Big] {
        let capture = plain(order).enhanced(0, 1_700_000_000_123_456, 60, b"abcde").enhanced(0, 1, 4, b"");
        assert_eq!(whole(capture), [told(1_700_000_000_123_456_000, 60, b"abcde"), told(1_000, 4, b"")]);
    }
}

#[test]
fn each_interface_has_its_own_link_and_clock() {
    for order in [Little, Big] {
        let offset = Bytes::new(order).i64(-2).bytes;
        let first = Bytes::new(order).option(2, b"eth0").option(9, &[9]).u32(0);
        let second = Bytes::new(order).option(14, &offset).option(9, &[0x80 | 1]);
        let capture = Bytes::new(order)
            .section()
            .interface(1, 0, first)
            .interface(101, 0, second)
            .enhanced(1, 5, 1, b"b")
            .enhanced(0, 5, 1, b"a");
        let frames = whole(capture);
        assert_eq!(
            frames[0],
            Told { time_ns: 500_000_000, link: Link::RAW, wire_len: 1, bytes: b"b".to_vec() }
        );
        assert_eq!(frames[1], told(5, 1, b"a"));
    }
}

#[test]
fn what_stands_behind_the_end_of_the_options_is_not_looked_at() {
    let options = Bytes::new(Little).u32(0).option(9, &[0]);
    let capture = Bytes::new(Little).section().interface(1, 0, options).enhanced(0, 3, 1, b"a");
    assert_eq!(whole(capture), [told(3_000, 1, b"a")]);
}

#[test]
fn the_obsolete_packet_has_sixteen_bits_of_interface() {
    for order in [Little, Big] {
        let body = Bytes::new(order).u16(0).u16(9).u32(0).u32(3).u32(2).u32(60).raw(b"ab");
        assert_eq!(whole(plain(order).block(2, body)), [told(3_000, 60, b"ab")]);
    }
}

#[test]
fn a_simple_packet_has_the_time_of_the_frame_before_it() {
    let simple = |wire_len: u32, frame: &[u8]| Bytes::new(Big).u32(wire_len).raw(frame);
    let capture = Bytes::new(Big)
        .section()
        .interface(1, 4, Bytes::new(Big))
        .block(3, simple(3, b"abc"))
        .enhanced(0, 8, 1, b"x")
        .block(3, simple(60, b"abcd"));
    assert_eq!(whole(capture), [told(0, 3, b"abc"), told(8_000, 1, b"x"), told(8_000, 60, b"abcd")]);
}

#[test]
fn a_new_section_forgets_the_interfaces_and_the_order_of_bytes() {
    let second = Bytes::new(Big).section().interface(113, 0, Bytes::new(Big)).enhanced(0, 2, 1, b"b");
    let capture = plain(Little).enhanced(0, 1, 1, b"a").raw(&second.bytes);
    let frames = whole(capture);
    assert_eq!(frames[0], told(1_000, 1, b"a"));
    assert_eq!(frames[1], Told { time_ns: 2_000, link: Link::LINUX_SLL, wire_len: 1, bytes: b"b".to_vec() });
    let forgotten = plain(Little).raw(&Bytes::new(Big).section().enhanced(0, 1, 1, b"a").bytes);
    let (_, end) = wrong(forgotten);
    assert_eq!(end, "byte 76: a frame of interface 0, where its section has described 0 so far");
}

#[test]
fn blocks_that_nobody_knows_are_passed_over_however_long_they_are() {
    let long = Bytes::new(Little).raw(&vec![6; 5 << 20]);
    let capture = plain(Little).block(4, Bytes::new(Little)).block(0x8000_0001, long).enhanced(0, 1, 1, b"a");
    assert_eq!(whole(capture), [told(1_000, 1, b"a")]);
}

#[test]
fn a_block_that_ends_with_another_length_is_told_by_where_it_begins() {
    let mut capture = plain(Little).enhanced(0, 1, 1, b"a");
    let at = capture.bytes.len();
    capture = capture.enhanced(0, 1, 1, b"a");
    if let Some(last) = capture.bytes.last_mut() {
        *last = 9;
    }
    let (frames, end) = wrong(capture);
    assert_eq!(frames, 1);
    assert!(end.starts_with(&format!("byte {at}: a block ends with length 1509")), "{end}");
    let (_, end) = wrong(plain(Little).u32(4).u32(16).u32(0).u32(20));
    assert_eq!(end, "byte 48: a block ends with length 20 and begins with 16; both must be the same");
}

#[test]
fn lengths_that_no_block_can_have_are_told_with_what_would_be_right() {
    let block = |kind: u32, bytes: u32| wrong(plain(Little).u32(kind).u32(bytes).raw(&[0; 64])).1;
    assert!(
        block(6, 28).ends_with("(type 0x6) of 28 bytes; one of its type has 32 or more"),
        "{}",
        block(6, 28)
    );
    assert!(
        block(99, 0).ends_with("(type 0x63) of 0 bytes; one of its type has 12 or more"),
        "{}",
        block(99, 0)
    );
    assert!(
        block(99, 13).ends_with("13 bytes; the length of a block is a multiple of 4"),
        "{}",
        block(99, 13)
    );
    let long = block(1, BLOCK_BYTES_MAX + 4);
    assert!(long.ends_with("524292 bytes; one of its type has at most 524288"), "{long}");
    let order = wrong(Bytes::new(Little).u32(0x0a0d_0d0a).u32(28).u32(5).raw(&[0; 64])).1;
    assert!(order.contains("says 05000000 for its order of bytes; 1a2b3c4d or"), "{order}");
    let body = Bytes::new(Big).u32(0x1a2b_3c4d).u16(2).u16(0).i64(-1);
    let version = wrong(Bytes::new(Big).block(0x0a0d_0d0a, body)).1;
    assert_eq!(version, "byte 0: version 2.0 of the format is not known; 1.0 of pcapng is");
}

#[test]
fn a_frame_must_fit_its_block_and_the_limit() {
    let packet = |bytes: u32| Bytes::new(Little).u32(0).u32(0).u32(0).u32(bytes).u32(bytes).raw(&[0; 8]);
    assert_eq!(whole(plain(Little).block(6, packet(8))).len(), 1);
    let (_, end) = wrong(plain(Little).block(6, packet(9)));
    assert_eq!(end, "byte 48: a block says that 9 bytes stand in it where it has 8");
    let long = FRAME_BYTES_MAX as u32;
    let frame = vec![1; FRAME_BYTES_MAX + 4];
    let simple = |wire_len: u32| plain(Little).block(3, Bytes::new(Little).u32(wire_len).raw(&frame));
    assert_eq!(whole(simple(long)).len(), 1);
    assert!(wrong(simple(long + 1)).1.contains("a frame of 262145 bytes; at most 262144"));
}

#[test]
fn an_option_must_fit_its_block_and_have_its_length() {
    let described = |options: Bytes| wrong(Bytes::new(Little).section().interface(1, 0, options)).1;
    let beyond = described(Bytes::new(Little).u16(2).u16(9).raw(b"eth0"));
    assert_eq!(beyond, "byte 28: a block says that 9 bytes stand in it where it has 4");
    let resolution = described(Bytes::new(Little).option(9, &[6, 6]));
    assert_eq!(resolution, "byte 28: option 9 of an interface has 2 bytes; 1 would be right");
    let offset = described(Bytes::new(Little).option(14, &[0; 9]));
    assert_eq!(offset, "byte 28: option 14 of an interface has 9 bytes; 8 would be right");
}

#[test]
fn a_frame_of_an_interface_that_was_not_described_is_refused() {
    let (frames, end) = wrong(plain(Little).enhanced(0, 1, 1, b"a").enhanced(1, 1, 1, b"a"));
    assert_eq!(frames, 1);
    assert!(end.ends_with("a frame of interface 1, where its section has described 1 so far"), "{end}");
    let (_, end) = wrong(Bytes::new(Little).section().block(3, Bytes::new(Little).u32(0)));
    assert!(end.contains("interface 0"), "{end}");
}

#[test]
fn a_section_may_describe_so_many_interfaces_and_no_more() {
    let mut capture = Bytes::new(Little).section();
    for _ in 0..INTERFACES_MAX {
        capture = capture.interface(1, 0, Bytes::new(Little));
    }
    let capture = capture.enhanced(INTERFACES_MAX as u32 - 1, 1, 1, b"a");
    assert_eq!(whole(Bytes::new(Little).raw(&capture.bytes)).len(), 1);
    let (frames, end) = wrong(capture.interface(1, 0, Bytes::new(Little)));
    assert_eq!(frames, 1);
    assert!(end.contains("more than 65536 interfaces"), "{end}");
}

#[test]
fn where_it_was_cut_is_told_by_the_block_that_was_cut() {
    let known = plain(Little).enhanced(0, 1, 1, b"a");
    let all = known.bytes.len();
    let end = |cut: usize| read_all(&known.bytes[..cut]).1.expect("it was cut").to_string();
    assert_eq!(end(5), "byte 0: the capture ends within the head of a block: 5 of its 8 bytes are there");
    assert_eq!(end(9), "byte 0: the capture ends within the head of a block: 9 of its 12 bytes are there");
    assert_eq!(end(27), "byte 0: the capture ends within a block: 27 of its 28 bytes are there");
    assert_eq!(end(all - 1), "byte 48: the capture ends within a block: 47 of its 48 bytes are there");
    let unknown = plain(Little).block(4, Bytes::new(Little).raw(&[0; 8]));
    for have in 8..20 {
        let end = read_all(&unknown.bytes[..48 + have]).1.expect("it was cut").to_string();
        assert_eq!(
            end,
            format!("byte 48: the capture ends within a block: {have} of its 20 bytes are there")
        );
    }
}
