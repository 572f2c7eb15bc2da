//! How events are written down: EVE, lines of JSON with the names that Suricata gives to things, so that what reads Suricata's
//! output reads ours.

mod json;

pub use json::Object;
