//! Messages of Kerberos: what they are, and what of them rules can ask for.

use super::transaction::Krb5Transaction;
use crate::app::Looked;
use der_parser::asn1_rs::{Class, FromDer};
use der_parser::der::der_read_element_header;
use kerberos_parser::krb5::{EncryptionType, KdcRep, KdcReq, KrbError, MessageType};
use kerberos_parser::krb5_parser::{parse_as_rep, parse_as_req, parse_tgs_rep, parse_tgs_req};

/// The largest tag that a message can have.
const TAG_MAX: u32 = 30;

/// What bytes turn out to be.
pub(super) enum Read {
    /// A message that is understood.
    Message(Box<Krb5Transaction>),
    /// A message of this kind, of which nothing can be told.
    Kind(u32),
    /// Nothing that Kerberos has.
    Other,
    /// No ASN.1.
    Malformed,
}

/// Reads a message.
pub(super) fn read(bytes: &[u8]) -> Read {
    let Ok((_, header)) = der_read_element_header(bytes) else {
        return Read::Malformed;
    };
    if header.class() != Class::Application {
        return Read::Other;
    }
    let kind = header.tag().0;
    let understood = match kind {
        10 => parse_as_req(bytes).ok().map(|(_, message)| request(MessageType::KRB_AS_REQ, message)),
        11 => parse_as_rep(bytes).ok().map(|(_, message)| reply(MessageType::KRB_AS_REP, message)),
        12 => parse_tgs_req(bytes).ok().map(|(_, message)| request(MessageType::KRB_TGS_REQ, message)),
        13 => parse_tgs_rep(bytes).ok().map(|(_, message)| reply(MessageType::KRB_TGS_REP, message)),
        30 => KrbError::from_der(bytes).ok().map(|(_, message)| error(message)),
        _ => None,
    };
    match understood {
        Some(transaction) => Read::Message(Box::new(transaction)),
        None => Read::Kind(kind),
    }
}

fn request(kind: MessageType, message: KdcReq<'_>) -> Krb5Transaction {
    let mut transaction = Krb5Transaction::new(kind);
    transaction.client = message.req_body.cname.map(|name| name.name_string);
    transaction.realm = Some(message.req_body.realm.0);
    transaction.server = message.req_body.sname.map(|name| name.name_string);
    transaction
}

fn reply(kind: MessageType, message: KdcRep<'_>) -> Krb5Transaction {
    let mut transaction = Krb5Transaction::new(kind);
    transaction.client = Some(message.cname.name_string);
    transaction.realm = Some(message.crealm.0);
    transaction.server = Some(message.ticket.sname.name_string);
    transaction.ticket_encryption = Some(message.ticket.enc_part.etype);
    transaction.encryption = Some(message.enc_part.etype);
    transaction
}

fn error(message: KrbError<'_>) -> Krb5Transaction {
    let mut transaction = Krb5Transaction::new(MessageType::KRB_ERROR);
    transaction.client = message.cname.map(|name| name.name_string);
    transaction.realm = message.crealm.map(|realm| realm.0);
    transaction.server = Some(message.sname.name_string);
    transaction.error = Some(message.error_code);
    transaction
}

/// Whether an encryption is weak, or deprecated, or not known.
pub(super) fn is_weak(encryption: EncryptionType) -> bool {
    !matches!(
        encryption,
        EncryptionType::AES128_CTS_HMAC_SHA1_96
            | EncryptionType::AES256_CTS_HMAC_SHA1_96
            | EncryptionType::AES128_CTS_HMAC_SHA256_128
            | EncryptionType::AES256_CTS_HMAC_SHA384_192
            | EncryptionType::CAMELLIA128_CTS_CMAC
            | EncryptionType::CAMELLIA256_CTS_CMAC
    )
}

/// Whether bytes begin with a message: an application tag, in it a sequence, in it first the version, which is 5.
pub(super) fn looks_right(bytes: &[u8]) -> Looked {
    let Ok((inside, header)) = der_read_element_header(bytes) else {
        return Looked::No;
    };
    let is_plausible =
        header.class() == Class::Application && header.tag().0 <= TAG_MAX && inside.first() == Some(&0x30);
    let fields = der_read_element_header(inside).map(|(fields, _)| fields);
    match fields {
        Ok([_, _, 2, 1, 5, _, ..]) if is_plausible => Looked::Yes,
        _ => Looked::No,
    }
}
