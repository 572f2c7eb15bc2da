//! Other people's systems, by `varangian-peers` as a child process (`bench/peers`).
//!
//! Upon the search: the wished file; or beside this program, in `bench/peers/target/release`, or on `PATH`. It is asked what it can run.
//! Upon something that is not there: it is said how to get it, and what is there is measured.
//! Upon a turn: the tool runs once, with one repetition; the line that it prints is the row. It ends its own members when it is asked
//!   to end. Were we killed, it would end after its repetition.

use super::arguments::{Peer, Wish};
use super::measure::Turn;
use super::row::Row;
use super::stop::Stop;
use super::trouble::Trouble;
use core::time::Duration;
use serde_json::Value;
use std::env;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

const NAME: &str = "varangian-peers";

/// What peers are asked at least: an empty request is none to them.
const REQUEST_BYTES_MIN: usize = 8;

/// How often it is looked whether the tool is done.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long it may take beyond what it measures: members start, elect a leader, and end.
const EXTRA_MAX: Duration = Duration::from_secs(60);

/// The tool, and what it can run.
pub(super) struct Peers {
    program: PathBuf,
    /// Each system that it knows, and why it cannot be run if it cannot.
    systems: Vec<(String, Option<String>)>,
}

impl Peers {
    /// Looks for the tool.
    pub(super) fn find(wished: Option<&Path>) -> Result<Peers, String> {
        let how = "cargo build --release --manifest-path bench/peers/Cargo.toml builds it; say where it is by --peers-binary";
        let program = match wished {
            Some(path) => path.to_path_buf(),
            None => places()
                .into_iter()
                .find(|path| path.is_file())
                .ok_or_else(|| format!("{NAME} is not installed, so no peer is measured; {how}"))?,
        };
        let failed = |why: String| format!("{} --list: {why}; {how}", program.display());
        let output = Command::new(&program).arg("--list").stdin(Stdio::null()).output();
        let output = output.map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(format!("it ended with {}", output.status)));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let systems = text.lines().filter_map(system_of).collect();
        Ok(Peers { program, systems })
    }

    /// Why a peer cannot be measured, if it cannot, and how to get it.
    pub(super) fn missing(&self, peer: Peer) -> Option<String> {
        let how = match peer {
            Peer::Etcd => "apt-get install etcd-server",
            Peer::RaftRs | Peer::Omnipaxos => "a build of bench/peers has it",
        };
        let why = match self.systems.iter().find(|(name, _)| name == peer.name()) {
            Some((_, None)) => return None,
            Some((_, Some(why))) => why.as_str(),
            None => "the tool does not know it",
        };
        Some(format!("{} is not measured: {why} ({how})", peer.name()))
    }

    /// Measures one repetition.
    pub(super) fn measure(
        &self,
        wish: &Wish,
        (peer, is_batched): (Peer, bool),
        turn: &Turn,
        stop: &Stop,
    ) -> Result<Row, Trouble> {
        let whole = |time: Duration| (time.as_secs_f64().round() as u64).max(1);
        let (warmup, seconds) = (whole(wish.warmup), whole(wish.length));
        let mut command = Command::new(&self.program);
        command.args(["--system", peer.name(), "--repetitions", "1", "--durability", wish.durability.name()]);
        let numbers = [
            ("--f", turn.f),
            ("--clients", turn.clients),
            ("--request-bytes", turn.payload.request_bytes.max(REQUEST_BYTES_MIN)),
            ("--reply-bytes", turn.payload.reply_bytes),
            ("--warmup", warmup as usize),
            ("--seconds", seconds as usize),
        ];
        for (name, number) in numbers {
            command.args([name, &number.to_string()]);
        }
        if peer != Peer::Etcd {
            command.args(["--batching", if is_batched { "application" } else { "library" }]);
        }
        command.arg("--dir").arg(&wish.parent);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = child.map_err(|error| Trouble::Peer(format!("{}: {error}", self.program.display())))?;
        let mut tool = Tool(child);
        let end = Instant::now() + Duration::from_secs(warmup + seconds) + EXTRA_MAX;
        let succeeded = loop {
            match tool.0.try_wait() {
                Ok(Some(status)) => break status.success(),
                Ok(None) if Instant::now() > end => {
                    return Err(Trouble::Peer(format!("{} does not come to its end", peer.name())));
                }
                // A line and an error are shorter than what a pipe holds.
                Ok(None) => stop.wait_until(Instant::now() + LOOK_EVERY)?,
                Err(error) => return Err(Trouble::Peer(format!("{}: {error}", peer.name()))),
            }
        };
        let (said, complained) = tool.said();
        let row = said.lines().last().and_then(|line| serde_json::from_str(line).ok());
        match row.filter(|_| succeeded) {
            Some(row) => Ok(Row { repetition: turn.repetition, ..row }),
            None => {
                let why = complained.trim().lines().last().unwrap_or("it said nothing").to_string();
                Err(Trouble::Peer(format!("{} could not be measured: {why}", peer.name())))
            }
        }
    }
}

/// The tool at work. It ends its members when it is asked to end.
struct Tool(Child);

impl Tool {
    fn said(&mut self) -> (String, String) {
        let (mut said, mut complained) = (String::new(), String::new());
        if let Some(mut out) = self.0.stdout.take() {
            let _ = out.read_to_string(&mut said);
        }
        if let Some(mut out) = self.0.stderr.take() {
            let _ = out.read_to_string(&mut complained);
        }
        (said, complained)
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let is_over = |child: &mut Child| !matches!(child.try_wait(), Ok(None));
        if is_over(&mut self.0) {
            return;
        }
        super::processes::ask_to_end(self.0.id());
        let end = Instant::now() + Duration::from_secs(5);
        while !is_over(&mut self.0) && Instant::now() < end {
            thread::sleep(LOOK_EVERY);
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where the tool may be.
fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Some(folder) = env::current_exe().ok().as_deref().and_then(Path::parent) {
        places.push(folder.join(NAME));
    }
    places.push(Path::new("bench/peers/target/release").join(NAME));
    let path = env::var_os("PATH").unwrap_or_default();
    places.extend(env::split_paths(&path).map(|folder| folder.join(NAME)));
    places
}

fn system_of(line: &str) -> Option<(String, Option<String>)> {
    let value: Value = serde_json::from_str(line).ok()?;
    let why = || value["why_not"].as_str().unwrap_or("it is not there").to_string();
    Some((value["system"].as_str()?.to_string(), (value["available"] != true).then(why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_said_with_how_to_get_it() {
        let lines = r#"{"system":"etcd","available":false,"why_not":"no etcd on PATH"}
            {"system":"raft-rs","available":true,"version":"0.7.0"}"#;
        let systems = lines.lines().filter_map(system_of).collect();
        let peers = Peers { program: PathBuf::new(), systems };
        assert_eq!(peers.missing(Peer::RaftRs), None);
        let missing = peers.missing(Peer::Etcd).expect("it is not there");
        assert!(missing.contains("no etcd on PATH") && missing.contains("apt-get install"), "{missing}");
        assert!(peers.missing(Peer::Omnipaxos).is_some_and(|missing| missing.contains("does not know")));
        let Err(missing) = Peers::find(Some("/nowhere/varangian-peers".as_ref())) else {
            panic!("nothing is there")
        };
        assert!(missing.contains("cargo build"), "{missing}");
    }
}
