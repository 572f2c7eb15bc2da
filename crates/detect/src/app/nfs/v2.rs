//! NFS 2, of which reads are followed.

use super::rpc::{Call, Reply};
use super::state::{Asked, State};
use super::transfers::Part;
use super::v3::{COMMIT, LOOKUP, READ, RENAME, WRITE};
use crate::app::bytes::Reader;

const HANDLE_BYTES: usize = 32;
const ATTRIBUTES_BYTES: usize = 68;

/// Takes a call. Procedures are numbered as NFS 3 numbers them, as Suricata does, though NFS 2 numbers some otherwise.
pub(super) fn call(state: &mut State, call: &Call<'_>) {
    let mut asked = Asked { version: call.version, procedure: call.procedure, ..Asked::default() };
    let understood = match call.procedure {
        LOOKUP | READ => handle_and_offset(call),
        _ => Some((Vec::new(), 0)),
    };
    match understood {
        Some((handle, offset)) => {
            if !handle.is_empty() {
                asked.name = state.name_of(&handle);
            }
            asked.handle = handle;
            asked.offset = offset;
        }
        None => state.malformed(),
    }
    if !matches!(call.procedure, READ | WRITE | COMMIT) {
        let new_name = (call.procedure == RENAME).then(Vec::new);
        state.open_call(call, call.procedure, &asked, new_name);
    }
    state.calls.put(call.xid, asked);
}

fn handle_and_offset(call: &Call<'_>) -> Option<(Vec<u8>, u64)> {
    let mut reader = Reader::new(call.body);
    let handle = reader.take(HANDLE_BYTES)?.to_vec();
    let offset = reader.be32()?;
    if call.procedure == READ {
        reader.skip(4)?;
        return Some((handle, u64::from(offset)));
    }
    reader.skip(usize::try_from(offset).ok()?)?;
    Some((handle, 0))
}

/// Takes a reply.
pub(super) fn reply(state: &mut State, reply: &Reply<'_>, asked: &Asked) {
    let status = Reader::new(reply.body).be32().unwrap_or(0);
    if asked.procedure == READ && read(state, reply, asked).is_none() {
        state.malformed();
    }
    state.answer(reply.xid, reply.state, status, &[]);
}

fn read(state: &mut State, reply: &Reply<'_>, asked: &Asked) -> Option<()> {
    let mut reader = Reader::new(reply.body);
    let status = reader.be32()?;
    let mut attributes = Reader::new(reader.take(ATTRIBUTES_BYTES)?);
    attributes.skip(20)?;
    let size = attributes.be32()?;
    let length = reader.be32()?;
    let bytes = reader.take(usize::try_from(length).ok()?)?;
    let is_last = u64::from(size) == asked.offset.saturating_add(u64::from(length));
    let part = Part {
        xid: reply.xid,
        handle: &asked.handle,
        offset: asked.offset,
        length,
        bytes,
        is_last,
        missing: 0,
    };
    state.read(&part, asked, READ, reply.state, status);
    Some(())
}
