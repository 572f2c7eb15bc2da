//! Multicast DNS: the messages of DNS, said to everybody.
//!
//! There is no server that answers: all that is said goes to the server, questions and answers alike, and a
//! message is an exchange of its own. The parser of messages, what can be odd about them, and what is done
//! about damaged ones, are those of `dns`.
//!
//! Not here: who has which name, which nobody asks for.

use super::dns::{self, Data, DnsMessage, Message, Record, Section};
use super::{
    Broken, Buffer, Context, Family, Field, Input, Keyword, Looked, Parser, Piece, Probe, Protocol,
    ProtocolId, Settings, Sides, Taken, Takes, Transaction, Transactions, Transport,
};
use crate::Direction;
use crate::eve::Object;

/// The front door.
pub static PROTOCOL: Protocol = Protocol {
    id: ProtocolId::Mdns,
    name: "mdns",
    keywords: KEYWORDS,
    events: dns::EVENTS,
    frames: &["mdns.pdu"],
    signatures: &[],
    probes: &[
        Probe {
            transport: Transport::Udp,
            ports: PORTS,
            direction: Direction::ToServer,
            least: 12,
            look: look_to_server,
        },
        Probe {
            transport: Transport::Udp,
            ports: PORTS,
            direction: Direction::ToClient,
            least: 12,
            look: look_to_client,
        },
    ],
    begin: |_: &Settings| Protocol::boxed(Mdns::default()),
};

const PORTS: &[(u16, u16)] = &[(5353, 5353)];

const QUESTIONS: Field = Field::new(Family::Mdns, 0);
const ANSWERS: Field = Field::new(Family::Mdns, 1);
const AUTHORITIES: Field = Field::new(Family::Mdns, 2);
const ADDITIONALS: Field = Field::new(Family::Mdns, 3);
const ALL_NAMES: Field = Field::new(Family::Mdns, 4);

const KEYWORDS: &[Keyword] = &[
    buffer("mdns.queries.rrname", QUESTIONS),
    buffer("mdns.answers.rrname", ANSWERS),
    buffer("mdns.authorities.rrname", AUTHORITIES),
    buffer("mdns.additionals.rrname", ADDITIONALS),
    buffer("mdns.response.rrname", ALL_NAMES),
];

const fn buffer(name: &'static str, field: Field) -> Keyword {
    let buffer = Buffer { field, sides: Sides::ToServer, protocols: &[ProtocolId::Mdns] };
    Keyword { name, takes: Takes::Buffer(buffer) }
}

/// One message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MdnsMessage(DnsMessage);

impl Transaction for MdnsMessage {
    fn is_complete(&self, _direction: Direction) -> bool {
        true
    }

    fn concerns(&self, direction: Direction) -> bool {
        direction == Direction::ToServer
    }

    /// As with DNS, nobody waits for a name to be absent.
    fn lacks(&self, field: Field, direction: Direction) -> bool {
        let mut has_name = false;
        self.visit(field, direction, &mut |_| has_name = true);
        !has_name
    }

    fn visit(&self, field: Field, direction: Direction, show: &mut dyn FnMut(Piece<'_>)) {
        if direction == Direction::ToClient {
            return;
        }
        let is_response = self.0.message.header.is_response();
        match field {
            QUESTIONS if !is_response => self.0.names(Section::Questions, show),
            ANSWERS => self.0.names(Section::Answers, show),
            AUTHORITIES if is_response => self.0.names(Section::Authorities, show),
            ADDITIONALS if is_response => self.0.names(Section::Additionals, show),
            ALL_NAMES if is_response => self.0.all_names(show),
            _ => {}
        }
    }

    fn events(&self, direction: Direction) -> u128 {
        self.0.events(direction)
    }

    fn record(&self, record: &mut Object) {
        let message = &self.0.message;
        let header = message.header;
        record.text("type", if header.is_response() { "response" } else { "request" });
        record.number("id", header.id.into());
        let flags: Vec<&str> = dns::flags(header).filter(|flag| *flag != "qr").collect();
        if !flags.is_empty() {
            record.texts("flags", flags);
        }
        record.number("opcode", header.opcode().into());
        record.number("rcode", header.rcode().into());
        let questions = message.section(Section::Questions);
        if !questions.is_empty() {
            record.objects("queries", questions.iter().map(|question| begun(message, question, true)));
        }
        for (section, key) in [
            (Section::Answers, "answers"),
            (Section::Authorities, "authorities"),
            (Section::Additionals, "additionals"),
        ] {
            let says_something = |record: &&Record| {
                section != Section::Additionals
                    || !matches!(record.data, Data::Options(text) if text.is_empty())
            };
            let details: Vec<Object> = message
                .section(section)
                .iter()
                .filter(says_something)
                .map(|record| detail(message, record))
                .collect();
            if !details.is_empty() {
                record.objects(key, details);
            }
        }
    }
}

fn begun(message: &Message, record: &Record, is_question: bool) -> Object {
    let mut object = Object::new();
    object.bytes("rrname", message.text(record.name));
    if is_question {
        object.text("rrtype", &dns::type_name(record.rrtype).to_lowercase());
    }
    if record.name.is_cut_off() {
        object.flag("rrname_truncated", true);
    }
    object
}

/// A record under the name of its type.
fn detail(message: &Message, record: &Record) -> Object {
    let mut object = begun(message, record, false);
    let key = dns::type_name(record.rrtype).to_lowercase();
    match record.data {
        Data::Address(text) => object.text(&key, &dns::address(message.text(text))),
        Data::Name(text) => {
            object.bytes(&key, message.text(text));
            if text.is_cut_off() {
                object.flag("rdata_truncated", true);
            }
        }
        Data::Strings(text) => object.byte_strings(&key, dns::strings(message.text(text)).flatten()),
        Data::Bytes(text) | Data::Other(text) => object.bytes(&key, message.text(text)),
        Data::Options(text) => object.objects(&key, dns::option_objects(message.text(text))),
        Data::Soa { .. } | Data::Service { .. } | Data::Fingerprint(_) => {
            object.object(&key, dns::structure(message, record.data).unwrap_or_default());
        }
        Data::Nothing => {}
    }
    object
}

/// The state of a flow that speaks multicast DNS.
#[derive(Clone, Default)]
struct Mdns {
    messages: Transactions<MdnsMessage>,
}

impl Parser for Mdns {
    type Transaction = MdnsMessage;

