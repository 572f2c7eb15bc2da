//! The keywords of DNS.
//!
//! `dns.query`, `dns.query.name` and `dns.queries.rrname` look into the same field: the first to the server
//! only, the others in what is repeated in answers as well.

use super::kinds::{CODES, TYPES};
use crate::app::{Buffer, Family, Field, Keyword, Number, ProtocolId, Sides, Takes};

pub(super) const QUESTIONS: Field = Field::new(Family::Dns, 0);
pub(super) const ANSWERS: Field = Field::new(Family::Dns, 1);
pub(super) const AUTHORITIES: Field = Field::new(Family::Dns, 2);
pub(super) const ADDITIONALS: Field = Field::new(Family::Dns, 3);
pub(super) const ALL_NAMES: Field = Field::new(Family::Dns, 4);
pub(super) const OPCODE: Field = Field::new(Family::Dns, 5);
pub(super) const RCODE: Field = Field::new(Family::Dns, 6);
pub(super) const RRTYPE: Field = Field::new(Family::Dns, 7);

/// Whose keywords they are: HTTP/2 that carries DNS answers them, too.
const PROTOCOLS: &[ProtocolId] = &[ProtocolId::Dns, ProtocolId::Doh2];

pub(super) const KEYWORDS: &[Keyword] = &[
    buffer("dns.query", QUESTIONS, Sides::ToServer),
    buffer("dns_query", QUESTIONS, Sides::ToServer),
    buffer("dns.query.name", QUESTIONS, Sides::Both),
    buffer("dns.queries.rrname", QUESTIONS, Sides::Both),
    buffer("dns.answer.name", ANSWERS, Sides::Both),
    buffer("dns.answers.rrname", ANSWERS, Sides::Both),
    buffer("dns.authorities.rrname", AUTHORITIES, Sides::Both),
    buffer("dns.additionals.rrname", ADDITIONALS, Sides::Both),
    buffer("dns.response.rrname", ALL_NAMES, Sides::ToClient),
    number("dns.opcode", OPCODE, u8::MAX as u64, &[]),
    number("dns.rcode", RCODE, u16::MAX as u64, CODES),
    number("dns.rrtype", RRTYPE, u16::MAX as u64, TYPES),
];

/// Whether a field has the names of a message.
pub(super) fn is_of_names(field: Field) -> bool {
    matches!(field, QUESTIONS | ANSWERS | AUTHORITIES | ADDITIONALS | ALL_NAMES)
}

const fn buffer(name: &'static str, field: Field, sides: Sides) -> Keyword {
    Keyword { name, takes: Takes::Buffer(Buffer { field, sides, protocols: PROTOCOLS }) }
}

const fn number(
    name: &'static str,
    field: Field,
    max: u64,
    names: &'static [(&'static str, u64)],
) -> Keyword {
    Keyword {
        name,
        takes: Takes::Number(Number { field, sides: Sides::Both, protocols: PROTOCOLS, max, names }),
    }
}
