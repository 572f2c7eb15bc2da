//! `varangian costs`: what a request costs in each protocol, and how long ordering pauses when somebody is replaced.
//!
//! Both are counted by the simulator and follow from nothing but the code: every machine prints the same. The tables are
//! Markdown, since `docs/costs.md` holds them as they are printed; a test compares.

use crate::Outcome;
use crate::say::{self, say};
use agree::Protocol;
use clap::Args;
use core::num::NonZeroUsize;
use core::time::Duration;
use serde_json::{Value, json};
use sim::measure::{Measured, measure_batches};
use sim::pause::{Pause, pauses};
use sim::scenarios::Seeds;
use std::thread;

/// Count what a request costs in each protocol, and how long ordering pauses when somebody is replaced.
#[derive(Args)]
#[command(after_help = "\
Examples:
  varangian costs            two tables
  varangian costs --json     the same as one JSON object

Exit codes: 0 counted, 2 wrong usage.")]
pub(crate) struct Arguments {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// The clusters that are measured.
const F: core::ops::RangeInclusive<usize> = 1..=5;

/// Requests of a batch.
const BATCHES: [usize; 2] = [1, 16];

/// Moments at which somebody fails.
const SEEDS: u64 = 10;

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let measured: Vec<Measured> = Protocol::ALL
        .iter()
        .flat_map(|protocol| BATCHES.iter().map(move |batch| (*protocol, *batch)))
        .flat_map(|(protocol, batch)| F.map(move |f| measure_batches(protocol, f, batch)))
        .collect();
    let paused = pauses(&Seeds { range: 0..SEEDS, workers });
    if arguments.json {
        let (requests, pauses): (Vec<Value>, Vec<Value>) =
            (measured.iter().map(request_as_json).collect(), paused.iter().map(pause_as_json).collect());
        say!("{}", json!({ "requests": requests, "pauses": pauses }));
    } else {
        say!("{}", requests_as_text(&measured));
        say::answer(format_args!("{}", pauses_as_text(&paused)));
    }
    Outcome::Fine
}

fn requests_as_text(measured: &[Measured]) -> String {
    let mut text = String::from(
        "| protocol | batch | f | nodes | delays | messages | MACs made | checked | signatures made | checked | seals made | checked |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for row in measured {
        // With several clients a request also waits for the batch before it: that is no property of the protocol.
        let delays = if row.batch == 1 { row.delays.to_string() } else { String::new() };
        let counts = [
            row.messages_in_all(),
            row.macs_made,
            row.macs_checked,
            row.signatures_made,
            row.signatures_checked,
            row.seals_made,
            row.seals_checked,
        ];
        let counts = counts.map(short).join(" | ");
        let nodes = row.protocol.replicas(row.f);
        text +=
            &format!("| {} | {} | {} | {nodes} | {delays} | {counts} |\n", row.protocol, row.batch, row.f);
    }
    text
}

fn pauses_as_text(pauses: &[Pause]) -> String {
    let mut text = String::from(
        "| what happens | f | no batch for, median | longest | no result for, median | longest | reconfigurations | spare in |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for row in pauses {
        let spare =
            if row.spares_in == 0 { String::new() } else { format!("{} of {}", row.spares_in, row.seeds) };
        let times = [row.ordering.0, row.ordering.1, row.service.0, row.service.1];
        let times = times.map(|time| format!("{:.1} ms", millis(time))).join(" | ");
        text += &format!("| {} | {} | {times} | {} | {spare} |\n", row.event, row.f, row.reconfigurations);
    }
    text
}

/// `3`, `3.5`, `0.1875`.
fn short(number: f64) -> String {
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn request_as_json(row: &Measured) -> Value {
    json!({
        "protocol": row.protocol.name(),
        "batch": row.batch,
        "f": row.f,
        "nodes": row.protocol.replicas(row.f),
        "delays": (row.batch == 1).then_some(row.delays),
        "messages": row.messages_in_all(),
        "messages_by_name": row.messages,
        "macs_made": row.macs_made,
        "macs_checked": row.macs_checked,
        "signatures_made": row.signatures_made,
        "signatures_checked": row.signatures_checked,
        "seals_made": row.seals_made,
        "seals_checked": row.seals_checked,
    })
}

fn pause_as_json(row: &Pause) -> Value {
    json!({
        "event": row.event,
        "f": row.f,
        "ordering_ms": { "median": millis(row.ordering.0), "longest": millis(row.ordering.1) },
        "service_ms": { "median": millis(row.service.0), "longest": millis(row.service.1) },
        "reconfigurations": row.reconfigurations,
        "spares_in": row.spares_in,
        "seeds": row.seeds,
    })
}
