//! A store as bytes: its revision, the changes that it keeps, oldest first, and its entries in the order of their keys.
//!
//! Upon a snapshot: everything is written, once, into memory reserved for it.
//! Upon a restore: the bytes are refused unless a store with these limits could be in the state that they describe, as
//!   far as the state itself tells:
//!   - keys stand in strict order, and everything is within the limits;
//!   - every entry was put at a revision of its own, not after the store's, and not before it can have its version;
//!   - the changes are those of the last revisions, without a gap, and tell what the entries hold: a key's last change is
//!     its entry or its absence, and an entry younger than the oldest change is the last change of its key.

use crate::answer::{Change, Entry, Item};
use crate::command::Revision;
use crate::store::{CHANGES_BYTES_MAX, CHANGES_MAX, KEYS_MAX, Limits, STORE_BYTES_MAX, entry_bytes};
use agree::machine::SERVICE_BYTES_MAX;
use bytes::Bytes;
use std::collections::BTreeMap;
use wire::encode::encode_length;
use wire::{Encode, codec_struct};

// What a full store is as bytes fits the snapshot of a service.
const _: () = assert!(HEAD_BYTES + CHANGES_BYTES_MAX + STORE_BYTES_MAX <= SERVICE_BYTES_MAX);

/// A revision and two lengths.
const HEAD_BYTES: usize = 8 + 4 + 4;

/// A store is never at a later revision than this, so that counting on cannot overflow: at a million mutations a second
/// it is a hundred thousand years away.
const REVISION_MAX: Revision = Revision(1 << 62);

/// A store that was read back.
pub(crate) struct Image {
    pub(crate) revision: Revision,
    pub(crate) changes: Vec<Change>,
    pub(crate) entries: Vec<Entry>,
}

codec_struct!(Image |from| {
    revision,
    changes = from.list("changes", CHANGES_MAX),
    entries = from.list("entries", KEYS_MAX),
});

/// The image of a store with these parts, which count so many bytes.
pub(crate) fn encode<'a>(
    revision: Revision,
    changes: impl ExactSizeIterator<Item = &'a Change>,
    changes_bytes: usize,
    entries: impl ExactSizeIterator<Item = (&'a Bytes, &'a Item)>,
    entries_bytes: usize,
) -> Bytes {
    let mut to = Vec::with_capacity(HEAD_BYTES + changes_bytes + entries_bytes);
    revision.encode(&mut to);
    encode_length(changes.len(), &mut to);
    changes.for_each(|change| change.encode(&mut to));
    encode_length(entries.len(), &mut to);
    for (key, item) in entries {
        key.encode(&mut to);
        item.encode(&mut to);
    }
    Bytes::from(to)
}

impl Image {
    /// Says why no store with these limits can be in this state.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), String> {
        if self.revision > REVISION_MAX {
            return Err(format!("{} is not reached in any life", self.revision));
        }
        self.check_limits(limits)?;
        self.check_entries()?;
        self.check_changes()
    }

    fn check_limits(&self, limits: &Limits) -> Result<(), String> {
        let entries: usize =
            self.entries.iter().map(|entry| entry_bytes(&entry.key, &entry.item.value)).sum();
        let changes: usize = self.changes.iter().map(Change::bytes).sum();
        for (what, found, limit) in [
            ("keys", self.entries.len(), limits.keys),
            ("bytes of entries", entries, limits.store_bytes),
            ("changes", self.changes.len(), limits.changes),
            ("bytes of changes", changes, limits.changes_bytes),
        ] {
            if found > limit {
                return Err(format!("{found} {what}, at most {limit} are allowed"));
            }
        }
        Ok(())
    }

    fn check_entries(&self) -> Result<(), String> {
        if let Some(pair) = self.entries.windows(2).find(|pair| pair[0].key >= pair[1].key) {
            return Err(format!("the keys {:?} and {:?} are not in order", pair[0].key, pair[1].key));
        }
        let mut revisions: Vec<Revision> = Vec::with_capacity(self.entries.len());
        for Entry { key, item } in &self.entries {
            if item.revision > self.revision {
                return Err(format!(
                    "{key:?} was put at {}, the store is at {}",
                    item.revision, self.revision
                ));
            }
            if item.version.0 == 0 || item.version.0 > item.revision.0 {
                return Err(format!("{key:?} was put {} times at {}", item.version.0, item.revision));
            }
            revisions.push(item.revision);
        }
        revisions.sort_unstable();
        match revisions.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("two keys were put at {}", pair[0])),
            None => Ok(()),
        }
    }

    fn check_changes(&self) -> Result<(), String> {
        let Some(earliest) = self.revision.0.checked_sub(self.changes.len() as u64) else {
            return Err("there are more changes than revisions".into());
        };
        let mut last = BTreeMap::new();
        for (change, revision) in self.changes.iter().zip(earliest + 1..) {
            if change.revision() != Revision(revision) {
                return Err(format!("the change at {} stands for revision {revision}", change.revision()));
            }
            last.insert(change.key(), change);
        }
        let mut puts = last.values().filter(|change| matches!(change, Change::Put(_))).count();
        for entry in &self.entries {
            let told = match last.get(&entry.key) {
                Some(Change::Put(put)) => {
                    puts -= 1;
                    put == entry
                }
                Some(Change::Deleted(_)) => false,
                None => entry.item.revision <= Revision(earliest),
            };
            if !told {
                return Err(format!("the changes do not tell what {:?} holds", entry.key));
            }
        }
        if puts > 0 {
            return Err("a change tells of a key that is not there".into());
        }
        Ok(())
    }
}
