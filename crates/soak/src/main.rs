//! `soak`: breaks a running cluster of real processes in every way that it must survive, under load, and judges what clients were told.
//!
//! - [`ground`], [`network`], [`disk`]: where it happens; [`cluster`], [`parts`]: the nodes and their processes;
//! - [`load`], [`probe`]: what clients do and see; [`stage`]: a cluster under load up to its verdict;
//! - [`fault`], [`traitor`], [`stranger`], [`memory`]: what is done and looked at; [`bystander`]: beside whom; [`chapter`]: in which
//!   order;
//! - [`report`]: what came of it.
//!
//! Upon a run: a cluster for the faults, one for each traitor, one for the strangers; everything that chance decides follows from the
//!   seed. Upon a broken promise: exit code 1, with the command that does it again. (The schedule is the same then, not the moment.)
//! Upon Ctrl-C: what was begun is taken back, and what is known so far is told. Upon a second one: it ends at once, and leaves a folder.
//!
//! Hidden: `soak node`, which is `varangian node` with a traitor in the place of the replica.

mod bystander;
mod chapter;
mod cluster;
mod disk;
mod fault;
mod ground;
mod load;
mod memory;
mod network;
mod parts;
mod probe;
mod report;
mod stage;
mod stranger;
mod traitor;
mod treacherous;

use agree::Protocol;
use chapter::Soak;
use clap::{Args, Parser, Subcommand};
use cluster::Wish;
use ground::Ground;
use load::Manner;
use network::Network;
use node::clock::Clock;
use report::Report;
use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Sessions of a steady load: enough to fill batches.
const STEADY_SESSIONS: u16 = 128;

/// How long a session thinks between two calls, at most.
const THINK: Duration = Duration::from_millis(12);

/// Break a running cluster in every way that it must survive.
#[derive(Parser)]
#[command(
    name = "soak",
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  cargo xtask soak --seconds 600
  cargo xtask soak --seconds 60 --seed 7 --only kill-primary,cut-primary
  cargo xtask soak --steady --seconds 3600

As root it makes networks and a disk of its own, which nobody else sees and which go with it; else it stays on loopback and leaves
out what needs them.

Exit codes: 0 every promise held, 1 one did not, 2 it could not begin."
)]
struct CommandLine {
    #[command(subcommand)]
    part: Option<PartOfIt>,
    #[command(flatten)]
    arguments: Arguments,
}

#[derive(Subcommand)]
enum PartOfIt {
    #[command(hide = true)]
    Node(treacherous::Arguments),
}

#[derive(Args)]
struct Arguments {
    /// How long, in seconds.
    #[arg(long, value_name = "S", default_value_t = 120)]
    seconds: u64,
    /// What everything that chance decides follows from. Without it, the time.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The protocol.
    #[arg(long, value_name = "P", default_value = "byzid")]
    protocol: Protocol,
    /// How many nodes may be faulty at once.
    #[arg(long, value_name = "F", default_value_t = 1)]
    f: usize,
    /// How many sessions load the cluster.
    #[arg(long, value_name = "N", default_value_t = 24)]
    sessions: u16,
    /// Only these, by name: a fault, `rolling`, `traitors` or one, `strangers` or one.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    only: Vec<String>,
    /// No faults: as much load as goes, and how much memory it takes.
    #[arg(long)]
    steady: bool,
    /// Print one JSON object in the place of the table.
    #[arg(long)]
    json: bool,
    /// The product's binary. Without it, the one beside this program.
    #[arg(long, value_name = "FILE")]
    varangian: Option<PathBuf>,
    #[arg(long, hide = true)]
    inside: bool,
}

