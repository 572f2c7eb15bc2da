//! LDAP over TCP and UDP.
//!
//! A request and its responses are one exchange, found by the message's number; it is complete with the response
//! that ends it, or at once where none is
//! due. A response without a request is an exchange of its own. Upon STARTTLS that the server agrees to: what
//! follows is TLS.
//! Upon a hole: what comes behind it must begin with a message, else the matter ends.
//!
//! Not here: what directories hold, beyond names and types.

mod keywords;
mod message;
mod record;
#[cfg(test)]
mod tests;

use super::ber::Fault;
use super::bytes::Reader;
use super::{
    Broken, Context, Field, Input, Looked, Next, Parser, Piece, Probe, Protocol, ProtocolId, Ready, Settings,
    Taken, Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;
use message::{
    ABANDON, BIND_RESPONSE, EXTENDED_RESPONSE, INTERMEDIATE, Message, SEARCH_ENTRY, SEARCH_REFERENCE, UNBIND,
};

/// Exchanges of one flow at most; beyond that all count as complete, are told, and the matter ends.
const OPEN_MAX: usize = 256;
/// Responses of one exchange that are kept at most; later ones are told.
const RESPONSES_MAX: usize = 1024;

const EVENTS: &[&str] =
    &["too_many_transactions", "invalid_data", "request_not_found", "incomplete_data", "too_many_responses"];
const TOO_MANY_EXCHANGES: u128 = 1;
const INVALID_DATA: u128 = 1 << 1;
const REQUEST_NOT_FOUND: u128 = 1 << 2;
const INCOMPLETE_DATA: u128 = 1 << 3;
const TOO_MANY_RESPONSES: u128 = 1 << 4;

/// The result of a bind with the wrong name or password.
const INVALID_CREDENTIALS: u32 = 49;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Ldap,
    name: "ldap",
    keywords: keywords::KEYWORDS,
    events: EVENTS,
    frames: &["ldap.pdu"],
    signatures: &[],
    probes: &[
        probe(Transport::Tcp, Direction::ToServer, to_server),
        probe(Transport::Tcp, Direction::ToClient, to_client),
        probe(Transport::Udp, Direction::ToServer, to_server),
        probe(Transport::Udp, Direction::ToClient, to_client),
    ],
    begin: |_: &Settings| Protocol::boxed(Ldap::default()),
};

const fn probe(transport: Transport, direction: Direction, look: fn(&[u8]) -> Looked) -> Probe {
    Probe { transport, ports: &[(389, 389), (3268, 3268)], direction, least: 2, look }
}

fn look(bytes: &[u8], is_request: bool) -> Looked {
    match Message::read(&mut Reader::new(bytes), false) {
        Ok(message) if message.is_request() == is_request => Looked::Yes,
        Ok(_) => Looked::Reversed,
        Err(Fault::Incomplete) => Looked::Unsure,
        Err(Fault::Invalid) => Looked::No,
    }
}

fn to_server(bytes: &[u8]) -> Looked {
    look(bytes, true)
}

fn to_client(bytes: &[u8]) -> Looked {
    look(bytes, false)
}

/// The parser of one flow.
#[derive(Clone, Default)]
pub(super) struct Ldap {
    transactions: Transactions<LdapTransaction>,
    /// A hole was there, by direction.
    after_gap: [bool; 2],
    /// TLS was asked for.
    asked_for_tls: bool,
}

/// A request and its responses.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub(super) struct LdapTransaction {
    request: Option<Message>,
    responses: Vec<Message>,
    is_complete: bool,
    events: u128,
}

impl Ldap {
    fn open(&mut self, exchange: LdapTransaction) -> Result<(), Broken> {
        if self.transactions.len() > OPEN_MAX {
            for live in self.transactions.iter_mut().filter(|live| !live.transaction.is_complete) {
                live.transaction.is_complete = true;
                live.transaction.events |= TOO_MANY_EXCHANGES;
            }
            return Err(Broken);
        }
        self.transactions.open(exchange);
        Ok(())
    }

    fn tell(&mut self, event: u128) {
        if let Some(last) = self.transactions.last_mut() {
            last.events |= event;
        }
    }

