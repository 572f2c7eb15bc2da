//! The replicated key-value store.
//!
//! Upon PUT: the key holds the value. Upon CAS: the same, if the key was last changed at the revision expected; else
//!   [`Refusal::WrongRevision`]. Upon DELETE: there is no such key; if there was none before, nothing is changed.
//!   Each of these that changes something gets the next revision; the key remembers it, and how often it was put.
//! Upon GET and LIST: what is there. Upon WATCH: what changed ([`crate::changes`]).
//! Upon a mutation for which there is no room: a refusal, and nothing is changed. A store that is full still gets, lists,
//!   deletes and puts smaller values.
//! Upon anything else: a refusal that says so.
//!
//! Whatever is kept is copied out of the command: a command is part of a batch that came in one buffer, and one small key
//! would keep all of that alive.
//!
//! Not here: time, so nothing expires; several keys in one command, so no transactions.

use crate::answer::{
    Answer, CHANGE_BYTES, Change, Entry, Gone, ITEMS_BYTES_MAX, ITEMS_MAX, Item, Listing, Outcome, Refusal,
};
use crate::changes::Past;
use crate::command::{Cas, Command, List, Revision, Version};
use crate::fingerprint::Fingerprint;
use crate::image::{self, Image};
use agree::Service;
use agree::service::RestoreError;
use bytes::Bytes;
use core::ops::Bound;
use std::collections::BTreeMap;
use wire::{Decode, Digest, Encode};

/// Keys at most.
pub const KEYS_MAX: usize = 1 << 20;

/// Bytes of all keys and values at most, [`ENTRY_BYTES`] for each key included.
pub const STORE_BYTES_MAX: usize = 256 << 20;

/// What an entry counts beside its key and its value.
pub const ENTRY_BYTES: usize = CHANGE_BYTES;

/// Changes kept for watchers at most.
pub const CHANGES_MAX: usize = 8 << 10;

/// Bytes of the changes kept for watchers at most.
pub const CHANGES_BYTES_MAX: usize = 4 << 20;

/// What a store may hold: part of the service, not of its state. The same at all replicas of a cluster, since answers
/// depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limits {
    /// Keys at most.
    pub keys: usize,
    /// Bytes of the entries at most.
    pub store_bytes: usize,
    /// Changes kept at most.
    pub changes: usize,
    /// Bytes of the changes kept at most.
    pub changes_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            keys: KEYS_MAX,
            store_bytes: STORE_BYTES_MAX,
            changes: CHANGES_MAX,
            changes_bytes: CHANGES_BYTES_MAX,
        }
    }
}

/// The store.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Store {
    limits: Limits,
    revision: Revision,
    entries: BTreeMap<Bytes, Held>,
    past: Past,
    /// Follows from `entries`, as the next does.
    bytes: usize,
    sum: Fingerprint,
}

/// What a key holds, and the print of the change that put it there.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Held {
    item: Item,
    print: Digest,
}

impl Store {
    /// An empty store with other limits than the usual ones.
    ///
    /// # Panics
    /// If one is over the usual one, which is what snapshots are sized for.
    #[must_use]
    pub fn new(limits: Limits) -> Store {
        let most = Limits::default();
        assert!(limits.keys <= most.keys && limits.store_bytes <= most.store_bytes, "{limits:?}");
        assert!(limits.changes <= most.changes && limits.changes_bytes <= most.changes_bytes, "{limits:?}");
        Store { limits, ..Store::default() }
    }

