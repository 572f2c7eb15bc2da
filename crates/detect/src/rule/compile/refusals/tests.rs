//! Which rules contradict themselves, and which only look as if they did.

use crate::rule::{RuleFile, RuleSet, Variables};

/// Why a rule is wrong; nothing, if it is taken.
fn refusal(head: &str, options: &str) -> Option<String> {
    let text = format!("alert {head} any any -> any any ({options}; sid:1;)");
    let set = RuleSet::load(&[RuleFile { name: "r", text: &text }], &Variables::default(), &|_| None);
    assert_eq!(set.report().total, 1, "{options}");
    assert!(set.report().refused.is_empty(), "{options}: {:?}", set.report().refused);
    set.report().problems.first().map(|(_, problem)| problem.words.clone())
}

fn all_are_refused(rules: &[(&str, &str)]) {
    for (head, options) in rules {
        assert!(refusal(head, options).is_some(), "taken: {head} ({options})");
    }
}

fn all_are_taken(rules: &[(&str, &str)]) {
    for (head, options) in rules {
        assert_eq!(refusal(head, options), None, "{head} ({options})");
    }
}

#[test]
fn a_rule_is_about_one_protocol() {
    all_are_refused(&[
        ("http", "dns.query; content:\"a\""),
        ("tcp", "http.uri; content:\"a\"; dns.query; content:\"a\""),
        ("tcp", "content:\"a\"; http_uri; dns.query; content:\"a\""),
        ("http", "ja3.hash; content:\"00112233445566778899aabbccddeeff\""),
        ("http", "dns.opcode:1"),
        ("tcp", "byte_test:1,=,1,0,dce; http.uri; content:\"a\""),
    ]);
    all_are_taken(&[
        ("dns", "dns.query; content:\"a\""),
        ("doh2", "dns.query; content:\"a\"; http2.header_name; content:\"b\""),
        ("http2", "http.uri; content:\"a\"; http2.header_name; content:\"b\""),
        ("quic", "ja3.hash; content:\"00112233445566778899aabbccddeeff\""),
        ("smb", "dcerpc.opnum:1"),
        ("tcp", "file.data; content:\"a\"; http.uri; content:\"b\""),
    ]);
    let words = refusal("http", "dns.query; content:\"a\"").unwrap_or_default();
    assert!(words.contains("about dns"), "{words}");
}

#[test]
fn what_is_spoken_is_asked_for_where_it_is_open() {
    all_are_refused(&[
        ("http", "app-layer-protocol:http"),
        ("tcp", "http.uri; content:\"a\"; app-layer-protocol:http"),
        ("tcp", "app-layer-protocol:http; app-layer-protocol:!tls"),
        ("tcp", "app-layer-protocol:!tls; app-layer-protocol:!tls"),
    ]);
    all_are_taken(&[
        ("tcp", "app-layer-protocol:!http; app-layer-protocol:!tls"),
        ("ip", "app-layer-protocol:dns"),
    ]);
}

#[test]
fn contents_have_one_place_said_once() {
    all_are_refused(&[
        ("tcp", "content:\"abc\"; startswith; offset:1"),
        ("tcp", "content:\"abc\"; endswith; endswith"),
        ("tcp", "content:\"abc\"; nocase; nocase"),
        ("tcp", "content:\"abc\"; nocase:yes"),
        ("http", "content:\"abc\"; http.uri; nocase"),
        ("http", "content:\"abc\"; http.uri; nocase; content:\"b\""),
        ("http", "http.uri; content:\"abc\"; http.method; nocase; content:\"b\""),
        ("http", "http.uri; content:\"a\"; http_method; content:\"b\""),
        ("http", "http_uri; content:\"b\""),
        ("http", "http.uri; content:\"a\"; pcre:\"/b/H\""),
        ("tcp", "pcre:\"/b/R\""),
    ]);
    all_are_taken(&[
        ("tcp", "content:\"x\"; content:\"abc\"; distance:1; endswith"),
        ("http", "http.uri; content:\"a\"; nocase; http.method; content:\"b\"; nocase"),
        ("http", "http.uri; content:\"a\"; pcre:\"/b/U\""),
        ("http", "file.data; content:\"a\"; pcre:\"/b/Q\""),
        ("tcp", "content:\"a\"; pcre:\"/b/R\""),
        ("tcp", "content:\"a\"; within:5"),
    ]);
}

#[test]
fn one_content_finds_candidates_and_its_place_does_not_forbid_it() {
    all_are_refused(&[
        ("tcp", "content:\"a\"; fast_pattern; content:\"b\"; fast_pattern"),
        ("tcp", "content:!\"a\"; fast_pattern; offset:1"),
        ("tcp", "content:\"x\"; content:!\"a\"; fast_pattern; within:1"),
        ("tcp", "content:\"a\"; fast_pattern:only; offset:1"),
        ("tcp", "content:\"a\"; offset:1; fast_pattern:only"),
        ("tcp", "prefilter"),
        ("http", "http.uri; absent:or_else; content:\"a\"; fast_pattern"),
    ]);
    all_are_taken(&[
        ("tcp", "content:\"a\"; fast_pattern; content:\"b\""),
        ("tcp", "content:!\"a\"; fast_pattern"),
        ("tcp", "ttl:5; prefilter"),
    ]);
}

#[test]
fn packets_streams_frames_and_exchanges_are_asked_for_in_rules_of_their_own() {
    all_are_refused(&[
        ("tcp", "dsize:>1; http.uri; content:\"a\""),
        ("tcp", "flow:no_stream; http.uri; content:\"a\""),
        ("tcp-pkt", "http.uri; content:\"a\""),
        ("tcp-stream", "dsize:>1; content:\"a\""),
        ("tcp", "flow:only_stream; ttl:64"),
        ("http", "content:\"a\"; frame:http1.request; content:\"b\""),
        ("http", "http.uri; content:\"a\"; frame:http1.request; content:\"b\""),
    ]);
    all_are_taken(&[("tcp", "dsize:>1; content:\"a\""), ("http", "frame:http1.request; content:\"b\"")]);
}

#[test]
fn what_never_fits_into_its_buffer_is_refused() {
    all_are_refused(&[
        ("http", "http.uri; content:\"abc\"; bsize:2"),
        ("http", "http.uri; content:\"abc\"; content:\"de\"; distance:2; bsize:6"),
        ("tcp", "dsize:2; content:\"abc\""),
        ("http", "http.host; content:\"ABC\""),
        ("http", "http.host; content:\"abc\"; nocase"),
        ("http", "http.method; content:\"GET \""),
        ("tls", "ja3.hash; content:\"ab\""),
        ("tls", "tls.cert_serial; content:\"abcdef\""),
        ("tls", "tls.cert_fingerprint; content:\"ab:cd\""),
        ("http", "http.uri; absent; content:\"a\""),
        ("http", "http.uri; absent:or_else"),
        ("tcp", "tcp.hdr"),
    ]);
    all_are_taken(&[
        ("http", "http.uri; content:\"abc\"; content:\"de\"; distance:2; bsize:7"),
        ("http", "http.uri; content:\"abc\"; content:\"bcd\"; bsize:<5"),
        ("http", "http.uri; content:\"abc\"; bsize:>2"),
        ("http", "http.host; to_uppercase; content:\"ABC\""),
        ("tls", "tls.cert_serial; content:\"ab:cd\""),
        ("http", "http.uri; absent"),
    ]);
}
