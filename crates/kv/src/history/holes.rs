//! Revisions that nobody was told to be his, and the operations of unknown outcome that may have made them.
//!
//! An operation can stand in a hole if it was invoked before anything returned that stands after the hole. So who can
//! stand in one hole can stand in every later one as well, and the holes are filled from the first on:
//!   - a hole that somebody **saw** (its value was read, listed or watched) is filled by an operation that wanted just that; of
//!     several the one invoked last, since the others can stand in earlier holes too;
//!   - a hole that nobody saw takes an operation on a key that must change before it is next heard of (versions count the
//!     puts of a key), the most urgent first; else one on a key that is never heard of again.
//!
//! Among puts this finds a way if there is one: it is scheduling by the earliest deadline. It is not **exact** where a delete or
//! a cas is of unknown outcome, which fits in one order and not in another, nor where it was seen that a key was put but not
//! what, or that something was not under a prefix. Then a way that fails proves nothing if there was a choice, and
//! the verdict says so.

use super::order::Place;
use super::{Operation, Verdict, Violation};
use crate::answer::{Change, Entry, Item, Outcome, Refusal};
use crate::command::{Command, Revision};
use crate::store::Store;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use wire::Time;

/// A revision that nobody was told to be his.
struct Hole<'a> {
    revision: Revision,
    /// The first moment at which something had returned that stands after it.
    deadline: Time,
    seen: Option<Seen<'a>>,
    /// Prefixes under which it is known not to be.
    not_under: Vec<&'a Bytes>,
    /// Who stands in it, if somebody saw it.
    filler: Option<usize>,
}

/// What was seen of a hole.
#[derive(Clone, Copy)]
enum Seen<'a> {
    Put(&'a Bytes, &'a Item),
    Deleted(&'a Bytes),
    /// The key was put, with an unknown value.
    Changed(&'a Bytes),
}

/// What is known of a key after all mutations up to a revision.
struct Heard {
    at: Revision,
    what: What,
}

enum What {
    /// When it was last put; zero if it is not there.
    Revision(Revision),
    /// Its version; zero if it is not there.
    Version(u64),
    /// It is there.
    Present,
}

/// How much a hole wants an operation on a key, the most first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    /// The key must change before this revision is over.
    By(Revision),
    /// The key is not heard of again.
    Free,
    /// Possible, if something else happens to the key before it is heard of.
    Perhaps,
}

/// The holes, and who may stand in them.
pub(super) struct Holes<'a> {
    history: &'a [Operation],
    open: VecDeque<Hole<'a>>,
    /// Operations of unknown outcome that stand nowhere, by key, in the order of invocation.
    left: BTreeMap<&'a Bytes, Vec<usize>>,
    /// What is known of the keys of these, in the order of revisions.
    heard: BTreeMap<&'a Bytes, Vec<Heard>>,
    /// If a way fails there is none.
    is_exact: bool,
    /// There was more than one way.
    was_choice: bool,
}

