//! The groups that are alive, with a limit.
//!
//! Upon one too many: a group of a single failure goes first, then one that was not told yet, then one that was; of these the one whose time ends first. So
//! a flood of forged senders, who fail once each, drives out nobody but themselves. It is counted, and what was not told of it yet is told.
//!
//! Ends are filed lazily: a group that goes on is filed anew only when its old end comes, so that counting costs one look-up.

use super::group::{Group, Standing};
use super::key::Key;
use crate::Time;
use std::collections::{BTreeMap, BTreeSet};

/// Groups at most.
pub(crate) const GROUPS_MAX: usize = 1 << 16;
/// Ranks of groups, see [`Group::rank`].
const RANKS: usize = 3;

#[derive(Clone, Debug)]
struct Entry {
    group: Group,
    /// Under what it is filed.
    filed: (usize, Time),
    /// When it ends if nothing more comes.
    until: Time,
}

/// Groups by when they end, by rank.
type Ends = [BTreeSet<(Time, Key)>; RANKS];

/// The groups that are alive.
#[derive(Clone, Default, Debug)]
pub(crate) struct Groups {
    /// Boxed, since a tree moves what it holds.
    entries: BTreeMap<Key, Box<Entry>>,
    ends: Ends,
    evicted: u64,
}

impl Groups {
    pub(crate) fn get_mut(&mut self, key: &Key) -> Option<&mut Group> {
        self.entries.get_mut(key).map(|entry| &mut entry.group)
    }

    /// Adds a group; if there was no room, one that had to go.
    pub(crate) fn add(&mut self, key: Key, group: Group, until: Time) -> Option<(Key, Group)> {
        self.remove(&key);
        let gone = if self.entries.len() >= GROUPS_MAX { self.evict() } else { None };
        let filed = (group.rank(), until);
        self.ends[filed.0].insert((until, key));
        self.entries.insert(key, Box::new(Entry { group, filed, until }));
        gone
    }

    /// Counts in a group, if it is there; where it stands then. If it waits, it ends a `window` after it began; if it does not count any longer, it is gone.
    pub(crate) fn count(
        &mut self,
        key: &Key,
        window: u64,
        count: impl FnOnce(&mut Group) -> Option<Standing>,
    ) -> Option<Standing> {
        let entry = self.entries.get_mut(key)?;
        let Some(standing) = count(&mut entry.group) else {
            self.remove(key);
            return None;
        };
        if standing == Standing::Waits {
            entry.until = Time(entry.group.since.0.saturating_add(window));
            refile(&mut self.ends, key, entry);
        }
        Some(standing)
    }

    /// A group was changed: it ends at `until` now.
    pub(crate) fn touched(&mut self, key: &Key, until: Time) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.until = until;
        refile(&mut self.ends, key, entry);
    }

    pub(crate) fn remove(&mut self, key: &Key) -> Option<Group> {
        let entry = self.entries.remove(key)?;
        self.ends[entry.filed.0].remove(&(entry.filed.1, *key));
        Some(entry.group)
    }

    /// A group whose time is over, if there is one: those of low rank first, then by their end.
    pub(crate) fn over(&mut self, now: Time) -> Option<(Key, Group)> {
        (0..RANKS).find_map(|rank| self.first(rank, now))
    }

    /// All that are left, in the order of their keys.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (Key, Group)> + use<> {
        self.ends = Default::default();
        std::mem::take(&mut self.entries).into_iter().map(|(key, entry)| (key, entry.group))
    }

    /// Groups that went for want of room.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        assert_eq!(self.entries.len(), self.ends.iter().map(BTreeSet::len).sum::<usize>());
        self.entries.len()
    }

    fn evict(&mut self) -> Option<(Key, Group)> {
        self.evicted += 1;
        (0..RANKS).find_map(|rank| self.first(rank, Time(u64::MAX)))
    }

    /// The group of this rank that ends first, if it ends by `now`.
    fn first(&mut self, rank: usize, now: Time) -> Option<(Key, Group)> {
        loop {
            let (filed, key) = *self.ends.get(rank)?.first()?;
            if filed > now {
                return None;
            }
            self.ends[rank].pop_first();
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            if entry.until > filed {
                // It went on since it was filed.
                entry.filed.1 = entry.until;
                self.ends[rank].insert((entry.until, key));
                continue;
            }
            return self.entries.remove(&key).map(|entry| (key, entry.group));
        }
    }
}

/// Files a group anew, if it is due earlier than where it is filed, or elsewhere.
fn refile(ends: &mut Ends, key: &Key, entry: &mut Entry) {
    let (rank, until) = (entry.group.rank(), entry.until);
    if rank != entry.filed.0 || until < entry.filed.1 {
        ends[entry.filed.0].remove(&(entry.filed.1, *key));
        entry.filed = (rank, until);
        ends[rank].insert((until, *key));
    }
}
