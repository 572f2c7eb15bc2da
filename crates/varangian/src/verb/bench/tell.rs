//! What was measured, as text: a table for each f, and what should be known beside it.

use super::failure::Outage;
use super::row::{Cell, Row};
use super::summary::{self, Line, Spread};
use super::table::{Table, short, thousands};
use core::fmt::Write as _;

/// The tables of repetitions.
pub(super) fn rows(rows: &[Row], markdown: bool) -> String {
    let lines = summary::lines(rows);
    let is_open = lines.iter().any(|line| line.cell.offered > 0.0);
    let mut text = String::new();
    for f in distinct(lines.iter().map(|line| line.cell.f)) {
        let mut table = Table::new(&[
            "payload",
            if is_open { "offered /s" } else { "clients" },
            "<system",
            "operations/s",
            "least..most",
            "of paxos",
            "p50 µs",
            "of paxos",
            "p99 µs",
            "a batch",
            "nodes' CPU µs/op",
            "load's",
        ]);
        let mut last = None;
        for line in lines.iter().filter(|line| line.cell.f == f) {
            // Said once for all systems that are compared.
            let is_new = last.replace(&line.cell) != Some(&line.cell);
            table.add(cells(line, is_new));
        }
        let of = |name: fn(&Row) -> Option<&str>| {
            distinct(rows.iter().filter_map(name).map(str::to_string)).join(" and ")
        };
        let _ = write!(
            text,
            "f = {f}, {}, {} links, monitor and replica of byzid in {}: medians of {} repetitions of {} s\n\n{}\n",
            of(|row| Some(&row.durability)),
            or_none(&of(|row| row.links.as_deref())),
            processes(&of(|row| row.processes.as_deref())),
            lines.iter().map(|line| line.rows.len()).max().unwrap_or(0),
            short(rows.iter().map(|row| row.seconds).fold(0.0, f64::max)),
            table.text(markdown)
        );
    }
    text + &notes(&lines, markdown)
}

fn cells(line: &Line, is_new: bool) -> Vec<String> {
    let said = |text: String| if is_new { text } else { String::new() };
    let Cell { clients, offered, .. } = line.cell;
    let rate = line.spread(|row| row.operations_per_second);
    let median = |of: fn(&Row) -> f64| short(line.spread(of).median);
    vec![
        said(line.cell.payload_text()),
        said(if offered > 0.0 { thousands(offered) } else { thousands(clients as f64) }),
        line.system.clone(),
        thousands(rate.median),
        format!("{}..{}", thousands(rate.least), thousands(rate.most)),
        ratio(line.throughput_ratio),
        median(|row| row.p50_us),
        ratio(line.latency_ratio),
        median(|row| row.p99_us),
        Spread::of(line.rows.iter().filter_map(|row| row.requests_per_batch))
            .map_or(String::new(), |batch| short(batch.median)),
        median(|row| row.cpu_us_per_operation - row.load_cpu_us_per_operation),
        median(|row| row.load_cpu_us_per_operation),
    ]
}

fn ratio(ratio: Option<Spread>) -> String {
    ratio.map_or(String::new(), |ratio| format!("{:.2}", ratio.median))
}

/// What must be known of some lines, and what to do about it.
fn notes(lines: &[Line], markdown: bool) -> String {
    let mut text = String::new();
    for line in lines {
        let mut said = Vec::new();
        let count = |of: fn(&Row) -> Option<u64>| line.sum(of).unwrap_or(0);
        let done: f64 = line.rows.iter().map(|row| row.operations_per_second * row.seconds).sum();
        let (refused, retried) = (count(|row| row.refused), count(|row| row.retried));
        if refused > 0 {
            said.push(format!(
                "{} times BUSY ({} for each operation done): more requests wait than a node lets (requests_waiting_max); \
                 fewer clients, or a larger limit",
                thousands(refused as f64),
                short(refused as f64 / done.max(1.0))
            ));
        }
        if retried > 0 {
            said.push(format!("{} requests were sent again for want of a result", thousands(retried as f64)));
        }
        let missed = count(|row| row.not_begun);
        if missed > 0 {
            said.push(format!(
                "{} operations that were due were never begun: it is saturated",
                thousands(missed as f64)
            ));
        }
        let overdue = count(|row| row.overdue);
        if overdue > 0 {
            said.push(format!(
                "{} clients still waited for an operation after two seconds or more when it ended, and count with that",
                thousands(overdue as f64)
            ));
        }
        let changes = count(|row| row.view_changes);
        if changes > 0 {
            said.push(format!("VIEW CHANGES WITHOUT A FAULT: {changes}"));
        }
        let errors = line.rows.iter().map(|row| row.errors).sum::<u64>();
        if errors > 0 {
            said.push(format!("ERRORS: {errors}, so that this is no measurement"));
        }
        if !said.is_empty() {
            let Cell { f, clients, .. } = line.cell;
            let _ = writeln!(
                text,
                "{}{}, f = {f}, {}, {} clients: {}.",
                if markdown { "- " } else { "" },
                line.system,
                line.cell.payload_text(),
                thousands(clients as f64),
                said.join("; ")
            );
        }
    }
    text
}

