//! TLS and SSL: what both sides say before they encrypt, and that they do.
//!
//! Upon bytes: they are cut into records (SSL 2 and later ones may alternate; the first bits tell), and whole records are read:
//!   - handshake: messages are put together over records and read (`handshake`, `hello`, `certificate`), until somebody changes the cipher.
//!   - change of cipher, alert, heartbeat: see [`Tls::control`] and `heartbeat`.
//!   - data: passed by as they come, without waiting for the whole record, unless somebody looks into frames. From the first of them on the raw bytes are encrypted.
//!
//! Upon a record that makes no sense: an event, and the parser gives up, where Suricata does.
//! Upon a hole: the parser gives up; where the next record begins is not known.
//!
//! A flow is one transaction ([`Session`]), from its first bytes to its end; what of it is ready when is `session`'s to tell.
//!
//! Not here: decryption, and whether a certificate is to be trusted.

mod certificate;
mod dates;
mod event;
pub(in crate::app) mod field;
mod handshake;
mod heartbeat;
mod hello;
mod keywords;
pub(in crate::app) mod reader;
mod record;
mod session;
mod ssl2;
mod version;

#[cfg(test)]
mod tests;

pub use session::Session;

use super::{
    Broken, Context, Input, Looked, Next, Parser, Probe, Protocol, ProtocolId, Settings, Signature, Taken,
    Transactions, Transport,
};
use crate::Direction;
use event::Event;
use handshake::Messages;
use hello::Wanted;
use reader::Reader;
use session::{Progress, mark};

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Tls,
    name: "tls",
    keywords: keywords::KEYWORDS,
    events: event::NAMES,
    signatures: SIGNATURES,
    probes: &[Probe {
        transport: Transport::Tcp,
        ports: &[(443, 443)],
        direction: Direction::ToServer,
        least: 3,
        look: looks_like_ssl2,
    }],
    begin: |settings| Protocol::boxed(Tls::new(settings)),
};

static SIGNATURES: &[Signature] = &[
    Signature {
        transport: Transport::Tcp,
        direction: Direction::ToServer,
        bytes: &[0x01, 0x00, 0x02],
        nocase: false,
        from: 2,
        until: 5,
        confirm: Some(looks_like_ssl2),
    },
    begins(Direction::ToServer, &[0x01, 0x03, 0x00]),
    begins(Direction::ToServer, &[0x16, 0x03, 0x00]),
    begins(Direction::ToServer, &[0x01, 0x03, 0x01]),
    begins(Direction::ToServer, &[0x16, 0x03, 0x01]),
    begins(Direction::ToServer, &[0x01, 0x03, 0x02]),
    begins(Direction::ToServer, &[0x16, 0x03, 0x02]),
    begins(Direction::ToServer, &[0x01, 0x03, 0x03]),
    begins(Direction::ToServer, &[0x16, 0x03, 0x03]),
    begins(Direction::ToClient, &[0x15, 0x03, 0x00]),
    begins(Direction::ToClient, &[0x16, 0x03, 0x00]),
    begins(Direction::ToClient, &[0x17, 0x03, 0x00]),
    begins(Direction::ToClient, &[0x15, 0x03, 0x01]),
    begins(Direction::ToClient, &[0x16, 0x03, 0x01]),
    begins(Direction::ToClient, &[0x17, 0x03, 0x01]),
    begins(Direction::ToClient, &[0x15, 0x03, 0x02]),
    begins(Direction::ToClient, &[0x16, 0x03, 0x02]),
    begins(Direction::ToClient, &[0x17, 0x03, 0x02]),
    begins(Direction::ToClient, &[0x15, 0x03, 0x03]),
    begins(Direction::ToClient, &[0x16, 0x03, 0x03]),
    begins(Direction::ToClient, &[0x17, 0x03, 0x03]),
];

const fn begins(direction: Direction, bytes: &'static [u8]) -> Signature {
    Signature { transport: Transport::Tcp, direction, bytes, nocase: false, from: 0, until: 3, confirm: None }
}

/// A client's hello of SSL 2: a length of two bytes, and the type.
fn looks_like_ssl2(bytes: &[u8]) -> Looked {
    match bytes.first_chunk::<3>() {
        Some([length, _, 1]) if length & 0x80 != 0 => Looked::Yes,
        Some(_) => Looked::No,
        None => Looked::Unsure,
    }
}

