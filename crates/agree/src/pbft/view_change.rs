//! Turning to the next view, when the primary of this one does not bring things forward.
//!
//! A replica in a view that has begun is **concerned** about one thing at a time: a backup about the request that it has
//! watched longest, else about the next batch to be executed if there is one, and so is the primary; about nothing if
//! there is nothing, or while it takes over a state. Its patience is measured per concern: upon the thing being settled
//! it starts anew.
//!
//! Why the primary as well. Let f = 1 and one replica lie. One of the three others executes the last batch, thanks to a
//! COMMIT that only it got from the liar; another has turned to the next view; the third is the primary and can never
//! gather the COMMITs. The first has nothing left to wait for. Unless the primary turns as well, the second stays alone.
//! Upon its patience being over: it suspects the view, and turns to the next one with `f` others that do ([`super::suspect`]).
//! Upon VIEW-CHANGE(v', h, C, P and Q, i), signed by the sender i: the last of each sender is kept. If `f+1` others are in
//!   views after its own, it turns to the highest view that `f+1` of them have reached.
//! Turning to v' (`turn_to`): it takes part in no earlier view any more; the record, and behind it VIEW-CHANGE(v') to all.
//! In a view that has not begun, it is concerned about NEW-VIEW as soon as `2f+1` are in that view or later ones: so those
//!   who wait for NEW-VIEW grow impatient together, and one alone waits for company.
//! Patience doubles with every view turned to, up to a limit, and halves with every [`BATCHES_PER_TURN`] batches executed in a view
//!   that has begun. If it fell back at once, a cluster that is slower than its timeout would change views for ever.

use super::in_turn::InTurn;
use super::message::{Message, NewView, ViewChange};
use super::record::Record;
use super::suspect::Suspicions;
use super::{PATIENCE, Replica};
use crate::Service;
use crate::replica::{Outbox, Refusal};
use crate::request::Batch;
use core::time::Duration;
use std::collections::BTreeMap;
use wire::{ClientId, Digest, Keys, NodeId, Peer, Sequence, Signature, Time, Timestamp, View};

/// Batches after whose execution one of the views turned to is forgotten.
const BATCHES_PER_TURN: u32 = 16;

/// What a replica waits for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Concern {
    /// A client's request to be executed.
    Request(ClientId, Timestamp),
    /// The batch at a place to be executed.
    Place(Sequence),
    /// A view to begin.
    NewView(View),
}

/// Which view a replica is in, and who wants which.
#[derive(Clone, Hash, Debug)]
pub(super) struct Views {
    /// The view that it is in, or wants to enter.
    pub(super) view: View,
    /// Whether it is in it: the view has begun.
    pub(super) active: bool,
    /// The last NEW-VIEW known. Its view is `view` if that is active and not 0, else an earlier one.
    pub(super) known: Option<NewView>,
    /// The last VIEW-CHANGE sent.
    pub(super) own: Option<ViewChange>,
    /// The last VIEW-CHANGE of each member, its own among them.
    pub(super) latest: BTreeMap<NodeId, ViewChange>,
    /// What the timer runs for.
    pub(super) concern: Option<Concern>,
    /// When the timer is due.
    pub(super) patient_until: Time,
    /// What happened since it is concerned about that.
    pub(super) in_turn: InTurn,
    /// Who suspects which view.
    pub(super) suspicions: Suspicions,
    /// Views turned to of late.
    turns: u32,
    /// Batches executed since one of them was forgotten.
    batches: u32,
    /// The first view of the era, which began without NEW-VIEW.
    first: View,
}

