//! NFS's keywords.

use crate::app::{Family, Field, Keyword, Number, ProtocolId, Sides, Takes};

/// The procedures of an exchange; of NFS 4, the operations that exchanges are made of.
pub(super) const PROCEDURE: Field = Field::new(Family::Nfs, 0);
/// The version.
pub(super) const VERSION: Field = Field::new(Family::Nfs, 1);

pub(super) const KEYWORDS: &[Keyword] = &[
    number("nfs_procedure", PROCEDURE),
    number("nfs.procedure", PROCEDURE),
    number("nfs_version", VERSION),
    number("nfs.version", VERSION),
];

const fn number(name: &'static str, field: Field) -> Keyword {
    Keyword {
        name,
        takes: Takes::Number(Number {
            field,
            sides: Sides::ToServer,
            protocols: &[ProtocolId::Nfs],
            max: u32::MAX as u64,
            names: &[],
        }),
    }
}
