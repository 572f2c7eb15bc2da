//! Keywords that are tests: what they take, and what they say of a session.

use super::build::*;
use super::*;
use crate::app::{Test, Verdict};

const TO_SERVER: Direction = Direction::ToServer;
const TO_CLIENT: Direction = Direction::ToClient;

fn test(name: &str, text: &str) -> Result<Test, crate::Complaint> {
    let keyword = PROTOCOL.keywords.iter().find(|keyword| keyword.name == name).expect("a keyword");
    let Takes::Test(make) = keyword.takes else {
        panic!("{name} is no test");
    };
    make(text)
}

fn verdict(name: &str, text: &str, flow: &Flow, direction: Direction) -> Verdict {
    test(name, text)
        .unwrap_or_else(|complaint| panic!("{name}:{text}: {complaint:?}"))
        .check(flow.session(), direction)
}

fn greeted() -> Flow {
    let mut flow = Flow::new();
    flow.client(&record(22, 0x0301, &client_hello(&[extension(43, &[4, 0x0a, 0x0a, 3, 4])])))
        .expect("a hello");
    let answer = [server_hello(0x0303, &[]), certificates(&[certificate(b"host", &[])]), message(12, b"k")];
    flow.server(&handshake(&answer.concat())).expect("an answer");
    flow
}

#[test]
fn a_version_is_that_of_the_side_that_is_looked_at() {
    let flow = greeted();
    assert_eq!(verdict("tls.version", "1.3", &flow, TO_SERVER), Verdict::Holds);
    assert_eq!(verdict("tls.version", "\"1.2\"", &flow, TO_CLIENT), Verdict::Holds);
    assert_eq!(verdict("tls.version", "1.2", &flow, TO_SERVER), Verdict::Open);
    assert_eq!(verdict("tls.version", "0x0304", &flow, TO_SERVER), Verdict::Holds);
    assert!(test("tls.version", "2.0").is_err() && test("tls.version", "0x1").is_err());
}

#[test]
fn several_versions_may_be_named_or_ruled_out() {
    let flow = greeted();
    assert_eq!(verdict("ssl_version", "tls1.0,tls1.3", &flow, TO_SERVER), Verdict::Holds);
    assert_eq!(verdict("ssl_version", "!sslv3,TLS1.0", &flow, TO_CLIENT), Verdict::Holds);
    assert_eq!(verdict("ssl_version", "!tls1.2", &flow, TO_CLIENT), Verdict::Open);
    assert_eq!(verdict("ssl_version", "!tls1.2", &Flow::new(), TO_CLIENT), Verdict::Open);
    for text in ["", "!", "tls1.4", "sslv3,sslv3"] {
        assert!(test("ssl_version", text).is_err(), "{text}");
    }
}

#[test]
fn a_state_is_that_of_the_last_messages() {
    let mut flow = Flow::new();
    flow.client(&record(22, 0x0301, &client_hello(&[]))).expect("a hello");
    assert_eq!(verdict("ssl_state", "client_hello", &flow, TO_SERVER), Verdict::Holds);
    assert_eq!(verdict("ssl_state", "!client_hello", &flow, TO_SERVER), Verdict::Open);
    let flow = greeted();
    assert_eq!(verdict("ssl_state", "server_keyx", &flow, TO_CLIENT), Verdict::Holds);
    assert_eq!(verdict("ssl_state", "client_hello | server_keyx", &flow, TO_CLIENT), Verdict::Holds);
    assert_eq!(verdict("ssl_state", "client_hello", &flow, TO_CLIENT), Verdict::Open);
    assert!(test("ssl_state", "hello").is_err() && test("ssl_state", "client_hello|").is_err());
}

