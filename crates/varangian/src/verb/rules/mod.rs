//! `varangian rules`: rule sets, before anybody relies on them.

mod check;
mod fetch;
mod list;

pub(crate) use check::{complain_of_problems, complain_of_repeated, resident_bytes};

use crate::Outcome;
use clap::{Args, Subcommand};

/// Gets and reads rule sets, and says what of them is understood.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Check(check::Arguments),
    Fetch(fetch::Arguments),
    List(list::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match &arguments.task {
        Task::Check(arguments) => check::run(arguments),
        Task::Fetch(arguments) => fetch::run(arguments),
        Task::List(arguments) => list::run(arguments),
    }
}
