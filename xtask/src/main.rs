//! The things that one does every day, each with one word: `cargo xtask WORD`.
//!
//! Nothing here knows more than a shell history would; the checks themselves live in the crates and in `.ci/run`.
//! The one exception is [`gate`], which shows that clippy really refuses what `clippy.toml` lists.

mod fuzz;
mod gate;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "\
usage: cargo xtask WORD
  check           formatting, clippy (also with the mutations), documentation
  gate            that a clock, a thread, a file … in a logic crate would be refused
  test            all tests
  sim SEED [...]  replays one seed and explains it; further flags go to `varangian sim`
  fuzz TARGET [S] fuzzes a target of fuzz/fuzz_targets for a minute or S seconds; `layer:http1` is the parser of one protocol (needs cargo-fuzz, C++)
  fuzz-layers S [PROTOCOL ...]  fuzzes the parser of each protocol, or of these, for S seconds each, and prints a table
  corpus DIR      makes corpora for the fuzz targets of the captures and rules in a folder
  flood [...]     ten million flows of each kind through one worker; flags: a kind (`syn`, …), how many flows
  soak [...]      breaks a running cluster; flags go to `soak` (--seconds S, --seed N, --steady, …)
  docs            the documentation of all crates, in target/doc
  mutations       looks for every named defect (in a build that contains them)";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["check"] => check(),
        ["gate"] => gate::holds(),
        ["test"] => cargo("test --workspace"),
        ["sim", seed, ref flags @ ..] => {
            let flags = if flags.is_empty() { "--protocol byzid --f 1".into() } else { flags.join(" ") };
            cargo(&format!("run --release -- sim {flags} --replay {seed} --explain"))
        }
        ["fuzz", target] => fuzz::target(target, "60"),
        ["fuzz", target, seconds] => fuzz::target(target, seconds),
        ["fuzz-layers", seconds, ref protocols @ ..] => fuzz::layers(seconds, protocols),
        ["corpus", root] => fuzz::corpus(root),
        ["flood", ref flags @ ..] => {
            cargo(&format!("run --release --locked -p varangian --example flood -- {}", flags.join(" ")))
        }
        ["soak", ref flags @ ..] => {
            cargo("build --release --locked -p varangian -p soak")
                && cargo(&format!("run --quiet --release --locked -p soak -- {}", flags.join(" ")))
        }
        ["docs"] => cargo("doc --workspace --no-deps"),
        ["mutations"] => cargo("run --release --features mutations -- sim --mutations"),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn check() -> bool {
    cargo("fmt --all --check")
        && cargo("clippy --workspace --all-targets -- -D warnings")
        && cargo("clippy --workspace --all-targets --features mutations -- -D warnings")
        && cargo("doc --workspace --no-deps")
}

/// Runs cargo as a person would type it.
fn cargo(arguments: &str) -> bool {
    eprintln!("cargo {arguments}");
    let mut command = Command::new("cargo");
    let root = root();
    command.args(arguments.split_whitespace()).current_dir(&root);
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("it could not be started in {}: {error}", root.display());
            false
        }
    }
}

/// Where the project lies.
fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&here).join("..")
}
