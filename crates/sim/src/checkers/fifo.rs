//! Fairness: in ByzID requests are ordered as they came to the primary, and its monitor sees to it.
//!
//! Upon a request at the guard of a node: it gets the next ticket of that node. A request that comes again (the first
//!   may have been refused as BUSY, or belong to an earlier view) gets another ticket and keeps those before.
//! Upon EXECUTED(v, N, requests): with the tickets of the primary of `v`, there is a ticket for each request, each later
//!   than the one taken for the request before it in the order of `v`.
//!
//! Taking the smallest ticket that fits never condemns an order that can be explained.

use std::collections::BTreeMap;
use wire::{ClientId, Sequence, Timestamp, View};

/// Tickets kept for one request at one node at most; a request that comes more often is not judged.
const TICKETS_MAX: usize = 64;

/// The order in which requests came.
#[derive(Clone, Debug)]
pub struct Fifo {
    tickets: Vec<BTreeMap<(ClientId, Timestamp), Vec<u64>>>,
    given: Vec<u64>,
    primaries: BTreeMap<View, usize>,
    /// The last ticket taken in a view, and the place it was taken for.
    taken: BTreeMap<View, (u64, Sequence)>,
}

impl Fifo {
    /// For so many nodes.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Fifo {
            tickets: vec![BTreeMap::new(); nodes],
            given: vec![0; nodes],
            // Nobody enters the first configuration: all start in it.
            primaries: BTreeMap::from([(View(0), 0)]),
            taken: BTreeMap::new(),
        }
    }

    /// `primary` leads `view`.
    pub fn entered(&mut self, view: View, primary: usize) {
        self.primaries.insert(view, primary);
    }

    /// A request came to the guard of `node`.
    pub fn received(&mut self, node: usize, client: ClientId, timestamp: Timestamp) {
        self.given[node] += 1;
        let tickets = self.tickets[node].entry((client, timestamp)).or_default();
        if tickets.len() < TICKETS_MAX {
            tickets.push(self.given[node]);
        }
    }

    /// These requests were executed, for the first time, at `sequence` of `view`.
    pub fn executed(
        &mut self,
        view: View,
        sequence: Sequence,
        requests: &[(ClientId, Timestamp)],
    ) -> Result<(), String> {
        let Some(primary) = self.primaries.get(&view) else { return Ok(()) };
        let (mut last, place) = self.taken.get(&view).copied().unwrap_or((0, Sequence::ZERO));
        if sequence <= place {
            return Ok(());
        }
        for request in requests {
            // A request that never came to this primary was carried over from an earlier view.
            let Some(tickets) = self.tickets[*primary].get(request) else { continue };
            match tickets.iter().find(|ticket| **ticket > last) {
                Some(ticket) => last = *ticket,
                None if tickets.len() == TICKETS_MAX => {}
                None => {
                    let (client, timestamp) = request;
                    return Err(format!(
                        "p{primary} ordered {client}{timestamp} at {sequence} of {view} after requests that came later"
                    ));
                }
            }
        }
        self.taken.insert(view, (last, sequence));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: (ClientId, Timestamp) = (ClientId(1), Timestamp(1));
    const B: (ClientId, Timestamp) = (ClientId(2), Timestamp(1));

    fn fifo() -> Fifo {
        let mut fifo = Fifo::new(2);
        fifo.received(0, A.0, A.1);
        fifo.received(0, B.0, B.1);
        fifo
    }

    #[test]
    fn an_order_against_that_of_arrival_is_found() {
        assert!(fifo().executed(View(0), Sequence(1), &[A, B]).is_ok());
        assert!(fifo().executed(View(0), Sequence(1), &[B, A]).is_err());
        let mut across = fifo();
        assert!(across.executed(View(0), Sequence(1), &[B]).is_ok());
        assert!(across.executed(View(0), Sequence(2), &[A]).is_err());
    }

    #[test]
    fn a_request_that_came_again_may_stand_at_its_second_place() {
        let mut fifo = fifo();
        fifo.received(0, A.0, A.1);
        assert!(fifo.executed(View(0), Sequence(1), &[B, A]).is_ok());
    }
}
