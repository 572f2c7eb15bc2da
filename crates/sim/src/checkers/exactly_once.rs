//! Exactly once: along the history of a replica a request is applied at most once.
//!
//! A client has one request outstanding and counts them, so the timestamps that a replica applies for a client grow.
//! One that does not grow is a repetition, or a request that the client has long had answered.

use super::ledger::{Ledger, UNKNOWN};
use crate::crew::Crew;
use wire::{ClientId, Sequence, Timestamp};

/// The last timestamp that each replica applied for each client.
#[derive(Clone, Debug)]
pub struct ExactlyOnce {
    crew: Crew,
    newest: Vec<Vec<Timestamp>>,
}

impl ExactlyOnce {
    /// For so many nodes and clients.
    #[must_use]
    pub fn new(nodes: usize, crew: Crew) -> Self {
        ExactlyOnce { crew, newest: vec![vec![Timestamp(0); crew.clients]; nodes] }
    }

    /// `node` applied these requests.
    #[inline]
    pub fn applied(&mut self, node: usize, applied: &[(ClientId, Timestamp)]) -> Result<(), String> {
        for (client, timestamp) in applied {
            // Clients that there are not are the business of `authentic`.
            let index = self.crew.index(*client);
            let Some(newest) = index.and_then(|index| self.newest[node].get_mut(index)) else {
                continue;
            };
            if *timestamp <= *newest {
                return Err(format!(
                    "p{node} applied {client}{timestamp} when it had applied {client}{newest}"
                ));
            }
            *newest = *timestamp;
        }
        Ok(())
    }

    /// `node` took something back, or took over another's state: what it applied follows from its log.
    pub fn rebuild(&mut self, node: usize, ledger: &Ledger) {
        self.newest[node].fill(Timestamp(0));
        for place in 1..=ledger.executed(node).0 {
            let sequence = Sequence(place);
            let variant = ledger.variant_of(node, sequence).unwrap_or(UNKNOWN);
            let Some(entry) = ledger.entry(sequence, variant) else { continue };
            for (client, timestamp) in ledger.applied(entry) {
                let index = self.crew.index(*client);
                if let Some(newest) = index.and_then(|index| self.newest[node].get_mut(index)) {
                    *newest = (*newest).max(*timestamp);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Entry;
    use super::*;

    #[test]
    fn a_request_applied_twice_is_found() {
        let mut checker = ExactlyOnce::new(2, Crew::together(2));
        let request = [(ClientId(2), Timestamp(5))];
        assert!(checker.applied(0, &request).is_ok());
        assert!(checker.applied(1, &request).is_ok(), "another replica");
        assert!(checker.applied(0, &request).is_err());
        assert!(checker.applied(0, &[(ClientId(2), Timestamp(4))]).is_err(), "long answered");
        assert!(checker.applied(0, &[(ClientId(1), Timestamp(5))]).is_ok(), "another client");
    }

    #[test]
    fn what_was_taken_back_may_be_applied_again() {
        let mut checker = ExactlyOnce::new(1, Crew::together(1));
        let mut ledger = Ledger::new(1);
        let request = [(ClientId(1), Timestamp(1))];
        ledger.enter(Sequence(1), Entry::default(), &request);
        ledger.advance(0, 0);
        assert!(checker.applied(0, &request).is_ok());
        ledger.cut(0, Sequence(0));
        checker.rebuild(0, &ledger);
        assert!(checker.applied(0, &request).is_ok());
        ledger.jump(0, Sequence(1), Entry::default().state);
        checker.rebuild(0, &ledger);
        assert!(checker.applied(0, &request).is_err(), "it came with the state");
    }
}
