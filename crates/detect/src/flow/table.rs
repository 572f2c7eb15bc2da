//! The flows of one shard.
//!
//! Upon a packet of no flow: one begins; if there are [`FLOWS_OF_A_SHARD_MAX`] already, the one that was silent longest ends first, and that is counted.
//! Upon time passing, by the time of frames: flows that were silent for too long end, in the order in which they began.
//! Upon a mark: from then on each flow is copied before it is changed for the first time, so that all can be put back. The cost follows
//! what changed.
//!
//! Which flow is at which place depends on nothing but the packets that came, so the same packets end the same flows everywhere.

use super::{Flow, FlowKey};
use crate::Time;
use hashbrown::HashTable;
use std::collections::{BTreeMap, BTreeSet};

/// Flows of one shard at most. With 64 shards that is a million.
pub(crate) const FLOWS_OF_A_SHARD_MAX: usize = 16_384;

/// The flows of one shard.
#[derive(Clone)]
pub(crate) struct FlowTable {
    slots: Vec<Option<Box<Flow>>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    /// By the second at which to look whether it was silent for too long: places.
    wheel: BTreeMap<u64, BTreeSet<u32>>,
    began: u64,
    evicted: u64,
    live: usize,
    /// What flows were at the mark, by place, if there is one.
    saved: Option<BTreeMap<u32, Option<Box<Flow>>>>,
    marked: (u64, u64),
}

impl Default for FlowTable {
    fn default() -> Self {
        FlowTable {
            slots: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            wheel: BTreeMap::new(),
            began: 0,
            evicted: 0,
            live: 0,
            saved: None,
            marked: (0, 0),
        }
    }
}

impl FlowTable {
    /// The place of the flow with this key.
    pub(crate) fn find(&self, key: &FlowKey, hash: u64) -> Option<u32> {
        self.index.find(hash, |place| self.get(*place).is_some_and(|flow| flow.key == *key)).copied()
    }

    /// The flow at a place.
    pub(crate) fn get(&self, place: u32) -> Option<&Flow> {
        self.slots.get(place as usize).and_then(Option::as_deref)
    }

    /// The same, to change.
    pub(crate) fn get_mut(&mut self, place: u32) -> Option<&mut Flow> {
        self.save(place);
        self.slots.get_mut(place as usize).and_then(Option::as_deref_mut)
    }

    /// Adds a flow; its place. `due`: when to look whether it was silent for too long.
    pub(crate) fn add(&mut self, mut flow: Flow, due: Time) -> u32 {
        flow.sequence = self.began;
        self.began += 1;
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.slots.push(None);
                (self.slots.len() - 1) as u32
            }
        };
        self.save(place);
        let hash = flow.key.hash();
        self.slots[place as usize] = Some(Box::new(flow));
        let slots = &self.slots;
        self.index.insert_unique(hash, place, |place| {
            slots[*place as usize].as_ref().map_or(0, |flow| flow.key.hash())
        });
        self.wheel.entry(due.seconds()).or_default().insert(place);
        self.live += 1;
        place
    }

    /// Takes a flow out.
    pub(crate) fn remove(&mut self, place: u32) -> Option<Box<Flow>> {
        self.save(place);
        let flow = self.slots.get_mut(place as usize)?.take()?;
        if let Ok(entry) = self.index.find_entry(flow.key.hash(), |found| *found == place) {
            entry.remove();
        }
        self.free.push(place);
        self.live -= 1;
        Some(flow)
    }

    /// All of them, in no order that means anything.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Flow> {
        self.slots.iter().filter_map(Option::as_deref)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// Flows that ended early since there were too many.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// If there is no room for another: the place of the one that was silent longest; it is to be ended.
    pub(crate) fn surplus(&mut self) -> Option<u32> {
        if self.live < FLOWS_OF_A_SHARD_MAX {
            return None;
        }
        self.evicted += 1;
        // Those that are looked at next are among those that were silent longest; an exact order would cost each packet a move.
        while let Some((second, places)) = self.wheel.first_key_value() {
            let second = *second;
            if let Some(place) = places.first().copied() {
                if let Some(places) = self.wheel.get_mut(&second) {
                    places.remove(&place);
                }
                if self.get(place).is_some() {
                    return Some(place);
                }
            } else {
                self.wheel.remove(&second);
            }
        }
        (0..self.slots.len() as u32).find(|place| self.get(*place).is_some())
    }

    /// The places of flows that were silent for too long by `now`, in the order in which they began. `lives_until` says until when one may be silent.
    pub(crate) fn overdue(&mut self, now: Time, lives_until: impl Fn(&Flow) -> Time) -> Vec<u32> {
        let mut overdue = Vec::new();
        while let Some((second, _)) = self.wheel.first_key_value() {
            if *second > now.seconds() {
                break;
            }
            let Some((_, places)) = self.wheel.pop_first() else { break };
            for place in places {
                let Some(flow) = self.get(place) else { continue };
                let end = lives_until(flow);
                if end <= now {
                    overdue.push((flow.sequence, place));
                } else {
                    self.wheel.entry(end.seconds().max(now.seconds() + 1)).or_default().insert(place);
                }
            }
        }
        overdue.sort_unstable();
        overdue.into_iter().map(|(_, place)| place).collect()
    }

    /// The places of all flows, in the order in which they began.
    pub(crate) fn all(&self) -> Vec<u32> {
        let mut all: Vec<(u64, u32)> = (0..self.slots.len() as u32)
            .filter_map(|place| self.get(place).map(|flow| (flow.sequence, place)))
            .collect();
        all.sort_unstable();
        all.into_iter().map(|(_, place)| place).collect()
    }

    /// From here on everything can be put back.
    pub(crate) fn mark(&mut self) {
        self.saved = Some(BTreeMap::new());
        self.marked = (self.began, self.evicted);
    }

    /// Puts everything back as it was at the mark. How many flows that took.
    pub(crate) fn put_back(&mut self) -> usize {
        let Some(saved) = self.saved.take() else { return 0 };
        let count = saved.len();
        for (place, flow) in saved {
            self.remove(place);
            if let Some(at) = self.free.iter().rposition(|free| *free == place) {
                self.free.swap_remove(at);
            }
            let Some(flow) = flow else {
                self.free.push(place);
                continue;
            };
            let hash = flow.key.hash();
            let last = flow.last;
            self.slots[place as usize] = Some(flow);
            let slots = &self.slots;
            self.index.insert_unique(hash, place, |place| {
                slots[*place as usize].as_ref().map_or(0, |flow| flow.key.hash())
            });
            self.live += 1;
            // It may be looked at early; then it is found alive and put off.
            self.wheel.entry(last.seconds()).or_default().insert(place);
        }
        // Which place a new flow gets must not depend on what was undone.
        self.free.sort_unstable_by(|left, right| right.cmp(left));
        (self.began, self.evicted) = self.marked;
        count
    }

    fn save(&mut self, place: u32) {
        if let Some(saved) = &mut self.saved
            && !saved.contains_key(&place)
        {
            saved.insert(place, self.slots.get(place as usize).cloned().flatten());
        }
    }
}
