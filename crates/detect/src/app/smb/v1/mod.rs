//! SMB 1: records, and what requests and responses do to the state.

mod files;
mod requests;
mod responses;
mod session;
mod text;
mod trans;

use super::key::{Handle, Key, MessageKey, Purpose, TreeKey};
use super::names::LOGIN_REFUSED;
use super::pipe::{self, Carrier};
use super::transaction::{Command, Status};
use crate::app::bytes::Reader;
pub(super) use files::{read, shows_its_data, write};
pub(super) use requests::request;
pub(super) use responses::response;

pub(super) const CLOSE: u8 = 0x04;
pub(super) const RENAME: u8 = 0x07;
pub(super) const WRITE: u8 = 0x0b;
pub(super) const LOCKING_ANDX: u8 = 0x24;
pub(super) const TRANS: u8 = 0x25;
pub(super) const WRITE_AND_CLOSE: u8 = 0x2c;
pub(super) const OPEN_ANDX: u8 = 0x2d;
pub(super) const READ_ANDX: u8 = 0x2e;
pub(super) const WRITE_ANDX: u8 = 0x2f;
pub(super) const TRANS2: u8 = 0x32;
pub(super) const TRANS2_SECONDARY: u8 = 0x33;
pub(super) const TREE_DISCONNECT: u8 = 0x71;
pub(super) const NEGOTIATE: u8 = 0x72;
pub(super) const SESSION_SETUP_ANDX: u8 = 0x73;
pub(super) const LOGOFF_ANDX: u8 = 0x74;
pub(super) const TREE_CONNECT_ANDX: u8 = 0x75;
pub(super) const NT_CREATE_ANDX: u8 = 0xa2;
pub(super) const NT_CANCEL: u8 = 0xa4;
/// No further command.
const NONE: u8 = 0xff;

/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 32;
/// Commands that one record may chain; more are not looked at.
const CHAIN_MAX: usize = 64;

const IS_RESPONSE: u8 = 0x80;
const IS_NT_STATUS: u16 = 0x4000;
const IS_UNICODE: u16 = 0x8000;

/// A record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) command: u8,
    pub(super) is_response: bool,
    pub(super) is_unicode: bool,
    is_dos: bool,
    /// As it is on the wire.
    pub(super) status: u32,
    pub(super) tree: u16,
    pub(super) user: u16,
    pub(super) multiplex: u16,
    pub(super) body: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads a record.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Record<'a>> {
        let mut reader = Reader::new(bytes);
        if reader.take(4)? != b"\xffSMB" {
            return None;
        }
        let command = reader.u8()?;
        let status = reader.le32()?;
        let (flags, more_flags) = (reader.u8()?, reader.le16()?);
        reader.skip(12)?;
        let tree = reader.le16()?;
        reader.skip(2)?;
        let (user, multiplex) = (reader.le16()?, reader.le16()?);
        Some(Record {
            command,
            is_response: flags & IS_RESPONSE != 0,
            is_unicode: more_flags & IS_UNICODE != 0,
            is_dos: more_flags & IS_NT_STATUS == 0,
            status,
            tree,
            user,
            multiplex,
            body: reader.rest(),
        })
    }

    /// The part of the body that begins `offset` bytes after the record's own beginning.
    fn from(&self, offset: usize) -> &'a [u8] {
        offset.checked_sub(HEADER_BYTES).and_then(|start| self.body.get(start..)).unwrap_or_default()
    }

    /// Whether it refuses a login.
    pub(super) fn refuses_login(&self) -> bool {
        self.command == SESSION_SETUP_ANDX && LOGIN_REFUSED.contains(&self.status)
    }

    fn nt_or_dos(&self) -> Status {
        if self.is_dos {
            Status::Dos { class: self.status as u8, code: (self.status >> 16) as u16 }
        } else {
            Status::Nt(self.status)
        }
    }

    fn key(&self, purpose: Purpose) -> Key {
        let tree = if purpose == Purpose::Tree { 0 } else { u32::from(self.tree) };
        Key { purpose, session: u64::from(self.user), message: u64::from(self.multiplex), tree }
    }

    fn message_key(&self) -> MessageKey {
        MessageKey {
            session: u64::from(self.user),
            tree: u32::from(self.tree),
            message: u64::from(self.multiplex),
        }
    }

    pub(super) fn tree_key(&self) -> TreeKey {
        TreeKey { session: u64::from(self.user), tree: u32::from(self.tree) }
    }

    fn carrier(&self, command: u8) -> Carrier {
        let key = pipe::pipe_key(u64::from(self.user), u32::from(self.tree), u64::from(self.multiplex));
        Carrier { command: Command::One(command), key }
    }

    fn handle(&self, file: [u8; 2]) -> Handle {
        Handle::of_v1_user(file, self.user)
    }

    /// Calls `each` for the command and those that are chained to it, with where each begins.
    fn each_command(&self, mut each: impl FnMut(u8, usize)) {
        let (mut command, mut offset) = (self.command, HEADER_BYTES);
        for _ in 0..CHAIN_MAX {
            each(command, offset);
            let next = if is_chained(command) { chained(self.from(offset)) } else { None };
            match next {
                Some((next, place)) if place > offset && place - HEADER_BYTES < self.body.len() => {
                    (command, offset) = (next, place);
                }
                _ => return,
            }
        }
    }
}

/// Whether a command's parameters begin with the next command.
fn is_chained(command: u8) -> bool {
    matches!(
        command,
        LOCKING_ANDX
            | OPEN_ANDX
            | READ_ANDX
            | WRITE_ANDX
            | SESSION_SETUP_ANDX
            | LOGOFF_ANDX
            | TREE_CONNECT_ANDX
            | NT_CREATE_ANDX
    )
}

/// The next command, and where it begins.
fn chained(parameters: &[u8]) -> Option<(u8, usize)> {
    let mut reader = Reader::new(parameters);
    reader.skip(1)?;
    let command = reader.u8()?;
    reader.skip(1)?;
    let offset = reader.le16()?;
    (command != NONE).then_some((command, usize::from(offset)))
}

/// Whether a command makes an exchange of its own. Reads and writes are part of their file's, transactions have one only where
/// they say something.
fn opens_an_exchange(command: u8) -> bool {
    !matches!(command, READ_ANDX | WRITE_ANDX | TRANS | TRANS2)
}
