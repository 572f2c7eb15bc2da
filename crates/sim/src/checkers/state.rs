//! Same state: correct replicas that executed the same batches are in the same state, and fingerprint it alike.
//!
//! Upon EXECUTED(N): the state's digest and the requests applied are those of whoever executed this batch at N first.
//! Upon RESTORED(N): some correct replica was in that state after N. (A state that only traitors were ever in is
//!   exactly what a state transfer must not bring.)
//! Upon STABLE(N): the checkpoint's digest is that of every other correct replica's checkpoint at N.

use super::ledger::{Entry, Ledger, Variant};
use crate::service::Registers;
use agree::Service;
use std::collections::BTreeMap;
use wire::{ClientId, Digest, Sequence, Timestamp};

/// Whether `node` came out of the batch as the first that executed it did.
#[inline]
pub fn executed(
    ledger: &Ledger,
    node: usize,
    sequence: Sequence,
    variant: Variant,
    entry: &Entry,
    applied: &[(ClientId, Timestamp)],
) -> Result<(), String> {
    let Some(first) = ledger.entry(sequence, variant) else { return Ok(()) };
    if first.state != entry.state {
        return Err(format!(
            "after {sequence} p{node} is in state {}, p{} was in {}",
            entry.state, first.by, first.state
        ));
    }
    if ledger.applied(first) != applied {
        return Err(format!(
            "at {sequence} p{node} applied {applied:?}, p{} applied {:?}",
            first.by,
            ledger.applied(first)
        ));
    }
    Ok(())
}

/// Whether some correct replica was in `state` after `sequence`.
pub fn restored(ledger: &Ledger, node: usize, sequence: Sequence, state: Digest) -> Result<(), String> {
    let known = if sequence == Sequence::ZERO {
        state == Registers::default().digest()
    } else {
        ledger.variants(sequence).any(|(_, entry)| entry.state == state)
    };
    if known {
        return Ok(());
    }
    Err(format!("p{node} restored state {state} at {sequence}, in which no correct replica ever was"))
}

/// The digests of stable checkpoints.
#[derive(Clone, Debug, Default)]
pub struct Checkpoints {
    digests: BTreeMap<Sequence, (Digest, usize)>,
}

impl Checkpoints {
    /// A checkpoint became stable at `node`.
    pub fn stable(&mut self, node: usize, sequence: Sequence, digest: Digest) -> Result<(), String> {
        let (first, by) = self.digests.entry(sequence).or_insert((digest, node));
        if *first == digest {
            return Ok(());
        }
        Err(format!("the stable checkpoint at {sequence} is {digest} at p{node} and {first} at p{by}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(state: u8) -> Entry {
        Entry { state: Digest([state; 32]), ..Entry::default() }
    }

    #[test]
    fn another_state_after_the_same_batch_is_found() {
        let mut ledger = Ledger::new(2);
        let applied = [(ClientId(1), Timestamp(1))];
        ledger.enter(Sequence(1), entry(1), &applied);
        assert!(executed(&ledger, 1, Sequence(1), 0, &entry(1), &applied).is_ok());
        assert!(executed(&ledger, 1, Sequence(1), 0, &entry(2), &applied).is_err());
        assert!(executed(&ledger, 1, Sequence(1), 0, &entry(1), &[]).is_err());
    }

    #[test]
    fn a_state_that_nobody_was_in_is_found() {
        let mut ledger = Ledger::new(2);
        ledger.enter(Sequence(1), entry(1), &[]);
        assert!(restored(&ledger, 0, Sequence(1), Digest([1; 32])).is_ok());
        assert!(restored(&ledger, 0, Sequence(1), Digest([2; 32])).is_err());
        assert!(restored(&ledger, 0, Sequence(2), Digest([1; 32])).is_err());
        assert!(restored(&ledger, 0, Sequence(0), Registers::default().digest()).is_ok());
        assert!(restored(&ledger, 0, Sequence(0), Digest([1; 32])).is_err());
    }

    #[test]
    fn checkpoints_that_differ_are_found() {
        let mut checkpoints = Checkpoints::default();
        assert!(checkpoints.stable(0, Sequence(8), Digest([1; 32])).is_ok());
        assert!(checkpoints.stable(1, Sequence(8), Digest([1; 32])).is_ok());
        assert!(checkpoints.stable(1, Sequence(8), Digest([2; 32])).is_err());
    }
}
