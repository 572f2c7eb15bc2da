//! Exchanges as they should be, whole and in pieces.

use super::build::*;
use super::*;

const TO_SERVER: Direction = Direction::ToServer;
const TO_CLIENT: Direction = Direction::ToClient;

fn greeting() -> Vec<u8> {
    let extensions = [
        server_name(b"www.example.org"),
        names_above(&[b"h2", b"http/1.1"]),
        extension(10, &piece(&numbers(&[0x0a0a, 29, 23]))),
        extension(11, &short_piece(&[0])),
        extension(13, &piece(&numbers(&[0x0403, 0x0804]))),
        extension(0x1a1a, b""),
    ];
    record(22, 0x0301, &client_hello(&extensions))
}

fn answer() -> Vec<u8> {
    let chain =
        [certificate(b"www.example.org", &[b"example.org", b"example.net"]), certificate(b"Root", &[])];
    let hello = server_hello(0x0303, &[names_above(&[b"h2"]), extension(0xff01, &[0])]);
    [
        handshake(&hello),
        handshake(&certificates(&chain)),
        handshake(&[message(12, b"keys"), message(14, b"")].concat()),
    ]
    .concat()
}

/// An exchange of TLS 1.2: who says what.
fn exchange() -> Vec<(Direction, Vec<u8>)> {
    let sealed = [record(20, 0x0303, &[1]), handshake(&[0x55; 40])].concat();
    vec![
        (TO_SERVER, greeting()),
        (TO_CLIENT, answer()),
        (TO_SERVER, [handshake(&message(16, b"keys")), sealed.clone()].concat()),
        (TO_CLIENT, sealed),
        (TO_SERVER, record(23, 0x0303, &[0x17; 300])),
        (TO_CLIENT, [record(23, 0x0303, &[0x17; 16_000]), record(21, 0x0303, &[0x99; 26])].concat()),
    ]
}

/// All that can be seen of a session.
fn seen(flow: &Flow) -> String {
    let mut record = crate::eve::Object::new();
    flow.session().record(&mut record);
    let names =
        ["tls.random", "tls.certs", "tls.alpn", "ja3.string", "ja3s.string", "ja4.hash", "tls.cert_serial"];
    let values: Vec<_> =
        names.iter().map(|name| (flow.values(name, TO_SERVER), flow.values(name, TO_CLIENT))).collect();
    let complete = (flow.session().is_complete(TO_SERVER), flow.session().is_complete(TO_CLIENT));
    format!("{} {values:?} {:?} {complete:?}", record.finish(), flow.events())
}

fn played(pieces: usize) -> Flow {
    let mut flow = Flow::new();
    for (from, bytes) in exchange() {
        for piece in bytes.chunks(pieces) {
            flow.say(from, piece).expect("an exchange as it should be");
        }
    }
    flow
}

#[test]
fn each_keyword_looks_into_what_was_said() {
    let flow = played(usize::MAX);
    assert_eq!(flow.values("tls.sni", TO_SERVER), ["www.example.org"]);
    assert_eq!(flow.values("tls.alpn", TO_SERVER), ["h2", "http/1.1"]);
    assert_eq!(flow.values("tls.alpn", TO_CLIENT), ["h2"]);
    assert_eq!(flow.values("tls.random_time", TO_SERVER), ["\x10\x11\x12\x13"]);
    assert_eq!(flow.values("tls.random_bytes", TO_CLIENT)[0].len(), 28);
    assert_eq!(flow.values("tls.random", TO_CLIENT)[0].len(), 32);
    assert_eq!(flow.values("tls.cert_subject", TO_CLIENT), ["C=DE, CN=www.example.org"]);
    assert_eq!(flow.values("tls.cert_issuer", TO_CLIENT), ["C=DE, O=Issuers Ltd, CN=Root"]);
    assert_eq!(flow.values("tls.cert_serial", TO_CLIENT), ["00:AB:CD"]);
    assert_eq!(
        flow.values("tls.subjectaltname", TO_CLIENT),
        ["example.org", "example.net", "[192, 0, 2, 1]"]
    );
    assert_eq!(flow.values("tls.cert_fingerprint", TO_CLIENT)[0].len(), 59);
    assert_eq!(flow.values("tls.certs", TO_CLIENT).len(), 2);
    assert_eq!(flow.values("ja3.string", TO_SERVER), ["771,4865-49199,0-16-10-11-13,29-23,0"]);
    assert_eq!(flow.values("ja3.hash", TO_SERVER)[0].len(), 32);
    assert_eq!(flow.values("ja3s.string", TO_CLIENT), ["771,49199,16-65281"]);
    assert!(flow.values("ja4.hash", TO_SERVER)[0].starts_with("t12d0205h2_"));
    let mut lengths = Vec::new();
    flow.session().number(field_of("tls.cert_chain_len"), TO_CLIENT, &mut |length| lengths.push(length));
    assert_eq!(lengths, [2]);
    assert_eq!(flow.events(), Vec::<&str>::new());
}

