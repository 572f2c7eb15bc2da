//! One MQTT message (versions 3.1, 3.1.1 and 5).
//!
//! A message is read when all its bytes are there. Numbers and texts are those of the standard; what a type has
//! behind them is not looked at.

use super::property::{Property, properties};
use crate::app::bytes::Reader;

/// Topics of one message that are kept at most.
const TOPICS_MAX: usize = 128;
/// Reason codes of one message that are kept at most.
const CODES_MAX: usize = 1024;

/// Why there is no message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    Incomplete,
    Malformed,
}

/// The first bytes of each message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    /// 0 to 15.
    pub(super) kind: u8,
    pub(super) is_repeated: bool,
    pub(super) qos: u8,
    pub(super) is_retained: bool,
    /// How many bytes follow the header.
    pub(super) length: usize,
    /// How many bytes the header has.
    pub(super) bytes: usize,
}

/// What is connected with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connect {
    pub(super) protocol: Vec<u8>,
    pub(super) version: u8,
    pub(super) flags: u8,
    pub(super) client: Vec<u8>,
    pub(super) will_topic: Option<Vec<u8>>,
    pub(super) will_message: Option<Vec<u8>>,
    pub(super) username: Option<Vec<u8>>,
    pub(super) password: Option<Vec<u8>>,
    pub(super) properties: Vec<Property>,
    pub(super) will_properties: Vec<Property>,
}

/// What is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Publish {
    pub(super) topic: Vec<u8>,
    pub(super) id: Option<u16>,
    pub(super) message: Vec<u8>,
    pub(super) properties: Vec<Property>,
}

/// What a message says, by its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Unassigned,
    Connect(Box<Connect>),
    ConnectAnswer {
        is_known: bool,
        code: u8,
        properties: Vec<Property>,
    },
    Publish(Box<Publish>),
    /// PUBACK, PUBREC, PUBREL and PUBCOMP.
    PublishStep {
        id: u16,
        code: Option<u8>,
        properties: Vec<Property>,
    },
    /// Topics and the quality of service that is asked for each.
    Subscribe {
        id: u16,
        topics: Vec<(Vec<u8>, u8)>,
        properties: Vec<Property>,
    },
    SubscribeAnswer {
        id: u16,
        codes: Vec<u8>,
    },
    Unsubscribe {
        id: u16,
        topics: Vec<Vec<u8>>,
    },
    UnsubscribeAnswer {
        id: u16,
        codes: Vec<u8>,
    },
    Ping,
    Disconnect {
        code: Option<u8>,
        properties: Vec<Property>,
    },
    Authenticate {
        code: u8,
        properties: Vec<Property>,
    },
    /// It was too long to be read.
    Skipped,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) header: Header,
    pub(super) body: Body,
}

impl Message {
    /// Whether it refuses a connection for a wrong name or password: by the codes of versions 3 and 5.
    pub(super) fn refuses_login(&self) -> bool {
        matches!(self.body, Body::ConnectAnswer { code: 4 | 5 | 0x86 | 0x87, .. })
    }
}

/// The types, by their number, as records name them.
pub(super) const KINDS: [&str; 16] = [
    "unassigned",
    "connect",
    "connack",
    "publish",
    "puback",
    "pubrec",
    "pubrel",
    "pubcomp",
    "subscribe",
    "suback",
    "unsubscribe",
    "unsuback",
    "pingreq",
    "pingresp",
    "disconnect",
    "auth",
];
pub(super) const CONNECT: u8 = 1;
const CONNACK: u8 = 2;
const PUBLISH: u8 = 3;
pub(super) const PUBACK: u8 = 4;
pub(super) const PUBCOMP: u8 = 7;
const SUBSCRIBE: u8 = 8;
const SUBACK: u8 = 9;
const UNSUBSCRIBE: u8 = 10;
const UNSUBACK: u8 = 11;
const PINGREQ: u8 = 12;
const PINGRESP: u8 = 13;
const DISCONNECT: u8 = 14;
const AUTH: u8 = 15;

impl Header {
    /// The header at the front of `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Result<Header, Fault> {
        let mut reader = Reader::new(bytes);
        let first = reader.u8().ok_or(Fault::Incomplete)?;
        let length = integer(&mut reader)?;
        Ok(Header {
            kind: first >> 4,
            is_repeated: first & 8 != 0,
            qos: first >> 1 & 3,
            is_retained: first & 1 != 0,
            length: length as usize,
            bytes: bytes.len() - reader.len(),
        })
    }
}

