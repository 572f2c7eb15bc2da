//! What a node says of itself: for people, and for whatever watches it.

use crate::ending::Ending;
use crate::gate::{Alarmed, Passed};
use agree::Protocol;
use agree::account::{ALARMS_MAX, Account, Beside, GuardPart, MonitorPart, Raised};
use agree::between::{LogStanding, Standing, Tally};
use agree::guard::Alarm;
use agree::survey::{Role, SILENT_MS_MAX, role};
use link::Counters;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;
use wire::{NodeId, Text, Time};

/// What a node does for its cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Duty {
    /// It takes part.
    TakesPart,
    /// It stands by to take a member's place, as a spare should.
    StandsBy,
    /// Neither.
    #[default]
    Neither,
}

impl Duty {
    /// Whether the node does what it should: a spare that stands by is as well as a member that takes part.
    #[must_use]
    pub fn is_healthy(self) -> bool {
        self != Duty::Neither
    }
}

/// What is answered to whoever asks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    /// What the node does.
    pub duty: Duty,
    /// One JSON object.
    pub status: String,
    /// Metrics in the text form of Prometheus.
    pub metrics: String,
}

/// After how long the monitor calls its replica late, as it has learned by now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// With an ORDER, where it leads.
    pub order: Duration,
    /// With an ACK.
    pub ack: Duration,
}

