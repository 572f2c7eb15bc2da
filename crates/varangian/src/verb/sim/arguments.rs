//! What can be said to `varangian sim`.

use super::span;
use agree::Protocol;
use agree::protocol::F_MAX;
use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use core::num::NonZeroUsize;
use core::time::Duration;
use sim::{Durability, Fail, Mix, Only, RunSettings};
use std::path::PathBuf;
use std::thread;

/// Run clusters in a simulated world full of faults and check every promise.
#[derive(Args)]
#[command(after_help = "\
Examples:
  varangian sim --protocol byzid --f 1 --seeds 1000
                                            a thousand worlds, every kind of fault
  varangian sim --protocol paxos --f 2 --seeds 200 --faults crash,network --json
                                            two kinds of fault, the result as one JSON object
  varangian sim --protocol byzid --f 1 --replay 42 --explain
                                            the last of what happened in world 42, as a diagram

Exit codes: 0 every promise was kept, 1 one was broken or a defect not found, 2 wrong usage.")]
pub(crate) struct Arguments {
    /// The protocol: byzid, byzid-w, paxos or pbft.
    #[arg(long, value_name = "P", required_unless_present = "mutations")]
    pub(super) protocol: Option<Protocol>,

    /// How many faulty nodes the cluster shall mask.
    #[arg(long, value_name = "F", default_value_t = 1, value_parser = f_parser())]
    pub(super) f: usize,

    /// How many seeds to run, 100 if not said; with --mutations, how many to try for each defect, 5000 if not said.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) seeds: Option<u64>,

    /// The first seed.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub(super) from: u64,

    /// How long each run is in simulated time, such as 500ms, 10s or 1m.
    #[arg(long, value_name = "TIME", value_parser = span::parse)]
    duration: Option<Duration>,

    /// Which kinds of fault: none, network, crash, time, byzantine, monitor, outsider, all, or several with commas.
    #[arg(long, value_name = "MIX", default_value = "all")]
    faults: Mix,

    /// When a write is called durable.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = DurabilityWord::Fsync)]
    durability: DurabilityWord,

    /// What happens to a node whose monitor is down.
    #[arg(long, value_name = "HOW", value_enum, default_value_t = FailWord::Closed)]
    fail: FailWord,

    /// Runs at the same time; as many as there are processors if not said.
    #[arg(long, value_name = "W")]
    workers: Option<NonZeroUsize>,

    /// Run this one seed again.
    #[arg(
        long,
        value_name = "SEED",
        conflicts_with_all = ["seeds", "from", "workers", "mutations"]
    )]
    pub(super) replay: Option<u64>,

    /// With --replay: only this part of the seed's plan, in the words of a shrunk run.
    #[arg(long, value_name = "PART", requires = "replay")]
    only: Option<Only>,

    /// With --replay: print the last 200 things that happened, or as many as said, as a message diagram.
    #[arg(
        long,
        value_name = "N",
        requires = "replay",
        conflicts_with = "json",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "200"
    )]
    pub(super) explain: Option<usize>,

    /// With --replay: write what passed at every node to this file, for `varangian audit` (byzid and byzid-w).
    #[arg(long, value_name = "FILE", requires = "replay")]
    pub(super) record: Option<PathBuf>,

    /// Print one JSON object.
    #[arg(long)]
    pub(super) json: bool,

    /// Look for every named defect, with --protocol for those of one protocol (a build with the feature `mutations`).
    #[arg(long)]
    pub(super) mutations: bool,

    /// With --mutations: look for this defect alone. Without: run, replay or explain with this defect switched on.
    #[arg(long, value_name = "NAME")]
    #[cfg_attr(not(feature = "mutations"), allow(dead_code, reason = "only that build looks for defects"))]
    pub(super) defect: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum DurabilityWord {
    /// When it would survive a loss of power.
    Fsync,
    /// At once.
    Async,
}

#[derive(Clone, Copy, ValueEnum)]
enum FailWord {
    /// It is cut off.
    Closed,
    /// It goes on unmonitored.
    Open,
}

fn f_parser() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=F_MAX as u64)
}

impl Arguments {
    /// How runs of the protocol named are to be made; nothing if none is named.
    pub(super) fn settings(&self) -> Option<RunSettings> {
        self.protocol.map(|protocol| self.settings_of(protocol))
    }

    /// How runs of `protocol` are to be made.
    pub(super) fn settings_of(&self, protocol: Protocol) -> RunSettings {
        let usual = RunSettings::new(protocol, self.f);
        RunSettings {
            duration: self.duration.unwrap_or(usual.duration),
            mix: self.faults,
            durability: match self.durability {
                DurabilityWord::Fsync => Durability::Fsync,
                DurabilityWord::Async => Durability::Async,
            },
            fail: match self.fail {
                FailWord::Closed => Fail::Closed,
                FailWord::Open => Fail::Open,
            },
            only: self.only.clone().unwrap_or_default(),
            ..usual
        }
    }

    /// How many runs are made at the same time.
    pub(super) fn workers(&self) -> usize {
        let processors = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.workers.map_or_else(processors, NonZeroUsize::get)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CommandLine, Verb};
    use clap::Parser;

    /// What the words of `command` ask for.
    fn read_back(command: &str) -> (RunSettings, Option<u64>) {
        match CommandLine::try_parse_from(command.split(' ')).map(|line| line.verb) {
            Ok(Verb::Sim(arguments)) => {
                (arguments.settings().expect("a protocol is named"), arguments.replay)
            }
            Ok(_) => panic!("{command} is another verb"),
            Err(error) => panic!("{command}: {error}"),
        }
    }

    #[test]
    fn the_command_that_replays_a_run_is_understood_as_that_run() {
        let only =
            Only { faults: Some(vec![0, 3]), lies: Some(Vec::new()), clients: Some(2), operations: Some(10) };
        for protocol in Protocol::ALL {
            for (f, mix) in [(1, "all"), (F_MAX, "none"), (2, "network,monitor,outsider")] {
                for (durability, fail) in [(Durability::Fsync, Fail::Open), (Durability::Async, Fail::Closed)]
                {
                    for (only, duration) in [(Only::default(), 6_000), (only.clone(), 2_500)] {
                        let settings = RunSettings {
                            mix: mix.parse().expect("a mix"),
                            durability,
                            fail,
                            only,
                            duration: Duration::from_millis(duration),
                            ..RunSettings::new(protocol, f)
                        };
                        let command = settings.replay_command(42);
                        assert_eq!(read_back(&command), (settings, Some(42)), "{command}");
                    }
                }
            }
        }
    }
}
