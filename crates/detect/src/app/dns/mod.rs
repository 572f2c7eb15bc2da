//! DNS over UDP and TCP, and what multicast DNS and DNS over HTTP/2 share with it.
//!
//! Each message is an exchange of its own, about its own direction alone: a question is never joined with its
//! answer, since rules look at either. Upon a datagram: the message that it is, or nothing if its header
//! cannot be true. Upon a stream: messages with two bytes of length before each; one that cannot be read ends
//! the matter, since the stream is something else then. Upon a hole: what follows is taken up again where it
//! looks like the beginning of a message.
//!
//! A damaged message makes no exchange; the last one before it is told so (`malformed_data`), if it is still
//! there.
//!
//! Not here: joining answers to questions, which nobody asks for.

mod keywords;
mod kinds;
mod message;
mod name;
mod record;
#[cfg(test)]
mod tests;

pub use kinds::Data;
pub(super) use kinds::strings;
pub use message::{Fault, Header, Message, Record, Refusal, Section};
pub use name::{NameOddities, Text};
pub(super) use record::{address, flags, option_objects, structure, type_name};

use super::{
    Broken, Context, Field, Input, Looked, Parser, Piece, Probe, Protocol, ProtocolId, Settings, Taken,
    Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Dns,
    name: "dns",
    keywords: keywords::KEYWORDS,
    events: EVENTS,
    frames: &["dns.pdu"],
    signatures: &[],
    probes: &[
        Probe {
            transport: Transport::Udp,
            ports: PORTS,
            direction: Direction::ToServer,
            least: 12,
            look: datagram_to_server,
        },
        Probe {
            transport: Transport::Udp,
            ports: PORTS,
            direction: Direction::ToClient,
            least: 12,
            look: datagram_to_client,
        },
        Probe {
            transport: Transport::Tcp,
            ports: PORTS,
            direction: Direction::ToServer,
            least: 14,
            look: stream_to_server,
        },
        Probe {
            transport: Transport::Tcp,
            ports: PORTS,
            direction: Direction::ToClient,
            least: 14,
            look: stream_to_client,
        },
    ],
    begin: |_: &Settings| Protocol::boxed(Dns::default()),
};

const PORTS: &[(u16, u16)] = &[(53, 53)];

/// Bytes of a stream after which there is no doubt left: the length and the header.
const STREAM_DOUBT_BYTES_MAX: usize = 2 + message::HEADER_BYTES;

/// The names of what can be odd, in the order of their bits.
pub(super) const EVENTS: &[&str] = &[
    "malformed_data",
    "not_request",
    "not_response",
    "z_flag_set",
    "invalid_opcode",
    "name_too_long",
    "infinite_loop",
    "too_many_labels",
    "invalid_additionals",
    "invalid_authorities",
];

const MALFORMED_DATA: u128 = 1 << 0;
const NOT_REQUEST: u128 = 1 << 1;
const NOT_RESPONSE: u128 = 1 << 2;
const Z_FLAG_SET: u128 = 1 << 3;
const INVALID_OPCODE: u128 = 1 << 4;
const NAME_TOO_LONG: u128 = 1 << 5;
const INFINITE_LOOP: u128 = 1 << 6;
const TOO_MANY_LABELS: u128 = 1 << 7;
const INVALID_ADDITIONALS: u128 = 1 << 8;
const INVALID_AUTHORITIES: u128 = 1 << 9;

/// One message, as rules see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DnsMessage {
    /// Which exchange of the flow it is.
    pub number: u64,
    /// What it says.
    pub message: Message,
    /// Which way it went.
    pub direction: Direction,
    events: u128,
}

