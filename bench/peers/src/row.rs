//! What the tool says: a JSON object on a line per repetition.

use serde::Serialize;

/// One repetition, in the words of `varangian bench agreement`.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) system: &'static str,
    pub(crate) version: String,
    pub(crate) f: u32,
    pub(crate) clients: u32,
    pub(crate) request_bytes: u32,
    pub(crate) reply_bytes: u32,
    pub(crate) durability: &'static str,
    /// Who joins requests, where that is not the system's own business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) batching: Option<&'static str>,
    pub(crate) operations_per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// User and system time of the members and of the load.
    pub(crate) cpu_us_per_operation: f64,
    /// The load's share of it.
    pub(crate) load_cpu_us_per_operation: f64,
    pub(crate) repetition: u32,
    pub(crate) seconds: f64,
    /// Operations that failed, and those that were without an answer for longer than `ANSWER_SECONDS_MAX` at the end.
    pub(crate) errors: u64,
}

/// One system, as `--list` tells of it.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    pub(crate) system: &'static str,
    pub(crate) available: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why_not: Option<String>,
}

/// Prints a row on a line of its own, at once: whoever reads may be waiting for it.
pub(crate) fn print(row: &impl Serialize) -> std::io::Result<()> {
    use std::io::Write;
    let mut line = serde_json::to_vec(row)?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}
