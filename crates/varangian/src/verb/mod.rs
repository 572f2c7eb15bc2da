//! The verbs of the command line, a file or a folder each.

use core::time::Duration;

pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod config;
pub(crate) mod conformance;
pub(crate) mod costs;
pub(crate) mod demo;
pub(crate) mod init;
pub(crate) mod kv;
pub(crate) mod node;
pub(crate) mod plan;
pub(crate) mod replay;
pub(crate) mod roster;
pub(crate) mod rules;
pub(crate) mod scenarios;
pub(crate) mod sim;
pub(crate) mod status;

/// A time to wait, as it is given on the command line.
fn seconds(text: &str) -> Result<Duration, String> {
    seconds_from(0.001, text)
}

/// A number of seconds that is at least `least`.
fn seconds_from(least: f64, text: &str) -> Result<Duration, String> {
    let wrong = || format!("right would be a number of seconds from {least} to 86400");
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    if (least..=86_400.0).contains(&seconds) { Ok(Duration::from_secs_f64(seconds)) } else { Err(wrong()) }
}
