//! What EVE tells of an exchange.

use super::call::Call;
use super::key::guid_text;
use super::names;
use super::transaction::{Command, Create, Host, SessionSetup, SetInfo, SmbTransaction, TreeConnect, What};
use crate::app::dcerpc::interface::Interface;
use crate::app::dcerpc::pdu::{kind, kind_name};
use crate::app::dcerpc::stub_record;
use crate::eve::Object;

/// Writes an exchange.
pub(super) fn write(transaction: &SmbTransaction, record: &mut Object) {
    record.number("id", transaction.number);
    record.bytes("dialect", transaction.spoken.name().as_bytes());
    record.text("command", &names::command(transaction.command));
    if let Some(status) = transaction.status {
        let (name, code) = names::status(status);
        record.text("status", &name);
        record.text("status_code", &code);
    }
    record
        .number("session_id", if transaction.key.session == u64::MAX { 0 } else { transaction.key.session });
    record.number("tree_id", u64::from(transaction.key.tree));
    match &transaction.what {
        What::Plain => {}
        What::Negotiate(negotiation) => {
            record.byte_strings("client_dialects", negotiation.dialects.iter().map(Vec::as_slice));
            if let Some(guid) = &negotiation.client_guid {
                record.text("client_guid", &guid_text(guid));
            }
            record.text("server_guid", &negotiation.server_guid.as_ref().map(guid_text).unwrap_or_default());
            for (key, value) in [
                ("max_read_size", negotiation.read_bytes_max),
                ("max_write_size", negotiation.write_bytes_max),
            ] {
                if value > 0 {
                    record.number(key, u64::from(value));
                }
            }
        }
        What::SessionSetup(setup) => session_setup(setup, record),
        What::TreeConnect(tree) => tree_connect(tree, transaction.command, record),
        What::Create(create) => create_record(create, record),
        What::File(file) => {
            record.bytes("filename", &file.carried.name);
            record.bytes("share", &file.share);
            record.text("fuid", &file.handle.text());
        }
        What::Call(call) => call_record(call, record),
        What::Ioctl(function) => record.text("function", &names::function(*function)),
        What::Rename { handle, from, to } => {
            if transaction.command.version() == 2 {
                set_info("FILE_INFO", "SMB2_FILE_RENAME_INFO", record);
            }
            let mut rename = Object::new();
            rename.bytes("from", from);
            rename.bytes("to", to);
            record.object("rename", rename);
            record.text("fuid", &handle.text());
        }
        What::SetInfo(info) => set_info_record(info, record),
    }
}

fn set_info_record(info: &SetInfo, record: &mut Object) {
    let mut name = info.name.clone();
    name.retain(|byte| *byte != 0);
    if name.is_empty() {
        record.text("filename", "<share_root>");
    } else {
        record.bytes("filename", &name);
    }
    record.text("access", if info.is_deleted_on_close { "delete on close" } else { "normal" });
    match info.command {
        6 => record.text("subcmd", "SET_PATH_INFO"),
        8 => record.text("subcmd", "SET_FILE_INFO"),
        _ => {}
    }
    if info.level == 1013 {
        record.text("level_of_interest", "Set Disposition Information");
    }
    record.text("fuid", &info.handle.text());
}

fn set_info(class: &str, level: &str, record: &mut Object) {
    let mut info = Object::new();
    info.text("class", class);
    info.text("info_level", level);
    record.object("set_info", info);
}

fn session_setup(setup: &SessionSetup, record: &mut Object) {
    if let Some(login) = &setup.login.ntlmssp {
        let mut object = Object::new();
        object.bytes("domain", &login.domain);
        object.bytes("user", &login.user);
        object.bytes("host", &login.host);
        if let Some(version) = &login.version {
            object.text("version", version);
        }
        record.object("ntlmssp", object);
    }
    if let Some(ticket) = &setup.login.ticket {
        let mut object = Object::new();
        object.bytes("realm", ticket.realm.as_bytes());
        object.byte_strings("snames", ticket.server.iter().map(String::as_bytes));
        record.object("kerberos", object);
    }
    for (key, host) in [("request", &setup.client), ("response", &setup.server)] {
        if let Some(Host { system, manager }) = host {
            let mut object = Object::new();
            object.bytes("native_os", system);
            object.bytes("native_lm", manager);
            record.object(key, object);
        }
    }
}

fn tree_connect(tree: &TreeConnect, command: Command, record: &mut Object) {
    record.bytes(if tree.is_pipe { "named_pipe" } else { "share" }, &tree.share);
    if command.version() == 2 {
        return record.text("share_type", names::share_kind(tree.share_kind));
    }
    let mut service = Object::new();
    for (key, name) in [("request", &tree.service_asked), ("response", &tree.service_given)] {
        if let Some(name) = name {
            service.bytes(key, name);
        }
    }
    record.object("service", service);
}

fn create_record(create: &Create, record: &mut Object) {
    let mut name = create.name.clone();
    name.retain(|byte| *byte != 0);
    match (name.is_empty(), create.is_directory) {
        (true, _) => record.text("filename", "<share_root>"),
        (false, true) => record.bytes("directory", &name),
        (false, false) => record.bytes("filename", &name),
    }
    record.text("disposition", names::disposition(create.disposition));
    record.text("access", if create.is_deleted_on_close { "delete on close" } else { "normal" });
    for (key, time) in ["created", "accessed", "modified", "changed"].into_iter().zip(create.times) {
        record.number(key, time);
    }
    record.number("size", create.size);
    record.text("fuid", &create.handle.text());
}

fn call_record(call: &Call, record: &mut Object) {
    let mut object = Object::new();
    let names: Vec<String> = call.kinds.iter().map(|kind| kind_name(*kind)).collect();
    let name = |side: usize, otherwise: &str| match names.get(side) {
        Some(name) if call.seen[side] => name.clone(),
        _ => otherwise.to_owned(),
    };
    object.text("request", &name(0, "REQUEST_LOST"));
    object.text("response", &name(1, "UNREPLIED"));
    if call.seen[0] && call.kinds[0] == kind::REQUEST {
        object.number("opnum", u64::from(call.operation));
        let mut request = Object::new();
        stub_record(&call.stubs[0], &mut request);
        object.object("req", request);
        interfaces(call.interfaces.iter().filter(|known| known.context == call.context), false, &mut object);
    }
    if call.seen[0] && call.kinds[0] == kind::BIND {
        interfaces(call.interfaces.iter(), true, &mut object);
    }
    if call.seen[1] && call.kinds[1] == kind::RESPONSE {
        let mut response = Object::new();
        stub_record(&call.stubs[1], &mut response);
        object.object("res", response);
    }
    object.number("call_id", u64::from(call.call_id));
    record.object("dcerpc", object);
}

fn interfaces<'a>(list: impl Iterator<Item = &'a Interface>, with_answers: bool, record: &mut Object) {
    let list: Vec<Object> = list
        .map(|interface| {
            let mut object = Object::new();
            object.text("uuid", &interface.uuid.text());
            object.text("version", &interface.version_text());
            if let Some(answer) = interface.answer.filter(|_| with_answers) {
                object.number("ack_result", u64::from(answer));
                object.number("ack_reason", 0);
            }
            object
        })
        .collect();
    if !list.is_empty() {
        record.objects("interfaces", list);
    }
}
