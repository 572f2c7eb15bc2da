//! NetBIOS sessions: four bytes of kind and length before each record; and how SMB is recognised behind them.

use super::v1;
use crate::app::Looked;
use crate::app::bytes::Reader;

/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 4;
/// Bytes that are needed to recognise SMB: NetBIOS's header and the shortest of SMB's.
pub(super) const LEAST_BYTES: usize = HEADER_BYTES + v1::HEADER_BYTES;
/// A message of a session.
pub(super) const MESSAGE: u8 = 0;
/// A session's beginning may be announced in a record shorter than this.
const ANNOUNCEMENT_BYTES_MAX: usize = 256;

/// The header of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) kind: u8,
    /// Of what follows the header.
    pub(super) length: usize,
}

impl Header {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Header> {
        let number = reader.be32()?;
        Some(Header { kind: (number >> 24) as u8, length: (number & 0xff_ffff) as usize })
    }

    pub(super) fn is_known(&self) -> bool {
        matches!(self.kind, MESSAGE | 0x81..=0x85)
    }
}

/// Which SMB a record is, by its first bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dialect {
    One,
    Two,
    /// Encrypted.
    Three,
    /// None that is known.
    Other,
}

/// Which SMB it is; nothing if it is none.
pub(super) fn dialect(record: &[u8]) -> Option<Dialect> {
    match record {
        [0xff, b'S', b'M', b'B', ..] => Some(Dialect::One),
        [0xfe, b'S', b'M', b'B', ..] => Some(Dialect::Two),
        [0xfd, b'S', b'M', b'B', ..] => Some(Dialect::Three),
        [_, b'S', b'M', b'B', ..] => Some(Dialect::Other),
        _ => None,
    }
}

/// Whether these bytes behind a header are SMB.
pub(super) fn is_smb(record: &[u8]) -> bool {
    dialect(record).is_some_and(|dialect| dialect != Dialect::Other)
}

/// Where the next record's header begins, after a hole: four bytes before something that looks like SMB and, where that can be
/// seen, behind a message's kind.
/// `Err` with how many bytes can be passed over if there is none yet.
pub(super) fn search(bytes: &[u8]) -> Result<usize, usize> {
    let found = bytes.windows(4).enumerate().find_map(|(place, window)| {
        let header = place.checked_sub(HEADER_BYTES)?;
        (is_smb(window) && bytes.get(header) == Some(&MESSAGE)).then_some(header)
    });
    found.ok_or(bytes.len().saturating_sub(HEADER_BYTES + 3))
}

pub(super) fn looks_right_from_client(bytes: &[u8]) -> Looked {
    looks_right(bytes, false)
}

pub(super) fn looks_right_from_server(bytes: &[u8]) -> Looked {
    looks_right(bytes, true)
}

fn looks_right(bytes: &[u8], from_server: bool) -> Looked {
    if bytes.len() < LEAST_BYTES {
        return Looked::Unsure;
    }
    let mut reader = Reader::new(bytes);
    let Some(header) = Header::read(&mut reader).filter(Header::is_known) else {
        return Looked::No;
    };
    if is_smb(reader.rest()) {
        return match is_response(reader.rest()) {
            Some(is_response) if is_response != from_server => Looked::Reversed,
            _ => Looked::Yes,
        };
    }
    if header.kind == MESSAGE {
        return Looked::No;
    }
    // A session is asked for, or granted, before SMB begins.
    match reader.rest().get(header.length.saturating_add(HEADER_BYTES)..) {
        Some(record) if record.len() >= 4 => {
            if is_smb(record) {
                Looked::Yes
            } else {
                Looked::No
            }
        }
        _ if header.length < ANNOUNCEMENT_BYTES_MAX => Looked::Unsure,
        _ => Looked::No,
    }
}

/// Whether a record is a response, if it tells.
fn is_response(record: &[u8]) -> Option<bool> {
    match dialect(record)? {
        Dialect::One => record.get(9).map(|flags| flags & 0x80 != 0),
        Dialect::Two => record.get(16).map(|flags| flags & 1 != 0),
        Dialect::Three | Dialect::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_behind_rubbish() {
        let mut bytes = vec![7; 20];
        assert_eq!(search(&bytes), Err(13));
        bytes.extend_from_slice(&[0, 0, 0, 64, 0xfe]);
        bytes.extend_from_slice(b"SMB");
        assert_eq!(search(&bytes), Ok(20));
        bytes[20] = 9;
        assert_eq!(search(&bytes), Err(21));
        assert_eq!(search(b"\xfeSMB"), Err(0));
    }
}
