//! Requests, responses, and what lies between them.

use super::*;
use crate::app::http::field;
use crate::app::http2::keywords::{HEADER, HEADER_NAME};

/// `hello` in gzip, stored.
const HELLO_IN_GZIP: &[u8] = &[
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 5, 0, 0xfa, 0xff, b'h', b'e', b'l', b'l', b'o', 0x86, 0xa6, 0x10,
    0x36, 5, 0, 0, 0,
];

#[test]
fn a_request_and_its_response_are_one_exchange() {
    let mut talk = Talk::begun();
    talk.say(ToServer, &framed(frame::SETTINGS, 0, 0, &[]));
    talk.say(ToServer, &request(1, "/a?b=c"));
    let head = framed(frame::HEADERS, END_HEADERS, 1, &[&[0x88][..], &plain("server", "x")].concat());
    talk.say(ToClient, &head);
    talk.say(ToClient, &framed(frame::DATA, END_STREAM, 1, b"body"));
    assert_eq!(talk.text(1, field::URI, ToServer), "/a?b=c");
    assert_eq!(talk.text(1, field::METHOD, ToServer), "GET");
    assert_eq!(talk.text(1, field::HOST, ToServer), "a.example");
    assert_eq!(talk.text(1, field::PROTOCOL, ToServer), "HTTP/2");
    assert_eq!(talk.text(1, field::REQUEST_LINE, ToServer), "GET /a?b=c HTTP/2\r\n");
    assert_eq!(talk.text(1, field::STATUS_CODE, ToClient), "200");
    assert_eq!(talk.text(1, field::SERVER, ToClient), "x");
    assert_eq!(talk.text(1, DATA, ToClient), "body");
    assert_eq!(talk.text(1, HEADER_NAME, ToServer), ":method|:scheme|:path|:authority");
    assert!(talk.text(1, HEADER, ToServer).contains(":path: /a?b=c"));
    assert!(talk.stream(1).is_complete(ToServer) && talk.stream(1).is_complete(ToClient));
    assert_eq!(talk.events(), Vec::<&str>::new());
}

#[test]
fn streams_that_are_interleaved_stay_apart() {
    let mut talk = Talk::begun();
    talk.say(ToServer, &[request(1, "/one"), request(3, "/three")].concat());
    talk.say(ToClient, &framed(frame::HEADERS, END_HEADERS, 3, &[0x8d]));
    talk.say(ToClient, &framed(frame::HEADERS, END_HEADERS, 1, &[0x88]));
    talk.say(ToClient, &framed(frame::DATA, 0, 1, b"a"));
    talk.say(ToClient, &framed(frame::DATA, END_STREAM, 3, b"b"));
    talk.say(ToClient, &framed(frame::DATA, END_STREAM, 1, b"c"));
    assert_eq!(talk.text(1, field::URI, ToServer), "/one");
    assert_eq!(talk.text(3, field::URI, ToServer), "/three");
    assert_eq!(talk.text(3, field::STATUS_CODE, ToClient), "404");
    assert_eq!(talk.text(1, DATA, ToClient), "ac");
    assert_eq!(talk.text(3, DATA, ToClient), "b");
}

#[test]
fn headers_go_on_in_continuations() {
    let block = [&[0x82, 0x86][..], &plain(":path", "/long"), &plain("x-a", "1")].concat();
    let (first, rest) = block.split_at(7);
    let (second, third) = rest.split_at(3);
    let mut talk = Talk::begun();
    talk.say(ToServer, &framed(frame::HEADERS, END_STREAM, 1, first));
    talk.say(ToServer, &framed(frame::CONTINUATION, 0, 1, second));
    talk.say(ToServer, &framed(frame::CONTINUATION, END_HEADERS, 1, third));
    assert_eq!(talk.text(1, field::URI, ToServer), "/long");
    assert!(talk.text(1, HEADER, ToServer).ends_with("x-a: 1"));
}

#[test]
fn the_table_of_one_direction_outlives_streams() {
    let mut talk = Talk::begun();
    let first = [&[0x82, 0x86][..], &kept(":path", "/kept"), &kept("x-a", "1")].concat();
    talk.say(ToServer, &framed(frame::HEADERS, END_HEADERS | END_STREAM, 1, &first));
    // The newest entry has the first number behind the fixed ones.
    talk.say(ToServer, &framed(frame::HEADERS, END_HEADERS | END_STREAM, 3, &[0x82, 0x86, 0xbf, 0xbe]));
    assert_eq!(talk.text(3, field::URI, ToServer), "/kept");
    assert!(talk.text(3, HEADER, ToServer).ends_with("x-a: 1"));
    // The other direction has a table of its own.
    talk.say(ToClient, &framed(frame::HEADERS, END_HEADERS, 1, &[0x88, 0xbe]));
    assert_eq!(talk.events(), ["invalid_header"]);
}

