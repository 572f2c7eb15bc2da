//! Frames in, alerts out.
//!
//! The work is parted in two, so that any number of workers gives the same alerts. A [`Worker`] does what belongs to one flow: decoding, reassembly,
//! parsing, matching; flows are spread over [`SHARDS`] shards by their outermost pair of addresses, a fixed function, and a worker has some of the
//! shards. The [`Judge`] does what flows share: it gets what workers found in the order of frames, decides conditions on hosts and thresholds, and makes
//! alerts.
//!
//! Upon a frame: its packets (`shard`), its flow, its bytes in order; what is spoken is found out and parsed (`layers`); rules are asked of the packet, of the stream and of
//! exchanges (`packets`, `exchanges`, with `holds`).
//! Upon time passing, and at the end: flows end, and what was still open in them is looked at.
//! Beside that, if it is wanted: what was understood is written down (`records`), and goes the same way as what rules found, in the same order.

mod exchanges;
mod found;
mod holds;
mod judge;
mod layers;
mod packets;
mod recognise;
mod records;
mod shard;
mod stages;
mod worker;

pub use crate::flow::Secret;
pub use found::{AlertFlow, Found};
pub use judge::{Alert, Judge, Told};
pub use stages::{Clock, Held, Spent};
pub use worker::{Counters, SHARDS, Worker, shard_of};

#[cfg(test)]
mod tests;
