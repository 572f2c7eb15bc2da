//! NFS 4: what the operations of a message do.

use super::compound::{self, Answers, Asks};
use super::rpc::{self, Call, Reply};
use super::state::{Asked, State, bounded_handle, bounded_name};
use super::transfers::Part;

pub(super) const COMPOUND: u32 = 1;
pub(super) const CLOSE: u32 = 4;
pub(super) const COMMIT: u32 = 5;
pub(super) const CREATE: u32 = 6;
pub(super) const GETFH: u32 = 10;
pub(super) const LOOKUP: u32 = 15;
pub(super) const OPEN: u32 = 18;
pub(super) const PUTFH: u32 = 22;
pub(super) const PUTROOTFH: u32 = 24;
pub(super) const READ: u32 = 25;
pub(super) const REMOVE: u32 = 28;
pub(super) const WRITE: u32 = 38;

/// A write that is on the disk when it is answered: nobody commits it.
const FILE_SYNC: u32 = 2;
/// Procedure and service of RPCSEC_GSS that protect without hiding.
const PROTECTED: (u32, u32) = (0, 2);

/// Takes a call.
pub(super) fn call(state: &mut State, call: &Call<'_>) {
    let mut asked = Asked { version: call.version, procedure: call.procedure, ..Asked::default() };
    if call.procedure == COMPOUND {
        asked.is_protected = call.caller.gss == Some(PROTECTED);
        let body = if asked.is_protected { rpc::protected(call.body) } else { Some(call.body) };
        let Some(body) = body else {
            return state.malformed();
        };
        match compound::asked(body) {
            Some(operations) => perform(state, call, &operations, &mut asked),
            None => state.malformed(),
        }
    }
    state.calls.put(call.xid, asked);
}

fn perform(state: &mut State, call: &Call<'_>, operations: &[Asks<'_>], asked: &mut Asked) {
    let mut current: Option<Vec<u8>> = None;
    let mut opens = None;
    for operation in operations {
        match (*operation, &current) {
            (Asks::PutHandle(handle), _) => current = Some(bounded_handle(handle)),
            (Asks::Read { offset }, Some(handle)) => {
                asked.offset = offset;
                asked.name = state.name_of(handle);
                asked.handle.clone_from(handle);
            }
            (Asks::Write { offset, stable, bytes }, Some(handle)) => {
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                let is_last = stable == FILE_SYNC;
                let part = Part { xid: call.xid, handle, offset, length, bytes, is_last, missing: 0 };
                state.written(&part, WRITE, call.version);
            }
            (Asks::Commit | Asks::Close, Some(handle)) => state.commit(handle, call.xid, false),
            (Asks::Name(name), _) => asked.name = bounded_name(name),
            (Asks::Create(name), handle) => {
                if let Some(handle) = handle {
                    asked.handle.clone_from(handle);
                }
                asked.name = bounded_name(name);
                opens = Some(CREATE);
            }
            (Asks::Remove(name), _) => {
                asked.name = bounded_name(name);
                opens = Some(REMOVE);
            }
            _ => {}
        }
    }
    if let Some(procedure) = opens {
        state.open_call(call, procedure, asked, None);
    }
}

/// Takes a reply.
pub(super) fn reply(state: &mut State, reply: &Reply<'_>, asked: &mut Asked) {
    if asked.procedure != COMPOUND {
        return;
    }
    let body = if asked.is_protected { rpc::protected(reply.body) } else { Some(reply.body) };
    let Some(operations) = body.and_then(compound::answered) else {
        return state.malformed();
    };
    let mut was_opened = false;
    let mut outcome = None;
    for operation in operations {
        match operation {
            Answers::Read { status, is_last, bytes } => {
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                let handle = asked.handle.clone();
                let part = Part {
                    xid: reply.xid,
                    handle: &handle,
                    offset: asked.offset,
                    length,
                    bytes,
                    is_last,
                    missing: 0,
                };
                state.read(&part, asked, READ, reply.state, status);
            }
            Answers::Opened => was_opened = true,
            Answers::Handle(handle) if was_opened => state.learn_name(handle, &asked.name),
            Answers::Root { status: 0 } if asked.name.is_empty() => asked.name = b"<mount_root>".to_vec(),
            Answers::Created { status } | Answers::Removed { status } => outcome = Some(status),
            _ => {}
        }
    }
    if let Some(status) = outcome {
        state.answer(reply.xid, reply.state, status, &[]);
    }
}
