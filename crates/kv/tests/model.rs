//! The store against a model that is too simple to be wrong: seeded commands, and every answer compared.

use agree::Service;
use agree::request::RESULT_BYTES_MAX;
use bytes::Bytes;
use kv::answer::{Changes, Gone, ITEMS_BYTES_MAX, ITEMS_MAX, Listing};
use kv::command::{KEY_BYTES_MAX, VALUE_BYTES_MAX};
use kv::store::ENTRY_BYTES;
use kv::{Answer, Change, Command, Entry, Item, Limits, Outcome, Refusal, Revision, Store, Version};
use wire::{Decode, Encode};

/// Everything that ever changed, and nothing else.
struct Model {
    limits: Limits,
    log: Vec<Change>,
}

impl Model {
    fn revision(&self) -> Revision {
        Revision(self.log.len() as u64)
    }

    /// What is there: of each key its last change, in the order of the keys.
    fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for change in &self.log {
            entries.retain(|entry| entry.key != change.key());
            if let Change::Put(entry) = change {
                entries.push(entry.clone());
            }
        }
        entries.sort_by(|one, other| one.key.cmp(&other.key));
        entries
    }

    fn held(&self, key: &Bytes) -> Option<Item> {
        self.entries().into_iter().find(|entry| entry.key == key).map(|entry| entry.item)
    }

    fn answer(&mut self, command: &Command) -> Answer {
        let outcome = match command {
            Command::Put(put) => self.put(&put.key, &put.value),
            Command::Cas(cas) => match self.held(&cas.key).map_or(Revision::ZERO, |item| item.revision) {
                found if found == cas.expected => self.put(&cas.key, &cas.value),
                found => Outcome::Refused(Refusal::WrongRevision { found }),
            },
            Command::Delete(delete) => match self.held(&delete.key) {
                Some(item) => {
                    let gone = Gone { key: delete.key.clone(), revision: self.revision().next() };
                    self.log.push(Change::Deleted(gone));
                    Outcome::Deleted(Some(item.version))
                }
                None => Outcome::Deleted(None),
            },
            Command::Get(get) => Outcome::Found(self.held(&get.key)),
            Command::List(list) => {
                let mut matching: Vec<Entry> = self.entries();
                matching.retain(|entry| entry.key.starts_with(&list.prefix) && entry.key >= list.start);
                let sizes = matching.iter().map(entry_bytes).collect();
                let fits = fitting(sizes, list.limit);
                let next = matching.get(fits).map(|entry| entry.key.clone());
                matching.truncate(fits);
                Outcome::Listing(Listing { entries: matching, next })
            }
            Command::Watch(watch) => {
                let forgotten = self.forgotten();
                if watch.since > self.revision() {
                    return self.told(Outcome::Refused(Refusal::NotReached));
                }
                if watch.since.0 < forgotten {
                    let earliest = Revision(forgotten);
                    return self.told(Outcome::Refused(Refusal::Compacted { earliest }));
                }
                let mut matching: Vec<Change> = self.log[watch.since.0 as usize..].to_vec();
                matching.retain(|change| change.key().starts_with(&watch.prefix));
                let sizes = matching.iter().map(change_bytes).collect();
                let fits = fitting(sizes, watch.limit);
                let until = matching
                    .get(fits)
                    .map_or(self.revision(), |cut| Revision(cut.revision().0 - 1).max(watch.since));
                matching.truncate(fits);
                Outcome::Changes(Changes { changes: matching, until })
            }
        };
        self.told(outcome)
    }

    fn told(&self, outcome: Outcome) -> Answer {
        Answer { revision: self.revision(), outcome }
    }

    fn put(&mut self, key: &Bytes, value: &Bytes) -> Outcome {
        let held = self.held(key);
        let others: Vec<Entry> = self.entries().into_iter().filter(|entry| entry.key != key).collect();
        if held.is_none() && others.len() >= self.limits.keys {
            return Outcome::Refused(Refusal::TooManyKeys { limit: self.limits.keys as u64 });
        }
        let bytes = others.iter().map(entry_bytes).sum::<usize>() + ENTRY_BYTES + key.len() + value.len();
        if bytes > self.limits.store_bytes {
            return Outcome::Refused(Refusal::StoreFull { limit: self.limits.store_bytes as u64 });
        }
        let version = Version(held.map_or(0, |item| item.version.0) + 1);
        let item = Item { value: value.clone(), revision: self.revision().next(), version };
        self.log.push(Change::Put(Entry { key: key.clone(), item }));
        Outcome::Written(version)
    }

    /// How many of the first changes do not fit among those that are kept.
    fn forgotten(&self) -> u64 {
        let (mut kept, mut bytes) = (0, 0);
        for change in self.log.iter().rev() {
            bytes += change_bytes(change);
            if kept == self.limits.changes || bytes > self.limits.changes_bytes {
                break;
            }
            kept += 1;
        }
        (self.log.len() - kept) as u64
    }
}

