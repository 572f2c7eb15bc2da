//! Where a soak happens: on ground of its own, with networks and mounts that nobody else sees, or on this machine's loopback.
//!
//! Upon root and `unshare`: the process begins once more in a network and a mount namespace of its own. Everything that it makes
//!   there is gone with its last process, however that ends: an error, a panic, Ctrl-C or `kill -9`.
//! Upon anything else: it stays on loopback, and what needs a network or a disk of its own is left out, which is said.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Tells the process that it began once more.
pub(crate) const INSIDE: &str = "--inside";

/// Where a soak happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Ground {
    /// In namespaces of its own.
    Own,
    /// On loopback, for this reason.
    Loopback(&'static str),
}

/// Finds the ground; begins the process once more if that takes it there.
pub(crate) fn find(inside: bool) -> Ground {
    if inside {
        return Ground::Own;
    }
    if !rustix::process::geteuid().is_root() {
        return Ground::Loopback("only root makes networks and mounts");
    }
    if !quietly(unshare().arg("true")) {
        return Ground::Loopback("`unshare` is missing, or may not make namespaces here");
    }
    if !quietly(Command::new("ip").arg("-V")) {
        return Ground::Loopback("`ip` is missing");
    }
    let Ok(program) = std::env::current_exe() else {
        return Ground::Loopback("the program does not find itself");
    };
    // Returns only if it fails.
    let _ = unshare().arg(program).arg(INSIDE).args(std::env::args_os().skip(1)).exec();
    Ground::Loopback("`unshare` cannot be run")
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--propagation", "private", "--"]);
    command
}

/// Runs a command that says nothing; whether it went well.
pub(crate) fn quietly(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a command line, word by word; what it said if it failed.
pub(crate) fn run(line: &str) -> Result<(), String> {
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or_default();
    let output = Command::new(program).args(words).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("`{line}`: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("`{line}`: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}
