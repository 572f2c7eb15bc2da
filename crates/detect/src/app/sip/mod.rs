//! SIP over UDP and TCP, with the session descriptions (SDP) that it carries.
//!
//! Each message is an exchange of its own, about its own direction alone. Upon a datagram: the message that it is;
//! one that cannot be read is told to the
//! exchange before it, if that is still there (`incomplete_data`, `invalid_data`). Upon a stream: messages behind
//! one another, where a body is what
//! reads as a session description and nothing else: `Content-Length` is not believed. What cannot be read ends the
//! matter.
//!
//! Not here: joining responses to requests, and what follows from a session description (the flows of voice that it
//! announces).

mod keywords;
mod message;
mod record;
mod sdp;
#[cfg(test)]
mod tests;

use super::{
    Broken, Context, Field, Input, Parser, Piece, Protocol, ProtocolId, Settings, Signature, Taken,
    Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;
use message::{Fault, Message};

const EVENTS: &[&str] = &["incomplete_data", "invalid_data"];
const INCOMPLETE_DATA: u128 = 1;
const INVALID_DATA: u128 = 2;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Sip,
    name: "sip",
    keywords: keywords::KEYWORDS,
    events: EVENTS,
    frames: &[
        "sip.pdu",
        "sip.request.line",
        "sip.request.headers",
        "sip.request.body",
        "sip.response.line",
        "sip.response.headers",
        "sip.response.body",
    ],
    signatures: SIGNATURES,
    probes: &[],
    begin: |_: &Settings| Protocol::boxed(Sip::default()),
};

const SIGNATURES: &[Signature] = &[
    request(Transport::Udp, b"REGISTER"),
    request(Transport::Udp, b"INVITE"),
    request(Transport::Udp, b"ACK"),
    request(Transport::Udp, b"BYE"),
    request(Transport::Udp, b"CANCEL"),
    request(Transport::Udp, b"REFER"),
    request(Transport::Udp, b"PRACK"),
    request(Transport::Udp, b"SUBSCRIBE"),
    request(Transport::Udp, b"NOTIFY"),
    request(Transport::Udp, b"PUBLISH"),
    request(Transport::Udp, b"MESSAGE"),
    request(Transport::Udp, b"INFO"),
    request(Transport::Udp, b"UPDATE"),
    response(Transport::Udp),
    request(Transport::Tcp, b"REGISTER"),
    request(Transport::Tcp, b"INVITE"),
    request(Transport::Tcp, b"ACK"),
    request(Transport::Tcp, b"BYE"),
    request(Transport::Tcp, b"CANCEL"),
    request(Transport::Tcp, b"REFER"),
    request(Transport::Tcp, b"PRACK"),
    request(Transport::Tcp, b"SUBSCRIBE"),
    request(Transport::Tcp, b"NOTIFY"),
    request(Transport::Tcp, b"PUBLISH"),
    request(Transport::Tcp, b"MESSAGE"),
    request(Transport::Tcp, b"INFO"),
    response(Transport::Tcp),
];

const fn request(transport: Transport, method: &'static [u8]) -> Signature {
    Signature {
        transport,
        direction: Direction::ToServer,
        bytes: method,
        nocase: false,
        from: 0,
        until: method.len() as u16,
        confirm: None,
    }
}

const fn response(transport: Transport) -> Signature {
    Signature {
        transport,
        direction: Direction::ToClient,
        bytes: b"SIP/2.0",
        nocase: false,
        from: 0,
        until: 8,
        confirm: None,
    }
}

/// The parser of one flow.
#[derive(Clone, Default)]
pub(super) struct Sip {
    transactions: Transactions<SipTransaction>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SipTransaction {
    direction: Direction,
    message: Message,
    events: u128,
}

impl Sip {
    /// The message before this one is told that this one cannot be read.
    fn tell(&mut self, fault: Fault) {
        if let Some(last) = self.transactions.last_mut() {
            last.events |= match fault {
                Fault::Incomplete => INCOMPLETE_DATA,
                Fault::Invalid => INVALID_DATA,
            };
        }
    }

    fn add(&mut self, direction: Direction, message: Message) {
        self.transactions.open(SipTransaction { direction, message, events: 0 });
    }
}

/// Shows the parts of a message that stands at the front of `bytes`.
fn show_parts(direction: Direction, bytes: &[u8], message: &Message, context: &mut Context<'_>) {
    let [line, headers, body] = match direction {
        Direction::ToServer => ["sip.request.line", "sip.request.headers", "sip.request.body"],
        Direction::ToClient => ["sip.response.line", "sip.response.headers", "sip.response.body"],
    };
    let parts = message.parts();
    for (name, range) in [(line, parts.line), (headers, parts.headers), (body, parts.body)] {
        let part = bytes.get(range.start..range.end.min(bytes.len())).unwrap_or_default();
        if !part.is_empty() {
            context.frame(name, direction, part);
        }
    }
}

impl Parser for Sip {
    type Transaction = SipTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        if context.ends.transport == Transport::Udp {
            context.frame("sip.pdu", direction, input.bytes);
            match Message::read(input.bytes, direction) {
                Ok((message, _)) => {
                    show_parts(direction, input.bytes, &message, context);
                    self.add(direction, message);
                }
                Err(fault) => self.tell(fault),
            }
            return Ok(Taken::all(&input));
        }
        let mut taken = 0;
        while let Some(rest) = input.bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            match Message::read(rest, direction) {
                Ok((message, count)) => {
                    // The parts are looked for at the front of what came, behind which messages may stand before
                    // this one: rules are written for that.
                    show_parts(direction, input.bytes, &message, context);
                    context.frame("sip.pdu", direction, rest.get(..count).unwrap_or_default());
                    self.add(direction, message);
                    taken += count;
                }
                Err(Fault::Incomplete) => return Ok(Taken::part(taken, 0)),
                Err(Fault::Invalid) => {
                    self.tell(Fault::Invalid);
                    return Err(Broken);
                }
            }
        }
        Ok(Taken::all(&input))
    }

    fn transactions(&self) -> &Transactions<SipTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<SipTransaction> {
        &mut self.transactions
    }
}

impl Transaction for SipTransaction {
    fn is_complete(&self, _direction: Direction) -> bool {
        true
    }

    fn concerns(&self, direction: Direction) -> bool {
        direction == self.direction
    }

    fn visit(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        if direction == self.direction {
            keywords::visit(&self.message, self.direction, field, show);
        }
    }

    fn events(&self, direction: Direction) -> u128 {
        if direction == self.direction { self.events } else { 0 }
    }

    fn record(&self, record: &mut Object) {
        record::write(&self.message, self.direction, record);
    }
}
