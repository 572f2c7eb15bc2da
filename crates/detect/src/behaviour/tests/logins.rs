//! Brute force is told by logins that fail: where the server says so, and where only the shape does.

use super::traffic::{Traffic, host};
use super::{Kind, State, all, kinds};

const GUESSER: [u8; 4] = [192, 0, 2, 66];
const SERVER: [u8; 4] = [198, 51, 100, 7];

/// So many connections to a port, two seconds apart.
fn repeated(times: u16, port: u16, said: &[(bool, &[u8])], client_ends: bool) -> Traffic {
    let mut traffic = Traffic::default();
    for number in 0..times {
        traffic.talk((GUESSER, 40_000 + number), (SERVER, port), said, client_ends).wait(2_000);
    }
    traffic
}

#[test]
fn passwords_that_ftp_refuses_are_counted_though_one_connection_brings_several() {
    let three: Vec<(bool, &[u8])> = vec![
        (false, b"220 ready\r\n"),
        (true, b"USER root\r\n"),
        (false, b"331 password?\r\n"),
        (true, b"PASS one\r\n"),
        (false, b"530 Login incorrect.\r\n"),
        (true, b"USER root\r\n"),
        (false, b"331 password?\r\n"),
        (true, b"PASS two\r\n"),
        (false, b"530 Login incorrect.\r\n"),
    ];
    let said = all(&repeated(10, 21, &three, true));
    let told: Vec<_> = said.iter().map(|said| (said.kind, said.state, said.count)).collect();
    assert_eq!(told, [(Kind::BruteForce, State::Began, 10), (Kind::BruteForce, State::Over, 20)]);
    assert!(said[0].record.contains(r#""service":"ftp""#), "{}", said[0].record);
}

#[test]
fn logins_that_mail_servers_refuse_are_counted() {
    let smtp: Vec<(bool, &[u8])> = vec![
        (false, b"220 mail ESMTP\r\n"),
        (true, b"EHLO me\r\n"),
        (false, b"250 AUTH PLAIN\r\n"),
        (true, b"AUTH PLAIN AGFiYwBkZWY=\r\n"),
        (false, b"535 5.7.8 authentication failed\r\n"),
    ];
    let pop3: Vec<(bool, &[u8])> = vec![
        (false, b"+OK ready\r\n"),
        (true, b"USER me\r\n"),
        (false, b"+OK\r\n"),
        (true, b"PASS wrong\r\n"),
        (false, b"-ERR no\r\n"),
    ];
    let imap: Vec<(bool, &[u8])> =
        vec![(false, b"* OK ready\r\n"), (true, b"a1 LOGIN me wrong\r\n"), (false, b"a1 NO wrong\r\n")];
    for (port, said, name) in [(25, smtp, "smtp"), (110, pop3, "pop3"), (143, imap, "imap")] {
        let told = all(&repeated(15, port, &said, true));
        assert!(told.first().is_some_and(|said| said.kind == Kind::BruteForce), "{name}: {told:?}");
        assert!(told[0].record.contains(&format!(r#""service":"{name}""#)), "{}", told[0].record);
    }
}

#[test]
fn http_refusals_count_only_if_something_was_proven() {
    let exchange = |request: &'static [u8]| -> Vec<(bool, &'static [u8])> {
        vec![(true, request), (false, b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")]
    };
    let basic = exchange(b"GET /admin HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\n\r\n");
    assert_eq!(kinds(&repeated(15, 80, &basic, true)), [Kind::BruteForce]);
    let form = exchange(b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na=b");
    assert_eq!(kinds(&repeated(15, 80, &form, true)), [Kind::BruteForce]);
    let without = exchange(b"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(kinds(&repeated(15, 80, &without, true)), []);
    let challenge = exchange(b"GET /admin HTTP/1.1\r\nHost: a\r\nAuthorization: NTLM TlRMTVNTUAAB\r\n\r\n");
    assert_eq!(kinds(&repeated(15, 80, &challenge, true)), []);
}

#[test]
fn short_ssh_connections_are_counted_and_sessions_that_are_used_are_not() {
    let keys = vec![0x14; 1_500];
    let failed: Vec<(bool, &[u8])> = vec![
        (false, b"SSH-2.0-OpenSSH_9.2\r\n"),
        (true, b"SSH-2.0-Go\r\n"),
        (false, &keys[..1_100]),
        (true, &keys[..1_000]),
        (false, &keys[..700]),
        (true, &keys[..300]),
    ];
    let said = all(&repeated(40, 22, &failed, true));
    let told: Vec<_> = said.iter().map(|said| (said.kind, said.state, said.count)).collect();
    assert_eq!(told, [(Kind::BruteForce, State::Began, 20), (Kind::BruteForce, State::Over, 40)]);
    let mut used = failed.clone();
    used.extend([(false, keys.as_slice()), (false, &keys[..]), (true, &keys[..300])]);
    assert_eq!(kinds(&repeated(40, 22, &used, true)), []);
}

#[test]
fn a_database_that_hangs_up_on_many_is_guessed_at() {
    let refused: Vec<(bool, &[u8])> = vec![(false, &[0x4a; 95]), (true, &[0x55; 180]), (false, &[0xff; 80])];
    assert_eq!(kinds(&repeated(40, 3306, &refused, false)), [Kind::BruteForce]);
    // A page that asks something and says good-bye.
    assert_eq!(kinds(&repeated(40, 3306, &refused, true)), []);
}

#[test]
fn a_password_that_is_tried_on_many_hosts_is_one_attack() {
    let said: Vec<(bool, &[u8])> = vec![
        (false, b"220 ready\r\n"),
        (true, b"USER root\r\n"),
        (false, b"331 password?\r\n"),
        (true, b"PASS one\r\n"),
        (false, b"530 Login incorrect.\r\n"),
    ];
    let mut traffic = Traffic::default();
    for number in 0..12 {
        traffic.talk((GUESSER, 40_000 + number), (host(number), 21), &said, true).wait(1_000);
    }
    let told = all(&traffic);
    assert_eq!((told[0].kind, told[0].count, told[0].distinct), (Kind::BruteForce, 10, 10));
}
