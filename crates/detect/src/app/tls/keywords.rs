//! The keywords of TLS, those of JA3 and JA4 among them, which QUIC answers too.

use super::dates::DateTest;
use super::session::{Progress, Session, mark};
use super::{field, version};
use crate::app::{Buffer, Field, Keyword, Letters, Number, ProtocolId, Sides, Takes, Test, Verdict};
use crate::{Complaint, Direction};

const TLS: &[ProtocolId] = &[ProtocolId::Tls];
const TLS_AND_QUIC: &[ProtocolId] = &[ProtocolId::Tls, ProtocolId::Quic];

/// Letters of a fingerprint of a certificate, colons among them.
const FINGERPRINT_LETTERS: usize = 59;

/// All of them.
pub(super) static KEYWORDS: &[Keyword] = &[
    buffer("tls.sni", field::SERVER_NAME, Sides::ToServer),
    buffer("tls_sni", field::SERVER_NAME, Sides::ToServer),
    buffer("tls.alpn", field::NAMES_ABOVE, Sides::Both),
    buffer("tls.random", field::RANDOM, Sides::Both),
    buffer("tls.random_time", field::RANDOM_TIME, Sides::Both),
    buffer("tls.random_bytes", field::RANDOM_BYTES, Sides::Both),
    buffer("tls.cert_subject", field::SUBJECT, Sides::Both),
    buffer("tls_cert_subject", field::SUBJECT, Sides::Both),
    buffer("tls.cert_issuer", field::ISSUER, Sides::Both),
    buffer("tls_cert_issuer", field::ISSUER, Sides::Both),
    folded("tls.cert_serial", field::SERIAL, Sides::Both, Letters::Capital, TLS),
    folded("tls_cert_serial", field::SERIAL, Sides::Both, Letters::Capital, TLS),
    folded("tls.cert_fingerprint", field::FINGERPRINT, Sides::Both, Letters::Small, TLS),
    folded("tls_cert_fingerprint", field::FINGERPRINT, Sides::Both, Letters::Small, TLS),
    buffer("tls.subjectaltname", field::OTHER_NAMES, Sides::ToClient),
    buffer("tls.certs", field::CERTIFICATES, Sides::Both),
    Keyword {
        name: "tls.cert_chain_len",
        takes: Takes::Number(Number {
            field: field::CHAIN_LENGTH,
            sides: Sides::ToClient,
            protocols: TLS,
            max: u32::MAX as u64,
            names: &[],
        }),
    },
    folded("ja3.hash", field::JA3_HASH, Sides::ToServer, Letters::Small, TLS_AND_QUIC),
    folded("ja3_hash", field::JA3_HASH, Sides::ToServer, Letters::Small, TLS_AND_QUIC),
    fingerprint("ja3.string", field::JA3_TEXT, Sides::ToServer),
    fingerprint("ja3_string", field::JA3_TEXT, Sides::ToServer),
    folded("ja3s.hash", field::JA3S_HASH, Sides::ToClient, Letters::Small, TLS_AND_QUIC),
    fingerprint("ja3s.string", field::JA3S_TEXT, Sides::ToClient),
    fingerprint("ja4.hash", field::JA4, Sides::ToServer),
    fingerprint("ja4_hash", field::JA4, Sides::ToServer),
    Keyword { name: "tls.version", takes: Takes::Test(version_test) },
    Keyword { name: "ssl_version", takes: Takes::Test(any_version_test) },
    Keyword { name: "ssl_state", takes: Takes::Test(state_test) },
    Keyword { name: "tls.subject", takes: Takes::Test(subject_test) },
    Keyword { name: "tls.issuerdn", takes: Takes::Test(issuer_test) },
    Keyword { name: "tls.fingerprint", takes: Takes::Test(fingerprint_test) },
    Keyword { name: "tls_cert_notbefore", takes: Takes::Test(not_before_test) },
    Keyword { name: "tls_cert_notafter", takes: Takes::Test(not_after_test) },
    Keyword { name: "tls_cert_expired", takes: Takes::Test(expired_test) },
    Keyword { name: "tls_cert_valid", takes: Takes::Test(valid_test) },
    Keyword { name: "tls.store", takes: Takes::Test(store_test) },
    Keyword { name: "tls_store", takes: Takes::Test(store_test) },
];

