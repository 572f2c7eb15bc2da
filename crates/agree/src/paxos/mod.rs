//! Paxos.

pub mod message;