fn entry_bytes(entry: &Entry) -> usize {
    ENTRY_BYTES + entry.key.len() + entry.item.value.len()
}

fn change_bytes(change: &Change) -> usize {
    match change {
        Change::Put(entry) => entry_bytes(entry),
        Change::Deleted(gone) => ENTRY_BYTES + gone.key.len(),
    }
}

/// How many of these fit one answer.
fn fitting(sizes: Vec<usize>, limit: u32) -> usize {
    let limit = (limit as usize).min(ITEMS_MAX);
    (0..=sizes.len().min(limit))
        .rev()
        .find(|count| sizes[..*count].iter().sum::<usize>() <= ITEMS_BYTES_MAX)
        .expect("none at all fits")
}

/// SplitMix64: enough to spread a seed, and the same for ever.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// One of few keys, so that they meet; the empty one among them.
    fn key(&mut self) -> Bytes {
        let length = self.below(4);
        (0..length).map(|_| b"ab"[self.below(2) as usize]).collect()
    }

    fn value(&mut self) -> Bytes {
        let length =
            if self.below(20) == 0 { self.below(VALUE_BYTES_MAX as u64 + 1) } else { self.below(50) };
        Bytes::from(vec![self.below(256) as u8; length as usize])
    }

    /// A revision near `now` more often than not.
    fn revision(&mut self, now: Revision) -> Revision {
        match self.below(10) {
            0 => Revision(self.next()),
            1 => Revision(now.0 + 1),
            2 => Revision(self.below(now.0 + 1)),
            _ => Revision(now.0.saturating_sub(self.below(12))),
        }
    }

    fn limit(&mut self) -> u32 {
        [0, 1, 2, 5, 1024, u32::MAX][self.below(6) as usize]
    }

    fn command(&mut self, model: &Model) -> Command {
        let (key, now) = (self.key(), model.revision());
        match self.below(12) {
            0..=3 => Command::put(key, self.value()),
            4 | 5 => Command::get(key),
            6 => {
                let held = model.held(&key).map_or(Revision::ZERO, |item| item.revision);
                let expected = if self.below(4) > 0 { held } else { self.revision(now) };
                Command::cas(key, expected, self.value())
            }
            7 => Command::delete(key),
            8 | 9 => Command::list(key, self.key(), self.limit()),
            _ => Command::watch(key, self.revision(now), self.limit()),
        }
    }
}

/// Limits that a short run meets: some by number, some by bytes.
fn limits(seed: u64) -> Limits {
    Limits {
        keys: [3, 9, 100][seed as usize % 3],
        store_bytes: [600, 70_000, 200_000][seed as usize / 3 % 3],
        changes: [0, 1, 7, 100][seed as usize % 4],
        changes_bytes: [0, 200, 100_000][seed as usize / 4 % 3],
    }
}

