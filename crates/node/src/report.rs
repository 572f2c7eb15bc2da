//! What a node says of itself: for people, and for whatever watches it.

use agree::between::Tally;
use agree::guard::Alarm;
use agree::replica::Status;
use link::Counters;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What is answered to whoever asks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    /// Whether the node takes part.
    pub healthy: bool,
    /// One JSON object.
    pub status: String,
    /// Metrics in the text form of Prometheus.
    pub metrics: String,
}

/// How a node stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// Which node.
    pub node: u16,
    /// The protocol.
    pub protocol: &'static str,
    /// How the replica stands; nothing while it does not run.
    pub status: Option<Status>,
    /// Whether what it says goes out, with its monitor's word where there is one.
    pub vouches: bool,
    /// What it executed.
    pub tally: Tally,
    /// What passed its guard.
    pub passed: crate::gate::Passed,
    /// Its links.
    pub links: Counters,
    /// The nodes to which a link stands.
    pub up: Vec<u16>,
    /// Which start of the monitor this is, where there is one.
    pub incarnation: Option<u64>,
    /// Seconds since it was started.
    pub seconds: u64,
}

impl Report {
    /// What to answer.
    #[must_use]
    pub fn answers(&self) -> Answers {
        Answers { healthy: self.is_healthy(), status: self.as_json().to_string(), metrics: self.as_metrics() }
    }

    /// Whether it takes part.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.vouches && self.status.as_ref().is_some_and(|status| status.normal)
    }

    /// As one JSON object.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let status = self.status.as_ref();
        let alarm = |alarm: &Alarm| json!({ "rule": alarm.rule, "view": alarm.view.0, "proof": alarm.proof });
        json!({
            "node": self.node,
            "protocol": self.protocol,
            "healthy": self.is_healthy(),
            "vouches": self.vouches,
            "primary": status.map(|status| status.primary.0),
            "configuration": status.map(|status| status.view.0),
            "executed": status.map(|status| status.executed.0),
            "stable": status.map(|status| status.stable.0),
            "state": status.map(|status| status.state.to_string()),
            "batches": self.tally.batches,
            "requests": self.tally.requests,
            "restores": self.tally.restores,
            "refused": self.tally.refused + self.passed.refused,
            "heard": self.passed.heard,
            "said": self.passed.said,
            "replica_words_refused": self.passed.words_refused,
            "replica_words_lost": self.passed.words_lost,
            "alarms": self.passed.alarms.iter().map(alarm).collect::<Vec<_>>(),
            "links_up": self.up,
            "pid": std::process::id(),
            "edition": self.passed.edition,
            "changes_refused": self.passed.changes_refused,
            "incarnation": self.incarnation,
            "seconds": self.seconds,
        })
    }

    /// As metrics in the text form of Prometheus.
    #[must_use]
    pub fn as_metrics(&self) -> String {
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, value: u64| {
            let _ = write!(
                text,
                "# HELP varangian_{name} {help}\n# TYPE varangian_{name} {kind}\nvarangian_{name} {value}\n"
            );
        };
        metric("healthy", "gauge", "Whether the node takes part.", u64::from(self.is_healthy()));
        if let Some(status) = &self.status {
            metric("configuration", "gauge", "The view or configuration.", status.view.0);
            metric("primary", "gauge", "Who leads it.", u64::from(status.primary.0));
            metric("executed", "counter", "The place of the last batch executed.", status.executed.0);
            metric("stable", "counter", "The place of the last stable checkpoint.", status.stable.0);
        }
        metric("batches_total", "counter", "Batches executed.", self.tally.batches);
        metric("requests_total", "counter", "Requests applied.", self.tally.requests);
        metric("restores_total", "counter", "States taken over.", self.tally.restores);
        metric("heard_total", "counter", "Frames that came.", self.passed.heard);
        metric("said_total", "counter", "Frames that went.", self.passed.said);
        let refused = self.tally.refused + self.passed.refused;
        metric("refused_total", "counter", "Messages not acted upon.", refused);
        metric(
            "replica_words_refused_total",
            "counter",
            "Words of the replica's that were none.",
            self.passed.words_refused,
        );
        metric(
            "replica_words_lost_total",
            "counter",
            "Words to the replica while it was down.",
            self.passed.words_lost,
        );
        metric("roster_edition", "gauge", "The edition of the roster that counts.", self.passed.edition);
        metric(
            "changes_refused_total",
            "counter",
            "Changes of the roster that no operator signed.",
            self.passed.changes_refused,
        );
        metric("alarms_total", "counter", "Rules that the replica broke.", self.passed.alarms.len() as u64);
        metric("links_up", "gauge", "Nodes to which a link stands.", self.up.len() as u64);
        metric(
            "frames_dropped_total",
            "counter",
            "Frames without room on a link.",
            self.links.frames_dropped,
        );
        metric("seconds_total", "counter", "Seconds since the start.", self.seconds);
        let _ = write!(
            text,
            "# HELP varangian_connections_closed_total Connections that ended, by why.\n\
             # TYPE varangian_connections_closed_total counter\n"
        );
        for (closing, count) in &self.links.closed {
            let _ = writeln!(text, "varangian_connections_closed_total{{why=\"{closing}\"}} {count}");
        }
        text
    }
}