impl DnsMessage {
    /// What was said in this direction.
    ///
    /// # Errors
    ///
    /// It is no message, or a damaged one.
    pub fn parse(bytes: &[u8], direction: Direction) -> Result<DnsMessage, Refusal> {
        let message = Message::parse(bytes)?;
        let header = message.header;
        let odd = message.odd;
        let oddities = [
            (direction == Direction::ToClient && !header.is_response(), NOT_RESPONSE),
            (header.has_z(), Z_FLAG_SET),
            (header.opcode() >= 7, INVALID_OPCODE),
            (odd.contain(NameOddities::CUT_OFF), NAME_TOO_LONG),
            (odd.contain(NameOddities::LOOP), INFINITE_LOOP),
            (odd.contain(NameOddities::LABELS), TOO_MANY_LABELS),
            (message.has_invalid_additionals, INVALID_ADDITIONALS),
            (message.has_invalid_authorities, INVALID_AUTHORITIES),
        ];
        let events = oddities.iter().filter(|(is_so, _)| *is_so).fold(0, |events, (_, event)| events | event);
        Ok(DnsMessage { number: 0, message, direction, events })
    }

    /// Shows the names of a section; an empty one is the last that is looked at.
    pub(super) fn names(&self, section: Section, show: &mut dyn FnMut(Piece<'_>)) {
        for record in self.message.section(section) {
            let name = self.message.text(record.name);
            if name.is_empty() {
                break;
            }
            show(Piece::whole(name));
        }
    }

    /// Shows the names of all sections and, behind each, the name that its record tells.
    pub(super) fn all_names(&self, show: &mut dyn FnMut(Piece<'_>)) {
        self.names(Section::Questions, show);
        for section in [Section::Answers, Section::Authorities, Section::Additionals] {
            for record in self.message.section(section) {
                let name = self.message.text(record.name);
                if name.is_empty() {
                    break;
                }
                show(Piece::whole(name));
                let told = match record.data {
                    Data::Name(told) | Data::Soa { server: told, .. } => self.message.text(told),
                    _ => &[],
                };
                if !told.is_empty() {
                    show(Piece::whole(told));
                }
            }
        }
    }

    /// That something was wrong about what followed.
    pub(super) fn set_malformed(&mut self) {
        self.events |= MALFORMED_DATA;
    }
}

impl Transaction for DnsMessage {
    fn is_complete(&self, _direction: Direction) -> bool {
        true
    }

    fn concerns(&self, direction: Direction) -> bool {
        direction == self.direction
    }

    /// A message is there at once: nobody ever waits for a name of it to be absent, as with Suricata.
    fn lacks(&self, field: Field, direction: Direction) -> bool {
        let mut has_name = false;
        self.visit(field, direction, &mut |_| has_name = true);
        keywords::is_of_names(field) && !has_name
    }

    fn visit(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        if direction != self.direction {
            return;
        }
        let is_answer = direction == Direction::ToClient;
        match field {
            keywords::QUESTIONS => self.names(Section::Questions, show),
            keywords::ANSWERS => self.names(Section::Answers, show),
            keywords::AUTHORITIES if is_answer => self.names(Section::Authorities, show),
            keywords::ADDITIONALS if is_answer => self.names(Section::Additionals, show),
            keywords::ALL_NAMES if is_answer => self.all_names(show),
            _ => {}
        }
    }

    fn number(&self, field: Field, direction: Direction, show: &mut dyn FnMut(u64)) {
        if direction != self.direction {
            return;
        }
        let header = self.message.header;
        match field {
            keywords::OPCODE => show(header.opcode().into()),
            keywords::RCODE => show(header.rcode().into()),
            keywords::RRTYPE => {
                let section = match direction {
                    Direction::ToServer => Section::Questions,
                    Direction::ToClient => Section::Answers,
                };
                self.message.section(section).iter().for_each(|record| show(record.rrtype.into()));
            }
            _ => {}
        }
    }

    fn events(&self, direction: Direction) -> u128 {
        if direction == self.direction { self.events } else { 0 }
    }

    fn record(&self, record: &mut Object) {
        record::write(self, record);
    }
}

/// The state of a flow that speaks DNS.
#[derive(Clone, Default)]
struct Dns {
    messages: Transactions<DnsMessage>,
    is_behind_a_hole: bool,
}

impl Parser for Dns {
    type Transaction = DnsMessage;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        if context.ends.transport == Transport::Udp {
            context.frame("dns.pdu", direction, input.bytes);
            // A datagram that makes no sense says nothing about the next one.
            let _ = self.message(direction, input.bytes);
            return Ok(Taken::all(&input));
        }
        if self.is_behind_a_hole {
            let looks_right = !matches!(stream(input.bytes, direction), Looked::No)
                || input.bytes.len() < STREAM_DOUBT_BYTES_MAX;
            self.is_behind_a_hole = !looks_right;
            if !looks_right && direction == Direction::ToClient {
                return Ok(Taken::all(&input));
            }
        }
        self.stream(direction, input, context)
    }

    fn gap(&mut self, _direction: Direction, bytes: u64, _context: &mut Context<'_>) -> Result<(), Broken> {
        self.is_behind_a_hole |= bytes > 0;
        Ok(())
    }

    fn transactions(&self) -> &Transactions<DnsMessage> {
        &self.messages
    }

    fn transactions_mut(&mut self) -> &mut Transactions<DnsMessage> {
        &mut self.messages
    }
}

impl Dns {
    /// Takes messages with their length before them.
    fn stream(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        let mut rest = input.bytes;
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            let Some((bytes, after)) = after.split_at_checked(length) else {
                return Ok(Taken::part(input.bytes.len() - rest.len(), length + 2));
            };
            if length > 0 {
                context.frame("dns.pdu", direction, bytes);
                self.message(direction, bytes)?;
            }
            rest = after;
        }
        Ok(Taken::part(input.bytes.len() - rest.len(), if rest.is_empty() { 0 } else { 2 }))
    }

