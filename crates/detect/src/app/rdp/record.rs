//! What EVE tells of a message.

use super::client::{ClientData, Core};
use super::message::{Answer, Message};
use super::names;
use super::parser::{RdpTransaction, Said};
use crate::eve::Object;

/// Writes a message.
pub(super) fn write(transaction: &RdpTransaction, record: &mut Object) {
    record.number("tx_id", transaction.number);
    match &transaction.said {
        Said::Certificates(serials) => {
            record.text("event_type", "tls_handshake");
            record.texts("x509_serials", serials.iter().map(String::as_str));
        }
        Said::Message(Message::Request { cookie, flags }) => {
            record.text("event_type", "initial_request");
            if let Some(cookie) = cookie {
                record.bytes("cookie", cookie);
            }
            list("flags", names::flags(u16::from(flags.unwrap_or(0)), names::REQUEST_FLAGS), record);
        }
        Said::Message(Message::Confirm { answer }) => {
            record.text("event_type", "initial_response");
            match answer {
                Some(Answer::Agrees { flags, protocol }) => {
                    let supported = names::flags(u16::from(*flags), names::SUPPORT_FLAGS);
                    list("server_supports", supported, record);
                    record.text("protocol", names::protocol(*protocol));
                }
                Some(Answer::Refuses { code }) => {
                    record.number("error_code", u64::from(*code));
                    record.text("reason", names::refusal(*code));
                }
                None => {}
            }
        }
        Said::Message(Message::ClientSettings(data)) => client(data, record),
        Said::Message(Message::ServerSettings) => record.text("event_type", "connect_response"),
        Said::Message(Message::Other) => {}
    }
}

fn list(key: &str, names: Vec<&'static str>, record: &mut Object) {
    if !names.is_empty() {
        record.texts(key, names);
    }
}

fn client(data: &ClientData, record: &mut Object) {
    record.text("event_type", "connect_request");
    if let Some(core) = &data.core {
        record.object("client", core_record(core));
    }
    if !data.channels.is_empty() {
        record.byte_strings("channels", data.channels.iter().map(Vec::as_slice));
    }
}

fn core_record(core: &Core) -> Object {
    let mut object = Object::new();
    object.text("version", names::version(core.version));
    object.number("desktop_width", u64::from(core.width));
    object.number("desktop_height", u64::from(core.height));
    let numbers = |object: &mut Object, list: &[(&str, Option<u64>)]| {
        for (key, value) in list {
            if let Some(value) = value {
                object.number(key, *value);
            }
        }
    };
    numbers(&mut object, &[("color_depth", color_depth(core))]);
    object.text("keyboard_layout", names::layout(core.keyboard_layout));
    object.text("build", names::build(core.build));
    if !core.name.is_empty() {
        object.bytes("client_name", core.name.as_bytes());
    }
    if let Some(keyboard) = names::keyboard(core.keyboard_type) {
        object.text("keyboard_type", keyboard);
    }
    let known = |value: u32| (value != 0).then_some(u64::from(value));
    let subtype = known(core.keyboard_subtype);
    numbers(&mut object, &[("keyboard_subtype", subtype), ("function_keys", known(core.function_keys))]);
    if !core.ime.is_empty() {
        object.bytes("ime", core.ime.as_bytes());
    }
    let more = &core.more;
    let serial = more.serial_number.and_then(known);
    numbers(&mut object, &[("product_id", more.product_id.map(u64::from)), ("serial_number", serial)]);
    list("capabilities", names::flags(more.capabilities.unwrap_or(0), names::CAPABILITIES), &mut object);
    if let Some(id) = more.id.as_ref().filter(|id| !id.is_empty()) {
        object.bytes("id", id.as_bytes());
    }
    if let Some(hint) = more.connection_hint.and_then(names::connection) {
        object.text("connection_hint", hint);
    }
    numbers(
        &mut object,
        &[
            ("physical_width", more.physical[0].map(u64::from)),
            ("physical_height", more.physical[1].map(u64::from)),
            ("desktop_orientation", more.orientation.map(u64::from)),
            ("scale_factor", more.scale[0].map(u64::from)),
            ("device_scale_factor", more.scale[1].map(u64::from)),
        ],
    );
    object
}

/// The depth that the newest of the fields for it tells.
fn color_depth(core: &Core) -> Option<u64> {
    let of_code = |code: u16| match code {
        0xca00 => Some(4),
        0xca01 => Some(8),
        0xca02 => Some(15),
        0xca03 => Some(16),
        0xca04 => Some(24),
        _ => None,
    };
    let high = core.more.high_color_depth.filter(|depth| *depth != 0).map(u64::from);
    let first = || of_code(core.color_depth).filter(|depth| *depth <= 8);
    high.or_else(|| core.more.color_depth_2.and_then(of_code)).or_else(first)
}
