//! A worker: the flows of some shards, and the rules asked of them.

use super::found::{Found, Match, Place, What};
use super::holds::Scene;
use super::shard::Shard;
use super::stages::{Clock, Held, Spent, Stage, Stages};
use crate::Time;
use crate::app::{AnyTransaction, ProtocolId};
use crate::behaviour::{Parameters, Watching};
use crate::eve::Kinds;
use crate::flow::{Flow, Secret};
use crate::frame;
use crate::inspect::Scratch;
use crate::plan::Recent;
use crate::rule::RuleSet;
use crate::state::Subject;
use std::sync::Arc;

/// Into how many shards flows are spread. It is the same for any number of workers, so that it shows nowhere.
pub const SHARDS: u16 = 64;

/// The shard of a frame.
#[must_use]
pub fn shard_of(link: u16, bytes: &[u8]) -> u16 {
    frame::shard(link, bytes) % SHARDS
}

/// What a worker counted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counters {
    /// Frames of its shards.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packets in them, those inside tunnels and those put together from fragments included.
    pub packets: u64,
    /// Flows that began.
    pub flows: u64,
    /// Flows that ended early since there were too many.
    pub flows_evicted: u64,
    /// Flows that are alive.
    pub flows_live: u64,
    /// Flows that ended early since all together held too much memory.
    pub flows_crowded_out: u64,
    /// Bytes that flows hold beside themselves: streams and exchanges.
    pub held_bytes: u64,
    /// Rules that were asked in full.
    pub asked: u64,
    /// Rules that held.
    pub held: u64,
    /// Expressions that gave up.
    pub gave_up: u64,
    /// Packets that could not be read.
    pub invalid: u64,
    /// Frames whose link is not understood.
    pub unknown_links: frame::UnknownLinks,
    /// Attempts that were judged before their time since too many waited.
    pub judged_early: u64,
}

/// What all flows of a worker use one after the other.
pub(super) struct Desk {
    pub(super) scratch: Scratch,
    pub(super) found: Vec<Found>,
    pub(super) place: Place,
    pub(super) counters: Counters,
    /// Rules that may hold.
    pub(super) candidates: Vec<u32>,
    /// What was found in fields lately.
    pub(super) recent: Recent,
    /// Rules on exchanges that were found by a string in the payload.
    pub(super) of_exchanges: Vec<u32>,
    /// How often each rule was asked and how often it held, if that is wanted.
    pub(super) profile: Option<Vec<(u64, u64)>>,
    /// What is written down.
    pub(super) kinds: Kinds,
    /// Where the time goes, if that is wanted.
    stages: Option<Box<Stages>>,
    /// What is looked at of flows to tell scans and their like, if anybody wants to know.
    pub(super) watching: Option<Watching>,
}

/// A worker.
pub struct Worker {
    set: Arc<RuleSet>,
    desk: Desk,
    shards: Vec<Option<Box<Shard>>>,
    /// The second up to which flows that were silent for too long have ended.
    second: u64,
    clock: Time,
}

impl Worker {
    /// A worker for the shards that `is_mine` names.
    #[must_use]
    pub fn new(set: Arc<RuleSet>, is_mine: impl Fn(u16) -> bool) -> Self {
        let shards = (0..SHARDS).map(|shard| is_mine(shard).then(Box::default)).collect();
        let place = Place { frame: 0, by_frame: false, shard: 0, packet: 0, step: 0 };
        let desk = Desk {
            scratch: Scratch::default(),
            found: Vec::new(),
            place,
            counters: Counters::default(),
            candidates: Vec::new(),
            recent: Recent::default(),
            of_exchanges: Vec::new(),
            profile: None,
            kinds: set.settings.kinds,
            stages: None,
            watching: None,
        };
        Worker { set, desk, shards, second: 0, clock: Time(0) }
    }

    /// Tells from now on what a judge that watches has to know of flows. To be said before the first frame, of all workers alike.
    pub fn watch(&mut self, parameters: &Parameters) {
        self.desk.watching = Some(Watching {
            wait_nanoseconds: parameters.answer_wait_seconds.saturating_mul(1_000_000_000),
            login_seconds_max: parameters.login_seconds_max,
        });
    }

    /// Places flows by a secret, so that nobody can send some that are slow to find. It shows in no result, and each worker may have its own. To be said before the first frame.
    pub fn keep_secret(&mut self, secret: Secret) {
        self.shards.iter_mut().flatten().for_each(|shard| shard.keep_secret(secret));
    }

    /// Counts from now on how often each rule is asked.
    pub fn profile(&mut self) {
        self.desk.profile = Some(vec![(0, 0); self.set.rules.len()]);
    }

