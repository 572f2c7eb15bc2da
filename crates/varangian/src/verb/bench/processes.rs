//! Processes of this machine: whose children they are, and how much of a processor they have used.

use nix::sys::signal::{Signal, kill};
use nix::time::ClockId;
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::fs;

/// The processes `roots` and all that descend from them, as far as they still run.
pub(super) fn with_descendants(roots: &[u32]) -> BTreeSet<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|id| Some((id, parent_of(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)?)))
        .collect();
    let mut family: BTreeSet<u32> =
        parents.iter().map(|(id, _)| *id).filter(|id| roots.contains(id)).collect();
    loop {
        let is_new = |(id, parent): &&(u32, u32)| family.contains(parent) && !family.contains(id);
        let children: Vec<u32> = parents.iter().filter(is_new).map(|(id, _)| *id).collect();
        if children.is_empty() {
            return family;
        }
        family.extend(children);
    }
}

/// The fourth field of proc(5)'s stat; the name in the second may contain anything.
fn parent_of(stat: &str) -> Option<u32> {
    stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Processor time that a process has used so far, all of its threads, in microseconds; nothing if it is gone.
pub(super) fn spent_us(id: u32) -> Option<f64> {
    us_of(ClockId::pid_cpu_clock_id(pid(id)?).ok()?)
}

/// Processor time that this process has used so far, in microseconds.
pub(super) fn own_us() -> f64 {
    us_of(ClockId::CLOCK_PROCESS_CPUTIME_ID).unwrap_or_default()
}

fn us_of(clock: ClockId) -> Option<f64> {
    let now = clock.now().ok()?;
    Some(now.tv_sec() as f64 * 1e6 + now.tv_nsec() as f64 / 1e3)
}

/// Asks a process to end.
pub(super) fn ask_to_end(id: u32) {
    send(id, Signal::SIGTERM);
}

/// Ends a process, whatever it does.
pub(super) fn end(id: u32) {
    send(id, Signal::SIGKILL);
}

/// One that is gone already needs no signal.
fn send(id: u32, signal: Signal) {
    if let Some(pid) = pid(id) {
        let _ = kill(pid, signal);
    }
}

fn pid(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().filter(|id| *id > 1).map(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_name_with_brackets_and_blanks_does_not_shift_the_fields() {
        assert_eq!(parent_of("7 (a) b (c) S 42 7 7 0 -1"), Some(42));
        assert_eq!(parent_of("7 (a"), None);
    }

    #[test]
    fn children_are_found_with_what_they_have_used() {
        let mut child =
            Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().expect("there is a sleep");
        let family = with_descendants(&[std::process::id()]);
        assert!(family.contains(&child.id()) && family.contains(&std::process::id()), "{family:?}");
        assert!(spent_us(child.id()).is_some());
        assert!(own_us() > 0.0);
        end(child.id());
        child.wait().expect("it was killed");
        assert_eq!(spent_us(child.id()), None);
    }
}
