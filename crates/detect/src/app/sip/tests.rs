//! What SIP promises, with messages that are built here.

use super::keywords::*;
use super::{PROTOCOL as DOOR, Sip};
use crate::Direction::{ToClient, ToServer};
use crate::app::Transport;
use crate::app::trial::Trial;

const FRAMES: &[&str] = DOOR.frames;

fn invite(body: &str) -> Vec<u8> {
    let head = "INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP one\r\nv: SIP/2.0/UDP two\r\nf: <sip:al@example.org>;tag=1  \r\n\
        To: <sip:bob@example.org>\r\n ;tag=7\r\nUser-Agent: phone\r\nc: application/sdp\r\nl: 9\r\n\r\n";
    [head, body].concat().into_bytes()
}

const SDP: &str = "v=0\r\no=al 1 2  IN IP4 host.example\r\ns=a call\r\ni=info\r\nu=http://e.org/\r\ne=al@e.org\r\np=+1\r\nc=IN IP4 224.2.1.1/127/3\r\n\
    b=AS:64\r\nb=CT:7\r\nt=1 2\r\nr=1d 1h 0 25h\r\nt=3 4\r\nz=1 -1h 2 0\r\nk=prompt\r\na=sendrecv\r\na=x:y z\r\n\
    m=audio 3000/2 RTP/AVP 0  8\r\ni=sound\r\nc=IN IP6 ::1\r\nk=clear\r\na=recvonly\r\nm=video 3002 udp 31\r\n";

fn datagrams() -> Trial<Sip> {
    Trial::new(Sip::default(), Transport::Udp, FRAMES)
}

fn stream() -> Trial<Sip> {
    Trial::new(Sip::default(), Transport::Tcp, FRAMES)
}

#[test]
fn a_request_is_shown_word_by_word() {
    let mut trial = datagrams();
    trial.say(ToServer, &invite(""));
    let value = |field| trial.values(field, ToServer);
    assert_eq!(value(METHOD), ["INVITE"]);
    assert_eq!(value(URI), ["sip:bob@example.org"]);
    assert_eq!(value(PROTOCOL), ["SIP/2.0"]);
    assert_eq!(value(REQUEST_LINE), ["INVITE sip:bob@example.org SIP/2.0"]);
    assert_eq!(value(VIA), ["SIP/2.0/UDP one", "SIP/2.0/UDP two"]);
    assert_eq!(value(FROM), ["<sip:al@example.org>;tag=1"]);
    assert_eq!(value(TO), ["<sip:bob@example.org>\r\n ;tag=7"]);
    assert_eq!(value(USER_AGENT), ["phone"]);
    assert_eq!(value(CONTENT_TYPE), ["application/sdp"]);
    assert_eq!(value(CONTENT_LENGTH), ["9"]);
    assert!(trial.values(METHOD, ToClient).is_empty());
    assert!(value(STAT_CODE).is_empty());
}

#[test]
fn a_response_is_shown_word_by_word() {
    let mut trial = datagrams();
    trial.say(ToClient, b"SIP/2.0 486 Busy here\r\nVia: x\r\n\r\n");
    let value = |field| trial.values(field, ToClient);
    assert_eq!(value(STAT_CODE), ["486"]);
    assert_eq!(value(STAT_MSG), ["Busy here"]);
    assert_eq!(value(RESPONSE_LINE), ["SIP/2.0 486 Busy here"]);
    assert_eq!(value(PROTOCOL), ["SIP/2.0"]);
    assert_eq!(
        trial.records(),
        [
            r#"{"version":"SIP/2.0","code":"486","reason":"Busy here","response_line":"SIP/2.0 486 Busy here"}"#
        ]
    );
}

