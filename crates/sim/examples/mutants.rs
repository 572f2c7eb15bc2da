//! Hunts every defect of a protocol:
//!
//! `cargo run --release -p sim --features mutations --example mutants -- paxos 1 all 5000`

use sim::RunSettings;
use sim::mutants::hunt;

fn main() {
    let mut words = std::env::args().skip(1);
    let mut word = |usual: &str| words.next().unwrap_or_else(|| usual.to_string());
    let name = word("paxos");
    let protocol = name.parse().expect("a protocol");
    let mut settings = RunSettings::new(protocol, word("1").parse().expect("a number"));
    settings.mix = word("all").parse().expect("a mix of faults");
    let seeds: u64 = word("5000").parse().expect("a number");
    for defect in mutation::Defect::ALL.iter().filter(|defect| defect.protocol() == name) {
        let settings = RunSettings { f: settings.f.max(defect.f()), ..settings.clone() };
        let hunt = hunt(*defect, &settings, 0..seeds);
        match hunt.found {
            Some((seed, violation)) => println!("{:28} seed {seed:5}: {violation}", defect.name()),
            None => println!("{:28} NOT FOUND in {} seeds", defect.name(), hunt.seeds),
        }
    }
}
