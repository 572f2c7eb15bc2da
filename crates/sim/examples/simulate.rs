//! Runs seeds from the command line, for work on the simulator itself:
//!
//! `cargo run --release -p sim --example simulate -- paxos 1 all 0..1000 [explain|shrink|plan] [only=…]`

use sim::{RunSettings, Summary, explain, run_many, shrink};

fn main() {
    let mut words = std::env::args().skip(1);
    let mut word = |usual: &str| words.next().unwrap_or_else(|| usual.to_string());
    let protocol = word("paxos").parse().expect("a protocol");
    let f = word("1").parse().expect("a number");
    let mut settings = RunSettings::new(protocol, f);
    settings.mix = word("all").parse().expect("a mix of faults");
    let seeds = word("0..1000");
    let (first, end) = seeds.split_once("..").unwrap_or((&seeds, ""));
    let first: u64 = first.parse().expect("a seed");
    let end = end.parse().unwrap_or(first + 1);
    let verb = word("run");
    settings.only = word("").trim_start_matches("only=").parse().expect("a part of a plan");
    match verb.as_str() {
        "explain" => println!("{}", explain(&settings, first, 4000)),
        "plan" => println!("{}", settings.plan(first)),
        "measure" => println!("{:#?}", sim::measure::measure(protocol, f)),
        "shrink" => match shrink(&settings, first) {
            Some(shrunk) => println!("{shrunk}\n({} runs)", shrunk.runs),
            None => println!("seed {first} does not fail"),
        },
        _ => {
            let workers = std::env::var("WORKERS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
            print(&run_many(&settings, first..end, workers, |_| {}));
        }
    }
}

fn print(summary: &Summary) {
    for (seed, violation) in summary.failing.iter().take(20) {
        println!("seed {seed}: {violation}");
    }
    println!("{}", summary.stats);
    println!(
        "{} seeds, {} fail, {} messages, {} per second and core, {} operations, {:?} simulated, {:?} busy, {:016x}",
        summary.seeds,
        summary.violations,
        summary.messages(),
        summary.messages_per_second_per_core(),
        summary.operations_checked(),
        summary.simulated,
        summary.busy,
        summary.fingerprint,
    );
}