    fn message(&mut self, direction: Direction, bytes: &[u8]) -> Result<(), Broken> {
        let refusal = match DnsMessage::parse(bytes, direction) {
            Ok(message) if direction == Direction::ToServer && message.message.header.is_response() => {
                NOT_REQUEST
            }
            Ok(mut message) => {
                message.number = self.messages.opened();
                self.messages.open(message);
                return Ok(());
            }
            Err(Refusal::Header) => 0,
            Err(Refusal::Body) => MALFORMED_DATA,
        };
        if let Some(last) = self.messages.last_mut() {
            last.events |= refusal;
        }
        Err(Broken)
    }
}

/// Whether a message with this header goes the right way.
fn judge(header: Option<Header>, direction: Direction) -> Looked {
    match header {
        None => Looked::No,
        Some(header) if header.is_response() == (direction == Direction::ToClient) => Looked::Yes,
        Some(_) => Looked::Reversed,
    }
}

/// Whether a datagram is a message.
pub(super) fn is_message(bytes: &[u8]) -> bool {
    Message::look(bytes).is_some()
}

fn datagram_to_server(bytes: &[u8]) -> Looked {
    judge(Message::look(bytes), Direction::ToServer)
}

fn datagram_to_client(bytes: &[u8]) -> Looked {
    judge(Message::look(bytes), Direction::ToClient)
}

fn stream(bytes: &[u8], direction: Direction) -> Looked {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else {
        return Looked::Unsure;
    };
    let length = usize::from(u16::from_be_bytes(*length));
    let header = match rest.get(..length) {
        Some(message) => Message::look(message),
        None => Message::glance(rest, length),
    };
    match judge(header, direction) {
        Looked::No if bytes.len() <= STREAM_DOUBT_BYTES_MAX => Looked::Unsure,
        looked => looked,
    }
}

fn stream_to_server(bytes: &[u8]) -> Looked {
    stream(bytes, Direction::ToServer)
}

fn stream_to_client(bytes: &[u8]) -> Looked {
    stream(bytes, Direction::ToClient)
}
