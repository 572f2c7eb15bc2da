//! What the nodes and clients of a world share: time, the agenda, the network, the judges, the story.

use crate::agenda::Agenda;
use crate::checkers::Checkers;
use crate::engine::Engine;
use crate::keys::{KeyRing, keyed};
use crate::network::Network;
use crate::stats::Stats;
use crate::trace::{Trace, Traced};
use agree::capture::{Passage, What};
use agree::guard::GuardEffect;
use agree::replica::Refusal;
use agree::roster::seats::within_era;
use agree::{Observation, Settings};
use bytes::Bytes;
use std::rc::Rc;
use wire::{NodeId, Peer, Time};

/// Everything around a node or client that it can act upon.
pub struct Surroundings {
    /// The world's time.
    pub now: Time,
    /// What will happen.
    pub agenda: Agenda,
    /// The links.
    pub network: Network,
    /// The judges.
    pub checkers: Checkers,
    /// The numbers.
    pub stats: Stats,
    /// Frames put on a link, by the index of who sent them.
    pub sent: Vec<u64>,
    /// The story, if anybody wants to hear it.
    pub trace: Option<Trace>,
    /// What passed at nodes since somebody last took it away, if anybody captures it.
    pub captured: Option<Vec<Passage>>,
    /// A hash of everything that happened so far.
    pub fingerprint: u64,
    /// Who hands out keys.
    pub ring: KeyRing,
    /// How the cluster is set.
    pub settings: Rc<Settings>,
    /// Which implementation replicas are of.
    pub engine: Engine,
    /// Lists that are empty at present, to be used again.
    pub spare: Vec<Vec<GuardEffect>>,
}

impl Surroundings {
    /// The surroundings of a run at its beginning.
    #[must_use]
    pub fn new(
        network: Network,
        checkers: Checkers,
        ring: KeyRing,
        settings: Rc<Settings>,
        engine: Engine,
        trace: Option<Trace>,
    ) -> Self {
        Surroundings {
            sent: vec![0; network.directory().peers()],
            now: Time::ZERO,
            agenda: Agenda::default(),
            network,
            checkers,
            stats: Stats::default(),
            trace,
            captured: None,
            fingerprint: 0,
            ring,
            settings,
            engine,
            spare: Vec::new(),
        }
    }

    /// Adds `word` to the fingerprint.
    #[inline]
    pub fn note(&mut self, word: u64) {
        self.fingerprint = (self.fingerprint.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    /// Tells the trace, if there is one.
    #[inline]
    pub fn traced(&mut self, what: impl FnOnce() -> Traced) {
        if let Some(trace) = &mut self.trace {
            trace.add(self.now, what());
        }
    }

    /// Tells who captures that something passed at `node`, whose clock shows `at`.
    #[inline]
    pub fn capture(&mut self, at: Time, node: NodeId, what: impl FnOnce() -> What) {
        if let Some(captured) = &mut self.captured {
            captured.push(Passage { at, node, what: what() });
        }
    }

    /// Puts a frame on the link from the peer with index `from`.
    pub fn transmit(&mut self, from: usize, to: Peer, frame: Bytes) {
        let Some(to) = self.network.directory().index(to) else {
            self.stats.frames_to_nobody += 1;
            return;
        };
        self.stats.frame(&frame);
        self.sent[from] += 1;
        self.note(keyed((from << 8 | to) as u64, &frame));
        if self.trace.is_some() {
            let copy = frame.clone();
            self.traced(|| Traced::Sent { from: from as u8, to: to as u8, frame: copy });
        }
        self.network.send(self.now, from, to, frame, &mut self.agenda, &mut self.stats);
    }

    /// Counts a message that a node or client did not act upon.
    pub fn refused(&mut self, at: usize, from: Option<Peer>, refusal: Refusal) {
        self.stats.refused(from, refusal);
        self.traced(|| Traced::Refused { at: at as u8, from, refusal });
    }

    /// A correct replica observed something of itself.
    pub fn observed(&mut self, node: usize, observation: &Observation) {
        match observation {
            Observation::Executed { .. } => self.stats.batches_executed += 1,
            Observation::RolledBack { .. } => self.stats.rollbacks += 1,
            Observation::Restored { .. } => self.stats.restores += 1,
            Observation::Stable { .. } => self.stats.checkpoints += 1,
            Observation::Entered { view, .. } => {
                self.stats.views_entered += 1;
                self.stats.reconfigurations = self.stats.reconfigurations.max(within_era(*view));
            }
        }
        self.checkers.observe(self.now, node, observation);
        if self.trace.is_some() {
            let observation = observation.clone();
            self.traced(|| Traced::Observed { node: node as u8, observation });
        }
    }
}
