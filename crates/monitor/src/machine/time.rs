//! Everything that happens because nothing happened.

use super::{Action, Control, Monitor};
use crate::ids::{Node, QUARANTINED, Span, Time};
use crate::ordering::Again;
use crate::queue::Request;
use crate::rule::Rule;
use alloc::vec::Vec;

/// How many times `retransmit_after` a candidate may take to ask for claims.
const ASKS_WITHIN_TIMES: u64 = 4;

/// How many times `view_timeout` the word of another monitor counts.
const WORD_LASTS_TIMES: u64 = 4;

impl<R: Request> Monitor<R> {
    /// When [`Monitor::tick`] is due next.
    pub fn deadline(&self) -> Time {
        let act = self.ordering.act.due();
        let ack = self.following.ack.due();
        let stable = self.stable_due();
        let change = self.change_since.map(|since| since.after(self.change_timeout()));
        let role = if !self.is_normal() {
            None
        } else if self.configuration.primary() == self.me {
            Some(self.beat_at.min(self.retransmit_at))
        } else {
            Some(self.heard_at.max(self.entered_at).after(self.spec.view_timeout))
        };
        [act, ack, stable, self.unanswered_due(), change, role, self.repeat_at]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(Time(u64::MAX))
    }

    /// When a primary has waited too long for f backups that followed before: its node, or its links, are not fit to lead.
    fn unanswered_due(&self) -> Option<Time> {
        let since = self.ordering.unanswered_since().filter(|_| self.leads() && !self.handing_over)?;
        Some(since.after(self.spec.view_timeout))
    }

    /// When a stable checkpoint is late, if one is due.
    fn stable_due(&self) -> Option<Time> {
        self.ordering.stable_due_since.map(|since| since.after(self.spec.act_ceiling))
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Time, actions: &mut Vec<Action>) {
        let members: Vec<Node> = self.configuration.members.iter().map(|member| member.node).collect();
        let lasts = self.spec.view_timeout.times(WORD_LASTS_TIMES, self.spec.view_timeout_max);
        self.suspicion.forget(Time(now.0.saturating_sub(lasts.0)), &members);
        self.check_timers(now, actions);
        if self.leads() {
            self.lead(now, actions);
        } else if self.is_normal() && self.heard_at.max(self.entered_at).after(self.spec.view_timeout) <= now
        {
            self.heard_at = now;
            self.suspect(now, self.configuration.view.next());
        }
        if self.change_since.is_some_and(|since| since.after(self.change_timeout()) <= now) {
            self.change_since = Some(now);
            self.failed_changes = self.failed_changes.saturating_add(1);
            self.suspect(now, self.change_to.next());
        }
        self.consider(now, actions);
        if self.repeat_at.is_some_and(|at| at <= now) {
            self.repeat(now, actions);
        }
    }

    /// *Timely action*, *ACK in time*, *STABLECHECKPOINT in time*; and an end of leading where nobody follows, which breaks no rule.
    fn check_timers(&mut self, now: Time, actions: &mut Vec<Action>) {
        let late = |due: Option<Time>| due.is_some_and(|due| due <= now);
        if late(self.ordering.act.due()) {
            self.ordering.act.forgive();
            if !defect!(MonitorTimelyAction) {
                self.violate(now, Rule::TimelyAction, actions);
            }
        }
        if late(self.stable_due()) {
            self.ordering.stable_due_since = None;
            if self.leads() && !defect!(MonitorStableInTime) {
                self.violate(now, Rule::StableCheckpointInTime, actions);
            }
        }
        if late(self.unanswered_due()) {
            self.hand_over(now, actions);
        }
        if late(self.following.ack.due()) {
            self.following.ack.run_out(now);
            if !defect!(MonitorAckInTime) {
                self.violate(now, Rule::AckInTime, actions);
            }
        }
    }

