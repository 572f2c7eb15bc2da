//! The log on a real disk: what [`agree::replica`] calls the contract of the disk, kept against loss of power.
//!
//! - [`create`](create()): makes the directory of a log that is new, once, when a node is made;
//! - [`Log::open`]: what is left after whatever happened, and a log to go on with;
//! - [`Log::append`]: hands writes over and returns; a thread of its own writes them, many with one flush;
//! - [`Log::write`]: the same, but what is quick to write it writes where the caller stands;
//! - [`Log::durable`]: up to where everything survives a loss of power, or why the log is broken.
//!
//! In the order in which one would read it:
//! - [`log`](mod@log): the handle; `writer`: the queue behind it and the thread that writes;
//! - `chain`: the order of operations on disk: flush, roll over, snapshot, retire;
//! - `recover`: what opening reads, what it cuts, what it refuses, and why it may;
//! - `entry`, `segment`, `snapshot`: the bytes; `create`: the first of them;
//! - `spare`: files that are ready to become segments; `folder`: all system calls;
//! - [`error`](mod@error): what can go wrong, with what to do about it.
//!
//! **What is relied on.** `fdatasync` of a file makes the bytes written to it durable, and its length; `fsync` of a
//! directory makes its names durable; a rename is one step. A block of [`BLOCK_BYTES`] that is *not* being written when power
//! fails keeps its bytes. Nothing is assumed about blocks and names that no sync covered: each name may be old or new, each
//! sector of such a block old, new or garbage, in any combination.
//!
//! **What is not promised.** A last flush that was called durable and whose bytes the disk lost afterwards looks like one
//! that power cut short, until something later on disk says that it was whole. The next flush says so, closing says so,
//! and an idle log says so after [`MARK_AFTER`]; before that the loss shows only to the other replicas. A disk that lies
//! about syncs, and somebody who may write to the directory, are not guarded against: checksums are no signatures.

mod chain;
mod create;
mod entry;
pub mod error;
mod folder;
pub mod log;
mod recover;
mod segment;
mod snapshot;
mod spare;
#[cfg(test)]
mod tests;
mod writer;

pub use create::create;
pub use entry::{BLOCK_BYTES, RECORD_BYTES_MAX};
pub use error::{DiskError, Failure, OpenError, Rot};
pub use log::{
    Counts, Durability, Found, HERE_BYTES_MAX, HERE_TIME_MAX, INLINE_BYTES_MAX, Log, MARK_AFTER, Options,
    PENDING_BYTES_MAX, Torn,
};
