//! What EVE tells of a handshake.

use super::transaction::{RfbTransaction, Screen};
use crate::eve::Object;

/// Writes a handshake.
pub(super) fn write(transaction: &RfbTransaction, record: &mut Object) {
    let [client, server] = transaction.versions;
    for (key, version) in [("server_protocol_version", server), ("client_protocol_version", client)] {
        if let Some([major, minor]) = version {
            let mut object = Object::new();
            object.bytes("major", &major);
            object.bytes("minor", &minor);
            record.object(key, object);
        }
    }
    record.object("authentication", authentication(transaction));
    if let Some(reason) = &transaction.failure {
        record.bytes("server_security_failure_reason", reason);
    }
    if let Some(is_shared) = transaction.is_shared {
        record.flag("screen_shared", is_shared);
    }
    if let Some(screen) = &transaction.screen {
        record.object("framebuffer", framebuffer(screen));
    }
}

fn authentication(transaction: &RfbTransaction) -> Object {
    let mut object = Object::new();
    if let Some(kind) = transaction.security_type {
        object.number("security_type", u64::from(kind));
    }
    if transaction.security_type == Some(2) {
        let mut vnc = Object::new();
        for (key, secret) in [("challenge", transaction.challenge), ("response", transaction.response)] {
            if let Some(secret) = secret {
                let text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
                vnc.text(key, &text);
            }
        }
        object.object("vnc", vnc);
    }
    match transaction.security_result {
        Some(0) => object.text("security_result", "OK"),
        Some(other) => object.text("security_result", &format!("UNKNOWN ({other})")),
        None => {}
    }
    object
}

fn framebuffer(screen: &Screen) -> Object {
    let mut object = Object::new();
    object.number("width", u64::from(screen.width));
    object.number("height", u64::from(screen.height));
    object.bytes("name", &screen.name);
    let mut format = Object::new();
    format.number("bits_per_pixel", u64::from(screen.format.bits));
    format.number("depth", u64::from(screen.format.depth));
    format.flag("big_endian", screen.format.is_big_endian);
    format.flag("true_color", screen.format.is_true_colour);
    for (key, value) in ["red_max", "green_max", "blue_max"].into_iter().zip(screen.format.max) {
        format.number(key, u64::from(value));
    }
    for (key, value) in ["red_shift", "green_shift", "blue_shift"].into_iter().zip(screen.format.shift) {
        format.number(key, u64::from(value));
    }
    object.object("pixel_format", format);
    object
}