    fn request(&mut self, request: Message) -> Result<(), Broken> {
        self.asked_for_tls |= request.starts_tls;
        let is_complete = matches!(request.operation, UNBIND | ABANDON);
        self.open(LdapTransaction { request: Some(request), is_complete, ..LdapTransaction::default() })
    }

    fn response(&mut self, response: Message, context: &mut Context<'_>) -> Result<(), Broken> {
        if self.asked_for_tls && response.operation == EXTENDED_RESPONSE {
            self.asked_for_tls = false;
            if response.result == Some(0) && context.ends.transport == Transport::Tcp {
                context.then(Next::Switch(ProtocolId::Tls));
            }
        }
        if response.operation == BIND_RESPONSE && response.result == Some(INVALID_CREDENTIALS) {
            context.refuses_login();
        }
        let goes_on = matches!(response.operation, SEARCH_ENTRY | SEARCH_REFERENCE | INTERMEDIATE);
        let ends = !goes_on && !response.is_request();
        let asked = |exchange: &LdapTransaction| {
            exchange.request.as_ref().is_some_and(|request| request.id == response.id)
        };
        let exchange =
            self.transactions.iter_mut().map(|live| &mut live.transaction).find(|exchange| asked(exchange));
        if let Some(exchange) = exchange {
            exchange.is_complete |= ends;
            if exchange.responses.len() < RESPONSES_MAX {
                exchange.responses.push(response);
            } else {
                exchange.events |= TOO_MANY_RESPONSES;
            }
            return Ok(());
        }
        // Nobody need have asked for an extended response.
        let events = if response.operation == EXTENDED_RESPONSE { 0 } else { REQUEST_NOT_FOUND };
        self.open(LdapTransaction { request: None, responses: vec![response], is_complete: true, events })
    }

    fn datagram(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> Result<(), Fault> {
        let mut reader = Reader::new(bytes);
        if direction == Direction::ToServer {
            context.frame("ldap.pdu", direction, bytes);
            let request = Message::read(&mut reader, context.settings.records)?;
            // A datagram beyond the limit is not counted; the next one may be.
            let _ = self.request(request);
            return Ok(());
        }
        while !reader.is_empty() {
            let before = reader;
            let response = Message::read(&mut reader, context.settings.records)?;
            let bytes = before.rest().get(..before.len() - reader.len()).unwrap_or_default();
            context.frame("ldap.pdu", direction, bytes);
            if self.response(response, context).is_err() {
                break;
            }
        }
        Ok(())
    }
}

impl Parser for Ldap {
    type Transaction = LdapTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        if context.ends.transport == Transport::Udp {
            match self.datagram(direction, input.bytes, context) {
                Ok(()) => {}
                Err(Fault::Incomplete) => self.tell(INCOMPLETE_DATA),
                Err(Fault::Invalid) => self.tell(INVALID_DATA),
            }
            return Ok(Taken::all(&input));
        }
        let mut reader = Reader::new(input.bytes);
        if std::mem::take(&mut self.after_gap[direction.index()])
            && Message::read(&mut { reader }, false).is_err()
        {
            return Err(Broken);
        }
        while !reader.is_empty() && context.asked().is_none() {
            let before = reader;
            match Message::read(&mut reader, context.settings.records) {
                Ok(message) => {
                    let bytes = before.rest().get(..before.len() - reader.len()).unwrap_or_default();
                    context.frame("ldap.pdu", direction, bytes);
                    match direction {
                        Direction::ToServer => self.request(message)?,
                        Direction::ToClient => self.response(message, context)?,
                    }
                }
                Err(Fault::Incomplete) => break,
                Err(Fault::Invalid) => {
                    self.tell(INVALID_DATA);
                    return Err(Broken);
                }
            }
        }
        Ok(Taken::part(input.bytes.len() - reader.len(), 0))
    }

    fn gap(&mut self, direction: Direction, _bytes: u64, _context: &mut Context<'_>) -> Result<(), Broken> {
        self.after_gap[direction.index()] = true;
        Ok(())
    }

    fn transactions(&self) -> &Transactions<LdapTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<LdapTransaction> {
        &mut self.transactions
    }
}

impl Transaction for LdapTransaction {
    fn is_complete(&self, _direction: Direction) -> bool {
        self.is_complete
    }

    fn ready(&self, _field: Field, _direction: Direction) -> Ready {
        if self.is_complete { Ready::Full } else { Ready::Part }
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
