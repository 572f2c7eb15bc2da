//! The order that the answers give, and whether it goes with time.

use super::{Operation, Violation};
use crate::answer::{Answer, Outcome};
use crate::command::Revision;
use wire::Time;

/// An answered operation in its place.
pub(super) struct Place<'a> {
    /// Where it stands in the history.
    pub(super) index: usize,
    pub(super) operation: &'a Operation,
    pub(super) answer: &'a Answer,
    pub(super) returned: Time,
}

impl Place<'_> {
    /// Whether the answer is that of an operation that changed something.
    pub(super) fn is_mutation(&self) -> bool {
        match self.answer.outcome {
            Outcome::Written(_) | Outcome::Deleted(Some(_)) => true,
            Outcome::Deleted(None)
            | Outcome::Found(_)
            | Outcome::Listing(_)
            | Outcome::Changes(_)
            | Outcome::Refused(_) => false,
        }
    }

    /// The revision of the store before the operation.
    pub(super) fn after(&self) -> Revision {
        Revision(self.answer.revision.0.saturating_sub(u64::from(self.is_mutation())))
    }
}

/// The answered operations by revision, each mutation before what was read at its revision. What was read at one revision
/// stands in the order of invocation: it changed nothing, so any order is right that goes with time.
pub(super) fn by_revision(history: &[Operation]) -> Vec<Place<'_>> {
    let mut order: Vec<Place<'_>> = history
        .iter()
        .enumerate()
        .filter_map(|(index, operation)| {
            let (returned, answer) = operation.told.as_ref()?;
            Some(Place { index, operation, answer, returned: *returned })
        })
        .collect();
    order.sort_by_key(|place| (place.answer.revision, !place.is_mutation(), place.operation.invoked));
    order
}

/// No revision is that of two mutations.
pub(super) fn each_revision_once(order: &[Place<'_>]) -> Result<(), Violation> {
    let twice = order.windows(2).find(|pair| {
        pair.iter().all(Place::is_mutation) && pair[0].answer.revision == pair[1].answer.revision
    });
    match twice {
        Some([one, other]) => Err(Violation::RevisionTwice {
            revision: one.answer.revision,
            operations: [one.index, other.index],
        }),
        Some(_) | None => Ok(()),
    }
}

/// No operation stands after one that was invoked only when it had returned, nor returned before it was invoked itself.
pub(super) fn in_time(order: &[Place<'_>]) -> Result<(), Violation> {
    let Some(mut latest) = order.first() else { return Ok(()) };
    for place in order {
        if place.operation.invoked > latest.operation.invoked {
            latest = place;
        }
        if place.returned < latest.operation.invoked {
            return Err(Violation::AgainstTime { first: latest.index, then: place.index });
        }
    }
    Ok(())
}
