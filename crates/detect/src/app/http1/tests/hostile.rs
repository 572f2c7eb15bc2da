//! Whatever comes: the same in any pieces, no panic, nothing without a bound.

use super::{Talk, ToClient, ToServer};
use crate::app::http::field;
use crate::app::{Parser, Transaction};

const REQUESTS: &[u8] = b"POST /up?x=1 HTTP/1.1\r\nHost: a.example\r\nX: folded\r\n value\r\n\
    Content-Type: multipart/form-data; boundary=b\r\n\
    Transfer-Encoding: chunked\r\n\r\n2b\r\n--b\r\nContent-Disposition: x; filename=f\r\n\r\n\r\n\
    a\r\nc\r\n--b--\r\n\r\n0\r\nT: r\r\n\r\n\
    GET /two HTTP/1.1\r\nHost: a.example\r\n\r\nPUT /three HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nthree";
const RESPONSES: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: folded\r\n value\r\n\
    Transfer-Encoding: chunked\r\n\r\n\
    5\r\nhello\r\n0\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngoneHTTP/1.1 200 OK\r\n\r\nuntil the end";

fn in_pieces(size: usize) -> String {
    let mut talk = Talk::new();
    for (direction, bytes) in [(ToServer, REQUESTS), (ToClient, RESPONSES)] {
        for piece in bytes.chunks(size) {
            talk.say(direction, piece);
        }
    }
    talk.close();
    assert!(!talk.broken);
    talk.everything()
}

#[test]
fn any_pieces_give_the_same_exchanges() {
    let whole = in_pieces(100_000);
    assert!(whole.contains("[(\"f\", \"c\")]"), "{whole}");
    for size in 1..150 {
        assert!(in_pieces(size) == whole, "in pieces of {size}");
    }
}

#[test]
fn every_truncation_is_survived() {
    for cut in 0..REQUESTS.len() {
        Talk::of(&REQUESTS[..cut], RESPONSES);
    }
    for cut in 0..RESPONSES.len() {
        Talk::of(REQUESTS, &RESPONSES[..cut]);
    }
}

#[test]
fn every_damaged_byte_is_survived() {
    for damage in [0x00, 0x0a, 0x0d, 0x20, 0x3a, 0xff] {
        for at in 0..REQUESTS.len() {
            let mut requests = REQUESTS.to_vec();
            requests[at] = damage;
            Talk::of(&requests, RESPONSES);
        }
        for at in 0..RESPONSES.len() {
            let mut responses = RESPONSES.to_vec();
            responses[at] = damage;
            Talk::of(REQUESTS, &responses);
        }
    }
}

#[test]
fn gaps_anywhere_are_survived() {
    for at in (0..REQUESTS.len()).step_by(3) {
        for lost in [1, 7, 1 << 40] {
            let mut talk = Talk::new();
            talk.say(ToServer, &REQUESTS[..at]).lose(ToServer, lost).say(ToServer, &REQUESTS[at..]);
            let at = at.min(RESPONSES.len());
            talk.say(ToClient, &RESPONSES[..at]).lose(ToClient, lost).say(ToClient, &RESPONSES[at..]).close();
        }
    }
}

#[test]
fn a_field_that_does_not_end_breaks_the_parser_off() {
    let long = vec![b'a'; 20_000];
    let mut talk = Talk::new();
    talk.say(ToServer, b"GET /").say(ToServer, &long);
    assert!(talk.broken);
    assert_eq!(talk.events(0), ["request_field_too_long"]);
    let mut talk = Talk::new();
    talk.say(ToServer, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .say(ToClient, b"HTTP/1.1 200 OK\r\nX: ")
        .say(ToClient, &long);
    assert!(talk.broken);
    assert_eq!(talk.events(0), ["response_field_too_long"]);
}

#[test]
fn headers_without_end_break_the_parser_off() {
    let mut talk = Talk::new();
    talk.say(ToServer, b"GET / HTTP/1.1\r\n");
    for number in 0..2000 {
        talk.say(ToServer, format!("X-{number}: y\r\n").as_bytes());
    }
    assert!(talk.broken);
    assert!(talk.events(0).contains(&"request_too_many_headers"));
}

#[test]
fn headers_of_one_name_are_not_joined_without_end() {
    let mut talk = Talk::new();
    talk.say(ToServer, b"GET / HTTP/1.1\r\nHost: a\r\n");
    for _ in 0..2000 {
        talk.say(ToServer, b"X: 0123456789\r\n");
    }
    talk.say(ToServer, b"\r\n");
    assert!(!talk.broken);
    let header = talk.text(0, field::HEADER, ToServer).expect("headers");
    assert!(header.len() < 2000, "{}", header.len());
}

#[test]
fn requests_that_nobody_answers_break_the_parser_off() {
    let mut talk = Talk::new();
    for _ in 0..1000 {
        talk.say(ToServer, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    assert!(talk.broken);
    assert!(talk.parser.transactions().len() <= 512);
}

#[test]
fn a_client_that_waits_for_its_tunnel_is_not_kept_without_end() {
    let mut talk = Talk::new();
    talk.say(ToServer, b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
    for _ in 0..100 {
        talk.say(ToServer, &[b'x'; 1000]);
    }
    assert!(talk.rest[0].len() <= 64 * 1024);
}

#[test]
fn a_request_whose_length_cannot_be_known_breaks_the_parser_off() {
    for header in ["Content-Length: much", "Transfer-Encoding: other"] {
        let request = format!("POST /x HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\nbody");
        let talk = Talk::of(request.as_bytes(), b"");
        assert!(talk.broken, "{header}");
        assert!(talk.text(0, field::HEADER, ToServer).is_some(), "what was understood stays");
        assert!(talk.exchange(0).is_complete(ToServer));
    }
}

#[test]
fn a_copy_goes_on_as_the_original() {
    let mut talk = Talk::new();
    talk.say(ToServer, &REQUESTS[..150]);
    let copy = talk.parser.clone();
    talk.say(ToServer, &REQUESTS[150..]).say(ToClient, RESPONSES).close();
    let mut other = Talk::new();
    other.say(ToServer, &REQUESTS[..150]);
    other.parser = copy;
    other.say(ToServer, &REQUESTS[150..]).say(ToClient, RESPONSES).close();
    assert_eq!(talk.everything(), other.everything());
}
