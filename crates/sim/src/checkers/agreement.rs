//! Agreement: correct replicas execute the same batch at the same place.
//!
//! Where execution is final ([`Finality::Executed`]): any second batch at a place is a violation.
//!
//! Where it is not ([`Finality::Accepted`]), a batch becomes *fixed* at its place
//!   - when a client accepts the result of a request in it, or
//!   - when a stable checkpoint covers it;
//!
//! and from then on a correct replica that executes another batch at that place, in the same view or a later one, is a
//! violation. One that is still in an older view may: it has not heard yet, and will take it back.

use super::Finality;
use super::ledger::{Ledger, Variant};
use agree::client::Accepted;
use wire::{ClientId, Sequence, View};

/// Whether `node` may execute this variant, just entered, at `sequence`.
#[inline]
pub fn executed(
    ledger: &Ledger,
    finality: Finality,
    node: usize,
    view: View,
    sequence: Sequence,
    variant: Variant,
) -> Result<(), String> {
    match finality {
        Finality::Executed if variant == 0 => Ok(()),
        Finality::Executed => Err(explain(ledger, node, view, sequence, variant, 0)),
        Finality::Accepted => match ledger.fixed(sequence) {
            Some((fixed, since)) if fixed != variant && view >= since => {
                Err(explain(ledger, node, view, sequence, variant, fixed))
            }
            Some(_) | None => Ok(()),
        },
    }
}

fn explain(
    ledger: &Ledger,
    node: usize,
    view: View,
    sequence: Sequence,
    variant: Variant,
    other: Variant,
) -> String {
    let name = |variant| {
        ledger.entry(sequence, variant).map_or("?".to_string(), |entry| {
            let requests: Vec<String> = ledger
                .applied(entry)
                .iter()
                .map(|(client, timestamp)| format!("{client}{timestamp}"))
                .collect();
            format!("{} [{}] of {} (first at p{})", entry.batch, requests.join(" "), entry.view, entry.by)
        })
    };
    format!("p{node} executed {} at {sequence} in {view}; there {} stands", name(variant), name(other))
}

/// A client accepted a result: where that makes a batch final, it is fixed. `views` are those in which the nodes are.
pub fn accepted(
    ledger: &mut Ledger,
    finality: Finality,
    views: &[View],
    client: ClientId,
    accepted: &Accepted,
) -> Result<(), String> {
    let sequence = accepted.sequence;
    let holds = |ledger: &Ledger, variant| {
        ledger
            .entry(sequence, variant)
            .is_some_and(|entry| ledger.applied(entry).contains(&(client, accepted.timestamp)))
    };
    if let Some((fixed, _)) = ledger.fixed(sequence)
        && !holds(ledger, fixed)
    {
        return Err(format!(
            "{client} accepted {} at {sequence}, where a batch without it is final",
            accepted.timestamp
        ));
    }
    let candidates = ledger.variants(sequence).map(|(variant, entry)| (variant, entry.view));
    let candidate =
        candidates.filter(|(variant, _)| holds(ledger, *variant)).max_by_key(|(variant, view)| {
            // Several histories may hold the request there. The one that f+1 replied from in that view is that of whoever
            // is in that view; if they have gone on, it is still somebody's, and the latest.
            let is_of = |node: &usize| ledger.variant_of(*node, sequence) == Some(*variant);
            let of_that_view =
                (0..views.len()).filter(|node| views[*node] == accepted.view).any(|node| is_of(&node));
            (of_that_view, *view <= accepted.view, ledger.is_in_a_log(sequence, *variant), *view)
        });
    match candidate {
        None => Err(format!(
            "{client} accepted {} at {sequence}, where no correct replica executed it",
            accepted.timestamp
        )),
        Some((variant, _)) => {
            match finality {
                Finality::Executed => {}
                Finality::Accepted => ledger.fix(sequence, variant, accepted.view),
            }
            Ok(())
        }
    }
}

/// A checkpoint at `sequence` is stable at `node`, which is in `view`: everything up to it is fixed as this node has it.
///
/// Since that view, not since the one in which somebody first executed it: that may have been rolled back, and come about
/// again, batch for batch, later.
pub fn stable(ledger: &mut Ledger, node: usize, view: View, sequence: Sequence) -> Result<(), String> {
    let mut at = sequence.0.min(ledger.executed(node).0);
    while at > 0 {
        let place = Sequence(at);
        match (ledger.variant_of(node, place), ledger.fixed(place)) {
            (Some(variant), None) => ledger.fix(place, variant, view),
            (Some(variant), Some((fixed, _))) if variant != fixed => {
                return Err(format!(
                    "a stable checkpoint at {sequence} covers another batch at {place} than is final there"
                ));
            }
            // Below a place that an earlier checkpoint fixed everything is fixed already, but accepted results fix
            // single places: go on for one interval's worth at least.
            (Some(_), Some(_)) if sequence.0 - at >= CHECKPOINT_INTERVAL_MAX => break,
            (Some(_), Some(_)) | (None, _) => {}
        }
        at -= 1;
    }
    Ok(())
}

