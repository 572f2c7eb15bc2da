//! What HTTP/1 and HTTP/2 share: the fields that rules look into, their keywords, and the decompression of bodies.
//!
//! A keyword of this family needs no more than the field: each protocol's own transaction answers it. What only one of
//! the two protocols has stands in its folder.
//!
//! Not here: parsing (`http1`, `http2`), `file.data` and what else is asked of files (`file`).

pub(crate) mod compression;
pub mod field;
pub mod keywords;
mod limits;

pub use limits::{REQUEST_BODY_LIMITS, RESPONSE_BODY_LIMITS};
