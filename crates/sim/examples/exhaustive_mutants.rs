//! Which scopes find which defects, with so many states each at most; by the beginnings of their names, or all of ByzID's and
//! Paxos'.
//!
//! `cargo run --release -p sim --features mutations --example exhaustive_mutants -- 1000000 monitor`

use sim::exhaustive::{explore, scopes};

fn main() {
    let mut words = std::env::args().skip(1);
    let states_max = words.next().map_or(400_000, |word| word.parse().expect("a number of states"));
    let names: Vec<String> = words.collect();
    for defect in mutation::Defect::ALL {
        if !(names.is_empty() || names.iter().any(|name| defect.name().starts_with(name.as_str()))) {
            continue;
        }
        mutation::activate(Some(*defect));
        let all = scopes::DAILY.iter().chain(scopes::WIDE);
        let mut found = false;
        for scope in all.filter(|scope| scope.protocol.name() == defect.protocol()) {
            let report = explore(scope, states_max);
            if let Some(bad) = &report.found {
                found = true;
                let (steps, states) = (bad.story.len(), report.states);
                println!(
                    "{:28} {:22} {steps:3} steps, {states:8} states: {}",
                    defect.name(),
                    scope.name,
                    bad.broken
                );
            }
        }
        if !found {
            println!("{:28} -", defect.name());
        }
    }
}
