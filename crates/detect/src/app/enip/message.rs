//! One message of EtherNet/IP: a header, and what follows it by the command.

use super::cip::{Item, items};
use crate::app::bytes::Reader;

pub(super) const HEADER_BYTES: usize = 24;

const NOP: u16 = 0;
const LIST_SERVICES: u16 = 4;
const LIST_IDENTITY: u16 = 0x63;
const LIST_INTERFACES: u16 = 0x64;
pub(super) const REGISTER_SESSION: u16 = 0x65;
const UNREGISTER_SESSION: u16 = 0x66;
const SEND_REQUEST: u16 = 0x6f;
const SEND_UNIT: u16 = 0x70;

/// The commands that there are.
pub(super) const COMMANDS: &[(&str, u64)] = &[
    ("nop", 0),
    ("list_services", 4),
    ("list_identity", 0x63),
    ("list_interfaces", 0x64),
    ("register_session", 0x65),
    ("unregister_session", 0x66),
    ("send_r_r_data", 0x6f),
    ("send_unit_data", 0x70),
    ("indicate_status", 0x72),
    ("cancel", 0x73),
];

/// What became of a command.
pub(super) const STATUS: &[(&str, u64)] = &[
    ("success", 0),
    ("invalid_cmd", 1),
    ("no_resources", 2),
    ("incorrect_data", 3),
    ("invalid_session", 0x64),
    ("invalid_length", 0x65),
    ("unsupported_prot_rev", 0x69),
    ("encap_header_error", 0x6a),
];

/// What stands before the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) command: u16,
    /// Of the content.
    pub(super) length: u16,
    pub(super) session: u32,
    pub(super) status: u32,
    pub(super) options: u32,
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Option<Header> {
        let (command, length, session, status) =
            (reader.le16()?, reader.le16()?, reader.le32()?, reader.le32()?);
        reader.take(8)?; // The sender's own.
        Some(Header { command, length, session, status, options: reader.le32()? })
    }

    /// Whether `bytes` begin with what may be a header.
    pub(super) fn looks_right(bytes: &[u8]) -> bool {
        let mut reader = Reader::new(bytes);
        let Some(header) = Header::read(&mut reader) else { return false };
        let is_known = |names: &[(&str, u64)], value: u64| names.iter().any(|(_, known)| *known == value);
        if !is_known(STATUS, u64::from(header.status)) || !is_known(COMMANDS, u64::from(header.command)) {
            return false;
        }
        match header.command {
            NOP => header.options == 0,
            REGISTER_SESSION => header.length == 4,
            UNREGISTER_SESSION => matches!(header.length, 0 | 4),
            LIST_INTERFACES => {
                reader.le16().is_some_and(|count| reader.take(2 * usize::from(count)).is_some())
            }
            _ => true,
        }
    }
}

/// What follows the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Nothing,
    Session { version: u16, options: u16 },
    Identities(Vec<Item>),
    Services(Vec<Item>),
    Interfaces(Vec<Item>),
    Cip(Vec<Item>),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) header: Header,
    pub(super) content: Content,
    /// The content cannot be read.
    pub(super) is_invalid: bool,
}

impl Message {
    /// The message at the front of `bytes` and how many bytes it takes; nothing if it has not come in full.
    pub(super) fn read(bytes: &[u8]) -> Option<(Message, usize)> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader)?;
        let data = reader.take(usize::from(header.length))?;
        let content = content(&header, data);
        let message =
            Message { header, is_invalid: content.is_none(), content: content.unwrap_or(Content::Nothing) };
        Some((message, bytes.len() - reader.len()))
    }

    /// The items that it lists.
    pub(super) fn items(&self) -> &[Item] {
        match &self.content {
            Content::Identities(items)
            | Content::Services(items)
            | Content::Interfaces(items)
            | Content::Cip(items) => items,
            Content::Nothing | Content::Session { .. } => &[],
        }
    }
}

fn content(header: &Header, data: &[u8]) -> Option<Content> {
    let mut reader = Reader::new(data);
    Some(match header.command {
        REGISTER_SESSION => Content::Session { version: reader.le16()?, options: reader.le16()? },
        // Requests of these are empty.
        LIST_SERVICES if !data.is_empty() => Content::Services(items(&mut reader, HEADER_BYTES + 2)?),
        LIST_INTERFACES if !data.is_empty() => Content::Interfaces(items(&mut reader, HEADER_BYTES + 2)?),
        LIST_IDENTITY if !data.is_empty() => Content::Identities(items(&mut reader, HEADER_BYTES + 2)?),
        SEND_REQUEST | SEND_UNIT => {
            reader.take(6)?; // The interface and the timeout.
            Content::Cip(items(&mut reader, HEADER_BYTES + 8)?)
        }
        _ => Content::Nothing,
    })
}