const fn buffer(name: &'static str, field: Field, sides: Sides) -> Keyword {
    Keyword { name, takes: Takes::Buffer(Buffer { field, sides, protocols: TLS }) }
}

const fn fingerprint(name: &'static str, field: Field, sides: Sides) -> Keyword {
    Keyword { name, takes: Takes::Buffer(Buffer { field, sides, protocols: TLS_AND_QUIC }) }
}

const fn folded(
    name: &'static str,
    field: Field,
    sides: Sides,
    letters: Letters,
    protocols: &'static [ProtocolId],
) -> Keyword {
    Keyword { name, takes: Takes::Folded(Buffer { field, sides, protocols }, letters) }
}

/// A test that asks again as long as something can still be said in clear.
fn open_test(sides: Sides, holds: impl Fn(&Session, Direction) -> bool + Send + Sync + 'static) -> Test {
    Test::new(sides, TLS, move |session: &Session, direction| {
        if holds(session, direction) {
            Verdict::Holds
        } else if session.side(direction).progress == Progress::Over || session.is_sealed() {
            Verdict::Fails
        } else {
            Verdict::Open
        }
    })
}

/// The text without the quotes around it, and whether a `!` stands before them.
fn unquoted(text: &str) -> (&str, bool) {
    let text = text.trim();
    let (text, is_negated) = match text.strip_prefix('!') {
        Some(rest) => (rest.trim_start(), true),
        None => (text, false),
    };
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    (inner.unwrap_or(text), is_negated)
}

fn version_test(text: &str) -> Result<Test, Complaint> {
    let (word, _) = unquoted(text);
    let known = [
        ("1.0", version::TLS_1_0),
        ("1.1", version::TLS_1_1),
        ("1.2", version::TLS_1_2),
        ("1.3", version::TLS_1_3),
    ];
    if let Some((_, wanted)) = known.into_iter().find(|(name, _)| word.starts_with(name)) {
        return Ok(open_test(Sides::Both, move |session, direction| {
            session.side(direction).plain_version() == wanted
        }));
    }
    let raw = word
        .strip_prefix("0x")
        .filter(|digits| digits.len() == 4)
        .and_then(|digits| u16::from_str_radix(digits, 16).ok());
    let Some(wanted) = raw else {
        return Err(Complaint::new(format!(
            "'{word}' is no version of TLS: 1.0 to 1.3, or four digits behind 0x"
        )));
    };
    Ok(open_test(Sides::Both, move |session, direction| session.side(direction).version == wanted))
}

fn any_version_test(text: &str) -> Result<Test, Complaint> {
    let text = text.trim();
    let (list, is_negated) = match text.strip_prefix('!') {
        Some(list) => (list, true),
        None => (text, false),
    };
    let names = [
        ("sslv2", version::SSL_2),
        ("sslv3", version::SSL_3),
        ("tls1.0", version::TLS_1_0),
        ("tls1.1", version::TLS_1_1),
        ("tls1.2", version::TLS_1_2),
        ("tls1.3", version::TLS_1_3),
    ];
    let mut wanted = Vec::new();
    for word in list
        .split(|letter: char| letter == ',' || letter.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
    {
        match names.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
            Some((_, number)) if !wanted.contains(number) => wanted.push(*number),
            Some(_) => return Err(Complaint::new(format!("'{word}' stands twice in '{text}'"))),
            None => {
                return Err(Complaint::new(format!(
                    "'{word}' is no version of SSL: sslv2, sslv3, tls1.0 to tls1.3"
                )));
            }
        }
    }
    if wanted.is_empty() {
        return Err(Complaint::new("no version is named"));
    }
    Ok(open_test(Sides::Both, move |session, direction| {
        let said = session.side(direction).version;
        let said = if version::is_tls_1_3(said) { version::TLS_1_3 } else { said };
        names.iter().any(|(_, known)| *known == said) && wanted.contains(&said) != is_negated
    }))
}

