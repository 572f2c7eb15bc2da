//! The `varangian` binary: one file per verb, nothing of its own.
//!
//! A verb returns an [`Outcome`], and the outcome is the exit code:
//! - 0: done, and what was checked holds;
//! - 1: done, and something that was checked does not hold;
//! - 2: not done: the command line asks for what does not exist or cannot be, and the error says what would be right; of
//!   `status`: the cluster does not serve;
//! - 3: not known to be done: a cluster was asked, and there was no answer in time.
//!
//! - 130 and 143: interrupted, by SIGINT and SIGTERM;
//! - 141: nobody read the answer to its end, as of any tool that a broken pipe ends.
//!
//! Data goes to standard output, everything said about it to standard error.

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod excerpt;
mod progress;
mod say;
mod verb;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A network security monitor that keeps telling the truth while some of its own nodes do not.
#[derive(Parser)]
#[command(name = "varangian", version, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Admit(verb::roster::admit::Arguments),
    Audit(verb::audit::Arguments),
    Bench(verb::bench::Arguments),
    Config(verb::config::Arguments),
    Conformance(verb::conformance::Arguments),
    Costs(verb::costs::Arguments),
    Demo(verb::demo::Arguments),
    Init(verb::init::Arguments),
    Kv(verb::kv::Arguments),
    Node(verb::node::Arguments),
    Plan(verb::plan::Arguments),
    Remove(verb::roster::admit::RemoveArguments),
    Replace(verb::roster::replace::Arguments),
    Replay(verb::replay::Arguments),
    RotateKeys(verb::roster::rotate::Arguments),
    Rules(verb::rules::Arguments),
    Sim(verb::sim::Arguments),
    Scenarios(verb::scenarios::Arguments),
    Status(verb::status::Arguments),
}

/// How a verb ended.
pub(crate) enum Outcome {
    /// Done, and what was checked holds.
    Fine,
    /// Done, and something that was checked does not hold.
    Violated,
    /// Not done: the wish was wrong.
    Refused,
    /// Asked, and not answered in time.
    Unanswered,
    /// A cluster was asked how it is, and does not serve.
    NotServing,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Fine => ExitCode::SUCCESS,
            Outcome::Violated => ExitCode::from(1),
            Outcome::Refused | Outcome::NotServing => ExitCode::from(2),
            Outcome::Unanswered => ExitCode::from(3),
        }
    }
}

fn main() -> ExitCode {
    let outcome = match CommandLine::parse().verb {
        Verb::Audit(arguments) => verb::audit::run(&arguments),
        Verb::Bench(arguments) => verb::bench::run(&arguments),
        Verb::Config(arguments) => verb::config::run(&arguments),
        Verb::Conformance(arguments) => verb::conformance::run(&arguments),
        Verb::Admit(arguments) => verb::roster::admit::run(&arguments),
        Verb::Costs(arguments) => verb::costs::run(&arguments),
        Verb::Demo(arguments) => verb::demo::tell_the_story(&arguments),
        Verb::Init(arguments) => verb::init::run(&arguments),
        Verb::Kv(arguments) => verb::kv::run(&arguments),
        Verb::Node(arguments) => verb::node::run(&arguments),
        Verb::Plan(arguments) => verb::plan::run(&arguments),
        Verb::Remove(arguments) => verb::roster::admit::remove(&arguments),
        Verb::Replace(arguments) => verb::roster::replace::run(&arguments),
        Verb::Replay(arguments) => verb::replay::run(&arguments),
        Verb::Rules(arguments) => verb::rules::run(&arguments),
        Verb::RotateKeys(arguments) => verb::roster::rotate::run(&arguments),
        Verb::Sim(arguments) => verb::sim::run(&arguments),
        Verb::Scenarios(arguments) => verb::scenarios::run(&arguments),
        Verb::Status(arguments) => verb::status::run(&arguments),
    };
    outcome.into()
}
