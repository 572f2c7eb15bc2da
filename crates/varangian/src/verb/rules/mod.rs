//! `varangian rules`: rule sets, before anybody relies on them.

mod check;
mod fetch;
mod list;

pub(crate) use check::complain_of_repeated;

use crate::Outcome;
use clap::{Args, Subcommand};

/// Gets and reads rule sets, and says what of them is understood.
#[derive(Args)]
#[command(after_help = "\
Examples:
  varangian rules fetch emerging.rules.tar.gz --disable disable.conf --out all.rules
  varangian rules check all.rules
  varangian rules list all.rules --grep 'dns'")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    #[command(after_help = "\
Examples:
  varangian rules check all.rules
  varangian rules check all.rules local.rules.gz --all
  varangian rules check all.rules --json | jq .by_keyword

Exit codes: 0 the text of every rule is right, 1 that of one is wrong, 2 a file cannot be read.")]
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
