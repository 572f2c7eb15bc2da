//! How bodies are kept and looked at: the sizes of the default configuration that rules are written for.

use crate::app::BodyLimits;

/// A request's body: 100 KiB are looked at, for the first time when 32 KiB are there, with 4 KiB looked at twice.
pub const REQUEST_BODY_LIMITS: BodyLimits =
    BodyLimits { bytes_max: 100 * 1024, first_bytes_min: 32 * 1024, overlap_bytes: 4 * 1024 };

/// A response's body: 100 KiB are looked at, for the first time when 40 KiB are there, with 16 KiB looked at twice.
pub const RESPONSE_BODY_LIMITS: BodyLimits =
    BodyLimits { bytes_max: 100 * 1024, first_bytes_min: 40 * 1024, overlap_bytes: 16 * 1024 };
