//! What is cut off, lost, too long or wrong.

use super::*;
use crate::app::http::field;

/// A conversation with something of everything.
fn conversation() -> [Vec<u8>; 2] {
    let block = [&[0x82, 0x86][..], &kept(":path", "/all"), &kept("user-agent", "t")].concat();
    let (begin, end) = block.split_at(9);
    let client = [
        PREFACE.to_vec(),
        framed(frame::SETTINGS, 0, 0, &[0, 1, 0, 0, 16, 0]),
        framed(frame::HEADERS, END_STREAM, 1, begin),
        framed(frame::CONTINUATION, END_HEADERS, 1, end),
        framed(frame::HEADERS, END_HEADERS | END_STREAM, 3, &[0x83, 0x86, 0xbf, 0xbe]),
        framed(frame::WINDOW_UPDATE, 0, 3, &[0, 0, 1, 0]),
        framed(frame::RST_STREAM, 0, 3, &[0, 0, 0, 8]),
    ];
    let head = [&[0x88][..], &plain("content-type", "text/html")].concat();
    let server = [
        framed(frame::SETTINGS, 0, 0, &[]),
        framed(frame::HEADERS, END_HEADERS, 1, &head),
        framed(frame::DATA, PADDED, 1, &[1, b'h', b'i', 0]),
        framed(frame::DATA, END_STREAM, 1, b" there"),
        framed(frame::GOAWAY, 0, 0, &[0, 0, 0, 3, 0, 0, 0, 1]),
    ];
    [client.concat(), server.concat()]
}

fn whole() -> Talk {
    let [client, server] = conversation();
    let mut talk = Talk::new();
    talk.say(ToServer, &client).say(ToClient, &server).close();
    talk
}

#[test]
fn byte_by_byte_is_the_same_as_in_one_piece() {
    let [client, server] = conversation();
    let mut talk = Talk::new();
    for byte in &client {
        talk.say(ToServer, &[*byte]);
    }
    for byte in &server {
        talk.say(ToClient, &[*byte]);
    }
    talk.close();
    assert!(!talk.broken);
    assert_eq!(talk.everything(), whole().everything());
    assert_eq!(talk.text(1, DATA, ToClient), "hi there");
}

#[test]
fn whatever_is_cut_off_somewhere_panics_nowhere_and_shows_no_more() {
    let [client, server] = conversation();
    for end in 0..client.len() {
        let mut talk = Talk::new();
        talk.say(ToServer, &client[..end]).say(ToClient, &server).close();
        assert!(talk.parser.transactions().len() <= whole().parser.transactions().len());
    }
    for end in 0..server.len() {
        let mut talk = Talk::new();
        talk.say(ToServer, &client).say(ToClient, &server[..end]).close();
        assert!(!talk.broken);
    }
}

#[test]
fn every_byte_may_be_any_other() {
    let [client, server] = conversation();
    for place in 0..client.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut changed = client.clone();
            changed[place] = value;
            Talk::new().say(ToServer, &changed).say(ToClient, &server).close();
        }
    }
}

#[test]
fn a_hole_is_survived_or_ends_it_but_nothing_is_made_up() {
    let mut talk = Talk::begun();
    talk.say(ToServer, &request(1, "/before"));
    talk.lose(ToClient, 100);
    talk.close();
    assert_eq!(talk.text(1, field::URI, ToServer), "/before");
    assert_eq!(talk.text(1, DATA, ToClient), "");
}

