//! How events are written down: EVE, lines of JSON with the names that Suricata gives to things, so that what reads Suricata's
//! output reads ours.

mod alert;
mod community;
mod exchange;
mod flow;
mod head;
mod json;
mod kind;

pub use alert::{alert_record, timestamp};
pub use community::{community_id, icmp_ends};
pub(crate) use exchange::said;
pub(crate) use flow::{flow, spoken, tcp};
pub(crate) use head::{Head, head};
pub use json::Object;
pub use kind::Kinds;
pub(crate) use kind::written;
