//! A node of a running cluster: what it is told to be.
//!
//! - [`config`]: the file that says so, and a client's.

pub mod config;
