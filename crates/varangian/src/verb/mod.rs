//! The verbs of the command line, a file or a folder each.

pub(crate) mod demo;
pub(crate) mod plan;
pub(crate) mod sim;
