//! DCERPC's protocol data units, connection-oriented and not: headers, binds and their answers, requests.
//!
//! Everything here reads one unit that is there in full or says that it cannot; who keeps what is `parser`'s, `datagram`'s and
//! `smb`'s business.

use super::interface::{Interface, Uuid};
use crate::app::bytes::Reader;

/// Bytes of a connection-oriented header.
pub(crate) const HEADER_BYTES: usize = 16;
/// Bytes of a datagram's header.
pub(crate) const DATAGRAM_HEADER_BYTES: usize = 80;
/// The first fragment of a call.
pub(crate) const FIRST_FRAGMENT: u8 = 1;
/// The last fragment of a call.
pub(crate) const LAST_FRAGMENT: u8 = 2;

/// What a unit is.
pub(crate) mod kind {
    pub(crate) const REQUEST: u8 = 0;
    pub(crate) const RESPONSE: u8 = 2;
    pub(crate) const BIND: u8 = 11;
    pub(crate) const BIND_ACK: u8 = 12;
    pub(crate) const ALTER_CONTEXT: u8 = 14;
    pub(crate) const ALTER_CONTEXT_RESPONSE: u8 = 15;
    /// The last that is defined.
    pub(crate) const LAST: u8 = 20;
}

/// The name of a kind, as records have it.
#[must_use]
pub(crate) fn kind_name(kind: u8) -> String {
    const NAMES: [&str; 21] = [
        "REQUEST",
        "PING",
        "RESPONSE",
        "FAULT",
        "WORKING",
        "NOCALL",
        "REJECT",
        "ACK",
        "CL_CANCEL",
        "FACK",
        "CANCEL_ACK",
        "BIND",
        "BINDACK",
        "BINDNAK",
        "ALTER_CONTEXT",
        "ALTER_CONTEXT_RESP",
        "AUTH3",
        "SHUTDOWN",
        "CO_CANCEL",
        "ORPHANED",
        "RTS",
    ];
    NAMES.get(usize::from(kind)).map_or_else(|| kind.to_string(), |name| (*name).to_owned())
}

/// A connection-oriented header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) major: u8,
    pub(crate) minor: u8,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    /// How numbers, letters and floats are written.
    pub(crate) representation: [u8; 4],
    /// The whole unit, header and all.
    pub(crate) length: u16,
    pub(crate) call_id: u32,
}

impl Header {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Header> {
        let (major, minor, kind, flags) = (reader.u8()?, reader.u8()?, reader.u8()?, reader.u8()?);
        let representation = reader.array::<4>()?;
        let little = representation[0] & 0x10 != 0;
        let length = reader.u16(little)?;
        reader.skip(2)?; // The length of what authenticates it.
        let call_id = reader.u32(little)?;
        Some(Header { major, minor, kind, flags, representation, length, call_id })
    }

    /// Whether numbers have their low byte first.
    pub(crate) fn is_little(&self) -> bool {
        self.representation[0] & 0x10 != 0
    }
}

/// The interfaces that a bind (or an alter context) asks for. SMB's reader and TCP's differ in two numbers of big-endian binds:
/// see `over_smb`.
pub(crate) fn bind(reader: &mut Reader<'_>, header: &Header, over_smb: bool) -> Option<Vec<Interface>> {
    let little = header.is_little();
    reader.skip(8)?; // Sizes of fragments, association group.
    let count = reader.u8()?;
    reader.skip(3)?;
    let mut list = Vec::new();
    for place in 0..u16::from(count) {
        let context = reader.u16(little || over_smb)?;
        reader.skip(2)?;
        let uuid = Uuid::from_wire(reader.array()?, little);
        let (first, second) = (reader.u16(little)?, reader.u16(little)?);
        let (version, version_minor) = if over_smb && !little { (second, first) } else { (first, second) };
        reader.skip(20)?;
        list.push(Interface {
            uuid,
            version,
            version_minor,
            context,
            place,
            call_id: header.call_id,
            first_fragment: header.flags & FIRST_FRAGMENT != 0,
            answer: None,
        });
    }
    Some(list)
}

/// What a server answers to a bind, one number for each interface asked for.
pub(crate) fn bind_answers(reader: &mut Reader<'_>) -> Option<Vec<u16>> {
    reader.skip(8)?;
    let address_bytes = reader.le16()?;
    reader.skip(usize::from(address_bytes))?;
    let odd = address_bytes.wrapping_add(2) % 4;
    if odd != 0 {
        reader.skip(usize::from(4 - odd))?;
    }
    let count = reader.u8()?;
    reader.skip(3)?;
    let mut list = Vec::new();
    for _ in 0..count {
        list.push(reader.le16()?);
        reader.skip(22)?; // The reason, the transfer syntax and its version.
    }
    Some(list)
}

/// The context and the number of the operation that a request names.
pub(crate) fn request(reader: &mut Reader<'_>, little: bool) -> Option<(u16, u16)> {
    reader.skip(4)?;
    Some((reader.u16(little)?, reader.u16(little)?))
}

/// The header of a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DatagramHeader {
    pub(crate) version: u8,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) more_flags: u8,
    pub(crate) representation: [u8; 3],
    pub(crate) activity: Uuid,
    pub(crate) sequence: u32,
    pub(crate) length: u16,
    pub(crate) fragment: u16,
}

impl DatagramHeader {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<DatagramHeader> {
        let (version, kind, flags, more_flags) = (reader.u8()?, reader.u8()?, reader.u8()?, reader.u8()?);
        let representation = reader.array::<3>()?;
        let little = representation[0] != 0;
        reader.skip(1 + 16 + 16)?; // Serial, object, interface.
        let activity = Uuid::from_wire(reader.array()?, true);
        reader.skip(8)?; // When the server booted, version of the interface.
        let sequence = reader.u32(little)?;
        reader.skip(6)?; // Operation and hints.
        let (length, fragment) = (reader.u16(little)?, reader.u16(little)?);
        reader.skip(2)?;
        Some(DatagramHeader {
            version,
            kind,
            flags,
            more_flags,
            representation,
            activity,
            sequence,
            length,
            fragment,
        })
    }
}