/// The table of runs with a failure.
pub(super) fn outages(outages: &[Outage], markdown: bool) -> String {
    let mut table = Table::new(&[
        "f",
        "payload",
        "clients",
        "<system",
        "<killed",
        "pause, ms",
        "least..most",
        "half back, ms",
        "before /s",
        "after /s",
        "after of before",
        "view changes",
    ]);
    for group in groups(outages) {
        let [first, ..] = group[..] else { continue };
        let spread = |of: fn(&Outage) -> f64| Spread::of(group.iter().map(|outage| of(outage)));
        let median = |of: fn(&Outage) -> f64| spread(of).map_or(0.0, |spread| spread.median);
        let pause = spread(|outage| outage.pause_ms as f64);
        let range = pause.map_or(String::new(), |pause| format!("{}..{}", pause.least, pause.most));
        let kilobytes = |bytes: usize| bytes as f64 / 1024.0;
        table.add(vec![
            first.f.to_string(),
            format!("{}/{}", kilobytes(first.request_bytes), kilobytes(first.reply_bytes)),
            thousands(first.clients as f64),
            first.system.clone(),
            format!("{} at {} s", first.failure, first.at_seconds),
            thousands(median(|outage| outage.pause_ms as f64)),
            range,
            half_back(&group),
            thousands(median(|outage| outage.before_per_second)),
            thousands(median(|outage| outage.after_per_second)),
            format!("{:.2}", median(|outage| outage.after_per_second / outage.before_per_second)),
            short(median(|outage| outage.view_changes.unwrap_or(0) as f64)),
        ]);
    }
    let [first, ..] = outages else { return String::new() };
    let repetitions = outages.iter().map(|outage| outage.repetition).max().unwrap_or(0);
    format!(
        "a node is killed under load, {}: medians of {repetitions} runs\n\n{}\n",
        first.durability,
        table.text(markdown)
    )
}

/// How long it took until half as much was done as before, if it came in every run.
fn half_back(group: &[&Outage]) -> String {
    let times: Option<Vec<f64>> =
        group.iter().map(|outage| outage.half_back_ms.map(|time| time as f64)).collect();
    let spread = times.and_then(Spread::of);
    spread.map_or("not in time".to_string(), |spread| thousands(spread.median))
}

/// Runs that differ in their repetition alone.
pub(super) fn groups(outages: &[Outage]) -> Vec<Vec<&Outage>> {
    let mut groups: Vec<Vec<&Outage>> = Vec::new();
    let alike = |one: &Outage, other: &Outage| {
        let same = |outage: &Outage| (outage.f, outage.clients, outage.request_bytes, outage.reply_bytes);
        same(one) == same(other)
            && one.system == other.system
            && one.failure == other.failure
            && one.at_seconds == other.at_seconds
    };
    for outage in outages {
        match groups.iter_mut().find(|group| group.first().is_some_and(|first| alike(first, outage))) {
            Some(group) => group.push(outage),
            None => groups.push(vec![outage]),
        }
    }
    groups
}

/// Each once, in the order in which they come.
pub(super) fn distinct<T: PartialEq>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut once: Vec<T> = Vec::new();
    for one in all {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    once
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "no" } else { text }
}

fn processes(text: &str) -> &'static str {
    if text.contains("separate") { "processes of their own" } else { "one process" }
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::row;
    use super::*;

    #[test]
    fn what_must_be_known_stands_below_the_table() {
        let troubled =
            Row { refused: Some(50), view_changes: Some(1), errors: 2, ..row("byzid", 64, 100.0, 1) };
        let text = rows(&[row("paxos", 64, 100.0, 1), troubled], true);
        for said in [
            "50 times BUSY (0.50 for each",
            "larger limit",
            "VIEW CHANGES",
            "ERRORS: 2",
            "- byzid, f = 1, 0/0",
        ] {
            assert!(text.contains(said), "'{said}' is not in\n{text}");
        }
        let quiet = rows(&[row("paxos", 64, 100.0, 1)], true);
        assert!(!quiet.contains("- paxos"), "{quiet}");
        assert!(quiet.contains("| 0/0 | 64 | paxos | 100 | 100..100 | 1.00 |"), "{quiet}");
    }
}