impl<'a> Holes<'a> {
    /// The holes of a history that begins at revision `start`. If there are more than operations that may stand in them,
    /// that is a violation.
    pub(super) fn find(
        start: Revision,
        history: &'a [Operation],
        order: &[Place<'a>],
    ) -> Result<Self, Violation> {
        let mut left: BTreeMap<&Bytes, Vec<usize>> = BTreeMap::new();
        let (mut unknown, mut is_exact) = (0, true);
        for (index, operation) in history.iter().enumerate() {
            if let (None, Some(key)) = (&operation.told, operation.command.changed_key()) {
                left.entry(key).or_default().push(index);
                unknown += 1;
                is_exact &= matches!(operation.command, Command::Put(_));
            }
        }
        left.values_mut().for_each(|list| list.sort_by_key(|index| history[*index].invoked));
        let open = revisions_of_nobody(start, order, unknown)?;
        let mut holes =
            Holes { history, open: open.into(), left, heard: BTreeMap::new(), is_exact, was_choice: false };
        if !holes.open.is_empty() {
            order.iter().for_each(|place| holes.see(place));
            holes.fill_seen()?;
            order.iter().for_each(|place| holes.hear(place));
            holes.hear_holes();
        }
        Ok(holes)
    }

    /// Who stands in the next hole; `store` is at the revision before it.
    pub(super) fn fill(&mut self, store: &Store) -> Result<usize, Verdict> {
        let revision = store.revision().next();
        let nobody = Violation::NobodyDidIt { revision };
        let Some(hole) = self.open.pop_front() else { return Err(self.verdict(nobody)) };
        if let Some(filler) = hole.filler {
            return Ok(filler);
        }
        let mut best: Option<(Urgency, &Bytes, usize)> = None;
        let mut able = 0;
        for (key, list) in &self.left {
            if hole.not_under.iter().any(|prefix| key.starts_with(prefix)) {
                self.is_exact = false;
                continue;
            }
            let item = store.held(key);
            for (at, index) in list.iter().enumerate() {
                let operation = &self.history[*index];
                if operation.invoked > hole.deadline {
                    break;
                }
                let Some(urgency) = self.urgency(hole.revision, key, list, &operation.command, item) else {
                    continue;
                };
                able += 1;
                if best.is_none_or(|(most, _, _)| urgency < most) {
                    best = Some((urgency, key, at));
                }
            }
        }
        self.was_choice |= able > 1;
        let Some((_, key, at)) = best else { return Err(self.verdict(nobody)) };
        let key = key.clone();
        self.left.get_mut(&key).map(|list| list.remove(at)).ok_or(Verdict::Undecided(nobody))
    }

    /// How much the hole wants this operation; nothing if it cannot stand there.
    fn urgency(
        &self,
        hole: Revision,
        key: &Bytes,
        left: &[usize],
        command: &Command,
        item: Option<&Item>,
    ) -> Option<Urgency> {
        let is_delete = match command {
            Command::Put(_) => false,
            Command::Cas(cas) if cas.expected == item.map_or(Revision::ZERO, |item| item.revision) => false,
            Command::Delete(_) if item.is_some() => true,
            Command::Cas(_) | Command::Delete(_) => return None,
            Command::Get(_) | Command::List(_) | Command::Watch(_) => return None,
        };
        let heard = self.heard.get(key).map_or(&[][..], |heard| &heard[..]);
        let Some(next) = heard.get(heard.partition_point(|heard| heard.at < hole)) else {
            return Some(Urgency::Free);
        };
        let version = item.map_or(0, |item| item.version.0);
        // Whether this brings the key nearer to what it is next heard to be.
        let leads_there = match next.what {
            What::Revision(put) if put > hole => return Some(Urgency::Free),
            What::Revision(Revision::ZERO) => is_delete,
            What::Revision(_) => return None,
            What::Version(wanted) if is_delete => wanted < version,
            What::Version(wanted) => version < wanted,
            What::Present if version > 0 && !is_delete => return Some(Urgency::Free),
            What::Present => !is_delete,
        };
        if leads_there {
            return Some(Urgency::By(next.at));
        }
        let is_deleted = |index: &usize| matches!(self.history[*index].command, Command::Delete(_));
        (is_delete || left.iter().any(is_deleted)).then_some(Urgency::Perhaps)
    }

    /// The verdict upon a violation that depends on which keys were put how often: if another way may be possible it
    /// proves nothing.
    pub(super) fn verdict(&self, violation: Violation) -> Verdict {
        if self.is_exact { Verdict::Violated(violation) } else { self.doubt(violation) }
    }

    /// The same upon one that depends on more than that.
    pub(super) fn doubt(&self, violation: Violation) -> Verdict {
        if self.was_choice { Verdict::Undecided(violation) } else { Verdict::Violated(violation) }
    }

    /// Whether what `key` holds may depend on who stands in which hole.
    pub(super) fn is_doubtful(&self, key: &Bytes) -> bool {
        self.heard.contains_key(key)
    }

    fn hole(&mut self, revision: Revision) -> Option<&mut Hole<'a>> {
        let at = self.open.binary_search_by_key(&revision, |hole| hole.revision).ok()?;
        self.open.get_mut(at)
    }

