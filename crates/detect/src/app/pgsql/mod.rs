//! PostgreSQL over TCP.
//!
//! Upon a message of the client that asks for something (start, password, query, copied rows, end): an exchange; the
//! server's messages join the last one until the server is ready for the next. Rows are counted, not kept. Upon the
//! server's agreement to TLS: the flow goes on as TLS.
//! Upon a length that cannot be: an exchange that only tells so, and the end of the matter; upon a kind that cannot
//! be: such an exchange, and what came with it is passed over.
//!
//! Not here: prepared statements (their messages are passed over), what rows say, encryption by GSSAPI.

mod keywords;
mod message;
mod record;
mod state;
#[cfg(test)]
mod tests;

use super::{
    Broken, Context, Field, Input, Looked, Next, Parser, Piece, Probe, Protocol, ProtocolId, Ready, Settings,
    Taken, Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;
use message::{Fault, Request, Response, Secret};
use state::State;

/// Bytes of one message at most; rows may be longer, they are passed over.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// Exchanges that are open at most; beyond that the oldest counts as complete, and is told.
const OPEN_MAX: usize = 1023;
/// Requests and responses of one exchange that are kept at most; later ones are not written down.
const MESSAGES_MAX: usize = 64;

const EVENTS: &[&str] =
    &["invalid_length", "malformed_request", "malformed_response", "too_many_transactions"];
const INVALID_LENGTH: u128 = 1;
const MALFORMED_REQUEST: u128 = 1 << 1;
const MALFORMED_RESPONSE: u128 = 1 << 2;
const TOO_MANY_EXCHANGES: u128 = 1 << 3;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Pgsql,
    name: "pgsql",
    keywords: keywords::KEYWORDS,
    events: EVENTS,
    frames: &[],
    signatures: &[],
    probes: &[probe(Direction::ToServer, to_server), probe(Direction::ToClient, to_client)],
    begin: |_: &Settings| Protocol::boxed(Pgsql::default()),
};

const fn probe(direction: Direction, look: fn(&[u8]) -> Looked) -> Probe {
    Probe { transport: Transport::Tcp, ports: &[(5432, 5432)], direction, least: 1, look }
}

fn looked<T>(read: Result<T, Fault>) -> Looked {
    match read {
        Ok(_) => Looked::Yes,
        Err(Fault::Incomplete(_) | Fault::Short) => Looked::Unsure,
        Err(Fault::Length | Fault::Kind | Fault::Content) => Looked::No,
    }
}

fn to_server(bytes: &[u8]) -> Looked {
    looked(Request::read(bytes, Secret::None))
}

fn to_client(bytes: &[u8]) -> Looked {
    match Response::read_tls(bytes) {
        Some(_) => Looked::Yes,
        None => looked(Response::read(bytes)),
    }
}

/// The parser of one flow.
#[derive(Clone, Default)]
pub(super) struct Pgsql {
    transactions: Transactions<PgsqlTransaction>,
    state: State,
    /// A hole was there, by direction.
    after_gap: [bool; 2],
    /// Bytes of rows that are still to come, by direction.
    skip: [usize; 2],
}

/// What was asked for and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PgsqlTransaction {
    number: u64,
    requests: Vec<Request>,
    responses: Vec<Response>,
    /// Rows of the copy or the answer that is under way, and their bytes.
    rows: u64,
    bytes: u64,
    is_asked: bool,
    is_answered: bool,
    events: u128,
}

impl PgsqlTransaction {
    fn count(&mut self, bytes: u64) {
        self.rows += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn asks(&mut self, request: Request) {
        if self.requests.len() < MESSAGES_MAX {
            self.requests.push(request);
        }
    }

    fn answers(&mut self, response: Response) {
        if self.responses.len() < MESSAGES_MAX {
            self.responses.push(response);
        }
    }
}

impl Pgsql {
    fn open(&mut self, events: u128) {
        if self.transactions.len() >= OPEN_MAX
            && let Some(oldest) = self.transactions.iter_mut().find(|live| !live.transaction.is_answered)
        {
            let oldest = &mut oldest.transaction;
            (oldest.is_asked, oldest.is_answered) = (true, true);
            oldest.events |= TOO_MANY_EXCHANGES;
        }
        let number = self.transactions.opened() + 1;
        self.transactions.open(PgsqlTransaction { number, events, ..PgsqlTransaction::default() });
    }

    /// The exchange that a message belongs to: a new one where the state begins one.
    fn exchange(&mut self) -> Option<&mut PgsqlTransaction> {
        if self.state.begins_exchange() {
            self.open(0);
        }
        self.transactions.last_mut()
    }

    fn request(&mut self, request: Request) {
        let next = self.state.after_request(&request);
        self.state = next.unwrap_or(self.state);
        let (Some(exchange), Some(state)) = (self.exchange(), next) else { return };
        if let Request::CopyData { bytes, .. } = request {
            exchange.count(bytes);
            return;
        }
        if matches!(state, State::CopyDone | State::CopyFailed) && exchange.rows > 0 {
            exchange.asks(Request::CopyData { rows: exchange.rows, bytes: exchange.bytes });
        }
        exchange.asks(request);
        exchange.is_asked = true;
        // Nothing answers these.
        exchange.is_answered |= matches!(state, State::Terminated | State::Cancelled);
    }

