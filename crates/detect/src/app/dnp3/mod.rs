//! DNP3 over TCP.
//!
//! Upon a frame with data: it begins a message or goes on with the one of the same two ends whose number is one
//! less; a message that is complete is an exchange, looked at in its own direction. Frames whose data are damaged
//! are passed over and told. Upon a head that cannot be: the matter ends. Upon a message longer than
//! `MESSAGE_BYTES_MAX`: it is complete as it is, and told.
//!
//! Not here: which answer belongs to which request, what points say, confirmations (they are passed over).

mod keywords;
mod link;
mod object;
mod record;
#[cfg(test)]
mod tests;

use super::{
    Broken, Context, Field, Input, Looked, Parser, Piece, Probe, Protocol, ProtocolId, Ready, Settings,
    Taken, Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve;
use link::{Fault, HEAD_BYTES, Head};
use object::{End, Object};

/// Bytes of one message at most: as many full frames as there are numbers for them.
const MESSAGE_BYTES_MAX: usize = 64 * 249;
/// Messages that are not yet looked at, beyond which the next one is told.
const OPEN_MAX: usize = 32;
/// Bytes that are looked at to tell whether a server says its name.
const NAME_BYTES_MAX: usize = 256;

const EVENTS: &[&str] = &[
    "flooded",
    "len_too_small",
    "bad_link_crc",
    "bad_transport_crc",
    "malformed",
    "unknown_object",
    "too_many_points",
    "too_many_objects",
    "too_long_reassembly",
];
const FLOODED: u128 = 1;
const TOO_SHORT: u128 = 1 << 1;
const BAD_HEAD: u128 = 1 << 2;
const BAD_DATA: u128 = 1 << 3;
const UNKNOWN_OBJECT: u128 = 1 << 5;
const TOO_MANY_POINTS: u128 = 1 << 6;
const TOO_MANY_OBJECTS: u128 = 1 << 7;
const TOO_LONG: u128 = 1 << 8;

/// The frame comes from the master.
const FROM_MASTER: u8 = 0x80;
/// The last and the first frame of a message, and the number of one.
const LAST: u8 = 0x80;
const FIRST: u8 = 0x40;
const NUMBER: u8 = 0x3f;

const CONFIRM: u8 = 0;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Dnp3,
    name: "dnp3",
    keywords: keywords::KEYWORDS,
    events: EVENTS,
    frames: &[],
    signatures: &[],
    probes: &[probe(Direction::ToServer, to_server), probe(Direction::ToClient, to_client)],
    begin: |_: &Settings| Protocol::boxed(Dnp3::default()),
};

const fn probe(direction: Direction, look: fn(&[u8]) -> Looked) -> Probe {
    Probe { transport: Transport::Tcp, ports: &[(20_000, 20_000)], direction, least: 4, look }
}

/// Some servers say their name first.
fn is_name(bytes: &[u8]) -> bool {
    !link::starts(bytes) && bytes.windows(4).any(|window| window == b"DNP3")
}

fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().take(NAME_BYTES_MAX).all(|byte| (b' '..=b'~').contains(byte))
}

fn look(bytes: &[u8], direction: Direction) -> Looked {
    if is_name(bytes) && is_printable(bytes) {
        return if direction == Direction::ToServer { Looked::Reversed } else { Looked::Yes };
    }
    let Some(head) = bytes.first_chunk::<HEAD_BYTES>() else { return Looked::Unsure };
    let [_, _, length, control, ..] = *head;
    if !link::starts(head) || length < 5 {
        return Looked::No;
    }
    let is_from_master = control & FROM_MASTER != 0;
    if is_from_master == (direction == Direction::ToServer) { Looked::Yes } else { Looked::Reversed }
}

fn to_server(bytes: &[u8]) -> Looked {
    look(bytes, Direction::ToServer)
}

fn to_client(bytes: &[u8]) -> Looked {
    look(bytes, Direction::ToClient)
}

/// The parser of one flow.
#[derive(Clone, Default)]
pub(super) struct Dnp3 {
    transactions: Transactions<Dnp3Transaction>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dnp3Transaction {
    direction: Direction,
    head: Head,
    /// The last frame's place in it.
    place: u8,
    control: u8,
    function: u8,
    /// What a server indicates with every answer.
    indications: u16,
    /// The message, from its own head on.
    bytes: Vec<u8>,
    objects: Vec<Object>,
    /// All objects are known.
    is_understood: bool,
    is_complete: bool,
    events: u128,
}

impl Dnp3 {
    fn tell(&mut self, event: u128) {
        if let Some(last) = self.transactions.last_mut() {
            last.events |= event;
        }
    }

