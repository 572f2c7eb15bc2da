//! What is written down of an exchange of MQTT. Passwords are not.

use super::message::{Body, Connect, KINDS, Message};
use super::property;
use crate::eve::Object;

/// Bytes of a text that are written down at most.
const TEXT_BYTES_MAX: usize = 1024;

/// Writes the messages, each under the name of its type.
pub(super) fn write(messages: &[Message], record: &mut Object) {
    for message in messages {
        if message.body != Body::Unassigned {
            let name = KINDS.get(usize::from(message.header.kind)).copied().unwrap_or_default();
            record.object(name, body(message));
        }
    }
}

fn short(bytes: &[u8]) -> &[u8] {
    bytes.get(..TEXT_BYTES_MAX).unwrap_or(bytes)
}

fn body(message: &Message) -> Object {
    let mut object = Object::new();
    object.number("qos", u64::from(message.header.qos));
    object.flag("retain", message.header.is_retained);
    object.flag("dup", message.header.is_repeated);
    let numbers = |object: &mut Object, key: &str, codes: &[u8]| {
        object.numbers(key, codes.iter().map(|code| u64::from(*code)))
    };
    match &message.body {
        Body::Connect(connect) => connected(connect, &mut object),
        Body::ConnectAnswer { is_known, code, properties } => {
            object.flag("session_present", *is_known);
            object.number("return_code", u64::from(*code));
            property::write(properties, TEXT_BYTES_MAX, &mut object);
        }
        Body::Publish(publish) => {
            object.bytes("topic", short(&publish.topic));
            if let Some(id) = publish.id {
                object.number("message_id", u64::from(id));
            }
            object.bytes("message", short(&publish.message));
            property::write(&publish.properties, TEXT_BYTES_MAX, &mut object);
        }
        Body::PublishStep { id, code, properties } => {
            object.number("message_id", u64::from(*id));
            if let Some(code) = code {
                object.number("reason_code", u64::from(*code));
            }
            property::write(properties, TEXT_BYTES_MAX, &mut object);
        }
        Body::Subscribe { id, topics, properties } => {
            object.number("message_id", u64::from(*id));
            object.objects("topics", subscribed(topics));
            property::write(properties, TEXT_BYTES_MAX, &mut object);
        }
        Body::SubscribeAnswer { id, codes } => {
            object.number("message_id", u64::from(*id));
            numbers(&mut object, "qos_granted", codes);
        }
        Body::Unsubscribe { id, topics } => {
            object.number("message_id", u64::from(*id));
            object.byte_strings("topics", topics.iter().map(Vec::as_slice));
        }
        Body::UnsubscribeAnswer { id, codes } => {
            object.number("message_id", u64::from(*id));
            if !codes.is_empty() {
                numbers(&mut object, "reason_codes", codes);
            }
        }
        Body::Disconnect { code, properties } => {
            if let Some(code) = code {
                object.number("reason_code", u64::from(*code));
            }
            property::write(properties, TEXT_BYTES_MAX, &mut object);
        }
        Body::Authenticate { code, properties } => {
            object.number("reason_code", u64::from(*code));
            property::write(properties, TEXT_BYTES_MAX, &mut object);
        }
        Body::Skipped => {
            object.flag("truncated", true);
            object.number("skipped_length", (message.header.bytes + message.header.length) as u64);
        }
        Body::Ping | Body::Unassigned => {}
    }
    object
}

/// Topics, until all of them together are too long.
fn subscribed(topics: &[(Vec<u8>, u8)]) -> Vec<Object> {
    let (mut all, mut room) = (Vec::new(), TEXT_BYTES_MAX);
    for (topic, qos) in topics {
        let shown = topic.get(..room).unwrap_or(topic);
        let mut object = Object::new();
        object.bytes("topic", shown);
        object.number("qos", u64::from(*qos));
        all.push(object);
        if topic.len() > room {
            break;
        }
        room -= shown.len();
    }
    all
}

fn connected(connect: &Connect, object: &mut Object) {
    let has = |bit: u8| connect.flags & bit != 0;
    object.bytes("protocol_string", &connect.protocol);
    object.number("protocol_version", u64::from(connect.version));
    object.bytes("client_id", short(&connect.client));
    let mut flags = Object::new();
    flags.flag("username", has(0x80));
    flags.flag("password", has(0x40));
    flags.flag("will_retain", has(0x20));
    flags.flag("will", has(0x04));
    flags.flag("clean_session", has(0x02));
    object.object("flags", flags);
    if let Some(username) = &connect.username {
        object.bytes("username", short(username));
    }
    if has(0x04) {
        let mut will = Object::new();
        if let Some(topic) = &connect.will_topic {
            will.bytes("topic", short(topic));
        }
        if let Some(message) = &connect.will_message {
            will.bytes("message", short(message));
        }
        property::write(&connect.will_properties, TEXT_BYTES_MAX, &mut will);
        object.object("will", will);
    }
    property::write(&connect.properties, TEXT_BYTES_MAX, object);
}
