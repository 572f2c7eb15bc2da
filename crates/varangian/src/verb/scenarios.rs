//! `varangian scenarios`: the promises and attacks of the ByzID paper by name, run and told.
//!
//! Upon no name: all of them, one after the other. Upon `--list`: their names and promises. What a scenario does is the
//! business of `sim::scenarios`; here it is only asked for and printed.

use crate::Outcome;
use crate::say::{self, complain, say};
use clap::Args;
use core::num::NonZeroUsize;
use serde_json::{Value, json};
use sim::scenarios::{Report, Scenario, Seeds};
use std::thread;

/// Run the promises and attacks of the ByzID paper by name, and say what was lost and what held.
#[derive(Args)]
#[command(after_help = "\
Examples:
  varangian scenarios --list                what there is
  varangian scenarios                       all of them
  varangian scenarios slow-primary --json   one of them, as one JSON object

Exit codes: 0 every promise was kept, 1 one was broken, 2 wrong usage.")]
pub(crate) struct Arguments {
    /// Which one; all of them if not said.
    name: Option<String>,

    /// Only say what there is.
    #[arg(long)]
    list: bool,

    /// How many seeds to run; as many as the scenario thinks convincing if not said.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,

    /// The first seed.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    from: u64,

    /// Runs at the same time; as many as there are processors if not said.
    #[arg(long, value_name = "W")]
    workers: Option<NonZeroUsize>,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let chosen: Vec<&Scenario> = match &arguments.name {
        None => Scenario::ALL.iter().collect(),
        Some(name) => match Scenario::named(name) {
            Some(scenario) => vec![scenario],
            None => {
                let names: Vec<&str> = Scenario::ALL.iter().map(|scenario| scenario.name).collect();
                complain!("error: there is no scenario '{name}'; there are {}", names.join(", "));
                return Outcome::Refused;
            }
        },
    };
    if arguments.list {
        list(&chosen, arguments.json);
        return Outcome::Fine;
    }
    let processors = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let workers = arguments.workers.map_or_else(processors, NonZeroUsize::get);
    let mut told = Vec::new();
    let mut kept = true;
    for scenario in chosen {
        let end = arguments.from.saturating_add(arguments.seeds.unwrap_or(scenario.seeds));
        let report = scenario.run(&Seeds { range: arguments.from..end, workers });
        kept &= report.kept();
        if arguments.json {
            told.push(as_json(scenario, &report));
        } else {
            say::answer(format_args!("{}", as_text(scenario, &report)));
        }
    }
    if arguments.json {
        say!("{}", json!({ "scenarios": told, "kept": kept }));
    }
    if kept { Outcome::Fine } else { Outcome::Violated }
}

fn list(scenarios: &[&Scenario], json: bool) {
    if json {
        let scenarios: Vec<Value> = scenarios
            .iter()
            .map(|one| json!({ "name": one.name, "section": one.section, "promise": one.promise }))
            .collect();
        say!("{}", json!({ "scenarios": scenarios }));
        return;
    }
    for scenario in scenarios {
        say!("{:<20} {:<10} {}", scenario.name, scenario.section, scenario.promise);
    }
}

fn as_json(scenario: &Scenario, report: &Report) -> Value {
    json!({
        "name": scenario.name,
        "section": scenario.section,
        "promise": scenario.promise,
        "kept": report.kept(),
        "told": report.told,
        "broken": report.broken,
    })
}

fn as_text(scenario: &Scenario, report: &Report) -> String {
    let mut text = format!("{} (section {})\n  {}\n", scenario.name, scenario.section, scenario.promise);
    for line in &report.told {
        text += &format!("  - {line}\n");
    }
    for line in &report.broken {
        text += &format!("  BROKEN {line}\n");
    }
    text + if report.kept() { "  kept\n\n" } else { "  NOT KEPT\n\n" }
}
