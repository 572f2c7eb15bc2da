//! Heads of QUIC packets: those of IETF's QUIC, and those of Google's before it.
//!
//! Not here: what is behind a head, and the protection of its first byte and its number.

use crate::app::tls::reader::Reader;

/// QUIC version 2.
pub(super) const V2: u32 = 0x6b33_43cf;
const Q043: u32 = 0x5130_3433;
const Q044: u32 = 0x5130_3434;
const Q045: u32 = 0x5130_3435;
/// The first of Google's with the head of IETF's.
const Q046: u32 = 0x5130_3436;

const LONG: u8 = 0x80;
const OLD_MULTIPATH: u8 = 0x40;
const OLD_CONNECTION: u8 = 0x08;
const OLD_NONCE: u8 = 0x04;
const OLD_VERSION: u8 = 0x01;
/// Bytes of a message's hash in Google's heads.
const OLD_HASH_BYTES: usize = 12;

/// What a packet is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// It begins a connection.
    Initial,
    /// It asks the client to begin anew.
    Retry,
    /// It goes on with the handshake.
    Handshake,
    /// It carries early data.
    EarlyData,
    /// It offers other versions.
    Versions,
    /// It belongs to a connection that is there.
    Short,
}

/// The head of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'a> {
    pub(super) is_long: bool,
    pub(super) kind: Kind,
    pub(super) version: u32,
    /// The version as it stands there: nothing if it does not.
    pub(super) version_bytes: &'a [u8],
    /// Where it goes to.
    pub(super) destination: &'a [u8],
    /// Bytes of the head.
    pub(super) bytes: usize,
    /// Bytes behind the head that belong to the packet.
    pub(super) content: usize,
}

impl<'a> Header<'a> {
    /// Reads the head at the front of `packet`; nothing if there is none.
    pub(super) fn read(packet: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(packet);
        let first = reader.u8()?;
        let (mut header, content) = if first & LONG != 0 {
            long(first, &mut reader)?
        } else if first & OLD_MULTIPATH == 0 {
            old(first, &mut reader)?
        } else {
            (Header::of(Kind::Short, 0, &[], &[]), None)
        };
        header.is_long = first & LONG != 0;
        let rest = reader.rest().len();
        header.bytes = packet.len() - rest;
        header.content = usize::from(u16::try_from(content.unwrap_or(rest as u64)).ok()?);
        (header.content <= rest).then_some(header)
    }

    fn of(kind: Kind, version: u32, version_bytes: &'a [u8], destination: &'a [u8]) -> Self {
        Header { is_long: false, kind, version, version_bytes, destination, bytes: 0, content: 0 }
    }
}

/// A head with its version; and the length of what is behind it, where that is said.
fn long<'a>(first: u8, reader: &mut Reader<'a>) -> Option<(Header<'a>, Option<u64>)> {
    let version_bytes = reader.take(4)?;
    let version = Reader::new(version_bytes).u32()?;
    let kind = kind_of(first, version)?;
    let destination = if is_googles(version) {
        let lengths = reader.u8()?;
        let length = |nibble: u8| if nibble == 0 { 0 } else { usize::from(nibble) + 3 };
        let destination = reader.take(length(lengths >> 4))?;
        reader.take(length(lengths & 0xf))?;
        destination
    } else {
        let destination = reader.short_piece()?;
        reader.short_piece()?;
        destination
    };
    let mut content = None;
    match kind {
        Kind::Initial if is_googles(version) => {
            reader.take(4 + OLD_HASH_BYTES)?;
        }
        Kind::Initial => {
            let token = number(reader)?;
            reader.take(usize::try_from(token).ok()?)?;
            content = Some(number(reader)?);
        }
        // The token and its tag fill the packet.
        Kind::Retry => {
            reader.take(reader.rest().len())?;
        }
        Kind::Handshake | Kind::EarlyData | Kind::Versions | Kind::Short => {}
    }
    Some((Header::of(kind, version, version_bytes, destination), content))
}

/// A head of Google's first versions.
fn old<'a>(first: u8, reader: &mut Reader<'a>) -> Option<(Header<'a>, Option<u64>)> {
    let has_connection = first & OLD_CONNECTION != 0;
    let destination = reader.take(if has_connection { 8 } else { 0 })?;
    if first & OLD_NONCE != 0 && !has_connection {
        reader.take(32)?;
    }
    let has_version = first & OLD_VERSION != 0;
    let version_bytes = reader.take(if has_version { 4 } else { 0 })?;
    let version = Reader::new(version_bytes).u32().unwrap_or(0);
    reader.take(1 + usize::from((first & 0x30) >> 4))?;
    if has_connection {
        reader.take(OLD_HASH_BYTES)?;
    }
    let kind = if has_version { Kind::Initial } else { Kind::Short };
    Some((Header::of(kind, version, version_bytes, destination), None))
}

fn kind_of(first: u8, version: u32) -> Option<Kind> {
    if version == 0 {
        return Some(Kind::Versions);
    }
    if is_googles(version) && version != Q046 {
        return match first & 0x7f {
            0x7f => Some(Kind::Initial),
            0x7e => Some(Kind::Retry),
            0x7d => Some(Kind::Handshake),
            0x7c => Some(Kind::EarlyData),
            _ => None,
        };
    }
    let mut kinds = [Kind::Initial, Kind::EarlyData, Kind::Handshake, Kind::Retry];
    if version == V2 {
        kinds.rotate_right(1);
    }
    kinds.get(usize::from((first & 0x30) >> 4)).copied()
}

fn is_googles(version: u32) -> bool {
    matches!(version, Q043 | Q044 | Q045 | Q046)
}

/// The number that CYU has for a version of Google's.
pub(super) fn cyu_version(version: u32) -> Option<&'static str> {
    match version {
        Q043 => Some("43"),
        Q044 | Q045 => Some("44"),
        Q046 => Some("46"),
        _ => None,
    }
}

/// The name of a version, as EVE has it.
pub(super) fn version_name(version: u32) -> String {
    match version.to_be_bytes() {
        name @ ([b'Q', b'0', b'3', b'9'] | [b'Q', b'0', b'4', b'3'..=b'6']) => {
            name.iter().copied().map(char::from).collect()
        }
        _ if version == V2 => "v2".to_string(),
        _ => format!("{version:x}"),
    }
}

/// A number of one, two, four or eight bytes (RFC 9000, 16).
pub(super) fn number(reader: &mut Reader<'_>) -> Option<u64> {
    let first = reader.u8()?;
    let more = reader.take((1 << (first >> 6)) - 1)?;
    Some(more.iter().fold(u64::from(first & 0x3f), |number, byte| number << 8 | u64::from(*byte)))
}
