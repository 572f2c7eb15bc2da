//! The certificates in a server's TLS handshake: their serial numbers, which is all that is told of them here.
//!
//! TLS itself is understood elsewhere; inside RDP nothing but this is asked.

use crate::app::bytes::Reader;
use der_parser::der::{der_read_element_header, parse_der_integer};

/// A record of TLS that carries a handshake.
pub(super) const HANDSHAKE: u8 = 22;
const CERTIFICATE: u8 = 11;
/// Bytes of a record's header.
const HEADER_BYTES: usize = 5;
/// Bytes that a record may have.
const RECORD_BYTES_MAX: usize = (1 << 14) + 256;
/// Certificates of a chain that are looked at.
const CHAIN_MAX: usize = 16;
/// The optional version of a certificate.
const VERSION_TAG: u8 = 0xa0;

/// What bytes begin with.
pub(super) enum Record<'a> {
    /// A record: the serial numbers if it has certificates, and what is behind it.
    Whole(Option<Vec<String>>, &'a [u8]),
    /// A record that needs so many bytes.
    Part(usize),
    /// Something else.
    None,
}

/// Reads a record.
pub(super) fn record(bytes: &[u8]) -> Record<'_> {
    let mut reader = Reader::new(bytes);
    let Some([kind, _, _, high, low]) = reader.array::<HEADER_BYTES>() else {
        return Record::Part(HEADER_BYTES);
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if !(20..=24).contains(&kind) || length > RECORD_BYTES_MAX {
        return Record::None;
    }
    match reader.take(length) {
        Some(body) => {
            let serials = if kind == HANDSHAKE { serials(body) } else { None };
            Record::Whole(serials, reader.rest())
        }
        None => Record::Part(HEADER_BYTES + length),
    }
}

/// The serial numbers in the first message with certificates; nothing if there is none.
fn serials(body: &[u8]) -> Option<Vec<String>> {
    let mut reader = Reader::new(body);
    loop {
        let kind = reader.u8()?;
        let length = length(&mut reader)?;
        let message = reader.take(length)?;
        if kind == CERTIFICATE {
            return Some(chain(message));
        }
    }
}

fn chain(message: &[u8]) -> Vec<String> {
    let mut list = Vec::new();
    let mut reader = Reader::new(message);
    let mut next = |reader: &mut Reader<'_>| -> Option<()> {
        let bytes = length(reader)?;
        let certificate = reader.take(bytes)?;
        list.extend(serial(certificate));
        Some(())
    };
    if length(&mut reader).is_some() {
        for _ in 0..CHAIN_MAX {
            if next(&mut reader).is_none() {
                break;
            }
        }
    }
    list
}

fn length(reader: &mut Reader<'_>) -> Option<usize> {
    let [a, b, c] = reader.array::<3>()?;
    Some(usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c))
}

/// The serial number, as hexadecimal digits without zeros before it.
fn serial(certificate: &[u8]) -> Option<String> {
    let (inside, _) = der_read_element_header(certificate).ok()?;
    let (mut inside, _) = der_read_element_header(inside).ok()?;
    if inside.first() == Some(&VERSION_TAG) {
        let (version, header) = der_read_element_header(inside).ok()?;
        inside = version.get(header.length().definite().ok()?..)?;
    }
    let (_, number) = parse_der_integer(inside).ok()?;
    let digits: String = number.as_slice().ok()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let trimmed = digits.trim_start_matches('0');
    Some(if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_owned() })
}
