//! What came of a soak: a line for each thing as it happens, a table at the end, or the same as JSON; and every broken promise.
//!
//! Lines go to standard error, the table or the JSON object to standard output.

use crate::probe::Seen;
use node::clock::Clock;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;
use wire::Time;

/// How soon after a fault the cluster must serve again, and the longest pause afterwards.
pub(crate) const BACK_MAX: Duration = Duration::from_secs(2);

/// One thing that happened.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    kind: String,
    node: Option<u16>,
    at: Duration,
    back: Duration,
    pause: Duration,
    whole: Duration,
    note: String,
}

/// What came of it so far.
pub(crate) struct Report {
    clock: Clock,
    events: Vec<Event>,
    notes: Vec<String>,
    broken: Vec<String>,
    /// What else was measured, by name.
    measured: BTreeMap<String, Value>,
}

impl Report {
    pub(crate) fn new(clock: Clock) -> Report {
        Report { clock, events: Vec::new(), notes: Vec::new(), broken: Vec::new(), measured: BTreeMap::new() }
    }

    fn at(&self) -> Duration {
        self.clock.now().since(Time::ZERO)
    }

    /// Something happened to `node`, and this is what a probe saw.
    pub(crate) fn happened(
        &mut self,
        kind: &str,
        node: Option<u16>,
        seen: Seen,
        whole: Duration,
        note: &str,
    ) {
        let event = Event {
            kind: kind.to_string(),
            node,
            at: self.at(),
            back: seen.back,
            pause: seen.pause,
            whole,
            note: note.to_string(),
        };
        let whom = node.map_or("all".to_string(), |node| format!("node {node}"));
        eprintln!(
            "{:7.1} s  {:<22} {whom:<7} back after {:>5} ms, longest pause {:>5} ms, whole {:>5} ms after  {note}",
            event.at.as_secs_f64(),
            event.kind,
            seen.back.as_millis(),
            seen.pause.as_millis(),
            whole.as_millis(),
        );
        self.events.push(event);
        if seen.back.max(seen.pause) > BACK_MAX {
            let (back, pause) = (seen.back.as_millis(), seen.pause.as_millis());
            let limit = BACK_MAX.as_millis();
            self.break_promise(&format!(
                "{kind} of {whom}: back after {back} ms, longest pause {pause} ms, over {limit} ms"
            ));
        }
    }

    /// Something worth knowing.
    pub(crate) fn note(&mut self, note: &str) {
        eprintln!("{:7.1} s  {note}", self.at().as_secs_f64());
        self.notes.push(note.to_string());
    }

    /// Something that must not be.
    pub(crate) fn break_promise(&mut self, what: &str) {
        eprintln!("{:7.1} s  BROKEN: {what}", self.at().as_secs_f64());
        self.broken.push(what.to_string());
    }

    /// A figure for the JSON object.
    pub(crate) fn measure(&mut self, name: &str, value: Value) {
        self.measured.insert(name.to_string(), value);
    }

    /// What was broken.
    pub(crate) fn broken(&self) -> &[String] {
        &self.broken
    }

    fn by_kind(&self) -> BTreeMap<&str, Vec<&Event>> {
        let mut kinds: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for event in &self.events {
            kinds.entry(&event.kind).or_default().push(event);
        }
        kinds
    }

    /// The table.
    pub(crate) fn as_text(&self) -> String {
        let mut text = String::from(
            "| what | times | back after, median | worst | longest pause, worst | whole again, worst |\n| --- | ---: | ---: | ---: | ---: | ---: |\n",
        );
        for (kind, events) in self.by_kind() {
            let figures = |of: fn(&Event) -> Duration| {
                let mut all: Vec<Duration> = events.iter().map(|event| of(event)).collect();
                all.sort_unstable();
                (all[all.len() / 2].as_millis(), all[all.len() - 1].as_millis())
            };
            let (median, worst) = figures(|event| event.back);
            let (_, pause) = figures(|event| event.pause);
            let (_, whole) = figures(|event| event.whole);
            let _ = writeln!(
                text,
                "| {kind} | {} | {median} ms | {worst} ms | {pause} ms | {whole} ms |",
                events.len()
            );
        }
        text.push('\n');
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        for broken in &self.broken {
            let _ = writeln!(text, "- BROKEN: {broken}");
        }
        text
    }

    /// The same for programs.
    pub(crate) fn as_json(&self) -> Value {
        let event = |event: &Event| {
            json!({
                "kind": event.kind,
                "node": event.node,
                "at_ms": event.at.as_millis() as u64,
                "back_ms": event.back.as_millis() as u64,
                "pause_ms": event.pause.as_millis() as u64,
                "whole_ms": event.whole.as_millis() as u64,
                "note": event.note,
            })
        };
        json!({
            "events": self.events.iter().map(event).collect::<Vec<_>>(),
            "notes": self.notes,
            "broken": self.broken,
            "measured": self.measured,
        })
    }
}
