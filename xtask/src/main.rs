//! The things that one does every day, each with one word: `cargo xtask WORD`.
//!
//! Nothing here knows more than a shell history would; the checks themselves live in the crates and in `.ci/run`.
//! The one exception is [`gate`], which shows that clippy really refuses what `clippy.toml` lists.

mod gate;

use std::env;
use std::path::Path;
use std::process::{Command, ExitCode};

const USAGE: &str = "\
usage: cargo xtask WORD
  check           formatting, clippy (also with the mutations), documentation
  gate            that a clock, a thread, a file … in a logic crate would be refused
  test            all tests
  sim SEED [...]  replays one seed and explains it; further flags go to `varangian sim`
  fuzz TARGET [S] fuzzes `audit`, `capture`, `decode`, `door`, `monitor` or `pcre` for a minute or S seconds (needs cargo-fuzz and a C++ compiler)
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
        ["fuzz", target] => fuzz(target, "60"),
        ["fuzz", target, seconds] => fuzz(target, seconds),
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

/// What is found is kept in `fuzz/corpus`, what fails in `fuzz/artifacts`. Memory is limited, since a promise is that it is.
fn fuzz(target: &str, seconds: &str) -> bool {
    cargo(&format!(
        "fuzz run --sanitizer none {target} -- -max_total_time={seconds} -max_len=4096 -rss_limit_mb=1024 \
         -print_pcs=0 -verbosity=0 -print_final_stats=1"
    ))
}

/// Runs cargo as a person would type it.
fn cargo(arguments: &str) -> bool {
    eprintln!("cargo {arguments}");
    let mut command = Command::new("cargo");
    let here = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    command.args(arguments.split_whitespace()).current_dir(Path::new(&here).join(".."));
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("it could not be started in {}/..: {error}", here.display());
            false
        }
    }
}
