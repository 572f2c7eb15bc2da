//! `varangian kv`: asks a cluster's store of keys and values for one thing.
//!
//! Upon a wish: the configuration is read, a connection is opened, the command is asked and its answer is told ([`tell`]).
//! Upon a refusal by the store, or a get of a key that is not there: that is said, exit code 1; nothing was changed.
//! Upon a configuration, a key or a key pair with which nothing can be asked: exit code 2.
//! Upon no answer in time: exit code 3, and whether the command may have been executed is said.
//!
//! Each process that asks is remembered by the cluster as a session, and there is room for only so many. So a process takes the number
//! of one that has ended ([`station`]), and nobody's session is forgotten for its sake.

pub(crate) mod station;
mod tell;

use crate::Outcome;
use crate::say::complain;
use clap::{Args, Subcommand};
use client::{CallError, Connection, Kv, KvError};
use core::time::Duration;
use kv::Revision;
use kv::command::VALUE_BYTES_MAX;
use node::config::ClientConfig;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::thread;
use tell::Form;
use wire::Bytes;

/// The longest pause after a time in which a watch had no answer.
const WATCH_AGAIN: Duration = Duration::from_millis(500);

/// Put, get and watch keys and values that a cluster agrees on.
#[derive(Args)]
#[command(after_help = "\
Every answer is one that enough nodes vouch for; a get is ordered among the puts and never old. Keys and values are any bytes:
a value comes out as it went in, with a line end only for a terminal; lists escape what is not printable.

Examples:
  varangian kv --config harbour/client-1/client.toml put colour red
  varangian kv --config harbour/client-1/client.toml put picture - < picture.png
  varangian kv --config harbour/client-1/client.toml get colour
  varangian kv --config harbour/client-1/client.toml cas colour 1 blue     only if it was last changed at revision 1
  varangian kv --config harbour/client-1/client.toml list --limit 10
  varangian kv --config harbour/client-1/client.toml watch col --since 0

Exit codes: 0 done (a delete of what is not there too), 1 refused, or a get of what is not there, 2 the wish or the configuration is wrong, 3 no answer in time: unless it is said
that nothing was asked, it may have been done.")]
pub(crate) struct Arguments {
    /// The client's configuration.
    #[arg(long, value_name = "FILE", global = true, required = false, default_value = "client.toml")]
    config: PathBuf,

    /// Seconds to wait for an answer.
    #[arg(long, value_name = "SECONDS", global = true, default_value = "10", value_parser = super::seconds)]
    timeout: Duration,