#[test]
fn a_subject_keeps_the_zero_byte_that_was_put_into_it() {
    let mut flow = Flow::new();
    flow.server(&handshake(&certificates(&[certificate(b"bank\0.evil", &[b"a\0b"])])))
        .expect("a certificate");
    assert_eq!(flow.values("tls.cert_subject", TO_CLIENT), ["C=DE, CN=bank\0.evil"]);
    assert_eq!(flow.values("tls.subjectaltname", TO_CLIENT)[0], "a\0b");
}

#[test]
fn byte_by_byte_gives_the_same_as_at_once() {
    let whole = seen(&played(usize::MAX));
    for pieces in [1, 2, 5, 6, 7, 100, 1000] {
        assert_eq!(seen(&played(pieces)), whole, "in pieces of {pieces}");
    }
}

#[test]
fn an_exchange_may_be_cut_off_anywhere() {
    let (first, second) = (greeting(), answer());
    for cut in 0..first.len() {
        let mut flow = Flow::new();
        flow.client(&first[..cut]).expect("the beginning of a hello");
        assert_eq!(flow.ready("tls.sni", TO_SERVER), Ready::No, "cut at {cut}");
        flow.end(TO_SERVER);
        assert!(flow.session().is_complete(TO_SERVER) && !flow.session().is_complete(TO_CLIENT));
    }
    for cut in 0..second.len() {
        let mut flow = Flow::new();
        flow.server(&second[..cut]).expect("the beginning of an answer");
    }
}

#[test]
fn a_hello_may_be_spread_over_records() {
    let hello = client_hello(&[server_name(b"spread.example")]);
    for size in [4, 5, 20, 90] {
        let mut flow = Flow::new();
        let records: Vec<u8> =
            hello.chunks(size).flat_map(|part| record(22, 0x0301, &[part, &[0; 0]].concat())).collect();
        // A last part of less than four bytes is what Suricata refuses as well.
        if hello.len() % size >= 4 || hello.len().is_multiple_of(size) {
            flow.client(&records).expect("a hello");
            assert_eq!(flow.values("tls.sni", TO_SERVER), ["spread.example"], "in records of {size}");
        }
    }
}

#[test]
fn fields_are_ready_when_their_message_was_read() {
    let mut flow = Flow::new();
    assert_eq!(flow.ready("tls.sni", TO_SERVER), Ready::No);
    flow.client(&greeting()).expect("a hello");
    assert_eq!(flow.ready("tls.sni", TO_SERVER), Ready::Full);
    assert_eq!(flow.ready("tls.cert_subject", TO_SERVER), Ready::No);
    assert_eq!(flow.ready("ja3s.hash", TO_CLIENT), Ready::No);
    flow.server(&handshake(&server_hello(0x0303, &[]))).expect("a hello");
    assert_eq!(flow.ready("ja3s.hash", TO_CLIENT), Ready::Full);
    assert_eq!(flow.ready("tls.alpn", TO_CLIENT), Ready::Part);
    assert_eq!(flow.ready("tls.cert_subject", TO_CLIENT), Ready::No);
    flow.server(&handshake(&certificates(&[certificate(b"a", &[])]))).expect("a certificate");
    assert_eq!(flow.ready("tls.cert_subject", TO_CLIENT), Ready::Full);
    // The client's may still come, until it encrypts.
    assert_eq!(flow.ready("tls.cert_subject", TO_SERVER), Ready::Part);
    flow.client(&record(20, 0x0303, &[1])).expect("a change of cipher");
    assert_eq!(flow.ready("tls.cert_subject", TO_SERVER), Ready::Full);
}

#[test]
fn a_client_that_was_asked_shows_its_certificate() {
    let mut flow = Flow::new();
    flow.client(&greeting()).expect("a hello");
    let asked = [
        server_hello(0x0303, &[]),
        certificates(&[certificate(b"server", &[])]),
        message(13, b"x"),
        message(14, b""),
    ];
    flow.server(&handshake(&asked.concat())).expect("an answer");
    flow.client(&handshake(&certificates(&[certificate(b"client", &[])]))).expect("a certificate");
    assert_eq!(flow.values("tls.cert_subject", TO_SERVER), ["C=DE, CN=client"]);
    assert_eq!(flow.values("tls.cert_subject", TO_CLIENT), ["C=DE, CN=server"]);
}

