//! `soak node`: a node as `varangian node` runs it, but for its replica, which is a traitor.
//!
//! Supervisor and monitor are those of the product, by the same code; only the replica's process is another ([`crate::traitor`]).

use crate::traitor::{self, Orders};
use clap::{Args, ValueEnum};
use node::assemble::moment;
use node::config::Config;
use node::separate::monitor;
use node::separate::remarks::Mouth;
use node::separate::supervisor::{self, Supervisor};
use node::telling::Level;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Run a node whose replica lies.
#[derive(Args)]
pub(crate) struct Arguments {
    config: PathBuf,
    /// Which part this process is.
    #[arg(long)]
    part: Option<Part>,
    /// Which start of the monitor this is.
    #[arg(long, default_value_t)]
    incarnation: u64,
    /// How the replica lies.
    #[arg(long, default_value = "")]
    behaviour: String,
    /// Its whims.
    #[arg(long, default_value_t)]
    seed: u64,
    /// It lies once this file is there.
    #[arg(long)]
    mark: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Part {
    Monitor,
    Replica,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match try_run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(1)
        }
    }
}

fn try_run(arguments: &Arguments) -> Result<(), String> {
    let config = Config::load(&arguments.config).map_err(|error| error.to_string())?;
    let (stop, reload) = (Arc::new(AtomicBool::new(false)), AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        flag::register(signal, Arc::clone(&stop)).map_err(|error| error.to_string())?;
    }
    let Arguments { part, incarnation, behaviour, seed, .. } = arguments;
    // Without one it never lies.
    let mark = arguments.mark.clone().unwrap_or_default();
    let number = config.node.0;
    let tell = &mut |part: Option<&'static str>, _: Level, words: &str| {
        let part = part.map_or(String::new(), |part| format!("{part}: "));
        eprintln!("{} node {number}: {part}{words}", moment());
    };
    let mut mouth = Mouth::default();
    let say = &mut |level: Level, words: &str| mouth.tell(level, words);
    match part {
        None => {
            let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
            let mut replica =
                words(&["node", "--part", "replica", "--behaviour", behaviour, "--seed", &seed.to_string()]);
            replica.extend(["--mark".into(), mark.into_os_string()]);
            let monitor = words(&["node", "--part", "monitor", "--incarnation"]);
            let parts = supervisor::Arguments { monitor, replica };
            Supervisor::new(&config, &arguments.config, &parts).run(&stop, &reload, tell)
        }
        Some(Part::Monitor) => {
            monitor::run(&config, *incarnation, &stop, say).map_err(|error| error.to_string())
        }
        Some(Part::Replica) => {
            let orders = Orders { behaviour: behaviour.clone(), seed: *seed, mark };
            traitor::run(&config, &orders, &stop, say)
        }
    }
}