#[test]
fn the_old_keywords_for_certificates_look_for_a_part() {
    let flow = greeted();
    assert_eq!(verdict("tls.subject", "\"CN=host\"", &flow, TO_CLIENT), Verdict::Holds);
    assert_eq!(verdict("tls.subject", "!\"CN=host\"", &flow, TO_CLIENT), Verdict::Open);
    assert_eq!(verdict("tls.issuerdn", "\"O=Issuers\"", &flow, TO_CLIENT), Verdict::Holds);
    assert_eq!(verdict("tls.issuerdn", "!\"O=Other\"", &flow, TO_CLIENT), Verdict::Holds);
    let digits = flow.values("tls.cert_fingerprint", TO_CLIENT).remove(0).to_uppercase();
    assert_eq!(verdict("tls.fingerprint", &format!("\"{digits}\""), &flow, TO_CLIENT), Verdict::Holds);
    assert_eq!(verdict("tls.fingerprint", &format!("!\"{digits}\""), &flow, TO_CLIENT), Verdict::Open);
    assert!(test("tls.fingerprint", "\"ab:cd\"").is_err() && test("tls.subject", "\"\"").is_err());
}

#[test]
fn the_validity_of_a_certificate_is_judged_by_the_time_of_the_frames() {
    let mut flow = greeted();
    assert_eq!(verdict("tls_cert_notbefore", "2020", &flow, TO_CLIENT), Verdict::Holds);
    assert_eq!(verdict("tls_cert_notbefore", "<2019-12-31", &flow, TO_CLIENT), Verdict::Open);
    assert_eq!(verdict("tls_cert_notafter", "2029-01-01<>2030-01-01", &flow, TO_CLIENT), Verdict::Holds);
    assert_eq!(verdict("tls_cert_valid", "", &flow, TO_CLIENT), Verdict::Holds);
    assert_eq!(verdict("tls_cert_expired", "", &flow, TO_CLIENT), Verdict::Open);
    flow.now = Time(2_000_000_000_000_000_000);
    flow.server(&record(20, 0x0303, &[1])).expect("a change of cipher");
    assert_eq!(verdict("tls_cert_expired", "", &flow, TO_CLIENT), Verdict::Holds);
    assert_eq!(verdict("tls_cert_valid", "", &flow, TO_CLIENT), Verdict::Open);
    flow.end(TO_CLIENT);
    assert_eq!(verdict("tls_cert_valid", "", &flow, TO_CLIENT), Verdict::Fails);
    assert_eq!(verdict("tls.store", "", &flow, TO_CLIENT), Verdict::Holds);
    assert!(test("tls_cert_valid", "x").is_err() && test("tls_cert_notafter", "soon").is_err());
}

#[test]
fn what_does_not_hold_when_both_sides_encrypt_never_will() {
    let mut flow = greeted();
    assert_eq!(verdict("tls.version", "1.0", &flow, TO_CLIENT), Verdict::Open);
    flow.client(&record(20, 0x0303, &[1])).expect("a change of cipher");
    assert_eq!(verdict("tls.version", "1.0", &flow, TO_CLIENT), Verdict::Open);
    flow.server(&record(20, 0x0303, &[1])).expect("a change of cipher");
    assert_eq!(verdict("tls.version", "1.0", &flow, TO_CLIENT), Verdict::Fails);
    assert_eq!(verdict("tls.version", "1.2", &flow, TO_CLIENT), Verdict::Holds);
}

#[test]
fn a_first_record_tells_tls_on_any_port() {
    use super::super::looks_like_ssl2;
    use crate::app::Looked;
    let hello = record(22, 0x0301, &client_hello(&[]));
    let known = |direction: Direction, bytes: &[u8]| {
        PROTOCOL.signatures.iter().any(|signature| {
            let place = usize::from(signature.from)..usize::from(signature.until);
            signature.direction == direction && bytes.get(place) == Some(signature.bytes)
        })
    };
    assert!(known(TO_SERVER, &hello) && known(TO_CLIENT, &record(21, 0x0300, &[2, 40])));
    assert!(!known(TO_SERVER, b"GET / HTTP/1.1") && !known(TO_SERVER, &record(23, 0x0303, b"x")));
    assert_eq!(looks_like_ssl2(&[0x80, 46, 1, 0, 2]), Looked::Yes);
    assert_eq!(looks_like_ssl2(&[0x00, 46, 1]), Looked::No);
    assert_eq!(looks_like_ssl2(&[0x80]), Looked::Unsure);
}
