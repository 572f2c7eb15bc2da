//! What is written down of an exchange of LDAP.

use super::LdapTransaction;
use super::message::Message;
use crate::eve::Object;

/// Writes the request and the responses.
pub(super) fn write(exchange: &LdapTransaction, record: &mut Object) {
    if let Some(request) = &exchange.request {
        let mut object = Object::new();
        object.number("message_id", u64::from(request.id));
        object.text("operation", request.operation_name());
        detail(request, &mut object);
        record.object("request", object);
    }
    if !exchange.responses.is_empty() {
        let written = |response: &Message| {
            let mut object = Object::new();
            object.text("operation", response.operation_name());
            if exchange.request.is_none() {
                object.number("message_id", u64::from(response.id));
            }
            detail(response, &mut object);
            object
        };
        record.objects("responses", exchange.responses.iter().map(written));
    }
}

fn detail(message: &Message, object: &mut Object) {
    if let Some(detail) = &message.detail {
        object.written(message.operation_name(), detail);
    }
    if let Some(controls) = &message.controls {
        object.written("controls", controls);
    }
}
