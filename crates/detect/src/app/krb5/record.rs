//! What EVE tells of a message.

use super::message::is_weak;
use super::transaction::Krb5Transaction;
use crate::eve::Object;

/// Writes a message.
pub(super) fn write(transaction: &Krb5Transaction, record: &mut Object) {
    record.text("msg_type", &format!("{:?}", transaction.kind));
    if let Some(error) = transaction.error {
        let asked = transaction.asked.map_or_else(|| "UNKNOWN".to_owned(), |kind| format!("{kind:?}"));
        record.text("failed_request", &asked);
        record.text("error_code", &format!("{error:?}"));
    }
    let name = |name: &Option<Vec<String>>| {
        name.as_ref().map_or_else(|| "<empty>".to_owned(), |parts| parts.join("/"))
    };
    let realm = transaction.realm.as_deref().unwrap_or("<empty>");
    record.bytes("cname", name(&transaction.client).as_bytes());
    record.bytes("realm", realm.as_bytes());
    record.bytes("sname", name(&transaction.server).as_bytes());
    let encryption = transaction.encryption.map_or_else(|| "<none>".to_owned(), |kind| format!("{kind:?}"));
    record.text("encryption", &encryption);
    record.flag("weak_encryption", transaction.encryption.is_some_and(is_weak));
    if let Some(encryption) = transaction.ticket_encryption {
        record.text("ticket_encryption", &format!("{encryption:?}"));
        record.flag("ticket_weak_encryption", is_weak(encryption));
    }
}
