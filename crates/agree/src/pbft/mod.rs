//! PBFT.

pub mod message;
