//! Heartbeats (RFC 6520): those that ask for more than they carry, and answers that are longer than the question.
//!
//! In clear the lengths within tell; once the cipher was changed, the answer's record must not be longer than the
//! question's. One heartbeat at a time is followed.

use super::event::Event;
use super::reader::Reader;
use super::session::{Session, mark};
use crate::Direction;
use crate::app::Broken;

/// Bytes of padding that a heartbeat must have.
const PADDING_BYTES_MIN: usize = 16;
/// Bytes of its type and its length.
const HEAD_BYTES: usize = 3;
const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;

/// Reads a heartbeat record.
pub(super) fn read(session: &mut Session, from: Direction, record: &[u8]) -> Result<(), Broken> {
    let mut reader = Reader::new(record);
    let (Some(kind), Some(payload)) = (reader.u8(), reader.u16()) else {
        return Ok(());
    };
    let is_encrypted = session.has(mark::CIPHER_CHANGED);
    if !is_encrypted && !matches!(kind, REQUEST | RESPONSE) {
        return odd(session, Event::Heartbeat);
    }
    let (own, other) = match from {
        Direction::ToServer => (mark::HEARTBEAT_OF_CLIENT, mark::HEARTBEAT_OF_SERVER),
        Direction::ToClient => (mark::HEARTBEAT_OF_SERVER, mark::HEARTBEAT_OF_CLIENT),
    };
    if !session.has(mark::HEARTBEAT) {
        session.marks |= mark::HEARTBEAT | own;
        if is_encrypted {
            session.heartbeat_bytes = record.len();
            return Ok(());
        }
        return judge_lengths(session, usize::from(payload), record.len());
    }
    if session.has(own) {
        return odd(session, Event::Heartbeat);
    }
    session.marks &= !(mark::HEARTBEAT | own | other);
    let asked = core::mem::take(&mut session.heartbeat_bytes);
    if is_encrypted && asked > 0 && asked < record.len() {
        return odd(session, Event::HeartbeatLeak);
    }
    Ok(())
}

fn judge_lengths(session: &mut Session, payload: usize, record: usize) -> Result<(), Broken> {
    match record.checked_sub(payload + HEAD_BYTES) {
        None => odd(session, Event::HeartbeatOverflow),
        Some(padding) if padding < PADDING_BYTES_MIN => odd(session, Event::Heartbeat),
        Some(_) => Ok(()),
    }
}

fn odd(session: &mut Session, event: Event) -> Result<(), Broken> {
    session.raise(event);
    Err(Broken)
}
