//! What EVE tells of an exchange. (What it tells of the RPC around it, under another key, is not written.)

use super::transaction::{NfsTransaction, OpenFile};
use super::{names, v3, v4};
use crate::eve::Object;

/// Writes an exchange.
pub(super) fn write(transaction: &NfsTransaction, record: &mut Object) {
    let version = transaction.flow_version.max(transaction.version);
    record.number("version", u64::from(version));
    record.text("procedure", &names::procedure(version, transaction.procedure));
    record.bytes("filename", &transaction.name);
    if !transaction.handle.is_empty() {
        record.text("hhash", &format!("{:x}", crc32fast::hash(&transaction.handle)));
    }
    record.number("id", transaction.number);
    record.flag("file_tx", transaction.file.is_some());
    record.text("type", "response");
    record.text("status", &names::status(transaction.status));
    let (read, write) = if version < 4 { (v3::READ, v3::WRITE) } else { (v4::READ, v4::WRITE) };
    if let Some(file) = &transaction.file {
        match transaction.procedure {
            procedure if procedure == read => record.object("read", file_record(file)),
            procedure if procedure == write => record.object("write", file_record(file)),
            _ => {}
        }
    }
    if let Some(new_name) = &transaction.new_name {
        let mut rename = Object::new();
        rename.bytes("from", &transaction.name);
        rename.bytes("to", new_name);
        record.object("rename", rename);
    }
}

fn file_record(file: &OpenFile) -> Object {
    let mut object = Object::new();
    object.flag("first", file.is_first);
    object.flag("last", file.is_last);
    object.number("last_xid", u64::from(file.last_xid));
    object.number("chunks", u64::from(file.pieces));
    object
}