#[test]
fn a_table_that_is_made_smaller_forgets_its_oldest_entries() {
    let mut talk = Talk::begun();
    let first = [&[0x82, 0x86][..], &kept("x-a", "1"), &kept("x-b", "2")].concat();
    talk.say(ToServer, &framed(frame::HEADERS, END_HEADERS | END_STREAM, 1, &first));
    // Room for one entry: 32 bytes and its own four.
    let second = [0x3f, 36 - 31, 0x82, 0xbe, 0xbf];
    talk.say(ToServer, &framed(frame::HEADERS, END_HEADERS | END_STREAM, 3, &second));
    assert!(talk.text(3, HEADER, ToServer).contains("x-b: 2"));
    assert!(!talk.text(3, HEADER, ToServer).contains("x-a: 1"));
    assert_eq!(talk.events(), ["invalid_header"]);
}

#[test]
fn padding_and_priority_of_headers_are_no_headers() {
    let block = [&[0, 0, 0, 0, 200][..], &[0x82, 0x86], &plain(":path", "/p")].concat();
    let mut talk = Talk::begun();
    let flags = END_HEADERS | END_STREAM | WITH_PRIORITY;
    talk.say(ToServer, &framed(frame::HEADERS, flags, 1, &block));
    assert_eq!(talk.text(1, field::URI, ToServer), "/p");
    assert_eq!(talk.stream(1).side(ToServer).weights, [200]);
    talk.say(ToServer, &framed(frame::PRIORITY, 0, 1, &[0, 0, 0, 0, 7]));
    assert_eq!(talk.stream(1).side(ToServer).weights, [200, 7]);
}

#[test]
fn the_padding_of_data_is_left_out() {
    let mut talk = Talk::begun();
    talk.say(ToServer, &request(1, "/"));
    talk.say(ToClient, &framed(frame::HEADERS, END_HEADERS, 1, &[0x88]));
    talk.say(ToClient, &framed(frame::DATA, PADDED, 1, &[2, b'a', b'b', 0, 0]));
    talk.say(ToClient, &framed(frame::DATA, END_STREAM, 1, b"c"));
    assert_eq!(talk.text(1, DATA, ToClient), "abc");
}

#[test]
fn a_promise_is_about_the_stream_that_it_names() {
    let mut talk = Talk::begun();
    talk.say(ToServer, &request(1, "/"));
    let block = [&[0, 0, 0, 2][..], &[0x82, 0x86], &plain(":path", "/pushed")].concat();
    talk.say(ToClient, &framed(frame::PUSH_PROMISE, END_HEADERS, 1, &block));
    assert!(text(talk.stream(2), HEADER, ToClient).contains(":path: /pushed"));
    assert_eq!(talk.text(1, field::URI, ToServer), "/");
}

#[test]
fn a_packed_body_is_looked_at_unpacked_and_is_a_file() {
    let mut talk = Talk::begun();
    talk.say(ToServer, &request(1, "/hello.txt"));
    let head = [&[0x88][..], &plain("content-encoding", "gzip")].concat();
    talk.say(ToClient, &framed(frame::HEADERS, END_HEADERS, 1, &head));
    let (first, second) = HELLO_IN_GZIP.split_at(17);
    talk.say(ToClient, &framed(frame::DATA, 0, 1, first));
    talk.say(ToClient, &framed(frame::DATA, END_STREAM, 1, second));
    assert_eq!(talk.text(1, DATA, ToClient), "hello");
    assert_eq!(talk.stream(1).files(ToClient).map(|files| files.list().len()), Some(1));
}

#[test]
fn two_streams_of_dns_both_carry_it() {
    // The same question twice, the second time by the numbers of its headers.
    let path = "/dns-query?dns=AAABAAABAAAAAAABA3d3dwdleGFtcGxlA2NvbQAAAQABAAApEAAAAAAAAAA";
    let first =
        [&[0x82, 0x87][..], &kept(":path", path), &kept("accept", "application/dns-message")].concat();
    let again = [0x82, 0x87, 0xbf, 0xbe];
    let mut talk = Talk::begun();
    let headers = |stream, block: &[u8]| framed(frame::HEADERS, END_HEADERS | END_STREAM, stream, block);
    talk.say(ToServer, &[headers(1, &first), headers(3, &again)].concat());
    assert!(talk.stream(1).side(ToServer).dns.is_some());
    assert!(talk.stream(3).side(ToServer).dns.is_some());
}
