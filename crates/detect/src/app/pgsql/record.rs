//! What is written down of an exchange of PostgreSQL. Passwords are not.

use super::PgsqlTransaction;
use super::message::{Pair, Request, Response};
use crate::eve::Object;

/// Writes what was asked for and what came of it.
pub(super) fn write(exchange: &PgsqlTransaction, record: &mut Object) {
    record.number("tx_id", exchange.number);
    if !exchange.requests.is_empty() {
        let mut object = Object::new();
        exchange.requests.iter().for_each(|request| request_into(request, &mut object));
        record.object("request", object);
    }
    if !exchange.responses.is_empty() {
        let mut object = Object::new();
        let is_parameter = |response: &&Response| matches!(response, Response::Parameter(_));
        let mut parameters = exchange.responses.iter().filter(is_parameter).peekable();
        if parameters.peek().is_some() {
            let written = parameters.filter_map(|response| match response {
                Response::Parameter(pair) => Some(pair_object(pair)),
                _ => None,
            });
            object.objects("parameter_status", written);
        }
        exchange.responses.iter().for_each(|response| response_into(response, &mut object));
        record.object("response", object);
    }
}

fn pair_object(pair: &Pair) -> Object {
    let mut object = Object::new();
    object.bytes(core::str::from_utf8(&pair.0).unwrap_or("unknown_parameter"), &pair.1);
    object
}

fn request_into(request: &Request, object: &mut Object) {
    match request {
        Request::Startup { major, minor, parameters } => {
            object.text("protocol_version", &format!("{major}.{minor}"));
            let mut inner = Object::new();
            if let Some((user, others)) = parameters.split_first() {
                inner.bytes("user", &user.1);
                if !others.is_empty() {
                    inner.objects("optional_parameters", others.iter().map(pair_object));
                }
            }
            object.object("startup_parameters", inner);
        }
        Request::Tls => object.text("message", "SSL Request"),
        Request::SaslFirst { mechanism, content } => {
            object.text("sasl_authentication_mechanism", mechanism);
            object.bytes("sasl_param", content);
        }
        Request::Password(_) => object.flag("password_redacted", true),
        Request::Sasl(content) => object.bytes("sasl_response", content),
        Request::Query(query) => object.bytes("simple_query", query),
        Request::CopyFailed(why) => object.bytes("copy_fail", why),
        Request::Cancel { process, secret } => {
            object.text("message", "cancel_request");
            object.number("process_id", u64::from(*process));
            object.number("secret_key", u64::from(*secret));
        }
        Request::CopyData { rows, bytes } => {
            let mut inner = Object::new();
            inner.number("msg_count", *rows);
            inner.number("data_size", *bytes);
            object.object("copy_data_in", inner);
        }
        Request::CopyDone => object.text("message", "copy_done"),
        Request::Terminate => object.text("message", "termination_message"),
        Request::Unknown => {}
    }
}

fn response_into(response: &Response, object: &mut Object) {
    match response {
        Response::TlsAccepted => object.flag("ssl_accepted", true),
        Response::TlsRefused => object.flag("ssl_accepted", false),
        Response::Complaint(fields) => {
            for (kind, value) in fields {
                object.bytes(complaint_name(*kind), value);
            }
        }
        Response::Md5Password(salt) => object.bytes("authentication_md5_password", salt),
        Response::SaslFinal(content) => object.bytes("authentication_sasl_final", content),
        Response::CommandComplete(command) => object.bytes("command_completed", command),
        Response::AuthenticationOk => object.text("message", "authentication_ok"),
        Response::ClearPassword => object.text("message", "authentication_cleartext_password"),
        Response::Sasl => object.text("message", "authentication_sasl"),
        Response::SaslContinue => object.text("message", "authentication_sasl_continue"),
        Response::CopyDone => object.text("message", "copy_done"),
        Response::CopyOut(columns) => object.object("copy_out_response", columns_object(*columns)),
        Response::CopyIn(columns) => object.object("copy_in_response", columns_object(*columns)),
        Response::Key { process, secret } => {
            object.number("process_id", u64::from(*process));
            object.number("secret_key", u64::from(*secret));
        }
        Response::CopyData { rows, bytes } => {
            let mut inner = Object::new();
            inner.number("row_count", *rows);
            inner.number("data_size", *bytes);
            object.object("copy_data_out", inner);
        }
        Response::RowDescription(count) => object.number("field_count", u64::from(*count)),
        Response::Row { rows, bytes } => {
            object.number("data_rows", *rows);
            object.number("data_size", *bytes);
        }
        Response::Parameter(_)
        | Response::Ready
        | Response::Sspi
        | Response::Notice
        | Response::Notification
        | Response::Unknown => {}
    }
}

fn columns_object(columns: u16) -> Object {
    let mut object = Object::new();
    object.number("columns", u64::from(columns));
    object
}

/// The name of a field of a complaint.
fn complaint_name(kind: u8) -> &'static str {
    match kind {
        b'S' => "severity_localizable",
        b'V' => "severity_non_localizable",
        b'C' => "code",
        b'M' => "message",
        b'D' => "detail",
        b'H' => "hint",
        b'P' => "position",
        b'p' => "internal_position",
        b'q' => "internal_query",
        b'W' => "where",
        b's' => "schema_name",
        b't' => "table_name",
        b'c' => "column_name",
        b'd' => "data_type",
        b'n' => "constraint_name",
        b'F' => "file",
        b'L' => "line",
        b'R' => "routine",
        _ => "unknown_field_type",
    }
}
