//! RPC: calls and replies, in datagrams and in records of a stream; and how NFS is recognised in them.

use crate::app::Looked;
use crate::app::bytes::Reader;

/// Bytes of the header of a record: its length, its number, and whether it is a reply.
pub(super) const HEADER_BYTES: usize = 12;
/// Bytes of a record up to the procedure that it calls.
pub(super) const CALL_HEADER_BYTES: usize = 28;
/// Bytes that a record has at least, behind its length.
const RECORD_BYTES_MIN: usize = 24;
/// Bytes of credentials and verifiers.
const CREDENTIALS_BYTES_MAX: u32 = 4096;
const MACHINE_BYTES_MAX: u32 = 256;
/// The program that is NFS.
const NFS: u32 = 100_003;
/// The last procedure of NFS 3.
const LAST_PROCEDURE: u32 = 21;
/// The last kind of credentials that is known.
const LAST_FLAVOUR: u32 = 6;
const UNIX: u32 = 1;
const GSS: u32 = 6;
/// A record that begins a conversation, or goes on after a hole, is no longer than this.
const FIRST_REPLY_BYTES_MAX: usize = 35_000;

/// The header of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    /// Bytes of the record, its length's own four among them.
    pub(super) length: usize,
    pub(super) xid: u32,
    pub(super) is_reply: bool,
}

/// What a header turns out to be.
pub(super) enum Read {
    Header(Header),
    /// More is needed.
    Part,
    /// It is none.
    Malformed,
}

/// Reads the header of a record in a stream.
pub(super) fn header(bytes: &[u8]) -> Read {
    let mut reader = Reader::new(bytes);
    let (Some(length), Some(xid), Some(kind)) = (reader.be32(), reader.be32(), reader.be32()) else {
        return Read::Part;
    };
    let length = (length & 0x7fff_ffff) as usize;
    if length < RECORD_BYTES_MIN || kind > 1 {
        return Read::Malformed;
    }
    Read::Header(Header { length: length + 4, xid, is_reply: kind == 1 })
}

/// Who calls.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Caller {
    pub(super) flavour: u32,
    pub(super) machine: Vec<u8>,
    pub(super) user: u32,
    pub(super) group: u32,
    /// Procedure and service of RPCSEC_GSS.
    pub(super) gss: Option<(u32, u32)>,
}

/// A call.
#[derive(Clone, Debug)]
pub(super) struct Call<'a> {
    pub(super) xid: u32,
    pub(super) version: u32,
    pub(super) procedure: u32,
    pub(super) caller: Caller,
    /// Flavour, length and content of the credentials.
    pub(super) credentials: &'a [u8],
    pub(super) body: &'a [u8],
    program: u32,
    rpc_version: u32,
}

/// Reads a call, from its number on.
pub(super) fn call(bytes: &[u8]) -> Option<Call<'_>> {
    let mut reader = Reader::new(bytes);
    let xid = reader.be32()?;
    reader.be32().filter(|kind| *kind <= 1)?;
    let (rpc_version, program, version, procedure) =
        (reader.be32()?, reader.be32()?, reader.be32()?, reader.be32()?);
    let before = reader.rest();
    let flavour = reader.be32()?;
    let content = counted(&mut reader, CREDENTIALS_BYTES_MAX)?;
    let credentials = before.get(..before.len() - reader.len())?;
    let caller = caller(flavour, content)?;
    reader.skip(4)?;
    counted(&mut reader, CREDENTIALS_BYTES_MAX)?;
    Some(Call { xid, version, procedure, caller, credentials, body: reader.rest(), program, rpc_version })
}

fn caller(flavour: u32, content: &[u8]) -> Option<Caller> {
    let mut reader = Reader::new(content);
    let mut caller = Caller { flavour, ..Caller::default() };
    match flavour {
        UNIX => {
            reader.skip(4)?;
            caller.machine = counted(&mut reader, MACHINE_BYTES_MAX)?.to_vec();
            caller.user = reader.be32()?;
            caller.group = reader.be32()?;
        }
        GSS => {
            reader.skip(4)?;
            let procedure = reader.be32()?;
            reader.skip(4)?;
            caller.gss = Some((procedure, reader.be32()?));
            counted(&mut reader, u32::MAX)?;
        }
        _ => {}
    }
    Some(caller)
}

