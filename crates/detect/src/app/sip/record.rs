//! What is written down of a SIP message.

use super::message::Message;
use super::sdp::{Description, Media};
use crate::Direction;
use crate::eve::Object;

/// Writes the message.
pub(super) fn write(message: &Message, direction: Direction, record: &mut Object) {
    match direction {
        Direction::ToServer => {
            record.bytes("method", message.first());
            record.bytes("uri", message.second());
            record.bytes("version", message.version());
        }
        Direction::ToClient => {
            record.bytes("version", message.version());
            record.bytes("code", message.first());
            record.bytes("reason", message.second());
        }
    }
    if let Some(description) = &message.description {
        record.object("sdp", described(description));
    }
    let line = match direction {
        Direction::ToServer => "request_line",
        Direction::ToClient => "response_line",
    };
    record.bytes(line, message.line());
}

fn optional(object: &mut Object, key: &str, value: &Option<Vec<u8>>) {
    if let Some(value) = value {
        object.bytes(key, value);
    }
}

fn list(object: &mut Object, key: &str, values: &[Vec<u8>]) {
    if !values.is_empty() {
        object.byte_strings(key, values.iter().map(Vec::as_slice));
    }
}

fn described(description: &Description) -> Object {
    let mut object = Object::new();
    object.bytes("origin", &description.origin);
    object.bytes("session_name", &description.session_name);
    optional(&mut object, "session_info", &description.session_info);
    optional(&mut object, "uri", &description.uri);
    optional(&mut object, "email", &description.email);
    optional(&mut object, "phone_number", &description.phone_number);
    optional(&mut object, "connection_data", &description.connection_data);
    list(&mut object, "bandwidths", &description.bandwidths);
    object.objects(
        "time_descriptions",
        description.times.iter().map(|(time, repeated)| {
            let mut object = Object::new();
            object.bytes("time", time);
            optional(&mut object, "repeat_time", repeated);
            object
        }),
    );
    optional(&mut object, "timezone", &description.timezone);
    optional(&mut object, "encryption_key", &description.encryption_key);
    list(&mut object, "attributes", &description.attributes);
    if !description.media.is_empty() {
        object.objects("media_descriptions", description.media.iter().map(offered));
    }
    object
}

fn offered(media: &Media) -> Object {
    let mut object = Object::new();
    object.bytes("media", &media.media);
    optional(&mut object, "media_info", &media.info);
    list(&mut object, "bandwidths", &media.bandwidths);
    optional(&mut object, "connection_data", &media.connection_data);
    optional(&mut object, "encryption_key", &media.encryption_key);
    list(&mut object, "attributes", &media.attributes);
    object
}
