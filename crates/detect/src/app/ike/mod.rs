//! IKE, versions 1 and 2: how two ends of a tunnel agree on keys.
//!
//! Each datagram is an exchange of its own, about its own direction alone. Payloads are read as far as they are in
//! clear. What the server chose is what
//! its messages propose.
//!
//! Not here: IKE behind UDP port 4500, and whether what was agreed on is kept.

mod keywords;
mod names;
mod record;
#[cfg(test)]
mod tests;
mod version1;
mod version2;

use super::bytes::Reader;
use super::{
    Broken, Context, Field, Input, Looked, Parser, Piece, Probe, Protocol, ProtocolId, Settings, Taken,
    Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;
use version1::Attribute;

const HEADER_BYTES: usize = 28;
/// The message's payloads are encrypted, in version 1.
const FLAG_ENCRYPTED: u8 = 1;

const EVENTS: &[&str] = &[
    "malformed_data",
    "no_encryption",
    "weak_crypto_enc",
    "weak_crypto_prf",
    "weak_crypto_dh",
    "weak_crypto_auth",
    "weak_crypto_no_dh",
    "weak_crypto_no_auth",
    "invalid_proposal",
    "unknown_proposal",
    "payload_extra_data",
    "multiple_server_proposal",
];
const NO_ENCRYPTION: u128 = 1 << 1;
const WEAK_ENCRYPTION: u128 = 1 << 2;
const WEAK_PRF: u128 = 1 << 3;
const WEAK_DH: u128 = 1 << 4;
const WEAK_AUTH: u128 = 1 << 5;
const NO_DH: u128 = 1 << 6;
const NO_AUTH: u128 = 1 << 7;
const INVALID_PROPOSAL: u128 = 1 << 8;
const UNKNOWN_PROPOSAL: u128 = 1 << 9;
const EXTRA_DATA: u128 = 1 << 10;
const SEVERAL_SERVER_PROPOSALS: u128 = 1 << 11;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Ike,
    name: "ike",
    keywords: keywords::KEYWORDS,
    events: EVENTS,
    frames: &[],
    signatures: &[],
    probes: &[
        Probe {
            transport: Transport::Udp,
            ports: &[(500, 500)],
            direction: Direction::ToServer,
            least: HEADER_BYTES,
            look: to_server,
        },
        Probe {
            transport: Transport::Udp,
            ports: &[(500, 500)],
            direction: Direction::ToClient,
            least: HEADER_BYTES,
            look: to_client,
        },
    ],
    begin: |_: &Settings| Protocol::boxed(Ike::default()),
};

/// What stands before all payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    initiator: u64,
    responder: u64,
    next_payload: u8,
    version: (u8, u8),
    exchange: u8,
    flags: u8,
    message: u32,
    length: u32,
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Option<Header> {
        let (initiator, responder, next_payload) = (reader.be64()?, reader.be64()?, reader.u8()?);
        let version = reader.u8()?;
        Some(Header {
            initiator,
            responder,
            next_payload,
            version: (version >> 4, version & 15),
            exchange: reader.u8()?,
            flags: reader.u8()?,
            message: reader.be32()?,
            length: reader.be32()?,
        })
    }
}

fn look(bytes: &[u8], direction: Direction) -> Looked {
    let Some(header) = Header::read(&mut Reader::new(bytes)) else { return Looked::No };
    let is_it = match header.version {
        (1, _) => true,
        (2, 0) => (34..=37).contains(&header.exchange) && header.length as usize == bytes.len(),
        _ => false,
    };
    match (is_it, header.responder, direction) {
        (false, ..) => Looked::No,
        // Nobody answered yet: whoever says this is the client.
        (true, 0, Direction::ToClient) => Looked::Reversed,
        (true, ..) => Looked::Yes,
    }
}

fn to_server(bytes: &[u8]) -> Looked {
    look(bytes, Direction::ToServer)
}

fn to_client(bytes: &[u8]) -> Looked {
    look(bytes, Direction::ToClient)
}

/// What one side said in version 1 so far.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
struct Side {
    key_exchange: Vec<u8>,
    nonce: Vec<u8>,
    transforms: u64,
    chosen: Vec<Attribute>,
}

