//! Explores scopes to the end: `cargo run --release -p sim --example exhaustive -- [NAME…]`.

use sim::exhaustive::{STATES_MAX, explore, scopes};
use std::time::Instant;

fn main() {
    let states_max = std::env::var("STATES").ok().and_then(|w| w.parse().ok()).unwrap_or(STATES_MAX);
    let names: Vec<String> = std::env::args().skip(1).collect();
    for scope in scopes::ALL {
        if names.is_empty() || names.iter().any(|name| scope.name.starts_with(name.as_str())) {
            let started = Instant::now();
            let report = explore(scope, states_max);
            println!("{report}; {:.1} s", started.elapsed().as_secs_f64());
            let never = report.never_seen(scope);
            if !never.is_empty() {
                println!("  NEVER SEEN: {never:?}");
            }
        }
    }
}
