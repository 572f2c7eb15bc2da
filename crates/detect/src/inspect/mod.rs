//! Whether a rule holds: the conditions on bytes.
//!
//! `chain` is what stands after one sticky buffer, looked for in order and with going back; `content`, `bytes`, `asn1` and `search` are
//! its links, `base64` reads what one of them asks for; `transform` changes a buffer before anybody looks into it, and `inflate` makes
//! what is packed larger for it.

pub(crate) mod asn1;
pub(crate) mod base64;
pub(crate) mod bytes;
pub(crate) mod chain;
pub(crate) mod content;
mod inflate;
pub(crate) mod search;
pub(crate) mod transform;

pub(crate) use chain::{Chain, Link, Look, Scratch};
