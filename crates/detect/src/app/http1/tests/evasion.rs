//! Malformed messages that browsers show all the same: the body has to be seen.

use super::{Talk, ToClient, ToServer};
use crate::app::file;
use crate::app::http::field;

const BODY: &str = "what must be seen";

/// What is seen of a response that is written like this; `{}` stands for the body.
fn seen(answer: &str) -> Talk {
    let answer = answer.replace("{}", BODY);
    Talk::of(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", answer.as_bytes())
}

fn shows(answer: &str) {
    let talk = seen(answer);
    let body = talk.text(0, file::DATA, ToClient).unwrap_or_default();
    assert!(body.contains(BODY), "{answer:?}: {body:?}");
}

#[test]
fn a_body_is_seen_behind_an_odd_response_line() {
    shows("HTTP/1.1 200\r\nContent-Length: 17\r\n\r\n{}");
    shows("http/2.5 2xx Whatever\r\nContent-Length: 17\r\n\r\n{}");
    shows("\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{}");
    shows(" \tHTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{}");
    shows("junk\r\nHTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{}");
    shows("no response line at all {}");
    shows("HTTP/1.1 304 Not Modified\r\nContent-Length: 17\r\n\r\n{}");
}

#[test]
fn a_body_is_seen_behind_odd_headers() {
    shows("HTTP/1.1 200 OK\r\nContent-Length\r\n : 17\r\nX: y\r\n\r\n{}");
    shows("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n11\r\n{}\r\n0\r\n\r\n");
    shows("HTTP/1.1 200 OK\r\nTransfer-Encoding: x,\r\n\tchunked\r\n\r\n11\r\n{}\r\n0\r\n\r\n");
    shows("HTTP/1.1 200 OK\r\nTransfer-\0Encoding: chun\0ked\r\n\r\n11\r\n{}\r\n0\r\n\r\n");
    shows("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n11\n{}\n0\n\n");
    shows("HTTP/1.1 200 OK\rTransfer-Encoding: chunked\r\r11\r\n{}\r\n0\r\n\r\n");
    shows("HTTP/1.1 200 OK\r\nfoo\r\n: bar\r\nContent-Length: 17\r\n\r\n{}");
    shows("HTTP/1.1 200 OK\r\nX: y\r\n Content-Length: 17\r\n\r\n{}");
    shows("HTTP/1.1 200 OK\r\nContent-Length: x17y\r\n\r\n{}");
    shows("HTTP/1.1 200 OK\r\nContent-Length: 17\r\nContent-Length: 1\r\n\r\n{}");
    shows("HTTP/1.1 200 OK\r\nX: y\n\r\r\n\r\n{}");
}

#[test]
fn a_body_is_seen_in_odd_chunks() {
    let chunked =
        |chunks: &str| shows(&format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"));
    chunked("11\n{}\n0\n\n");
    chunked("  00011\r\n{}\r\n0\r\n\r\n");
    chunked("11;name=value\r\n{}\r\n0\r\n\r\n");
    chunked("\r\n\r\n11\r\n{}\r\n0\r\n\r\n");
    chunked("not a length\r\n{}\r\n");
    chunked("11 x\r\n{}\r\n0\r\n\r\n");
    chunked("11\r\n{}");
    shows("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n{}\r\n0\r\n\r\n");
    shows("HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\n11\r\n{}\r\n0\r\n\r\n");
}

#[test]
fn a_body_is_seen_whatever_its_coding_is_said_to_be() {
    shows("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 17\r\n\r\n{}");
    shows("HTTP/1.1 200 OK\r\nContent-Encoding: deflate, gzip\r\nContent-Length: 17\r\n\r\n{}");
    shows("HTTP/1.1 200 OK\r\nContent-Encoding: unknown\r\nContent-Length: 17\r\n\r\n{}");
    shows("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 17\r\n\r\n{}");
}

#[test]
fn bytes_behind_a_body_are_seen_too() {
    for answer in ["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc{}\r\n", "HTTP/1.1 204 None\r\n\r\n{}\r\n"]
    {
        let talk = seen(answer);
        // Whether they came with it or later cannot matter, so they are not of its exchange.
        let body = talk.text(1, file::DATA, ToClient).unwrap_or_default();
        assert!(body.contains(BODY), "{answer:?}: {body:?}");
        let noted = ["response_body_unexpected", "unable_to_match_response_to_request"];
        assert!(noted.iter().all(|event| talk.events(1).contains(event)), "{:?}", talk.events(1));
    }
    shows("HTTP/1.1 200 OK\r\nContent-Length: 3 17\r\n\r\nabc{}\r\n");
}

#[test]
fn bytes_behind_a_request_are_seen_too() {
    let talk = Talk::of(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nmore\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", b"");
    assert_eq!(talk.events(0), [""; 0]);
    assert!(talk.events(1).contains(&"request_body_unexpected"), "{:?}", talk.events(1));
    assert_eq!(talk.text(2, field::URI, ToServer).as_deref(), Some("/b"));
}

#[test]
fn what_is_odd_is_noted() {
    let cases: &[(&str, &str)] = &[
        ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "response_field_missing_colon"),
        ("HTTP/1.1 200 OK\r\nX : y\r\n\r\n", "response_invalid_lws_after_name"),
        ("HTTP/1.1 200 OK\r\nX(: y\r\n\r\n", "response_header_name_not_token"),
        ("HTTP/1.1 200 OK\r\n X: y\r\n\r\n", "invalid_response_field_folding"),
        ("HTTP/1.1 200 OK\r\nX: y\r\nx: z\r\n\r\n", "response_header_repetition"),
        ("HTTP/1.1 200 OK\r\nContent-Length: x1\r\n\r\n1", "content_length_extra_data_start"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n1", "content_length_extra_data_end"),
        ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "invalid_content_length_field_in_response"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n1",
            "duplicate_content_length_field_in_response",
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "invalid_response_chunk_len"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: x-chunked\r\n\r\n0\r\n\r\n",
            "response_abnormal_transfer_encoding",
        ),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "response_chunked_old_proto"),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: foo\r\n\r\n", "abnormal_ce_header"),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip, gzip\r\n\r\n", "too_many_encoding_layers"),
        ("HTTP/1.1 200 OK\r\nContent-Type: multipart/byteranges\r\n\r\n", "response_multipart_byteranges"),
        ("HTTP/1.1 101 Sure\r\nContent-Length: 1\r\n\r\n1", "switching_proto_with_content_length"),
        ("HTTP/1.1 204 None\r\nContent-Length: 1\r\n\r\n1", "response_body_unexpected"),
        ("HTTP/9 200 OK\r\n\r\n", "response_line_invalid_protocol"),
        ("HTTP/1.1 twenty OK\r\n\r\n", "response_line_invalid_response_status"),
        ("HTTP / 01.1 200 OK\r\n\r\n", "response_line_invalid_protocol"),
        ("HTTP/01.1 200 OK\r\n\r\n", "protocol_contains_extra_data"),
    ];
    for (answer, event) in cases {
        let talk = seen(answer);
        assert!(talk.events(0).contains(event), "{answer:?}: {:?}", talk.events(0));
    }
}

