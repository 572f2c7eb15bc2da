//! Whether the checkers find a rule that was broken on purpose.
//!
//! Only in builds with the feature `mutations`. A defect is switched on for the whole process, so hunts are made one after
//! the other.

use crate::checkers::Violation;
use crate::run::{RunSettings, run};
use core::ops::Range;
use mutation::{Defect, activate};

/// What came of a hunt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hunt {
    /// For what.
    pub defect: Defect,
    /// How many seeds were run.
    pub seeds: u64,
    /// The first seed that found it, and how.
    pub found: Option<(u64, Violation)>,
}

/// Runs `seeds` with `defect` switched on, until one of them breaks a promise. `settings` are of the protocol that
/// [`Defect::protocol`] names.
#[must_use]
pub fn hunt(defect: Defect, settings: &RunSettings, seeds: Range<u64>) -> Hunt {
    activate(Some(defect));
    let mut hunt = Hunt { defect, seeds: 0, found: None };
    for seed in seeds {
        hunt.seeds += 1;
        if let Some(violation) = run(settings, seed).violations.into_iter().next() {
            hunt.found = Some((seed, violation));
            break;
        }
    }
    activate(None);
    hunt
}
