//! NTP, versions 3 and 4.
//!
//! Each datagram is an exchange of its own, about its own direction alone. One that cannot be read is told to the
//! exchange before it, if that is still there.
//!
//! Not here: control messages (mode 6 and 7) beyond their header, and whether an answer was asked for.

use super::bytes::Reader;
use super::{
    Broken, Context, Family, Field, Input, Keyword, Looked, Parser, Piece, Probe, Protocol, ProtocolId,
    Settings, Sides, Taken, Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;

/// Bytes that each message has.
const HEADER_BYTES: usize = 48;
/// Bytes of a key's number and a digest.
const DIGEST_BYTES: usize = 20;

const EVENTS: &[&str] = &["unsolicited_response", "malformed_data"];
const MALFORMED: u128 = 1 << 1;

const REFERENCE_ID: Field = Field::new(Family::Ntp, 0);
const VERSION: Field = Field::new(Family::Ntp, 1);
const MODE: Field = Field::new(Family::Ntp, 2);
const STRATUM: Field = Field::new(Family::Ntp, 3);

const PROTOCOLS: &[ProtocolId] = &[ProtocolId::Ntp];

const MODES: &[(&str, u64)] = &[
    ("reserved", 0),
    ("symmetric_active", 1),
    ("symmetric_passive", 2),
    ("client", 3),
    ("server", 4),
    ("broadcast", 5),
    ("control", 6),
    ("private", 7),
];

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Ntp,
    name: "ntp",
    keywords: &[
        Keyword::buffer("ntp.reference_id", REFERENCE_ID, Sides::Both, PROTOCOLS),
        Keyword::number("ntp.version", VERSION, Sides::Both, PROTOCOLS, 255, &[]),
        Keyword::number("ntp.mode", MODE, Sides::Both, PROTOCOLS, 255, MODES),
        Keyword::number("ntp.stratum", STRATUM, Sides::Both, PROTOCOLS, 255, &[]),
    ],
    events: EVENTS,
    frames: &[],
    signatures: &[],
    probes: &[probe(Direction::ToServer), probe(Direction::ToClient)],
    begin: |_: &Settings| Protocol::boxed(Ntp::default()),
};

const fn probe(direction: Direction) -> Probe {
    Probe { transport: Transport::Udp, ports: &[(123, 123)], direction, least: HEADER_BYTES, look }
}

fn look(bytes: &[u8]) -> Looked {
    if NtpTransaction::read(bytes, Direction::ToServer).is_some() { Looked::Yes } else { Looked::No }
}

/// The parser of one flow.
#[derive(Clone, Default)]
pub(super) struct Ntp {
    transactions: Transactions<NtpTransaction>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NtpTransaction {
    direction: Direction,
    version: u8,
    mode: u8,
    stratum: u8,
    reference_id: [u8; 4],
    events: u128,
}

impl NtpTransaction {
    fn read(bytes: &[u8], direction: Direction) -> Option<Self> {
        let mut reader = Reader::new(bytes.get(..HEADER_BYTES)?);
        let first = reader.u8()?;
        let stratum = reader.u8()?;
        reader.take(10)?; // How often, how exactly and how far away.
        let reference_id = reader.array()?;
        let version = first >> 3 & 7;
        let rest = bytes.get(HEADER_BYTES..)?;
        let is_whole = match version {
            3 => true,
            4 => extensions(rest),
            _ => false,
        };
        is_whole.then_some(NtpTransaction {
            direction,
            version,
            mode: first & 7,
            stratum,
            reference_id,
            events: 0,
        })
    }
}

/// Whether what stands behind the header can be: nothing, a digest, or extensions and a digest.
fn extensions(rest: &[u8]) -> bool {
    match rest.len() {
        0 | DIGEST_BYTES => true,
        ..DIGEST_BYTES => false,
        length => {
            let mut extensions = Reader::new(rest.get(..length - DIGEST_BYTES).unwrap_or_default());
            extensions.be16().is_some() && extensions.piece().is_some()
        }
    }
}

impl Parser for Ntp {
    type Transaction = NtpTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        _context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        match NtpTransaction::read(input.bytes, direction) {
            Some(message) => {
                self.transactions.open(message);
            }
            None => {
                if let Some(last) = self.transactions.last_mut() {
                    last.events |= MALFORMED;
                }
            }
        }
        Ok(Taken::all(&input))
    }

    fn transactions(&self) -> &Transactions<NtpTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<NtpTransaction> {
        &mut self.transactions
    }
}

impl Transaction for NtpTransaction {
    fn is_complete(&self, _direction: Direction) -> bool {
        true
    }

    fn concerns(&self, direction: Direction) -> bool {
        direction == self.direction
    }

    fn visit(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        if field == REFERENCE_ID {
            show(Piece::whole(&self.reference_id));
        }
    }

    fn number(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(u64)) {
        match field {
            VERSION => show(u64::from(self.version)),
            MODE => show(u64::from(self.mode)),
            STRATUM => show(u64::from(self.stratum)),
            _ => {}
        }
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut Object) {
        record.number("version", u64::from(self.version));
        record.number("mode", u64::from(self.mode));
        record.number("stratum", u64::from(self.stratum));
        let [a, b, c, d] = self.reference_id;
        record.text("reference_id", &format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction::{ToClient, ToServer};
    use crate::app::trial::Trial;

    fn message(first: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER_BYTES];
        bytes[0] = first;
        bytes[1] = 2;
        bytes[12..16].copy_from_slice(b"GPS\0");
        [bytes, rest.to_vec()].concat()
    }

    #[test]
    fn each_message_is_shown_in_its_direction() {
        let mut trial = Trial::new(Ntp::default(), Transport::Udp, &[]);
        trial.say(ToServer, &message(0x23, &[])).say(ToClient, &message(0x1c, &[]));
        assert_eq!(trial.numbers(VERSION, ToServer), [4]);
        assert_eq!(trial.numbers(MODE, ToServer), [3]);
        assert_eq!(trial.numbers(VERSION, ToClient), [3]);
        assert_eq!(trial.numbers(MODE, ToClient), [4]);
        assert_eq!(trial.numbers(STRATUM, ToClient), [2]);
        assert_eq!(trial.values(REFERENCE_ID, ToClient), ["GPS\0"]);
        assert_eq!(trial.records()[0], r#"{"version":4,"mode":3,"stratum":2,"reference_id":"47:50:53:00"}"#);
    }

    #[test]
    fn what_follows_the_header_must_be_possible() {
        assert_eq!(look(&message(0x23, &[0; 20])), Looked::Yes);
        assert_eq!(look(&message(0x23, &[0; 19])), Looked::No);
        assert_eq!(look(&message(0x23, &[[0, 1, 0, 2].as_slice(), &[7; 22]].concat())), Looked::Yes);
        assert_eq!(look(&message(0x23, &[[0, 1, 0, 9].as_slice(), &[7; 22]].concat())), Looked::No);
        assert_eq!(look(&message(0x1b, &[0; 5])), Looked::Yes);
        assert_eq!(look(&message(0x13, &[])), Looked::No);
        assert_eq!(look(&message(0x23, &[])[..47]), Looked::No);
    }

    #[test]
    fn what_cannot_be_read_is_told_to_the_message_before() {
        let mut trial = Trial::new(Ntp::default(), Transport::Udp, &[]);
        trial.say(ToServer, &message(0x23, &[])).say(ToServer, b"x");
        assert_eq!(trial.transactions().count(), 1);
        assert_eq!(trial.events(EVENTS), ["malformed_data"]);
    }
}
