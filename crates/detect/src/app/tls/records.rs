//! Records of SSL 3 and TLS: their heads, and what each type means for the session.
//!
//! Upon a record of data: it is passed by as its bytes come. Upon any other: it is waited for until it is whole.
//! Upon a head that makes no sense: an event, and the parser gives up; but amid TLS 1.0 and 1.1 a record of a type
//! that there is not is passed by, as those who speak them do (RFC 4346, 6).

use super::event::Event;
use super::handshake::Messages;
use super::hello::Wanted;
use super::reader::Reader;
use super::session::{Progress, Session, mark};
use super::{heartbeat, version};
use crate::Direction;
use crate::app::{Broken, Context, Next};

/// Bytes of a record's head.
const HEAD_BYTES: usize = 5;
/// Bytes of a record's content at most (RFC 5246, 6.2.2, compressed).
const CONTENT_BYTES_MAX: usize = (1 << 14) + 1024;

const CHANGE_CIPHER: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;
const HEARTBEAT: u8 = 24;
const FATAL: u8 = 2;

/// What is kept of one direction between calls.
#[derive(Clone, Default, Debug)]
pub(super) struct Lane {
    messages: Messages,
    /// Bytes of a record that nobody reads, of data above all, that are still to come.
    pub(super) data_to_come: usize,
    /// A record was begun and is not whole.
    pub(super) is_within_record: bool,
}

/// What became of the record at the front.
pub(super) enum Step {
    /// It was taken: so many bytes.
    Took(usize),
    /// It needs so many bytes in all.
    Wants(usize),
}

/// What the head of a record says.
#[derive(Clone, Copy)]
struct Head {
    kind: u8,
    version: u16,
    size: usize,
}

impl Lane {
    /// Passes by what still belongs to a record of data.
    pub(super) fn pass_data<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let count = self.data_to_come.min(bytes.len());
        self.data_to_come -= count;
        bytes.get(count..).unwrap_or_default()
    }

    /// Reads the record at the front.
    pub(super) fn record(
        &mut self,
        session: &mut Session,
        from: Direction,
        bytes: &[u8],
        wanted: Wanted,
        context: &mut Context<'_>,
    ) -> Result<Step, Broken> {
        let Some(head) = Head::read(bytes) else {
            return Ok(Step::Wants(HEAD_BYTES));
        };
        let whole = HEAD_BYTES + head.size;
        if !judge(session, from, head)? {
            return Ok(self.pass(whole, bytes));
        }
        let has_frames = context.wants_frame("tls.pdu")
            || context.wants_frame("tls.data")
            || context.wants_frame("tls.hdr");
        if head.kind == DATA && !has_frames {
            if bytes.len() == HEAD_BYTES {
                return Ok(Step::Wants(HEAD_BYTES + 1));
            }
            data(session, from, context);
            return Ok(self.pass(whole, bytes));
        }
        let Some(record) = bytes.get(..whole) else {
            return Ok(Step::Wants(whole));
        };
        let (header, content) = record.split_at(HEAD_BYTES);
        if has_frames {
            context.frame("tls.hdr", from, header);
            context.frame("tls.pdu", from, record);
            context.frame("tls.data", from, content);
        }
        match head.kind {
            DATA => data(session, from, context),
            HANDSHAKE => self.handshake(session, from, content, wanted, context)?,
            kind => control(session, from, kind, content, context)?,
        }
        Ok(Step::Took(whole))
    }

    /// Takes what is there of a record of `whole` bytes; the rest is passed by as it comes.
    fn pass(&mut self, whole: usize, bytes: &[u8]) -> Step {
        self.data_to_come = whole.saturating_sub(bytes.len());
        Step::Took(whole.min(bytes.len()))
    }

    fn handshake(
        &mut self,
        session: &mut Session,
        from: Direction,
        content: &[u8],
        wanted: Wanted,
        context: &Context<'_>,
    ) -> Result<(), Broken> {
        if session.has(mark::CIPHER_CHANGED) {
            // In TLS 1.3 the change of cipher is there to please those in between, before the server's hello too.
            let is_for_show = session.has(mark::CLIENT_HELLO)
                && session.side(Direction::ToServer).version > version::TLS_1_2
                && !session.has(mark::SERVER_HELLO);
            if !is_for_show {
                return Ok(());
            }
        }
        if content.len() < 4 {
            session.raise(Event::SslRecord);
            return Err(Broken);
        }
        self.messages.read(session, from, content, wanted, context.settings)
    }
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let (kind, version, size) = (reader.u8()?, reader.u16()?, reader.u16()?);
        Some(Head { kind, version, size: usize::from(size) })
    }
}

/// Whether a record with this head can be read. If not, it is passed by.
fn judge(session: &mut Session, from: Direction, head: Head) -> Result<bool, Broken> {
    let greeted = match from {
        Direction::ToServer => mark::CLIENT_HELLO,
        Direction::ToClient => mark::SERVER_HELLO,
    };
    let has_greeted = session.has(greeted);
    let side = session.side_mut(from);
    let before = if side.version == version::SSL_2 { version::UNKNOWN } else { side.version };
    if !matches!(head.kind, CHANGE_CIPHER | ALERT | HANDSHAKE | DATA | HEARTBEAT) {
        session.raise(Event::RecordType);
        return if matches!(before, version::TLS_1_0 | version::TLS_1_1) { Ok(false) } else { Err(Broken) };
    }
    // The hello knows the version better than the records around it.
    let version = if has_greeted && before != version::UNKNOWN { before } else { head.version };
    side.version = version;
    if head.size == 0 {
        session.raise(Event::RecordLength);
        return Err(Broken);
    }
    if !version::is_valid(version) {
        session.raise(Event::RecordVersion);
        return Err(Broken);
    }
    if head.size > CONTENT_BYTES_MAX {
        session.raise(Event::RecordLength);
        return Err(Broken);
    }
    Ok(true)
}

/// A record of data came, or began.
fn data(session: &mut Session, from: Direction, context: &mut Context<'_>) {
    // Early data come before the server had a say in the handshake.
    if session.has(mark::EARLY_DATA) && !session.has(mark::SERVER_HELLO) {
        return;
    }
    session.side_mut(from).encrypts = true;
    session.reach(from, Progress::Handshake);
    if !session.has(mark::SEALED) {
        session.marks |= mark::SEALED;
        context.then(Next::Encrypted);
    }
}

/// A record that is neither handshake nor data.
fn control(
    session: &mut Session,
    from: Direction,
    kind: u8,
    content: &[u8],
    context: &mut Context<'_>,
) -> Result<(), Broken> {
    match kind {
        CHANGE_CIPHER => {
            session.side_mut(from).encrypts = true;
            session.marks |= mark::CIPHER_CHANGED;
            match from {
                Direction::ToServer => {
                    session.marks |= mark::CLIENT_CIPHER_CHANGED;
                    session.reach(from, Progress::Handshake);
                }
                Direction::ToClient => session.marks |= mark::SERVER_CIPHER_CHANGED,
            }
        }
        ALERT => {
            context.frame("tls.alert", from, content);
            match content {
                [] | [_] => {
                    session.raise(Event::Alert);
                    return Err(Broken);
                }
                [FATAL, _] => session.reach_both(Progress::Over),
                // Longer ones are encrypted.
                _ => {}
            }
        }
        HEARTBEAT => {
            context.frame("tls.heartbeat", from, content);
            heartbeat::read(session, from, content)?;
        }
        _ => {}
    }
    Ok(())
}
