//! What correct replicas executed at each place. A record, not a judge.
//!
//! A *variant* of a place is a batch after a certain history: where replicas execute before they agree (ByzID), the same
//! batch may be executed at the same place after two histories, and comes out differently.
//!
//! Nearly always all replicas execute the same batch at a place, so a place holds one [`Entry`] and, rarely, a list of
//! others. A replica's log is then one small number per place.

use wire::{ClientId, Digest, Sequence, Time, Timestamp, View};

/// What was executed at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// The view in which it was first executed.
    pub view: View,
    /// The batch.
    pub batch: Digest,
    /// The state after it.
    pub state: Digest,
    /// The variant of the place before it.
    pub before: Variant,
    /// Who executed it first.
    pub by: u8,
    /// When.
    pub at: Time,
    pub(super) first_applied: u32,
    pub(super) count_applied: u32,
}

/// One of the entries at a place.
pub type Variant = u16;

/// The variant at a place is not known: the replica took over a state that covers it.
pub const UNKNOWN: Variant = Variant::MAX;

#[derive(Clone, Debug)]
struct Place {
    first: Entry,
    others: Vec<Entry>,
    fixed: Option<(Variant, View)>,
}

/// What was executed.
#[derive(Clone, Debug)]
pub struct Ledger {
    places: Vec<Place>,
    applied: Vec<(ClientId, Timestamp)>,
    /// For each node, the variant at each place up to the last that it executed.
    logs: Vec<Vec<Variant>>,
    newest_view: View,
}

fn index(sequence: Sequence) -> Option<usize> {
    usize::try_from(sequence.0).ok()?.checked_sub(1)
}