impl Views {
    /// In `known`'s view, or the `first` of the era, unless `own` is for a later one.
    pub(super) fn new(first: View, known: Option<NewView>, own: Option<ViewChange>) -> Self {
        let begun = known.as_ref().map_or(first, |known| known.view);
        let wanted = own.as_ref().map_or(first, |own| own.view);
        let latest = own.iter().map(|own| (own.node, own.clone())).collect();
        let (view, active) = (begun.max(wanted), wanted <= begun);
        Views {
            view,
            active,
            known,
            own,
            latest,
            concern: None,
            patient_until: Time::ZERO,
            in_turn: InTurn::default(),
            suspicions: Suspicions::default(),
            turns: 0,
            batches: 0,
            first,
        }
    }

    /// The view of the last NEW-VIEW known; the first of an era began without one.
    pub(super) fn known_view(&self) -> View {
        self.known.as_ref().map_or(self.first, |known| known.view)
    }

    /// `batch` was executed in a view that has begun.
    pub(super) fn progressed(&mut self, batch: &Batch) {
        self.batches += 1;
        if self.batches >= BATCHES_PER_TURN {
            self.batches = 0;
            self.turns = self.turns.saturating_sub(1);
        }
        if let Some(Concern::Request(..)) = self.concern {
            self.in_turn.executed(batch);
        }
    }

    /// How many members are in `view` or a later one.
    fn arrived(&self, view: View) -> usize {
        self.latest.values().filter(|change| change.view >= view).count()
    }

