//! Modbus over TCP.
//!
//! A request and its response are one exchange: a response answers the oldest open request with its number, unit and
//! function, if what they say fits. One
//! that answers nothing is an exchange of its own, and odd. Upon more open exchanges than `OPEN_MAX`: the next one
//! is told, and the matter ends.
//!
//! Home-made: the field's reader subtracts lengths that it did not check, which ends a process that checks its
//! arithmetic.
//!
//! Not here: what registers mean.

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
use message::{
    ERROR_CODE, ERROR_EXCEPTION, ERROR_LENGTH, ERROR_PROTOCOL, ERROR_VALUE, HEADER_BYTES, Message, READ,
    Said, WRITE,
};

/// Exchanges that are open at most.
const OPEN_MAX: usize = 500;

const EVENTS: &[&str] = &[
    "unsolicited_response",
    "invalid_function_code",
    "invalid_length",
    "invalid_value",
    "invalid_exception_code",
    "value_mismatch",
    "flooded",
    "invalid_protocol_id",
];
const UNSOLICITED: u128 = 1;
const INVALID_CODE: u128 = 1 << 1;
const INVALID_LENGTH: u128 = 1 << 2;
const INVALID_VALUE: u128 = 1 << 3;
const INVALID_EXCEPTION: u128 = 1 << 4;
const VALUE_MISMATCH: u128 = 1 << 5;
const FLOODED: u128 = 1 << 6;
const INVALID_PROTOCOL: u128 = 1 << 7;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Modbus,
    name: "modbus",
    keywords: keywords::KEYWORDS,
    events: EVENTS,
    frames: &[],
    signatures: &[],
    probes: &[probe(Direction::ToServer), probe(Direction::ToClient)],
    begin: |_: &Settings| Protocol::boxed(Modbus::default()),
};

const fn probe(direction: Direction) -> Probe {
    Probe { transport: Transport::Tcp, ports: &[(502, 502)], direction, least: HEADER_BYTES, look }
}

fn look(bytes: &[u8]) -> Looked {
    match Message::read(bytes, Said::Either) {
        None => Looked::Unsure,
        Some((message, _)) if message.errors == 0 && message.is_known() => Looked::Yes,
        Some(_) => Looked::No,
    }
}

/// The parser of one flow.
#[derive(Clone, Default)]
pub(super) struct Modbus {
    transactions: Transactions<ModbusTransaction>,
    /// There were too many.
    is_flooded: bool,
    /// Bytes of a message that makes no sense which are still to come, in each direction.
    skip: [usize; 2],
}

/// A request and its response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ModbusTransaction {
    number: u64,
    request: Option<Message>,
    response: Option<Message>,
    events: u128,
}

/// What is told of a message's errors.
fn events_of(message: &Message, direction: Direction) -> u128 {
    let is_access = message.access & (READ | WRITE) != 0;
    if direction == Direction::ToClient && is_access && message.errors & (ERROR_LENGTH | ERROR_VALUE) != 0 {
        return VALUE_MISMATCH;
    }
    [
        (ERROR_CODE, INVALID_CODE),
        (ERROR_VALUE, INVALID_VALUE),
        (ERROR_LENGTH, INVALID_LENGTH),
        (ERROR_EXCEPTION, INVALID_EXCEPTION),
        (ERROR_PROTOCOL, INVALID_PROTOCOL),
    ]
    .into_iter()
    .filter(|(error, _)| message.errors & error != 0)
    .fold(0, |events, (_, event)| events | event)
}

impl Modbus {
    fn add(&mut self, direction: Direction, mut message: Message) -> Result<(), Broken> {
        self.is_flooded &= self.transactions.len() >= OPEN_MAX;
        let exchanges = self.transactions.iter_mut().map(|live| &mut live.transaction);
        for exchange in exchanges {
            let (this, other) = match direction {
                Direction::ToServer => (&mut exchange.request, &exchange.response),
                Direction::ToClient => (&mut exchange.response, &exchange.request),
            };
            if let (None, Some(other)) = (&this, other)
                && message.fits(other)
            {
                exchange.events |= events_of(&message, direction);
                *this = Some(message);
                return Ok(());
            }
        }
        if self.is_flooded {
            return Err(Broken);
        }
        let mut events = events_of(&message, direction);
        if self.transactions.len() >= OPEN_MAX {
            events |= FLOODED;
            self.is_flooded = true;
        }
        let number = self.transactions.opened() + 1;
        let mut exchange = ModbusTransaction { number, events, ..ModbusTransaction::default() };
        match direction {
            Direction::ToServer => exchange.request = Some(message),
            Direction::ToClient => {
                exchange.response = Some(message);
                exchange.events |= UNSOLICITED;
            }
        }
        self.transactions.open(exchange);
        Ok(())
    }
}

impl Parser for Modbus {
    type Transaction = ModbusTransaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        _context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        let said = match direction {
            Direction::ToServer => Said::Client,
            Direction::ToClient => Said::Server,
        };
        let skip = &mut self.skip[direction.index()];
        let mut taken = (*skip).min(input.bytes.len());
        *skip -= taken;
        while let Some(rest) = input.bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let Some((message, bytes)) = Message::read(rest, said) else { return Ok(Taken::part(taken, 0)) };
            self.add(direction, message)?;
            self.skip[direction.index()] = bytes.saturating_sub(rest.len());
            taken += bytes.min(rest.len());
        }
        Ok(Taken::all(&input))
    }

    fn transactions(&self) -> &Transactions<ModbusTransaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<ModbusTransaction> {
        &mut self.transactions
    }
}

impl Transaction for ModbusTransaction {
    fn is_complete(&self, _direction: Direction) -> bool {
        self.response.is_some()
    }

    fn ready(&self, _field: Field, direction: Direction) -> Ready {
        if self.is_complete(direction) { Ready::Full } else { Ready::Part }
    }

    fn visit(&self, _field: Field, _direction: Direction, _show: &mut dyn FnMut(Piece<'_>)) {}

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut Object) {
        record::write(self, record);
    }
}
