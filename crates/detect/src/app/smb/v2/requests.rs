//! Requests of SMB 2.

use super::{
    CLOSE, CREATE, IOCTL, NEGOTIATE, PIPE_TRANSCEIVE, READ, Record, SESSION_SETUP, SET_INFO, TREE_CONNECT,
    TREE_DISCONNECT, WRITE,
};
use crate::Direction;
use crate::app::bytes::Reader;
use crate::app::smb::auth;
use crate::app::smb::events::Event;
use crate::app::smb::key::{Handle, Key, MessageKey, Purpose};
use crate::app::smb::names;
use crate::app::smb::pipe::{SEEN_TO_SPEAK, looks_like_dcerpc};
use crate::app::smb::state::{READ_BYTES_MAX, State, Tree, WRITE_BYTES_MAX, bounded, without_zeros};
use crate::app::smb::stream::Part;
use crate::app::smb::transaction::{
    Command, Create, Negotiation, SessionSetup, SetInfo, Status, TreeConnect, What,
};

/// The name of a file whose opening was not seen.
const UNKNOWN: &[u8] = b"<unknown>";
/// Sets a file's attributes.
const CLASS_FILE: u8 = 1;
const LEVEL_RENAME: u8 = 10;
const LEVEL_DISPOSITION: u8 = 13;

/// What became of a request.
enum Outcome {
    /// It has an exchange, or needs none.
    Done,
    /// It has none: an ordinary one is opened if its command has one.
    Ordinary,
    /// It could not be read.
    Malformed,
}

/// Takes a request.
pub(in crate::app::smb) fn request(state: &mut State, record: &Record<'_>) {
    let outcome = match record.command {
        NEGOTIATE => negotiate(state, record),
        SESSION_SETUP => {
            session_setup(state, record);
            Some(Outcome::Done)
        }
        TREE_CONNECT => tree_connect(state, record),
        TREE_DISCONNECT => {
            state.trees.take(&record.tree_key());
            Some(Outcome::Ordinary)
        }
        CREATE => create(state, record),
        CLOSE => close(state, record),
        READ => read(state, record),
        WRITE => {
            write(state, record, 0);
            Some(Outcome::Done)
        }
        IOCTL => {
            ioctl(state, record);
            Some(Outcome::Done)
        }
        SET_INFO => set_info(state, record),
        _ => Some(Outcome::Ordinary),
    };
    let is_malformed = match outcome.unwrap_or(Outcome::Malformed) {
        Outcome::Done => return,
        Outcome::Ordinary => false,
        Outcome::Malformed => true,
    };
    if record.opens_an_exchange()
        && let Some(transaction) = state.open(record.command(), record.key(Purpose::Command), What::Plain)
        && is_malformed
    {
        transaction.note(Event::MalformedData);
    }
}

fn negotiate(state: &mut State, record: &Record<'_>) -> Option<Outcome> {
    let mut reader = Reader::new(record.body);
    reader.skip(2)?;
    let count = reader.le16()?;
    reader.skip(8)?;
    let client_guid = reader.array::<16>()?;
    reader.skip(8)?;
    let mut dialects = Vec::new();
    for _ in 0..count {
        dialects.push(names::dialect(reader.le16()?).into_bytes());
    }
    if state.find_negotiation(2).is_none() {
        let negotiation = Negotiation { dialects, client_guid: Some(client_guid), ..Negotiation::default() };
        // It is found by what it is, not by a key.
        let key = Key { purpose: Purpose::Header, session: u64::MAX, message: u64::MAX, tree: 0 };
        state.open(Command::Two(NEGOTIATE), key, What::Negotiate(Box::new(negotiation)));
    }
    Some(Outcome::Done)
}

fn session_setup(state: &mut State, record: &Record<'_>) {
    let mut reader = Reader::new(record.body);
    if reader.skip(24).is_none() {
        return;
    }
    let login = auth::credentials(reader.rest());
    let is_unusual = login.ntlmssp.as_ref().is_some_and(|ntlmssp| ntlmssp.is_unusual);
    let setup = SessionSetup { login, ..SessionSetup::default() };
    let opened =
        state.open(record.command(), record.key(Purpose::Header), What::SessionSetup(Box::new(setup)));
    if let Some(transaction) = opened.filter(|_| is_unusual) {
        transaction.note(Event::UnusualNtlmsspOrder);
    }
}