fn main() -> ExitCode {
    let CommandLine { part, arguments } = CommandLine::parse();
    if let Some(PartOfIt::Node(arguments)) = part {
        return treacherous::run(&arguments);
    }
    match soak(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether every promise held.
fn soak(arguments: &Arguments) -> Result<bool, String> {
    let ground = ground::find(arguments.inside);
    let seed = arguments.seed.unwrap_or_else(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_secs() ^ u64::from(time.subsec_nanos()))
    });
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 1, Arc::clone(&stop))
            .map_err(|error| error.to_string())?;
        flag::register(signal, Arc::clone(&stop)).map_err(|error| error.to_string())?;
    }
    check_names(&arguments.only)?;
    if !(1..=agree::protocol::F_MAX).contains(&arguments.f) {
        return Err(format!("f = {}; right would be 1 to {}", arguments.f, agree::protocol::F_MAX));
    }
    let wish = Wish {
        varangian: varangian(arguments)?,
        ground: ground.clone(),
        protocol: arguments.protocol,
        f: arguments.f,
        small_disk: false,
        stop,
    };
    let network = match ground {
        Ground::Own => Some(Network::make(wish.nodes())?),
        Ground::Loopback(_) => None,
    };
    let clock = Clock::default();
    let mut report = Report::new(clock);
    let Arguments { seconds, protocol, f, .. } = arguments;
    report.note(&format!(
        "{protocol}, f = {f}, {} nodes, {seconds} s, seed {seed}, begun at {}",
        wish.nodes(),
        node::assemble::moment()
    ));
    if let Ground::Loopback(why) = ground {
        report.note(&format!("on loopback, without networks and disks of its own: {why}"));
    }
    let manner = match arguments.steady {
        false => Manner { sessions: arguments.sessions, think: THINK, keeps: true, seed },
        true => Manner { sessions: STEADY_SESSIONS, think: Duration::ZERO, keeps: false, seed },
    };
    let soak = Soak { wish, network: network.as_ref(), manner, clock, seed, only: arguments.only.clone() };
    let within = Duration::from_secs(*seconds);
    match arguments.steady {
        true => soak.steady(within, &mut report)?,
        false => chapters(&soak, within, &mut report)?,
    }
    let again = format!(
        "cargo xtask soak --seconds {seconds} --seed {seed} --protocol {protocol} --f {f}{}{}",
        if arguments.steady { " --steady" } else { "" },
        if arguments.only.is_empty() {
            String::new()
        } else {
            format!(" --only {}", arguments.only.join(","))
        }
    );
    let holds = report.broken().is_empty();
    if arguments.json {
        let mut object = report.as_json();
        object["seed"] = json!(seed);
        object["again"] = json!(again);
        println!("{object}");
    } else {
        println!("{}", report.as_text());
    }
    if soak.is_stopped() {
        return Err("it was told to stop, so that not all of it was judged".to_string());
    }
    match holds {
        true => eprintln!("every promise held (seed {seed})"),
        false => eprintln!("{} promises BROKEN; again: {again}", report.broken().len()),
    }
    Ok(holds)
}

/// Faults have about half of the time, traitors a third, strangers what is left. What is not wanted takes none.
fn chapters(soak: &Soak, within: Duration, report: &mut Report) -> Result<(), String> {
    let faults = soak.wants_any(&Soak::names_of_faults());
    let traitors = soak.wants_any(&Soak::names_of_traitors());
    let strangers = soak.wants_any(&Soak::names_of_strangers());
    let shares = [(faults, 55), (traitors, 30), (strangers, 15)];
    let wanted: u32 = shares.iter().filter(|(wanted, _)| *wanted).map(|(_, share)| share).sum();
    let share = |index: usize| within * shares[index].1 / wanted.max(1);
    if faults {
        soak.faults(share(0), report)?;
    }
    if traitors {
        soak.traitors(share(1), report)?;
    }
    if strangers {
        soak.strangers(share(2), report)?;
    }
    Ok(())
}

fn check_names(only: &[String]) -> Result<(), String> {
    let known = [Soak::names_of_faults(), Soak::names_of_traitors(), Soak::names_of_strangers()].concat();
    match only.iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(name) => Err(format!("there is no '{name}'; right would be of {}", known.join(", "))),
    }
}

fn varangian(arguments: &Arguments) -> Result<PathBuf, String> {
    let beside = || Some(std::env::current_exe().ok()?.with_file_name("varangian"));
    let file = arguments.varangian.clone().or_else(beside).ok_or("the program does not find itself")?;
    file.canonicalize()
        .map_err(|error| format!("{}: {error}; right would be --varangian FILE", file.display()))
}
