//! What each keyword looks into, to the byte.

use super::{Talk, ToClient, ToServer};
use crate::Direction;
use crate::app::file;
use crate::app::http::field;
use crate::app::http::keywords::KEYWORDS;
use crate::app::{Field, Ready, Takes, Transaction, Verdict};
use crate::eve::Object;

const REQUEST: &[u8] = b"GET /a/../b//c%20d?q=%41+1#f HTTP/1.1\r\nHost: WWW.Example.com:8080\r\nUser-Agent:  tool/1.0 \r\n\
    Cookie: a=1\r\nReferer: http://r/\r\nAccept: */*\r\nAccept-Language: en\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\
    X-Two: one\r\nX-two: two\r\n\r\n";
const RESPONSE: &[u8] =
    b"HTTP/1.0 200 All right\r\nServer: s\r\nSet-Cookie: b=2\r\nContent-Type: text/plain; x=y\r\n\
    Location: /else\r\nContent-Length: 4\r\n\r\nbody";

fn seen(field: Field, direction: Direction) -> Option<String> {
    Talk::of(REQUEST, RESPONSE).text(0, field, direction)
}

#[test]
fn the_request_line_and_its_parts_are_shown() {
    let expected = [
        (field::REQUEST_LINE, "GET /a/../b//c%20d?q=%41+1#f HTTP/1.1"),
        (field::METHOD, "GET"),
        (field::URI, "/b/c d?q=A+1#f"),
        (field::URI_RAW, "/a/../b//c%20d?q=%41+1#f"),
        (field::PROTOCOL, "HTTP/1.1"),
        (field::HOST, "www.example.com"),
        (field::HOST_RAW, "WWW.Example.com:8080"),
    ];
    for (field, value) in expected {
        assert_eq!(seen(field, ToServer).as_deref(), Some(value), "{field:?}");
    }
}

#[test]
fn the_response_line_and_its_parts_are_shown() {
    let expected = [
        (field::RESPONSE_LINE, "HTTP/1.0 200 All right\r\n"),
        (field::STATUS_CODE, "200"),
        (field::STATUS_MESSAGE, "All right"),
        (field::PROTOCOL, "HTTP/1.0"),
    ];
    for (field, value) in expected {
        assert_eq!(seen(field, ToClient).as_deref(), Some(value), "{field:?}");
    }
}

#[test]
fn single_headers_are_shown_by_their_value() {
    let expected = [
        (field::USER_AGENT, ToServer, "tool/1.0"),
        (field::COOKIE, ToServer, "a=1"),
        (field::REFERER, ToServer, "http://r/"),
        (field::ACCEPT, ToServer, "*/*"),
        (field::ACCEPT_LANGUAGE, ToServer, "en"),
        (field::ACCEPT_ENCODING, ToServer, "gzip"),
        (field::CONNECTION, ToServer, "close"),
        (field::COOKIE, ToClient, "b=2"),
        (field::CONTENT_TYPE, ToClient, "text/plain; x=y"),
        (field::CONTENT_LENGTH, ToClient, "4"),
        (field::LOCATION, ToClient, "/else"),
        (field::SERVER, ToClient, "s"),
    ];
    for (field, direction, value) in expected {
        assert_eq!(seen(field, direction).as_deref(), Some(value), "{field:?}");
    }
    assert_eq!(seen(field::CONTENT_TYPE, ToServer), None);
}

#[test]
fn all_headers_are_one_text_without_cookies() {
    let header = "Host: WWW.Example.com:8080\r\nUser-Agent: tool/1.0\r\nReferer: http://r/\r\nAccept: */*\r\n\
        Accept-Language: en\r\n\
        Accept-Encoding: gzip\r\nConnection: close\r\nX-Two: one, two\r\n";
    assert_eq!(seen(field::HEADER, ToServer).as_deref(), Some(header));
    let header = "Server: s\r\nContent-Type: text/plain; x=y\r\nLocation: /else\r\nContent-Length: 4\r\n";
    assert_eq!(seen(field::HEADER, ToClient).as_deref(), Some(header));
}

#[test]
fn the_other_forms_of_the_headers_are_shown() {
    let names = "\r\nServer\r\nSet-Cookie\r\nContent-Type\r\nLocation\r\nContent-Length\r\n\r\n";
    assert_eq!(seen(field::HEADER_NAMES, ToClient).as_deref(), Some(names));
    let head = REQUEST.iter().position(|byte| *byte == b'\n').expect("a line");
    let raw = String::from_utf8_lossy(&REQUEST[head + 1..]).into_owned();
    assert_eq!(seen(field::HEADER_RAW, ToServer), Some(raw));
    let each = "Server: s|Set-Cookie: b=2|Content-Type: text/plain; x=y|Location: /else|Content-Length: 4";
    assert_eq!(seen(field::RESPONSE_HEADER, ToClient).as_deref(), Some(each));
    assert_eq!(seen(field::RESPONSE_HEADER, ToServer), None);
    let start = seen(field::START, ToServer).expect("a start");
    assert!(start.starts_with("GET /a/../b//c%20d?q=%41+1#f HTTP/1.1\r\nHost: WWW.Example.com:8080\r\n"));
    assert!(start.contains("Cookie: a=1\r\n") && start.ends_with("X-Two: one, two\r\n\r\n"));
}