    /// What the operation saw of holes.
    fn see(&mut self, place: &Place<'a>) {
        match (&place.operation.command, &place.answer.outcome) {
            (Command::Get(get), Outcome::Found(Some(item))) => self.saw(Seen::Put(&get.key, item)),
            (Command::Cas(cas), Outcome::Refused(Refusal::WrongRevision { found })) => {
                self.saw_changed(&cas.key, *found);
            }
            (Command::Cas(cas), Outcome::Written(_)) => self.saw_changed(&cas.key, cas.expected),
            (_, Outcome::Listing(listing)) => {
                listing.entries.iter().for_each(|Entry { key, item }| self.saw(Seen::Put(key, item)));
            }
            (Command::Watch(watch), Outcome::Changes(changes)) => {
                for change in &changes.changes {
                    match change {
                        Change::Put(Entry { key, item }) => self.saw(Seen::Put(key, item)),
                        Change::Deleted(gone) => {
                            if let Some(hole) = self.hole(gone.revision) {
                                hole.seen = Some(Seen::Deleted(&gone.key));
                            }
                        }
                    }
                }
                let from = self.open.partition_point(|hole| hole.revision <= watch.since);
                for hole in self.open.iter_mut().skip(from) {
                    if hole.revision > changes.until {
                        break;
                    }
                    let told = |change: &Change| change.revision() == hole.revision;
                    if !changes.changes.iter().any(told) {
                        hole.not_under.push(&watch.prefix);
                    }
                }
            }
            _ => {}
        }
    }

    fn saw(&mut self, seen: Seen<'a>) {
        if let Seen::Put(_, item) = seen
            && let Some(hole) = self.hole(item.revision)
        {
            hole.seen = Some(seen);
        }
    }

    fn saw_changed(&mut self, key: &'a Bytes, put: Revision) {
        if let Some(hole) = self.hole(put) {
            hole.seen = hole.seen.or(Some(Seen::Changed(key)));
        }
    }

    /// Puts an operation into each hole that was seen: first where it is known what was put, then where it is not.
    fn fill_seen(&mut self) -> Result<(), Violation> {
        for with_value in [true, false] {
            for hole in &mut self.open {
                let Some(seen) = hole.seen else { continue };
                if with_value == matches!(seen, Seen::Changed(_)) {
                    continue;
                }
                self.is_exact &= with_value;
                let (Seen::Put(key, _) | Seen::Deleted(key) | Seen::Changed(key)) = seen;
                let wanted = |index: &usize| {
                    let operation = &self.history[*index];
                    operation.invoked <= hole.deadline && seen.is_done_by(&operation.command)
                };
                let list = self.left.entry(key).or_default();
                self.was_choice |= list.iter().filter(|index| wanted(index)).count() > 1;
                let Some(at) = list.iter().rposition(wanted) else {
                    return Err(Violation::NobodyDidIt { revision: hole.revision });
                };
                hole.filler = Some(list.remove(at));
            }
        }
        self.left.retain(|_, list| !list.is_empty());
        self.heard = self.left.keys().map(|key| (*key, Vec::new())).collect();
        Ok(())
    }