#[test]
fn another_preface_is_told() {
    let mut talk = Talk::new();
    talk.say(ToServer, b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
    talk.say(ToServer, &request(1, "/"));
    let mut broken = Talk::new();
    broken.say(ToServer, &[0xff; 24]);
    assert!(broken.broken);
}

#[test]
fn frames_of_a_wrong_length_are_told() {
    for (kind, length) in
        [(frame::RST_STREAM, 3), (frame::WINDOW_UPDATE, 5), (frame::PRIORITY, 4), (frame::GOAWAY, 7)]
    {
        let mut talk = Talk::begun();
        talk.say(ToServer, &framed(kind, 0, 1, &vec![0; length]));
        talk.say(ToServer, &framed(kind, 0, 1, &vec![0; length]));
        assert_eq!(talk.events(), ["invalid_frame_length"], "kind {kind}");
    }
}

#[test]
fn data_of_no_stream_is_told() {
    let mut talk = Talk::begun();
    talk.say(ToServer, &framed(frame::DATA, 0, 0, b"x"));
    assert_eq!(talk.events(), ["data_stream_zero"]);
}

#[test]
fn numbers_of_headers_that_are_too_large_or_mean_nothing_are_told() {
    let mut talk = Talk::begun();
    let overflow = [&[0xff][..], &[0xff; 12], &[1]].concat();
    talk.say(ToServer, &framed(frame::HEADERS, END_HEADERS, 1, &overflow));
    talk.say(ToServer, &framed(frame::HEADERS, END_HEADERS, 3, &[0x80]));
    talk.say(ToServer, &framed(frame::HEADERS, END_HEADERS, 5, &[0xfe]));
    assert!(talk.events().contains(&"invalid_header"));
}

#[test]
fn a_block_that_ends_in_the_middle_is_told() {
    let mut talk = Talk::begun();
    talk.say(ToServer, &framed(frame::HEADERS, END_HEADERS, 1, &[0x82]));
    talk.say(ToServer, &framed(frame::HEADERS, END_HEADERS, 1, &[0x40, 10, b'a']));
    assert_eq!(talk.events(), ["invalid_frame_data"]);
}

#[test]
fn a_frame_that_is_longer_than_is_waited_for_is_skipped() {
    let mut talk = Talk::begun();
    talk.say(ToServer, &request(1, "/"));
    talk.say(ToClient, &framed(frame::HEADERS, END_HEADERS, 1, &[0x88]));
    let long = framed(frame::DATA, 0, 1, &vec![b'x'; 200_000]);
    for part in long.chunks(1400) {
        talk.say(ToClient, part);
    }
    talk.say(ToClient, &framed(frame::DATA, END_STREAM, 1, b"end"));
    assert!(!talk.broken);
    assert_eq!(talk.events(), ["long_frame_data"]);
    assert!(talk.text(1, DATA, ToClient).ends_with("end"));
}

#[test]
fn of_a_frame_that_is_too_long_the_same_counts_however_it_is_cut() {
    let long =
        framed(frame::DATA, 0, 1, &[vec![b'x'; 60_000], b"needle".to_vec(), vec![b'x'; 60_000]].concat());
    let said = |sizes: usize| {
        let mut talk = Talk::begun();
        talk.say(ToServer, &request(1, "/"));
        talk.say(ToClient, &framed(frame::HEADERS, END_HEADERS, 1, &[0x88]));
        for part in long.chunks(sizes) {
            talk.say(ToClient, part);
        }
        talk.text(1, DATA, ToClient)
    };
    assert!(said(200_000).contains("needle"));
    assert_eq!(said(200_000), said(300));
    assert_eq!(said(200_000), said(1));
}

#[test]
fn a_block_over_too_many_frames_is_cut_off_and_told() {
    let mut talk = Talk::begun();
    talk.say(ToServer, &framed(frame::HEADERS, 0, 1, &[0x82]));
    for _ in 0..8 {
        talk.say(ToServer, &framed(frame::CONTINUATION, 0, 1, &vec![0; 16_000]));
    }
    assert_eq!(talk.events(), ["reassembly_limit_reached"]);
}

#[test]
fn a_host_that_is_named_twice_differently_is_told() {
    let block =
        [&[0x82, 0x86][..], &plain(":authority", "u@a.example"), &plain("host", "b.example")].concat();
    let mut talk = Talk::begun();
    talk.say(ToServer, &framed(frame::HEADERS, END_HEADERS, 1, &block));
    assert_eq!(talk.events(), ["authority_host_mismatch", "userinfo_in_uri"]);
}

#[test]
fn too_many_streams_end_it_and_are_told() {
    let mut talk = Talk::begun();
    for stream in 0..5000 {
        talk.say(ToServer, &request(2 * stream + 1, "/"));
    }
    assert!(talk.broken);
    assert!(talk.events().contains(&"too_many_streams"));
}
