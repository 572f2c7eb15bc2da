//! The answer as JSON: one object, the same from version to version. Fields may be added; none changes its meaning.
//!
//! - `health`: `healthy`, `degraded` or `not-serving`; `headline`: the same in a sentence.
//! - `configuration`: who leads, who says so, and whether f+1 do (`agreed`); null if nobody takes part.
//! - `furthest`: the batch that f+1 say they have executed.
//! - `nodes[]`: `role` and `lag` by what all accounts come to; `silence` if it gave none; `guard`, the word of the process that has the
//!   node's links; `replica`, the replica's own word. Where `guard.apart` is false, both are one word.
//!
//! Times are lengths in milliseconds (`_ms`), bytes are bytes.

use super::{Findings, headline};
use agree::account::{Account, Beside, MonitorPart, Raised, Stands};
use agree::between::Standing;
use agree::survey::{Health, Lead};
use client::accounts::Silence;
use node::config::NodeEntry;
use serde::Serialize;
use wire::NodeId;

/// The whole answer on one line.
pub(super) fn of(findings: &Findings<'_>) -> String {
    let record = Record::of(findings);
    serde_json::to_string(&record).expect("all of it is plain numbers, texts and lists")
}

#[derive(Serialize)]
struct Record<'a> {
    cluster: &'a str,
    protocol: &'static str,
    f: usize,
    health: &'static str,
    headline: String,
    needed: usize,
    taking_part: usize,
    faults: usize,
    configuration: Option<Configuration>,
    furthest: Option<u64>,
    remarks: Vec<String>,
    nodes: Vec<Node>,
}

#[derive(Serialize)]
struct Configuration {
    number: u64,
    primary: u16,
    members: Vec<u16>,
    said_by: Vec<u16>,
    agreed: bool,
}

#[derive(Serialize)]
struct Node {
    node: u16,
    address: String,
    fingerprint: String,
    role: &'static str,
    agrees: bool,
    lag: Option<u64>,
    silence: Option<Why>,
    guard: Option<Guard>,
    replica: Option<Replica>,
}

#[derive(Serialize)]
struct Why {
    kind: &'static str,
    what: String,
}

#[derive(Serialize)]
struct Guard {
    version: String,
    uptime_ms: u64,
    apart: bool,
    links_up: Vec<u16>,
    heard: u64,
    said: u64,
    refused: u64,
    connections_refused: u64,
    words_refused: u64,
    replica: Seen,
    monitor: Option<Monitor>,
    alarms: Vec<Alarm>,
}

#[derive(Serialize)]
struct Seen {
    up: bool,
    starts: u64,
    silent_ms: u64,
    end: Option<End>,
}

#[derive(Serialize)]
struct End {
    why: String,
    ago_ms: u64,
}

#[derive(Serialize)]
struct Monitor {
    incarnation: u64,
    standing: &'static str,
    configuration: u64,
    members: Vec<Member>,
    wants: u64,
    promised: u64,
    fails_open: bool,
    guilty: Option<String>,
}

#[derive(Serialize)]
struct Member {
    node: u16,
    /// Nothing if it is quarantined.
    incarnation: Option<u64>,
}

#[derive(Serialize)]
struct Alarm {
    rule: String,
    severity: &'static str,
    configuration: u64,
    times: u64,
    ago_ms: u64,
}

#[derive(Serialize)]
struct Replica {
    configuration: u64,
    primary: u16,
    normal: bool,
    executed: u64,
    stable: u64,
    state: String,
    sessions: u64,
    batches: u64,
    requests: u64,
    checkpoints: u64,
    restores: u64,
    refused: u64,
    log: Log,
}

#[derive(Serialize)]
struct Log {
    writes: u64,
    unsynced: u64,
    segments: u64,
    bytes: u64,
}

fn numbers(nodes: &[NodeId]) -> Vec<u16> {
    nodes.iter().map(|node| node.0).collect()
}

