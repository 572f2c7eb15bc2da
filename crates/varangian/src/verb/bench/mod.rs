//! `varangian bench agreement`: protocols side by side, as the ByzID paper's section VI measures them, on real clusters.
//!
//! Upon a wish that can be had ([`arguments`]): each cell is measured ([`campaign`]) on clusters of child processes ([`cluster`]) under a
//!   load of this process ([`load`]), and beside other people's systems if that is wished ([`peers`]); or a node is killed meanwhile
//!   ([`failure`]). Tables ([`mod@tell`]), JSON ([`mod@row`]) and figures ([`plot`]) come of it.
//! Upon what was measured before (`--from`): the same tables and figures, and nothing is started.
//! Upon SIGINT or SIGTERM: everything that was started is ended, and what was measured until then is told; exit code 2.
//!
//! Not here: other machines. Nodes and load share the processors of this one, so that ratios are what is to be looked at.

mod arguments;
mod ask;
mod campaign;
mod cluster;
mod failure;
mod folder;
mod load;
mod measure;
mod peers;
mod plot;
mod processes;
mod row;
mod stop;
mod summary;
mod table;
mod tell;
mod trouble;

use crate::Outcome;
use crate::say::{self, complain, say};
use arguments::{Durability, System, Wish};
use campaign::Results;
use clap::{Args, Subcommand};
use failure::Outage;
use peers::Peers;
use row::Row;
use serde_json::Value;
use std::fs;
use std::path::Path;
use stop::Stop;

/// Measure what this machine and this build can do.
#[derive(Args)]
#[command(after_help = "\
Examples:
  varangian bench agreement --quick
  varangian bench agreement --f 1,2 --clients 1,64 --json > results.json
  varangian bench agreement --from results.json --markdown")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Agreement(Box<arguments::Arguments>),
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let What::Agreement(arguments) = &arguments.what;
    let done = arguments.wish().and_then(|wish| agreement(&wish));
    done.unwrap_or_else(|refused| {
        complain!("error: {refused}");
        Outcome::Refused
    })
}

fn agreement(wish: &Wish) -> Result<Outcome, String> {
    let results = match &wish.from[..] {
        [] => measured(wish)?,
        files => read(files.iter().map(AsRef::as_ref))?,
    };
    tell(wish, &results)?;
    let is_none = |row: &Row| row.errors > 0 || row.view_changes.is_some_and(|changes| changes > 0);
    Ok(match results.was_stopped {
        true => Outcome::Refused,
        false if results.is_incomplete || results.rows.iter().any(is_none) => Outcome::Violated,
        false => Outcome::Fine,
    })
}

fn measured(wish: &Wish) -> Result<Results, String> {
    let stop = Stop::upon_signals().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let wants_peers = wish.systems.iter().any(|system| matches!(system, System::Theirs { .. }));
    let peers = match wants_peers.then(|| Peers::find(wish.peers_binary.as_deref())) {
        Some(Ok(peers)) => Some(peers),
        // Whoever names a file means it.
        Some(Err(why)) if wish.peers_binary.is_some() => return Err(why),
        Some(Err(why)) => {
            complain!("warning: {why}");
            None
        }
        None => None,
    };
    if wish.durability != Durability::Memory && folder::is_in_memory(&wish.parent) {
        complain!(
            "warning: {} is in memory, where a sync costs nothing: what is measured is not {}; right would be --dir with a folder on a disk",
            wish.parent.display(),
            wish.durability.name()
        );
    }
    let results = campaign::run(wish, peers.as_ref(), &stop);
    if results.was_stopped {
        complain!("stopped: what follows is not all that was wished for");
    }
    Ok(results)
}

/// What was printed by `--json` before. Repetitions are numbered on from file to file, since what stands in one was measured side by
/// side, and what stands in two was not.
fn read<'a>(files: impl Iterator<Item = &'a Path>) -> Result<Results, String> {
    let mut results = Results::default();
    for file in files {
        let before = results.rows.iter().map(|row| row.repetition).max().unwrap_or(0);
        let wrong = |why: String| format!("{}: {why}; right would be what --json printed", file.display());
        let text = fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
        let list: Vec<Value> = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        for value in list {
            let is_outage = value.get("failure").is_some();
            match is_outage {
                true => results.outages.push(outage(value).map_err(wrong)?),
                false => {
                    let row = row(value).map_err(wrong)?;
                    results.rows.push(Row { repetition: before + row.repetition, ..row });
                }
            }
        }
    }
    check_alike(&results.rows)?;
    Ok(results)
}

/// One table is of what was measured alike.
fn check_alike(rows: &[Row]) -> Result<(), String> {
    let durability = tell::distinct(rows.iter().map(|row| row.durability.as_str()));
    let links = tell::distinct(rows.iter().filter_map(|row| row.links.as_deref()));
    for (what, ways) in [("durability", durability), ("links", links)] {
        if let [one, other, ..] = ways[..] {
            return Err(format!(
                "{what} is {one} in one file and {other} in another, and a ratio of the two says nothing; right would be one at a time"
            ));
        }
    }
    Ok(())
}

fn outage(value: Value) -> Result<Outage, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn row(value: Value) -> Result<Row, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn tell(wish: &Wish, results: &Results) -> Result<(), String> {
    let Results { rows, outages, .. } = results;
    if let Some(folder) = &wish.plot {
        for path in plot::draw(folder, rows, outages).map_err(|trouble| trouble.to_string())? {
            complain!("drawn: {}", path.display());
        }
    }
    if wish.json {
        let values = rows.iter().map(serde_json::to_value).chain(outages.iter().map(serde_json::to_value));
        let list: Result<Vec<Value>, _> = values.collect();
        say!("{:#}", Value::from(list.map_err(|error| error.to_string())?));
        return Ok(());
    }
    if !rows.is_empty() {
        say::answer(format_args!("{}", tell::rows(rows, wish.markdown)));
    }
    if !outages.is_empty() {
        say::answer(format_args!("{}", tell::outages(outages, wish.markdown)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_differently_is_not_compared() {
        let plain = row::tests::row("paxos", 1, 10.0, 1);
        let other = Row { durability: "async".to_string(), ..plain.clone() };
        assert_eq!(check_alike(&[plain.clone(), plain.clone()]), Ok(()));
        let refused = check_alike(&[plain, other]);
        assert!(refused.is_err_and(|why| why.contains("fsync in one file and async in another")));
    }

    #[test]
    fn two_files_are_two_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, rates: [f64; 2]| {
            let [byzid, paxos] = rates;
            let rows = [row::tests::row("byzid", 1, byzid, 1), row::tests::row("paxos", 1, paxos, 1)];
            let path = folder.path().join(name);
            fs::write(&path, serde_json::to_string(&rows).expect("plain data")).expect("it can be written");
            path
        };
        let files = [file("slow.json", [10.0, 10.0]), file("fast.json", [100.0, 100.0])];
        let results = read(files.iter().map(AsRef::as_ref)).expect("they can be read");
        let lines = summary::lines(&results.rows);
        let ratio = lines[0].throughput_ratio.expect("paxos is beside it");
        assert_eq!((ratio.least, ratio.most), (1.0, 1.0));
    }
}
