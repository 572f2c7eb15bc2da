//! Where the time goes, and what memory is held, measured only if somebody asks.
//!
//! The engine has no clock. Whoever wants to know gives it one ([`Clock`]); it is read at the borders between stages, on some frames only: each of these counts for
//! those since the one before it, at distances that differ, so that no rhythm of the traffic falls in step. Flows that end are all measured.
//!
//! What is measured never changes what is found. Not here: reading and writing, which are not the engine's.

use crate::flow::Flow;
use std::mem::size_of;

/// Frames from one that is measured to the next at most; half as many on average.
const FRAMES_APART_MAX: u64 = 31;

/// A clock that only goes forward.
pub trait Clock: Send {
    /// Nanoseconds since some moment.
    fn now_ns(&mut self) -> u64;
}

/// A part of the engine's work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    Decode,
    Reassembly,
    Layers,
    Matching,
}

/// Nanoseconds that were spent, as far as samples tell.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Spent {
    /// Decoding, fragments and finding flows.
    pub decode_ns: u64,
    /// Putting TCP segments in order.
    pub reassembly_ns: u64,
    /// Finding out what is spoken, and parsing it.
    pub layers_ns: u64,
    /// Asking rules, and writing down what is not an alert.
    pub matching_ns: u64,
}

/// Bytes that are held, by what for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Held {
    /// Flows, without what follows.
    pub flows_bytes: u64,
    /// Pieces of datagrams.
    pub fragments_bytes: u64,
    /// Bytes of streams that somebody still has to look at.
    pub streams_bytes: u64,
    /// Exchanges that are open or not yet looked at; what they hold beside is not known.
    pub exchanges: u64,
}

impl Held {
    /// The larger of each.
    #[must_use]
    pub fn max(self, other: Held) -> Held {
        Held {
            flows_bytes: self.flows_bytes.max(other.flows_bytes),
            fragments_bytes: self.fragments_bytes.max(other.fragments_bytes),
            streams_bytes: self.streams_bytes.max(other.streams_bytes),
            exchanges: self.exchanges.max(other.exchanges),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Held) -> Held {
        Held {
            flows_bytes: self.flows_bytes + other.flows_bytes,
            fragments_bytes: self.fragments_bytes + other.fragments_bytes,
            streams_bytes: self.streams_bytes + other.streams_bytes,
            exchanges: self.exchanges + other.exchanges,
        }
    }

    /// Adds a flow.
    pub(super) fn add(&mut self, flow: &Flow) {
        self.flows_bytes += size_of::<Flow>() as u64;
        self.streams_bytes += flow.session.as_ref().map_or(0, |session| session.held_bytes() as u64);
        self.exchanges += flow.parser.as_ref().map_or(0, |parser| parser.live() as u64);
    }
}

/// What is measured.
pub(super) struct Stages {
    clock: Box<dyn Clock>,
    spent: Spent,
    at: Stage,
    since: u64,
    /// How many frames this one stands for; 0 while nothing is measured.
    weight: u64,
    /// Frames until the next that is measured.
    left: u64,
    seed: u64,
}

impl Stages {
    pub(super) fn new(clock: Box<dyn Clock>) -> Self {
        Stages { clock, spent: Spent::default(), at: Stage::Decode, since: 0, weight: 0, left: 1, seed: 1 }
    }

    pub(super) fn spent(&self) -> Spent {
        self.spent
    }

    /// A frame begins.
    pub(super) fn frame_begins(&mut self) {
        self.left -= 1;
        if self.left > 0 {
            return;
        }
        // Any sequence does that does not repeat soon; this one is Knuth's.
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.left = 1 + (self.seed >> 33) % FRAMES_APART_MAX;
        self.begins(self.left);
    }

    /// Something begins that stands for `weight` of its kind.
    pub(super) fn begins(&mut self, weight: u64) {
        (self.weight, self.at, self.since) = (weight, Stage::Decode, self.clock.now_ns());
    }

    /// What began has ended.
    pub(super) fn ends(&mut self) {
        self.enter(Stage::Decode);
        self.weight = 0;
    }

    /// The work goes over to another stage; which one it was in.
    pub(super) fn enter(&mut self, stage: Stage) -> Stage {
        let before = self.at;
        if self.weight > 0 {
            let now = self.clock.now_ns();
            let spent = now.saturating_sub(self.since).saturating_mul(self.weight);
            let sum = match before {
                Stage::Decode => &mut self.spent.decode_ns,
                Stage::Reassembly => &mut self.spent.reassembly_ns,
                Stage::Layers => &mut self.spent.layers_ns,
                Stage::Matching => &mut self.spent.matching_ns,
            };
            *sum = sum.saturating_add(spent);
            (self.at, self.since) = (stage, now);
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that goes on by a second each time it is looked at.
    struct Ticks(u64);

    impl Clock for Ticks {
        fn now_ns(&mut self) -> u64 {
            self.0 += 1;
            self.0
        }
    }

    #[test]
    fn samples_stand_for_all_frames() {
        let mut stages = Stages::new(Box::new(Ticks(0)));
        for _ in 0..100_000 {
            stages.frame_begins();
            stages.enter(Stage::Matching);
            stages.ends();
        }
        let Spent { decode_ns, reassembly_ns, layers_ns, matching_ns } = stages.spent();
        assert_eq!((reassembly_ns, layers_ns), (0, 0));
        for sum in [decode_ns, matching_ns] {
            assert!((99_900..=100_100).contains(&sum), "{sum} ticks for 100000 frames");
        }
        assert!(stages.since < 3 * 100_000 / 10, "the clock is read on few frames");
    }

    #[test]
    fn nothing_is_measured_outside_of_what_began() {
        let mut stages = Stages::new(Box::new(Ticks(0)));
        stages.enter(Stage::Layers);
        assert_eq!(stages.spent(), Spent::default());
        stages.begins(1);
        assert_eq!(stages.enter(Stage::Layers), Stage::Decode);
        stages.ends();
        assert_eq!(stages.spent().layers_ns, 1);
    }
}