#[test]
fn what_is_odd_about_a_request_is_noted() {
    let cases: &[(&str, &str)] = &[
        ("GET / HTTP/1.1\r\n\r\n", "missing_host_header"),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "request_header_host_invalid"),
        ("GET http://a..b/ HTTP/1.1\r\nHost: a..b\r\n\r\n", "request_uri_host_invalid"),
        ("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", "host_header_ambiguous"),
        ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "method_delim_non_compliant"),
        ("GET /\tx HTTP/1.1\r\nHost: a\r\n\r\n", "uri_delim_non_compliant"),
        (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", "request_line_leading_whitespace"),
        ("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: secret\r\n\r\n", "request_auth_unrecognized"),
        ("GET / HTTP/1.1\r\nHost: a\r\nbad\r\n\r\n", "request_field_missing_colon"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", "request_invalid_lws_after_name"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX(: y\r\n\r\n", "request_header_invalid"),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", "invalid_request_field_folding"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nX: z\r\n\r\n", "request_header_repetition"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\n\r\n",
            "request_chunk_extension",
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz", "invalid_request_chunk_len"),
        (
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "invalid_transfer_encoding_value_in_request",
        ),
    ];
    for (request, event) in cases {
        let talk = Talk::of(request.as_bytes(), b"");
        assert!(talk.events(0).contains(event), "{request:?}: {:?}", talk.events(0));
    }
}
