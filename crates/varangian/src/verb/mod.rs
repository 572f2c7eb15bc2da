//! The verbs of the command line, a file or a folder each.

pub(crate) mod plan;
