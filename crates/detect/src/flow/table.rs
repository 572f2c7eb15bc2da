//! The flows of one shard.
//!
//! Upon a packet of no flow: one begins; if there are [`FLOWS_OF_A_SHARD_MAX`] already, another ends first, and that is counted: of those that only one side was heard of the
//! one that was silent longest, as long as they are more than half; else of the others. So a flood of either kind displaces its own kind.
//! Upon a flow that holds more memory: if all together hold more than [`HELD_BYTES_MAX`], the one that holds most is to end, and that is counted.
//! Upon time passing, by the time of frames: flows that were silent for too long end, in the order in which they began.
//! Upon a mark: from then on each flow is copied before it is changed for the first time, so that all can be put back. The cost follows
//! what changed.
//!
//! Which flow is at which place shows nowhere: whatever is chosen among flows is chosen by when they are due and in which order they began.

use super::{Flow, FlowKey, Secret};
use crate::Time;
use hashbrown::HashTable;
use std::collections::{BTreeMap, BTreeSet};

/// Flows of one shard at most. With 64 shards that is a million.
pub(crate) const FLOWS_OF_A_SHARD_MAX: usize = 16_384;
/// Bytes that the flows of one shard may hold beside themselves: streams that wait to be put in order or read, and exchanges. With 64 shards that is a gibibyte.
pub(crate) const HELD_BYTES_MAX: usize = 16 << 20;
/// Who holds less is not asked to go.
const HELD_BYTES_COUNTED: usize = 1024;

/// Where a flow waits for its time: the second at which to look whether it was silent for too long, its number, and its place.
type Due = (u64, u64, u32);

/// When a flow is due, and among which.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct When {
    second: u64,
    /// Both sides had been heard of when it was last looked.
    is_established: bool,
}

/// What was there at the mark.
#[derive(Clone, Default)]
struct Saved {
    /// Flows that were changed since, and when they were due; by place.
    flows: BTreeMap<u32, Option<(Box<Flow>, When)>>,
    /// When flows were due of which only that changed; by place.
    due: BTreeMap<u32, When>,
    began: u64,
    evicted: u64,
    crowded_out: u64,
}

/// Where a flow is, and its key's tag, by which others are told from it without a look at the flow.
#[derive(Clone, Copy, Default)]
struct Entry {
    tag: u32,
    place: u32,
}

impl Entry {
    /// The table looks at the highest and at the lowest bits.
    fn hash(self) -> u64 {
        u64::from(self.tag) << 32 | u64::from(self.tag)
    }
}

/// The flows of one shard.
#[derive(Clone, Default)]
pub(crate) struct FlowTable {
    slots: Vec<Option<Box<Flow>>>,
    free: Vec<u32>,
    index: HashTable<Entry>,
    /// The flow that was found last.
    found: Entry,
    secret: Secret,
    /// Flows in the order in which they are due: those that one side was heard of when it was last looked, and the others.
    waiting: [BTreeSet<Due>; 2],
    /// For each place.
    due: Vec<When>,
    /// Who holds much, by the power of two.
    holders: BTreeSet<(u32, u64, u32)>,
    held: usize,
    began: u64,
    evicted: u64,
    crowded_out: u64,
    live: usize,
    /// What was there at the mark, if there is one.
    saved: Option<Saved>,
}

impl FlowTable {
    /// Flows are found by this secret from now on. To be said while there are none.
    pub(crate) fn keep_secret(&mut self, secret: Secret) {
        assert!(self.live == 0, "flows would not be found any more");
        self.secret = secret;
    }

    /// The place of the flow with this key.
    pub(crate) fn find(&mut self, key: &FlowKey) -> Option<u32> {
        let wanted = self.entry(key, 0);
        let is_it = |entry: &Entry| {
            entry.tag == wanted.tag && self.get(entry.place).is_some_and(|flow| flow.key == *key)
        };
        // Packets of a conversation often follow each other.
        if is_it(&self.found) {
            return Some(self.found.place);
        }
        self.found = *self.index.find(wanted.hash(), is_it)?;
        Some(self.found.place)
    }