fn state_test(text: &str) -> Result<Test, Complaint> {
    let (mut asked, mut negated) = (0, 0);
    for word in text.split(['|', ',']) {
        let word = word.trim();
        let (name, is_negated) = match word.strip_prefix('!') {
            Some(name) => (name, true),
            None => (word, false),
        };
        let state = match name {
            "client_hello" => mark::CLIENT_HELLO,
            "server_hello" => mark::SERVER_HELLO,
            "client_keyx" => mark::CLIENT_KEYS,
            "server_keyx" => mark::SERVER_KEYS,
            "unknown" => mark::UNKNOWN,
            _ => return Err(Complaint::new(format!("'{name}' is no state of SSL"))),
        };
        asked |= state;
        negated |= if is_negated { state } else { 0 };
    }
    Ok(open_test(Sides::Both, move |session, _| (session.last_messages & asked) ^ negated != 0))
}

fn subject_test(text: &str) -> Result<Test, Complaint> {
    contains_test(text, |session| {
        session.side(Direction::ToClient).certificate.as_ref().map(|found| found.subject.as_slice())
    })
}

fn issuer_test(text: &str) -> Result<Test, Complaint> {
    contains_test(text, |session| {
        session.side(Direction::ToClient).certificate.as_ref().map(|found| found.issuer.as_slice())
    })
}

fn contains_test(text: &str, of: fn(&Session) -> Option<&[u8]>) -> Result<Test, Complaint> {
    let (wanted, is_negated) = unquoted(text);
    if wanted.is_empty() {
        return Err(Complaint::new("a text in quotes is missing"));
    }
    let wanted = wanted.as_bytes().to_vec();
    Ok(open_test(Sides::ToClient, move |session, _| {
        of(session).is_some_and(|text| text.windows(wanted.len()).any(|part| part == wanted) != is_negated)
    }))
}

fn fingerprint_test(text: &str) -> Result<Test, Complaint> {
    let (wanted, is_negated) = unquoted(text);
    if wanted.len() != FINGERPRINT_LETTERS || !wanted.contains(':') {
        return Err(Complaint::new(format!("'{wanted}' is no SHA-1 of 20 bytes with colons between them")));
    }
    let wanted = wanted.to_ascii_lowercase().into_bytes();
    Ok(open_test(Sides::Both, move |session, direction| {
        let certificate = session.side(direction).certificate.as_ref();
        certificate.is_some_and(|found| (found.fingerprint == wanted) != is_negated)
    }))
}

fn not_before_test(text: &str) -> Result<Test, Complaint> {
    let wanted = DateTest::parse(text)?;
    Ok(date_test(move |certificate, _| certificate.not_before != 0 && wanted.holds(certificate.not_before)))
}

fn not_after_test(text: &str) -> Result<Test, Complaint> {
    let wanted = DateTest::parse(text)?;
    Ok(date_test(move |certificate, _| certificate.not_after != 0 && wanted.holds(certificate.not_after)))
}

fn expired_test(text: &str) -> Result<Test, Complaint> {
    nothing_behind(text)?;
    Ok(date_test(|certificate, now| certificate.not_after != 0 && now > certificate.not_after))
}

fn valid_test(text: &str) -> Result<Test, Complaint> {
    nothing_behind(text)?;
    Ok(date_test(|certificate, now| certificate.not_after != 0 && now <= certificate.not_after))
}

/// Certificates are stored by whoever keeps the traffic, not here; the rule matches as if this word were not there.
fn store_test(text: &str) -> Result<Test, Complaint> {
    nothing_behind(text)?;
    Ok(Test::new(Sides::Both, TLS, |_: &Session, _| Verdict::Holds))
}

fn date_test(holds: impl Fn(&super::certificate::Certificate, i64) -> bool + Send + Sync + 'static) -> Test {
    open_test(Sides::ToClient, move |session, direction| {
        let now = i64::try_from(session.time.seconds()).unwrap_or(i64::MAX);
        session.side(direction).certificate.as_ref().is_some_and(|certificate| holds(certificate, now))
    })
}

fn nothing_behind(text: &str) -> Result<(), Complaint> {
    if text.trim().is_empty() {
        Ok(())
    } else {
        Err(Complaint::new(format!("'{text}' is more than this keyword takes")))
    }
}
