//! The replicated key-value service, and what it takes to test and measure a cluster with it.
//!
//! - [`command`]: what can be asked for; [`answer`]: what comes out; both within the limits of a request and a result;
//! - [`store`]: the service itself; [`changes`]: the recent past that it keeps for watchers; [`fingerprint`]: why its
//!   digest costs nothing to ask for;
//! - [`history`]: whether what clients were told is what one store would have told them;
//! - [`null`]: a service that does nothing, so that a benchmark of it measures the protocol.
//!
//! **Architecture invariant:** a store is a value. It has no clock, so nothing in it expires, and no identity, so two that
//! were given the same commands are equal, down to the last byte of their snapshots.

pub mod answer;
pub mod changes;
pub mod command;
pub mod fingerprint;
pub mod history;
mod image;
pub mod null;
pub mod store;

pub use answer::{Answer, Change, Entry, Item, Outcome, Refusal};
pub use command::{Command, Revision, Version};
pub use null::Null;
pub use store::{Limits, Store};
