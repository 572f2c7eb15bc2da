//! The record of an exchange: what EVE has under `http`.

use super::exchange::Exchange;
use super::line::Version;
use crate::Direction;
use crate::eve::Object;

/// Bytes of a value that are written at most.
const VALUE_BYTES_MAX: usize = 4096;

fn bytes(record: &mut Object, key: &str, value: Option<&[u8]>) {
    if let Some(value) = value {
        record.bytes(key, value.get(..VALUE_BYTES_MAX).unwrap_or(value));
    }
}

/// Writes it.
pub(super) fn write(exchange: &Exchange, record: &mut Object) {
    let request = &exchange.request.head;
    let response = &exchange.response.head;
    let host = exchange.host.map(|place| request.at(place));
    bytes(record, "hostname", host);
    if let Some(port) = exchange.port {
        record.number("http_port", port.into());
    }
    bytes(record, "url", exchange.uri_raw.map(|place| request.at(place)));
    bytes(record, "http_user_agent", request.value(b"user-agent"));
    bytes(record, "xff", request.value(b"x-forwarded-for"));
    let kind = response.value(b"content-type");
    let kind = kind.map(|kind| kind.split(|byte| *byte == b';').next().unwrap_or_default());
    bytes(record, "http_content_type", kind);
    bytes(record, "http_refer", request.value(b"referer"));
    bytes(record, "http_method", exchange.method_name.map(|place| request.at(place)));
    let protocol = exchange.request.protocol.map(|place| request.at(place));
    bytes(
        record,
        "protocol",
        protocol.or((exchange.request.version == Version::V0_9).then_some(b"HTTP/0.9")),
    );
    match exchange.status {
        Some(status) => record.number("status", status.into()),
        None => bytes(record, "status_string", exchange.code.map(|place| response.at(place))),
    }
    bytes(record, "redirect", response.value(b"location"));
    record.number("length", exchange.message(Direction::ToClient).entity.message_bytes);
}
