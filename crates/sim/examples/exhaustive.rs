//! Explores scopes to the end, or up to so many states: those whose names begin with one of the words, or else the daily ones.
//!
//! `cargo run --release -p sim --example exhaustive -- wide`
//! `cargo run --release -p sim --example exhaustive -- --states 1000000 orders claims`

use sim::exhaustive::{STATES_MAX, explore, scopes};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let mut states_max = STATES_MAX;
    let mut names = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--states" {
            states_max = words.next().and_then(|word| word.parse().ok()).expect("--states takes a number");
        } else {
            names.push(word);
        }
    }
    let mut broken = false;
    for scope in scopes::DAILY.iter().chain(scopes::WIDE) {
        let asked_for = if names.is_empty() {
            !scope.name.starts_with("wide")
        } else {
            names.iter().any(|name| scope.name.starts_with(name.as_str()))
        };
        if !asked_for {
            continue;
        }
        let started = Instant::now();
        let report = explore(scope, states_max);
        println!("{report}; {:.1} s", started.elapsed().as_secs_f64());
        let never = report.never_seen(scope);
        if !never.is_empty() {
            println!("  never seen: {never:?}");
        }
        broken |= report.found.is_some();
    }
    if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