    fn response(&mut self, response: Response, context: &mut Context<'_>) {
        if response == Response::TlsAccepted {
            context.then(Next::Switch(ProtocolId::Tls));
        }
        if response.refuses_login() {
            context.refuses_login();
        }
        // Rows that belong to nothing change nothing.
        let is_row = matches!(response, Response::Row { .. } | Response::CopyData { .. });
        let next = State::after_response(&response).filter(|_| !is_row || !self.transactions.is_empty());
        self.state = next.unwrap_or(self.state);
        let (Some(exchange), Some(state)) = (self.exchange(), next) else { return };
        if let Response::Row { bytes, .. } | Response::CopyData { bytes, .. } = response {
            exchange.count(bytes);
            return;
        }
        if exchange.rows > 0 && matches!(state, State::CommandComplete | State::CopyDone) {
            let (rows, bytes) = (exchange.rows, exchange.bytes);
            (exchange.rows, exchange.bytes) = (0, 0);
            exchange.answers(match state {
                State::CopyDone => Response::CopyData { rows, bytes },
                _ => Response::Row { rows, bytes },
            });
        }
        exchange.answers(response);
        if state.completes_exchange() {
            (exchange.is_asked, exchange.is_answered) = (true, true);
        }
    }

    /// One message: how many bytes it has.
    fn message(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        context: &mut Context<'_>,
    ) -> Result<usize, Fault> {
        match direction {
            Direction::ToServer => {
                let (request, length) = Request::read(bytes, self.state.secret())?;
                self.request(request);
                Ok(length)
            }
            Direction::ToClient => {
                let (response, length) = match Response::read_tls(bytes) {
                    Some(response) if self.state == State::TlsAsked => (response, 1),
                    _ => Response::read(bytes)?,
                };
                self.response(response, context);
                Ok(length)
            }
        }
    }

    /// Rows that are too long to be kept are counted at once.
    fn long(&mut self, direction: Direction, letter: u8, bytes: usize, context: &mut Context<'_>) -> bool {
        let bytes = bytes as u64;
        match (direction, letter) {
            (Direction::ToServer, b'd') => self.request(Request::CopyData { rows: 1, bytes }),
            (Direction::ToClient, b'd') => self.response(Response::CopyData { rows: 1, bytes }, context),
            (Direction::ToClient, b'D') => self.response(Response::Row { rows: 1, bytes }, context),
            _ => return false,
        }
        true
    }
}

impl Parser for Pgsql {
    type Transaction = PgsqlTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        let side = direction.index();
        let skipped = self.skip[side].min(input.bytes.len());
        self.skip[side] -= skipped;
        let mut taken = skipped;
        while let Some(rest) = input.bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let is_known = |looked| looked == Looked::Yes;
            if self.after_gap[side] && !is_known([to_server, to_client][side](rest)) {
                return Ok(Taken::all(&input));
            }
            self.after_gap[side] = false;
            match self.message(direction, rest, context) {
                Ok(bytes) => taken += bytes,
                Err(Fault::Incomplete(whole)) if whole <= MESSAGE_BYTES_MAX => {
                    return Ok(Taken::part(taken, whole));
                }
                Err(Fault::Incomplete(whole)) => {
                    if !self.long(direction, rest.first().copied().unwrap_or_default(), whole, context) {
                        return Err(Broken);
                    }
                    self.skip[side] = whole.saturating_sub(rest.len());
                    return Ok(Taken::all(&input));
                }
                Err(Fault::Length) => {
                    self.open(INVALID_LENGTH);
                    return Err(Broken);
                }
                Err(fault @ (Fault::Kind | Fault::Content)) => {
                    if fault == Fault::Kind {
                        self.open([MALFORMED_REQUEST, MALFORMED_RESPONSE][side]);
                    }
                    let has_letter =
                        direction == Direction::ToClient || Request::has_letter(rest, self.state.secret());
                    let whole = message::length(rest, has_letter);
                    self.skip[side] = whole.saturating_sub(rest.len());
                    taken += whole.min(rest.len());
                }
                Err(Fault::Short) => return Err(Broken),
            }
            if context.asked().is_some() {
                return Ok(Taken::part(taken, 0));
            }
        }
        Ok(Taken::all(&input))
    }

    fn gap(&mut self, direction: Direction, bytes: u64, _context: &mut Context<'_>) -> Result<(), Broken> {
        let side = direction.index();
        let missing = usize::try_from(bytes).unwrap_or(usize::MAX);
        // A hole within rows that are passed over does no harm.
        self.after_gap[side] = missing > self.skip[side];
        self.skip[side] = self.skip[side].saturating_sub(missing);
        Ok(())
    }

    fn transactions(&self) -> &Transactions<PgsqlTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<PgsqlTransaction> {
        &mut self.transactions
    }
}

impl Transaction for PgsqlTransaction {
    fn is_complete(&self, direction: Direction) -> bool {
        match direction {
            Direction::ToServer => self.is_asked,
            Direction::ToClient => self.is_answered,
        }
    }

    fn ready(&self, _field: Field, direction: Direction) -> Ready {
        if self.is_complete(direction) { Ready::Full } else { Ready::Part }
    }

    fn visit(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        if field != keywords::QUERY {
            return;
        }
        let queries = self.requests.iter().find_map(|request| match request {
            Request::Query(query) => Some(query),
            _ => None,
        });
        if let Some(query) = queries {
            show(Piece::whole(query));
        }
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut Object) {
        record::write(self, record);
    }
}
