//! Fingerprints of those who greet: JA3, JA3S and JA4, made of what a TLS hello offers, over TCP or within QUIC.
//!
//! The parsers of TLS and QUIC put what they read into [`Ja3`] and [`Offer`]; texts and hashes come out, as
//! Suricata spells them.
//!
//! Not here: how a hello is read. TLS and QUIC read it differently, and that shows in the fingerprints of broken
//! hellos.

mod ja3;
mod ja4;
#[cfg(test)]
mod tests;

pub use ja3::{Ja3, hash_of};
pub use ja4::ja4;

/// Entries that one list of an [`Offer`] holds at most: as many as the longest hello can have; later hellos of the
/// same side add nothing beyond.
const OFFER_ENTRIES_MAX: usize = 32 * 1024;
/// Protocol names (ALPN) that an [`Offer`] holds at most.
const OFFER_NAMES_MAX: usize = 1024;

/// Whether `value` is one that means nothing and is there to keep others tolerant (RFC 8701).
#[must_use]
pub fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

/// What JA4 looks at, in the order in which it was said, without what means nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    version: Option<u16>,
    ciphers: Vec<u16>,
    extensions: Vec<u16>,
    signatures: Vec<u16>,
    names: Vec<Vec<u8>>,
    has_server_name: bool,
}

impl Offer {
    /// A version that is spoken: the highest counts.
    pub fn version(&mut self, version: u16) {
        if !is_grease(version) {
            self.version = self.version.max(Some(version));
        }
    }

    /// A cipher suite.
    pub fn cipher(&mut self, cipher: u16) {
        push(&mut self.ciphers, cipher);
    }

    /// An extension.
    pub fn extension(&mut self, extension: u16) {
        self.has_server_name |= extension == 0;
        push(&mut self.extensions, extension);
    }

    /// A signature algorithm.
    pub fn signature(&mut self, signature: u16) {
        push(&mut self.signatures, signature);
    }

    /// A protocol that could be spoken above TLS.
    pub fn name(&mut self, name: &[u8]) {
        if !name.is_empty() && self.names.len() < OFFER_NAMES_MAX {
            self.names.push(name.to_vec());
        }
    }

    /// The protocols that could be spoken above TLS.
    #[must_use]
    pub fn names(&self) -> &[Vec<u8>] {
        &self.names
    }
}

fn push(list: &mut Vec<u16>, value: u16) {
    if !is_grease(value) && list.len() < OFFER_ENTRIES_MAX {
        list.push(value);
    }
}

/// Bytes as hexadecimal digits, small letters.
#[must_use]
pub(in crate::app) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    bytes.iter().for_each(|byte| push_digits(&mut text, *byte));
    text
}

/// The same, with colons between the bytes.
#[must_use]
pub(in crate::app) fn hex_with_colons(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(3 * bytes.len());
    for (place, byte) in bytes.iter().enumerate() {
        if place > 0 {
            text.push(':');
        }
        push_digits(&mut text, *byte);
    }
    text
}

fn push_digits(text: &mut String, byte: u8) {
    for nibble in [byte >> 4, byte & 0xf] {
        text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
    }
}
