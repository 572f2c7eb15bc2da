//! The processes of a node: who they are, and how much memory they hold.
//!
//! The supervisor's children are found in `/proc`, by what they were told to be; nobody has to be asked.

use rustix::process::Pid;
use std::fs;

/// A part of a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Part {
    /// The parent of both.
    Supervisor,
    /// The links and the guard.
    Monitor,
    /// The replica and the log.
    Replica,
}

impl Part {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Part::Supervisor => "supervisor",
            Part::Monitor => "monitor",
            Part::Replica => "replica",
        }
    }
}

/// The process of a part; nothing while it does not run.
pub(crate) fn part_of(supervisor: Pid, part: Part) -> Option<Pid> {
    if part == Part::Supervisor {
        return Some(supervisor);
    }
    let pid = supervisor.as_raw_nonzero();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    let is_part = |child: &&str| {
        let line = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0);
        words.any(|word| word == b"--part") && words.next() == Some(part.name().as_bytes())
    };
    let child = children.split_whitespace().find(is_part)?;
    Pid::from_raw(child.parse().ok()?)
}

/// Bytes of memory that a process holds.
pub(crate) fn memory_of(pid: Pid) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
