//! What travels between the load and the Rust peers, and between their members: length, tag, body.
//!
//! A connection begins with a hello of four bytes: who opened it, [`HELLO_CLIENT`] or the id of a member. Then:
//!   - load to member: `length u32 · tag u32 · kind u8 · request`; the tag names the client, the kind is [`ASK`] or [`PROBE`].
//!   - member to load: `length u32 · tag u32 · kind u8 · reply`; the kind is [`DONE`], [`REFUSED`], [`LEADS`] or [`FOLLOWS`].
//!   - member to member: `length u32 · body`; what the body means is the peer's own business.
//!
//! All numbers are little-endian; `length` counts what follows it.

use bytes::{Buf, Bytes, BytesMut};

/// The hello of a client's connection. Members count from 1.
pub(crate) const HELLO_CLIENT: u32 = 0;
/// An operation for the service.
pub(crate) const ASK: u8 = 0;
/// "Do you lead?"
pub(crate) const PROBE: u8 = 1;
/// The operation's result.
pub(crate) const DONE: u8 = 0;
/// The operation was not ordered; ask again.
pub(crate) const REFUSED: u8 = 1;
/// "I do."
pub(crate) const LEADS: u8 = 2;
/// "I do not."
pub(crate) const FOLLOWS: u8 = 3;

/// A batch of `member::batch::BATCH_BYTES_MAX` in a protocol's envelope is far smaller; a recovering log may not be.
pub(crate) const FRAME_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Before the request or reply.
const CLIENT_HEAD_BYTES: usize = 5;

/// Appends a request or a reply.
pub(crate) fn put_client(out: &mut Vec<u8>, tag: u32, kind: u8, body: &[u8]) {
    let length = u32::try_from(CLIENT_HEAD_BYTES + body.len()).expect("OPERATION_BYTES_MAX is far less");
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&tag.to_le_bytes());
    out.push(kind);
    out.extend_from_slice(body);
}

/// Appends a message between members, written by `write`.
pub(crate) fn put_member(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let length = u32::try_from(out.len() - start - 4).expect("FRAME_BYTES_MAX is far less");
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// Takes the next whole frame out of `from`.
pub(crate) fn take(from: &mut BytesMut) -> Result<Option<Bytes>, TooLong> {
    let Some(head) = from.first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*head) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(TooLong { length });
    }
    if from.len() < 4 + length {
        from.reserve(4 + length - from.len());
        return Ok(None);
    }
    from.advance(4);
    Ok(Some(from.split_to(length).freeze()))
}

/// A frame that announces more than [`FRAME_BYTES_MAX`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong {
    length: usize,
}

impl std::fmt::Display for TooLong {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "a frame of {} bytes; at most {FRAME_BYTES_MAX} are right", self.length)
    }
}

/// Tag, kind and body of a request or reply.
pub(crate) fn client_parts(frame: &Bytes) -> Option<(u32, u8, Bytes)> {
    let (tag, rest) = frame.split_first_chunk::<4>()?;
    let kind = *rest.first()?;
    Some((u32::from_le_bytes(*tag), kind, frame.slice(CLIENT_HEAD_BYTES..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let mut wire = Vec::new();
        put_client(&mut wire, 7, ASK, b"abc");
        put_member(&mut wire, |out| out.extend_from_slice(b"xy"));
        let mut arrived = BytesMut::new();
        let mut frames = Vec::new();
        for byte in wire {
            arrived.extend_from_slice(&[byte]);
            frames.extend(take(&mut arrived).expect("short frames"));
        }
        assert_eq!(frames.len(), 2);
        assert_eq!(client_parts(&frames[0]), Some((7, ASK, Bytes::from_static(b"abc"))));
        assert_eq!(frames[1].as_ref(), b"xy");
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused_before_anything_is_reserved() {
        let mut arrived = BytesMut::from(&u32::MAX.to_le_bytes()[..]);
        assert_eq!(take(&mut arrived), Err(TooLong { length: u32::MAX as usize }));
    }

    #[test]
    fn a_client_frame_without_a_head_is_no_client_frame() {
        assert_eq!(client_parts(&Bytes::from_static(b"abcd")), None);
    }
}
