//! The verbs of the command line, a file or a folder each.

use core::time::Duration;

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
pub(crate) mod status;

/// A time to wait, as it is given on the command line.
fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "right would be a number of seconds from 0.001 to 86400".to_string();
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    if (0.001..=86_400.0).contains(&seconds) { Ok(Duration::from_secs_f64(seconds)) } else { Err(wrong()) }
}