    /// The highest view after this one that at least `enough` others have reached.
    pub(super) fn ahead(&self, me: NodeId, enough: usize) -> Option<View> {
        let others = self.latest.iter().filter(|(node, change)| **node != me && change.view > self.view);
        let mut views: Vec<View> = others.map(|(_, change)| change.view).collect();
        views.sort_unstable_by(|one, other| other.cmp(one));
        views.get(enough - 1).copied()
    }
}

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// Starts, restarts or stops the timer if the concern is another one now.
    pub(super) fn attend(&mut self, now: Time, out: &mut Outbox) {
        let concern =
            self.views.concern.filter(|concern| self.is_open(*concern)).or_else(|| self.next_concern());
        if concern == self.views.concern {
            return;
        }
        self.views.concern = concern;
        self.views.suspicions.impatient = false;
        self.views.in_turn = InTurn::default();
        match concern {
            Some(_) => self.be_patient(now, out),
            None => out.clear_timer(PATIENCE),
        }
    }

    fn next_concern(&self) -> Option<Concern> {
        if !self.takes_part() {
            return None;
        }
        if !self.views.active {
            return Some(Concern::NewView(self.views.view)).filter(|concern| self.is_open(*concern));
        }
        // The primary watches none: what waits there waits in its queue.
        let request = self.order.watch.first().map(|(client, timestamp)| Concern::Request(client, timestamp));
        request
            .or_else(|| Some(Concern::Place(self.machine.sequence().next())))
            .filter(|concern| self.is_open(*concern))
    }

    /// Starts the timer anew.
    pub(super) fn be_patient(&mut self, now: Time, out: &mut Outbox) {
        let patience = self.patience();
        self.views.patient_until = now.after(patience);
        out.set_timer(PATIENCE, patience);
    }

    /// Whether there is still reason to wait for this.
    pub(super) fn is_open(&self, concern: Concern) -> bool {
        // At the end of an era there is nothing more to be executed in it.
        let may_judge = self.views.active && self.catch_up.fetch.is_none() && !self.is_closing();
        match concern {
            Concern::Request(client, timestamp) => may_judge && self.order.watch.covers(client, timestamp),
            Concern::Place(sequence) => {
                may_judge && self.machine.sequence() < sequence && self.has_open_places()
            }
            Concern::NewView(view) => {
                !self.views.active
                    && self.views.view == view
                    && self.views.arrived(view) >= self.quorum.view_change()
            }
        }
    }

    /// Whether a batch was accepted in this view, or committed, and not executed.
    pub(super) fn has_open_places(&self) -> bool {
        let view = self.views.view;
        let mut open = self.log.after(self.machine.sequence());
        open.any(|(_, slot)| slot.accepted_in(view).is_some() || slot.committed.is_some())
    }

    pub(super) fn patience(&self) -> Duration {
        let factor = 1_u32.checked_shl(self.views.turns).unwrap_or(u32::MAX);
        self.settings.view_timeout.saturating_mul(factor).min(self.settings.view_timeout_max)
    }

    /// Leaves the present view for `view`, which has not begun.
    pub(super) fn turn_to(&mut self, view: View, out: &mut Outbox) {
        assert!(view > self.views.view, "views only grow");
        self.views.view = view;
        self.views.active = false;
        self.views.concern = None;
        self.views.suspicions.begin_anew();
        self.views.turns = self.views.turns.saturating_add(1);
        self.views.batches = 0;
        self.log.forget_votes();
        self.watch_the_queue();
        let change = self.signed_view_change(view);
        self.journal.record(Record::ViewChange(change.clone()).encoded(), out);
        self.views.own = Some(change.clone());
        self.views.latest.insert(self.me, change.clone());
        self.send_durably(Message::ViewChange(change), out);
        self.try_new_view(out);
    }

    fn signed_view_change(&self, view: View) -> ViewChange {
        let mut change = ViewChange {
            view,
            node: self.me,
            stable: self.log.stable(),
            checkpoints: self.checkpoints.own.iter().map(|(sequence, digest)| (*sequence, *digest)).collect(),
            entries: self.log.entries(),
            signature: Signature([0; 64]),
        };
        change.signature = self.keys.sign(&change.signed_bytes());
        change
    }

    /// A replica wants another primary.
    pub(super) fn view_change(
        &mut self,
        from: NodeId,
        change: ViewChange,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        if change.node != from {
            return Err(Refusal::NotAllowed);
        }
        let last = self.views.latest.get(&from).map_or(View(0), |last| last.view);
        if change.view <= self.views.known_view().max(last) {
            return Err(Refusal::Stale);
        }
        self.check_view_change(&change)?;
        self.views.latest.insert(from, change);
        if let Some(view) = self.views.ahead(self.me, self.quorum.one_correct()) {
            self.turn_to(view, out);
        }
        self.turn_if_enough_suspect(out);
        self.try_new_view(out);
        Ok(())
    }

    /// Whether `change` is what a replica with these settings may say, and signed by the member that it names.
    pub(super) fn check_view_change(&self, change: &ViewChange) -> Result<(), Refusal> {
        let interval = self.settings.checkpoint_interval;
        let last = change.stable.plus(self.settings.log_batches_max());
        let places: Vec<Sequence> = change.entries.iter().map(|entry| entry.sequence).collect();
        let fingerprints: Vec<Sequence> = change.checkpoints.iter().map(|(sequence, _)| *sequence).collect();
        let possible = is_increasing(&places)
            && is_increasing(&fingerprints)
            && places.iter().all(|n| change.stable < *n && *n <= last)
            && fingerprints.iter().all(|n| change.stable <= *n)
            && fingerprints.iter().all(|n| n.0.is_multiple_of(interval) || self.ends_an_era(*n))
            && change.entries.iter().all(|entry| entry.accepted < change.view);
        if !possible {
            return Err(Refusal::Contradiction);
        }
        let signer = Peer::Node(change.node);
        if !self.settings.members.contains(&change.node)
            || !self.keys.signature_is_valid(signer, &change.signed_bytes(), &change.signature)
        {
            return Err(Refusal::WrongAuthenticator);
        }
        Ok(())
    }

    /// The digest that this replica named at `sequence` in its last VIEW-CHANGE: it must be able to hand it out.
    pub(super) fn vouched_for(&self, sequence: Sequence) -> Option<Digest> {
        let entries = &self.views.own.as_ref()?.entries;
        let index = entries.binary_search_by_key(&sequence, |entry| entry.sequence).ok()?;
        Some(entries[index].digest)
    }
}

fn is_increasing(places: &[Sequence]) -> bool {
    places.windows(2).all(|pair| pair[0] < pair[1])
}
