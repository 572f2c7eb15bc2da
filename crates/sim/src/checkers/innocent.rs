//! Innocent: no correct replica is ever proven guilty.
//!
//! Upon the alarm of a monitor that says that no correct replica would have done this: the replica beside it is a traitor's.
//! (An alarm about time alone proves nothing: a correct replica may have a bad day.)

use agree::guard::Alarm;

/// Whether the alarm is one that the monitor of a correct replica may raise.
pub fn alarmed(is_correct: bool, alarm: &Alarm) -> Result<(), String> {
    if is_correct && alarm.proof {
        return Err(format!(
            "{} is correct, and was proven guilty in {} of: {}",
            alarm.node, alarm.view, alarm.rule
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{NodeId, View};

    #[test]
    fn only_proof_against_a_correct_replica_is_a_violation() {
        let alarm = |proof| Alarm { node: NodeId(1), view: View(2), rule: "no gap", proof };
        assert!(alarmed(true, &alarm(true)).is_err());
        assert!(alarmed(true, &alarm(false)).is_ok());
        assert!(alarmed(false, &alarm(true)).is_ok());
    }
}