    fn entry(&self, key: &FlowKey, place: u32) -> Entry {
        Entry { tag: key.tag(self.secret), place }
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
                self.due.push(When::default());
                (self.slots.len() - 1) as u32
            }
        };
        self.save(place);
        let when = When { second: due.seconds(), is_established: flow.is_established() };
        self.put(place, Box::new(flow), when);
        place
    }

    /// Takes a flow out.
    pub(crate) fn remove(&mut self, place: u32) -> Option<Box<Flow>> {
        self.save(place);
        let flow = self.slots.get_mut(place as usize)?.take()?;
        let entry = self.entry(&flow.key, place);
        if let Ok(found) = self.index.find_entry(entry.hash(), |other| other.place == place) {
            found.remove();
        }
        if let Some(when) = self.due.get(place as usize).copied() {
            self.waiting[usize::from(when.is_established)].remove(&(when.second, flow.sequence, place));
        }
        self.note_held(flow.held, 0, flow.sequence, place);
        self.free.push(place);
        self.live -= 1;
        Some(flow)
    }

    /// Puts a flow at a place that is free.
    fn put(&mut self, place: u32, flow: Box<Flow>, when: When) {
        self.waiting[usize::from(when.is_established)].insert((when.second, flow.sequence, place));
        if let Some(due) = self.due.get_mut(place as usize) {
            *due = when;
        }
        self.note_held(0, flow.held, flow.sequence, place);
        let entry = self.entry(&flow.key, place);
        self.slots[place as usize] = Some(flow);
        self.index.insert_unique(entry.hash(), entry, |entry| entry.hash());
        self.live += 1;
    }

    /// A flow holds so many bytes now.
    pub(crate) fn holds(&mut self, place: u32, bytes: usize) {
        let Some(flow) = self.slots.get_mut(place as usize).and_then(Option::as_deref_mut) else { return };
        let (before, sequence) = (std::mem::replace(&mut flow.held, bytes), flow.sequence);
        if before != bytes {
            self.note_held(before, bytes, sequence, place);
        }
    }

    /// If all hold too much: the place of the one that holds most; it is to be ended.
    pub(crate) fn crowded(&mut self) -> Option<u32> {
        if self.held <= HELD_BYTES_MAX {
            return None;
        }
        let most = self.holders.last().map(|(_, _, place)| *place)?;
        self.crowded_out += 1;
        Some(most)
    }

    /// Bytes that all flows hold beside themselves.
    pub(crate) fn held_bytes(&self) -> usize {
        self.held
    }

    /// Flows that ended early since they held too much.
    pub(crate) fn crowded_out(&self) -> u64 {
        self.crowded_out
    }

    fn note_held(&mut self, before: usize, now: usize, sequence: u64, place: u32) {
        self.held = (self.held + now).saturating_sub(before);
        // Within a power of two the one that began first goes first, so that this need not be noted with every packet.
        let class = |bytes: usize| if bytes < HELD_BYTES_COUNTED { 0 } else { bytes.ilog2() };
        if class(before) != class(now) {
            let order = u64::MAX - sequence;
            self.holders.remove(&(class(before), order, place));
            if class(now) > 0 {
                self.holders.insert((class(now), order, place));
            }
        }
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

    /// If there is no room for another: the place of the one that is to be ended. `lives_until` says until when one may be silent.
    pub(crate) fn surplus(&mut self, lives_until: impl Fn(&Flow) -> Time) -> Option<u32> {
        if self.live < FLOWS_OF_A_SHARD_MAX {
            return None;
        }
        loop {
            let one_sided = self.waiting[0].len() > FLOWS_OF_A_SHARD_MAX / 2 || self.waiting[1].is_empty();
            let (second, _, place) = self.waiting[usize::from(!one_sided)].first().copied()?;
            let flow = self.get(place)?;
            let now = When {
                second: lives_until(flow).seconds().max(second),
                is_established: flow.is_established(),
            };
            if now == (When { second, is_established: !one_sided }) {
                self.evicted += 1;
                return Some(place);
            }
            // It was heard since it was last looked at: its turn comes later, or among others.
            self.put_off(place, now);
        }
    }

    /// A flow is due at another time, or among others.
    fn put_off(&mut self, place: u32, when: When) {
        let Some(flow) = self.slots.get(place as usize).and_then(Option::as_deref) else { return };
        let Some(due) = self.due.get_mut(place as usize) else { return };
        let before = std::mem::replace(due, when);
        if let Some(saved) = &mut self.saved
            && !saved.flows.contains_key(&place)
        {
            saved.due.entry(place).or_insert(before);
        }
        self.waiting[usize::from(before.is_established)].remove(&(before.second, flow.sequence, place));
        self.waiting[usize::from(when.is_established)].insert((when.second, flow.sequence, place));
    }

    /// The places of flows that were silent for too long by `now`, in the order in which they began. `lives_until` says until when one may be silent.
    pub(crate) fn overdue(&mut self, now: Time, lives_until: impl Fn(&Flow) -> Time) -> Vec<u32> {
        let mut overdue = Vec::new();
        let mut later = Vec::new();
        for (second, sequence, place) in self
            .waiting
            .iter()
            .flat_map(|waiting| waiting.iter().take_while(|due| due.0 <= now.seconds()).copied())
        {
            let Some(flow) = self.get(place) else { continue };
            let end = lives_until(flow);
            if end <= now {
                overdue.push((sequence, place));
            } else {
                later.push((
                    place,
                    When { second: end.seconds().max(second), is_established: flow.is_established() },
                ));
            }
        }
        for (place, when) in later {
            self.put_off(place, when);
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
        let (began, evicted, crowded_out) = (self.began, self.evicted, self.crowded_out);
        self.saved = Some(Saved { began, evicted, crowded_out, ..Saved::default() });
    }

    /// Puts everything back as it was at the mark. How many flows that took.
    pub(crate) fn put_back(&mut self) -> usize {
        let Some(saved) = self.saved.take() else { return 0 };
        let count = saved.flows.len() + saved.due.len();
        for place in saved.flows.keys() {
            self.remove(*place);
        }
        let restored: BTreeSet<u32> =
            saved.flows.iter().filter(|(_, flow)| flow.is_some()).map(|(place, _)| *place).collect();
        self.free.retain(|place| !restored.contains(place));
        for (place, flow) in saved.flows {
            if let Some((flow, when)) = flow {
                self.put(place, flow, when);
            }
        }
        for (place, when) in saved.due {
            self.put_off(place, when);
        }
        (self.began, self.evicted, self.crowded_out) = (saved.began, saved.evicted, saved.crowded_out);
        count
    }

    fn save(&mut self, place: u32) {
        if self.saved.is_some() {
            self.save_now(place);
        }
    }

    #[inline(never)]
    fn save_now(&mut self, place: u32) {
        if let Some(saved) = &mut self.saved
            && !saved.flows.contains_key(&place)
        {
            let when = saved.due.remove(&place).or_else(|| self.due.get(place as usize).copied());
            let flow = self.slots.get(place as usize).cloned().flatten();
            saved.flows.insert(place, flow.map(|flow| (flow, when.unwrap_or_default())));
        }
    }
}