    /// Measures from now on where the time goes, by this clock.
    pub fn measure(&mut self, clock: Box<dyn Clock>) {
        self.desk.stages = Some(Box::new(Stages::new(clock)));
    }

    /// Where the time went since it is measured.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.desk.stages.as_ref().map_or_else(Spent::default, |stages| stages.spent())
    }

    /// What is held now. It looks at every flow.
    #[must_use]
    pub fn held(&self) -> Held {
        let mut held = Held::default();
        for shard in self.shards.iter().flatten() {
            held.fragments_bytes += shard.fragments_bytes();
            shard.flows.iter().for_each(|flow| held.add(flow));
        }
        held
    }

    /// Gid and sid, how often it was asked and how often it held, for rules that were asked.
    #[must_use]
    pub fn profiled(&self) -> Vec<((u32, u32), u64, u64)> {
        let rules = self.desk.profile.iter().flatten().enumerate();
        rules
            .filter(|(_, counts)| counts.0 > 0)
            .filter_map(|(rule, counts)| {
                self.set.rules.get(rule).map(|rule| ((rule.meta.gid, rule.meta.sid), counts.0, counts.1))
            })
            .collect()
    }

    /// A frame: `number` counts all frames, from 1. Every worker is told of every frame, since all go by the time of all.
    pub fn frame(&mut self, number: u64, time: Time, link: u16, bytes: &[u8]) {
        self.frame_of(shard_of(link, bytes), number, time, link, bytes);
    }

    /// The same, of a frame whose shard is known: one that is another worker's costs next to nothing, and its bytes are not touched.
    pub fn frame_of(&mut self, shard: u16, number: u64, time: Time, link: u16, bytes: &[u8]) {
        debug_assert_eq!(shard, shard_of(link, bytes));
        self.clock = self.clock.max(time);
        if self.clock.seconds() > self.second {
            self.second = self.clock.seconds();
            self.time_passes(number);
        }
        let Some(Some(mine)) = self.shards.get_mut(usize::from(shard)) else { return };
        self.desk.counters.frames += 1;
        self.desk.counters.bytes += bytes.len() as u64;
        self.desk.counters.unknown_links.count(link);
        self.desk.place = Place { frame: number, by_frame: true, shard: 0, packet: 0, step: 0 };
        if let Some(stages) = &mut self.desk.stages {
            stages.frame_begins();
        }
        mine.frame(&self.set, &mut self.desk, time, link, bytes);
        if let Some(stages) = &mut self.desk.stages {
            stages.ends();
        }
    }

    fn time_passes(&mut self, number: u64) {
        for (shard, mine) in self.shards.iter_mut().enumerate() {
            if let Some(mine) = mine {
                self.desk.place =
                    Place { frame: number, by_frame: false, shard: shard as u16, packet: 0, step: 0 };
                self.desk.measured(|desk| mine.time_passes(&self.set, desk, self.clock));
            }
        }
    }

    /// No frame will follow: all flows end. `number`: one more than the last frame's.
    pub fn finish(&mut self, number: u64) {
        for (shard, mine) in self.shards.iter_mut().enumerate() {
            if let Some(mine) = mine {
                self.desk.place =
                    Place { frame: number, by_frame: false, shard: shard as u16, packet: 0, step: 0 };
                self.desk.measured(|desk| mine.finish(&self.set, desk, self.clock));
            }
        }
    }

    /// What was found since the last time, in order.
    pub fn take(&mut self) -> Vec<Found> {
        std::mem::take(&mut self.desk.found)
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let shards = || self.shards.iter().flatten();
        Counters {
            gave_up: self.desk.scratch.gave_up,
            flows_live: shards().map(|shard| shard.flows.len() as u64).sum(),
            flows_crowded_out: shards().map(|shard| shard.flows.crowded_out()).sum(),
            held_bytes: shards().map(|shard| shard.flows.held_bytes() as u64).sum(),
            flows_evicted: shards().map(|shard| shard.flows.evicted()).sum(),
            judged_early: shards().map(|shard| shard.waiting.early()).sum(),
            ..self.desk.counters
        }
    }

    /// From here on everything can be put back, at a cost that follows what changes.
    pub fn mark(&mut self) -> Mark {
        for shard in self.shards.iter_mut().flatten() {
            shard.mark();
        }
        Mark {
            second: self.second,
            clock: self.clock,
            counters: self.desk.counters,
            found: self.desk.found.len(),
            gave_up: self.desk.scratch.gave_up,
        }
    }

    /// Puts everything back as it was at the last mark.
    pub fn put_back(&mut self, mark: Mark) {
        for shard in self.shards.iter_mut().flatten() {
            shard.put_back();
        }
        self.second = mark.second;
        self.clock = mark.clock;
        self.desk.counters = mark.counters;
        self.desk.found.truncate(mark.found);
        self.desk.scratch.gave_up = mark.gave_up;
    }
}

