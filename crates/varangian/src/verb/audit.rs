//! `varangian audit`: the monitor beside the wire, over a capture of what passed at the nodes of a cluster.
//!
//! Upon a capture: each node is judged by the rules of its monitor, by its own clock; which rules it broke is told.
//! Upon a capture that was cut off: what stands in it is judged, and that it was cut off is said.
//! Upon bytes that are no capture, or none of a protocol with a monitor: refused, with what was wrong and where.

use crate::Outcome;
use crate::say::{self, complain, say};
use agree::Settings;
use agree::byzid::audit::Ending;
use agree::byzid::auditor::Auditor;
use agree::capture::{self, MAGIC, Passage, What};
use agree::guard::Alarm;
use clap::Args;
use core::fmt::Write as _;
use core::time::Duration;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use wire::{Bytes, Decode, NodeId, Time};

/// Judge what the nodes of a captured cluster said by the rules of their monitors.
#[derive(Args)]
#[command(after_help = "\
A capture holds what each node heard and said. The rules are ByzID's: no gap, fairness, consistency and so on. A rule that
no correct replica breaks convicts the node; to be late may be a crash, a slow disk or malice. The first configuration is
judged; what follows a reconfiguration is not.

Examples:
  varangian sim --protocol byzid --f 1 --fail open --replay 42 --record run.capture
  varangian audit run.capture               what every node broke
  varangian audit run.capture --node 0      one node alone
  varangian audit run.capture --json        as one JSON object

Exit codes: 0 no rule was broken, 1 one was broken, 2 there was nothing to judge.")]
pub(crate) struct Arguments {
    /// The capture.
    file: PathBuf,

    /// Judge this node alone.
    #[arg(long, value_name = "N")]
    node: Option<u16>,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// A rule that a node broke.
struct Breach {
    alarm: Alarm,
    /// When first, since the node was first watched.
    first: Duration,
    count: u64,
}

/// What is found of one node.
#[derive(Default)]
struct Finding {
    heard: u64,
    said: u64,
    began: Time,
    /// How long it was watched.
    watched: Duration,
    /// How long it was judged, and why not longer.
    judged: Duration,
    ending: Option<Ending>,
    breaches: Vec<Breach>,
}

impl Finding {
    fn breach(&mut self, alarm: Alarm) {
        match self.breaches.iter_mut().find(|breach| breach.alarm.rule == alarm.rule) {
            Some(breach) => breach.count += 1,
            None => self.breaches.push(Breach { alarm, first: self.watched, count: 1 }),
        }
    }

    fn is_convicted(&self) -> bool {
        self.breaches.iter().any(|breach| breach.alarm.proof)
    }
}

/// What is found of a capture.
struct Findings {
    settings: Settings,
    nodes: BTreeMap<NodeId, Finding>,
    cut_off: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let file = &arguments.file;
    let only = arguments.node.map(NodeId);
    let findings = match judge(file, only) {
        Ok(findings) => findings,
        Err(wrong) => {
            complain!("error: {}: {wrong}", file.display());
            return Outcome::Refused;
        }
    };
    if findings.cut_off {
        complain!("{} ends in the middle of a passage: what stands before it was judged", file.display());
    }
    if arguments.json {
        say!("{}", as_json(&findings));
    } else {
        say::answer(format_args!("{}", as_text(&findings)));
    }
    match findings.nodes.values().all(|finding| finding.breaches.is_empty()) {
        true => Outcome::Fine,
        false => Outcome::Violated,
    }
}

fn judge(file: &Path, only: Option<NodeId>) -> Result<Findings, String> {
    let mut capture = Capture::open(file)?;
    let settings = capture.settings.clone();
    let nodes: Vec<NodeId> = settings.members.iter().chain(&settings.spares).copied().collect();
    if let Some(node) = only.filter(|node| !nodes.contains(node)) {
        let nodes: Vec<String> = nodes.iter().map(|node| node.0.to_string()).collect();
        return Err(format!("there is no node {}; there are {}", node.0, nodes.join(", ")));
    }
    let mut auditor = Auditor::new(settings.clone()).map_err(|wrong| wrong.to_string())?;
    let mut findings = Findings { settings, nodes: BTreeMap::new(), cut_off: false };
    while let Some(passage) = capture.next()? {
        if only.is_some_and(|node| node != passage.node) {
            continue;
        }
        let (at, node) = (passage.at, passage.node);
        let finding =
            findings.nodes.entry(node).or_insert_with(|| Finding { began: at, ..Finding::default() });
        finding.watched = at.since(finding.began);
        match passage.what {
            What::Nothing => {}
            What::Heard { .. } => finding.heard += 1,
            What::Said { .. } => finding.said += 1,
        }
        let broken =
            auditor.examine(passage).map_err(|wrong| format!("passage {}: {wrong}", capture.passages))?;
        broken.into_iter().for_each(|alarm| finding.breach(alarm));
        if finding.ending.is_none() {
            finding.judged = finding.watched;
            finding.ending = auditor.ending(node);
        }
    }
    findings.cut_off = capture.cut_off;
    match findings.nodes.is_empty() {
        true => Err("nothing passed in it".to_string()),
        false => Ok(findings),
    }
}

/// A capture, read piece by piece: memory does not depend on its length.
struct Capture {
    from: BufReader<File>,
    settings: Settings,
    passages: u64,
    cut_off: bool,
}

impl Capture {
    fn open(file: &Path) -> Result<Capture, String> {
        let mut from = BufReader::new(File::open(file).map_err(|error| error.to_string())?);
        let mut magic = [0; MAGIC.len() + 1];
        let begins = from.read_exact(&mut magic).is_ok() && magic[..MAGIC.len()] == MAGIC;
        if !begins {
            return Err(
                "this is no capture; `varangian sim --replay SEED --record FILE` writes one".to_string()
            );
        }
        let version = magic[MAGIC.len()];
        if version != capture::VERSION {
            return Err(format!("it has version {version}; this build reads version {}", capture::VERSION));
        }
        let settings = match piece(&mut from)? {
            Piece::Whole(bytes) => {
                Settings::from_bytes(bytes).map_err(|error| format!("its settings: {error}"))?
            }
            Piece::Cut | Piece::None => return Err("it ends before its settings do".to_string()),
        };
        Ok(Capture { from, settings, passages: 0, cut_off: false })
    }

