//! Which change of the roster put each node into its seat.
//!
//! A node that is replaced by another machine has forgotten what it promised and voted for. So the order of requests falls into
//! **eras**: one ends with the change that replaces a node, at the place where that is executed, and the next one begins right
//! after it. Whatever was proposed, promised or voted for in an era about a place after its end counts for nothing: nobody
//! executes it. Whoever takes part in an era has executed the change with which it began, and the machine that was replaced
//! is none of them; so in the new era nobody has anything to forget, and the newcomer is like everybody else.
//!
//! A **seat** is the edition that put a node where it is, 0 for one of the first roster. A replica is told its own seat by its
//! files. If the agreed state says a later one, somebody else sits there; if an earlier one, the state is not there yet.

use super::change::Edition;
use std::collections::BTreeMap;
use wire::{NodeId, Sequence, View, codec_struct};

/// Views of one era. A view says by its upper half which era it belongs to.
const VIEWS_OF_AN_ERA_BITS: u32 = 32;

/// Who sits where, and since when.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Seats {
    /// The edition with which the present era began.
    pub era: Edition,
    /// The place of that change: the era begins after it.
    pub since: Sequence,
    /// The seats of those that are not of the first roster.
    taken: Vec<(NodeId, Edition)>,
}
codec_struct!(Seats |from| { era, since, taken = from.list("seats", wire::auth::NODES_MAX) });

static FIRST: Seats = Seats { era: Edition(0), since: Sequence(0), taken: Vec::new() };

impl Seats {
    /// Those of the first roster.
    #[must_use]
    pub fn first() -> &'static Seats {
        &FIRST
    }

    /// The seat of `node`.
    #[must_use]
    pub fn of(&self, node: NodeId) -> Edition {
        self.taken.iter().find(|(taken, _)| *taken == node).map_or(Edition(0), |(_, edition)| *edition)
    }

    /// At `place`, the change that makes `edition` puts another machine into the seat of `node`.
    pub fn take(&mut self, node: NodeId, edition: Edition, place: Sequence) {
        self.taken.retain(|(taken, _)| *taken != node);
        self.taken.push((node, edition));
        let taken: BTreeMap<NodeId, Edition> = self.taken.drain(..).collect();
        self.taken.extend(taken);
        (self.era, self.since) = (edition, place);
    }

    /// The first view of the present era.
    #[must_use]
    pub fn first_view(&self) -> View {
        first_view_of(self.era)
    }
}

/// How many views of its era come before `view`.
#[must_use]
pub fn within_era(view: View) -> u64 {
    view.0 & ((1 << VIEWS_OF_AN_ERA_BITS) - 1)
}

/// The first view of `era`.
#[must_use]
pub fn first_view_of(era: Edition) -> View {
    View(era.0 << VIEWS_OF_AN_ERA_BITS)
}

/// The era that `view` belongs to.
#[must_use]
pub fn era_of(view: View) -> Edition {
    Edition(view.0 >> VIEWS_OF_AN_ERA_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{Decode, Encode};

    #[test]
    fn an_era_has_views_of_its_own_and_they_come_after_those_before() {
        let mut seats = Seats::default();
        assert_eq!(seats, *Seats::first());
        assert_eq!(seats.first_view(), View(0));
        seats.take(NodeId(2), Edition(3), Sequence(70));
        assert_eq!(era_of(seats.first_view()), Edition(3));
        assert_eq!(era_of(View(seats.first_view().0 - 1)), Edition(2));
        assert_eq!((seats.of(NodeId(2)), seats.of(NodeId(1))), (Edition(3), Edition(0)));
        seats.take(NodeId(1), Edition(5), Sequence(80));
        seats.take(NodeId(2), Edition(6), Sequence(90));
        assert_eq!((seats.of(NodeId(2)), seats.of(NodeId(1))), (Edition(6), Edition(5)));
        assert_eq!((seats.era, seats.since), (Edition(6), Sequence(90)));
        assert_eq!(Seats::from_bytes(seats.to_bytes()), Ok(seats));
    }
}
