//! RFB's keywords.

use crate::app::{Buffer, Family, Field, Keyword, Number, ProtocolId, Sides, Takes};

/// The name of the screen.
pub(super) const NAME: Field = Field::new(Family::Rfb, 0);
/// How the client proves who it is.
pub(super) const SECURITY_TYPE: Field = Field::new(Family::Rfb, 1);
/// Whether it did. Of a failure only the reason is told.
pub(super) const SECURITY_RESULT: Field = Field::new(Family::Rfb, 2);

pub(super) const FRAME: &str = "rfb.pdu";

const RFB: &[ProtocolId] = &[ProtocolId::Rfb];

pub(super) const KEYWORDS: &[Keyword] = &[
    Keyword {
        name: "rfb.name",
        takes: Takes::Buffer(Buffer { field: NAME, sides: Sides::ToClient, protocols: RFB }),
    },
    Keyword {
        name: "rfb.sectype",
        takes: Takes::Number(Number {
            field: SECURITY_TYPE,
            sides: Sides::ToServer,
            protocols: RFB,
            max: u32::MAX as u64,
            names: &[],
        }),
    },
    Keyword {
        name: "rfb.secresult",
        takes: Takes::Number(Number {
            field: SECURITY_RESULT,
            sides: Sides::ToClient,
            protocols: RFB,
            max: u32::MAX as u64,
            names: &[("ok", 0), ("fail", 1), ("toomany", 2), ("too_many", 2), ("unknown", 3)],
        }),
    },
];
