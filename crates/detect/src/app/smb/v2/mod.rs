//! SMB 2 and what of SMB 3 is not encrypted: records, and what requests and responses do to the state.

mod requests;
mod responses;

use super::key::{Key, MessageKey, Purpose, TreeKey};
use super::names::LOGIN_REFUSED;
use super::pipe::{self, Carrier, looks_like_dcerpc};
use super::state::State;
use super::transaction::Command;
use crate::app::bytes::Reader;
pub(super) use requests::{request, write};
pub(super) use responses::{read, response};

pub(super) const NEGOTIATE: u16 = 0;
pub(super) const SESSION_SETUP: u16 = 1;
pub(super) const TREE_CONNECT: u16 = 3;
pub(super) const TREE_DISCONNECT: u16 = 4;
pub(super) const CREATE: u16 = 5;
pub(super) const CLOSE: u16 = 6;
pub(super) const READ: u16 = 8;
pub(super) const WRITE: u16 = 9;
pub(super) const IOCTL: u16 = 11;
pub(super) const GET_INFO: u16 = 16;
pub(super) const SET_INFO: u16 = 17;

/// Where the data stand in the body of a write, and of a response to a read.
const WRITE_DATA_PLACE: usize = 48;
const READ_DATA_PLACE: usize = 16;

/// What is sent through a pipe and answered at once.
const PIPE_TRANSCEIVE: u32 = 0x0011_c017;
/// The response comes later, and does not name the tree.
const IS_ASYNC: u32 = 2;
const IS_RESPONSE: u32 = 1;

/// A record, or one of a chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) is_response: bool,
    /// The header's length as the record tells it.
    pub(super) header_bytes: u16,
    pub(super) status: u32,
    pub(super) command: u16,
    pub(super) message: u64,
    pub(super) tree: u32,
    pub(super) session: u64,
    pub(super) body: &'a [u8],
    /// Bytes that the record has, those of its header among them.
    pub(super) length: usize,
}

impl<'a> Record<'a> {
    /// Whether it refuses a login.
    pub(super) fn refuses_login(&self) -> bool {
        self.command == SESSION_SETUP && LOGIN_REFUSED.contains(&self.status)
    }

    /// Reads the first record; the rest of a chain is left. `of_server` tells whose it is: a server's may be async.
    pub(super) fn read(bytes: &'a [u8], of_server: bool) -> Option<Record<'a>> {
        let mut reader = Reader::new(bytes);
        if reader.take(4)? != b"\xfeSMB" {
            return None;
        }
        let header_bytes = reader.le16()?;
        reader.skip(2)?;
        let status = reader.le32()?;
        let command = reader.le16()?;
        reader.skip(2)?;
        let flags = reader.le32()?;
        let next = reader.le32()?;
        let message = reader.le64()?;
        reader.skip(4)?;
        let tree = reader.le32()?;
        let session = reader.le64()?;
        reader.skip(16)?;
        let body = if next > u32::from(header_bytes) {
            reader.take(usize::try_from(next).ok()?.checked_sub(usize::from(header_bytes))?)?
        } else {
            reader.take_at_most(usize::MAX)
        };
        Some(Record {
            is_response: flags & IS_RESPONSE != 0,
            header_bytes,
            status: if of_server { status } else { 0 },
            command,
            message,
            tree: if of_server && flags & IS_ASYNC != 0 { 0 } else { tree },
            session,
            body,
            length: bytes.len() - reader.len(),
        })
    }

    fn command(&self) -> Command {
        Command::Two(self.command)
    }

    fn key(&self, purpose: Purpose) -> Key {
        let tree = if purpose == Purpose::Tree { 0 } else { self.tree };
        Key { purpose, session: self.session, message: self.message, tree }
    }

    pub(super) fn tree_key(&self) -> TreeKey {
        TreeKey { session: self.session, tree: self.tree }
    }

    /// The message, in which the tree plays no part: an async response does not have it.
    fn message_key(&self) -> MessageKey {
        MessageKey { session: self.session, tree: 0, message: self.message }
    }

    fn carrier(&self) -> Carrier {
        Carrier { command: self.command(), key: pipe::pipe_key(self.session, self.tree, self.message) }
    }

    /// Whether the command makes an exchange of its own. Reads and writes are part of their file's; what asks for and sets
    /// attributes makes none.
    fn opens_an_exchange(&self) -> bool {
        !matches!(self.command, READ | WRITE | GET_INFO | SET_INFO)
    }
}

/// Whether what a write or a response to a read carries may be of a pipe: its tree is one, or was not seen and it looks like it.
pub(super) fn may_belong_to_a_pipe(state: &mut State, record: &Record<'_>) -> bool {
    match state.trees.get(&record.tree_key()) {
        Some(tree) if tree.is_pipe || !tree.share.is_empty() => tree.is_pipe,
        _ => {
            let place = if record.is_response { READ_DATA_PLACE } else { WRITE_DATA_PLACE };
            record.body.get(place..).is_some_and(looks_like_dcerpc)
        }
    }
}