    fn next(&mut self) -> Result<Option<Passage>, String> {
        self.passages += 1;
        let wrong = |reason: String| format!("passage {}: {reason}", self.passages);
        match piece(&mut self.from).map_err(wrong)? {
            Piece::Whole(bytes) => {
                Passage::from_bytes(bytes).map(Some).map_err(|error| wrong(error.to_string()))
            }
            Piece::None => Ok(None),
            Piece::Cut => {
                self.cut_off = true;
                Ok(None)
            }
        }
    }
}

enum Piece {
    Whole(Bytes),
    Cut,
    None,
}

fn piece(from: &mut impl Read) -> Result<Piece, String> {
    let failed = |error: io::Error| error.to_string();
    let prefix = read(from, 4).map_err(failed)?;
    let Ok(prefix) = <[u8; 4]>::try_from(&prefix[..]) else {
        return Ok(if prefix.is_empty() { Piece::None } else { Piece::Cut });
    };
    let length = capture::piece_length(prefix).map_err(|error| error.to_string())?;
    let bytes = read(from, length).map_err(failed)?;
    Ok(if bytes.len() == length { Piece::Whole(Bytes::from(bytes)) } else { Piece::Cut })
}

/// So many bytes, or as many as there are.
fn read(from: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn as_text(findings: &Findings) -> String {
    let settings = &findings.settings;
    let mut text = format!(
        "{} with {} nodes (f = {})\n{:<6}{:>10}{:>10}  {:<28}broke\n",
        settings.protocol,
        settings.n() + settings.spares.len(),
        settings.f,
        "node",
        "heard",
        "said",
        "judged",
    );
    for (node, finding) in &findings.nodes {
        let broke = if finding.breaches.is_empty() { "-".to_string() } else { breaches(finding) };
        let judged = judged(settings, *node, finding);
        let _ = writeln!(
            text,
            "{:<6}{:>10}{:>10}  {judged:<28}{broke}",
            node.to_string(),
            finding.heard,
            finding.said
        );
    }
    let named = |convicted: bool| {
        let nodes = findings
            .nodes
            .iter()
            .filter(|(_, finding)| !finding.breaches.is_empty() && finding.is_convicted() == convicted);
        nodes.map(|(node, _)| node.to_string()).collect::<Vec<_>>().join(", ")
    };
    let (convicted, late) = (named(true), named(false));
    if !convicted.is_empty() {
        let _ = writeln!(text, "convicted, by what no correct replica does: {convicted}");
    }
    if !late.is_empty() {
        let _ = writeln!(text, "late, which proves nothing: {late}");
    }
    if convicted.is_empty() && late.is_empty() {
        text += "no rule was broken\n";
    }
    text
}

fn breaches(finding: &Finding) -> String {
    let one = |breach: &Breach| {
        let times = if breach.count == 1 { String::new() } else { format!(" {} times, first", breach.count) };
        format!("{}{times} at {:.6} s", breach.alarm.rule, breach.first.as_secs_f64())
    };
    finding.breaches.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn judged(settings: &Settings, node: NodeId, finding: &Finding) -> String {
    if settings.spares.contains(&node) {
        return "no: a spare".to_string();
    }
    let seconds = finding.judged.as_secs_f64();
    match finding.ending {
        None => format!("{seconds:.3} s, all"),
        Some(ending) => format!("{seconds:.3} s, {}", word(ending)),
    }
}

fn word(ending: Ending) -> &'static str {
    match ending {
        Ending::Reconfigured => "reconfigured",
        Ending::Convicted => "convicted",
        Ending::Late => "late",
    }
}

fn as_json(findings: &Findings) -> Value {
    let breach = |breach: &Breach| {
        json!({
            "rule": breach.alarm.rule,
            "proof": breach.alarm.proof,
            "count": breach.count,
            "first_seconds": breach.first.as_secs_f64(),
        })
    };
    let node = |(node, finding): (&NodeId, &Finding)| {
        json!({
            "node": node.0,
            "spare": findings.settings.spares.contains(node),
            "heard": finding.heard,
            "said": finding.said,
            "watched_seconds": finding.watched.as_secs_f64(),
            "judged_seconds": finding.judged.as_secs_f64(),
            "ending": finding.ending.map(word),
            "convicted": finding.is_convicted(),
            "broke": finding.breaches.iter().map(breach).collect::<Vec<_>>(),
        })
    };
    json!({
        "protocol": findings.settings.protocol.name(),
        "f": findings.settings.f,
        "cut_off": findings.cut_off,
        "nodes": findings.nodes.iter().map(node).collect::<Vec<_>>(),
    })
}
