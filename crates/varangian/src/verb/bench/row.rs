//! What one repetition of one system came to.
//!
//! The first eleven fields are a promise; the lines of `varangian-peers` have them too, and some of those that follow.

use serde::{Deserialize, Serialize};

/// One repetition.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Row {
    /// A protocol of ours, or a peer.
    pub(super) system: String,
    /// How many nodes may be faulty.
    pub(super) f: usize,
    /// How many asked at once.
    pub(super) clients: usize,
    /// Bytes of a request.
    pub(super) request_bytes: usize,
    /// Bytes of a reply.
    pub(super) reply_bytes: usize,
    /// `fsync`, `async` or `memory`.
    pub(super) durability: String,
    /// Operations that were done, by the second.
    pub(super) operations_per_second: f64,
    /// Half of them took no longer.
    pub(super) p50_us: f64,
    /// 99 % took no longer.
    pub(super) p99_us: f64,
    /// Processor time of all nodes and of the load, for one operation.
    pub(super) cpu_us_per_operation: f64,
    /// Which one it is, from 1.
    pub(super) repetition: usize,

    /// The load's share of the processor time.
    pub(super) load_cpu_us_per_operation: f64,
    /// How long it was measured.
    pub(super) seconds: f64,
    /// `plain` or `tls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) links: Option<String>,
    /// `one` or `separate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) processes: Option<String>,
    /// 90 % took no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) p90_us: Option<f64>,
    /// 99.9 % took no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) p999_us: Option<f64>,
    /// The longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_us: Option<f64>,
    /// Times that a node had no room for a request and said BUSY.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<u64>,
    /// Times that a request was sent again for want of a result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retried: Option<u64>,
    /// Clients that could not ask any more; of a peer, what its tool counts.
    #[serde(default)]
    pub(super) errors: u64,
    /// Clients that had waited for an operation for two seconds or longer when the measurement ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) overdue: Option<u64>,
    /// By how much the view or configuration grew, which it must not without a fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) view_changes: Option<u64>,
    /// Requests that were agreed on at once, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) requests_per_batch: Option<f64>,
    /// Operations a second that were due, in an open loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) offered_per_second: Option<f64>,
    /// Operations that were due, and for which no client was free in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) not_begun: Option<u64>,
    /// Of a peer: its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// Of a peer in Rust: who joins requests, its library or the application above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) batching: Option<String>,
}

/// What is measured alike: rows that differ in their cell are not compared.
#[derive(Clone, PartialEq, PartialOrd, Debug)]
pub(super) struct Cell {
    /// How many nodes may be faulty.
    pub(super) f: usize,
    /// Kilobytes of request and reply.
    pub(super) payload: (f64, f64),
    /// How many ask at once.
    pub(super) clients: usize,
    /// Operations a second that are due; 0 in a closed loop.
    pub(super) offered: f64,
}

impl Row {
    /// What the system is called in tables and figures.
    pub(super) fn label(&self) -> String {
        match self.batching.as_deref() {
            Some("application") => format!("{} (batched)", self.system),
            Some(_) | None => self.system.clone(),
        }
    }

    /// To which cell it belongs.
    pub(super) fn cell(&self) -> Cell {
        Cell {
            f: self.f,
            payload: (kilobytes(self.request_bytes), kilobytes(self.reply_bytes)),
            clients: self.clients,
            offered: self.offered_per_second.unwrap_or_default(),
        }
    }
}

impl Cell {
    /// The payload as the paper writes it: `4/0`.
    pub(super) fn payload_text(&self) -> String {
        format!("{}/{}", self.payload.0, self.payload.1)
    }
}

/// What is less than a hundredth of a kilobyte is nothing: peers cannot ask for less than some bytes.
fn kilobytes(bytes: usize) -> f64 {
    (bytes as f64 / 1024.0 * 100.0).floor() / 100.0
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A row of which only that matters which is asked for.
    pub(in super::super) fn row(system: &str, clients: usize, rate: f64, repetition: usize) -> Row {
        let line = format!(
            r#"{{"system":"{system}","f":1,"clients":{clients},"request_bytes":8,"reply_bytes":0,"durability":"fsync",
            "operations_per_second":{rate},"p50_us":{},"p99_us":900.0,"cpu_us_per_operation":20.0,"repetition":{repetition},
            "load_cpu_us_per_operation":3.0,"seconds":1.0}}"#,
            clients as f64 / rate * 1e6
        );
        serde_json::from_str(&line).expect("it is a row")
    }

    #[test]
    fn the_line_of_a_peer_is_a_row() {
        let line = r#"{"system":"raft-rs","version":"0.7.0","f":1,"clients":64,"request_bytes":8,"reply_bytes":8,
            "durability":"fsync","batching":"application","operations_per_second":1.5,"p50_us":1.0,"p99_us":2.0,
            "cpu_us_per_operation":3.0,"load_cpu_us_per_operation":1.0,"repetition":1,"seconds":5.0,"errors":0}"#;
        let row: Row = serde_json::from_str(line).expect("it is a row");
        assert_eq!(row.label(), "raft-rs (batched)");
        assert_eq!(row.cell().payload_text(), "0/0");
        assert_eq!(row.view_changes, None);
    }

    #[test]
    fn what_is_printed_is_read_again() {
        let row = Row { p90_us: Some(4.5), view_changes: Some(0), ..row("byzid", 64, 1000.0, 2) };
        let text = serde_json::to_string(&row).expect("it is plain data");
        assert_eq!(serde_json::from_str::<Row>(&text).expect("it is a row"), row);
        assert!(!text.contains("version"), "what a system does not have is not there: {text}");
    }

    #[test]
    fn kilobytes_are_as_they_were_wished_for() {
        assert_eq!([0, 8, 32, 512, 4096, 65_536].map(kilobytes), [0.0, 0.0, 0.03, 0.5, 4.0, 64.0]);
    }
}
