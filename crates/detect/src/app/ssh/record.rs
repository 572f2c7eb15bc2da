//! Pieces of SSH: the line that each side begins with, the head of a record, and the offer to exchange keys.
//!
//! Not here: anything that comes after keys were exchanged, since it is encrypted.

use md5::{Digest, Md5};

/// Bytes of a record's head: four of its length, one for its padding, one that says what it is.
pub(super) const HEAD_BYTES: usize = 6;

/// Says which ways to agree on keys a side knows.
pub(super) const KEX_INIT: u8 = 20;
/// Says that what follows is encrypted with the new keys.
pub(super) const NEW_KEYS: u8 = 21;

/// The head of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    /// Bytes behind the head.
    pub(super) rest_bytes: u32,
    /// What it is.
    pub(super) message: u8,
}

/// A record that is too short to say what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Invalid;

impl Head {
    /// The head at the front, if it is all there.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Head>, Invalid> {
        let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
        let rest_bytes = u32::from_be_bytes(*length).checked_sub(2).ok_or(Invalid)?;
        Ok(rest.get(1).map(|message| Head { rest_bytes, message: *message }))
    }
}

/// The line at the front without its end, and what follows it. A carriage return ends a line only if
/// something follows.
pub(super) fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
    let (line, end) = bytes.split_at_checked(end)?;
    let rest = match end {
        [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => rest,
        [b'\r', rest @ ..] if !rest.is_empty() => rest,
        _ => return None,
    };
    Some((line, rest))
}

/// Protocol and software in a first line; what stands behind a space is a comment.
pub(super) fn banner(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_prefix(b"SSH-")?;
    let dash = rest.iter().position(|byte| *byte == b'-').filter(|dash| *dash > 0)?;
    let (protocol, software) = rest.split_at_checked(dash)?;
    let software = software.get(1..)?;
    let end = software.iter().position(|byte| matches!(byte, b' ' | b'\r' | b'\n')).unwrap_or(software.len());
    Some((protocol, software.get(..end)?))
}

/// What an offer to exchange keys says of the software that makes it: its ways to agree on keys, to encrypt,
/// to authenticate and to compress, and the MD5 of that, both as HASSH has them.
pub(super) fn hassh(body: &[u8], is_server: bool) -> Option<(Vec<u8>, String)> {
    let mut rest = body.get(16..)?;
    let mut lists: [&[u8]; 10] = [&[]; 10];
    for list in &mut lists {
        let (length, after) = rest.split_first_chunk::<4>()?;
        (*list, rest) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    }
    // Whether a guess follows, and four bytes for later use.
    rest.get(..5)?;
    let [keys, _, to_server, to_client, macs_to_server, macs_to_client, zips_to_server, zips_to_client, ..] =
        lists;
    let chosen = if is_server {
        [keys, to_client, macs_to_client, zips_to_client]
    } else {
        [keys, to_server, macs_to_server, zips_to_server]
    };
    let text = chosen.join(&b';');
    let digest = Md5::digest(&text);
    Some((text, digest.iter().map(|byte| format!("{byte:02x}")).collect()))
}
