//! The properties that messages of MQTT 5 have.

use super::message::{Fault, data, integer, text};
use crate::app::bytes::Reader;
use crate::eve::Object;

/// Properties of one message that are kept at most.
const PROPERTIES_MAX: usize = 128;

/// What a property says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(u32),
    Bytes(Vec<u8>),
    /// A property that the sender named.
    Pair(Vec<u8>, Vec<u8>),
}

/// A property: its name in records, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Property {
    name: &'static str,
    value: Value,
}

/// How a property is written.
#[derive(Clone, Copy)]
enum Form {
    Byte,
    TwoBytes,
    FourBytes,
    Integer,
    Text,
    Data,
    Pair,
}

fn form(number: u32) -> Option<(&'static str, Form)> {
    Some(match number {
        1 => ("payload_format_indicator", Form::Byte),
        2 => ("message_expiry_interval", Form::FourBytes),
        3 => ("content_type", Form::Text),
        8 => ("response_topic", Form::Text),
        9 => ("correlation_data", Form::Data),
        11 => ("subscription_identifier", Form::Integer),
        17 => ("session_expiry_interval", Form::FourBytes),
        18 => ("assigned_client_identifier", Form::Text),
        19 => ("server_keep_alive", Form::TwoBytes),
        21 => ("authentication_method", Form::Text),
        22 => ("authentication_data", Form::Data),
        23 => ("request_problem_information", Form::Byte),
        24 => ("will_delay_interval", Form::FourBytes),
        25 => ("request_response_information", Form::Byte),
        26 => ("response_information", Form::Text),
        28 => ("server_reference", Form::Text),
        31 => ("reason_string", Form::Text),
        33 => ("receive_maximum", Form::TwoBytes),
        34 => ("topic_alias_maximum", Form::TwoBytes),
        35 => ("topic_alias", Form::TwoBytes),
        36 => ("maximum_qos", Form::Byte),
        37 => ("retain_available", Form::Byte),
        38 => ("", Form::Pair),
        39 => ("maximum_packet_size", Form::FourBytes),
        40 => ("wildcard_subscription_available", Form::Byte),
        41 => ("subscription_identifier_available", Form::Byte),
        42 => ("shared_subscription_available", Form::Byte),
        _ => return None,
    })
}

/// Reads the properties that stand here, if there are any to be.
pub(super) fn properties(reader: &mut Reader<'_>, are_there: bool) -> Result<Vec<Property>, Fault> {
    if !are_there {
        return Ok(Vec::new());
    }
    let length = integer(reader)?;
    let mut inner = Reader::new(reader.take(length as usize).ok_or(Fault::Malformed)?);
    let mut all = Vec::new();
    while !inner.is_empty() {
        // What nobody knows has no bytes but its number.
        let Some((name, form)) = form(integer(&mut inner)?) else { continue };
        let reader = &mut inner;
        let value = match form {
            Form::Byte => Value::Number(u32::from(reader.u8().ok_or(Fault::Incomplete)?)),
            Form::TwoBytes => Value::Number(u32::from(reader.be16().ok_or(Fault::Incomplete)?)),
            Form::FourBytes => Value::Number(reader.be32().ok_or(Fault::Incomplete)?),
            Form::Integer => Value::Number(integer(reader)?),
            Form::Text => Value::Bytes(text(reader)?),
            Form::Data => Value::Bytes(data(reader)?),
            Form::Pair => Value::Pair(text(reader)?, text(reader)?),
        };
        if all.len() < PROPERTIES_MAX {
            all.push(Property { name, value });
        }
    }
    Ok(all)
}

/// Writes properties down, if there are any.
pub(super) fn write(properties: &[Property], limit: usize, record: &mut Object) {
    if properties.is_empty() {
        return;
    }
    let mut object = Object::new();
    for property in properties {
        match &property.value {
            Value::Number(number) => object.number(property.name, u64::from(*number)),
            Value::Bytes(bytes) => object.bytes(property.name, bytes.get(..limit).unwrap_or(bytes)),
            Value::Pair(name, value) => {
                object.bytes(&String::from_utf8_lossy(name), value.get(..limit).unwrap_or(value));
            }
        }
    }
    record.object("properties", object);
}
