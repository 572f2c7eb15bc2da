//! TLS hellos within QUIC: read strictly, as the library that Suricata uses here reads them; another reading than
//! that of TLS over TCP, and fingerprints show it.
//!
//! An extension whose inside is broken ends the list; what stood before it counts.

use crate::app::fingerprint::{Ja3, Offer, is_grease};
use crate::app::tls::reader::Reader;

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const SESSION_BYTES_MAX: u8 = 32;
/// What an extension that means nothing is called, whichever it is.
const GREASE: u16 = 0xfafa;

/// What came of reading.
pub(super) enum Outcome {
    /// More bytes are needed.
    Incomplete,
    /// It is no hello, or a broken one.
    Other,
    /// It was read.
    Hello(Box<Hello>),
}

/// What a hello says.
#[derive(Default)]
pub(super) struct Hello {
    pub(super) ja3: Ja3,
    pub(super) offer: Offer,
    pub(super) extensions: Vec<Extension>,
}

/// An extension and what is told of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Extension {
    pub(super) number: u16,
    pub(super) values: Vec<Vec<u8>>,
}

/// Reads the handshake message at the front of `bytes`.
pub(super) fn read(bytes: &[u8]) -> Outcome {
    let mut reader = Reader::new(bytes);
    let (Some(kind), Some(size)) = (reader.u8(), reader.u24()) else {
        return Outcome::Incomplete;
    };
    let Some(message) = usize::try_from(size).ok().and_then(|size| reader.take(size)) else {
        return Outcome::Incomplete;
    };
    match kind {
        CLIENT_HELLO => client(Reader::new(message)),
        SERVER_HELLO => server(Reader::new(message)),
        _ => Outcome::Other,
    }
}

/// Version and session, up to the cipher suites.
fn head(reader: &mut Reader<'_>) -> Result<u16, Outcome> {
    let (Some(version), Some(_random), Some(session)) = (reader.u16(), reader.take(32), reader.u8()) else {
        return Err(Outcome::Incomplete);
    };
    if session > SESSION_BYTES_MAX {
        return Err(Outcome::Other);
    }
    reader.take(usize::from(session)).ok_or(Outcome::Incomplete)?;
    Ok(version)
}

fn client(mut reader: Reader<'_>) -> Outcome {
    let version = match head(&mut reader) {
        Ok(version) => version,
        Err(outcome) => return outcome,
    };
    let Some(size) = reader.u16() else {
        return Outcome::Incomplete;
    };
    let Some(ciphers) = reader.take(usize::from(size)).filter(|ciphers| ciphers.len() % 2 == 0) else {
        return Outcome::Other;
    };
    let Some(size) = reader.u8() else {
        return Outcome::Incomplete;
    };
    if reader.take(usize::from(size)).is_none() {
        return Outcome::Other;
    }
    let mut hello = Box::new(Hello::default());
    hello.ja3.version(version);
    hello.ja3.every_one_of(numbers(ciphers));
    numbers(ciphers).for_each(|cipher| hello.offer.cipher(cipher));
    match reader.piece() {
        Some(extensions) => hello.extensions(extensions, true),
        None => hello.ja3.every_one_of([]),
    }
    hello.ja3.finish();
    Outcome::Hello(hello)
}

fn server(mut reader: Reader<'_>) -> Outcome {
    match Reader::new(reader.rest()).u16() {
        Some(0x0301..=0x0303) => {}
        Some(_) => return Outcome::Other,
        None => return Outcome::Incomplete,
    }
    let version = match head(&mut reader) {
        Ok(version) => version,
        Err(outcome) => return outcome,
    };
    let (Some(cipher), Some(_compression)) = (reader.u16(), reader.u8()) else {
        return Outcome::Incomplete;
    };
    let mut hello = Box::new(Hello::default());
    hello.ja3.version(version);
    hello.ja3.every_one_of([cipher]);
    match reader.piece() {
        Some(extensions) => hello.extensions(extensions, false),
        None => hello.ja3.every_one_of([]),
    }
    hello.ja3.finish();
    Outcome::Hello(hello)
}

impl Hello {
    fn extensions(&mut self, bytes: &[u8], is_client: bool) {
        let mut reader = Reader::new(bytes);
        let (mut types, mut curves, mut formats) = (Vec::new(), Vec::new(), Vec::new());
        while let (Some(number), Some(content)) = (reader.u16(), reader.piece()) {
            let number = if number & 0x0f0f == 0x0a0a { GREASE } else { number };
            let Some(values) = self.extension(number, content, &mut curves, &mut formats) else {
                break;
            };
            types.push(number);
            self.offer.extension(number);
            self.extensions.push(Extension { number, values });
        }
        self.ja3.every_one_of(types);
        if is_client {
            self.ja3.every_one_of(curves);
            self.ja3.every_one_of(formats);
        }
    }

    /// Reads the inside of an extension; nothing if it is broken.
    fn extension(
        &mut self,
        number: u16,
        content: &[u8],
        curves: &mut Vec<u16>,
        formats: &mut Vec<u16>,
    ) -> Option<Vec<Vec<u8>>> {
        let mut reader = Reader::new(content);
        let mut values = Vec::new();
        match number {
            0 if !content.is_empty() => {
                let mut names = Reader::new(reader.piece()?);
                while let (Some(_kind), Some(name)) = (names.u8(), names.piece()) {
                    values.push(name.to_vec());
                }
            }
            10 => curves.extend(numbers(reader.piece().filter(|list| list.len() % 2 == 0)?)),
            11 => formats.extend(reader.short_piece()?.iter().copied().map(u16::from)),
            13 => {
                for algorithm in numbers(reader.piece()?) {
                    self.offer.signature(algorithm);
                    values.push(algorithm.to_string().into_bytes());
                }
            }
            16 => {
                let mut names = Reader::new(reader.piece()?);
                while let Some(name) = names.short_piece() {
                    values.push(name.to_vec());
                }
                // JA4 asks for the first alone.
                if let Some(first) = values.first() {
                    self.offer.name(first);
                }
            }
            43 => {
                let list = if content.len() == 2 { content } else { content.get(1..)? };
                if list.len() % 2 != 0 {
                    return None;
                }
                for version in numbers(list) {
                    self.offer.version(version);
                    values.push(version_name(version).into_bytes());
                }
            }
            _ => {}
        }
        Some(values)
    }

    /// The server that is named.
    pub(super) fn server_name(&self) -> Option<&[u8]> {
        let named = self.extensions.iter().filter(|extension| extension.number == 0);
        named.filter_map(|extension| extension.values.first()).next_back().map(Vec::as_slice)
    }
}

fn version_name(version: u16) -> String {
    match version {
        0x0300 => "SSL 3.0".to_string(),
        0x0301 => "TLS 1.0".to_string(),
        0x0302 => "TLS 1.1".to_string(),
        0x0303 => "TLS 1.2".to_string(),
        0x0304 => "TLS 1.3".to_string(),
        other if is_grease(other) => "GREASE".to_string(),
        other => format!("0x{other:04x}"),
    }
}

/// The numbers of two bytes each.
fn numbers(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
}