/// Bytes of a record's head.
const HEAD_BYTES: usize = 5;
/// Bytes of a record's content at most (RFC 5246, 6.2.2, compressed).
const CONTENT_BYTES_MAX: usize = (1 << 14) + 1024;
/// Bytes of the smallest record.
const RECORD_BYTES_MIN: usize = 6;

const CHANGE_CIPHER: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;
const HEARTBEAT: u8 = 24;
const FATAL: u8 = 2;

/// The state of a flow that speaks TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    transactions: Transactions<Session>,
    wanted: Wanted,
    lanes: [Lane; 2],
}

/// What is kept of one direction between calls.
#[derive(Clone, Default, Debug)]
struct Lane {
    messages: Messages,
    /// Bytes of a record of data that are still to come.
    data_to_come: usize,
    /// A record was begun and is not whole.
    is_within_record: bool,
}

/// What became of the record at the front.
enum Step {
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

impl Tls {
    fn new(settings: &Settings) -> Self {
        let ja3 = [field::JA3_HASH, field::JA3_TEXT, field::JA3S_HASH, field::JA3S_TEXT];
        let wanted = Wanted {
            ja3: ja3.into_iter().any(|field| settings.wants(field)),
            ja4: settings.wants(field::JA4),
            names_above: settings.wants(field::NAMES_ABOVE),
        };
        let mut transactions = Transactions::default();
        transactions.open(Session::default());
        Tls { transactions, wanted, lanes: [Lane::default(), Lane::default()] }
    }

    /// Takes records from the front of `bytes` until one is not whole; tells how many bytes were taken and how many the next record wants.
    fn records(&mut self, from: Direction, bytes: &[u8], context: &mut Context<'_>) -> Result<Taken, Broken> {
        let Tls { transactions, wanted, lanes } = self;
        let [to_server, to_client] = lanes;
        let lane = if from == Direction::ToServer { to_server } else { to_client };
        let Some(session) = transactions.last_mut() else {
            // Both sides said that nothing will follow: nobody looks any more.
            return Ok(Taken { bytes: bytes.len(), wanted: 0 });
        };
        session.time = context.time;
        if !lane.is_within_record {
            session.last_messages = 0;
        }
        let mut rest = lane.pass_data(bytes);
        let records_max = (bytes.len() / RECORD_BYTES_MIN).max(1);
        let mut wants = 0;
        let mut count = 0;
        while let Some(first) = rest.first() {
            if count > records_max {
                session.raise(Event::TooManyRecords);
                return Err(Broken);
            }
            let step = if first & 0xc0 != 0 {
                match ssl2::read(session, from, rest, context)? {
                    ssl2::Record::Wants(bytes) => Step::Wants(bytes),
                    ssl2::Record::Read(bytes) => Step::Took(bytes),
                }
            } else {
                lane.record(session, from, rest, *wanted, context)?
            };
            match step {
                Step::Took(taken) => rest = rest.get(taken..).unwrap_or_default(),
                Step::Wants(bytes) => {
                    wants = bytes;
                    break;
                }
            }
            count += 1;
        }
        session.close_handshake();
        lane.is_within_record = !rest.is_empty() || lane.data_to_come > 0;
        Ok(Taken::part(bytes.len() - rest.len(), wants))
    }
}

impl Lane {
    /// Passes by what still belongs to a record of data.
    fn pass_data<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let count = self.data_to_come.min(bytes.len());
        self.data_to_come -= count;
        bytes.get(count..).unwrap_or_default()
    }

    /// Reads the record at the front.
    fn record(
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
        if !judge(session, from, head)? {
            return Ok(Step::Took(bytes.len()));
        }
        let whole = HEAD_BYTES + head.size;
        let has_frames = context.wants_frame("tls.pdu")
            || context.wants_frame("tls.data")
            || context.wants_frame("tls.hdr");
        if head.kind == DATA && !has_frames {
            if bytes.len() == HEAD_BYTES {
                return Ok(Step::Wants(HEAD_BYTES + 1));
            }
            data(session, from, context);
            self.data_to_come = whole.saturating_sub(bytes.len());
            return Ok(Step::Took(whole.min(bytes.len())));
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

/// Whether a record with this head can be read. If not, all that came with it is passed by.
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

impl Parser for Tls {
    type Transaction = Session;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        self.records(direction, input.bytes, context)
    }

    fn end(&mut self, direction: Direction, _context: &mut Context<'_>) {
        if let Some(session) = self.transactions.last_mut() {
            session.reach(direction, Progress::Over);
        }
    }

    fn transactions(&self) -> &Transactions<Session> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<Session> {
        &mut self.transactions
    }
}
