//! What EVE tells of a session: the object under `tls`.

use super::certificate::Certificate;
use super::session::{Session, Side, mark};
use super::{dates, version};
use crate::Direction;
use crate::eve::Object;

/// Writes the object.
pub(super) fn write(session: &Session, record: &mut Object) {
    let (client, server) = (session.side(Direction::ToServer), session.side(Direction::ToClient));
    if let Some(certificate) = &server.certificate {
        names(certificate, record);
    }
    if session.has(mark::RESUMED) && server.certificate.is_none() {
        record.flag("session_resumed", true);
    }
    if let Some(certificate) = &server.certificate {
        numbers(certificate, record);
    }
    if let Some(name) = &client.server_name {
        record.bytes("sni", name);
    }
    record.text("version", &version::name(server.version));
    if let Some(certificate) = &server.certificate {
        validity(certificate, record);
        if !certificate.other_names.is_empty() {
            record.byte_strings("subjectaltname", certificate.other_names.iter().map(Vec::as_slice));
        }
    }
    ja3("ja3", client, record);
    ja3("ja3s", server, record);
    if let Some(ja4) = &client.ja4 {
        record.text("ja4", ja4);
    }
    above("client_alpns", client, record);
    above("server_alpns", server, record);
    if let Some(certificate) = &client.certificate {
        let mut inner = Object::new();
        names(certificate, &mut inner);
        numbers(certificate, &mut inner);
        validity(certificate, &mut inner);
        record.object("client", inner);
    }
}

fn names(certificate: &Certificate, record: &mut Object) {
    record.bytes("subject", &certificate.subject);
    record.bytes("issuerdn", &certificate.issuer);
}

fn numbers(certificate: &Certificate, record: &mut Object) {
    if let Some(serial) = &certificate.serial {
        record.bytes("serial", serial);
    }
    record.bytes("fingerprint", &certificate.fingerprint);
}

fn validity(certificate: &Certificate, record: &mut Object) {
    record.text("notbefore", &dates::spelled(certificate.not_before));
    record.text("notafter", &dates::spelled(certificate.not_after));
}

fn ja3(key: &str, side: &Side, record: &mut Object) {
    if let (Some(hash), Some(text)) = (side.ja3.hash(), side.ja3.text()) {
        let mut inner = Object::new();
        inner.text("hash", hash);
        inner.text("string", text);
        record.object(key, inner);
    }
}

fn above(key: &str, side: &Side, record: &mut Object) {
    if !side.offer.names().is_empty() {
        record.byte_strings(key, side.offer.names().iter().map(Vec::as_slice));
    }
}
