//! TLS and SSL: what both sides say before they encrypt, and that they do.
//!
//! Upon bytes: they are cut into records (SSL 2 and later ones may alternate; the first bits tell), and whole
//! records are read:
//!   - handshake: messages are put together over records and read (`handshake`, `hello`, `certificate`), until
//!     somebody changes the cipher.
//!   - change of cipher, alert, heartbeat: see `records` and `heartbeat`.
//!   - data: passed by as they come, without waiting for the whole record, unless somebody looks into frames. From
//!     the first of them on the raw bytes are encrypted.
//!
//! Upon a record that makes no sense: an event, and the parser gives up, where Suricata does.
//! Upon a hole: the parser gives up; where the next record begins is not known.
//!
//! A flow is one transaction ([`Session`]), from its first bytes to its end; what of it is ready when is
//! `session`'s to tell.
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
mod records;
mod session;
mod ssl2;
mod version;

#[cfg(test)]
mod tests;

pub use session::Session;

use super::{
    Broken, Context, Input, Looked, Parser, Probe, Protocol, ProtocolId, Settings, Signature, Taken,
    Transactions, Transport,
};
use crate::Direction;
use event::Event;
use hello::Wanted;
use records::{Lane, Step};
use session::Progress;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Tls,
    name: "tls",
    keywords: keywords::KEYWORDS,
    events: event::NAMES,
    frames: &["tls.alert", "tls.data", "tls.hdr", "tls.heartbeat", "tls.pdu", "tls.ssl2.hdr", "tls.ssl2.pdu"],
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

/// Bytes of the smallest record.
const RECORD_BYTES_MIN: usize = 6;

/// The state of a flow that speaks TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    transactions: Transactions<Session>,
    wanted: Wanted,
    lanes: [Lane; 2],
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

    /// Takes records from the front of `bytes` until one is not whole; tells how many bytes were taken and how many
    /// the next record wants.
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