#[test]
fn what_is_made_beforehand_is_what_is_made_when_asked() {
    let talk = Talk::of(REQUEST, RESPONSE);
    let mut other = Talk::new();
    other.settings = crate::app::Settings::default();
    other.say(ToServer, REQUEST).say(ToClient, RESPONSE).close();
    for field in [field::HEADER, field::HEADER_NAMES, field::START] {
        for direction in [ToServer, ToClient] {
            assert_eq!(talk.text(0, field, direction), other.text(0, field, direction));
        }
    }
}

#[test]
fn a_host_in_the_uri_counts_more_than_the_header() {
    let talk = Talk::of(b"GET http://One.example:81/x HTTP/1.1\r\nHost: two.example\r\n\r\n", b"");
    assert_eq!(talk.text(0, field::HOST, ToServer).as_deref(), Some("one.example"));
    assert_eq!(talk.text(0, field::HOST_RAW, ToServer).as_deref(), Some("one.example"));
    assert_eq!(talk.text(0, field::URI, ToServer).as_deref(), Some("/x"));
    assert_eq!(talk.text(0, field::URI_RAW, ToServer).as_deref(), Some("http://One.example:81/x"));
    assert_eq!(talk.events(0), ["host_header_ambiguous"]);
}

#[test]
fn an_empty_header_is_there_and_a_missing_one_is_not() {
    let talk = Talk::of(b"GET / HTTP/1.0\r\nUser-Agent:\r\n\r\n", b"");
    assert_eq!(talk.text(0, field::USER_AGENT, ToServer).as_deref(), Some(""));
    assert_eq!(talk.text(0, field::REFERER, ToServer), None);
}

#[test]
fn fields_are_ready_when_their_part_of_the_message_is_there() {
    let mut talk = Talk::new();
    let ready = |talk: &Talk, field, direction| talk.exchange(0).ready(field, direction);
    talk.say(ToServer, b"POST /x HTTP/1.1\r\n");
    assert_eq!(ready(&talk, field::URI, ToServer), Ready::Full);
    assert_eq!(ready(&talk, field::HEADER, ToServer), Ready::No);
    assert_eq!(talk.text(0, field::HEADER, ToServer), None);
    talk.say(ToServer, b"Host: h\r\nContent-Length: 3\r\n\r\nab");
    assert_eq!(ready(&talk, field::HEADER, ToServer), Ready::Full);
    assert_eq!(ready(&talk, field::REQUEST_BODY, ToServer), Ready::No);
    talk.say(ToServer, b"c");
    assert_eq!(ready(&talk, field::REQUEST_BODY, ToServer), Ready::Full);
    assert_eq!(ready(&talk, field::STATUS_CODE, ToClient), Ready::No);
    talk.say(ToClient, b"HTTP/1.1 204 No\r\n");
    assert_eq!(ready(&talk, field::STATUS_CODE, ToClient), Ready::Full);
    assert_eq!(ready(&talk, file::DATA, ToClient), Ready::No);
    talk.say(ToClient, b"\r\n");
    assert!(talk.exchange(0).is_complete(ToServer) && talk.exchange(0).is_complete(ToClient));
}

#[test]
fn the_length_of_the_uri_is_that_of_either_form() {
    let test = |text: &str, talk: &Talk| {
        let keyword = KEYWORDS.iter().find(|keyword| keyword.name == "urilen").expect("the keyword");
        let Takes::Test(read) = keyword.takes else { panic!("urilen is a test") };
        read(text).expect("a condition").check(talk.exchange(0), ToServer)
    };
    let mut talk = Talk::new();
    talk.say(ToServer, b"\r\nGET /a");
    assert_eq!(test("1", &talk), Verdict::Open);
    talk.say(ToServer, b"/../b HTTP/1.1\r\n\r\n");
    assert_eq!(test("2", &talk), Verdict::Holds);
    assert_eq!(test("2,norm", &talk), Verdict::Holds);
    assert_eq!(test("7,raw", &talk), Verdict::Holds);
    assert_eq!(test(">7,raw", &talk), Verdict::Fails);
    assert_eq!(test("1<>3", &talk), Verdict::Holds);
}

#[test]
fn every_buffer_of_a_keyword_is_answered() {
    let talk = Talk::of(
        b"POST /a HTTP/1.1\r\nHost: h\r\nUser-Agent: u\r\nReferer: r\r\nCookie: c\r\nAccept: a\r\nAccept-Language: l\r\n\
            Accept-Encoding: e\r\nConnection: c\r\nContent-Type: t\r\nContent-Length: 1\r\n\r\nb",
        RESPONSE,
    );
    for keyword in KEYWORDS {
        let (Takes::Buffer(buffer) | Takes::Modifier(buffer)) = keyword.takes else { continue };
        let found = [ToServer, ToClient]
            .iter()
            .filter(|direction| buffer.sides.include(**direction))
            .any(|direction| talk.text(0, buffer.field, *direction).is_some());
        assert!(found, "{}", keyword.name);
    }
}

#[test]
fn the_record_tells_what_the_exchange_was() {
    let talk = Talk::of(REQUEST, RESPONSE);
    let mut record = Object::new();
    talk.exchange(0).record(&mut record);
    assert_eq!(
        record.finish(),
        "{\"hostname\":\"www.example.com\",\"http_port\":8080,\"url\":\"/a/../b//c%20d?q=%41+1#f\",\
            \"http_user_agent\":\"tool/1.0\",\"http_content_type\":\"text/plain\",\"http_refer\":\"http://r/\",\
            \"http_method\":\"GET\",\"protocol\":\"HTTP/1.1\",\"status\":200,\"redirect\":\"/else\",\"length\":4}"
    );
}