impl Ledger {
    /// An empty one for so many nodes.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Ledger {
            places: Vec::new(),
            applied: Vec::new(),
            logs: vec![Vec::new(); nodes],
            newest_view: View(0),
        }
    }

    /// The last place that `node` executed.
    #[must_use]
    pub fn executed(&self, node: usize) -> Sequence {
        Sequence(self.logs[node].len() as u64)
    }

    /// How many places there are.
    #[must_use]
    pub fn places(&self) -> usize {
        self.places.len()
    }

    /// The greatest view that anything was executed in.
    #[must_use]
    pub fn newest_view(&self) -> View {
        self.newest_view
    }

    /// Which variant `node` executed at `sequence`, if it did and that is known.
    #[must_use]
    pub fn variant_of(&self, node: usize, sequence: Sequence) -> Option<Variant> {
        let variant = *self.logs[node].get(index(sequence)?)?;
        (variant != UNKNOWN).then_some(variant)
    }

    /// The variant of the last place that `node` executed.
    #[must_use]
    pub fn last_variant(&self, node: usize) -> Variant {
        self.logs[node].last().copied().unwrap_or(0)
    }

    /// Whether the log of some node holds this variant.
    #[must_use]
    pub fn is_in_a_log(&self, sequence: Sequence, variant: Variant) -> bool {
        (0..self.logs.len()).any(|node| self.variant_of(node, sequence) == Some(variant))
    }

    /// The entry of a variant.
    #[must_use]
    pub fn entry(&self, sequence: Sequence, variant: Variant) -> Option<&Entry> {
        let place = self.places.get(index(sequence)?)?;
        if variant == 0 { Some(&place.first) } else { place.others.get(usize::from(variant) - 1) }
    }

    /// Every variant at a place.
    pub fn variants(&self, sequence: Sequence) -> impl Iterator<Item = (Variant, &Entry)> {
        let place = index(sequence).and_then(|index| self.places.get(index));
        place
            .into_iter()
            .flat_map(|place| core::iter::once(&place.first).chain(&place.others))
            .enumerate()
            .map(|(variant, entry)| (variant as Variant, entry))
    }

    /// The requests that `entry` applied.
    #[must_use]
    pub fn applied(&self, entry: &Entry) -> &[(ClientId, Timestamp)] {
        &self.applied[entry.first_applied as usize..][..entry.count_applied as usize]
    }

    /// Enters what was executed at `sequence`, which is at most one past the last place: the variant that it is, and
    /// whether nobody executed it before.
    pub fn enter(
        &mut self,
        sequence: Sequence,
        entry: Entry,
        applied: &[(ClientId, Timestamp)],
    ) -> (Variant, bool) {
        self.newest_view = self.newest_view.max(entry.view);
        let index = index(sequence).expect("nothing is executed at place 0");
        let same = |other: &Entry| {
            let known = other.before != UNKNOWN && entry.before != UNKNOWN;
            other.batch == entry.batch && (!known || other.before == entry.before)
        };
        if let Some(place) = self.places.get(index) {
            if same(&place.first) {
                return (0, false);
            }
            if let Some(other) = place.others.iter().position(same) {
                return (other as Variant + 1, false);
            }
        }
        let entry =
            Entry { first_applied: self.applied.len() as u32, count_applied: applied.len() as u32, ..entry };
        self.applied.extend_from_slice(applied);
        match self.places.get_mut(index) {
            None => {
                assert_eq!(index, self.places.len(), "places are entered in order");
                self.places.push(Place { first: entry, others: Vec::new(), fixed: None });
                (0, true)
            }
            Some(place) => {
                place.others.push(entry);
                (place.others.len() as Variant, true)
            }
        }
    }

    /// `node` executed this variant at its next place.
    pub fn advance(&mut self, node: usize, variant: Variant) {
        self.logs[node].push(variant);
    }

    /// `node` took back everything after `to`.
    pub fn cut(&mut self, node: usize, to: Sequence) {
        self.logs[node].truncate(to.0 as usize);
    }

    /// `node` took over the state after `sequence` whole.
    pub fn jump(&mut self, node: usize, sequence: Sequence, state: Digest) {
        let length = (sequence.0 as usize).min(self.places.len());
        let comes_to =
            |variant: Variant| self.entry(sequence, variant).is_some_and(|entry| entry.state == state);
        // Two histories may come to the same state; the one that is final, if it does, is meant.
        let fixed = self.fixed(sequence).map(|(variant, _)| variant).filter(|variant| comes_to(*variant));
        let fits = |node: usize| match (self.variant_of(node, sequence), fixed) {
            (Some(variant), Some(fixed)) => variant == fixed,
            (Some(variant), None) => comes_to(variant),
            (None, _) => false,
        };
        if fits(node) {
            self.logs[node].truncate(length);
            return;
        }
        // Whoever was in that state knows the way to it.
        let guide = (0..self.logs.len()).find(|other| fits(*other));
        self.logs[node] = match guide {
            Some(guide) => self.logs[guide][..length].to_vec(),
            None => {
                let only = |place: &Place| if place.others.is_empty() { 0 } else { UNKNOWN };
                self.places[..length].iter().map(only).collect()
            }
        };
    }

    /// A checkpoint at `sequence` is stable at `node`. If it came to the state that is final there by another way (the same
    /// requests in another order, of which nobody was told the results), it stands where all stand: from now on it came by
    /// the final way. Whether it was so.
    pub fn took_another_way(&mut self, node: usize, sequence: Sequence) -> bool {
        let (Some(variant), Some((fixed, _))) = (self.variant_of(node, sequence), self.fixed(sequence))
        else {
            return false;
        };
        let state = |variant| self.entry(sequence, variant).map(|entry| entry.state);
        if variant == fixed || state(variant) != state(fixed) {
            return false;
        }
        let mut way = fixed;
        for at in (0..sequence.0 as usize).rev() {
            let same = self.logs[node][at] == way;
            self.logs[node][at] = way;
            match self.entry(Sequence(at as u64 + 1), way).map(|entry| entry.before) {
                Some(before) if !same && before != UNKNOWN => way = before,
                _ => break,
            }
        }
        true
    }

    /// The variant at `sequence` that may never change again, with the view in which it was found so.
    #[must_use]
    pub fn fixed(&self, sequence: Sequence) -> Option<(Variant, View)> {
        self.places.get(index(sequence)?)?.fixed
    }

    /// The variant at `sequence` may not change in `view` or a later one. What is fixed stays fixed, from the earliest
    /// view in which it was found so.
    pub fn fix(&mut self, sequence: Sequence, variant: Variant, view: View) {
        let Some(place) = index(sequence).and_then(|index| self.places.get_mut(index)) else { return };
        match &mut place.fixed {
            None => place.fixed = Some((variant, view)),
            Some((fixed, since)) if *fixed == variant => *since = view.min(*since),
            Some(_) => {}
        }
    }

    /// The log of the correct node that executed most, in the newest view if several did; unknown places are filled
    /// in with what is fixed there or with what only can be.
    #[must_use]
    pub fn longest_path(&self, correct: &[bool]) -> Vec<Variant> {
        let correct = (0..self.logs.len()).filter(|node| correct[*node]);
        let newest = |node: &usize| {
            let last = self.executed(*node);
            self.variant_of(*node, last).and_then(|variant| self.entry(last, variant)).map(|entry| entry.view)
        };
        let Some(best) = correct.max_by_key(|node| (newest(node), self.logs[*node].len())) else {
            return Vec::new();
        };
        let fill = |(index, variant): (usize, &Variant)| match (*variant, self.places[index].fixed) {
            (UNKNOWN, Some((fixed, _))) => fixed,
            (UNKNOWN, None) => 0,
            (known, _) => known,
        };
        self.logs[best].iter().enumerate().map(fill).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(batch: u8, state: u8) -> Entry {
        Entry { batch: Digest([batch; 32]), state: Digest([state; 32]), ..Entry::default() }
    }

    #[test]
    fn a_place_holds_each_variant_once() {
        let mut ledger = Ledger::new(2);
        let applied = [(ClientId(1), Timestamp(1))];
        assert_eq!(ledger.enter(Sequence(1), entry(1, 1), &applied), (0, true));
        assert_eq!(ledger.enter(Sequence(1), entry(1, 1), &applied), (0, false));
        assert_eq!(ledger.enter(Sequence(1), entry(2, 2), &[]), (1, true));
        assert_eq!(ledger.enter(Sequence(1), entry(2, 2), &[]), (1, false));
        let first = *ledger.entry(Sequence(1), 0).expect("it was entered");
        assert_eq!(ledger.applied(&first), applied);
        assert_eq!(ledger.variants(Sequence(1)).count(), 2);
    }

    #[test]
    fn the_same_batch_after_another_history_is_another_variant() {
        let mut ledger = Ledger::new(2);
        ledger.enter(Sequence(1), entry(1, 1), &[]);
        ledger.enter(Sequence(1), entry(2, 2), &[]);
        ledger.enter(Sequence(2), Entry { before: 0, ..entry(3, 3) }, &[]);
        assert_eq!(ledger.enter(Sequence(2), Entry { before: 1, ..entry(3, 4) }, &[]), (1, true));
        assert_eq!(ledger.enter(Sequence(2), Entry { before: UNKNOWN, ..entry(3, 3) }, &[]), (0, false));
    }

    #[test]
    fn who_came_to_the_final_state_by_another_way_stands_where_all_stand() {
        let mut ledger = Ledger::new(2);
        for (node, first, second) in [(0, 1, 2), (1, 2, 1)] {
            let (variant, _) = ledger.enter(Sequence(1), entry(first, first), &[]);
            ledger.advance(node, variant);
            let (variant, _) = ledger.enter(Sequence(2), Entry { before: variant, ..entry(second, 9) }, &[]);
            ledger.advance(node, variant);
        }
        ledger.fix(Sequence(2), 0, View(0));
        assert!(!ledger.took_another_way(0, Sequence(2)));
        assert!(ledger.took_another_way(1, Sequence(2)));
        let way = [1, 2].map(|at| ledger.variant_of(1, Sequence(at)));
        assert_eq!(way, [Some(0), Some(0)]);
    }

    #[test]
    fn who_jumps_follows_whoever_was_in_that_state() {
        let mut ledger = Ledger::new(3);
        for (node, batch) in [(0, 1), (1, 2)] {
            let (variant, _) = ledger.enter(Sequence(1), entry(batch, batch), &[]);
            ledger.advance(node, variant);
        }
        ledger.jump(2, Sequence(1), Digest([2; 32]));
        assert_eq!(ledger.variant_of(2, Sequence(1)), Some(1));
        ledger.jump(2, Sequence(1), Digest([9; 32]));
        assert_eq!(ledger.variant_of(2, Sequence(1)), None, "nobody knows that state");
        assert_eq!(ledger.executed(2), Sequence(1));
    }
}
