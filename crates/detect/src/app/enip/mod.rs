//! EtherNet/IP with the Common Industrial Protocol (CIP), over TCP and UDP.
//!
//! A request and its response are one exchange: a response answers the oldest open request that fits, and those
//! before that one are given up. A message whose
//! content cannot be read is one with a header alone, and odd. Upon a hole: what follows is taken up where a header
//! looks like one.
//!
//! Not here: what CIP's objects mean, and the flows of implicit messages (UDP port 2222).

mod cip;
mod keywords;
mod message;
mod record;
#[cfg(test)]
mod tests;

use super::{
    Broken, Context, Field, Input, Looked, Parser, Piece, Probe, Protocol, ProtocolId, Ready, Settings,
    Taken, Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;
use cip::{CONNECTED, Payload};
use message::{Content, HEADER_BYTES, Header, Message};

/// Exchanges that are open at most; beyond that all count as complete, and the oldest is told.
const OPEN_MAX: usize = 1000;

const EVENTS: &[&str] = &["too_many_transactions", "invalid_pdu"];
const TOO_MANY_EXCHANGES: u128 = 1;
const INVALID: u128 = 1 << 1;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Enip,
    name: "enip",
    keywords: keywords::KEYWORDS,
    events: EVENTS,
    frames: &["enip.hdr", "enip.data", "enip.pdu", "enip.cip", "enip.enip.item"],
    signatures: &[],
    probes: &[
        probe(Transport::Tcp, Direction::ToServer),
        probe(Transport::Tcp, Direction::ToClient),
        probe(Transport::Udp, Direction::ToServer),
        probe(Transport::Udp, Direction::ToClient),
    ],
    begin: |_: &Settings| Protocol::boxed(Enip::default()),
};

const fn probe(transport: Transport, direction: Direction) -> Probe {
    Probe { transport, ports: &[(44_818, 44_818)], direction, least: HEADER_BYTES, look }
}

fn look(bytes: &[u8]) -> Looked {
    if Header::looks_right(bytes) { Looked::Yes } else { Looked::No }
}

/// The parser of one flow.
#[derive(Clone, Default)]
pub(super) struct Enip {
    transactions: Transactions<EnipTransaction>,
    /// A hole was there, by direction.
    after_gap: [bool; 2],
}

/// A request and its response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EnipTransaction {
    request: Option<Message>,
    response: Option<Message>,
    is_done: bool,
    events: u128,
}

/// Whether a response may answer a request.
fn answers(response: &Message, request: &Message) -> bool {
    let (this, other) = (&response.header, &request.header);
    if this.command != other.command
        || (this.session != other.session && this.command != message::REGISTER_SESSION)
    {
        return false;
    }
    match (&request.content, &response.content) {
        (Content::Cip(asked), Content::Cip(answered)) => {
            let connected = |items: &[cip::Item]| match items.get(1) {
                Some(cip::Item { kind: CONNECTED, payload: Payload::Cip { sequence, .. }, .. }) => {
                    Some(*sequence)
                }
                _ => None,
            };
            match (connected(asked), connected(answered)) {
                (Some(asked), Some(answered)) => asked.is_some() && asked == answered,
                _ => true,
            }
        }
        (Content::Cip(_), _) | (_, Content::Cip(_)) => false,
        _ => true,
    }
}

impl Enip {
    fn add(&mut self, direction: Direction, message: Message) {
        let events = if message.is_invalid { INVALID } else { 0 };
        if direction == Direction::ToClient {
            for live in self.transactions.iter_mut() {
                let exchange = &mut live.transaction;
                if let (Some(request), None) = (&exchange.request, &exchange.response) {
                    exchange.is_done = true;
                    if answers(&message, request) {
                        exchange.events |= events;
                        exchange.response = Some(message);
                        return;
                    }
                }
            }
        }
        if self.transactions.len() >= OPEN_MAX {
            for (place, live) in self.transactions.iter_mut().enumerate() {
                live.transaction.is_done = true;
                live.transaction.events |= if place == 0 { TOO_MANY_EXCHANGES } else { 0 };
            }
            return;
        }
        let mut exchange = EnipTransaction { events, ..EnipTransaction::default() };
        match direction {
            Direction::ToServer => exchange.request = Some(message),
            Direction::ToClient => exchange.response = Some(message),
        }
        self.transactions.open(exchange);
    }
}

/// Shows the parts of a message that stands at the front of `bytes`.
fn show_parts(direction: Direction, bytes: &[u8], message: &Message, context: &mut Context<'_>) {
    let mut show = |name: &'static str, start: usize, length: usize| {
        let end = (start + length).min(bytes.len());
        if let Some(part) = bytes.get(start..end).filter(|part| !part.is_empty()) {
            context.frame(name, direction, part);
        }
    };
    let length = usize::from(message.header.length);
    show("enip.hdr", 0, HEADER_BYTES);
    show("enip.data", HEADER_BYTES, length);
    show("enip.pdu", 0, HEADER_BYTES + length);
    for item in message.items() {
        show("enip.enip.item", item.start, 4 + item.length);
    }
    if let Content::Cip(items) = &message.content {
        for item in items {
            if let Payload::Cip { start, cip, .. } = &item.payload {
                show("enip.cip", *start, item.length);
                for (place, packet_bytes) in &cip.packet_places {
                    show("enip.cip", start + place, *packet_bytes);
                }
            }
        }
    }
}

impl Parser for Enip {
    type Transaction = EnipTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        if context.ends.transport == Transport::Udp {
            if let Some((message, _)) = Message::read(input.bytes) {
                show_parts(direction, input.bytes, &message, context);
                self.add(direction, message);
            }
            return Ok(Taken::all(&input));
        }
        if self.after_gap[direction.index()] {
            if !Header::looks_right(input.bytes) {
                return Ok(Taken::all(&input));
            }
            self.after_gap[direction.index()] = false;
        }
        let mut taken = 0;
        while let Some(rest) = input.bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let Some((message, bytes)) = Message::read(rest) else { return Ok(Taken::part(taken, 0)) };
            show_parts(direction, rest, &message, context);
            self.add(direction, message);
            taken += bytes;
        }
        Ok(Taken::all(&input))
    }

    fn gap(&mut self, direction: Direction, _bytes: u64, _context: &mut Context<'_>) -> Result<(), Broken> {
        self.after_gap[direction.index()] = true;
        Ok(())
    }

    fn transactions(&self) -> &Transactions<EnipTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<EnipTransaction> {
        &mut self.transactions
    }
}

impl Transaction for EnipTransaction {
    fn is_complete(&self, direction: Direction) -> bool {
        self.is_done
            || match direction {
                Direction::ToServer => self.request.is_some(),
                Direction::ToClient => self.response.is_some(),
            }
    }

    fn ready(&self, _field: Field, direction: Direction) -> Ready {
        if self.is_complete(direction) { Ready::Full } else { Ready::Part }
    }

    fn visit(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        keywords::visit(self, field, show);
    }

    fn number(&self, field: Field, direction: Direction, show: &mut dyn FnMut(u64)) {
        keywords::number(self, field, direction, show);
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut Object) {
        record::write(self, record);
    }
}