    /// What the operation was told of keys that may stand in a hole.
    fn hear(&mut self, place: &Place<'a>) {
        let at = place.answer.revision;
        match (&place.operation.command, &place.answer.outcome) {
            (Command::Put(_) | Command::Cas(_), Outcome::Written(version)) => {
                self.heard_version(
                    place.operation.command.one_key(),
                    place.after(),
                    version.0.saturating_sub(1),
                );
            }
            (Command::Delete(delete), Outcome::Deleted(version)) => {
                let version = version.map_or(0, |version| version.0);
                self.heard_version(Some(&delete.key), place.after(), version);
            }
            (Command::Get(get), Outcome::Found(item)) => {
                self.heard_revision(&get.key, at, item.as_ref().map(|item| item.revision));
            }
            (Command::Cas(cas), Outcome::Refused(Refusal::WrongRevision { found })) => {
                self.heard_revision(&cas.key, at, Some(*found));
            }
            (Command::List(list), Outcome::Listing(listing)) => {
                let start = (&list.start).max(&list.prefix);
                for (key, heard) in self.heard.range_mut::<&Bytes, _>(start..) {
                    let is_over = listing.next.as_ref().is_some_and(|next| *key >= next);
                    if is_over || !key.starts_with(&list.prefix) {
                        break;
                    }
                    let found = listing.entries.binary_search_by(|entry| entry.key.cmp(key)).ok();
                    let put = found.map_or(Revision::ZERO, |found| listing.entries[found].item.revision);
                    heard.push(Heard { at, what: What::Revision(put) });
                }
            }
            _ => {}
        }
    }

    fn heard_version(&mut self, key: Option<&Bytes>, at: Revision, version: u64) {
        if let Some(heard) = key.and_then(|key| self.heard.get_mut(key)) {
            heard.push(Heard { at, what: What::Version(version) });
        }
    }

    fn heard_revision(&mut self, key: &Bytes, at: Revision, put: Option<Revision>) {
        if let Some(heard) = self.heard.get_mut(key) {
            heard.push(Heard { at, what: What::Revision(put.unwrap_or(Revision::ZERO)) });
        }
    }

    /// What was put into holes is known of its key as well.
    fn hear_holes(&mut self) {
        for hole in &self.open {
            let (key, what) = match hole.seen {
                Some(Seen::Put(key, item)) => (key, What::Version(item.version.0.saturating_sub(1))),
                Some(Seen::Deleted(key)) => (key, What::Present),
                Some(Seen::Changed(_)) | None => continue,
            };
            if let Some(heard) = self.heard.get_mut(key) {
                heard.push(Heard { at: Revision(hole.revision.0 - 1), what });
            }
        }
        self.heard.values_mut().for_each(|heard| heard.sort_by_key(|heard| heard.at));
    }
}

impl Seen<'_> {
    /// Whether this is what `command` does.
    fn is_done_by(&self, command: &Command) -> bool {
        let put = match command {
            Command::Put(put) => Some(&put.value),
            Command::Cas(cas) => Some(&cas.value),
            Command::Get(_) | Command::Delete(_) | Command::List(_) | Command::Watch(_) => None,
        };
        match self {
            Seen::Put(_, item) => put == Some(&item.value),
            Seen::Changed(_) => put.is_some(),
            Seen::Deleted(_) => matches!(command, Command::Delete(_)),
        }
    }
}

/// The revisions after `start` and up to the last told that no mutation was told to be its own.
fn revisions_of_nobody<'a>(
    start: Revision,
    order: &[Place<'a>],
    limit: usize,
) -> Result<Vec<Hole<'a>>, Violation> {
    let mut holes = Vec::new();
    let mut expected = start.next();
    for (index, place) in order.iter().enumerate() {
        while expected <= place.after() {
            if holes.len() == limit {
                return Err(Violation::NobodyDidIt { revision: expected });
            }
            // The place is for now that of the operation that stands after it.
            holes.push((expected, index));
            expected = expected.next();
        }
        if place.is_mutation() {
            expected = expected.max(place.answer.revision.next());
        }
    }
    let mut deadline = Time(u64::MAX);
    let mut deadlines = vec![deadline; order.len()];
    for (index, place) in order.iter().enumerate().rev() {
        deadline = deadline.min(place.returned);
        deadlines[index] = deadline;
    }
    let hole = |(revision, index): (Revision, usize)| Hole {
        revision,
        deadline: deadlines[index],
        seen: None,
        not_under: Vec::new(),
        filler: None,
    };
    Ok(holes.into_iter().map(hole).collect())
}