#[test]
fn a_session_description_is_shown_line_by_line() {
    let mut trial = datagrams();
    trial.say(ToServer, &invite(SDP));
    let value = |field| trial.values(field, ToServer);
    assert_eq!(value(ORIGIN), ["al 1 2 IN IP4 host.example"]);
    assert_eq!(value(SESSION_NAME), ["a call"]);
    assert_eq!(value(SESSION_INFO), ["info"]);
    assert_eq!(value(SDP_URI), ["http://e.org/"]);
    assert_eq!(value(EMAIL), ["al@e.org"]);
    assert_eq!(value(PHONE_NUMBER), ["+1"]);
    assert_eq!(value(CONNECTION_DATA), ["IN IP4 224.2.1.1/127/3"]);
    assert_eq!(value(BANDWIDTH), ["AS:64", "CT:7"]);
    assert_eq!(value(TIME), ["1 2", "3 4"]);
    assert_eq!(value(REPEAT_TIME), ["1d 1h 0 25h"]);
    assert_eq!(value(TIMEZONE), ["1 -1h 2 0"]);
    assert_eq!(value(ENCRYPTION_KEY), ["prompt"]);
    assert_eq!(value(ATTRIBUTE), ["sendrecv", "x:y z"]);
    assert_eq!(value(MEDIA), ["audio 3000/2 RTP/AVP 0 8", "video 3002 udp 31"]);
    assert_eq!(value(MEDIA_INFO), ["sound"]);
    assert_eq!(value(MEDIA_CONNECTION_DATA), ["IN IP6 ::1"]);
    assert_eq!(value(MEDIA_ENCRYPTION_KEY), ["clear"]);
    let record = trial.records().concat();
    assert!(
        record.contains(r#""time_descriptions":[{"time":"1 2","repeat_time":"1d 1h 0 25h"},{"time":"3 4"}]"#),
        "{record}"
    );
    assert!(record.contains(r#"{"media":"video 3002 udp 31"}]"#), "{record}");
}

#[test]
fn a_description_that_cannot_be_read_is_none() {
    let without_time = "v=0\r\no=al 1 2 IN IP4 h\r\ns=x\r\n";
    let group_without_lifetime = "v=0\r\no=al 1 2 IN IP4 h\r\ns=x\r\nc=IN IP4 224.0.0.1\r\nt=1 2\r\n";
    for body in ["", "<xml/>", without_time, group_without_lifetime] {
        let mut trial = datagrams();
        trial.say(ToServer, &invite(body));
        assert_eq!(trial.transactions().count(), 1);
        assert!(trial.values(ORIGIN, ToServer).is_empty(), "{body}");
    }
}

#[test]
fn a_stream_is_understood_however_it_is_cut() {
    let said = [invite(""), b"BYE sip:a SIP/2.0\r\nVia: z\r\n\r\n".to_vec()].concat();
    let mut whole = stream();
    whole.say(ToServer, &said);
    let mut spelled = stream();
    spelled.spell(ToServer, &said);
    for field in [METHOD, URI, VIA, FROM, TO, CONTENT_LENGTH, REQUEST_LINE] {
        assert_eq!(whole.values(field, ToServer), spelled.values(field, ToServer));
    }
    assert_eq!(whole.values(METHOD, ToServer), ["INVITE", "BYE"]);
    assert!(!whole.broken && !spelled.broken);
}

#[test]
fn messages_with_descriptions_stand_behind_one_another_in_a_stream() {
    let mut trial = stream();
    trial.say(ToServer, &[invite(SDP), invite("")].concat());
    assert!(!trial.broken);
    assert_eq!(trial.values(METHOD, ToServer).len(), 2);
    assert_eq!(trial.values(MEDIA, ToServer).len(), 2);
}

#[test]
fn parts_are_shown_as_frames() {
    let mut trial = stream();
    trial.say(ToClient, b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n");
    let frames: Vec<(&str, &[u8])> =
        trial.frames.iter().map(|(name, _, bytes)| (*name, bytes.as_slice())).collect();
    assert_eq!(
        frames,
        [
            ("sip.response.line", &b"SIP/2.0 200 OK\r\n"[..]),
            ("sip.response.headers", b"Via: x\r\n"),
            ("sip.pdu", b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n"),
        ]
    );
    let mut trial = datagrams();
    trial.say(ToServer, b"BYE sip:a SIP/2.0\r\nVia: z\r\n\r\nbody");
    assert_eq!(
        trial.frames.last().map(|(name, _, bytes)| (*name, bytes.as_slice())),
        Some(("sip.request.body", &b"body"[..]))
    );
}

#[test]
fn what_cannot_be_read_is_told_to_the_message_before() {
    let mut trial = datagrams();
    trial.say(ToServer, &invite("")).say(ToServer, b"INVITE sip:a");
    assert_eq!(trial.events(DOOR.events), ["incomplete_data"]);
    trial.say(ToServer, b"INVITE sip:a HTTP/1.0\r\n\r\n");
    assert_eq!(trial.events(DOOR.events), ["incomplete_data", "invalid_data"]);
    assert!(!trial.broken);
    let mut trial = stream();
    trial.say(ToServer, &[invite(""), b"GET / HTTP/1.0\r\n\r\n".to_vec()].concat());
    assert_eq!(trial.events(DOOR.events), ["invalid_data"]);
    assert!(trial.broken);
}

#[test]
fn every_truncation_is_survived() {
    let said = invite(SDP);
    for length in 0..said.len() {
        datagrams().say(ToServer, &said[..length]);
        stream().say(ToServer, &said[..length]).end(ToServer);
    }
}

#[test]
fn a_letter_that_no_header_has_is_waited_beyond_and_nothing_comes_of_it() {
    let mut trial = datagrams();
    trial.say(ToServer, b"BYE sip:a SIP/2.0\r\nVia: \xff\r\n\r\n");
    assert_eq!(trial.transactions().count(), 0);
}
