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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Gone;
    use crate::command::{Command, Version};
    use crate::store::Store;
    use agree::Service;
    use wire::Decode;

    const LIMITS: Limits = Limits { keys: 4, store_bytes: 4000, changes: 3, changes_bytes: 3000 };

    /// `a` is older than the changes that are kept: those are the second put of `b`, the end of `c`, and `d`.
    fn image() -> Image {
        let mut store = Store::new(LIMITS);
        for command in [
            Command::put("a", "1"),
            Command::put("b", "2"),
            Command::put("c", "3"),
            Command::put("b", "4"),
            Command::delete("c"),
            Command::put("d", "6"),
        ] {
            store.execute(&command);
        }
        Image::from_bytes(store.snapshot()).expect("it is an image")
    }

    fn put(image: &mut Image, index: usize) -> &mut Entry {
        match &mut image.changes[index] {
            Change::Put(entry) => entry,
            Change::Deleted(gone) => panic!("{gone:?} is no put"),
        }
    }

    /// A part of the reason, and what breaks an image for it.
    type Case = (&'static str, fn(&mut Image));

    /// Each of these is one thing that no store can be, and everything else of it can.
    #[test]
    fn what_no_store_can_be_is_refused_with_the_reason() {
        assert_eq!(image().check(&LIMITS), Ok(()));
        let cases: [Case; 13] = [
            ("in any life", |image| image.revision = Revision(u64::MAX)),
            ("not in order", |image| image.entries.swap(0, 1)),
            ("not in order", |image| {
                let twin = Entry {
                    item: Item { revision: Revision(2), ..image.entries[0].item.clone() },
                    ..image.entries[0].clone()
                };
                image.entries.insert(1, twin);
            }),
            ("was put at revision 7", |image| image.entries[0].item.revision = Revision(7)),
            ("was put 0 times", |image| image.entries[0].item.version = Version(0)),
            ("was put 2 times", |image| image.entries[0].item.version = Version(2)),
            ("two keys were put", |image| {
                image.entries[0].item = Item { version: Version(1), ..image.entries[2].item.clone() };
            }),
            ("more changes than revisions", |image| {
                image.revision = Revision(2);
                image.entries.clear();
            }),
            ("stands for revision", |image| {
                image.changes[1] = Change::Deleted(Gone { key: "c".into(), revision: Revision(4) });
            }),
            // A put that is younger than the oldest change, and of which no change tells.
            ("do not tell what b\"a\"", |image| image.entries[0].item.revision = Revision(5)),
            ("do not tell what b\"b\"", |image| put(image, 0).item.value = "5".into()),
            ("do not tell what b\"c\"", |image| {
                let item = Item { value: "3".into(), revision: Revision(3), version: Version(1) };
                image.entries.insert(2, Entry { key: "c".into(), item });
            }),
            ("a key that is not there", |image| {
                image.entries.pop();
            }),
        ];
        for (reason, break_it) in cases {
            let mut image = image();
            break_it(&mut image);
            let error = image.check(&LIMITS).expect_err(reason);
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn what_is_over_a_limit_is_refused_with_both_numbers() {
        for (limits, reason) in [
            (Limits { keys: 2, ..LIMITS }, "3 keys, at most 2"),
            (Limits { store_bytes: 80, ..LIMITS }, "81 bytes of entries, at most 80"),
            (Limits { changes: 2, ..LIMITS }, "3 changes, at most 2"),
            (Limits { changes_bytes: 79, ..LIMITS }, "80 bytes of changes, at most 79"),
        ] {
            let error = image().check(&limits).expect_err(reason);
            assert!(error.contains(reason), "{error}");
        }
    }
}
