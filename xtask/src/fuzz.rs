//! Fuzzing by one word: a target, the parser of each protocol in turn, and the corpora that both begin with.
//!
//! What is found is kept in `fuzz/corpus`, what fails in `fuzz/artifacts`; git looks at neither. Memory is limited, since a promise is that it is, and so is the
//! time that one input may take.

use super::{cargo, root};
use std::path::Path;
use std::process::Command;

/// Bytes of an input at most; what a protocol says is longer.
const INPUT_BYTES_MAX: u32 = 4096;
const LAYER_BYTES_MAX: u32 = 8192;
/// An input that takes longer has failed.
const INPUT_SECONDS_MAX: u32 = 10;
const MEMORY_MB_MAX: u32 = 1024;

/// Fuzzes a target for so many seconds.
pub(super) fn target(name: &str, seconds: &str) -> bool {
    let (arguments, protocol) = arguments(name, seconds);
    eprintln!("cargo {arguments}");
    let mut command = command(&arguments, protocol);
    command.status().is_ok_and(|status| status.success())
}

/// Fuzzes the parser of each protocol, and prints what came of it.
pub(super) fn layers(seconds: &str, protocols: &[&str]) -> bool {
    let known = Command::new("cargo")
        .args([
            "run",
            "--quiet",
            "--manifest-path",
            "fuzz/Cargo.toml",
            "--example",
            "corpus",
            "--",
            "--protocols",
        ])
        .current_dir(root())
        .output();
    let known = known.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let protocols: Vec<&str> =
        if protocols.is_empty() { known.lines().collect() } else { protocols.to_vec() };
    println!("{:<16} {:>12} {:>8} {:>8}", "protocol", "executions", "corpus", "failed");
    let mut all_well = !protocols.is_empty();
    for protocol in protocols {
        let target = format!("layer:{protocol}");
        let (arguments, name) = arguments(&target, seconds);
        let Ok(output) = command(&arguments, name).output() else { return false };
        let said = String::from_utf8_lossy(&output.stderr);
        let executions = said
            .lines()
            .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
            .map_or("-", str::trim);
        let corpus = std::fs::read_dir(root().join(format!("fuzz/corpus/layer-{protocol}")))
            .map_or(0, Iterator::count);
        let failed = if output.status.success() { "-" } else { "yes" };
        println!("{protocol:<16} {executions:>12} {corpus:>8} {failed:>8}");
        if !output.status.success() {
            let last: Vec<&str> = said.lines().rev().take(30).collect();
            last.iter().rev().for_each(|line| eprintln!("  {line}"));
            all_well = false;
        }
    }
    all_well
}

/// Makes corpora of the captures and rules in a folder.
pub(super) fn corpus(root: &str) -> bool {
    let Ok(root) = Path::new(root).canonicalize() else {
        eprintln!("{root}: there is no such folder");
        return false;
    };
    cargo(&format!(
        "run --release --manifest-path fuzz/Cargo.toml --example corpus -- {} fuzz/corpus",
        root.display()
    ))
}

/// What cargo is to be told, and which protocol is meant.
fn arguments<'a>(name: &'a str, seconds: &str) -> (String, Option<&'a str>) {
    let (target, protocol) =
        name.split_once(':').map_or((name, None), |(target, protocol)| (target, Some(protocol)));
    let corpus = protocol.map_or(String::new(), |protocol| format!(" fuzz/corpus/layer-{protocol}"));
    let bytes = if target == "layer" { LAYER_BYTES_MAX } else { INPUT_BYTES_MAX };
    let arguments = format!(
        "fuzz run --sanitizer none {target}{corpus} -- -max_total_time={seconds} -max_len={bytes} \
         -rss_limit_mb={MEMORY_MB_MAX} -timeout={INPUT_SECONDS_MAX} -print_pcs=0 -verbosity=0 -print_final_stats=1"
    );
    (arguments, protocol)
}

fn command(arguments: &str, protocol: Option<&str>) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments.split_whitespace()).current_dir(root());
    if let Some(protocol) = protocol {
        // libFuzzer wants the folder to be there.
        let _ = std::fs::create_dir_all(root().join(format!("fuzz/corpus/layer-{protocol}")));
        command.env("VARANGIAN_LAYER", protocol);
    }
    command
}
