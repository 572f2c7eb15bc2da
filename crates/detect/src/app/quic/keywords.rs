//! The keywords that only QUIC has; those of JA3 and JA4 stand with TLS.

use super::field;
use crate::app::{Buffer, Field, Keyword, Letters, ProtocolId, Sides, Takes};

const QUIC: &[ProtocolId] = &[ProtocolId::Quic];

/// All of them.
pub(super) static KEYWORDS: &[Keyword] = &[
    Keyword { name: "quic.version", takes: Takes::Buffer(buffer(field::VERSION, Sides::Both)) },
    Keyword { name: "quic.sni", takes: Takes::Buffer(buffer(field::SERVER_NAME, Sides::ToServer)) },
    Keyword { name: "quic.ua", takes: Takes::Buffer(buffer(field::USER_AGENT, Sides::ToServer)) },
    Keyword { name: "quic.cyu.string", takes: Takes::Buffer(buffer(field::CYU_TEXT, Sides::ToServer)) },
    Keyword {
        name: "quic.cyu.hash",
        takes: Takes::Folded(buffer(field::CYU_HASH, Sides::ToServer), Letters::Small),
    },
];

const fn buffer(field: Field, sides: Sides) -> Buffer {
    Buffer { field, sides, protocols: QUIC }
}
