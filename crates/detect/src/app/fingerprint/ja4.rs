//! JA4: transport, version, whether a server is named, how many suites and extensions, the first protocol above;
//! then hashes of the sorted suites and of the sorted extensions with the signature algorithms.

use super::{Offer, hex, is_grease};
use sha2::{Digest, Sha256};

/// Counts are told up to this one.
const COUNT_MAX: usize = 99;
/// Digits of a hash that are told.
const HASH_DIGITS: usize = 12;
/// Extensions that are left out of the hash: the server's name and the protocols above, which change with what is
/// asked for.
const EXTENSIONS_LEFT_OUT: [u16; 2] = [0, 16];

/// The fingerprint of a client that offers this, over QUIC or not.
#[must_use]
pub fn ja4(offer: &Offer, is_quic: bool) -> String {
    let version = match offer.version {
        Some(0x0304) => "13",
        Some(0x0303) => "12",
        Some(0x0302) => "11",
        Some(0x0301) => "10",
        Some(0x0300) => "s3",
        _ => "00",
    };
    let (first, last) = ends_of(offer.names.first().map(Vec::as_slice));
    let mut ciphers = offer.ciphers.clone();
    ciphers.sort_unstable();
    let mut extensions: Vec<u16> = offer
        .extensions
        .iter()
        .copied()
        .filter(|extension| !EXTENSIONS_LEFT_OUT.contains(extension))
        .collect();
    extensions.sort_unstable();
    format!(
        "{}{version}{}{:02}{:02}{first}{last}_{}_{}",
        if is_quic { 'q' } else { 't' },
        if offer.has_server_name { 'd' } else { 'i' },
        offer.ciphers.len().min(COUNT_MAX),
        offer.extensions.len().min(COUNT_MAX),
        short_hash(&joined(&ciphers)),
        short_hash(&format!("{}_{}", joined(&extensions), joined(&offer.signatures))),
    )
}

/// The first and the last letter of a protocol's name, or digits of their bytes if one of them is no letter.
fn ends_of(name: Option<&[u8]>) -> (char, char) {
    let Some((name, (&first, &last))) = name.and_then(|name| Some((name, name.first().zip(name.last())?)))
    else {
        return ('0', '0');
    };
    if name.len() == 2 && is_grease(u16::from_be_bytes([first, last])) {
        return ('0', '0');
    }
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return (char::from(first), char::from(last));
    }
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    (digit(first >> 4), digit(last & 0xf))
}

fn joined(numbers: &[u16]) -> String {
    let words: Vec<String> = numbers.iter().map(|number| format!("{number:04x}")).collect();
    words.join(",")
}

fn short_hash(text: &str) -> String {
    let mut digits = hex(Sha256::digest(text.as_bytes()).as_slice());
    digits.truncate(HASH_DIGITS);
    digits
}