impl Message {
    /// What the message of this header says; `body` has the header's length.
    pub(super) fn read(header: Header, body: &[u8], version: u8) -> Result<Message, Fault> {
        let mut reader = Reader::new(body);
        let reader = &mut reader;
        let is_5 = version == 5;
        let body = match header.kind {
            CONNECT => Body::Connect(Box::new(connect(reader)?)),
            CONNACK => {
                let is_known = number(reader)? & 1 != 0;
                let code = number(reader)?;
                Body::ConnectAnswer { is_known, code, properties: properties(reader, is_5)? }
            }
            PUBLISH => {
                let topic = text(reader)?;
                let id = if header.qos > 0 { Some(id(reader)?) } else { None };
                let properties = properties(reader, is_5)?;
                Body::Publish(Box::new(Publish { topic, id, message: reader.rest().to_vec(), properties }))
            }
            PUBACK..=PUBCOMP => step(reader, version)?,
            SUBSCRIBE => subscribe(reader, is_5)?,
            SUBACK => {
                let id = id(reader)?;
                properties(reader, is_5)?;
                Body::SubscribeAnswer { id, codes: codes(reader) }
            }
            UNSUBSCRIBE => {
                let id = id(reader)?;
                properties(reader, is_5)?;
                let mut topics = Vec::new();
                while let Some(topic) = reader.piece() {
                    if topics.len() < TOPICS_MAX {
                        topics.push(readable(topic));
                    }
                }
                Body::Unsubscribe { id, topics }
            }
            UNSUBACK => {
                let id = id(reader)?;
                properties(reader, is_5)?;
                Body::UnsubscribeAnswer { id, codes: codes(reader) }
            }
            PINGREQ | PINGRESP => Body::Ping,
            DISCONNECT => disconnect(reader, version)?,
            AUTH => Body::Authenticate { code: number(reader)?, properties: properties(reader, true)? },
            _ => Body::Unassigned,
        };
        Ok(Message { header, body })
    }
}

/// A number of up to four bytes with seven bits each, the low ones first.
pub(super) fn integer(reader: &mut Reader<'_>) -> Result<u32, Fault> {
    let mut value = 0;
    for place in 0..4 {
        let byte = reader.u8().ok_or(Fault::Incomplete)?;
        value |= u32::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Fault::Malformed)
}

/// Text whose bytes that are none are replaced, as rules expect it.
pub(super) fn readable(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(bytes).into_owned().into_bytes()
}

pub(super) fn text(reader: &mut Reader<'_>) -> Result<Vec<u8>, Fault> {
    reader.piece().map(readable).ok_or(Fault::Incomplete)
}

pub(super) fn data(reader: &mut Reader<'_>) -> Result<Vec<u8>, Fault> {
    reader.piece().map(<[u8]>::to_vec).ok_or(Fault::Incomplete)
}

fn number(reader: &mut Reader<'_>) -> Result<u8, Fault> {
    reader.u8().ok_or(Fault::Incomplete)
}

fn id(reader: &mut Reader<'_>) -> Result<u16, Fault> {
    reader.be16().ok_or(Fault::Incomplete)
}

fn codes(reader: &Reader<'_>) -> Vec<u8> {
    reader.rest().iter().take(CODES_MAX).copied().collect()
}

fn connect(reader: &mut Reader<'_>) -> Result<Connect, Fault> {
    let protocol = text(reader)?;
    let version = number(reader)?;
    let flags = number(reader)?;
    id(reader)?; // How often life is to be shown: nobody asks for it.
    let is_5 = version == 5;
    let properties_ = properties(reader, is_5)?;
    let client = text(reader)?;
    let has = |bit: u8| flags & bit != 0;
    let will_properties = properties(reader, is_5 && has(0x04))?;
    let will_topic = if has(0x04) { Some(text(reader)?) } else { None };
    let will_message = if has(0x04) { Some(data(reader)?) } else { None };
    let username = if has(0x80) { Some(text(reader)?) } else { None };
    let password = if has(0x40) { Some(data(reader)?) } else { None };
    Ok(Connect {
        protocol,
        version,
        flags,
        client,
        will_topic,
        will_message,
        username,
        password,
        properties: properties_,
        will_properties,
    })
}

fn step(reader: &mut Reader<'_>, version: u8) -> Result<Body, Fault> {
    let length = reader.len();
    let id = id(reader)?;
    let (code, properties) = match (version, length) {
        (..5, _) => (None, Vec::new()),
        (_, 2) => (Some(0), Vec::new()),
        (_, 3) => (Some(number(reader)?), Vec::new()),
        _ => (Some(number(reader)?), properties(reader, true)?),
    };
    Ok(Body::PublishStep { id, code, properties })
}

fn subscribe(reader: &mut Reader<'_>, is_5: bool) -> Result<Body, Fault> {
    let id = id(reader)?;
    let properties = properties(reader, is_5)?;
    let mut topics = Vec::new();
    loop {
        let mut ahead = *reader;
        let (Some(topic), Some(qos)) = (ahead.piece(), ahead.u8()) else { break };
        if topics.len() < TOPICS_MAX {
            topics.push((readable(topic), qos));
        }
        *reader = ahead;
    }
    if topics.is_empty() { Err(Fault::Malformed) } else { Ok(Body::Subscribe { id, topics, properties }) }
}

fn disconnect(reader: &mut Reader<'_>, version: u8) -> Result<Body, Fault> {
    let (code, properties) = match (version, reader.len()) {
        (..5, _) => (None, Vec::new()),
        // A reason without properties is not told.
        (_, 0 | 1) => (Some(0), Vec::new()),
        _ => (Some(number(reader)?), properties(reader, true)?),
    };
    Ok(Body::Disconnect { code, properties })
}