/// A frame boundary to which a worker can go back.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    second: u64,
    clock: Time,
    counters: Counters,
    found: usize,
    gave_up: u64,
}

/// The exchange that a match is about.
pub(super) struct About<'a> {
    pub(super) id: u64,
    pub(super) transaction: &'a dyn AnyTransaction,
}

impl Desk {
    /// The work goes over to another stage; which one it was in.
    #[inline]
    pub(super) fn enter(&mut self, stage: Stage) -> Stage {
        match &mut self.stages {
            None => Stage::Decode,
            Some(stages) => stages.enter(stage),
        }
    }

    /// Work that is measured in full.
    fn measured(&mut self, work: impl FnOnce(&mut Desk)) {
        if let Some(stages) = &mut self.stages {
            stages.begins(1);
        }
        work(self);
        if let Some(stages) = &mut self.stages {
            stages.ends();
        }
    }

    /// A rule is asked.
    pub(super) fn asks(&mut self, rule: u32) {
        self.counters.asked += 1;
        if let Some(counts) = self.profile.as_mut().and_then(|profile| profile.get_mut(rule as usize)) {
            counts.0 += 1;
        }
    }

    /// A rule holds of an exchange of this protocol.
    pub(super) fn holds_of(
        &mut self,
        number: u32,
        scene: &Scene<'_>,
        about: &About<'_>,
        protocol: ProtocolId,
    ) {
        self.note_match(number, scene, Some(about), Some(protocol));
    }

    /// A rule holds of a packet or of a stream.
    pub(super) fn holds(&mut self, number: u32, scene: &Scene<'_>) {
        self.note_match(number, scene, None, scene.flow.and_then(Flow::protocol_spoken));
    }

    fn note_match(
        &mut self,
        number: u32,
        scene: &Scene<'_>,
        about: Option<&About<'_>>,
        spoken: Option<ProtocolId>,
    ) {
        self.counters.held += 1;
        if let Some(counts) = self.profile.as_mut().and_then(|profile| profile.get_mut(number as usize)) {
            counts.1 += 1;
        }
        let asked = std::mem::take(&mut self.scratch.late);
        let Some(rule) = scene.set.rules.get(number as usize) else { return };
        // Who says nothing and changes nothing that others share need not be told of.
        if rule.is_silent && rule.late.is_empty() && asked.is_empty() {
            return;
        }
        let layer = spoken.and_then(crate::app::table::protocol);
        let exchange = about.filter(|_| !rule.is_silent).map(|about| {
            let said = layer.map_or_else(String::new, |layer| crate::eve::said(layer.id, about.transaction));
            (about.id, said)
        });
        let icmp = scene.packet.and_then(|packet| packet.transport.icmp());
        let found = Match {
            rule: number,
            subject: Subject {
                time: scene.time,
                source: scene.source.0,
                destination: scene.destination.0,
                flow: scene.flow.map_or(0, |flow| flow.id),
            },
            source: scene.source,
            destination: scene.destination,
            protocol: scene.protocol,
            icmp,
            direction: scene.direction,
            vlan: scene.packet.map(|packet| packet.vlan.ids().to_vec()).unwrap_or_default(),
            flow: scene.flow.map(|flow| super::AlertFlow {
                id: flow.id,
                began: flow.began,
                packets: flow.packets,
                bytes: flow.bytes,
                client: flow.client,
                server: flow.server,
            }),
            layer: layer.map(|protocol| protocol.name),
            exchange,
            asked,
        };
        self.note(What::Match(Box::new(found)));
    }

    /// A rule lets a packet pass: what rules after it already said of this packet is not said.
    pub(super) fn passes(&mut self, set: &RuleSet, number: u32) {
        let here = self.place;
        let is_elsewhere = |found: &Found| {
            (found.place.frame, found.place.by_frame, found.place.packet)
                != (here.frame, here.by_frame, here.packet)
        };
        let first = self.found.iter().rposition(is_elsewhere).map_or(0, |last| last + 1);
        // What others share is changed all the same.
        let is_silenced = |found: &Found| match &found.what {
            What::Match(held) => {
                held.rule > number
                    && set.rules.get(held.rule as usize).is_some_and(|rule| rule.late.is_empty())
            }
            _ => false,
        };
        let mut kept = self.found.split_off(first);
        kept.retain(|found| !is_silenced(found));
        self.found.append(&mut kept);
    }

    pub(super) fn note(&mut self, what: What) {
        self.found.push(Found { place: self.place, what });
        self.place.step += 1;
    }
}
