//! SSL 2: records with a length of their own kind and a type behind it; a client that wants more says so in such a
//! hello as well.
//!
//! Read are the types of the messages, and of the client's hello the version and whether an older session goes on.

use super::event::Event;
use super::reader::Reader;
use super::session::{Progress, Session, mark};
use super::version;
use crate::Direction;
use crate::app::{Broken, Context, Next};

const ERROR: u8 = 0;
const CLIENT_HELLO: u8 = 1;
const CLIENT_MASTER_KEY: u8 = 2;
const CLIENT_FINISHED: u8 = 3;
const SERVER_HELLO: u8 = 4;
const SERVER_VERIFY: u8 = 5;
const SERVER_FINISHED: u8 = 6;
const REQUEST_CERTIFICATE: u8 = 7;
const CLIENT_CERTIFICATE: u8 = 8;

/// Bytes of a client's hello up to its lengths.
const HELLO_HEAD_BYTES: usize = 6;

/// What a record needs, or how long it is.
pub(super) enum Record {
    /// So many bytes in all.
    Wants(usize),
    /// It was read, and has so many bytes.
    Read(usize),
}

/// Reads the record at the front of `bytes`.
pub(super) fn read(
    session: &mut Session,
    from: Direction,
    bytes: &[u8],
    context: &mut Context<'_>,
) -> Result<Record, Broken> {
    session.side_mut(from).version = version::SSL_2;
    let (length_bytes, mask) =
        if bytes.first().is_some_and(|first| first & 0x80 != 0) { (2, 0x7f) } else { (3, 0x3f) };
    let (Some(&[high, low]), Some(&kind)) = (bytes.first_chunk::<2>(), bytes.get(length_bytes)) else {
        return Ok(Record::Wants(length_bytes + 1));
    };
    let content = usize::from(u16::from_be_bytes([high & mask, low]));
    let whole = length_bytes + content;
    if content == 0 {
        if bytes.len() == length_bytes + 1 {
            return Ok(Record::Wants(length_bytes + 2));
        }
        session.raise(Event::Ssl2Header);
        return broken(session);
    }
    let Some(record) = bytes.get(..whole) else {
        return Ok(Record::Wants(whole));
    };
    context.frame("tls.ssl2.hdr", from, bytes.get(..length_bytes + 1).unwrap_or(record));
    context.frame("tls.ssl2.pdu", from, record);
    understand(
        session,
        from,
        kind,
        bytes.get(length_bytes + 1..).unwrap_or_default(),
        whole - length_bytes - 1,
        context,
    )?;
    session.marks |= session.last_messages;
    Ok(Record::Read(whole))
}

fn broken<T>(session: &mut Session) -> Result<T, Broken> {
    session.raise(Event::SslRecord);
    Err(Broken)
}

/// What a message means; `content` are all bytes behind its type, the record's own are `size`.
fn understand(
    session: &mut Session,
    from: Direction,
    kind: u8,
    content: &[u8],
    size: usize,
    context: &mut Context<'_>,
) -> Result<(), Broken> {
    match kind {
        ERROR => session.raise(Event::ErrorMessage),
        CLIENT_HELLO => {
            let mut reader = Reader::new(content);
            let (Some(said), Some(_ciphers), Some(id)) = (reader.u16(), reader.u16(), reader.u16()) else {
                return broken(session);
            };
            if size < HELLO_HEAD_BYTES {
                return broken(session);
            }
            session.last_messages = mark::CLIENT_HELLO | mark::SSL2_CLIENT_HELLO;
            session.reach(Direction::ToServer, Progress::Hello);
            session.side_mut(from).version = said;
            if id == 0 {
                session.last_messages |= mark::SSL2_NO_SESSION;
            }
        }
        CLIENT_MASTER_KEY => session.last_messages = mark::SSL2_CLIENT_KEY,
        SERVER_HELLO => {
            session.last_messages = mark::SERVER_HELLO | mark::SSL2_SERVER_HELLO;
            session.reach(Direction::ToClient, Progress::Hello);
        }
        CLIENT_CERTIFICATE => {
            if from == Direction::ToServer {
                session.last_messages = mark::CLIENT_KEYS;
            }
            session.reach(Direction::ToClient, Progress::Certificate);
            encryption(session, from, context);
        }
        SERVER_VERIFY | SERVER_FINISHED | CLIENT_FINISHED | REQUEST_CERTIFICATE => {
            encryption(session, from, context)
        }
        _ => {}
    }
    Ok(())
}

/// Once both have greeted, these messages are encrypted, and when both sides have sent one, nothing can be read any
/// more.
fn encryption(session: &mut Session, from: Direction, context: &mut Context<'_>) {
    if !(session.has(mark::SSL2_CLIENT_HELLO) && session.has(mark::SSL2_SERVER_HELLO)) {
        return;
    }
    match from {
        Direction::ToServer if session.has(mark::SSL2_NO_SESSION) => {
            session.last_messages |= mark::SSL2_CLIENT_ENCRYPTS
        }
        Direction::ToServer if session.has(mark::SSL2_CLIENT_KEY) => {
            session.last_messages = mark::SSL2_CLIENT_ENCRYPTS
        }
        Direction::ToServer => {}
        Direction::ToClient => session.last_messages = mark::SSL2_SERVER_ENCRYPTS,
    }
    if session.has(mark::SSL2_CLIENT_ENCRYPTS) && session.has(mark::SSL2_SERVER_ENCRYPTS) {
        context.then(Next::Opaque);
    }
}