    /// How many mutations it has seen.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// How many keys it has.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.entries.len()
    }

    /// What its entries count against [`Limits::store_bytes`].
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What `key` holds.
    #[must_use]
    pub fn held(&self, key: &Bytes) -> Option<&Item> {
        self.entries.get(key).map(|held| &held.item)
    }

    /// Executes `command`.
    pub fn execute(&mut self, command: &Command) -> Answer {
        let outcome = self.outcome(command).unwrap_or_else(Outcome::Refused);
        Answer { revision: self.revision, outcome }
    }

    fn outcome(&mut self, command: &Command) -> Result<Outcome, Refusal> {
        Ok(match command {
            Command::Put(put) => Outcome::Written(self.write(&put.key, &put.value)?),
            Command::Cas(cas) => Outcome::Written(self.compare_and_write(cas)?),
            Command::Delete(delete) => Outcome::Deleted(self.delete(&delete.key)),
            Command::Get(get) => Outcome::Found(self.held(&get.key).cloned()),
            Command::List(list) => Outcome::Listing(self.list(list)),
            Command::Watch(watch) => Outcome::Changes(self.past.watch(watch, self.revision)?),
        })
    }

    fn compare_and_write(&mut self, cas: &Cas) -> Result<Version, Refusal> {
        let found = self.held(&cas.key).map_or(Revision::ZERO, |item| item.revision);
        if found != cas.expected {
            return Err(Refusal::WrongRevision { found });
        }
        self.write(&cas.key, &cas.value)
    }

    fn write(&mut self, key: &Bytes, value: &Bytes) -> Result<Version, Refusal> {
        let before = self.entries.get(key);
        if before.is_none() && self.entries.len() >= self.limits.keys {
            return Err(Refusal::TooManyKeys { limit: self.limits.keys as u64 });
        }
        let freed = before.map_or(0, |held| entry_bytes(key, &held.item.value));
        let bytes = self.bytes - freed + entry_bytes(key, value);
        if bytes > self.limits.store_bytes {
            return Err(Refusal::StoreFull { limit: self.limits.store_bytes as u64 });
        }
        let version = before.map_or(Version(1), |held| Version(held.item.version.0 + 1));
        let item = Item { value: Bytes::copy_from_slice(value), revision: self.revision.next(), version };
        self.put(Entry { key: Bytes::copy_from_slice(key), item });
        Ok(version)
    }

    fn put(&mut self, entry: Entry) {
        let change = Change::Put(entry.clone());
        let print = Digest::of(&change);
        self.bytes += entry_bytes(&entry.key, &entry.item.value);
        self.sum.add(&print);
        let key = entry.key.clone();
        if let Some(before) = self.entries.insert(entry.key, Held { item: entry.item, print }) {
            self.forget(&key, &before);
        }
        self.changed(change, print);
    }

    fn delete(&mut self, key: &Bytes) -> Option<Version> {
        let (key, held) = self.entries.remove_entry(key)?;
        self.forget(&key, &held);
        let change = Change::Deleted(Gone { key, revision: self.revision.next() });
        let print = Digest::of(&change);
        self.changed(change, print);
        Some(held.item.version)
    }

    /// What `key` held is not there any more.
    fn forget(&mut self, key: &Bytes, held: &Held) {
        self.bytes -= entry_bytes(key, &held.item.value);
        self.sum.take(&held.print);
    }

    fn changed(&mut self, change: Change, print: Digest) {
        self.revision = self.revision.next();
        self.past.push(change, print, self.limits.changes, self.limits.changes_bytes);
    }

    fn list(&self, list: &List) -> Listing {
        let limit = usize::try_from(list.limit).unwrap_or(ITEMS_MAX).min(ITEMS_MAX);
        let start = (&list.start).max(&list.prefix);
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for (key, held) in self.entries.range::<Bytes, _>((Bound::Included(start), Bound::Unbounded)) {
            if !key.starts_with(&list.prefix) {
                break;
            }
            bytes += entry_bytes(key, &held.item.value);
            if entries.len() == limit || bytes > ITEMS_BYTES_MAX {
                return Listing { entries, next: Some(key.clone()) };
            }
            entries.push(Entry { key: key.clone(), item: held.item.clone() });
        }
        Listing { entries, next: None }
    }
}

pub(crate) fn entry_bytes(key: &Bytes, value: &Bytes) -> usize {
    ENTRY_BYTES + key.len() + value.len()
}

impl Service for Store {
    fn apply(&mut self, command: &Bytes) -> Bytes {
        let answer = match Command::from_bytes(command.clone()) {
            Ok(command) => self.execute(&command),
            Err(error) => Answer { revision: self.revision, outcome: Outcome::Refused(error.into()) },
        };
        answer.to_bytes()
    }

    fn digest(&self) -> Digest {
        let mut state = Vec::with_capacity(80);
        self.revision.encode(&mut state);
        for lane in [self.sum.lanes(), self.past.sum().lanes()].as_flattened() {
            lane.encode(&mut state);
        }
        Digest::of_bytes(&state)
    }

    fn snapshot(&self) -> Bytes {
        let entries = self.entries.iter().map(|(key, held)| (key, &held.item));
        image::encode(self.revision, self.past.changes(), self.past.bytes(), entries, self.bytes)
    }

    fn restore(&mut self, snapshot: &Bytes) -> Result<(), RestoreError> {
        let image = Image::from_bytes(snapshot.clone())?;
        image.check(&self.limits).map_err(|reason| RestoreError { reason })?;
        let mut store = Store { revision: image.revision, ..Store::new(self.limits) };
        for change in &image.changes {
            let print = Digest::of(change);
            store.past.push(owned(change), print, self.limits.changes, self.limits.changes_bytes);
        }
        for entry in &image.entries {
            let change = owned(&Change::Put(entry.clone()));
            let print = Digest::of(&change);
            store.bytes += entry_bytes(&entry.key, &entry.item.value);
            store.sum.add(&print);
            if let Change::Put(Entry { key, item }) = change {
                store.entries.insert(key, Held { item, print });
            }
        }
        *self = store;
        Ok(())
    }
}

/// The same change in memory of its own, so that a snapshot does not stay alive for what was read from it.
fn owned(change: &Change) -> Change {
    match change {
        Change::Put(Entry { key, item }) => Change::Put(Entry {
            key: Bytes::copy_from_slice(key),
            item: Item { value: Bytes::copy_from_slice(&item.value), ..item.clone() },
        }),
        Change::Deleted(Gone { key, revision }) => {
            Change::Deleted(Gone { key: Bytes::copy_from_slice(key), revision: *revision })
        }
    }
}
