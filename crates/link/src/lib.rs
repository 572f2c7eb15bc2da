//! Links: who is at the other end, and frames to and from them.
//!
//! - [`links`]: all the links of a node or a client, behind one call that waits;
//! - [`framing`], [`hello`]: what travels beside the frames.
//!
//! An edge: it knows sockets and the clock, and nothing of what a frame says.

mod channel;
pub mod framing;
pub mod hello;
pub mod links;

pub use links::{Arrival, Closing, Counters, Links, Making};
