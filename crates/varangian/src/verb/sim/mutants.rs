//! Every named defect, one after the other, until a checker finds it.
//!
//! A defect is found by a seed that fails with it and passes without it. One that is not found within the seeds is a hole in
//! the checkers.

use super::Arguments;
use crate::Outcome;
use crate::progress::Progress;
use crate::say::{self, complain, say};
use agree::Protocol;
use mutation::Defect;
use serde_json::{Value, json};
use sim::{RunSettings, Violation};

/// Seeds tried for each defect if nothing is said: several times as many as the one takes that is found last, since where the first such
/// seed stands changes with every plan.
const SEEDS: u64 = 20_000;

/// Seeds that one worker runs before it is asked whether the defect has been found.
const SEEDS_PER_LOOK: u64 = 8;

/// What became of one defect.
struct Mutant {
    defect: Defect,
    protocol: Protocol,
    found: Option<(u64, Violation)>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let named = |name: &String| Defect::ALL.iter().find(|defect| defect.name() == name);
    match arguments.defect.as_ref().map(|name| (name, named(name))) {
        Some((unknown, None)) => {
            let names: Vec<&str> = Defect::ALL.iter().map(|defect| defect.name()).collect();
            complain!("error: there is no defect '{unknown}'; there are {}", names.join(", "));
            return Outcome::Refused;
        }
        Some((_, Some(defect))) if !arguments.mutations => {
            mutation::activate(Some(*defect));
            return super::simulate(arguments);
        }
        Some((_, Some(_))) | None => {}
    }
    let defects: Vec<(Defect, Protocol)> = Defect::ALL
        .iter()
        .map(|defect| (*defect, defect.protocol().parse().expect("a defect names a protocol that there is")))
        .filter(|(_, protocol)| arguments.protocol.is_none_or(|wanted| wanted == *protocol))
        .filter(|(defect, _)| arguments.defect.as_ref().is_none_or(|wanted| wanted == defect.name()))
        .collect();
    let mut progress = Progress::new(defects.len() as u64, "defects");
    let mut mutants = Vec::new();
    for (defect, protocol) in defects {
        progress.update(mutants.len() as u64, &format!(", {}", defect.name()));
        let settings = arguments.settings_of(protocol);
        let settings = RunSettings { f: settings.f.max(defect.f()), ..settings };
        let found = look_for(defect, &settings, arguments);
        mutants.push(Mutant { defect, protocol, found });
    }
    progress.finish();
    let missed = mutants.iter().filter(|mutant| mutant.found.is_none()).count();
    if arguments.json {
        say!("{}", as_json(&mutants, missed));
    } else {
        say::answer(format_args!("{}", as_text(&mutants, missed)));
    }
    if missed == 0 { Outcome::Fine } else { Outcome::Violated }
}

/// The smallest seed of the first lot in which one fails because of `defect`, and the promise that it breaks first.
fn look_for(defect: Defect, settings: &RunSettings, arguments: &Arguments) -> Option<(u64, Violation)> {
    let workers = arguments.workers();
    let lot = SEEDS_PER_LOOK * workers as u64;
    let end = arguments.from.saturating_add(arguments.seeds.unwrap_or(SEEDS));
    let mut from = arguments.from;
    while from < end {
        let until = from.saturating_add(lot).min(end);
        mutation::activate(Some(defect));
        let failing = sim::run_many(settings, from..until, workers, |_| {}).failing;
        mutation::activate(None);
        let because = |(seed, _): &(u64, Violation)| sim::run(settings, *seed).violations.is_empty();
        if let Some(found) = failing.into_iter().find(because) {
            return Some(found);
        }
        from = until;
    }
    None
}

fn as_json(mutants: &[Mutant], missed: usize) -> Value {
    let table: Vec<Value> = mutants
        .iter()
        .map(|mutant| {
            let found = mutant.found.as_ref();
            json!({
                "name": mutant.defect.name(),
                "protocol": mutant.protocol.name(),
                "breaks": mutant.defect.breaks(),
                "found": found.is_some(),
                "checker": found.map(|(_, violation)| violation.checker.name()),
                "seed": found.map(|(seed, _)| *seed),
            })
        })
        .collect();
    json!({ "mutations": table, "found": mutants.len() - missed, "missed": missed })
}

fn as_text(mutants: &[Mutant], missed: usize) -> String {
    let mut text = format!(
        "{:<28} {:<8} {:<14} {:>6}  {}\n",
        "defect", "protocol", "found by", "seed", "what it breaks"
    );
    for Mutant { defect, protocol, found } in mutants {
        let (checker, seed) = match found {
            Some((seed, violation)) => (violation.checker.name(), seed.to_string()),
            None => ("NOT FOUND", "-".into()),
        };
        let (name, breaks) = (defect.name(), defect.breaks());
        text += &format!("{name:<28} {:<8} {checker:<14} {seed:>6}  {breaks}\n", protocol.name());
    }
    text + &format!("\n{} of {} found\n", mutants.len() - missed, mutants.len())
}
