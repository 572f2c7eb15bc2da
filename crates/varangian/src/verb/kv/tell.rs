//! How answers of the store are told: for people and shells, or as JSON.
//!
//! - A value alone comes out as it is, byte by byte; for a terminal a line end follows.
//! - In lines of several fields, a tab between them, bytes that are not printable ASCII are escaped (`\n`, `\x00`), as is `\`.
//! - In JSON, keys and values that are UTF-8 are strings; others are in base64 and their names say so: `value_base64`.

use crate::say::{self, complain, say};
use base64ct::{Base64, Encoding};
use client::keys::{Listed, Written};
use kv::{Change, Entry, Item, Version};
use serde_json::{Map, Value, json};
use std::io::{IsTerminal, stdout};
use wire::Bytes;

/// In which form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For people and shells.
    Text,
    /// JSON.
    Json,
}

pub(super) fn written(form: Form, written: Written) {
    match form {
        Form::Text => say!("revision {}", written.revision.0),
        Form::Json => say!("{}", json!({ "revision": written.revision.0, "version": written.version.0 })),
    }
}

pub(super) fn item(form: Form, item: &Item) {
    match form {
        Form::Text => {
            say::answer_bytes(&item.value);
            if stdout().is_terminal() {
                say!("");
            }
        }
        Form::Json => say!("{}", Value::Object(item_as_json(item))),
    }
}

pub(super) fn deleted(form: Form, version: Option<Version>) {
    match (form, version) {
        (Form::Text, Some(_)) => say!("deleted"),
        (Form::Text, None) => say!("there was no such key"),
        (Form::Json, version) => {
            say!("{}", json!({ "deleted": version.is_some(), "version": version.map(|version| version.0) }));
        }
    }
}

pub(super) fn listed(form: Form, listed: &Listed) {
    match form {
        Form::Text => {
            for Entry { key, item } in &listed.entries {
                say!("{}\t{}\t{}", key.escape_ascii(), item.revision.0, item.value.escape_ascii());
            }
            if listed.more {
                complain!("there are more: --limit says how many are told");
            }
        }
        Form::Json => {
            let entries: Vec<Value> = listed.entries.iter().map(entry_as_json).collect();
            let revision = listed.revision.0;
            say!("{}", json!({ "revision": revision, "more": listed.more, "entries": entries }));
        }
    }
}

pub(super) fn change(form: Form, change: &Change) {
    match (form, change) {
        (Form::Text, Change::Put(Entry { key, item })) => {
            say!("put\t{}\t{}\t{}", item.revision.0, key.escape_ascii(), item.value.escape_ascii());
        }
        (Form::Text, Change::Deleted(gone)) => {
            say!("delete\t{}\t{}", gone.revision.0, gone.key.escape_ascii());
        }
        (Form::Json, Change::Put(entry)) => {
            let mut fields = entry_as_json(entry);
            fields["change"] = json!("put");
            say!("{fields}");
        }
        (Form::Json, Change::Deleted(gone)) => {
            let mut fields = Map::new();
            put_bytes(&mut fields, "key", &gone.key);
            fields.insert("revision".to_string(), json!(gone.revision.0));
            fields.insert("change".to_string(), json!("delete"));
            say!("{}", Value::Object(fields));
        }
    }
}

fn entry_as_json(entry: &Entry) -> Value {
    let mut fields = item_as_json(&entry.item);
    put_bytes(&mut fields, "key", &entry.key);
    Value::Object(fields)
}

fn item_as_json(item: &Item) -> Map<String, Value> {
    let mut fields = Map::new();
    put_bytes(&mut fields, "value", &item.value);
    fields.insert("revision".to_string(), json!(item.revision.0));
    fields.insert("version".to_string(), json!(item.version.0));
    fields
}

fn put_bytes(fields: &mut Map<String, Value>, name: &str, bytes: &Bytes) {
    match core::str::from_utf8(bytes) {
        Ok(text) => fields.insert(name.to_string(), json!(text)),
        Err(_) => fields.insert(format!("{name}_base64"), json!(Base64::encode_string(bytes))),
    };
}
