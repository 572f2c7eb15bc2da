//! A node of a running cluster: what it is told to be, and logic wired to links and a log.
//!
//! - [`config`]: the file that says so, and a client's;
//! - [`run`](mod@run): a node from its configuration to its end; [`assemble`]: its parts;
//! - [`gate`], [`core`]: the guard's half and the replica's half; [`single`]: both on one thread;
//! - [`separate`]: each half in a process of its own, and their supervisor; [`handover`]: what the replica's user is given;
//! - [`membership`]: who is a node or a client now;
//! - [`report`], [`http`], [`inquiries`], [`notify`]: what it says of itself, and to whom;
//! - [`telling`]: what it tells whoever runs it, as it happens; [`ending`]: of keys that end;
//! - [`clock`], [`timers`], [`starts`].

pub mod assemble;
pub mod clock;
pub mod config;
pub mod core;
pub mod ending;
pub mod gate;
pub mod handover;
pub mod http;
pub mod inquiries;
pub mod membership;
pub mod notify;
pub mod report;
pub mod run;
pub mod separate;
pub mod single;
pub mod starts;
pub mod telling;
pub mod timers;