fn tree_connect(state: &mut State, record: &Record<'_>) -> Option<Outcome> {
    let mut reader = Reader::new(record.body);
    reader.skip(6)?;
    let mut share = without_zeros(reader.rest());
    if share.len() > 1 {
        share.remove(0); // The low half of the length before the path, which Suricata reads as its first character.
    }
    let tree = TreeConnect { share, ..TreeConnect::default() };
    state.open(record.command(), record.key(Purpose::Tree), What::TreeConnect(Box::new(tree)));
    Some(Outcome::Done)
}

fn create(state: &mut State, record: &Record<'_>) -> Option<Outcome> {
    let mut reader = Reader::new(record.body);
    reader.skip(36)?;
    let (disposition, options) = (reader.le32()?, reader.le32()?);
    reader.skip(2)?;
    let name_bytes = reader.le16()?;
    reader.skip(8)?;
    let name = bounded(reader.take(usize::from(name_bytes))?);
    state.awaited_names.put(record.message_key(), name.clone());
    let create = Create {
        name,
        disposition,
        is_deleted_on_close: options & 0x1000 != 0,
        is_directory: options & 1 != 0,
        ..Create::default()
    };
    state.open(record.command(), record.key(Purpose::Command), What::Create(Box::new(create)));
    Some(Outcome::Done)
}

fn close(state: &mut State, record: &Record<'_>) -> Option<Outcome> {
    let mut reader = Reader::new(record.body);
    reader.skip(8)?;
    let handle = Handle::of_v2(reader.array()?);
    state.names.take(&handle);
    for direction in [Direction::ToServer, Direction::ToClient] {
        state.close_file(handle, direction, Some(Status::Nt(names::SUCCESS)));
    }
    Some(Outcome::Ordinary)
}

/// Remembers what a read asks for. A read that asks for too much, or cannot be read, is passed over: it has no exchange that
/// could be marked.
fn read(state: &mut State, record: &Record<'_>) -> Option<Outcome> {
    let mut reader = Reader::new(record.body);
    reader.skip(4)?;
    let (length, offset) = (reader.le32()?, reader.le64()?);
    let handle = Handle::of_v2(reader.array()?);
    reader.skip(16)?;
    let is_too_large =
        (state.read_bytes_max != 0 && length > state.read_bytes_max) || length > READ_BYTES_MAX;
    if !is_too_large {
        state.reads.put(record.message_key(), (handle, offset));
    }
    Some(Outcome::Ordinary)
}

/// Takes a write, of which `missing` bytes of the record may not be here yet.
pub(in crate::app::smb) fn write(state: &mut State, record: &Record<'_>, missing: usize) {
    if write_record(state, record, missing).is_none() {
        state.note(Event::MalformedData);
    }
}

fn write_record(state: &mut State, record: &Record<'_>, missing: usize) -> Option<()> {
    let mut reader = Reader::new(record.body);
    reader.skip(4)?;
    let (length, offset) = (reader.le32()?, reader.le64()?);
    let handle = Handle::of_v2(reader.array()?);
    reader.skip(16)?;
    let bytes = reader.take_at_most(length as usize);
    let part = Part { direction: Direction::ToServer, handle, offset, length, bytes, missing };
    let claims_too_much = (length as usize).saturating_sub(bytes.len()) > missing;
    let is_too_large =
        (state.write_bytes_max != 0 && length > state.write_bytes_max) || length > WRITE_BYTES_MAX;
    if claims_too_much || is_too_large {
        state.note(Event::WriteRequestTooLarge);
        state.skip_record(&part);
        return Some(());
    }
    if state.give_to_open_file(&part) {
        return Some(());
    }
    let name = state.name_of(handle, b"");
    match destination(state, record, handle, bytes) {
        Destination::Dcerpc => {
            state.write_dcerpc(&record.carrier(), bytes);
            state.skip_record(&part);
        }
        Destination::Pipe => state.skip_record(&part),
        Destination::File(share) => {
            let key =
                Key { purpose: Purpose::Header, session: record.session, message: 0, tree: record.tree };
            state.open_file(&part, record.command(), key, name, share);
        }
    }
    Some(())
}

