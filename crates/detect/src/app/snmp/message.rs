//! One SNMP message.

use crate::app::ber::{
    BIT_STRING, Class, Fault, Head, INTEGER, NULL, OCTET_STRING, OID, content, dotted, element, octets,
    sequence, text, u32, unsigned,
};
use crate::app::bytes::Reader;
use core::net::Ipv4Addr;

/// Variables of one message that are kept for its record at most.
const VARIABLES_MAX: usize = 256;

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// Versions 1 and 2c.
    Community(Vec<u8>),
    /// Version 3.
    User(Vec<u8>),
    Unknown,
}

/// What a trap of version 1 is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trap {
    pub(super) kind: u8,
    pub(super) enterprise: String,
    pub(super) address: Ipv4Addr,
}

/// What is asked or told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pdu {
    pub(super) kind: u32,
    pub(super) error: u32,
    pub(super) trap: Option<Trap>,
    /// The names of variables; only if records are wanted.
    pub(super) variables: Vec<String>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// 1, 2 or 3.
    pub(super) version: u32,
    pub(super) security: Security,
    /// Nothing if it is encrypted.
    pub(super) pdu: Option<Pdu>,
}

/// The version of what looks like a message: how many parts it has, and what number stands first.
pub(super) fn envelope_version(bytes: &[u8]) -> Option<u32> {
    let mut parts = sequence(&mut Reader::new(bytes)).ok()?;
    let version = u32(&mut parts).ok()?;
    let mut count = 1;
    while !parts.is_empty() {
        element(&mut parts).ok()?;
        count += 1;
    }
    match (count, version) {
        (3, 0 | 1) => Some(version + 1),
        (4, 3) => Some(3),
        _ => None,
    }
}

impl Message {
    /// The message that `bytes` begin with.
    pub(super) fn read(bytes: &[u8], with_variables: bool) -> Option<Message> {
        Self::parse(bytes, with_variables).ok()
    }

    fn parse(bytes: &[u8], with_variables: bool) -> Result<Message, Fault> {
        let mut parts = sequence(&mut Reader::new(bytes))?;
        match u32(&mut parts)? {
            version @ (0 | 1) => {
                let community = text(&mut parts)?.to_vec();
                let pdu = Pdu::read(&mut parts, version == 0, with_variables)?;
                Ok(Message { version: version + 1, security: Security::Community(community), pdu: Some(pdu) })
            }
            3 => Self::version_3(&mut parts, with_variables),
            _ => Err(Fault::Invalid),
        }
    }

    fn version_3(parts: &mut Reader<'_>, with_variables: bool) -> Result<Message, Fault> {
        let mut header = sequence(parts)?;
        u32(&mut header)?; // The message's number.
        u32(&mut header)?; // The longest answer.
        let [flags] = *octets(&mut header)? else { return Err(Fault::Invalid) };
        let model = u32(&mut header)?;
        let parameters = octets(parts)?;
        let security = if model == 3 { Security::User(user(parameters)?) } else { Security::Unknown };
        let pdu = if flags & 2 != 0 {
            octets(parts)?;
            None
        } else {
            let mut scoped = sequence(parts)?;
            octets(&mut scoped)?; // The engine.
            octets(&mut scoped)?; // The context's name.
            Some(Pdu::read(&mut scoped, false, with_variables)?)
        };
        Ok(Message { version: 3, security, pdu })
    }
}

/// The user's name in the parameters of the user-based security model.
fn user(parameters: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut parts = sequence(&mut Reader::new(parameters))?;
    octets(&mut parts)?; // The engine,
    u32(&mut parts)?; // how often it began,
    u32(&mut parts)?; // and how long ago.
    let name = text(&mut parts)?.to_vec();
    octets(&mut parts)?; // Authentication.
    octets(&mut parts)?; // Privacy.
    Ok(name)
}

impl Pdu {
    fn read(parts: &mut Reader<'_>, is_version_1: bool, with_variables: bool) -> Result<Pdu, Fault> {
        let kind = Head::read(parts)?.tag;
        let (mut error, mut trap) = (0, None);
        match kind {
            4 => {
                let enterprise = object_identifier(parts)?;
                let address = element(parts)?;
                let octets: [u8; 4] = address.content.try_into().map_err(|_| Fault::Invalid)?;
                if address.class != Class::Application {
                    return Err(Fault::Invalid);
                }
                let generic = u32(parts)?;
                u32(parts)?; // The enterprise's own kind.
                let time = element(parts)?;
                if (time.class, time.tag) != (Class::Application, 3) {
                    return Err(Fault::Invalid);
                }
                unsigned(time.content, 4)?;
                trap = Some(Trap {
                    kind: generic as u8,
                    enterprise: dotted(enterprise),
                    address: octets.into(),
                });
            }
            0..=3 => error = status(parts)?,
            6..=8 if !is_version_1 => error = status(parts)?,
            5 if !is_version_1 => {
                status(parts)?;
            }
            _ => return Err(Fault::Invalid),
        }
        Ok(Pdu { kind, error, trap, variables: variables(parts, with_variables)? })
    }
}

/// Three numbers: the request's, the error's, and a third.
fn status(parts: &mut Reader<'_>) -> Result<u32, Fault> {
    u32(parts)?;
    let error = u32(parts)?;
    u32(parts)?;
    Ok(error)
}

fn object_identifier<'a>(parts: &mut Reader<'a>) -> Result<&'a [u8], Fault> {
    let content = content(parts, OID)?;
    // The last byte of a number has its highest bit clear.
    if content.last().is_none_or(|last| last & 0x80 != 0) { Err(Fault::Invalid) } else { Ok(content) }
}

fn variables(parts: &mut Reader<'_>, are_kept: bool) -> Result<Vec<String>, Fault> {
    let mut list = sequence(parts)?;
    let mut names = Vec::new();
    while !list.is_empty() {
        let mut pair = Reader::new(element(&mut list)?.content);
        let name = object_identifier(&mut pair)?;
        value(&mut pair)?;
        if are_kept && names.len() < VARIABLES_MAX {
            names.push(dotted(name));
        }
    }
    Ok(names)
}

/// Reads a value; one that its type cannot have spoils the message.
fn value(pair: &mut Reader<'_>) -> Result<(), Fault> {
    let value = element(pair)?;
    match (value.class, value.tag) {
        (Class::Context, 0..=2) | (_, NULL) => Ok(()),
        (Class::Context, _) => Err(Fault::Invalid),
        (Class::Application, 0) if value.content.len() != 4 => Err(Fault::Invalid),
        (Class::Application, 1..=3 | 7) => unsigned(value.content, 4).map(|_| ()),
        (Class::Application, 6) => unsigned(value.content, 8).map(|_| ()),
        (Class::Application, _) => Ok(()),
        _ if value.content.is_empty() => Ok(()),
        (_, INTEGER) => signed(value.content),
        (_, OID) if value.content.last().is_some_and(|last| last & 0x80 != 0) => Err(Fault::Invalid),
        (_, OCTET_STRING | BIT_STRING | OID) => Ok(()),
        _ => Ok(()),
    }
}

/// An integer of 32 bits: what is more only repeats the sign.
fn signed(content: &[u8]) -> Result<(), Fault> {
    let sign = if content.first().is_some_and(|first| first & 0x80 != 0) { 0xff } else { 0 };
    let surplus = content.len().saturating_sub(4);
    if content.iter().take(surplus).all(|byte| *byte == sign) { Ok(()) } else { Err(Fault::Invalid) }
}