/// What was agreed on so far: records tell it with each message.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
struct Agreed {
    interpretation: Option<u32>,
    client: Side,
    server: Side,
    /// Of version 2: encryption, integrity, pseudo-random function, group, sequence numbers.
    algorithms: [Option<u16>; 5],
}

/// The parser of one flow.
#[derive(Clone, Default)]
pub(super) struct Ike {
    transactions: Transactions<IkeTransaction>,
    agreed: Agreed,
}

/// What the payloads of a message say.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Payloads {
    Version1(version1::Payloads),
    Version2(version2::Payloads),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IkeTransaction {
    direction: Direction,
    header: Header,
    initiator: [u8; 16],
    responder: [u8; 16],
    payloads: Payloads,
    agreed: Option<Box<Agreed>>,
    events: u128,
}

/// Sixteen digits.
fn hexadecimal(value: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (place, digit) in digits.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(value >> (60 - 4 * place) & 15) as usize];
    }
    digits
}

impl Ike {
    fn read(&mut self, direction: Direction, bytes: &[u8], with_agreed: bool) -> Option<()> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader)?;
        let mut events = 0;
        let payloads = match header.version.0 {
            1 => Payloads::Version1(self.read_version1(direction, &header, reader.rest())?),
            2 => {
                let payloads = version2::Payloads::read(reader.rest(), header.next_payload);
                events = payloads.weaknesses;
                if direction == Direction::ToClient {
                    for transform in &payloads.transforms {
                        if let Some(place) = transform.place() {
                            self.agreed.algorithms[place] = Some(transform.id);
                        }
                    }
                }
                Payloads::Version2(payloads)
            }
            _ => return None,
        };
        self.transactions.open(IkeTransaction {
            direction,
            header,
            initiator: hexadecimal(header.initiator),
            responder: hexadecimal(header.responder),
            payloads,
            agreed: with_agreed.then(|| Box::new(self.agreed.clone())),
            events,
        });
        Some(())
    }

    fn read_version1(
        &mut self,
        direction: Direction,
        header: &Header,
        bytes: &[u8],
    ) -> Option<version1::Payloads> {
        if header.flags & FLAG_ENCRYPTED != 0 {
            return Some(version1::Payloads {
                types: vec![header.next_payload],
                is_encrypted: true,
                ..Default::default()
            });
        }
        let payloads = version1::Payloads::read(bytes, header.next_payload)?;
        self.agreed.interpretation = payloads.interpretation.or(self.agreed.interpretation);
        let mut odd = 0;
        let side = match direction {
            Direction::ToServer => &mut self.agreed.client,
            Direction::ToClient => &mut self.agreed.server,
        };
        if payloads.types.contains(&version1::SECURITY_ASSOCIATION) {
            // Another agreement begins.
            *side = Side::default();
        }
        let count = payloads.transforms.len() as u64;
        if direction == Direction::ToClient && side.transforms <= 1 && side.transforms + count > 1 {
            odd |= SEVERAL_SERVER_PROPOSALS;
        }
        side.key_exchange.clone_from(&payloads.key_exchange);
        side.nonce.clone_from(&payloads.nonce);
        if side.transforms == 0 {
            side.chosen.extend(payloads.transforms.first().into_iter().flatten().cloned());
        }
        side.transforms += count;
        if payloads.has_extra {
            odd |= EXTRA_DATA;
        }
        // The message before this one is told.
        if let Some(last) = self.transactions.last_mut() {
            last.events |= odd;
        }
        Some(payloads)
    }
}

impl Parser for Ike {
    type Transaction = IkeTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        // One that cannot be read is none.
        let _ = self.read(direction, input.bytes, context.settings.records);
        Ok(Taken::all(&input))
    }

    fn transactions(&self) -> &Transactions<IkeTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<IkeTransaction> {
        &mut self.transactions
    }
}

impl Transaction for IkeTransaction {
    fn is_complete(&self, _direction: Direction) -> bool {
        true
    }

    fn concerns(&self, direction: Direction) -> bool {
        direction == self.direction
    }

    fn visit(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        keywords::visit(self, field, show);
    }

    fn number(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(u64)) {
        keywords::number(self, field, show);
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut Object) {
        record::write(self, record);
    }
}
