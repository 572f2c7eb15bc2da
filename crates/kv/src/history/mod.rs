//! Decides whether a history is linearizable: whether one store that executes one operation at a time could have told the
//! clients what they were told.
//!
//! Every answer carries the store's revision, so the order is given and need not be searched for:
//!   - the answered operations stand in the order of their revisions, a mutation before what was read at its revision
//!     (`order`); no two mutations have the same revision;
//!   - nothing stands before what had returned when it was invoked (real time);
//!   - one store executes them in this order, and gives the same answers.
//!
//! An operation whose outcome is unknown may have happened once, at any time after it was invoked, or not at all. If it did
//! and changed something, its revision is a **hole**: one that nobody was told to be his. `holes` finds out which of them may
//! stand there. Where that cannot be told without a search, the verdict may be [`Verdict::Undecided`], never a wrong one.
//!
//! Not here: operations that were refused before they were ordered. They did not happen; leave them out.

mod holes;
mod order;
#[cfg(test)]
mod tests;

use crate::answer::{Answer, Outcome, Refusal};
use crate::command::{Command, Revision};
use crate::store::Store;
use core::fmt;
use holes::Holes;
use wire::{ClientId, Time};

/// What a client did and was told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// Who.
    pub client: ClientId,
    /// What it asked for.
    pub command: Command,
    /// When it asked, by the clock that all times of the history are from.
    pub invoked: Time,
    /// When it was told what; nothing if it never was.
    pub told: Option<(Time, Answer)>,
}

/// What came of a check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// One store could have said all this.
    Linearizable,
    /// No store could.
    Violated(Violation),
    /// Operations of unknown outcome can be placed in so many ways that the one tried, which fails like this, proves
    /// nothing.
    Undecided(Violation),
}

/// Why no single store can have told a history. Operations are named by their place in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Violation {
    /// Two mutations were told the same revision.
    RevisionTwice {
        /// Which revision.
        revision: Revision,
        /// The two.
        operations: [usize; 2],
    },
    /// The answers put one operation before another that had returned when it was invoked.
    AgainstTime {
        /// Which stands first, though it was invoked only later.
        first: usize,
        /// Which stands after it, though it had returned.
        then: usize,
    },
    /// Something changed at this revision, and no operation can have done it: one was executed twice, or changed what
    /// it had no business with.
    NobodyDidIt {
        /// Which revision.
        revision: Revision,
    },
    /// One store would have said something else.
    WrongAnswer {
        /// To which operation.
        operation: usize,
        /// What it would have said.
        right: Box<Answer>,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::RevisionTwice { revision, operations: [one, other] } => {
                write!(f, "operations {one} and {other} were both told to be {revision}")
            }
            Violation::AgainstTime { first, then } => {
                write!(f, "operation {first} was invoked when {then} had returned, yet stands before it")
            }
            Violation::NobodyDidIt { revision } => {
                write!(f, "no operation can have made the change of {revision}")
            }
            Violation::WrongAnswer { operation, right } => {
                write!(f, "operation {operation} was told something else than {right:?}")
            }
        }
    }
}

/// Whether `history` is linearizable for clients of a store that was `start` before it. Takes `n log n` steps for `n`
/// operations, and for those of unknown outcome the product of their number and that of the holes.
#[must_use]
pub fn check(start: Store, history: &[Operation]) -> Verdict {
    match decide(start, history) {
        Ok(()) => Verdict::Linearizable,
        Err(verdict) => verdict,
    }
}

fn decide(mut store: Store, history: &[Operation]) -> Result<(), Verdict> {
    let order = order::by_revision(history);
    order::each_revision_once(&order).map_err(Verdict::Violated)?;
    order::in_time(&order).map_err(Verdict::Violated)?;
    let mut holes = Holes::find(store.revision(), history, &order).map_err(Verdict::Violated)?;
    for place in &order {
        while store.revision() < place.after() {
            let hole = store.revision().next();
            let filler = holes.fill(&store)?;
            store.execute(&history[filler].command);
            if store.revision() != hole {
                return Err(holes.doubt(Violation::NobodyDidIt { revision: hole }));
            }
        }
        let right = store.execute(&place.operation.command);
        if right != *place.answer {
            // How full the store is depends on every hole; a list and a watch, on many keys.
            let is_full = is_full(&right) || is_full(place.answer);
            let violation = Violation::WrongAnswer { operation: place.index, right: Box::new(right) };
            return Err(match place.operation.command.one_key() {
                Some(key) if !is_full && !holes.is_doubtful(key) => Verdict::Violated(violation),
                Some(_) if !is_full => holes.verdict(violation),
                Some(_) | None => holes.doubt(violation),
            });
        }
    }
    Ok(())
}

fn is_full(answer: &Answer) -> bool {
    matches!(answer.outcome, Outcome::Refused(Refusal::TooManyKeys { .. } | Refusal::StoreFull { .. }))
}