/// How a node stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// Which node.
    pub node: NodeId,
    /// The protocol.
    pub protocol: Protocol,
    /// Whether monitor and replica are processes of their own.
    pub apart: bool,
    /// How the replica says that it stands; nothing while it does not run.
    pub standing: Option<Standing>,
    /// How it is seen to stand.
    pub beside: Beside,
    /// Whether what it says goes out, with its monitor's word where there is one.
    pub vouches: bool,
    /// What the monitor says, where there is one.
    pub monitor: Option<MonitorPart>,
    /// What it calls late.
    pub bounds: Option<Bounds>,
    /// What passed its guard.
    pub passed: Passed,
    /// Asides that were not answered: no inquiries, or too many.
    pub asides_refused: u64,
    /// Its links.
    pub links: Counters,
    /// The nodes to which a link stands.
    pub up: Vec<NodeId>,
    /// When keys end.
    pub ending: Ending,
    /// The moment of this report, since the start.
    pub now: Time,
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Report {
    /// What to answer.
    #[must_use]
    pub fn answers(&self) -> Answers {
        Answers { duty: self.duty(), status: self.as_json().to_string(), metrics: self.as_metrics() }
    }

    /// What it does.
    #[must_use]
    pub fn duty(&self) -> Duty {
        if self.passed.alarms.iter().any(|alarmed| alarmed.alarm.proof) {
            Duty::Neither
        } else if self.takes_part() {
            Duty::TakesPart
        } else if self.stands_by() {
            Duty::StandsBy
        } else {
            Duty::Neither
        }
    }

    /// Whether it is a spare, as far as its own monitor knows, and its replica is there.
    fn stands_by(&self) -> bool {
        let Some(monitor) = &self.monitor else { return false };
        let members: Vec<NodeId> = monitor.members.iter().map(|member| member.node).collect();
        role(&members, self.node, &self.account()) == Role::Spare
    }

    fn takes_part(&self) -> bool {
        let speaks = self.beside.up && self.beside.silent_ms <= SILENT_MS_MAX;
        self.vouches && speaks && self.standing.as_ref().is_some_and(|standing| standing.status.normal)
    }

    fn seconds(&self) -> u64 {
        self.now.since(Time::ZERO).as_secs()
    }

    fn tally(&self) -> Tally {
        self.standing.as_ref().map(|standing| standing.tally).unwrap_or_default()
    }

    fn log(&self) -> LogStanding {
        self.standing.as_ref().map(|standing| standing.log).unwrap_or_default()
    }

    /// How many connections ended, by why.
    fn closed(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.links.closed.iter().map(|(closing, count)| (closing.name(), *count))
    }

    /// What a client is told that asks over its link.
    #[must_use]
    pub fn account(&self) -> Account {
        let raised = |alarmed: &Alarmed| Raised {
            rule: Text::cut(alarmed.alarm.rule),
            proof: alarmed.alarm.proof,
            view: alarmed.alarm.view,
            times: alarmed.times,
            ago_ms: milliseconds(self.now.since(alarmed.at)),
        };
        Account {
            version: Text::cut(env!("CARGO_PKG_VERSION")),
            protocol: self.protocol,
            apart: self.apart,
            guard: GuardPart {
                uptime_ms: milliseconds(self.now.since(Time::ZERO)),
                links_up: self.up.clone(),
                heard: self.passed.heard,
                said: self.passed.said,
                refused: self.passed.refused,
                connections_refused: self.links.turned_away,
                words_refused: self.passed.words_refused,
                replica: self.beside.clone(),
                monitor: self.monitor.clone(),
                alarms: self.passed.alarms.iter().rev().take(ALARMS_MAX).rev().map(raised).collect(),
            },
            replica: self.standing.clone(),
        }
    }

    /// As one JSON object.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let duty = self.duty();
        let status = self.standing.as_ref().map(|standing| &standing.status);
        let (tally, log) = (self.tally(), self.log());
        let alarm = |alarmed: &Alarmed| {
            let Alarm { rule, view, proof, .. } = &alarmed.alarm;
            json!({ "rule": rule, "view": view.0, "proof": proof, "times": alarmed.times })
        };
        json!({
            "node": self.node.0,
            "protocol": self.protocol.name(),
            "healthy": duty.is_healthy(),
            "stands_by": duty == Duty::StandsBy,
            "vouches": self.vouches,
            "primary": status.map(|status| status.primary.0),
            "configuration": status.map(|status| status.view.0),
            "executed": status.map(|status| status.executed.0),
            "stable": status.map(|status| status.stable.0),
            "state": status.map(|status| status.state.to_string()),
            "sessions": status.map(|status| status.sessions),
            "batches": tally.batches,
            "requests": tally.requests,
            "restores": tally.restores,
            "refused": tally.refused.saturating_add(self.passed.refused),
            "log_writes": log.writes,
            "log_bytes": log.bytes,
            "heard": self.passed.heard,
            "said": self.passed.said,
            "replica_words_refused": self.passed.words_refused,
            "replica_words_lost": self.passed.words_lost,
            "replica_silent_ms": self.beside.silent_ms,
            "order_late_after_us": self.bounds.map(|bounds| bounds.order.as_micros() as u64),
            "ack_late_after_us": self.bounds.map(|bounds| bounds.ack.as_micros() as u64),
            "alarms": self.passed.alarms.iter().map(alarm).collect::<Vec<_>>(),
            "pid": std::process::id(),
            "edition": self.passed.edition,
            "changes_refused": self.passed.changes_refused,
            "links_up": self.up.iter().map(|node| node.0).collect::<Vec<_>>(),
            "connections_closed": self.closed().collect::<BTreeMap<_, _>>(),
            "key_ends": self.ending.own.map(|end| end.to_string()),
            "next_key_ends": self.ending.next.map(|(end, _)| end.to_string()),
            "keys_ended": self.ending.ended,
            "incarnation": self.monitor.as_ref().map(|monitor| monitor.incarnation),
            "seconds": self.seconds(),
        })
    }

    /// As metrics in the text form of Prometheus.
    #[must_use]
    pub fn as_metrics(&self) -> String {
        let duty = self.duty();
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, value: u64| {
            let _ = write!(
                text,
                "# HELP varangian_{name} {help}\n# TYPE varangian_{name} {kind}\nvarangian_{name} {value}\n"
            );
        };
        metric(
            "healthy",
            "gauge",
            "Whether the node takes part, or stands by as it should.",
            u64::from(duty.is_healthy()),
        );
        metric(
            "stands_by",
            "gauge",
            "Whether it is a spare that stands by.",
            u64::from(duty == Duty::StandsBy),
        );
        if let Some(Standing { status, .. }) = &self.standing {
            metric("configuration", "gauge", "The view or configuration.", status.view.0);
            metric("primary", "gauge", "Who leads it.", u64::from(status.primary.0));
            metric("executed", "counter", "The place of the last batch executed.", status.executed.0);
            metric("stable", "counter", "The place of the last stable checkpoint.", status.stable.0);
        }
        let (tally, log) = (self.tally(), self.log());
        metric("batches_total", "counter", "Batches executed.", tally.batches);
        metric("requests_total", "counter", "Requests applied.", tally.requests);
        metric("restores_total", "counter", "States taken over.", tally.restores);
        metric("log_bytes", "gauge", "Bytes of the disk that the log takes.", log.bytes);
        metric("heard_total", "counter", "Frames that came.", self.passed.heard);
        metric("said_total", "counter", "Frames that went.", self.passed.said);
        metric("refused_total", "counter", "Messages that did not pass.", self.passed.refused);
        metric(
            "replica_refused_total",
            "counter",
            "Messages that the replica did not act upon.",
            tally.refused,
        );
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
        if let Some(Bounds { order, ack }) = self.bounds {
            let (order, ack) = (order.as_micros() as u64, ack.as_micros() as u64);
            metric("order_late_after_microseconds", "gauge", "After how long an ORDER is late.", order);
            metric("ack_late_after_microseconds", "gauge", "After how long an ACK is late.", ack);
        }
        metric("roster_edition", "gauge", "The edition of the roster that counts.", self.passed.edition);
        metric(
            "changes_refused_total",
            "counter",
            "Changes of the roster that no operator signed.",
            self.passed.changes_refused,
        );
        // What never ends has no such moment.
        if let Some(end) = self.ending.own {
            metric("key_ends_timestamp_seconds", "gauge", "When the node's own key ends.", end.0);
        }
        if let Some((end, _)) = self.ending.next {
            let help = "When the next key of the roster ends.";
            metric("next_key_ends_timestamp_seconds", "gauge", help, end.0);
        }
        metric("keys_ended", "gauge", "Keys of the roster that have ended.", self.ending.ended);
        let alarms = self.passed.alarms.iter().map(|alarmed| alarmed.times).sum();
        metric("alarms_total", "counter", "Times that the replica broke a rule.", alarms);
        metric("asides_refused_total", "counter", "Inquiries not answered.", self.asides_refused);
        metric("links_up", "gauge", "Nodes to which a link stands.", self.up.len() as u64);
        metric(
            "frames_dropped_total",
            "counter",
            "Frames without room on a link.",
            self.links.frames_dropped,
        );
        metric(
            "accepts_put_off_total",
            "counter",
            "Turns that took in as many connections as one may.",
            self.links.accepts_put_off,
        );
        metric("seconds_total", "counter", "Seconds since the start.", self.seconds());
        by_why(&mut text, "connections_closed_total", "Connections that ended, by why.", self.closed());
        let refused = self.links.refused.iter().map(|(name, count)| (*name, *count));
        by_why(
            &mut text,
            "tls_refused_total",
            "Connections that ended over TLS, by what was refused.",
            refused,
        );
        text
    }
}

