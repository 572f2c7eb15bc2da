//! The leader is silent: who says so, and what happens before anybody disturbs it.
//!
//! Upon the view timer, which every sign of the leader restarts: the replica **suspects** the leader, and its next
//!   timeout is twice as long, up to `view_timeout_max`; executing something brings it back to `view_timeout`. The
//!   member next in line canvasses at once, each after it `retransmit_after` later: CANVASS(v, executed) for its
//!   next ballot `v`.
//! Upon CANVASS(v, executed) from the leader of `v`, if `v` is above the promise, and this replica suspects too, or
//!   the sender itself leads the present view (it has crashed and come back): SUPPORT(v), and the own canvass
//!   waits, so that two do not compete. If the sender lacks what only a snapshot can give it: TRUNCATED, so that it
//!   fetches that first.
//! Upon SUPPORT(v) from f others: phase 1 of `v` begins ([`super::elect`]).
//!
//! A SUPPORT binds nobody and is not written down; safety does not know it. It is why a replica that was cut off
//! for a while, and comes back with its timer run out, does not depose a leader that f+1 others hear.
//!
//! Upon the view timer at the leader, if something waits and nothing was chosen since the last time: it resigns,
//!   that is, falls silent. Without this, one that is heard but hears nobody would hold up the others for ever.

use super::message::{Canvass, Message, Superseded, Support};
use super::{CANVASS, Replica, Role, VIEW, VIEW_MAX};
use crate::replica::{Outbox, Refusal};
use crate::service::Service;
use core::time::Duration;
use std::collections::BTreeSet;
use wire::{NodeId, Peer, View};

/// A canvass under way.
#[derive(Clone, Hash, Debug)]
pub(super) struct Canvassing {
    view: View,
    supporters: BTreeSet<NodeId>,
    wait: Duration,
}

impl<S: Service + Clone> Replica<S> {
    /// The view timer ran out.
    pub(super) fn view_timeout(&mut self, out: &mut Outbox) {
        if !self.takes_part() {
            return;
        }
        if let Role::Leading(lead) = &mut self.role
            && !lead.is_stuck()
        {
            return out.set_timer(VIEW, self.timeout);
        }
        self.suspect(out);
    }

    /// Nobody leads any more, as far as this replica knows.
    pub(super) fn suspect(&mut self, out: &mut Outbox) {
        self.role = Role::Following;
        self.suspects = true;
        self.timeout = (self.timeout * 2).min(self.settings.view_timeout_max);
        match self.place_in_line() {
            0 => self.canvass_timeout(out),
            place => out.set_timer(CANVASS, self.settings.retransmit_after * place),
        }
    }

    /// How many members lead before this one, if views follow one another.
    fn place_in_line(&self) -> u32 {
        let n = self.settings.n();
        let next = self.slot(self.leader(self.promised)) + 1;
        ((self.slot(self.me) + n - next % n) % n) as u32
    }

    /// The smallest ballot of this node above every one that it heard of.
    pub(super) fn next_ballot(&self) -> View {
        let n = self.settings.n() as u64;
        let above = self.promised.max(self.seen).next();
        let ballot = View(above.0 + (self.slot(self.me) as u64 + n - above.0 % n) % n);
        assert_eq!(self.leader(ballot), self.me);
        ballot
    }

    /// It is time to ask, or to ask again.
    pub(super) fn canvass_timeout(&mut self, out: &mut Outbox) {
        let view = self.next_ballot();
        if !self.suspects || view > VIEW_MAX {
            return;
        }
        let shortest = self.settings.retransmit_after;
        let mut canvassing = match &self.role {
            Role::Following => Canvassing { view, supporters: BTreeSet::new(), wait: shortest },
            Role::Canvassing(canvassing) => canvassing.clone(),
            Role::Preparing(_) | Role::Leading(_) => return,
        };
        if canvassing.view != view {
            canvassing = Canvassing { view, supporters: BTreeSet::new(), wait: shortest };
        }
        out.send_members(Message::Canvass(Canvass { view, executed: self.executed() }));
        out.set_timer(CANVASS, canvassing.wait);
        canvassing.wait = (canvassing.wait * 2).min(self.settings.view_timeout);
        self.role = Role::Canvassing(canvassing);
    }

    /// Another replica asks whether this one would follow it.
    pub(super) fn canvassed(&mut self, from: NodeId, canvass: &Canvass, out: &mut Outbox) {
        if self.leader(canvass.view) != from {
            return out.refuse(Peer::Node(from), Refusal::NotAllowed);
        }
        if canvass.view <= self.promised {
            return self.refuse_superseded(from, out);
        }
        if !self.suspects && self.leader(self.promised) != from {
            return out.refuse(Peer::Node(from), Refusal::NotAllowed);
        }
        if canvass.executed < self.log.low() {
            return self.tell_truncated(from, out);
        }
        self.seen = self.seen.max(canvass.view);
        if self.suspects && !self.rivals(canvass.view) {
            self.role = Role::Following;
            out.set_timer(CANVASS, self.settings.retransmit_after * (self.place_in_line() + 2));
        }
        out.send(from, Message::Support(Support { view: canvass.view }));
    }

    /// Whether this replica canvasses for a higher ballot than `view`: then it does not give way, though it helps.
    fn rivals(&self, view: View) -> bool {
        match &self.role {
            Role::Canvassing(canvassing) => canvassing.view > view,
            Role::Following | Role::Preparing(_) | Role::Leading(_) => false,
        }
    }

    /// Another replica would follow this one.
    pub(super) fn supported(&mut self, from: NodeId, support: &Support, out: &mut Outbox) {
        let enough = self.settings.f;
        match &mut self.role {
            Role::Canvassing(canvassing) if canvassing.view == support.view => {
                canvassing.supporters.insert(from);
                if canvassing.supporters.len() >= enough {
                    self.campaign(support.view, out);
                }
            }
            Role::Canvassing(_) | Role::Following | Role::Preparing(_) | Role::Leading(_) => {
                out.refuse(Peer::Node(from), Refusal::Stale);
            }
        }
    }

    /// Another replica promised a higher ballot than one of this replica's.
    pub(super) fn superseded(&mut self, from: NodeId, superseded: &Superseded, out: &mut Outbox) {
        self.seen = self.seen.max(superseded.view);
        if superseded.view <= self.promised {
            return out.refuse(Peer::Node(from), Refusal::Stale);
        }
        match self.role {
            // Someone is about to lead; if nobody does, the view timer will tell.
            Role::Preparing(_) | Role::Leading(_) => {
                self.role = Role::Following;
                out.set_timer(VIEW, self.timeout);
            }
            // The next attempt will be for a higher ballot.
            Role::Following | Role::Canvassing(_) => {}
        }
    }
}

impl<S: Service + Clone> Replica<S> {
    /// The leader of the view, or of one that is about to begin, gave a sign.
    pub(super) fn heard(&mut self, out: &mut Outbox) {
        if self.suspects {
            self.suspects = false;
            out.clear_timer(CANVASS);
        }
        if let Role::Canvassing(_) = self.role {
            self.role = Role::Following;
        }
        out.set_timer(VIEW, self.timeout);
    }
}