    /// The primary's heartbeat, its retransmissions, and the members that need a new configuration to come back.
    ///
    /// A heart that beats says that the primary does its work: not while it hands over, as it does when its replica is down.
    fn lead(&mut self, now: Time, actions: &mut Vec<Action>) {
        if self.beat_at <= now {
            self.beat_at = now.after(self.spec.heartbeat_every);
            if !self.handing_over {
                actions.push(Action::Broadcast(Control::Beat {
                    view: self.configuration.view,
                    last: self.ordering.last,
                }));
            }
        }
        if self.retransmit_at <= now {
            self.retransmit_at = now.after(self.spec.retransmit_after);
            self.retransmit(now, actions);
            self.bring_back(now, actions);
        }
    }

    fn retransmit(&mut self, now: Time, actions: &mut Vec<Action>) {
        if defect!(MonitorRetransmits) {
            return;
        }
        for (slot, again) in self.ordering.retransmit(now, &self.spec, self.log.stable()) {
            let member = self.configuration.members[slot];
            if self.is_absent(&member) {
                continue;
            }
            let node = member.node;
            match again {
                Again::NewConfig => actions.push(Action::ResendNewConfig(node)),
                Again::Stable => actions.push(Action::ResendStable(node)),
                Again::Orders(first, last) => {
                    actions
                        .extend((first.0..=last.0).map(|at| Action::ResendOrder(node, crate::Sequence(at))));
                }
            }
        }
    }

    /// A member that was proven guilty makes room for a spare; one whose monitor was started again, or which promised a configuration that never came about, can come back
    /// only in a later one. The primary makes one for it, at most one per `view_timeout`.
    fn bring_back(&mut self, now: Time, actions: &mut Vec<Action>) {
        if now < self.entered_at.after(self.spec.view_timeout) {
            return;
        }
        let known = |node: Node| self.known.get(&node).copied().unwrap_or(crate::FIRST);
        let members = &self.configuration.members;
        let is_free = |spare: &Node| known(*spare) != QUARANTINED && self.slot_of(*spare).is_none();
        let spare_is_free = self.spares.iter().any(is_free);
        let needed = members.iter().any(|member| match known(member.node) {
            QUARANTINED => spare_is_free,
            start => start > member.incarnation,
        });
        let promised = self.suspicion.promised_by_any();
        if (needed || promised > self.configuration.view)
            && let Some(target) =
                self.configuration.next_led_by(self.me, promised.max(self.configuration.view))
        {
            self.stand_for(now, target, actions);
        }
    }

    /// What is said until something happens.
    fn repeat(&mut self, now: Time, actions: &mut Vec<Action>) {
        let view = self.configuration.view;
        let (target, promised) = (self.suspicion.target, self.suspicion.promised);
        // A spare that was never started again has nothing to forget.
        let forgot = !self.member && self.incarnation != crate::FIRST;
        let mut something = self.guilty.is_some();
        if something {
            actions.push(Action::Broadcast(Control::Alert { view, proof: true }));
        } else {
            if forgot {
                actions.push(Action::Broadcast(Control::Rejoin { incarnation: self.incarnation }));
            } else if self.handing_over {
                actions.push(Action::Broadcast(Control::Alert { view, proof: false }));
            }
            if self.claims.is_some() {
                self.ask_for_claims(promised, actions);
            }
            let a_spare = self.slot_of(self.me).is_none();
            let has_a_say = !a_spare && (self.member || !self.spec.open);
            if has_a_say && (!self.member || target > view || promised > view) {
                actions.push(Action::Broadcast(Control::Suspect { target, promised }));
            }
            something = forgot || self.handing_over || target > view || promised > view;
        }
        self.repeat_at = something.then(|| now.after(self.spec.retransmit_after));
    }

    /// How long the way into a configuration may take: twice as long after each one that did not come about. A candidate that is
    /// there asks for claims at once, so one that does not is not waited for as long.
    fn change_timeout(&self) -> Span {
        let failed = self.failed_changes.min(16);
        let whole = self.spec.view_timeout.times(2 << failed, self.spec.view_timeout_max);
        match self.suspicion.promised < self.change_to {
            true => self.spec.retransmit_after.times(ASKS_WITHIN_TIMES << failed, whole),
            false => whole,
        }
    }
}
