//! Durable: what a client was told stays.
//!
//! At the end, when all faults are over and all correct replicas stand at the same place in the same state, each result
//! that a client accepted is of a request that stands in their history, at the place that the client was told.
//! While they do not stand at the same place (a plan that exceeds what the protocol survives), what was accepted must at
//! least not contradict the history that there is.

use super::history::History;
use super::ledger::{Ledger, Variant};
use wire::Sequence;

/// Compares what clients were told with the final history `path`.
pub fn check(ledger: &Ledger, history: &History, path: &[Variant], converged: bool) -> Result<(), String> {
    for (client, timestamp, asked) in history.iter() {
        let Some(told) = asked.result() else { continue };
        let at = told.sequence;
        let name = format!("{client} was told the result of {timestamp} at {at} in {}", told.view);
        let place = usize::try_from(at.0).ok().and_then(|place| place.checked_sub(1));
        let Some(variant) = place.and_then(|place| path.get(place)) else {
            if converged {
                return Err(format!("{name}; the history ends at {}", Sequence(path.len() as u64)));
            }
            continue;
        };
        let stands = ledger
            .entry(at, *variant)
            .is_some_and(|entry| ledger.applied(entry).contains(&(client, timestamp)));
        if !stands {
            return Err(format!("{name}; in the history it is not there"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Entry;
    use super::*;
    use agree::client::Accepted;
    use bytes::Bytes;
    use wire::{ClientId, Digest, Time, Timestamp, View};

    fn world(place: u64) -> (Ledger, History) {
        let request = (ClientId(1), Timestamp(1));
        let mut ledger = Ledger::new(1);
        ledger.enter(Sequence(1), Entry::default(), &[request]);
        ledger.enter(Sequence(1), Entry { batch: Digest([9; 32]), ..Entry::default() }, &[]);
        let mut history = History::new(crate::crew::Crew::together(1));
        history.invoked(Time(0), request.0, request.1, Bytes::new());
        let accepted =
            Accepted { timestamp: request.1, view: View(0), sequence: Sequence(place), result: Bytes::new() };
        history.accepted(Time(1), request.0, &accepted);
        (ledger, history)
    }

    #[test]
    fn a_result_that_is_gone_is_found() {
        let (ledger, history) = world(1);
        assert!(check(&ledger, &history, &[0], true).is_ok());
        assert!(check(&ledger, &history, &[1], true).is_err(), "another batch took its place");
        assert!(check(&ledger, &history, &[1], false).is_err());
        assert!(check(&ledger, &history, &[], true).is_err(), "the history ends before it");
        assert!(check(&ledger, &history, &[], false).is_ok(), "they may not have got there yet");
    }

    #[test]
    fn a_wrong_place_is_found() {
        let (ledger, history) = world(2);
        assert!(check(&ledger, &history, &[0], true).is_err());
    }
}
