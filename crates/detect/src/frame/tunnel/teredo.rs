//! Teredo: IPv6 in UDP, perhaps behind an origin indication.
//!
//! Nothing marks it, so only what is IPv6 in every way is taken for it: the length fits, and the inner packet has no fault.

use super::super::Packet;
use super::super::decoder::{Outcome, Run, Unread};
use super::super::ip::v6;

/// Bytes of an origin indication.
const ORIGIN_BYTES: usize = 8;

/// Reads the inner packet, if there is one.
pub(crate) fn read(run: &mut Run<'_>, packet: &mut Packet<'_>, payload: &[u8]) -> Outcome {
    let inner = match payload {
        [0, 0, ..] => payload.get(ORIGIN_BYTES..).ok_or(Unread)?,
        [0, ..] => return Err(Unread),
        _ => payload,
    };
    let (header, rest) = inner.split_first_chunk::<40>().ok_or(Unread)?;
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let (next, hop_limit) = (header[6], header[7]);
    let is_likely =
        header[0] >> 4 == 6 && hop_limit != 0 && length == rest.len() && (next != 0 || length >= 8);
    if !is_likely {
        return Err(Unread);
    }
    run.tunnel_if_valid(packet, inner, v6::read)
}