    /// Print JSON: one object, or for watch one for each change, a line each.
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Let KEY hold VALUE.
    Put {
        /// The key.
        key: OsString,
        /// The value; `-` reads it from standard input.
        value: OsString,
    },
    /// Print what KEY holds.
    Get {
        /// The key.
        key: OsString,
    },
    /// Let KEY hold VALUE if it was last changed at REVISION.
    Cas {
        /// The key.
        key: OsString,
        /// When it was last changed; 0 if it must not exist.
        revision: u64,
        /// The value; `-` reads it from standard input.
        value: OsString,
    },
    /// Let there be no KEY.
    Delete {
        /// The key.
        key: OsString,
    },
    /// Print the keys that begin with PREFIX, and what they hold.
    List {
        /// What they begin with.
        #[arg(default_value = "")]
        prefix: OsString,
        /// This many at most.
        #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
        limit: usize,
    },
    /// Print what changes under PREFIX, as it comes, until it is interrupted.
    Watch {
        /// What the keys begin with.
        #[arg(default_value = "")]
        prefix: OsString,
        /// Begin after this revision. Without it, with what comes from now on.
        #[arg(long, value_name = "REVISION")]
        since: Option<u64>,
        /// End after this many changes.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
}

/// Why nothing was told.
enum Failed {
    /// Nothing can be asked like this.
    Wrong(String),
    /// The store or the cluster says no, or there is no answer.
    Kv(KvError),
    /// There is no such key.
    NoSuchKey,
}

impl From<KvError> for Failed {
    fn from(error: KvError) -> Self {
        Failed::Kv(error)
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let failed = match ask(arguments) {
        Ok(()) => return Outcome::Fine,
        Err(failed) => failed,
    };
    match failed {
        Failed::Wrong(wrong) => {
            complain!("error: {wrong}");
            Outcome::Refused
        }
        Failed::NoSuchKey => {
            complain!("there is no such key");
            Outcome::Violated
        }
        Failed::Kv(KvError::Call(error)) => {
            complain!("error: {error}");
            match error {
                CallError::OutcomeUnknown
                | CallError::Busy
                | CallError::Forgotten
                | CallError::Unreachable
                | CallError::Closed => Outcome::Unanswered,
                CallError::ServiceFull => Outcome::Violated,
                CallError::KeyRefused { .. } | CallError::TooManySessions | CallError::TooLong { .. } => {
                    Outcome::Refused
                }
            }
        }
        Failed::Kv(KvError::Refused(refusal)) => {
            complain!("refused: {refusal}");
            Outcome::Violated
        }
        Failed::Kv(error @ (KvError::Unreadable(_) | KvError::Mismatched)) => {
            complain!("error: {error}");
            Outcome::Refused
        }
    }
}

fn ask(arguments: &Arguments) -> Result<(), Failed> {
    let wrong = |error: &dyn core::fmt::Display| Failed::Wrong(error.to_string());
    let config = ClientConfig::load(&arguments.config).map_err(|error| wrong(&error))?;
    // It is held to the end: the number is ours as long.
    let station = station::take(&arguments.config);
    let connection = match &station {
        Some(station) => Connection::open_as(&config, station.number()),
        None => Connection::open(&config),
    };
    let connection = connection.map_err(|error| wrong(&error))?;
    let session = connection.session().map_err(KvError::Call)?;
    let mut kv = Kv::new(session, arguments.timeout);
    let form = if arguments.json { Form::Json } else { Form::Text };
    match &arguments.command {
        Command::Put { key, value } => tell::written(form, kv.put(bytes(key), value_of(value)?)?),
        Command::Cas { key, revision, value } => {
            tell::written(form, kv.cas(bytes(key), Revision(*revision), value_of(value)?)?);
        }
        Command::Get { key } => match kv.get(bytes(key))? {
            Some(item) => tell::item(form, &item),
            None => return Err(Failed::NoSuchKey),
        },
        Command::Delete { key } => tell::deleted(form, kv.delete(bytes(key))?),
        Command::List { prefix, limit } => tell::listed(form, &kv.list(bytes(prefix), *limit)?),
        Command::Watch { prefix, since, limit } => {
            // A cluster that was never there is an error; one that goes away later is waited for.
            let now = kv.revision()?;
            let since = since.map_or(now, Revision);
            watch(form, &mut kv, bytes(prefix), since, limit.unwrap_or(usize::MAX))?;
        }
    }
    Ok(())
}

/// A watch outlives a cluster that is away for a while: what was missed is told when it is back.
fn watch(form: Form, kv: &mut Kv, prefix: Bytes, since: Revision, limit: usize) -> Result<(), Failed> {
    let mut told = 0;
    let mut watching = kv.watch(prefix, since);
    while told < limit {
        let Some(change) = watching.next() else { break };
        match change {
            Ok(change) => {
                tell::change(form, &change);
                told += 1;
            }
            Err(KvError::Call(
                error @ (CallError::OutcomeUnknown | CallError::Busy | CallError::Unreachable),
            )) => {
                complain!("warning: {error}");
                thread::sleep(WATCH_AGAIN);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn bytes(text: &OsString) -> Bytes {
    Bytes::from(text.clone().into_vec())
}

/// The value itself, or what stands on standard input: not more than a value can be, and one byte, so that it shows.
fn value_of(text: &OsString) -> Result<Bytes, Failed> {
    if text != "-" {
        return Ok(bytes(text));
    }
    let mut value = Vec::new();
    let read = io::stdin().lock().take(VALUE_BYTES_MAX as u64 + 1).read_to_end(&mut value);
    read.map_err(|error| Failed::Wrong(format!("standard input: {error}")))?;
    if value.len() > VALUE_BYTES_MAX {
        let what =
            format!("the value on standard input is too long; at most {VALUE_BYTES_MAX} bytes are allowed");
        return Err(Failed::Wrong(what));
    }
    Ok(Bytes::from(value))
}
