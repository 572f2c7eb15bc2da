//! From a run that fails to the smallest one that fails the same way.
//!
//! Delta debugging over the plan's faults and lies: first halves are left out, then quarters, down to single ones, as long
//! as the same checker still objects. Then clients, then requests, then faults and lies once more. Streams of randomness
//! that do not depend on each other keep the rest of the run as it was, as far as that is possible.

use crate::checkers::{Checker, Violation};
use crate::only::Only;
use crate::run::{Outcome, RunSettings, run};
use core::fmt;

/// Runs that shrinking makes at most.
pub const RUNS_MAX: usize = 400;

/// The smallest run found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shrunk {
    /// Settings that make it, for [`run`](crate::run()) and [`explain`](crate::explain()).
    pub settings: RunSettings,
    /// The seed.
    pub seed: u64,
    /// How it fails.
    pub violation: Violation,
    /// What is left of the plan, in words.
    pub plan: String,
    /// The command that replays it.
    pub command: String,
    /// How many runs it took to find it.
    pub runs: usize,
}

impl fmt::Display for Shrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.violation)?;
        writeln!(f, "{}", self.plan)?;
        write!(f, "replay: {}", self.command)
    }
}

struct Shrinking {
    settings: RunSettings,
    seed: u64,
    checker: Checker,
    violation: Violation,
    runs: usize,
}

/// A fault or a lie, by its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Item {
    Fault(usize),
    Lie(usize),
}

impl Shrinking {
    /// Runs what `only` leaves; takes it over if it still fails the same way.
    fn try_with(&mut self, only: Only) -> bool {
        if self.runs >= RUNS_MAX || only == self.settings.only {
            return false;
        }
        self.runs += 1;
        let settings = RunSettings { only: only.clone(), ..self.settings.clone() };
        let found = run(&settings, self.seed).violations.into_iter().find(|v| v.checker == self.checker);
        match found {
            Some(violation) => {
                self.settings.only = only;
                self.violation = violation;
                true
            }
            None => false,
        }
    }

    fn items(&self) -> Vec<Item> {
        let faults = self.settings.only.faults.iter().flatten().map(|number| Item::Fault(*number));
        let lies = self.settings.only.lies.iter().flatten().map(|number| Item::Lie(*number));
        faults.chain(lies).collect()
    }

    fn try_items(&mut self, items: &[Item]) -> bool {
        let faults =
            items.iter().filter_map(|item| if let Item::Fault(number) = item { Some(*number) } else { None });
        let lies =
            items.iter().filter_map(|item| if let Item::Lie(number) = item { Some(*number) } else { None });
        let only =
            Only { faults: Some(faults.collect()), lies: Some(lies.collect()), ..self.settings.only.clone() };
        self.try_with(only)
    }

    fn fewer_items(&mut self) {
        let mut size = self.items().len();
        while size > 0 {
            let mut start = 0;
            while start < self.items().len() {
                let items = self.items();
                let end = items.len().min(start + size);
                let rest = [&items[..start], &items[end..]].concat();
                if !self.try_items(&rest) {
                    start = end;
                }
            }
            size /= 2;
        }
    }

    fn fewer_clients(&mut self, clients: usize) {
        for fewer in 1..clients {
            if self.try_with(Only { clients: Some(fewer), ..self.settings.only.clone() }) {
                return;
            }
        }
    }

    /// The fewest requests: doubled until it fails, then halved down to it.
    fn fewer_operations(&mut self) {
        let mut enough = 1;
        while !self.try_with(Only { operations: Some(enough), ..self.settings.only.clone() }) {
            enough *= 2;
            if enough > 1 << 16 || self.runs >= RUNS_MAX {
                return;
            }
        }
        let mut too_few = enough / 2;
        while enough - too_few > 1 && self.runs < RUNS_MAX {
            let middle = too_few + (enough - too_few) / 2;
            if self.try_with(Only { operations: Some(middle), ..self.settings.only.clone() }) {
                enough = middle;
            } else {
                too_few = middle;
            }
        }
    }
}

/// The smallest run found that fails as `seed` does; nothing if it does not fail.
#[must_use]
pub fn shrink(settings: &RunSettings, seed: u64) -> Option<Shrunk> {
    let outcome: Outcome = run(settings, seed);
    let violation = outcome.violations.first()?.clone();
    let plan = RunSettings { only: Only::default(), ..settings.clone() }.plan(seed);
    let mut settings = settings.clone();
    settings.only.faults.get_or_insert_with(|| (0..plan.faults.len()).collect());
    settings.only.lies.get_or_insert_with(|| (0..plan.lies.len()).collect());
    let clients = settings.only.clients.unwrap_or(plan.tuning.clients);
    let mut shrinking = Shrinking { settings, seed, checker: violation.checker, violation, runs: 1 };
    shrinking.fewer_items();
    shrinking.fewer_clients(clients);
    shrinking.fewer_operations();
    shrinking.fewer_items();
    Some(Shrunk {
        seed,
        plan: shrinking.settings.plan(seed).to_string(),
        command: shrinking.settings.replay_command(seed),
        violation: shrinking.violation,
        settings: shrinking.settings,
        runs: shrinking.runs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{self, Defect};
    use crate::fault::FaultKind;

    /// Shrinking finds a plan from which nothing can be left out, which need not be the smallest there is: of a few
    /// failing seeds, some must come down to the one fault that the bug needs.
    #[test]
    fn a_planted_bug_shrinks_to_the_one_fault_that_it_needs() {
        let settings = fake::settings(Defect::NoSync);
        let failing = (0..200).filter(|seed| !run(&settings, *seed).violations.is_empty()).take(5);
        let shrunk = failing.map(|seed| shrink(&settings, seed).expect("it fails"));
        let shrunk = shrunk.min_by_key(|shrunk| shrunk.settings.plan(shrunk.seed).faults.len());
        let shrunk = shrunk.expect("some of two hundred plans find the defect");
        let plan = shrunk.settings.plan(shrunk.seed);
        let crashes = |fault: &crate::fault::Fault| {
            matches!(
                fault.kind,
                FaultKind::Crash { node: 0 }
                    | FaultKind::CrashPrimary { .. }
                    | FaultKind::CrashMidWrite { node: 0 }
                    | FaultKind::Blackout { node: 0 }
                    | FaultKind::PowerLoss
            )
        };
        assert!(plan.faults.len() == 1 && plan.faults.iter().all(crashes), "{}", shrunk.plan);
        assert!(plan.tuning.operations <= 30, "{}", shrunk.command);
        assert!(shrunk.command.contains("--only faults="), "{}", shrunk.command);
        let again = run(&shrunk.settings, shrunk.seed);
        assert_eq!(again.violations.first(), Some(&shrunk.violation));
    }

    #[test]
    fn what_does_not_fail_is_not_shrunk() {
        assert_eq!(shrink(&fake::settings(Defect::None), 1), None);
    }
}
