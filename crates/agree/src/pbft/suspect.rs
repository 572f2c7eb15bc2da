//! Who suspects a view, and how many must before anybody turns.
//!
//! Upon the patience of a replica being over ([`super::view_change`]): it **suspects** its view, and says so in a STATUS to all; unless
//!   a request only waits for its turn while others are served, or others still vote ([`super::in_turn`]): then it does not, or not
//!   any more. The timer runs again. If it is later by as much again, the process stood still, and what it should have heard is still
//!   to come: the timer runs anew, and that is all.
//! Upon what it waited for being settled: it does not suspect any more.
//! Upon STATUS: what its sender says of itself is noted, in the place of what it said before.
//! Upon `f+1` that suspect the view or have left it, this replica among the former: it turns to the next view.
//! Upon `view_timeout_max` in a view that has begun and that another one has left: it suspects the view until it leaves it.
//!
//! A suspicion binds nobody and is not written down; safety does not know it. A VIEW-CHANGE binds: who sent it takes no part in
//! the view any more. So a replica that stood still for a while, was cut off, or lags, and whose patience is over for that
//! alone, must not send one: the others would be one less until they turn as well. (Ongaro's thesis on Raft, 2014, lets
//! candidates ask before they stand; Paxos here has CANVASS.)
//!
//! Nothing is lost by waiting for company. Nobody follows fewer than `f+1` to a later view; so where `f` correct replicas or
//! fewer are impatient, the view goes on whether they stay or not, and goes better if they do.
//!
//! One may still be left alone ahead: by `f` liars that suspected with it, or by one whose suspicion was over when it came to
//! turn. For it the others turn in the end. Liars can have that as well: one change of views for each `view_timeout_max`,
//! and no more, since the time runs anew in each view.

use super::view_change::Concern;
use super::{COMPANY, Replica};
use crate::Service;
use crate::replica::Outbox;
use std::collections::BTreeMap;
use wire::{Keys, NodeId, Time, View};

/// Who suspects which view.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Suspicions {
    /// Whether this replica's patience is over.
    pub(super) impatient: bool,
    /// For how long it has been waited for.
    company: Company,
    /// The view that each other member suspects, of those that do.
    others: BTreeMap<NodeId, View>,
}

/// Whether another member waits in a later view.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum Company {
    #[default]
    NotAwaited,
    Awaited,
    Due,
}

impl Suspicions {
    /// Whether this replica suspects the view that it is in.
    pub(super) fn own(&self) -> bool {
        self.impatient || self.company == Company::Due
    }

    /// This replica is in another view.
    pub(super) fn begin_anew(&mut self) {
        self.impatient = false;
        self.company = Company::NotAwaited;
    }
}

impl<S: Service + Clone, K: Keys> Replica<S, K> {
    /// The timer ran out.
    pub(super) fn patience_is_over(&mut self, now: Time, out: &mut Outbox) {
        let Some(concern) = self.views.concern.filter(|concern| self.is_open(*concern)) else {
            self.views.concern = None;
            self.views.suspicions.impatient = false;
            return;
        };
        let patience = self.patience();
        if now > self.views.patient_until.after(patience) {
            return self.be_patient(now, out);
        }
        let waits = match concern {
            Concern::NewView(_) => false,
            Concern::Request(..) | Concern::Place(_) => {
                let (longest, window) = (self.settings.view_timeout_max, self.settings.window);
                self.views.in_turn.is_worth_waiting(patience, longest, window, self.quorum.one_correct())
            }
        };
        self.views.suspicions.impatient = !waits;
        self.be_patient(now, out);
        self.tell_suspicion(out);
    }

    /// Starts the timer if somebody waits in a later view.
    pub(super) fn attend_to_company(&mut self, out: &mut Outbox) {
        if self.views.suspicions.company == Company::NotAwaited
            && self.views.active
            && self.takes_part()
            && self.views.ahead(self.me, 1).is_some()
        {
            self.views.suspicions.company = Company::Awaited;
            out.set_timer(COMPANY, self.settings.view_timeout_max);
        }
    }

    /// Somebody has waited in a later view for long, if this is still the view from which that is so.
    pub(super) fn company_is_due(&mut self, out: &mut Outbox) {
        if self.views.suspicions.company == Company::Awaited && !defect!(PbftLeftAlone) {
            self.views.suspicions.company = Company::Due;
            self.tell_suspicion(out);
        }
    }

    fn tell_suspicion(&mut self, out: &mut Outbox) {
        if self.views.suspicions.own() {
            self.tell_standing(out);
            self.turn_if_enough_suspect(out);
        }
    }

    /// `from` says whether it suspects the view that it is in.
    pub(super) fn note_suspicion(&mut self, from: NodeId, view: View, suspects: bool, out: &mut Outbox) {
        if suspects {
            self.views.suspicions.others.insert(from, view);
        } else {
            self.views.suspicions.others.remove(&from);
        }
        self.turn_if_enough_suspect(out);
    }

    /// Turns to the next view if this replica and `f` others want to.
    pub(super) fn turn_if_enough_suspect(&mut self, out: &mut Outbox) {
        let view = self.views.view;
        if self.views.suspicions.own() && 1 + self.suspecting_others() >= self.quorum.one_correct() {
            self.turn_to(view.next(), out);
        }
    }

    /// How many others suspect the view of this replica, or have left it.
    fn suspecting_others(&self) -> usize {
        let (me, view, views) = (self.me, self.views.view, &self.views);
        let suspects = |node: &NodeId| views.suspicions.others.get(node) == Some(&view);
        let left = |node: &NodeId| views.latest.get(node).is_some_and(|change| change.view > view);
        let others = self.settings.members.iter().filter(|node| **node != me);
        others.filter(|node| suspects(node) || left(node)).count()
    }
}
