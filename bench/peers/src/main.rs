//! `varangian-peers`: other people's replicated services, measured as `varangian bench agreement` measures ours.
//!
//! Upon `--list`: which systems can run here, a JSON line each.
//! Upon `--system S …`: start 2f+1 members of S as processes of their own on loopback; wait for a leader; load them with a
//! closed loop of clients in this process; print a JSON line per repetition; end the members and remove their data.
//! Upon SIGINT or SIGTERM: end the members and remove their data.
//!
//! How each system is used, and on whose advice, is in README.md. Not here: any comparison. Whoever compares runs this
//! and its own measurements in turn, and reads the lines.

mod cpu;
mod etcd;
mod failure;
mod family;
mod frame;
mod load;
mod member;
mod options;
mod peers;
mod row;
mod scratch;

use std::cell::RefCell;
use std::process::ExitCode;
use std::rc::Rc;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use failure::Failure;
use family::Family;
use load::{Broken, Recorder};
use options::{Options, System};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let outcome = match arguments.next() {
        Some(first) if first == family::GUARDED => Err(family::guarded(arguments)),
        Some(first) if first == member::MEMBER => Err(member::run(arguments)),
        _ => {
            let options = Options::parse();
            match options.system {
                Some(system) if !options.list => run(&options, system),
                _ => list(),
            }
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn version(system: System) -> Result<String, Failure> {
    match system {
        System::Etcd => etcd::version(),
        System::RaftRs => peers::version("raft"),
        System::Omnipaxos => peers::version("omnipaxos"),
    }
}

fn list() -> Result<(), Failure> {
    use clap::ValueEnum;
    for system in System::value_variants() {
        let (version, why_not) = match version(*system) {
            Ok(version) => (Some(version), None),
            Err(failure) => (None, Some(failure.to_string())),
        };
        row::print(&row::Listed { system: system.name(), available: version.is_some(), version, why_not })
            .map_err(Failure::io("standard output"))?;
    }
    Ok(())
}

/// Everything is dropped in the reverse order: the load, the members, then their data.
fn run(options: &Options, system: System) -> Result<(), Failure> {
    let version = version(system)?;
    match system {
        System::Etcd => etcd::check(options)?,
        System::RaftRs | System::Omnipaxos => peers::check(options, system)?,
    }
    let dir = scratch::Scratch::new(options, system)?;
    let mut family = Family::default();
    let members = match system {
        System::Etcd => etcd::start(options, dir.path(), &mut family)?,
        System::RaftRs | System::Omnipaxos => member::start(options, system, dir.path(), &mut family)?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::io("the load's event loop"))?;
    let recorder = Rc::new(RefCell::new(Recorder::new(options.clients)));
    let broken = Rc::new(Broken::default());
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let measured = async {
            match system {
                System::Etcd => etcd::load(options, &members, &mut family, &recorder, &broken).await?,
                System::RaftRs | System::Omnipaxos => {
                    peers::load(options, &members, &mut family, &recorder, &broken).await?
                }
            }
            load::measure(options, system, &version, &mut family, &recorder, &broken).await
        };
        tokio::select! {
            outcome = measured => outcome,
            outcome = told_to_stop() => outcome,
        }
    })
}

/// Waits for SIGINT or SIGTERM, so that the members' data goes with the members.
async fn told_to_stop() -> Result<(), Failure> {
    let unheard = "listening for signals";
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::io(unheard))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::io(unheard))?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Err(Failure::Stopped)
}
