//! What each keyword of HTTP/2 finds.

use super::*;
use crate::app::http2::keywords::KEYWORDS;
use crate::app::{Takes, Verdict};

/// What a keyword says of a stream.
fn says(talk: &Talk, stream: u32, name: &str, text: &str, direction: Direction) -> Verdict {
    let keyword = KEYWORDS.iter().find(|keyword| keyword.name == name);
    let Some(Takes::Test(parse)) = keyword.map(|keyword| keyword.takes) else { panic!("no test {name}") };
    let test = parse(text).unwrap_or_else(|error| panic!("{name}:{text}: {error:?}"));
    test.check(talk.stream(stream), direction)
}

fn talk() -> Talk {
    let mut talk = Talk::begun();
    talk.say(ToServer, &request(1, "/"));
    talk.say(ToServer, &framed(frame::PRIORITY, 0, 1, &[0, 0, 0, 0, 42]));
    talk.say(ToServer, &framed(frame::WINDOW_UPDATE, 0, 1, &[0x80, 0, 1, 2]));
    talk.say(ToServer, &framed(frame::RST_STREAM, 0, 1, &[0, 0, 0, 8]));
    talk.say(ToServer, &framed(frame::HEADERS, END_HEADERS, 3, &[0x3f, 0x81, 0x1f, 0x82]));
    talk
}

#[test]
fn kinds_of_frames_are_found_by_name_and_by_number() {
    let talk = talk();
    for text in ["RST_STREAM", "rststream", "3", "PRIORITY", "WINDOW_UPDATE", "HEADERS"] {
        assert_eq!(says(&talk, 1, "http2.frametype", text, ToServer), Verdict::Holds, "{text}");
    }
    assert_ne!(says(&talk, 1, "http2.frametype", "GOAWAY", ToServer), Verdict::Holds);
    assert_ne!(says(&talk, 1, "http2.frametype", "HEADERS", ToClient), Verdict::Holds);
}

#[test]
fn reasons_weights_and_windows_are_found() {
    let talk = talk();
    for (name, yes, no) in [
        ("http2.errorcode", "CANCEL", "PROTOCOL_ERROR"),
        ("http2.errorcode", "8", "9"),
        ("http2.priority", "42", "<42"),
        ("http2.window", "258", ">258"),
    ] {
        assert_eq!(says(&talk, 1, name, yes, ToServer), Verdict::Holds, "{name}:{yes}");
        assert_ne!(says(&talk, 1, name, no, ToServer), Verdict::Holds, "{name}:{no}");
    }
    assert_eq!(says(&talk, 3, "http2.size_update", "4000", ToServer), Verdict::Holds);
    assert_ne!(says(&talk, 3, "http2.size_update", "<4000", ToServer), Verdict::Holds);
}

#[test]
fn settings_are_found_by_name_and_value() {
    let mut talk = Talk::begun();
    talk.say(ToServer, &framed(frame::SETTINGS, 0, 0, &[0, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]));
    let says = |text| says(&talk, 0, "http2.settings", text, ToServer);
    assert_eq!(says("SETTINGS_ENABLE_PUSH=0"), Verdict::Holds);
    assert_eq!(says("SETTINGS_MAX_CONCURRENT_STREAMS >99"), Verdict::Holds);
    assert_ne!(says("SETTINGS_MAX_CONCURRENT_STREAMS >100"), Verdict::Holds);
    assert_ne!(says("SETTINGS_MAX_FRAME_SIZE"), Verdict::Holds);
}

#[test]
fn texts_that_mean_nothing_are_refused() {
    for (name, text) in [
        ("http2.frametype", "NOTHING"),
        ("http2.frametype", "256"),
        ("http2.errorcode", "NOTHING"),
        ("http2.priority", "256"),
        ("http2.window", "x"),
        ("http2.size_update", ""),
        ("http2.settings", "SETTINGS_NOTHING"),
    ] {
        let keyword = KEYWORDS.iter().find(|keyword| keyword.name == name);
        let Some(Takes::Test(parse)) = keyword.map(|keyword| keyword.takes) else { panic!("no test {name}") };
        assert!(parse(text).is_err(), "{name}:{text}");
    }
}