    fn feed(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        context: &mut Context<'_>,
    ) -> Result<Taken, Broken> {
        context.frame("mdns.pdu", direction, input.bytes);
        match DnsMessage::parse(input.bytes, Direction::ToServer) {
            Ok(mut message) => {
                message.number = self.messages.opened();
                self.messages.open(MdnsMessage(message));
            }
            Err(dns::Refusal::Header) => {}
            Err(dns::Refusal::Body) => {
                if let Some(last) = self.messages.last_mut() {
                    last.0.set_malformed();
                }
            }
        }
        Ok(Taken::all(&input))
    }

    fn transactions(&self) -> &Transactions<MdnsMessage> {
        &self.messages
    }

    fn transactions_mut(&mut self) -> &mut Transactions<MdnsMessage> {
        &mut self.messages
    }
}

fn look_to_server(bytes: &[u8]) -> Looked {
    if dns::is_message(bytes) { Looked::Yes } else { Looked::No }
}

/// Whoever said it: it goes to the server.
fn look_to_client(bytes: &[u8]) -> Looked {
    if dns::is_message(bytes) { Looked::Reversed } else { Looked::No }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::trial::Trial;

    const QUESTION: &[u8] = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x05_ipps\x04_tcp\x05local\0\0\x0c\0\x01";
    const ANSWER: &[u8] =
        b"\0\0\x84\0\0\0\0\x01\0\0\0\x01\x01a\x05local\0\0\x0c\0\x01\0\0\0\x78\0\x04\x01b\xc0\x0e\
        \xc0\x0c\0\x10\x80\x01\0\0\0\x78\0\x05\x04k=v1";

    fn seen() -> Trial<Mdns> {
        let mut trial = Trial::new(Mdns::default(), Transport::Udp, &["mdns.pdu"]);
        trial.say(Direction::ToServer, QUESTION).say(Direction::ToClient, ANSWER);
        trial
    }

    #[test]
    fn all_that_is_said_goes_to_the_server() {
        let trial = seen();
        assert!(trial.transactions().all(|message| !message.concerns(Direction::ToClient)));
        assert_eq!(trial.values(QUESTIONS, Direction::ToServer), ["_ipps._tcp.local"]);
        assert_eq!(trial.values(ANSWERS, Direction::ToServer), ["a.local"]);
        assert_eq!(trial.values(ADDITIONALS, Direction::ToServer), ["a.local"]);
        assert_eq!(trial.values(ALL_NAMES, Direction::ToServer), ["a.local", "b.local", "a.local"]);
        assert_eq!(trial.frames.len(), 2);
        assert_eq!((look_to_server(ANSWER), look_to_client(QUESTION)), (Looked::Yes, Looked::Reversed));
    }

    #[test]
    fn a_record_stands_under_the_name_of_its_type() {
        assert_eq!(
            seen().records(),
            [
                concat!(
                    r#"{"type":"request","id":0,"opcode":0,"rcode":0,"queries":[{"rrname":"_ipps._tcp.local","#,
                    r#""rrtype":"ptr"}]}"#,
                ),
                concat!(
                    r#"{"type":"response","id":0,"flags":["aa"],"opcode":0,"rcode":0,"#,
                    r#""answers":[{"rrname":"a.local","ptr":"b.local"}],"additionals":[{"rrname":"a.local","#,
                    r#""txt":["k=v1"]}]}"#,
                ),
            ]
        );
    }

    #[test]
    fn a_damaged_message_is_told_to_the_one_before_it() {
        let mut trial = seen();
        trial.say(Direction::ToServer, &QUESTION[..20]);
        assert_eq!(trial.transactions().count(), 2);
        assert_eq!(trial.events(PROTOCOL.events), ["malformed_data"]);
    }
}
