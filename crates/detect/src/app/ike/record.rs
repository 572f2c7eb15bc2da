//! What is written down of a message of IKE.

use super::version1::Attribute;
use super::{Agreed, IkeTransaction, Payloads, Side, names, version1, version2};
use crate::Direction;
use crate::eve::Object;

/// In version 2: who began speaks.
const FLAG_INITIATOR: u8 = 8;

/// Writes the message, and what was agreed on until then.
pub(super) fn write(message: &IkeTransaction, record: &mut Object) {
    let header = &message.header;
    let nothing = Agreed::default();
    let agreed = message.agreed.as_deref().unwrap_or(&nothing);
    record.number("version_major", u64::from(header.version.0));
    record.number("version_minor", u64::from(header.version.1));
    record.bytes("init_spi", &message.initiator);
    record.bytes("resp_spi", &message.responder);
    record.number("message_id", u64::from(header.message));
    record.number("exchange_type", u64::from(header.exchange));
    match &message.payloads {
        Payloads::Version1(payloads) => version1_(message.direction, payloads, agreed, record),
        Payloads::Version2(payloads) => version2_(header.flags, payloads, agreed, record),
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attributes(attributes: &[Attribute], object: &mut Object) {
    let mut told: Vec<&str> = Vec::new();
    for attribute in attributes {
        let name = names::attribute(attribute.kind);
        if told.contains(&name) {
            continue;
        }
        told.push(name);
        object.text(name, names::value(attribute));
        match (attribute.number, &attribute.bytes) {
            (Some(number), _) => object.number(&format!("{name}_raw"), u64::from(number)),
            (None, Some(bytes)) => object.text(&format!("{name}_raw"), &digits(bytes)),
            (None, None) => {}
        }
    }
}

fn proposals(transforms: &[Vec<Attribute>]) -> Vec<Object> {
    let proposal = |transform: &Vec<Attribute>| {
        let mut object = Object::new();
        attributes(transform, &mut object);
        object
    };
    transforms.iter().map(proposal).collect()
}

fn side(side: &Side, object: &mut Object) {
    if !side.key_exchange.is_empty() {
        object.text("key_exchange_payload", &digits(&side.key_exchange));
        object.number("key_exchange_payload_length", side.key_exchange.len() as u64);
    }
    if !side.nonce.is_empty() {
        object.text("nonce_payload", &digits(&side.nonce));
        object.number("nonce_payload_length", side.nonce.len() as u64);
    }
}

fn version1_(direction: Direction, payloads: &version1::Payloads, agreed: &Agreed, record: &mut Object) {
    attributes(&agreed.server.chosen, record);
    if direction == Direction::ToClient && payloads.transforms.len() > 1 {
        record.objects("server_proposals", proposals(&payloads.transforms));
    }
    record.texts("payload", payloads.types.iter().filter_map(|kind| names::payload1(*kind)));
    let mut object = Object::new();
    if let Some(interpretation) = agreed.interpretation {
        object.number("doi", u64::from(interpretation));
    }
    object.flag("encrypted_payloads", payloads.is_encrypted);
    if !payloads.is_encrypted {
        let mut client = Object::new();
        side(&agreed.client, &mut client);
        if direction == Direction::ToServer && !payloads.transforms.is_empty() {
            client.objects("proposals", proposals(&payloads.transforms));
        }
        object.object("client", client);
        let mut server = Object::new();
        side(&agreed.server, &mut server);
        object.object("server", server);
        if !payloads.vendors.is_empty() {
            object.texts("vendor_ids", payloads.vendors.iter().map(String::as_str));
        }
    }
    record.object("ikev1", object);
}

fn version2_(flags: u8, payloads: &version2::Payloads, agreed: &Agreed, record: &mut Object) {
    if flags & FLAG_INITIATOR != 0 {
        record.text("role", "initiator");
    } else {
        record.text("role", "responder");
        for (place, id) in agreed.algorithms.iter().enumerate() {
            let (key, name) = names::algorithm(place, *id);
            record.text(key, &name);
        }
    }
    let types: Vec<String> = payloads.types.iter().map(|kind| names::payload2(*kind)).collect();
    record.texts("payload", types.iter().map(String::as_str));
    let mut object = Object::new();
    object.number("errors", payloads.errors);
    let notifications: Vec<String> =
        payloads.notifications.iter().map(|kind| names::notification(*kind)).collect();
    if !notifications.is_empty() {
        object.texts("notify", notifications.iter().map(String::as_str));
    }
    record.object("ikev2", object);
}
