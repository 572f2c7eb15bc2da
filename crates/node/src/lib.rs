//! A node of a running cluster: what it is told to be, and logic wired to links and a log.
//!
//! - [`config`]: the file that says so, and a client's;
//! - [`gate`], [`core`]: the guard's half and the replica's half; [`single`]: both on one thread;
//! - [`clock`], [`timers`].

pub mod clock;
pub mod config;
pub mod core;
pub mod gate;
pub mod single;
pub mod timers;
