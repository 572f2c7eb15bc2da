//! How exchanges come about: pipelines, responses without requests, tunnels, upgrades, gaps, frames, ends.

use super::{Talk, ToClient, ToServer};
use crate::app::file;
use crate::app::http::field;
use crate::app::{Next, ProtocolId, Transaction};

#[test]
fn requests_and_responses_are_paired_in_turn() {
    let talk = Talk::of(
        b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /3 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 204 None\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
    );
    assert_eq!(talk.count(), 3);
    let uris: Vec<_> = (0..3).map(|id| talk.text(id, field::URI, ToServer)).collect();
    assert_eq!(uris, [Some("/1".into()), Some("/2".into()), Some("/3".into())]);
    assert_eq!(talk.text(0, file::DATA, ToClient).as_deref(), Some("one"));
    assert_eq!(talk.text(1, field::STATUS_CODE, ToClient).as_deref(), Some("204"));
    assert_eq!(talk.text(2, file::DATA, ToClient), None);
    for id in 0..3 {
        assert!(talk.exchange(id).is_complete(ToServer) && talk.exchange(id).is_complete(ToClient));
        assert!(talk.events(id).is_empty());
    }
}

#[test]
fn a_response_without_a_request_is_an_exchange_of_its_own() {
    let mut talk = Talk::new();
    talk.say(ToClient, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    talk.say(ToServer, b"GET /later HTTP/1.0\r\n\r\n")
        .say(ToClient, b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(talk.count(), 2);
    assert_eq!(talk.events(0), ["unable_to_match_response_to_request"]);
    assert_eq!(talk.text(0, field::URI, ToServer), None);
    assert_eq!(talk.text(0, field::URI_RAW, ToServer).as_deref(), Some("/libhtp::request_uri_not_seen"));
    assert_eq!(talk.text(0, file::DATA, ToClient).as_deref(), Some("hi"));
    assert_eq!(talk.text(1, field::STATUS_CODE, ToClient).as_deref(), Some("404"));
}

#[test]
fn a_response_that_comes_before_the_request_is_over_belongs_to_it() {
    let mut talk = Talk::new();
    talk.say(ToServer, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
    talk.say(ToClient, b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n");
    talk.say(ToServer, b"cd");
    assert_eq!(talk.count(), 1);
    assert_eq!(talk.text(0, field::REQUEST_BODY, ToServer).as_deref(), Some("abcd"));
    assert!(talk.exchange(0).is_complete(ToServer) && talk.exchange(0).is_complete(ToClient));
}

#[test]
fn interim_responses_are_followed_by_the_response() {
    let talk = Talk::of(
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny",
    );
    assert_eq!(talk.count(), 1);
    assert_eq!(talk.text(0, field::STATUS_CODE, ToClient).as_deref(), Some("200"));
    assert_eq!(talk.text(0, field::HEADER, ToClient).as_deref(), Some("Content-Length: 1\r\n"));
    assert!(talk.events(0).contains(&"continue_already_seen"));
}

#[test]
fn a_client_that_is_refused_does_not_send_its_body() {
    let mut talk = Talk::new();
    talk.say(ToServer, b"POST /1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
    talk.say(ToClient, b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    talk.say(ToServer, b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(talk.count(), 2);
    assert_eq!(talk.text(1, field::URI, ToServer).as_deref(), Some("/2"));
}

#[test]
fn an_accepted_connect_is_a_tunnel_to_be_recognised() {
    let mut talk = Talk::new();
    talk.say(ToServer, b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n");
    talk.say(ToClient, b"HTTP/1.1 200 Yes\r\n\r\n");
    assert_eq!(talk.next, Some(Next::Recognise));
    assert_eq!(talk.text(0, field::HOST, ToServer).as_deref(), Some("a.example"));
    assert!(talk.exchange(0).is_complete(ToServer) && talk.exchange(0).is_complete(ToClient));
}

#[test]
fn bytes_of_a_tunnel_are_not_taken_before_it_is_recognised() {
    let mut talk = Talk::new();
    talk.say(ToServer, b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03\x01early");
    assert_eq!(talk.rest[0], b"\x16\x03\x01early");
    talk.say(ToClient, b"HTTP/1.1 200 Yes\r\n\r\n\x16\x03\x03too");
    assert_eq!(talk.rest[1], b"\x16\x03\x03too");
    assert_eq!(talk.next, Some(Next::Recognise));
}

#[test]
fn after_a_refused_connect_http_goes_on() {
    let mut talk = Talk::new();
    talk.say(ToServer, b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.say(ToClient, b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
    talk.say(ToServer, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(talk.next, None);
    assert_eq!(talk.text(1, field::URI, ToServer).as_deref(), Some("/x"));
}

#[test]
fn an_upgrade_goes_on_as_what_it_asks_for() {
    for (asked, next) in [
        ("h2c", Some(Next::Switch(ProtocolId::Http2))),
        ("WebSocket", Some(Next::Switch(ProtocolId::Websocket))),
        ("else", None),
    ] {
        let mut talk = Talk::new();
        talk.say(ToServer, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer =
            format!("HTTP/1.1 101 Switching\r\nUpgrade: {asked}\r\nConnection: Upgrade\r\n\r\n\0\0\x12");
        talk.say(ToClient, answer.as_bytes());
        assert_eq!(talk.next, next, "{asked}");
        assert_eq!(talk.rest[1].is_empty(), next.is_none());
        assert_eq!(talk.text(0, field::STATUS_CODE, ToClient).as_deref(), Some("101"));
    }
}

#[test]
fn a_request_of_the_first_version_has_a_body_for_an_answer() {
    let talk = Talk::of(b"GET /old\r\n", b"<html>no head</html>");
    assert_eq!(talk.text(0, file::DATA, ToClient).as_deref(), Some("<html>no head</html>"));
    assert_eq!(talk.text(0, field::PROTOCOL, ToServer), None);
    let talk = Talk::of(b"GET /old\r\nHost: there.is.more\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\nx");
    assert_eq!(talk.events(0), ["request_line_missing_protocol"]);
    assert_eq!(talk.text(0, field::HOST_RAW, ToServer).as_deref(), Some("there.is.more"));
    assert_eq!(talk.text(0, file::DATA, ToClient).as_deref(), Some("x"));
}

#[test]
fn a_gap_within_a_body_is_skipped() {
    let mut talk = Talk::new();
    talk.say(ToServer, b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab")
        .lose(ToServer, 6)
        .say(ToServer, b"yz");
    talk.say(ToClient, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").lose(ToClient, 6);
    talk.say(ToServer, b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.say(ToClient, b"HTTP/1.1 200 OK\r\n\r\nuntil").lose(ToClient, 1000).say(ToClient, b"close").close();
    assert!(!talk.broken);
    assert_eq!(talk.text(0, field::REQUEST_BODY, ToServer).as_deref(), Some("abyz"));
    assert_eq!(talk.text(0, file::DATA, ToClient).as_deref(), Some("abc"));
    assert_eq!(talk.text(1, file::DATA, ToClient).as_deref(), Some("untilclose"));
}

#[test]
fn messages_are_shown_as_frames() {
    let request = b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab";
    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\ncd";
    let mut talk = Talk::new();
    talk.say(ToServer, request).say(ToClient, &response[..20]).say(ToClient, &response[20..]);
    talk.say(ToServer, request);
    let frames: Vec<(&str, &[u8])> =
        talk.frames.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let expected: [(&str, &[u8]); 3] =
        [("http1.request", request), ("http1.response", response), ("http1.request", request)];
    assert_eq!(frames, expected);
}

#[test]
fn the_end_completes_what_is_open() {
    let mut talk = Talk::new();
    talk.say(ToServer, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart");
    assert!(!talk.exchange(0).is_complete(ToServer));
    assert_eq!(talk.text(0, field::REQUEST_BODY, ToServer), None);
    talk.close();
    assert!(talk.exchange(0).is_complete(ToServer) && talk.exchange(0).is_complete(ToClient));
    assert_eq!(talk.text(0, field::REQUEST_BODY, ToServer).as_deref(), Some("part"));
}

#[test]
fn headers_that_the_end_cuts_off_are_those_that_are_there() {
    let talk = Talk::of(b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nHalf: of", b"");
    assert_eq!(talk.text(0, field::HEADER, ToServer).as_deref(), Some("Host: a\r\nX: y\r\n"));
}