    fn frame(&mut self, direction: Direction, head: Head, data: &[u8]) {
        let [place, control, function, ref rest @ ..] = *data else { return };
        if place & FIRST == 0 {
            let goes_on = |message: &&mut Dnp3Transaction| {
                message.direction == direction
                    && (message.head.source, message.head.destination) == (head.source, head.destination)
                    && !message.is_complete
                    && ((message.place & NUMBER) + 1) & NUMBER == place & NUMBER
            };
            let mut messages = self.transactions.iter_mut().map(|live| &mut live.transaction);
            if let Some(message) = messages.find(goes_on) {
                message.place = place;
                message.add(data.get(1..).unwrap_or_default());
            }
            return;
        }
        if direction == Direction::ToServer && function == CONFIRM {
            return;
        }
        let indications = match rest {
            [first, second, ..] if direction == Direction::ToClient => u16::from_be_bytes([*first, *second]),
            _ => 0,
        };
        let mut message = Dnp3Transaction {
            direction,
            head,
            place,
            control,
            function,
            indications,
            bytes: Vec::new(),
            objects: Vec::new(),
            is_understood: false,
            is_complete: false,
            events: 0,
        };
        if self.transactions.len() >= OPEN_MAX {
            message.events |= FLOODED;
            // The oldest is not waited for any longer.
            let open = |live: &&mut super::Live<Dnp3Transaction>| !live.transaction.is_complete;
            if let Some(oldest) = self.transactions.iter_mut().find(open) {
                oldest.transaction.is_complete = true;
            }
        }
        message.add(data.get(1..).unwrap_or_default());
        self.transactions.open(message);
    }
}

impl Dnp3Transaction {
    /// The data of the next frame.
    fn add(&mut self, data: &[u8]) {
        if self.bytes.len() + data.len() > MESSAGE_BYTES_MAX {
            self.events |= TOO_LONG;
            self.is_complete = true;
            return;
        }
        self.bytes.extend_from_slice(data);
        if self.place & LAST == 0 {
            return;
        }
        self.is_complete = true;
        let head_bytes = if self.direction == Direction::ToServer { 2 } else { 4 };
        let end = object::read(self.bytes.get(head_bytes..).unwrap_or_default(), &mut self.objects);
        self.is_understood = end == End::Complete;
        self.events |= match end {
            End::Complete | End::Cut => 0,
            End::Unknown => UNKNOWN_OBJECT,
            End::TooManyPoints => TOO_MANY_POINTS,
            End::TooManyObjects => TOO_MANY_OBJECTS,
        };
    }
}

impl Parser for Dnp3 {
    type Transaction = Dnp3Transaction;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        _context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        if direction == Direction::ToClient && is_name(input.bytes) {
            return Ok(Taken::all(&input));
        }
        let mut taken = 0;
        while let Some(rest) = input.bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let head = match Head::read(rest) {
                Ok(head) => head,
                Err(Fault::Incomplete(whole)) => return Ok(Taken::part(taken, whole)),
                Err(fault) => {
                    self.tell(match fault {
                        Fault::Checksum => BAD_HEAD,
                        Fault::Length => TOO_SHORT,
                        Fault::Start | Fault::Incomplete(_) => 0,
                    });
                    return Err(Broken);
                }
            };
            let whole = head.frame_bytes();
            let Some(blocks) = rest.get(HEAD_BYTES..whole) else { return Ok(Taken::part(taken, whole)) };
            taken += whole;
            if !head.has_data() {
                continue;
            }
            let (least, is_client) = match direction {
                Direction::ToServer => (3, true),
                Direction::ToClient => (5, false),
            };
            if head.length < least {
                self.tell(TOO_SHORT);
                if is_client {
                    continue;
                }
                return Err(Broken);
            }
            match link::data(blocks) {
                Some(data) => self.frame(direction, head, &data),
                None => self.tell(BAD_DATA),
            }
        }
        Ok(Taken::all(&input))
    }

    fn transactions(&self) -> &Transactions<Dnp3Transaction> {
        &self.transactions
    }

    fn transactions_mut(&mut self) -> &mut Transactions<Dnp3Transaction> {
        &mut self.transactions
    }
}

impl Transaction for Dnp3Transaction {
    fn is_complete(&self, direction: Direction) -> bool {
        self.is_complete || direction != self.direction
    }

    fn concerns(&self, direction: Direction) -> bool {
        direction == self.direction
    }

    fn ready(&self, _field: Field, direction: Direction) -> Ready {
        if self.is_complete(direction) { Ready::Full } else { Ready::Part }
    }

    fn visit(&self, field: Field, _direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        if field == keywords::DATA && !self.bytes.is_empty() {
            show(Piece::whole(&self.bytes));
        }
    }

    fn events(&self, _direction: Direction) -> u128 {
        self.events
    }

    fn record(&self, record: &mut eve::Object) {
        record::write(self, record);
    }
}
