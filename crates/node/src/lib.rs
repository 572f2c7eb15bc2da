//! A running node: logic wired to links and a log.

pub mod clock;
pub mod core;
pub mod gate;
pub mod single;
pub mod timers;