/// Which kinds of outcome a run has seen, so that a run that sees nothing is noticed.
fn kind(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Written(_) => 0,
        Outcome::Deleted(Some(_)) => 1,
        Outcome::Deleted(None) => 2,
        Outcome::Found(_) => 3,
        Outcome::Listing(listing) => 4 + usize::from(listing.next.is_some()),
        Outcome::Changes(changes) => 6 + usize::from(changes.changes.len() > 1),
        Outcome::Refused(Refusal::TooManyKeys { .. }) => 8,
        Outcome::Refused(Refusal::StoreFull { .. }) => 9,
        Outcome::Refused(Refusal::WrongRevision { .. }) => 10,
        Outcome::Refused(Refusal::Compacted { .. }) => 11,
        Outcome::Refused(Refusal::NotReached) => 12,
        Outcome::Refused(_) => panic!("a command that was made here is a command: {outcome:?}"),
    }
}

#[test]
fn store_twin_and_model_give_the_same_answers_and_a_restored_store_goes_on_alike() {
    let mut seen = [0; 13];
    for seed in 0..72 {
        let mut chance = Chance(seed);
        let limits = limits(seed);
        let mut model = Model { limits, log: Vec::new() };
        let (mut store, mut twin) = (Store::new(limits), Store::new(limits));
        for step in 0..400 {
            let command = chance.command(&model);
            let bytes = command.to_bytes();
            let before = store.digest();
            let result = store.apply(&bytes);
            assert!(result.len() <= RESULT_BYTES_MAX);
            let answer = Answer::from_bytes(result.clone()).expect("an answer decodes");
            let expected = model.answer(&command);
            assert_eq!(answer, expected, "seed {seed}, step {step}: {command:?}");
            assert_eq!(twin.apply(&bytes), result);
            assert_eq!(twin.digest(), store.digest());
            let is_mutation = matches!(answer.outcome, Outcome::Written(_) | Outcome::Deleted(Some(_)));
            assert_eq!(store.digest() != before, is_mutation, "seed {seed}, step {step}: {command:?}");
            assert_eq!(store.keys(), model.entries().len());
            assert_eq!(store.bytes(), model.entries().iter().map(entry_bytes).sum());
            seen[kind(&answer.outcome)] += 1;
            if step % 16 == 0 {
                assert_eq!(twin.snapshot(), store.snapshot());
                let mut restored = Store::new(limits);
                restored.apply(&Command::put("what was there before", "is gone").to_bytes());
                restored.restore(&store.snapshot()).expect("it is a snapshot");
                assert_eq!(restored, store, "the digest, the past and the counts included");
                twin = restored;
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 50), "{seen:?}: the runs are too tame to test much");
}

#[test]
fn damaged_commands_get_an_answer_and_damaged_snapshots_a_reason() {
    let limits = Limits { keys: 20, store_bytes: 100_000, changes: 10, changes_bytes: 10_000 };
    let mut model = Model { limits, log: Vec::new() };
    let mut store = Store::new(limits);
    let mut chance = Chance(7);
    let (mut refused, mut taken) = (0, 0);
    for _ in 0..20_000 {
        let mut bytes = chance.command(&model).to_bytes().to_vec();
        for _ in 0..chance.below(3) {
            let at = chance.below(bytes.len() as u64) as usize;
            match chance.below(3) {
                0 => bytes[at] = chance.below(256) as u8,
                1 => bytes.truncate(at),
                _ => bytes.push(0),
            }
            if bytes.is_empty() {
                break;
            }
        }
        let bytes = Bytes::from(bytes);
        let answer = Answer::from_bytes(store.apply(&bytes)).expect("an answer decodes");
        match Command::from_bytes(bytes) {
            Ok(command) => assert_eq!(answer, model.answer(&command)),
            Err(_) => {
                assert!(matches!(answer.outcome, Outcome::Refused(_)), "{answer:?}");
                refused += 1;
            }
        }
        if chance.below(100) == 0 {
            model.log.clear();
            store = Store::new(limits);
        }
    }
    for _ in 0..20_000 {
        if chance.below(50) == 0 {
            store = Store::new(limits);
            (0..chance.below(30)).for_each(|at| {
                store.execute(&Command::put(chance.key(), at.to_le_bytes().to_vec()));
            });
        }
        let mut bytes = store.snapshot().to_vec();
        let at = chance.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << chance.below(8);
        let before = store.clone();
        match store.restore(&Bytes::from(bytes.clone())) {
            Err(error) => assert!(!error.reason.is_empty() && store == before),
            Ok(()) => {
                assert_eq!(store.snapshot(), bytes, "equal states have equal snapshots, and no other bytes");
                assert_ne!(store.digest(), before.digest());
                store = before;
                taken += 1;
            }
        }
    }
    assert!(refused > 1000 && taken > 100, "{refused} commands refused, {taken} changed snapshots taken");
}

#[test]
fn keys_and_values_over_their_limit_are_refused_with_their_length() {
    let mut store = Store::default();
    let mut told = |command: Command| match Answer::from_bytes(store.apply(&command.to_bytes())) {
        Ok(Answer { outcome: Outcome::Refused(refusal), .. }) => Some(refusal),
        _ => None,
    };
    let key = vec![b'k'; KEY_BYTES_MAX];
    let value = vec![b'v'; VALUE_BYTES_MAX];
    assert_eq!(told(Command::put(key.clone(), value.clone())), None);
    assert_eq!(told(Command::list(key.clone(), key.clone(), 1)), None);
    let (longer_key, longer_value) = ([&key[..], b"k"].concat(), [&value[..], b"v"].concat());
    let too_long = Some(Refusal::KeyTooLong { bytes: KEY_BYTES_MAX as u32 + 1 });
    assert_eq!(told(Command::put(longer_key.clone(), "v")), too_long);
    assert_eq!(told(Command::get(longer_key.clone())), too_long);
    assert_eq!(told(Command::delete(longer_key.clone())), too_long);
    assert_eq!(told(Command::list(longer_key.clone(), "", 1)), too_long);
    assert_eq!(told(Command::list("", longer_key.clone(), 1)), too_long);
    assert_eq!(told(Command::watch(longer_key, Revision::ZERO, 1)), too_long);
    let too_long = Some(Refusal::ValueTooLong { bytes: VALUE_BYTES_MAX as u32 + 1 });
    assert_eq!(told(Command::put("k", longer_value.clone())), too_long);
    assert_eq!(told(Command::cas("k", Revision::ZERO, longer_value)), too_long);
}

/// Pages put together are the whole, whatever cuts them.
#[test]
fn a_list_and_a_watch_that_are_cut_can_be_gone_on_with() {
    let mut store = Store::default();
    for at in 0..3000u32 {
        let key = at.to_be_bytes().to_vec();
        let length = if at.is_multiple_of(500) { VALUE_BYTES_MAX } else { 10 };
        store.execute(&Command::put([&b"p"[..], &key].concat(), vec![at as u8; length]));
    }
    store.execute(&Command::put("q", "after"));
    let (mut listed, mut start, mut pages) = (Vec::new(), Bytes::new(), 0);
    loop {
        let Outcome::Listing(page) = store.execute(&Command::list("p", start, u32::MAX)).outcome else {
            panic!("a list is answered with a listing")
        };
        assert!(!page.entries.is_empty());
        listed.extend(page.entries);
        pages += 1;
        match page.next {
            Some(next) => start = next,
            None => break,
        }
    }
    assert!(pages > 6, "{pages}");
    assert_eq!(listed.len(), 3000);
    assert!(listed.is_sorted_by(|one, other| one.key < other.key));
    let (mut watched, mut since) = (Vec::new(), Revision::ZERO);
    while since < store.revision() {
        let Outcome::Changes(page) = store.execute(&Command::watch("p", since, 700)).outcome else {
            panic!("a watch is answered with changes")
        };
        assert!(page.until > since, "every page leads on");
        watched.extend(page.changes);
        since = page.until;
    }
    assert_eq!(watched, listed.into_iter().map(Change::Put).collect::<Vec<_>>());
}

#[test]
fn the_usual_limits_hold_and_a_full_store_still_serves() {
    let mut store = Store::default();
    let mut put = 0u64;
    let value = Bytes::from(vec![7; VALUE_BYTES_MAX]);
    let full = loop {
        match store.execute(&Command::put(put.to_be_bytes().to_vec(), value.clone())).outcome {
            Outcome::Written(_) => put += 1,
            outcome => break outcome,
        }
    };
    let limits = Limits::default();
    assert_eq!(full, Outcome::Refused(Refusal::StoreFull { limit: limits.store_bytes as u64 }));
    assert!(store.bytes() + VALUE_BYTES_MAX + ENTRY_BYTES + 8 > limits.store_bytes);
    assert!(store.snapshot().len() <= limits.store_bytes + limits.changes_bytes + 16);
    let first = 0u64.to_be_bytes().to_vec();
    let outcome = store.execute(&Command::put(first.clone(), "small")).outcome;
    assert_eq!(outcome, Outcome::Written(Version(2)), "a smaller value always fits");
    assert_eq!(store.execute(&Command::delete(first)).outcome, Outcome::Deleted(Some(Version(2))));
    let outcome = store.execute(&Command::put(put.to_be_bytes().to_vec(), value)).outcome;
    assert_eq!(outcome, Outcome::Written(Version(1)), "what was freed can be used");

    let mut store = Store::default();
    for key in 0..limits.keys as u64 {
        let outcome = store.execute(&Command::put(key.to_be_bytes().to_vec(), "")).outcome;
        assert_eq!(outcome, Outcome::Written(Version(1)));
    }
    let more = store.execute(&Command::put("one more", "")).outcome;
    assert_eq!(more, Outcome::Refused(Refusal::TooManyKeys { limit: limits.keys as u64 }));
    let again = store.execute(&Command::put(0u64.to_be_bytes().to_vec(), "")).outcome;
    assert_eq!(again, Outcome::Written(Version(2)), "a key that is there can be put");
}

/// States are compared, not the ways that led to them.
#[test]
fn equal_states_have_equal_digests_and_snapshots_whatever_led_to_them() {
    let limits = Limits { changes: 3, ..Limits::default() };
    let reach = |first: &'static str| {
        let mut store = Store::new(limits);
        store.execute(&Command::put(first, first));
        store.execute(&Command::delete(first));
        (0..3u8).for_each(|at| {
            store.execute(&Command::put("k", vec![at]));
        });
        store
    };
    let (one, other) = (reach("a"), reach("b"));
    assert_eq!(one, other);
    assert_eq!((one.digest(), one.snapshot()), (other.digest(), other.snapshot()));
}

/// A key of a few bytes must not keep the buffer alive that its command came in.
#[test]
fn what_is_kept_is_not_a_slice_of_what_came_in() {
    let command = Command::put("key", vec![7; 100]).to_bytes();
    let buffer = command.as_ptr_range();
    let mut store = Store::default();
    store.apply(&command);
    let is_inside = |kept: &Bytes| buffer.contains(&kept.as_ptr());
    let Outcome::Listing(listing) = store.execute(&Command::list("", "", 9)).outcome else { panic!() };
    assert!(!is_inside(&listing.entries[0].key) && !is_inside(&listing.entries[0].item.value));
    let Outcome::Changes(changes) = store.execute(&Command::watch("", Revision::ZERO, 9)).outcome else {
        panic!()
    };
    assert!(!is_inside(changes.changes[0].key()));
}
