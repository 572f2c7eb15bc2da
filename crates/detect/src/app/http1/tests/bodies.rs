//! Bodies and the files that they are.

use super::{Talk, ToClient, ToServer};
use crate::app::file::{self, Ending};
use crate::app::http::field;
use crate::app::{Ready, Transaction};
use miniz_oxide::deflate::compress_to_vec;

fn body_of(head: &str, body: &[u8]) -> Talk {
    let answer = [head.as_bytes(), b"\r\n\r\n", body].concat();
    Talk::of(b"GET /dir/name.bin HTTP/1.1\r\nHost: a\r\n\r\n", &answer)
}

fn body(head: &str, bytes: &[u8]) -> Option<String> {
    body_of(head, bytes).text(0, file::DATA, ToClient)
}

#[test]
fn a_body_ends_where_it_says() {
    assert_eq!(body("HTTP/1.1 200 OK\r\nContent-Length: 4", b"body").as_deref(), Some("body"));
    assert_eq!(body("HTTP/1.1 200 OK", b"until the end").as_deref(), Some("until the end"));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked";
    let chunks = b"3\r\nabc\r\n a;ext=1\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";
    let talk = body_of(chunked, chunks);
    assert_eq!(talk.text(0, file::DATA, ToClient).as_deref(), Some("abc0123456789"));
    assert_eq!(talk.events(0), ["response_chunk_extension"]);
    assert!(talk.text(0, field::HEADER_RAW, ToClient).is_some_and(|raw| raw.ends_with("Trailer: t\r\n\r\n")));
}

#[test]
fn trailers_are_headers_too() {
    let mut talk = Talk::new();
    talk.say(ToServer, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
    assert_eq!(talk.exchange(0).ready(field::HEADER, ToServer), Ready::Part);
    talk.say(ToServer, b"0\r\nLate: yes\r\n\r\n");
    let header = talk.text(0, field::HEADER, ToServer).expect("headers");
    assert_eq!(header, "Host: a\r\nTransfer-Encoding: chunked\r\nLate: yes\r\n");
    assert_eq!(talk.exchange(0).ready(field::HEADER, ToServer), Ready::Full);
}

#[test]
fn a_compressed_body_is_shown_decoded() {
    let text = b"a body that was compressed, a body that was compressed";
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    gzip.extend(compress_to_vec(text, 6));
    gzip.extend([0; 8]);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}", gzip.len());
    assert_eq!(body(&head, &gzip).as_deref().map(str::as_bytes), Some(&text[..]));
}

#[test]
fn a_compressed_request_is_shown_decoded() {
    let packed = compress_to_vec(b"hidden words", 6);
    let head = format!(
        "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Encoding: deflate\r\nContent-Length: {}\r\n\r\n",
        packed.len()
    );
    let talk = Talk::of(&[head.as_bytes(), &packed].concat(), b"");
    assert_eq!(talk.text(0, field::REQUEST_BODY, ToServer).as_deref(), Some("hidden words"));
    assert_eq!(talk.files(0, ToServer), [("/x".to_string(), "hidden words".to_string())]);
}

#[test]
fn a_bomb_is_defused() {
    let packed = compress_to_vec(&vec![0; 8 << 20], 9);
    let packed = compress_to_vec(&packed, 9);
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: deflate, deflate\r\nContent-Length: {}", packed.len());
    let talk = body_of(&head, &packed);
    assert!(talk.events(0).contains(&"compression_bomb"));
    let file = &talk.exchange(0).files(ToClient).expect("files").list()[0];
    assert!(file.body.total() < 2 << 20);
    assert_eq!(file.body.window().len(), 100 * 1024);
}

#[test]
fn a_response_is_a_file_of_the_path_or_of_the_name_that_it_gets() {
    let talk = body_of("HTTP/1.1 200 OK\r\nContent-Length: 3", b"abc");
    assert_eq!(talk.files(0, ToClient), [("/dir/name.bin".to_string(), "abc".to_string())]);
    let named =
        "HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=\"other.exe\"\r\nContent-Length: 3";
    assert_eq!(body_of(named, b"abc").files(0, ToClient), [("other.exe".to_string(), "abc".to_string())]);
}

#[test]
fn an_upload_is_the_files_in_it() {
    let form = "--b\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\ntext\r\n--b\r\n\
        Content-Disposition: form-data; name=\"f\"; filename=\"up.txt\"\r\n\r\ncontent\r\n--b--\r\n";
    let request = format!(
        "POST /u HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let talk = Talk::of(request.as_bytes(), b"");
    assert_eq!(talk.files(0, ToServer), [("up.txt".to_string(), "content".to_string())]);
    assert_eq!(talk.text(0, field::REQUEST_BODY, ToServer).as_deref(), Some(form));
}

#[test]
fn a_body_of_another_method_is_no_file() {
    let talk = Talk::of(b"GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab", b"");
    assert_eq!(talk.files(0, ToServer), []);
    assert_eq!(talk.text(0, field::REQUEST_BODY, ToServer).as_deref(), Some("ab"));
}

#[test]
fn a_large_body_is_looked_at_in_windows() {
    let mut talk = Talk::new();
    talk.say(ToServer, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    talk.say(ToClient, b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n");
    let ready = |talk: &Talk| talk.exchange(0).files(ToClient).map(|files| files.ready(file::DATA));
    talk.say(ToClient, &[b'a'; 40_000]);
    assert_eq!(ready(&talk), Some(Ready::No));
    talk.say(ToClient, &[b'b'; 1000]);
    assert_eq!(ready(&talk), Some(Ready::Part));
    let exchange = talk.parser.exchanges.last_mut().expect("an exchange");
    exchange.files_mut(ToClient).expect("files").inspected();
    assert_eq!(ready(&talk), Some(Ready::No));
    talk.say(ToClient, b"new");
    let window = talk.text(0, file::DATA, ToClient).expect("a window");
    assert!(window.ends_with("bbbnew") && window.len() == 16 * 1024);
    talk.say(ToClient, &[b'c'; 158_997]);
    let file = &talk.exchange(0).files(ToClient).expect("files").list()[0];
    // Another file could come.
    assert_eq!((file.ending, ready(&talk)), (Ending::Truncated, Some(Ready::Part)));
    assert!(talk.exchange(0).is_complete(ToClient));
}

#[test]
fn what_no_rule_asks_for_is_not_kept() {
    let mut talk = Talk::new();
    talk.settings = crate::app::Settings::default();
    talk.say(ToServer, b"DELETE /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
    assert_eq!(talk.text(0, field::REQUEST_BODY, ToServer), None);
    assert!(talk.exchange(0).is_complete(ToServer));
}
