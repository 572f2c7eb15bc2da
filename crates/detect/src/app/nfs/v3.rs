//! NFS 3.

use super::rpc::{Call, Reply};
use super::state::{Asked, State, bounded_handle, bounded_name};
use super::transaction::NfsTransaction;
use super::transfers::Part;
use crate::Direction;
use crate::app::bytes::Reader;

pub(super) const GETATTR: u32 = 1;
pub(super) const LOOKUP: u32 = 3;
pub(super) const ACCESS: u32 = 4;
pub(super) const READ: u32 = 6;
pub(super) const WRITE: u32 = 7;
pub(super) const CREATE: u32 = 8;
pub(super) const MKDIR: u32 = 9;
pub(super) const REMOVE: u32 = 12;
pub(super) const RMDIR: u32 = 13;
pub(super) const RENAME: u32 = 14;
pub(super) const READDIRPLUS: u32 = 17;
pub(super) const COMMIT: u32 = 21;

const ATTRIBUTES_BYTES: usize = 84;
/// A write that is on the disk when it is answered: nobody commits it.
const FILE_SYNC: u32 = 2;

/// A handle or a name: bytes behind their length, padded to four. At the very end, padding may be missing.
fn text<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let length = usize::try_from(reader.be32()?).ok()?;
    let text = reader.take(length)?;
    reader.take_at_most(padding(length));
    Some(text)
}

/// How many bytes fill up to a multiple of four.
pub(super) fn padding(length: usize) -> usize {
    length.wrapping_neg() & 3
}

/// Takes a call.
pub(super) fn call(state: &mut State, call: &Call<'_>) {
    let mut asked = Asked { version: call.version, procedure: call.procedure, ..Asked::default() };
    let mut new_name = (call.procedure == RENAME).then(Vec::new);
    if state.version == 0 {
        state.version = call.version;
    }
    if arguments(state, call, &mut asked, &mut new_name).is_none() {
        state.malformed();
    }
    match call.procedure {
        WRITE | COMMIT => {}
        READ => {
            if state.find_file(&asked.handle, Direction::ToClient).is_none() {
                let mut transaction = NfsTransaction::new(call.xid, call.version, READ);
                transaction.caller = call.caller.clone();
                transaction.name.clone_from(&asked.name);
                transaction.handle.clone_from(&asked.handle);
                state.open_file(transaction, Direction::ToClient);
            }
        }
        procedure => state.open_call(call, procedure, &asked, new_name),
    }
    state.calls.put(call.xid, asked);
}

/// Reads what a call is about; nothing if it is malformed.
fn arguments(
    state: &mut State,
    call: &Call<'_>,
    asked: &mut Asked,
    new_name: &mut Option<Vec<u8>>,
) -> Option<()> {
    let mut reader = Reader::new(call.body);
    match call.procedure {
        LOOKUP => {
            text(&mut reader)?;
            asked.name = bounded_name(text(&mut reader)?);
        }
        GETATTR | ACCESS | READDIRPLUS | READ => {
            let handle = text(&mut reader)?;
            let rest_bytes = match call.procedure {
                ACCESS => 4,
                READDIRPLUS => 24,
                READ => 12,
                _ => 0,
            };
            let mut rest = Reader::new(reader.take(rest_bytes)?);
            if call.procedure == READ {
                asked.offset = rest.be64()?;
            }
            asked.handle = bounded_handle(handle);
            asked.name = state.name_of(&asked.handle);
        }
        CREATE | REMOVE | RMDIR | MKDIR => {
            asked.handle = bounded_handle(text(&mut reader)?);
            asked.name = bounded_name(text(&mut reader)?);
            if call.procedure == CREATE {
                reader.skip(4)?;
            }
        }
        RENAME => {
            let from = text(&mut reader)?;
            let old = text(&mut reader)?;
            text(&mut reader)?;
            *new_name = Some(bounded_name(text(&mut reader)?));
            asked.handle = bounded_handle(from);
            asked.name = bounded_name(old);
        }
        WRITE => write(state, call, 0)?,
        COMMIT => {
            let handle = text(&mut reader)?;
            reader.skip(12)?;
            state.commit(&bounded_handle(handle), call.xid, true);
        }
        _ => {}
    }
    Some(())
}