/// Bytes behind their length, which is below `end`.
fn counted<'a>(reader: &mut Reader<'a>, end: u32) -> Option<&'a [u8]> {
    let length = reader.be32().filter(|length| *length < end)?;
    reader.take(usize::try_from(length).ok()?)
}

/// A reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reply<'a> {
    pub(super) xid: u32,
    /// Whether the call was denied.
    pub(super) state: u32,
    pub(super) body: &'a [u8],
    accepted: u32,
    is_reply: bool,
}

/// Reads a reply, from its number on. (In datagrams Suricata looks for its state behind the verifier; where it is is the same
/// in both.)
pub(super) fn reply(bytes: &[u8]) -> Option<Reply<'_>> {
    let mut reader = Reader::new(bytes);
    let xid = reader.be32()?;
    let kind = reader.be32().filter(|kind| *kind <= 1)?;
    let state = reader.be32().filter(|state| *state <= 1)?;
    reader.skip(4)?;
    counted(&mut reader, CREDENTIALS_BYTES_MAX)?;
    let accepted = reader.be32()?;
    Some(Reply { xid, state, body: reader.rest(), accepted, is_reply: kind == 1 })
}

/// What RPCSEC_GSS protects without hiding it.
pub(super) fn protected(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(body);
    let length = reader.be32().filter(|length| *length < CREDENTIALS_BYTES_MAX)?;
    reader.skip(4)?;
    reader.take(usize::try_from(length).ok()?)
}

pub(super) fn looks_right_from_client(bytes: &[u8]) -> Looked {
    match looks_like_a_call(bytes) {
        Looked::No if looks_like_a_reply(bytes) == Looked::Yes => Looked::Reversed,
        looked => looked,
    }
}

pub(super) fn looks_right_from_server(bytes: &[u8]) -> Looked {
    match looks_like_a_reply(bytes) {
        Looked::No if looks_like_a_call(bytes) == Looked::Yes => Looked::Reversed,
        looked => looked,
    }
}

/// Whether a stream goes on with a call.
pub(super) fn looks_like_a_call(bytes: &[u8]) -> Looked {
    let header = match header(bytes) {
        Read::Header(header) if !header.is_reply && header.length >= 44 => header,
        Read::Header(_) | Read::Malformed => return Looked::No,
        Read::Part => return Looked::Unsure,
    };
    let mut reader = Reader::new(bytes.get(HEADER_BYTES..).unwrap_or_default());
    let fields = [reader.be32(), reader.be32(), reader.be32(), reader.be32()];
    match fields {
        [Some(2), Some(NFS), Some(3 | 4), Some(0..=LAST_PROCEDURE)] => {}
        [.., Some(_)] => return Looked::No,
        _ => return Looked::Unsure,
    }
    let record = bytes.get(4..header.length.min(bytes.len())).unwrap_or_default();
    match call(record) {
        Some(call) if call.caller.flavour <= LAST_FLAVOUR => Looked::Yes,
        None if bytes.len() < header.length => Looked::Unsure,
        _ => Looked::No,
    }
}

/// Whether a stream goes on with a reply.
pub(super) fn looks_like_a_reply(bytes: &[u8]) -> Looked {
    let header = match header(bytes) {
        Read::Header(header) => header,
        Read::Malformed => return Looked::No,
        Read::Part => return Looked::Unsure,
    };
    let is_plausible = header.is_reply && header.length <= FIRST_REPLY_BYTES_MAX;
    let is_accepted = match reply(bytes.get(4..).unwrap_or_default()) {
        Some(reply) => reply.state == 0 && reply.accepted == 0,
        None => header.xid != 0,
    };
    if is_plausible && is_accepted { Looked::Yes } else { Looked::No }
}

/// Whether a datagram is a call.
pub(super) fn looks_right_in_call(bytes: &[u8]) -> Looked {
    let is_nfs = bytes.len() >= 48
        && call(bytes).is_some_and(|call| {
            call.program == NFS && matches!(call.version, 2 | 3) && call.rpc_version == 2
        });
    if is_nfs { Looked::Yes } else { Looked::No }
}

/// Whether a datagram is a reply.
pub(super) fn looks_right_in_reply(bytes: &[u8]) -> Looked {
    let is_accepted =
        reply(bytes).is_some_and(|reply| reply.is_reply && reply.state == 0 && reply.accepted == 0);
    if is_accepted { Looked::Yes } else { Looked::No }
}
