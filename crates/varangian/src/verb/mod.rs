//! The verbs of the command line, a file or a folder each.

pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod config;
pub(crate) mod costs;
pub(crate) mod demo;
pub(crate) mod init;
pub(crate) mod kv;
pub(crate) mod node;
pub(crate) mod plan;
pub(crate) mod roster;
pub(crate) mod scenarios;
pub(crate) mod sim;
