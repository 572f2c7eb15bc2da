//! What is written down of a message of BitTorrent's table of peers.

use super::message::{Content, Message, Node};
use crate::eve::Object;

/// Writes the message.
pub(super) fn write(message: Option<&Message>, record: &mut Object) {
    let Some(message) = message else {
        record.text("transaction_id", "");
        return;
    };
    record.text("transaction_id", &digits(&message.number));
    if let Some(version) = &message.version {
        record.text("client_version", &digits(version));
    }
    match &message.content {
        Content::Query { kind, id, target, info_hash, token, implied_port, port } => {
            record.text("request_type", kind);
            let mut object = Object::new();
            object.text("id", &digits(id));
            for (name, value) in [("target", target), ("info_hash", info_hash), ("token", token)] {
                if let Some(value) = value {
                    object.text(name, &digits(value));
                }
            }
            for (name, value) in [("implied_port", implied_port), ("port", port)] {
                if let Some(value) = value {
                    object.number(name, u64::from(*value));
                }
            }
            record.object("request", object);
        }
        Content::Response { id, nodes, nodes6, values, token } => {
            let mut object = Object::new();
            object.text("id", &digits(id));
            for (name, nodes) in [("nodes", nodes), ("nodes6", nodes6), ("values", values)] {
                if !nodes.is_empty() {
                    object.objects(name, nodes.iter().map(node));
                }
            }
            if let Some(token) = token {
                object.text("token", &digits(token));
            }
            record.object("response", object);
        }
        Content::Error { number, words } => {
            let mut object = Object::new();
            object.number("num", u64::from(*number));
            object.text("msg", words);
            record.object("error", object);
        }
    }
}

fn node(node: &Node) -> Object {
    let mut object = Object::new();
    if let Some(id) = &node.id {
        object.text("id", &digits(id));
    }
    object.text("ip", &node.address);
    object.number("port", u64::from(node.port));
    object
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
