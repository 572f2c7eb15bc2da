//! Whether a request that waits is only waiting for its turn, or is passed over.
//!
//! A queue that is long takes a while: under load alone a request may wait longer than the view timeout, and a new primary would
//! not serve it any sooner. So when the timer for the request watched longest runs out, the replica looks at what happened since:
//!   - nothing was executed, and no `f+1` others voted: the primary does not bring things forward. (Votes of `f+1` are one of a
//!     correct replica, which votes once for each thing: the batch is on its way, through replicas that are slow.)
//!   - somebody was served more than τ + 2 times while this one waited: it is **passed over**. A primary that serves first come,
//!     first served, has at most τ requests of one client in places and one in its queue when it is shown this one (`relay`
//!     sees to that, within a tick), and whatever a client asks for after that comes later;
//!   - it has waited `view_timeout_max`, or [`CLIENTS_MAX`] others were served: too long, whatever the reason;
//!   - else it waits for its turn, and the timer runs again.
//!
//! The same goes for a batch that has a place; there is nobody whom that could be passed over for.
//!
//! So a primary that starves a client while it serves others in earnest loses its view after one view timeout, as if it served
//! nobody; one that serves hardly anyone, so that its victim is not passed over often, after `view_timeout_max`.
//!
//! A client cannot make an honest primary look unfair, since that one takes its requests one at a time.

use crate::request::Batch;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use wire::{ClientId, NodeId};

/// Clients whose turns are counted at most. More than that do not wait in any queue.
const CLIENTS_MAX: usize = 1 << 16;

/// What happened while one thing is waited for.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct InTurn {
    turns: BTreeMap<ClientId, u64>,
    most: u64,
    /// Whether anything was executed since the timer was set.
    moved: bool,
    /// Who voted since then.
    voters: BTreeSet<NodeId>,
    waited: Duration,
}

impl InTurn {
    /// A batch was executed.
    pub(super) fn executed(&mut self, batch: &Batch) {
        self.moved |= !batch.requests().is_empty();
        for request in batch.requests() {
            if self.turns.len() < CLIENTS_MAX || self.turns.contains_key(&request.client) {
                let turns = self.turns.entry(request.client).or_default();
                *turns += 1;
                self.most = self.most.max(*turns);
            }
        }
    }

    /// A replica voted for the first time for something.
    pub(super) fn voted(&mut self, node: NodeId) {
        self.voters.insert(node);
    }

    /// The timer ran out after `waited`: whether there is reason to wait as long again. Of so many as `one_correct`, one is.
    pub(super) fn is_worth_waiting(
        &mut self,
        waited: Duration,
        longest: Duration,
        window: u64,
        one_correct: usize,
    ) -> bool {
        self.waited = self.waited.saturating_add(waited);
        let voted = core::mem::take(&mut self.voters).len() >= one_correct;
        let moved = core::mem::take(&mut self.moved) || voted;
        moved
            && self.waited < longest
            && self.most <= window.saturating_add(2)
            && self.turns.len() < CLIENTS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;
    use bytes::Bytes;
    use wire::Timestamp;

    const TIMEOUT: Duration = Duration::from_millis(500);
    const LONGEST: Duration = Duration::from_secs(10);

    fn batch(clients: core::ops::Range<u64>) -> Batch {
        let request = |client| Request {
            client: ClientId(client),
            timestamp: Timestamp(1),
            operation: Bytes::new(),
            speaker: None,
            signature: None,
        };
        Batch::new(clients.map(request).collect())
    }

    #[test]
    fn who_waits_behind_many_others_waits_for_its_turn() {
        let mut turn = InTurn::default();
        for round in 0..10 {
            turn.executed(&batch(100 * round..100 * (round + 1)));
            assert!(turn.is_worth_waiting(TIMEOUT, LONGEST, 8, 2));
        }
    }

    #[test]
    fn where_nothing_moves_nobody_waits() {
        let mut turn = InTurn::default();
        turn.executed(&batch(1..2));
        assert!(turn.is_worth_waiting(TIMEOUT, LONGEST, 8, 2));
        turn.executed(&Batch::null());
        assert!(!turn.is_worth_waiting(TIMEOUT, LONGEST, 8, 2), "a batch of nothing serves nobody");
    }

    #[test]
    fn who_sees_another_served_again_and_again_is_passed_over() {
        let mut turn = InTurn::default();
        (0..10).for_each(|_| turn.executed(&batch(1..2)));
        assert!(turn.is_worth_waiting(TIMEOUT, LONGEST, 8, 2), "they may have been before it");
        turn.executed(&batch(1..2));
        assert!(!turn.is_worth_waiting(TIMEOUT, LONGEST, 8, 2));
    }

    #[test]
    fn a_batch_for_which_others_vote_is_on_its_way_and_a_liar_alone_keeps_nobody_waiting() {
        let mut turn = InTurn::default();
        turn.voted(NodeId(1));
        turn.voted(NodeId(2));
        assert!(turn.is_worth_waiting(TIMEOUT, LONGEST, 8, 2));
        turn.voted(NodeId(1));
        turn.voted(NodeId(1));
        assert!(!turn.is_worth_waiting(TIMEOUT, LONGEST, 8, 2));
    }

    #[test]
    fn nobody_waits_longer_than_the_longest_timeout() {
        let mut turn = InTurn::default();
        let rounds = (0..100).take_while(|round| {
            turn.executed(&batch(*round..*round + 1));
            turn.is_worth_waiting(TIMEOUT, LONGEST, 8, 2)
        });
        assert_eq!(rounds.count(), 19);
    }
}
