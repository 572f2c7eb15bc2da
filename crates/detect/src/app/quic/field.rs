//! The fields that only QUIC has; those of fingerprints are TLS's.

use crate::app::{Family, Field};

const fn field(number: u8) -> Field {
    Field::new(Family::Quic, number)
}

/// The version as it stands in the head.
pub(super) const VERSION: Field = field(0);
/// The server that is named.
pub(super) const SERVER_NAME: Field = field(1);
/// What the client calls itself (Google's handshake).
pub(super) const USER_AGENT: Field = field(2);
/// CYU: version and tags of a message of Google's handshake.
pub(super) const CYU_TEXT: Field = field(3);
/// CYU, hashed.
pub(super) const CYU_HASH: Field = field(4);