/// Takes a write, of which `missing` bytes of the record may not be here yet; nothing if it is malformed.
pub(super) fn write(state: &mut State, call: &Call<'_>, missing: u64) -> Option<()> {
    let mut reader = Reader::new(call.body);
    let handle = bounded_handle(text(&mut reader)?);
    let offset = reader.be64()?;
    let count = reader.be32()?;
    let stable = reader.be32().filter(|stable| *stable <= FILE_SYNC)?;
    let length = reader.be32().filter(|length| *length <= count)?;
    let bytes = reader.take_at_most(usize::try_from(length).ok()?);
    if missing == 0 && bytes.len() < length as usize {
        return None;
    }
    let is_last = stable == FILE_SYNC;
    let part = Part { xid: call.xid, handle: &handle, offset, length, bytes, is_last, missing };
    state.written(&part, WRITE, call.version);
    Some(())
}

/// Takes a reply.
pub(super) fn reply(state: &mut State, reply: &Reply<'_>, asked: &Asked) {
    let mut found = Vec::new();
    let understood = match asked.procedure {
        LOOKUP => looked_up(reply.body).map(|handle| found = bounded_handle(handle)),
        CREATE => created(reply.body).map(|handle| found = handle.map(bounded_handle).unwrap_or_default()),
        READ => read(state, reply, asked, 0),
        READDIRPLUS => listed(state, reply.body),
        _ => Some(()),
    };
    if understood.is_none() {
        state.malformed();
    }
    if !found.is_empty() {
        state.learn_name(&found, &asked.name);
    }
    if asked.procedure != READ {
        let status = Reader::new(reply.body).be32().unwrap_or(0);
        state.answer(reply.xid, reply.state, status, &found);
    }
}

fn looked_up(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(body);
    let status = reader.be32()?;
    let handle = text(&mut reader)?;
    Some(if status == 0 { handle } else { &[] })
}

fn created(body: &[u8]) -> Option<Option<&[u8]>> {
    let mut reader = Reader::new(body);
    reader.skip(4)?;
    Some(if flag(&mut reader)? { Some(text(&mut reader)?) } else { None })
}

fn flag(reader: &mut Reader<'_>) -> Option<bool> {
    reader.be32().filter(|flag| *flag <= 1).map(|flag| flag == 1)
}

/// Takes what a read gives, of which `missing` bytes of the record may not be here yet; nothing if it is malformed.
pub(super) fn read(state: &mut State, reply: &Reply<'_>, asked: &Asked, missing: u64) -> Option<()> {
    let mut reader = Reader::new(reply.body);
    let status = reader.be32()?;
    flag(&mut reader)?;
    reader.skip(ATTRIBUTES_BYTES)?;
    let count = reader.be32()?;
    let is_last = flag(&mut reader)?;
    let length = reader.be32().filter(|length| *length <= count)?;
    let bytes = reader.take_at_most(usize::try_from(length).ok()?);
    if missing == 0 && bytes.len() < length as usize {
        return None;
    }
    let part =
        Part { xid: reply.xid, handle: &asked.handle, offset: asked.offset, length, bytes, is_last, missing };
    state.read(&part, asked, READ, reply.state, status);
    Some(())
}

/// Remembers the names in a directory; nothing if its listing is malformed.
fn listed(state: &mut State, body: &[u8]) -> Option<()> {
    let mut reader = Reader::new(body);
    reader.skip(4)?;
    if flag(&mut reader)? {
        reader.skip(ATTRIBUTES_BYTES)?;
    }
    reader.skip(8)?;
    // An entry that is not whole ends the list: what was read before counts.
    while let Some(true) = flag(&mut reader) {
        let mut entry = reader;
        let Some((handle, name)) = listed_entry(&mut entry) else {
            break;
        };
        if let Some(handle) = handle {
            state.learn_name(handle, name);
        }
        reader = entry;
    }
    Some(())
}

fn listed_entry<'a>(reader: &mut Reader<'a>) -> Option<(Option<&'a [u8]>, &'a [u8])> {
    reader.skip(8)?;
    let name = text(reader)?;
    reader.skip(8)?;
    if flag(reader)? {
        reader.skip(ATTRIBUTES_BYTES)?;
    }
    let handle = if flag(reader)? { Some(text(reader)?) } else { None };
    Some((handle, name))
}
