//! `varangian node`: one node of a cluster, until it is told to stop.
//!
//! Upon SIGTERM or SIGINT: it finishes what it does, flushes its log and ends with 0. Upon a second one: it ends at once.
//! Upon SIGHUP: it reads its secret and the changes of the roster anew; any other change in the files is refused, and the old stays.
//! Upon something that it cannot mend (a log that does not read back, a port that is taken): it says so and ends with 1.
//!
//! Where monitor and replica are apart this process is their supervisor, and starts itself again as each of them (`--part`). What
//! a part tells goes through its supervisor, who writes it, or leaves it out if it is too slight. A part ends with 0 when it was
//! told to, with 1 when it could not go on, and with 2 when it could not begin.

use crate::Outcome;
use crate::say::complain;
use clap::{Args, ValueEnum};
use link::links::CONNECTIONS_MAX;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use node::assemble::{moment, wall_time};
use node::config::{Config, LogForm, Processes};
use node::run::Reload;
use node::separate::remarks::Mouth;
use node::separate::supervisor::{self, Ended, Supervisor};
use node::separate::{monitor, replica};
use node::telling::Level;
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Descriptors that a node can use: for connections, its files and its parts.
const DESCRIPTORS: u64 = 2 * CONNECTIONS_MAX as u64;

/// Run one node of a cluster.
#[derive(Args)]
#[command(after_help = "\
Examples:
  varangian init harbour --nodes 3 --protocol byzid
  varangian node harbour/node-0/node.toml

Exit codes: 0 it was told to stop, 1 it could not go on, 2 the configuration is wrong.")]
pub(crate) struct Arguments {
    /// The node's configuration.
    config: PathBuf,
    /// Which part of a node this process is; for its supervisor alone.
    #[arg(long, hide = true)]
    part: Option<Part>,
    /// Which start of the monitor this is.
    #[arg(long, hide = true, requires = "part", default_value_t)]
    incarnation: u64,
    /// End when this process, its parent, does; for measurements, which must leave nothing behind.
    #[arg(long, hide = true, value_name = "PID")]
    parent: Option<u32>,
}

/// A part of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Part {
    Monitor,
    Replica,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(wrong) => {
            complain!("error: {wrong}");
            return Outcome::Refused;
        }
    };
    if arguments.part.is_none()
        && let Err(wrong) = config.check()
    {
        complain!("error: {wrong}");
        return Outcome::Refused;
    }
    raise_descriptors();
    let (stop, reload) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    if let Err(error) = listen_for_signals(&stop, &reload) {
        complain!("error: cannot listen for signals: {error}");
        return Outcome::Violated;
    }
    if let Some(parent) = arguments.parent
        && !ends_with(parent)
    {
        complain!("error: {parent} is not the parent of this process, or cannot be heard");
        return Outcome::Refused;
    }
    if let Some(part) = arguments.part {
        let mut mouth = Mouth::default();
        let say = &mut |level: Level, words: &str| mouth.tell(level, words);
        let ended = match part {
            Part::Monitor => monitor::run(&config, arguments.incarnation, &stop, say),
            Part::Replica => replica::run(&config, &stop, say),
        };
        return match ended {
            Ok(()) => Outcome::Fine,
            Err(why) => {
                say(Level::Error, &why.to_string());
                match why {
                    Ended::Unable(_) => Outcome::Refused,
                    Ended::Failed(_) => Outcome::Violated,
                }
            }
        };
    }
    for warning in config.warnings(wall_time()) {
        tell(&config, None, Level::Warning, &warning);
    }
    let separate = config.processes == Processes::Separate && config.settings().protocol.monitored();
    let ended = match separate {
        true => {
            let tell = &mut |part: Option<&'static str>, level: Level, words: &str| {
                tell(&config, part, level, words)
            };
            Supervisor::new(&config, &arguments.config, &parts()).run(&stop, &reload, tell)
        }
        false => {
            let reload = Reload { path: &arguments.config, wished: &reload };
            let say = &mut |level: Level, words: &str| tell(&config, None, level, words);
            node::run::run_and_reload(&config, Some(reload), &stop, say)
        }
    };
    match ended {
        Ok(()) => Outcome::Fine,
        Err(wrong) => {
            tell(&config, None, Level::Error, &wrong);
            Outcome::Violated
        }
    }
}

/// Writes a line about what happened, unless it is slighter than what is wanted.
fn tell(config: &Config, part: Option<&str>, level: Level, words: &str) {
    if level > config.log {
        return;
    }
    let node = config.node.0;
    match config.log_form {
        LogForm::Text => {
            let part = part.map_or(String::new(), |part| format!("{part}: "));
            let grave = if level == Level::Info { String::new() } else { format!("{}: ", level.name()) };
            complain!("node {node}: {part}{grave}{words}");
        }
        LogForm::Json => {
            let time = moment();
            complain!(
                "{}",
                json!({ "time": time, "level": level.name(), "node": node, "part": part, "message": words })
            );
        }
    }
}

/// As many descriptors as the system lets it have: each connection takes one. It goes on with what it has.
fn raise_descriptors() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard.min(DESCRIPTORS)
    {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard.min(DESCRIPTORS), hard);
    }
}

/// Has the kernel tell this process to stop when `parent` has ended.
fn ends_with(parent: u32) -> bool {
    // In this order: a parent that ended before is no parent any more.
    set_pdeathsig(Signal::SIGTERM).is_ok() && std::os::unix::process::parent_id() == parent
}

/// How this program is told to be a part.
fn parts() -> supervisor::Arguments {
    let words = |words: &[&str]| words.iter().map(OsString::from).collect();
    supervisor::Arguments {
        monitor: words(&["node", "--part", "monitor", "--incarnation"]),
        replica: words(&["node", "--part", "replica"]),
    }
}

fn listen_for_signals(stop: &Arc<AtomicBool>, reload: &Arc<AtomicBool>) -> std::io::Result<()> {
    for signal in [SIGTERM, SIGINT] {
        // In this order: the first one only sets the flag, the second finds it set.
        flag::register_conditional_shutdown(signal, 1, Arc::clone(stop))?;
        flag::register(signal, Arc::clone(stop))?;
    }
    flag::register(SIGHUP, Arc::clone(reload)).map(|_| ())
}
