//! The structures within the stream that `frame` rules look into.

use crate::Direction;
use crate::app::Context;

/// Names of all frames.
pub(super) const NAMES: &[&str] = &[
    "rpc.pdu",
    "rpc.hdr",
    "rpc.data",
    "rpc.creds",
    "nfs.pdu",
    "nfs.status",
    "nfs4.pdu",
    "nfs4.hdr",
    "nfs4.ops",
    "nfs4.status",
];
/// Bytes of the header of NFS 4's messages.
const COMPOUND_HEADER_BYTES: usize = 8;
const STATUS_BYTES: usize = 4;

/// Shows a call.
pub(super) fn call(context: &mut Context<'_>, record: &[u8], credentials: &[u8], version: u32, body: &[u8]) {
    context.frame("rpc.pdu", Direction::ToServer, record);
    context.frame("rpc.creds", Direction::ToServer, credentials);
    message(context, Direction::ToServer, version, body);
}

/// Shows a reply.
pub(super) fn reply(context: &mut Context<'_>, record: &[u8], header_bytes: usize) {
    context.frame("rpc.pdu", Direction::ToClient, record);
    if let Some((header, data)) = record.split_at_checked(header_bytes).filter(|(_, data)| !data.is_empty()) {
        context.frame("rpc.hdr", Direction::ToClient, header);
        context.frame("rpc.data", Direction::ToClient, data);
    }
}

/// Shows what is inside.
pub(super) fn message(context: &mut Context<'_>, direction: Direction, version: u32, body: &[u8]) {
    let (whole, status) = if version == 4 { ("nfs4.pdu", "nfs4.status") } else { ("nfs.pdu", "nfs.status") };
    if body.is_empty() {
        return;
    }
    context.frame(whole, direction, body);
    if direction == Direction::ToClient {
        context.frame(status, direction, &body[..body.len().min(STATUS_BYTES)]);
    }
    if version == 4 && body.len() > COMPOUND_HEADER_BYTES {
        let (header, operations) = body.split_at(COMPOUND_HEADER_BYTES);
        context.frame("nfs4.hdr", direction, header);
        context.frame("nfs4.ops", direction, operations);
    }
}