/// Where the content of a read or a write belongs.
pub(super) enum Destination {
    Dcerpc,
    /// A pipe that speaks something else.
    Pipe,
    /// A file of this share.
    File(Vec<u8>),
}

/// Where it belongs, by its tree and the name of its file; if the tree was not seen, by what it looks like.
pub(super) fn destination(
    state: &mut State,
    record: &Record<'_>,
    handle: Handle,
    bytes: &[u8],
) -> Destination {
    let tree = state.trees.get(&record.tree_key()).cloned();
    let is_known = tree.is_some();
    let Tree { share, is_pipe } = tree.unwrap_or_default();
    let speaks_dcerpc = (is_pipe || share.is_empty()) && state.speaks_dcerpc(handle);
    if share.is_empty() && !is_pipe {
        if !looks_like_dcerpc(bytes) {
            return Destination::File(share);
        }
        let seen = Tree { share: SEEN_TO_SPEAK.to_vec(), is_pipe: true };
        state.trees.put(record.tree_key(), seen);
        if !speaks_dcerpc {
            state.names.put(handle, SEEN_TO_SPEAK.to_vec());
        }
        return Destination::Dcerpc;
    }
    match (is_known && is_pipe, speaks_dcerpc) {
        (true, true) => Destination::Dcerpc,
        (true, false) => Destination::Pipe,
        (false, _) => Destination::File(share),
    }
}

fn ioctl(state: &mut State, record: &Record<'_>) {
    if ioctl_record(state, record).is_none()
        && let Some(transaction) = state.open(record.command(), record.key(Purpose::Header), What::Plain)
    {
        transaction.note(Event::MalformedData);
    }
}

fn ioctl_record(state: &mut State, record: &Record<'_>) -> Option<()> {
    let mut reader = Reader::new(record.body);
    reader.skip(4)?;
    let function = reader.le32()?;
    let handle = Handle::of_v2(reader.array()?);
    reader.skip(4)?;
    let length = reader.le32()?;
    reader.skip(24)?;
    let bytes = reader.take(length as usize)?;
    if function == PIPE_TRANSCEIVE && state.speaks_dcerpc(handle) {
        state.write_dcerpc(&record.carrier(), bytes);
    } else {
        state.open(record.command(), record.key(Purpose::Header), What::Ioctl(function));
    }
    Some(())
}

fn set_info(state: &mut State, record: &Record<'_>) -> Option<Outcome> {
    let mut reader = Reader::new(record.body);
    reader.skip(2)?;
    let (class, level) = (reader.u8()?, reader.u8()?);
    let length = reader.le32()?;
    reader.skip(8)?;
    let handle = Handle::of_v2(reader.array()?);
    let mut reader = Reader::new(reader.take(length as usize)?);
    let what = match (class, level) {
        (CLASS_FILE, LEVEL_RENAME) => {
            reader.skip(16)?;
            let length = reader.le32()?;
            let to = without_zeros(reader.take(length as usize)?);
            What::Rename { handle, from: state.name_of(handle, UNKNOWN), to }
        }
        (CLASS_FILE, LEVEL_DISPOSITION) => {
            let is_deleted_on_close = reader.u8()? & 1 != 0;
            let name = disposed_name(state, record, handle);
            What::SetInfo(Box::new(SetInfo {
                command: u16::from(class),
                level: u16::from(level),
                name,
                handle,
                is_deleted_on_close,
            }))
        }
        _ => return Some(Outcome::Ordinary),
    };
    state.open(record.command(), record.key(Purpose::Command), what);
    Some(Outcome::Done)
}

/// The name of a file that is to be deleted; in a chain, the file that the command before it creates.
fn disposed_name(state: &mut State, record: &Record<'_>, handle: Handle) -> Vec<u8> {
    if let Some(name) = state.names.get(&handle) {
        return name.clone();
    }
    let before = record.message.checked_sub(1).map(|message| MessageKey { message, ..record.message_key() });
    let name = before.and_then(|key| state.awaited_names.get(&key));
    name.map_or_else(|| UNKNOWN.to_vec(), Clone::clone)
}