impl<'a> Record<'a> {
    fn of(findings: &'a Findings<'_>) -> Record<'a> {
        let (cluster, survey) = (findings.cluster, &findings.survey);
        let asked = cluster.nodes().filter(|entry| findings.answers.contains_key(&entry.node));
        Record {
            cluster: &cluster.name,
            protocol: cluster.settings.protocol.name(),
            f: cluster.settings.f,
            health: match findings.health() {
                Health::Healthy => "healthy",
                Health::Degraded => "degraded",
                Health::NotServing => "not-serving",
            },
            headline: headline::of(findings),
            needed: survey.needed,
            taking_part: survey.taking_part,
            faults: survey.faults,
            configuration: survey.lead.as_ref().map(Configuration::of),
            furthest: survey.furthest.map(|furthest| furthest.0),
            remarks: survey.remarks.iter().map(ToString::to_string).collect(),
            nodes: asked.map(|entry| Node::of(findings, entry)).collect(),
        }
    }
}

impl Configuration {
    fn of(lead: &Lead) -> Configuration {
        Configuration {
            number: lead.view.0,
            primary: lead.primary.0,
            members: numbers(&lead.members),
            said_by: numbers(&lead.said_by),
            agreed: lead.agreed,
        }
    }
}

impl Node {
    fn of(findings: &Findings<'_>, entry: &NodeEntry) -> Node {
        let (place, answer) = (findings.survey.places[&entry.node], &findings.answers[&entry.node]);
        let account = answer.as_ref().ok();
        let why = |silence: &Silence| Why { kind: silence.name(), what: silence.to_string() };
        Node {
            node: entry.node.0,
            address: entry.address.to_string(),
            fingerprint: entry.identity.fingerprint().to_string(),
            role: place.role.name(),
            agrees: place.agrees,
            lag: place.lag,
            silence: answer.as_ref().err().map(why),
            guard: account.map(Guard::of),
            replica: account.and_then(|account| account.replica.as_ref()).map(Replica::of),
        }
    }
}

impl Guard {
    fn of(account: &Account) -> Guard {
        let guard = &account.guard;
        Guard {
            version: account.version.to_string(),
            uptime_ms: guard.uptime_ms,
            apart: account.apart,
            links_up: numbers(&guard.links_up),
            heard: guard.heard,
            said: guard.said,
            refused: guard.refused,
            connections_refused: guard.connections_refused,
            words_refused: guard.words_refused,
            replica: Seen::of(&guard.replica),
            monitor: guard.monitor.as_ref().map(Monitor::of),
            alarms: guard.alarms.iter().map(Alarm::of).collect(),
        }
    }
}

impl Seen {
    fn of(beside: &Beside) -> Seen {
        let end = beside.end.as_ref().map(|end| End { why: end.why.to_string(), ago_ms: end.ago_ms });
        Seen { up: beside.up, starts: beside.starts, silent_ms: beside.silent_ms, end }
    }
}

impl Monitor {
    fn of(monitor: &MonitorPart) -> Monitor {
        let member = |member: &agree::account::MemberPart| Member {
            node: member.node.0,
            incarnation: (!member.is_quarantined()).then_some(member.incarnation),
        };
        Monitor {
            incarnation: monitor.incarnation,
            standing: match monitor.standing {
                Stands::Member => "member",
                Stands::Changing => "changing",
                Stands::Forgotten => "forgotten",
                Stands::Quarantined => "quarantined",
            },
            configuration: monitor.view.0,
            members: monitor.members.iter().map(member).collect(),
            wants: monitor.wants.0,
            promised: monitor.promised.0,
            fails_open: monitor.fails_open,
            guilty: monitor.guilty.as_ref().map(ToString::to_string),
        }
    }
}

impl Alarm {
    fn of(raised: &Raised) -> Alarm {
        Alarm {
            rule: raised.rule.to_string(),
            severity: if raised.proof { "proof" } else { "timing" },
            configuration: raised.view.0,
            times: raised.times,
            ago_ms: raised.ago_ms,
        }
    }
}

impl Replica {
    fn of(standing: &Standing) -> Replica {
        let Standing { status, tally, log } = standing;
        Replica {
            configuration: status.view.0,
            primary: status.primary.0,
            normal: status.normal,
            executed: status.executed.0,
            stable: status.stable.0,
            state: status.state.to_string(),
            sessions: status.sessions,
            batches: tally.batches,
            requests: tally.requests,
            checkpoints: tally.checkpoints,
            restores: tally.restores,
            refused: tally.refused,
            log: Log { writes: log.writes, unsynced: log.unsynced, segments: log.segments, bytes: log.bytes },
        }
    }
}
