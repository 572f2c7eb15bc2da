//! How events are written down: EVE, lines of JSON with the names that Suricata gives to things, so that what reads Suricata's
//! output reads ours.

mod alert;
mod community;
mod json;

pub use alert::{alert_record, timestamp};
pub use community::community_id;
pub use json::Object;
