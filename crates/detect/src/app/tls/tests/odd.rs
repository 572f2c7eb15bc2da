//! What is odd: each event, and bytes that lie.

use super::build::*;
use super::*;

/// Says `bytes` as the client and tells the events, and whether the parser gave up.
fn said(bytes: &[u8]) -> (Vec<&'static str>, bool) {
    let mut flow = Flow::new();
    let gave_up = flow.client(bytes).is_err();
    (flow.events(), gave_up)
}

#[test]
fn records_that_make_no_sense_are_events() {
    let cases: [(&str, Vec<u8>); 5] = [
        ("invalid_record_length", record(22, 0x0303, b"")),
        ("invalid_record_length", [&[22, 3, 3, 0xff, 0xff][..], &[0; 10]].concat()),
        ("invalid_record_version", record(22, 0x0909, b"abcd")),
        ("invalid_record_type", record(1, 0x0303, b"abcd")),
        ("invalid_alert_message", record(21, 0x0303, &[1])),
    ];
    for (event, bytes) in cases {
        assert_eq!(said(&bytes), (vec![event], true), "{bytes:02x?}");
    }
}

#[test]
fn an_unknown_record_amid_tls_1_0_is_passed_by() {
    let mut flow = Flow::new();
    flow.client(&record(21, 0x0301, &[1, 0])).expect("a warning");
    flow.client(&record(60, 0x0301, b"abcd")).expect("passed by");
    assert_eq!(flow.events(), ["invalid_record_type"]);
    assert!(flow.left[0].is_empty());
}

#[test]
fn handshake_messages_that_make_no_sense_are_events() {
    assert_eq!(said(&handshake(&message(99, b"what"))), (vec!["invalid_handshake_message"], false));
    assert_eq!(said(&handshake(b"abc")), (vec!["invalid_ssl_record"], true));
    let cut = [&message(0, b"")[..], b"ab"].concat();
    assert_eq!(said(&handshake(&cut)), (vec!["invalid_handshake_message", "invalid_ssl_record"], true));
}

#[test]
fn an_unknown_message_is_no_event_once_it_may_be_encrypted() {
    let mut flow = Flow::new();
    flow.client(&record(20, 0x0303, &[1])).expect("a change of cipher");
    flow.client(&handshake(&message(99, b"what"))).expect("encrypted");
    assert_eq!(flow.events(), Vec::<&str>::new());
}

#[test]
fn server_names_that_are_none_are_events() {
    let hello = |extensions: &[Vec<u8>]| said(&record(22, 0x0301, &client_hello(extensions))).0;
    assert_eq!(hello(&[server_name(b"a"), server_name(b"b")]), ["multiple_sni_extensions"]);
    assert_eq!(hello(&[extension(0, &piece(&[&[7][..], &piece(b"a")].concat()))]), ["invalid_sni_type"]);
    assert_eq!(hello(&[server_name(b"")]), ["invalid_sni_length"]);
    assert_eq!(hello(&[server_name(&[b'a'; 256])]), ["invalid_sni_length"]);
    assert_eq!(hello(&[extension(0, &[0, 9, 0, 0, 9, b'a'])]), ["invalid_sni_length"]);
    assert_eq!(hello(&[extension(0, b"")]), Vec::<&str>::new());
}

#[test]
fn lengths_that_leave_the_hello_are_events() {
    let whole = client_hello(&[server_name(b"a"), extension(13, &piece(&numbers(&[1, 2])))]);
    let content = &whole[4..];
    for cut in [0, 1, 20, 34, 35, 41, 45, 50, 51, 55] {
        let bytes = record(22, 0x0301, &message(1, &content[..cut]));
        assert_eq!(said(&bytes), (vec!["handshake_invalid_length"], false), "cut at {cut}");
    }
    let hello = |extensions: &[Vec<u8>]| said(&record(22, 0x0301, &client_hello(extensions))).0;
    for number in [10, 11, 13, 16, 43] {
        assert_eq!(hello(&[extension(number, &[0xff])]), ["handshake_invalid_length"], "extension {number}");
    }
    assert_eq!(hello(&[extension(16, &piece(&[9, b'a']))]), ["handshake_invalid_length"]);
}

#[test]
fn a_broken_extension_ends_the_list_and_not_the_hello() {
    let mut flow = Flow::new();
    let hello = client_hello(&[extension(23, b""), extension(13, &[0xff]), server_name(b"unread")]);
    flow.client(&record(22, 0x0301, &hello)).expect("a hello");
    assert_eq!(flow.values("tls.sni", Direction::ToServer), Vec::<String>::new());
    assert_eq!(flow.values("ja3.string", Direction::ToServer), ["771,4865-49199,23,,"]);
    assert_eq!(flow.ready("ja3.hash", Direction::ToServer), Ready::Full);
}

#[test]
fn a_hello_that_comes_twice_counts_once_in_ja3() {
    let mut flow = Flow::new();
    flow.client(&record(22, 0x0301, &client_hello(&[server_name(b"a")]))).expect("a hello");
    let first = flow.values("ja3.hash", Direction::ToServer);
    flow.client(&record(22, 0x0301, &client_hello(&[extension(10, &piece(&numbers(&[29])))])))
        .expect("another");
    assert_eq!(flow.values("ja3.hash", Direction::ToServer), first);
}

