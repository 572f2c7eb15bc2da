//! `varangian sim`: whole clusters in a simulated world, one per seed, and what the checkers say.
//!
//! Upon seeds: a run for each of them, several at a time; then the sum. The first failing seed is shrunk to its fewest
//!   faults, and the command that replays it is printed.
//! Upon a seed to replay: that run alone; with `--explain` as a message diagram; with `--record` it is captured first.
//! Upon `--mutations`: every named defect, one after the other, until a checker finds it. Upon `--defect` without it: whatever
//!   else is asked for, with this defect switched on.
//!
//! What a run is, and what is checked, is the business of the crate `sim`; here it is only asked for and printed.

mod arguments;
#[cfg(feature = "mutations")]
mod mutants;
mod record;
mod report;
mod span;

pub(crate) use arguments::Arguments;

use crate::Outcome;
use crate::progress::Progress;
use crate::say::{self, complain, say};
use core::ops::Range;
use sim::{RunSettings, Summary};
use std::sync::{Mutex, PoisonError};

/// Seeds that are run if nothing is said.
const SEEDS: u64 = 100;

/// Does what the arguments ask for.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if arguments.mutations || arguments.defect.is_some() {
        return mutations(arguments);
    }
    simulate(arguments)
}

/// Runs, or explains, what the arguments ask for.
fn simulate(arguments: &Arguments) -> Outcome {
    let Some(settings) = arguments.settings() else {
        complain!("error: say which protocol: --protocol byzid");
        return Outcome::Refused;
    };
    if let (Some(seed), Some(file)) = (arguments.replay, &arguments.record)
        && let Err(wrong) = record::record(&settings, seed, file)
    {
        complain!("error: {wrong}");
        return Outcome::Refused;
    }
    match (arguments.replay, arguments.explain) {
        (Some(seed), Some(entries)) => explain(&settings, seed, entries),
        (Some(seed), None) => match seed.checked_add(1) {
            Some(end) => campaign(&settings, seed..end, 1, arguments.json),
            None => past_the_last_seed(),
        },
        (None, _) => match arguments.from.checked_add(arguments.seeds.unwrap_or(SEEDS)) {
            Some(end) => campaign(&settings, arguments.from..end, arguments.workers(), arguments.json),
            None => past_the_last_seed(),
        },
    }
}

fn past_the_last_seed() -> Outcome {
    complain!("error: the last seed is {}", u64::MAX - 1);
    Outcome::Refused
}

fn campaign(settings: &RunSettings, seeds: Range<u64>, workers: usize, json: bool) -> Outcome {
    let summary = run_many(settings, seeds.clone(), workers);
    if json {
        say!("{}", report::as_json(&summary));
    } else {
        say::answer(format_args!("{}", report::as_text(settings, &seeds, &summary)));
    }
    match summary.first_failing() {
        None => Outcome::Fine,
        Some(seed) => {
            // Data goes to standard output; where that is one JSON object, what it means goes beside it.
            let failure = report::failure(settings, seed, &summary);
            if json {
                say::remark(format_args!("{failure}"));
            } else {
                say::answer(format_args!("{failure}"));
            }
            Outcome::Violated
        }
    }
}

/// Runs the seeds under a progress bar.
fn run_many(settings: &RunSettings, seeds: Range<u64>, workers: usize) -> Summary {
    let progress = Mutex::new(Progress::new(seeds.end - seeds.start, "seeds"));
    let summary = sim::run_many(settings, seeds, workers, |so_far| {
        let note =
            if so_far.violations == 0 { String::new() } else { format!(", {} FAILED", so_far.violations) };
        progress.lock().unwrap_or_else(PoisonError::into_inner).update(so_far.done, &note);
    });
    progress.into_inner().unwrap_or_else(PoisonError::into_inner).finish();
    summary
}

fn explain(settings: &RunSettings, seed: u64, entries: usize) -> Outcome {
    say!("{}", sim::explain(settings, seed, entries).trim_end());
    if sim::run(settings, seed).violations.is_empty() { Outcome::Fine } else { Outcome::Violated }
}

#[cfg(feature = "mutations")]
fn mutations(arguments: &Arguments) -> Outcome {
    mutants::run(arguments)
}

#[cfg(not(feature = "mutations"))]
fn mutations(_: &Arguments) -> Outcome {
    complain!(
        "error: this build contains no defects to look for\n  right would be:\n    \
         cargo run --release --features mutations -- sim --mutations"
    );
    Outcome::Refused
}
