//! The client library: asks a cluster for operations and waits for answers that enough of its nodes vouch for.
//!
//! - [`connection`]: one process's links to all nodes, behind one thread of its own;
//! - [`session`]: one request at a time, blocking or async, without a runtime; as many sessions as one likes;
//! - [`keys`]: put, get, cas, delete, list and watch for the store of keys and values;
//! - [`accounts`]: how the nodes are, by their own word;
//! - [`error`]: what can go wrong, and whether the operation may have been executed all the same.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! let config = node::config::ClientConfig::load("harbour/client-1/client.toml".as_ref())?;
//! let connection = client::Connection::open(&config)?;
//! let mut kv = client::Kv::new(connection.session()?, Duration::from_secs(5));
//! let written = kv.put("colour", "red")?;
//! kv.cas("colour", written.revision, "blue")?;
//! # Ok(())
//! # }
//! ```
//!
//! **Architecture invariant:** what is true is decided in `agree::station`; here is only who waits for it.

pub mod accounts;
pub mod connection;
pub mod error;
mod follow;
pub mod keys;
pub mod session;
mod slot;
mod thread;

pub use connection::Connection;
pub use error::{CallError, OpenError};
pub use keys::{Kv, KvError};
pub use session::{Call, Session};