#[test]
fn certificates_that_cannot_be_read_are_events() {
    let with = |chain: &[Vec<u8>]| {
        let mut flow = Flow::new();
        flow.server(&handshake(&certificates(chain))).expect("a certificate message");
        let mut length = None;
        flow.session()
            .number(field_of("tls.cert_chain_len"), Direction::ToClient, &mut |number| length = Some(number));
        (flow.events(), length)
    };
    let good = certificate(b"a", &[]);
    assert_eq!(with(&[b"nonsense".to_vec(), good.clone()]).1, Some(1));
    assert!(!with(&[b"nonsense".to_vec()]).0.is_empty());
    for cut in 1..good.len() {
        let (events, length) = with(&[good[..cut].to_vec()]);
        assert_eq!((events.len(), length), (1, Some(0)), "cut at {cut}: {events:?}");
    }
    assert_eq!(with(&[der(0x30, &[&der(0x30, &[&[0x02, 0x01, 0x05]])])]).0.len(), 1);
    // A length within the list that leaves it.
    let mut flow = Flow::new();
    flow.server(&handshake(&message(11, &long_piece(&[0, 0, 9, 1])))).expect("a certificate message");
    assert_eq!(flow.events(), ["invalid_certificate"]);
}

#[test]
fn a_heartbeat_that_asks_for_more_than_it_carries_is_an_event() {
    let beat = |payload: u16, content: usize| {
        let content = [&[1][..], &payload.to_be_bytes(), &vec![0; content]].concat();
        said(&record(24, 0x0303, &content))
    };
    assert_eq!(beat(16_384, 0), (vec!["overflow_heartbeat_message"], true));
    assert_eq!(beat(10, 20), (vec!["invalid_heartbeat_message"], true));
    assert_eq!(beat(10, 26), (vec![], false));
    assert_eq!(said(&record(24, 0x0303, &[9, 0, 0, 0])), (vec!["invalid_heartbeat_message"], true));
}

#[test]
fn a_second_heartbeat_before_the_answer_is_an_event() {
    let beat = record(24, 0x0303, &[&[1, 0, 3][..], &[0; 19]].concat());
    let mut flow = Flow::new();
    flow.client(&beat).expect("a heartbeat");
    flow.server(&beat).expect("its answer");
    flow.client(&beat).expect("a heartbeat");
    assert_eq!(flow.client(&beat), Err(Broken));
    assert_eq!(flow.events(), ["invalid_heartbeat_message"]);
}

#[test]
fn an_encrypted_answer_that_is_longer_than_the_question_is_an_event() {
    let mut flow = Flow::new();
    flow.client(&record(20, 0x0303, &[1])).expect("a change of cipher");
    flow.client(&record(24, 0x0303, &[5; 40])).expect("a heartbeat");
    assert_eq!(flow.server(&record(24, 0x0303, &[5; 400])), Err(Broken));
    assert_eq!(flow.events(), ["dataleak_heartbeat_mismatch"]);
}

#[test]
fn what_makes_no_sense_in_ssl_2_is_an_event() {
    assert_eq!(said(&[0x80, 0, 1, 0]), (vec!["invalid_sslv2_header", "invalid_ssl_record"], true));
    assert_eq!(said(&[0x80, 3, 0, 0, 1]), (vec!["error_message_encountered"], false));
    assert_eq!(said(&[0x80, 3, 1, 0, 2]), (vec!["invalid_ssl_record"], true));
    let many: Vec<u8> = [0x80, 1, 9].repeat(20);
    assert_eq!(said(&many), (vec!["too_many_records_in_packet"], true));
}

#[test]
fn a_message_beyond_the_limit_is_counted_off() {
    let mut flow = Flow::new();
    let content = vec![0; 400_000];
    let long = message(1, &content);
    for part in long.chunks(16_000) {
        flow.client(&handshake(part)).expect("a part");
    }
    flow.client(&handshake(&client_hello(&[server_name(b"after")]))).expect("a hello");
    assert_eq!(flow.values("tls.sni", Direction::ToServer), ["after"]);
}

#[test]
fn behind_a_hole_nothing_is_read() {
    let mut flow = Flow::new();
    let mut context = Context::new(flow.now, ends(), &flow.settings);
    assert_eq!(flow.parser.gap(Direction::ToServer, 10, &mut context), Err(Broken));
}

#[test]
fn nothing_that_strangers_say_breaks_the_parser() {
    // Hellos and certificates with a byte changed at each place.
    let seeds = [
        record(
            22,
            0x0301,
            &client_hello(&[server_name(b"a.b"), names_above(&[b"h2"]), extension(43, &[2, 3, 4])]),
        ),
        handshake(&[server_hello(0x0303, &[]), certificates(&[certificate(b"a", &[b"b"])])].concat()),
    ];
    for seed in seeds {
        for place in 0..seed.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut bytes = seed.clone();
                bytes[place] ^= change;
                for direction in [Direction::ToServer, Direction::ToClient] {
                    let mut flow = Flow::new();
                    let _ = flow.say(direction, &bytes);
                    flow.end(direction);
                }
            }
        }
    }
}
