//! An audit of every node of a capture, each by its own clock.
//!
//! Upon a passage: the audit of its node sees it; the first passage of a node begins its audit.
//! Upon a passage that no honest capture holds (a strange node, a clock that goes back, a gap): refused, with the reason.

use super::audit::{Audit, Ending};
use crate::capture::{Passage, What};
use crate::guard::Alarm;
use crate::{Protocol, Settings};
use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use wire::{NodeId, Time};

/// The longest that nothing may pass at a node, not even [`What::Nothing`]: who was silent for longer was not watched.
pub const SILENCE_MAX: Duration = Duration::from_secs(600);

/// Why a capture cannot be audited.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unauditable {
    /// The protocol has no rules that a monitor knows.
    NoRules(Protocol),
    /// A passage at a node that the settings do not name.
    Stranger(NodeId),
    /// The clock of a node goes back.
    BackInTime(NodeId),
    /// For so long nobody watched a node.
    Unwatched(NodeId, Duration),
}

impl fmt::Display for Unauditable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unauditable::NoRules(protocol) => {
                write!(f, "{protocol} has no monitor whose rules could be broken; byzid and byzid-w have")
            }
            Unauditable::Stranger(node) => write!(f, "{node} is no node of the cluster that was captured"),
            Unauditable::BackInTime(node) => write!(f, "the clock of {node} goes back"),
            Unauditable::Unwatched(node, gap) => {
                write!(f, "nobody watched {node} for {gap:?}; a gap is at most {SILENCE_MAX:?}")
            }
        }
    }
}

impl core::error::Error for Unauditable {}

/// An audit of every node of a capture.
pub struct Auditor {
    settings: Settings,
    nodes: BTreeMap<NodeId, (Audit, Time)>,
}

impl Auditor {
    /// The audit of a capture that begins with `settings`.
    pub fn new(settings: Settings) -> Result<Auditor, Unauditable> {
        if !settings.protocol.monitored() {
            return Err(Unauditable::NoRules(settings.protocol));
        }
        Ok(Auditor { settings, nodes: BTreeMap::new() })
    }

    /// The next passage: which rules its node has broken up to then.
    pub fn examine(&mut self, passage: Passage) -> Result<Vec<Alarm>, Unauditable> {
        let Passage { at, node, what } = passage;
        if !self.settings.members.contains(&node) && !self.settings.spares.contains(&node) {
            return Err(Unauditable::Stranger(node));
        }
        let settings = &self.settings;
        let (audit, now) = self.nodes.entry(node).or_insert_with(|| (Audit::new(node, settings, at), at));
        if at < *now {
            return Err(Unauditable::BackInTime(node));
        }
        let gap = at.since(*now);
        if gap > SILENCE_MAX {
            return Err(Unauditable::Unwatched(node, gap));
        }
        *now = at;
        Ok(match what {
            What::Nothing => audit.passed(at),
            What::Heard { from, frame } => audit.heard(at, from, frame),
            What::Said { to, frame } => audit.said(at, to, frame),
        })
    }

    /// Whether anything of `node` is still judged, and if not, why.
    #[must_use]
    pub fn ending(&self, node: NodeId) -> Option<Ending> {
        self.nodes.get(&node).and_then(|(audit, _)| audit.ending())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new(Protocol::ByzId, 1)
    }

    #[test]
    fn each_node_is_judged_by_its_own_clock_and_what_cannot_be_is_refused() {
        let auditor = || Auditor::new(settings()).expect("byzid has rules");
        let nothing = |node, at| Passage { at: Time(at), node: NodeId(node), what: What::Nothing };
        let mut clocks = auditor();
        for (node, at) in [(0, 900), (1, 5), (0, 901), (1, 6)] {
            assert_eq!(clocks.examine(nothing(node, at)), Ok(Vec::new()));
        }
        assert_eq!(clocks.examine(nothing(1, 5)), Err(Unauditable::BackInTime(NodeId(1))));
        assert_eq!(auditor().examine(nothing(3, 5)), Err(Unauditable::Stranger(NodeId(3))));
        let mut left = auditor();
        assert_eq!(left.examine(nothing(0, 0)), Ok(Vec::new()));
        let gap = SILENCE_MAX + Duration::from_nanos(1);
        let late = nothing(0, gap.as_nanos() as u64);
        assert_eq!(left.examine(late), Err(Unauditable::Unwatched(NodeId(0), gap)));
        let paxos = Auditor::new(Settings::new(Protocol::Paxos, 1)).err();
        assert_eq!(paxos, Some(Unauditable::NoRules(Protocol::Paxos)));
    }
}