/// A counter of many reasons.
pub(crate) fn by_why(
    text: &mut String,
    name: &str,
    help: &str,
    counts: impl Iterator<Item = (&'static str, u64)>,
) {
    let _ = write!(text, "# HELP varangian_{name} {help}\n# TYPE varangian_{name} counter\n");
    for (why, count) in counts {
        let _ = writeln!(text, "varangian_{name}{{why=\"{why}\"}} {count}");
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use agree::account::{MemberPart, Stands};
    use agree::replica::Status;
    use link::{Closing, WallTime};
    use wire::{Digest, Sequence, View};

    pub(crate) fn report() -> Report {
        let status = Status {
            view: View(0),
            primary: NodeId(0),
            normal: true,
            executed: Sequence(7),
            stable: Sequence(0),
            state: Digest([0; 32]),
            sessions: 0,
        };
        let standing = Standing { status, tally: Tally::default(), log: LogStanding::default() };
        Report {
            node: NodeId(0),
            protocol: Protocol::ByzId,
            apart: true,
            standing: Some(standing),
            beside: Beside { up: true, starts: 1, silent_ms: 0, end: None },
            vouches: true,
            monitor: None,
            bounds: None,
            passed: Passed::default(),
            asides_refused: 0,
            links: Counters::default(),
            up: Vec::new(),
            ending: Ending::default(),
            now: Time::ZERO,
        }
    }

    /// A replica may say of itself what it likes.
    #[test]
    fn the_greatest_numbers_of_a_replica_that_lies_are_told() {
        let mut report = report();
        report.passed.refused = 1;
        if let Some(standing) = &mut report.standing {
            standing.tally.refused = u64::MAX;
            standing.status.executed = Sequence(u64::MAX);
            standing.status.view = View(u64::MAX);
            standing.log =
                LogStanding { writes: u64::MAX, unsynced: u64::MAX, segments: u64::MAX, bytes: u64::MAX };
        }
        let answers = report.answers();
        assert!(answers.metrics.contains(&format!("varangian_replica_refused_total {}", u64::MAX)));
        assert!(answers.status.contains(&format!("\"refused\":{}", u64::MAX)));
    }

    #[test]
    fn a_node_whose_replica_is_proven_to_lie_is_not_healthy() {
        let mut report = report();
        assert!(report.duty().is_healthy());
        let mut alarm = Alarm { node: NodeId(0), view: View(0), rule: "a rule", proof: false };
        report.passed.alarmed(Time::ZERO, alarm.clone());
        assert!(report.duty().is_healthy(), "it is suspected of something, and takes part");
        alarm.proof = true;
        report.passed.alarmed(Time::ZERO, alarm);
        assert!(!report.duty().is_healthy());
    }

    #[test]
    fn a_spare_that_stands_by_is_healthy_and_says_so() {
        let mut report = report();
        let members = [1, 2, 3].map(|node| MemberPart { node: NodeId(node), incarnation: 0 });
        report.vouches = false;
        report.monitor = Some(MonitorPart {
            incarnation: 1,
            standing: Stands::Forgotten,
            view: View(3),
            members: members.to_vec(),
            wants: View(3),
            promised: View(3),
            fails_open: false,
            guilty: None,
        });
        assert_eq!((report.duty(), report.duty().is_healthy()), (Duty::StandsBy, true));
        let metrics = report.as_metrics();
        assert!(metrics.contains("\nvarangian_healthy 1\n") && metrics.contains("\nvarangian_stands_by 1\n"));
        report.beside.silent_ms = SILENT_MS_MAX + 1;
        assert_eq!(report.duty(), Duty::Neither, "it could not take anybody's place");
        report.beside.silent_ms = 0;
        if let Some(monitor) = &mut report.monitor {
            monitor.members[0].node = NodeId(0);
        }
        assert_eq!(report.duty(), Duty::Neither, "a member that has forgotten does not stand by");
    }

    #[test]
    fn when_keys_end_is_told_to_those_who_watch() {
        let mut report = report();
        assert!(!report.as_metrics().contains("key_ends"), "they never end");
        let next = Some((WallTime(1_800_000_000), NodeId(1).into()));
        report.ending = Ending { own: Some(WallTime(1_800_000_001)), next, ended: 2, ..Ending::default() };
        let metrics = report.as_metrics();
        for line in [
            "varangian_key_ends_timestamp_seconds 1800000001",
            "varangian_next_key_ends_timestamp_seconds 1800000000",
            "varangian_keys_ended 2",
        ] {
            assert!(metrics.lines().any(|other| other == line), "{metrics}");
        }
    }

    #[test]
    fn why_connections_ended_is_told_to_those_who_watch() {
        let mut report = report();
        report.links.closed.insert(Closing::Slow, 3);
        report.links.closed.insert(Closing::CrowdedOut, 9);
        report.links.refused.insert("expired", 2);
        let metrics = report.as_metrics();
        assert!(metrics.contains("varangian_connections_closed_total{why=\"slow\"} 3\n"), "{metrics}");
        assert!(metrics.contains("varangian_connections_closed_total{why=\"crowded-out\"} 9\n"), "{metrics}");
        assert!(metrics.contains("varangian_tls_refused_total{why=\"expired\"} 2\n"), "{metrics}");
        assert_eq!(report.as_json()["connections_closed"], json!({ "crowded-out": 9, "slow": 3 }));
    }
}