/// Simulated checkpoints are not further apart than this.
const CHECKPOINT_INTERVAL_MAX: u64 = 256;

#[cfg(test)]
mod tests {
    use super::super::ledger::Entry;
    use super::*;
    use bytes::Bytes;
    use wire::{Digest, Timestamp};

    fn entry(batch: u8, view: u64) -> Entry {
        Entry { batch: Digest([batch; 32]), view: View(view), ..Entry::default() }
    }

    fn told(view: u64) -> Accepted {
        Accepted { timestamp: Timestamp(1), view: View(view), sequence: Sequence(1), result: Bytes::new() }
    }

    const REQUEST: (ClientId, Timestamp) = (ClientId(1), Timestamp(1));

    #[test]
    fn two_batches_at_a_place_are_found_where_execution_is_final() {
        let mut ledger = Ledger::new(2);
        let (variant, _) = ledger.enter(Sequence(1), entry(1, 0), &[REQUEST]);
        assert!(executed(&ledger, Finality::Executed, 0, View(0), Sequence(1), variant).is_ok());
        let (variant, _) = ledger.enter(Sequence(1), entry(2, 0), &[]);
        let error = executed(&ledger, Finality::Executed, 1, View(3), Sequence(1), variant)
            .expect_err("another batch");
        assert!(error.contains("p1 executed 02020202 [] of v0"), "{error}");
        assert!(error.contains("01010101 [c1T1]"), "{error}");
    }

    #[test]
    fn where_it_is_not_a_second_batch_is_found_once_a_client_relies_on_the_first() {
        let mut ledger = Ledger::new(2);
        ledger.enter(Sequence(1), entry(1, 1), &[REQUEST]);
        let (other, _) = ledger.enter(Sequence(1), entry(2, 0), &[]);
        let check =
            |ledger: &Ledger, view| executed(ledger, Finality::Accepted, 1, View(view), Sequence(1), other);
        assert!(check(&ledger, 1).is_ok());
        assert!(accepted(&mut ledger, Finality::Accepted, &[], REQUEST.0, &told(1)).is_ok());
        assert!(check(&ledger, 0).is_ok(), "it has not heard yet");
        assert!(check(&ledger, 1).is_err());
        assert!(check(&ledger, 2).is_err());
    }

    /// The same request at the same place after two histories: executed early by one that went on to the view in which it was
    /// believed, and later by one that stayed behind.
    #[test]
    fn what_a_client_relies_on_is_what_those_have_who_told_it() {
        let mut ledger = Ledger::new(2);
        let (first, _) = ledger.enter(Sequence(1), entry(1, 0), &[REQUEST]);
        let (second, _) = ledger.enter(Sequence(1), entry(2, 1), &[REQUEST]);
        ledger.advance(0, first);
        ledger.advance(1, second);
        let views = [View(3), View(1)];
        assert!(accepted(&mut ledger, Finality::Accepted, &views, REQUEST.0, &told(3)).is_ok());
        assert_eq!(ledger.fixed(Sequence(1)), Some((first, View(3))));
    }

    #[test]
    fn a_result_that_no_correct_replica_stands_behind_is_found() {
        let mut ledger = Ledger::new(2);
        assert!(accepted(&mut ledger, Finality::Executed, &[], REQUEST.0, &told(0)).is_err());
        ledger.enter(Sequence(1), entry(1, 1), &[]);
        assert!(accepted(&mut ledger, Finality::Executed, &[], REQUEST.0, &told(0)).is_err());
    }

    #[test]
    fn a_checkpoint_that_covers_another_batch_than_a_client_relies_on_is_found() {
        let mut ledger = Ledger::new(2);
        ledger.enter(Sequence(1), entry(1, 1), &[REQUEST]);
        let (other, _) = ledger.enter(Sequence(1), entry(2, 0), &[]);
        ledger.advance(1, other);
        accepted(&mut ledger, Finality::Accepted, &[], REQUEST.0, &told(1)).expect("it was executed");
        assert!(stable(&mut ledger, 1, View(1), Sequence(1)).is_err());
        ledger.advance(0, 0);
        assert!(stable(&mut ledger, 0, View(1), Sequence(1)).is_ok());
    }

    /// Executed in v1 by one that took it back, ordered again in v4 and stable there. Who is still in v3 has not heard.
    #[test]
    fn a_batch_that_came_about_twice_is_final_since_the_second_time() {
        let mut ledger = Ledger::new(2);
        let (first, _) = ledger.enter(Sequence(1), entry(1, 1), &[]);
        let (again, fresh) = ledger.enter(Sequence(1), entry(1, 4), &[]);
        assert_eq!((again, fresh), (first, false));
        ledger.advance(0, again);
        assert!(stable(&mut ledger, 0, View(4), Sequence(1)).is_ok());
        let (other, _) = ledger.enter(Sequence(1), entry(2, 3), &[]);
        let check = |view| executed(&ledger, Finality::Accepted, 1, View(view), Sequence(1), other);
        assert!(check(3).is_ok(), "it has not heard yet");
        assert!(check(4).is_err());
    }
}
