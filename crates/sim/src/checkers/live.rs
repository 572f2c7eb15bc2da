//! Live: once all faults are over, every client gets its results, and correct replicas converge.
//!
//! Only for plans that leave the protocol what it needs for that. A replica converges when it stands at the same place
//! and in the same state as all others that are correct; a configuration may have put some of them out (ByzID), so
//! `needed` of them are enough. Where nobody is ever put out (Paxos, PBFT), all of them take part in ordering again.

use super::history::History;
use agree::replica::Status;
use core::time::Duration;
use wire::Time;

/// After this long without faults everything must be in order: it covers the longest silence of a client
/// ([`agree::client::RETRY_AFTER_MAX`]) and a view for each traitor, with the longest timeouts that runs are set to.
pub const LIVE_WITHIN: Duration = Duration::from_secs(60);

/// Whether `needed` of the correct replicas that are up agree where they stand.
#[must_use]
pub fn converged(statuses: &[Option<Status>], needed: usize) -> bool {
    let Some(most) = statuses.iter().flatten().map(|status| status.executed).max() else { return false };
    let mut there = statuses.iter().flatten().filter(|status| status.executed == most);
    let Some(first) = there.next() else { return false };
    let mut count = 1;
    for status in there {
        if status.state != first.state {
            return false;
        }
        count += 1;
    }
    count >= needed
}

/// What is wrong, in words.
#[must_use]
pub fn explain(history: &History, statuses: &[Option<Status>], healed: Time) -> String {
    let mut text = format!("{} s after the last fault", LIVE_WITHIN.as_secs());
    for (client, timestamp, asked) in history.unanswered() {
        let waited = asked.invoked.max(healed);
        text.push_str(&format!(
            "; {client}{timestamp} waits for its result since {} ms",
            waited.0 / 1_000_000
        ));
    }
    for (node, status) in statuses.iter().enumerate() {
        match status {
            Some(status) => text.push_str(&format!(
                "; p{node} stands at {} in {} of {} ({}, stable {})",
                status.executed,
                status.view,
                status.primary,
                if status.normal { "normal" } else { "not normal" },
                status.stable,
            )),
            None => text.push_str(&format!("; p{node} is faulty or down")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{Digest, NodeId, Sequence, View};

    fn status(executed: u64, state: u8) -> Option<Status> {
        Some(Status {
            view: View(0),
            primary: NodeId(0),
            normal: true,
            executed: Sequence(executed),
            stable: Sequence(0),
            state: Digest([state; 32]),
            sessions: 0,
        })
    }

    #[test]
    fn who_stays_behind_has_not_converged() {
        let statuses = [status(5, 1), status(5, 1), status(4, 1), None];
        assert!(!converged(&statuses, 3));
        assert!(converged(&statuses, 2));
        assert!(!converged(&[status(5, 1), status(5, 2)], 1), "the same place, another state");
        assert!(!converged(&[None], 1));
    }

    #[test]
    fn the_explanation_names_who_waits() {
        let mut history = History::new(crate::crew::Crew::together(1));
        history.invoked(Time(0), wire::ClientId(1), wire::Timestamp(1), bytes::Bytes::new());
        let text = explain(&history, &[status(5, 1), None], Time(7_000_000));
        assert!(text.contains("c1T1 waits for its result since 7 ms"), "{text}");
        assert!(text.contains("p1 is faulty or down"), "{text}");
    }
}
