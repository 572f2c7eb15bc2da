//! What must hold in the storm, and what must have come about in the calm.

use super::{Instance, REQUESTS, Storm};
use crate::replica::{Observation, Replica};
use std::collections::BTreeSet;

impl Storm {
    pub(super) fn observe(&mut self, at: Instance, observation: Observation) {
        if self.bodies[at].liar {
            return;
        }
        let node = self.bodies[at].node;
        match observation {
            Observation::Executed { sequence, batch, state, applied, .. } => {
                let known = self.executed.entry(sequence).or_insert((batch, state));
                assert_eq!(*known, (batch, state), "{node} executed another batch at {sequence}");
                for one in applied {
                    let asked = self.askers[one.0.0 as usize].timestamp;
                    assert!(one.1.0 <= asked, "{node} executed {one:?}, which nobody asked for");
                    let before = *self.applied.entry(one).or_insert(sequence);
                    assert_eq!(before, sequence, "{one:?} was executed twice");
                }
            }
            Observation::Restored { sequence, state } => {
                let known = self.executed.get(&sequence).map(|(_, state)| *state);
                assert_eq!(known, Some(state), "{node} was restored to what nobody executed at {sequence}");
            }
            Observation::Entered { view, .. } => self.views = self.views.max(view.0),
            Observation::RolledBack { .. } | Observation::Stable { .. } => {}
        }
    }

    pub(super) fn is_settled(&self) -> bool {
        let correct: Vec<_> =
            self.bodies.iter().filter(|body| !body.liar).map(|body| body.replica.as_ref()).collect();
        let states: BTreeSet<_> = correct
            .iter()
            .map(|replica| replica.map(|replica| (replica.status().executed, replica.status().state)))
            .collect();
        states.len() == 1
            && !states.contains(&None)
            && self.askers.iter().all(|asker| !asker.waiting && asker.timestamp == REQUESTS)
    }

    pub(super) fn report(&self) -> String {
        let mut lines = vec![format!(
            "asked {:?}",
            self.askers.iter().map(|asker| (asker.timestamp, asker.waiting)).collect::<Vec<_>>()
        )];
        for body in &self.bodies {
            let status = body.replica.as_ref().map(Replica::status);
            lines.push(format!("{} liar {}: {status:?}", body.node, body.liar));
        }
        lines.join("\n")
    }
}