#[test]
fn records_of_data_are_passed_by_without_waiting() {
    let mut flow = Flow::new();
    let data = record(23, 0x0303, &[7; 5000]);
    let taken = flow.client(&data[..1000]).expect("data");
    assert_eq!((taken.bytes, taken.wanted), (1000, 0));
    flow.client(&data[1000..]).expect("data");
    flow.client(&data).expect("data");
    assert_eq!(flow.asked, [Next::Encrypted]);
    assert!(flow.left[0].is_empty());
}

#[test]
fn frames_are_shown_whole_to_those_who_look_into_them() {
    let frames = ["tls.pdu", "tls.hdr", "tls.data", "tls.alert"].into_iter().collect();
    let mut flow = Flow::with(Settings { frames, ..Settings::default() });
    let data = record(23, 0x0303, &[7; 50]);
    assert_eq!(flow.client(&data[..20]).map(|taken| taken.wanted), Ok(55));
    flow.client(&[&data[20..], &record(21, 0x0303, &[1, 0])[..]].concat()).expect("data and an alert");
    let names: Vec<&str> = flow.frames.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["tls.hdr", "tls.pdu", "tls.data", "tls.hdr", "tls.pdu", "tls.data", "tls.alert"]);
    assert_eq!(flow.frames[1].1, data);
    assert_eq!(flow.frames[6].1, [1, 0]);
}

#[test]
fn a_fatal_alert_ends_the_session_both_ways() {
    let mut flow = Flow::new();
    flow.client(&greeting()).expect("a hello");
    flow.server(&record(21, 0x0303, &[1, 0])).expect("a warning");
    assert!(!flow.session().is_complete(TO_CLIENT));
    flow.server(&record(21, 0x0303, &[2, 40])).expect("an alert");
    assert!(flow.session().is_complete(TO_CLIENT) && flow.session().is_complete(TO_SERVER));
}

#[test]
fn a_hello_of_ssl_2_tells_what_the_client_can() {
    let hello = [&[1, 3, 1, 0, 3, 0, 0, 0, 16][..], &[0, 0, 5], &[9; 16]].concat();
    let bytes = [&[0x80, u8::try_from(hello.len()).expect("short")][..], &hello].concat();
    for pieces in [1, 4, 100] {
        let mut flow = Flow::new();
        for piece in bytes.chunks(pieces) {
            flow.client(piece).expect("a hello");
        }
        assert_eq!(flow.session().side(TO_SERVER).version, 0x0301);
        assert_eq!(flow.ready("tls.sni", TO_SERVER), Ready::Part);
        flow.server(&handshake(&server_hello(0x0301, &[]))).expect("an answer in TLS");
        assert_eq!(flow.values("ja3s.string", TO_CLIENT), ["769,49199,"]);
    }
}

#[test]
fn a_session_in_ssl_2_is_opaque_once_both_sides_encrypt() {
    let mut flow = Flow::new();
    flow.client(&[0x80, 9, 1, 0, 2, 0, 3, 0, 0, 0, 16]).expect("a hello");
    flow.server(&[0x80, 3, 4, 0, 0]).expect("a hello");
    flow.client(&[0x80, 3, 2, 0, 0]).expect("a key");
    flow.client(&[0x80, 3, 3, 0, 0]).expect("it is finished");
    flow.server(&[0x80, 3, 5, 0, 0]).expect("it is verified");
    assert_eq!(flow.asked, []);
    flow.server(&[0x80, 3, 6, 0, 0]).expect("it is finished");
    assert_eq!(flow.asked, [Next::Opaque]);
}

#[test]
fn the_record_has_the_names_that_eve_has() {
    let mut record = crate::eve::Object::new();
    played(usize::MAX).session().record(&mut record);
    let text = record.finish();
    for part in [
        r#""subject":"C=DE, CN=www.example.org""#,
        r#""issuerdn":"C=DE, O=Issuers Ltd, CN=Root""#,
        r#""serial":"00:AB:CD""#,
        r#""sni":"www.example.org""#,
        r#""version":"TLS 1.2""#,
        r#""notbefore":"2020-01-01T00:00:00""#,
        r#""notafter":"2030-01-01T00:00:00""#,
        r#""client_alpns":["h2","http/1.1"]"#,
        r#""server_alpns":["h2"]"#,
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}
