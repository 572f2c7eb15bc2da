//! Why something could not be measured.

use core::fmt;
use std::io;
use std::path::PathBuf;

/// Why something could not be measured.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Somebody wants us to stop.
    Stopped,
    /// A folder or file cannot be made or read.
    File(PathBuf, io::Error),
    /// The files of a cluster could not be made.
    Init(String),
    /// There are no ports for so many nodes.
    NoPorts(usize),
    /// A node could not be started.
    NotStarted(io::Error),
    /// A node ended by itself.
    Ended {
        /// Which.
        node: usize,
        /// The last that it said.
        said: String,
    },
    /// A node does not take part.
    NotUp {
        /// Which.
        node: usize,
        /// The last that it said.
        said: String,
    },
    /// There is no load.
    Load(String),
    /// Nothing was answered while it was measured.
    NoAnswer(String),
    /// A peer could not be measured.
    Peer(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Stopped => f.write_str("stopped, as wished"),
            Trouble::File(path, error) => write!(f, "{}: {error}", path.display()),
            Trouble::Init(why) => write!(f, "the cluster's files cannot be made: {why}"),
            Trouble::NoPorts(nodes) => write!(f, "no ports for {nodes} nodes are free on 127.0.0.1"),
            Trouble::NotStarted(error) => write!(f, "a node cannot be started: {error}"),
            Trouble::Ended { node, said } => write!(f, "node {node} ended by itself: {said}"),
            Trouble::NotUp { node, said } => write!(f, "node {node} does not take part in time: {said}"),
            Trouble::Load(why) => write!(f, "the load: {why}"),
            Trouble::NoAnswer(why) => write!(f, "no operation was answered: {why}"),
            Trouble::Peer(why) => f.write_str(why),
        }
    }
}

impl core::error::Error for Trouble {}
