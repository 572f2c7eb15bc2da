//! Handshake messages: put together from records, and what each means for the session.
//!
//! Upon a record of handshake: every whole message in it is read; one that goes on in the next record is kept until
//! it is whole. A message of more than [`MESSAGE_BYTES_MAX`] is counted off and not read. Types that there are not
//! are skipped, and an event while they are not encrypted.

use super::certificate;
use super::event::Event;
use super::hello::{self, Kind, Wanted};
use super::reader::Reader;
use super::session::{Progress, Session, mark};
use crate::Direction;
use crate::app::{Broken, Settings};

/// Bytes of a message that is kept over records, at most.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

const HELLO_REQUEST: u8 = 0;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const NEW_SESSION_TICKET: u8 = 4;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;
const CERTIFICATE_VERIFY: u8 = 15;
const CLIENT_KEY_EXCHANGE: u8 = 16;
const FINISHED: u8 = 20;
const CERTIFICATE_URL: u8 = 21;
const CERTIFICATE_STATUS: u8 = 22;

/// A message that goes on in the next record.
#[derive(Clone, Debug)]
struct Begun {
    kind: u8,
    bytes: Vec<u8>,
    size: usize,
    /// Bytes that came, those that are not kept among them.
    came: usize,
}

/// The messages of one side.
#[derive(Clone, Default, Debug)]
pub(super) struct Messages {
    begun: Option<Begun>,
}

impl Messages {
    /// Reads what a record holds.
    pub(super) fn read(
        &mut self,
        session: &mut Session,
        from: Direction,
        record: &[u8],
        wanted: Wanted,
        settings: &Settings,
    ) -> Result<(), Broken> {
        let mut reader = Reader::new(record);
        while !reader.rest().is_empty() {
            if let Some(mut begun) = self.begun.take() {
                begun.add(&mut reader);
                if begun.came >= begun.size {
                    if begun.size <= MESSAGE_BYTES_MAX {
                        understand(session, from, begun.kind, &begun.bytes, wanted, settings);
                    }
                } else {
                    self.begun = Some(begun);
                }
                continue;
            }
            let (Some(kind), Some(size)) = (reader.u8(), reader.u24()) else {
                session.raise(Event::SslRecord);
                session.raise(Event::HandshakeMessage);
                return Err(Broken);
            };
            let size = usize::try_from(size).map_err(|_| Broken)?;
            if !is_known(kind) {
                skip_unknown(session, from, &mut reader, size);
            } else if let Some(message) = reader.take(size) {
                understand(session, from, kind, message, wanted, settings);
            } else {
                let mut begun = Begun { kind, bytes: Vec::new(), size, came: 0 };
                begun.add(&mut reader);
                self.begun = Some(begun);
            }
        }
        Ok(())
    }
}

impl Begun {
    fn add(&mut self, reader: &mut Reader<'_>) {
        let count = self.size.saturating_sub(self.came).min(reader.rest().len());
        let Some(bytes) = reader.take(count) else {
            return;
        };
        self.came += count;
        if self.size <= MESSAGE_BYTES_MAX {
            self.bytes.extend_from_slice(bytes);
        }
    }
}

fn is_known(kind: u8) -> bool {
    matches!(
        kind,
        HELLO_REQUEST
            | CLIENT_HELLO
            | SERVER_HELLO
            | NEW_SESSION_TICKET
            | CERTIFICATE
            | SERVER_KEY_EXCHANGE
            | CERTIFICATE_REQUEST
            | SERVER_HELLO_DONE
            | CERTIFICATE_VERIFY
            | CLIENT_KEY_EXCHANGE
            | FINISHED
            | CERTIFICATE_URL
            | CERTIFICATE_STATUS
    )
}

fn skip_unknown(session: &mut Session, from: Direction, reader: &mut Reader<'_>, size: usize) {
    let _ = reader.take(size.min(reader.rest().len()));
    let changed = match from {
        Direction::ToServer => mark::CLIENT_CIPHER_CHANGED,
        Direction::ToClient => mark::SERVER_CIPHER_CHANGED,
    };
    if !session.has(changed) {
        session.raise(Event::HandshakeMessage);
    }
}

/// What a whole message means for the session.
fn understand(
    session: &mut Session,
    from: Direction,
    kind: u8,
    message: &[u8],
    wanted: Wanted,
    settings: &Settings,
) {
    match kind {
        CLIENT_HELLO => {
            session.last_messages = mark::CLIENT_HELLO;
            hello::read(session, from, Kind::Client, message, wanted);
        }
        SERVER_HELLO => {
            session.last_messages = mark::SERVER_HELLO;
            hello::read(session, from, Kind::Server, message, wanted);
        }
        SERVER_KEY_EXCHANGE => session.last_messages = mark::SERVER_KEYS,
        CLIENT_KEY_EXCHANGE => session.last_messages = mark::CLIENT_KEYS,
        CERTIFICATE => {
            certificate::read(session, from, message, settings);
            session.reach(from, Progress::Certificate);
        }
        CERTIFICATE_REQUEST if from == Direction::ToClient => session.last_messages = mark::CERTIFICATE_ASKED,
        SERVER_HELLO_DONE if from == Direction::ToClient => session.reach(from, Progress::HelloDone),
        _ => {}
    }
    session.marks |= session.last_messages;
}
