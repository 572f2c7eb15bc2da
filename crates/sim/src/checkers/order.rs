//! Total order: a replica executes place after place, none twice, none left out.
//!
//! Upon EXECUTED(N): N is the place after the last that this replica executed or restored.
//! Upon ROLLED-BACK(N): only where execution is not final, and only to a place that was executed.

use super::Finality;
use super::ledger::Ledger;
use wire::Sequence;

/// Whether `node` may execute `sequence` next.
pub fn executed(ledger: &Ledger, node: usize, sequence: Sequence) -> Result<(), String> {
    let last = ledger.executed(node);
    if sequence == last.next() {
        return Ok(());
    }
    Err(format!("p{node} executed {sequence} after {last}"))
}

/// Whether `node` may take back everything after `to`.
pub fn rolled_back(ledger: &Ledger, finality: Finality, node: usize, to: Sequence) -> Result<(), String> {
    let last = ledger.executed(node);
    match finality {
        Finality::Executed => Err(format!("p{node} took back what is final: from {last} to {to}")),
        Finality::Accepted if to > last => {
            Err(format!("p{node} rolled back to {to}, which is after the last it executed, {last}"))
        }
        Finality::Accepted => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_and_a_repetition_are_found() {
        let mut ledger = Ledger::new(1);
        assert!(executed(&ledger, 0, Sequence(1)).is_ok());
        ledger.advance(0, 0);
        assert!(executed(&ledger, 0, Sequence(1)).is_err());
        assert!(executed(&ledger, 0, Sequence(3)).is_err());
        assert!(executed(&ledger, 0, Sequence(2)).is_ok());
    }

    #[test]
    fn only_what_is_not_final_is_taken_back() {
        let mut ledger = Ledger::new(1);
        ledger.advance(0, 0);
        assert!(rolled_back(&ledger, Finality::Executed, 0, Sequence(0)).is_err());
        assert!(rolled_back(&ledger, Finality::Accepted, 0, Sequence(0)).is_ok());
        assert!(rolled_back(&ledger, Finality::Accepted, 0, Sequence(2)).is_err());
    }
}
