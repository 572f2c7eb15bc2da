//! A map that keeps what was used most recently: beyond its limit, what was not touched longest is forgotten.

use std::collections::BTreeMap;

/// The map.
#[derive(Clone, Debug)]
pub(crate) struct Recent<K, V> {
    entries_max: usize,
    clock: u64,
    entries: BTreeMap<K, (u64, V)>,
    by_age: BTreeMap<u64, K>,
}

impl<K: Ord + Clone, V> Recent<K, V> {
    /// An empty one that keeps so many.
    pub(crate) fn new(entries_max: usize) -> Self {
        Recent { entries_max, clock: 0, entries: BTreeMap::new(), by_age: BTreeMap::new() }
    }

    /// Puts one in, in the place of what had the same key.
    pub(crate) fn put(&mut self, key: K, value: V) {
        self.take(&key);
        if self.entries.len() >= self.entries_max
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.entries.remove(&oldest);
        }
        let age = self.tick();
        self.entries.insert(key.clone(), (age, value));
        self.by_age.insert(age, key);
    }

    /// Looks one up, which counts as a use.
    pub(crate) fn get(&mut self, key: &K) -> Option<&V> {
        let now = self.tick();
        let (age, value) = self.entries.get_mut(key)?;
        self.by_age.remove(age);
        self.by_age.insert(now, key.clone());
        *age = now;
        Some(value)
    }

    /// Takes one out.
    pub(crate) fn take(&mut self, key: &K) -> Option<V> {
        let (age, value) = self.entries.remove(key)?;
        self.by_age.remove(&age);
        Some(value)
    }

    fn tick(&mut self) -> u64 {
        self.clock = self.clock.wrapping_add(1);
        self.clock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_touched_longest_is_forgotten() {
        let mut recent = Recent::new(2);
        recent.put(1, 'a');
        recent.put(2, 'b');
        assert_eq!(recent.get(&1), Some(&'a'));
        recent.put(3, 'c');
        assert_eq!(recent.get(&2), None);
        assert_eq!((recent.take(&1), recent.take(&3)), (Some('a'), Some('c')));
        assert_eq!((recent.entries.len(), recent.by_age.len()), (0, 0));
    }
}
