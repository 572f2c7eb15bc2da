//! What is written down of an exchange of EtherNet/IP.
//!
//! Vendors, kinds of devices and classes are told by their numbers: their names are long lists that others keep.

use super::EnipTransaction;
use super::cip::{ATTRIBUTE, CLASS, Cip, INSTANCE, Payload, Segment};
use super::message::{COMMANDS, Content, Message, STATUS};
use crate::eve::Object;

/// Writes the request and the response.
pub(super) fn write(exchange: &EnipTransaction, record: &mut Object) {
    for (key, message) in [("request", &exchange.request), ("response", &exchange.response)] {
        if let Some(message) = message {
            record.object(key, written(message));
        }
    }
}

fn named(object: &mut Object, key: &str, value: u32, names: &[(&str, u64)]) {
    match names.iter().find(|(_, known)| *known == u64::from(value)) {
        Some((name, _)) => object.text(key, name),
        None => object.text(key, &format!("unknown-{value}")),
    }
}

fn written(message: &Message) -> Object {
    let mut object = Object::new();
    named(&mut object, "command", u32::from(message.header.command), COMMANDS);
    named(&mut object, "status", message.header.status, STATUS);
    if message.header.options != 0 {
        object.number("options", u64::from(message.header.options));
    }
    let mut inner = Object::new();
    match &message.content {
        Content::Session { version, options } => {
            inner.number("protocol_version", u64::from(*version));
            inner.number("options", u64::from(*options));
            object.object("register_session", inner);
        }
        Content::Cip(items) => {
            let cip = items.iter().find_map(|item| match &item.payload {
                Payload::Cip { cip, .. } => Some(cip),
                _ => None,
            });
            if let Some(cip) = cip {
                object.object("cip", written_cip(cip));
            }
        }
        Content::Services(items) | Content::Identities(items) => {
            match items.first().map(|item| &item.payload) {
                Some(Payload::Services { version, capabilities, name }) => {
                    inner.number("protocol_version", u64::from(*version));
                    inner.number("capabilities", u64::from(*capabilities));
                    inner.bytes("service_name", name);
                    object.object("list_services", inner);
                }
                Some(Payload::Identity(identity)) => {
                    inner.number("protocol_version", u64::from(identity.version));
                    let [major, minor] = identity.revision;
                    inner.text("revision", &format!("{major}.{minor}"));
                    inner.text("vendor_id", &format!("unknown-{}", identity.vendor));
                    inner.text("device_type", &format!("unknown-{}", identity.device));
                    inner.number("product_code", u64::from(identity.product));
                    inner.number("status", u64::from(identity.status));
                    inner.number("serial", u64::from(identity.serial));
                    inner.bytes("product_name", &identity.name);
                    inner.number("state", u64::from(identity.state));
                    object.object("identity", inner);
                }
                _ => {}
            }
        }
        Content::Nothing | Content::Interfaces(_) => {}
    }
    object
}

fn segment(segment: &Segment) -> Object {
    let mut object = Object::new();
    match segment.kind {
        CLASS => object.text("segment_type", "class"),
        INSTANCE => object.text("segment_type", "instance"),
        ATTRIBUTE => object.text("segment_type", "attribute"),
        kind => object.text("segment_type", &format!("unknown-{}", kind << 2)),
    }
    object.number("value", u64::from(segment.value));
    object
}

fn written_cip(cip: &Cip) -> Object {
    let mut object = Object::new();
    match SERVICES.iter().find(|(number, _)| *number == cip.service) {
        Some((_, name)) => object.text("service", name),
        None => object.text("service", &format!("unknown-{}", cip.service)),
    }
    if cip.is_response {
        match STATES.get(usize::from(cip.status)) {
            Some(name) => object.text("status", name),
            None if cip.status == 0xff => object.text("status", "Still Processing"),
            None => object.text("status", &format!("unknown-{}", cip.status)),
        }
        if !cip.extended_status.is_empty() {
            let digits: String = cip.extended_status.iter().map(|byte| format!("{byte:02x}")).collect();
            object.text("status_extended", &digits);
        }
    } else if !cip.path.is_empty() {
        object.objects("path", cip.path.iter().map(segment));
        if let Some(class) = cip.path.iter().rev().find(|segment| segment.kind == CLASS) {
            object.text("class_name", &format!("unknown-{}", class.value));
        }
    }
    if !cip.packets.is_empty() {
        object.objects("multiple", cip.packets.iter().map(written_cip));
    }
    object
}

const SERVICES: &[(u8, &str)] = &[
    (0x01, "Get Attributes All"),
    (0x02, "Set Attributes All"),
    (0x03, "Get Attribute List"),
    (0x04, "Set Attribute List"),
    (0x05, "Reset"),
    (0x06, "Start"),
    (0x07, "Stop"),
    (0x08, "Create"),
    (0x09, "Delete"),
    (0x0a, "Multiple Service Packet"),
    (0x0d, "Apply Attributes"),
    (0x0e, "Get Attributes Single"),
    (0x10, "Set Attributes Single"),
    (0x11, "Find Next Object Instance"),
    (0x15, "Restore"),
    (0x16, "Save"),
    (0x17, "No Forward Open"),
    (0x18, "Get Member"),
    (0x19, "Set Member"),
    (0x1a, "Insert Member"),
    (0x1b, "Remove Member"),
    (0x1c, "Group Sync"),
    (0x1d, "Get Connection Point Member List"),
    (0x4b, "Execute PCCC Service"),
    (0x4c, "Read Data"),
    (0x4d, "Write Data"),
    (0x4e, "Read Write Modify Data"),
    (0x52, "Read Data Fragmented"),
    (0x53, "Write Data Fragmented"),
    (0x54, "Forward Open"),
];

/// What became of a request, by its number.
const STATES: &[&str] = &[
    "Success",
    "Connection Failure",
    "Resource Unavailable",
    "Invalid Parameter Value",
    "Path Segment Error",
    "Path Destination Unknown",
    "Partial Transfer",
    "Connection Lost",
    "Service Not Supported",
    "Invalid Attribute Value",
    "Attribute List Error",
    "Already In Requested Mode/State",
    "Object State Conflict",
    "Object Already Exists",
    "Attribute Not Settable",
    "Privilege Violation",
    "Device State Conflict",
    "Reply Data Too Large",
    "Fragmentation Of A Primitive Value",
    "Not Enough Data",
    "Attribute Not Supported",
    "Too Much Data",
    "Object Does Not Exist",
    "Service Fragmentation Sequence Not In Progress",
    "No Stored Attribute Data",
    "Store Operation Failure",
    "Routing Failure, Request Packet Too Large",
    "Routing Failure, Response Packet Too Large",
    "Missing Attribute List Entry Data",
    "Invalid Attribute Value List",
    "Embedded Service Error",
    "Vendor Specific Error",
    "Invalid Parameter",
    "Write-Once Value Or Medium Already Written",
    "Invalid Reply Received",
    "Buffer Overflow",
    "Invalid Message Format",
    "Key Failure In Path",
    "Path Size Invalid",
    "Unexpected Attribute In List",
    "Invalid Member ID",
    "Member Not Settable",
    "Group 2 Only Server General Failure",
    "Unknown Modbus Error",
    "Attribute Not Gettable",
];
