//! The record of a stream: what EVE has under `http`.

use super::exchange::{Exchange, Side};
use super::frame::SETTINGS_NAMES;
use super::hpack::{Header, Kind};
use super::keywords::ERRORS;
use crate::Direction;
use crate::eve::Object;

/// Headers of one side that are written at most.
const HEADERS_WRITTEN_MAX: usize = 256;

/// Writes it.
pub(super) fn write(exchange: &Exchange, record: &mut Object) {
    let (request, response) = (exchange.side(Direction::ToServer), exchange.side(Direction::ToClient));
    record.text("version", "2");
    for (key, side) in [("request_headers", request), ("response_headers", response)] {
        if !side.headers.is_empty() {
            record.objects(key, side.headers.iter().take(HEADERS_WRITTEN_MAX).map(header));
        }
    }
    // What both sides may say, the response says last.
    let last = |name: &[u8]| {
        let named = |header: &&Header| header.name.eq_ignore_ascii_case(name);
        let of = |side: &'_ Side| side.headers.iter().rfind(named).map(|header| header.value.to_vec());
        of(response).or_else(|| of(request))
    };
    for (key, name) in [
        ("http_method", &b":method"[..]),
        ("url", b":path"),
        ("hostname", b"host"),
        ("http_user_agent", b"user-agent"),
    ] {
        if let Some(value) = last(name) {
            record.bytes(key, &value);
        }
    }
    for (key, name) in [("length", &b"content-length"[..]), ("status", b":status")] {
        let number = last(name).and_then(|value| std::str::from_utf8(&value).ok()?.parse::<u64>().ok());
        if let Some(number) = number {
            record.number(key, number);
        }
    }
    let mut http2 = Object::new();
    http2.number("stream_id", exchange.stream.into());
    for (key, side) in [("request", request), ("response", response)] {
        let object = frames(side);
        if !object.is_empty() {
            http2.object(key, object);
        }
    }
    record.object("http2", http2);
}

fn header(header: &Header) -> Object {
    let mut object = Object::new();
    match header.kind {
        Kind::Header => {
            object.bytes("name", &header.name);
            object.bytes("value", &header.value);
        }
        Kind::Size(bytes) => object.number("table_size_update", bytes),
        Kind::Unknown => object.text("error", "HTTP2HeaderDecodeNotIndexed"),
        Kind::Zero => object.text("error", "HTTP2HeaderDecodeIndex0"),
        Kind::Overflow => object.text("error", "HTTP2HeaderDecodeIntegerOverflow"),
    }
    object
}

fn frames(side: &Side) -> Object {
    let mut object = Object::new();
    if !side.settings.is_empty() {
        object.objects(
            "settings",
            side.settings.iter().map(|(id, value)| {
                let mut setting = Object::new();
                let name = SETTINGS_NAMES.iter().find(|known| known.1 == *id).map_or("", |known| known.0);
                setting.text("settings_id", &name.replace('_', ""));
                setting.number("settings_value", (*value).into());
                setting
            }),
        );
    }
    if let Some(code) = side.errors.first() {
        match ERRORS.get(*code as usize) {
            Some(name) => object.text("error_code", &name.replace('_', "")),
            None => object.text("error_code", &code.to_string()),
        }
    }
    if let Some(weight) = side.weights.first() {
        object.number("priority", (*weight).into());
    }
    if side.errors.len() > 1 {
        object.text("has_multiple", "error_code");
    } else if side.weights.len() > 1 {
        object.text("has_multiple", "priority");
    }
    object
}
