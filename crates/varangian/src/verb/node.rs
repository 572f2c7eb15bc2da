//! `varangian node`: one node of a cluster, until it is told to stop.
//!
//! Upon SIGTERM or SIGINT: it finishes what it does, flushes its log and ends with 0. Upon a second one: it ends at once.
//! Upon something that it cannot mend (a log that does not read back, a port that is taken): it says so and ends with 1.

use crate::Outcome;
use crate::say::complain;
use clap::Args;
use node::config::Config;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(wrong) => {
            complain!("error: {wrong}");
            return Outcome::Refused;
        }
    };
    for warning in config.warnings(node::assemble::wall_time()) {
        complain!("warning: {warning}");
    }
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // In this order: the first one only sets the flag, the second finds it set.
        let registered = flag::register_conditional_shutdown(signal, 1, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)));
        if let Err(error) = registered {
            complain!("error: cannot listen for signals: {error}");
            return Outcome::Violated;
        }
    }
    match node::run::run(&config, &stop, &mut |words| complain!("{words}")) {
        Ok(()) => Outcome::Fine,
        Err(wrong) => {
            complain!("error: node {}: {wrong}", config.node.0);
            Outcome::Violated
        }
    }
}
