//! The keywords of IKE.

use super::{IkeTransaction, Payloads, names};
use crate::Complaint;
use crate::app::{Family, Field, Keyword, Piece, ProtocolId, Sides, Test, Verdict};

pub(super) const INITIATOR: Field = Field::new(Family::Ike, 0);
pub(super) const RESPONDER: Field = Field::new(Family::Ike, 1);
pub(super) const VENDOR: Field = Field::new(Family::Ike, 2);
pub(super) const KEY_EXCHANGE: Field = Field::new(Family::Ike, 3);
pub(super) const NONCE: Field = Field::new(Family::Ike, 4);
pub(super) const EXCHANGE: Field = Field::new(Family::Ike, 5);
pub(super) const KEY_EXCHANGE_LENGTH: Field = Field::new(Family::Ike, 6);
pub(super) const NONCE_LENGTH: Field = Field::new(Family::Ike, 7);

const PROTOCOLS: &[ProtocolId] = &[ProtocolId::Ike];
const LENGTH_MAX: u64 = u32::MAX as u64;

pub(super) const KEYWORDS: &[Keyword] = &[
    Keyword::buffer("ike.init_spi", INITIATOR, Sides::ToServer, PROTOCOLS),
    Keyword::buffer("ike.resp_spi", RESPONDER, Sides::ToClient, PROTOCOLS),
    Keyword::buffer("ike.vendor", VENDOR, Sides::ToServer, PROTOCOLS),
    Keyword::buffer("ike.key_exchange_payload", KEY_EXCHANGE, Sides::Both, PROTOCOLS),
    Keyword::buffer("ike.nonce_payload", NONCE, Sides::Both, PROTOCOLS),
    Keyword::number("ike.exchtype", EXCHANGE, Sides::Both, PROTOCOLS, 255, &[]),
    Keyword::number(
        "ike.key_exchange_payload_length",
        KEY_EXCHANGE_LENGTH,
        Sides::Both,
        PROTOCOLS,
        LENGTH_MAX,
        &[],
    ),
    Keyword::number("ike.nonce_payload_length", NONCE_LENGTH, Sides::Both, PROTOCOLS, LENGTH_MAX, &[]),
    Keyword::test("ike.chosen_sa_attribute", chosen),
];

const ATTRIBUTES: &[&str] = &[
    "alg_enc",
    "alg_hash",
    "alg_auth",
    "alg_dh",
    "alg_prf",
    "sa_group_type",
    "sa_life_type",
    "sa_life_duration",
    "sa_key_length",
    "sa_field_size",
];

/// `alg_enc=7`: what the server chose.
fn chosen(text: &str) -> Result<Test, Complaint> {
    let wrong = || Complaint::new(format!("'{text}' is no attribute, '=' and a number"));
    let (name, number) = text.split_once('=').ok_or_else(wrong)?;
    let name = ATTRIBUTES.iter().copied().find(|known| *known == name.trim()).ok_or_else(wrong)?;
    let wanted: u32 = number.trim().parse().map_err(|_| wrong())?;
    Ok(Test::new(Sides::ToClient, PROTOCOLS, move |message: &IkeTransaction, _| {
        if chosen_number(message, name) == Some(wanted) { Verdict::Holds } else { Verdict::Fails }
    }))
}

/// The number of the attribute of this name in the first transform.
fn chosen_number(message: &IkeTransaction, name: &str) -> Option<u32> {
    match &message.payloads {
        Payloads::Version1(payloads) => {
            payloads
                .transforms
                .first()?
                .iter()
                .find(|attribute| names::attribute(attribute.kind) == name && attribute.number.is_some())?
                .number
        }
        Payloads::Version2(payloads) => payloads
            .transforms
            .iter()
            .find(|transform| {
                transform.place().is_some_and(|place| place < 4 && names::algorithm(place, None).0 == name)
            })
            .map(|transform| u32::from(transform.id)),
    }
}

/// Shows the values of a field.
pub(super) fn visit(message: &IkeTransaction, field: Field, show: &mut dyn FnMut(Piece<'_>)) {
    let version1 = match &message.payloads {
        Payloads::Version1(payloads) => Some(payloads),
        Payloads::Version2(_) => None,
    };
    match (field, version1) {
        (INITIATOR, _) => show(Piece::whole(&message.initiator)),
        (RESPONDER, _) => show(Piece::whole(&message.responder)),
        (VENDOR, Some(payloads)) => {
            payloads.vendors.iter().for_each(|vendor| show(Piece::whole(vendor.as_bytes())))
        }
        (KEY_EXCHANGE, Some(payloads)) if !payloads.key_exchange.is_empty() => {
            show(Piece::whole(&payloads.key_exchange))
        }
        (NONCE, Some(payloads)) if !payloads.nonce.is_empty() => show(Piece::whole(&payloads.nonce)),
        _ => {}
    }
}

/// Shows the values of a numeric field.
pub(super) fn number(message: &IkeTransaction, field: Field, show: &mut dyn FnMut(u64)) {
    if field == EXCHANGE {
        return show(u64::from(message.header.exchange));
    }
    let Payloads::Version1(payloads) = &message.payloads else { return };
    let length = match field {
        KEY_EXCHANGE_LENGTH => payloads.key_exchange.len(),
        NONCE_LENGTH => payloads.nonce.len(),
        _ => 0,
    };
    if length > 0 {
        show(length as u64);
    }
}
